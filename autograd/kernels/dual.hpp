// Dual numbers: a value with a derivative. Of a Pack while numbers are crunched, of a Var while a sweep is recorded; which,
// this does not know.
#pragma once

#include "autograd/kernels/simd.hpp"

namespace XTAPE_API autograd {

/// A number and its derivative along one direction, of X, which is a Pack or a Var. An op of dual numbers follows the chain
/// rule.
template <class X>
struct Dual {
    using Element = typename X::Element;  ///< float or double
    X value;                              ///< the number
    X tangent;                            ///< its derivative
    XTAPE_NO_CONDITION(X)
};

/// Whether A is a Pack.
template <class A>
inline constexpr bool is_pack = false;
template <class T>
inline constexpr bool is_pack<Pack<T>> = true;
/// Whether A is a Dual.
template <class A>
inline constexpr bool is_dual = false;
template <class X>
inline constexpr bool is_dual<Dual<X>> = true;

namespace kernels {

/// The value of the first dual number among the arguments.
template <class First, class... Rest>
[[nodiscard]] const auto& first_value(const First& first, const Rest&... rest) {
    if constexpr (is_dual<First>) {
        return first.value;
    } else {
        return first_value(rest...);
    }
}

}  // namespace kernels

}  // namespace autograd
