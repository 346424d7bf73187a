// The three sides of a convolution: of pictures, a weight and outputs each from the other two. By oneDNN where it has a kernel
// that is not a plain loop, else as products with copied windows; both a few pictures at a time, which threads share. Knows
// pointers and extents; the ops are in ops/convolution.hpp. What lies outside of the pictures is 0, and counts
// as other zeros do: times infinity it is NaN.
#pragma once

#include <cstddef>

#include "autograd/kernels/windows.hpp"

namespace XTAPE_API autograd {
namespace kernels {

/// `pictures` of `channels` planes, each rows.extent x columns.extent; a weight (outputs, channels / groups, rows.size,
/// columns.size); and outputs, `pictures` times `outputs` planes of rows.count x columns.count. Arrays are row-major. No
/// extent is 0.
struct ConvolutionExtents {
    std::size_t pictures, channels, outputs, groups;
    WindowAxis rows, columns;

    std::size_t picture_size() const { return channels * rows.extent * columns.extent; }
    std::size_t output_size() const { return outputs * rows.count * columns.count; }
    std::size_t weight_size() const { return outputs * (channels / groups) * rows.size * columns.size; }
};

/// One of the three, of which the two others make it.
enum class Side { outputs, pictures, weight };

/// y[n, o, i, j] = sum over c, p, q of w[o, c, p, q] x[n, c, place of (p, q) in the window (i, j)], + bias[o] where there is
/// one.
template <class T>
void convolve(T* y, const T* x, const T* w, const T* bias, const ConvolutionExtents& extents);

/// The adjoint in x: x = the sum of all that y sends back, + bias[c] where there is one.
template <class T>
void convolve_to_pictures(T* x, const T* y, const T* w, const T* bias, const ConvolutionExtents& extents);

/// The adjoint in w. Sums over many pictures are pairwise.
template <class T>
void convolve_to_weight(T* w, const T* x, const T* y, const ConvolutionExtents& extents);

/// planes[n, c, all of `size`] += bias[c].
template <class T>
void add_to_planes(T* planes, const T* bias, std::size_t pictures, std::size_t channels, std::size_t size);

}  // namespace kernels
}  // namespace autograd
