// The IDX header, and what it says held against what is there.
#include "nn/data/idx.hpp"

#include <fmt/format.h>

#include <cstring>
#include <vector>

#include "nn/data/file.hpp"

namespace nn {
namespace {

namespace fs = std::filesystem;

constexpr unsigned unsigned_byte_type = 0x08;

std::vector<std::byte> read_header(InputFile& file, const fs::path& path, std::size_t count) {
    auto bytes = file.read(count);
    if (bytes.size() < count) {
        throw FileError(path, fmt::format("truncated IDX header: expected {} more bytes, found {}", count, bytes.size()));
    }
    return bytes;
}

}  // namespace

autograd::Array<std::uint8_t> read_idx(const fs::path& path, std::size_t limit) {
    InputFile file(path);
    const auto magic = read_header(file, path, 4);
    const auto number = [&](std::size_t i) { return std::to_integer<unsigned>(magic[i]); };
    if (number(0) != 0 || number(1) != 0) {
        throw FileError(path, fmt::format("is not an IDX file: expected two zero bytes at its start, found {:#04x} {:#04x}",
                                          number(0), number(1)));
    }
    const unsigned type = number(2);
    const unsigned rank = number(3);
    if (type != unsigned_byte_type) {
        throw FileError(
            path, fmt::format("IDX element type {:#04x}: only {:#04x}, unsigned bytes, can be read", type, unsigned_byte_type));
    }
    const auto encoded = read_header(file, path, std::size_t{4} * rank);
    std::vector<std::uint64_t> extents(rank);
    for (std::size_t i = 0; i < encoded.size(); ++i) {
        extents[i / 4] = extents[i / 4] << 8 | std::to_integer<std::uint64_t>(encoded[i]);
    }
    const auto count = element_count_within(extents, limit);
    if (!count) {
        throw FileError(path, fmt::format("the IDX header says ({}), which is above the limit of {} bytes",
                                          fmt::join(extents, ", "), limit));
    }
    const auto bytes = file.read(*count + 1);  // one more than there should be
    if (bytes.size() != *count) {
        throw FileError(path, fmt::format("the IDX header says ({}), that is {} bytes; found {}", fmt::join(extents, ", "),
                                          *count, bytes.size() > *count ? "more" : fmt::to_string(bytes.size())));
    }
    autograd::Array<std::uint8_t> array(autograd::Shape(extents.begin(), extents.end()));
    if (!bytes.empty()) std::memcpy(array.data(), bytes.data(), bytes.size());
    return array;
}

}  // namespace nn
