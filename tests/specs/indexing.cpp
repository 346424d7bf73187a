// The specs of the ops that pick and repeat elements. The references move them one by one.
#include "autograd/ops/indexing.hpp"

#include <limits>

#include "tests/specs/references.hpp"
#include "tests/specs/registry.hpp"

namespace autograd::specs {
namespace {

using Integers = Array<std::ptrdiff_t>;

/// One way to take from (a part of) an array, and where each element of the result comes from.
struct Taking {
    const char* name;
    Shape shape;
    std::ptrdiff_t axis;
    Indices indices;
    Shape result;
    Origin from;
};

std::vector<Taking> takings() {
    return {
        {"elements 2, 0, 2 and -1",
         {4},
         0,
         {2, 0, 2, -1},
         {4},
         [](const Index& i) {
             const std::size_t list[] = {2, 0, 2, 3};
             return Index{list[i[0]]};
         }},
        {"rows 1, 1 and 0",
         {3, 5},
         0,
         std::vector<std::size_t>{1, 1, 0},
         {3, 5},
         [](const Index& i) {
             const std::size_t list[] = {1, 1, 0};
             return Index{list[i[0]], i[1]};
         }},
        {"columns, last axis",
         {3, 5},
         -1,
         {4, -5},
         {3, 2},
         [](const Index& i) {
             return Index{i[0], i[1] == 0 ? std::size_t{4} : std::size_t{0}};
         }},
        {"the middle axis, twice over",
         {2, 3, 2},
         1,
         {2, 0, 1, 2},
         {2, 4, 2},
         [](const Index& i) {
             const std::size_t list[] = {2, 0, 1, 2};
             return Index{i[0], list[i[1]], i[2]};
         }},
        {"a matrix of rows",
         {4, 3},
         0,
         Integers{{3, 0}, {1, 1}},
         {2, 2, 3},
         [](const Index& i) {
             const std::size_t list[] = {3, 0, 1, 1};
             return Index{list[2 * i[0] + i[1]], i[2]};
         }},
        {"one element",
         {4, 3},
         1,
         Integers(2),
         {4},
         [](const Index& i) {
             return Index{i[0], 2};
         }},
        {"nothing", {4, 3}, 0, std::vector<int>{}, {0, 3}, [](const Index& i) { return i; }},
        {"of nothing", {0, 3}, 1, {0, 0}, {0, 2}, [](const Index& i) { return i; }},
    };
}

std::vector<Taking> takings_along() {
    return {
        {"two of each row",
         {3, 4},
         1,
         Integers{{2, 2}, {-1, 0}, {0, 1}},
         {3, 2},
         [](const Index& i) {
             const std::size_t list[3][2] = {{2, 2}, {3, 0}, {0, 1}};
             return Index{i[0], list[i[0]][i[1]]};
         }},
        {"more than there are",
         {2, 3},
         0,
         Integers{{0, 1, 0}, {0, 1, 1}, {1, 1, 0}},
         {3, 3},
         [](const Index& i) {
             const std::size_t list[3][3] = {{0, 1, 0}, {0, 1, 1}, {1, 1, 0}};
             return Index{list[i[0]][i[1]], i[1]};
         }},
        {"the middle axis",
         {2, 3, 2},
         -2,
         Integers{{{0, 2}}, {{1, 1}}},
         {2, 1, 2},
         [](const Index& i) {
             const std::size_t list[2][2] = {{0, 2}, {1, 1}};
             return Index{i[0], list[i[0]][i[2]], i[2]};
         }},
        {"of a vector",
         {5},
         0,
         {4, 4, 1},
         {3},
         [](const Index& i) {
             const std::size_t list[] = {4, 4, 1};
             return Index{list[i[0]]};
         }},
        {"of nothing", {0, 3}, 1, empty<std::ptrdiff_t>({0, 2}), {0, 2}, [](const Index& i) { return i; }},
    };
}

OpSpec take_spec() {
    OpSpec spec{.name = "take", .documentation = ops::words::take, .ulps = 0};
    for (const Taking& each : takings()) {
        spec.cases.push_back({.name = each.name,
                                .shapes = {each.shape},
                                .call = [each](auto v) { return take(v[0], each.indices, each.axis); },
                                .reference = moved(each.result, each.from)});
    }
    const auto call = [](const Indices& indices, std::ptrdiff_t axis) {
        return [=](auto v) { return take(v[0], indices, axis); };
    };
    spec.misuses = {{{{2, 3}}, call({0}, 2), {"take", "axis 2", "rank 2"}},
                      {{{}}, call({0}, 0), {"take", "axis 0", "scalar"}},
                      {{{2, 3}}, call({0, 3}, 1), {"take", "index 3", "axis 1", "(2, 3)"}},
                      {{{2, 3}}, call({-3}, 0), {"take", "index -3", "axis 0", "(2, 3)"}},
                      {{{0}}, call({0}, 0), {"take", "index 0", "(0,)"}},
                      {{{3}}, [](auto v) { return take(v[0], Array<double>{0.5}, 0); }, {"take", "0.5", "not an integer"}},
                      {{{3}},
                       [](auto v) { return take(v[0], std::vector<std::size_t>{1, std::numeric_limits<std::size_t>::max()}, 0); },
                       {"take", "index -1 (number 1", "unsigned"}}};
    return spec;
}

OpSpec untake_spec() {
    OpSpec spec{.name = "untake", .documentation = ops::words::untake};
    for (const Taking& each : takings()) {
        spec.cases.push_back(
            {.name = each.name,
             .shapes = {each.result},
             .call =
                 [each](auto v) { return untake(v[0], each.shape, each.indices, each.axis); },
             .reference = moved_back(each.shape, each.from)});
    }
    return spec;
}

OpSpec take_along_axis_spec() {
    OpSpec spec{.name = "take_along_axis", .documentation = ops::words::take_along_axis, .ulps = 0};
    for (const Taking& each : takings_along()) {
        spec.cases.push_back({.name = each.name,
                                .shapes = {each.shape},
                                .call = [each](auto v) { return take_along_axis(v[0], each.indices, each.axis); },
                                .reference = moved(each.result, each.from)});
    }
    const auto call = [](const Indices& indices, std::ptrdiff_t axis) {
        return [=](auto v) { return take_along_axis(v[0], indices, axis); };
    };
    spec.misuses = {
        {{{2, 3}}, call(Integers{{0, 1, 2}}, 2), {"take_along_axis", "axis 2", "rank 2"}},
        {{{2, 3}}, call(Integers{{0, 1, 2}}, 1), {"take_along_axis", "(1, 3)", "(2, 3)", "axis 1"}},
        {{{2, 3}}, call({0, 1, 1}, 0), {"take_along_axis", "(3,)", "(2, 3)"}},
        {{{2, 3}}, call(Integers{{0, 1, 2}}, 0), {"take_along_axis", "index 2", "axis 0", "(2, 3)"}},
    };
    return spec;
}

OpSpec untake_along_axis_spec() {
    OpSpec spec{.name = "untake_along_axis", .documentation = ops::words::untake_along_axis};
    for (const Taking& each : takings_along()) {
        spec.cases.push_back({.name = each.name,
                                .shapes = {each.result},
                                .call =
                                    [each](auto v) {
                                        return untake_along_axis(v[0], each.shape, each.indices, each.axis);
                                    },
                                .reference = moved_back(each.shape, each.from)});
    }
    return spec;
}

/// `keeps(column - row, k)`: whether the triangle has the element.
template <class Op, class Keeps>
OpSpec triangle_spec(OpSpec spec, Op op, Keeps keeps) {
    const std::string name = spec.name;
    for (const Shape& shape :
         {Shape{3, 3}, Shape{2, 5}, Shape{5, 2}, Shape{2, 3, 4}, Shape{1, 1}, Shape{0, 3}, Shape{3, 0}}) {
        for (const std::ptrdiff_t k : {0, 1, -1, 2, -3, 9, -9}) {
            spec.cases.push_back({.name = to_string(shape) + ", k = " + std::to_string(k),
                                    .shapes = {shape},
                                    .call = [=](auto v) { return op(v[0], k); },
                                    .reference = moved(shape, [=](const Index& i) -> std::optional<Index> {
                                        const auto row = static_cast<std::ptrdiff_t>(i[i.size() - 2]);
                                        const auto column = static_cast<std::ptrdiff_t>(i[i.size() - 1]);
                                        if (!keeps(column - row, k)) return std::nullopt;
                                        return i;
                                    })});
        }
    }
    spec.misuses = {{{{3}}, [op](auto v) { return op(v[0], 0); }, {name, "two axes", "(3,)"}}};
    return spec;
}

OpSpec diagonal_spec() {
    OpSpec spec{.name = "diagonal", .documentation = ops::words::diagonal, .ulps = 0};
    const auto call = [](std::ptrdiff_t offset) { return [=](auto v) { return diagonal(v[0], offset); }; };
    struct Case {
        Shape shape;
        std::ptrdiff_t offset;
        std::size_t count, row, column;
    };
    for (const Case& each :
         {Case{{3, 3}, 0, 3, 0, 0}, Case{{3, 5}, 1, 3, 0, 1}, Case{{3, 5}, 4, 1, 0, 4}, Case{{5, 3}, -1, 3, 1, 0},
          Case{{5, 3}, -4, 1, 4, 0}, Case{{5, 3}, 1, 2, 0, 1}, Case{{2, 3, 4}, 2, 2, 0, 2}, Case{{3, 3}, 3, 0, 0, 0},
          Case{{3, 3}, -7, 0, 0, 0}, Case{{0, 3}, 0, 0, 0, 0}, Case{{1, 1}, 0, 1, 0, 0}}) {
        Shape shape(each.shape.begin(), each.shape.end() - 2);
        shape.push_back(each.count);
        spec.cases.push_back({.name = to_string(each.shape) + ", offset " + std::to_string(each.offset),
                                .shapes = {each.shape},
                                .call = call(each.offset),
                                .reference = moved(shape, [each](const Index& i) {
                                    Index from(i.begin(), i.end() - 1);
                                    from.push_back(each.row + i.back());
                                    from.push_back(each.column + i.back());
                                    return from;
                                })});
    }
    spec.misuses = {{{{3}}, call(0), {"diagonal", "two axes", "(3,)"}}};
    return spec;
}

OpSpec tile_spec() {
    OpSpec spec{.name = "tile", .documentation = ops::words::tile};
    struct Case {
        Shape shape, repetitions, result;
    };
    for (const Case& each :
         {Case{{3}, {2}, {6}}, Case{{2, 3}, {2, 3}, {4, 9}}, Case{{2, 3}, {2}, {2, 6}}, Case{{3}, {2, 1}, {2, 3}},
          Case{{}, {2, 2}, {2, 2}}, Case{{2, 3}, {}, {2, 3}}, Case{{2, 3, 2}, {3, 1, 2}, {6, 3, 4}},
          Case{{2, 3}, {0, 2}, {0, 6}}, Case{{0, 3}, {2, 1}, {0, 3}}}) {
        spec.cases.push_back({.name = to_string(each.shape) + " by " + to_string(each.repetitions),
                                .shapes = {each.shape},
                                .call = [each](auto v) { return tile(v[0], each.repetitions); },
                                .reference = moved(each.result, [each](const Index& i) {
                                    Index from(i.end() - static_cast<std::ptrdiff_t>(each.shape.size()), i.end());
                                    for (std::size_t axis = 0; axis < from.size(); ++axis)
                                        from[axis] %= each.shape[axis];
                                    return from;
                                })});
    }
    return spec;
}

OpSpec repeat_spec() {
    OpSpec spec{.name = "repeat", .documentation = ops::words::repeat};
    const auto call = [](int times, std::ptrdiff_t axis) { return [=](auto v) { return repeat(v[0], times, axis); }; };
    const auto counted = [](const Shape& counts, std::ptrdiff_t axis) {
        return [=](auto v) { return repeat(v[0], counts, axis); };
    };
    spec.cases = {
        {.name = "(3,) twice",
         .shapes = {{3}},
         .call = call(2, 0),
         .reference = moved({6}, [](const Index& i) { return Index{i[0] / 2}; })},
        {.name = "(2, 3) three times, last axis",
         .shapes = {{2, 3}},
         .call = call(3, -1),
         .reference = moved({2, 9},
                            [](const Index& i) {
                                return Index{i[0], i[1] / 3};
                            })},
        {.name = "(2, 3, 2) twice, middle axis",
         .shapes = {{2, 3, 2}},
         .call = call(2, 1),
         .reference = moved({2, 6, 2},
                            [](const Index& i) {
                                return Index{i[0], i[1] / 2, i[2]};
                            })},
        {.name = "(3, 2) 2, 0 and 1 times",
         .shapes = {{3, 2}},
         .call = counted({2, 0, 1}, 0),
         .reference = moved({3, 2},
                            [](const Index& i) {
                                return Index{i[0] / 2 * 2, i[1]};
                            })},
        {.name = "(3,) never",
         .shapes = {{3}},
         .call = call(0, 0),
         .reference = moved({0}, [](const Index& i) { return i; })},
        {.name = "(0, 2)",
         .shapes = {{0, 2}},
         .call = call(2, 1),
         .reference = moved({0, 4}, [](const Index& i) { return i; })},
    };
    spec.misuses = {{{{2, 3}}, call(2, 2), {"repeat", "axis 2", "rank 2"}},
                      {{{2, 3}}, counted({1, 2}, 1), {"repeat", "2 numbers", "axis 1", "(2, 3)"}},
                      {{{}}, call(2, 0), {"repeat", "axis 0", "scalar"}}};
    return spec;
}

}  // namespace

std::vector<OpSpec> indexing_specs() {
    return {
        take_spec(),
        untake_spec(),
        take_along_axis_spec(),
        untake_along_axis_spec(),
        triangle_spec(
            {.name = "tril", .documentation = ops::words::tril, .ulps = 0},
            [](auto x, std::ptrdiff_t k) { return tril(x, k); },
            [](std::ptrdiff_t distance, std::ptrdiff_t k) { return distance <= k; }),
        triangle_spec(
            {.name = "triu", .documentation = ops::words::triu, .ulps = 0},
            [](auto x, std::ptrdiff_t k) { return triu(x, k); },
            [](std::ptrdiff_t distance, std::ptrdiff_t k) { return distance >= k; }),
        diagonal_spec(),
        tile_spec(),
        repeat_spec(),
    };
}

}  // namespace autograd::specs
