// What a training of ae_vs_vae leaves, compared with what another left.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <nn/nn.hpp>

#include "tests/catch.hpp"

inline constexpr const char* model_files[] = {"ae.safetensors", "vae.safetensors", "plane-ae.safetensors",
                                              "plane-vae.safetensors"};

/// All of a checkpoint but the time that steps took.
inline nn::TensorFile without_times(const std::filesystem::path& path) {
    nn::TensorFile file = nn::read_safetensors(path);
    nlohmann::json progress = nlohmann::json::parse(file.metadata.at("progress"));
    progress["history"].erase("ms_per_step");
    file.metadata["progress"] = progress.dump();
    return file;
}

inline void check_same_file(const std::filesystem::path& a, const std::filesystem::path& b) {
    INFO(a << ' ' << b);
    const nn::TensorFile left = without_times(a), right = without_times(b);
    CHECK(left.metadata == right.metadata);
    CHECK((left.tensors == right.tensors));
}
