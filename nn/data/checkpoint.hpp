// nn::save and nn::load: models, optimisers and random streams to safetensors files and back. Loading is all or
// nothing. Each parameter is one array of the file, by its dotted name, so that other programs can read it.
#pragma once

#include <autograd/autograd.hpp>

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "nn/data/safetensors.hpp"
#include "nn/module.hpp"
#include "nn/optimizers.hpp"

namespace XTAPE_API nn {

/// The random streams of a training run, by the names that its checkpoints give them.
using Generators = std::map<std::string, autograd::Rng*>;

/// A program's own notes in a checkpoint: its options, say. read_safetensors(path).metadata has them, among others.
using Notes = std::map<std::string, std::string>;

/// A program's own arrays in a checkpoint. In the file, and so in read_safetensors(path).tensors, their names begin with
/// program_prefix, which no parameter's does; other programs that load the model pass over them.
using Arrays = std::map<std::string, Tensor>;
/// How a file names them, before the name that the program gave.
inline constexpr const char* program_prefix = "program/";

namespace detail {

template <class Model>
[[nodiscard]] TensorFile contents_of(const Model& model) {
    TensorFile contents;
    for_each_parameter(model, [&](const std::string& name, const auto& each) { contents.tensors[name] = each.value(); });
    return contents;
}

/// An optimiser's arrays are called "optimizer/encoder.hidden.weight/exp_avg": parameters have no slash in their names.
template <class T>
void put_states(TensorFile& contents, const std::vector<ParameterState<T>>& states, std::span<const char* const> averages);
template <class T>
void take_states(const std::filesystem::path& path, TensorFile& contents, std::vector<ParameterState<T>>& states,
                 std::span<const char* const> averages);

void put_generators(TensorFile& contents, const Generators& generators);
/// @throws FileError if a note's name is one that a generator could have.
void put_notes(const std::filesystem::path& path, TensorFile& contents, const Notes& notes);
void put_arrays(TensorFile& contents, const Arrays& arrays);
[[nodiscard]] std::map<std::string, autograd::Rng::State> take_generators(const std::filesystem::path& path,
                                                                          const TensorFile& contents,
                                                                          const Generators& generators);

enum class States { ignored, expected };

/// The file's contents, which must have the same names, element types and shapes as `expected`, and finite numbers.
[[nodiscard]] TensorFile read_like(const std::filesystem::path& path, const TensorFile& expected, States states);

/// Takes the parameters' values out of `contents`, all or none: looking them up takes memory, moving them does not.
template <class Model>
void assign(Model& model, TensorFile& contents) {
    std::vector<std::pair<std::variant<autograd::Parameter<float>*, autograd::Parameter<double>*>, Tensor*>> moves;
    for_each_parameter(model,
                       [&](const std::string& name, auto& each) { moves.emplace_back(&each, &contents.tensors.at(name)); });
    for (const auto& [parameter, tensor] : moves) {
        const auto move = [from = tensor]<class T>(autograd::Parameter<T>* each) {
            each->mutable_value() = std::move(std::get<autograd::Array<T>>(*from));
        };
        std::visit(move, parameter);
    }
}

}  // namespace detail

/// Writes the model's parameters, and what notes the program adds.
/// @throws FileError if the file cannot be written, and one that was there before is then as it was; and if a note's name
/// begins with "rng/".
template <class Model>
void save(const std::filesystem::path& path, const Model& model, const Notes& notes = {}) {
    TensorFile contents = detail::contents_of(model);
    detail::put_notes(path, contents, notes);
    write_safetensors(path, contents);
}

/// Writes all that training needs to go on as if it had not stopped: the parameters, the optimiser's running averages
/// and counts of steps (its options, a learning rate say, are the program's), the state of each generator, and what
/// notes and arrays the program adds.
/// @throws FileError as above.
template <class Model, class Optimizer>
void save(const std::filesystem::path& path, const Model& model, const Optimizer& optimizer, const Generators& generators = {},
          const Notes& notes = {}, const Arrays& arrays = {}) {
    TensorFile contents = detail::contents_of(model);
    detail::put_states(contents, optimizer.states(model), optimizer.averages());
    detail::put_generators(contents, generators);
    detail::put_notes(path, contents, notes);
    detail::put_arrays(contents, arrays);
    write_safetensors(path, contents);
}

/// Reads the parameters, from a file of either kind.
/// @throws FileError, and then has changed nothing, if the file cannot be read, its names, element types and shapes
/// are not those of the model, or a number in it is not finite; the message names each difference.
template <class Model>
void load(const std::filesystem::path& path, Model& model) {
    TensorFile contents = detail::read_like(path, detail::contents_of(model), detail::States::ignored);
    detail::assign(model, contents);
}

/// Reads what save() wrote with an optimiser of this type and generators of these names.
/// @throws FileError as above, and then has changed nothing.
template <class Model, class Optimizer>
void load(const std::filesystem::path& path, Model& model, Optimizer& optimizer, const Generators& generators = {}) {
    auto states = optimizer.states(model);
    TensorFile expected = detail::contents_of(model);
    detail::put_states(expected, states, optimizer.averages());
    TensorFile contents = detail::read_like(path, expected, detail::States::expected);
    detail::take_states(path, contents, states, optimizer.averages());
    const auto generator_states = detail::take_generators(path, contents, generators);
    detail::assign(model, contents);
    optimizer.restore(std::move(states));
    for (const auto& [name, generator] : generators) generator->restore(generator_states.at(name));
}

}  // namespace nn
