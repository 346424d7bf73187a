// What follows from a list of ops. Each header of elementwise ops has one, XTAPE_..._OPS(OP), which holds every op of that
// file with its number of inputs; the macros here, given to it as OP, make of each entry its public function and its
// compiled loops. So to add an op to the library: write it, and list it. (elementwise.hpp gathers the lists.) Structured
// ops are declared in their header, with their words in ops::words at its end, and each is a block in the .cpp beside it.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <numbers>
#include <tuple>

#include "autograd/core/elementwise_op.hpp"
#include "autograd/ops/naming.hpp"

/// In a header, before its ops. Functions, not objects, so that lookup by argument finds them: `exp(0.5f * v)` needs no
/// using.
#define XTAPE_DECLARE_OP(name, arity) \
    template <class... A>             \
    requires Operands<A...>           \
    [[nodiscard]] auto name(const A&... a);

/// In the header, after its ops. The loops are compiled once, by XTAPE_INSTANTIATE_OP, so that users' files do not
/// compile them again.
#define XTAPE_DEFINE_OP(name, arity) \
    template <class... A>            \
    requires Operands<A...>          \
    auto name(const A&... a) {       \
        return ops::name(a...);      \
    }                                \
    XTAPE_DECLARE_LOOPS(ops::name, arity)

/// In the .cpp beside it, in namespace autograd.
#define XTAPE_INSTANTIATE_OP(name, arity) XTAPE_INSTANTIATE_LOOPS(ops::name, arity)

/// The loops alone, of an op by its whole name, in namespace autograd or in none: the first in a header, the second in a
/// .cpp. Without them, each file compiles those that it uses.
#define XTAPE_DECLARE_LOOPS(op, arity)                                                                           \
    extern template struct XTAPE_API ::autograd::detail::Compiled<std::remove_cv_t<decltype(op)>, float, arity>; \
    extern template struct XTAPE_API ::autograd::detail::Compiled<std::remove_cv_t<decltype(op)>, double, arity>;
#define XTAPE_INSTANTIATE_LOOPS(op, arity)                                                      \
    template struct ::autograd::detail::Compiled<std::remove_cv_t<decltype(op)>, float, arity>; \
    template struct ::autograd::detail::Compiled<std::remove_cv_t<decltype(op)>, double, arity>;

/// In a header, a structured op over axes: name(x, axes), of which ops::name(x, Axes) is compiled in the .cpp. It takes a
/// number, a list or a braced list by itself, because xtensor has functions of these names that take anything whatever:
/// beside them a conversion to Axes is the worse match, and the call ambiguous where someone is using namespace xt.
// Laid out by hand: a function a line.
// clang-format off
#define XTAPE_OVER_AXES(name)                                                                                      \
    namespace ops {                                                                                                \
    template <template <class> class X, class T> requires Operand<X<T>>                                            \
    [[nodiscard]] X<T> name(X<T> x, const Axes& axes);                                                             \
    }                                                                                                              \
    template <template <class> class X, class T, AxesArgument A> requires Operand<X<T>>                            \
    [[nodiscard]] X<T> name(X<T> x, A&& axes) { return ops::name(x, Axes(axes)); }                                 \
    template <template <class> class X, class T> requires Operand<X<T>>                                            \
    [[nodiscard]] X<T> name(X<T> x, std::size_t axis) { return ops::name(x, Axes(axis)); }                         \
    template <template <class> class X, class T> requires Operand<X<T>>                                            \
    [[nodiscard]] X<T> name(X<T> x, std::initializer_list<int> axes) { return ops::name(x, Axes::listed(axes)); }  \
    template <template <class> class X, class T, std::integral I> requires Operand<X<T>>                           \
    [[nodiscard]] X<T> name(X<T> x, std::initializer_list<I> axes) { return ops::name(x, Axes::listed(axes)); }
// clang-format on

/// The same of a reduction: name(x), name(x, axes), name(x, axes, KeepDims::yes) and name(x, KeepDims::yes).
// Laid out by hand: a function a line.
// clang-format off
#define XTAPE_REDUCTION(name)                                                                                      \
    namespace ops {                                                                                                \
    template <template <class> class X, class T> requires Operand<X<T>>                                            \
    [[nodiscard]] X<T> name(X<T> x, const Axes& axes, KeepDims keepdims);                                          \
    }                                                                                                              \
    template <template <class> class X, class T> requires Operand<X<T>>                                            \
    [[nodiscard]] X<T> name(X<T> x, KeepDims keepdims = KeepDims::no) { return ops::name(x, Axes(), keepdims); }   \
    template <template <class> class X, class T, AxesArgument A> requires Operand<X<T>>                            \
    [[nodiscard]] X<T> name(X<T> x, A&& axes, KeepDims keepdims = KeepDims::no) {                                  \
        return ops::name(x, Axes(axes), keepdims);                                                                 \
    }                                                                                                              \
    template <template <class> class X, class T> requires Operand<X<T>>                                            \
    [[nodiscard]] X<T> name(X<T> x, std::initializer_list<int> axes, KeepDims keepdims = KeepDims::no) {           \
        return ops::name(x, Axes::listed(axes), keepdims);                                                         \
    }                                                                                                              \
    template <template <class> class X, class T, std::integral I> requires Operand<X<T>>                           \
    [[nodiscard]] X<T> name(X<T> x, std::initializer_list<I> axes, KeepDims keepdims = KeepDims::no) {             \
        return ops::name(x, Axes::listed(axes), keepdims);                                                         \
    }
// clang-format on

/// In a .cpp, the worlds in which structured ops are compiled: OP is given each operand's type.
#define XTAPE_FOR_OPERANDS(OP) OP(Var<float>) OP(Var<double>) OP(Eager<float>) OP(Eager<double>)

/// `a symbol b`, for an op of two inputs that is declared.
#define XTAPE_OPERATOR(symbol, name)                             \
    template <class A, class B>                                  \
    requires Operands<A, B>                                      \
    [[nodiscard]] auto operator symbol(const A& a, const B& b) { \
        return autograd::name(a, b);                             \
    }

// How to read the ops: a row has the op's value, a rule for each input, and its words, in this order; clang-format is off
// there, that each lambda may keep its line. A rule is a lambda of (gradient of the output, inputs..., output). Calls in a
// rule are ops again, so rules can be differentiated in turn. `where` never multiplies by a mask: 0 * inf would make a NaN
// of a gradient that is zero. For the same reason an argument is moved, by another `where`, out of reach of an infinite
// derivative in the branch that is not taken.
