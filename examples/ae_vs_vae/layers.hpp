// The arithmetic of trained networks as plain data, for the page to repeat: layers one after another. report.hpp says what a
// network is for, and network.js computes.
#pragma once

#include <autograd/autograd.hpp>
#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <nn/nn.hpp>
#include <string_view>
#include <variant>
#include <vector>

namespace report {

using autograd::Array;

struct Linear {
    Array<float> weight;  ///< (outputs, inputs), as nn::Linear has it
    Array<float> bias;    ///< (outputs,)
};

struct Relu {};
struct Sigmoid {};

/// 1 / (1 - exp(-l)) - 1 / l of a logit l: see nn::ContinuousBernoulli.
struct ContinuousBernoulliMean {};

/// To (channels, height, width).
struct Reshape {
    std::size_t channels, height, width;
};

/// The one-hot label of so many classes, behind what there is.
struct Labels {
    std::size_t classes;
};

/// As autograd::conv2d without groups and dilation.
struct Conv2d {
    Array<float> weight;  ///< (outputs, inputs, kernel height, kernel width)
    Array<float> bias;    ///< (outputs,)
    autograd::Size2d stride = 1, padding = 0;
};

/// As autograd::conv_transpose2d without groups and dilation.
struct ConvTranspose2d {
    Array<float> weight;  ///< (inputs, outputs, kernel height, kernel width)
    Array<float> bias;    ///< (outputs,)
    autograd::Size2d stride = 1, padding = 0, output_padding = 0;
};

using Layer = std::variant<Linear, Relu, Sigmoid, ContinuousBernoulliMean, Reshape, Labels, Conv2d, ConvTranspose2d>;

using Network = std::vector<Layer>;

/// The layer of an nn::Linear.
Linear layer_of(const nn::Linear& linear);

/// How the numbers of weights are packed: floats or halves, of packing.hpp.
using PackWeights = nlohmann::ordered_json(const Array<float>& array, std::string_view what);

/// The layers' JSON. `name` begins the message where the network does not make `outputs` of `inputs`.
/// @throws autograd::ShapeError if the layers do not fit together, autograd::Error if a weight is not finite.
nlohmann::ordered_json to_json(const Network& network, std::size_t inputs, std::size_t outputs, const char* name,
                               PackWeights* pack);

}  // namespace report
