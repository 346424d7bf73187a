// IDX files: small ones made by hand, and broken in every way.
#include <nn/data/idx.hpp>

#include <string>

#include "tests/catch.hpp"
#include "tests/files.hpp"

namespace {

// Two images of 2 x 3 pixels.
std::string small_images() {
    return bytes({0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, 0, 51, 102, 153, 204, 255, 1, 2, 3, 4, 5, 6});
}

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
    CHECK(message(bytes({0, 0, 13, 1, 0, 0, 0, 0})) == start + "IDX element type 0x0d: only 0x08, unsigned bytes, can be read");
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
