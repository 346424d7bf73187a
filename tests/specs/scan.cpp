// The specs of the cumulative ops. The references walk the axis for each element anew, by the definition.
#include "autograd/ops/scan.hpp"

#include <cmath>

#include "tests/specs/references.hpp"
#include "tests/specs/registry.hpp"

namespace autograd::specs {
namespace {

/// Calls fold(elements up to and with each, in the order of the axis) for each element.
template <class Fold>
std::function<Array<double>(Arrays)> cumulated(std::size_t axis, Fold fold, bool with_initial = false) {
    return [=](Arrays x) {
        Shape shape = x[0].shape();
        if (with_initial) ++shape[axis];
        auto out = empty<double>(shape);
        for_each_index(shape, [&](const Index& index) {
            std::vector<double> elements;
            Index each = index;
            const std::size_t end = index[axis] + (with_initial ? 0 : 1);
            for (each[axis] = 0; each[axis] < end; ++each[axis]) elements.push_back(at(x[0], each));
            at(out, index) = fold(elements);
        });
        return out;
    };
}

struct ScanCase {
    Shape shape;
    std::ptrdiff_t axis;
    std::size_t place;
};

std::vector<ScanCase> scan_cases() {
    return {{{5}, 0, 0},       {{1}, 0, 0},           {{17}, -1, 0},  {{3, 5}, 0, 0}, {{3, 5}, -1, 1}, {{4, 17}, 0, 0},
            {{2, 5, 3}, 1, 1}, {{2, 2, 3, 2}, -2, 2}, {{0, 3}, 0, 0}, {{0, 3}, 1, 1}, {{2, 0}, 1, 1}};
}

/// `op(x, axis)`; with `initial`, `op(x, axis, IncludeInitial::yes)` too.
template <class Op, class Fold>
OpSpec cumulative_spec(OpSpec spec, Op op, Fold fold) {
    const std::string name = spec.name;
    constexpr bool has_initial = requires(Var<double> x) { op(x, 0, IncludeInitial::yes); };
    for (const ScanCase& each : scan_cases()) {
        const std::string text = to_string(each.shape) + ", axis " + std::to_string(each.axis);
        spec.cases.push_back({.name = text,
                                .shapes = {each.shape},
                                .call = [=](auto v) { return op(v[0], each.axis); },
                                .reference = cumulated(each.place, fold)});
        if constexpr (has_initial) {
            spec.cases.push_back({.name = text + ", with the initial",
                                    .shapes = {each.shape},
                                    .call = [=](auto v) { return op(v[0], each.axis, IncludeInitial::yes); },
                                    .reference = cumulated(each.place, fold, true)});
        }
    }
    spec.misuses = {{{{2, 3}}, [op](auto v) { return op(v[0], 2); }, {name, "axis 2", "rank 2"}},
                      {{{2, 3}}, [op](auto v) { return op(v[0], -3); }, {name, "axis -3", "rank 2"}},
                      {{{}}, [op](auto v) { return op(v[0], 0); }, {name, "axis 0", "scalar"}}};
    return spec;
}

/// By the definition without recursion: the sum over j of b_j times the product of the a between.
std::function<Array<double>(Arrays)> recurrence(const Shape& shape, std::size_t axis, bool backwards, bool delayed) {
    return [=](Arrays x) {
        const auto element = [&](const Array<double>& of, const Index& index) {
            // Broadcast by hand: leading axes that are missing, and those of extent 1.
            Index own(index.end() - static_cast<std::ptrdiff_t>(of.dimension()), index.end());
            for (std::size_t i = 0; i < own.size(); ++i) own[i] = of.shape()[i] == 1 ? 0 : own[i];
            return at(of, own);
        };
        auto out = empty<double>(shape);
        for_each_index(shape, [&](const Index& index) {
            double y = 0;
            Index each = index, previous = index;
            const std::size_t count = backwards ? shape[axis] - index[axis] : index[axis] + 1;
            for (std::size_t i = 0; i < count; ++i) {
                each[axis] = backwards ? shape[axis] - 1 - i : i;
                const Index& coefficient = delayed ? previous : each;
                y = i == 0 ? element(x[1], each) : element(x[0], coefficient) * y + element(x[1], each);
                previous = each;
            }
            at(out, index) = y;
        });
        return out;
    };
}

OpSpec linear_recurrence_spec() {
    OpSpec spec{.name = "linear_recurrence", .documentation = ops::words::linear_recurrence};
    for (const ScanCase& each : scan_cases()) {
        for (const Way way : {Way::forwards, Way::backwards}) {
            const bool backwards = way == Way::backwards;
            const std::string text =
                to_string(each.shape) + ", axis " + std::to_string(each.axis) + (backwards ? ", backwards" : "");
            spec.cases.push_back({.name = text,
                                    .shapes = {each.shape, each.shape},
                                    .call = [=](auto v) { return linear_recurrence(v[0], v[1], each.axis, way); },
                                    .reference = recurrence(each.shape, each.place, backwards, false)});
            spec.cases.push_back({.name = text + ", delayed",
                                    .shapes = {each.shape, each.shape},
                                    .call =
                                        [=](auto v) {
                                            return ops::linear_recurrence(v[0], v[1], each.place, way, true);
                                        },
                                    .reference = recurrence(each.shape, each.place, backwards, true)});
        }
    }
    const auto call = [](std::ptrdiff_t axis) { return [=](auto v) { return linear_recurrence(v[0], v[1], axis); }; };
    spec.cases.push_back({.name = "one coefficient",
                            .shapes = {{}, {3, 5}},
                            .call = call(1),
                            .reference = recurrence({3, 5}, 1, false, false)});
    spec.cases.push_back({.name = "coefficients of columns, one row of inputs",
                            .shapes = {{3, 1}, {1, 5}},
                            .call = call(-1),
                            .reference = recurrence({3, 5}, 1, false, false)});
    spec.cases.push_back({.name = "x, x",
                            .shapes = {{4}},
                            .call = [](auto v) { return linear_recurrence(v[0], v[0], 0); },
                            .reference =
                                [](Arrays x) {
                                    const Array<double> both[] = {x[0], x[0]};
                                    return recurrence({4}, 0, false, false)(both);
                                }});
    spec.misuses = {{{{2, 3}, {2, 4}}, call(0), {"linear_recurrence", "(2, 3)", "(2, 4)"}},
                      {{{2, 3}, {2, 3}}, call(2), {"linear_recurrence", "axis 2", "rank 2"}},
                      {{{}, {}}, call(0), {"linear_recurrence", "axis 0", "scalar"}}};
    return spec;
}

OpSpec diff_spec() {
    OpSpec spec{.name = "diff", .documentation = ops::words::diff};
    for (const ScanCase& each : scan_cases()) {
        const auto differences = [axis = each.place](Arrays x, int n) {
            Array<double> y = x[0];
            for (; n > 0 && y.shape()[axis] > 0; --n) {
                Shape shape = y.shape();
                --shape[axis];
                const auto next = [&](Index index) { return ++index[axis], at(y, index); };
                auto shorter = empty<double>(shape);
                for_each_index(shape, [&](const Index& index) { at(shorter, index) = next(index) - at(y, index); });
                y = shorter;
            }
            return y;
        };
        for (const int n : {0, 1, 2}) {
            spec.cases.push_back({.name = to_string(each.shape) + ", order " + std::to_string(n), .shapes = {each.shape},
                                    .call = [=](auto v) { return diff(v[0], n, each.axis); },
                                    .reference = [=](Arrays x) { return differences(x, n); },
                                    .domain = {1, 2}});  // of which such differences are exact
        }
    }
    spec.misuses = {{{{2, 3}}, [](auto v) { return diff(v[0], 1, 2); }, {"diff (node 1)", "axis 2", "rank 2"}},
                      {{{2, 3}}, [](auto v) { return diff(v[0], -1); }, {"diff (node 1)", "order -1"}}};
    return spec;
}

}  // namespace

std::vector<OpSpec> scan_specs() {
    return {
        diff_spec(),
        linear_recurrence_spec(),
        cumulative_spec(
            {.name = "cumulative_sum", .documentation = ops::words::cumulative_sum},
            [](auto x, std::ptrdiff_t axis, auto... initial) { return cumulative_sum(x, axis, initial...); },
            [](const std::vector<double>& elements) {
                double total = 0;
                for (const double each : elements) total += each;
                return total;
            }),
        cumulative_spec(
            {.name = "cumulative_prod", .documentation = ops::words::cumulative_prod},
            [](auto x, std::ptrdiff_t axis, auto... initial) { return cumulative_prod(x, axis, initial...); },
            [](const std::vector<double>& elements) {
                double total = 1;
                for (const double each : elements) total *= each;
                return total;
            }),
        cumulative_spec(
            {.name = "logcumsumexp", .documentation = ops::words::logcumsumexp},
            [](auto x, std::ptrdiff_t axis) { return logcumsumexp(x, axis); },
            [](const std::vector<double>& elements) {
                // Of one element it is that element, which log(exp(x)) would miss by some units.
                if (elements.size() == 1) return elements[0];
                double total = 0;
                for (const double each : elements) total += std::exp(each);
                return std::log(total);
            }),
    };
}

}  // namespace autograd::specs
