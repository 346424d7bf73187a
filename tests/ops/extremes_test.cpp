// Every op at the ends of its domain: value and derivative at zeros, the smallest and largest numbers, infinities, NaN
// and kinks, in float and double, against values.txt, which extremes/make_extremes.py computed with mpmath. Ordinary
// values are opcheck's.
#include <fmt/format.h>

#include <autograd/autograd.hpp>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <map>
#include <nn/nn.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/catch.hpp"
#include "tests/specs/registry.hpp"

namespace {

using namespace autograd;

/// One case: numbers as they are written in values.txt.
struct Row {
    std::vector<std::string> inputs, values, derivatives;
};
/// By type, "f" or "d".
using Rows = std::map<std::string, std::vector<Row>>;

std::map<std::string, Rows> read_rows() {
    std::ifstream file(std::string(XTAPE_SOURCE_DIR) + "/tests/extremes/values.txt");
    std::map<std::string, Rows> result;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') continue;
        std::istringstream words(line);
        std::string op, type;
        words >> op >> type;
        Row row;
        std::vector<std::string>* to = &row.inputs;
        for (std::string word; words >> word;) {
            if (word == "=") {
                to = &row.values;
            } else if (word == ":") {
                to = &row.derivatives;
            } else {
                to->push_back(word);
            }
        }
        result[op][type].push_back(row);
    }
    return result;
}

double number(const std::string& text) { return std::strtod(text.c_str(), nullptr); }

/// How far a result may be from the exact one.
struct Bound {
    double ulps;          ///< units of the last place, of subnormal numbers the smallest number
    double smallest = 0;  ///< smallest normal numbers
};

/// What a gradient's rule may add to the bound of the value, as in opcheck.
constexpr double roundings_of_a_rule = 4;

/// Ops with terms by the kernels of sigmoid and softplus, whose results below the smallest normal number may be 0.
const std::set<std::string> flushing{"sigmoid",
                                     "tanh",
                                     "softplus",
                                     "logsigmoid",
                                     "logaddexp",
                                     "sigmoid_minus",
                                     "binary_cross_entropy_with_logits",
                                     "bernoulli_kl_divergence",
                                     "bernoulli_entropy"};

Bound bound_of(const OpSpec& spec, double more_ulps = 0) {
    return {spec.ulps + more_ulps, flushing.count(spec.name) > 0 ? 1.0 : 0.0};
}

/// What is wrong with a result, or "". "-" is a gradient that does not exist, "+0" and "-0" are zeros whose sign
/// counts.
template <class T>
std::string wrong(const std::optional<T>& found, const std::string& expected, Bound bound) {
    if (expected == "?") return "";  // not compared: make_extremes.py says why
    if (expected == "-" || !found) return expected == "-" && !found ? "" : found ? fmt::format("{:a}", *found) : "none";
    const double right = number(expected), got = static_cast<double>(*found);
    if (std::isnan(right) || std::isnan(got) || std::isinf(right)) {
        const bool same = right == got || (std::isnan(right) && std::isnan(got));
        return same ? "" : fmt::format("{:.9g}", got);
    }
    if (right == 0 && expected[0] != '0' && std::signbit(right) != std::signbit(got)) return fmt::format("{:.9g}", got);
    if (std::fabs(right - got) <= bound.smallest * double{std::numeric_limits<T>::min()}) return "";
    const double size = std::max(std::fabs(right), double{std::numeric_limits<T>::min()});
    // Halved, so that the difference of two large numbers is one. Infinity comes after the largest number: there it is
    // what a last rounding makes.
    const double after_largest = std::ldexp(0.5, std::numeric_limits<T>::max_exponent);
    const double half = std::isinf(got) ? std::copysign(after_largest, got) : got / 2;
    const double off = std::fabs(right / 2 - half) / (size / 2) / double{std::numeric_limits<T>::epsilon()};
    if (off <= bound.ulps) return "";
    return fmt::format("{:.9g}, {:.3g} ulps off {:.9g}", got, off, right);
}

template <class T>
constexpr const char* letter = sizeof(T) == sizeof(float) ? "f" : "d";

