// Ops that move elements and change none: reshape, permute, slice, roll, pad, join. Values are copied; nothing is a
// view. Those that pick elements by lists of indices, or repeat them, are in indexing.hpp.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <numeric>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/ops/listing.hpp"

namespace autograd {

/// Elements start, start + step, ... before stop of an axis, as Python's start:stop:step: negative indices count from the
/// end, and what is left out means "all that way". Unlike Python's, an index beyond the axis is an error.
struct Slice {
    std::optional<std::ptrdiff_t> start{};
    std::optional<std::ptrdiff_t> stop{};
    std::ptrdiff_t step = 1;
};

/// Axes in order, of which negative ones count from the last. (Not an xtensor type: for `sum(v, axes)` lookup would
/// find xt::sum.)
using AxisList = PoolVector<std::ptrdiff_t>;

/// Which axes an op is for: one, several, or all, which is what `{}` and leaving them out mean. Negative ones count
/// from the last.
class Axes {
   public:
    Axes() : all_(true) {}
    template <std::integral I>
    Axes(I axis)
        : is_too_large_(std::is_unsigned_v<I> && static_cast<std::ptrdiff_t>(axis) < 0),
          axes_{static_cast<std::ptrdiff_t>(axis)} {}
    Axes(std::initializer_list<std::ptrdiff_t> axes) : axes_(axes.begin(), axes.end()) {}
    Axes(const AxisList& axes) : axes_(axes) {}

    bool all() const { return all_; }
    const AxisList& list() const { return axes_; }
    /// Whether each of `rank` axes is one of these.
    /// @throws ShapeError naming `op` for an axis that is not there or is named twice.
    PoolVector<bool> among(std::size_t rank, const char* op) const;

   private:
    bool all_ = false;
    bool is_too_large_ = false;  ///< for a signed number: else the largest of unsigned ones were the last axis
    AxisList axes_;
};

/// How many elements an axis gets before its first and after its last. Negative: how many it loses.
struct Padding {
    std::ptrdiff_t before = 0;
    std::ptrdiff_t after = 0;
};
using PaddingList = PoolVector<Padding>;

namespace ops {

struct Reshape {
    static constexpr const char* name = "reshape";
    static constexpr bool linear = true;
    Shape shape;

    /// To a shape of which one extent may be `inferred`, of `count` elements.
    static Reshape of(Shape shape, std::size_t count);

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X&) const {
        return apply(Reshape{x.shape()}, g);
    }
};

struct PermuteDims {
    static constexpr const char* name = "permute_dims";
    static constexpr bool linear = true;
    Shape axes;

    PermuteDims inverse() const;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const {
        return apply(inverse(), g);
    }
};

/// Some elements of one axis, in order: first, first + step, ...
struct Selection {
    std::size_t axis = 0;
    std::size_t first = 0;
    std::ptrdiff_t step = 1;
    std::size_t count = 0;

    /// @throws ShapeError for an axis or index that is not there, or a step of 0.
    static Selection of(const Shape& shape, std::ptrdiff_t axis, const Slice& slice);
    /// The shape of what it selects from an array of this shape.
    /// @throws ShapeError if that has not the axis, or not all of these elements.
    Shape part_of(const Shape& shape) const;
};

struct SliceOp {
    static constexpr const char* name = "slice";
    static constexpr bool linear = true;
    Selection selection;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X&) const;
};

/// The adjoint of a slice: zeros of a shape, with x at the selected places.
struct Unslice {
    static constexpr const char* name = "unslice";
    static constexpr bool linear = true;
    Selection selection;
    Shape shape;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class T>
    void add_to(Array<T>& target, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const {
        return apply(SliceOp{selection}, g);
    }
};

template <class X>
X SliceOp::gradient(InputIndex<0>, const X& g, const X& x, const X&) const {
    return apply(Unslice{selection, x.shape()}, g);
}

struct Concat {
    static constexpr const char* name = "concat";
    static constexpr bool linear = true;
    std::size_t axis;
    Shape result;
    PoolVector<std::size_t> firsts;  ///< where each array begins

