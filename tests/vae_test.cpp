// A whole VAE, small: its loss has the right gradient in every parameter, and training it learns what it should.
#include <nn/nn.hpp>

#include <cmath>
#include <string>
#include <vector>

#include "catch.hpp"

using autograd::Array;
using autograd::Rng;
using autograd::Tape;
using autograd::Var;

namespace {

constexpr std::size_t pixels = 16;

template <class T>
struct Vae {
    nn::BasicLinear<T> hidden, mean, log_variance, decoder, logits;
    static constexpr auto members =
        nn::members("hidden", &Vae::hidden, "mean", &Vae::mean, "log_variance", &Vae::log_variance,  //
                    "decoder", &Vae::decoder, "logits", &Vae::logits);

    Vae(std::size_t width, std::size_t latent, Rng& rng)
        : hidden(pixels, width, rng),
          mean(width, latent, rng),
          log_variance(width, latent, rng),
          decoder(latent, width, rng),
          logits(width, pixels, rng) {}

    /// Nats per image, one draw each.
    Var<T> loss(const Var<T>& x, Rng& noise) const {
        const Var<T> h = tanh(hidden(x));
        const nn::Normal q{mean(h), log_variance(h)};
        const Var<T> reconstruction = logits(tanh(decoder(q.rsample(noise))));
        return (sum(nn::binary_cross_entropy_with_logits(reconstruction, x)) +
                sum(kl_divergence(q, nn::StandardNormal{}))) /
               static_cast<T>(x.shape()[0]);
    }
};

/// Pictures of 4 x 4 with one bright row, the same number of each.
template <class T>
Array<T> bright_rows(std::size_t count) {
    Array<T> images = autograd::full<T>({count, pixels}, T(0));
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t k = 0; k < 4; ++k) images(i, 4 * (i % 4) + k) = T(1);
    }
    return images;
}

}  // namespace

TEST_CASE("the VAE's loss has the right gradient in each of its parameters", "[vae]") {
    Rng rng{3};
    Vae<double> model(3, 2, rng);
    const Array<double> x = bright_rows<double>(5);
    Tape<double> tape;
    const auto loss = [&] {
        Rng noise{8};
        return model.loss(tape.constant(x), noise);
    };
    const auto grads = backward(loss());
    nn::for_each_parameter(model, [&](const std::string& name, autograd::Parameter<double>& parameter) {
        INFO(name);
        const Array<double> gradient = grads[parameter];
        for (std::size_t i = 0; i < gradient.size(); ++i) {
            const auto at = [&](double step) {
                parameter.mutable_value().data()[i] += step;
                tape.clear();
                const double value = loss().item();
                parameter.mutable_value().data()[i] -= step;
                return value;
            };
            // Central differences: h^2 / 6 times a third derivative of order 10, and rounding 1e-15 * 20 / h.
            const double h = 1e-5;
            CHECK(std::fabs((at(h) - at(-h)) / (2 * h) - gradient.data()[i]) < 1e-8);
        }
    });
}

// A decoder which ignores z can do no better than each pixel's own frequency, 16 H(1/4) = 9.0 nats, with H the entropy
// of a coin. One which uses it needs log 4 = 1.4 nats for which row it is, and what Gaussians waste beside that.
TEST_CASE("a VAE learns to use its latent variables, and its decoder draws pictures like the data", "[vae]") {
    Rng rng{1};
    Vae<float> model(16, 2, rng);
    Rng noise = rng.stream("noise");
    nn::Adam adam({.lr = 0.02});
    Tape<float> tape;
    nn::attach(tape, model);
    const Array<float> images = bright_rows<float>(64);
    const auto evaluate = [&] {
        tape.clear();
        Rng draws = rng.stream("evaluation");
        double total = 0;
        for (int i = 0; i < 20; ++i) total += static_cast<double>(model.loss(tape.constant(images), draws).item());
        return total / 20;
    };
    const double blind = -16 * (0.25 * std::log(0.25) + 0.75 * std::log(0.75));
    CHECK(evaluate() > blind);
    for (int step = 0; step < 400; ++step) {
        tape.clear();
        adam.step(model, backward(model.loss(tape.constant(images), noise)));
    }
    CHECK(evaluate() < blind / 2);

    // From random z: pictures whose rows are each of one brightness.
    tape.clear();
    const auto z = tape.constant(rng.stream("samples").normal<float>({200, 2}));
    const Array<float> samples = sigmoid(model.logits(tanh(model.decoder(z)))).value();
    std::size_t good = 0;
    for (std::size_t i = 0; i < 200; ++i) {
        std::size_t bright = 0;
        for (std::size_t row = 0; row < 4; ++row) {
            const auto lit = [&](std::size_t k) { return samples(i, 4 * row + k) > 0.5F; };
            bright += lit(0) && lit(1) && lit(2) && lit(3);
        }
        good += bright == 1;
    }
    INFO(good << " of 200 samples have one bright row");
    CHECK(good > 120);
}
