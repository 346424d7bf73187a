// Reading by the standard library and zlib. Writing by the system's own calls, which can make a file only if there is
// none, lock it and set its permissions.
#include "nn/data/file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <limits>
#include <random>
#include <string_view>
#include <system_error>
#include <utility>

namespace nn {
namespace {

namespace fs = std::filesystem;

std::string error_text(int number) { return std::generic_category().message(number); }

/// The system would take what stands before it for the whole path.
void require_no_zero(const fs::path& path) {
    if (path.native().find('\0') != std::string::npos) throw FileError(path, "has a zero byte in its name");
}

void require_regular_file(const fs::path& path) {
    require_no_zero(path);
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (status.type() == fs::file_type::not_found) throw FileError(path, "no such file");
    if (error) throw FileError(path, "cannot be read: " + error.message());
    if (fs::is_directory(status)) throw FileError(path, "is a directory, expected a file");
    if (!fs::is_regular_file(status)) throw FileError(path, "is not a regular file");
}

/// Calls read_some(destination, room), which returns how many bytes came, until `count` are there or none comes.
template <class ReadSome>
std::vector<std::byte> read_up_to(std::size_t count, ReadSome read_some) {
    constexpr std::size_t smallest_step = std::size_t{1} << 16;
    constexpr std::size_t largest_step = std::size_t{1} << 30;  // zlib counts in int
    std::vector<std::byte> bytes;
    while (bytes.size() < count) {
        const std::size_t size = bytes.size();
        const std::size_t step = std::min(std::clamp(size, smallest_step, largest_step), count - size);
        bytes.resize(size + step);
        const std::size_t got = read_some(bytes.data() + size, step);
        bytes.resize(size + got);
        if (got == 0) break;
    }
    return bytes;
}

[[noreturn]] void refuse_to_write(const fs::path& path, const std::string& reason) {
    throw FileError(path, "cannot be written: " + reason);
}

fs::path directory_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

/// What `path` is in the end a link to, whether it is there or not.
fs::path behind_links(const fs::path& path) {
    require_no_zero(path);
    constexpr int most_links = 40;  // as Linux has it
    fs::path target = path;
    std::error_code error;
    for (int i = 0; fs::is_symlink(target, error); ++i) {
        if (i == most_links) refuse_to_write(path, error_text(ELOOP));
        const fs::path link = fs::read_symlink(target, error);
        if (error) refuse_to_write(path, error.message());
        target = directory_of(target) / link;  // which is `link` where that is absolute
    }
    return target;
}

/// The status of the file that is to be replaced, if there is one.
std::optional<struct stat> status_of_replaceable(const fs::path& path, const fs::path& target) {
    struct stat status {};
    if (::stat(target.c_str(), &status) != 0) return std::nullopt;  // if not for want of a file, opening will say why
    if (S_ISDIR(status.st_mode)) refuse_to_write(path, "is a directory");
    if (!S_ISREG(status.st_mode)) refuse_to_write(path, "is not a regular file");
    if (::faccessat(AT_FDCWD, target.c_str(), W_OK, AT_EACCESS) != 0) refuse_to_write(path, error_text(errno));
    return status;
}

class Descriptor {
   public:
    explicit Descriptor(int number = -1) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }

    explicit operator bool() const { return number_ >= 0; }
    int number() const { return number_; }

