// Comparisons, logic and choice. Truth is 1 and falsehood 0; any number but 0 counts as true, a NaN too. All these ops
// are constant wherever they have a derivative: they cut the gradient, and messages say so. Only `where` passes it on.
#pragma once

#include "autograd/ops/listing.hpp"

// Laid out by hand: a list.
// clang-format off
#define XTAPE_COMPARISONS_OPS(OP)                                                                        \
    OP(greater, 2) OP(greater_equal, 2) OP(less, 2) OP(less_equal, 2) OP(equal, 2) OP(not_equal, 2)      \
    OP(logical_and, 2) OP(logical_or, 2) OP(logical_xor, 2) OP(logical_not, 1) OP(isnan, 1) OP(isinf, 1) \
    OP(isfinite, 1) OP(signbit, 1) OP(stop_gradient, 1) OP(where, 3)
// clang-format on

namespace XTAPE_API autograd {
XTAPE_COMPARISONS_OPS(XTAPE_DECLARE_OP)

XTAPE_OPERATOR(>, greater)
XTAPE_OPERATOR(>=, greater_equal)
XTAPE_OPERATOR(<, less)
XTAPE_OPERATOR(<=, less_equal)
XTAPE_OPERATOR(==, equal)
XTAPE_OPERATOR(!=, not_equal)
}  // namespace autograd

namespace XTAPE_API autograd {
namespace ops {
// Laid out by hand: a table, in which a rule keeps its line.
// clang-format off

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

inline constexpr auto greater = elementwise<"greater">(
    [](auto a, auto b) { return kernels::greater(a, b); },
    no_gradient, no_gradient)
    .documented({.formula = "a > b (1 or 0)", .gradient = "none"});

inline constexpr auto greater_equal = elementwise<"greater_equal">(
    [](auto a, auto b) { return kernels::greater_equal(a, b); },
    no_gradient, no_gradient)
    .documented({.formula = "a >= b (1 or 0)", .gradient = "none"});

inline constexpr auto less = elementwise<"less">(
    [](auto a, auto b) { return kernels::less(a, b); },
    no_gradient, no_gradient)
    .documented({.formula = "a < b (1 or 0)", .gradient = "none"});

inline constexpr auto less_equal = elementwise<"less_equal">(
    [](auto a, auto b) { return kernels::less_equal(a, b); },
    no_gradient, no_gradient)
    .documented({.formula = "a <= b (1 or 0)", .gradient = "none"});

inline constexpr auto equal = elementwise<"equal">(
    [](auto a, auto b) { return kernels::equal(a, b); },
    no_gradient, no_gradient)
    .documented({.formula = "a == b (1 or 0)", .gradient = "none"});

inline constexpr auto not_equal = elementwise<"not_equal">(
    [](auto a, auto b) { return kernels::not_equal(a, b); },
    no_gradient, no_gradient)
    .documented({.formula = "a != b (1 or 0)", .gradient = "none"});

inline constexpr auto logical_and = elementwise<"logical_and">(
    [](auto a, auto b) { return where(a == 0, 0, b != 0); },
    no_gradient, no_gradient)
    .documented({.formula = "a and b (1 or 0)", .gradient = "none"});

inline constexpr auto logical_or = elementwise<"logical_or">(
    [](auto a, auto b) { return where(a == 0, b != 0, 1); },
    no_gradient, no_gradient)
    .documented({.formula = "a or b (1 or 0)", .gradient = "none"});

inline constexpr auto logical_xor = elementwise<"logical_xor">(
    [](auto a, auto b) { return (a == 0) != (b == 0); },
    no_gradient, no_gradient)
    .documented({.formula = "either a or b (1 or 0)", .gradient = "none"});

inline constexpr auto logical_not = elementwise<"logical_not">(
    [](auto x) { return x == 0; },
    no_gradient)
    .documented({.formula = "not x (1 or 0)", .gradient = "none"});

inline constexpr auto isnan = elementwise<"isnan">(
    [](auto x) { return x != x; },
    no_gradient)
    .documented({.formula = "x is NaN (1 or 0)", .gradient = "none"});

inline constexpr auto isinf = elementwise<"isinf">(
    [](auto x) { return kernels::abs(x) == infinity; },
    no_gradient)
    .documented({.formula = "x is infinite (1 or 0)", .gradient = "none"});

inline constexpr auto isfinite = elementwise<"isfinite">(
    [](auto x) { return kernels::abs(x) < infinity; },
    no_gradient)
    .documented({.formula = "x is finite (1 or 0)", .gradient = "none"});

/// Tells -0 from 0, and reads the sign of a NaN.
inline constexpr auto signbit = elementwise<"signbit">(
    [](auto x) { return kernels::copysign(decltype(x)(1), x) < 0; },
    no_gradient)
    .documented({.formula = "x has a minus sign (1 or 0)", .gradient = "none"});

/// x, as a constant.
inline constexpr auto stop_gradient = elementwise<"stop_gradient">(
    [](auto x) { return x; },
    no_gradient)
    .documented({.formula = "x", .gradient = "none"});

/// `a` where the condition is not 0, else `b`. The branch that is not taken gets a gradient of 0; if its derivative is
/// infinite or NaN there, 0 times that is NaN: at -1, where(x > 0, sqrt(x), x) of Vars has the value -1 and the gradient
/// NaN. Two ways out: where(x > 0, sqrt(where(x > 0, x, 1)), x), whose argument is defined in either branch, right to
/// all orders; or one op that chooses, elementwise<"...">([](auto x) { return where(x > 0, sqrt(x), x); }), right in all
/// but a sweep over a recorded sweep.
inline constexpr auto where = elementwise<"where">(
    [](auto condition, auto a, auto b) { return kernels::where(condition, a, b); },
    no_gradient,
    [](auto g, auto condition, auto, auto, auto) { return autograd::where(condition, g, 0); },
    [](auto g, auto condition, auto, auto, auto) { return autograd::where(condition, 0, g); })
    .documented({.formula = "condition ? a : b",
                 .gradient = "none, g where condition, g elsewhere",
                 .nan = "in the branch that is not taken"});

/// A gradient that is chosen by comparisons, in which a NaN would take some side: where y is NaN, NaN.
inline constexpr auto unless_nan = [](auto y, auto gradient) {
    return autograd::where(y == y, gradient, not_a_number);
};

// clang-format on
}  // namespace ops
}  // namespace autograd

namespace XTAPE_API autograd {
XTAPE_COMPARISONS_OPS(XTAPE_DEFINE_OP)
}  // namespace autograd
