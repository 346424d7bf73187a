// The specs of softmax and its relatives. The references look, for each element anew, at all those of its group.
#include "autograd/ops/softmax.hpp"

#include <algorithm>
#include <cmath>

#include "tests/specs/instances.hpp"
#include "tests/specs/registry.hpp"

namespace autograd::specs {
namespace {

/// x - largest, and 0 for both infinite.
long double below(long double x, long double largest) { return x == largest && x > 0 ? 0 : x - largest; }

/// Calls use(x - largest, the sum of all exp(each - largest)) for the first number among the others.
template <class Use>
long double among(const Numbers& numbers, Use use) {
    const long double largest = largest_of(numbers);
    long double total = 0;
    for (std::size_t i = 1; i < numbers.size(); ++i) total += std::exp(below(numbers[i], largest));
    return use(below(numbers.front(), largest), total);
}
long double softmax_of(const Numbers& numbers) {
    return among(numbers, [](long double x, long double total) { return std::exp(x) / total; });
}
long double log_softmax_of(const Numbers& numbers) {
    return among(numbers, [](long double x, long double total) { return x - std::log(total); });
}

/// Folds each element with those of its group behind it.
Definition grouped(const Shape& shape, const std::vector<bool>& reduced, Fold fold) {
    const auto places = [=](const Index& index) {
        std::vector<Place> list = group_of(index, shape, reduced);
        list.insert(list.begin(), Place{0, index});
        return list;
    };
    return {.shape = shape, .places = places, .fold = std::move(fold)};
}

template <class Op>
Share share(const char* name, Op op, Fold fold, Fold scale = {}) {
    const auto call = [op](const Axes& axes) { return OpCall([=](auto v) { return op(v[0], axes); }); };
    return {.name = name, .call = call, .fold = std::move(fold), .scale = std::move(scale)};
}

}  // namespace

const std::vector<Share>& shares() {
    static const std::vector<Share> all{
        share(
            "softmax", [](auto x, const Axes& axes) { return softmax(x, axes); }, softmax_of, softmax_of),
        // The logarithm of a sum that begins with 1 has an error of one rounding of 1.
        share(
            "log_softmax", [](auto x, const Axes& axes) { return log_softmax(x, axes); }, log_softmax_of,
            [](const Numbers& numbers) { return 1 - log_softmax_of(numbers); })};
    return all;
}

Instance share_of(const Share& op, const Shape& shape, const Axes& axes) {
    Definition definition = grouped(shape, named(axes, shape.size()), op.fold);
    definition.scale = op.scale;
    return {.text = std::string(op.name) + "(x, " + text_of(axes) + ")",
            .shapes = {shape},
            .call = op.call(axes),
            .definition = std::move(definition)};
}

namespace {

struct AxesCase {
    Shape shape;
    Axes axes;
    const char* name;
};

std::vector<AxesCase> axes_cases() {
    return {{{4}, -1, "(4,), axis -1"},
            {{2, 3}, -1, "(2, 3), axis -1"},
            {{2, 3}, 0, "(2, 3), axis 0"},
            {{2, 3, 4}, 1, "(2, 3, 4), axis 1"},
            {{2, 3, 4}, {-1, 0}, "(2, 3, 4), axes -1 and 0"},
            {{2, 3}, {}, "(2, 3), all"},
            {{3, 17}, -1, "(3, 17), axis -1"},
            {{3, 1}, -1, "(3, 1), axis -1"},
            {{}, {}, "(), all"},
            {{0, 3}, -1, "(0, 3), axis -1"},
            {{2, 0}, -1, "(2, 0), axis -1"}};
}

OpSpec axes_spec(OpSpec spec, const Share& op) {
    const std::string name = spec.name;
    for (const AxesCase& each : axes_cases()) {
        spec.cases.push_back(chosen(each.name, share_of(op, each.shape, each.axes)));
    }
    spec.misuses = {{{{2, 3}}, op.call(2), {name, "axis 2", "rank 2"}},
                    {{{2, 3}}, op.call({0, -2}), {name, "axis -2", "twice"}},
                    {{{}}, op.call(-1), {name, "axis -1", "scalar"}}};
    return spec;
}

OpSpec cross_entropy_spec() {
    OpSpec spec{.name = "cross_entropy", .documentation = ops::words::cross_entropy, .ulps = 20};
    struct Case {
        Shape shape;
        std::vector<std::size_t> classes;
        std::size_t rows, count, inner;
        Shape losses;
    };
    for (const Case& each : {Case{{4}, {2}, 1, 4, 1, {}},
                             {{3, 4}, {0, 3, 1}, 3, 4, 1, {3}},
                             {{2, 3, 2}, {2, 0, 1, 1}, 2, 3, 2, {2, 2}},
                             {{2, 3, 1, 2}, {2, 0, 0, 1}, 2, 3, 2, {2, 1, 2}},
                             {{2, 1}, {0, 0}, 2, 1, 1, {2}},
                             {{0, 3}, {}, 0, 3, 1, {0}}}) {
        for (const auto reduction : {LossReduction::none, LossReduction::sum, LossReduction::mean}) {
            spec.cases.push_back(
                {.name = to_string(each.shape) + ", reduction " + std::to_string(static_cast<int>(reduction)),
                 .shapes = {each.shape},
                 .call = [each, reduction](auto v) { return cross_entropy(v[0], each.classes, reduction); },
                 .reference =
                     [each, reduction](Arrays x) {
                         std::vector<bool> reduced(each.shape.size(), false);
                         reduced[each.shape.size() == 1 ? 0 : 1] = true;
                         const Array<double> log_probability = grouped(each.shape, reduced, log_softmax_of)(x);
                         auto losses = empty<double>(each.losses);
                         double total = 0;
                         for (std::size_t i = 0; i < each.classes.size(); ++i) {
                             const std::size_t row = i / each.inner, place = i % each.inner;
                             total += losses.data()[i] =
                                 -log_probability.data()[(row * each.count + each.classes[i]) * each.inner + place];
                         }
                         if (reduction == LossReduction::none) return losses;
                         if (reduction == LossReduction::mean) total /= static_cast<double>(each.classes.size());
                         return full<double>({}, total);
                     }});
        }
    }
    const auto call = [](std::vector<std::size_t> classes) {
        return [classes](auto v) { return cross_entropy(v[0], classes); };
    };
    spec.misuses = {{{{2, 3}}, call({0, 3}), {"cross_entropy", "(2, 3)", "3 classes", "number 1", "3"}},
                    {{{2, 3}}, call({0}), {"cross_entropy", "(2, 3)", "want 2", "not 1"}},
                    {{{}}, call({0}), {"cross_entropy", "()"}}};
    return spec;
}

/// The first number, less the mean of the others and divided by their deviation.
long double normalized(const Numbers& numbers) {
    const Numbers group(numbers.begin() + 1, numbers.end());
    const auto count = static_cast<long double>(group.size());
    const long double mean = sum_of(group) / count;
    long double variance = 0;
    for (const long double each : group) variance += (each - mean) * (each - mean) / count;
    return (numbers.front() - mean) / std::sqrt(variance + 1e-5L);
}

OpSpec layer_norm_spec() {
    const Share norm = share(
        "layer_norm", [](auto x, const Axes& axes) { return 4 + layer_norm(x, axes); },
        [](const Numbers& numbers) { return 4 + normalized(numbers); });
    OpSpec spec = axes_spec({.name = "layer_norm", .documentation = ops::words::layer_norm, .ulps = 20}, norm);
    // Of two elements the result is -1 and 1 but for epsilon, and its derivative nothing but rounding.
    std::erase_if(spec.cases, [](const OpCase& each) { return each.name == "(2, 3), axis 0"; });
    spec.cases.push_back(chosen("(5, 3), axis 0", share_of(norm, {5, 3}, 0)));
    spec.cases.push_back({.name = "(2, 3) with weight and bias",
                          .shapes = {{2, 3}, {3}, {3}},
                          .call = [](auto v) { return 8 + layer_norm(v[0], v[1], v[2]); },
                          .reference =
                              [](Arrays x) {
                                  Array<double> y = grouped({2, 3}, {false, true}, normalized)(x);
                                  for (std::size_t i = 0; i < 6; ++i) y.data()[i] = 8 + y.data()[i] * x[1](i % 3) + x[2](i % 3);
                                  return y;
                              }});
    spec.misuses.push_back(
        {{{2, 3}, {2}, {3}}, [](auto v) { return layer_norm(v[0], v[1], v[2]); }, {"layer_norm", "weight", "(2,)", "(2, 3)"}});
    spec.misuses.push_back({{{2, 3}, {3}, {4, 2, 3}},
                            [](auto v) { return layer_norm(v[0], v[1], v[2]); },
                            {"layer_norm", "bias", "(4, 2, 3)", "(2, 3)"}});
    return spec;
}

}  // namespace

std::vector<OpSpec> softmax_specs() {
    const auto named = [](std::string_view name) { return *std::ranges::find(shares(), name, &Share::name); };
    return {axes_spec({.name = "softmax", .documentation = ops::words::softmax, .ulps = 10}, named("softmax")),
            axes_spec({.name = "log_softmax", .documentation = ops::words::log_softmax, .ulps = 10}, named("log_softmax")),
            cross_entropy_spec(), layer_norm_spec()};
}

}  // namespace autograd::specs
