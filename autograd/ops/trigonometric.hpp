// Trigonometric and hyperbolic functions and their inverses.
#pragma once

#include "autograd/ops/powers.hpp"

// Laid out by hand: a list.
// clang-format off
#define XTAPE_TRIGONOMETRIC_OPS(OP)                                                                           \
    OP(sin, 1) OP(cos, 1) OP(tan, 1) OP(asin, 1) OP(acos, 1) OP(atan, 1) OP(atan2, 2) OP(sinh, 1) OP(cosh, 1) \
    OP(tanh, 1) OP(asinh, 1) OP(acosh, 1) OP(atanh, 1)
// clang-format on

namespace XTAPE_API autograd {
XTAPE_TRIGONOMETRIC_OPS(XTAPE_DECLARE_OP)
}  // namespace autograd

namespace XTAPE_API autograd {
namespace ops {
// Laid out by hand: a table, in which a rule keeps its line.
// clang-format off

inline constexpr auto sin = elementwise<"sin">(
    [](auto x) { return kernels::sin(x); },
    [](auto g, auto x, auto) { return g * cos(x); })
    .documented({.formula = "sin(x)", .gradient = "g cos(x)"});

inline constexpr auto cos = elementwise<"cos">(
    [](auto x) { return kernels::cos(x); },
    [](auto g, auto x, auto) { return -g * sin(x); })
    .documented({.formula = "cos(x)", .gradient = "-g sin(x)"});

inline constexpr auto tan = elementwise<"tan">(
    [](auto x) { return kernels::tan(x); },
    [](auto g, auto, auto y) { return g * (1 + y * y); })
    .documented({.formula = "tan(x)", .gradient = "g (1 + y^2)"});

// Factors instead of 1 - x^2, which loses its digits near the ends.
inline constexpr auto asin = elementwise<"asin">(
    [](auto x) { return kernels::asin(x); },
    [](auto g, auto x, auto) { return g / sqrt((1 - x) * (1 + x)); })
    .documented({.formula = "arc sine of x", .gradient = "g / sqrt((1 - x) (1 + x))"});

inline constexpr auto acos = elementwise<"acos">(
    [](auto x) { return kernels::acos(x); },
    [](auto g, auto x, auto) { return -g / sqrt((1 - x) * (1 + x)); })
    .documented({.formula = "arc cosine of x", .gradient = "-g / sqrt((1 - x) (1 + x))"});

// Where the square is all that counts, and may overflow, it is divided by x twice.
inline constexpr auto atan = elementwise<"atan">(
    [](auto x) { return kernels::atan(x); },
    [](auto g, auto x, auto) {
        const auto is_far = abs(x) > 0x1p30;
        const auto far = where(is_far, x, 1), near = where(is_far, 0, x);
        return where(is_far, g / far / far, g / (1 + near * near));
    })
    .documented({.formula = "arc tangent of x", .gradient = "g / (1 + x^2)"});

inline constexpr auto atan2 = elementwise<"atan2">(
    [](auto a, auto b) { return kernels::atan2(a, b); },
    [](auto g, auto a, auto b, auto) { return g * component_over_distance(b, a, hypot(a, b)); },
    [](auto g, auto a, auto b, auto) { return -g * component_over_distance(a, b, hypot(a, b)); })
    .documented({.formula = "the angle of the point (b, a)",
                 .gradient = "g b / (a^2 + b^2), -g a / (a^2 + b^2)",
                 .kinks = "(0, 0): 0 to both; a = 0 and b < 0, where y jumps: as from either side; both infinite: "
                          "NaN"});

inline constexpr auto sinh = elementwise<"sinh">(
    [](auto x) { return kernels::sinh(x); },
    [](auto g, auto x, auto) { return g * cosh(x); })
    .documented({.formula = "sinh(x)", .gradient = "g cosh(x)"});

inline constexpr auto cosh = elementwise<"cosh">(
    [](auto x) { return kernels::cosh(x); },
    [](auto g, auto x, auto) { return g * sinh(x); })
    .documented({.formula = "cosh(x)", .gradient = "g sinh(x)"});

// (1 - |y|) (1 + |y|), of which 1 - |y| = 2 sigmoid(-2 |x|) keeps the digits that a difference would lose. Not by abs,
// whose gradient at 0 is the kink's.
inline constexpr auto tanh = elementwise<"tanh">(
    [](auto x) { return kernels::tanh(x); },
    [](auto g, auto x, auto y) {
        const auto above = x > 0;
        const auto rest = 2 * sigmoid(2 * where(above, -x, x));
        return g * rest * (1 + where(above, y, -y));
    })
    .documented({.formula = "tanh(x)", .gradient = "g (1 - y^2), as 4 g sigmoid(2 x) sigmoid(-2 x)"});

inline constexpr auto asinh = elementwise<"asinh">(
    [](auto x) { return kernels::asinh(x); },
    [](auto g, auto x, auto) { return g / hypot(x, 1); })
    .documented({.formula = "inverse of sinh", .gradient = "g / sqrt(1 + x^2)"});

// Two roots: their product is NaN below -1, where the root of the product would be a number.
inline constexpr auto acosh = elementwise<"acosh">(
    [](auto x) { return kernels::acosh(x); },
    [](auto g, auto x, auto) { return g / (sqrt(x - 1) * sqrt(x + 1)); })
    .documented({.formula = "inverse of cosh", .gradient = "g / sqrt((x - 1) (x + 1))"});

inline constexpr auto atanh = elementwise<"atanh">(
    [](auto x) { return kernels::atanh(x); },
    [](auto g, auto x, auto) { return g / ((1 - x) * (1 + x)); })
    .documented({.formula = "inverse of tanh",
                 .gradient = "g / ((1 - x) (1 + x)), also beyond 1 and -1, where y is NaN"});

// clang-format on
}  // namespace ops
}  // namespace autograd

namespace XTAPE_API autograd {
XTAPE_TRIGONOMETRIC_OPS(XTAPE_DEFINE_OP)
}  // namespace autograd
