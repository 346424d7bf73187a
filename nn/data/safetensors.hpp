// Safetensors files: named arrays and a little text, the format in which weights are exchanged. What the names mean is
// nothing to this file; nn::save and nn::load know.
#pragma once

#include <autograd/autograd.hpp>

#include <filesystem>
#include <map>
#include <string>

#include "nn/data/tensor.hpp"

namespace XTAPE_API nn {

/// The contents of a safetensors file. Names are UTF-8; the element types are F32, F64, I64 and U8.
struct TensorFile {
    std::map<std::string, Tensor> tensors;        ///< by their names
    std::map<std::string, std::string> metadata;  ///< the text, by keys
};

/// Writes such a file.
/// @throws FileError if the file cannot be written, or a name is "__metadata__" or not UTF-8.
void write_safetensors(const std::filesystem::path& path, const TensorFile& contents);

/// Reads such a file.
/// @throws FileError if the file cannot be read, has another element type in it, or breaks a rule of the format: the
/// header is JSON of at most 100 MB within the file, no name occurs twice, and the arrays, each of the size which its
/// shape and type demand, fill the rest of the file without gap or overlap.
[[nodiscard]] TensorFile read_safetensors(const std::filesystem::path& path);

}  // namespace nn
