// Reading and writing of bytes: what is there, what is not, and that a failure leaves nothing behind.
#include <nn/file.hpp>

#include <sys/resource.h>

#include <csignal>
#include <limits>
#include <span>
#include <string>

#include "catch.hpp"
#include "files.hpp"

namespace {

std::span<const std::byte> as_bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string as_text(const std::vector<std::byte>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string read_all(const std::filesystem::path& path) {
    return as_text(nn::InputFile(path).read(std::numeric_limits<std::size_t>::max()));
}

std::string long_text() {
    std::string text;
    for (int i = 0; i < 100000; ++i) text += std::to_string(i * 7919 % 100003);
    return text;
}

/// While it lives, no file of this process may grow beyond so many bytes: a disk that is full.
class FileSizeLimit {
   public:
    explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

   private:
    rlimit before_{};
    void (*handler_)(int);
};

}  // namespace

TEST_CASE("a file is read as it is", "[file]") {
    const TemporaryDirectory directory;
    const std::string text = GENERATE(std::string(), std::string("a"), std::string(65536, 'x'), long_text());
    const auto path = directory / "file";
    write_text(path, text);
    CHECK(as_text(nn::read_file(path)) == text);
    CHECK(read_all(path) == text);
    write_gzip(path, text);
    CHECK(read_all(path) == text);
    CHECK(as_text(nn::read_file(path)) == read_text(path));
}

TEST_CASE("an InputFile is read in parts", "[file]") {
    const TemporaryDirectory directory;
    const auto path = directory / "file";
    write_gzip(path, "abcdef");
    nn::InputFile file(path);
    CHECK(as_text(file.read(0)).empty());
    CHECK(as_text(file.read(4)) == "abcd");
    CHECK(as_text(file.read(4)) == "ef");
    CHECK(as_text(file.read(4)).empty());
}

TEST_CASE("what cannot be read is named", "[file]") {
    const TemporaryDirectory directory;
    const auto missing = directory / "missing";
    const auto device = std::filesystem::path("/dev/zero");
    write_text(directory / "file", "text");
    for (const auto& path : {missing, directory / "file/below"}) {
        CHECK(file_error([&] { nn::read_file(path); }) == path.string() + ": no such file");
        CHECK(file_error([&] { nn::InputFile{path}; }) == path.string() + ": no such file");
    }
    CHECK(file_error([&] { nn::read_file(directory.path()); }) ==
          directory.path().string() + ": is a directory, expected a file");
    CHECK(file_error([&] { nn::InputFile{directory.path()}; }) ==
          directory.path().string() + ": is a directory, expected a file");
    CHECK(file_error([&] { nn::read_file(device); }) == "/dev/zero: is not a regular file");
}

TEST_CASE("damaged gzip data is refused", "[file]") {
    const TemporaryDirectory directory;
    const auto path = directory / "file.gz";
    const std::string text = "a text of some length, of some length, of some length";
    write_gzip(path, text);
    const std::size_t size = read_text(path).size();

    SECTION("truncated") {
        // With no byte left, or one, nothing says that it was gzip: those two are read as they are.
        const auto verdicts = read_truncated(path, [&] { read_all(path); });
        CHECK(verdicts.accepted == 2);
        CHECK(verdicts.refused == size - 2);
        write_text(path, read_text(path).substr(0, size - 1));
        CHECK(file_error([&] { read_all(path); }) == path.string() + ": the gzip data is truncated");
    }
    SECTION("a wrong checksum or length") {
        for (std::size_t i = size - 8; i < size; ++i) {
            std::string bad = read_text(path);
            bad[i] = static_cast<char>(bad[i] ^ 1);
            write_text(path, bad);
            CHECK(file_error([&] { read_all(path); }) == path.string() + ": the gzip data is corrupt");
            write_gzip(path, text);
        }
    }
    SECTION("any byte") {
        // What is still accepted is the same text (time and system in the header mean nothing), or not gzip any more.
        const auto verdicts = read_corrupted(path, [&] {
            const std::string result = read_all(path);
            const bool still_gzip = read_text(path).substr(0, 2) == "\x1f\x8b";
            CHECK((result == text || !still_gzip));
        });
        CHECK(verdicts.refused > 9 * (size - 12));
    }
}

TEST_CASE("no more is unpacked than was asked for", "[file]") {
    const TemporaryDirectory directory;
    const auto path = directory / "bomb.gz";
    write_gzip(path, std::string(std::size_t{1} << 26, '\0'));
    CHECK(nn::InputFile(path).read(1000).size() == 1000);
}

TEST_CASE("writing replaces a file as a whole", "[file]") {
    const TemporaryDirectory directory;
    const auto path = directory / "file";
    for (const std::string& text : {std::string("first"), std::string(), long_text()}) {
        nn::write_file_atomically(path, as_bytes(text));
        CHECK(read_text(path) == text);
        CHECK(directory.entries() == 1);
    }
    SECTION("a link stays a link") {
        std::filesystem::create_symlink("file", directory / "link");
        nn::write_file_atomically(directory / "link", as_bytes("new"));
        CHECK(std::filesystem::is_symlink(directory / "link"));
        CHECK(read_text(path) == "new");
    }
    SECTION("a temporary file of somebody else stays") {
        write_text(directory / "file.partial0", "theirs");
        nn::write_file_atomically(path, as_bytes("ours"));
        CHECK(read_text(path) == "ours");
        CHECK(read_text(directory / "file.partial0") == "theirs");
        CHECK(directory.entries() == 2);
    }
}

TEST_CASE("a failed write leaves what was there", "[file]") {
    const TemporaryDirectory directory;
    write_text(directory / "file", "old");
    const auto write = [](const std::filesystem::path& path) {
        return file_error([&] { nn::write_file_atomically(path, as_bytes(long_text())); });
    };

    SECTION("no such directory") {
        const auto path = directory / "missing/file";
        CHECK(write(path) == path.string() + ": cannot be written: No such file or directory");
    }
    SECTION("the directory is a file") {
        const auto path = directory / "file/below";
        CHECK(write(path) == path.string() + ": cannot be written: Not a directory");
    }
    SECTION("the name is a directory") {
        CHECK(write(directory.path()) == directory.path().string() + ": cannot be written: is a directory");
    }
    SECTION("a device") {
        CHECK(write("/dev/full") == "/dev/full: cannot be written: is not a regular file");
        CHECK_FALSE(std::filesystem::exists("/dev/full.partial0"));
    }
    SECTION("no space") {
        for (const auto& path : {directory / "file", directory / "new"}) {
            std::string message;
            {
                const FileSizeLimit limit(10000);
                message = write(path);
            }
            CHECK(message == path.string() + ": cannot be written: File too large");
        }
    }
    CHECK(read_text(directory / "file") == "old");
    CHECK(directory.entries() == 1);
}

TEST_CASE("an element count does not overflow", "[file]") {
    constexpr std::uint64_t big = std::uint64_t{1} << 63;
    const auto count = [](std::vector<std::uint64_t> extents, std::size_t limit) {
        return nn::element_count_within(extents, limit);
    };
    CHECK(count({}, 1) == 1U);
    CHECK_FALSE(count({}, 0));
    CHECK(count({3, 4}, 12) == 12U);
    CHECK_FALSE(count({3, 4}, 11));
    CHECK(count({3, 0, 4}, 12) == 0U);
    CHECK_FALSE(count({3, 0, 5}, 12));
    CHECK_FALSE(count({big, 2}, std::numeric_limits<std::size_t>::max()));
    CHECK_FALSE(count({0, big, 2}, std::numeric_limits<std::size_t>::max()));
    CHECK(count({big}, big) == big);
}
