// Distributions over arrays of independent elements: samples, log probabilities, entropies and KL divergences, element
// by element and in nats. The caller sums over the axes of one event, so that no hidden weight comes in.
#pragma once

#include <autograd/autograd.hpp>

#include <cmath>
#include <numbers>

#include "nn/losses.hpp"

namespace nn {

namespace ops {

inline constexpr double log_two_pi = 1.8378770664093454835606594728112353;

inline constexpr auto normal_log_prob =
    autograd::elementwise<"normal_log_prob">(
        [](auto x, auto mean, auto log_variance) {
            return -0.5 * (log_two_pi + log_variance + square(x - mean) * exp(-log_variance));
        },
        [](auto g, auto x, auto mean, auto log_variance, auto) { return g * (mean - x) * exp(-log_variance); },
        [](auto g, auto x, auto mean, auto log_variance, auto) { return g * (x - mean) * exp(-log_variance); },
        [](auto g, auto x, auto mean, auto log_variance, auto) {
            return 0.5 * g * (square(x - mean) * exp(-log_variance) - 1);
        })
        .documented(
            {.formula = "-(log(2 pi) + log_variance + (x - mean)^2 / exp(log_variance)) / 2",
             .gradient = "g (mean - x) / variance, g (x - mean) / variance, g ((x - mean)^2 / variance - 1) / 2",
             .reference = [](const double* x) {
                 const double sigma = std::sqrt(std::exp(x[2]));
                 const double z = (x[0] - x[1]) / sigma;
                 return std::log(std::exp(-z * z / 2) / (sigma * std::sqrt(2 * std::numbers::pi)));
             }});

// exp(d) - 1 - d as expm1(d) - d: near 0, where the posterior is close to the prior, the first loses all digits.
inline constexpr auto normal_kl_divergence =
    autograd::elementwise<"normal_kl_divergence">(
        [](auto mean, auto log_variance, auto q_mean, auto q_log_variance) {
            const auto ratio = log_variance - q_log_variance;
            return 0.5 * (expm1(ratio) - ratio + square(mean - q_mean) * exp(-q_log_variance));
        },
        [](auto g, auto mean, auto, auto q_mean, auto q_log_variance, auto) {
            return g * (mean - q_mean) * exp(-q_log_variance);
        },
        [](auto g, auto, auto log_variance, auto, auto q_log_variance, auto) {
            return 0.5 * g * expm1(log_variance - q_log_variance);
        },
        [](auto g, auto mean, auto, auto q_mean, auto q_log_variance, auto) {
            return g * (q_mean - mean) * exp(-q_log_variance);
        },
        [](auto g, auto mean, auto log_variance, auto q_mean, auto q_log_variance, auto) {
            return -0.5 * g * (expm1(log_variance - q_log_variance) + square(mean - q_mean) * exp(-q_log_variance));
        })
        .documented({.formula = "(exp(r) - 1 - r + (mean - q_mean)^2 / exp(q_log_variance)) / 2, r the difference of "
                                "the log variances",
                     .gradient = "stated",
                     .reference = [](const double* x) {
                         const double variance = std::exp(x[1]);
                         const double q_variance = std::exp(x[3]);
                         return std::log(std::sqrt(q_variance / variance)) +
                                (variance + (x[0] - x[2]) * (x[0] - x[2])) / (2 * q_variance) - 0.5;
                     }});

inline constexpr auto standard_normal_kl_divergence =
    autograd::elementwise<"standard_normal_kl_divergence">(
        [](auto mean, auto log_variance) { return 0.5 * (expm1(log_variance) - log_variance + square(mean)); },
        [](auto g, auto mean, auto, auto) { return g * mean; },
        [](auto g, auto, auto log_variance, auto) { return 0.5 * g * expm1(log_variance); })
        .documented({.formula = "(exp(log_variance) - 1 - log_variance + mean^2) / 2",
                     .gradient = "g mean, g (exp(log_variance) - 1) / 2",
                     .reference = [](const double* x) { return (std::exp(x[1]) + x[0] * x[0] - 1 - x[1]) / 2; }});

// Both as expectations of log probabilities, -log p = softplus(-logit): nothing cancels where p is close to 0 or 1.
inline constexpr auto bernoulli_kl_divergence =
    autograd::elementwise<"bernoulli_kl_divergence">(
        [](auto logit, auto q_logit) {
            return sigmoid(logit) * (softplus(-q_logit) - softplus(-logit)) +
                   sigmoid(-logit) * (softplus(q_logit) - softplus(logit));
        },
        [](auto g, auto logit, auto q_logit, auto) { return g * sigmoid(logit) * sigmoid(-logit) * (logit - q_logit); },
        [](auto g, auto logit, auto q_logit, auto) { return g * (sigmoid(q_logit) - sigmoid(logit)); })
        .documented({.formula = "p log(p / q) + (1 - p) log((1 - p) / (1 - q)), p and q the sigmoids",
                     .gradient = "g p (1 - p) (logit - q_logit), g (q - p)",
                     .domain = {{{-6, 6}, {-6, 6}}},
                     .reference = [](const double* x) {
                         const double p = 1 / (1 + std::exp(-x[0]));
                         const double q = 1 / (1 + std::exp(-x[1]));
                         return p * std::log(p / q) + (1 - p) * std::log((1 - p) / (1 - q));
                     }});

inline constexpr auto bernoulli_entropy =
    autograd::elementwise<"bernoulli_entropy">(
        [](auto logit) { return sigmoid(logit) * softplus(-logit) + sigmoid(-logit) * softplus(logit); },
        [](auto g, auto logit, auto) { return -g * logit * sigmoid(logit) * sigmoid(-logit); })
        .documented({.formula = "-p log(p) - (1 - p) log(1 - p), p the sigmoid",
                     .gradient = "-g logit p (1 - p)",
                     .domain = {{{-6, 6}}},
                     .reference = [](const double* x) {
                         const double p = 1 / (1 + std::exp(-x[0]));
                         return -p * std::log(p) - (1 - p) * std::log(1 - p);
                     }});

/// coth(logit / 2) / 2 - 1 / logit: what a continuous Bernoulli variable's mean is above 1/2. The difference cancels
/// near 0; below 1/2 in magnitude it is the series sum B_2n logit^(2n - 1) / (2n)! (B: Bernoulli's numbers), of whose
/// terms seven are taken: the eighth is less than 3e-16 of the sum. Above, the cancellation costs at most a factor of
/// 50 in rounding.
inline constexpr auto mean_above_half = [](auto logit) {
    const auto small = abs(logit) < 0.5;
    const auto squared = square(where(small, logit, 0));
    const auto series =
        1. / 12 +
        squared *
            (-1. / 720 +
             squared * (1. / 30240 + squared * (-1. / 1209600 +
                                                squared * (1. / 47900160 + squared * (-691. / 1307674368000 +
                                                                                      squared * (1. / 74724249600))))));
    const auto large = where(small, 1, logit);
    return where(small, logit * series, 0.5 / tanh(0.5 * large) - 1 / large);
};

// log C = log(logit / tanh(logit / 2)), which is 2 + 2 logit mean_above_half(logit) within the logarithm.
inline constexpr auto continuous_bernoulli_log_prob =
    autograd::elementwise<"continuous_bernoulli_log_prob">(
        [](auto x, auto logit) { return x * logit - softplus(logit) + log(2 + 2 * (logit * mean_above_half(logit))); },
        [](auto g, auto, auto logit, auto) { return g * logit; },
        [](auto g, auto x, auto logit, auto) { return g * (x - (0.5 + mean_above_half(logit))); })
        .documented({.formula = "x logit - log(1 + exp(logit)) + log(logit / tanh(logit / 2))",
                     .gradient = "g logit, g (x - mean)",
                     .domain = {{{0, 1}, {-6, 6}}},
                     .reference = [](const double* x) {
                         const double p = 1 / (1 + std::exp(-x[1]));
                         return x[0] * std::log(p) + (1 - x[0]) * std::log(1 - p) +
                                std::log(2 * std::atanh(1 - 2 * p) / (1 - 2 * p));
                     }});

inline constexpr auto continuous_bernoulli_mean =
    autograd::elementwise<"continuous_bernoulli_mean">([](auto logit) { return 0.5 + mean_above_half(logit); })
        .documented({.formula = "p / (2 p - 1) + 1 / (2 atanh(1 - 2 p)), p the sigmoid",
                     .gradient = "derived",
                     .domain = {{{-6, 6}}},
                     .reference = [](const double* x) {
                         const double p = 1 / (1 + std::exp(-x[0]));
                         return p / (2 * p - 1) + 1 / (2 * std::atanh(1 - 2 * p));
                     }});

/// The inverse of the distribution function, log(1 + u (exp(logit) - 1)) / logit, by symmetry at -|logit|, where
/// nothing overflows.
inline constexpr auto continuous_bernoulli_quantile = autograd::elementwise<"continuous_bernoulli_quantile">(
    [](auto u, auto logit) {
        const auto from_end = where(logit > 0, 1 - u, u);
        const auto slope = -abs(logit);
        const auto distance = where(slope < 0, log1p(from_end * expm1(slope)) / where(slope < 0, slope, -1), from_end);
        return where(logit > 0, 1 - distance, distance);
    },
    autograd::no_gradient, autograd::no_gradient);

}  // namespace ops
}  // namespace nn

