// The network, and the two ways to train it. An autoencoder and a VAE differ in nothing but the loss: compare the two
// functions at the end of this file.
#pragma once

#include <algorithm>
#include <autograd/autograd.hpp>
#include <cstddef>
#include <functional>
#include <nn/nn.hpp>
#include <optional>
#include <vector>

#include "options.hpp"

using autograd::Var;

/// What a network is made for.
struct NetworkOptions {
    std::size_t rows, columns;  ///< of an image
    std::size_t hidden, latent;
    std::size_t classes = 0;  ///< which it is told of each image; 0 for a network which is not conditional
    Architecture architecture = Architecture::mlp;
    Likelihood likelihood = Likelihood::bernoulli;
};

/// Images as rows, (count, rows * columns), and for conditional models their classes, one-hot, (count, classes).
struct Batch {
    Var<float> x;
    std::optional<Var<float>> labels{};
};

/// [v, labels], or v where there are none.
inline Var<float> with_labels(const Var<float>& v, const std::optional<Var<float>>& labels) {
    return labels ? autograd::concat({v, *labels}, 1) : v;
}

/// The pictures between two convolutions.
struct FeatureMap {
    std::size_t channels, rows, columns;

    std::size_t size() const { return channels * rows * columns; }
};

/// The image, and what each convolution makes of it: half the side, rounded up, until that is at most 8, and 16, 32,
/// then 64 channels. Only the image where there are no convolutions.
inline std::vector<FeatureMap> feature_maps(const NetworkOptions& options) {
    std::vector<FeatureMap> maps{{1, options.rows, options.columns}};
    if (options.architecture == Architecture::mlp) return maps;
    std::size_t channels = 16;
    do {
        maps.push_back({channels, (maps.back().rows + 1) / 2, (maps.back().columns + 1) / 2});
        channels = std::min<std::size_t>(2 * channels, 64);
    } while (std::max(maps.back().rows, maps.back().columns) > 8);
    return maps;
}

struct Encoder {
    std::vector<FeatureMap> maps;
    std::vector<nn::Conv2d> convolutions;  ///< none in an MLP
    nn::Linear hidden;
    nn::Linear mean;
    nn::Linear log_variance;

    static constexpr auto members = nn::members("convolutions", &Encoder::convolutions, "hidden", &Encoder::hidden,  //
                                                "mean", &Encoder::mean, "log_variance", &Encoder::log_variance);

    Encoder(const NetworkOptions& options, autograd::Rng& rng)
        : maps(feature_maps(options)),
          convolutions(make_convolutions(maps, rng)),
          hidden(maps.back().size() + options.classes, options.hidden, rng),
          mean(options.hidden, options.latent, rng),
          log_variance(options.hidden, options.latent, rng) {}

    /// One code for each image: what the autoencoder uses.
    Var<float> code(const Batch& batch) const { return mean(features(batch)); }

    /// q(z|x), a normal distribution for each image: what the VAE uses. The log variance is bounded here, for all its
    /// uses, because exp overflows a float at 88. (Beyond the bounds it has no gradient; training does not come near
    /// them.)
    nn::Normal<float> posterior(const Batch& batch) const {
        const auto h = features(batch);
        return {mean(h), clip(log_variance(h), -20.0f, 20.0f)};
    }

   private:
    Var<float> features(const Batch& batch) const {
        auto h = batch.x;
        const std::size_t count = h.shape()[0];
        for (std::size_t i = 0; i < convolutions.size(); ++i) {
            h = reshape(h, {count, maps[i].channels, maps[i].rows, maps[i].columns});
            h = relu(convolutions[i](h));
        }
        if (!convolutions.empty()) h = reshape(h, {count, maps.back().size()});
        return relu(hidden(with_labels(h, batch.labels)));
    }
    static std::vector<nn::Conv2d> make_convolutions(const std::vector<FeatureMap>& maps, autograd::Rng& rng) {
        std::vector<nn::Conv2d> layers;
        for (std::size_t i = 1; i < maps.size(); ++i) {
            layers.emplace_back(maps[i - 1].channels, maps[i].channels, 3, rng,
                                autograd::Convolution{.stride = 2, .padding = 1});
        }
        return layers;
    }
};

struct Decoder {
    Likelihood likelihood;
    std::vector<FeatureMap> maps;
    nn::Linear hidden;
    nn::Linear pixels;                              ///< in a network of convolutions, those of the smallest feature map
    std::vector<nn::ConvTranspose2d> convolutions;  ///< none in an MLP
    /// Of a Gaussian likelihood, else empty: log s^2, one for all pixels, learnt with the rest. It begins at a variance
    /// of 0.1, which pixels of MNIST and its relatives have.
    std::vector<autograd::Parameter<float>> log_variance;

    static constexpr auto members = nn::members("hidden", &Decoder::hidden, "pixels", &Decoder::pixels,  //
                                                "convolutions", &Decoder::convolutions,                  //
                                                "log_variance", &Decoder::log_variance);

    Decoder(const NetworkOptions& options, autograd::Rng& rng)
        : likelihood(options.likelihood),
          maps(feature_maps(options)),
          hidden(options.latent + options.classes, options.hidden, rng),
          pixels(options.hidden, maps.back().size(), rng),
          convolutions(make_convolutions(maps, rng)) {
        if (likelihood == Likelihood::gaussian) log_variance.emplace_back(autograd::full<float>({}, -2.3f));
    }

