// The specs of the ops that move elements. The references move them one by one.
#include "autograd/ops/shape.hpp"

#include <algorithm>
#include <array>

#include "tests/specs/instances.hpp"
#include "tests/specs/registry.hpp"

namespace autograd::specs {

namespace {

std::string listed(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& each : parts) text += (text.empty() ? "" : ", ") + each;
    return "{" + text + "}";
}

/// The indices that start:stop:step selects, by walking.
std::vector<std::ptrdiff_t> selected(const Slice& range, std::size_t extent) {
    const std::ptrdiff_t count = signed_of(extent);
    const bool up = range.step > 0;
    const auto from_first = [=](std::ptrdiff_t i) { return i < 0 ? i + count : i; };
    const std::ptrdiff_t start = range.start ? from_first(*range.start) : up ? 0 : count - 1;
    const std::ptrdiff_t stop = range.stop ? from_first(*range.stop) : up ? count : -1;
    std::vector<std::ptrdiff_t> list;
    for (std::ptrdiff_t i = start; up ? i < stop : i > stop; i += range.step) list.push_back(i);
    return list;
}

}  // namespace

std::string text_of(const AxisList& axes) {
    std::vector<std::string> parts;
    for (const std::ptrdiff_t axis : axes) parts.push_back(std::to_string(axis));
    return listed(parts);
}
std::string text_of(const Axes& axes) { return axes.all() ? "all" : text_of(axes.list()); }

std::vector<bool> named(const Axes& axes, std::size_t rank) {
    std::vector<bool> result(rank, axes.all());
    for (const std::ptrdiff_t axis : axes.list()) result[placed(axis, rank)] = true;
    return result;
}

Instance with_inputs(const Instance& from, const std::vector<std::size_t>& which) {
    Instance to = from;
    to.text += " of " + text_of(AxisList(which.begin(), which.end()));
    to.shapes.resize(*std::max_element(which.begin(), which.end()) + 1);
    for (std::size_t k = 0; k < which.size(); ++k) to.shapes[which[k]] = from.shapes[k];
    to.call = [call = from.call, which](auto v) {
        std::vector<std::remove_cvref_t<decltype(v[0])>> inputs;
        for (const std::size_t k : which) inputs.push_back(v[k]);
        return call(inputs);
    };
    to.definition.places = [places = from.definition.places, which](const Index& index) {
        std::vector<Place> list = places(index);
        for (Place& each : list) each.input = which[each.input];
        return list;
    };
    return to;
}

Instance composed(const Instance& first, const Instance& second) {
    Instance both = second;
    both.text += " of " + first.text;
    both.shapes = first.shapes;
    both.call = [one = first.call, other = second.call](auto v) {
        const std::vector<std::remove_cvref_t<decltype(v[0])>> between{one(v)};
        return other(between);
    };
    both.definition.places = [one = first.definition.places, other = second.definition.places](const Index& index) {
        std::vector<Place> list;
        for (const Place& each : other(index)) {
            for (Place& origin : one(each.index)) list.push_back(std::move(origin));
        }
        return list;
    };
    return both;
}

Instance reshape_of(const Shape& from, const Shape& to) {
    std::size_t others = 1;
    for (const std::size_t extent : to) others *= extent == inferred ? 1 : extent;
    Shape shape = to;
    for (std::size_t& extent : shape) extent = extent == inferred ? element_count(from) / others : extent;
    return {.text = "reshape(x, " + to_string(to) + ")",
            .shapes = {from},
            .call = [=](auto v) { return reshape(v[0], to); },
            .definition = reshaped(from, shape)};
}

Instance permute_dims_of(const Shape& shape, const AxisList& axes) {
    Shape result;
    for (const std::ptrdiff_t axis : axes) result.push_back(shape[placed(axis, shape.size())]);
    return {.text = "permute_dims(x, " + text_of(axes) + ")",
            .shapes = {shape},
            .call = [=](auto v) { return permute_dims(v[0], axes); },
            .definition = moved(result, [=](const Index& index) {
                Index from(index.size());
                for (std::size_t i = 0; i < index.size(); ++i) from[placed(axes[i], index.size())] = index[i];
                return from;
            })};
}

