// Whose name errors have: of ops that make their structure from arguments, and of those that are made of other ops. What
// structured ops are recorded by stands in core/structured_op.hpp.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string>

#include "autograd/core/structured_op.hpp"

namespace XTAPE_API autograd {

namespace detail {

/// How errors of an op on these begin: by the node to come and its module on a tape, else by its name.
template <Operand X>
struct NextNodeOf {
    const char* op;
    std::span<const X> inputs;

    std::string operator()() const {
        if constexpr (is_var<X>) {
            using T = typename X::Element;
            if (inputs.empty()) return op;
            Tape<T>& tape = inputs.front().tape();
            PoolVector<Input<T>> list;
            for (const X& each : inputs) list.push_back({tape.index_of(each, op), T(0)});
            return tape.describe_next(op, list);
        } else {
            return op;
        }
    }
};

/// What `body` gives, which checks the inputs of an op before it records anything, or is all that an op does which is made of
/// others: on a tape, its errors name the node to come and the module, `with_context_of("sum", check, x)`.
template <class Body, Operand X>
decltype(auto) with_context_of(const char* op, Body&& body, std::span<const X> inputs) {
    return with_context<ErrorsOf::parts>(op, NextNodeOf<X>{op, inputs}, body);
}
template <class Body, Operand X, std::same_as<X>... Rest>
decltype(auto) with_context_of(const char* op, Body&& body, const X& first, const Rest&... rest) {
    if constexpr (is_var<X>) {
        const X inputs[] = {first, rest...};
        return with_context_of(op, body, std::span<const X>(inputs));
    } else {
        return with_context_of(op, body, std::span<const X>());
    }
}

/// An axis of x counted from the front. @throws ShapeError naming `op` if there is no such axis.
template <Operand X>
[[nodiscard]] std::size_t axis_of(const X& x, std::ptrdiff_t axis, const char* op) {
    return with_context_of(
        op, [&] { return normalize_axis(axis, x.shape().size(), op); }, x);
}

}  // namespace detail

/// Makes the op for its input, S::of(x.shape(), arguments...), and applies it. What of() throws names the op, its node and
/// its module.
template <class S, Operand X, class... Arguments>
[[nodiscard]] X apply(const X& x, const Arguments&... arguments) {
    return apply(detail::with_context_of(
                     S::name, [&] { return S::of(x.shape(), arguments...); }, x),
                 x);
}

}  // namespace autograd
