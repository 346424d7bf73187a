// Losses, with their reduction in sight: elementwise values unless the caller asks for a sum or a mean. Shapes must be
// equal: (B,) against (B, 1) would silently be a table of B x B differences. How a loss is reduced is autograd's, as is
// cross_entropy.
#pragma once

#include <autograd/autograd.hpp>

#include <cmath>

namespace XTAPE_API nn {

/// none, sum, mean or batch_mean.
using Reduction = autograd::LossReduction;

/// Of classes that are given by number.
using autograd::cross_entropy;

namespace detail {

void require_same_shape(const char* function, const char* a_name, const autograd::Shape& a, const char* b_name,
                        const autograd::Shape& b);
template <class T>
void require_same_shape(const char* function, const char* a_name, const autograd::Var<T>& a, const char* b_name,
                        const autograd::Var<T>& b) {
    require_same_shape(function, a_name, a.shape(), b_name, b.shape());
}

}  // namespace detail

namespace ops {
// Laid out by hand: a table, in which a rule keeps its line.
// clang-format off

inline constexpr auto sigmoid_minus = autograd::elementwise<"sigmoid_minus">(
    [](auto x, auto target) { return autograd::kernels::sigmoid_minus(x, target); },
    [](auto g, auto x, auto, auto) { return g * sigmoid(x) * sigmoid(-x); },
    [](auto g, auto, auto, auto) { return -g; })
    .documented({.formula = "sigmoid(x) - target", .gradient = "g sigmoid(x) sigmoid(-x), -g"});

inline constexpr auto binary_cross_entropy_with_logits = autograd::elementwise<"binary_cross_entropy_with_logits">(
    [](auto logit, auto target) { return autograd::kernels::softplus_minus_product(logit, target); },
    [](auto g, auto logit, auto target, auto) { return g * sigmoid_minus(logit, target); },
    [](auto g, auto logit, auto, auto) { return -g * logit; })
    .documented({.formula = "log(1 + exp(logit)) - logit * target",
                 .gradient = "g (sigmoid(logit) - target), -g logit",
                 .kinks = "infinite logits: the limits, 0 where the target agrees and infinity where not"});

inline constexpr auto squared_error = autograd::elementwise<"squared_error">(
    [](auto a, auto b) { return square(a - b); },
    [](auto g, auto a, auto b, auto) { return 2 * g * (a - b); },
    [](auto g, auto a, auto b, auto) { return 2 * g * (b - a); })
    .documented({.formula = "(a - b)^2", .gradient = "2 g (a - b), 2 g (b - a)"});

// clang-format on
}  // namespace ops
}  // namespace nn

// One entry for each op above: compiled in losses.cpp.
// Laid out by hand: a list.
// clang-format off
#define XTAPE_LOSSES(OP) \
    OP(nn::ops::sigmoid_minus, 2) OP(nn::ops::binary_cross_entropy_with_logits, 2) OP(nn::ops::squared_error, 2)
// clang-format on
XTAPE_LOSSES(XTAPE_DECLARE_LOOPS)

namespace XTAPE_API nn {

/// -t log p - (1 - t) log(1 - p) with p = sigmoid(logit), in nats, computed from the logits without overflow, and
/// without cancellation where p is close to t = 0 or 1. Infinite logits give the limits: 0 where the target agrees,
/// else infinity. For targets 0 and 1 it is a Bernoulli variable's negative log likelihood; for targets between, grey
/// pixels say, it is not a likelihood, and its minimum is not 0 but the targets' own entropy.
/// @throws ShapeError if the shapes differ.
template <class T>
[[nodiscard]] autograd::Var<T> binary_cross_entropy_with_logits(const autograd::Var<T>& logits, const autograd::Var<T>& target,
                                                                Reduction reduction = Reduction::none) {
    constexpr const char* name = "binary_cross_entropy_with_logits";
    detail::require_same_shape(name, "logits", logits, "target", target);
    return autograd::ops::reduced_losses(ops::binary_cross_entropy_with_logits(logits, target), reduction, name);
}

/// (prediction - target)^2.
/// @throws ShapeError if the shapes differ.
template <class T>
[[nodiscard]] autograd::Var<T> squared_error(const autograd::Var<T>& prediction, const autograd::Var<T>& target,
                                             Reduction reduction = Reduction::none) {
    detail::require_same_shape("squared_error", "prediction", prediction, "target", target);
    return autograd::ops::reduced_losses(ops::squared_error(prediction, target), reduction, "squared_error");
}

/// The mean of (prediction - target)^2 over all elements.
/// @throws ShapeError if the shapes differ.
template <class T>
[[nodiscard]] autograd::Var<T> mean_squared_error(const autograd::Var<T>& prediction, const autograd::Var<T>& target) {
    detail::require_same_shape("mean_squared_error", "prediction", prediction, "target", target);
    return squared_error(prediction, target, Reduction::mean);
}

}  // namespace nn