    /// @throws ShapeError if the shapes differ in another axis, or this one is not there.
    static Concat of(std::span<const Shape* const> shapes, std::ptrdiff_t axis);

    template <class T>
    void forward(Array<T>& out, std::span<const Array<T>* const> list) const;
    template <class X>
    X gradient(std::size_t which, const X& g, std::span<const X> list, const X&) const {
        return apply(SliceOp{{axis, firsts[which], 1, list[which].shape()[axis]}}, g);
    }
};

/// Elements moved on along one axis, those beyond its end to its beginning.
struct Roll {
    static constexpr const char* name = "roll";
    static constexpr bool linear = true;
    std::size_t axis;
    std::size_t shift;  // less than the extent, or 0

    static Roll of(const Shape& shape, std::ptrdiff_t axis, std::ptrdiff_t shift);

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X&) const {
        return apply(Roll{axis, shift == 0 ? 0 : x.shape()[axis] - shift}, g);
    }
};

/// An array of a shape, filled with a value, of which element i + before is x[i] as far as both have it. With a
/// negative `before` or a smaller shape it crops; so the adjoint is the same op.
struct Pad {
    static constexpr const char* name = "pad";
    AxisList before;
    Shape shape;
    double value = 0;

    /// @throws ShapeError if there are not as many paddings as axes, or one takes more away than there is.
    static Pad of(const Shape& shape, const PaddingList& padding, double value);
    /// Of one axis. What would be shorter than nothing is empty.
    static Pad of_axis(const Shape& shape, std::size_t axis, const Padding& padding, double value);

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X&) const {
        Pad adjoint{before, x.shape(), 0};
        for (std::ptrdiff_t& each : adjoint.before) each = -each;
        return apply(adjoint, g);
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X&, const X&) const {
        return apply(Pad{before, shape, 0}, t);
    }
};

/// @throws ShapeError if an axis is named twice, or is not 1 long.
[[nodiscard]] Shape squeezed(const Shape& shape, const Axes& axes);
/// @throws ShapeError if there are fewer than two axes.
void require_matrix(const Shape& shape);
/// @throws ShapeError if there are not as many shifts as axes.
void require_shifts(const Shape& shape, const AxisList& shifts, const AxisList& axes);
/// For ops that were made for inputs of a certain shape, and may be applied to others.
/// @throws ShapeError if x has another.
void require_input(const Shape& x, const Shape& expected);
/// @throws ShapeError naming both if they differ.
void require_equal_shapes(const Shape& a, const Shape& b);
/// @throws ShapeError if an axis of the result is named twice or is not there.
[[nodiscard]] Shape expanded(const Shape& shape, const Axes& axes);
/// The order of axes in which those of `source` are found at `destination`, and the others keep theirs.
[[nodiscard]] AxisList moved_axes(std::size_t rank, const AxisList& source, const AxisList& destination);
/// The extents of `sections` equal parts.
/// @throws ShapeError if there are none, or more than 2^24.
[[nodiscard]] Shape equal_parts(const Shape& shape, std::size_t sections, std::ptrdiff_t axis);
/// @throws ShapeError if the sizes do not add up to the axis.
void require_parts(const Shape& shape, const Shape& sizes, std::ptrdiff_t axis);

/// Appends the parts of an axis that are so long. Many are cut from halves, since a recorded sweep gives each part a
/// gradient as large as what it was cut from.
template <Operand X>
void append_parts(PoolVector<X>& parts, const X& x, std::span<const std::size_t> sizes, std::size_t axis);

}  // namespace ops

/// In place of one extent of a new shape: whatever the number of elements leaves for it. (NumPy's -1.)
inline constexpr std::size_t inferred = static_cast<std::size_t>(-1);

