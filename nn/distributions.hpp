// Distributions over arrays of independent elements: samples, log probabilities, entropies and KL divergences, element
// by element and in nats. The caller sums over the axes of one event, so that no hidden weight comes in.
#pragma once

#include <autograd/autograd.hpp>

#include <cmath>
#include <iterator>
#include <numbers>

#include "nn/losses.hpp"

namespace XTAPE_API nn {

namespace ops {

inline constexpr double log_two_pi = 1.8378770664093454835606594728112353;

/// x / variance^(1/2), by two factors exp(-log_variance / 4): one at a time they overflow or vanish only where the
/// result does. The bound, beyond which the square of any x but 0 is infinite, keeps them finite, so that 0 gives 0.
inline constexpr auto by_deviation = [](auto x, auto log_variance) {
    constexpr bool is_float = sizeof(typename decltype(log_variance)::Element) == sizeof(float);
    const auto factor = exp(-0.25 * maximum(log_variance, is_float ? -300 : -2400));
    return x * factor * factor;
};
inline constexpr auto by_variance = [](auto x, auto log_variance) {
    return by_deviation(by_deviation(x, log_variance), log_variance);
};

/// (a - b) / variance^(1/2) and (a - b) / variance. By halves where a is large, because a - b may overflow.
inline constexpr auto difference_by = [](auto by, auto a, auto b, auto log_variance) {
    const auto scale = where(abs(a) > 1, 0.5, 1);
    return by(scale * a - scale * b, log_variance) / scale;
};
// Laid out by hand: a table, in which a rule keeps its line.
// clang-format off
inline constexpr auto difference_by_deviation = autograd::elementwise<"difference_by_deviation">(
    [](auto a, auto b, auto log_variance) { return difference_by(by_deviation, a, b, log_variance); },
    [](auto g, auto, auto, auto log_variance, auto) { return by_deviation(g, log_variance); },
    [](auto g, auto, auto, auto log_variance, auto) { return -by_deviation(g, log_variance); },
    [](auto g, auto, auto, auto, auto y) { return -0.5 * g * y; });

inline constexpr auto difference_by_variance = autograd::elementwise<"difference_by_variance">(
    [](auto a, auto b, auto log_variance) { return difference_by(by_variance, a, b, log_variance); },
    [](auto g, auto, auto, auto log_variance, auto) { return by_variance(g, log_variance); },
    [](auto g, auto, auto, auto log_variance, auto) { return -by_variance(g, log_variance); },
    [](auto g, auto, auto, auto, auto y) { return -g * y; });

/// x^2 / 2, which may be a number where x^2 is none.
inline constexpr auto half_of_square = [](auto x) { return 0.5 * x * x; };

inline constexpr auto normal_log_prob = autograd::elementwise<"normal_log_prob">(
    [](auto x, auto mean, auto log_variance) {
        const auto half_square = half_of_square(difference_by_deviation(x, mean, log_variance));
        // An infinite square outweighs the logarithm of a variance of 0.
        const auto logarithm = where(half_square == autograd::ops::infinity, 0, log_variance);
        return -0.5 * (log_two_pi + logarithm) - half_square;
    },
    [](auto g, auto x, auto mean, auto log_variance, auto) {
        return g * difference_by_variance(mean, x, log_variance);
    },
    [](auto g, auto x, auto mean, auto log_variance, auto) {
        return g * difference_by_variance(x, mean, log_variance);
    },
    [](auto g, auto x, auto mean, auto log_variance, auto) {
        return g * (half_of_square(difference_by_deviation(x, mean, log_variance)) - 0.5);
    })
    .documented({.formula = "-(log(2 pi) + log_variance + (x - mean)^2 / exp(log_variance)) / 2",
                 .gradient = "g (mean - x) / variance, g (x - mean) / variance, g ((x - mean)^2 / variance - 1) / 2",
                 .kinks = "a variance of 0: the limit, infinity at the mean and -infinity elsewhere"});

/// exp(x) - 1 - x. Below 1/2 in magnitude, where differences would lose digits, its series, of whose terms 15 are
/// taken: the next is less than 2e-19 of the sum.
inline constexpr auto exp_remainder = [](auto x) {
    const auto small = abs(x) < 0.5;
    const auto near = where(small, x, 0);
    auto series = 1 + near * (1. / 16);
    for (int k = 15; k > 2; --k) series = 1 + near * (1. / k) * series;
    return where(small, 0.5 * near * near * series, expm1(x) - x);
};

/// (exp(x) - 1) / 2. For large x it is a product of two roots: exp(x) may be none of the numbers where its half is one.
inline constexpr auto half_of_expm1 = [](auto x) {
    const auto large = x > 80;
    const auto root = exp(0.5 * where(large, x, 0));
    return where(large, 0.5 * root * root, 0.5 * expm1(where(large, 0, x)));
};
/// (exp(x) - 1 - x) / 2.
inline constexpr auto half_of_exp_remainder = [](auto x) {
    const auto large = x > 80;
    // x is of no account where exp(x) is infinite, and must not be infinity - infinity.
    return where(large, half_of_expm1(x) - 0.5 * minimum(x, autograd::ops::vanishing),
                 0.5 * exp_remainder(where(large, 0, x)));
};

inline constexpr auto normal_kl_divergence = autograd::elementwise<"normal_kl_divergence">(
    [](auto mean, auto log_variance, auto q_mean, auto q_log_variance) {
        return half_of_exp_remainder(autograd::ops::difference(log_variance, q_log_variance)) +
               half_of_square(difference_by_deviation(mean, q_mean, q_log_variance));
    },
    [](auto g, auto mean, auto, auto q_mean, auto q_log_variance, auto) {
        return g * difference_by_variance(mean, q_mean, q_log_variance);
    },
    [](auto g, auto, auto log_variance, auto, auto q_log_variance, auto) {
        return g * half_of_expm1(autograd::ops::difference(log_variance, q_log_variance));
    },
    [](auto g, auto mean, auto, auto q_mean, auto q_log_variance, auto) {
        return g * difference_by_variance(q_mean, mean, q_log_variance);
    },
    [](auto g, auto mean, auto log_variance, auto q_mean, auto q_log_variance, auto) {
        return -g * (half_of_expm1(autograd::ops::difference(log_variance, q_log_variance)) +
                     half_of_square(difference_by_deviation(mean, q_mean, q_log_variance)));
    })
    .documented({.formula = "(exp(r) - 1 - r + (mean - q_mean)^2 / exp(q_log_variance)) / 2, r the difference of the "
                            "log variances",
                 .gradient = "stated",
                 .kinks = "equal infinite log variances: r = 0"});

inline constexpr auto standard_normal_kl_divergence = autograd::elementwise<"standard_normal_kl_divergence">(
    [](auto mean, auto log_variance) { return half_of_exp_remainder(log_variance) + half_of_square(mean); },
    [](auto g, auto mean, auto, auto) { return g * mean; },
    [](auto g, auto, auto log_variance, auto) { return g * half_of_expm1(log_variance); })
    .documented({.formula = "(exp(log_variance) - 1 - log_variance + mean^2) / 2",
                 .gradient = "g mean, g (exp(log_variance) - 1) / 2"});

// Where the logits are near each other, a sum without a negative term: with d = q_logit - logit, the divergence is
// log((1 - p) exp(-p d) + p exp((1 - p) d)), in which the linear terms cancel. Elsewhere the expectation of
// log p(x) - log q(x), with -log p = softplus(-logit).
inline constexpr auto bernoulli_kl_divergence = autograd::elementwise<"bernoulli_kl_divergence">(
    [](auto logit, auto q_logit) {
        const auto p = sigmoid(logit), rest = sigmoid(-logit);
        const auto step = autograd::ops::difference(q_logit, logit);
        const auto is_near = abs(step) < 10;
        const auto d = where(is_near, step, 0);
        const auto near = log1p(rest * exp_remainder(-p * d) + p * exp_remainder(rest * d));
        const auto far_on_1 = p * (softplus(-q_logit) - softplus(-logit));
        const auto far_on_0 = rest * (softplus(q_logit) - softplus(logit));
        // What has no probability under p adds nothing, however small it is under q.
        return where(is_near, near,
                     where(logit == -autograd::ops::infinity, 0, far_on_1) +
                         where(logit == autograd::ops::infinity, 0, far_on_0));
    },
    [](auto g, auto logit, auto q_logit, auto) {
        // There p (1 - p) is 0, and the difference may overflow.
        const auto certain = logical_and(abs(logit) > autograd::ops::vanishing, isfinite(q_logit));
        return g * sigmoid(logit) * sigmoid(-logit) * where(certain, 0, autograd::ops::difference(logit, q_logit));
    },
    // sigmoid(q_logit) - sigmoid(logit), as a product.
    [](auto g, auto logit, auto q_logit, auto) {
        const auto above = q_logit > logit;
        const auto high = where(above, q_logit, logit), low = where(above, logit, q_logit);
        const auto size = sigmoid(high) * sigmoid(-low) * expm1(autograd::ops::difference(low, high));
        return g * where(above, -size, size);
    })
    .documented({.formula = "p log(p / q) + (1 - p) log((1 - p) / (1 - q)), p and q the sigmoids",
                 .gradient = "g p (1 - p) (logit - q_logit), g (q - p)",
                 .kinks = "equal infinities: 0; p = 0 or 1: the limits"});

// Beyond the bounds p or 1 - p is 0.
inline constexpr auto bernoulli_entropy = autograd::elementwise<"bernoulli_entropy">(
    [](auto logit) {
        const auto l = autograd::ops::bounded(logit);
        return sigmoid(l) * softplus(-l) + sigmoid(-l) * softplus(l);
    },
    [](auto g, auto logit, auto) {
        const auto l = autograd::ops::bounded(logit);
        return -g * l * sigmoid(l) * sigmoid(-l);
    })
    .documented({.formula = "-p log(p) - (1 - p) log(1 - p), p the sigmoid", .gradient = "-g logit p (1 - p)"});

// The continuous Bernoulli density is proportional to exp(logit x): near a logit of 0 almost uniform, far from it
// almost an exponential distribution that falls from one end of [0, 1]. What is computed is relative to its anchor,
// which is that end, or the middle: there, differences keep their digits, those of derivatives too.
inline constexpr auto anchor = [](auto logit) { return where(abs(logit) < 4, 0.5, logit > 0); };

/// The mean less the middle is coth(logit / 2) / 2 - 1 / logit, the sum over n = 1, 2, ... of
/// 2 logit / (logit^2 + (2 pi n)^2) (DLMF 4.36.3), whose terms have one sign. The first two are taken as they are, ...
inline constexpr double first_pole = 39.478417604357434, second_pole = 157.91367041742974;  // (2 pi n)^2

/// ... the others together as a power series: logit^(2k + 1) times 2 (-1)^k sum over n > 2 of (2 pi n)^(-2k - 2). Below 4
/// in magnitude the thirteenth of these is less than 1e-17 of the sum.
inline constexpr double mean_coefficients[] = {
    0.020007593556872226,    -2.5438120688625622e-5,  5.5845683904944151e-8,   -1.4088241574761047e-10,
    3.7567162002157978e-13,  -1.0280125375360461e-15, 2.8500221292137912e-18,  -7.955575410719845e-21,
    2.2289326645537012e-23,  -6.2574711508057722e-26, 1.758673049290968e-28,   -4.9458469500579387e-31};

/// The sum of coefficient k times squared^k, each divided by `divisor(k)`.
inline constexpr auto mean_series = [](auto squared, auto divisor) {
    constexpr int last = static_cast<int>(std::size(mean_coefficients)) - 1;
    const auto coefficient = [&](int k) { return mean_coefficients[k] / divisor(k); };
    auto sum = coefficient(last - 1) + squared * coefficient(last);
    for (int k = last - 1; k-- > 0;) sum = coefficient(k) + squared * sum;
    return sum;
};

/// The mean less the anchor: from the end it is 1 / |logit| - 1 / (exp(|logit|) - 1).
inline constexpr auto mean_from_anchor = [](auto logit) {
    const auto small = abs(logit) < 4;
    const auto near = where(small, logit, 0), squared = square(near);
    const auto size = where(small, 4, abs(logit));
    const auto from_middle =
        near * (2 / (squared + first_pole) + 2 / (squared + second_pole) + mean_series(squared, [](int) { return 1; }));
    const auto from_end = 1 / size + exp(-size) / expm1(-size);
    return where(small, from_middle, where(logit > 0, -from_end, from_end));
};

// The density at the anchor is logit / 2 / sinh(logit / 2) in the middle, the integral of what stands above, and
// |logit| / (1 - exp(-|logit|)) at an end.
inline constexpr auto continuous_bernoulli_log_prob = autograd::elementwise<"continuous_bernoulli_log_prob">(
    [](auto x, auto logit) {
        const auto small = abs(logit) < 4;
        const auto squared = square(where(small, logit, 0));
        const auto size = where(small, 4, abs(logit));
        const auto poles = squared * (1 / first_pole + 1 / second_pole + squared * (1 / first_pole / second_pole));
        const auto logarithm = log1p(where(small, poles, size / -expm1(-size) - 1));
        const auto series = squared * mean_series(squared, [](int k) { return 2 * k + 2; });
        const auto at_anchor = where(small, -(logarithm + series), logarithm);
        const auto distance = x - anchor(logit);
        const auto slope = where(distance == 0, 0, logit * distance);
        return where(slope == -autograd::ops::infinity, slope, slope + at_anchor);
    },
    [](auto g, auto, auto logit, auto) { return g * logit; },
    [](auto g, auto x, auto logit, auto) { return g * ((x - anchor(logit)) - mean_from_anchor(logit)); })
    .documented({.formula = "x logit - log(1 + exp(logit)) + log(logit / tanh(logit / 2))",
                 .gradient = "g logit, g (x - mean)",
                 .kinks = "infinite logits: the limits, infinity at the end where all the probability is, else "
                          "-infinity"});

inline constexpr auto continuous_bernoulli_mean = autograd::elementwise<"continuous_bernoulli_mean">(
    [](auto logit) { return anchor(logit) + mean_from_anchor(logit); })
    .documented({.formula = "p / (2 p - 1) + 1 / (2 atanh(1 - 2 p)), p the sigmoid", .gradient = "derived"});

/// The inverse of the distribution function, log(1 + u (exp(logit) - 1)) / logit, by symmetry at -|logit|, where
/// nothing overflows. It is within [0, 1] for all logits; for infinite ones it is the end where all the probability is.
inline constexpr auto continuous_bernoulli_quantile = autograd::elementwise<"continuous_bernoulli_quantile">(
    [](auto u, auto logit) {
        const auto from_end = where(logit > 0, 1 - u, u), to_end = where(logit > 0, u, 1 - u);
        const auto slope = -abs(logit);
        const auto fall = from_end * expm1(slope);
        // Where 1 + fall would lose its digits, or be 0, it is to_end (1 - exp(slope)) + exp(slope); at the end itself
        // exp(slope), which may be below the smallest normal number.
        const auto near_end = where(to_end == 0, slope, log(exp(slope) - to_end * expm1(slope)));
        const auto logarithm = where(fall > -0.9, log1p(fall), near_end);
        const auto distance = minimum(logarithm / where(slope < 0, slope, -1), 1);
        // So close to 0 the density is uniform to the last digit, and products with the slope underflow.
        const auto uniform = slope > -1e-30;
        const auto chosen = where(uniform, from_end, where(isinf(slope), 0 * u, distance));
        return where(logit > 0, 1 - chosen, chosen);
    },
    autograd::no_gradient, autograd::no_gradient);

// clang-format on
}  // namespace ops
}  // namespace nn

