// The elementwise ops: each one record with its value, its gradient, what the op table says of it and an independent
// reference. The list makes the public functions of them. To add an op to the library: write it, and list it.
#pragma once

#include <cmath>
#include <tuple>

#include "autograd/op.hpp"

/// Every elementwise op of the library, with its number of inputs.
#define XTAPE_ELEMENTWISE_OPS(OP)                                                                                    \
    OP(add, 2) OP(subtract, 2) OP(multiply, 2) OP(divide, 2) OP(negative, 1) OP(greater, 2) OP(greater_equal, 2)     \
    OP(less, 2) OP(less_equal, 2) OP(equal, 2) OP(not_equal, 2) OP(stop_gradient, 1) OP(where, 3) OP(exp, 1)         \
    OP(expm1, 1) OP(log, 1) OP(log1p, 1) OP(sqrt, 1) OP(square, 1) OP(tanh, 1) OP(sigmoid, 1) OP(softplus, 1)        \
    OP(relu, 1) OP(abs, 1) OP(maximum, 2) OP(minimum, 2) OP(clip, 3) OP(pow, 2) OP(sin, 1) OP(cos, 1)

namespace autograd {

// Functions, not objects, so that lookup by argument finds them: `exp(0.5f * v)` needs no using.
#define XTAPE_DECLARE(name, arity)       \
    template <class... A>                \
        requires Operands<A...>          \
    auto name(const A&... a);
XTAPE_ELEMENTWISE_OPS(XTAPE_DECLARE)
#undef XTAPE_DECLARE

#define XTAPE_OPERATOR(symbol, name)             \
    template <class A, class B>                  \
        requires Operands<A, B>                  \
    auto operator symbol(const A& a, const B& b) { \
        return autograd::name(a, b);             \
    }
XTAPE_OPERATOR(+, add)
XTAPE_OPERATOR(-, subtract)
XTAPE_OPERATOR(*, multiply)
XTAPE_OPERATOR(/, divide)
XTAPE_OPERATOR(>, greater)
XTAPE_OPERATOR(>=, greater_equal)
XTAPE_OPERATOR(<, less)
XTAPE_OPERATOR(<=, less_equal)
XTAPE_OPERATOR(==, equal)
XTAPE_OPERATOR(!=, not_equal)
#undef XTAPE_OPERATOR

// Without these, `v + array` would be a lazy xtensor expression whose elements are Vars, and fail far from here.
template <class A, class B>
concept VarAndArray = (is_var<A> && xt::is_xexpression<B>::value) || (xt::is_xexpression<A>::value && is_var<B>);
#define XTAPE_REFUSE(symbol)                                                                          \
    template <class A, class B>                                                                       \
        requires VarAndArray<std::remove_cvref_t<A>, std::remove_cvref_t<B>>                          \
    void operator symbol(A&&, B&&) {                                                                  \
        static_assert(!sizeof(A), "a Var and an array: write tape.constant(array), or tape.variable(array)"); \
    }
XTAPE_REFUSE(+)
XTAPE_REFUSE(-)
XTAPE_REFUSE(*)
XTAPE_REFUSE(/)
#undef XTAPE_REFUSE

template <Operand A>
auto operator-(const A& a) {
    return autograd::negative(a);
}

}  // namespace autograd

