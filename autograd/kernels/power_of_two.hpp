// Powers of two by which numbers are scaled without rounding, where what they stand for may be beyond all numbers. It knows
// no arrays.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "autograd/base/language.hpp"

namespace XTAPE_API autograd {
namespace kernels {

/// 2^exponent, kept from being infinite, or 0, beside what it is to be multiplied with.
template <class T>
T power_of_two(std::int64_t exponent) {
    using Limits = std::numeric_limits<T>;
    return std::ldexp(T(1), static_cast<int>(std::clamp<std::int64_t>(exponent, Limits::min_exponent - Limits::digits,
                                                                      Limits::max_exponent - 1)));
}

/// Two factors whose product is 2^exponent, which may itself be no number.
template <class T>
void set_halves(T& half, T& other_half, std::int64_t exponent) {
    half = power_of_two<T>(exponent / 2);
    other_half = power_of_two<T>(exponent - exponent / 2);
}

}  // namespace kernels
}  // namespace autograd
