// The specs of the ops that pick and repeat elements. The references move them one by one.
#include "autograd/ops/indexing.hpp"

#include <algorithm>
#include <limits>

#include "tests/specs/instances.hpp"
#include "tests/specs/registry.hpp"

namespace autograd::specs {

Instance take_of(const Shape& shape, const Indices& indices, std::ptrdiff_t axis) {
    const std::size_t place = placed(axis, shape.size()), rank = indices.shape().size();
    const auto list = indices.values("take");
    Shape result;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (i != place) result.push_back(shape[i]);
        for (std::size_t k = 0; i == place && k < rank; ++k) result.push_back(indices.shape()[k]);
    }
    const auto from = [=, of_indices = indices.shape()](const Index& index) {
        const auto first = index.begin() + signed_of(place), last = first + signed_of(rank);
        Index origin(index.begin(), first);
        origin.push_back(placed(list[flat_index(Index(first, last), of_indices)], shape[place]));
        origin.insert(origin.end(), last, index.end());
        return origin;
    };
    return {.text = "take(x, " + text_of(list) + " of shape " + to_string(indices.shape()) + ", " + std::to_string(axis) + ")",
            .shapes = {shape},
            .call = [=](auto v) { return take(v[0], indices, axis); },
            .definition = moved(result, from)};
}

Instance triangle_of(Triangle which, const Shape& shape, std::ptrdiff_t k) {
    const bool upper = which == Triangle::upper;
    return {.text = (upper ? "triu(x, " : "tril(x, ") + std::to_string(k) + ")",
            .shapes = {shape},
            .call = [=](auto v) { return upper ? triu(v[0], k) : tril(v[0], k); },
            .definition = moved(shape, [=](const Index& i) -> std::optional<Index> {
                const std::ptrdiff_t off = signed_of(i[i.size() - 1]) - signed_of(i[i.size() - 2]);
                if (upper ? off < k : off > k) return std::nullopt;
                return i;
            })};
}

Instance diagonal_of(const Shape& shape, std::ptrdiff_t offset) {
    const std::size_t rows = shape[shape.size() - 2], columns = shape[shape.size() - 1];
    const auto row = static_cast<std::size_t>(std::max<std::ptrdiff_t>(-offset, 0));
    const auto column = static_cast<std::size_t>(std::max<std::ptrdiff_t>(offset, 0));
    Shape result(shape.begin(), shape.end() - 2);
    result.push_back(0);
    while (row + result.back() < rows && column + result.back() < columns) ++result.back();
    return {.text = "diagonal(x, " + std::to_string(offset) + ")",
            .shapes = {shape},
            .call = [=](auto v) { return diagonal(v[0], offset); },
            .definition = moved(result, [=](const Index& index) {
                Index from(index.begin(), index.end() - 1);
                from.push_back(row + index.back());
                from.push_back(column + index.back());
                return from;
            })};
}

Instance tile_of(const Shape& shape, const Shape& repetitions) {
    Shape result(std::max(shape.size(), repetitions.size()), 1);
    for (const Shape& each : {shape, repetitions}) {
        const std::size_t missing = result.size() - each.size();
        for (std::size_t axis = 0; axis < each.size(); ++axis) result[missing + axis] *= each[axis];
    }
    return {.text = "tile(x, " + to_string(repetitions) + ")",
            .shapes = {shape},
            .call = [=](auto v) { return tile(v[0], repetitions); },
            .definition = moved(result, [=](const Index& index) {
                Index from(index.end() - signed_of(shape.size()), index.end());
                for (std::size_t axis = 0; axis < from.size(); ++axis) from[axis] %= shape[axis];
                return from;
            })};
}

