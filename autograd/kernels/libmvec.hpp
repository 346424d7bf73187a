// Declares glibc's vector functions (libmvec, linked by -lm): at most 4 ulp from the exact value, as the C standard wants
// them for NaN, infinities, both zeros and subnormal numbers, and the same for a lane whatever its neighbours hold. xsimd
// 8.1's own are none of these. Where there is no libmvec, XTAPE_LIBMVEC is not defined, and simd.hpp does without.
#pragma once

#include "autograd/base/language.hpp"

/// The functions of one argument, and of two.
// Laid out by hand: a list.
// clang-format off
#define XTAPE_VECTOR_FUNCTIONS(OP, OP2)                                                                            \
    OP(exp) OP(exp2) OP(expm1) OP(log) OP(log1p) OP(log2) OP(log10) OP(sin) OP(cos) OP(tan) OP(asin) OP(acos)      \
    OP(atan) OP(sinh) OP(cosh) OP(tanh) OP(asinh) OP(acosh) OP(atanh) OP(cbrt) OP(erf) OP(erfc) OP2(pow) OP2(atan2) \
    OP2(hypot)
// clang-format on

#include <cmath>  // defines __GLIBC__

#if defined(__GLIBC__) && defined(__x86_64__)
#define XTAPE_LIBMVEC 1

#include <immintrin.h>

namespace XTAPE_API autograd {
namespace libmvec {

// The x86-64 vector ABI: _ZGV, instruction set (d: AVX2, b: SSE), N, lanes, a v for each argument, _, the name.
#if defined(__AVX2__) && defined(__FMA__)
using Floats = __m256;
using Doubles = __m256d;
#define XTAPE_SYMBOL_F(name, arguments) _ZGVdN8##arguments##_##name##f
#define XTAPE_SYMBOL_D(name, arguments) _ZGVdN4##arguments##_##name
#else
using Floats = __m128;
using Doubles = __m128d;
#define XTAPE_SYMBOL_F(name, arguments) _ZGVbN4##arguments##_##name##f
#define XTAPE_SYMBOL_D(name, arguments) _ZGVbN2##arguments##_##name
#endif

#define XTAPE_DECLARE(name)                                             \
    extern "C" Floats XTAPE_SYMBOL_F(name, v)(Floats);                  \
    extern "C" Doubles XTAPE_SYMBOL_D(name, v)(Doubles);                \
    inline Floats name(Floats x) { return XTAPE_SYMBOL_F(name, v)(x); } \
    inline Doubles name(Doubles x) { return XTAPE_SYMBOL_D(name, v)(x); }
#define XTAPE_DECLARE2(name)                                                          \
    extern "C" Floats XTAPE_SYMBOL_F(name, vv)(Floats, Floats);                       \
    extern "C" Doubles XTAPE_SYMBOL_D(name, vv)(Doubles, Doubles);                    \
    inline Floats name(Floats x, Floats y) { return XTAPE_SYMBOL_F(name, vv)(x, y); } \
    inline Doubles name(Doubles x, Doubles y) { return XTAPE_SYMBOL_D(name, vv)(x, y); }
XTAPE_VECTOR_FUNCTIONS(XTAPE_DECLARE, XTAPE_DECLARE2)
#undef XTAPE_DECLARE
#undef XTAPE_DECLARE2
#undef XTAPE_SYMBOL_F
#undef XTAPE_SYMBOL_D

}  // namespace libmvec
}  // namespace autograd
#endif
