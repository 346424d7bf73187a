// Linear algebra beyond products of matrices, which are in matmul.hpp: traces, linear systems, determinants, decompositions.
// Matrices are the last two axes of an array; leading axes make a batch of them.
#pragma once

#include <cstddef>

#include "autograd/kernels/lapack.hpp"
#include "autograd/ops/listing.hpp"

namespace XTAPE_API autograd {

/// Of two vectors, (n,) and (m,), the table of all products, (n, m).
/// @throws ShapeError if one is not a vector.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> outer(X<T> a, X<T> b);

/// The scalar products of the vectors along `axis`, counted from the end; the other axes are broadcast.
/// @throws ShapeError if the axis is not negative, is not in both, or has two extents, or the shapes do not broadcast.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> vecdot(X<T> a, X<T> b, std::ptrdiff_t axis = -1);

/// The sum of diagonal(x, offset).
/// @throws ShapeError if x has fewer than two axes.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> trace(X<T> x, std::ptrdiff_t offset = 0);

/// The x with a x = b: a of shape (..., n, n), b (..., n, k), or a vector (n,), which gives x of shape (..., n).
/// Leading axes are broadcast. An infinity or a NaN in a matrix a makes all of its x NaN.
/// @throws ShapeError if the shapes do not fit, Error if a pivot of a is exactly 0. (A matrix that is singular but for
/// rounding gives large numbers and no error.) The gradient decomposes a once for each input.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> solve(X<T> a, X<T> b);

/// The inverse. To multiply by it, solve() is cheaper and more exact. Where one of its elements is beyond all numbers,
/// others may be NaN.
/// @throws ShapeError if a is not square, Error if a pivot is exactly 0.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> inv(X<T> a);

/// The determinant, without the last two axes; 0 of a singular matrix, 1 of an empty one. It is right, and so is its
/// gradient, where products of some of its pivots are beyond all numbers. Its second derivatives are right where the
/// products of any two elements of the inverse are numbers; beyond that they may be infinite or NaN.
/// @throws ShapeError if a is not square. Its gradient at a singular matrix is an Error, as inv's value is.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> det(X<T> a);

/// What slogdet() gives.
template <class X>
struct SlogdetResult {
    X sign;       ///< 1, -1, or 0 for a singular matrix; a constant
    X logabsdet;  ///< log |det a|; minus infinity for a singular matrix
};

/// The sign and the logarithm of the determinant, which itself may be beyond all numbers. No gradient flows into the
/// sign.
/// @throws ShapeError if a is not square. The gradient at a singular matrix is an Error.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] SlogdetResult<X<T>> slogdet(X<T> a);

/// The lower triangular l with l l' = a and a positive diagonal; with `upper`, l' itself. As in JAX, it is the
/// symmetric part (a + a') / 2 that is decomposed, so the gradient is symmetric, and right for every a.
/// @throws ShapeError if a is not square, Error if it is not positive definite.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> cholesky(X<T> a, bool upper = false);

/// What eigh() gives.
template <class X>
struct EighResult {
    X eigenvalues;   ///< (..., n), ascending
    X eigenvectors;  ///< (..., n, n), as columns of length 1
};

/// The eigenvalues and eigenvectors of a symmetric matrix. As in JAX, of the symmetric part (a + a') / 2, so the
/// gradient is symmetric. The sign of an eigenvector is LAPACK's choice: a loss should not depend on it.
/// @throws ShapeError if a is not square, Error if LAPACK does not converge. Gradients and tangents of eigenvectors are
/// an Error where eigenvalues are equal but for rounding: there they do not exist. Gradients of the eigenvalues alone
/// do.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] EighResult<X<T>> eigh(X<T> a);

/// The eigenvalues alone, ascending. Equal ones are no obstacle to a first derivative: each then gets that of the
/// eigenvector which LAPACK chose, so a loss should treat them alike.
/// @throws ShapeError if a is not square, Error if LAPACK does not converge.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> eigvalsh(X<T> a);

// ---- For other ops ----

namespace ops {

/// The x with a x = b, or with a' x = b, where `triangle` is all of a that is read; Triangle::none means the whole of it. b
/// has at least two axes.
/// @throws ShapeError and Error as solve().
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> solve_triangular(X<T> a, X<T> b, kernels::Triangle triangle, bool transposed);

}  // namespace ops

// ---- In words, for the table of ops ----

namespace ops::words {

inline constexpr const char* whole_matrix = "an infinity or a NaN in a matrix makes all of its result NaN";

inline constexpr Documentation outer{.formula = "a_i b_j", .gradient = "g b, g' a"};
inline constexpr Documentation vecdot{.formula = "the sum of a b along an axis", .gradient = "g b, g a"};
inline constexpr Documentation trace{.formula = "the sum of x[..., i, i + offset]", .gradient = "g on the diagonal, else 0"};
inline constexpr Documentation solve{
    .formula = "a^-1 b", .gradient = "-h y' to a, h to b, with h = a'^-1 g", .nan = whole_matrix};
inline constexpr Documentation inv{.formula = "a^-1", .gradient = "-y' g y'", .nan = whole_matrix};
inline constexpr Documentation det{.formula = "the determinant", .gradient = "g y a'^-1", .nan = whole_matrix};
inline constexpr Documentation slogdet{
    .formula = "sign and logarithm of the determinant", .gradient = "none, g a'^-1", .nan = whole_matrix};
inline constexpr Documentation cholesky{
    .formula = "l with l l' = (a + a') / 2",
    .gradient = "l'^-1 phi(l' g) l^-1, symmetrised; phi halves the diagonal of the lower triangle",
    .nan = whole_matrix};
inline constexpr Documentation eigh{.formula = "v, w with v diag(w) v' = (a + a') / 2",
                                    .gradient = "v (diag(gw) + f o (v' gv)) v', symmetrised; f_ij = 1 / (w_j - w_i)",
                                    .kinks = "equal eigenvalues: an Error, unless gv is 0",
                                    .nan = whole_matrix};
inline constexpr Documentation eigvalsh{
    .formula = "the eigenvalues of (a + a') / 2, ascending",
    .gradient = "v diag(g) v'",
    .kinks = "equal eigenvalues: each has the gradient of the vector that LAPACK chose, whose own derivative is an "
             "Error",
    .nan = whole_matrix};

}  // namespace ops::words

}  // namespace autograd
