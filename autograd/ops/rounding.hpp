// Rounding, signs and division with a rest.
#pragma once

#include "autograd/ops/arithmetic.hpp"

// Laid out by hand: a list.
// clang-format off
#define XTAPE_ROUNDING_OPS(OP)                                                                         \
    OP(floor, 1) OP(ceil, 1) OP(trunc, 1) OP(round, 1) OP(sign, 1) OP(copysign, 2) OP(floor_divide, 2) \
    OP(remainder, 2)
// clang-format on

namespace XTAPE_API autograd {
XTAPE_ROUNDING_OPS(XTAPE_DECLARE_OP)
}  // namespace autograd

namespace XTAPE_API autograd {
namespace ops {
// Laid out by hand: a table, in which a rule keeps its line.
// clang-format off

// The gradient of a step is 0 by the standard's word, steps included: it exists, unlike a comparison's, and nothing is
// trained by it. Where the output is NaN so is the gradient. A sum, not a product: no higher order makes 0 * inf of it.
inline constexpr auto gradient_of_step = [](auto g, auto y) { return where(isnan(y), g + y, 0); };
inline constexpr auto step = [](auto g, auto, auto y) { return gradient_of_step(g, y); };
inline constexpr auto step_of_two = [](auto g, auto, auto, auto y) { return gradient_of_step(g, y); };

inline constexpr auto floor = elementwise<"floor">(
    [](auto x) { return kernels::floor(x); },
    step)
    .documented({.formula = "the largest whole number <= x", .gradient = "0", .kinks = "x whole: 0"});

inline constexpr auto ceil = elementwise<"ceil">(
    [](auto x) { return kernels::ceil(x); },
    step)
    .documented({.formula = "the smallest whole number >= x", .gradient = "0", .kinks = "x whole: 0"});

inline constexpr auto trunc = elementwise<"trunc">(
    [](auto x) { return kernels::trunc(x); },
    step)
    .documented({.formula = "x without its fraction", .gradient = "0", .kinks = "x whole: 0"});

inline constexpr auto round = elementwise<"round">(
    [](auto x) { return kernels::round(x); },
    step)
    .documented({.formula = "the nearest whole number, the even one of two",
                 .gradient = "0",
                 .kinks = "halfway between whole numbers: 0"});

inline constexpr auto sign = elementwise<"sign">(
    [](auto x) { return where(x > 0, 1, where(x < 0, -1, where(x == 0, 0, x))); },
    step)
    .documented({.formula = "-1, 0 or 1", .gradient = "0", .kinks = "x = 0: 0"});

// In the sign's giver it is a step.
inline constexpr auto copysign = elementwise<"copysign">(
    [](auto x, auto y) { return kernels::copysign(x, y); },
    [](auto g, auto x, auto y, auto) {
        return unless_nan(x, where(x == 0, 0, where(signbit(x) == signbit(y), g, -g)));
    },
    step_of_two)
    .documented({.formula = "|x| with the sign of y",
                 .gradient = "g or -g, 0",
                 .kinks = "x = 0: 0",
                 .nan = "y may be NaN: only its sign is looked at"});

inline constexpr auto floor_divide = elementwise<"floor_divide">(
    [](auto a, auto b) { return kernels::floor_divide(a, b); },
    step_of_two, step_of_two)
    .documented({.formula = "floor(a / b)", .gradient = "0, 0", .kinks = "a a multiple of b: 0"});

// An infinite b of the other sign than a's is the remainder itself: the quotient, which floor_divide has as -0, is -1.
inline constexpr auto remainder = elementwise<"remainder">(
    [](auto a, auto b) { return kernels::remainder(a, b); },
    unchanged,
    [](auto g, auto a, auto b, auto) {
        const auto is_b = logical_and(logical_and(isfinite(a), isinf(b)), a * b < 0);
        return -g * where(is_b, -1, floor_divide(a, b));
    })
    .documented({.formula = "a - b floor(a / b)",
                 .gradient = "g, -g floor(a / b)",
                 .kinks = "a a multiple of b: as from the side where a / b is larger"});

// clang-format on
}  // namespace ops
}  // namespace autograd

namespace XTAPE_API autograd {
XTAPE_ROUNDING_OPS(XTAPE_DEFINE_OP)
}  // namespace autograd