    /// Logits of the pixels, (count, rows * columns). `labels` as in Batch.
    Var<float> operator()(const Var<float>& z, const std::optional<Var<float>>& labels = {}) const {
        const std::size_t count = z.shape()[0];
        auto y = pixels(relu(hidden(with_labels(z, labels))));
        for (std::size_t i = 0; i < convolutions.size(); ++i) {
            const FeatureMap& map = maps[convolutions.size() - i];
            y = convolutions[i](relu(reshape(y, {count, map.channels, map.rows, map.columns})));
        }
        return convolutions.empty() ? y : reshape(y, {count, maps.front().size()});
    }

    /// The images themselves: each pixel's mean under p(x|z).
    Var<float> images(const Var<float>& logits) const {
        return likelihood == Likelihood::continuous_bernoulli ? nn::ContinuousBernoulli{logits}.mean() : sigmoid(logits);
    }

    /// -log p(x|z) of each pixel. Of Bernoulli's distribution on grey pixels it is a cross-entropy, no likelihood.
    Var<float> negative_log_prob(const Var<float>& logits, const Var<float>& x) const {
        switch (likelihood) {
            case Likelihood::gaussian: {
                const auto variance = broadcast_to(x.tape().parameter(log_variance.front()), x.shape());
                return -nn::Normal{sigmoid(logits), variance}.log_prob(x);
            }
            case Likelihood::continuous_bernoulli: return -nn::ContinuousBernoulli{logits}.log_prob(x);
            case Likelihood::bernoulli: break;
        }
        return nn::binary_cross_entropy_with_logits(logits, x);
    }

   private:
    static std::vector<nn::ConvTranspose2d> make_convolutions(const std::vector<FeatureMap>& maps, autograd::Rng& rng) {
        std::vector<nn::ConvTranspose2d> layers;
        for (std::size_t i = maps.size() - 1; i > 0; --i) {
            const FeatureMap &from = maps[i], &to = maps[i - 1];
            const autograd::Size2d output_padding{1 - to.rows % 2, 1 - to.columns % 2};  // what rounding up had added
            layers.emplace_back(from.channels, to.channels, 3, rng,
                                autograd::TransposedConvolution{.stride = 2, .padding = 1, .output_padding = output_padding});
        }
        return layers;
    }
};

struct Autoencoder {
    Encoder encoder;
    Decoder decoder;

    static constexpr auto members = nn::members("encoder", &Autoencoder::encoder, "decoder", &Autoencoder::decoder);

    Autoencoder(const NetworkOptions& options, autograd::Rng& rng) : encoder(options, rng), decoder(options, rng) {}
};

/// In nats per image: summed over pixels and latent dimensions, averaged over the batch. loss = reconstruction + beta
/// kl.
struct Loss {
    Var<float> loss;
    Var<float> reconstruction;
    Var<float> kl;
};

/// -log p(x|z), averaged over the rows.
inline Var<float> reconstruction_loss(const Decoder& decoder, const Var<float>& z, const Batch& batch) {
    return sum(decoder.negative_log_prob(decoder(z, batch.labels), batch.x)) / static_cast<float>(batch.x.shape()[0]);
}

/// Each row `times` times: (rows, columns) becomes (times * rows, columns).
inline Var<float> repeat_rows(const Var<float>& x, std::size_t times) { return times == 1 ? x : tile(x, {times, 1}); }

inline Batch repeat_rows(const Batch& batch, std::size_t times) {
    Batch repeated{repeat_rows(batch.x, times)};
    if (batch.labels) repeated.labels = repeat_rows(*batch.labels, times);
    return repeated;
}

/// The autoencoder: encode, decode, compare.
inline Loss autoencoder_loss(const Autoencoder& model, const Batch& batch) {
    const auto z = model.encoder.code(batch);
    const auto reconstruction = reconstruction_loss(model.decoder, z, batch);
    return {reconstruction, reconstruction, batch.x.tape().constant(0.0f)};
}

/// How z comes from N(mu, sigma^2), sigma^2 by its logarithm.
using Draw = std::function<Var<float>(const Var<float>& mu, const Var<float>& log_variance, autograd::Rng& rng)>;

inline Var<float> reparameterised(const Var<float>& mu, const Var<float>& log_variance, autograd::Rng& rng) {
    // Drawing z from N(mu, sigma^2) has no gradient. Moving the randomness into a leaf gives it one.
    const auto z = mu + exp(0.5f * log_variance) * normal_like(mu, rng);
    return z;
}

/// The VAE: encode to a distribution, draw from it, decode, compare; and hold the distribution near N(0, I).
/// (Kingma and Welling 2013, equation 10, with `samples` as L; beta: Higgins et al. 2017.) Training has no other `draw`.
inline Loss vae_loss(const Autoencoder& model, const Batch& batch, float beta, std::size_t samples, autograd::Rng& rng,
                     const Draw& draw = reparameterised) {
    const auto q = model.encoder.posterior(batch);
    const auto mu = repeat_rows(q.mean, samples);
    const auto log_variance = repeat_rows(q.log_variance, samples);
    const auto z = draw(mu, log_variance, rng);
    const auto reconstruction = reconstruction_loss(model.decoder, z, repeat_rows(batch, samples));
    const auto kl = sum(kl_divergence(q, nn::StandardNormal{})) / static_cast<float>(batch.x.shape()[0]);
    return {reconstruction + beta * kl, reconstruction, kl};
}
