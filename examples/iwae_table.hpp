// The model of a paper's table and how it is trained: Burda, Grosse and Salakhutdinov, "Importance weighted autoencoders",
// ICLR 2016, Table 1, one stochastic layer. Data, checkpoints and what is printed are iwae_table.cpp's.
//
// The program that the authors published differs from the paper, and says things which the paper leaves open. Here the paper
// holds: Adam's beta1 is 0.9 (there 0.99), its averages begin at 0 (there those of squares at 1), learning rates are not
// rounded, and all training images are used (there all but 400). What the paper leaves open is as in that program, where
// nothing else is said: the pixels' first biases, and the sum over a minibatch.
#pragma once

#include <algorithm>
#include <array>
#include <autograd/autograd.hpp>
#include <cmath>
#include <cstddef>
#include <nn/nn.hpp>
#include <optional>
#include <span>

#include "ae_vs_vae/likelihood.hpp"
#include "ae_vs_vae/points.hpp"

namespace iwae {

using autograd::Var;

inline constexpr std::size_t hidden_units = 200, latent_units = 50, images_in_a_step = 20, estimate_samples = 5000;

/// What the paper has for a number k of samples: of MNIST, made binary by chance.
struct PaperRow {
    std::size_t k;
    double nll;
    std::size_t active_units;
};
inline constexpr std::array paper_rows{PaperRow{1, 86.76, 19}, PaperRow{5, 85.54, 22}, PaperRow{50, 84.78, 25}};

inline std::optional<PaperRow> paper_row(std::size_t k) {
    for (const PaperRow& row : paper_rows) {
        if (row.k == k) return row;
    }
    return std::nullopt;
}

/// The stages i = 0, ..., 7 of the learning rate have 3^i passes over the training data each.
inline constexpr std::size_t stages = 8, all_passes = 3280;

/// Of a pass, counted from 1: 10^-3 10^(-i / 7) in stage i.
inline double learning_rate(std::size_t pass) {
    std::size_t stage = 0;
    for (std::size_t length = 1, end = 1; pass > end && stage + 1 < stages; ++stage) {
        length *= 3;
        end += length;
    }
    return 1e-3 * std::pow(10.0, -static_cast<double>(stage) / 7);
}

/// The learning rate is that of the first pass. Epsilon is 10^4 times nn's default.
inline constexpr nn::AdamOptions adam_options{.lr = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-4};

/// q(z|x). Weights are Glorot and Bengio's and biases 0, which are nn::Linear's defaults; so they are in the decoder.
struct Encoder {
    nn::Linear first, second, mean, log_variance;

    static constexpr auto members = nn::members("first", &Encoder::first, "second", &Encoder::second,  //
                                                "mean", &Encoder::mean, "log_variance", &Encoder::log_variance);

    Encoder(std::size_t pixels, autograd::Rng& rng)
        : first(pixels, hidden_units, rng),
          second(hidden_units, hidden_units, rng),
          mean(hidden_units, latent_units, rng),
          log_variance(hidden_units, latent_units, rng) {}

    nn::Normal<float> operator()(const Var<float>& x) const {
        const auto h = tanh(second(tanh(first(x))));
        return {mean(h), log_variance(h)};
    }
};

/// p(x|z), as logits of the pixels.
struct Decoder {
    nn::Linear first, second, pixels;

    static constexpr auto members =
        nn::members("first", &Decoder::first, "second", &Decoder::second, "pixels", &Decoder::pixels);

    /// The pixels' biases begin at the logits of their means over the training images, which are taken between 0.001 and 0.999.
    Decoder(const autograd::Array<double>& mean_pixels, autograd::Rng& rng)
        : first(latent_units, hidden_units, rng),
          second(hidden_units, hidden_units, rng),
          pixels(hidden_units, mean_pixels.size(), rng) {
        autograd::Array<float>& bias = pixels.bias.mutable_value();
        for (std::size_t i = 0; i < mean_pixels.size(); ++i) {
            const double mean = std::clamp(mean_pixels.data()[i], 0.001, 0.999);
            bias.data()[i] = static_cast<float>(std::log(mean / (1 - mean)));
        }
    }

    Var<float> operator()(const Var<float>& z) const { return pixels(tanh(second(tanh(first(z))))); }
};

struct Model {
    Encoder encoder;
    Decoder decoder;

    static constexpr auto members = nn::members("encoder", &Model::encoder, "decoder", &Model::decoder);

    /// @param images those of training, of which the pixels' means are taken
    Model(const autograd::Array<float>& images, autograd::Rng& rng)
        : encoder(images.shape()[1], rng), decoder(mean_point(images), rng) {}
};

/// The model as functions that refer to it: it must outlive them.
inline LatentModel latent_model(const Model& model) {
    return {
        [&model](const Var<float>& x) { return model.encoder(x); }, [&model](const Var<float>& z) { return model.decoder(z); },
        [](const Var<float>& logits, const Var<float>& x) { return -sum(nn::binary_cross_entropy_with_logits(logits, x), 1); }};
}

/// log (1 / k) sum_i p(x, z_i) / q(z_i|x) of each row of x, z_1, ..., z_k from q(z|x): equation 8. (rows,)
///
/// A weight below e^-40 of the row's largest is taken for that, and gets no gradient: both are less than a rounding. With it the
/// gradients of such samples would be subnormal numbers, at which processors are slow: with k = 50 a step took five times as long.
inline Var<float> bounds(const LatentModel& model, const Var<float>& x, std::size_t k, autograd::Rng& rng) {
    const auto weights = reshape(log_weights(model, x, k, rng), {k, x.shape()[0]});
    const auto negligible = stop_gradient(max(weights, 0)) - 40;
    return logsumexp(maximum(weights, negligible), 0) - std::log(static_cast<double>(k));
}

/// A step of Adam up the sum of the bounds of rows of 0 and 1. It is the sum, not the mean, because Adam's epsilon is held
/// against the gradient's size. Returns the sum, of bounds as they were before the step; where it is not finite no step is made.
inline double training_step(Model& model, nn::Adam& adam, autograd::Tape<float>& tape, const autograd::Array<float>& x,
                            std::size_t k, autograd::Rng& rng) {
    tape.clear();
    const auto each = bounds(latent_model(model), tape.constant(x), k, rng);
    double sum_of_bounds = 0;
    for (const float bound : each.value()) sum_of_bounds += static_cast<double>(bound);
    if (std::isfinite(sum_of_bounds)) adam.step(model, backward(-sum(each), {.release = true}));
    return sum_of_bounds;
}

/// How many latent dimensions have a posterior mean whose variance over the images is above 0.01. The paper does not say over
/// which images; here they are the test set's (in the authors' program 500 of the training set).
inline std::size_t active_units(const Model& model, const autograd::Array<float>& images, const autograd::Rng& rng) {
    const auto variances = activity_per_dimension(posteriors_of(latent_model(model).encode, images, rng));
    return static_cast<std::size_t>(
        std::count_if(variances.begin(), variances.end(), [](double each) { return each > active_above; }));
}

}  // namespace iwae
