// The records of the ops that move elements. The references move them one by one.
#include <algorithm>
#include <array>

#include "autograd/ops/shape.hpp"
#include "autograd/registry.hpp"

namespace autograd::detail {
namespace {

using Arrays = std::span<const Array<double>>;

OpRecord reshape_record() {
    OpRecord record{
        .name = "reshape",
        .documentation = {
            .formula = "the same elements in another shape", .gradient = "g in the input's shape", .ulps = 0}};
    const auto call = [](const Shape& to) { return [to](auto v) { return reshape(v[0], to); }; };
    for (const auto& [from, to] : {std::array<Shape, 2>{Shape{2, 3}, {3, 2}},
                                   {Shape{2, 3}, {6}},
                                   {Shape{17}, {1, 17, 1}},
                                   {Shape{}, {1, 1}},
                                   {Shape{1}, {}},
                                   {Shape{2, 3}, {2, 3}},
                                   {Shape{0, 3}, {5, 0}}}) {
        record.cases.push_back({.name = to_string(from) + " to " + to_string(to),
                                .shapes = {from},
                                .call = call(to),
                                .reference = [shape = to](Arrays x) {
                                    auto out = empty<double>(shape);
                                    for (std::size_t i = 0; i < out.size(); ++i) out.data()[i] = x[0].data()[i];
                                    return out;
                                }});
    }
    record.misuses = {{{{2, 3}}, call({4, 2}), {"reshape", "(2, 3) has 6", "(4, 2) has 8"}},
                      {{{2, 3}}, call({}), {"reshape", "(2, 3)", "() has 1"}}};
    return record;
}

OpRecord permute_dims_record() {
    return {.name = "permute_dims",
            .documentation = {.formula = "y[i, j, ...] = x[...], the axes in another order",
                              .gradient = "g, permuted back",
                              .ulps = 0},
            .cases = {{.name = "(2, 3, 5) by 1, 2, 0",
                       .shapes = {{2, 3, 5}},
                       .call =
                           [](auto v) {
                               return permute_dims(v[0], {1, 2, 0});
                           },
                       .reference =
                           [](Arrays x) {
                               auto out = empty<double>({3, 5, 2});
                               for (std::size_t i = 0; i < 2; ++i)
                                   for (std::size_t j = 0; j < 3; ++j)
                                       for (std::size_t k = 0; k < 5; ++k) out(j, k, i) = x[0](i, j, k);
                               return out;
                           }},
                      {.name = "(2, 3, 5) by 0, -1, -2",
                       .shapes = {{2, 3, 5}},
                       .call =
                           [](auto v) {
                               return permute_dims(v[0], {0, -1, -2});
                           },
                       .reference =
                           [](Arrays x) {
                               auto out = empty<double>({2, 5, 3});
                               for (std::size_t i = 0; i < 2; ++i)
                                   for (std::size_t j = 0; j < 3; ++j)
                                       for (std::size_t k = 0; k < 5; ++k) out(i, k, j) = x[0](i, j, k);
                               return out;
                           }},
                      {.name = "matrix_transpose of (9, 17)",
                       .shapes = {{9, 17}},
                       .call = [](auto v) { return matrix_transpose(v[0]); },
                       .reference =
                           [](Arrays x) {
                               auto out = empty<double>({17, 9});
                               for (std::size_t i = 0; i < 9; ++i)
                                   for (std::size_t j = 0; j < 17; ++j) out(j, i) = x[0](i, j);
                               return out;
                           }},
                      {.name = "matrix_transpose of (2, 3, 4)",
                       .shapes = {{2, 3, 4}},
                       .call = [](auto v) { return matrix_transpose(v[0]); },
                       .reference =
                           [](Arrays x) {
                               auto out = empty<double>({2, 4, 3});
                               for (std::size_t i = 0; i < 2; ++i)
                                   for (std::size_t j = 0; j < 3; ++j)
                                       for (std::size_t k = 0; k < 4; ++k) out(i, k, j) = x[0](i, j, k);
                               return out;
                           }},
                      {.name = "()",
                       .shapes = {{}},
                       .call = [](auto v) { return permute_dims(v[0], {}); },
                       .reference = [](Arrays x) { return x[0]; }},
                      {.name = "(0, 3)",
                       .shapes = {{0, 3}},
                       .call = [](auto v) { return matrix_transpose(v[0]); },
                       .reference =
                           [](Arrays) {
                               return empty<double>({3, 0});
                           }}},
            .misuses = {
                {{{2, 3}},
                 [](auto v) {
                     return permute_dims(v[0], {0, 0});
                 },
                 {"permute_dims", "(0, 0)", "(2, 3)"}},
                {{{2, 3}}, [](auto v) { return permute_dims(v[0], {0}); }, {"permute_dims", "(0,)", "(2, 3)"}},
                {{{2, 3}},
                 [](auto v) {
                     return permute_dims(v[0], {0, 2});
                 },
                 {"permute_dims", "axis 2", "rank 2"}},
                {{{3}}, [](auto v) { return matrix_transpose(v[0]); }, {"matrix_transpose", "(3,)"}},
            }};
}

/// Element i of the selected axis comes from element first + i step.
struct SliceCase {
    const char* name;
    Shape shape;
    std::ptrdiff_t axis;
    Slice range;
    std::size_t place;
    std::ptrdiff_t first, step;
    std::size_t count;
};

std::vector<SliceCase> slice_cases() {
    return {
        {"x[1:3] of (5,)", {5}, 0, {1, 3}, 0, 1, 1, 2},
        {"x[:, 0:2] of (3, 5)", {3, 5}, 1, {0, 2}, 1, 0, 1, 2},
        {"x[:, -4:-1] of (3, 17)", {3, 17}, -1, {-4, -1}, 1, 13, 1, 3},
        {"x[::-1] of (4, 3)", {4, 3}, 0, {.step = -1}, 0, 3, -1, 4},
        {"x[:, 8:1:-3] of (2, 9)", {2, 9}, 1, {8, 1, -3}, 1, 8, -3, 3},
        {"x[:, 1::2, :] of (2, 7, 3)", {2, 7, 3}, 1, {.start = 1, .step = 2}, 1, 1, 2, 3},
        {"x[:] of (9,)", {9}, 0, {}, 0, 0, 1, 9},
        {"x[2:2] of (4, 2)", {4, 2}, 0, {2, 2}, 0, 0, 1, 0},
        {"x[:] of (0, 2)", {0, 2}, 0, {}, 0, 0, 1, 0},
    };
}

/// Calls move(place in the whole, place in the part) for each element of the part, in row-major places.
template <class Move>
void for_each_selected(const SliceCase& each, Move move) {
    Shape part = each.shape;
    part[each.place] = each.count;
    for (std::size_t i = 0; i < element_count(part); ++i) {
        std::size_t rest = i, whole = 0, stride = 1;
        for (std::size_t axis = part.size(); axis-- > 0; rest /= part[axis]) {
            const std::size_t at = rest % part[axis];
            const auto moved = static_cast<std::size_t>(each.first + static_cast<std::ptrdiff_t>(at) * each.step);
            whole += (axis == each.place ? moved : at) * stride;
            stride *= each.shape[axis];
        }
        move(whole, i);
    }
}

OpRecord slice_record() {
    OpRecord record{
        .name = "slice",
        .documentation = {
            .formula = "x[start:stop:step] along one axis", .gradient = "g at the selected places, else 0", .ulps = 0}};
    for (const SliceCase& each : slice_cases()) {
        record.cases.push_back({.name = each.name,
                                .shapes = {each.shape},
                                .call = [each](auto v) { return slice(v[0], each.axis, each.range); },
                                .reference =
                                    [each](Arrays x) {
                                        Shape part = each.shape;
                                        part[each.place] = each.count;
                                        auto out = empty<double>(part);
                                        for_each_selected(each, [&](std::size_t whole, std::size_t i) {
                                            out.data()[i] = x[0].data()[whole];
                                        });
                                        return out;
                                    }});
    }
    record.misuses = {
        {{{2, 3}}, [](auto v) { return slice(v[0], 2, {}); }, {"slice", "axis 2", "rank 2"}},
        {{{2, 3}},
         [](auto v) {
             return slice(v[0], 1, {0, 4});
         },
         {"slice", "index 4", "axis 1", "(2, 3)"}},
        {{{2, 3}},
         [](auto v) {
             return slice(v[0], 1, {-4, 3});
         },
         {"slice", "index -4", "(2, 3)"}},
        {{{2, 3}}, [](auto v) { return slice(v[0], 0, {.step = 0}); }, {"slice", "step of 0", "(2, 3)"}},
        {{{}}, [](auto v) { return slice(v[0], 0, {}); }, {"slice", "scalar"}},
    };
    return record;
}

OpRecord unslice_record() {
    OpRecord record{
        .name = "unslice",
        .documentation = {
            .formula = "zeros, with x at the places that a slice selects", .gradient = "the slice of g", .ulps = 0}};
    for (const SliceCase& each : slice_cases()) {
        Shape part = each.shape;
        part[each.place] = each.count;
        record.cases.push_back(
            {.name = each.name,
             .shapes = {part},
             .call =
                 [each](auto v) {
                     return apply(ops::Unslice{ops::Selection::of(each.shape, each.axis, each.range), each.shape},
                                  v[0]);
                 },
             .reference =
                 [each](Arrays x) {
                     auto out = full<double>(each.shape, 0);
                     for_each_selected(each,
                                       [&](std::size_t whole, std::size_t i) { out.data()[whole] = x[0].data()[i]; });
                     return out;
                 }});
    }
    return record;
}

OpRecord concat_record() {
    OpRecord record{.name = "concat",
                    .documentation = {.formula = "arrays joined along an axis", .gradient = "g's part", .ulps = 0}};
    const auto call = [](std::ptrdiff_t axis) {
        return [axis](auto v) { return concat(std::vector(v.begin(), v.end()), axis); };
    };
    const auto join = [](std::size_t place) {
        return [place](Arrays list) {
            Shape shape = list[0].shape();
            shape[place] = 0;
            for (const auto& each : list) shape[place] += each.shape()[place];
            // Row by row of what lies before the axis: one run of each array in turn.
            std::vector<double> out;
            const std::size_t rows =
                element_count(Shape(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(place)));
            for (std::size_t row = 0; row < rows; ++row) {
                for (const auto& each : list) {
                    const std::size_t run = each.size() / rows;
                    out.insert(out.end(), each.data() + row * run, each.data() + (row + 1) * run);
                }
            }
            auto result = empty<double>(shape);
            std::copy(out.begin(), out.end(), result.data());
            return result;
        };
    };
    record.cases = {
        {.name = "one", .shapes = {{2, 3}}, .call = call(0), .reference = join(0)},
        {.name = "(2, 3), (1, 3), (4, 3)", .shapes = {{2, 3}, {1, 3}, {4, 3}}, .call = call(0), .reference = join(0)},
        {.name = "(3, 17), (3, 1), (3, 8)", .shapes = {{3, 17}, {3, 1}, {3, 8}}, .call = call(1), .reference = join(1)},
        {.name = "(2, 3, 2), (2, 1, 2)", .shapes = {{2, 3, 2}, {2, 1, 2}}, .call = call(-2), .reference = join(1)},
        {.name = "(0,), (3,)", .shapes = {{0}, {3}}, .call = call(0), .reference = join(0)},
        {.name = "(2, 0), (2, 0)", .shapes = {{2, 0}, {2, 0}}, .call = call(1), .reference = join(1)},
        {.name = "x, x",
         .shapes = {{2, 3}},
         .call =
             [](auto v) {
                 return concat(std::vector{v[0], v[0]}, 1);
             },
         .reference =
             [join](Arrays x) {
                 const std::array<Array<double>, 2> twice{x[0], x[0]};
                 return join(1)(twice);
             }},
    };
    record.misuses = {
        {{}, call(0), {"concat", "empty list"}},
        {{{2, 3}, {2, 4}}, call(0), {"concat", "(2, 3)", "(2, 4)", "axis 0"}},
        {{{2, 3}, {3}}, call(0), {"concat", "(2, 3)", "(3,)"}},
        {{{2, 3}, {2, 3}}, call(2), {"concat", "axis 2", "rank 2"}},
        {{{}, {}}, call(0), {"concat", "axis 0", "scalar"}},
    };
    return record;
}

}  // namespace

std::vector<OpRecord> shape_records() {
    return {reshape_record(), permute_dims_record(), slice_record(), unslice_record(), concat_record()};
}

}  // namespace autograd::detail
