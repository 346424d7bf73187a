// IDX files: small ones made by hand, broken in every way, and the real Fashion-MNIST where it is installed.
#include <nn/idx.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "catch.hpp"
#include "files.hpp"

namespace {

const std::string images_name = "train-images-idx3-ubyte";
const std::string labels_name = "train-labels-idx1-ubyte";

// Two images of 2 x 3 pixels.
std::string small_images() {
    return bytes({0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, 0, 51, 102, 153, 204, 255, 1, 2, 3, 4, 5, 6});
}

std::string small_labels() { return bytes({0, 0, 8, 1, 0, 0, 0, 2, 9, 0}); }

}  // namespace

TEST_CASE("an IDX file, raw or gzipped", "[idx]") {
    const TemporaryDirectory directory;
    const auto path = directory / "file";
    const auto write = GENERATE(write_text, write_gzip);
    write(path, small_images());
    const auto array = nn::read_idx(path);
    CHECK(array.shape() == autograd::Shape({2, 2, 3}));
    CHECK(array(0, 0, 1) == 51);
    CHECK(array(0, 1, 2) == 255);
    CHECK(array(1, 1, 2) == 6);

    write(path, bytes({0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0, 3}));
    CHECK(nn::read_idx(path).shape() == autograd::Shape({0, 3}));
    write(path, bytes({0, 0, 8, 0, 7}));
    CHECK(nn::read_idx(path)() == 7);
}

TEST_CASE("an IDX file which lies", "[idx]") {
    const TemporaryDirectory directory;
    const auto path = directory / "file";
    const auto message = [&](const std::string& text) {
        write_text(path, text);
        const std::string raw = file_error([&] { nn::read_idx(path); });
        write_gzip(path, text);
        CHECK(file_error([&] { nn::read_idx(path); }) == raw);
        return raw;
    };
    const std::string start = path.string() + ": ";
    CHECK(message("") == start + "truncated IDX header: expected 4 more bytes, found 0");
    CHECK(message(bytes({0, 0, 8, 3, 0, 0})) == start + "truncated IDX header: expected 12 more bytes, found 2");
    CHECK(message("PNG?") == start + "is not an IDX file: expected two zero bytes at its start, found 0x50 0x4e");
    CHECK(message(bytes({0, 0, 13, 1, 0, 0, 0, 0})) ==
          start + "IDX element type 0x0d: only 0x08, unsigned bytes, can be read");
    CHECK(message(bytes({0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3})) ==
          start + "the IDX header says (2, 2), that is 4 bytes; found 3");
    CHECK(message(bytes({0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5})) ==
          start + "the IDX header says (2, 2), that is 4 bytes; found more");
    CHECK(message(bytes({0, 0, 8, 1, 0x7f, 255, 255, 255, 1})) ==
          start + "the IDX header says (2147483647), that is 2147483647 bytes; found 1");
    CHECK(message(bytes({0, 0, 8, 1, 255, 255, 255, 255, 1})) ==
          start + "the IDX header says (4294967295), which is above the limit of 2147483648 bytes");
    CHECK(message(bytes({0, 0, 8, 2, 128, 0, 0, 0, 128, 0, 0, 0})) ==
          start + "the IDX header says (2147483648, 2147483648), which is above the limit of 2147483648 bytes");
    CHECK(message(bytes({0, 0, 8, 3, 0, 0, 0, 0, 128, 0, 0, 0, 128, 0, 0, 0})) ==
          start + "the IDX header says (0, 2147483648, 2147483648), which is above the limit of 2147483648 bytes");
    // 2^64 elements
    CHECK(message(bytes({0, 0, 8, 4, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0})) ==
          start + "the IDX header says (65536, 65536, 65536, 65536), which is above the limit of 2147483648 bytes");
}

TEST_CASE("the limit of an IDX file is exact", "[idx]") {
    const TemporaryDirectory directory;
    write_text(directory / "file", small_images());
    CHECK(nn::read_idx(directory / "file", 12).size() == 12);
    CHECK_FALSE(file_error([&] { nn::read_idx(directory / "file", 11); }).empty());
}

TEST_CASE("a damaged IDX file", "[idx]") {
    const TemporaryDirectory directory;
    const auto path = directory / "file";
    const auto read = [&] { nn::read_idx(path); };
    write_text(path, small_images());
    CHECK(read_truncated(path, read).accepted == 0);
    auto verdicts = read_corrupted(path, read);
    CHECK(verdicts.refused == 9 * 16);   // no bit of the header may change
    CHECK(verdicts.accepted == 9 * 12);  // any pixel may

    write_gzip(path, small_images());
    CHECK(read_truncated(path, read).accepted == 0);
    verdicts = read_corrupted(path, read);
    CHECK(verdicts.accepted < 9 * 8);  // time, system and hints in gzip's header, 6 bytes, mean nothing to the data
}

TEST_CASE("images and labels of a directory", "[idx]") {
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
}

TEST_CASE("a directory without images says what was looked for", "[idx]") {
    const TemporaryDirectory directory;
    const auto message = [&] { return file_error([&] { nn::load_images(directory.path(), nn::Split::train); }); };
    const std::string here = directory.path().string();
    CHECK(message() ==
          here + ": expected a file " + images_name + " or " + images_name + ".gz in this directory, found neither");
    write_text(directory / images_name, small_images());
    CHECK(message() ==
          here + ": expected a file " + labels_name + " or " + labels_name + ".gz in this directory, found neither");
    const std::string labels_start = (directory / labels_name).string() + ": ";
    write_text(directory / labels_name, small_images());
    CHECK(message() == labels_start + "expected labels of shape (count,), found shape (2, 2, 3)");
    write_text(directory / labels_name, bytes({0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3}));
    CHECK(message() == labels_start + "expected 2 labels, one for each image of " + images_name + ", found 3");
    write_text(directory / labels_name, small_labels());
    CHECK(message().empty());

    const std::string images_start = (directory / images_name).string() + ": ";
    write_text(directory / images_name, small_labels());
    CHECK(message() == images_start + "expected images of shape (count, rows, columns), found shape (2,)");
    write_text(directory / images_name, bytes({0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3}));
    CHECK(message() == images_start + "holds no pixels: its shape is (2, 0, 3)");

    const auto nowhere = directory / "nowhere";
    CHECK(file_error([&] { nn::load_images(nowhere, nn::Split::train); }) ==
          nowhere.string() + ": no such directory: looked in it for " + images_name + " or " + images_name + ".gz");
}

#ifdef XTAPE_FASHION_MNIST_DIR
TEST_CASE("Fashion-MNIST as it is installed", "[idx][data]") {
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
