// Data sets out of directories: small ones made by hand under each of the names and formats, damaged ones, and the real
// Fashion-MNIST where it is installed.
#include <nn/data/image_data.hpp>
#include <nn/data/npy.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "tests/catch.hpp"
#include "tests/files.hpp"

namespace {

using autograd::Array;

const std::string images_name = "train-images-idx3-ubyte";
const std::string labels_name = "train-labels-idx1-ubyte";

// Two images of 2 x 3 pixels.
std::string small_images() {
    return bytes({0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, 0, 51, 102, 153, 204, 255, 1, 2, 3, 4, 5, 6});
}

std::string small_labels() { return bytes({0, 0, 8, 1, 0, 0, 0, 2, 9, 0}); }

/// Both files of a split, raw.
void write_set(const TemporaryDirectory& directory, const std::string& name) {
    write_text(directory / (name + "-images-idx3-ubyte"), small_images());
    write_text(directory / (name + "-labels-idx1-ubyte"), small_labels());
}

std::string message(const std::filesystem::path& location, nn::Split split = nn::Split::train) {
    return file_error([&] { nn::load_images(location, split); });
}

}  // namespace

TEST_CASE("images and labels of a directory", "[image_data]") {
    const TemporaryDirectory directory;
    const auto split = GENERATE(nn::Split::train, nn::Split::test);
    const std::string prefix = split == nn::Split::train ? "train" : "t10k";
    write_gzip(directory / (prefix + "-images-idx3-ubyte.gz"), small_images());
    write_text(directory / (prefix + "-labels-idx1-ubyte"), small_labels());
    const nn::ImageData data = nn::load_images(directory.path(), split);
    CHECK(data.rows == 2);
    CHECK(data.columns == 3);
    CHECK(data.labels == std::vector<int>{9, 0});
    CHECK(data.images.shape() == autograd::Shape({2, 6}));
    CHECK(data.images(0, 0) == 0.0F);
    CHECK(data.images(0, 1) == 0.2F);
    CHECK(data.images(0, 5) == 1.0F);
    CHECK(data.images(1, 5) == 6.0F / 255.0F);
    CHECK(data.classes == 10);
}

TEST_CASE("a directory without images says what was looked for", "[image_data]") {
    const TemporaryDirectory directory;
    const auto refusal = [&] { return message(directory.path()); };
    const std::string here = directory.path().string();
    CHECK(refusal() ==
          here + ": expected a file " + images_name + " or " + images_name + ".gz in this directory, found neither");
    write_text(directory / images_name, small_images());
    CHECK(refusal() ==
          here + ": expected a file " + labels_name + " or " + labels_name + ".gz in this directory, found neither");
    const std::string labels_start = (directory / labels_name).string() + ": ";
    write_text(directory / labels_name, small_images());
    CHECK(refusal() == labels_start + "expected labels of shape (count,), found shape (2, 2, 3)");
    write_text(directory / labels_name, bytes({0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3}));
    CHECK(refusal() == labels_start + "expected 2 labels, one for each image of " + images_name + ", found 3");
    write_text(directory / labels_name, small_labels());
    CHECK(refusal().empty());

    const std::string images_start = (directory / images_name).string() + ": ";
    write_text(directory / images_name, small_labels());
    CHECK(refusal() == images_start + "expected images of shape (count, rows, columns), found shape (2,)");
    write_text(directory / images_name, bytes({0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3}));
    CHECK(refusal() == images_start + "holds no pixels: its shape is (2, 0, 3)");

    const auto nowhere = directory / "nowhere";
    CHECK(file_error([&] { nn::load_images(nowhere, nn::Split::train); }) ==
          nowhere.string() + ": no such directory: looked in it for " + images_name + " or " + images_name +
              ".gz, or train-images.npy");
}

TEST_CASE("a directory that may not be read is not said to hold nothing", "[image_data]") {
    const TemporaryDirectory directory;
    write_set(directory, "kana-train");
    const auto as_other = [&](unsigned mode, const std::filesystem::path& location) {
        chmod(directory.path().c_str(), mode);
        const std::string result = as_nobody([&] { return message(location); });
        chmod(directory.path().c_str(), 0700);
        return result;
    };
    const std::string here = directory.path().string();
    CHECK(as_other(0000, directory.path()) == here + "/train-images.npy: cannot be looked for: Permission denied");
    CHECK(as_other(0444, directory.path()) == here + "/train-images.npy: cannot be looked for: Permission denied");
    CHECK(as_other(0111, directory.path()) == here + ": cannot list this directory: Permission denied");
    CHECK(as_other(0111, directory / "kana") == here + ": cannot list this directory: Permission denied");
    CHECK(as_other(0000, directory / "kana") == here + "/kana: cannot be looked for: Permission denied");
    CHECK(as_other(0555, directory / "kana").empty());
    write_set(directory, "train");
    CHECK(as_other(0111, directory.path()).empty());
    chmod((directory / images_name).c_str(), 0);
    CHECK(as_other(0555, directory.path()) == (directory / images_name).string() + ": cannot be opened: Permission denied");
}