/// The same elements, in the same row-major order, in another shape: reshape(x, {inferred, 4}).
/// @throws ShapeError if the shapes have different numbers of elements, or more than one extent is to be inferred.
template <Operand X>
[[nodiscard]] X reshape(const X& x, const Shape& shape) {
    constexpr const char* name = ops::Reshape::name;
    return apply(detail::with_context_of(
                     name, [&] { return ops::Reshape::of(shape, element_count(x.shape())); }, x),
                 x);
}

/// Axis i of the result is axis axes[i] of x.
/// @throws ShapeError if `axes` is not a permutation of x's.
template <Operand X>
[[nodiscard]] X permute_dims(const X& x, const AxisList& axes) {
    Shape normalized;
    for (const std::ptrdiff_t axis : axes) normalized.push_back(detail::axis_of(x, axis, "permute_dims"));
    return apply(ops::PermuteDims{normalized}, x);
}

/// The last two axes exchanged.
/// @throws ShapeError if x has fewer than two.
template <Operand X>
[[nodiscard]] X matrix_transpose(const X& x) {
    const auto transposed = [&] {
        ops::require_matrix(x.shape());
        const std::size_t rank = x.shape().size();
        Shape axes(rank);
        for (std::size_t axis = 0; axis < rank; ++axis) axes[axis] = axis;
        std::swap(axes[rank - 2], axes[rank - 1]);
        return apply(ops::PermuteDims{axes}, x);
    };
    return detail::with_context_of("matrix_transpose", transposed, x);
}

/// A part of one axis: slice(x, 1, {0, 20}) is x[:, 0:20], slice(x, 0, {.step = -1}) is x[::-1].
/// @throws ShapeError as Slice says.
template <Operand X>
[[nodiscard]] X slice(const X& x, std::ptrdiff_t axis, const Slice& range) {
    return apply(ops::SliceOp{detail::with_context_of(
                     ops::SliceOp::name, [&] { return ops::Selection::of(x.shape(), axis, range); }, x)},
                 x);
}

/// Parts of the first axes, in order: slice(x, {{1, 3}, {}, {.step = 2}}) is x[1:3, :, ::2].
/// @throws ShapeError as Slice says, or for more of them than x has axes.
template <Operand X>
[[nodiscard]] X slice(const X& x, std::initializer_list<Slice> ranges) {
    X result = x;
    std::ptrdiff_t axis = 0;
    for (const Slice& range : ranges) {
        const bool whole = !range.start && !range.stop && range.step == 1;
        if (whole) static_cast<void>(detail::axis_of(x, axis, ops::SliceOp::name));
        if (!whole) result = slice(result, axis, range);
        ++axis;
    }
    return result;
}

/// New axes of extent 1; `axes` are their places in the result.
/// @throws ShapeError if the result has no such axis.
template <Operand X>
[[nodiscard]] X expand_dims(const X& x, const Axes& axes) {
    return detail::with_context_of(
        "expand_dims", [&] { return reshape(x, ops::expanded(x.shape(), axes)); }, x);
}

/// The same without these axes.
/// @throws ShapeError if one of them is not 1 long.
template <Operand X>
[[nodiscard]] X squeeze(const X& x, const Axes& axes) {
    return detail::with_context_of(
        "squeeze", [&] { return reshape(x, ops::squeezed(x.shape(), axes)); }, x);
}

/// Axes `source` of x are axes `destination` of the result; the others keep their order.
/// @throws ShapeError for an axis that is not there or is named twice, or lists of different lengths.
template <Operand X>
[[nodiscard]] X moveaxis(const X& x, const AxisList& source, const AxisList& destination) {
    const auto moved = [&] { return permute_dims(x, ops::moved_axes(x.shape().size(), source, destination)); };
    return detail::with_context_of("moveaxis", moved, x);
}
template <Operand X>
[[nodiscard]] X moveaxis(const X& x, std::ptrdiff_t source, std::ptrdiff_t destination) {
    return moveaxis(x, AxisList{source}, AxisList{destination});
}

