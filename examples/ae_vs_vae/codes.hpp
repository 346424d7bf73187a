// Models as functions from arrays to arrays: images to codes, codes to images. For all that looks at trained models
// without caring for tapes.
#pragma once

#include <autograd/autograd.hpp>
#include <cstdint>
#include <optional>
#include <vector>

#include "data.hpp"
#include "likelihood.hpp"
#include "models.hpp"

/// The autoencoder's codes, (count, latent).
autograd::Array<float> encode(const Autoencoder& model, const ImageSet& images);

/// What the measures of likelihood.hpp take for a set of images: the images, and beside them, for conditional models, the
/// one-hot labels: (count, rows * columns [+ classes]).
autograd::Array<float> inputs_of(const ImageSet& images);
/// The model as such functions. They refer to it: it must outlive them.
LatentModel latent_model(const Autoencoder& model, std::size_t pixels);

/// q(z|x) of the VAE for each image, and a draw from it.
Posteriors posteriors(const Autoencoder& model, const ImageSet& images, const autograd::Rng& rng);

/// Images of codes, (count, rows * columns): the means of the pixels under p(x|z). `one_hot` says the class of each for
/// a conditional decoder.
autograd::Array<float> decode(const Decoder& decoder, const autograd::Array<float>& codes,
                              const std::optional<autograd::Array<float>>& one_hot = {});

/// -log p(x|z) of each image for its code (row), in nats.
std::vector<double> reconstruction_losses(const Decoder& decoder, const autograd::Array<float>& codes, const ImageSet& images);

/// Codes, or one-hot classes, on the straight lines from row 0 to row 1 of `ends`, from row 2 to row 3, ...: `steps` for each
/// pair, both ends included.
autograd::Array<float> interpolate(const autograd::Array<float>& ends, std::size_t steps);

/// Codes on arcs in place of these lines (slerp: Shoemake 1985): their directions turn at an even rate, in the plane of both
/// ends and the origin, and their lengths change evenly. Random codes of many dimensions are all about equally long, and a
/// straight line between two of them passes nearer to the origin than they lie. Where there is no such arc, because an end is
/// the origin or both lie on a line with it, it is the straight line.
autograd::Array<float> interpolate_on_arcs(const autograd::Array<float>& ends, std::size_t steps);

/// The images of these numbers, with their labels.
ImageSet select(const ImageSet& from, const std::vector<std::size_t>& rows);
/// Those from number `begin` up to `end`.
ImageSet between(const ImageSet& from, std::size_t begin, std::size_t end);
/// The first `count` images, or all if there are not that many.
ImageSet first(const ImageSet& from, std::size_t count);

/// Pixels from 0 to 1 as bytes from 0 to 255; those beyond are taken as 0 or 1.
autograd::Array<std::uint8_t> as_bytes(const autograd::Array<float>& images);

/// The codes of a set of images, per latent dimension.
struct CodeStatistics {
    std::vector<double> mean;
    std::vector<double> standard_deviation;  ///< of the code (AE) or of a draw from q(z|x) (VAE), over the images
    std::vector<double> kl;                  ///< KL(q(z_i|x) || N(0, 1)), averaged over the images; VAE only
};
CodeStatistics statistics(const autograd::Array<float>& codes);
CodeStatistics statistics(const Posteriors& codes);
