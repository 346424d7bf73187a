// What the fuzzed readers share: an input as a file that lies in memory, a directory for what is written back, and the
// one rule for all of them: an input is read or refused with a FileError; anything else that happens is a fault. Each
// .cpp beside this is one reader with libFuzzer's entry; `../../xtape fuzz` builds and runs them.
#pragma once

#include <nn/nn.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <span>
#include <string>

namespace fuzz {

namespace fs = std::filesystem;
using Bytes = std::span<const std::uint8_t>;

/// Ends the program: libFuzzer keeps the input and says what was wrong.
[[noreturn]] inline void fault(const std::string& what) {
    dprintf(STDERR_FILENO, "fault: %s\n", what.c_str());
    std::abort();
}

inline void require(bool holds, const char* what) {
    if (!holds) fault(what);
}

/// A file in memory, which readers are given by name. One for all inputs: making one costs more than reading it.
class InputFile {
   public:
    InputFile() : descriptor_(memfd_create("fuzz", MFD_CLOEXEC)), path_("/proc/self/fd/" + std::to_string(descriptor_)) {
        require(descriptor_ >= 0, "no file in memory");
    }
    const fs::path& holding(Bytes bytes) {
        const bool good = ftruncate(descriptor_, 0) == 0 &&
                          pwrite(descriptor_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
        require(good, "the file in memory cannot be written");
        return path_;
    }

   private:
    int descriptor_;
    fs::path path_;
};

inline const fs::path& input_file(Bytes bytes) {
    static InputFile file;
    return file.holding(bytes);
}

/// A directory of this process, in memory where the system has such a place, removed at its end.
class Directory {
   public:
    Directory() {
        std::string pattern = fs::exists("/dev/shm") ? "/dev/shm/xtape-fuzz-XXXXXX" : "/tmp/xtape-fuzz-XXXXXX";
        require(mkdtemp(pattern.data()) != nullptr, "no directory for what is written back");
        path_ = pattern;
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    fs::path operator/(const char* name) const { return path_ / name; }

   private:
    fs::path path_;
};

inline const Directory& directory() {
    static const Directory the_directory;
    return the_directory;
}

/// Calls `read`; false if it refuses the input with a FileError, whose message is text.
template <class Read>
bool accepts(Read read) {
    try {
        read();
        return true;
    } catch (const nn::FileError& error) {
        require(std::strlen(error.what()) > 0, "an error without a message");
        return false;
    } catch (const std::exception& error) {
        fault(std::string("an exception that is no FileError: ") + error.what());
    }
}

/// Equal to the last bit: NaNs are values here.
inline bool same_tensor(const nn::Tensor& a, const nn::Tensor& b) {
    if (a.index() != b.index()) return false;
    return std::visit(
        [&](const auto& left) {
            const auto& right = std::get<std::decay_t<decltype(left)>>(b);
            const std::size_t bytes = left.size() * sizeof(*left.data());
            return left.shape() == right.shape() && (bytes == 0 || std::memcmp(left.data(), right.data(), bytes) == 0);
        },
        a);
}

/// Makes the length that a header states right, as often as chance has it: few inputs would get beyond it otherwise.
/// `mutate` is libFuzzer's; `set_length(bytes, size)` writes the length.
template <class SetLength>
std::size_t mutate_with_length(std::uint8_t* data, std::size_t size, std::size_t largest, unsigned seed, SetLength set_length);

}  // namespace fuzz

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t largest);

template <class SetLength>
std::size_t fuzz::mutate_with_length(std::uint8_t* data, std::size_t size, std::size_t largest, unsigned seed,
                                     SetLength set_length) {
    const std::size_t result = LLVMFuzzerMutate(data, size, largest);
    if (seed % 4 != 0) set_length(data, result);
    return result;
}