   private:
    int number_;
};

constexpr std::size_t partial_digits = 8;

/// What the name of a partial file has before its digits. A long name is cut: 255 bytes are most systems' limit.
std::string partial_prefix(const fs::path& target) { return target.filename().native().substr(0, 200) + ".partial-"; }

bool is_partial(const std::string& name, const std::string& prefix) {
    return name.size() == prefix.size() + partial_digits && name.starts_with(prefix) &&
           name.find_first_not_of("0123456789abcdef", prefix.size()) == name.npos;
}

/// A file beside its target that is renamed to it when it is complete, and else removed. It is locked for as long as it
/// is written: a lock ends with its program, so one without was left behind.
class PartialFile {
   public:
    /// Makes the file, readable to no more than it will be when it replaces one of this status.
    PartialFile(const fs::path& target, const std::optional<struct stat>& replaced) : target_(target) {
        constexpr int attempts = 100;
        std::random_device random;
        bool taken = true;
        for (int i = 0; i < attempts && taken; ++i) taken = !make(random() & 0xffffffffU, replaced ? 0600U : 0666U);
        if (!file_ || !replaced) return;
        // To give files away takes privileges: without them the new file is the writer's own.
        const bool given = ::fchown(file_.number(), replaced->st_uid, replaced->st_gid) == 0 ||
                           ::fchown(file_.number(), static_cast<uid_t>(-1), replaced->st_gid) == 0;
        // The group of another file's readers is not to become that of the writer.
        if (::fchmod(file_.number(), replaced->st_mode & (given ? 07777U : 0707U)) != 0) file_ = Descriptor();
    }
    PartialFile(const PartialFile&) = delete;
    PartialFile& operator=(const PartialFile&) = delete;
    ~PartialFile() {
        if (!path_.empty()) ::unlink(path_.c_str());
    }

    /// False, with errno set, if it could not be made.
    explicit operator bool() const { return static_cast<bool>(file_); }

    bool write(std::span<const std::byte> bytes) {
        while (!bytes.empty()) {
            const ssize_t written = ::write(file_.number(), bytes.data(), bytes.size());
            if (written < 0 && errno != EINTR) return false;
            if (written > 0) bytes = bytes.subspan(static_cast<std::size_t>(written));
        }
        // Some file systems report a full disk no earlier than on closing. The lock stays with the first descriptor.
        const int copy = ::dup(file_.number());
        return copy >= 0 && ::close(copy) == 0;
    }

    bool rename() {
        if (std::rename(path_.c_str(), target_.c_str()) != 0) return false;
        path_.clear();
        return true;
    }

   private:
    /// False if there is a file of this name, and another one is to be tried.
    bool make(unsigned number, mode_t mode) {
        fs::path path = directory_of(target_) / fmt::format("{}{:0{}x}", partial_prefix(target_), number, partial_digits);
        Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
        if (!file) return errno != EEXIST;
        while (::flock(file.number(), LOCK_EX) != 0 && errno == EINTR) {  // without locks nobody removes leftovers
        }
        struct stat status {};
        if (::fstat(file.number(), &status) == 0 && status.st_nlink == 0) return false;  // removed before it was locked
        path_ = std::move(path);
        file_ = std::move(file);
        return true;
    }

    const fs::path& target_;
    fs::path path_;
    Descriptor file_;
};

/// The number of bytes of the character that `text` begins with; 0 if it is not UTF-8, or does not show itself.
std::size_t printable_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
    const std::uint32_t first = byte(0);
    if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
    constexpr std::array<std::uint32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
    const std::size_t length = first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
    if (length == 0 || text.size() < length) return 0;
    std::uint32_t code = first & (0xffU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0U) != 0x80) return 0;
        code = code << 6U | (byte(i) & 0x3fU);
    }
    const auto within = [&](std::uint32_t low, std::uint32_t high) { return code >= low && code <= high; };
    const bool valid = code >= smallest[length] && code <= 0x10ffff && !within(0xd800, 0xdfff);
    const bool control = within(0x80, 0x9f) || within(0x200e, 0x200f) || within(0x2028, 0x202e) || within(0x2066, 0x2069);
    return valid && !control ? length : 0;
}

}  // namespace

std::string printable(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const std::size_t length = printable_length(text);
        if (length > 0) {
            result += text.substr(0, length);
        } else {
            result += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
        }
        text.remove_prefix(std::max<std::size_t>(1, length));
    }
    return result;
}

FileError::FileError(const fs::path& path, const std::string& problem) : Error(printable(path.native() + ": " + problem)) {}

