// Ops that pick elements by lists of indices or by where they stand in a matrix, and that repeat them. Indices are no
// Vars: nothing can be differentiated in them. What moves whole axes is in shape.hpp.
#pragma once

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "autograd/ops/reductions.hpp"

namespace autograd {

/// Indices into an axis, negative ones counted from its end: a braced list, a vector of integers, or an array of any
/// shape whose numbers are integers, such as the value of an argmax.
class Indices {
   public:
    Indices(std::initializer_list<std::ptrdiff_t> list) : Indices(list.begin(), list.size()) {}
    template <std::integral I, class Allocator>
    Indices(const std::vector<I, Allocator>& list) : Indices(list.data(), list.size()) {}
    template <class T>
    Indices(const Array<T>& array) : shape_(array.shape()) {
        require_values(array, "indices");
        append(array.data(), array.size());
    }

    const Shape& shape() const { return shape_; }
    /// @throws ShapeError naming `op` if a number was not an integer, or too large for a signed one.
    const PoolVector<std::ptrdiff_t>& values(const char* op) const;

   private:
    template <class I>
    Indices(const I* from, std::size_t count) : shape_{count} {
        append(from, count);
    }
    template <class I>
    void append(const I* from, std::size_t count) {
        values_.reserve(count);
        for (std::size_t i = 0; i < count; ++i) {
            if constexpr (std::is_floating_point_v<I>) {
                require_integer(static_cast<double>(from[i]));
            } else if constexpr (std::is_unsigned_v<I> && sizeof(I) >= sizeof(std::ptrdiff_t)) {
                require_signed(from[i]);
            }
            values_.push_back(fault_.empty() ? static_cast<std::ptrdiff_t>(from[i]) : 0);
        }
    }
    void require_integer(double number);
    void require_signed(std::size_t number);

    Shape shape_;
    PoolVector<std::ptrdiff_t> values_;
    std::string fault_;  ///< of the first number that is no index; said where the op is known
};

namespace ops {

/// Indices that were checked against an axis, shared by an op and those of its gradient.
struct Places {
    std::size_t axis = 0;
    Shape shape;  ///< of the indices
    std::shared_ptr<const PoolVector<std::size_t>> list;
    std::size_t extent = 0;  ///< of the axis

    /// @throws ShapeError naming `op` for an axis or an index that is not there.
    static Places of(const Shape& shape, std::ptrdiff_t axis, const Indices& indices, const char* op);
    /// Also if the indices are not an array like that of `shape` but for the axis.
    static Places along(const Shape& shape, std::ptrdiff_t axis, const Indices& indices, const char* op);

    /// The shape of what take() takes at them from an array of this shape.
    /// @throws ShapeError if its axis is not the one for which they were checked.
    Shape taken_from(const Shape& shape) const;
    /// @throws ShapeError if take_along_axis() cannot take them from an array of this shape.
    void require_along(const Shape& shape) const;
};

struct Take {
    static constexpr const char* name = "take";
    static constexpr bool linear = true;
    Places places;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X&) const;
};

/// The adjoint of take: zeros of a shape, to which x is added at the places it would take.
struct Untake {
    static constexpr const char* name = "untake";
    static constexpr bool linear = true;
    Places places;
    Shape shape;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class T>
    void add_to(Array<T>& target, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const {
        return apply(Take{places}, g);
    }
};

template <class X>
X Take::gradient(InputIndex<0>, const X& g, const X& x, const X&) const {
    return apply(Untake{places, x.shape()}, g);
}

struct TakeAlongAxis {
    static constexpr const char* name = "take_along_axis";
    static constexpr bool linear = true;
    Places places;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X&) const;
};

/// Its adjoint.
struct UntakeAlongAxis {
    static constexpr const char* name = "untake_along_axis";
    static constexpr bool linear = true;
    Places places;
    Shape shape;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class T>
    void add_to(Array<T>& target, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const {
        return apply(TakeAlongAxis{places}, g);
    }
};

template <class X>
X TakeAlongAxis::gradient(InputIndex<0>, const X& g, const X& x, const X&) const {
    return apply(UntakeAlongAxis{places, x.shape()}, g);
}

struct Tril {
    static constexpr const char* name = "tril";
    static constexpr bool linear = true;
    std::ptrdiff_t diagonal;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const {
        return apply(*this, g);
    }
};

struct Triu {
    static constexpr const char* name = "triu";
    static constexpr bool linear = true;
    std::ptrdiff_t diagonal;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const {
        return apply(*this, g);
    }
};

/// The diagonals of the last two axes, as elements of these two in one.
/// @throws ShapeError if there are no two axes.
[[nodiscard]] Selection diagonal_places(const Shape& shape, std::ptrdiff_t offset);
/// The shape with its last two axes in one.
[[nodiscard]] Shape joined_matrices(const Shape& shape);

/// The shapes between which broadcasting repeats: (a, b) to (1, a, 1, b), to (m, a, n, b), to (m a, n b).
/// @throws ShapeError if a number of repetitions is negative or too large.
struct Tiling {
    Shape apart, repeated, result;
    static Tiling of(const Shape& shape, const Shape& repetitions);
    /// Each element of one axis, several times.
    static Tiling of_elements(const Shape& shape, std::size_t repetitions, std::ptrdiff_t axis);

