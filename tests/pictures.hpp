// A small data set for tests of the example: bright bars on black, in one of two directions, which are its two classes.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/files.hpp"

inline constexpr int picture_side = 8;

inline std::string big_endian(std::uint32_t value) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 255);
    return text;
}

inline void write_split(const TemporaryDirectory& directory, const std::string& prefix, std::uint32_t count,
                        bool sorted = false) {
    std::string images = bytes({0, 0, 8, 3}) + big_endian(count) + big_endian(picture_side) + big_endian(picture_side);
    std::string labels = bytes({0, 0, 8, 1}) + big_endian(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        const int label = static_cast<int>(sorted ? i >= count / 2 : i % 2), bar = static_cast<int>(i / 2 % picture_side);
        labels += static_cast<char>(label);
        for (int row = 0; row < picture_side; ++row) {
            for (int column = 0; column < picture_side; ++column) {
                images += static_cast<char>((label == 0 ? row : column) == bar ? 200 + i % 50 : 0);
            }
        }
    }
    write_gzip(directory / (prefix + "-images-idx3-ubyte.gz"), images);
    write_text(directory / (prefix + "-labels-idx1-ubyte"), labels);
}

/// The set in a directory of its own, in which the program also writes what it is told to call `out`.
struct Pictures {
    TemporaryDirectory directory;
    explicit Pictures(std::uint32_t train = 600, std::uint32_t test = 70) {
        write_split(directory, "train", train);
        write_split(directory, "t10k", test);
    }
    std::string arguments(const std::string& out) const {
        return "--data '" + directory.path().string() + "' --out '" + (directory / out).string() +
               "' --latent 3 --hidden 16 --batch 32 --threads 1 ";
    }
    nlohmann::json metrics(const std::string& out) const {
        return nlohmann::json::parse(read_text(directory / out / "metrics.json"));
    }
};

/// Times are the one thing that differs from run to run.
inline nlohmann::json without_times(nlohmann::json metrics) {
    for (const char* model : {"ae", "vae"}) {
        metrics[model].erase("ms_per_step");
        if (metrics.contains("plane")) metrics["plane"][model].erase("ms_per_step");
    }
    return metrics;
}
