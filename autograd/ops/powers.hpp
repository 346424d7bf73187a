// Powers and roots.
#pragma once

#include "autograd/ops/exponential.hpp"

#define XTAPE_POWERS_OPS(OP)                                                   \
    OP(square, 1) OP(sqrt, 1) OP(rsqrt, 1) OP(cbrt, 1) OP(hypot, 2) OP(pow, 2)

namespace autograd {
XTAPE_POWERS_OPS(XTAPE_DECLARE_OP)
}  // namespace autograd

namespace autograd::ops {

inline constexpr auto square =
    elementwise<"square">([](auto x) { return kernels::multiply(x, x); },
                          [](auto g, auto x, auto) { return 2 * g * x; })
        .documented({.formula = "x^2", .gradient = "2 g x", .reference = [](const double* x) { return x[0] * x[0]; }});

inline constexpr auto sqrt =
    elementwise<"sqrt">([](auto x) { return kernels::sqrt(x); }, [](auto g, auto, auto y) { return 0.5 * g / y; })
        .documented(
            {.formula = "sqrt(x)", .gradient = "g / (2 y)", .domain = {{{0.1, 4}}}, .reference = [](const double* x) {
                 return std::sqrt(x[0]);
             }});

inline constexpr auto rsqrt = elementwise<"rsqrt">([](auto x) { return 1 / kernels::sqrt(x); },
                                                   [](auto g, auto x, auto y) { return -0.5 * g * y / x; })
                                  .documented({.formula = "1 / sqrt(x)",
                                               .gradient = "-g y / (2 x)",
                                               .domain = {{{0.1, 4}}},
                                               .reference = [](const double* x) { return 1 / std::sqrt(x[0]); }});

inline constexpr auto cbrt =
    elementwise<"cbrt">([](auto x) { return kernels::cbrt(x); }, [](auto g, auto, auto y) { return g / (3 * y * y); })
        .documented({.formula = "the cube root of x",
                     .gradient = "g / (3 y^2)",
                     .domain = {{{0.1, 4}}},
                     .reference = [](const double* x) { return std::cbrt(x[0]); }});

/// a / distance, a component of the direction of (a, b): 0 at the origin, and the limit where a alone is infinite. Both
/// are numbers in the branch that is not taken too.
inline constexpr auto component = [](auto a, auto b, auto distance) {
    const auto far = logical_and(isinf(a), isfinite(b));
    return where(far, where(a > 0, 1, -1), where(far, 1, a) / where(logical_or(far, distance == 0), 1, distance));
};

// Divided first, so that a product of two large numbers is never formed.
inline constexpr auto hypot =
    elementwise<"hypot">([](auto a, auto b) { return kernels::hypot(a, b); },
                         [](auto g, auto a, auto b, auto y) { return g * component(a, b, y); },
                         [](auto g, auto a, auto b, auto y) { return g * component(b, a, y); })
        .documented({.formula = "sqrt(a^2 + b^2)",
                     .gradient = "g a / y, g b / y",
                     .kinks = "(0, 0): 0 to both; both infinite: NaN",
                     .nan = "hypot(inf, NaN) is inf",
                     .domain = {{{0.3, 2}, {-2, 2}}},
                     .reference = [](const double* x) { return std::hypot(x[0], x[1]); }});

// The inner `where` keeps log and pow away from arguments at which the branch that is not taken would be infinite.
inline constexpr auto pow =
    elementwise<"pow">([](auto x, auto exponent) { return kernels::pow(x, exponent); },
                       [](auto g, auto x, auto exponent, auto) {
                           // At x = 0, where 0 * 0^(-1) would be NaN, the base is moved; elsewhere nothing is, for the
                           // second order.
                           return g * exponent *
                                  autograd::pow(where(x == 0, where(exponent == 0, 1, x), x), exponent - 1);
                       },
                       [](auto g, auto x, auto exponent, auto y) {
                           return where(x == 0, where(exponent >= 0, 0, -g * y), g * y * log(where(x == 0, 1, x)));
                       })
        .documented({.formula = "x ^ exponent",
                     .gradient = "g exponent x^(exponent - 1), g y log(x)",
                     .kinks = "x = 0: 0 to x where exponent = 0, 0 to the exponent where it is >= 0",
                     .nan = "x^0 and 1^exponent are 1",
                     .domain = {{{0.2, 2}, {-2, 3}}},
                     .reference = [](const double* x) { return std::pow(x[0], x[1]); }});

}  // namespace autograd::ops

namespace autograd {
XTAPE_POWERS_OPS(XTAPE_DEFINE_OP)
}  // namespace autograd
