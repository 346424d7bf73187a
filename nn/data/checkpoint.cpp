// How an optimiser's state and generators are named in the file, and the comparison of what a file has with what is
// expected.
#include "nn/data/checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

#include "nn/data/file.hpp"

namespace nn::detail {
namespace {

using autograd::Array;
using autograd::Rng;

constexpr std::string_view state_prefix = "optimizer/";
constexpr std::string_view generator_prefix = "rng/";

std::string state_name(const std::string& parameter, std::string_view what) {
    return fmt::format("{}{}/{}", state_prefix, parameter, what);
}

std::string describe(const Tensor& tensor) {
    static constexpr const char* types[] = {"F32", "F64", "I64", "U8"};  // in the order of Tensor's alternatives
    return std::visit(
        [&](const auto& array) { return fmt::format("{} {}", types[tensor.index()], autograd::to_string(array.shape())); },
        tensor);
}

/// "nan at (3, 5)" of the first element that is not finite; "" if all are.
template <class T>
std::string not_finite(const Array<T>& array) {
    if constexpr (std::is_floating_point_v<T>) {
        const T* const end = array.data() + array.size();
        const T* const bad = std::find_if(array.data(), end, [](T value) { return !std::isfinite(value); });
        if (bad == end) return {};
        autograd::Shape index = array.shape();
        auto rest = static_cast<std::size_t>(bad - array.data());
        for (std::size_t axis = index.size(); axis-- > 0; rest /= array.shape()[axis]) index[axis] = rest % array.shape()[axis];
        return fmt::format("{} at {}", *bad, autograd::to_string(index));
    } else {
        return {};
    }
}

/// "KEY DRAWS", both decimal.
std::optional<Rng::State> parse_generator(std::string_view text) {
    Rng::State state;
    const char* const end = text.data() + text.size();
    const auto key = std::from_chars(text.data(), end, state.key);
    if (key.ec != std::errc() || key.ptr == end || *key.ptr != ' ') return std::nullopt;
    const auto draws = std::from_chars(key.ptr + 1, end, state.draws);
    if (draws.ec != std::errc() || draws.ptr != end) return std::nullopt;
    return state;
}

void add_problem(std::string& problems, const std::string& problem) { problems += problems.empty() ? problem : "; " + problem; }

}  // namespace

template <class T>
void put_states(TensorFile& contents, const std::vector<ParameterState<T>>& states, std::span<const char* const> averages) {
    for (const ParameterState<T>& state : states) {
        contents.tensors[state_name(state.parameter, "step")] =
            autograd::full<std::int64_t>({}, static_cast<std::int64_t>(state.steps));
        for (std::size_t k = 0; k < averages.size(); ++k) {
            contents.tensors[state_name(state.parameter, averages[k])] = state.averages[k];
        }
    }
}

template <class T>
void take_states(const std::filesystem::path& path, TensorFile& contents, std::vector<ParameterState<T>>& states,
                 std::span<const char* const> averages) {
    for (ParameterState<T>& state : states) {
        const std::string step = state_name(state.parameter, "step");
        const std::int64_t steps = std::get<Array<std::int64_t>>(contents.tensors.at(step))();
        if (steps < 0) throw FileError(path, fmt::format("{} is {}, which is no number of steps", step, steps));
        state.steps = static_cast<std::uint64_t>(steps);
        for (std::size_t k = 0; k < averages.size(); ++k) {
            const std::string name = state_name(state.parameter, averages[k]);
            Array<T>& average = std::get<Array<T>>(contents.tensors.at(name));
            // An average of squares has a root.
            if (std::string_view(averages[k]).ends_with("_sq") &&
                std::any_of(average.begin(), average.end(), [](T value) { return value < 0; })) {
                throw FileError(path, fmt::format("{} holds a negative number, and is an average of squares", name));
            }
            state.averages[k] = std::move(average);
        }
    }
}

void put_generators(TensorFile& contents, const Generators& generators) {
    for (const auto& [name, generator] : generators) {
        if (generator == nullptr) throw autograd::Error(fmt::format("save: generator {} is a null pointer", name));
        const Rng::State state = generator->state();
        contents.metadata[fmt::format("{}{}", generator_prefix, name)] = fmt::format("{} {}", state.key, state.draws);
    }
}

void put_notes(const std::filesystem::path& path, TensorFile& contents, const Notes& notes) {
    for (const auto& [name, text] : notes) {
        if (name.starts_with(generator_prefix)) {
            throw FileError(path, fmt::format("a note {}: names that begin with {} are generators'", name, generator_prefix));
        }
        contents.metadata[name] = text;
    }
}

void put_arrays(TensorFile& contents, const Arrays& arrays) {
    for (const auto& [name, array] : arrays) contents.tensors[program_prefix + name] = array;
}

std::map<std::string, Rng::State> take_generators(const std::filesystem::path& path, const TensorFile& contents,
                                                  const Generators& generators) {
    std::map<std::string, Rng::State> states;
    std::string problems;
    for (const auto& [key, text] : contents.metadata) {
        if (!key.starts_with(generator_prefix)) continue;
        const std::string name = key.substr(generator_prefix.size());
        const auto state = parse_generator(text);
        if (!generators.contains(name)) {
            add_problem(problems, fmt::format("generator {} is not expected", name));
        } else if (!state) {
            add_problem(problems, fmt::format("generator {}: expected its key and number of draws, found \"{}\"", name, text));
        } else {
            states[name] = *state;
        }
    }
    for (const auto& [name, generator] : generators) {
        if (generator == nullptr) throw autograd::Error(fmt::format("load: generator {} is a null pointer", name));
        if (!contents.metadata.contains(fmt::format("{}{}", generator_prefix, name))) {
            add_problem(problems, fmt::format("generator {} is missing", name));
        }
    }
    if (!problems.empty()) throw FileError(path, problems);
    return states;
}

TensorFile read_like(const std::filesystem::path& path, const TensorFile& expected, States states) {
    TensorFile contents = read_safetensors(path);
    std::string problems;
    for (const auto& [name, tensor] : expected.tensors) {
        const auto found = contents.tensors.find(name);
        if (found == contents.tensors.end()) {
            add_problem(problems, fmt::format("{} is missing", name));
        } else if (const std::string wanted = describe(tensor), is = describe(found->second); wanted != is) {
            add_problem(problems, fmt::format("{}: expected {}, found {}", name, wanted, is));
        } else if (const std::string bad = std::visit([](const auto& array) { return not_finite(array); }, found->second);
                   !bad.empty()) {
            add_problem(problems, fmt::format("{} is {}", name, bad));
        }
    }
    for (const auto& [name, tensor] : contents.tensors) {
        const bool ignored = name.starts_with(program_prefix) || (states == States::ignored && name.starts_with(state_prefix));
        if (!ignored && !expected.tensors.contains(name)) add_problem(problems, fmt::format("{} is not expected", name));
    }
    if (!problems.empty()) throw FileError(path, problems);
    return contents;
}

template XTAPE_API void put_states(TensorFile&, const std::vector<ParameterState<float>>&, std::span<const char* const>);
template XTAPE_API void put_states(TensorFile&, const std::vector<ParameterState<double>>&, std::span<const char* const>);
template XTAPE_API void take_states(const std::filesystem::path&, TensorFile&, std::vector<ParameterState<float>>&,
                                    std::span<const char* const>);
template XTAPE_API void take_states(const std::filesystem::path&, TensorFile&, std::vector<ParameterState<double>>&,
                                    std::span<const char* const>);

}  // namespace nn::detail
