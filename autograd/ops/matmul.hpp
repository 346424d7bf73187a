// Matrix products, of single matrices, batches of them and vectors. Transposition is a flag of the product and copies
// nothing. Contractions of other axes are in einsum.hpp.
#pragma once

#include "autograd/ops/reductions.hpp"

namespace XTAPE_API autograd {

/// Which factors of a product are meant transposed.
struct Transpose {
    bool a = false;  ///< the left one
    bool b = false;  ///< the right one
};

/// The product of matrices, (..., n, k) and (..., k, m), each after the transposition of its last two axes. The leading
/// axes are broadcast. A vector is a row on the left and a column on the right, and the axis that this adds is not in
/// the result: matmul of two vectors is their scalar product. (A vector's transposition is the vector itself.)
/// Up to 4096 products are added up as BLAS does it, partly in sequence; the sums of more of them, and those of several
/// matrices, are added in pairs.
/// @throws ShapeError if one is a scalar, the inner extents differ, or the leading axes do not broadcast.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> matmul(X<T> a, X<T> b, Transpose transpose = {});

/// x weight' + bias, in one pass: x of shape (rows, inputs), weight (outputs, inputs), bias (outputs,).
/// @throws ShapeError if the shapes do not fit.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> linear(X<T> x, X<T> weight, X<T> bias);

// ---- For other ops ----

namespace ops {

/// The products of the matrices in the last two axes. The leading axes of a, of b and `batch`, those of the result, are
/// broadcast against each other; along those which `batch` lacks, or where it has extent 1, the products are summed.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> matmul_to(X<T> a, X<T> b, Transpose transpose, const Shape& batch);

/// The leading axes of a shape of at least two.
[[nodiscard]] Shape leading(const Shape& shape);

/// x of another shape, if it has another; a reshape copies.
template <class X>
[[nodiscard]] X reshaped(const X& x, const Shape& shape) {
    return same_shape(x.shape(), shape) ? x : reshape(x, shape);
}

}  // namespace ops

// ---- In words, for the table of ops ----

namespace ops::words {

inline constexpr Documentation matmul{.formula = "a b, each after its transposition; for each pair of the leading axes",
                                      .gradient = "g b', a' g, summed where broadcast"};
inline constexpr Documentation linear{.formula = "x weight' + bias", .gradient = "g weight, g' x, g summed over rows"};

}  // namespace ops::words

}  // namespace autograd