template <class T>
std::optional<T> element(const Array<T>* array, std::size_t i) {
    return array == nullptr ? std::nullopt : std::optional<T>(array->data()[i]);
}

class Failures {
   public:
    void add(const char* type, const Row& row, const std::string& what, const std::string& expected, const std::string& wrong) {
        if (wrong.empty()) return;
        text_ += fmt::format("\n  {} ({}): {} is {}, not {}", type, fmt::join(row.inputs, ", "), what, wrong, expected);
        ++count_;
    }
    /// Says all of them at once.
    void report(const std::string& op) const {
        if (count_ > 0) FAIL_CHECK(op << ": " << count_ << " results are wrong" << text_);
    }

   private:
    std::string text_;
    std::size_t count_ = 0;
};

/// All cases as one array: value, the gradients of both sweeps, and forward mode.
template <class T>
void check_elementwise(const OpSpec& spec, const std::vector<Row>& rows, Failures& failures) {
    const std::size_t arity = spec.arity, count = rows.size();
    Tape<T> tape;
    std::vector<Var<T>> inputs;
    for (std::size_t k = 0; k < arity; ++k) {
        Array<T> values = empty<T>({count});
        for (std::size_t i = 0; i < count; ++i) {
            REQUIRE(rows[i].inputs.size() == arity);
            REQUIRE(rows[i].values.size() == 1);
            REQUIRE(rows[i].derivatives.size() == arity);
            values.data()[i] = static_cast<T>(number(rows[i].inputs[k]));
        }
        inputs.push_back(tape.variable(values));
    }
    const Var<T> y = spec.call(std::span<const Var<T>>(inputs));
    const Bound of_value = bound_of(spec), of_gradient = bound_of(spec, roundings_of_a_rule);
    const auto each_row = [&](const std::string& what, const Array<T>* found, auto expected, Bound bound) {
        for (std::size_t i = 0; i < count; ++i) {
            const std::string& right = expected(rows[i]);
            failures.add(letter<T>, rows[i], what, right, wrong(element(found, i), right, bound));
        }
    };
    each_row(
        "the value", &y.value(), [](const Row& row) -> const auto& { return row.values[0]; }, of_value);

    const Var<T> loss = sum(y);
    const bool has_gradient = tape.node(loss.index()).needs_gradient;
    std::vector<Gradients<T>> sweeps;
    if (has_gradient) {
        for (const bool create_graph : {false, true}) {
            sweeps.push_back(backward(loss, {.create_graph = create_graph}));
        }
    }
    for (std::size_t k = 0; k < arity; ++k) {
        const auto expected = [&](const Row& row) -> const auto& { return row.derivatives[k]; };
        const Array<T>* plain = has_gradient ? sweeps[0].find(inputs[k]) : nullptr;
        each_row(fmt::format("gradient {}", k), plain, expected, of_gradient);
        const Array<T>* recorded = has_gradient ? sweeps[1].find(inputs[k]) : nullptr;
        each_row(fmt::format("recorded gradient {}", k), recorded, expected, of_gradient);
        const Direction<T> direction(inputs[k], full<T>({count}, 1));
        const auto tangent = find_tangent(y, std::span<const Direction<T>>(&direction, 1));
        each_row(fmt::format("tangent {}", k), tangent ? &*tangent : nullptr, expected, of_gradient);
    }
}

/// How a structured op is called on the elements of a row, which fill the inputs one after the other. The calls of one
/// op have names that begin with it, and go on after a dot.
struct Call {
    std::vector<Shape> shapes;
    OpCall call;
};