/// The elements along `axes` in reverse order.
/// @throws ShapeError for an axis that is not there or is named twice.
template <Operand X>
[[nodiscard]] X flip(const X& x, const Axes& axes = {}) {
    const auto flipped = [&] {
        const PoolVector<bool> reversed = axes.among(x.shape().size(), "flip");
        X result = x;
        for (std::size_t axis = 0; axis < reversed.size(); ++axis) {
            if (reversed[axis]) result = slice(result, static_cast<std::ptrdiff_t>(axis), {.step = -1});
        }
        return result;
    };
    return detail::with_context_of("flip", flipped, x);
}

/// Element i goes to place i + shift of its axis, counted on from the beginning where that is beyond the end.
/// @throws ShapeError for an axis that is not there.
template <Operand X>
[[nodiscard]] X roll(const X& x, std::ptrdiff_t shift, std::ptrdiff_t axis) {
    return apply(detail::with_context_of(
                     "roll", [&] { return ops::Roll::of(x.shape(), axis, shift); }, x),
                 x);
}
/// The same, of all elements in row-major order.
template <Operand X>
[[nodiscard]] X roll(const X& x, std::ptrdiff_t shift) {
    return detail::with_context_of(
        "roll", [&] { return reshape(roll(reshape(x, {element_count(x.shape())}), shift, 0), x.shape()); }, x);
}
/// The same along several axes, each with its own shift.
/// @throws ShapeError for lists of different lengths.
template <Operand X>
[[nodiscard]] X roll(const X& x, const AxisList& shifts, const AxisList& axes) {
    const auto rolled = [&] {
        ops::require_shifts(x.shape(), shifts, axes);
        X result = x;
        for (std::size_t k = 0; k < axes.size(); ++k) result = roll(result, shifts[k], axes[k]);
        return result;
    };
    return detail::with_context_of("roll", rolled, x);
}

/// x with `value` before and after: pad(x, {{1, 2}, {0, 0}}) has one row more at the top and two at the bottom.
/// Negative numbers take elements away, at each end no more than there are.
/// @throws ShapeError if there is not one pair for each axis, or more would be taken away than there is.
template <Operand X>
[[nodiscard]] X pad(const X& x, const PaddingList& padding, double value = 0) {
    return apply(detail::with_context_of(
                     "pad", [&] { return ops::Pad::of(x.shape(), padding, value); }, x),
                 x);
}

template <Operand X>
[[nodiscard]] PoolVector<X> split(const X& x, const Shape& sizes, std::ptrdiff_t axis = 0);

/// Parts of one axis, in order: `sections` of the same extent. More than 16 are cut from halves of halves, which stay on
/// the tape: each doubling of their number is one more copy of x.
/// @throws ShapeError if the axis cannot be cut so, or into more than 2^24.
template <Operand X, std::integral I>
[[nodiscard]] PoolVector<X> split(const X& x, I sections, std::ptrdiff_t axis = 0) {
    const auto parts = [&] {
        return split(x, ops::equal_parts(x.shape(), static_cast<std::size_t>(sections), axis), axis);
    };
    return detail::with_context_of("split", parts, x);
}
/// The same with these extents: split(x, {20, 20, 1}, 1).
/// @throws ShapeError if they do not add up to the axis.
template <Operand X>
[[nodiscard]] PoolVector<X> split(const X& x, const Shape& sizes, std::ptrdiff_t axis) {
    const auto cut = [&] {
        ops::require_parts(x.shape(), sizes, axis);
        PoolVector<X> parts;
        parts.reserve(sizes.size());
        ops::append_parts(parts, x, {sizes.data(), sizes.size()}, normalize_axis(axis, x.shape().size(), "split"));
        return parts;
    };
    return detail::with_context_of("split", cut, x);
}
template <Operand X>
void ops::append_parts(PoolVector<X>& parts, const X& x, std::span<const std::size_t> sizes, std::size_t axis) {
    constexpr std::size_t few = 16;
    const std::size_t middle = sizes.size() / 2;
    std::size_t first = 0;
    const auto next = [&](std::span<const std::size_t> of) {
        const std::size_t count = std::accumulate(of.begin(), of.end(), std::size_t{0});
        return apply(SliceOp{{axis, std::exchange(first, first + count), 1, count}}, x);
    };
    if (sizes.size() <= few) {
        for (std::size_t k = 0; k < sizes.size(); ++k) parts.push_back(next(sizes.subspan(k, 1)));
    } else {
        for (const auto half : {sizes.first(middle), sizes.subspan(middle)})
            append_parts(parts, next(half), half, axis);
    }
}