// One entry for each op above: compiled in distributions.cpp.
// Laid out by hand: a list.
// clang-format off
#define XTAPE_DISTRIBUTIONS(OP)                                                                              \
    OP(nn::ops::difference_by_deviation, 3) OP(nn::ops::difference_by_variance, 3)                           \
    OP(nn::ops::normal_log_prob, 3)                                                                          \
    OP(nn::ops::normal_kl_divergence, 4) OP(nn::ops::standard_normal_kl_divergence, 2)                       \
    OP(nn::ops::bernoulli_kl_divergence, 2) OP(nn::ops::bernoulli_entropy, 1)                                \
    OP(nn::ops::continuous_bernoulli_log_prob, 2) OP(nn::ops::continuous_bernoulli_mean, 1)                  \
    OP(nn::ops::continuous_bernoulli_quantile, 2)
// clang-format on
XTAPE_DISTRIBUTIONS(XTAPE_DECLARE_LOOPS)

namespace XTAPE_API nn {

/// N(mean, exp(log_variance)). `mean` and `log_variance` have the same shape, which is that of every result. Where a
/// log variance is infinite, densities and divergences are the limits: of a variance of 0 the density is infinite at
/// the mean and 0 elsewhere.
template <class T>
struct Normal {
    autograd::Var<T> mean;
    autograd::Var<T> log_variance;