const std::map<std::string, Call>& calls() {
    static const std::map<std::string, Call> known{
        {"sum", {{{2}}, [](auto v) { return sum(v[0]); }}},
        {"sum_to", {{{2}}, [](auto v) { return sum_to(v[0], {1}); }}},
        {"untake",
         {{{2}},
          [](auto v) {
              return untake(v[0], {1}, Indices{0, 0}, 0);
          }}},
        {"untake_along_axis",
         {{{2}},
          [](auto v) {
              return untake_along_axis(v[0], {1}, Indices{0, 0}, 0);
          }}},
        {"trace", {{{2, 2}}, [](auto v) { return trace(v[0]); }}},
        {"fold",
         {{{1, 2, 2}},
          [](auto v) {
              return fold(v[0], {1, 1, 1, 3}, {1, 2});
          }}},
        {"cumulative_sum", {{{2}}, [](auto v) { return cumulative_sum(v[0], 0); }}},
        {"mean", {{{2}}, [](auto v) { return mean(v[0]); }}},
        {"avg_pool2d",
         {{{1, 1, 1, 2}},
          [](auto v) {
              return avg_pool2d(v[0], {1, 2});
          }}},
        {"vecdot", {{{2}, {2}}, [](auto v) { return vecdot(v[0], v[1]); }}},
        {"matmul", {{{1, 2}, {2, 1}}, [](auto v) { return matmul(v[0], v[1]); }}},
        {"einsum", {{{2}, {2}}, [](auto v) { return einsum("i,i->", v[0], v[1]); }}},
        {"tensordot", {{{2}, {2}}, [](auto v) { return tensordot(v[0], v[1], 1); }}},
        {"conv2d", {{{1, 1, 1, 2}, {1, 1, 1, 2}}, [](auto v) { return conv2d(v[0], v[1]); }}},
        {"linear", {{{1, 2}, {1, 2}, {1}}, [](auto v) { return linear(v[0], v[1], v[2]); }}},
        {"outer", {{{1}, {1}}, [](auto v) { return outer(v[0], v[1]); }}},
        {"conv_transpose2d", {{{1, 1, 1, 1}, {1, 1, 1, 1}}, [](auto v) { return conv_transpose2d(v[0], v[1]); }}},
        {"conv2d_weight",
         {{{1, 1, 1, 1}, {1, 1, 1, 1}},
          [](auto v) {
              return conv2d_weight(v[0], {1, 1, 1, 1}, v[1]);
          }}},
        {"prod", {{{3}}, [](auto v) { return prod(v[0]); }}},
        {"cumulative_prod", {{{2}}, [](auto v) { return cumulative_prod(v[0], 0); }}},
        {"linear_recurrence", {{{2}, {2}}, [](auto v) { return linear_recurrence(v[0], v[1], 0); }}},
        {"max", {{{2}}, [](auto v) { return max(v[0]); }}},
        {"min", {{{2}}, [](auto v) { return min(v[0]); }}},
        {"max_pool2d",
         {{{1, 1, 1, 2}},
          [](auto v) {
              return max_pool2d(v[0], {1, 2});
          }}},
        {"argmax", {{{2}}, [](auto v) { return argmax(v[0]); }}},
        {"argmin", {{{2}}, [](auto v) { return argmin(v[0]); }}},
        {"count_nonzero", {{{2}}, [](auto v) { return count_nonzero(v[0]); }}},
        {"any", {{{2}}, [](auto v) { return any(v[0]); }}},
        {"all", {{{2}}, [](auto v) { return all(v[0]); }}},
        {"var", {{{2}}, [](auto v) { return var(v[0]); }}},
        {"stddev", {{{2}}, [](auto v) { return stddev(v[0]); }}},
        {"vector_norm.1", {{{2}}, [](auto v) { return vector_norm(v[0], {}, KeepDims::no, 1); }}},
        {"vector_norm.2", {{{2}}, [](auto v) { return vector_norm(v[0]); }}},
        {"vector_norm.3", {{{2}}, [](auto v) { return vector_norm(v[0], {}, KeepDims::no, 3); }}},
        {"vector_norm.inf",
         {{{2}}, [](auto v) { return vector_norm(v[0], {}, KeepDims::no, std::numeric_limits<double>::infinity()); }}},
        {"layer_norm", {{{2}}, [](auto v) { return layer_norm(v[0], -1, 0x1p-17); }}},
        {"softmax", {{{3}}, [](auto v) { return softmax(v[0]); }}},
        {"log_softmax", {{{3}}, [](auto v) { return log_softmax(v[0]); }}},
        {"cross_entropy", {{{3}}, [](auto v) { return cross_entropy(v[0], {0}); }}},
        {"logsumexp", {{{2}}, [](auto v) { return logsumexp(v[0]); }}},
        {"logcumsumexp", {{{2}}, [](auto v) { return logcumsumexp(v[0], 0); }}},
        {"inv", {{{2, 2}}, [](auto v) { return inv(v[0]); }}},
        {"det", {{{2, 2}}, [](auto v) { return det(v[0]); }}},
        {"slogdet", {{{2, 2}}, [](auto v) { return slogdet(v[0]).logabsdet; }}},
        {"solve", {{{2, 2}, {2}}, [](auto v) { return solve(v[0], v[1]); }}},
        {"cholesky", {{{2, 2}}, [](auto v) { return cholesky(v[0]); }}},
        {"eigvalsh", {{{2, 2}}, [](auto v) { return eigvalsh(v[0]); }}},
        {"eigh", {{{2, 2}}, [](auto v) { return eigh(v[0]).eigenvalues; }}},
    };
    return known;
}

