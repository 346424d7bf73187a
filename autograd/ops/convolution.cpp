// Convolutions and pooling, a block each. The pair unfold and fold has its values by kernels/windows.hpp, the convolutions
// theirs by kernels/convolution.hpp; pooling is composed of windows and maxima, and has its gradients, of all orders, from
// them.
#include "autograd/ops/convolution.hpp"

#include <algorithm>
#include <string>

#include "autograd/kernels/convolution.hpp"
#include "autograd/kernels/windows.hpp"
#include "autograd/ops/constant.hpp"
#include "autograd/ops/picking.hpp"
#include "autograd/ops/reductions.hpp"

namespace autograd {

using detail::with_context_of;

// ---- Options ----

namespace {

std::string text_of(Size2d size) { return as_written(size.height) + " x " + as_written(size.width); }

/// Sizes beyond this would make the arithmetic on shapes overflow.
constexpr std::size_t largest = std::size_t{1} << 30;

void require_reasonable(Size2d size, std::size_t least, const char* what, const char* op) {
    const auto fits = [&](std::size_t each) { return least <= each && each <= largest; };
    if (fits(size.height) && fits(size.width)) return;
    throw ShapeError(std::string(op) + ": " + what + " of " + text_of(size) + " is not possible");
}

void require_sliding(const Sliding& sliding, const char* op) {
    require_reasonable(sliding.stride, 1, "a stride", op);
    require_reasonable(sliding.padding, 0, "a padding", op);
    require_reasonable(sliding.dilation, 1, "a dilation", op);
}

void require_groups(std::size_t groups, const char* op) {
    if (1 <= groups && groups <= largest) return;
    throw ShapeError(std::string(op) + ": " + as_written(groups) + " groups are not possible");
}

}  // namespace

void ops::require_options(const Convolution& options, const char* op) {
    require_sliding({options.stride, options.padding, options.dilation}, op);
    require_groups(options.groups, op);
}

void ops::require_options(const TransposedConvolution& options, const char* op) {
    require_sliding({options.stride, options.padding, options.dilation}, op);
    require_groups(options.groups, op);
    const Size2d extra = options.output_padding;
    if (extra.height >= std::max(options.stride.height, options.dilation.height) ||
        extra.width >= std::max(options.stride.width, options.dilation.width)) {
        throw ShapeError(std::string(op) + ": an output padding of " + text_of(extra) + " must be smaller than the stride, " +
                         text_of(options.stride) + ", or the dilation, " + text_of(options.dilation));
    }
}

// ---- unfold, and fold, its adjoint ----

namespace {

/// Windows of pictures of a certain shape.
struct Windows {
    static constexpr const char* name = "unfold";
    static constexpr const char* adjoint_name = "fold";

    Shape pictures;  ///< (rows, channels, height, width)
    Size2d kernel;
    Sliding sliding;
    Size2d count;  ///< of windows

    /// @throws ShapeError naming `op` if the shape is not of rank 4, no window fits, or the columns are too large.
    static Windows of(const Shape& pictures, Size2d kernel, const Sliding& sliding, const char* op);

    std::size_t elements() const { return kernel.height * kernel.width; }
    std::size_t places() const { return count.height * count.width; }
    /// (rows, channels * elements, places).
    Shape columns() const { return {pictures[0], pictures[1] * elements(), places()}; }
    /// (rows, channels, elements, places).
    Shape columns_of_channels() const { return {pictures[0], pictures[1], elements(), places()}; }

    Shape shape_from(const Shape& shape) const {
        ops::require_input(shape, pictures);
        return columns();
    }
    template <class T>
    void pick(Array<T>& out, const Array<T>& x) const {
        kernels::unfold(out.data(), x.data(), pictures[0] * pictures[1], vertical(), horizontal());
    }
    template <class T>
    void put_back(Array<T>& target, const Array<T>& x) const {
        kernels::fold_add(target.data(), x.data(), pictures[0] * pictures[1], vertical(), horizontal());
    }

