// The specs of the reductions. The references gather the elements that one result depends on and fold them in a row.
#include "autograd/ops/reductions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/ops/scan.hpp"
#include "autograd/ops/statistics.hpp"
#include "tests/specs/instances.hpp"
#include "tests/specs/registry.hpp"

namespace autograd::specs {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

/// Folds the elements that share their index along the axes which are not reduced, in row-major order.
Definition folded(const Shape& shape, const std::vector<bool>& reduced, KeepDims keepdims, Fold fold) {
    const bool keep = keepdims == KeepDims::yes;
    Shape result;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        if (!reduced[axis] || keep) result.push_back(reduced[axis] ? 1 : shape[axis]);
    }
    const auto places = [=](const Index& index) {
        Index kept(shape.size(), 0);
        for (std::size_t axis = 0, next = 0; axis < shape.size(); ++axis) {
            if (!reduced[axis]) kept[axis] = index[next];
            if (!reduced[axis] || keep) ++next;
        }
        return group_of(kept, shape, reduced);
    };
    return {.shape = result, .places = places, .fold = std::move(fold)};
}

/// Which axes of `whole` an array of shape `part` has not or with extent 1.
std::vector<bool> repeated(const Shape& part, const Shape& whole) {
    std::vector<bool> result(whole.size(), true);
    for (std::size_t back = 1; back <= part.size(); ++back) result[whole.size() - back] = part[part.size() - back] == 1;
    return result;
}

/// `op` is called as the public function of that name.
template <class Op>
Folding folding(const char* name, Op op, Fold fold, bool of_nothing = true, bool exact = false) {
    const auto call = [op](const Axes& axes, KeepDims keep) { return OpCall([=](auto v) { return op(v[0], axes, keep); }); };
    return {.name = name, .call = call, .fold = std::move(fold), .exact = exact, .of_nothing = of_nothing};
}

long double mean_of(const Numbers& numbers) { return sum_of(numbers) / static_cast<long double>(numbers.size()); }

/// NaN if there is one.
long double smallest_of(const Numbers& numbers) {
    long double smallest = static_cast<long double>(infinity);
    for (const long double each : numbers) smallest = each < smallest || std::isnan(each) ? each : smallest;
    return smallest;
}

}  // namespace

const std::vector<Folding>& foldings() {
    static const std::vector<Folding> all{
        folding(
            "sum", [](auto x, const Axes& a, KeepDims k) { return sum(x, a, k); }, sum_of),
        folding(
            "mean", [](auto x, const Axes& a, KeepDims k) { return mean(x, a, k); }, mean_of),
        folding(
            "max", [](auto x, const Axes& a, KeepDims k) { return max(x, a, k); }, largest_of, false, true),
        folding(
            "min", [](auto x, const Axes& a, KeepDims k) { return min(x, a, k); }, smallest_of, false, true),
        folding(
            "prod", [](auto x, const Axes& a, KeepDims k) { return prod(x, a, k); }, product_of),
        folding(
            "logsumexp", [](auto x, const Axes& a, KeepDims k) { return logsumexp(x, a, k); }, logsumexp_of),
    };
    return all;
}

Instance folding_of(const Folding& op, const Shape& shape, const Axes& axes, KeepDims keepdims) {
    Definition definition = folded(shape, named(axes, shape.size()), keepdims, op.fold);
    definition.exact = op.exact;
    return {.text = std::string(op.name) + "(x, " + text_of(axes) + (keepdims == KeepDims::yes ? ", kept)" : ")"),
            .shapes = {shape},
            .call = op.call(axes, keepdims),
            .definition = std::move(definition)};
}

Instance broadcast_to_of(const Shape& from, const Shape& to) {
    return {.text = "broadcast_to(x, " + to_string(to) + ")",
            .shapes = {from},
            .call = [=](auto v) { return broadcast_to(v[0], to); },
            .definition = moved(to, [=](const Index& index) { return broadcast_source(index, from); })};
}

