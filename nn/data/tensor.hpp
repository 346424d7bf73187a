// An array of any of the element types that files of arrays (safetensors, npy) are read and written with.
#pragma once

#include <autograd/autograd.hpp>

#include <cstdint>
#include <variant>

namespace XTAPE_API nn {

/// float, double, 64-bit integers or bytes.
using Tensor =
    std::variant<autograd::Array<float>, autograd::Array<double>, autograd::Array<std::int64_t>, autograd::Array<std::uint8_t>>;

}  // namespace nn
