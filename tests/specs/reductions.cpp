// The specs of the reductions. The references gather the elements that one result depends on and fold them in a row.
#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/ops/scan.hpp"
#include "autograd/ops/statistics.hpp"
#include "tests/specs/references.hpp"
#include "tests/specs/registry.hpp"

namespace autograd::specs {
namespace {

using Group = std::vector<double>;

/// Which of x's axes are summed over, and what shape is left.
struct Folding {
    std::vector<bool> reduced;
    Shape result;
};

/// The place in the result, in row-major order, of each element of an array.
std::vector<std::size_t> places(const Shape& shape, const std::vector<bool>& reduced) {
    std::vector<std::size_t> result(element_count(shape));
    for (std::size_t i = 0; i < result.size(); ++i) {
        std::size_t rest = i, stride = 1;
        for (std::size_t axis = shape.size(); axis-- > 0; rest /= shape[axis]) {
            if (reduced[axis]) continue;
            result[i] += rest % shape[axis] * stride;
            stride *= shape[axis];
        }
    }
    return result;
}

using OfGroup = std::function<double(const Group&)>;

Array<double> fold(const Array<double>& x, const Folding& folding, const OfGroup& of_group) {
    std::vector<Group> groups(element_count(folding.result));
    const auto place = places(x.shape(), folding.reduced);
    for (std::size_t i = 0; i < x.size(); ++i) groups[place[i]].push_back(x.data()[i]);
    auto out = empty<double>(folding.result);
    std::transform(groups.begin(), groups.end(), out.data(), of_group);
    return out;
}

double sum_of(const Group& group) {
    double total = 0;
    for (const double each : group) total += each;
    return total;
}

struct ReductionCase {
    const char* name;
    Shape shape;
    Axes axes;
    KeepDims keepdims;
    Folding folding;
};

std::vector<ReductionCase> reduction_cases(bool of_nothing) {
    constexpr auto no = KeepDims::no, yes = KeepDims::yes;
    std::vector<ReductionCase> cases{
        {"(2, 3), all", {2, 3}, {}, no, {{true, true}, {}}},
        {"(2, 3), all, kept", {2, 3}, {}, yes, {{true, true}, {1, 1}}},
        {"(2, 3), axis 0", {2, 3}, 0, no, {{true, false}, {3}}},
        {"(2, 3), axis 1", {2, 3}, 1, no, {{false, true}, {2}}},
        {"(2, 3), axis -1, kept", {2, 3}, -1, yes, {{false, true}, {2, 1}}},
        {"(3, 17), axis 0, kept", {3, 17}, 0, yes, {{true, false}, {1, 17}}},
        {"(5, 33), axis 1", {5, 33}, 1, no, {{false, true}, {5}}},
        {"(2, 3, 4), axis 1", {2, 3, 4}, 1, no, {{false, true, false}, {2, 4}}},
        {"(2, 3, 4), axes 2 and 0", {2, 3, 4}, {2, 0}, no, {{true, false, true}, {3}}},
        {"(2, 3, 9), axes 1 and 2, kept", {2, 3, 9}, {1, 2}, yes, {{false, true, true}, {2, 1, 1}}},
        {"(), all", {}, {}, no, {{}, {}}},
        {"(1,), axis 0", {1}, 0, no, {{true}, {}}},
        {"(700,), all", {700}, {}, no, {{true}, {}}},
        {"(0, 3), axis 1", {0, 3}, 1, no, {{false, true}, {0}}},
    };
    if (of_nothing) {
        cases.push_back({"(0,), all", {0}, {}, no, {{true}, {}}});
        cases.push_back({"(0, 3), axis 0", {0, 3}, 0, no, {{true, false}, {3}}});
        cases.push_back({"(2, 0), axis 1, kept", {2, 0}, 1, yes, {{false, true}, {2, 1}}});
    }
    return cases;
}

/// `op` is called as the public function of that name.
template <class Op>
OpSpec reduction_spec(OpSpec spec, Op op, const OfGroup& of_group, bool of_nothing, OpDomain domain = {}) {
    const std::string name = spec.name;
    for (const ReductionCase& each : reduction_cases(of_nothing)) {
        spec.cases.push_back(
            {.name = each.name,
             .shapes = {each.shape},
             .call = [op, axes = each.axes, keep = each.keepdims](auto v) { return op(v[0], axes, keep); },
             .reference = [of_group, folding = each.folding](Arrays x) { return fold(x[0], folding, of_group); },
             .domain = domain});
    }
    spec.misuses = {
        {{{2, 3}}, [op](auto v) { return op(v[0], 2, KeepDims::no); }, {name, "axis 2", "rank 2"}},
        {{{2, 3}}, [op](auto v) { return op(v[0], -3, KeepDims::no); }, {name, "axis -3", "rank 2"}},
        {{{2, 3}},
         [op](auto v) {
             return op(v[0], {0, -2}, KeepDims::no);
         },
         {name, "axis -2", "twice"}},
        {{{}}, [op](auto v) { return op(v[0], 0, KeepDims::no); }, {name, "axis 0", "scalar"}},
    };
    return spec;
}

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

bool has_nan(const Group& group) {
    return std::any_of(group.begin(), group.end(), [](double each) { return std::isnan(each); });
}

double largest_of(const Group& group) {
    double largest = -infinity;
    for (const double each : group) largest = each > largest ? each : largest;
    return has_nan(group) ? nan : largest;
}

double smallest_of(const Group& group) {
    double smallest = infinity;
    for (const double each : group) smallest = each < smallest ? each : smallest;
    return has_nan(group) ? nan : smallest;
}

template <class Op>
OpSpec extreme_spec(OpSpec head, Op op, const OfGroup& of_group) {
    OpSpec spec = reduction_spec(std::move(head), op, of_group, false);
    const std::string name = spec.name;
    const auto call = [op](auto v) { return op(v[0], 0, KeepDims::no); };
    spec.misuses.push_back({{{0}}, call, {name, "(0,)", "empty"}});
    spec.misuses.push_back({{{0, 3}}, call, {name, "(0, 3)", "empty"}});
    return spec;
}

/// `op` is called with an axis or without.
template <class Op>
OpSpec arg_spec(OpSpec spec, Op op, double sign) {
    const std::string name = spec.name;
    const OfGroup first = [sign](const Group& group) {
        std::size_t best = 0;
        for (std::size_t i = 1; i < group.size(); ++i) {
            if (std::isnan(group[best])) break;
            if (std::isnan(group[i]) || sign * group[i] > sign * group[best]) best = i;
        }
        return static_cast<double>(best);
    };
    using Axis = std::optional<std::ptrdiff_t>;
    struct Case {
        const char* name;
        Shape shape;
        Axis axis;
        KeepDims keepdims;
        Folding folding;
    };
    constexpr auto no = KeepDims::no, yes = KeepDims::yes;
    for (const Case& each : {Case{"(3, 17), all", {3, 17}, {}, no, {{true, true}, {}}},
                             Case{"(3, 4), all, kept", {3, 4}, {}, yes, {{true, true}, {1, 1}}},
                             Case{"(3, 17), axis 0", {3, 17}, 0, no, {{true, false}, {17}}},
                             Case{"(3, 17), axis -1, kept", {3, 17}, -1, yes, {{false, true}, {3, 1}}},
                             Case{"(2, 5, 3), axis 1", {2, 5, 3}, 1, no, {{false, true, false}, {2, 3}}},
                             Case{"(), all", {}, {}, no, {{}, {}}}, Case{"(1,), axis 0", {1}, 0, no, {{true}, {}}},
                             Case{"(0, 3), axis 1", {0, 3}, 1, no, {{false, true}, {0}}}}) {
        spec.cases.push_back({.name = each.name,
                                .shapes = {each.shape},
                                .call = [=](auto v) { return op(v[0], each.axis, each.keepdims); },
                                .reference = [=](Arrays x) { return fold(x[0], each.folding, first); }});
    }
    const auto call = [op](Axis axis) { return [=](auto v) { return op(v[0], axis, KeepDims::no); }; };
    spec.misuses = {{{{2, 3}}, call(2), {name, "axis 2", "rank 2"}},
                      {{{}}, call(0), {name, "axis 0", "scalar"}},
                      {{{0}}, call({}), {name, "(0,)", "empty"}},
                      {{{2, 0}}, call(1), {name, "(2, 0)", "empty"}}};
    return spec;
}

/// Adds cases to those that all reductions have.
template <class Call>
void add_case(OpSpec& spec, const char* name, const Shape& shape, Call call, const Folding& folding,
              const OfGroup& of_group, OpDomain domain = {}) {
    spec.cases.push_back({.name = name,
                            .shapes = {shape},
                            .call = call,
                            .reference = [=](Arrays x) { return fold(x[0], folding, of_group); },
                            .domain = domain});
}

OpSpec prod_spec() {
    const OfGroup product_of = [](const Group& group) {
        long double total = 1;
        for (const double each : group) total *= each;
        return static_cast<double>(total);
    };
    // In whatever order, n factors make n - 1 roundings. The domain keeps the product of 700 from vanishing in float.
    OpSpec spec = reduction_spec(
        {.name = "prod", .documentation = ops::words::prod, .ulps = 32},
        [](auto x, const Axes& axes, KeepDims keep) { return prod(x, axes, keep); }, product_of, true, {0.5, 1.5});
    add_case(
        spec, "(3, 5), axis 1, of both signs", {3, 5}, [](auto v) { return prod(v[0], 1); }, {{false, true}, {3}},
        product_of);
    add_case(
        spec, "(2, 3, 2), axes 0 and 2, of both signs", {2, 3, 2},
        [](auto v) {
            return prod(v[0], {0, 2});
        },
        {{true, false, true}, {3}}, product_of);
    return spec;
}

/// The sum of squared distances from the mean, divided.
OfGroup variance_of(double correction) {
    return [correction](const Group& group) {
        const double count = static_cast<double>(group.size());
        if (count - correction <= 0) return nan;
        const double mean = sum_of(group) / count;
        double total = 0;
        for (const double each : group) total += (each - mean) * (each - mean);
        return total / (count - correction);
    };
}

OpSpec var_spec() {
    // Positive inputs: with others the variance of their sizes would be no scale for rounding errors.
    OpSpec spec = reduction_spec({.name = "var", .documentation = ops::words::var, .ulps = 8},
                                       [](auto x, const Axes& axes, KeepDims keep) { return var(x, axes, keep); },
                                       variance_of(0), true, {0.5, 2.5});
    add_case(spec, "(4, 9), axis 1, correction 1", {4, 9}, [](auto v) { return var(v[0], 1, KeepDims::no, 1); },
             {{false, true}, {4}}, variance_of(1), {0.5, 2.5});
    add_case(spec, "(3, 4), axis 0, correction 0.5", {3, 4}, [](auto v) { return var(v[0], 0, KeepDims::yes, 0.5); },
             {{true, false}, {1, 4}}, variance_of(0.5), {0.5, 2.5});
    add_case(
        spec, "(2, 3), axis 0, correction 2", {2, 3}, [](auto v) { return var(v[0], 0, KeepDims::no, 2); },
        {{true, false}, {3}}, variance_of(2));
    return spec;
}

OpSpec stddev_spec() {
    const auto root = [](double correction) {
        return [of = variance_of(correction)](const Group& group) { return std::sqrt(of(group)); };
    };
    OpSpec spec = reduction_spec({.name = "stddev", .documentation = ops::words::stddev, .ulps = 8},
                                       [](auto x, const Axes& axes, KeepDims keep) { return stddev(x, axes, keep); },
                                       root(0), true, {0.5, 2.5});
    add_case(spec, "(4, 9), axis 1, correction 1", {4, 9}, [](auto v) { return stddev(v[0], 1, KeepDims::no, 1); },
             {{false, true}, {4}}, root(1), {0.5, 2.5});
    return spec;
}

OpSpec vector_norm_spec() {
    const auto norm = [](double ord) {
        return [ord](const Group& group) {
            long double total = 0;
            for (const long double each : group) total += std::pow(std::fabs(each), static_cast<long double>(ord));
            return static_cast<double>(std::pow(total, 1 / static_cast<long double>(ord)));
        };
    };
    OpSpec spec = reduction_spec(
        {.name = "vector_norm", .documentation = ops::words::vector_norm, .ulps = 8},
        [](auto x, const Axes& axes, KeepDims keep) { return vector_norm(x, axes, keep); }, norm(2), true);
    for (const double ord : {1.0, 3.0, 2.5, 0.5}) {
        const auto call = [ord](const Axes& axes, KeepDims keep) {
            return [=](auto v) { return vector_norm(v[0], axes, keep, ord); };
        };
        const OpDomain domain = ord < 2 ? OpDomain{0.3, 2} : OpDomain{};
        add_case(spec, "(3, 5), axis 1, other ord", {3, 5}, call(1, KeepDims::no), {{false, true}, {3}}, norm(ord),
                 domain);
        add_case(spec, "(2, 3, 4), axes 0 and -1, kept, other ord", {2, 3, 4}, call({0, -1}, KeepDims::yes),
                 {{true, false, true}, {1, 3, 1}}, norm(ord), domain);
    }
    add_case(
        spec, "(3, 5), axis 0, infinity", {3, 5}, [](auto v) { return vector_norm(v[0], 0, KeepDims::no, infinity); },
        {{true, false}, {5}},
        [](const Group& group) {
            Group sizes;
            for (const double each : group) sizes.push_back(std::fabs(each));
            return largest_of(sizes);
        });
    spec.misuses.push_back(
        {{{3}}, [](auto v) { return vector_norm(v[0], {}, KeepDims::no, 0); }, {"vector_norm", "ord", "0"}});
    spec.misuses.push_back(
        {{{3}}, [](auto v) { return vector_norm(v[0], {}, KeepDims::no, nan); }, {"vector_norm", "ord", "nan"}});
    return spec;
}

/// The number of elements which are not 0, as the case's inputs are after rounding: so some are.
template <class Op>
OpSpec count_spec(OpSpec head, Op op, const OfGroup& of_count) {
    // Of numbers that are 0 where they are negative: a random one hardly ever is.
    return reduction_spec(
        std::move(head),
        [op](auto x, const Axes& axes, KeepDims keep) { return op(x * (x > 0), axes, keep); },
        [of_count](const Group& group) {
            Group part;
            for (const double each : group) part.push_back(each > 0 ? 1 : 0);
            return of_count(part);
        },
        true);
}

OpSpec sum_to_spec() {
    OpSpec spec{.name = "sum_to", .documentation = ops::words::sum_to};
    const auto call = [](const Shape& to) { return [to](auto v) { return sum_to(v[0], to); }; };
    struct Case {
        Shape from, to;
        std::vector<bool> reduced;
    };
    for (const Case& each : {Case{{2, 3}, {3}, {true, false}}, Case{{2, 3}, {2, 1}, {false, true}},
                             Case{{2, 3}, {1, 1}, {true, true}}, Case{{2, 3}, {}, {true, true}},
                             Case{{2, 3}, {2, 3}, {false, false}}, Case{{4, 3, 9}, {3, 1}, {true, false, true}},
                             Case{{3, 2, 17}, {1, 2, 1}, {true, false, true}}, Case{{0, 3}, {3}, {true, false}}}) {
        spec.cases.push_back({.name = to_string(each.from) + " to " + to_string(each.to),
                                .shapes = {each.from},
                                .call = call(each.to),
                                .reference = [folding = Folding{each.reduced, each.to}](Arrays x) {
                                    return fold(x[0], folding, sum_of);
                                }});
    }
    spec.misuses = {{{{2, 3}}, call({2}), {"sum_to", "(2,)", "(2, 3)"}},
                      {{{3}}, call({2, 3}), {"sum_to", "(2, 3)", "(3,)"}}};
    return spec;
}

OpSpec broadcast_to_spec() {
    OpSpec spec{.name = "broadcast_to", .documentation = ops::words::broadcast_to, .ulps = 0};
    const auto call = [](const Shape& to) { return [to](auto v) { return broadcast_to(v[0], to); }; };
    struct Case {
        Shape from, to;
        std::vector<bool> repeated;  // per axis of `to`
    };
    for (const Case& each :
         {Case{{3}, {2, 3}, {true, false}}, Case{{2, 1}, {2, 3}, {false, true}}, Case{{}, {2, 3}, {true, true}},
          Case{{1}, {17}, {true}}, Case{{2, 3}, {2, 3}, {false, false}}, Case{{3, 1}, {4, 3, 9}, {true, false, true}},
          Case{{1, 2, 1}, {3, 2, 33}, {true, false, true}}, Case{{3}, {0, 3}, {true, false}}, Case{{1}, {0}, {true}}}) {
        spec.cases.push_back({.name = to_string(each.from) + " to " + to_string(each.to),
                                .shapes = {each.from},
                                .call = call(each.to),
                                .reference = [to = each.to, repeated = each.repeated](Arrays x) {
                                    auto out = empty<double>(to);
                                    const auto place = places(to, repeated);
                                    for (std::size_t i = 0; i < place.size(); ++i)
                                        out.data()[i] = x[0].data()[place[i]];
                                    return out;
                                }});
    }
    spec.misuses = {{{{2}}, call({2, 3}), {"broadcast_to", "(2,)", "(2, 3)"}},
                      {{{2, 3}}, call({3}), {"broadcast_to", "(2, 3)", "(3,)"}}};
    return spec;
}

}  // namespace

std::vector<OpSpec> reductions_specs() {
    return {
        reduction_spec(
            {.name = "sum", .documentation = ops::words::sum},
            [](auto x, const Axes& axes, KeepDims keep) { return sum(x, axes, keep); }, sum_of, true),
        reduction_spec(
            {.name = "mean", .documentation = ops::words::mean},
            [](auto x, const Axes& axes, KeepDims keep) { return mean(x, axes, keep); },
            [](const Group& group) { return sum_of(group) / static_cast<double>(group.size()); }, true),
        extreme_spec(
            {.name = "max", .documentation = ops::words::max, .ulps = 0.5},
            [](auto x, const Axes& axes, KeepDims keep) { return max(x, axes, keep); }, largest_of),
        extreme_spec(
            {.name = "min", .documentation = ops::words::min, .ulps = 0.5},
            [](auto x, const Axes& axes, KeepDims keep) { return min(x, axes, keep); }, smallest_of),
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
            [](const Group& group) { return sum_of(group) > 0 ? 1.0 : 0.0; }),
        count_spec(
            {.name = "all", .documentation = ops::words::all, .ulps = 0},
            [](auto x, const Axes& axes, KeepDims keep) { return all(x, axes, keep); },
            [](const Group& group) { return sum_of(group) == static_cast<double>(group.size()) ? 1.0 : 0.0; }),
        reduction_spec(
            {.name = "logsumexp", .documentation = ops::words::logsumexp},
            [](auto x, const Axes& axes, KeepDims keep) { return logsumexp(x, axes, keep); },
            [](const Group& group) {
                double total = 0;
                for (const double each : group) total += std::exp(each);
                return std::log(total);
            },
            true),
        spec_of(ops::share_of_sum,
                {.domain = {{{-2, 2}, {-2, 2}, {1, 1}, {2, 2}}},
                 .reference = [](const double* x) {
                     if (x[1] == infinity) return x[2] / x[3];
                     return std::exp(x[1] == -infinity ? x[0] : x[0] - x[1]);
                 },
                 .ulps = 8}),
        sum_to_spec(),
        broadcast_to_spec(),
    };
}

}  // namespace autograd::specs
