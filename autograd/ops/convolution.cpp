// Shapes of convolutions and pooling, and the values of unfold and fold by kernels/convolution.hpp.
#include "autograd/ops/convolution.hpp"

#include <algorithm>
#include <string>

#include "autograd/kernels/convolution.hpp"

namespace autograd::ops {
namespace {

std::string text_of(Size2d size) { return as_written(size.height) + " x " + as_written(size.width); }

void require_pictures(const Shape& shape, const char* op) {
    if (shape.size() == 4) return;
    throw ShapeError(std::string(op) + ": pictures (rows, channels, height, width) are wanted, not shape " +
                     to_string(shape));
}

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

/// The number of windows on one axis; 0 if none fits.
std::size_t windows_on(std::size_t extent, std::size_t kernel, std::size_t stride, std::size_t padding,
                       std::size_t dilation) {
    const std::size_t padded = extent + 2 * padding, span = dilation * (kernel - 1) + 1;
    return padded < span ? 0 : (padded - span) / stride + 1;
}

kernels::WindowAxis rows_of(const Windows& w) {
    return {w.pictures[2],           w.kernel.height,          w.count.height,
            w.sliding.stride.height, w.sliding.padding.height, w.sliding.dilation.height};
}
kernels::WindowAxis columns_of(const Windows& w) {
    return {w.pictures[3],          w.kernel.width,          w.count.width,
            w.sliding.stride.width, w.sliding.padding.width, w.sliding.dilation.width};
}

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

}  // namespace

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
                         to_string(pictures) + " with a padding of " + text_of(sliding.padding) +
                         " and a dilation of " + text_of(sliding.dilation));
    }
    // Their product is within the bounds of sizes, and so is that of any of them.
    static_cast<void>(element_count({pictures[0], pictures[1], kernel.height, kernel.width, count.height, count.width}));
    return {pictures, kernel, sliding, count};
}

Shape Windows::columns() const {
    const std::size_t depth = pictures[1] * elements();
    return groups == 1 ? Shape{pictures[0], depth, places()} : Shape{pictures[0], groups, depth / groups, places()};
}

template <class T>
void Unfold::forward(Array<T>& out, const Array<T>& x) const {
    require_input(x.shape(), windows.pictures);
    reshape_for_overwriting(out, windows.columns());
    kernels::unfold(out.data(), x.data(), windows.pictures[0] * windows.pictures[1], rows_of(windows),
                    columns_of(windows));
}

template <class T>
void Fold::forward(Array<T>& out, const Array<T>& x) const {
    reshape_for_overwriting(out, windows.pictures);
    std::fill_n(out.data(), out.size(), T(0));
    add_to(out, x);
}

template <class T>
void Fold::add_to(Array<T>& target, const Array<T>& x) const {
    if (x.shape() != windows.columns()) {
        throw ShapeError("columns of shape " + to_string(windows.columns()) + " make pictures of shape " +
                         to_string(windows.pictures) + ", not those of shape " + to_string(x.shape()));
    }
    require_shape(target, windows.pictures, name);
    kernels::fold_add(target.data(), x.data(), windows.pictures[0] * windows.pictures[1], rows_of(windows),
                      columns_of(windows));
}

void require_options(const Convolution& options, const char* op) {
    require_sliding({options.stride, options.padding, options.dilation}, op);
    require_groups(options.groups, op);
}

void require_options(const TransposedConvolution& options, const char* op) {
    require_sliding({options.stride, options.padding, options.dilation}, op);
    require_groups(options.groups, op);
    const Size2d extra = options.output_padding;
    if (extra.height >= std::max(options.stride.height, options.dilation.height) ||
        extra.width >= std::max(options.stride.width, options.dilation.width)) {
        throw ShapeError(std::string(op) + ": an output padding of " + text_of(extra) +
                         " must be smaller than the stride, " + text_of(options.stride) + ", or the dilation, " +
                         text_of(options.dilation));
    }
}

Windows convolution_windows(const Shape& x, const Shape& weight, const Shape* bias, const Convolution& options) {
    require_weight(x, weight, bias, options.groups, false, "conv2d");
    Windows windows =
        Windows::of(x, {weight[2], weight[3]}, {options.stride, options.padding, options.dilation}, "conv2d");
    windows.groups = options.groups;
    return windows;
}

Windows transposed_windows(const Shape& x, const Shape& weight, const Shape* bias,
                           const TransposedConvolution& options) {
    constexpr const char* op = "conv_transpose2d";
    require_weight(x, weight, bias, options.groups, true, op);
    require_reasonable({x[2], x[3]}, 1, "a picture", op);
    require_reasonable({weight[2], weight[3]}, 1, "a kernel", op);
    require_options(options, op);
    const Size2d extra = options.output_padding;
    const auto made = [&](std::size_t extent, std::size_t kernel, std::size_t stride, std::size_t padding,
                          std::size_t dilation, std::size_t more) {
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
    return {pictures,
            {weight[2], weight[3]},
            {options.stride, options.padding, options.dilation},
            {x[2], x[3]},
            options.groups};
}

Windows pooling_windows(const Shape& x, Size2d kernel, const Pooling& options, const char* op) {
    if (options.padding.height > kernel.height / 2 || options.padding.width > kernel.width / 2) {
        throw ShapeError(std::string(op) + ": a padding of " + text_of(options.padding) +
                         " is more than half of a kernel of " + text_of(kernel));
    }
    const Size2d stride(options.stride.height == 0 ? kernel.height : options.stride.height,
                        options.stride.width == 0 ? kernel.width : options.stride.width);
    return Windows::of(x, kernel, {.stride = stride, .padding = options.padding}, op);
}

template <class T>
Array<T> inside_pictures(const Windows& windows) {
    Windows one = windows;
    one.pictures[0] = one.pictures[1] = one.groups = 1;
    Array<T> out;
    Unfold{one}.forward(out, full<T>(one.pictures, T(1)));
    out.reshape(Shape{1, 1, one.elements(), one.places()});
    return out;
}

template Array<float> inside_pictures<float>(const Windows&);
template Array<double> inside_pictures<double>(const Windows&);

template <class T>
void WindowMax::forward(Array<T>& out, const Array<T>& x) const {
    require_input(x.shape(), windows.columns_of_channels());
    shapes.require_fit(x.shape());
    out = max(inside(Eager<T>(x), -infinity), 2).take();
}

}  // namespace autograd::ops

namespace autograd {
XTAPE_CONVOLUTION_STRUCTURES(XTAPE_INSTANTIATE_STRUCTURE)
}  // namespace autograd
