// IDX files, the format of MNIST and its relatives: unsigned bytes in an array of any rank. Raw or gzipped; the file
// says which, not its name.
#pragma once

#include <autograd/autograd.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace XTAPE_API nn {

/// The array of an IDX file of unsigned bytes: two zero bytes, the element type 0x08, the rank, the extents as 32-bit
/// big-endian numbers, then the elements, row-major.
/// @param limit an array of more bytes than this is refused before it is read
/// @throws FileError if the file cannot be read, is not such an IDX file, or holds more or fewer bytes than it says.
[[nodiscard]] autograd::Array<std::uint8_t> read_idx(const std::filesystem::path& path,
                                                     std::size_t limit = std::size_t{1} << 31);

}  // namespace nn
