// Files as bytes: read whole, read through gzip, written so that nobody ever sees half a file. It knows no format;
// idx.hpp, image.hpp and safetensors.hpp do.
#pragma once

#include <autograd/autograd.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

struct gzFile_s;  // zlib's

namespace nn {

/// A file which cannot be read or written, or which is not what it should be. The message begins with the path.
class FileError : public autograd::Error {
   public:
    FileError(const std::filesystem::path& path, const std::string& problem);
};

/// All bytes of a file, as they lie there.
/// @throws FileError if it is missing, not a regular file, or cannot be read.
std::vector<std::byte> read_file(const std::filesystem::path& path);

/// A file read from front to back; one which begins with gzip's magic bytes is unpacked on the way.
class InputFile {
   public:
    /// @throws FileError if it is missing, not a regular file, or cannot be opened.
    explicit InputFile(std::filesystem::path path);

    /// The next `count` bytes; fewer only where the file ends. Memory grows with what is really there, so `count` may
    /// be a number from a header which nobody has checked.
    /// @throws FileError if the gzip data is truncated or corrupt, its checksum included, as far as it was read.
    std::vector<std::byte> read(std::size_t count);

   private:
    std::filesystem::path path_;
    std::unique_ptr<gzFile_s, int (*)(gzFile_s*)> stream_;
};

/// Writes a temporary file beside `path` and renames it to `path` when it is complete; on failure nothing is left, and
/// what stood at `path` before still does. A symbolic link is followed. The data is not forced to the disk: this
/// protects from errors and crashes of the program, not from a loss of power.
/// @throws FileError if the directory is missing or not writable, `path` is something other than a file, or the disk
/// is full.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);

/// The number of elements of a shape out of a file, or nothing if the product of its extents (those which are 0 taken
/// as 1, so that strides are safe too) is above `limit`.
std::optional<std::size_t> element_count_within(std::span<const std::uint64_t> extents, std::size_t limit);

}  // namespace nn