Instance repeat_of(const Shape& shape, const Shape& counts, std::ptrdiff_t axis) {
    std::vector<std::ptrdiff_t> list;
    for (std::size_t i = 0; i < counts.size(); ++i) list.insert(list.end(), counts[i], signed_of(i));
    return {.text = "repeat(x, " + to_string(counts) + ", " + std::to_string(axis) + ")",
            .shapes = {shape},
            .call = [=](auto v) { return repeat(v[0], counts, axis); },
            .definition = picked(shape, placed(axis, shape.size()), list)};
}
Instance repeat_of(const Shape& shape, std::size_t repetitions, std::ptrdiff_t axis) {
    Instance made = repeat_of(shape, Shape(shape[placed(axis, shape.size())], repetitions), axis);
    made.text = "repeat(x, " + std::to_string(repetitions) + ", " + std::to_string(axis) + ")";
    made.call = [=](auto v) { return repeat(v[0], repetitions, axis); };
    return made;
}

namespace {

using Integers = Array<std::ptrdiff_t>;

struct Taking {
    const char* name;
    Shape shape;
    std::ptrdiff_t axis;
    Indices indices;
};

/// One way to take a part of each line along an axis, and where each element of the result comes from.
struct TakingAlong : Taking {
    Shape result;
    Origin from;
};

std::vector<Taking> takings() {
    return {
        {"elements 2, 0, 2 and -1", {4}, 0, {2, 0, 2, -1}},
        {"rows 1, 1 and 0", {3, 5}, 0, std::vector<std::size_t>{1, 1, 0}},
        {"columns, last axis", {3, 5}, -1, {4, -5}},
        {"the middle axis, twice over", {2, 3, 2}, 1, {2, 0, 1, 2}},
        {"a matrix of rows", {4, 3}, 0, Integers{{3, 0}, {1, 1}}},
        {"one element", {4, 3}, 1, Integers(2)},
        {"nothing", {4, 3}, 0, std::vector<int>{}},
        {"of nothing", {0, 3}, 1, {0, 0}},
    };
}

std::vector<TakingAlong> takings_along() {
    return {
        {{"two of each row", {3, 4}, 1, Integers{{2, 2}, {-1, 0}, {0, 1}}},
         {3, 2},
         [](const Index& i) {
             const std::size_t list[3][2] = {{2, 2}, {3, 0}, {0, 1}};
             return Index{i[0], list[i[0]][i[1]]};
         }},
        {{"more than there are", {2, 3}, 0, Integers{{0, 1, 0}, {0, 1, 1}, {1, 1, 0}}},
         {3, 3},
         [](const Index& i) {
             const std::size_t list[3][3] = {{0, 1, 0}, {0, 1, 1}, {1, 1, 0}};
             return Index{list[i[0]][i[1]], i[1]};
         }},
        {{"the middle axis", {2, 3, 2}, -2, Integers{{{0, 2}}, {{1, 1}}}},
         {2, 1, 2},
         [](const Index& i) {
             const std::size_t list[2][2] = {{0, 2}, {1, 1}};
             return Index{i[0], list[i[0]][i[2]], i[2]};
         }},
        {{"of a vector", {5}, 0, {4, 4, 1}},
         {3},
         [](const Index& i) {
             const std::size_t list[] = {4, 4, 1};
             return Index{list[i[0]]};
         }},
        {{"of nothing", {0, 3}, 1, empty<std::ptrdiff_t>({0, 2})}, {0, 2}, [](const Index& i) { return i; }},
    };
}

OpSpec take_spec() {
    OpSpec spec{.name = "take", .documentation = ops::words::take, .ulps = 0};
    for (const Taking& each : takings()) {
        spec.cases.push_back(chosen(each.name, take_of(each.shape, each.indices, each.axis)));
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
                     [](auto v) {
                         return take(v[0], std::vector<std::size_t>{1, std::numeric_limits<std::size_t>::max()}, 0);
                     },
                     {"take", "index -1 (number 1", "unsigned"}}};
    return spec;
}

OpSpec untake_spec() {
    OpSpec spec{.name = "untake", .documentation = ops::words::untake};
    for (const Taking& each : takings()) {
        const Definition taken = take_of(each.shape, each.indices, each.axis).definition;
        spec.cases.push_back({.name = each.name,
                              .shapes = {taken.shape},
                              .call = [each](auto v) { return untake(v[0], each.shape, each.indices, each.axis); },
                              .reference = moved_back(each.shape, taken)});
    }
    return spec;
}

