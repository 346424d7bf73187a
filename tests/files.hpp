// What the tests of file formats share: a directory which vanishes, raw reading and writing independent of nn/file.*,
// and the sweep which damages a file in every place.
#pragma once

#include <nn/data/file.hpp>

#include <unistd.h>
#include <zlib.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

/// A new directory, removed with all in it at the end.
class TemporaryDirectory {
   public:
    TemporaryDirectory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "xtape-test-XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary directory");
        path_ = pattern;
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
    const std::filesystem::path& path() const { return path_; }
    std::size_t entries() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
    }

   private:
    std::filesystem::path path_;
};

inline void write_text(const std::filesystem::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

inline std::string read_text(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_gzip(const std::filesystem::path& path, const std::string& text) {
    gzFile file = gzopen(path.c_str(), "wb");
    const bool written = file != nullptr && gzwrite(file, text.data(), static_cast<unsigned>(text.size())) >= 0;
    if (file == nullptr || gzclose(file) != Z_OK || !written) throw std::runtime_error("cannot write " + path.string());
}

/// A string of these bytes, zeros included.
inline std::string bytes(std::initializer_list<int> values) {
    std::string result;
    for (const int value : values) result.push_back(static_cast<char>(value));
    return result;
}

/// The message of the FileError which `read` throws; "" if it throws none.
template <class Read>
std::string file_error(Read read) {
    try {
        read();
    } catch (const nn::FileError& error) {
        return error.what();
    }
    return {};
}

/// What `work` returns with the rights of a user who has none in particular: those of root know no permissions.
template <class Work>
auto as_nobody(const Work& work) {
    const uid_t user = geteuid();
    if (user == 0 && seteuid(65534) != 0) throw std::runtime_error("cannot become another user");
    const auto result = work();
    if (user == 0 && seteuid(0) != 0) throw std::runtime_error("cannot become root again");
    return result;
}

/// How often a reader refused a damaged file, and how often it took it.
struct Verdicts {
    std::size_t refused = 0;
    std::size_t accepted = 0;
};

/// Calls `read` on the file cut off after every number of bytes. Anything but a FileError passes through.
template <class Read>
Verdicts read_truncated(const std::filesystem::path& path, Read read) {
    const std::string good = read_text(path);
    Verdicts verdicts;
    for (std::size_t size = 0; size < good.size(); ++size) {
        write_text(path, good.substr(0, size));
        file_error(read).empty() ? ++verdicts.accepted : ++verdicts.refused;
    }
    write_text(path, good);
    return verdicts;
}

/// Calls `read` on the file with each of its bits flipped in turn, and with each byte inverted. Anything but a
/// FileError passes through.
template <class Read>
Verdicts read_corrupted(const std::filesystem::path& path, Read read) {
    const std::string good = read_text(path);
    Verdicts verdicts;
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (const int mask : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
            std::string bad = good;
            bad[i] = static_cast<char>(bad[i] ^ mask);
            write_text(path, bad);
            file_error(read).empty() ? ++verdicts.accepted : ++verdicts.refused;
        }
    }
    write_text(path, good);
    return verdicts;
}
