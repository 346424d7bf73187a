// The specs of softmax and its relatives. The references go through an array group by group.
#include "autograd/ops/softmax.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/specs/registry.hpp"

namespace autograd::specs {
namespace {

using Arrays = std::span<const Array<double>>;
using Group = std::vector<double*>;

/// Calls change() with the elements that share their index along the axes which are not `reduced`.
template <class Change>
Array<double> by_groups(const Array<double>& x, const std::vector<bool>& reduced, Change change) {
    Array<double> out = x;
    std::vector<Group> groups(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
        std::size_t rest = i, place = 0, stride = 1;
        for (std::size_t axis = x.dimension(); axis-- > 0; rest /= x.shape()[axis]) {
            if (reduced[axis]) continue;
            place += rest % x.shape()[axis] * stride;
            stride *= x.shape()[axis];
        }
        groups[place].push_back(out.data() + i);
    }
    for (const Group& group : groups) {
        if (!group.empty()) change(group);
    }
    return out;
}

/// NaN if there is one.
double largest_of(const Group& group) {
    double largest = -std::numeric_limits<double>::infinity();
    for (const double* each : group) largest = *each <= largest ? largest : *each;
    for (const double* each : group) largest = std::isnan(*each) ? *each : largest;
    return largest;
}

/// x - largest, and 0 for both infinite.
double below(double x, double largest) { return x == largest && x > 0 ? 0 : x - largest; }

void softmax_of(const Group& group) {
    const double largest = largest_of(group);
    double total = 0;
    for (double* each : group) total += * each = std::exp(below(*each, largest));
    for (double* each : group) *each /= total;
}

void log_softmax_of(const Group& group) {
    const double largest = largest_of(group);
    double total = 0;
    for (const double* each : group) total += std::exp(below(*each, largest));
    for (double* each : group) *each = below(*each, largest) - std::log(total);
}

struct AxesCase {
    Shape shape;
    Axes axes;
    std::vector<bool> reduced;
    const char* name;
};

std::vector<AxesCase> axes_cases() {
    return {{{4}, -1, {true}, "(4,), axis -1"},
            {{2, 3}, -1, {false, true}, "(2, 3), axis -1"},
            {{2, 3}, 0, {true, false}, "(2, 3), axis 0"},
            {{2, 3, 4}, 1, {false, true, false}, "(2, 3, 4), axis 1"},
            {{2, 3, 4}, {-1, 0}, {true, false, true}, "(2, 3, 4), axes -1 and 0"},
            {{2, 3}, {}, {true, true}, "(2, 3), all"},
            {{3, 17}, -1, {false, true}, "(3, 17), axis -1"},
            {{3, 1}, -1, {false, true}, "(3, 1), axis -1"},
            {{}, {}, {}, "(), all"},
            {{0, 3}, -1, {false, true}, "(0, 3), axis -1"},
            {{2, 0}, -1, {false, true}, "(2, 0), axis -1"}};
}

template <class Call>
OpSpec axes_spec(OpSpec spec, Call op, void (*of_group)(const Group&)) {
    const std::string name = spec.name;
    for (const AxesCase& each : axes_cases()) {
        spec.cases.push_back(
            {.name = each.name,
             .shapes = {each.shape},
             .call = [op, axes = each.axes](auto v) { return op(v[0], axes); },
             .reference = [of_group, reduced = each.reduced](Arrays x) { return by_groups(x[0], reduced, of_group); }});
    }
    spec.misuses = {{{{2, 3}}, [op](auto v) { return op(v[0], 2); }, {name, "axis 2", "rank 2"}},
                      {{{2, 3}},
                       [op](auto v) {
                           return op(v[0], Axes{0, -2});
                       },
                       {name, "axis -2", "twice"}},
                      {{{}}, [op](auto v) { return op(v[0], -1); }, {name, "axis -1", "scalar"}}};
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
                         const Array<double> log_probability = by_groups(x[0], reduced, log_softmax_of);
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

void normalize(const Group& group) {
    const auto count = static_cast<double>(group.size());
    double mean = 0, variance = 0;
    for (const double* each : group) mean += *each / count;
    for (const double* each : group) variance += (*each - mean) * (*each - mean) / count;
    for (double* each : group) *each = (*each - mean) / std::sqrt(variance + 1e-5);
}

OpSpec layer_norm_spec() {
    OpSpec spec = axes_spec(
        {.name = "layer_norm", .documentation = ops::words::layer_norm, .ulps = 20},
        [](auto x, const Axes& axes) { return 4 + layer_norm(x, axes); },
        [](const Group& group) {
            normalize(group);
            for (double* each : group) *each += 4;
        });
    // Of two elements the result is -1 and 1 but for epsilon, and its derivative nothing but rounding.
    std::erase_if(spec.cases, [](const OpCase& each) { return each.name == "(2, 3), axis 0"; });
    spec.cases.push_back({.name = "(5, 3), axis 0",
                            .shapes = {{5, 3}},
                            .call = [](auto v) { return 4 + layer_norm(v[0], 0); },
                            .reference =
                                [](Arrays x) {
                                    Array<double> y = by_groups(x[0], {true, false}, normalize);
                                    for (double& each : y) each += 4;
                                    return y;
                                }});
    spec.cases.push_back({.name = "(2, 3) with weight and bias",
                            .shapes = {{2, 3}, {3}, {3}},
                            .call = [](auto v) { return 8 + layer_norm(v[0], v[1], v[2]); },
                            .reference =
                                [](Arrays x) {
                                    Array<double> y = by_groups(x[0], {false, true}, normalize);
                                    for (std::size_t i = 0; i < 6; ++i)
                                        y.data()[i] = 8 + y.data()[i] * x[1](i % 3) + x[2](i % 3);
                                    return y;
                                }});
    spec.misuses.push_back({{{2, 3}, {2}, {3}},
                              [](auto v) { return layer_norm(v[0], v[1], v[2]); },
                              {"layer_norm", "weight", "(2,)", "(2, 3)"}});
    spec.misuses.push_back({{{2, 3}, {3}, {4, 2, 3}},
                              [](auto v) { return layer_norm(v[0], v[1], v[2]); },
                              {"layer_norm", "bias", "(4, 2, 3)", "(2, 3)"}});
    return spec;
}

}  // namespace

std::vector<OpSpec> softmax_specs() {
    return {axes_spec(
                {.name = "softmax", .documentation = ops::words::softmax, .ulps = 10},
                [](auto x, const Axes& axes) { return softmax(x, axes); }, softmax_of),
            axes_spec(
                {.name = "log_softmax", .documentation = ops::words::log_softmax, .ulps = 10},
                [](auto x, const Axes& axes) { return log_softmax(x, axes); }, log_softmax_of),
            cross_entropy_spec(), layer_norm_spec()};
}

}  // namespace autograd::specs
