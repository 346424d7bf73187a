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
#include <string_view>
#include <vector>

struct gzFile_s;  // zlib's

namespace XTAPE_API nn {

/// A name as text for people: bytes which are not UTF-8, control characters and those which turn the direction of
/// writing as \xNN each, all else as it is. So a path can be printed, or stand in JSON, whatever it holds.
[[nodiscard]] std::string printable(std::string_view text);

/// A file which cannot be read or written, or which is not what it should be. The message begins with the path, printable.
class FileError : public autograd::Error {
   public:
    FileError(const std::filesystem::path& path, const std::string& problem);
};

/// All bytes of a file, as they lie there.
/// @throws FileError if it is missing, not a regular file, or cannot be read.
[[nodiscard]] std::vector<std::byte> read_file(const std::filesystem::path& path);

/// A file read from front to back; one which begins with gzip's magic bytes is unpacked on the way.
class InputFile {
   public:
    /// @throws FileError if it is missing, not a regular file, or cannot be opened.
    explicit InputFile(std::filesystem::path path);

    /// The next `count` bytes; fewer only where the file ends. Memory grows with what is really there, so `count` may
    /// be a number from a header which nobody has checked.
    /// @throws FileError if the gzip data is truncated or corrupt, its checksum included, as far as it was read.
    [[nodiscard]] std::vector<std::byte> read(std::size_t count);

   private:
    std::filesystem::path path_;
    std::unique_ptr<gzFile_s, int (*)(gzFile_s*)> stream_;
};

/// Whether there is something at `path`, behind symbolic links.
/// @throws FileError if that cannot be told: permission is missing on the way there, say.
[[nodiscard]] bool is_there(const std::filesystem::path& path);

/// The names of what lies in a directory, in no order.
/// @throws FileError if it cannot be listed.
[[nodiscard]] std::vector<std::string> names_in(const std::filesystem::path& directory);

/// Writes a temporary file beside `path`, FILE.partial-XXXXXXXX, and renames it to `path` when it is complete; on failure
/// nothing is left, and what stood at `path` before still does. A program that is killed meanwhile leaves the temporary
/// file, which the next writing to the same path removes. A symbolic link is followed, also to where nothing is yet. The
/// permissions, and as far as they can be set the owner, of a file that was there stay; a new one has those that the
/// umask gives. The data is not forced to the disk: this protects from errors and crashes of the program, not from a
/// loss of power.
/// @throws FileError if the directory is missing or not writable, `path` is something other than a file or is
/// write-protected, or the disk is full.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);

/// Refuses what write_file_atomically would refuse before it writes a byte, and touches nothing.
/// @throws FileError as above.
void require_writable(const std::filesystem::path& path);

/// Removes the temporary files which killed programs have left beside `path`; those which a living one writes stay.
void remove_leftovers(const std::filesystem::path& path);

/// The number of elements of a shape out of a file, or nothing if the product of its extents (those which are 0 taken
/// as 1, so that strides are safe too) is above `limit`.
[[nodiscard]] std::optional<std::size_t> element_count_within(std::span<const std::uint64_t> extents, std::size_t limit);

}  // namespace nn
