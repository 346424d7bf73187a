// Whether numbers are finite, all of them: asked before libraries that make a difference of NaN and infinities. Which of them
// is not, kernels/reduce.hpp finds.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "autograd/base/language.hpp"

namespace XTAPE_API autograd {
namespace kernels {

/// By the bits of exponents, because the compiler makes vectors of that.
template <class T>
[[nodiscard]] bool all_finite(const T* data, std::size_t count) {
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    constexpr Bits exponent = std::bit_cast<Bits>(std::numeric_limits<T>::infinity());
    Bits found = 0;
    for (std::size_t i = 0; i < count; ++i) found |= (std::bit_cast<Bits>(data[i]) & exponent) == exponent ? 1 : 0;
    return found == 0;
}

}  // namespace kernels
}  // namespace autograd
