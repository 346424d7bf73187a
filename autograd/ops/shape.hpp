// Ops that move elements and change none: reshape, permute, slice, join. Values are copied; nothing is a view.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <vector>

#include "autograd/op.hpp"

namespace autograd {

/// Elements start, start + step, ... before stop of an axis, as Python's start:stop:step: negative indices count from the
/// end, and what is left out means "all that way". Unlike Python's, an index beyond the axis is an error.
struct Slice {
    std::optional<std::ptrdiff_t> start{};
    std::optional<std::ptrdiff_t> stop{};
    std::ptrdiff_t step = 1;
};

/// Axes in order, of which negative ones count from the last. Made of a braced list or a vector.
using AxisList = xt::svector<std::ptrdiff_t, 4>;

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
    std::ptrdiff_t axis;

    template <class T>
    void forward(Array<T>& out, std::span<const Array<T>* const> list) const;
    template <class X>
    X gradient(std::size_t which, const X& g, std::span<const X> list, const X&) const {
        const std::size_t place = normalize_axis(axis, g.shape().size(), name);
        std::size_t first = 0;
        for (std::size_t k = 0; k < which; ++k) first += list[k].shape()[place];
        return apply(SliceOp{{place, first, 1, list[which].shape()[place]}}, g);
    }
};

}  // namespace ops

/// In place of one extent of a new shape: whatever the number of elements leaves for it. (NumPy's -1.)
inline constexpr std::size_t inferred = static_cast<std::size_t>(-1);

/// The same elements, in the same row-major order, in another shape: reshape(x, {inferred, 4}).
/// @throws ShapeError if the shapes have different numbers of elements.
template <Operand X>
X reshape(const X& x, const Shape& shape) {
    return apply(ops::Reshape::of(shape, element_count(x.shape())), x);
}

/// Axis i of the result is axis axes[i] of x.
/// @throws ShapeError if `axes` is not a permutation of x's.
template <Operand X>
X permute_dims(const X& x, const AxisList& axes) {
    Shape normalized;
    for (const std::ptrdiff_t axis : axes) normalized.push_back(normalize_axis(axis, x.shape().size(), "permute_dims"));
    return apply(ops::PermuteDims{normalized}, x);
}

/// The last two axes exchanged.
/// @throws ShapeError if x has fewer than two.
template <Operand X>
X matrix_transpose(const X& x) {
    const std::size_t rank = x.shape().size();
    if (rank < 2) throw ShapeError("matrix_transpose: at least two axes, not shape " + to_string(x.shape()));
    Shape axes(rank);
    for (std::size_t axis = 0; axis < rank; ++axis) axes[axis] = axis;
    std::swap(axes[rank - 2], axes[rank - 1]);
    return apply(ops::PermuteDims{axes}, x);
}

/// A part of one axis: slice(x, 1, {0, 20}) is x[:, 0:20], slice(x, 0, {.step = -1}) is x[::-1].
/// @throws ShapeError as Slice says.
template <Operand X>
X slice(const X& x, std::ptrdiff_t axis, const Slice& range) {
    return apply(ops::SliceOp{ops::Selection::of(x.shape(), axis, range)}, x);
}

/// Arrays joined along an axis that they have; their other extents must agree.
/// @throws ShapeError if they do not.
template <class T>
Var<T> concat(const std::vector<Var<T>>& list, std::ptrdiff_t axis = 0) {
    return apply_to_list(ops::Concat{axis}, std::span<const Var<T>>(list));
}
template <class T>
Var<T> concat(std::initializer_list<Var<T>> list, std::ptrdiff_t axis = 0) {
    return apply_to_list(ops::Concat{axis}, std::span<const Var<T>>(list.begin(), list.size()));
}

}  // namespace autograd