TEST_CASE("names that are not UTF-8 are shown all the same", "[image_data]") {
    const TemporaryDirectory directory;
    for (const char* prefix : {"\xff-train", "\xfe-train"}) write_set(directory, prefix);
    CHECK_THAT(message(directory.path()),
               contains("holds several data sets, \\xfe, \\xff: name one as " + directory.path().string() + "/\\xfe"));
    std::filesystem::remove(directory / "\xff-train-labels-idx1-ubyte");
    CHECK_THAT(message(directory / "\xff"), contains("expected a file \\xff-train-labels-idx1-ubyte or"));
}

TEST_CASE("names with a prefix, and test in place of t10k, as EMNIST has them", "[image_data]") {
    const TemporaryDirectory directory;
    write_set(directory, "kana-train");
    write_set(directory, "kana-test");
    CHECK(nn::load_images(directory.path(), nn::Split::train).images(0, 1) == 0.2F);
    CHECK(nn::load_images(directory.path(), nn::Split::test).images(0, 1) == 0.2F);
    CHECK(nn::load_images(directory / "kana", nn::Split::test).columns == 3);

    write_set(directory, "emnist-balanced-train");
    CHECK(message(directory.path()) == directory.path().string() +
                                           ": holds several data sets, emnist-balanced, kana: name one as " +
                                           (directory / "emnist-balanced").string());
    // Stored by columns: 3 rows of 2 pixels come out of 2 rows of 3.
    const nn::ImageData upright = nn::load_images(directory / "emnist-balanced", nn::Split::train);
    CHECK(upright.rows == 3);
    CHECK(upright.columns == 2);
    const int expected[] = {0, 153, 51, 204, 102, 255, 1, 4, 2, 5, 3, 6};
    for (std::size_t i = 0; i < 12; ++i) CHECK(upright.images.data()[i] == static_cast<float>(expected[i]) / 255.0F);
    CHECK_THAT(message(directory / "emnist-letters"), contains("no such directory"));

    // Files without a prefix come before those with one.
    write_set(directory, "train");
    CHECK(nn::load_images(directory.path(), nn::Split::train).rows == 2);
}

TEST_CASE("images and labels in NumPy arrays", "[image_data]") {
    const TemporaryDirectory directory;
    nn::write_npy(directory / "train-images.npy", Array<std::uint8_t>{{{0, 51}, {102, 255}}, {{1, 2}, {3, 4}}});
    nn::write_npy(directory / "test-images.npy", Array<double>{{{0.0, 0.25, 1.0}}});
    nn::ImageData data = nn::load_images(directory.path(), nn::Split::train);
    CHECK((data.images == Array<float>{{0.0F, 0.2F, 102.0F / 255.0F, 1.0F}, {1 / 255.0F, 2 / 255.0F, 3 / 255.0F, 4 / 255.0F}}));
    CHECK(data.rows == 2);
    CHECK(data.columns == 2);
    CHECK(data.labels.empty());
    CHECK(data.classes == 0);
    data = nn::load_images(directory.path(), nn::Split::test);
    CHECK((data.images == Array<float>{{0.0F, 0.25F, 1.0F}}));
    CHECK(data.columns == 3);
    nn::write_npy(directory / "train-labels.npy", Array<std::int64_t>{61, 300});
    data = nn::load_images(directory.path(), nn::Split::train);
    CHECK(data.labels == std::vector<int>{61, 300});
    CHECK(data.classes == 301);
    nn::write_npy(directory / "train-labels.npy", Array<std::uint8_t>{4, 0});
    CHECK(nn::load_images(directory.path(), nn::Split::train).classes == 5);
}

