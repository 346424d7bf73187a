// A whole VAE, small: its loss has the right gradient in every parameter, and training it learns what it should.
#include <nn/nn.hpp>

#include <cmath>
#include <string>
#include <vector>

#include "tests/catch.hpp"

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
        return (sum(nn::binary_cross_entropy_with_logits(reconstruction, x)) + sum(kl_divergence(q, nn::StandardNormal{}))) /
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
    const Vae<double> model(3, 2, rng);
    const Array<double> x = bright_rows<double>(5);
    const auto loss = [&](const Vae<double>& vae, Tape<double>& tape, Rng& noise) { return vae.loss(tape.constant(x), noise); };
    const auto report = nn::gradcheck(model, loss, Rng{8}, {.order = 2});
    CHECK(report);
    CHECK(report.notes().empty());
    // A loss that holds a layer fixed, in a listing that has it, is told apart.
    const auto partial = [&](const Vae<double>& vae, Tape<double>& tape, Rng& noise) {
        return loss(vae, tape, noise) + sum(stop_gradient(square(tape.parameter(vae.hidden.weight))));
    };
    const auto wrong = nn::gradcheck(model, partial, Rng{8});
    REQUIRE_FALSE(wrong);
    CHECK(wrong.failures().front().input == 0);
}

TEST_CASE("a Hessian-vector product of the VAE's loss agrees with differences of gradients", "[vae]") {
    Rng rng{4};
    Vae<double> model(3, 2, rng);
    const Array<double> x = bright_rows<double>(5);
    Tape<double> tape;
    std::vector<autograd::Parameter<double>*> parameters;
    std::vector<Array<double>> direction;
    nn::for_each_parameter(model, [&](const std::string&, autograd::Parameter<double>& each) {
        parameters.push_back(&each);
        direction.push_back(rng.normal<double>(each.shape()));
    });
    const auto record = [&] {
        tape.clear();
        Rng noise{8};
        return model.loss(tape.constant(x), noise);
    };
    const auto gradients_at = [&](double step) {
        for (std::size_t k = 0; k < parameters.size(); ++k) parameters[k]->mutable_value() += step * direction[k];
        const auto gradients = backward(record());
        std::vector<Array<double>> result;
        for (const auto* each : parameters) result.push_back(gradients[*each]);
        for (std::size_t k = 0; k < parameters.size(); ++k) parameters[k]->mutable_value() -= step * direction[k];
        return result;
    };
    const double h = 1e-5;
    const auto above = gradients_at(h), below = gradients_at(-h);

    const auto gradients = backward(record(), {.create_graph = true});
    std::vector<autograd::Direction<double>> along;
    for (std::size_t k = 0; k < parameters.size(); ++k) along.emplace_back(tape.parameter(*parameters[k]), direction[k]);
    double largest = 0;
    for (std::size_t k = 0; k < parameters.size(); ++k) {
        const auto product = autograd::find_tangent<double>(gradients.var(*parameters[k]), along);
        REQUIRE(product.has_value());
        for (std::size_t i = 0; i < product->size(); ++i) {
            // h^2 / 6 times a fourth derivative of order 100, and rounding 1e-15 * 20 / h.
            CHECK(std::fabs(product->data()[i] - (above[k].data()[i] - below[k].data()[i]) / (2 * h)) < 1e-7);
            largest = std::max(largest, std::fabs(product->data()[i]));
        }
    }
    CHECK(largest > 0.1);
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
