// Ops that move elements and change none: reshape, permute, slice, roll, pad, join. Values are copied; nothing is a
// view. Those that pick elements by lists of indices, or repeat them, are in indexing.hpp.
#pragma once

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "autograd/base/documentation.hpp"
#include "autograd/ops/listing.hpp"

namespace XTAPE_API autograd {

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
    /// Of a braced list, of which an empty one means all.
    template <std::integral I>
    static Axes listed(std::initializer_list<I> axes) {
        if (axes.size() == 1) return Axes(*axes.begin());
        return axes.size() == 0 ? Axes() : Axes(AxisList(axes.begin(), axes.end()));
    }

    /// Whether all axes are meant, and list() is empty.
    bool all() const { return all_; }
    /// The axes as they were named, negative ones too.
    const AxisList& list() const { return axes_; }
    /// Whether each of `rank` axes is one of these.
    /// @throws ShapeError naming `op` for an axis that is not there or is named twice.
    PoolVector<bool> among(std::size_t rank, const char* op) const;

   private:
    bool all_ = false;
    bool is_too_large_ = false;  ///< for a signed number: else the largest of unsigned ones were the last axis
    AxisList axes_;
};

/// What an op takes as its axes.
template <class A>
concept AxesArgument = std::convertible_to<const A&, Axes>;

/// Numbers as extents. What was negative is shown as such by the errors of whatever takes them.
template <std::integral I>
[[nodiscard]] Shape extents_of(std::initializer_list<I> numbers) {
    Shape shape;
    for (const I each : numbers) shape.push_back(static_cast<std::size_t>(each));
    return shape;
}

/// How many elements an axis gets before its first and after its last. Negative: how many it loses.
struct Padding {
    std::ptrdiff_t before = 0;
    std::ptrdiff_t after = 0;
};
/// The padding of each axis, in order.
using PaddingList = PoolVector<Padding>;

/// In place of one extent of a new shape: whatever the number of elements leaves for it. (NumPy's -1.)
inline constexpr std::size_t inferred = static_cast<std::size_t>(-1);

/// The same elements, in the same row-major order, in another shape: reshape(x, {inferred, 4}).
/// @throws ShapeError if the shapes have different numbers of elements, or more than one extent is to be inferred.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> reshape(X<T> x, const Shape& shape);

/// Axis i of the result is axis axes[i] of x.
/// @throws ShapeError if `axes` is not a permutation of x's.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> permute_dims(X<T> x, const AxisList& axes);

/// The last two axes exchanged.
/// @throws ShapeError if x has fewer than two.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> matrix_transpose(X<T> x);

/// A part of one axis: slice(x, 1, {0, 20}) is x[:, 0:20], slice(x, 0, {.step = -1}) is x[::-1].
/// @throws ShapeError as Slice says.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> slice(X<T> x, std::ptrdiff_t axis, const Slice& range);
/// Parts of the first axes, in order: slice(x, {{1, 3}, {}, {.step = 2}}) is x[1:3, :, ::2].
/// @throws ShapeError as Slice says, or for more of them than x has axes.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> slice(X<T> x, std::initializer_list<Slice> ranges);

/// The adjoint of slice(): zeros of a shape, with x at the places that slice() takes from an array of this shape.
/// @throws ShapeError as Slice says, or if x has not the shape of what is taken there.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> unslice(X<T> x, const Shape& shape, std::ptrdiff_t axis, const Slice& range);

/// New axes of extent 1; `axes` are their places in the result.
/// @throws ShapeError if the result has no such axis.
XTAPE_OVER_AXES(expand_dims)

/// The same without these axes.
/// @throws ShapeError if one of them is not 1 long.
XTAPE_OVER_AXES(squeeze)

/// Axes `source` of x are axes `destination` of the result; the others keep their order.
/// @throws ShapeError for an axis that is not there or is named twice, or lists of different lengths.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> moveaxis(X<T> x, const AxisList& source, const AxisList& destination);
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> moveaxis(X<T> x, std::ptrdiff_t source, std::ptrdiff_t destination);

/// The elements along `axes`, or along all, in reverse order.
/// @throws ShapeError for an axis that is not there or is named twice.
XTAPE_OVER_AXES(flip)
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> flip(X<T> x) {
    return ops::flip(x, Axes());
}

/// Element i goes to place i + shift of its axis, counted on from the beginning where that is beyond the end.
/// @throws ShapeError for an axis that is not there.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> roll(X<T> x, std::ptrdiff_t shift, std::ptrdiff_t axis);
/// Of all elements in row-major order.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> roll(X<T> x, std::ptrdiff_t shift);
/// Along several axes, each with its own shift.
/// @throws ShapeError for lists of different lengths.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> roll(X<T> x, const AxisList& shifts, const AxisList& axes);

/// x with `value` before and after: pad(x, {{1, 2}, {0, 0}}) has one row more at the top and two at the bottom.
/// Negative numbers take elements away, at each end no more than there are.
/// @throws ShapeError if there is not one pair for each axis, or more would be taken away than there is.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> pad(X<T> x, const PaddingList& padding, double value = 0);

