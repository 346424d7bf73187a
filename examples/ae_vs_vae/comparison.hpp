// What the two trained models show: codes of the test set, and pictures which put the autoencoder beside the VAE.
#pragma once

#include <filesystem>
#include <vector>

#include "models.hpp"

/// The codes of a set of images, per latent dimension.
struct CodeStatistics {
    std::vector<double> mean;
    std::vector<double> standard_deviation;  ///< of the code (AE) or of a draw from q(z|x) (VAE), over the images
    std::vector<double> kl;                  ///< KL(q(z_i|x) || N(0, 1)), averaged over the images; VAE only
};

CodeStatistics autoencoder_codes(const Autoencoder& model, const autograd::Array<float>& images);
CodeStatistics vae_codes(const Autoencoder& model, const autograd::Array<float>& images);

struct Pair {
    const Autoencoder& ae;
    const Autoencoder& vae;
};

struct ImageSet {
    const autograd::Array<float>& images;  ///< (count, rows * columns)
    const std::vector<int>& labels;
    std::size_t rows, columns;
};

/// Writes reconstructions.png, samples.png, interpolations.png and latent.png, and returns their paths.
/// @throws nn::FileError if one cannot be written.
std::vector<std::filesystem::path> write_pictures(const Pair& models, const CodeStatistics& ae_codes,
                                                  const CodeStatistics& vae_codes, const ImageSet& test,
                                                  const autograd::Rng& rng, const std::filesystem::path& directory);
