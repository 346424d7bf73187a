// Numbers to bytes, half floats and base64 by xtl, gzip by zlib.
#include "packing.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>
#include <vector>
#include <xtl/xbase64.hpp>
#include <xtl/xhalf_float.hpp>

#include "codes.hpp"

namespace report {
namespace {

using autograd::Array;

template <class T>
Json in_json(const char* type, const Array<T>& array, std::vector<std::uint8_t> bytes) {
    return {{"shape", std::vector<std::size_t>(array.shape().begin(), array.shape().end())},
            {type, Json::binary(std::move(bytes))}};
}

/// Each number's bits by `bits_of`, byte by byte.
template <class BitsOf>
Json in_planes(const char* type, const Array<float>& array, std::string_view what, BitsOf bits_of) {
    constexpr std::size_t width = sizeof(bits_of(0.0F));
    const std::size_t count = array.size();
    std::vector<std::uint8_t> bytes(width * count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto bits = bits_of(static_cast<float>(finite(static_cast<double>(array.data()[i]), what)));
        for (std::size_t k = 0; k < width; ++k) bytes[k * count + i] = static_cast<std::uint8_t>(bits >> 8 * k & 255);
    }
    return in_json(type, array, std::move(bytes));
}

/// Moves the arrays' bytes out of the JSON, which keeps where they lie.
void take_bytes(Json& json, std::string& taken) {
    if (json.is_binary()) {
        const auto& from = json.get_binary();
        Json place{taken.size(), from.size()};
        taken.append(from.begin(), from.end());
        json = std::move(place);
    } else if (json.is_structured()) {
        for (Json& each : json) take_bytes(each, taken);
    }
}

/// The text with every '<' escaped as JSON allows in strings, where alone it can stand: nothing ends the script element.
std::string inside_script_element(const std::string& json) {
    std::string text;
    text.reserve(json.size());
    for (const char c : json) c == '<' ? text.append("\\u003c") : text.append(1, c);
    return text;
}

std::string gzip(std::string_view text) {
    z_stream stream{};
    constexpr int level = 6, window_of_gzip = 15 + 16, memory_level = 9;
    if (deflateInit2(&stream, level, Z_DEFLATED, window_of_gzip, memory_level, Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::bad_alloc();
    std::string result;
    std::vector<Bytef> buffer(std::size_t{1} << 20);
    int status = Z_OK;
    while (status != Z_STREAM_END) {
        if (stream.avail_in == 0) {  // counts in 32 bits
            const std::string_view next = text.substr(0, std::size_t{1} << 30);
            text.remove_prefix(next.size());
            stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(next.data()));
            stream.avail_in = static_cast<uInt>(next.size());
        }
        stream.next_out = buffer.data();
        stream.avail_out = static_cast<uInt>(buffer.size());
        status = deflate(&stream, text.empty() ? Z_FINISH : Z_NO_FLUSH);
        result.append(reinterpret_cast<const char*>(buffer.data()), buffer.size() - stream.avail_out);
    }
    deflateEnd(&stream);
    return result;
}

}  // namespace

double finite(double value, std::string_view what) {
    if (!std::isfinite(value)) throw autograd::Error(fmt::format("report: {} is {}", what, value));
    return value;
}

void require_shape(const Array<float>& array, const autograd::Shape& expected, const char* what) {
    require(array.shape() == expected, "expected {} of shape {}, found {}", what, autograd::to_string(expected),
            autograd::to_string(array.shape()));
}

Json floats(const Array<float>& array, std::string_view what) {
    return in_planes("float32", array, what, [](float value) { return std::bit_cast<std::uint32_t>(value); });
}

float as_half(float value) { return static_cast<float>(xtl::half_float(value)); }

Json halves(const Array<float>& array, std::string_view what) {
    return in_planes("float16", array, what, [&](float value) {
        const xtl::half_float half(value);
        finite(static_cast<double>(static_cast<float>(half)), what);
        return std::bit_cast<std::uint16_t>(half);
    });
}

Json bytes(const Array<float>& array, std::string_view what) {
    for (const float value : array) finite(static_cast<double>(value), what);
    return bytes(as_bytes(array));
}

Json bytes(const Array<std::uint8_t>& array) {
    return in_json("uint8", array, std::vector<std::uint8_t>(array.begin(), array.end()));
}

Packed packed(Json json) {
    std::string arrays;
    take_bytes(json, arrays);
    return {inside_script_element(json.dump(-1, ' ', false, Json::error_handler_t::replace)), xtl::base64encode(gzip(arrays))};
}

}  // namespace report