    /// mean + exp(log_variance / 2) * epsilon, epsilon from N(0, 1), one draw of `rng`: differentiable in both.
    /// @throws ShapeError if the shapes of mean and log_variance differ. (So do all the others.)
    autograd::Var<T> rsample(autograd::Rng& rng) const { return drawn("Normal::rsample", rng); }
    /// A draw as a constant.
    autograd::Var<T> sample(autograd::Rng& rng) const { return stop_gradient(drawn("Normal::sample", rng)); }

    /// The logarithm of the density at x.
    /// @throws ShapeError if x has another shape.
    autograd::Var<T> log_prob(const autograd::Var<T>& x) const {
        check("Normal::log_prob");
        detail::require_same_shape("Normal::log_prob", "x", x, "mean", mean);
        return ops::normal_log_prob(x, mean, log_variance);
    }
    /// (log(2 pi) + 1 + log_variance) / 2.
    autograd::Var<T> entropy() const {
        check("Normal::entropy");
        return 0.5 * (log_variance + (1 + ops::log_two_pi));
    }

    /// What rsample() gives; `function` begins the message of an error.
    autograd::Var<T> drawn(const char* function, autograd::Rng& rng) const {
        check(function);
        return mean + exp(0.5 * log_variance) * normal_like(mean, rng);
    }
    /// Refuses a mean and a log variance of different shapes.
    /// @throws ShapeError for these; `function` begins the message.
    void check(const char* function) const { detail::require_same_shape(function, "mean", mean, "log_variance", log_variance); }
};
template <class T>
Normal(autograd::Var<T>, autograd::Var<T>) -> Normal<T>;

/// N(0, 1), of whatever shape it is compared with: the prior of a VAE.
struct StandardNormal {};

/// Independent variables which are 1 with probability sigmoid(logits), else 0. Infinite logits are certain: what has no
/// probability has a log_prob of -infinity, and adds nothing to an entropy or a divergence.
template <class T>
struct Bernoulli {
    autograd::Var<T> logits;