Instance expand_dims_of(const Shape& shape, const Axes& axes) {
    const std::vector<bool> added = named(axes, shape.size() + axes.list().size());
    Shape result;
    for (std::size_t axis = 0, next = 0; axis < added.size(); ++axis) result.push_back(added[axis] ? 1 : shape[next++]);
    return {.text = "expand_dims(x, " + text_of(axes) + ")",
            .shapes = {shape},
            .call = [=](auto v) { return expand_dims(v[0], axes); },
            .definition = reshaped(shape, result)};
}

Instance squeeze_of(const Shape& shape, const Axes& axes) {
    const std::vector<bool> removed = named(axes, shape.size());
    Shape result;
    for (std::size_t axis = 0; axis < removed.size(); ++axis) {
        if (!removed[axis]) result.push_back(shape[axis]);
    }
    return {.text = "squeeze(x, " + text_of(axes) + ")",
            .shapes = {shape},
            .call = [=](auto v) { return squeeze(v[0], axes); },
            .definition = reshaped(shape, result)};
}

Instance moveaxis_of(const Shape& shape, const AxisList& source, const AxisList& destination) {
    const std::size_t rank = shape.size();
    std::vector<std::optional<std::size_t>> origin(rank);  // of each axis of the result
    std::vector<bool> is_moved(rank);
    for (std::size_t i = 0; i < source.size(); ++i) {
        origin[placed(destination[i], rank)] = placed(source[i], rank);
        is_moved[placed(source[i], rank)] = true;
    }
    Shape result;
    for (std::size_t axis = 0, next = 0; axis < rank; ++axis) {
        while (next < rank && is_moved[next]) ++next;
        if (!origin[axis]) origin[axis] = next++;
        result.push_back(shape[*origin[axis]]);
    }
    return {.text = "moveaxis(x, " + text_of(source) + ", " + text_of(destination) + ")",
            .shapes = {shape},
            .call = [=](auto v) { return moveaxis(v[0], source, destination); },
            .definition = moved(result, [=](const Index& index) {
                Index from(rank);
                for (std::size_t axis = 0; axis < rank; ++axis) from[*origin[axis]] = index[axis];
                return from;
            })};
}

Instance flip_of(const Shape& shape, const Axes& axes) {
    return {.text = "flip(x, " + text_of(axes) + ")",
            .shapes = {shape},
            .call = [=](auto v) { return flip(v[0], axes); },
            .definition = moved(shape, [shape, flipped = named(axes, shape.size())](const Index& index) {
                Index from = index;
                for (std::size_t axis = 0; axis < from.size(); ++axis) {
                    if (flipped[axis]) from[axis] = shape[axis] - 1 - index[axis];
                }
                return from;
            })};
}

Instance roll_of(const Shape& shape, std::ptrdiff_t shift, std::ptrdiff_t axis) {
    const std::size_t place = placed(axis, shape.size());
    const std::ptrdiff_t extent = signed_of(shape[place]);
    std::vector<std::ptrdiff_t> list(shape[place]);
    for (std::ptrdiff_t i = 0; i < extent; ++i) {
        list[static_cast<std::size_t>(((i + shift) % extent + extent) % extent)] = i;
    }
    return {.text = "roll(x, " + std::to_string(shift) + ", " + std::to_string(axis) + ")",
            .shapes = {shape},
            .call = [=](auto v) { return roll(v[0], shift, axis); },
            .definition = picked(shape, place, list)};
}

Instance slice_of(const Shape& shape, std::ptrdiff_t axis, const Slice& range) {
    const auto text = [](const std::optional<std::ptrdiff_t>& i) { return i ? std::to_string(*i) : ""; };
    const std::size_t place = placed(axis, shape.size());
    return {.text = "slice(x, " + std::to_string(axis) + ", " + text(range.start) + ":" + text(range.stop) + ":" +
                    std::to_string(range.step) + ")",
            .shapes = {shape},
            .call = [=](auto v) { return slice(v[0], axis, range); },
            .definition = picked(shape, place, selected(range, shape[place]))};
}

