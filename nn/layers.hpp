// Layers without parameters, and Sequential, which makes one layer of several. The activations are autograd's functions
// as objects, for composing.
#pragma once

#include <autograd/autograd.hpp>

#include <tuple>
#include <utility>

#include "nn/module.hpp"

namespace XTAPE_API nn {

/// autograd::relu() as a layer: max(x, 0).
struct ReLU {
    static constexpr auto members = nn::members();
    /// Of any shape, element by element.
    template <class T>
    autograd::Var<T> operator()(const autograd::Var<T>& x) const {
        return relu(x);
    }
};

/// autograd::tanh() as a layer: the hyperbolic tangent.
struct Tanh {
    static constexpr auto members = nn::members();
    /// Of any shape, element by element.
    template <class T>
    autograd::Var<T> operator()(const autograd::Var<T>& x) const {
        return tanh(x);
    }
};

/// autograd::sigmoid() as a layer: 1 / (1 + exp(-x)).
struct Sigmoid {
    static constexpr auto members = nn::members();
    /// Of any shape, element by element.
    template <class T>
    autograd::Var<T> operator()(const autograd::Var<T>& x) const {
        return sigmoid(x);
    }
};

/// autograd::softplus() as a layer: log(1 + exp(x)).
struct Softplus {
    static constexpr auto members = nn::members();
    /// Of any shape, element by element.
    template <class T>
    autograd::Var<T> operator()(const autograd::Var<T>& x) const {
        return softplus(x);
    }
};

/// Layers, each applied to what the one before returns. Made with braces, so that they are made in this order:
///
///     nn::Sequential decoder{nn::Linear(20, 400, rng), nn::ReLU{}, nn::Linear(400, 784, rng)};
template <class... Layers>
struct Sequential {
    std::tuple<Layers...> layers;  ///< in the order in which they are applied

    static constexpr auto members = nn::members("layers", &Sequential::layers);

    explicit Sequential(Layers... each) : layers(std::move(each)...) {}

    /// The last layer's value; x itself where there are none.
    template <class T>
    autograd::Var<T> operator()(autograd::Var<T> x) const {
        std::apply([&](const auto&... layer) { ((x = layer(x)), ...); }, layers);
        return x;
    }
};

}  // namespace nn