namespace autograd::ops {

// A rule is a lambda of (gradient of the output, inputs..., output). Calls in a rule are ops again, so rules can be
// differentiated in turn. `where` never multiplies by a mask: 0 * inf would make a NaN of a gradient that is zero.

inline constexpr auto add =
    elementwise<"add">([](auto a, auto b) { return kernels::add(a, b); },  //
                       unchanged, unchanged)
        .documented({.formula = "a + b", .gradient = "g, g", .reference = [](const double* x) { return x[0] + x[1]; }});

inline constexpr auto subtract =
    elementwise<"subtract">([](auto a, auto b) { return kernels::subtract(a, b); },
                            unchanged, [](auto g, auto, auto, auto) { return -g; })
        .documented({.formula = "a - b", .gradient = "g, -g", .reference = [](const double* x) { return x[0] - x[1]; }});

inline constexpr auto multiply =
    elementwise<"multiply">([](auto a, auto b) { return kernels::multiply(a, b); },
                            [](auto g, auto, auto b, auto) { return g * b; },
                            [](auto g, auto a, auto, auto) { return g * a; })
        .documented({.formula = "a * b", .gradient = "g * b, g * a", .reference = [](const double* x) { return x[0] * x[1]; }});

inline constexpr auto divide =
    elementwise<"divide">([](auto a, auto b) { return kernels::divide(a, b); },
                          [](auto g, auto, auto b, auto) { return g / b; },
                          [](auto g, auto, auto b, auto y) { return -g * y / b; })
        .documented({.formula = "a / b",
                     .gradient = "g / b, -g * y / b",
                     .domain = {{{-2, 2}, {0.5, 2}}},
                     .reference = [](const double* x) { return x[0] / x[1]; }});

inline constexpr auto negative =
    elementwise<"negative">([](auto x) { return kernels::negative(x); }, [](auto g, auto, auto) { return -g; })
        .documented({.formula = "-x", .gradient = "-g", .reference = [](const double* x) { return -x[0]; }});

// Comparisons are constant wherever they have a derivative: they cut the gradient, and messages say so.
inline constexpr auto greater =
    elementwise<"greater">([](auto a, auto b) { return kernels::greater(a, b); }, no_gradient, no_gradient)
        .documented({.formula = "a > b (1 or 0)", .gradient = "none", .reference = [](const double* x) { return double(x[0] > x[1]); }});
inline constexpr auto greater_equal =
    elementwise<"greater_equal">([](auto a, auto b) { return kernels::greater_equal(a, b); }, no_gradient, no_gradient)
        .documented({.formula = "a >= b (1 or 0)", .gradient = "none", .reference = [](const double* x) { return double(x[0] >= x[1]); }});
inline constexpr auto less =
    elementwise<"less">([](auto a, auto b) { return kernels::less(a, b); }, no_gradient, no_gradient)
        .documented({.formula = "a < b (1 or 0)", .gradient = "none", .reference = [](const double* x) { return double(x[0] < x[1]); }});
inline constexpr auto less_equal =
    elementwise<"less_equal">([](auto a, auto b) { return kernels::less_equal(a, b); }, no_gradient, no_gradient)
        .documented({.formula = "a <= b (1 or 0)", .gradient = "none", .reference = [](const double* x) { return double(x[0] <= x[1]); }});
inline constexpr auto equal =
    elementwise<"equal">([](auto a, auto b) { return kernels::equal(a, b); }, no_gradient, no_gradient)
        .documented({.formula = "a == b (1 or 0)", .gradient = "none", .reference = [](const double* x) { return double(x[0] == x[1]); }});
inline constexpr auto not_equal =
    elementwise<"not_equal">([](auto a, auto b) { return kernels::not_equal(a, b); }, no_gradient, no_gradient)
        .documented({.formula = "a != b (1 or 0)", .gradient = "none", .reference = [](const double* x) { return double(x[0] != x[1]); }});

/// x, as a constant.
inline constexpr auto stop_gradient =
    elementwise<"stop_gradient">([](auto x) { return x; }, no_gradient)
        .documented({.formula = "x", .gradient = "none", .reference = [](const double* x) { return x[0]; }});

/// `a` where the condition is not 0, else `b`.
inline constexpr auto where =
    elementwise<"where">([](auto condition, auto a, auto b) { return kernels::where(condition, a, b); },  //
                         no_gradient, [](auto g, auto condition, auto, auto, auto) { return autograd::where(condition, g, 0); },
                         [](auto g, auto condition, auto, auto, auto) { return autograd::where(condition, 0, g); })
        .documented({.formula = "condition ? a : b",
                     .gradient = "none, g where condition, g elsewhere",
                     .nan = "in the branch that is not taken",
                     .reference = [](const double* x) { return x[0] != 0 ? x[1] : x[2]; }});

inline constexpr auto exp =
    elementwise<"exp">([](auto x) { return kernels::exp(x); }, [](auto g, auto, auto y) { return g * y; })
        .documented({.formula = "exp(x)", .gradient = "g * y", .reference = [](const double* x) { return std::exp(x[0]); }});

inline constexpr auto expm1 =
    elementwise<"expm1">([](auto x) { return kernels::expm1(x); }, [](auto g, auto, auto y) { return g * (y + 1); })
        .documented({.formula = "exp(x) - 1", .gradient = "g * (y + 1)", .reference = [](const double* x) { return std::expm1(x[0]); }});

inline constexpr auto log =
    elementwise<"log">([](auto x) { return kernels::log(x); }, [](auto g, auto x, auto) { return g / x; })
        .documented({.formula = "log(x)",
                     .gradient = "g / x",
                     .domain = {{{0.1, 4}}},
                     .reference = [](const double* x) { return std::log(x[0]); }});

inline constexpr auto log1p =
    elementwise<"log1p">([](auto x) { return kernels::log1p(x); }, [](auto g, auto x, auto) { return g / (1 + x); })
        .documented({.formula = "log(1 + x)",
                     .gradient = "g / (1 + x)",
                     .domain = {{{-0.9, 3}}},
                     .reference = [](const double* x) { return std::log1p(x[0]); }});

inline constexpr auto sqrt =
    elementwise<"sqrt">([](auto x) { return kernels::sqrt(x); }, [](auto g, auto, auto y) { return 0.5 * g / y; })
        .documented({.formula = "sqrt(x)",
                     .gradient = "g / (2 y)",
                     .domain = {{{0.1, 4}}},
                     .reference = [](const double* x) { return std::sqrt(x[0]); }});

inline constexpr auto square =
    elementwise<"square">([](auto x) { return kernels::multiply(x, x); }, [](auto g, auto x, auto) { return 2 * g * x; })
        .documented({.formula = "x^2", .gradient = "2 g x", .reference = [](const double* x) { return x[0] * x[0]; }});

inline constexpr auto tanh =
    elementwise<"tanh">([](auto x) { return kernels::tanh(x); }, [](auto g, auto, auto y) { return g * (1 - y * y); })
        .documented({.formula = "tanh(x)", .gradient = "g (1 - y^2)", .reference = [](const double* x) { return std::tanh(x[0]); }});

inline constexpr auto sigmoid =
    elementwise<"sigmoid">([](auto x) { return kernels::sigmoid(x); }, [](auto g, auto, auto y) { return g * y * (1 - y); })
        .documented({.formula = "1 / (1 + exp(-x))",
                     .gradient = "g y (1 - y)",
                     .domain = {{{-6, 6}}},
                     .reference = [](const double* x) { return 1 / (1 + std::exp(-x[0])); }});

inline constexpr auto softplus =
    elementwise<"softplus">([](auto x) { return kernels::softplus(x); },
                            [](auto g, auto x, auto) { return g * sigmoid(x); })
        .documented({.formula = "log(1 + exp(x))",
                     .gradient = "g sigmoid(x)",
                     .domain = {{{-6, 6}}},
                     .reference = [](const double* x) { return std::log1p(std::exp(x[0])); }});

// At a kink the gradient of the side that is constant is taken: relu'(0) = 0. A NaN passes the gradient on.
inline constexpr auto relu =
    elementwise<"relu">([](auto x) { return kernels::maximum(x, decltype(x)(0)); },
                        [](auto g, auto x, auto) { return where(x <= 0, 0, g); })
        .documented({.formula = "max(x, 0)",
                     .gradient = "g where x > 0, else 0",
                     .kinks = "x = 0: 0",
                     .reference = [](const double* x) { return x[0] > 0 ? x[0] : 0; }});

inline constexpr auto abs =
    elementwise<"abs">([](auto x) { return kernels::abs(x); },
                       [](auto g, auto x, auto) { return where(x > 0, g, where(x < 0, -g, 0 * x)); })
        .documented({.formula = "|x|",
                     .gradient = "g sign(x)",
                     .kinks = "x = 0: 0",
                     .reference = [](const double* x) { return std::fabs(x[0]); }});

// A tie shares the gradient equally.
inline constexpr auto maximum =
    elementwise<"maximum">([](auto a, auto b) { return kernels::maximum(a, b); },
                           [](auto g, auto a, auto b, auto) { return where(a < b, 0, where(a == b, 0.5 * g, g)); },
                           [](auto g, auto a, auto b, auto) { return where(b < a, 0, where(a == b, 0.5 * g, g)); })
        .documented({.formula = "max(a, b)",
                     .gradient = "g to the larger",
                     .kinks = "a = b: g / 2 to each",
                     .reference = [](const double* x) { return x[0] > x[1] ? x[0] : x[1]; }});

inline constexpr auto minimum =
    elementwise<"minimum">([](auto a, auto b) { return kernels::minimum(a, b); },
                           [](auto g, auto a, auto b, auto) { return where(a > b, 0, where(a == b, 0.5 * g, g)); },
                           [](auto g, auto a, auto b, auto) { return where(b > a, 0, where(a == b, 0.5 * g, g)); })
        .documented({.formula = "min(a, b)",
                     .gradient = "g to the smaller",
                     .kinks = "a = b: g / 2 to each",
                     .reference = [](const double* x) { return x[0] < x[1] ? x[0] : x[1]; }});

// On a bound the gradient still flows into x, so that a value which was clipped exactly can leave again.
inline constexpr auto clip =
    elementwise<"clip">([](auto x, auto low, auto high) { return kernels::minimum(kernels::maximum(x, low), high); },
                        [](auto g, auto x, auto low, auto high, auto) { return where(x < low, 0, where(x > high, 0, g)); },
                        [](auto g, auto x, auto low, auto high, auto) {
                            return where(low > high, 0, where(x < low, g, 0));
                        },
                        [](auto g, auto x, auto low, auto high, auto) {
                            return where(low > high, g, where(x > high, g, 0));
                        })
        .documented({.formula = "min(max(x, low), high)",
                     .gradient = "g within the bounds, else g to the bound",
                     .kinks = "x = low, x = high: g to x",
                     .domain = {{{-2, 2}, {-1.5, -0.5}, {0.5, 1.5}}},
                     .reference = [](const double* x) { return std::fmin(std::fmax(x[0], x[1]), x[2]); }});

// The inner `where` keeps log and pow away from arguments at which the branch that is not taken would be infinite.
inline constexpr auto pow =
    elementwise<"pow">(
        [](auto x, auto exponent) { return kernels::pow(x, exponent); },
        [](auto g, auto x, auto exponent, auto) {
            // At x = 0, where 0 * 0^(-1) would be NaN, the base is moved; elsewhere nothing is, for the second order.
            return g * exponent * autograd::pow(where(x == 0, where(exponent == 0, 1, x), x), exponent - 1);
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

inline constexpr auto sin =
    elementwise<"sin">([](auto x) { return kernels::sin(x); }, [](auto g, auto x, auto) { return g * cos(x); })
        .documented({.formula = "sin(x)", .gradient = "g cos(x)", .reference = [](const double* x) { return std::sin(x[0]); }});

inline constexpr auto cos =
    elementwise<"cos">([](auto x) { return kernels::cos(x); }, [](auto g, auto x, auto) { return -g * sin(x); })
        .documented({.formula = "cos(x)", .gradient = "-g sin(x)", .reference = [](const double* x) { return std::cos(x[0]); }});

}  // namespace autograd::ops

namespace autograd {

#define XTAPE_DEFINE(name, arity)     \
    template <class... A>             \
        requires Operands<A...>       \
    auto name(const A&... a) {        \
        return ops::name(a...);       \
    }
XTAPE_ELEMENTWISE_OPS(XTAPE_DEFINE)
#undef XTAPE_DEFINE

// Compiled once, in elementwise.cpp, so that users' files do not compile every loop again.
#define XTAPE_EXTERN(name, arity)                                                                          \
    extern template struct detail::Compiled<std::remove_cv_t<decltype(ops::name)>, float, arity>;          \
    extern template struct detail::Compiled<std::remove_cv_t<decltype(ops::name)>, double, arity>;
XTAPE_ELEMENTWISE_OPS(XTAPE_EXTERN)
#undef XTAPE_EXTERN

}  // namespace autograd
