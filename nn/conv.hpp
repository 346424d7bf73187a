// The convolutional layers. Their products and gradients are autograd::conv2d and conv_transpose2d; these hold the
// parameters, under PyTorch's names and with its shapes and initial values.
#pragma once

#include <autograd/autograd.hpp>

#include <cstddef>

#include "nn/module.hpp"

namespace XTAPE_API nn {

/// A convolution of pictures and a bias: nn::Conv2d(3, 16, 5, rng, {.stride = 2, .padding = 2}). Its options are those that
/// it was made with.
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
                const autograd::Convolution& convolution = {});

    /// (rows, in_channels, height, width) to (rows, out_channels, ...).
    /// @throws ShapeError as autograd::conv2d.
    autograd::Var<T> operator()(const autograd::Var<T>& x) const;
};

/// nn::ConvTranspose2d(16, 3, 5, rng, {.stride = 2, .padding = 2, .output_padding = 1}): the shapes that a Conv2d of
/// the same sizes goes from and to, the other way round. Its options are those that it was made with.
template <class T>
struct BasicConvTranspose2d {
    autograd::Parameter<T> weight;  ///< (in_channels, out_channels / groups, kernel height, kernel width)
    autograd::Parameter<T> bias;    ///< (out_channels,)
    autograd::TransposedConvolution options;

    static constexpr auto members = nn::members("weight", &BasicConvTranspose2d::weight, "bias", &BasicConvTranspose2d::bias);

    /// Two draws of `rng`, both uniform within 1 / sqrt(out_channels / groups * kernel height * kernel width): PyTorch
    /// takes the weight's second extent for the fan-in here too.
    /// @throws Error as Conv2d, and for an output padding that is neither below the stride nor below the dilation.
    BasicConvTranspose2d(std::size_t in_channels, std::size_t out_channels, autograd::Size2d kernel_size, autograd::Rng& rng,
                         const autograd::TransposedConvolution& convolution = {});

    /// (rows, in_channels, height, width) to (rows, out_channels, ...).
    /// @throws ShapeError as autograd::conv_transpose2d.
    autograd::Var<T> operator()(const autograd::Var<T>& x) const;
};

/// Of floats.
using Conv2d = BasicConv2d<float>;
/// Of floats.
using ConvTranspose2d = BasicConvTranspose2d<float>;

}  // namespace nn
