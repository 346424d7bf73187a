// Exponentials and logarithms, and what is made of them without overflow or cancellation.
#pragma once

#include "autograd/ops/arithmetic.hpp"

// Laid out by hand: a list.
// clang-format off
#define XTAPE_EXPONENTIAL_OPS(OP)                                                                       \
    OP(exp, 1) OP(exp2, 1) OP(expm1, 1) OP(log, 1) OP(log1p, 1) OP(log2, 1) OP(log10, 1) OP(sigmoid, 1) \
    OP(softplus, 1) OP(logsigmoid, 1) OP(logit, 1) OP(logaddexp, 2) OP(xlogy, 2) OP(xlog1py, 2)
// clang-format on

namespace XTAPE_API autograd {
XTAPE_EXPONENTIAL_OPS(XTAPE_DECLARE_OP)
}  // namespace autograd

namespace XTAPE_API autograd {
namespace ops {
// Laid out by hand: a table, in which a rule keeps its line.
// clang-format off

inline constexpr auto exp = elementwise<"exp">(
    [](auto x) { return kernels::exp(x); },
    [](auto g, auto, auto y) { return g * y; })
    .documented({.formula = "exp(x)", .gradient = "g * y"});

inline constexpr auto exp2 = elementwise<"exp2">(
    [](auto x) { return kernels::exp2(x); },
    // Above 0 by 2^(x - 1): 2^x may overflow where this does not.
    [](auto g, auto x, auto y) {
        return where(x < 0, std::numbers::ln2 * g * y, 2 * std::numbers::ln2 * g * autograd::exp2(x - 1));
    })
    .documented({.formula = "2^x", .gradient = "g 2^x log(2)"});

inline constexpr auto expm1 = elementwise<"expm1">(
    [](auto x) { return kernels::expm1(x); },
    [](auto g, auto x, auto) { return g * exp(x); })
    .documented({.formula = "exp(x) - 1", .gradient = "g exp(x)"});

inline constexpr auto log = elementwise<"log">(
    [](auto x) { return kernels::log(x); },
    [](auto g, auto x, auto) { return g / x; })
    .documented({.formula = "log(x)", .gradient = "g / x, also below 0, where y is NaN"});

inline constexpr auto log1p = elementwise<"log1p">(
    [](auto x) { return kernels::log1p(x); },
    [](auto g, auto x, auto) { return g / (1 + x); })
    .documented({.formula = "log(1 + x)", .gradient = "g / (1 + x), also below -1, where y is NaN"});

inline constexpr auto log2 = elementwise<"log2">(
    [](auto x) { return kernels::log2(x); },
    [](auto g, auto x, auto) { return g * std::numbers::log2e / x; })
    .documented({.formula = "log(x) / log(2)", .gradient = "g / (x log(2)), also below 0, where y is NaN"});

inline constexpr auto log10 = elementwise<"log10">(
    [](auto x) { return kernels::log10(x); },
    [](auto g, auto x, auto) { return g * std::numbers::log10e / x; })
    .documented({.formula = "log(x) / log(10)", .gradient = "g / (x log(10)), also below 0, where y is NaN"});

// Not 1 - y, which has lost its digits where y is close to 1.
inline constexpr auto sigmoid = elementwise<"sigmoid">(
    [](auto x) { return kernels::sigmoid(x); },
    [](auto g, auto x, auto y) { return g * y * autograd::sigmoid(-x); })
    .documented({.formula = "1 / (1 + exp(-x)), which may be 0 below the smallest normal number",
                 .gradient = "g y sigmoid(-x)"});

inline constexpr auto softplus = elementwise<"softplus">(
    [](auto x) { return kernels::softplus(x); },
    [](auto g, auto x, auto) { return g * sigmoid(x); })
    .documented({.formula = "log(1 + exp(x)), which may be 0 below the smallest normal number",
                 .gradient = "g sigmoid(x)"});

inline constexpr auto logsigmoid = elementwise<"logsigmoid">(
    [](auto x) { return -softplus(-x); },
    [](auto g, auto x, auto) { return g * sigmoid(-x); })
    .documented({.formula = "log(sigmoid(x))", .gradient = "g sigmoid(-x)"});

// Near 1/2 the logarithm would lose the digits in which its argument differs from 1.
inline constexpr auto logit = elementwise<"logit">(
    [](auto x) { return where(x < 0.25, log(x / (1 - x)), log1p((2 * x - 1) / (1 - x))); },
    [](auto g, auto x, auto) { return g / (x * (1 - x)); })
    .documented({.formula = "log(x / (1 - x))", .gradient = "g / (x (1 - x)), also outside [0, 1], where y is NaN"});

/// a - b, and 0 for equal infinities.
inline constexpr auto difference = [](auto a, auto b) { return where(logical_and(isinf(a), a == b), 0, a - b); };

inline constexpr auto logaddexp = elementwise<"logaddexp">(
    [](auto a, auto b) { return maximum(a, b) + softplus(-abs(difference(a, b))); },
    [](auto g, auto a, auto b, auto) { return g * sigmoid(difference(a, b)); },
    [](auto g, auto a, auto b, auto) { return g * sigmoid(difference(b, a)); })
    .documented({.formula = "log(exp(a) + exp(b))",
                 .gradient = "g sigmoid(a - b), g sigmoid(b - a)",
                 .kinks = "equal infinities: g / 2 to each"});

// At a kink the arguments are moved, to one whose logarithm is 0 and to a factor 0: there both gradients are constants.
// Elsewhere they are not, for the second order.
inline constexpr auto xlogy = elementwise<"xlogy">(
    [](auto x, auto y) { return where(x == 0, where(y == y, 0, y), x * log(y)); },
    [](auto g, auto x, auto y, auto) { return autograd::xlogy(g, where(logical_and(x == 0, y <= 0), 1, y)); },
    [](auto g, auto x, auto y, auto) {
        const auto kink = logical_and(x == 0, y <= 0);
        return g * where(kink, 0, x) / where(kink, 1, y);
    })
    .documented({.formula = "x log(y), 0 where x = 0",
                 .gradient = "g log(y), g x / y (also for y < 0, where the value is NaN)",
                 .kinks = "x = 0 and y <= 0: 0 to both"});

inline constexpr auto xlog1py = elementwise<"xlog1py">(
    [](auto x, auto y) { return where(x == 0, where(y == y, 0, y), x * log1p(y)); },
    [](auto g, auto x, auto y, auto) { return autograd::xlog1py(g, where(logical_and(x == 0, y <= -1), 0, y)); },
    [](auto g, auto x, auto y, auto) {
        const auto kink = logical_and(x == 0, y <= -1);
        return g * where(kink, 0, x) / (1 + where(kink, 0, y));
    })
    .documented({.formula = "x log(1 + y), 0 where x = 0",
                 .gradient = "g log(1 + y), g x / (1 + y) (also for y < -1, where the value is NaN)",
                 .kinks = "x = 0 and y <= -1: 0 to both"});

// clang-format on
}  // namespace ops
}  // namespace autograd

namespace XTAPE_API autograd {
XTAPE_EXPONENTIAL_OPS(XTAPE_DEFINE_OP)
}  // namespace autograd
