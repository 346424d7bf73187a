// Reading by the standard library and zlib, writing by stdio, because only its "x" mode refuses to open what exists.
#include "nn/file.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <limits>
#include <system_error>
#include <utility>

namespace nn {
namespace {

namespace fs = std::filesystem;

std::string error_text(int number) { return std::generic_category().message(number); }

void require_regular_file(const fs::path& path) {
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

/// A file which is removed unless it was renamed to its final name.
class TemporaryFile {
   public:
    explicit TemporaryFile(const fs::path& target) {
        constexpr int attempts = 100;  // a name may be taken: by another writer, or left by a program which was killed
        for (int i = 0; i < attempts && file_ == nullptr; ++i) {
            path_ = target;
            path_ += fmt::format(".partial{}", i);
            errno = 0;
            file_ = std::fopen(path_.c_str(), "wbx");
            if (file_ == nullptr && errno != EEXIST) break;
        }
        if (file_ == nullptr) throw FileError(target, "cannot be written: " + error_text(errno));
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() {
        if (file_ != nullptr) std::fclose(file_);
        std::error_code ignored;
        if (!path_.empty()) fs::remove(path_, ignored);
    }

    bool write(std::span<const std::byte> bytes) {
        const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file_) == bytes.size();
        return written && std::fclose(std::exchange(file_, nullptr)) == 0;
    }

    bool rename(const fs::path& target) {
        if (std::rename(path_.c_str(), target.c_str()) != 0) return false;
        path_.clear();
        return true;
    }

   private:
    fs::path path_;
    std::FILE* file_ = nullptr;
};

}  // namespace

FileError::FileError(const fs::path& path, const std::string& problem) : Error(path.string() + ": " + problem) {}

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

void write_file_atomically(const fs::path& path, std::span<const std::byte> bytes) {
    std::error_code error;
    const fs::path target = fs::is_symlink(path, error) ? fs::weakly_canonical(path, error) : path;
    const fs::file_status status = fs::status(target, error);
    if (fs::is_directory(status)) throw FileError(path, "cannot be written: is a directory");
    if (fs::exists(status) && !fs::is_regular_file(status)) {
        throw FileError(path, "cannot be written: is not a regular file");
    }
    TemporaryFile temporary(target);
    if (!temporary.write(bytes) || !temporary.rename(target)) {
        throw FileError(path, "cannot be written: " + error_text(errno));
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
