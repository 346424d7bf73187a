// IDX files, the format of MNIST and its relatives: unsigned bytes in an array of any rank. Raw or gzipped; the file
// says which, not its name.
#pragma once

#include <autograd/autograd.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace nn {

/// The array of an IDX file of unsigned bytes: two zero bytes, the element type 0x08, the rank, the extents as 32-bit
/// big-endian numbers, then the elements, row-major.
/// @param limit an array of more bytes than this is refused before it is read
/// @throws FileError if the file cannot be read, is not such an IDX file, or holds more or fewer bytes than it says.
autograd::Array<std::uint8_t> read_idx(const std::filesystem::path& path, std::size_t limit = std::size_t{1} << 31);

/// Grey pictures and the class of each.
struct ImageData {
    autograd::Array<float> images;  ///< (count, rows * columns), black is 0 and full intensity 1
    std::vector<int> labels;        ///< count of them
    std::size_t rows = 0;
    std::size_t columns = 0;
};

enum class Split { train, test };

/// Reads `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, or for the test split those which begin with `t10k-`.
/// Where there is no such file, the same name with `.gz`.
/// @throws FileError if one is missing, is no IDX file of the right rank, is empty, or their counts differ.
ImageData load_images(const std::filesystem::path& directory, Split split);

}  // namespace nn
