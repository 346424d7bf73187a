// Data sets of grey pictures out of a directory: MNIST and its relatives as they are published, or NumPy arrays. The
// file formats themselves are read by idx.hpp and npy.hpp.
#pragma once

#include <autograd/autograd.hpp>

#include <cstddef>
#include <filesystem>
#include <vector>

namespace XTAPE_API nn {

/// Rows and columns that a picture of a data set may have at most.
inline constexpr std::size_t largest_image_side = 128;
/// Classes that a data set may have at most: labels are below this.
inline constexpr std::size_t most_classes = 10000;

/// Grey pictures and the class of each.
struct ImageData {
    autograd::Array<float> images;  ///< (count, rows * columns), black is 0 and full intensity 1
    std::vector<int> labels;        ///< count of them, 0 or more each; none where the set has no labels
    std::size_t rows = 0;           ///< of each picture
    std::size_t columns = 0;        ///< of each picture
    std::size_t classes = 0;        ///< the largest label and one; 0 without labels
};

/// Which half of a data set.
enum class Split { train, test };

/// Reads the pictures and labels of one half of a data set, which `location` names:
///
/// - a directory with `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, and for the test split the same names
/// with
///   `t10k` or `test` in place of `train`, each of them raw or with `.gz`: MNIST, Fashion-MNIST, KMNIST;
/// - a directory with files of these names behind a prefix, as EMNIST's are (`emnist-balanced-train-images-idx3-ubyte`,
///   `emnist-balanced-test-...`), if there is only one prefix; else the directory and the prefix,
///   DIRECTORY/emnist-balanced. EMNIST's pictures are stored transposed; those whose prefix begins with `emnist` are
///   turned upright;
/// - a directory with `train-images.npy` and `test-images.npy`, (count, rows, columns), bytes or floats from 0 to 1,
/// and
///   possibly `train-labels.npy` and `test-labels.npy`, (count,), bytes or 64-bit integers.
///
/// Where a directory has both kinds, the .npy files count.
/// @throws FileError if a file is missing, is not as it should be, is empty, has pictures of more than 128 x 128 pixels
/// or a pixel or label out of range, or if the numbers of pictures and labels differ.
[[nodiscard]] ImageData load_images(const std::filesystem::path& location, Split split);

}  // namespace nn
