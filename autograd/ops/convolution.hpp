// Convolutions and pooling of pictures, (rows, channels, height, width). One pair of linear ops does the work: unfold
// copies every window out into a column of a matrix, fold adds such columns back. The rest is composed of this pair, of
// products and maxima, and so has its gradients, of all orders, from them. The price is memory: the columns hold every
// element once for each window that it is in, 9 times for windows of 3 x 3.
#pragma once

#include <concepts>
#include <cstddef>

#include "autograd/ops/constant.hpp"
#include "autograd/ops/matmul.hpp"

namespace autograd {

/// A height and a width; of one number, both.
struct Size2d {
    std::size_t height, width;

    constexpr Size2d(std::size_t both) : height(both), width(both) {}
    constexpr Size2d(std::size_t height_, std::size_t width_) : height(height_), width(width_) {}
};

/// How windows slide: {.stride = 2, .padding = {1, 2}}. PyTorch's meaning of each.
struct Sliding {
    Size2d stride = 1;
    Size2d padding = 0;   ///< of zeros, at each border
    Size2d dilation = 1;  ///< the distance of a window's neighbouring elements
};

struct Convolution {
    Size2d stride = 1;
    Size2d padding = 0;
    Size2d dilation = 1;
    std::size_t groups = 1;  ///< parts of the channels which know nothing of each other
};

struct TransposedConvolution {
    Size2d stride = 1;
    Size2d padding = 0;
    Size2d output_padding = 0;  ///< additional rows and columns, at the bottom and on the right
    Size2d dilation = 1;
    std::size_t groups = 1;
};

/// Of pooling; a stride of 0 is the kernel's size.
struct Pooling {
    Size2d stride = 0;
    Size2d padding = 0;
};

namespace ops {

/// Windows of pictures of a certain shape.
struct Windows {
    Shape pictures;  ///< (rows, channels, height, width)
    Size2d kernel;
    Sliding sliding;
    Size2d count;  ///< of windows
    std::size_t groups = 1;

    /// @throws ShapeError naming `op` if the shape is not of rank 4, no window fits, or the columns are too large.
    static Windows of(const Shape& pictures, Size2d kernel, const Sliding& sliding, const char* op);

    std::size_t elements() const { return kernel.height * kernel.width; }
    std::size_t places() const { return count.height * count.width; }
    /// (rows, channels * elements, places), or with groups (rows, groups, channels / groups * elements, places).
    Shape columns() const;
    /// (rows, channels, elements, places).
    Shape columns_of_channels() const { return {pictures[0], pictures[1], elements(), places()}; }
};

struct Unfold {
    static constexpr const char* name = "unfold";
    static constexpr bool linear = true;
    Windows windows;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const;
};

struct Fold {
    static constexpr const char* name = "fold";
    static constexpr bool linear = true;
    Windows windows;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class T>
    void add_to(Array<T>& target, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const {
        return apply(Unfold{windows}, g);
    }
};

template <class X>
X Unfold::gradient(InputIndex<0>, const X& g, const X&, const X&) const {
    return apply(Fold{windows}, g);
}

/// For layers, which know these before there are pictures.
/// @throws ShapeError naming `op` for a stride or a dilation of 0, no groups, or numbers that are negative or beyond 2^30.
void require_options(const Convolution& options, const char* op);
/// Also for an output padding that is neither below the stride nor below the dilation.
void require_options(const TransposedConvolution& options, const char* op);

/// The windows of conv2d. @throws ShapeError as conv2d does; `bias` may be null.
[[nodiscard]] Windows convolution_windows(const Shape& x, const Shape& weight, const Shape* bias, const Convolution& options);
/// Those of the pictures that conv_transpose2d makes.
[[nodiscard]] Windows transposed_windows(const Shape& x, const Shape& weight, const Shape* bias,
                           const TransposedConvolution& options);
/// Those of pooling.
[[nodiscard]] Windows pooling_windows(const Shape& x, Size2d kernel, const Pooling& options, const char* op);
/// Which elements of windows lie in the picture, (1, 1, elements, places).
template <class T>
[[nodiscard]] Array<T> inside_pictures(const Windows& windows);

/// The largest element of each window of padded pictures, of columns (rows, channels, elements, places). What lies
/// outside the pictures is less than -infinity, which shares no maximum with it.
struct WindowMax : Extreme {
    static constexpr const char* name = "max_pool2d";
    Windows windows;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0> input, const X& g, const X& x, const X& y) const {
        return Extreme::gradient(input, g, inside(x, not_a_number), y);
    }
    template <class X>
    X tangent(InputIndex<0> input, const X& t, const X& x, const X& y) const {
        return Extreme::tangent(input, t, inside(x, not_a_number), y);
    }

