// The IDX header, and the four file names under which MNIST and its relatives are published.
#include "nn/idx.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <system_error>

#include "nn/file.hpp"

namespace nn {
namespace {

namespace fs = std::filesystem;

constexpr unsigned unsigned_byte_type = 0x08;

std::vector<std::byte> read_header(InputFile& file, const fs::path& path, std::size_t count) {
    auto bytes = file.read(count);
    if (bytes.size() < count) {
        throw FileError(path,
                        fmt::format("truncated IDX header: expected {} more bytes, found {}", count, bytes.size()));
    }
    return bytes;
}

fs::path find(const fs::path& directory, const std::string& name) {
    std::error_code error;
    if (!fs::is_directory(directory, error)) {
        throw FileError(directory, fmt::format("no such directory: looked in it for {0} or {0}.gz", name));
    }
    for (const auto& candidate : {directory / name, directory / (name + ".gz")}) {
        if (fs::exists(candidate, error)) return candidate;
    }
    throw FileError(directory, fmt::format("expected a file {0} or {0}.gz in this directory, found neither", name));
}

void require_rank(const autograd::Array<std::uint8_t>& array, std::size_t rank, const fs::path& path,
                  const char* axes) {
    if (array.dimension() != rank) {
        throw FileError(path, fmt::format("expected {}, found shape {}", axes, autograd::to_string(array.shape())));
    }
}

}  // namespace

autograd::Array<std::uint8_t> read_idx(const fs::path& path, std::size_t limit) {
    InputFile file(path);
    const auto magic = read_header(file, path, 4);
    const auto number = [&](std::size_t i) { return std::to_integer<unsigned>(magic[i]); };
    if (number(0) != 0 || number(1) != 0) {
        throw FileError(path,
                        fmt::format("is not an IDX file: expected two zero bytes at its start, found {:#04x} {:#04x}",
                                    number(0), number(1)));
    }
    const unsigned type = number(2);
    const unsigned rank = number(3);
    if (type != unsigned_byte_type) {
        throw FileError(path, fmt::format("IDX element type {:#04x}: only {:#04x}, unsigned bytes, can be read", type,
                                          unsigned_byte_type));
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
        throw FileError(
            path, fmt::format("the IDX header says ({}), that is {} bytes; found {}", fmt::join(extents, ", "), *count,
                              bytes.size() > *count ? "more" : fmt::to_string(bytes.size())));
    }
    autograd::Array<std::uint8_t> array(autograd::Shape(extents.begin(), extents.end()));
    if (!bytes.empty()) std::memcpy(array.data(), bytes.data(), bytes.size());
    return array;
}

ImageData load_images(const fs::path& directory, Split split) {
    const std::string prefix = split == Split::train ? "train" : "t10k";
    const fs::path images_path = find(directory, prefix + "-images-idx3-ubyte");
    const fs::path labels_path = find(directory, prefix + "-labels-idx1-ubyte");
    const auto pixels = read_idx(images_path);
    require_rank(pixels, 3, images_path, "images of shape (count, rows, columns)");
    if (pixels.size() == 0) {
        throw FileError(images_path, "holds no pixels: its shape is " + autograd::to_string(pixels.shape()));
    }
    const auto labels = read_idx(labels_path);
    require_rank(labels, 1, labels_path, "labels of shape (count,)");
    if (labels.size() != pixels.shape(0)) {
        throw FileError(labels_path, fmt::format("expected {} labels, one for each image of {}, found {}",
                                                 pixels.shape(0), images_path.filename().string(), labels.size()));
    }
    ImageData data{.images = autograd::empty<float>({pixels.shape(0), pixels.shape(1) * pixels.shape(2)}),
                   .labels = {labels.data(), labels.data() + labels.size()},
                   .rows = pixels.shape(1),
                   .columns = pixels.shape(2)};
    std::transform(pixels.data(), pixels.data() + pixels.size(), data.images.data(),
                   [](std::uint8_t pixel) { return static_cast<float>(pixel) / 255.0F; });
    return data;
}

}  // namespace nn
