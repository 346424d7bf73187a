// How the report's page carries its data: JSON, and beside it the bytes of its arrays, compressed. It knows no report; what is
// packed is up to report.cpp and layers.cpp, and data.js unpacks it.
#pragma once

#include <fmt/format.h>

#include <autograd/autograd.hpp>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "metrics.hpp"

namespace report {

/// {"shape", "float32"}: the numbers as they are.
/// @throws autograd::Error, which calls a number `what`, if one is not finite.
Json floats(const autograd::Array<float>& array, std::string_view what);

/// The nearest half float, of 11 bits; infinite beyond the largest, 65504.
float as_half(float value);

/// {"shape", "float16"}: as_half(), in half the size.
/// @throws as floats() does, also for what is beyond the largest half float.
Json halves(const autograd::Array<float>& array, std::string_view what);

/// {"shape", "uint8"}: numbers from 0 to 1 as bytes from 0 to 255; those beyond are taken as 0 or 1.
/// @throws as floats() does.
Json bytes(const autograd::Array<float>& array, std::string_view what);

/// {"shape", "uint8"}: bytes as they are.
Json bytes(const autograd::Array<std::uint8_t>& array);

/// What a page carries of JSON with arrays in it. Of numbers that take more than one byte all lowest ones come first, then all
/// next ones: signs and exponents, which are alike, lie together and become short.
struct Packed {
    std::string json;    ///< text without a '<'; in place of its bytes an array has where they lie: [first, count]
    std::string arrays;  ///< the bytes of all, as base64 of gzip
};
Packed packed(Json json);

/// @throws autograd::Error, which calls it `what`, if it is not finite.
double finite(double value, std::string_view what);

/// @throws autograd::ShapeError with this message if something does not hold.
template <class... Arguments>
void require(bool holds, fmt::format_string<Arguments...> message, Arguments&&... arguments) {
    if (!holds) throw autograd::ShapeError("report: " + fmt::format(message, std::forward<Arguments>(arguments)...));
}

/// @throws autograd::ShapeError if the array, called `what`, has another shape.
void require_shape(const autograd::Array<float>& array, const autograd::Shape& expected, const char* what);

}  // namespace report