/// One case as one call: the values, and the gradient of their sum or of each of them, as many as the row has.
template <class T>
void check_structured(const OpSpec& spec, const Call& call, const Row& row, Failures& failures) {
    Tape<T> tape;
    std::vector<Var<T>> inputs;
    std::size_t given = 0;
    for (const Shape& shape : call.shapes) {
        Array<T> values = empty<T>(shape);
        for (T& each : values) each = static_cast<T>(number(row.inputs.at(given++)));
        inputs.push_back(tape.variable(values));
    }
    REQUIRE(given == row.inputs.size());
    const Var<T> y = call.call(std::span<const Var<T>>(inputs));
    REQUIRE(y.value().size() == row.values.size());
    for (std::size_t i = 0; i < row.values.size(); ++i) {
        failures.add(letter<T>, row, fmt::format("value {}", i), row.values[i],
                     wrong(element(&y.value(), i), row.values[i], bound_of(spec)));
    }
    const std::size_t sums = row.derivatives.size() / given;
    REQUIRE((sums == 1 || sums == row.values.size()));
    REQUIRE(row.derivatives.size() == sums * given);
    for (std::size_t j = 0; j < sums; ++j) {
        Array<T> weights = full<T>(y.shape(), sums == 1 ? T{1} : T{0});
        weights.data()[j] = 1;
        const Var<T> loss = sum(y * tape.constant(weights));
        for (const bool create_graph : {false, true}) {
            std::optional<Gradients<T>> gradients;
            if (tape.node(loss.index()).needs_gradient) gradients = backward(loss, {.create_graph = create_graph});
            for (std::size_t k = 0, at = j * given; k < inputs.size(); ++k) {
                const Array<T>* found = gradients ? gradients->find(inputs[k]) : nullptr;
                for (std::size_t i = 0; i < inputs[k].value().size(); ++i, ++at) {
                    failures.add(letter<T>, row,
                                 fmt::format("{}gradient {} of value {}", create_graph ? "recorded " : "", at - j * given,
                                             sums == 1 ? "sum" : std::to_string(j)),
                                 row.derivatives[at],
                                 wrong(element(found, i), row.derivatives[at], bound_of(spec, roundings_of_a_rule)));
                }
            }
        }
    }
}