Instance pad_of(const Shape& shape, const PaddingList& padding, double value) {
    std::vector<std::string> text;
    Shape result;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        const auto [before, after] = padding[axis];
        text.push_back("{" + std::to_string(before) + ", " + std::to_string(after) + "}");
        result.push_back(static_cast<std::size_t>(signed_of(shape[axis]) + before + after));
    }
    const auto from = [=](const Index& index) -> std::optional<Index> {
        Index origin;
        for (std::size_t axis = 0; axis < index.size(); ++axis) {
            const std::ptrdiff_t place = signed_of(index[axis]) - padding[axis].before;
            if (place < 0 || place >= signed_of(shape[axis])) return std::nullopt;
            origin.push_back(static_cast<std::size_t>(place));
        }
        return origin;
    };
    return {.text = "pad(x, " + listed(text) + ", " + std::to_string(value) + ")",
            .shapes = {shape},
            .call = [=](auto v) { return pad(v[0], padding, value); },
            .definition = moved(result, from, value)};
}

Instance concat_of(const std::vector<Shape>& shapes, std::ptrdiff_t axis) {
    const std::size_t place = placed(axis, shapes[0].size());
    Shape result = shapes[0];
    result[place] = 0;
    for (const Shape& each : shapes) result[place] += each[place];
    const auto places = [=](const Index& index) {
        Index within = index;
        std::size_t part = 0;
        for (; within[place] >= shapes[part][place]; ++part) within[place] -= shapes[part][place];
        return std::vector<Place>{{part, within}};
    };
    return {.text = "concat(list, " + std::to_string(axis) + ")",
            .shapes = shapes,
            .call = [=](auto v) { return concat(std::vector(v.begin(), v.end()), axis); },
            .definition = {.shape = result, .places = places, .exact = true}};
}

Instance stack_of(const Shape& shape, std::size_t count, std::ptrdiff_t axis) {
    const std::size_t place = placed(axis, shape.size() + 1);
    Shape result;
    for (std::size_t i = 0; i <= shape.size(); ++i) result.push_back(i == place ? count : shape[i < place ? i : i - 1]);
    const auto places = [=](const Index& index) {
        Index within = index;
        within.erase(within.begin() + signed_of(place));
        return std::vector<Place>{{index[place], within}};
    };
    return {.text = "stack(list, " + std::to_string(axis) + ")",
            .shapes = std::vector<Shape>(count, shape),
            .call = [=](auto v) { return stack(std::vector(v.begin(), v.end()), axis); },
            .definition = {.shape = result, .places = places, .exact = true}};
}

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
                                   {Shape{0, 3}, {5, 0}},
                                   {Shape{2, 6}, {3, inferred, 2}}}) {
        spec.cases.push_back(chosen(to_string(from) + " to " + to_string(to), reshape_of(from, to)));
    }
    spec.misuses = {{{{2, 3}}, call({4, 2}), {"reshape", "(2, 3) has 6", "(4, 2) has 8"}},
                    {{{2, 3}}, call({}), {"reshape", "(2, 3)", "() has 1"}}};
    return spec;
}

/// Held against permute_dims by these axes.
OpCase matrix_transpose_case(const char* name, const Shape& shape, const AxisList& axes) {
    OpCase made = chosen(name, permute_dims_of(shape, axes));
    made.call = [](auto v) { return matrix_transpose(v[0]); };
    return made;
}