// One entry for each op above: compiled in distributions.cpp.
#define XTAPE_DISTRIBUTIONS(OP)                                                                                        \
    OP(nn::ops::normal_log_prob, 3) OP(nn::ops::normal_kl_divergence, 4) OP(nn::ops::standard_normal_kl_divergence, 2) \
    OP(nn::ops::bernoulli_kl_divergence, 2) OP(nn::ops::bernoulli_entropy, 1)                                          \
    OP(nn::ops::continuous_bernoulli_log_prob, 2) OP(nn::ops::continuous_bernoulli_mean, 1)                            \
    OP(nn::ops::continuous_bernoulli_quantile, 2)
XTAPE_DISTRIBUTIONS(XTAPE_DECLARE_LOOPS)

namespace nn {

/// N(mean, exp(log_variance)). `mean` and `log_variance` have the same shape, which is that of every result.
template <class T>
struct Normal {
    autograd::Var<T> mean;
    autograd::Var<T> log_variance;

    /// mean + exp(log_variance / 2) * epsilon, epsilon from N(0, 1), one draw of `rng`: differentiable in both.
    /// @throws ShapeError if the shapes of mean and log_variance differ. (So do all the others.)
    autograd::Var<T> rsample(autograd::Rng& rng) const {
        check("Normal::rsample");
        return mean + exp(0.5 * log_variance) * normal_like(mean, rng);
    }
    /// The same draw, as a constant.
    autograd::Var<T> sample(autograd::Rng& rng) const { return stop_gradient(rsample(rng)); }

