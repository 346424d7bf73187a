// The convolutional layers. Their products and gradients are autograd::conv2d and conv_transpose2d; these hold the
// parameters, under PyTorch's names and with its shapes and initial values.
#pragma once

#include <autograd/autograd.hpp>

#include <cstddef>
#include <string>

#include "nn/initialization.hpp"
#include "nn/module.hpp"

namespace nn {

namespace detail {

template <class Options>
void require_layer(const char* layer, std::size_t in, std::size_t out, autograd::Size2d kernel, const Options& options) {
    using autograd::as_written;
    autograd::ops::require_options(options, layer);
    const auto fits = [](std::size_t size) { return 1 <= size && size <= std::size_t{1} << 30; };
    if (fits(in) && fits(out) && fits(kernel.height) && fits(kernel.width) && in % options.groups == 0 &&
        out % options.groups == 0) {
        return;
    }
    throw autograd::Error(std::string(layer) + ": expected numbers of channels of which groups = " +
                          as_written(options.groups) + " is a divisor, found " + as_written(in) + " and " +
                          as_written(out) + ", and a kernel of at least 1 x 1, found " + as_written(kernel.height) +
                          " x " + as_written(kernel.width));
}

}  // namespace detail

/// nn::Conv2d(3, 16, 5, rng, {.stride = 2, .padding = 2}).
template <class T>
struct BasicConv2d {
    autograd::Parameter<T> weight;  ///< (out_channels, in_channels / groups, kernel height, kernel width)
    autograd::Parameter<T> bias;    ///< (out_channels,)
    autograd::Convolution options;

    static constexpr auto members = nn::members("weight", &BasicConv2d::weight, "bias", &BasicConv2d::bias);

    /// Two draws of `rng`, both uniform within 1 / sqrt(in_channels / groups * kernel height * kernel width).
    /// @throws Error if a size, a stride, a dilation or the number of groups is 0 or was negative, if a number is too
    /// large, or if `groups` does not divide both numbers of channels.
    BasicConv2d(std::size_t in_channels, std::size_t out_channels, autograd::Size2d kernel_size, autograd::Rng& rng,
                const autograd::Convolution& convolution = {})
        : options(convolution) {
        detail::require_layer("Conv2d", in_channels, out_channels, kernel_size, options);
        const std::size_t depth = in_channels / options.groups;
        autograd::require_allocatable({out_channels, depth, kernel_size.height, kernel_size.width}, sizeof(T), "Conv2d");
        const std::size_t fan_in = depth * kernel_size.height * kernel_size.width;
        weight = autograd::Parameter<T>(
            uniform_by_fan_in<T>({out_channels, depth, kernel_size.height, kernel_size.width}, fan_in, rng));
        bias = autograd::Parameter<T>(uniform_by_fan_in<T>({out_channels}, fan_in, rng));
    }

    /// (rows, in_channels, height, width) to (rows, out_channels, ...).
    /// @throws ShapeError as autograd::conv2d.
    autograd::Var<T> operator()(const autograd::Var<T>& x) const {
        return autograd::conv2d(x, x.tape().parameter(weight), x.tape().parameter(bias), options);
    }
};

/// nn::ConvTranspose2d(16, 3, 5, rng, {.stride = 2, .padding = 2, .output_padding = 1}): the shapes that a Conv2d of
/// the same sizes goes from and to, the other way round.
template <class T>
struct BasicConvTranspose2d {
    autograd::Parameter<T> weight;  ///< (in_channels, out_channels / groups, kernel height, kernel width)
    autograd::Parameter<T> bias;    ///< (out_channels,)
    autograd::TransposedConvolution options;

    static constexpr auto members =
        nn::members("weight", &BasicConvTranspose2d::weight, "bias", &BasicConvTranspose2d::bias);

    /// Two draws of `rng`, both uniform within 1 / sqrt(out_channels / groups * kernel height * kernel width): PyTorch
    /// takes the weight's second extent for the fan-in here too.
    /// @throws Error as Conv2d, and for an output padding that is neither below the stride nor below the dilation.
    BasicConvTranspose2d(std::size_t in_channels, std::size_t out_channels, autograd::Size2d kernel_size,
                         autograd::Rng& rng, const autograd::TransposedConvolution& convolution = {})
        : options(convolution) {
        detail::require_layer("ConvTranspose2d", in_channels, out_channels, kernel_size, options);
        const std::size_t depth = out_channels / options.groups;
        autograd::require_allocatable({in_channels, depth, kernel_size.height, kernel_size.width}, sizeof(T),
                                      "ConvTranspose2d");
        const std::size_t fan_in = depth * kernel_size.height * kernel_size.width;
        weight = autograd::Parameter<T>(
            uniform_by_fan_in<T>({in_channels, depth, kernel_size.height, kernel_size.width}, fan_in, rng));
        bias = autograd::Parameter<T>(uniform_by_fan_in<T>({out_channels}, fan_in, rng));
    }

    /// (rows, in_channels, height, width) to (rows, out_channels, ...).
    /// @throws ShapeError as autograd::conv_transpose2d.
    autograd::Var<T> operator()(const autograd::Var<T>& x) const {
        return autograd::conv_transpose2d(x, x.tape().parameter(weight), x.tape().parameter(bias), options);
    }
};

using Conv2d = BasicConv2d<float>;
using ConvTranspose2d = BasicConvTranspose2d<float>;

}  // namespace nn
