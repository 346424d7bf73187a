// Special functions: the error function and the gamma function's relatives.
#pragma once

#include "autograd/kernels/special.hpp"
#include "autograd/ops/exponential.hpp"
#include "autograd/ops/rounding.hpp"

// Laid out by hand: a list.
// clang-format off
#define XTAPE_SPECIAL_OPS(OP)                                            \
    OP(erf, 1) OP(erfc, 1) OP(lgamma, 1) OP(digamma, 1) OP(polygamma, 2)
// clang-format on

namespace XTAPE_API autograd {
XTAPE_SPECIAL_OPS(XTAPE_DECLARE_OP)
}  // namespace autograd

namespace XTAPE_API autograd {
namespace ops {
// Laid out by hand: a table, in which a rule keeps its line.
// clang-format off

inline constexpr double two_over_root_pi = 2 * std::numbers::inv_sqrtpi;

// The argument within bounds beyond which the factor that it is multiplied by is 0 to the last digit: no 0 * inf.
inline constexpr double vanishing = 1000;
inline constexpr auto bounded_below = [](auto x) { return maximum(x, -vanishing); };
inline constexpr auto bounded = [](auto x) { return clip(x, -vanishing, vanishing); };

/// exp(-factor x^2). The rounding of the square would cost up to factor x^2 / 2 units of the last place: so it is taken
/// apart, into the square of a number of few bits, which is exact, and a rest that is small.
inline constexpr auto gaussian = [](auto x, double factor) {
    const auto t = bounded(x), near = round(16 * t) / 16;
    return exp(-factor * near * near) * exp(factor * (near - t) * (near + t));
};

inline constexpr auto erf = elementwise<"erf">(
    [](auto x) { return kernels::erf(x); },
    [](auto g, auto x, auto) { return two_over_root_pi * g * gaussian(x, 1); })
    .documented({.formula = "2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x",
                 .gradient = "2 / sqrt(pi) g exp(-x^2)"});

inline constexpr auto erfc = elementwise<"erfc">(
    [](auto x) { return kernels::erfc(x); },
    [](auto g, auto x, auto) { return -two_over_root_pi * g * gaussian(x, 1); })
    .documented({.formula = "1 - erf(x)", .gradient = "-2 / sqrt(pi) g exp(-x^2)"});

inline constexpr auto lgamma = elementwise<"lgamma">(
    [](auto x) { return kernels::lgamma(x); },
    [](auto g, auto x, auto) { return g * digamma(x); })
    .documented({.formula = "log(|gamma(x)|), inf at 0, -1, -2, ...", .gradient = "g digamma(x)"});

inline constexpr auto digamma = elementwise<"digamma">(
    [](auto x) { return kernels::digamma(x); },
    [](auto g, auto x, auto) { return g * polygamma(1, x); })
    .documented({.formula = "gamma'(x) / gamma(x), -inf at 0, inf at -0, NaN at -1, -2, ...",
                 .gradient = "g polygamma(1, x)"});

/// The n-th derivative of digamma, for whole n from 0 to 1000 (else NaN): polygamma(1, x) is the trigamma function.
inline constexpr auto polygamma = elementwise<"polygamma">(
    [](auto n, auto x) { return kernels::polygamma(n, x); },
    no_gradient,
    [](auto g, auto n, auto x, auto) {
        return g * autograd::polygamma(where(n >= 0, n + 1, n), x);  // -1 has none
    })
    .documented({.formula = "the n-th derivative of digamma at x, for odd n inf at 0, -1, -2, ...",
                 .gradient = "none, g polygamma(n + 1, x)"});

// clang-format on
}  // namespace ops
}  // namespace autograd

namespace XTAPE_API autograd {
XTAPE_SPECIAL_OPS(XTAPE_DEFINE_OP)
}  // namespace autograd
