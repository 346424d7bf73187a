// Exponentials and logarithms, and what is made of them without overflow or cancellation.
#pragma once

#include "autograd/ops/arithmetic.hpp"

#define XTAPE_EXPONENTIAL_OPS(OP)                                                                       \
    OP(exp, 1) OP(exp2, 1) OP(expm1, 1) OP(log, 1) OP(log1p, 1) OP(log2, 1) OP(log10, 1) OP(sigmoid, 1) \
    OP(softplus, 1) OP(logsigmoid, 1) OP(logit, 1) OP(logaddexp, 2) OP(xlogy, 2) OP(xlog1py, 2)

namespace autograd {
XTAPE_EXPONENTIAL_OPS(XTAPE_DECLARE_OP)
}  // namespace autograd

namespace autograd::ops {

inline constexpr auto exp =
    elementwise<"exp">([](auto x) { return kernels::exp(x); }, [](auto g, auto, auto y) { return g * y; })
        .documented(
            {.formula = "exp(x)", .gradient = "g * y", .reference = [](const double* x) { return std::exp(x[0]); }});

inline constexpr auto exp2 =
    elementwise<"exp2">([](auto x) { return kernels::exp2(x); },
                        // Above 0 of x - 1, for 2^x may overflow where this does not.
                        [](auto g, auto x, auto y) {
                            return where(x < 0, std::numbers::ln2 * g * y,
                                         2 * std::numbers::ln2 * g * autograd::exp2(x - 1));
                        })
        .documented({.formula = "2^x", .gradient = "g 2^x log(2)", .reference = [](const double* x) {
                         return std::exp2(x[0]);
                     }});

inline constexpr auto expm1 =
    elementwise<"expm1">([](auto x) { return kernels::expm1(x); }, [](auto g, auto x, auto) { return g * exp(x); })
        .documented({.formula = "exp(x) - 1", .gradient = "g exp(x)", .reference = [](const double* x) {
                         return std::expm1(x[0]);
                     }});

inline constexpr auto log =
    elementwise<"log">([](auto x) { return kernels::log(x); }, [](auto g, auto x, auto) { return g / x; })
        .documented({.formula = "log(x)",
                     .gradient = "g / x, also below 0, where y is NaN",
                     .domain = {{{0.1, 4}}},
                     .reference = [](const double* x) { return std::log(x[0]); }});

inline constexpr auto log1p =
    elementwise<"log1p">([](auto x) { return kernels::log1p(x); }, [](auto g, auto x, auto) { return g / (1 + x); })
        .documented({.formula = "log(1 + x)",
                     .gradient = "g / (1 + x), also below -1, where y is NaN",
                     .domain = {{{-0.9, 3}}},
                     .reference = [](const double* x) { return std::log1p(x[0]); }});

inline constexpr auto log2 = elementwise<"log2">([](auto x) { return kernels::log2(x); },
                                                 [](auto g, auto x, auto) { return g * std::numbers::log2e / x; })
                                 .documented({.formula = "log(x) / log(2)",
                                              .gradient = "g / (x log(2)), also below 0, where y is NaN",
                                              .domain = {{{0.1, 4}}},
                                              .reference = [](const double* x) { return std::log2(x[0]); }});

inline constexpr auto log10 = elementwise<"log10">([](auto x) { return kernels::log10(x); },
                                                   [](auto g, auto x, auto) { return g * std::numbers::log10e / x; })
                                  .documented({.formula = "log(x) / log(10)",
                                               .gradient = "g / (x log(10)), also below 0, where y is NaN",
                                               .domain = {{{0.1, 4}}},
                                               .reference = [](const double* x) { return std::log10(x[0]); }});

// Not 1 - y, which has lost its digits where y is close to 1.
inline constexpr auto sigmoid =
    elementwise<"sigmoid">([](auto x) { return kernels::sigmoid(x); },
                           [](auto g, auto x, auto y) { return g * y * autograd::sigmoid(-x); })
        .documented({.formula = "1 / (1 + exp(-x)), which may be 0 below the smallest normal number",
                     .gradient = "g y sigmoid(-x)",
                     .domain = {{{-6, 6}}},
                     .reference = [](const double* x) { return 1 / (1 + std::exp(-x[0])); }});

inline constexpr auto softplus =
    elementwise<"softplus">([](auto x) { return kernels::softplus(x); },
                            [](auto g, auto x, auto) { return g * sigmoid(x); })
        .documented({.formula = "log(1 + exp(x)), which may be 0 below the smallest normal number",
                     .gradient = "g sigmoid(x)",
                     .domain = {{{-6, 6}}},
                     .reference = [](const double* x) { return std::log1p(std::exp(x[0])); }});

inline constexpr auto logsigmoid =
    elementwise<"logsigmoid">([](auto x) { return -softplus(-x); },
                              [](auto g, auto x, auto) { return g * sigmoid(-x); })
        .documented({.formula = "log(sigmoid(x))",
                     .gradient = "g sigmoid(-x)",
                     .domain = {{{-6, 6}}},
                     .reference = [](const double* x) { return -std::log1p(std::exp(-x[0])); }});

// Near 1/2 the logarithm would lose the digits in which its argument differs from 1.
inline constexpr auto logit =
    elementwise<"logit">([](auto x) { return where(x < 0.25, log(x / (1 - x)), log1p((2 * x - 1) / (1 - x))); },
                         [](auto g, auto x, auto) { return g / (x * (1 - x)); })
        .documented({.formula = "log(x / (1 - x))",
                     .gradient = "g / (x (1 - x)), also outside [0, 1], where y is NaN",
                     .domain = {{{0.02, 0.98}}},
                     .reference = [](const double* x) {
                         const long double p = x[0];
                         // near 1/2 the logarithm loses the digits that the rounding of the quotient lost
                         if (p > 0.25L && p < 0.75L) return static_cast<double>(2 * std::atanh(2 * p - 1));
                         return static_cast<double>(std::log(p / (1 - p)));
                     }});

/// a - b, and 0 for equal infinities.
inline constexpr auto difference = [](auto a, auto b) { return where(logical_and(isinf(a), a == b), 0, a - b); };

inline constexpr auto logaddexp =
    elementwise<"logaddexp">([](auto a, auto b) { return maximum(a, b) + softplus(-abs(difference(a, b))); },
                             [](auto g, auto a, auto b, auto) { return g * sigmoid(difference(a, b)); },
                             [](auto g, auto a, auto b, auto) { return g * sigmoid(difference(b, a)); })
        .documented({.formula = "log(exp(a) + exp(b))",
                     .gradient = "g sigmoid(a - b), g sigmoid(b - a)",
                     .kinks = "equal infinities: g / 2 to each",
                     .domain = {{{0.5, 4}, {-4, 4}}},
                     .reference = [](const double* x) {
                         if (std::isinf(x[0]) || std::isinf(x[1])) return x[0] > x[1] ? x[0] : x[1];
                         // wide, because the logarithm of a number near 1 loses the digits that its rounding lost
                         using Wide = long double;
                         return static_cast<double>(std::log(std::exp(Wide{x[0]}) + std::exp(Wide{x[1]})));
                     }});

// At a kink the arguments are moved, to one whose logarithm is 0 and to a factor 0: there both gradients are constants.
// Elsewhere they are not, for the second order.
inline constexpr auto xlogy =
    elementwise<"xlogy">(
        [](auto x, auto y) { return where(x == 0, where(y == y, 0, y), x * log(y)); },
        [](auto g, auto x, auto y, auto) { return autograd::xlogy(g, where(logical_and(x == 0, y <= 0), 1, y)); },
        [](auto g, auto x, auto y, auto) {
            const auto kink = logical_and(x == 0, y <= 0);
            return g * where(kink, 0, x) / where(kink, 1, y);
        })
        .documented(
            {.formula = "x log(y), 0 where x = 0",
             .gradient = "g log(y), g x / y (also for y < 0, where the value is NaN)",
             .kinks = "x = 0 and y <= 0: 0 to both",
             .domain = {{{-2, 2}, {0.2, 3}}},
             .reference = [](const double* x) { return x[0] == 0 && !std::isnan(x[1]) ? 0 : x[0] * std::log(x[1]); }});

inline constexpr auto xlog1py =
    elementwise<"xlog1py">(
        [](auto x, auto y) { return where(x == 0, where(y == y, 0, y), x * log1p(y)); },
        [](auto g, auto x, auto y, auto) { return autograd::xlog1py(g, where(logical_and(x == 0, y <= -1), 0, y)); },
        [](auto g, auto x, auto y, auto) {
            const auto kink = logical_and(x == 0, y <= -1);
            return g * where(kink, 0, x) / (1 + where(kink, 0, y));
        })
        .documented({.formula = "x log(1 + y), 0 where x = 0",
                     .gradient = "g log(1 + y), g x / (1 + y) (also for y < -1, where the value is NaN)",
                     .kinks = "x = 0 and y <= -1: 0 to both",
                     .domain = {{{-2, 2}, {-0.8, 2}}},
                     .reference = [](const double* x) {
                         return x[0] == 0 && !std::isnan(x[1]) ? 0 : x[0] * std::log1p(x[1]);
                     }});

}  // namespace autograd::ops

namespace autograd {
XTAPE_EXPONENTIAL_OPS(XTAPE_DEFINE_OP)
}  // namespace autograd
