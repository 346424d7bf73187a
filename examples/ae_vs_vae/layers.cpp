// Whether layers fit together, and their JSON.
#include "layers.hpp"

#include <nlohmann/json.hpp>

#include "packing.hpp"

namespace report {
namespace {

using autograd::Shape;

// Each layer tells what it makes of a shape (without the batch's axis), and its JSON.

std::size_t size_of(const Shape& shape) { return autograd::element_count(shape); }

Shape after(const Linear& layer, const Shape& in) {
    require(layer.weight.dimension() == 2 && layer.weight.shape()[1] == size_of(in),
            "expected a linear layer of {} inputs, found a weight of shape {}", size_of(in),
            autograd::to_string(layer.weight.shape()));
    require_shape(layer.bias, {layer.weight.shape()[0]}, "a bias");
    return {layer.weight.shape()[0]};
}

Shape after(const Relu&, const Shape& in) { return in; }
Shape after(const Sigmoid&, const Shape& in) { return in; }
Shape after(const ContinuousBernoulliMean&, const Shape& in) { return in; }

Shape after(const Labels& layer, const Shape& in) { return {size_of(in) + layer.classes}; }

Shape after(const Reshape& layer, const Shape& in) {
    Shape out{layer.channels, layer.height, layer.width};
    require(size_of(out) == size_of(in), "cannot reshape {} to {}", autograd::to_string(in), autograd::to_string(out));
    return out;
}

std::size_t convolved_extent(std::size_t in, std::size_t kernel, std::size_t stride, std::size_t padding) {
    require(in > 0 && kernel > 0 && stride > 0 && padding < kernel && in + 2 * padding >= kernel,
            "a convolution of {} elements, kernel {}, stride {} and padding {} has no result", in, kernel, stride, padding);
    return (in + 2 * padding - kernel) / stride + 1;
}

std::size_t transposed_extent(std::size_t in, std::size_t kernel, std::size_t stride, std::size_t padding,
                              std::size_t output_padding) {
    const std::size_t whole = (in - 1) * stride + kernel + output_padding;
    require(in > 0 && kernel > 0 && stride > 0 && output_padding < stride && whole > 2 * padding,
            "a transposed convolution of {} elements, kernel {}, stride {}, padding {} and output padding {} has no result", in,
            kernel, stride, padding, output_padding);
    return whole - 2 * padding;
}

Shape after(const Conv2d& layer, const Shape& in) {
    const Shape& kernel = layer.weight.shape();
    require(in.size() == 3 && kernel.size() == 4 && kernel[1] == in[0],
            "a convolution with a weight of shape {} cannot follow on {}", autograd::to_string(kernel),
            autograd::to_string(in));
    require_shape(layer.bias, {kernel[0]}, "a bias");
    return {kernel[0], convolved_extent(in[1], kernel[2], layer.stride.height, layer.padding.height),
            convolved_extent(in[2], kernel[3], layer.stride.width, layer.padding.width)};
}

Shape after(const ConvTranspose2d& layer, const Shape& in) {
    const Shape& kernel = layer.weight.shape();
    require(in.size() == 3 && kernel.size() == 4 && kernel[0] == in[0],
            "a transposed convolution with a weight of shape {} cannot follow on {}", autograd::to_string(kernel),
            autograd::to_string(in));
    require_shape(layer.bias, {kernel[1]}, "a bias");
    return {kernel[1],
            transposed_extent(in[1], kernel[2], layer.stride.height, layer.padding.height, layer.output_padding.height),
            transposed_extent(in[2], kernel[3], layer.stride.width, layer.padding.width, layer.output_padding.width)};
}

Json pair(autograd::Size2d size) { return {size.height, size.width}; }

/// The start of a layer that has weights.
template <class Weighted>
Json weighted(const char* type, const Weighted& layer, PackWeights* pack) {
    return {{"type", type}, {"weight", pack(layer.weight, "a weight")}, {"bias", pack(layer.bias, "a bias")}};
}

Json to_json(const Linear& layer, PackWeights* pack) { return weighted("linear", layer, pack); }
Json to_json(const Relu&, PackWeights*) { return {{"type", "relu"}}; }
Json to_json(const Sigmoid&, PackWeights*) { return {{"type", "sigmoid"}}; }
Json to_json(const ContinuousBernoulliMean&, PackWeights*) { return {{"type", "continuous_bernoulli_mean"}}; }
Json to_json(const Reshape& layer, PackWeights*) {
    return {{"type", "reshape"}, {"shape", {layer.channels, layer.height, layer.width}}};
}
Json to_json(const Labels& layer, PackWeights*) { return {{"type", "labels"}, {"classes", layer.classes}}; }

Json to_json(const Conv2d& layer, PackWeights* pack) {
    Json json = weighted("conv2d", layer, pack);
    json["stride"] = pair(layer.stride);
    json["padding"] = pair(layer.padding);
    return json;
}

Json to_json(const ConvTranspose2d& layer, PackWeights* pack) {
    Json json = weighted("conv_transpose2d", layer, pack);
    json["stride"] = pair(layer.stride);
    json["padding"] = pair(layer.padding);
    json["output_padding"] = pair(layer.output_padding);
    return json;
}

}  // namespace

Linear layer_of(const nn::Linear& linear) { return {linear.weight.value(), linear.bias.value()}; }

Json to_json(const Network& network, std::size_t inputs, std::size_t outputs, const char* name, PackWeights* pack) {
    Shape shape{inputs};
    Json layers = Json::array();
    for (const Layer& layer : network) {
        shape = std::visit([&](const auto& each) { return after(each, shape); }, layer);
        layers.push_back(std::visit([&](const auto& each) { return to_json(each, pack); }, layer));
    }
    require(size_of(shape) == outputs, "{} of {} numbers where {} are expected", name, size_of(shape), outputs);
    return layers;
}

}  // namespace report
