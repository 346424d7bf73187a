// The fully connected layer. Its product and gradient are autograd::linear; this holds the parameters.
#pragma once

#include <autograd/autograd.hpp>

#include <cstddef>

#include "nn/initialization.hpp"
#include "nn/module.hpp"

namespace XTAPE_API nn {

/// A matrix and a bias: nn::Linear(784, 400, rng).
template <class T>
struct BasicLinear {
    autograd::Parameter<T> weight;  ///< (outputs, inputs)
    autograd::Parameter<T> bias;    ///< (outputs,)

    static constexpr auto members = nn::members("weight", &BasicLinear::weight, "bias", &BasicLinear::bias);

    /// Weights from `initialize` (glorot_uniform, glorot_normal, he_uniform, he_normal or a function like these), one
    /// draw of `rng`; biases 0, as in the papers. The next layer made with the same generator gets other weights.
    /// @throws Error if a number is 0, negative or too large, or `initialize` is null or makes another shape.
    BasicLinear(std::size_t inputs, std::size_t outputs, autograd::Rng& rng, Initializer<T> initialize = glorot_uniform<T>);

    /// x weight' + bias: (rows, inputs) to (rows, outputs).
    /// @throws ShapeError if x has another shape.
    autograd::Var<T> operator()(const autograd::Var<T>& x) const;
};

/// Of floats.
using Linear = BasicLinear<float>;

}  // namespace nn