    template <Operand X>
    X operator()(const X& x) const {
        return reshape(broadcast_to(reshape(x, apart), repeated), result);
    }
};

/// Index i, counts[i] times.
/// @throws ShapeError naming "repeat" if there is not one count for each element of the axis, or one is negative or too
/// large.
[[nodiscard]] PoolVector<std::size_t> repeated_indices(const Shape& shape, const Shape& counts, std::ptrdiff_t axis);

}  // namespace ops

/// The elements of an axis that a list names, in its order and as often as it names them: take(x, {2, 0, 0}, 0) are
/// rows. Indices of another shape than a list's put their axes in place of the one. Gradients of an element taken twice
/// add up.
/// @throws ShapeError for an axis or an index that is not there.
template <Operand X>
[[nodiscard]] X take(const X& x, const Indices& indices, std::ptrdiff_t axis) {
    constexpr const char* name = ops::Take::name;
    return apply(ops::Take{detail::with_context_of(
                     name, [&] { return ops::Places::of(x.shape(), axis, indices, name); }, x)},
                 x);
}

/// For each element of `indices`, which are of x's shape but for the axis, the element of x with this index in its own
/// place: take_along_axis(x, argmax(x, 1, KeepDims::yes).value(), 1) is max(x, 1, KeepDims::yes).
/// @throws ShapeError for other shapes, and for an axis or an index that is not there.
template <Operand X>
[[nodiscard]] X take_along_axis(const X& x, const Indices& indices, std::ptrdiff_t axis = -1) {
    constexpr const char* name = ops::TakeAlongAxis::name;
    const auto places = [&] { return ops::Places::along(x.shape(), axis, indices, name); };
    return apply(ops::TakeAlongAxis{detail::with_context_of(name, places, x)}, x);
}

/// The lower triangles of matrices (the last two axes), 0 above diagonal k; k > 0 counts to the right.
/// @throws ShapeError if x has fewer than two axes.
template <Operand X>
[[nodiscard]] X tril(const X& x, std::ptrdiff_t k = 0) {
    return apply(ops::Tril{k}, x);
}

/// The upper triangles, 0 below diagonal k.
/// @throws ShapeError if x has fewer than two axes.
template <Operand X>
[[nodiscard]] X triu(const X& x, std::ptrdiff_t k = 0) {
    return apply(ops::Triu{k}, x);
}

/// The diagonals of matrices (the last two axes), as a last axis; offset > 0 is to the right of the main one. Empty
/// where there is none.
/// @throws ShapeError if x has fewer than two axes.
template <Operand X>
[[nodiscard]] X diagonal(const X& x, std::ptrdiff_t offset = 0) {
    const auto picked = [&] {
        const ops::Selection places = ops::diagonal_places(x.shape(), offset);
        return apply(ops::SliceOp{places}, reshape(x, ops::joined_matrices(x.shape())));
    };
    return detail::with_context_of("diagonal", picked, x);
}

/// x, repetitions[i] times side by side along axis i. Where the two differ in length, the shorter is given ones in
/// front.
/// @throws ShapeError if a number of repetitions is negative or too large.
template <Operand X>
[[nodiscard]] X tile(const X& x, const Shape& repetitions) {
    return detail::with_context_of(
        "tile", [&] { return ops::Tiling::of(x.shape(), repetitions)(x); }, x);
}

/// Each element of an axis, so many times in a row.
/// @throws ShapeError for an axis that is not there, or a number that is negative or too large.
template <Operand X, std::integral I>
[[nodiscard]] X repeat(const X& x, I repetitions, std::ptrdiff_t axis) {
    const auto times = static_cast<std::size_t>(repetitions);
    return detail::with_context_of(
        "repeat", [&] { return ops::Tiling::of_elements(x.shape(), times, axis)(x); }, x);
}
/// The same with a number for each element: repeat(x, {2, 0, 1}, 0).
/// @throws ShapeError if there is not one for each, or one is negative or too large.
template <Operand X>
[[nodiscard]] X repeat(const X& x, const Shape& counts, std::ptrdiff_t axis) {
    const auto repeated = [&] { return take(x, ops::repeated_indices(x.shape(), counts, axis), axis); };
    return detail::with_context_of("repeat", repeated, x);
}

#define XTAPE_INDEXING_STRUCTURES(OP)                                                             \
    OP(Take, 1) OP(Untake, 1) OP(TakeAlongAxis, 1) OP(UntakeAlongAxis, 1) OP(Tril, 1) OP(Triu, 1)
XTAPE_INDEXING_STRUCTURES(XTAPE_DECLARE_STRUCTURE)

}  // namespace autograd
