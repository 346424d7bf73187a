// Fuzzes nn::load_images: a directory of pictures and labels, as IDX or npy files. The input is the first file, of which
// the first two bytes say how long it is, and then the second.
#include "fuzz.hpp"

#include <fcntl.h>

#include <algorithm>

namespace {

void write(const fuzz::fs::path& path, fuzz::Bytes bytes) {
    const int descriptor = open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    const bool good = descriptor >= 0 && ::write(descriptor, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
    fuzz::require(good, "a picture file cannot be written");
    close(descriptor);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const fuzz::Bytes rest(data + 2, size - 2);
    const std::size_t first = std::min<std::size_t>(data[0] + 256 * std::size_t{data[1]}, rest.size());
    const bool is_npy = !rest.empty() && rest[0] == 0x93;
    static const fuzz::Directory idx, npy;
    const fuzz::Directory& directory = is_npy ? npy : idx;
    write(directory / (is_npy ? "train-images.npy" : "train-images-idx3-ubyte"), rest.first(first));
    write(directory / (is_npy ? "train-labels.npy" : "train-labels-idx1-ubyte"), rest.subspan(first));
    nn::ImageData images;
    if (!fuzz::accepts([&] { images = nn::load_images(directory / "", nn::Split::train); })) return 0;
    fuzz::require(images.images.shape() == autograd::Shape{images.images.shape()[0], images.rows * images.columns},
                  "another shape than its sides say");
    fuzz::require(std::all_of(images.images.begin(), images.images.end(), [](float x) { return x >= 0 && x <= 1; }),
                  "a pixel beyond its range");
    fuzz::require(images.labels.empty() || images.labels.size() == images.images.shape()[0], "labels are missing");
    fuzz::require(std::all_of(images.labels.begin(), images.labels.end(),
                              [&](int label) { return label >= 0 && static_cast<std::size_t>(label) < images.classes; }),
                  "a label beyond the number of classes");
    return 0;
}
