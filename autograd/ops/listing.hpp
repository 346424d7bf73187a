// What follows from a list of ops. Each header of elementwise ops has one, XTAPE_..._OPS(OP), which holds every op of that
// file with its number of inputs; the macros here, given to it as OP, make of each entry its public function and its
// compiled loops. So to add an op to the library: write it, and list it. (elementwise.hpp gathers the lists.) Headers of
// structured ops have XTAPE_..._STRUCTURES(OP), from which their rules are compiled.
#pragma once

#include <cmath>
#include <limits>
#include <numbers>
#include <tuple>

#include "autograd/core/op.hpp"

/// In a header, before its ops. Functions, not objects, so that lookup by argument finds them: `exp(0.5f * v)` needs no
/// using.
#define XTAPE_DECLARE_OP(name, arity) \
    template <class... A>             \
        requires Operands<A...>       \
    [[nodiscard]] auto name(const A&... a);

/// In the header, after its ops. The loops are compiled once, by XTAPE_INSTANTIATE_OP, so that users' files do not
/// compile them again.
#define XTAPE_DEFINE_OP(name, arity) \
    template <class... A>            \
        requires Operands<A...>      \
    auto name(const A&... a) {       \
        return ops::name(a...);      \
    }                                \
    XTAPE_DECLARE_LOOPS(ops::name, arity)

/// In the .cpp beside it, in namespace autograd.
#define XTAPE_INSTANTIATE_OP(name, arity) XTAPE_INSTANTIATE_LOOPS(ops::name, arity)

/// The loops alone, of an op by its whole name, in namespace autograd or in none: the first in a header, the second in a
/// .cpp. Without them, each file compiles those that it uses.
#define XTAPE_DECLARE_LOOPS(op, arity)                                                                 \
    extern template struct ::autograd::detail::Compiled<std::remove_cv_t<decltype(op)>, float, arity>; \
    extern template struct ::autograd::detail::Compiled<std::remove_cv_t<decltype(op)>, double, arity>;
#define XTAPE_INSTANTIATE_LOOPS(op, arity)                                                      \
    template struct ::autograd::detail::Compiled<std::remove_cv_t<decltype(op)>, float, arity>; \
    template struct ::autograd::detail::Compiled<std::remove_cv_t<decltype(op)>, double, arity>;

/// The same two for structured ops, whose functions are written out.
#define XTAPE_DECLARE_STRUCTURE(name, arity)                                   \
    extern template struct detail::CompiledStructure<ops::name, float, arity>; \
    extern template struct detail::CompiledStructure<ops::name, double, arity>;

#define XTAPE_INSTANTIATE_STRUCTURE(name, arity)                        \
    template struct detail::CompiledStructure<ops::name, float, arity>; \
    template struct detail::CompiledStructure<ops::name, double, arity>;

/// `a symbol b`, for an op of two inputs that is declared.
#define XTAPE_OPERATOR(symbol, name)               \
    template <class A, class B>                    \
        requires Operands<A, B>                    \
    [[nodiscard]] auto operator symbol(const A& a, const B& b) { \
        return autograd::name(a, b);               \
    }

// How to read the ops: a rule is a lambda of (gradient of the output, inputs..., output). Calls in a rule are ops again,
// so rules can be differentiated in turn. `where` never multiplies by a mask: 0 * inf would make a NaN of a gradient
// that is zero. For the same reason an argument is moved, by another `where`, out of reach of an infinite derivative in
// the branch that is not taken.
