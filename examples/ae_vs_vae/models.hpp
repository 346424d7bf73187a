// The network, and the two ways to train it. An autoencoder and a VAE differ in nothing but the loss: compare the two
// functions at the end of this file.
#pragma once

#include <autograd/autograd.hpp>
#include <cstddef>
#include <nn/nn.hpp>

using autograd::Var;

struct Encoder {
    nn::Linear hidden;
    nn::Linear mean;
    nn::Linear log_variance;

    static constexpr auto members = nn::members("hidden", &Encoder::hidden, "mean", &Encoder::mean,  //
                                                "log_variance", &Encoder::log_variance);

    Encoder(std::size_t pixels, std::size_t units, std::size_t latent, autograd::Rng& rng)
        : hidden(pixels, units, rng), mean(units, latent, rng), log_variance(units, latent, rng) {}

    /// One code for each row of x: what the autoencoder uses.
    Var<float> code(const Var<float>& x) const { return mean(relu(hidden(x))); }

    /// q(z|x), a normal distribution for each row of x: what the VAE uses. The log variance is bounded here, for all its
    /// uses, because exp overflows a float at 88. (Beyond the bounds it has no gradient; training does not come near them.)
    nn::Normal<float> posterior(const Var<float>& x) const {
        const auto features = relu(hidden(x));
        return {mean(features), clip(log_variance(features), -20.0f, 20.0f)};
    }
};

struct Decoder {
    nn::Linear hidden;
    nn::Linear pixels;

    static constexpr auto members = nn::members("hidden", &Decoder::hidden, "pixels", &Decoder::pixels);

    Decoder(std::size_t pixel_count, std::size_t units, std::size_t latent, autograd::Rng& rng)
        : hidden(latent, units, rng), pixels(units, pixel_count, rng) {}

    /// Logits of the pixels.
    Var<float> operator()(const Var<float>& z) const { return pixels(relu(hidden(z))); }
};

struct Autoencoder {
    Encoder encoder;
    Decoder decoder;

    static constexpr auto members = nn::members("encoder", &Autoencoder::encoder, "decoder", &Autoencoder::decoder);

    Autoencoder(std::size_t pixels, std::size_t units, std::size_t latent, autograd::Rng& rng)
        : encoder(pixels, units, latent, rng), decoder(pixels, units, latent, rng) {}
};

/// In nats per image: summed over pixels and latent dimensions, averaged over the batch. loss = reconstruction + beta kl.
struct Loss {
    Var<float> loss;
    Var<float> reconstruction;
    Var<float> kl;
};

/// -log p(x|z) of a Bernoulli decoder, averaged over the rows. On grey pixels this is a cross-entropy, no likelihood.
inline Var<float> reconstruction_loss(const Var<float>& logits, const Var<float>& x) {
    return sum(nn::binary_cross_entropy_with_logits(logits, x)) / static_cast<float>(x.shape()[0]);
}

/// Each row `times` times: (rows, columns) becomes (times * rows, columns).
inline Var<float> repeat_rows(const Var<float>& x, std::size_t times) {
    if (times == 1) return x;
    const std::size_t rows = x.shape()[0], columns = x.shape()[1];
    return reshape(broadcast_to(x, {times, rows, columns}), {times * rows, columns});
}

/// The autoencoder: encode, decode, compare.
inline Loss autoencoder_loss(const Autoencoder& model, const Var<float>& x) {
    const auto z = model.encoder.code(x);
    const auto reconstruction = reconstruction_loss(model.decoder(z), x);
    return {reconstruction, reconstruction, x.tape().constant(0.0f)};
}

/// The VAE: encode to a distribution, draw from it, decode, compare; and hold the distribution near N(0, I).
/// (Kingma and Welling 2013, equation 10, with `samples` as L; beta: Higgins et al. 2017.)
inline Loss vae_loss(const Autoencoder& model, const Var<float>& x, float beta, std::size_t samples, autograd::Rng& rng) {
    const auto q = model.encoder.posterior(x);
    const auto mu = repeat_rows(q.mean, samples);
    const auto log_variance = repeat_rows(q.log_variance, samples);
    // Drawing z from N(mu, sigma^2) has no gradient. Moving the randomness into a leaf gives it one.
    const auto z = mu + exp(0.5f * log_variance) * normal_like(mu, rng);
    const auto reconstruction = reconstruction_loss(model.decoder(z), repeat_rows(x, samples));
    const auto kl = sum(kl_divergence(q, nn::StandardNormal{})) / static_cast<float>(x.shape()[0]);
    return {reconstruction + beta * kl, reconstruction, kl};
}
