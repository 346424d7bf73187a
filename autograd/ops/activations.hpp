// Activation functions of neural networks, under PyTorch's names (sigmoid and softplus are in exponential.hpp, tanh in
// trigonometric.hpp). At a kink the gradient of the side that is constant is taken, else that of the side below, as
// PyTorch does: relu'(0) = 0. The gradient at a NaN is NaN.
#pragma once

#include "autograd/ops/special.hpp"
#include "autograd/ops/trigonometric.hpp"

// Laid out by hand: a list.
// clang-format off
#define XTAPE_ACTIVATIONS_OPS(OP)                                                                         \
    OP(relu, 1) OP(relu6, 1) OP(leaky_relu, 2) OP(elu, 2) OP(celu, 2) OP(selu, 1) OP(silu, 1) OP(mish, 1) \
    OP(gelu, 1) OP(gelu_tanh, 1) OP(softsign, 1) OP(hardtanh, 3) OP(hardsigmoid, 1) OP(hardswish, 1)
// clang-format on

namespace XTAPE_API autograd {
XTAPE_ACTIVATIONS_OPS(XTAPE_DECLARE_OP)
}  // namespace autograd

namespace XTAPE_API autograd {
namespace ops {
// Laid out by hand: a table, in which a rule keeps its line.
// clang-format off

/// x where it is negative, else 0: what the exponential of an elu sees, so that its derivative is finite elsewhere.
inline constexpr auto negative_part = [](auto x) { return where(x > 0, 0, x); };

inline constexpr auto relu = elementwise<"relu">(
    [](auto x) { return kernels::maximum(x, decltype(x)(0)); },
    [](auto g, auto x, auto) { return unless_nan(x, where(x <= 0, 0, g)); })
    .documented({.formula = "max(x, 0)", .gradient = "g where x > 0, else 0", .kinks = "x = 0: 0"});

inline constexpr auto relu6 = elementwise<"relu6">(
    [](auto x) { return minimum(maximum(x, 0), 6); },
    [](auto g, auto x, auto) { return unless_nan(x, where(x <= 0, 0, where(x >= 6, 0, g))); })
    .documented({.formula = "min(max(x, 0), 6)", .gradient = "g where 0 < x < 6, else 0", .kinks = "x = 0, x = 6: 0"});

inline constexpr auto leaky_relu = elementwise<"leaky_relu">(
    [](auto x, auto slope) { return where(x > 0, x, slope * x); },
    [](auto g, auto x, auto slope, auto y) { return unless_nan(y, where(x > 0, g, g * slope)); },
    [](auto g, auto x, auto, auto) { return where(x > 0, 0, g * x); })
    .documented({.formula = "x where x > 0, else slope x (slope = 0.01)",
                 .gradient = "g where x > 0, else g slope; g x where x <= 0, else 0",
                 .kinks = "x = 0: g slope",
                 .nan = "the slope is not looked at where x > 0"});

inline constexpr auto elu = elementwise<"elu">(
    [](auto x, auto alpha) { return where(x > 0, x, alpha * expm1(x)); },
    [](auto g, auto x, auto alpha, auto) {
        // root * root may underflow where alpha times it does not.
        const auto root = exp(0.5 * negative_part(x));
        return where(x > 0, g, g * alpha * root * root);
    },
    [](auto g, auto x, auto, auto) { return where(x > 0, 0, g * expm1(negative_part(x))); })
    .documented({.formula = "x where x > 0, else alpha (exp(x) - 1) (alpha = 1)",
                 .gradient = "g where x > 0, else g alpha exp(x); g (exp(x) - 1) where x <= 0, else 0",
                 .kinks = "x = 0: g alpha",
                 .nan = "alpha is not looked at where x > 0"});

inline constexpr auto celu = elementwise<"celu">(
    [](auto x, auto alpha) {
        const auto z = x / alpha;
        return where(logical_or(x > 0, abs(z) < 1e-20), x, alpha * expm1(z));  // a large alpha has x as its limit
    },
    [](auto g, auto x, auto alpha, auto) { return where(x > 0, g, g * exp(negative_part(x) / alpha)); },
    [](auto g, auto x, auto alpha, auto) {
        const auto z = negative_part(x) / alpha;
        return where(x > 0, 0, g * (expm1(z) - bounded_below(z) * exp(z)));
    })
    .documented({.formula = "x where x > 0, else alpha (exp(x / alpha) - 1) (alpha = 1)",
                 .gradient = "g where x > 0, else g exp(z), z = x / alpha; g (exp(z) - 1 - z exp(z)) where x <= 0, "
                             "else 0",
                 .kinks = "x = 0: g",
                 .nan = "alpha is not looked at where x > 0"});

// Klambauer et al., "Self-normalizing neural networks", NIPS 2017.
inline constexpr double selu_scale = 1.0507009873554804934193349852946;
inline constexpr double selu_alpha = 1.6732632423543772848170429916717;
inline constexpr auto selu = elementwise<"selu">(
    [](auto x) { return selu_scale * where(x > 0, x, selu_alpha * expm1(x)); },
    [](auto g, auto x, auto) { return selu_scale * where(x > 0, g, selu_alpha * g * exp(negative_part(x))); })
    .documented({.formula = "1.0507... elu(x, 1.6732...)",
                 .gradient = "1.0507... g where x > 0, else 1.7580... g exp(x)",
                 .kinks = "x = 0: 1.7580... g"});

/// -|x|. At 0 it has the derivative of one side, so that an even function of it is differentiated right to all orders.
inline constexpr auto toward_minus_infinity = [](auto x) { return where(x < 0, x, -x); };

// In w = exp(-|x|), which never overflows. It is taken as the square of a number that x can be multiplied by first, for
// w may be below the smallest normal number where x w is not.
inline constexpr auto silu = elementwise<"silu">(
    [](auto x) {
        const auto root = exp(0.5 * toward_minus_infinity(x));
        return where(x < 0, bounded_below(x) * root * root, x) / (1 + root * root);
    },
    [](auto g, auto x, auto) {
        const auto t = bounded(x), root = exp(0.5 * toward_minus_infinity(t)), w = root * root;
        return g * where(t < 0, root * (root * (1 + w + t)), 1 + w + t * w) / ((1 + w) * (1 + w));
    })
    .documented({.formula = "x sigmoid(x)", .gradient = "g (s + x s (1 - s)), s = sigmoid(x)"});

// Misra, "Mish: a self regularized non-monotonic activation function", BMVC 2020.
// tanh(softplus(x)) is a quotient of polynomials in exp(x), or, above 0, in w = exp(-|x|); and so is the gradient.
inline constexpr auto mish_denominator = [](auto x, auto w) {
    return where(x < 0, 2 + w * (2 + w), 1 + 2 * w * (1 + w));
};
inline constexpr auto mish = elementwise<"mish">(
    [](auto x) {
        const auto root = exp(0.5 * toward_minus_infinity(x)), w = root * root;
        return where(x < 0, bounded_below(x) * root * root * (2 + w), x * (1 + 2 * w)) / mish_denominator(x, w);
    },
    [](auto g, auto x, auto) {
        const auto t = bounded(x), root = exp(0.5 * toward_minus_infinity(t)), w = root * root;
        const auto below = root * (root * (4 * (t + 1) + w * (4 * t + 6 + w * (4 + w))));
        const auto above = 1 + w * (4 + w * (4 * t + 6 + w * 4 * (t + 1)));
        const auto denominator = mish_denominator(t, w);
        return g * where(t < 0, below, above) / (denominator * denominator);
    })
    .documented({.formula = "x tanh(softplus(x))",
                 .gradient = "g (t + x (1 - t^2) sigmoid(x)), t = tanh(softplus(x))"});

// The gradient's own Phi is by erfc of a rounded argument: where that counts, far below 0, it is the lesser term.
inline constexpr auto gelu = elementwise<"gelu">(
    [](auto x) { return bounded_below(x) * kernels::normal_cdf(x); },
    [](auto g, auto x, auto) {
        const auto density = gaussian(x, 0.5) * (0.5 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi);
        return g * (0.5 * erfc(x * -std::numbers::sqrt2 / 2) + bounded(x) * density);
    })
    .documented({.formula = "x Phi(x), Phi the normal distribution's",
                 .gradient = "g (Phi(x) + x exp(-x^2 / 2) / sqrt(2 pi))"});

// Hendrycks and Gimpel, "Gaussian error linear units", 2016: PyTorch's gelu with approximate="tanh". The sigmoid is
// that tanh without its cancellation below 0; the roundings of its argument u cost |u| units of the last place each.
inline constexpr auto gelu_tanh_argument = [](auto t) {
    return 2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi * t * (1 + 0.044715 * t * t);
};
inline constexpr auto gelu_tanh = elementwise<"gelu_tanh">(
    [](auto x) { return bounded_below(x) * sigmoid(gelu_tanh_argument(bounded(x))); },
    [](auto g, auto x, auto) {
        const auto t = bounded(x), s = sigmoid(gelu_tanh_argument(t));
        const auto slope = 2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi * (1 + 3 * 0.044715 * t * t);
        return g * (s + t * s * (1 - s) * slope);
    })
    .documented({.formula = "x (1 + tanh(u)) / 2, u = sqrt(2 / pi) (x + 0.044715 x^3)",
                 .gradient = "g (s + x s (1 - s) 2 u'), s = sigmoid(2 u)"});

inline constexpr auto softsign = elementwise<"softsign">(
    [](auto x) { return where(isinf(x), kernels::copysign(decltype(x)(1), x), x / (1 + abs(x))); },
    [](auto g, auto x, auto) {
        const auto size = 1 + abs(x);  // its square may overflow
        return g / size / size;
    })
    .documented({.formula = "x / (1 + |x|)", .gradient = "g / (1 + |x|)^2"});

// PyTorch's gradient on the bounds, which is not clip's.
inline constexpr auto hardtanh = elementwise<"hardtanh">(
    [](auto x, auto low, auto high) { return minimum(maximum(x, low), high); },
    [](auto g, auto x, auto low, auto high, auto y) {
        return unless_nan(y, where(x <= low, 0, where(x >= high, 0, g)));
    },
    [](auto g, auto x, auto low, auto high, auto y) {
        return unless_nan(y, where(low >= high, 0, where(x <= low, g, 0)));
    },
    [](auto g, auto x, auto low, auto high, auto y) {
        return unless_nan(y, where(low >= high, g, where(x >= high, g, 0)));
    })
    .documented({.formula = "min(max(x, low), high) (low = -1, high = 1)",
                 .gradient = "g within the bounds, else g to the bound",
                 .kinks = "x = low, x = high: 0 to x, g to the bound"});

inline constexpr auto hardsigmoid = elementwise<"hardsigmoid">(
    [](auto x) { return minimum(maximum(x + 3, 0), 6) / 6; },
    [](auto g, auto x, auto) { return unless_nan(x, where(x <= -3, 0, where(x >= 3, 0, g / 6))); })
    .documented({.formula = "min(max(x + 3, 0), 6) / 6",
                 .gradient = "g / 6 where -3 < x < 3, else 0",
                 .kinks = "x = -3, x = 3: 0"});

// On the bounds the gradient of the straight parts (PyTorch 2.6 has -g / 2 and 3 g / 2).
inline constexpr auto hardswish = elementwise<"hardswish">(
    [](auto x) { return maximum(x, -3) * (minimum(maximum(x + 3, 0), 6) / 6); },
    [](auto g, auto x, auto) { return where(x <= -3, 0, where(x >= 3, g, g * (x / 3 + 0.5))); })
    .documented({.formula = "x min(max(x + 3, 0), 6) / 6",
                 .gradient = "g (x / 3 + 1 / 2) where -3 < x < 3, 0 below, g above",
                 .kinks = "x = -3: 0, x = 3: g"});

// clang-format on
}  // namespace ops
}  // namespace autograd

namespace XTAPE_API autograd {
XTAPE_ACTIVATIONS_OPS(XTAPE_DEFINE_OP)

// PyTorch's defaults.
template <Operand A>
[[nodiscard]] auto leaky_relu(const A& x) {
    return autograd::leaky_relu(x, 0.01);
}
template <Operand A>
[[nodiscard]] auto elu(const A& x) {
    return autograd::elu(x, 1);
}
template <Operand A>
[[nodiscard]] auto celu(const A& x) {
    return autograd::celu(x, 1);
}
template <Operand A>
[[nodiscard]] auto hardtanh(const A& x) {
    return autograd::hardtanh(x, -1, 1);
}
}  // namespace autograd
