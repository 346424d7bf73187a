// Products of matrices of floats by oneDNN, which makes its kernels for the processor that is there. What it needs of its
// headers stays in onednn.cpp and onednn_convolution.cpp; where CMake did not find it, nothing is by oneDNN.
#pragma once

#include <cstddef>
#include <string>

#include "autograd/base/language.hpp"

namespace XTAPE_API autograd {
namespace kernels {

/// Whether this process leaves work to oneDNN: it is linked, the processor has AVX2 at least, below which OpenBLAS was as
/// quick or quicker, and its calls can be held to the thread that makes them. For a caller with a call to make (calls.hpp):
/// oneDNN is asked.
[[nodiscard]] bool uses_onednn();
/// Whether that is to be so of all products of floats, whatever the processor and however small (XTAPE_BLAS=onednn).
[[nodiscard]] bool onednn_takes_all();

/// "oneDNN 2.6.0 (AVX-512)"; for uses_onednn().
[[nodiscard]] std::string onednn_in_words();

/// c (m x n, rows `ldc` apart) = a b + beta c, by rows, on the calling thread, which has a call to make (calls.hpp).
/// @throws Error if it has no memory to work in.
void onednn_sgemm(bool transpose_a, bool transpose_b, std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const float* a,
                  std::ptrdiff_t lda, const float* b, std::ptrdiff_t ldb, float beta, float* c, std::ptrdiff_t ldc);

/// To be called before oneDNN makes a kernel: it ends the process where it has no memory for that.
/// @throws Error if there is none.
void require_room_for_onednn();

/// To be called once oneDNN has made the first of its kernels of a kind, which are static objects. Where a thread other than
/// that of main() ends the process, or a library is unloaded, calls are over before these are destroyed.
void watch_other_ends_of_onednn();

}  // namespace kernels
}  // namespace autograd
