// The records of the reductions. The references gather the elements that one result depends on and fold them in a row.
#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/ops/reductions.hpp"
#include "autograd/registry.hpp"

namespace autograd::detail {
namespace {

using Arrays = std::span<const Array<double>>;
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

Array<double> fold(const Array<double>& x, const Folding& folding, double (*of_group)(const Group&)) {
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
OpRecord reduction_record(const char* name, const Documentation& documentation, Op op, double (*of_group)(const Group&),
                          bool of_nothing) {
    OpRecord record{.name = name, .documentation = documentation};
    for (const ReductionCase& each : reduction_cases(of_nothing)) {
        record.cases.push_back(
            {.name = each.name,
             .shapes = {each.shape},
             .call = [op, axes = each.axes, keep = each.keepdims](auto v) { return op(v[0], axes, keep); },
             .reference = [of_group, folding = each.folding](Arrays x) { return fold(x[0], folding, of_group); }});
    }
    record.misuses = {
        {{{2, 3}}, [op](auto v) { return op(v[0], 2, KeepDims::no); }, {name, "axis 2", "rank 2"}},
        {{{2, 3}}, [op](auto v) { return op(v[0], -3, KeepDims::no); }, {name, "axis -3", "rank 2"}},
        {{{2, 3}},
         [op](auto v) {
             return op(v[0], {0, -2}, KeepDims::no);
         },
         {name, "axis -2", "twice"}},
        {{{}}, [op](auto v) { return op(v[0], 0, KeepDims::no); }, {name, "axis 0", "scalar"}},
    };
    return record;
}

OpRecord max_record() {
    OpRecord record = reduction_record(
        "max",
        {.formula = "the largest element",
         .gradient = "g to the largest",
         .kinks = "elements which share the maximum share g equally",
         .ulps = 0.5},
        [](auto x, const Axes& axes, KeepDims keep) { return max(x, axes, keep); },
        [](const Group& group) {
            double largest = -std::numeric_limits<double>::infinity();
            for (const double each : group) largest = each > largest || std::isnan(each) ? each : largest;
            return std::any_of(group.begin(), group.end(), [](double each) { return std::isnan(each); })
                       ? std::numeric_limits<double>::quiet_NaN()
                       : largest;
        },
        false);
    const auto call = [](auto v) { return max(v[0], 0); };
    record.misuses.push_back({{{0}}, call, {"max", "(0,)", "empty"}});
    record.misuses.push_back({{{0, 3}}, call, {"max", "(0, 3)", "empty"}});
    return record;
}

OpRecord sum_to_record() {
    OpRecord record{.name = "sum_to",
                    .documentation = {.formula = "x summed over the axes that broadcasting would repeat",
                                      .gradient = "g, repeated"}};
    const auto call = [](const Shape& to) { return [to](auto v) { return sum_to(v[0], to); }; };
    struct Case {
        Shape from, to;
        std::vector<bool> reduced;
    };
    for (const Case& each : {Case{{2, 3}, {3}, {true, false}}, Case{{2, 3}, {2, 1}, {false, true}},
                             Case{{2, 3}, {1, 1}, {true, true}}, Case{{2, 3}, {}, {true, true}},
                             Case{{2, 3}, {2, 3}, {false, false}}, Case{{4, 3, 9}, {3, 1}, {true, false, true}},
                             Case{{3, 2, 17}, {1, 2, 1}, {true, false, true}}, Case{{0, 3}, {3}, {true, false}}}) {
        record.cases.push_back({.name = to_string(each.from) + " to " + to_string(each.to),
                                .shapes = {each.from},
                                .call = call(each.to),
                                .reference = [folding = Folding{each.reduced, each.to}](Arrays x) {
                                    return fold(x[0], folding, sum_of);
                                }});
    }
    record.misuses = {{{{2, 3}}, call({2}), {"sum_to", "(2,)", "(2, 3)"}},
                      {{{3}}, call({2, 3}), {"sum_to", "(2, 3)", "(3,)"}}};
    return record;
}

OpRecord broadcast_to_record() {
    OpRecord record{
        .name = "broadcast_to",
        .documentation = {
            .formula = "x repeated along new axes and those of extent 1", .gradient = "g summed over them", .ulps = 0}};
    const auto call = [](const Shape& to) { return [to](auto v) { return broadcast_to(v[0], to); }; };
    struct Case {
        Shape from, to;
        std::vector<bool> repeated;  // per axis of `to`
    };
    for (const Case& each :
         {Case{{3}, {2, 3}, {true, false}}, Case{{2, 1}, {2, 3}, {false, true}}, Case{{}, {2, 3}, {true, true}},
          Case{{1}, {17}, {true}}, Case{{2, 3}, {2, 3}, {false, false}}, Case{{3, 1}, {4, 3, 9}, {true, false, true}},
          Case{{1, 2, 1}, {3, 2, 33}, {true, false, true}}, Case{{3}, {0, 3}, {true, false}}, Case{{1}, {0}, {true}}}) {
        record.cases.push_back({.name = to_string(each.from) + " to " + to_string(each.to),
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
    record.misuses = {{{{2}}, call({2, 3}), {"broadcast_to", "(2,)", "(2, 3)"}},
                      {{{2, 3}}, call({3}), {"broadcast_to", "(2, 3)", "(3,)"}}};
    return record;
}

}  // namespace

std::vector<OpRecord> reductions_records() {
    return {
        reduction_record(
            "sum", {.formula = "the sum over axes", .gradient = "g, repeated"},
            [](auto x, const Axes& axes, KeepDims keep) { return sum(x, axes, keep); }, sum_of, true),
        reduction_record(
            "mean", {.formula = "the sum over axes, divided by its number of terms", .gradient = "g / n, repeated"},
            [](auto x, const Axes& axes, KeepDims keep) { return mean(x, axes, keep); },
            [](const Group& group) { return sum_of(group) / static_cast<double>(group.size()); }, true),
        max_record(),
        reduction_record(
            "logsumexp", {.formula = "log(sum(exp(x)))", .gradient = "g exp(x - y)"},
            [](auto x, const Axes& axes, KeepDims keep) { return logsumexp(x, axes, keep); },
            [](const Group& group) {
                double total = 0;
                for (const double each : group) total += std::exp(each);
                return std::log(total);
            },
            true),
        sum_to_record(),
        broadcast_to_record(),
    };
}

}  // namespace autograd::detail
