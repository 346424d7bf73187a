// Contractions of any axes: einsum and tensordot. Each pair of arrays is brought to a batched matrix product by
// permuting and reshaping, and so has its gradients from these. Products of the last two axes are in matmul.hpp.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>

#include "autograd/ops/shape.hpp"

namespace XTAPE_API autograd {

/// Einstein's summation, as NumPy's: einsum("ij,jk->ik", a, b) is a matrix product. One letter an axis; letters that
/// are not in the result are summed over; a letter twice in one operand is its diagonal. Without "->" the result has
/// the letters that occur once, in alphabetical order. Operands are contracted from the left, two at a time, each pair
/// by matmul, after sums over letters that only one of them has. There is no ellipsis, and extents of 1 are not
/// broadcast.
/// @throws ShapeError if the subscripts make no sense or do not fit the shapes.
template <Operand X>
[[nodiscard]] X einsum(std::string_view subscripts, std::span<const X> operands);
template <Operand X, std::same_as<X>... Rest>
[[nodiscard]] X einsum(std::string_view subscripts, const X& first, const Rest&... rest) {
    const X operands[] = {first, rest...};
    return einsum(subscripts, std::span<const X>(operands));
}

/// The sum of a b over these pairs of axes. The result has the other axes of a, then those of b.
/// @throws ShapeError if the lists differ in length, an axis is not there or named twice, or a pair has two extents.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> tensordot(X<T> a, X<T> b, const AxisList& a_axes, const AxisList& b_axes);
/// The sum over the last `axes` axes of a and the first ones of b, in order: 1 is a matrix product, 0 all products of
/// two elements.
/// @throws ShapeError if there are too few axes, or their extents differ.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> tensordot(X<T> a, X<T> b, std::size_t axes = 2);

// ---- In words, for the table of ops ----

namespace ops::words {

inline constexpr Documentation einsum{.formula = "the sum of products over the letters not in the result",
                                      .gradient = "derived"};
inline constexpr Documentation tensordot{.formula = "the sum of products over pairs of axes", .gradient = "derived"};

}  // namespace ops::words

}  // namespace autograd
