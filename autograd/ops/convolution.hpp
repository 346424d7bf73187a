// Convolutions and pooling of pictures, (rows, channels, height, width). Pooling is composed of unfold, which copies every
// window out into a column of a matrix: the columns hold every element once for each window that it is in. The layers, which
// have parameters, are in nn/conv.hpp.
#pragma once

#include <concepts>
#include <cstddef>

#include "autograd/ops/shape.hpp"

namespace XTAPE_API autograd {

/// A height and a width; of one number, both.
struct Size2d {
    std::size_t height, width;

    constexpr Size2d(std::size_t both) : height(both), width(both) {}
    constexpr Size2d(std::size_t height_, std::size_t width_) : height(height_), width(width_) {}
};

/// How windows slide: {.stride = 2, .padding = {1, 2}}. PyTorch's meaning of each.
struct Sliding {
    Size2d stride = 1;    ///< from one window to the next
    Size2d padding = 0;   ///< of zeros, at each border
    Size2d dilation = 1;  ///< the distance of a window's neighbouring elements
};

/// How conv2d slides its windows, and which channels it adds up. stride, padding and dilation are Sliding's.
struct Convolution {
    Size2d stride = 1;
    Size2d padding = 0;
    Size2d dilation = 1;
    std::size_t groups = 1;  ///< parts of the channels which know nothing of each other
};

/// Those of the conv2d that conv_transpose2d is the adjoint of: stride, padding, dilation and groups are Convolution's.
struct TransposedConvolution {
    Size2d stride = 1;
    Size2d padding = 0;
    Size2d output_padding = 0;  ///< additional rows and columns, at the bottom and on the right
    Size2d dilation = 1;
    std::size_t groups = 1;
};

/// How pooling slides its windows. A stride of 0 is the kernel's size; padding lies at each border.
struct Pooling {
    Size2d stride = 0;
    Size2d padding = 0;
};

/// Every window of pictures (rows, channels, height, width) as a column: (rows, channels * kernel height * kernel
/// width, windows). (PyTorch's nn.functional.unfold; im2col.)
/// @throws ShapeError if x is not of rank 4 or no window fits into it.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> unfold(X<T> x, Size2d kernel, const Sliding& sliding = {});

/// The adjoint of unfold: columns added up to pictures of shape (rows, channels, height, width). (PyTorch's
/// nn.functional.fold; col2im.)
/// @throws ShapeError if x has not the shape that unfold makes of such pictures.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> fold(X<T> x, const Shape& pictures, Size2d kernel, const Sliding& sliding = {});

/// The cross-correlation of pictures (rows, channels, height, width) with a weight (outputs, channels / groups, kernel
/// height, kernel width): (rows, outputs, windows down, windows across). Padding counts as zeros do: times infinity it is NaN.
/// @throws ShapeError if the shapes do not fit, or no window fits into the pictures.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> conv2d(X<T> x, X<T> weight, const Convolution& options = {});
/// With a bias (outputs,). Its type is deduced apart, so that {} in this place stands for options.
template <template <class> class X, class T, std::same_as<X<T>> Bias>
requires Operand<X<T>>
[[nodiscard]] X<T> conv2d(X<T> x, X<T> weight, Bias bias, const Convolution& options = {});

/// The adjoint of conv2d in its pictures: of pictures (rows, channels, height, width) and a weight (channels, outputs /
/// groups, kernel height, kernel width).
/// @throws ShapeError if the shapes do not fit, or the output padding is neither below the stride nor below the
/// dilation.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> conv_transpose2d(X<T> x, X<T> weight, const TransposedConvolution& options = {});
/// With a bias (outputs,). Its type is deduced apart, so that {} in this place stands for options.
template <template <class> class X, class T, std::same_as<X<T>> Bias>
requires Operand<X<T>>
[[nodiscard]] X<T> conv_transpose2d(X<T> x, X<T> weight, Bias bias, const TransposedConvolution& options = {});

/// The adjoint of conv2d in its weight, an array of shape `weight`: of pictures x (rows, channels, height, width), and of y
/// with the shape that conv2d makes of them. (PyTorch's nn.grad.conv2d_weight.)
/// @throws ShapeError if conv2d refuses such a weight, or y has another shape.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> conv2d_weight(X<T> x, const Shape& weight, X<T> y, const Convolution& options = {});

/// The largest element of each window, NaN if one is; what lies outside the pictures does not count. Elements that
/// share a maximum share its gradient equally. It needs the memory of unfold(x) until the backward sweep has passed.
/// @throws ShapeError if x is not of rank 4, no window fits, or the padding is more than half of the kernel.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> max_pool2d(X<T> x, Size2d kernel, const Pooling& options = {});

/// The mean of each window; zeros of the padding count, as in PyTorch by default. It needs the memory of unfold(x)
/// until it has been computed.
/// @throws ShapeError as max_pool2d.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> avg_pool2d(X<T> x, Size2d kernel, const Pooling& options = {});

// ---- For other ops ----

namespace ops {

/// For layers, which know these before there are pictures.
/// @throws ShapeError naming `op` for a stride or a dilation of 0, no groups, or numbers that are negative or beyond 2^30.
void require_options(const Convolution& options, const char* op);
/// Also for an output padding that is neither below the stride nor below the dilation.
void require_options(const TransposedConvolution& options, const char* op);

}  // namespace ops

// ---- In words, for the table of ops ----

namespace ops::words {

inline constexpr Documentation unfold{.formula = "every window as a column", .gradient = "fold(g)"};
inline constexpr Documentation fold{.formula = "windows added up to pictures", .gradient = "unfold(g)"};
inline constexpr Documentation conv2d{.formula = "y[n, o, i, j] = sum of w[o, c, p, q] x[n, c, i + p, j + q]",
                                      .gradient = "conv_transpose2d(g, w), conv2d_weight(x, g)"};
inline constexpr Documentation conv_transpose2d{.formula = "y[n, o, i + p, j + q] = sum of w[c, o, p, q] x[n, c, i, j]",
                                                .gradient = "conv2d(g, w), conv2d_weight(g, x)"};
inline constexpr Documentation conv2d_weight{.formula = "w[o, c, p, q] = sum of y[n, o, i, j] x[n, c, i + p, j + q]",
                                             .gradient = "conv_transpose2d(y, g), conv2d(x, g)"};
inline constexpr Documentation max_pool2d{.formula = "the largest element of each window",
                                          .gradient = "g to the largest",
                                          .kinks = "elements which share the maximum share g equally"};
inline constexpr Documentation avg_pool2d{.formula = "the mean of each window, with the zeros of the padding",
                                          .gradient = "g / n to each"};

}  // namespace ops::words

}  // namespace autograd