    kernels::WindowAxis vertical() const {
        return {pictures[2],           kernel.height,          count.height,
                sliding.stride.height, sliding.padding.height, sliding.dilation.height};
    }
    kernels::WindowAxis horizontal() const {
        return {pictures[3], kernel.width, count.width, sliding.stride.width, sliding.padding.width, sliding.dilation.width};
    }
};

void require_pictures(const Shape& shape, const char* op) {
    if (shape.size() == 4) return;
    throw ShapeError(std::string(op) + ": pictures (rows, channels, height, width) are wanted, not shape " + to_string(shape));
}

/// The number of windows on one axis; 0 if none fits.
std::size_t windows_on(std::size_t extent, std::size_t kernel, std::size_t stride, std::size_t padding, std::size_t dilation) {
    const std::size_t padded = extent + 2 * padding, span = dilation * (kernel - 1) + 1;
    return padded < span ? 0 : (padded - span) / stride + 1;
}

Windows Windows::of(const Shape& pictures, Size2d kernel, const Sliding& sliding, const char* op) {
    require_pictures(pictures, op);
    require_reasonable({pictures[2], pictures[3]}, 0, "a picture", op);
    require_reasonable(kernel, 1, "a kernel", op);
    require_sliding(sliding, op);
    const Size2d count(
        windows_on(pictures[2], kernel.height, sliding.stride.height, sliding.padding.height, sliding.dilation.height),
        windows_on(pictures[3], kernel.width, sliding.stride.width, sliding.padding.width, sliding.dilation.width));
    if (count.height == 0 || count.width == 0) {
        throw ShapeError(std::string(op) + ": no window of " + text_of(kernel) + " fits into pictures of shape " +
                         to_string(pictures) + " with a padding of " + text_of(sliding.padding) + " and a dilation of " +
                         text_of(sliding.dilation));
    }
    // Their product is within the bounds of sizes, and so is that of any of them.
    static_cast<void>(element_count({pictures[0], pictures[1], kernel.height, kernel.width, count.height, count.width}));
    return {pictures, kernel, sliding, count};
}

template <Operand X>
X unfolded(const X& x, const Windows& windows) {
    return apply(ops::Pick<Windows>{windows}, x);
}
template <Operand X>
X folded(const X& x, const Windows& windows) {
    return apply(ops::PutBack<Windows>{windows, windows.pictures}, x);
}

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> unfold(X<T> x, Size2d kernel, const Sliding& sliding) {
    const auto windows = [&] { return Windows::of(x.shape(), kernel, sliding, "unfold"); };
    return unfolded(x, with_context_of("unfold", windows, x));
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> fold(X<T> x, const Shape& pictures, Size2d kernel, const Sliding& sliding) {
    const auto fitting = [&] {
        const Windows windows = Windows::of(pictures, kernel, sliding, "fold");
        if (x.shape() != windows.columns()) {
            throw ShapeError("columns of shape " + to_string(windows.columns()) + " make pictures of shape " +
                             to_string(windows.pictures) + ", not those of shape " + to_string(x.shape()));
        }
        return windows;
    };
    return folded(x, with_context_of("fold", fitting, x));
}

// ---- conv2d, conv_transpose2d and conv2d_weight ----

namespace {

/// @throws ShapeError if the weight or the bias does not fit to the pictures.
void require_weight(const Shape& x, const Shape& weight, const Shape* bias, std::size_t groups, bool transposed,
                    const char* op) {
    require_pictures(x, op);
    const auto refuse = [&](const std::string& why) {
        throw ShapeError(std::string(op) + ": pictures of shape " + to_string(x) + " and a weight of shape " +
                         to_string(weight) + ": " + why);
    };
    if (weight.size() != 4) refuse("the weight must be of rank 4");
    require_reasonable({weight[0], weight[1]}, 0, "a weight for numbers of channels", op);
    require_groups(groups, op);
    const std::string in_groups = groups == 1 ? "" : " in " + std::to_string(groups) + " groups";
    if (x[1] % groups != 0 || weight[0] % groups != 0) {
        refuse("channels cannot be parted into " + std::to_string(groups) + " groups");
    }
    const std::size_t channels = transposed ? weight[0] : weight[1] * groups;
    if (channels != x[1]) {
        refuse("the weight takes " + std::to_string(channels) + " channels" + in_groups + ", the pictures have " +
               std::to_string(x[1]));
    }
    const std::size_t outputs = transposed ? weight[1] * groups : weight[0];
    if (bias != nullptr && *bias != Shape{outputs}) {
        refuse("the bias must have shape " + to_string(Shape{outputs}) + ", not " + to_string(*bias));
    }
}

using kernels::Side;

/// A convolution's three arrays: pictures, outputs, and a weight.
struct Convolved {
    Windows windows;  ///< of the pictures
    std::size_t outputs, groups;

    Shape shape_of(Side side) const {
        if (side == Side::pictures) return windows.pictures;
        if (side == Side::outputs) return {windows.pictures[0], outputs, windows.count.height, windows.count.width};
        return {outputs, windows.pictures[1] / groups, windows.kernel.height, windows.kernel.width};
    }
    /// The side that is wanted, recorded, from two others.
    template <Side wanted, class X>
    X side(Side one, const X& of_one, const X& of_other) const;
    kernels::ConvolutionExtents extents() const {
        return {windows.pictures[0], windows.pictures[1], outputs, groups, windows.vertical(), windows.horizontal()};
    }
};

/// Of conv2d; `bias` may be null.
/// @throws ShapeError as conv2d does.
Convolved convolution_of(const Shape& x, const Shape& weight, const Shape* bias, const Convolution& options) {
    require_weight(x, weight, bias, options.groups, false, "conv2d");
    return {Windows::of(x, {weight[2], weight[3]}, {options.stride, options.padding, options.dilation}, "conv2d"), weight[0],
            options.groups};
}

/// Of conv_transpose2d, whose pictures are what it makes; `bias` may be null.
/// @throws ShapeError as conv_transpose2d does.
Convolved transposed_convolution_of(const Shape& x, const Shape& weight, const Shape* bias,
                                    const TransposedConvolution& options) {
    constexpr const char* op = "conv_transpose2d";
    require_weight(x, weight, bias, options.groups, true, op);
    require_reasonable({x[2], x[3]}, 1, "a picture", op);
    require_reasonable({weight[2], weight[3]}, 1, "a kernel", op);
    ops::require_options(options, op);
    const Size2d extra = options.output_padding;
    const auto made = [&](std::size_t extent, std::size_t kernel, std::size_t stride, std::size_t padding, std::size_t dilation,
                          std::size_t more) {
        const std::size_t whole = (extent - 1) * stride + dilation * (kernel - 1) + 1 + more;
        if (whole <= 2 * padding) {
            throw ShapeError(std::string(op) + ": pictures of shape " + to_string(x) + " and a weight of shape " +
                             to_string(weight) + ": a padding of " + text_of(options.padding) + " leaves nothing");
        }
        return whole - 2 * padding;
    };
    const Shape pictures{
        x[0], weight[1] * options.groups,
        made(x[2], weight[2], options.stride.height, options.padding.height, options.dilation.height, extra.height),
        made(x[3], weight[3], options.stride.width, options.padding.width, options.dilation.width, extra.width)};
    static_cast<void>(element_count({pictures[0], pictures[1], weight[2], weight[3], x[2], x[3]}));
    require_reasonable({pictures[2], pictures[3]}, 1, "a picture", op);
    // Not the number of windows that would fit, which an output padding as large as the dilation allows raises.
    const Windows windows{pictures, {weight[2], weight[3]}, {options.stride, options.padding, options.dilation}, {x[2], x[3]}};
    return {windows, x[1], options.groups};
}

/// Of a side, which of the others the op's first input is, and which its second.
constexpr Side input_of(Side side, std::size_t input) {
    if (input == 0) return side == Side::pictures ? Side::outputs : Side::pictures;
    return side == Side::weight ? Side::outputs : Side::weight;
}

/// One side from the two others, and a bias of each channel where it has a third input. All three sides come from the sum of
/// y[n, o, i, j] w[o, c, p, q] x[n, c, place of (p, q) in window (i, j)], which is linear in each: so the gradient in one of
/// the inputs is that input's side, from g and the other.
template <Side side>
struct SideOfConvolution {
    static constexpr const char* name = side == Side::outputs    ? "conv2d"
                                        : side == Side::pictures ? "conv_transpose2d"
                                                                 : "conv2d_weight";
    Convolved of;

    template <class T>
    void forward(Array<T>& out, const Array<T>& a, const Array<T>& b) const {
        compute<T>(out, a, b, nullptr);
    }
    template <class T>
    void forward(Array<T>& out, const Array<T>& a, const Array<T>& b, const Array<T>& bias) const {
        ops::require_input(bias.shape(), {of.shape_of(side)[1]});
        compute(out, a, b, bias.data());
    }

    template <class X, class... Rest>
    X gradient(InputIndex<0>, const X& g, const X&, const X& b, const Rest&...) const {
        return of.side<input_of(side, 0)>(side, g, b);
    }
    template <class X, class... Rest>
    X gradient(InputIndex<1>, const X& g, const X& a, const X&, const Rest&...) const {
        return of.side<input_of(side, 1)>(side, g, a);
    }
    template <class X>
    X gradient(InputIndex<2>, const X& g, const X&, const X&, const X&, const X&) const {
        return sum(g, {0, 2, 3});
    }

    template <class X, class... Rest>
    X tangent(InputIndex<0>, const X& t, const X&, const X& b, const Rest&...) const {
        return apply(*this, t, b);
    }
    template <class X, class... Rest>
    X tangent(InputIndex<1>, const X& t, const X& a, const X&, const Rest&...) const {
        return apply(*this, a, t);
    }
    template <class X>
    X tangent(InputIndex<2>, const X& t, const X&, const X&, const X&, const X& y) const {
        return broadcast_to(reshape(t, {1, t.shape()[0], 1, 1}), y.shape());
    }

   private:
    template <class T>
    void compute(Array<T>& out, const Array<T>& a, const Array<T>& b, const T* bias) const {
        ops::require_input(a.shape(), of.shape_of(input_of(side, 0)));
        ops::require_input(b.shape(), of.shape_of(input_of(side, 1)));
        const Shape shape = of.shape_of(side);
        reshape_for_overwriting(out, shape);
        if (a.size() == 0 || b.size() == 0 || out.size() == 0) {
            std::fill_n(out.data(), out.size(), T(0));
            if (bias != nullptr) kernels::add_to_planes(out.data(), bias, shape[0], shape[1], shape[2] * shape[3]);
        } else if constexpr (side == Side::outputs) {
            kernels::convolve(out.data(), a.data(), b.data(), bias, of.extents());
        } else if constexpr (side == Side::pictures) {
            kernels::convolve_to_pictures(out.data(), a.data(), b.data(), bias, of.extents());
        } else {
            kernels::convolve_to_weight(out.data(), a.data(), b.data(), of.extents());
        }
    }
};

template <Side wanted, class X>
X Convolved::side(Side one, const X& of_one, const X& of_other) const {
    const SideOfConvolution<wanted> op{*this};
    return one == input_of(wanted, 0) ? apply(op, of_one, of_other) : apply(op, of_other, of_one);
}

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> conv2d(X<T> x, X<T> weight, const Convolution& options) {
    const auto of = [&] { return convolution_of(x.shape(), weight.shape(), nullptr, options); };
    return apply(SideOfConvolution<Side::outputs>{with_context_of("conv2d", of, x, weight)}, x, weight);
}
template <template <class> class X, class T, std::same_as<X<T>> Bias>
requires Operand<X<T>>
X<T> conv2d(X<T> x, X<T> weight, Bias bias, const Convolution& options) {
    const auto of = [&] { return convolution_of(x.shape(), weight.shape(), &bias.shape(), options); };
    return apply(SideOfConvolution<Side::outputs>{with_context_of("conv2d", of, x, weight, bias)}, x, weight, bias);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> conv_transpose2d(X<T> x, X<T> weight, const TransposedConvolution& options) {
    const auto of = [&] { return transposed_convolution_of(x.shape(), weight.shape(), nullptr, options); };
    return apply(SideOfConvolution<Side::pictures>{with_context_of("conv_transpose2d", of, x, weight)}, x, weight);
}
template <template <class> class X, class T, std::same_as<X<T>> Bias>
requires Operand<X<T>>
X<T> conv_transpose2d(X<T> x, X<T> weight, Bias bias, const TransposedConvolution& options) {
    const auto of = [&] { return transposed_convolution_of(x.shape(), weight.shape(), &bias.shape(), options); };
    return apply(SideOfConvolution<Side::pictures>{with_context_of("conv_transpose2d", of, x, weight, bias)}, x, weight, bias);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> conv2d_weight(X<T> x, const Shape& weight, X<T> y, const Convolution& options) {
    const auto of = [&] {
        const Convolved made = convolution_of(x.shape(), weight, nullptr, options);
        if (y.shape() != made.shape_of(Side::outputs)) {
            throw ShapeError("conv2d_weight: conv2d makes shape " + to_string(made.shape_of(Side::outputs)) +
                             " of such pictures and a weight of shape " + to_string(weight) + ", not " + to_string(y.shape()));
        }
        return made;
    };
    return apply(SideOfConvolution<Side::weight>{with_context_of("conv2d_weight", of, x, y)}, x, y);
}

// ---- max_pool2d and avg_pool2d ----

namespace {

using ops::infinity;
using ops::not_a_number;

Windows pooling_windows(const Shape& x, Size2d kernel, const Pooling& options, const char* op) {
    if (options.padding.height > kernel.height / 2 || options.padding.width > kernel.width / 2) {
        throw ShapeError(std::string(op) + ": a padding of " + text_of(options.padding) + " is more than half of a kernel of " +
                         text_of(kernel));
    }
    const Size2d stride(options.stride.height == 0 ? kernel.height : options.stride.height,
                        options.stride.width == 0 ? kernel.width : options.stride.width);
    return Windows::of(x, kernel, {.stride = stride, .padding = options.padding}, op);
}

/// The windows of each channel by itself, (rows, channels, elements, places).
template <Operand X>
X windows_of_channels(const X& x, const Windows& windows) {
    return reshape(unfolded(x, windows), windows.columns_of_channels());
}

/// Which elements of windows lie in the picture, (1, 1, elements, places).
template <class T>
Array<T> inside_pictures(const Windows& windows) {
    Windows one = windows;
    one.pictures[0] = one.pictures[1] = 1;
    Array<T> out;
    ops::Pick<Windows>{one}.forward(out, full<T>(one.pictures, T(1)));
    out.reshape(Shape{1, 1, one.elements(), one.places()});
    return out;
}

/// The largest element of each window of padded pictures, of columns (rows, channels, elements, places). What lies
/// outside the pictures is less than -infinity, which shares no maximum with it.
struct WindowMax : ops::Extreme {
    static constexpr const char* name = "max_pool2d";
    Windows windows;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        ops::require_input(x.shape(), windows.columns_of_channels());
        shapes.require_fit(x.shape());
        out = max(inside(Eager<T>(x), -infinity), 2).take();
    }
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

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> max_pool2d(X<T> x, Size2d kernel, const Pooling& options) {
    const auto pooled = [&] {
        const auto windows = pooling_windows(x.shape(), kernel, options, "max_pool2d");
        const X<T> elements = windows_of_channels(x, windows);
        const bool padded = options.padding.height > 0 || options.padding.width > 0;
        const WindowMax of_padded{{ops::ReducedShapes::of(elements, 2, KeepDims::no, "max_pool2d")}, windows};
        return reshape(padded ? apply(of_padded, elements) : max(elements, 2),
                       {x.shape()[0], x.shape()[1], windows.count.height, windows.count.width});
    };
    return with_context_of("max_pool2d", pooled, x);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> avg_pool2d(X<T> x, Size2d kernel, const Pooling& options) {
    const auto pooled = [&] {
        const auto windows = pooling_windows(x.shape(), kernel, options, "avg_pool2d");
        return reshape(mean(windows_of_channels(x, windows), 2),
                       {x.shape()[0], x.shape()[1], windows.count.height, windows.count.width});
    };
    return with_context_of("avg_pool2d", pooled, x);
}

// ---- Compiled for all worlds ----

#define XTAPE_INSTANTIATE(X)                                                      \
    template XTAPE_API X unfold(X, Size2d, const Sliding&);                       \
    template XTAPE_API X fold(X, const Shape&, Size2d, const Sliding&);           \
    template XTAPE_API X conv2d(X, X, const Convolution&);                        \
    template XTAPE_API X conv2d(X, X, X, const Convolution&);                     \
    template XTAPE_API X conv_transpose2d(X, X, const TransposedConvolution&);    \
    template XTAPE_API X conv_transpose2d(X, X, X, const TransposedConvolution&); \
    template XTAPE_API X conv2d_weight(X, const Shape&, X, const Convolution&);   \
    template XTAPE_API X max_pool2d(X, Size2d, const Pooling&);                   \
    template XTAPE_API X avg_pool2d(X, Size2d, const Pooling&);
XTAPE_FOR_OPERANDS(XTAPE_INSTANTIATE)

}  // namespace autograd
