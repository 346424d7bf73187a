// Matrix products, by the library that is the quickest for them. Knows pointers and extents; shapes are checked by the ops.
// Sums over a long inner extent, and of many products, are pairwise.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "autograd/base/threads.hpp"

namespace XTAPE_API autograd {
namespace kernels {

/// A row-major matrix in memory; `transposed` says that its transpose is meant.
template <class T>
struct Matrix {
    const T* data;
    std::size_t columns;  ///< of the matrix as it lies in memory
    bool transposed;
};

/// out (rows x columns) = a * b + (accumulate ? out : 0), with `inner` the extent that is summed over. At most `threads` share
/// it: one, for who computes a share of something larger.
/// @throws ShapeError if an extent is beyond what BLAS can count, 2^31 - 1; Error if the address space has no room for
/// what the library works in.
template <class T>
void gemm(T* out, std::size_t rows, std::size_t columns, std::size_t inner, Matrix<T> a, Matrix<T> b, bool accumulate,
          std::size_t threads = static_cast<std::size_t>(num_threads()));

/// Where one product of several reads its factors and writes its result, in elements from the first.
struct BatchOffsets {
    std::size_t out, a, b;
};

/// gemm() for each of `batches`. Where `shared_results`, several products may be added up at one place: then `out` is
/// filled with what they are added to, and `accumulate` is true.
/// @throws ShapeError as gemm does.
template <class T>
void gemm_batched(T* out, std::size_t rows, std::size_t columns, std::size_t inner, Matrix<T> a, Matrix<T> b, bool accumulate,
                  std::span<const BatchOffsets> batches, bool shared_results,
                  std::size_t threads = static_cast<std::size_t>(num_threads()));

/// The BLAS that multiplies what oneDNN does not: its name, version and kernels, as far as it tells them.
[[nodiscard]] std::string blas_in_words();

}  // namespace kernels
}  // namespace autograd
