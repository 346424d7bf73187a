// Reading and writing of bytes: what is there, what is not, and that a failure leaves nothing behind.
#include <nn/data/file.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <limits>
#include <span>
#include <string>

#include "tests/catch.hpp"
#include "tests/files.hpp"

namespace {

std::span<const std::byte> as_bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string as_text(const std::vector<std::byte>& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

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
    const std::filesystem::path cut(directory.path().string() + "/file" + std::string(1, '\0') + "b");
    CHECK_THAT(file_error([&] { nn::read_file(cut); }), contains("zero byte in its name"));
    CHECK_THAT(file_error([&] { nn::write_file_atomically(cut, {}); }), contains("zero byte in its name"));
    CHECK(read_text(directory / "file") == "text");
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
    SECTION("a link to where nothing is yet, and a link to a link, stay links") {
        std::filesystem::create_symlink("below/../new", directory / "link");
        std::filesystem::create_directory(directory / "below");
        std::filesystem::create_symlink(directory / "link", directory / "second");
        nn::write_file_atomically(directory / "second", as_bytes("new"));
        CHECK(std::filesystem::is_symlink(directory / "link"));
        CHECK(std::filesystem::is_symlink(directory / "second"));
        CHECK(read_text(directory / "new") == "new");
        std::filesystem::create_symlink("circle", directory / "circle");
        CHECK_THAT(file_error([&] { nn::write_file_atomically(directory / "circle", as_bytes("new")); }),
                   contains("Too many levels of symbolic links"));
    }
    SECTION("permissions stay, and new files have those of the umask") {
        using std::filesystem::perms;
        const auto permissions = [](const std::filesystem::path& of) { return std::filesystem::status(of).permissions(); };
        const mode_t before = umask(026);
        nn::write_file_atomically(directory / "new", as_bytes("new"));
        for (const unsigned mode : {0600U, 0640U, 0666U, 0755U, 0200U}) {
            chmod(path.c_str(), mode);
            nn::write_file_atomically(path, as_bytes("changed"));
            CHECK(permissions(path) == static_cast<perms>(mode));
        }
        umask(before);
        CHECK(permissions(directory / "new") == static_cast<perms>(0640));
    }
    SECTION("the owner stays, where one may give files away") {
        if (geteuid() == 0) {
            REQUIRE(chown(path.c_str(), 1234, 5678) == 0);
            nn::write_file_atomically(path, as_bytes("changed"));
            struct stat status {};
            REQUIRE(stat(path.c_str(), &status) == 0);
            CHECK(status.st_uid == 1234);
            CHECK(status.st_gid == 5678);
        }
    }
    SECTION("a name as long as names can be") {
        const auto longest = directory / std::string(255, 'x');
        for (int i = 0; i < 2; ++i) nn::write_file_atomically(longest, as_bytes("new"));
        CHECK(read_text(longest) == "new");
        CHECK(directory.entries() == 2);
    }
    SECTION("what killed programs have left is removed, what a living one writes is not") {
        for (int i = 0; i < 150; ++i) write_text(directory / ("file.partial-" + std::to_string(10000000 + i)), "half");
        const auto theirs = directory / "file.partial-0123abcd";
        write_text(theirs, "theirs");
        const int lock = open(theirs.c_str(), O_WRONLY);
        REQUIRE(flock(lock, LOCK_EX) == 0);
        for (const char* other : {"file.partial-0123abcg", "file.partial-0123abcde", "other.partial-0123abcd", "file.partial"})
            write_text(directory / other, "of something else");
        nn::write_file_atomically(path, as_bytes("ours"));
        CHECK(directory.entries() == 6);
        CHECK(read_text(theirs) == "theirs");
        close(lock);
        nn::remove_leftovers(path);
        CHECK(directory.entries() == 5);
        CHECK(read_text(path) == "ours");
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
    SECTION("a write-protected file") {
        chmod(directory.path().c_str(), 0777);
        chmod((directory / "file").c_str(), 0444);
        const auto message = as_nobody([&] { return write(directory / "file"); });
        CHECK(message == (directory / "file").string() + ": cannot be written: Permission denied");
    }
    SECTION("a directory without permission to write") {
        chmod(directory.path().c_str(), 0555);
        for (const char* name : {"file", "new"}) {
            const auto message = as_nobody([&] { return write(directory / name); });
            CHECK(message == (directory / name).string() + ": cannot be written: Permission denied");
        }
        chmod(directory.path().c_str(), 0755);
    }
    CHECK(read_text(directory / "file") == "old");
    CHECK(directory.entries() == 1);
}

TEST_CASE("what cannot be written is refused before it is there", "[file]") {
    const TemporaryDirectory directory;
    const auto refusal = [](const std::filesystem::path& path) { return file_error([&] { nn::require_writable(path); }); };
    CHECK(refusal(directory / "new").empty());
    write_text(directory / "file", "old");
    std::filesystem::create_symlink("missing/file", directory / "link");
    CHECK(refusal(directory / "file").empty());
    CHECK_THAT(refusal(directory.path()), contains("is a directory"));
    CHECK_THAT(refusal(directory / "missing/file"), contains("No such file or directory"));
    CHECK_THAT(refusal(directory / "link"), contains("link: cannot be written: No such file or directory"));
    CHECK_THAT(refusal(directory / "file/below"), contains("Not a directory"));
    CHECK_THAT(refusal("/dev/full"), contains("is not a regular file"));
    CHECK(directory.entries() == 2);
}

TEST_CASE("whether a file is there is told, or not", "[file]") {
    const TemporaryDirectory directory;
    std::filesystem::create_directory(directory / "closed");
    write_text(directory / "closed/file", "");
    CHECK(nn::is_there(directory / "closed/file"));
    CHECK_FALSE(nn::is_there(directory / "closed/other"));
    CHECK_FALSE(nn::is_there(directory / "closed/file/below"));
    chmod(directory.path().c_str(), 0755);
    chmod((directory / "closed").c_str(), 0);
    const auto message = as_nobody([&] { return file_error([&] { nn::is_there(directory / "closed/file"); }); });
    chmod((directory / "closed").c_str(), 0700);
    CHECK(message == (directory / "closed/file").string() + ": cannot be looked for: Permission denied");
}

TEST_CASE("names are printed whatever they hold", "[file]") {
    for (const char* good : {"", "a b", "\\", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xc2\xa0", "\xf4\x8f\xbf\xbf"}) {
        CHECK(nn::printable(good) == good);
    }
    const std::pair<std::string, const char*> others[] = {
        {"a\n\t\x1b[1m\x7f", "a\\x0a\\x09\\x1b[1m\\x7f"},
        {std::string("\0", 1), "\\x00"},
        {"\xff\xfe", "\\xff\\xfe"},
        {"a\xc3", "a\\xc3"},  // cut off
        {"\xc3z", "\\xc3z"},
        {"\xa4", "\\xa4"},           // begins in the middle
        {"\xc0\xaf", "\\xc0\\xaf"},  // longer than it need be
        {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},           // half of a pair of UTF-16
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},  // beyond Unicode
        {"\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80"},
        {"\xc2\x9b", "\\xc2\\x9b"},           // a control character beyond ASCII
        {"\xe2\x80\xae", "\\xe2\\x80\\xae"},  // from right to left
    };
    for (const auto& [text, expected] : others) {
        CHECK(nn::printable(text) == expected);
        CHECK(nn::printable(expected) == expected);
    }
    CHECK(std::string(nn::FileError("/tmp/\xff", "no").what()) == "/tmp/\\xff: no");
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
