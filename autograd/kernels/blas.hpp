// Matrix products, by OpenBLAS. Knows pointers and extents; shapes are checked by the ops.
#pragma once

#include <cstddef>

namespace autograd::kernels {

/// A row-major matrix in memory; `transposed` says that its transpose is meant.
template <class T>
struct Matrix {
    const T* data;
    std::size_t columns;  ///< of the matrix as it lies in memory
    bool transposed;
};

/// out (rows x columns) = a * b + (accumulate ? out : 0), with `inner` the extent that is summed over.
/// @throws ShapeError if an extent is beyond what BLAS can count, 2^31 - 1.
template <class T>
void gemm(T* out, std::size_t rows, std::size_t columns, std::size_t inner, Matrix<T> a, Matrix<T> b, bool accumulate);

}  // namespace autograd::kernels
