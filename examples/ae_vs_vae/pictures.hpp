// Pictures of what two trained models do, the autoencoder beside the VAE, for PNG files and for the page. It measures
// nothing.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "codes.hpp"
#include "data.hpp"
#include "failures.hpp"
#include "models.hpp"

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

/// The names of all.
inline constexpr std::array picture_names{"reconstructions", "samples", "interpolations", "spherical", "latent"};

/// Reconstructions, samples, interpolations on straight lines and on arcs, and a plane of the latent space. One that cannot be made is among
/// `failures` instead.
std::vector<Picture> pictures_of(const Autoencoder& ae, const Autoencoder& vae, const CodeStatistics& ae_codes,
                                 const CodeStatistics& vae_codes, const Data& data, const autograd::Rng& rng,
                                 Failures& failures);

/// DIRECTORY/PREFIXNAME.png.
std::filesystem::path picture_file(const std::filesystem::path& directory, const std::string& prefix, const std::string& name);

/// Writes the picture.
/// @throws nn::FileError if it cannot be written.
void write_picture(const std::filesystem::path& path, const Picture& picture, const Data& data);