    /// @throws ShapeError if x has another shape.
    autograd::Var<T> log_prob(const autograd::Var<T>& x) const {
        check("Normal::log_prob");
        detail::require_same_shape("Normal::log_prob", "x", x, "mean", mean);
        return ops::normal_log_prob(x, mean, log_variance);
    }
    autograd::Var<T> entropy() const {
        check("Normal::entropy");
        return 0.5 * (log_variance + (1 + ops::log_two_pi));
    }

    void check(const char* function) const {
        detail::require_same_shape(function, "mean", mean, "log_variance", log_variance);
    }
};
template <class T>
Normal(autograd::Var<T>, autograd::Var<T>) -> Normal<T>;

/// N(0, 1), of whatever shape it is compared with: the prior of a VAE.
struct StandardNormal {};

/// Independent variables which are 1 with probability sigmoid(logits), else 0.
template <class T>
struct Bernoulli {
    autograd::Var<T> logits;

    /// One draw of `rng`, as a constant. There is no rsample: a draw which is 0 or 1 has no derivative.
    autograd::Var<T> sample(autograd::Rng& rng) const { return bernoulli_like(sigmoid(logits), rng); }

    /// The log probability of x, for x of 0 and 1; between, the same formula, which is no longer a probability.
    /// @throws ShapeError if x has another shape.
    autograd::Var<T> log_prob(const autograd::Var<T>& x) const { return -binary_cross_entropy_with_logits(logits, x); }
    autograd::Var<T> entropy() const { return ops::bernoulli_entropy(logits); }
};
template <class T>
Bernoulli(autograd::Var<T>) -> Bernoulli<T>;

/// The density on [0, 1] that is proportional to p^x (1 - p)^(1 - x), p = sigmoid(logits): what the Bernoulli formula
/// on grey pixels becomes when it is made to integrate to 1. (Loaiza-Ganem and Cunningham, "The continuous Bernoulli:
/// fixing a pervasive error in variational autoencoders", NeurIPS 2019.) Its mean is not p.
template <class T>
struct ContinuousBernoulli {
    autograd::Var<T> logits;

    /// One draw of `rng`, as a constant.
    autograd::Var<T> sample(autograd::Rng& rng) const {
        return ops::continuous_bernoulli_quantile(uniform_like(logits, rng), logits);
    }
    /// The log density, for x from 0 to 1.
    /// @throws ShapeError if x has another shape.
    autograd::Var<T> log_prob(const autograd::Var<T>& x) const {
        detail::require_same_shape("ContinuousBernoulli::log_prob", "x", x, "logits", logits);
        return ops::continuous_bernoulli_log_prob(x, logits);
    }
    autograd::Var<T> mean() const { return ops::continuous_bernoulli_mean(logits); }
};
template <class T>
ContinuousBernoulli(autograd::Var<T>) -> ContinuousBernoulli<T>;

/// KL(p || q), element by element: the expectation of log p(x) - log q(x) under p.
/// @throws ShapeError if the shapes differ.
template <class T>
autograd::Var<T> kl_divergence(const Normal<T>& p, const Normal<T>& q) {
    p.check("kl_divergence");
    q.check("kl_divergence");
    detail::require_same_shape("kl_divergence", "p", p.mean, "q", q.mean);
    return ops::normal_kl_divergence(p.mean, p.log_variance, q.mean, q.log_variance);
}

/// Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014, appendix B (there summed, and with the other
/// sign).
template <class T>
autograd::Var<T> kl_divergence(const Normal<T>& p, StandardNormal) {
    p.check("kl_divergence");
    return ops::standard_normal_kl_divergence(p.mean, p.log_variance);
}

template <class T>
autograd::Var<T> kl_divergence(const Bernoulli<T>& p, const Bernoulli<T>& q) {
    detail::require_same_shape("kl_divergence", "p", p.logits, "q", q.logits);
    return ops::bernoulli_kl_divergence(p.logits, q.logits);
}

}  // namespace nn