namespace {

const Folding& folding_named(std::string_view name) { return *std::ranges::find(foldings(), name, &Folding::name); }

struct ReductionCase {
    const char* name;
    Shape shape;
    Axes axes;
    KeepDims keepdims;
};

std::vector<ReductionCase> reduction_cases(bool of_nothing) {
    constexpr auto no = KeepDims::no, yes = KeepDims::yes;
    std::vector<ReductionCase> cases{
        {"(2, 3), all", {2, 3}, {}, no},
        {"(2, 3), all, kept", {2, 3}, {}, yes},
        {"(2, 3), axis 0", {2, 3}, 0, no},
        {"(2, 3), axis 1", {2, 3}, 1, no},
        {"(2, 3), axis -1, kept", {2, 3}, -1, yes},
        {"(3, 17), axis 0, kept", {3, 17}, 0, yes},
        {"(5, 33), axis 1", {5, 33}, 1, no},
        {"(2, 3, 4), axis 1", {2, 3, 4}, 1, no},
        {"(2, 3, 4), axes 2 and 0", {2, 3, 4}, {2, 0}, no},
        {"(2, 3, 9), axes 1 and 2, kept", {2, 3, 9}, {1, 2}, yes},
        {"(), all", {}, {}, no},
        {"(1,), axis 0", {1}, 0, no},
        {"(700,), all", {700}, {}, no},
        {"(0, 3), axis 1", {0, 3}, 1, no},
    };
    if (of_nothing) {
        cases.push_back({"(0,), all", {0}, {}, no});
        cases.push_back({"(0, 3), axis 0", {0, 3}, 0, no});
        cases.push_back({"(2, 0), axis 1, kept", {2, 0}, 1, yes});
    }
    return cases;
}

OpSpec reduction_spec(OpSpec spec, const Folding& op, OpDomain domain = {}) {
    const std::string name = spec.name;
    for (const ReductionCase& each : reduction_cases(op.of_nothing)) {
        spec.cases.push_back(chosen(each.name, folding_of(op, each.shape, each.axes, each.keepdims), domain));
    }
    spec.misuses = {{{{2, 3}}, op.call(2, KeepDims::no), {name, "axis 2", "rank 2"}},
                    {{{2, 3}}, op.call(-3, KeepDims::no), {name, "axis -3", "rank 2"}},
                    {{{2, 3}}, op.call({0, -2}, KeepDims::no), {name, "axis -2", "twice"}},
                    {{{}}, op.call(0, KeepDims::no), {name, "axis 0", "scalar"}}};
    return spec;
}

OpSpec extreme_spec(OpSpec head) {
    const Folding& op = folding_named(head.name);
    OpSpec spec = reduction_spec(std::move(head), op);
    const std::string name = spec.name;
    spec.misuses.push_back({{{0}}, op.call(0, KeepDims::no), {name, "(0,)", "empty"}});
    spec.misuses.push_back({{{0, 3}}, op.call(0, KeepDims::no), {name, "(0, 3)", "empty"}});
    return spec;
}

/// `op` is called with an axis or without.
template <class Op>
OpSpec arg_spec(OpSpec spec, Op op, double sign) {
    const std::string name = spec.name;
    const Fold first = [sign](const Numbers& numbers) {
        std::size_t best = 0;
        for (std::size_t i = 1; i < numbers.size(); ++i) {
            if (std::isnan(numbers[best])) break;
            if (std::isnan(numbers[i]) || sign * numbers[i] > sign * numbers[best]) best = i;
        }
        return static_cast<long double>(best);
    };
    using Axis = std::optional<std::ptrdiff_t>;
    struct Case {
        const char* name;
        Shape shape;
        Axis axis;
        KeepDims keepdims;
    };
    constexpr auto no = KeepDims::no, yes = KeepDims::yes;
    for (const Case& each : {Case{"(3, 17), all", {3, 17}, {}, no}, Case{"(3, 4), all, kept", {3, 4}, {}, yes},
                             Case{"(3, 17), axis 0", {3, 17}, 0, no}, Case{"(3, 17), axis -1, kept", {3, 17}, -1, yes},
                             Case{"(2, 5, 3), axis 1", {2, 5, 3}, 1, no}, Case{"(), all", {}, {}, no},
                             Case{"(1,), axis 0", {1}, 0, no}, Case{"(0, 3), axis 1", {0, 3}, 1, no}}) {
        const std::vector<bool> reduced = named(each.axis ? Axes(*each.axis) : Axes(), each.shape.size());
        spec.cases.push_back({.name = each.name,
                              .shapes = {each.shape},
                              .call = [=](auto v) { return op(v[0], each.axis, each.keepdims); },
                              .reference = folded(each.shape, reduced, each.keepdims, first)});
    }
    const auto call = [op](Axis axis) { return [=](auto v) { return op(v[0], axis, KeepDims::no); }; };
    spec.misuses = {{{{2, 3}}, call(2), {name, "axis 2", "rank 2"}},
                    {{{}}, call(0), {name, "axis 0", "scalar"}},
                    {{{0}}, call({}), {name, "(0,)", "empty"}},
                    {{{2, 0}}, call(1), {name, "(2, 0)", "empty"}}};
    return spec;
}

OpSpec prod_spec() {
    const Folding& op = folding_named("prod");
    // In whatever order, n factors make n - 1 roundings. The domain keeps the product of 700 from vanishing in float.
    OpSpec spec = reduction_spec({.name = "prod", .documentation = ops::words::prod, .ulps = 32}, op, {0.5, 1.5});
    spec.cases.push_back(chosen("(3, 5), axis 1, of both signs", folding_of(op, {3, 5}, 1, KeepDims::no)));
    spec.cases.push_back(chosen("(2, 3, 2), axes 0 and 2, of both signs", folding_of(op, {2, 3, 2}, {0, 2}, KeepDims::no)));
    return spec;
}

/// The sum of squared distances from the mean, divided.
Fold variance_of(double correction) {
    return [correction](const Numbers& numbers) {
        const long double count = static_cast<long double>(numbers.size()) - static_cast<long double>(correction);
        if (count <= 0) return static_cast<long double>(nan);
        const long double mean = mean_of(numbers);
        long double total = 0;
        for (const long double each : numbers) total += (each - mean) * (each - mean);
        return total / count;
    };
}
Folding var_folding(double correction) {
    return folding(
        "var", [=](auto x, const Axes& axes, KeepDims keep) { return var(x, axes, keep, correction); },
        variance_of(correction));
}
Folding stddev_folding(double correction) {
    return folding(
        "stddev", [=](auto x, const Axes& axes, KeepDims keep) { return stddev(x, axes, keep, correction); },
        [of = variance_of(correction)](const Numbers& numbers) { return std::sqrt(of(numbers)); });
}

OpSpec var_spec() {
    // Positive inputs: with others the variance of their sizes would be no scale for rounding errors.
    OpSpec spec = reduction_spec({.name = "var", .documentation = ops::words::var, .ulps = 8}, var_folding(0), {0.5, 2.5});
    spec.cases.push_back(
        chosen("(4, 9), axis 1, correction 1", folding_of(var_folding(1), {4, 9}, 1, KeepDims::no), {0.5, 2.5}));
    spec.cases.push_back(
        chosen("(3, 4), axis 0, correction 0.5", folding_of(var_folding(0.5), {3, 4}, 0, KeepDims::yes), {0.5, 2.5}));
    spec.cases.push_back(chosen("(2, 3), axis 0, correction 2", folding_of(var_folding(2), {2, 3}, 0, KeepDims::no)));
    return spec;
}

OpSpec stddev_spec() {
    OpSpec spec =
        reduction_spec({.name = "stddev", .documentation = ops::words::stddev, .ulps = 8}, stddev_folding(0), {0.5, 2.5});
    spec.cases.push_back(
        chosen("(4, 9), axis 1, correction 1", folding_of(stddev_folding(1), {4, 9}, 1, KeepDims::no), {0.5, 2.5}));
    return spec;
}

Folding vector_norm_folding(double ord) {
    return folding(
        "vector_norm", [=](auto x, const Axes& axes, KeepDims keep) { return vector_norm(x, axes, keep, ord); },
        [ord](Numbers sizes) {
            for (long double& each : sizes) each = std::fabs(each);
            if (std::isinf(ord)) return largest_of(sizes);
            const auto power = static_cast<long double>(ord);
            for (long double& each : sizes) each = std::pow(each, power);
            return std::pow(sum_of(sizes), 1 / power);
        });
}

OpSpec vector_norm_spec() {
    OpSpec spec =
        reduction_spec({.name = "vector_norm", .documentation = ops::words::vector_norm, .ulps = 8}, vector_norm_folding(2));
    for (const double ord : {1.0, 3.0, 2.5, 0.5}) {
        const Folding op = vector_norm_folding(ord);
        const OpDomain domain = ord < 2 ? OpDomain{0.3, 2} : OpDomain{};
        spec.cases.push_back(chosen("(3, 5), axis 1, other ord", folding_of(op, {3, 5}, 1, KeepDims::no), domain));
        spec.cases.push_back(
            chosen("(2, 3, 4), axes 0 and -1, kept, other ord", folding_of(op, {2, 3, 4}, {0, -1}, KeepDims::yes), domain));
    }
    spec.cases.push_back(
        chosen("(3, 5), axis 0, infinity", folding_of(vector_norm_folding(infinity), {3, 5}, 0, KeepDims::no)));
    spec.misuses.push_back({{{3}}, [](auto v) { return vector_norm(v[0], {}, KeepDims::no, 0); }, {"vector_norm", "ord", "0"}});
    spec.misuses.push_back(
        {{{3}}, [](auto v) { return vector_norm(v[0], {}, KeepDims::no, nan); }, {"vector_norm", "ord", "nan"}});
    return spec;
}

/// The number of elements which are not 0, as the case's inputs are after rounding: so some are.
template <class Op>
OpSpec count_spec(OpSpec head, Op op, Fold of_count) {
    // Of numbers that are 0 where they are negative: a random one hardly ever is.
    const auto of_positive = [op](auto x, const Axes& axes, KeepDims keep) { return op(x * (x > 0), axes, keep); };
    const auto fold = [of_count](Numbers numbers) {
        for (long double& each : numbers) each = each > 0 ? 1 : 0;
        return of_count(numbers);
    };
    const Folding counted = folding("", of_positive, fold);
    return reduction_spec(std::move(head), counted);
}

OpSpec sum_to_spec() {
    OpSpec spec{.name = "sum_to", .documentation = ops::words::sum_to};
    const auto call = [](const Shape& to) { return [to](auto v) { return sum_to(v[0], to); }; };
    for (const auto& [from, to] : {std::array<Shape, 2>{Shape{2, 3}, {3}},
                                   {Shape{2, 3}, {2, 1}},
                                   {Shape{2, 3}, {1, 1}},
                                   {Shape{2, 3}, {}},
                                   {Shape{2, 3}, {2, 3}},
                                   {Shape{4, 3, 9}, {3, 1}},
                                   {Shape{3, 2, 17}, {1, 2, 1}},
                                   {Shape{0, 3}, {3}}}) {
        Definition definition = folded(from, repeated(to, from), KeepDims::yes, sum_of);
        definition.places = [missing = from.size() - to.size(), kept = definition.places](const Index& index) {
            Index whole(missing, 0);
            whole.insert(whole.end(), index.begin(), index.end());
            return kept(whole);
        };
        definition.shape = to;
        spec.cases.push_back(
            {.name = to_string(from) + " to " + to_string(to), .shapes = {from}, .call = call(to), .reference = definition});
    }
    spec.misuses = {{{{2, 3}}, call({2}), {"sum_to", "(2,)", "(2, 3)"}}, {{{3}}, call({2, 3}), {"sum_to", "(2, 3)", "(3,)"}}};
    return spec;
}

OpSpec broadcast_to_spec() {
    OpSpec spec{.name = "broadcast_to", .documentation = ops::words::broadcast_to, .ulps = 0};
    const auto call = [](const Shape& to) { return [to](auto v) { return broadcast_to(v[0], to); }; };
    for (const auto& [from, to] : {std::array<Shape, 2>{Shape{3}, {2, 3}},
                                   {Shape{2, 1}, {2, 3}},
                                   {Shape{}, {2, 3}},
                                   {Shape{1}, {17}},
                                   {Shape{2, 3}, {2, 3}},
                                   {Shape{3, 1}, {4, 3, 9}},
                                   {Shape{1, 2, 1}, {3, 2, 33}},
                                   {Shape{3}, {0, 3}},
                                   {Shape{1}, {0}}}) {
        spec.cases.push_back(chosen(to_string(from) + " to " + to_string(to), broadcast_to_of(from, to)));
    }
    spec.misuses = {{{{2}}, call({2, 3}), {"broadcast_to", "(2,)", "(2, 3)"}},
                    {{{2, 3}}, call({3}), {"broadcast_to", "(2, 3)", "(3,)"}}};
    return spec;
}

}  // namespace