std::vector<std::byte> read_file(const fs::path& path) {
    require_regular_file(path);
    std::ifstream file(path, std::ios::binary);
    if (!file) throw FileError(path, "cannot be opened: " + error_text(errno));
    auto bytes = read_up_to(std::numeric_limits<std::size_t>::max(), [&](std::byte* destination, std::size_t room) {
        file.read(reinterpret_cast<char*>(destination), static_cast<std::streamsize>(room));
        return static_cast<std::size_t>(file.gcount());
    });
    if (file.bad()) throw FileError(path, "cannot be read: " + error_text(errno));
    return bytes;
}

InputFile::InputFile(fs::path path) : path_(std::move(path)), stream_(nullptr, gzclose_r) {
    require_regular_file(path_);
    errno = 0;
    stream_.reset(gzopen(path_.c_str(), "rb"));
    if (!stream_) throw FileError(path_, "cannot be opened: " + error_text(errno));
    gzbuffer(stream_.get(), 1U << 17);
}

std::vector<std::byte> InputFile::read(std::size_t count) {
    return read_up_to(count, [&](std::byte* destination, std::size_t room) {
        errno = 0;
        const int got = gzread(stream_.get(), destination, static_cast<unsigned>(room));
        int status = Z_OK;
        gzerror(stream_.get(), &status);
        if (status == Z_BUF_ERROR) throw FileError(path_, "the gzip data is truncated");
        if (status == Z_ERRNO) throw FileError(path_, "cannot be read: " + error_text(errno));
        if (got < 0) throw FileError(path_, "the gzip data is corrupt");
        return static_cast<std::size_t>(got);
    });
}

bool is_there(const fs::path& path) {
    std::error_code error;
    if (fs::status(path, error).type() == fs::file_type::not_found) return false;
    if (error) throw FileError(path, "cannot be looked for: " + error.message());
    return true;
}

// Not std::filesystem::directory_iterator: libstdc++'s ends the program where there is no memory for it.
std::vector<std::string> names_in(const fs::path& directory) {
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(directory.c_str()), ::closedir);
    if (!stream) throw FileError(directory, "cannot list this directory: " + error_text(errno));
    std::vector<std::string> names;
    for (errno = 0; const dirent* entry = ::readdir(stream.get()); errno = 0) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) throw FileError(directory, "cannot list this directory: " + error_text(errno));
    return names;
}

void write_file_atomically(const fs::path& path, std::span<const std::byte> bytes) {
    const fs::path target = behind_links(path);
    const auto replaced = status_of_replaceable(path, target);
    remove_leftovers(target);
    PartialFile file(target, replaced);
    if (!file || !file.write(bytes) || !file.rename()) refuse_to_write(path, error_text(errno));
}

void require_writable(const fs::path& path) {
    const fs::path target = behind_links(path);
    status_of_replaceable(path, target);
    const fs::path directory = directory_of(target) / ".";  // an error if it is a file
    if (::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) != 0) refuse_to_write(path, error_text(errno));
}

void remove_leftovers(const fs::path& path) {
    const fs::path target = behind_links(path);
    const std::string prefix = partial_prefix(target);
    const fs::path directory = directory_of(target);
    std::vector<std::string> names;
    try {
        names = names_in(directory);
    } catch (const FileError&) {
        return;  // what cannot be listed may all the same be written to
    }
    for (const std::string& name : names) {
        if (!is_partial(name, prefix)) continue;
        const fs::path candidate = directory / name;
        const Descriptor file(::open(candidate.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        if (file && ::flock(file.number(), LOCK_EX | LOCK_NB) == 0) ::unlink(candidate.c_str());
    }
}

std::optional<std::size_t> element_count_within(std::span<const std::uint64_t> extents, std::size_t limit) {
    std::size_t product = 1;
    bool empty = false;
    for (const std::uint64_t extent : extents) {
        if (extent == 0) {
            empty = true;
        } else if (extent > limit / product) {
            return std::nullopt;
        } else {
            product *= extent;
        }
    }
    if (product > limit) return std::nullopt;
    return empty ? 0 : product;
}

}  // namespace nn
