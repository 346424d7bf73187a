// The names under which data sets are published, and the checks of what the files hold.
#include "nn/data/image_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <variant>

#include "nn/data/file.hpp"
#include "nn/data/idx.hpp"
#include "nn/data/npy.hpp"

namespace nn {
namespace {

namespace fs = std::filesystem;
using autograd::Array;

constexpr std::string_view images_suffix = "-images-idx3-ubyte";
constexpr std::string_view labels_suffix = "-labels-idx1-ubyte";

std::vector<std::string> split_names(Split split) {
    if (split == Split::train) return {"train"};
    return {"t10k", "test"};
}

bool names_directory(const fs::path& path) { return is_there(path) && fs::is_directory(path); }

/// `name` or `name`.gz in the directory, of the first of the names which is there.
std::optional<fs::path> find(const fs::path& directory, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        for (const fs::path& candidate : {directory / name, directory / (name + ".gz")}) {
            if (is_there(candidate)) return candidate;
        }
    }
    return std::nullopt;
}

fs::path find_or_refuse(const fs::path& directory, const std::vector<std::string>& names) {
    if (const auto found = find(directory, names)) return *found;
    throw FileError(directory,
                    fmt::format("expected a file {0} or {0}.gz in this directory, found neither", printable(names.front())));
}

/// What stands before "-train-images-idx3-ubyte" or its like in the names of a directory.
std::set<std::string> prefixes_in(const fs::path& directory, Split split) {
    std::set<std::string> prefixes;
    for (std::string name : names_in(directory)) {
        if (name.ends_with(".gz")) name.resize(name.size() - 3);
        for (const std::string& split_name : split_names(split)) {
            const std::string suffix = fmt::format("-{}{}", split_name, images_suffix);
            if (name.size() > suffix.size() && name.ends_with(suffix))
                prefixes.insert(name.substr(0, name.size() - suffix.size()));
        }
    }
    return prefixes;
}

void require_image_shape(const fs::path& path, const autograd::Shape& shape) {
    if (shape.size() != 3) {
        throw FileError(
            path, fmt::format("expected images of shape (count, rows, columns), found shape {}", autograd::to_string(shape)));
    }
    if (autograd::element_count(shape) == 0) {
        throw FileError(path, "holds no pixels: its shape is " + autograd::to_string(shape));
    }
    if (shape[1] > largest_image_side || shape[2] > largest_image_side) {
        throw FileError(path, fmt::format("images of {} x {} pixels: more than {} x {} are not supported; make them smaller",
                                          shape[1], shape[2], largest_image_side, largest_image_side));
    }
}

template <class T>
float grey(T value) {
    if constexpr (std::is_same_v<T, std::uint8_t>) {
        return static_cast<float>(value) / 255.0F;
    } else {
        return static_cast<float>(value);
    }
}

template <class T>
void require_grey(const fs::path& path, const Array<T>& pixels) {
    const auto bad =
        std::find_if(pixels.data(), pixels.data() + pixels.size(), [](T value) { return !(value >= 0 && value <= 1); });
    if (bad == pixels.data() + pixels.size()) return;
    const auto index = static_cast<std::size_t>(bad - pixels.data());
    throw FileError(path, fmt::format("image {} has a pixel of {}: floats must be from 0 to 1, and bytes from 0 to 255",
                                      index / (pixels.size() / pixels.shape()[0]), *bad));
}

template <class T>
ImageData pictures_of(const fs::path& path, const Array<T>& pixels, bool transposed) {
    require_image_shape(path, pixels.shape());
    if constexpr (std::is_floating_point_v<T>) require_grey(path, pixels);
    const std::size_t count = pixels.shape()[0], stored_rows = pixels.shape()[1], stored_columns = pixels.shape()[2];
    ImageData data{.images = autograd::empty<float>({count, stored_rows * stored_columns}),
                   .labels = {},
                   .rows = transposed ? stored_columns : stored_rows,
                   .columns = transposed ? stored_rows : stored_columns};
    float* out = data.images.data();
    if (!transposed) std::transform(pixels.data(), pixels.data() + pixels.size(), out, grey<T>);
    for (std::size_t i = 0; transposed && i < count; ++i) {
        const T* image = pixels.data() + i * stored_rows * stored_columns;
        for (std::size_t column = 0; column < stored_columns; ++column) {
            for (std::size_t row = 0; row < stored_rows; ++row) *out++ = grey(image[row * stored_columns + column]);
        }
    }
    return data;
}

template <class T>
void set_labels(ImageData& data, const fs::path& path, const Array<T>& labels, const fs::path& images_path) {
    if (labels.dimension() != 1) {
        throw FileError(path,
                        fmt::format("expected labels of shape (count,), found shape {}", autograd::to_string(labels.shape())));
    }
    if (labels.size() != data.images.shape()[0]) {
        throw FileError(path, fmt::format("expected {} labels, one for each image of {}, found {}", data.images.shape()[0],
                                          printable(images_path.filename().native()), labels.size()));
    }
    for (const T label : labels) {
        if (static_cast<std::int64_t>(label) < 0 ||
            static_cast<std::int64_t>(label) >= static_cast<std::int64_t>(most_classes)) {
            throw FileError(path, fmt::format("has the label {}: labels must be from 0 to {}", label, most_classes - 1));
        }
        data.labels.push_back(static_cast<int>(label));
    }
    data.classes = static_cast<std::size_t>(*std::max_element(data.labels.begin(), data.labels.end())) + 1;
}

ImageData load_idx(const fs::path& directory, const std::string& prefix, Split split) {
    const auto names = [&](std::string_view suffix) {
        std::vector<std::string> result;
        for (const std::string& name : split_names(split)) {
            result.push_back(fmt::format("{}{}{}{}", prefix, prefix.empty() ? "" : "-", name, suffix));
        }
        return result;
    };
    const fs::path images_path = find_or_refuse(directory, names(images_suffix));
    const fs::path labels_path = find_or_refuse(directory, names(labels_suffix));
    ImageData data = pictures_of(images_path, read_idx(images_path), prefix.starts_with("emnist"));
    set_labels(data, labels_path, read_idx(labels_path), images_path);
    return data;
}

ImageData load_npy(const fs::path& directory, Split split) {
    const std::string name = split == Split::train ? "train" : "test";
    const fs::path images_path = directory / (name + "-images.npy"), labels_path = directory / (name + "-labels.npy");
    ImageData data = std::visit(
        [&]<class T>(const Array<T>& pixels) -> ImageData {
            if constexpr (std::is_same_v<T, std::int64_t>) {
                throw FileError(images_path, "expected images of bytes or floats, found 64-bit integers");
            } else {
                return pictures_of(images_path, pixels, false);
            }
        },
        read_npy(images_path));
    if (!is_there(labels_path)) return data;
    std::visit(
        [&]<class T>(const Array<T>& labels) {
            if constexpr (std::is_floating_point_v<T>) {
                throw FileError(labels_path, "expected labels of bytes or 64-bit integers, found floats");
            } else {
                set_labels(data, labels_path, labels, images_path);
            }
        },
        read_npy(labels_path));
    return data;
}

}  // namespace

