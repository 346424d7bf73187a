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

inline void require_channels(const char* layer, std::size_t in, std::size_t out, autograd::Size2d kernel,
                             std::size_t groups) {
    if (in > 0 && out > 0 && kernel.height > 0 && kernel.width > 0 && groups > 0 && in % groups == 0 &&
        out % groups == 0) {
        return;
    }
    throw autograd::Error(std::string(layer) + ": expected numbers of channels of which groups = " +
                          std::to_string(groups) + " is a divisor, found " + std::to_string(in) + " and " +
                          std::to_string(out) + ", and a kernel of at least 1 x 1, found " +
                          std::to_string(kernel.height) + " x " + std::to_string(kernel.width));
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
    /// @throws Error if a size is 0, or `groups` does not divide both numbers of channels.
    BasicConv2d(std::size_t in_channels, std::size_t out_channels, autograd::Size2d kernel_size, autograd::Rng& rng,
                const autograd::Convolution& convolution = {})
        : options(convolution) {
        detail::require_channels("Conv2d", in_channels, out_channels, kernel_size, options.groups);
        const std::size_t depth = in_channels / options.groups;
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
    /// @throws Error if a size is 0, or `groups` does not divide both numbers of channels.
    BasicConvTranspose2d(std::size_t in_channels, std::size_t out_channels, autograd::Size2d kernel_size,
                         autograd::Rng& rng, const autograd::TransposedConvolution& convolution = {})
        : options(convolution) {
        detail::require_channels("ConvTranspose2d", in_channels, out_channels, kernel_size, options.groups);
        const std::size_t depth = out_channels / options.groups;
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
