// The specs of the cumulative ops. The references walk the axis for each element anew, by the definition.
#include "autograd/ops/scan.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/specs/instances.hpp"
#include "tests/specs/registry.hpp"

namespace autograd::specs {
namespace {

template <class Op>
Scan cumulative(const char* name, Op op, Fold fold) {
    const auto call = [op](std::ptrdiff_t axis, IncludeInitial initial) {
        return OpCall([=](auto v) { return op(v[0], axis, initial); });
    };
    return {.name = name, .call = call, .fold = std::move(fold)};
}

}  // namespace

const std::vector<Scan>& scans() {
    static const std::vector<Scan> all{
        cumulative(
            "cumulative_sum", [](auto x, auto... how) { return cumulative_sum(x, how...); }, sum_of),
        cumulative(
            "cumulative_prod", [](auto x, auto... how) { return cumulative_prod(x, how...); }, product_of),
        {.name = "logcumsumexp",
         .call = [](auto axis, auto) { return OpCall([=](auto v) { return logcumsumexp(v[0], axis); }); },
         .fold = logsumexp_of,
         .has_initial = false}};
    return all;
}

Instance scan_of(const Scan& op, const Shape& shape, std::ptrdiff_t axis, IncludeInitial initial) {
    const bool longer = initial == IncludeInitial::yes;
    const std::size_t place = placed(axis, shape.size());
    Shape result = shape;
    if (longer) ++result[place];
    const auto places = [=](const Index& index) {
        std::vector<Place> before;
        Index each = index;
        const std::size_t end = index[place] + (longer ? 0 : 1);
        for (each[place] = 0; each[place] < end; ++each[place]) before.push_back({0, each});
        return before;
    };
    return {.text = std::string(op.name) + "(x, " + std::to_string(axis) + (longer ? ") with the initial" : ")"),
            .shapes = {shape},
            .call = op.call(axis, initial),
            .definition = {.shape = result, .places = places, .fold = op.fold}};
}

namespace {

struct ScanCase {
    Shape shape;
    std::ptrdiff_t axis;
    std::size_t place;
};

std::vector<ScanCase> scan_cases() {
    return {{{5}, 0, 0},       {{1}, 0, 0},           {{17}, -1, 0},  {{3, 5}, 0, 0}, {{3, 5}, -1, 1}, {{4, 17}, 0, 0},
            {{2, 5, 3}, 1, 1}, {{2, 2, 3, 2}, -2, 2}, {{0, 3}, 0, 0}, {{0, 3}, 1, 1}, {{2, 0}, 1, 1}};
}

OpSpec cumulative_spec(OpSpec spec) {
    const std::string name = spec.name;
    const Scan& op = *std::ranges::find(scans(), std::string_view(name), &Scan::name);
    for (const ScanCase& each : scan_cases()) {
        const std::string text = to_string(each.shape) + ", axis " + std::to_string(each.axis);
        spec.cases.push_back(chosen(text, scan_of(op, each.shape, each.axis, IncludeInitial::no)));
        if (!op.has_initial) continue;
        spec.cases.push_back(chosen(text + ", with the initial", scan_of(op, each.shape, each.axis, IncludeInitial::yes)));
    }
    const auto call = [&](std::ptrdiff_t axis) { return op.call(axis, IncludeInitial::no); };
    spec.misuses = {{{{2, 3}}, call(2), {name, "axis 2", "rank 2"}},
                    {{{2, 3}}, call(-3), {name, "axis -3", "rank 2"}},
                    {{{}}, call(0), {name, "axis 0", "scalar"}}};
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
                                  .call = [=](auto v) { return ops::linear_recurrence(v[0], v[1], each.place, way, true); },
                                  .reference = recurrence(each.shape, each.place, backwards, true)});
        }
    }
    const auto call = [](std::ptrdiff_t axis) { return [=](auto v) { return linear_recurrence(v[0], v[1], axis); }; };
    spec.cases.push_back(
        {.name = "one coefficient", .shapes = {{}, {3, 5}}, .call = call(1), .reference = recurrence({3, 5}, 1, false, false)});
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
        for (const Numbers& weights : {Numbers{1}, Numbers{-1, 1}, Numbers{1, -2, 1}}) {
            const std::size_t n = weights.size() - 1, axis = each.place;
            Shape shape = each.shape;
            shape[axis] -= std::min(shape[axis], n);
            const auto window = [=](Index index) {
                std::vector<Place> places;
                for (; places.size() <= n; ++index[axis]) places.push_back({0, index});
                return places;
            };
            const auto fold = [=](const Numbers& x) { return std::inner_product(x.begin(), x.end(), weights.begin(), 0.0L); };
            spec.cases.push_back({.name = to_string(each.shape) + ", order " + std::to_string(n),
                                  .shapes = {each.shape},
                                  .call = [=](auto v) { return diff(v[0], signed_of(n), each.axis); },
                                  .reference = Definition{shape, window, fold},
                                  .domain = {1, 2}});
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
        cumulative_spec({.name = "cumulative_sum", .documentation = ops::words::cumulative_sum}),
        cumulative_spec({.name = "cumulative_prod", .documentation = ops::words::cumulative_prod}),
        cumulative_spec({.name = "logcumsumexp", .documentation = ops::words::logcumsumexp}),
    };
}

}  // namespace autograd::specs