ImageData load_images(const fs::path& location, Split split) {
    const fs::path parent = location.has_parent_path() ? location.parent_path() : fs::path(".");
    if (!names_directory(location)) {
        const std::string prefix = location.filename().string();
        if (names_directory(parent) && prefixes_in(parent, split).contains(prefix)) return load_idx(parent, prefix, split);
        throw FileError(location,
                        fmt::format("no such directory: looked in it for {0}{1} or {0}{1}.gz, or {2}-images.npy",
                                    split_names(split).front(), images_suffix, split == Split::train ? "train" : "test"));
    }
    if (is_there(location / "train-images.npy") || is_there(location / "test-images.npy")) return load_npy(location, split);
    for (const std::string& name : split_names(split)) {
        if (find(location, {name + std::string(images_suffix)})) return load_idx(location, "", split);
    }
    const auto prefixes = prefixes_in(location, split);
    if (prefixes.empty()) return load_idx(location, "", split);
    if (prefixes.size() > 1) {
        throw FileError(location, fmt::format("holds several data sets, {}: name one as {}",
                                              printable(fmt::to_string(fmt::join(prefixes, ", "))),
                                              printable((location / *prefixes.begin()).native())));
    }
    return load_idx(location, *prefixes.begin(), split);
}

}  // namespace nn
