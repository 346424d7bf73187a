// Decompositions of single matrices, by the LAPACK that the build names. Knows pointers and extents, and says by its
// results what went wrong; shapes are checked and errors worded by the ops. A matrix with a NaN or an infinity is left
// alone (LAPACK's own loops may not end on one): all of its result is NaN.
#pragma once

#include <cstddef>

#include "autograd/base/language.hpp"

namespace XTAPE_API autograd {
namespace kernels {

/// Which part of a matrix is not 0.
enum class Triangle { none, lower, upper };

/// Pivots are counted from 0.
inline constexpr std::ptrdiff_t no_pivot = -1;

/// x (n x columns) with a x = b, or a' x = b. A triangular matrix is solved by substitution, and its other part not
/// read. Returns the pivot that is exactly 0, if one is: then there is no x.
template <class T>
std::ptrdiff_t solve(T* x, const T* a, const T* b, std::size_t n, std::size_t columns, Triangle triangle, bool transposed);

/// The inverse. Returns the pivot that is exactly 0, if one is.
template <class T>
std::ptrdiff_t invert(T* inverse, const T* a, std::size_t n);

/// sign * mantissa * 2^exponent, the mantissa in [1/2, 1): the product of some pivots may be beyond all numbers where
/// that of all is one. Of a singular matrix the sign and the mantissa are 0, the logarithm -infinity.
template <class T>
struct Determinant {
    T sign, mantissa;
    int exponent;
    T logarithm;
};
template <class T>
Determinant<T> determinant(const T* a, std::size_t n);

/// The lower triangular factor l, l l' = (a + a') / 2, with zeros above the diagonal. Returns the pivot that is not
/// positive, if one is.
template <class T>
std::ptrdiff_t cholesky(T* l, const T* a, std::size_t n);

/// The eigenvalues of (a + a') / 2 in ascending order, and its eigenvectors as columns, if `vectors` is not null. False
/// if the iteration did not converge.
template <class T>
bool eigh(T* values, T* vectors, const T* a, std::size_t n);

}  // namespace kernels
}  // namespace autograd