TEST_CASE("NumPy arrays that are no data set are refused", "[image_data]") {
    const TemporaryDirectory directory;
    const auto images = directory / "train-images.npy", labels = directory / "train-labels.npy";
    const auto refused = [&](const std::filesystem::path& path, const nn::Tensor& tensor, const std::string& expected) {
        const std::string before = std::filesystem::exists(path) ? read_text(path) : "";
        nn::write_npy(path, tensor);
        CHECK(message(directory.path()) == path.string() + ": " + expected);
        if (!before.empty()) write_text(path, before);
    };
    nn::write_npy(images, autograd::full<std::uint8_t>({2, 3, 3}, 7));
    CHECK(message(directory.path()).empty());
    CHECK(message(directory.path(), nn::Split::test) == (directory / "test-images.npy").string() + ": no such file");
    refused(images, autograd::full<std::int64_t>({1, 1, 1}, 1), "expected images of bytes or floats, found 64-bit integers");
    refused(images, autograd::full<float>({1, 1}, 0.5F), "expected images of shape (count, rows, columns), found shape (1, 1)");
    refused(images, autograd::empty<float>({0, 2, 2}), "holds no pixels: its shape is (0, 2, 2)");
    const std::string range = ": floats must be from 0 to 1, and bytes from 0 to 255";
    refused(images, Array<float>{{{0.5F, 0}}, {{1.5F, 0}}}, "image 1 has a pixel of 1.5" + range);
    refused(images, autograd::full<float>({1, 1, 1}, -0.5F), "image 0 has a pixel of -0.5" + range);
    refused(images, autograd::full<double>({1, 1, 1}, std::numeric_limits<double>::quiet_NaN()),
            "image 0 has a pixel of nan" + range);
    refused(labels, Array<float>{1, 2}, "expected labels of bytes or 64-bit integers, found floats");
    refused(labels, Array<std::uint8_t>{1}, "expected 2 labels, one for each image of train-images.npy, found 1");
    refused(labels, Array<std::uint8_t>{{1, 2}}, "expected labels of shape (count,), found shape (1, 2)");
    refused(labels, Array<std::int64_t>{0, -1}, "has the label -1: labels must be from 0 to 9999");
    refused(labels, Array<std::int64_t>{10000, 1}, "has the label 10000: labels must be from 0 to 9999");
    refused(labels, Array<std::int64_t>{std::numeric_limits<std::int64_t>::max(), 1},
            "has the label 9223372036854775807: labels must be from 0 to 9999");
}

TEST_CASE("images of up to 128 by 128 pixels", "[image_data]") {
    const TemporaryDirectory directory;
    const auto path = directory / "train-images.npy";
    nn::write_npy(path, autograd::full<std::uint8_t>({2, 128, 128}, 7));
    CHECK(nn::load_images(directory.path(), nn::Split::train).images.shape() == autograd::Shape({2, 16384}));
    nn::write_npy(path, autograd::full<std::uint8_t>({2, 1, 129}, 7));
    CHECK(message(directory.path()) ==
          path.string() + ": images of 1 x 129 pixels: more than 128 x 128 are not supported; make them smaller");
    const TemporaryDirectory other;
    write_text(other / images_name, bytes({0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 129, 0, 0, 0, 1}) + std::string(129, 'x'));
    write_text(other / labels_name, bytes({0, 0, 8, 1, 0, 0, 0, 1, 0}));
    CHECK_THAT(message(other.path()), contains("images of 129 x 1 pixels"));
}

#ifdef XTAPE_FASHION_MNIST_DIR
TEST_CASE("Fashion-MNIST as it is installed", "[image_data][data]") {
    const auto [split, count] = GENERATE(std::pair{nn::Split::train, 60000}, std::pair{nn::Split::test, 10000});
    const nn::ImageData data = nn::load_images(XTAPE_FASHION_MNIST_DIR, split);
    CHECK(data.rows == 28);
    CHECK(data.columns == 28);
    CHECK(data.images.shape() == autograd::Shape({static_cast<std::size_t>(count), 784}));
    for (int label = 0; label < 10; ++label) {
        CHECK(std::count(data.labels.begin(), data.labels.end(), label) == count / 10);
    }
    if (split == nn::Split::test) {
        // The entropy of the pixels, taken as probabilities: what no model's cross entropy goes below.
        double entropy = 0;
        for (std::size_t i = 0; i < data.images.size(); ++i) {
            const double x = data.images.data()[i];
            if (x > 0 && x < 1) entropy -= x * std::log(x) + (1 - x) * std::log1p(-x);
        }
        CHECK(std::abs(entropy / count - 189.86) < 0.005);  // known to two digits after the point
    }
}
#endif