namespace ops {
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] PoolVector<X<T>> split(X<T> x, std::size_t sections, std::ptrdiff_t axis);
}
/// Parts of one axis, in order: `sections` of the same extent. More than 16 are cut from halves of halves, which stay on
/// the tape: each doubling of their number is one more copy of x.
/// @throws ShapeError if the axis cannot be cut so, or into more than 2^24.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] PoolVector<X<T>> split(X<T> x, std::size_t sections, std::size_t axis = 0) {
    return ops::split(x, sections, static_cast<std::ptrdiff_t>(axis));
}
template <template <class> class X, class T, std::integral I>
requires Operand<X<T>>
[[nodiscard]] PoolVector<X<T>> split(X<T> x, I sections) {
    return ops::split(x, static_cast<std::size_t>(sections), std::ptrdiff_t{0});
}
template <template <class> class X, class T, std::integral I, std::integral A>
requires Operand<X<T>>
[[nodiscard]] PoolVector<X<T>> split(X<T> x, I sections, A axis) {
    return ops::split(x, static_cast<std::size_t>(sections), static_cast<std::ptrdiff_t>(axis));
}
/// With these extents: split(x, {20, 20, 1}, 1).
/// @throws ShapeError if they do not add up to the axis.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] PoolVector<X<T>> split(X<T> x, const Shape& sizes, std::ptrdiff_t axis = 0);
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] PoolVector<X<T>> split(X<T> x, std::initializer_list<std::size_t> sizes) {
    return split(x, Shape(sizes));
}
template <template <class> class X, class T, std::integral I>
requires Operand<X<T>>
[[nodiscard]] PoolVector<X<T>> split(X<T> x, std::initializer_list<std::size_t> sizes, I axis) {
    return split(x, Shape(sizes), static_cast<std::ptrdiff_t>(axis));
}

/// The arrays along an axis, which they no longer have.
/// @throws ShapeError for an axis that is not there.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] PoolVector<X<T>> unstack(X<T> x, std::ptrdiff_t axis = 0);

/// Arrays joined along an axis that they have; their other extents must agree.
/// @throws ShapeError if they do not.
template <class T>
[[nodiscard]] Var<T> concat(std::span<const Var<T>> list, std::ptrdiff_t axis = 0);
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
[[nodiscard]] Var<T> stack(std::span<const Var<T>> list, std::ptrdiff_t axis = 0);
template <class T, class Allocator>
[[nodiscard]] Var<T> stack(const std::vector<Var<T>, Allocator>& list, std::ptrdiff_t axis = 0) {
    return stack(std::span<const Var<T>>(list), axis);
}
template <class T>
[[nodiscard]] Var<T> stack(std::initializer_list<Var<T>> list, std::ptrdiff_t axis = 0) {
    return stack(std::span<const Var<T>>(list.begin(), list.size()), axis);
}

// ---- For other ops ----

namespace ops {

/// The place that an index names on an axis, below 0 from the end.
/// @throws ShapeError if that is before the first or behind `last`, or there is no such axis.
[[nodiscard]] std::ptrdiff_t place_on_axis(std::ptrdiff_t index, std::ptrdiff_t last, const Shape& shape, std::ptrdiff_t axis,
                                           const char* op);

/// Some elements of one axis, in order: first, first + step, ...
struct Selection {
    static constexpr const char* name = "slice";
    static constexpr const char* adjoint_name = "unslice";

    std::size_t axis = 0;
    std::size_t first = 0;
    std::ptrdiff_t step = 1;
    std::size_t count = 0;

    /// @throws ShapeError for an axis or index that is not there, or a step of 0.
    static Selection of(const Shape& shape, std::ptrdiff_t axis, const Slice& slice, const char* op = name);
    /// The shape of what it selects from an array of this shape.
    /// @throws ShapeError if that has not the axis, or not all of these elements.
    Shape shape_from(const Shape& shape) const;
    template <class T>
    void pick(Array<T>& out, const Array<T>& x) const;
    template <class T>
    void put_back(Array<T>& target, const Array<T>& x) const;
};
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> selected(X<T> x, const Selection& selection);

/// An array which has `extent` elements on one axis, of which element i + before is x's element i as far as both have it, and
/// the others are `value`.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> placed(X<T> x, std::size_t axis, std::ptrdiff_t before, std::size_t extent, double value);

/// @throws ShapeError if there are fewer than two axes.
void require_matrix(const Shape& shape);
/// For ops that were made for inputs of a certain shape, and may be applied to others.
/// @throws ShapeError if x has another.
void require_input(const Shape& x, const Shape& expected);

}  // namespace ops

// ---- In words, for the table of ops ----

namespace ops::words {

inline constexpr Documentation reshape{.formula = "the same elements in another shape", .gradient = "g in the input's shape"};
inline constexpr Documentation permute_dims{.formula = "y[i, j, ...] = x[...], the axes in another order",
                                            .gradient = "g, permuted back"};
inline constexpr Documentation matrix_transpose{.formula = "the last two axes exchanged", .gradient = "g, exchanged back"};
inline constexpr Documentation slice{.formula = "x[start:stop:step] along one axis",
                                     .gradient = "g at the selected places, else 0"};
inline constexpr Documentation unslice{.formula = "zeros, with x at the places that a slice selects",
                                       .gradient = "the slice of g"};
inline constexpr Documentation expand_dims{.formula = "new axes of extent 1", .gradient = "g in the input's shape"};
inline constexpr Documentation squeeze{.formula = "without axes of extent 1", .gradient = "g in the input's shape"};
inline constexpr Documentation moveaxis{.formula = "some axes at other places", .gradient = "g, moved back"};
inline constexpr Documentation flip{.formula = "elements in reverse order along axes", .gradient = "g, flipped"};
inline constexpr Documentation roll{.formula = "y[(i + shift) mod n] = x[i]", .gradient = "g, rolled back"};
inline constexpr Documentation pad{.formula = "x with a constant before and after", .gradient = "g's part"};
inline constexpr Documentation split{.formula = "parts of one axis", .gradient = "each part's g at its place"};
inline constexpr Documentation unstack{.formula = "the arrays along an axis", .gradient = "each array's g at its place"};
inline constexpr Documentation concat{.formula = "arrays joined along an axis", .gradient = "g's part"};
inline constexpr Documentation stack{.formula = "arrays of one shape along a new axis", .gradient = "g's part"};

}  // namespace ops::words

}  // namespace autograd
