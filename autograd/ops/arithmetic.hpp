// Arithmetic, with its operators, and the ops that choose the larger or the smaller.
#pragma once

#include "autograd/ops/comparisons.hpp"

// Laid out by hand: a list.
// clang-format off
#define XTAPE_ARITHMETIC_OPS(OP)                                                                               \
    OP(add, 2) OP(subtract, 2) OP(multiply, 2) OP(divide, 2) OP(negative, 1) OP(positive, 1) OP(reciprocal, 1) \
    OP(abs, 1) OP(maximum, 2) OP(minimum, 2) OP(clip, 3)
// clang-format on

namespace XTAPE_API autograd {
XTAPE_ARITHMETIC_OPS(XTAPE_DECLARE_OP)

XTAPE_OPERATOR(+, add)
XTAPE_OPERATOR(-, subtract)
XTAPE_OPERATOR(*, multiply)
XTAPE_OPERATOR(/, divide)

template <Operand A>
[[nodiscard]] auto operator-(const A& a) {
    return autograd::negative(a);
}
template <Operand A>
[[nodiscard]] auto operator+(const A& a) {
    return autograd::positive(a);
}

/// A Var beside an array. Without operators that refuse these two, `v + array` would be a lazy xtensor expression whose
/// elements are Vars, and fail far from here.
template <class A, class B>
concept VarAndArray = (is_var<A> && xt::is_xexpression<B>::value) || (xt::is_xexpression<A>::value && is_var<B>);
#define XTAPE_REFUSE(symbol)                                                                                  \
    template <class A, class B>                                                                               \
    requires VarAndArray<std::remove_cvref_t<A>, std::remove_cvref_t<B>>                                      \
    auto operator symbol(A&& a, B&& b) {                                                                      \
        static_assert(!sizeof(A), "a Var and an array: write tape.constant(array), or tape.variable(array)"); \
        if constexpr (is_var<std::remove_cvref_t<A>>) {                                                       \
            return a;                                                                                         \
        } else {                                                                                              \
            return b;                                                                                         \
        }                                                                                                     \
    }
XTAPE_REFUSE(+)
XTAPE_REFUSE(-)
XTAPE_REFUSE(*)
XTAPE_REFUSE(/)
#undef XTAPE_REFUSE
}  // namespace autograd

namespace XTAPE_API autograd {
namespace ops {
// Laid out by hand: a table, in which a rule keeps its line.
// clang-format off

inline constexpr auto add = elementwise<"add">(
    [](auto a, auto b) { return kernels::add(a, b); },
    unchanged, unchanged)
    .documented({.formula = "a + b", .gradient = "g, g"});

inline constexpr auto subtract = elementwise<"subtract">(
    [](auto a, auto b) { return kernels::subtract(a, b); },
    unchanged,
    [](auto g, auto, auto, auto) { return -g; })
    .documented({.formula = "a - b", .gradient = "g, -g"});

inline constexpr auto multiply = elementwise<"multiply">(
    [](auto a, auto b) { return kernels::multiply(a, b); },
    [](auto g, auto, auto b, auto) { return g * b; },
    [](auto g, auto a, auto, auto) { return g * a; })
    .documented({.formula = "a * b", .gradient = "g * b, g * a"});

inline constexpr auto divide = elementwise<"divide">(
    [](auto a, auto b) { return kernels::divide(a, b); },
    [](auto g, auto, auto b, auto) { return g / b; },
    [](auto g, auto, auto b, auto y) { return -g * y / b; })
    .documented({.formula = "a / b", .gradient = "g / b, -g * y / b"});

inline constexpr auto negative = elementwise<"negative">(
    [](auto x) { return kernels::negative(x); },
    [](auto g, auto, auto) { return -g; })
    .documented({.formula = "-x", .gradient = "-g"});

inline constexpr auto positive = elementwise<"positive">(
    [](auto x) { return x; },
    unchanged)
    .documented({.formula = "+x", .gradient = "g"});

inline constexpr auto reciprocal = elementwise<"reciprocal">(
    [](auto x) { return 1 / x; },
    [](auto g, auto, auto y) { return -g * y * y; })
    .documented({.formula = "1 / x", .gradient = "-g y^2"});

inline constexpr auto abs = elementwise<"abs">(
    [](auto x) { return kernels::abs(x); },
    [](auto g, auto x, auto) { return where(x > 0, g, where(x < 0, -g, 0 * x)); })
    .documented({.formula = "|x|", .gradient = "g sign(x)", .kinks = "x = 0: 0"});

// A tie shares the gradient equally.
inline constexpr auto maximum = elementwise<"maximum">(
    [](auto a, auto b) { return kernels::maximum(a, b); },
    [](auto g, auto a, auto b, auto y) { return unless_nan(y, where(a < b, 0, where(a == b, 0.5 * g, g))); },
    [](auto g, auto a, auto b, auto y) { return unless_nan(y, where(b < a, 0, where(a == b, 0.5 * g, g))); })
    .documented({.formula = "max(a, b)", .gradient = "g to the larger", .kinks = "a = b: g / 2 to each"});

inline constexpr auto minimum = elementwise<"minimum">(
    [](auto a, auto b) { return kernels::minimum(a, b); },
    [](auto g, auto a, auto b, auto y) { return unless_nan(y, where(a > b, 0, where(a == b, 0.5 * g, g))); },
    [](auto g, auto a, auto b, auto y) { return unless_nan(y, where(b > a, 0, where(a == b, 0.5 * g, g))); })
    .documented({.formula = "min(a, b)", .gradient = "g to the smaller", .kinks = "a = b: g / 2 to each"});

// On a bound the gradient still flows into x, so that a value which was clipped exactly can leave again.
inline constexpr auto clip = elementwise<"clip">(
    [](auto x, auto low, auto high) { return kernels::minimum(kernels::maximum(x, low), high); },
    [](auto g, auto x, auto low, auto high, auto y) {
        return unless_nan(y, where(x < low, 0, where(x > high, 0, g)));
    },
    [](auto g, auto x, auto low, auto high, auto y) {
        return unless_nan(y, where(low > high, 0, where(x < low, g, 0)));
    },
    [](auto g, auto x, auto low, auto high, auto y) {
        return unless_nan(y, where(low > high, g, where(x > high, g, 0)));
    })
    .documented({.formula = "min(max(x, low), high)",
                 .gradient = "g within the bounds, else g to the bound",
                 .kinks = "x = low, x = high: g to x"});

// clang-format on
}  // namespace ops
}  // namespace autograd

namespace XTAPE_API autograd {
XTAPE_ARITHMETIC_OPS(XTAPE_DEFINE_OP)
}  // namespace autograd