   private:
    /// x with `outside` in place of the padding. A NaN there equals no maximum.
    template <class X>
    X inside(const X& x, double outside) const {
        return where(detail::constant_like(x, inside_pictures<typename X::Element>(windows)), x, outside);
    }
};

}  // namespace ops

namespace detail {

template <class X>
[[nodiscard]] X convolve(const X& x, const X& weight, const ops::Windows& windows) {
    const std::size_t outputs = weight.shape()[0], groups = windows.groups,
                      depth = windows.columns()[groups == 1 ? 1 : 2];
    const X matrix = reshape(weight, groups == 1 ? Shape{outputs, depth} : Shape{groups, outputs / groups, depth});
    const X y = matmul(matrix, apply(ops::Unfold{windows}, x));
    return reshape(y, {x.shape()[0], outputs, windows.count.height, windows.count.width});
}

template <class X>
[[nodiscard]] X convolve_transposed(const X& x, const X& weight, const ops::Windows& windows) {
    const std::size_t rows = x.shape()[0], inputs = x.shape()[1], groups = windows.groups;
    const std::size_t depth = windows.columns()[groups == 1 ? 1 : 2];
    const X matrix = reshape(weight, groups == 1 ? Shape{inputs, depth} : Shape{groups, inputs / groups, depth});
    const X vectors = reshape(x, groups == 1 ? Shape{rows, inputs, windows.places()}
                                             : Shape{rows, groups, inputs / groups, windows.places()});
    return apply(ops::Fold{windows}, matmul(matrix, vectors, {.a = true}));
}

template <class X>
[[nodiscard]] X add_channels(const X& y, const X& bias) {
    return y + reshape(bias, {1, bias.shape()[0], 1, 1});
}

/// The windows of each channel by itself, (rows, channels, elements, places).
template <class X>
[[nodiscard]] X windows_of_channels(const X& x, const ops::Windows& windows) {
    return reshape(apply(ops::Unfold{windows}, x), windows.columns_of_channels());
}

}  // namespace detail

/// Every window of pictures (rows, channels, height, width) as a column: (rows, channels * kernel height * kernel
/// width, windows). (PyTorch's nn.functional.unfold; im2col.)
/// @throws ShapeError if x is not of rank 4 or no window fits into it.
template <Operand X>
[[nodiscard]] X unfold(const X& x, Size2d kernel, const Sliding& sliding = {}) {
    const auto windows = [&] { return ops::Windows::of(x.shape(), kernel, sliding, "unfold"); };
    return apply(ops::Unfold{detail::with_context_of("unfold", windows, x)}, x);
}

/// The adjoint of unfold: columns added up to pictures of shape (rows, channels, height, width). (PyTorch's
/// nn.functional.fold; col2im.)
/// @throws ShapeError if x has not the shape that unfold makes of such pictures.
template <Operand X>
[[nodiscard]] X fold(const X& x, const Shape& pictures, Size2d kernel, const Sliding& sliding = {}) {
    const auto windows = [&] { return ops::Windows::of(pictures, kernel, sliding, "fold"); };
    return apply(ops::Fold{detail::with_context_of("fold", windows, x)}, x);
}

/// The cross-correlation of pictures (rows, channels, height, width) with a weight (outputs, channels / groups, kernel
/// height, kernel width). It needs the memory of unfold(x) until the backward sweep has passed.
/// @throws ShapeError if the shapes do not fit, or no window fits into the pictures.
template <Operand X>
[[nodiscard]] X conv2d(const X& x, const X& weight, const Convolution& options = {}) {
    const auto convolved = [&] {
        return detail::convolve(x, weight, ops::convolution_windows(x.shape(), weight.shape(), nullptr, options));
    };
    return detail::with_context_of("conv2d", convolved, x, weight);
}
/// The same, and a bias (outputs,).
template <Operand X, std::same_as<X> Bias>
[[nodiscard]] X conv2d(const X& x, const X& weight, const Bias& bias, const Convolution& options = {}) {
    const auto convolved = [&] {
        const auto windows = ops::convolution_windows(x.shape(), weight.shape(), &bias.shape(), options);
        return detail::add_channels(detail::convolve(x, weight, windows), bias);
    };
    return detail::with_context_of("conv2d", convolved, x, weight, bias);
}

/// The adjoint of conv2d in its pictures: of pictures (rows, channels, height, width) and a weight (channels, outputs /
/// groups, kernel height, kernel width). It needs the memory of unfold of its result.
/// @throws ShapeError if the shapes do not fit, or the output padding is neither below the stride nor below the
/// dilation.
template <Operand X>
[[nodiscard]] X conv_transpose2d(const X& x, const X& weight, const TransposedConvolution& options = {}) {
    const auto convolved = [&] {
        return detail::convolve_transposed(x, weight,
                                           ops::transposed_windows(x.shape(), weight.shape(), nullptr, options));
    };
    return detail::with_context_of("conv_transpose2d", convolved, x, weight);
}
/// The same, and a bias (outputs,).
template <Operand X, std::same_as<X> Bias>
[[nodiscard]] X conv_transpose2d(const X& x, const X& weight, const Bias& bias, const TransposedConvolution& options = {}) {
    const auto convolved = [&] {
        const auto windows = ops::transposed_windows(x.shape(), weight.shape(), &bias.shape(), options);
        return detail::add_channels(detail::convolve_transposed(x, weight, windows), bias);
    };
    return detail::with_context_of("conv_transpose2d", convolved, x, weight, bias);
}

/// The largest element of each window, NaN if one is; what lies outside the pictures does not count. Elements that
/// share a maximum share its gradient equally. It needs the memory of unfold(x) until the backward sweep has passed.
/// @throws ShapeError if x is not of rank 4, no window fits, or the padding is more than half of the kernel.
template <Operand X>
[[nodiscard]] X max_pool2d(const X& x, Size2d kernel, const Pooling& options = {}) {
    const auto pooled = [&] {
        const auto windows = ops::pooling_windows(x.shape(), kernel, options, "max_pool2d");
        const X elements = detail::windows_of_channels(x, windows);
        const bool padded = options.padding.height > 0 || options.padding.width > 0;
        const ops::WindowMax of_padded{{ops::Reduction::of(elements, 2, KeepDims::no, "max_pool2d")}, windows};
        return reshape(padded ? apply(of_padded, elements) : max(elements, 2),
                       {x.shape()[0], x.shape()[1], windows.count.height, windows.count.width});
    };
    return detail::with_context_of("max_pool2d", pooled, x);
}

/// The mean of each window; zeros of the padding count, as in PyTorch by default. It needs the memory of unfold(x)
/// until it has been computed.
/// @throws ShapeError as max_pool2d.
template <Operand X>
[[nodiscard]] X avg_pool2d(const X& x, Size2d kernel, const Pooling& options = {}) {
    const auto pooled = [&] {
        const auto windows = ops::pooling_windows(x.shape(), kernel, options, "avg_pool2d");
        return reshape(mean(detail::windows_of_channels(x, windows), 2),
                       {x.shape()[0], x.shape()[1], windows.count.height, windows.count.width});
    };
    return detail::with_context_of("avg_pool2d", pooled, x);
}

#define XTAPE_CONVOLUTION_STRUCTURES(OP) \
    OP(Unfold, 1) OP(Fold, 1) OP(WindowMax, 1)
XTAPE_CONVOLUTION_STRUCTURES(XTAPE_DECLARE_STRUCTURE)

}  // namespace autograd
