// Dual numbers: a value with a derivative. Of a Pack while numbers are crunched, of a Var while a sweep is recorded; which,
// this does not know.
#pragma once

#include "autograd/kernels/simd.hpp"

namespace XTAPE_API autograd {

template <class X>
struct Dual {
    using Element = typename X::Element;
    X value;
    X tangent;
    XTAPE_NO_CONDITION(X)
};

template <class A>
inline constexpr bool is_pack = false;
template <class T>
inline constexpr bool is_pack<Pack<T>> = true;
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
