// Windows that slide over pictures: copying all of them out (im2col), and adding them back. What is computed with them,
// convolutions and pooling, are products and maxima elsewhere.
#pragma once

#include <cstddef>

#include "autograd/base/language.hpp"

namespace XTAPE_API autograd {
namespace kernels {

/// A window's places on one axis: `count` windows of `size` elements which are `dilation` apart, the first of them
/// `padding` before the axis, the next ones each `stride` further.
struct WindowAxis {
    std::size_t extent, size, count, stride, padding, dilation;
};

/// columns[plane, i, j, y, x] = element (i, j) of the window (y, x) of picture `plane`, 0 where it lies outside.
/// Pictures are rows.extent x columns.extent.
template <class T>
void unfold(T* windows, const T* pictures, std::size_t planes, const WindowAxis& rows, const WindowAxis& columns);

/// The adjoint: each element of a window is added to the picture that it would have come from. What is added up at one
/// place is rounded as by terms_in_sequence additions, however many windows share it (running_sum.hpp).
template <class T>
void fold_add(T* pictures, const T* windows, std::size_t planes, const WindowAxis& rows, const WindowAxis& columns);

}  // namespace kernels
}  // namespace autograd
