// Pictures of what two trained models do, the autoencoder beside the VAE.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "codes.hpp"
#include "data.hpp"
#include "models.hpp"

struct ModelPair {
    const Autoencoder& ae;
    const Autoencoder& vae;
};

/// Images in a grid, `across` in a row, and what they are.
struct Panel {
    std::string caption;
    autograd::Array<float> images;  ///< (count, rows * columns)
    std::size_t across;
};

/// Panels to be looked at side by side.
struct Picture {
    std::string name;  ///< of its file, without ".png"
    std::string title;
    std::string caption;
    std::vector<Panel> panels;
};

/// Reconstructions, samples, interpolations, and a plane of the latent space.
std::vector<Picture> pictures_of(const ModelPair& models, const CodeStatistics& ae_codes, const CodeStatistics& vae_codes,
                                 const Data& data, const autograd::Rng& rng);

/// Writes each as NAME.png, with `prefix` before its name, and returns the paths.
/// @throws nn::FileError if one cannot be written.
std::vector<std::filesystem::path> write_pictures(const std::vector<Picture>& pictures, const Data& data,
                                                  const std::filesystem::path& directory, const std::string& prefix);
