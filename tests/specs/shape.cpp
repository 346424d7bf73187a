// The specs of the ops that move elements. The references move them one by one.
#include <algorithm>
#include <array>

#include "autograd/ops/shape.hpp"
#include "tests/specs/references.hpp"
#include "tests/specs/registry.hpp"

namespace autograd::specs {
namespace {

OpSpec reshape_spec() {
    OpSpec spec{.name = "reshape", .documentation = ops::words::reshape, .ulps = 0};
    const auto call = [](const Shape& to) { return [to](auto v) { return reshape(v[0], to); }; };
    for (const auto& [from, to] : {std::array<Shape, 2>{Shape{2, 3}, {3, 2}},
                                   {Shape{2, 3}, {6}},
                                   {Shape{17}, {1, 17, 1}},
                                   {Shape{}, {1, 1}},
                                   {Shape{1}, {}},
                                   {Shape{2, 3}, {2, 3}},
                                   {Shape{0, 3}, {5, 0}}}) {
        spec.cases.push_back({.name = to_string(from) + " to " + to_string(to),
                                .shapes = {from},
                                .call = call(to),
                                .reference = [shape = to](Arrays x) {
                                    auto out = empty<double>(shape);
                                    for (std::size_t i = 0; i < out.size(); ++i) out.data()[i] = x[0].data()[i];
                                    return out;
                                }});
    }
    spec.misuses = {{{{2, 3}}, call({4, 2}), {"reshape", "(2, 3) has 6", "(4, 2) has 8"}},
                      {{{2, 3}}, call({}), {"reshape", "(2, 3)", "() has 1"}}};
    return spec;
}

OpSpec permute_dims_spec() {
    return {.name = "permute_dims", .documentation = ops::words::permute_dims, .ulps = 0,
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

OpSpec slice_spec() {
    OpSpec spec{.name = "slice", .documentation = ops::words::slice, .ulps = 0};
    for (const SliceCase& each : slice_cases()) {
        spec.cases.push_back({.name = each.name,
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
    spec.cases.push_back({.name = "x[1:3, :, ::-2] of (4, 2, 5)",
                            .shapes = {{4, 2, 5}},
                            .call =
                                [](auto v) {
                                    return slice(v[0], {{1, 3}, {}, {.step = -2}});
                                },
                            .reference = moved({2, 2, 3}, [](const Index& i) {
                                return Index{1 + i[0], i[1], 4 - 2 * i[2]};
                            })});
    spec.misuses = {
        {{{2, 3}},
         [](auto v) {
             return slice(v[0], {{}, {}, {}});
         },
         {"slice", "axis 2", "rank 2"}},
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
    return spec;
}

OpSpec unslice_spec() {
    OpSpec spec{.name = "unslice", .documentation = ops::words::unslice, .ulps = 0};
    for (const SliceCase& each : slice_cases()) {
        Shape part = each.shape;
        part[each.place] = each.count;
        spec.cases.push_back(
            {.name = each.name,
             .shapes = {part},
             .call =
                 [each](auto v) { return unslice(v[0], each.shape, each.axis, each.range); },
             .reference =
                 [each](Arrays x) {
                     auto out = full<double>(each.shape, 0);
                     for_each_selected(each,
                                       [&](std::size_t whole, std::size_t i) { out.data()[whole] = x[0].data()[i]; });
                     return out;
                 }});
    }
    return spec;
}

OpSpec concat_spec() {
    OpSpec spec{.name = "concat", .documentation = ops::words::concat, .ulps = 0};
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
    spec.cases = {
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
    spec.misuses = {
        {{}, call(0), {"concat", "empty list"}},
        {{{2, 3}, {2, 4}}, call(0), {"concat", "(2, 3)", "(2, 4)", "axis 0"}},
        {{{2, 3}, {3}}, call(0), {"concat", "(2, 3)", "(3,)"}},
        {{{2, 3}, {2, 3}}, call(2), {"concat", "axis 2", "rank 2"}},
        {{{}, {}}, call(0), {"concat", "axis 0", "scalar"}},
    };
    return spec;
}

/// The same elements in the same order.
std::function<Array<double>(Arrays)> reshaped(const Shape& shape) {
    return [shape](Arrays x) {
        auto out = empty<double>(shape);
        std::copy_n(x[0].data(), x[0].size(), out.data());
        return out;
    };
}

OpSpec expand_dims_spec() {
    const auto call = [](const Axes& axes) { return [axes](auto v) { return expand_dims(v[0], axes); }; };
    OpSpec spec{.name = "expand_dims", .documentation = ops::words::expand_dims, .ulps = 0};
    spec.cases = {
        {.name = "(2, 3) at 0", .shapes = {{2, 3}}, .call = call(0), .reference = reshaped({1, 2, 3})},
        {.name = "(2, 3) at -1", .shapes = {{2, 3}}, .call = call(-1), .reference = reshaped({2, 3, 1})},
        {.name = "(2, 3) at 1 and -1", .shapes = {{2, 3}}, .call = call({1, -1}), .reference = reshaped({2, 1, 3, 1})},
        {.name = "() at 0 and 1", .shapes = {{}}, .call = call({0, 1}), .reference = reshaped({1, 1})},
        {.name = "(0,) at 1", .shapes = {{0}}, .call = call(1), .reference = reshaped({0, 1})},
    };
    spec.misuses = {{{{2, 3}}, call(3), {"expand_dims", "axis 3", "rank 3"}},
                      {{{2, 3}}, call({0, -4}), {"expand_dims", "axis -4", "twice"}}};
    return spec;
}

OpSpec squeeze_spec() {
    const auto call = [](const Axes& axes) { return [axes](auto v) { return squeeze(v[0], axes); }; };
    OpSpec spec{.name = "squeeze", .documentation = ops::words::squeeze, .ulps = 0};
    spec.cases = {
        {.name = "(1, 3) of 0", .shapes = {{1, 3}}, .call = call(0), .reference = reshaped({3})},
        {.name = "(1, 3, 1) of -1", .shapes = {{1, 3, 1}}, .call = call(-1), .reference = reshaped({1, 3})},
        {.name = "(1, 3, 1) of 2 and 0", .shapes = {{1, 3, 1}}, .call = call({2, 0}), .reference = reshaped({3})},
        {.name = "(1, 1) of all", .shapes = {{1, 1}}, .call = call({}), .reference = reshaped({})},
        {.name = "(0, 1) of 1", .shapes = {{0, 1}}, .call = call(1), .reference = reshaped({0})},
    };
    spec.misuses = {{{{2, 3}}, call(1), {"squeeze", "axis 1", "(2, 3)"}},
                      {{{1, 3}}, call(2), {"squeeze", "axis 2", "rank 2"}},
                      {{{}}, call(0), {"squeeze", "axis 0", "scalar"}}};
    return spec;
}

OpSpec moveaxis_spec() {
    const auto call = [](const AxisList& source, const AxisList& destination) {
        return [=](auto v) { return moveaxis(v[0], source, destination); };
    };
    OpSpec spec{.name = "moveaxis", .documentation = ops::words::moveaxis, .ulps = 0};
    spec.cases = {
        {.name = "(2, 3, 4), 0 to -1",
         .shapes = {{2, 3, 4}},
         .call = [](auto v) { return moveaxis(v[0], 0, -1); },
         .reference = moved({3, 4, 2},
                            [](const Index& i) {
                                return Index{i[2], i[0], i[1]};
                            })},
        {.name = "(2, 3, 4, 5), 0 and -1 to 1 and 0",
         .shapes = {{2, 3, 4, 5}},
         .call = call({0, -1}, {1, 0}),
         .reference = moved({5, 2, 3, 4},
                            [](const Index& i) {
                                return Index{i[1], i[2], i[3], i[0]};
                            })},
        {.name = "(0, 3), 1 to 0", .shapes = {{0, 3}}, .call = call({1}, {0}), .reference = reshaped({3, 0})},
    };
    spec.misuses = {{{{2, 3}}, call({0}, {0, 1}), {"moveaxis", "1 axes", "2 places"}},
                      {{{2, 3}}, call({2}, {0}), {"moveaxis", "axis 2", "rank 2"}},
                      {{{2, 3}}, call({0}, {-3}), {"moveaxis", "axis -3", "rank 2"}},
                      {{{2, 3}}, call({0, 1}, {0, -2}), {"moveaxis", "axis -2", "twice"}}};
    return spec;
}

OpSpec matrix_transpose_spec() {
    const OpCall call = [](auto v) { return matrix_transpose(v[0]); };
    OpSpec spec{.name = "matrix_transpose", .documentation = ops::words::matrix_transpose, .ulps = 0};
    spec.cases = {
        {.name = "(2, 3)",
         .shapes = {{2, 3}},
         .call = call,
         .reference = moved({3, 2},
                            [](const Index& i) {
                                return Index{i[1], i[0]};
                            })},
        {.name = "(2, 3, 4)",
         .shapes = {{2, 3, 4}},
         .call = call,
         .reference = moved({2, 4, 3},
                            [](const Index& i) {
                                return Index{i[0], i[2], i[1]};
                            })},
        {.name = "(0, 3)", .shapes = {{0, 3}}, .call = call, .reference = reshaped({3, 0})},
    };
    spec.misuses = {{{{3}}, call, {"matrix_transpose", "(3,)"}}, {{{}}, call, {"matrix_transpose", "()"}}};
    return spec;
}

OpSpec flip_spec() {
    const auto call = [](const Axes& axes) { return [axes](auto v) { return flip(v[0], axes); }; };
    OpSpec spec{.name = "flip", .documentation = ops::words::flip, .ulps = 0};
    spec.cases = {
        {.name = "(2, 9), all",
         .shapes = {{2, 9}},
         .call = call({}),
         .reference = moved({2, 9},
                            [](const Index& i) {
                                return Index{1 - i[0], 8 - i[1]};
                            })},
        {.name = "(2, 9), axis -1",
         .shapes = {{2, 9}},
         .call = call(-1),
         .reference = moved({2, 9},
                            [](const Index& i) {
                                return Index{i[0], 8 - i[1]};
                            })},
        {.name = "(3, 2, 4), axes 0 and 2",
         .shapes = {{3, 2, 4}},
         .call = call({0, 2}),
         .reference = moved({3, 2, 4},
                            [](const Index& i) {
                                return Index{2 - i[0], i[1], 3 - i[2]};
                            })},
        {.name = "()", .shapes = {{}}, .call = call({}), .reference = reshaped({})},
        {.name = "(0, 2)", .shapes = {{0, 2}}, .call = call({}), .reference = reshaped({0, 2})},
    };
    spec.misuses = {{{{2, 3}}, call(2), {"flip", "axis 2", "rank 2"}},
                      {{{2, 3}}, call({0, -2}), {"flip", "axis -2", "twice"}}};
    return spec;
}

OpSpec roll_spec() {
    OpSpec spec{.name = "roll", .documentation = ops::words::roll, .ulps = 0};
    const auto call = [](std::ptrdiff_t shift, std::ptrdiff_t axis) {
        return [=](auto v) { return roll(v[0], shift, axis); };
    };
    const auto both = [](auto v) { return roll(v[0], {1, -2}, {0, 1}); };
    spec.cases = {
        {.name = "(5,) by 2",
         .shapes = {{5}},
         .call = call(2, 0),
         .reference = moved({5}, [](const Index& i) { return Index{(i[0] + 3) % 5}; })},
        {.name = "(2, 5) by -1 along -1",
         .shapes = {{2, 5}},
         .call = call(-1, -1),
         .reference = moved({2, 5},
                            [](const Index& i) {
                                return Index{i[0], (i[1] + 1) % 5};
                            })},
        {.name = "(3, 2, 2) by 7 along 0",
         .shapes = {{3, 2, 2}},
         .call = call(7, 0),
         .reference = moved({3, 2, 2},
                            [](const Index& i) {
                                return Index{(i[0] + 2) % 3, i[1], i[2]};
                            })},
        {.name = "(2, 3) by 1, all",
         .shapes = {{2, 3}},
         .call = [](auto v) { return roll(v[0], 1); },
         .reference = moved({2, 3},
                            [](const Index& i) {
                                const std::size_t place = (3 * i[0] + i[1] + 5) % 6;
                                return Index{place / 3, place % 3};
                            })},
        {.name = "(2, 3) by 1 and -2",
         .shapes = {{2, 3}},
         .call = both,
         .reference = moved({2, 3},
                            [](const Index& i) {
                                return Index{(i[0] + 1) % 2, (i[1] + 2) % 3};
                            })},
        {.name = "(4,) by 0", .shapes = {{4}}, .call = call(0, 0), .reference = reshaped({4})},
        {.name = "(0, 2)", .shapes = {{0, 2}}, .call = call(3, 0), .reference = reshaped({0, 2})},
        {.name = "() by 3", .shapes = {{}}, .call = [](auto v) { return roll(v[0], 3); }, .reference = reshaped({})},
    };
    spec.misuses = {{{{2, 3}}, call(1, 2), {"roll", "axis 2", "rank 2"}},
                      {{{}}, call(1, 0), {"roll", "axis 0", "scalar"}},
                      {{{2, 3}},
                       [](auto v) {
                           return roll(v[0], {1, 2}, {0, 1, 0});
                       },
                       {"roll", "2 shifts", "3 axes", "(2, 3)"}}};
    return spec;
}

OpSpec pad_spec() {
    OpSpec spec{.name = "pad", .documentation = ops::words::pad, .ulps = 0};
    const auto call = [](const PaddingList& padding, double value) {
        return [=](auto v) { return pad(v[0], padding, value); };
    };
    struct Case {
        Shape shape;
        PaddingList padding;
        double value;
    };
    for (const Case& each :
         {Case{{3}, {{2, 1}}, 0}, Case{{3}, {{0, 0}}, 1}, Case{{2, 3}, {{1, 2}, {0, 3}}, 0},
          Case{{2, 3, 4}, {{0, 1}, {2, 0}, {1, 1}}, -2.5}, Case{{5}, {{-1, -2}}, 7},
          Case{{4, 5}, {{-1, 3}, {2, -3}}, 0.5}, Case{{3}, {{-3, 2}}, 4}, Case{{3}, {{-3, 4}}, 4},
          Case{{3}, {{4, -3}}, 4}, Case{{}, {}, 3}, Case{{0, 2}, {{1, 1}, {0, 1}}, 3}, Case{{2}, {{-2, 0}}, 1}}) {
        Shape shape;
        for (std::size_t axis = 0; axis < each.shape.size(); ++axis) {
            const auto [before, after] = each.padding[axis];
            shape.push_back(static_cast<std::size_t>(static_cast<std::ptrdiff_t>(each.shape[axis]) + before + after));
        }
        const auto from = [each](const Index& index) -> std::optional<Index> {
            Index origin;
            for (std::size_t axis = 0; axis < index.size(); ++axis) {
                const std::ptrdiff_t place = static_cast<std::ptrdiff_t>(index[axis]) - each.padding[axis].before;
                if (place < 0 || place >= static_cast<std::ptrdiff_t>(each.shape[axis])) return std::nullopt;
                origin.push_back(static_cast<std::size_t>(place));
            }
            return origin;
        };
        spec.cases.push_back({.name = to_string(each.shape) + " to " + to_string(shape),
                                .shapes = {each.shape},
                                .call = call(each.padding, each.value),
                                .reference = moved(shape, from, each.value)});
    }
    spec.misuses = {{{{2, 3}}, call({{1, 1}}, 0), {"pad", "1 padding", "(2, 3)"}},
                      {{{2, 3}}, call({{0, 0}, {-2, -2}}, 0), {"pad", "axis 1", "(2, 3)", "-2"}},
                      {{{3}}, call({{-5, 4}}, 0), {"pad", "axis 0", "(3,)", "-5 and 4"}},
                      {{{3}}, call({{4, -5}}, 0), {"pad", "axis 0", "(3,)", "4 and -5"}}};
    return spec;
}

OpSpec stack_spec() {
    OpSpec spec{.name = "stack", .documentation = ops::words::stack, .ulps = 0};
    const auto call = [](std::ptrdiff_t axis) {
        return [axis](auto v) { return stack(std::vector(v.begin(), v.end()), axis); };
    };
    const auto reference = [](const Shape& shape, std::size_t place) {
        return [=](Arrays x) {
            auto out = empty<double>(shape);
            for_each_index(shape, [&](const Index& index) {
                Index within = index;
                within.erase(within.begin() + static_cast<std::ptrdiff_t>(place));
                at(out, index) = at(x[index[place]], within);
            });
            return out;
        };
    };
    spec.cases = {
        {.name = "(2, 3) twice", .shapes = {{2, 3}, {2, 3}}, .call = call(0), .reference = reference({2, 2, 3}, 0)},
        {.name = "(2, 9) three times, last",
         .shapes = {{2, 9}, {2, 9}, {2, 9}},
         .call = call(-1),
         .reference = reference({2, 9, 3}, 2)},
        {.name = "(2, 3) twice, 1", .shapes = {{2, 3}, {2, 3}}, .call = call(1), .reference = reference({2, 2, 3}, 1)},
        {.name = "scalars", .shapes = {{}, {}}, .call = call(0), .reference = reference({2}, 0)},
        {.name = "(0,)", .shapes = {{0}, {0}}, .call = call(0), .reference = reference({2, 0}, 0)},
    };
    spec.misuses = {{{}, call(0), {"stack", "empty list"}},
                      {{{2, 3}, {3, 2}}, call(0), {"stack", "(2, 3)", "(3, 2)"}},
                      {{{2, 3}, {2, 3}}, call(3), {"axis 3", "rank 3"}}};
    return spec;
}

/// The parts come back in reverse order, so that each has its own place.
OpSpec split_spec() {
    OpSpec spec{.name = "split", .documentation = ops::words::split, .ulps = 0};
    const auto equal = [](std::size_t sections, std::ptrdiff_t axis) {
        return [=](auto v) {
            auto parts = split(v[0], sections, axis);
            std::reverse(parts.begin(), parts.end());
            return concat(parts, axis);
        };
    };
    const auto sized = [](const Shape& sizes, std::ptrdiff_t axis) {
        return [=](auto v) {
            auto parts = split(v[0], sizes, axis);
            std::reverse(parts.begin(), parts.end());
            return concat(parts, axis);
        };
    };
    spec.cases = {
        {.name = "(6, 2) in 3",
         .shapes = {{6, 2}},
         .call = equal(3, 0),
         .reference = moved({6, 2},
                            [](const Index& i) {
                                return Index{4 - i[0] / 2 * 2 + i[0] % 2, i[1]};
                            })},
        {.name = "(2, 5) in 2 and 3",
         .shapes = {{2, 5}},
         .call = sized({2, 3}, -1),
         .reference = moved({2, 5},
                            [](const Index& i) {
                                return Index{i[0], (i[1] + 2) % 5};
                            })},
        {.name = "(3,) in 3", .shapes = {{3}}, .call = sized({3}, 0), .reference = reshaped({3})},
        {.name = "(0, 2) in 2", .shapes = {{0, 2}}, .call = equal(2, 0), .reference = reshaped({0, 2})},
    };
    spec.misuses = {{{{2, 3}}, equal(2, 1), {"split", "axis 1", "(2, 3)", "2 equal parts"}},
                      {{{2, 3}}, equal(0, 1), {"split", "axis 1", "(2, 3)", "0 equal parts"}},
                      {{{2, 3}}, equal(1, 2), {"split", "axis 2", "rank 2"}},
                      {{{2, 3}}, sized({1, 1}, 1), {"split", "(1, 1)", "axis 1", "(2, 3)"}}};
    return spec;
}

OpSpec unstack_spec() {
    OpSpec spec{.name = "unstack", .documentation = ops::words::unstack, .ulps = 0};
    const auto call = [](std::ptrdiff_t axis) {
        return [=](auto v) {
            auto parts = unstack(v[0], axis);
            std::reverse(parts.begin(), parts.end());
            return stack(parts, 0);
        };
    };
    spec.cases = {
        {.name = "(3, 2)",
         .shapes = {{3, 2}},
         .call = call(0),
         .reference = moved({3, 2},
                            [](const Index& i) {
                                return Index{2 - i[0], i[1]};
                            })},
        {.name = "(2, 3, 4) along -1",
         .shapes = {{2, 3, 4}},
         .call = call(-1),
         .reference = moved({4, 2, 3},
                            [](const Index& i) {
                                return Index{i[1], i[2], 3 - i[0]};
                            })},
        {.name = "(2,)",
         .shapes = {{2}},
         .call = call(0),
         .reference = moved({2}, [](const Index& i) { return Index{1 - i[0]}; })},
    };
    spec.misuses = {{{{2, 3}}, call(2), {"unstack", "axis 2", "rank 2"}},
                      {{{}}, call(0), {"unstack", "axis 0", "scalar"}}};
    return spec;
}

}  // namespace

std::vector<OpSpec> shape_specs() {
    return {reshape_spec(),     permute_dims_spec(), matrix_transpose_spec(),
            slice_spec(),       unslice_spec(),      concat_spec(),
            expand_dims_spec(), squeeze_spec(),      moveaxis_spec(),
            flip_spec(),        roll_spec(),         pad_spec(),
            stack_spec(),       split_spec(),        unstack_spec()};
}

}  // namespace autograd::specs