OpSpec take_along_axis_spec() {
    OpSpec spec{.name = "take_along_axis", .documentation = ops::words::take_along_axis, .ulps = 0};
    for (const TakingAlong& each : takings_along()) {
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
    for (const TakingAlong& each : takings_along()) {
        spec.cases.push_back({.name = each.name,
                              .shapes = {each.result},
                              .call = [each](auto v) { return untake_along_axis(v[0], each.shape, each.indices, each.axis); },
                              .reference = moved_back(each.shape, moved(each.result, each.from))});
    }
    return spec;
}

OpSpec triangle_spec(OpSpec spec, Triangle which) {
    const std::string name = spec.name;
    for (const Shape& shape : {Shape{3, 3}, Shape{2, 5}, Shape{5, 2}, Shape{2, 3, 4}, Shape{1, 1}, Shape{0, 3}, Shape{3, 0}}) {
        for (const std::ptrdiff_t k : {0, 1, -1, 2, -3, 9, -9}) {
            spec.cases.push_back(chosen(to_string(shape) + ", k = " + std::to_string(k), triangle_of(which, shape, k)));
        }
    }
    spec.misuses = {{{{3}}, triangle_of(which, {3}, 0).call, {name, "two axes", "(3,)"}}};
    return spec;
}

OpSpec diagonal_spec() {
    OpSpec spec{.name = "diagonal", .documentation = ops::words::diagonal, .ulps = 0};
    const auto call = [](std::ptrdiff_t offset) { return [=](auto v) { return diagonal(v[0], offset); }; };
    struct Case {
        Shape shape;
        std::ptrdiff_t offset;
    };
    for (const Case& each :
         {Case{{3, 3}, 0}, Case{{3, 5}, 1}, Case{{3, 5}, 4}, Case{{5, 3}, -1}, Case{{5, 3}, -4}, Case{{5, 3}, 1},
          Case{{2, 3, 4}, 2}, Case{{3, 3}, 3}, Case{{3, 3}, -7}, Case{{0, 3}, 0}, Case{{1, 1}, 0}}) {
        spec.cases.push_back(
            chosen(to_string(each.shape) + ", offset " + std::to_string(each.offset), diagonal_of(each.shape, each.offset)));
    }
    spec.misuses = {{{{3}}, call(0), {"diagonal", "two axes", "(3,)"}}};
    return spec;
}

OpSpec tile_spec() {
    OpSpec spec{.name = "tile", .documentation = ops::words::tile};
    struct Case {
        Shape shape, repetitions;
    };
    for (const Case& each : {Case{{3}, {2}}, Case{{2, 3}, {2, 3}}, Case{{2, 3}, {2}}, Case{{3}, {2, 1}}, Case{{}, {2, 2}},
                             Case{{2, 3}, {}}, Case{{2, 3, 2}, {3, 1, 2}}, Case{{2, 3}, {0, 2}}, Case{{0, 3}, {2, 1}}}) {
        spec.cases.push_back(
            chosen(to_string(each.shape) + " by " + to_string(each.repetitions), tile_of(each.shape, each.repetitions)));
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
        chosen("(3,) twice", repeat_of({3}, 2, 0)),
        chosen("(2, 3) three times, last axis", repeat_of({2, 3}, 3, -1)),
        chosen("(2, 3, 2) twice, middle axis", repeat_of({2, 3, 2}, 2, 1)),
        chosen("(3, 2) 2, 0 and 1 times", repeat_of({3, 2}, Shape{2, 0, 1}, 0)),
        chosen("(3,) never", repeat_of({3}, 0, 0)),
        chosen("(0, 2)", repeat_of({0, 2}, 2, 1)),
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
        triangle_spec({.name = "tril", .documentation = ops::words::tril, .ulps = 0}, Triangle::lower),
        triangle_spec({.name = "triu", .documentation = ops::words::triu, .ulps = 0}, Triangle::upper),
        diagonal_spec(),
        tile_spec(),
        repeat_spec(),
    };
}

}  // namespace autograd::specs