std::vector<OpSpec> reductions_specs() {
    return {
        reduction_spec({.name = "sum", .documentation = ops::words::sum}, folding_named("sum")),
        reduction_spec({.name = "mean", .documentation = ops::words::mean}, folding_named("mean")),
        extreme_spec({.name = "max", .documentation = ops::words::max, .ulps = 0.5}),
        extreme_spec({.name = "min", .documentation = ops::words::min, .ulps = 0.5}),
        arg_spec(
            {.name = "argmax", .documentation = ops::words::argmax, .ulps = 0},
            [](auto x, auto... how) { return argmax(x, how...); }, 1),
        arg_spec(
            {.name = "argmin", .documentation = ops::words::argmin, .ulps = 0},
            [](auto x, auto... how) { return argmin(x, how...); }, -1),
        prod_spec(),
        var_spec(),
        stddev_spec(),
        vector_norm_spec(),
        count_spec(
            {.name = "count_nonzero", .documentation = ops::words::count_nonzero, .ulps = 0},
            [](auto x, const Axes& axes, KeepDims keep) { return count_nonzero(x, axes, keep); }, sum_of),
        count_spec(
            {.name = "any", .documentation = ops::words::any, .ulps = 0},
            [](auto x, const Axes& axes, KeepDims keep) { return any(x, axes, keep); },
            [](const Numbers& numbers) { return sum_of(numbers) > 0 ? 1 : 0; }),
        count_spec(
            {.name = "all", .documentation = ops::words::all, .ulps = 0},
            [](auto x, const Axes& axes, KeepDims keep) { return all(x, axes, keep); },
            [](const Numbers& numbers) { return sum_of(numbers) == static_cast<long double>(numbers.size()) ? 1 : 0; }),
        reduction_spec({.name = "logsumexp", .documentation = ops::words::logsumexp}, folding_named("logsumexp")),
        spec_of(ops::share_of_sum, {.domain = {{{-2, 2}, {-2, 2}, {1, 1}, {2, 2}}},
                                    .reference =
                                        [](const double* x) {
                                            if (x[1] == infinity) return x[2] / x[3];
                                            return std::exp(x[1] == -infinity ? x[0] : x[0] - x[1]);
                                        },
                                    .ulps = 8}),
        sum_to_spec(),
        broadcast_to_spec(),
    };
}

}  // namespace autograd::specs
