// Ops that pick elements by lists of indices or by where they stand in a matrix, and that repeat them. Indices are no
// Vars: nothing can be differentiated in them. What moves whole axes is in shape.hpp.
#pragma once

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <vector>

#include "autograd/ops/reductions.hpp"

namespace XTAPE_API autograd {

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

    /// The shape of the array, or the length of the list.
    const Shape& shape() const { return shape_; }
    /// The numbers in row-major order, negative ones as they came.
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

/// The elements of an axis that a list names, in its order and as often as it names them: take(x, {2, 0, 0}, 0) are
/// rows. Indices of another shape than a list's put their axes in place of the one. Gradients of an element taken twice
/// add up.
/// @throws ShapeError for an axis or an index that is not there.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> take(X<T> x, const Indices& indices, std::ptrdiff_t axis);

/// The adjoint of take(): zeros of a shape, to which x is added at the places that take() takes from an array of this shape.
/// @throws ShapeError for an axis or an index that is not there, or if x has not the shape of what is taken.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> untake(X<T> x, const Shape& shape, const Indices& indices, std::ptrdiff_t axis);

/// For each element of `indices`, which are of x's shape but for the axis, the element of x with this index in its own
/// place: take_along_axis(x, argmax(x, 1, KeepDims::yes).value(), 1) is max(x, 1, KeepDims::yes).
/// @throws ShapeError for other shapes, and for an axis or an index that is not there.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> take_along_axis(X<T> x, const Indices& indices, std::ptrdiff_t axis = -1);

/// The adjoint of take_along_axis(): zeros of a shape, to which x is added at the places that it takes.
/// @throws ShapeError for other shapes, and for an axis or an index that is not there.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> untake_along_axis(X<T> x, const Shape& shape, const Indices& indices, std::ptrdiff_t axis = -1);

/// name(x, k), of which ops::name is compiled: by whatever type of integer, for the reason that XTAPE_OVER_AXES gives.
// Laid out by hand: a function a line.
// clang-format off
#define XTAPE_WITH_DIAGONAL(name)                                                                                        \
    namespace ops {                                                                                                      \
    template <template <class> class X, class T> requires Operand<X<T>>                                                  \
    [[nodiscard]] X<T> name(X<T> x, std::ptrdiff_t k);                                                                   \
    }                                                                                                                    \
    template <template <class> class X, class T> requires Operand<X<T>>                                                  \
    [[nodiscard]] X<T> name(X<T> x, int k = 0) { return ops::name(x, static_cast<std::ptrdiff_t>(k)); }                  \
    template <template <class> class X, class T, std::integral I> requires Operand<X<T>>                                 \
    [[nodiscard]] X<T> name(X<T> x, I k) { return ops::name(x, static_cast<std::ptrdiff_t>(k)); }
// clang-format on

/// The lower triangles of matrices (the last two axes), 0 above diagonal k; k > 0 counts to the right.
/// @throws ShapeError if x has fewer than two axes.
XTAPE_WITH_DIAGONAL(tril)

/// The upper triangles, 0 below diagonal k.
/// @throws ShapeError if x has fewer than two axes.
XTAPE_WITH_DIAGONAL(triu)

/// The diagonals of matrices (the last two axes), as a last axis; k > 0 is to the right of the main one. Empty where there
/// is none.
/// @throws ShapeError if x has fewer than two axes.
XTAPE_WITH_DIAGONAL(diagonal)

/// x, repetitions[i] times side by side along axis i. Where the two differ in length, the shorter is given ones in
/// front.
/// @throws ShapeError if a number of repetitions is negative or too large.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> tile(X<T> x, const Shape& repetitions);
template <template <class> class X, class T, std::integral I>
requires Operand<X<T>>
[[nodiscard]] X<T> tile(X<T> x, std::initializer_list<I> repetitions) {
    return tile(x, extents_of(repetitions));
}

namespace ops {
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> repeat(X<T> x, std::size_t repetitions, std::ptrdiff_t axis);
}
/// Each element of an axis, so many times in a row.
/// @throws ShapeError for an axis that is not there, or a number that is negative or too large.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> repeat(X<T> x, std::size_t repetitions, std::size_t axis) {
    return ops::repeat(x, repetitions, static_cast<std::ptrdiff_t>(axis));
}
template <template <class> class X, class T, std::integral I, std::integral A>
requires Operand<X<T>>
[[nodiscard]] X<T> repeat(X<T> x, I repetitions, A axis) {
    return ops::repeat(x, static_cast<std::size_t>(repetitions), static_cast<std::ptrdiff_t>(axis));
}
/// With a number for each element: repeat(x, {2, 0, 1}, 0).
/// @throws ShapeError if there is not one for each, or one is negative or too large.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> repeat(X<T> x, const Shape& counts, std::ptrdiff_t axis);
template <template <class> class X, class T, std::integral I, std::integral A>
requires Operand<X<T>>
[[nodiscard]] X<T> repeat(X<T> x, std::initializer_list<I> counts, A axis) {
    return repeat(x, extents_of(counts), static_cast<std::ptrdiff_t>(axis));
}

// ---- In words, for the table of ops ----

namespace ops::words {

inline constexpr Documentation take{.formula = "x[..., indices, ...] along one axis",
                                    .gradient = "zeros, to which g is added at the places taken"};
inline constexpr Documentation untake{.formula = "zeros, to which x is added at the places that a take takes",
                                      .gradient = "the take of g"};
inline constexpr Documentation take_along_axis{.formula = "x[i, indices[i, j, k], k]",
                                               .gradient = "zeros, to which g is added at the places taken"};
inline constexpr Documentation untake_along_axis{
    .formula = "zeros, to which x is added at the places that a take_along_axis takes", .gradient = "the take_along_axis of g"};
inline constexpr Documentation tril{.formula = "x where column <= row + k, else 0", .gradient = "g's triangle"};
inline constexpr Documentation triu{.formula = "x where column >= row + k, else 0", .gradient = "g's triangle"};
inline constexpr Documentation diagonal{.formula = "y_i = x[i, i + offset]", .gradient = "g on the diagonal, else 0"};
inline constexpr Documentation tile{.formula = "x, several times side by side", .gradient = "g, summed over the copies"};
inline constexpr Documentation repeat{.formula = "each element several times", .gradient = "g, summed over the copies"};

}  // namespace ops::words

}  // namespace autograd