/// A case on numbers from the ends, in turn, by its reference: for ops whose rows others have, because they move numbers,
/// add or subtract them, or are made of what does more.
template <class T>
void check_by_reference(const OpSpec& spec, const OpCase& each, Failures& failures) {
    using Limits = std::numeric_limits<T>;
    const T ends[] = {Limits::infinity(),
                      1,
                      Limits::max(),
                      -T(0),
                      Limits::denorm_min(),
                      -Limits::max(),
                      Limits::quiet_NaN(),
                      -Limits::min(),
                      0,
                      Limits::epsilon(),
                      -Limits::infinity(),
                      -1,
                      Limits::lowest() / 2};
    for (std::size_t first = 0; first < std::size(ends); ++first) {
        Tape<T> tape;
        std::vector<Var<T>> inputs;
        std::vector<Array<double>> in_double;
        Row row;
        std::size_t place = first;
        for (const Shape& shape : each.shapes) {
            Array<T> values = empty<T>(shape);
            for (T& value : values) {
                value = ends[place++ % std::size(ends)];
                row.inputs.push_back(fmt::format("{:.9g}", value));
            }
            inputs.push_back(tape.variable(values));
            in_double.push_back(values);
        }
        const Array<T> found = each.call(std::span<const Var<T>>(inputs)).value();
        const Array<double> right = each.reference(in_double);
        REQUIRE(found.shape() == right.shape());
        for (std::size_t i = 0; i < found.size(); ++i) {
            const double in_range = static_cast<double>(static_cast<T>(right.data()[i]));
            const std::string expected = fmt::format("{:.17g}", in_range);
            failures.add(letter<T>, row, fmt::format("value {} of {}", i, each.name), expected,
                         wrong(element(&found, i), expected, bound_of(spec)));
        }
    }
}

/// Those of autograd and of nn.
std::vector<OpSpec> all_specs() {
    std::vector<OpSpec> specs = registry();
#define XTAPE_SPEC(name, arity) specs.push_back(spec_of(name));
    XTAPE_LOSSES(XTAPE_SPEC)
    XTAPE_DISTRIBUTIONS(XTAPE_SPEC)
#undef XTAPE_SPEC
    return specs;
}

}  // namespace

TEST_CASE("every op that computes is right at the ends of its domain, on few elements", "[extremes]") {
    const auto rows = read_rows();
    for (const OpSpec& spec : all_specs()) {
        if (spec.is_elementwise()) continue;
        DYNAMIC_SECTION(spec.name) {
            Failures failures;
            std::size_t count = 0;
            for (const auto& [name, call] : calls()) {
                if (name.substr(0, name.find('.')) != spec.name) continue;
                const auto own = rows.find(name);
                if (own == rows.end()) {
                    FAIL_CHECK(name << " has no row in tests/extremes/values.txt");
                    continue;
                }
                for (const Row& row : own->second.at("f")) {
                    check_structured<float>(spec, call, row, failures);
                }
                for (const Row& row : own->second.at("d")) {
                    check_structured<double>(spec, call, row, failures);
                }
                count += own->second.size();
            }
            for (const OpCase& each : spec.cases) {
                if (count > 0) break;
                if (!each.float_agrees) continue;
                check_by_reference<float>(spec, each, failures);
                check_by_reference<double>(spec, each, failures);
            }
            failures.report(spec.name);
        }
    }
}

TEST_CASE("every row of the ends of domains is of an op", "[extremes]") {
    std::map<std::string, bool> elementwise;
    for (const OpSpec& spec : all_specs()) elementwise[spec.name] = spec.is_elementwise();
    for (const auto& [name, rows] : read_rows()) {
        INFO(name);
        const auto op = elementwise.find(name.substr(0, name.find('.')));
        CHECK(op != elementwise.end());
        if (op != elementwise.end() && !op->second) CHECK(calls().count(name) == 1);
        CHECK(rows.count("f") + rows.count("d") == rows.size());
        CHECK(rows.size() == 2);
    }
    for (const std::string& name : flushing) {
        INFO(name);
        CHECK(elementwise.count(name) == 1);
    }
}

TEST_CASE("every elementwise op is right at the ends of its domain", "[extremes]") {
    const auto rows = read_rows();
    for (const OpSpec& spec : all_specs()) {
        if (!spec.is_elementwise()) continue;
        DYNAMIC_SECTION(spec.name) {
            const auto own = rows.find(spec.name);
            if (own == rows.end()) {
                FAIL_CHECK(spec.name << " has no row in tests/extremes/values.txt");
                continue;
            }
            Failures failures;
            check_elementwise<float>(spec, own->second.at("f"), failures);
            check_elementwise<double>(spec, own->second.at("d"), failures);
            failures.report(spec.name);
        }
    }
}