    /// One draw of `rng`, as a constant. There is no rsample: a draw which is 0 or 1 has no derivative.
    /// @throws Error if a logit is NaN.
    autograd::Var<T> sample(autograd::Rng& rng) const {
        const auto drawn = [&] { return bernoulli_like(sigmoid(logits), rng); };
        return autograd::detail::with_context_of("Bernoulli::sample", drawn, logits);
    }

    /// The log probability of x, for x of 0 and 1; between, the same formula, which is no longer a probability.
    /// @throws ShapeError if x has another shape.
    autograd::Var<T> log_prob(const autograd::Var<T>& x) const {
        detail::require_same_shape("Bernoulli::log_prob", "x", x, "logits", logits);
        return -binary_cross_entropy_with_logits(logits, x);
    }
    /// -p log(p) - (1 - p) log(1 - p), p = sigmoid(logits).
    autograd::Var<T> entropy() const { return ops::bernoulli_entropy(logits); }
};
template <class T>
Bernoulli(autograd::Var<T>) -> Bernoulli<T>;

/// The density on [0, 1] that is proportional to p^x (1 - p)^(1 - x), p = sigmoid(logits): what the Bernoulli formula
/// on grey pixels becomes when it is made to integrate to 1. (Loaiza-Ganem and Cunningham, "The continuous Bernoulli:
/// fixing a pervasive error in variational autoencoders", NeurIPS 2019.) Its mean is not p. Of infinite logits all
/// probability is at one end, where the density is infinite.
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
    /// p / (2 p - 1) + 1 / (2 atanh(1 - 2 p)), p = sigmoid(logits), and 1/2 where that is p. (Loaiza-Ganem and Cunningham.)
    autograd::Var<T> mean() const { return ops::continuous_bernoulli_mean(logits); }
};
template <class T>
ContinuousBernoulli(autograd::Var<T>) -> ContinuousBernoulli<T>;

/// KL(p || q), element by element: the expectation of log p(x) - log q(x) under p.
/// @throws ShapeError if the shapes differ.
template <class T>
[[nodiscard]] autograd::Var<T> kl_divergence(const Normal<T>& p, const Normal<T>& q) {
    p.check("kl_divergence");
    q.check("kl_divergence");
    detail::require_same_shape("kl_divergence", "p", p.mean, "q", q.mean);
    return ops::normal_kl_divergence(p.mean, p.log_variance, q.mean, q.log_variance);
}

/// Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014, appendix B (there summed, and with the other
/// sign).
template <class T>
[[nodiscard]] autograd::Var<T> kl_divergence(const Normal<T>& p, StandardNormal) {
    p.check("kl_divergence");
    return ops::standard_normal_kl_divergence(p.mean, p.log_variance);
}

template <class T>
[[nodiscard]] autograd::Var<T> kl_divergence(const Bernoulli<T>& p, const Bernoulli<T>& q) {
    detail::require_same_shape("kl_divergence", "p", p.logits, "q", q.logits);
    return ops::bernoulli_kl_divergence(p.logits, q.logits);
}

}  // namespace nn
