// What the compiler says of std::sqrt(x) and the like on an op's operand. No program that compiles calls what is here.
#pragma once

#include <cmath>

#include "autograd/worlds.hpp"

// Lookup of std::sqrt ends in namespace std, so that only a declaration there can answer in words. (The standard reserves the
// namespace; these take types of xtape alone, and whoever calls one is refused.) They are worse than any op, which asks for
// more of the same arguments: after `using std::sqrt`, sqrt(x) is the op.
#define XTAPE_REFUSE_STD(name, instead)                                                                                 \
    template <class... A>                                                                                               \
        requires ::autograd::SomeOperand<A...>                                                                          \
    auto name(const A&... a) {                                                                                          \
        static_assert(sizeof...(A) == 0, "an op is called without std::, as " instead ", and not std::" #name);         \
        return ::autograd::detail::first_operand(a...);                                                                 \
    }
#define XTAPE_REFUSE_STD_OF_ONE(name) XTAPE_REFUSE_STD(name, #name "(x)")
#define XTAPE_REFUSE_STD_OF_TWO(name) XTAPE_REFUSE_STD(name, #name "(x, y)")

namespace autograd::detail {

template <class First, class... Rest>
[[nodiscard]] auto first_operand(const First& first, const Rest&... rest) {
    if constexpr (Operand<First>) {
        return first;
    } else {
        return first_operand(rest...);
    }
}

}  // namespace autograd::detail

namespace std {
XTAPE_REFUSE_STD_OF_ONE(abs)
XTAPE_REFUSE_STD_OF_ONE(exp)
XTAPE_REFUSE_STD_OF_ONE(exp2)
XTAPE_REFUSE_STD_OF_ONE(expm1)
XTAPE_REFUSE_STD_OF_ONE(log)
XTAPE_REFUSE_STD_OF_ONE(log2)
XTAPE_REFUSE_STD_OF_ONE(log10)
XTAPE_REFUSE_STD_OF_ONE(log1p)
XTAPE_REFUSE_STD_OF_ONE(sqrt)
XTAPE_REFUSE_STD_OF_ONE(cbrt)
XTAPE_REFUSE_STD_OF_ONE(sin)
XTAPE_REFUSE_STD_OF_ONE(cos)
XTAPE_REFUSE_STD_OF_ONE(tan)
XTAPE_REFUSE_STD_OF_ONE(asin)
XTAPE_REFUSE_STD_OF_ONE(acos)
XTAPE_REFUSE_STD_OF_ONE(atan)
XTAPE_REFUSE_STD_OF_ONE(sinh)
XTAPE_REFUSE_STD_OF_ONE(cosh)
XTAPE_REFUSE_STD_OF_ONE(tanh)
XTAPE_REFUSE_STD_OF_ONE(asinh)
XTAPE_REFUSE_STD_OF_ONE(acosh)
XTAPE_REFUSE_STD_OF_ONE(atanh)
XTAPE_REFUSE_STD_OF_ONE(erf)
XTAPE_REFUSE_STD_OF_ONE(erfc)
XTAPE_REFUSE_STD_OF_ONE(lgamma)
XTAPE_REFUSE_STD_OF_ONE(floor)
XTAPE_REFUSE_STD_OF_ONE(ceil)
XTAPE_REFUSE_STD_OF_ONE(trunc)
XTAPE_REFUSE_STD_OF_ONE(round)
XTAPE_REFUSE_STD_OF_ONE(isnan)
XTAPE_REFUSE_STD_OF_ONE(isinf)
XTAPE_REFUSE_STD_OF_ONE(isfinite)
XTAPE_REFUSE_STD_OF_TWO(pow)
XTAPE_REFUSE_STD_OF_TWO(atan2)
XTAPE_REFUSE_STD_OF_TWO(hypot)
XTAPE_REFUSE_STD_OF_TWO(copysign)
XTAPE_REFUSE_STD(fabs, "abs(x)")
XTAPE_REFUSE_STD(max, "maximum(x, y)")
XTAPE_REFUSE_STD(min, "minimum(x, y)")
XTAPE_REFUSE_STD(fmax, "maximum(x, y)")
XTAPE_REFUSE_STD(fmin, "minimum(x, y)")
XTAPE_REFUSE_STD(fmod, "remainder(x, y)")
XTAPE_REFUSE_STD(clamp, "clip(x, low, high)")
XTAPE_REFUSE_STD(signbit, "x < 0")
}  // namespace std

#undef XTAPE_REFUSE_STD
#undef XTAPE_REFUSE_STD_OF_ONE
#undef XTAPE_REFUSE_STD_OF_TWO
