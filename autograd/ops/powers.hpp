// Powers and roots.
#pragma once

#include "autograd/ops/exponential.hpp"
#include "autograd/ops/rounding.hpp"

// Laid out by hand: a list.
// clang-format off
#define XTAPE_POWERS_OPS(OP)                                                   \
    OP(square, 1) OP(sqrt, 1) OP(rsqrt, 1) OP(cbrt, 1) OP(hypot, 2) OP(pow, 2)
// clang-format on

namespace XTAPE_API autograd {
XTAPE_POWERS_OPS(XTAPE_DECLARE_OP)
}  // namespace autograd

namespace XTAPE_API autograd {
namespace ops {
// Laid out by hand: a table, in which a rule keeps its line.
// clang-format off

inline constexpr auto square = elementwise<"square">(
    [](auto x) { return kernels::multiply(x, x); },
    [](auto g, auto x, auto) { return 2 * g * x; })
    .documented({.formula = "x^2", .gradient = "2 g x"});

inline constexpr auto sqrt = elementwise<"sqrt">(
    [](auto x) { return kernels::sqrt(x); },
    // The root of -0 is -0, beside which the derivative grows to inf too: -0 + 0 is 0.
    [](auto g, auto, auto y) { return 0.5 * g / (y + 0); })
    .documented({.formula = "sqrt(x)", .gradient = "g / (2 y)"});

inline constexpr auto rsqrt = elementwise<"rsqrt">(
    [](auto x) { return 1 / kernels::sqrt(x); },
    [](auto g, auto x, auto y) { return -0.5 * g * y / x; })
    .documented({.formula = "1 / sqrt(x)", .gradient = "-g y / (2 x)"});

inline constexpr auto cbrt = elementwise<"cbrt">(
    [](auto x) { return kernels::cbrt(x); },
    [](auto g, auto, auto y) { return g / (3 * y * y); })
    .documented({.formula = "the cube root of x", .gradient = "g / (3 y^2)"});

/// A point in the plane, times a number which makes it one by whose distance from the origin can be divided.
template <class X>
struct ScaledPoint {
    X has_limit;  ///< 1 for the origin and for points at infinity, in whose place stands (1, 0)
    X factor;
    X a;
    X distance;
};

/// (a, b), at this distance, times a power of two that keeps squares from over- and underflow: the distance itself may
/// have overflowed, or have lost digits below the smallest normal number.
inline constexpr auto scaled_point = [](auto a, auto b, auto distance) {
    using X = decltype(distance);
    constexpr bool is_float = sizeof(typename X::Element) == sizeof(float);
    constexpr double large = is_float ? 0x1p60 : 0x1p500, shift = is_float ? 0x1p90 : 0x1p700;
    const X has_limit = logical_or(distance == 0, logical_or(isinf(a), isinf(b)));
    const X factor = where(distance < 1 / large, shift, where(distance > large, 1 / shift, 1));
    const X first = where(has_limit, 1, factor * a), second = where(has_limit, 0, factor * b);
    return ScaledPoint<X>{has_limit, factor, first, sqrt(first * first + second * second)};
};

/// a / distance, a component of the direction of (a, b): 0 at the origin, and the limit where one of them is infinite.
inline constexpr auto component = [](auto a, auto b, auto point) {
    const auto far = where(isfinite(b), where(a > 0, 1, -1), not_a_number);
    return where(point.has_limit, where(isinf(a), far, 0 * a), point.a / point.distance);
};

/// a / distance^2, the square of which may overflow, or be 0 where it is not.
inline constexpr auto component_over_distance = [](auto a, auto b, auto distance) {
    const auto point = scaled_point(a, b, distance);
    // Not the quotient first: it may be infinite where the component is 0.
    return component(a, b, point) * where(point.has_limit, 0, point.factor) / point.distance;
};

inline constexpr auto hypot = elementwise<"hypot">(
    [](auto a, auto b) { return kernels::hypot(a, b); },
    [](auto g, auto a, auto b, auto y) { return g * component(a, b, scaled_point(a, b, y)); },
    [](auto g, auto a, auto b, auto y) { return g * component(b, a, scaled_point(b, a, y)); })
    .documented({.formula = "sqrt(a^2 + b^2)",
                 .gradient = "g a / y, g b / y",
                 .kinks = "(0, 0): 0 to both; both infinite: NaN",
                 .nan = "hypot(inf, NaN) is inf"});

// The inner `where` keeps log and pow away from arguments at which the branch that is not taken would be infinite.
inline constexpr auto pow = elementwise<"pow">(
    [](auto x, auto exponent) { return kernels::pow(x, exponent); },
    [](auto g, auto x, auto exponent, auto y) {
        // At x = 0, where 0 * 0^(-1) would be NaN, the base is moved; elsewhere it is not, for the second order. The
        // exponent's own gradient is a constant 0 there, so this one is constant in the exponent.
        const auto p = where(x == 0, stop_gradient(exponent), exponent);
        const auto power = autograd::pow(where(x == 0, where(p == 0, 1, x), x), p - 1);
        // p - 1 may be rounded: below 0, where that decides the sign, y's tells it, and where there is no power.
        const auto flipped = logical_and(x < 0, signbit(power) == signbit(y));
        return g * p * unless_nan(y, where(flipped, -1, 1) * power);
    },
    [](auto g, auto x, auto exponent, auto y) {
        // The power of inf that is 0 stays 0, whatever the logarithm.
        const auto constant = logical_or(x == 0, logical_and(x == infinity, y == 0));
        return where(x == 0, where(exponent >= 0, 0, -g * y), g * y * log(where(constant, 1, x)));
    })
    .documented({.formula = "x ^ exponent",
                 .gradient = "g exponent x^(exponent - 1), g y log(x)",
                 .kinks = "x = 0: 0 to x where exponent = 0, 0 to the exponent where it is >= 0",
                 .nan = "x^0 and 1^exponent are 1"});

// clang-format on
}  // namespace ops
}  // namespace autograd

namespace XTAPE_API autograd {
XTAPE_POWERS_OPS(XTAPE_DEFINE_OP)
}  // namespace autograd
