// The vectors that xtape computes with: which of the processor's, and the processor's own division and square root on them.
// What is computed is not its matter; Pack, in kernels/simd.hpp, is made of these.
#pragma once

#include "autograd/base/language.hpp"

#include <type_traits>
#include <xsimd/xsimd.hpp>

namespace XTAPE_API autograd {
namespace detail {

// 256 bits at the most: some releases of xsimd have wrong AVX-512 paths, and the loops here are bound by memory anyway.
#if XSIMD_WITH_FMA3_AVX2
using SimdArchitecture = xsimd::fma3<xsimd::avx2>;
#elif XSIMD_WITH_SSE2
using SimdArchitecture = xsimd::sse2;
#else
using SimdArchitecture = xsimd::default_arch;
#endif

template <class T>
using Batch = xsimd::batch<T, SimdArchitecture>;

/// a / b, rounded once. For floats on ARM xsimd's own is an estimate: of 3e38f / 3e38f it makes 0.99999994, of 1 / 1e-40f -inf.
template <class T>
[[nodiscard]] Batch<T> quotient(const Batch<T>& a, const Batch<T>& b) {
#if XSIMD_WITH_NEON64
    if constexpr (std::is_same_v<T, float>) return Batch<T>(vdivq_f32(a.data, b.data));
#endif
    return a / b;
}

/// Rounded once. For floats on ARM xsimd's own is an estimate, and NaN at infinity.
template <class T>
[[nodiscard]] Batch<T> square_root(const Batch<T>& x) {
#if XSIMD_WITH_NEON64
    if constexpr (std::is_same_v<T, float>) return Batch<T>(vsqrtq_f32(x.data));
#endif
    return xsimd::sqrt(x);
}

}  // namespace detail
}  // namespace autograd