/// The arrays along an axis, which they no longer have.
/// @throws ShapeError for an axis that is not there.
template <Operand X>
[[nodiscard]] PoolVector<X> unstack(const X& x, std::ptrdiff_t axis = 0) {
    const auto taken_apart = [&] {
        const std::size_t count = x.shape()[normalize_axis(axis, x.shape().size(), "unstack")];
        PoolVector<X> parts;
        if (count == 0) return parts;
        for (const X& part : split(x, count, axis)) parts.push_back(squeeze(part, axis));
        return parts;
    };
    return detail::with_context_of("unstack", taken_apart, x);
}

/// Arrays joined along an axis that they have; their other extents must agree.
/// @throws ShapeError if they do not.
template <class T>
[[nodiscard]] Var<T> concat(std::span<const Var<T>> list, std::ptrdiff_t axis = 0) {
    PoolVector<const Shape*> shapes;
    for (const Var<T>& each : list) shapes.push_back(&each.shape());
    const auto joined = [&] { return ops::Concat::of(shapes, axis); };
    return apply_to_list(detail::with_context_of(ops::Concat::name, joined, list), list);
}
template <class T, class Allocator>
[[nodiscard]] Var<T> concat(const std::vector<Var<T>, Allocator>& list, std::ptrdiff_t axis = 0) {
    return concat(std::span<const Var<T>>(list), axis);
}
template <class T>
[[nodiscard]] Var<T> concat(std::initializer_list<Var<T>> list, std::ptrdiff_t axis = 0) {
    return concat(std::span<const Var<T>>(list.begin(), list.size()), axis);
}

/// Arrays of one shape joined along a new axis, whose place in the result is `axis`.
/// @throws ShapeError if the shapes differ.
template <class T>
[[nodiscard]] Var<T> stack(std::span<const Var<T>> list, std::ptrdiff_t axis = 0) {
    const auto join = [&] {
        if (list.empty()) throw ShapeError("an empty list of inputs");
        PoolVector<Var<T>> expanded;
        for (const Var<T>& each : list) {
            ops::require_equal_shapes(list.front().shape(), each.shape());
            expanded.push_back(expand_dims(each, axis));
        }
        return concat(expanded, axis);
    };
    return detail::with_context_of("stack", join, list);
}
template <class T, class Allocator>
[[nodiscard]] Var<T> stack(const std::vector<Var<T>, Allocator>& list, std::ptrdiff_t axis = 0) {
    return stack(std::span<const Var<T>>(list), axis);
}
template <class T>
[[nodiscard]] Var<T> stack(std::initializer_list<Var<T>> list, std::ptrdiff_t axis = 0) {
    return stack(std::span<const Var<T>>(list.begin(), list.size()), axis);
}

#define XTAPE_SHAPE_STRUCTURES(OP)                                                         \
    OP(Reshape, 1) OP(PermuteDims, 1) OP(SliceOp, 1) OP(Unslice, 1) OP(Roll, 1) OP(Pad, 1)
XTAPE_SHAPE_STRUCTURES(XTAPE_DECLARE_STRUCTURE)
extern template struct detail::CompiledList<ops::Concat, float>;
extern template struct detail::CompiledList<ops::Concat, double>;

}  // namespace autograd
