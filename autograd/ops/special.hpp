// Special functions: the error function and the gamma function's relatives.
#pragma once

#include "autograd/kernels/special.hpp"
#include "autograd/ops/exponential.hpp"

#define XTAPE_SPECIAL_OPS(OP)                                            \
    OP(erf, 1) OP(erfc, 1) OP(lgamma, 1) OP(digamma, 1) OP(polygamma, 2)

namespace autograd {
XTAPE_SPECIAL_OPS(XTAPE_DECLARE_OP)
}  // namespace autograd

namespace autograd::ops {

/// What the gamma function's relatives are held against: plain series, in records/special_references.cpp.
double reference_digamma(const double* inputs);
double reference_polygamma(const double* inputs);

inline constexpr double two_over_root_pi = 2 * std::numbers::inv_sqrtpi;

inline constexpr auto erf = elementwise<"erf">([](auto x) { return kernels::erf(x); },
                                               [](auto g, auto x, auto) { return two_over_root_pi * g * exp(-x * x); })
                                .documented({.formula = "2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x",
                                             .gradient = "2 / sqrt(pi) g exp(-x^2)",
                                             .reference = [](const double* x) { return std::erf(x[0]); }});

inline constexpr auto erfc =
    elementwise<"erfc">([](auto x) { return kernels::erfc(x); },
                        [](auto g, auto x, auto) { return -two_over_root_pi * g * exp(-x * x); })
        .documented({.formula = "1 - erf(x)",
                     .gradient = "-2 / sqrt(pi) g exp(-x^2)",
                     .reference = [](const double* x) { return std::erfc(x[0]); }});

inline constexpr auto lgamma =
    elementwise<"lgamma">([](auto x) { return kernels::lgamma(x); },
                          [](auto g, auto x, auto) { return g * digamma(x); })
        .documented({.formula = "log(|gamma(x)|), inf at 0, -1, -2, ...",
                     .gradient = "g digamma(x)",
                     .domain = {{{0.1, 6}}},
                     .reference = [](const double* x) {
                         return static_cast<double>(std::lgamma(static_cast<long double>(x[0])));
                     }});

inline constexpr auto digamma =
    elementwise<"digamma">([](auto x) { return kernels::digamma(x); },
                           [](auto g, auto x, auto) { return g * polygamma(1, x); })
        .documented({.formula = "gamma'(x) / gamma(x), -inf at 0, inf at -0, NaN at -1, -2, ...",
                     .gradient = "g polygamma(1, x)",
                     .domain = {{{0.1, 6}}},
                     .reference = reference_digamma});

/// The n-th derivative of digamma, for whole n from 0 to 1000 (else NaN): polygamma(1, x) is the trigamma function.
inline constexpr auto polygamma =
    elementwise<"polygamma">([](auto n, auto x) { return kernels::polygamma(n, x); }, no_gradient,
                             [](auto g, auto n, auto x, auto) { return g * autograd::polygamma(n + 1, x); })
        .documented({.formula = "the n-th derivative of digamma at x, for odd n inf at 0, -1, -2, ...",
                     .gradient = "none, g polygamma(n + 1, x)",
                     .domain = {{{1, 1}, {0.1, 6}}},
                     .reference = reference_polygamma});

}  // namespace autograd::ops

namespace autograd {
XTAPE_SPECIAL_OPS(XTAPE_DEFINE_OP)
}  // namespace autograd
