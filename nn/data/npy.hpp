// NumPy's .npy files: one array each, of the element types <f4, <f8, <i8 and |u1, in C order. No archives (.npz), and
// nothing that would have to be converted: numbers which are big-endian and tables in Fortran order are refused.
#pragma once

#include <autograd/autograd.hpp>

#include <cstddef>
#include <filesystem>

#include "nn/data/tensor.hpp"

namespace XTAPE_API nn {

/// Reads a file of the format's version 1.0 or 2.0, raw or gzipped. (NumPy's documentation, numpy.lib.format.)
/// The header may have the forms in which other writers and Python 2 put it: double quotes, (2L, 3L), '=f4'. At most 64
/// axes.
/// @param limit an array of more bytes than this is refused before it is read
/// @throws FileError if the file cannot be read, is not such a file, has another element type or order, or holds more
/// or fewer bytes than its header says.
[[nodiscard]] Tensor read_npy(const std::filesystem::path& path, std::size_t limit = std::size_t{1} << 31);

/// Writes version 1.0, with the elements aligned to 64 bytes as numpy.save does.
/// @throws FileError if the file cannot be written; one that was there before is then as it was.
void write_npy(const std::filesystem::path& path, const Tensor& tensor);

}  // namespace nn
