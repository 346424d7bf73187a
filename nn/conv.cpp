// Compiles the layers once, for float and double.
#include "nn/conv.hpp"

#include <string>

#include "nn/initialization.hpp"

namespace nn {
namespace {

template <class Options>
void require_layer(const char* layer, std::size_t in, std::size_t out, autograd::Size2d kernel, const Options& options) {
    using autograd::as_written;
    autograd::ops::require_options(options, layer);
    const auto fits = [](std::size_t size) { return 1 <= size && size <= std::size_t{1} << 30; };
    if (fits(in) && fits(out) && fits(kernel.height) && fits(kernel.width) && in % options.groups == 0 &&
        out % options.groups == 0) {
        return;
    }
    throw autograd::Error(
        std::string(layer) + ": expected numbers of channels of which groups = " + as_written(options.groups) +
        " is a divisor, found " + as_written(in) + " and " + as_written(out) + ", and a kernel of at least 1 x 1, found " +
        as_written(kernel.height) + " x " + as_written(kernel.width));
}

/// Weight (rows, depth, kernel height, kernel width) and bias of a layer, both uniform by the weight's fan-in.
template <template <class> class Layer, class T>
void draw(Layer<T>& layer, const char* name, std::size_t rows, std::size_t depth, autograd::Size2d kernel, std::size_t outputs,
          autograd::Rng& rng) {
    const autograd::Shape shape{rows, depth, kernel.height, kernel.width};
    autograd::require_allocatable(shape, sizeof(T), name);
    const std::size_t fan_in = depth * kernel.height * kernel.width;
    layer.weight = autograd::Parameter<T>(uniform_by_fan_in<T>(shape, fan_in, rng));
    layer.bias = autograd::Parameter<T>(uniform_by_fan_in<T>({outputs}, fan_in, rng));
}

}  // namespace

template <class T>
BasicConv2d<T>::BasicConv2d(std::size_t in_channels, std::size_t out_channels, autograd::Size2d kernel_size, autograd::Rng& rng,
                            const autograd::Convolution& convolution)
    : options(convolution) {
    require_layer("Conv2d", in_channels, out_channels, kernel_size, options);
    draw(*this, "Conv2d", out_channels, in_channels / options.groups, kernel_size, out_channels, rng);
}

template <class T>
autograd::Var<T> BasicConv2d<T>::operator()(const autograd::Var<T>& x) const {
    return autograd::conv2d(x, x.tape().parameter(weight), x.tape().parameter(bias), options);
}

template <class T>
BasicConvTranspose2d<T>::BasicConvTranspose2d(std::size_t in_channels, std::size_t out_channels, autograd::Size2d kernel_size,
                                              autograd::Rng& rng, const autograd::TransposedConvolution& convolution)
    : options(convolution) {
    require_layer("ConvTranspose2d", in_channels, out_channels, kernel_size, options);
    draw(*this, "ConvTranspose2d", in_channels, out_channels / options.groups, kernel_size, out_channels, rng);
}

template <class T>
autograd::Var<T> BasicConvTranspose2d<T>::operator()(const autograd::Var<T>& x) const {
    return autograd::conv_transpose2d(x, x.tape().parameter(weight), x.tape().parameter(bias), options);
}

template struct BasicConv2d<float>;
template struct BasicConv2d<double>;
template struct BasicConvTranspose2d<float>;
template struct BasicConvTranspose2d<double>;

}  // namespace nn
