// Convolutions of floats by oneDNN's primitives, on the calling thread. The layouts that they ask for stay in here.
#pragma once

#include "autograd/kernels/convolution.hpp"

namespace XTAPE_API autograd {
namespace kernels {

/// Whether convolve_by_onednn() has a kernel for this side of it, which it makes: for a caller with a call to make (calls.hpp).
/// @throws Error if oneDNN has no memory for it.
[[nodiscard]] bool onednn_convolves(Side side, const ConvolutionExtents& extents);

/// One side from the two others, each row-major; for onednn_convolves(), and for such a caller.
/// What it needs that depends on extents alone, the thread keeps for the next time.
/// @throws Error if oneDNN has no memory to work in.
void convolve_by_onednn(Side side, float* x, float* y, float* w, const ConvolutionExtents& extents);

}  // namespace kernels
}  // namespace autograd
