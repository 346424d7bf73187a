// Initial weights: random matrices whose variance keeps signals and gradients at their size from layer to layer.
#pragma once

#include <autograd/autograd.hpp>

#include <cstddef>

namespace XTAPE_API nn {

namespace detail {

/// @throws Error naming `function`, `what` and the number if that is 0, was negative, or is beyond 2^48.
void require_size(const char* function, const char* what, std::size_t size);

}  // namespace detail

/// Makes a weight matrix of shape (fan_out, fan_in), with one draw of `rng`. The library's throw an Error for a fan of 0.
template <class T>
using Initializer = autograd::Array<T> (*)(std::size_t fan_in, std::size_t fan_out, autograd::Rng& rng);

/// Variance 2 / fan_in, which keeps the variance of signals through a layer and a ReLU. (He, Zhang, Ren and Sun,
/// "Delving deep into rectifiers", ICCV 2015, equation 10.) Normal.
/// @throws Error for a fan of 0.
template <class T>
[[nodiscard]] autograd::Array<T> he_normal(std::size_t fan_in, std::size_t fan_out, autograd::Rng& rng);
/// he_normal()'s variance, uniform on [-b, b) with b^2 = 6 / fan_in.
/// @throws Error for a fan of 0.
template <class T>
[[nodiscard]] autograd::Array<T> he_uniform(std::size_t fan_in, std::size_t fan_out, autograd::Rng& rng);

/// Variance 2 / (fan_in + fan_out), the middle between keeping signals and keeping gradients, for tanh and its like.
/// (Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010,
/// equation 16.) Normal.
/// @throws Error for a fan of 0.
template <class T>
[[nodiscard]] autograd::Array<T> glorot_normal(std::size_t fan_in, std::size_t fan_out, autograd::Rng& rng);
/// glorot_normal()'s variance, uniform on [-b, b) with b^2 = 6 / (fan_in + fan_out).
/// @throws Error for a fan of 0.
template <class T>
[[nodiscard]] autograd::Array<T> glorot_uniform(std::size_t fan_in, std::size_t fan_out, autograd::Rng& rng);

/// Of any shape, uniform on [-b, b) with b = 1 / sqrt(fan_in): what PyTorch's layers begin with, weights and biases
/// alike (there called kaiming_uniform with a = sqrt(5)). Variance 1 / (3 fan_in).
/// @throws Error for a fan of 0.
template <class T>
[[nodiscard]] autograd::Array<T> uniform_by_fan_in(const autograd::Shape& shape, std::size_t fan_in, autograd::Rng& rng);

}  // namespace nn
