// Pack<T>: a handful of floats or doubles which the processor treats as one, and the mathematics on it. A thin wrapper of
// an xsimd batch which takes scalars, propagates NaN and hides what one xsimd release has and another lacks. It knows
// neither arrays nor tapes; op lambdas run on it, through the op objects.
#pragma once

#include "autograd/base/language.hpp"

#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <numbers>
#include <type_traits>
#include <utility>

#include "autograd/base/vectors.hpp"
#include "autograd/kernels/libmvec.hpp"

namespace XTAPE_API autograd {

/// A number of the language, which may stand beside operands in an expression.
template <class A>
concept Scalar = std::is_arithmetic_v<A>;

/// As many numbers as a vector register of the processor holds, at most 256 bits. The lambda of an elementwise op is run on
/// packs; the ops that it calls are the only mathematics of a pack.
template <class T>
struct Pack {
    using Element = T;                                ///< float or double
    using Batch = detail::Batch<T>;                   ///< the register, as xsimd has it
    static constexpr std::size_t size = Batch::size;  ///< how many numbers

    Batch lanes;  ///< the numbers

    Pack() = default;
    Pack(Batch batch) : lanes(batch) {}
    template <Scalar A>
    Pack(A value) : lanes(static_cast<T>(value)) {}

    /// The `size` numbers from there on.
    static Pack load(const T* from) { return Batch::load_unaligned(from); }
    /// Writes all `size` numbers, also where fewer are wanted: buffers have room for that at their end.
    void store(T* to) const { lanes.store_unaligned(to); }
    XTAPE_NO_CONDITION(T)
};

/// The one implementation of each primitive's values. Called by qualified name, from the op objects alone.
namespace kernels {

/// Applies a scalar function to each lane: slower, and right where a vectorised one is missing or wrong.
template <class T, class F, std::same_as<Pack<T>>... Rest>
Pack<T> per_lane(F f, Pack<T> first, Rest... rest) {
    constexpr std::size_t size = Pack<T>::size;
    T values[1 + sizeof...(Rest)][size];
    std::size_t row = 0;
    first.store(values[row++]);
    (rest.store(values[row++]), ...);
    for (std::size_t i = 0; i < size; ++i) {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            values[0][i] = f(values[I][i]...);
        }(std::make_index_sequence<1 + sizeof...(Rest)>{});
    }
    return Pack<T>::load(values[0]);
}

template <class T>
Pack<T> add(Pack<T> a, Pack<T> b) {
    return a.lanes + b.lanes;
}
template <class T>
Pack<T> subtract(Pack<T> a, Pack<T> b) {
    return a.lanes - b.lanes;
}
template <class T>
Pack<T> multiply(Pack<T> a, Pack<T> b) {
    return a.lanes * b.lanes;
}
template <class T>
Pack<T> divide(Pack<T> a, Pack<T> b) {
    return detail::quotient(a.lanes, b.lanes);
}
template <class T>
Pack<T> negative(Pack<T> x) {
    return -x.lanes;
}

// Comparisons give 1 or 0, as they do on a tape; the compiler sees through `where(x > 0, ...)`.
template <class T>
Pack<T> from_mask(typename Pack<T>::Batch::batch_bool_type mask) {
    return xsimd::select(mask, Pack<T>(1).lanes, Pack<T>(0).lanes);
}
template <class T>
Pack<T> greater(Pack<T> a, Pack<T> b) {
    return from_mask<T>(a.lanes > b.lanes);
}
template <class T>
Pack<T> greater_equal(Pack<T> a, Pack<T> b) {
    return from_mask<T>(a.lanes >= b.lanes);
}
template <class T>
Pack<T> less(Pack<T> a, Pack<T> b) {
    return from_mask<T>(a.lanes < b.lanes);
}
template <class T>
Pack<T> less_equal(Pack<T> a, Pack<T> b) {
    return from_mask<T>(a.lanes <= b.lanes);
}
template <class T>
Pack<T> equal(Pack<T> a, Pack<T> b) {
    return from_mask<T>(a.lanes == b.lanes);
}
template <class T>
Pack<T> not_equal(Pack<T> a, Pack<T> b) {
    // Not `!=`: on AVX, xsimd 8.1 has it false where one is NaN.
    return xsimd::select(a.lanes == b.lanes, Pack<T>(0).lanes, Pack<T>(1).lanes);
}
template <class T>
Pack<T> where(Pack<T> condition, Pack<T> a, Pack<T> b) {
    return xsimd::select(condition.lanes == Pack<T>(0).lanes, b.lanes, a.lanes);
}

// The processor's own max returns the second operand when one is NaN; the array API wants the NaN.
template <class T>
Pack<T> maximum(Pack<T> a, Pack<T> b) {
    return xsimd::select(xsimd::isnan(a.lanes) || (a.lanes > b.lanes), a.lanes, b.lanes);
}
template <class T>
Pack<T> minimum(Pack<T> a, Pack<T> b) {
    return xsimd::select(xsimd::isnan(a.lanes) || (a.lanes < b.lanes), a.lanes, b.lanes);
}
template <class T>
Pack<T> abs(Pack<T> x) {
    return xsimd::abs(x.lanes);
}
template <class T>
Pack<T> sqrt(Pack<T> x) {
    return detail::square_root(x.lanes);
}
/// |x| with y's sign, also of a zero or a NaN.
template <class T>
Pack<T> copysign(Pack<T> x, Pack<T> y) {
    return xsimd::copysign(x.lanes, y.lanes);
}

// To whole numbers. They have the argument's sign, which on SSE2 xsimd loses where the result is 0.
template <class T>
Pack<T> floor(Pack<T> x) {
    return kernels::copysign(Pack<T>(xsimd::floor(x.lanes)), x);
}
template <class T>
Pack<T> ceil(Pack<T> x) {
    return kernels::copysign(Pack<T>(xsimd::ceil(x.lanes)), x);
}
template <class T>
Pack<T> trunc(Pack<T> x) {
    return kernels::copysign(Pack<T>(xsimd::trunc(x.lanes)), x);
}
/// To the nearest, halves to the even one.
template <class T>
Pack<T> round(Pack<T> x) {
    return kernels::copysign(Pack<T>(xsimd::nearbyint(x.lanes)), x);
}

/// What is left of x / y, with y's sign, as Python's % has it. fmod is exact, whatever the size of the quotient.
template <class T>
Pack<T> remainder(Pack<T> x, Pack<T> y) {
    const auto of_lane = [](T a, T b) {
        const T rest = std::fmod(a, b);
        if (rest == 0) return std::copysign(rest, b);
        return (rest < 0) != (b < 0) ? rest + b : rest;
    };
    return per_lane(of_lane, x, y);
}
/// The floor of the exact quotient: of 1 and 0.1 it is 9, though the quotient rounds to 10.
template <class T>
Pack<T> floor_divide(Pack<T> x, Pack<T> y) {
    const auto of_lane = [](T a, T b) {
        if (b == 0 || !std::isfinite(a) || !std::isfinite(b)) return std::floor(a / b);
        const T rest = std::fmod(a, b);
        const T quotient = std::nearbyint((a - rest) / b) - T(rest != 0 && (rest < 0) != (b < 0));
        return quotient == 0 ? std::copysign(quotient, a / b) : quotient;
    };
    return per_lane(of_lane, x, y);
}

// exp, log, sin, pow and the like: by glibc's vector functions where there are any, else by the standard library's.
#ifdef XTAPE_LIBMVEC
#define XTAPE_CALL(name, ...) typename Pack<T>::Batch(libmvec::name(__VA_ARGS__))
#define XTAPE_LANES(pack) pack.lanes.data
#else
#define XTAPE_CALL(name, ...) per_lane([](auto... lanes) { return std::name(lanes...); }, __VA_ARGS__)
#define XTAPE_LANES(pack) pack
#endif
#define XTAPE_DEFINE(name)                       \
    template <class T>                           \
    Pack<T> name(Pack<T> x) {                    \
        return XTAPE_CALL(name, XTAPE_LANES(x)); \
    }
#define XTAPE_DEFINE2(name)                                      \
    template <class T>                                           \
    Pack<T> name(Pack<T> x, Pack<T> y) {                         \
        return XTAPE_CALL(name, XTAPE_LANES(x), XTAPE_LANES(y)); \
    }
XTAPE_VECTOR_FUNCTIONS(XTAPE_DEFINE, XTAPE_DEFINE2)
#undef XTAPE_DEFINE
#undef XTAPE_DEFINE2
#undef XTAPE_CALL
#undef XTAPE_LANES

/// The normal distribution function, erfc(-x / sqrt(2)) / 2. The rounding of erfc's argument t would cost x^2 / 2 units
/// of the last place: what it cut off is put back. For that erfc' / erfc = -(t + sqrt(t^2 + 4 / pi)) is near enough:
/// within 6 % above 0, and below there is little to put back.
template <class T>
Pack<T> normal_cdf(Pack<T> x) {
    constexpr long double root_half = 0.707106781186547524400844362104849039L;
    constexpr T high = static_cast<T>(root_half), low = static_cast<T>(root_half - static_cast<long double>(high));
    const auto factor = Pack<T>(high).lanes, half = Pack<T>(0.5).lanes;
    // Beyond these bounds it is 0 and 1.
    const auto bounded = kernels::minimum(kernels::maximum(x, Pack<T>(-1000)), Pack<T>(1000)).lanes;
    const auto t = -(bounded * factor);
    const auto cut = xsimd::fma(bounded, factor, t) + bounded * Pack<T>(low).lanes;
    const auto decay = t + detail::square_root(t * t + Pack<T>(4 * std::numbers::inv_pi).lanes);
    return kernels::erfc(Pack<T>(t)).lanes * (half + half * cut * decay);
}

/// exp for functions that are in every training step. Of floats it is xsimd's, which is compiled into their loops and
/// half as fast again. What that gets wrong, values beyond 88.4, is lost below in additions; results below the smallest
/// normal number may be 0. For doubles xsimd converts each lane's exponent by itself, which is undefined for NaN.
template <class T>
Pack<T> exp_within_loop(Pack<T> x) {
    if constexpr (sizeof(T) == sizeof(float)) {
        return xsimd::exp(x.lanes);
    } else {
        return kernels::exp(x);
    }
}

/// 1 / (1 + exp(-x)).
template <class T>
Pack<T> sigmoid(Pack<T> x) {
    const auto one = Pack<T>(1).lanes;
    return detail::quotient(one, one + exp_within_loop(Pack<T>(-x.lanes)).lanes);
}
/// log(1 + u) for u in [0, 1], as 2 artanh(s), s = u / (2 + u): s times a polynomial in s^2, which is at most 1/9.
template <class T>
Pack<T> log1p_of_fraction(Pack<T> u) {
    // In double the power series of 2 artanh(s) / s; in float its Chebyshev expansion, which takes five terms for a
    // relative error of 8e-9 where the other takes eight.
    constexpr bool is_float = sizeof(T) == sizeof(float);
    constexpr int terms = is_float ? 5 : 16;
    const auto coefficient = [](int k) {
        if constexpr (is_float) {
            constexpr float chebyshev[] = {2, 0.66666316f, 0.40024854f, 0.27961419f, 0.28174657f};
            return Pack<T>(chebyshev[k]).lanes;
        } else {
            return Pack<T>(T(2) / T(2 * k + 1)).lanes;
        }
    };
    const auto s = detail::quotient(u.lanes, u.lanes + Pack<T>(2).lanes);
    const auto square = s * s;
    auto sum = coefficient(terms - 1);
    for (int k = terms - 1; k-- > 0;) sum = xsimd::fma(sum, square, coefficient(k));
    return s * sum;
}
/// log(1 + exp(-|x|)): what softplus(x) has above max(x, 0).
template <class T>
Pack<T> softplus_above_ramp(Pack<T> x) {
    return log1p_of_fraction(exp_within_loop(Pack<T>(-xsimd::abs(x.lanes))));
}
/// log(1 + exp(x)) without overflow.
template <class T>
Pack<T> softplus(Pack<T> x) {
    return kernels::add(kernels::maximum(x, Pack<T>(0)), softplus_above_ramp(x));
}

// The next two keep their digits where they are close to 0: at a target of 1 and a large x, or 0 and -x. Each is a
// choice between two forms, the one with 1 - target where x is above 0.
/// softplus(x) - target x, the cross-entropy of a target and the probability sigmoid(x); also its limit at infinities.
template <class T>
Pack<T> softplus_minus_product(Pack<T> x, Pack<T> target) {
    const auto zero = Pack<T>(0).lanes;
    const auto side = xsimd::select(x.lanes > zero, Pack<T>(1).lanes, zero);
    // Not the product where it would be inf * 0.
    const auto linear = xsimd::select(side == target.lanes, zero, x.lanes * (side - target.lanes));
    return kernels::add(Pack<T>(linear), softplus_above_ramp(x));
}
/// sigmoid(x) - target.
template <class T>
Pack<T> sigmoid_minus(Pack<T> x, Pack<T> target) {
    const auto one = Pack<T>(1).lanes;
    const auto u = exp_within_loop(Pack<T>(-x.lanes)).lanes, y = detail::quotient(one, one + u);
    return xsimd::select(x.lanes > Pack<T>(0).lanes, (one - target.lanes) - u * y, y - target.lanes);
}

}  // namespace kernels
}  // namespace autograd
