// What rules and compositions need to be written once for Vars and eager arrays: constants in the world of their
// operands, and the numbers behind an operand. No ops.
#pragma once

#include <utility>

#include "autograd/core/elementwise_op.hpp"
#include "autograd/ops/naming.hpp"

namespace XTAPE_API autograd {
namespace detail {

/// An array of numbers in the world of `like`.
template <class T>
[[nodiscard]] Var<T> constant_like(const Var<T>& like, Array<T> array) {
    return like.tape().constant(std::move(array));
}
template <class T>
[[nodiscard]] Eager<T> constant_like(const Eager<T>&, Array<T> array) {
    return Eager<T>(std::move(array));
}

template <class T>
[[nodiscard]] const Array<T>& values_of(const Var<T>& x) {
    return x.value();
}
template <class T>
[[nodiscard]] const Array<T>& values_of(const Eager<T>& x) {
    return x.array();
}

}  // namespace detail
}  // namespace autograd