OpSpec permute_dims_spec() {
    return {.name = "permute_dims",
            .documentation = ops::words::permute_dims,
            .ulps = 0,
            .cases = {chosen("(2, 3, 5) by 1, 2, 0", permute_dims_of({2, 3, 5}, {1, 2, 0})),
                      chosen("(2, 3, 5) by 0, -1, -2", permute_dims_of({2, 3, 5}, {0, -1, -2})),
                      matrix_transpose_case("matrix_transpose of (9, 17)", {9, 17}, {1, 0}),
                      matrix_transpose_case("matrix_transpose of (2, 3, 4)", {2, 3, 4}, {0, 2, 1}),
                      chosen("()", permute_dims_of({}, {})), matrix_transpose_case("(0, 3)", {0, 3}, {1, 0})},
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

struct SliceCase {
    const char* name;
    Shape shape;
    std::ptrdiff_t axis;
    Slice range;
};

std::vector<SliceCase> slice_cases() {
    return {
        {"x[1:3] of (5,)", {5}, 0, {1, 3}},
        {"x[:, 0:2] of (3, 5)", {3, 5}, 1, {0, 2}},
        {"x[:, -4:-1] of (3, 17)", {3, 17}, -1, {-4, -1}},
        {"x[::-1] of (4, 3)", {4, 3}, 0, {.step = -1}},
        {"x[:, 8:1:-3] of (2, 9)", {2, 9}, 1, {8, 1, -3}},
        {"x[:, 1::2, :] of (2, 7, 3)", {2, 7, 3}, 1, {.start = 1, .step = 2}},
        {"x[:] of (9,)", {9}, 0, {}},
        {"x[2:2] of (4, 2)", {4, 2}, 0, {2, 2}},
        {"x[:] of (0, 2)", {0, 2}, 0, {}},
    };
}

OpSpec slice_spec() {
    OpSpec spec{.name = "slice", .documentation = ops::words::slice, .ulps = 0};
    for (const SliceCase& each : slice_cases()) {
        spec.cases.push_back(chosen(each.name, slice_of(each.shape, each.axis, each.range)));
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
        const Definition taken = slice_of(each.shape, each.axis, each.range).definition;
        spec.cases.push_back({.name = each.name,
                              .shapes = {taken.shape},
                              .call = [each](auto v) { return unslice(v[0], each.shape, each.axis, each.range); },
                              .reference = moved_back(each.shape, taken)});
    }
    return spec;
}

OpSpec concat_spec() {
    OpSpec spec{.name = "concat", .documentation = ops::words::concat, .ulps = 0};
    const auto call = [](std::ptrdiff_t axis) {
        return [axis](auto v) { return concat(std::vector(v.begin(), v.end()), axis); };
    };
    spec.cases = {
        chosen("one", concat_of({{2, 3}}, 0)),
        chosen("(2, 3), (1, 3), (4, 3)", concat_of({{2, 3}, {1, 3}, {4, 3}}, 0)),
        chosen("(3, 17), (3, 1), (3, 8)", concat_of({{3, 17}, {3, 1}, {3, 8}}, 1)),
        chosen("(2, 3, 2), (2, 1, 2)", concat_of({{2, 3, 2}, {2, 1, 2}}, -2)),
        chosen("(0,), (3,)", concat_of({{0}, {3}}, 0)),
        chosen("(2, 0), (2, 0)", concat_of({{2, 0}, {2, 0}}, 1)),
        chosen("x, x", with_inputs(concat_of({{2, 3}, {2, 3}}, 1), {0, 0})),
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

OpSpec expand_dims_spec() {
    const auto call = [](const Axes& axes) { return [axes](auto v) { return expand_dims(v[0], axes); }; };
    OpSpec spec{.name = "expand_dims", .documentation = ops::words::expand_dims, .ulps = 0};
    spec.cases = {
        chosen("(2, 3) at 0", expand_dims_of({2, 3}, 0)),
        chosen("(2, 3) at -1", expand_dims_of({2, 3}, -1)),
        chosen("(2, 3) at 1 and -1", expand_dims_of({2, 3}, {1, -1})),
        chosen("() at 0 and 1", expand_dims_of({}, {0, 1})),
        chosen("(0,) at 1", expand_dims_of({0}, 1)),
    };
    spec.misuses = {{{{2, 3}}, call(3), {"expand_dims", "axis 3", "rank 3"}},
                    {{{2, 3}}, call({0, -4}), {"expand_dims", "axis -4", "twice"}}};
    return spec;
}

OpSpec squeeze_spec() {
    const auto call = [](const Axes& axes) { return [axes](auto v) { return squeeze(v[0], axes); }; };
    OpSpec spec{.name = "squeeze", .documentation = ops::words::squeeze, .ulps = 0};
    spec.cases = {
        chosen("(1, 3) of 0", squeeze_of({1, 3}, 0)),
        chosen("(1, 3, 1) of -1", squeeze_of({1, 3, 1}, -1)),
        chosen("(1, 3, 1) of 2 and 0", squeeze_of({1, 3, 1}, {2, 0})),
        chosen("(1, 1) of all", squeeze_of({1, 1}, {})),
        chosen("(0, 1) of 1", squeeze_of({0, 1}, 1)),
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
        chosen("(2, 3, 4), 0 to -1", moveaxis_of({2, 3, 4}, {0}, {-1})),
        chosen("(2, 3, 4, 5), 0 and -1 to 1 and 0", moveaxis_of({2, 3, 4, 5}, {0, -1}, {1, 0})),
        chosen("(0, 3), 1 to 0", moveaxis_of({0, 3}, {1}, {0})),
    };
    spec.cases[0].call = [](auto v) { return moveaxis(v[0], 0, -1); };
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
        {.name = "(0, 3)", .shapes = {{0, 3}}, .call = call, .reference = reshaped({0, 3}, {3, 0})},
    };
    spec.misuses = {{{{3}}, call, {"matrix_transpose", "(3,)"}}, {{{}}, call, {"matrix_transpose", "()"}}};
    return spec;
}

OpSpec flip_spec() {
    const auto call = [](const Axes& axes) { return [axes](auto v) { return flip(v[0], axes); }; };
    OpSpec spec{.name = "flip", .documentation = ops::words::flip, .ulps = 0};
    spec.cases = {
        chosen("(2, 9), all", flip_of({2, 9}, {})),
        chosen("(2, 9), axis -1", flip_of({2, 9}, -1)),
        chosen("(3, 2, 4), axes 0 and 2", flip_of({3, 2, 4}, {0, 2})),
        chosen("()", flip_of({}, {})),
        chosen("(0, 2)", flip_of({0, 2}, {})),
    };
    spec.misuses = {{{{2, 3}}, call(2), {"flip", "axis 2", "rank 2"}}, {{{2, 3}}, call({0, -2}), {"flip", "axis -2", "twice"}}};
    return spec;
}

OpSpec roll_spec() {
    OpSpec spec{.name = "roll", .documentation = ops::words::roll, .ulps = 0};
    const auto call = [](std::ptrdiff_t shift, std::ptrdiff_t axis) { return [=](auto v) { return roll(v[0], shift, axis); }; };
    const auto both = [](auto v) { return roll(v[0], {1, -2}, {0, 1}); };
    spec.cases = {
        chosen("(5,) by 2", roll_of({5}, 2, 0)),
        chosen("(2, 5) by -1 along -1", roll_of({2, 5}, -1, -1)),
        chosen("(3, 2, 2) by 7 along 0", roll_of({3, 2, 2}, 7, 0)),
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
        chosen("(4,) by 0", roll_of({4}, 0, 0)),
        chosen("(0, 2)", roll_of({0, 2}, 3, 0)),
        {.name = "() by 3", .shapes = {{}}, .call = [](auto v) { return roll(v[0], 3); }, .reference = reshaped({}, {})},
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
          Case{{2, 3, 4}, {{0, 1}, {2, 0}, {1, 1}}, -2.5}, Case{{5}, {{-1, -2}}, 7}, Case{{4, 5}, {{-1, 3}, {2, -3}}, 0.5},
          Case{{3}, {{-3, 2}}, 4}, Case{{3}, {{-3, 4}}, 4}, Case{{3}, {{4, -3}}, 4}, Case{{}, {}, 3},
          Case{{0, 2}, {{1, 1}, {0, 1}}, 3}, Case{{2}, {{-2, 0}}, 1}}) {
        const Instance padded = pad_of(each.shape, each.padding, each.value);
        spec.cases.push_back(chosen(to_string(each.shape) + " to " + to_string(padded.definition.shape), padded));
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
    spec.cases = {
        chosen("(2, 3) twice", stack_of({2, 3}, 2, 0)),
        chosen("(2, 9) three times, last", stack_of({2, 9}, 3, -1)),
        chosen("(2, 3) twice, 1", stack_of({2, 3}, 2, 1)),
        chosen("scalars", stack_of({}, 2, 0)),
        chosen("(0,)", stack_of({0}, 2, 0)),
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
        {.name = "(3,) in 3", .shapes = {{3}}, .call = sized({3}, 0), .reference = reshaped({3}, {3})},
        {.name = "(0, 2) in 2", .shapes = {{0, 2}}, .call = equal(2, 0), .reference = reshaped({0, 2}, {0, 2})},
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
    spec.misuses = {{{{2, 3}}, call(2), {"unstack", "axis 2", "rank 2"}}, {{{}}, call(0), {"unstack", "axis 0", "scalar"}}};
    return spec;
}

}  // namespace

std::vector<OpSpec> shape_specs() {
    return {reshape_spec(),     permute_dims_spec(), matrix_transpose_spec(), slice_spec(), unslice_spec(), concat_spec(),
            expand_dims_spec(), squeeze_spec(),      moveaxis_spec(),         flip_spec(),  roll_spec(),    pad_spec(),
            stack_spec(),       split_spec(),        unstack_spec()};
}

}  // namespace autograd::specs
