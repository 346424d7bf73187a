// A small report of random models, with everything in it: what the tests of report.html in C++ and in a browser share.
#pragma once

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "examples/ae_vs_vae/computation.hpp"
#include "examples/ae_vs_vae/report.hpp"

namespace random_report {

using autograd::Array;
using autograd::Rng;
using autograd::Tape;
using autograd::Var;

// Not square, so that rows and columns cannot be mistaken for each other.
inline constexpr std::size_t rows = 12, columns = 8, test_images = 60, seen_images = 24, classes = 3;

/// Weights that make logits spread over some units, so that no pixel's error hides in a saturated sigmoid.
inline Array<float> weights(const autograd::Shape& shape, Rng& rng, float scale) {
    Array<float> values = rng.normal<float>(shape);
    for (float& value : values) value *= scale;
    return values;
}

inline report::Linear linear(std::size_t inputs, std::size_t outputs, Rng& rng, float scale) {
    return {weights({outputs, inputs}, rng, scale), weights({outputs}, rng, 0.5F)};
}

inline report::Network mlp(std::size_t latent, std::size_t, Rng& rng) {
    return {linear(latent, 24, rng, 0.8F), report::Relu{}, linear(24, rows * columns, rng, 0.3F), report::Sigmoid{}};
}

/// Kernels, padding and output padding that differ between the axes.
inline report::Network convolutional(std::size_t latent, std::size_t labels, Rng& rng) {
    return {report::Labels{labels},
            linear(latent + labels, 4 * 3 * 2, rng, 0.8F),
            report::Relu{},
            report::Reshape{4, 3, 2},
            report::ConvTranspose2d{weights({4, 3, 3, 4}, rng, 0.4F), weights({3}, rng, 0.5F), 2, 1, {1, 0}},
            report::Relu{},
            report::ConvTranspose2d{weights({3, 1, 5, 3}, rng, 0.4F), weights({1}, rng, 0.5F), 2, {2, 1}, 1},
            report::ContinuousBernoulliMean{}};
}

/// An encoder that ends in so many features, in numbers of the size that pixels give.
inline report::Encoder encoder(std::size_t latent, std::size_t labels, bool with_log_variance, Rng& rng) {
    report::Network features{linear(rows * columns, 24, rng, 0.2F), report::Relu{}};
    if (labels > 0) {
        features = {report::Reshape{1, rows, columns},
                    report::Conv2d{weights({3, 1, 3, 5}, rng, 0.4F), weights({3}, rng, 0.5F), {2, 1}, {1, 2}},
                    report::Relu{},
                    report::Conv2d{weights({4, 3, 2, 3}, rng, 0.4F), weights({4}, rng, 0.5F), 2, {0, 1}},
                    report::Relu{},
                    report::Labels{labels},
                    linear(4 * 3 * 4 + labels, 24, rng, 0.3F),
                    report::Relu{}};
    }
    report::Encoder result{std::move(features), linear(24, latent, rng, 0.3F), {}};
    if (with_log_variance) result.log_variance = linear(24, latent, rng, 0.3F);
    return result;
}

/// What a layer makes of x, (count, ...). `labels`: one-hot, (count, classes).
inline Var<float> apply(const report::Linear& layer, const Var<float>& x, const Array<float>&) {
    const auto flat = reshape(x, {x.shape()[0], layer.weight.shape()[1]});
    return autograd::linear(flat, x.tape().constant(layer.weight), x.tape().constant(layer.bias));
}
inline Var<float> apply(const report::Relu&, const Var<float>& x, const Array<float>&) { return relu(x); }
inline Var<float> apply(const report::Sigmoid&, const Var<float>& x, const Array<float>&) { return sigmoid(x); }
inline Var<float> apply(const report::ContinuousBernoulliMean&, const Var<float>& x, const Array<float>&) {
    return nn::ContinuousBernoulli{x}.mean();
}
inline Var<float> apply(const report::Labels&, const Var<float>& x, const Array<float>& labels) {
    return autograd::concat({reshape(x, {x.shape()[0], autograd::inferred}), x.tape().constant(labels)}, 1);
}
inline Var<float> apply(const report::Reshape& layer, const Var<float>& x, const Array<float>&) {
    return reshape(x, {x.shape()[0], layer.channels, layer.height, layer.width});
}
inline Var<float> apply(const report::Conv2d& layer, const Var<float>& x, const Array<float>&) {
    return conv2d(x, x.tape().constant(layer.weight), x.tape().constant(layer.bias),
                  {.stride = layer.stride, .padding = layer.padding});
}
inline Var<float> apply(const report::ConvTranspose2d& layer, const Var<float>& x, const Array<float>&) {
    return conv_transpose2d(x, x.tape().constant(layer.weight), x.tape().constant(layer.bias),
                            {.stride = layer.stride, .padding = layer.padding, .output_padding = layer.output_padding});
}

/// The library's own arithmetic on the layers of a report: (count, inputs) to (count, outputs).
inline Array<float> apply(const report::Network& network, const Array<float>& inputs, const Array<float>& labels) {
    Tape<float> tape({.inference = true});
    Var<float> x = tape.constant(inputs);
    for (const report::Layer& layer : network) {
        x = std::visit([&](const auto& each) { return apply(each, x, labels); }, layer);
    }
    return reshape(x, {inputs.shape()[0], autograd::inferred}).value();
}

/// Six frames of a film whose dots move.
inline std::vector<Frame> film(std::size_t latent, Rng& rng) {
    std::vector<Frame> result;
    Array<float> codes = weights({latent == 2 ? test_images / 2 : 0, latent == 2 ? latent : 0}, rng, 0.1F);
    for (const std::size_t step : {0u, 10u, 30u, 40u, 80u, 120u}) {
        Array<std::uint8_t> pictures = autograd::empty<std::uint8_t>({10, rows * columns});
        const Array<float> noise = rng.uniform<float>(pictures.shape());
        for (std::size_t i = 0; i < noise.size(); ++i) pictures.data()[i] = static_cast<std::uint8_t>(255 * noise.data()[i]);
        const double reconstruction = 230 + 300 / (1.0 + static_cast<double>(step)), kl = static_cast<double>(step) / 10;
        result.push_back({step, {reconstruction + kl, reconstruction, kl}, codes, pictures});
        for (float& value : codes) value *= 2;
    }
    return result;
}

inline report::Explorer explorer(std::size_t latent, std::size_t labels, Rng rng) {
    report::Explorer result;
    result.latent = latent;
    result.labels = labels;
    const auto decoder = labels == 0 ? mlp : convolutional;
    result.ae = decoder(latent, labels, rng);
    result.vae = decoder(latent, labels, rng);
    result.ae_encoder = encoder(latent, labels, false, rng);
    result.ae_encoder->mean.bias(0) += 4;  // so that codes lie outside of where random ones fall
    result.vae_encoder = encoder(latent, labels, true, rng);
    result.ae_film = film(latent, rng);
    result.vae_film = film(latent, rng);
    result.ae_code = weights({test_images, latent}, rng, 3);
    result.vae_mean = weights({test_images, latent}, rng, 0.9F);
    result.vae_log_variance = weights({test_images, latent}, rng, 0.3F);
    for (float& value : result.vae_log_variance) value -= 2;
    for (std::size_t i = 0; i < latent; ++i) result.kl.push_back(static_cast<double>(i) / 3);
    if (latent == 2) {
        result.ae_holes = report::HoleMap{4, rng.uniform<float>({9, 9})};
        result.vae_holes = report::HoleMap{3.5, rng.uniform<float>({9, 9})};
        result.holes_meaning = "random numbers.";
    }
    result.draws = {{"a mixture", weights({7, latent}, rng, 1), weights({7, latent}, rng, 1)}};
    return result;
}

inline std::vector<EpochRecord> epochs(double start) {
    std::vector<EpochRecord> result;
    for (int i = 0; i < 3; ++i) {
        const double kl = 6.0 + i, train = start - 5 * i, test = start - 4 * i;
        result.push_back({result.size() + 1, {train + kl, train, kl}, {test + kl, test, kl}});
    }
    return result;
}

inline report::ScoreTable scores() {
    return {"Samples",
            "Scores of nothing real.",
            {{"distance", "Distance", "How far.", Better::lower},
             {"coverage", "Coverage", "How much.", Better::higher},
             {"size", "Size", "", Better::neither}},
            {{"real, held out", "", {Estimate{0.48, 0.02}, Estimate{0.97, 0.01}, std::nullopt}, true},
             {"z ~ N(0, I)", "AE", {Estimate{205, 8}, Estimate{0.08, 0.01}, Estimate{-0.6, std::nullopt}}},
             {"z ~ N(0, I)", "VAE", {Estimate{53, 2}, Estimate{0.58, 0.02}, Estimate{1008, 30.0}}}}};
}

/// A step of a VAE that was never trained.
inline report::Computation computation(const Array<float>& images, Rng rng) {
    const Autoencoder vae({.rows = rows, .columns = columns, .hidden = 40, .latent = 2}, rng);
    return computation_of(vae, {images, {}}, 0, 0.5F, rng).value();
}

/// A pair with a plane and one with sliders, whose decoders are convolutional and take a label.
inline report::Report make(std::uint64_t seed) {
    Rng rng(seed);
    report::Report result;
    result.title = "Random models";
    result.settings = {{"Seed", std::to_string(seed)}, {"Data", "none"}};
    result.findings = {"Nothing was learned.", "1 < 2 & 3 > 2."};
    result.test = {rows, columns, {"first", "second", "third"}, {}, rng.uniform<float>({seen_images, rows * columns})};
    for (std::size_t i = 0; i < test_images; ++i) result.test.labels.push_back(static_cast<int>(i % classes));
    result.explorers = {explorer(5, classes, rng.stream("sliders")), explorer(2, 0, rng.stream("plane"))};
    result.computation = computation(result.test.pixels, rng.stream("computation"));
    result.curves = {{"Random numbers", epochs(230), epochs(245), 190.0}, {"No floor", epochs(3), epochs(4), std::nullopt}};
    result.galleries = {
        {"noise",
         "Noise",
         "Rows of noise.",
         {{"AE", rng.uniform<float>({5, rows * columns}), 5}, {"VAE", rng.uniform<float>({3, rows * columns}), 5}}}};
    result.scores = {scores()};
    result.beta = {{0.1, {0, 219, 47.6}, 20, {}}, {1, {0, 228.2, 16.2}, 19, {}}, {4, {0, 252, 6.1}, 10, {}}};
    return result;
}

}  // namespace random_report
