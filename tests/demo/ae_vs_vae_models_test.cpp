// The example's networks and losses, in this program: sizes of every kind, losses against their formulas, and what the
// learning rate and the KL term's weight do over a run.
#include <cmath>
#include <numbers>
#include <string>

#include "examples/ae_vs_vae/models.hpp"
#include "examples/ae_vs_vae/schedules.hpp"
#include "tests/catch.hpp"
#include "tests/files.hpp"

using autograd::Array;
using autograd::Rng;
using autograd::Shape;
using autograd::Tape;

namespace {

constexpr Likelihood likelihoods[] = {Likelihood::bernoulli, Likelihood::gaussian, Likelihood::continuous_bernoulli};

NetworkOptions small(Architecture architecture, Likelihood likelihood, std::size_t classes) {
    return {.rows = 5,
            .columns = 6,
            .hidden = 7,
            .latent = 3,
            .classes = classes,
            .architecture = architecture,
            .likelihood = likelihood};
}

/// Image i of `count`, and its class i % 4.
Batch images(Tape<float>& tape, std::size_t first, std::size_t count, bool labels) {
    Array<float> x = autograd::empty<float>({count, 30}), classes = autograd::full<float>({count, 4}, 0);
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t k = 0; k < 30; ++k) x(i, k) = static_cast<float>((7 * (first + i) + 5 * k) % 11) / 10;
        classes(i, (first + i) % 4) = 1;
    }
    Batch batch{tape.constant(std::move(x))};
    if (labels) batch.labels = tape.constant(std::move(classes));
    return batch;
}

}  // namespace

TEST_CASE("example models: images of any size go through, and come back in their size") {
    Tape<float> tape({.inference = true});
    for (const Architecture architecture : {Architecture::mlp, Architecture::conv}) {
        for (const auto& [rows, columns] : {std::pair{1, 1}, {2, 9}, {8, 8}, {28, 28}, {31, 17}, {128, 127}}) {
            INFO(static_cast<int>(architecture) << ' ' << rows << " x " << columns);
            Rng rng{1};
            const auto height = static_cast<std::size_t>(rows), width = static_cast<std::size_t>(columns);
            const NetworkOptions options{
                .rows = height, .columns = width, .hidden = 5, .latent = 2, .architecture = architecture};
            const Autoencoder model(options, rng);
            const auto x = tape.constant(autograd::full<float>({3, height * width}, 0.5f));
            const auto z = model.encoder.code({x});
            CHECK(z.shape() == Shape{3, 2});
            CHECK(model.decoder(z).shape() == x.shape());
            CHECK(model.encoder.convolutions.empty() == (architecture == Architecture::mlp));
            CHECK(model.encoder.convolutions.size() == model.decoder.convolutions.size());
            if (rows == 28 && architecture == Architecture::conv) CHECK(model.encoder.convolutions.size() == 2);
            tape.clear();
        }
    }
}

TEST_CASE("example models: every parameter of a VAE gets a gradient, and of an autoencoder all but the variance head") {
    for (const Architecture architecture : {Architecture::mlp, Architecture::conv}) {
        for (const Likelihood likelihood : likelihoods) {
            Rng rng{2};
            const Autoencoder model(small(architecture, likelihood, 4), rng);
            Tape<float> tape;
            const Batch batch = images(tape, 0, 4, true);
            const auto vae = backward(vae_loss(model, batch, 1, 2, rng).loss);
            const auto ae = backward(autoencoder_loss(model, batch).loss);
            nn::for_each_parameter(model, [&](const std::string& name, const auto& parameter) {
                INFO(static_cast<int>(architecture) << ' ' << static_cast<int>(likelihood) << ' ' << name);
                double size = 0;
                for (const float g : vae[parameter]) size += std::fabs(static_cast<double>(g));
                CHECK(size > 0);
                CHECK(std::isfinite(size));
                // Both losses stand on one tape, where the head is used by the VAE alone.
                CHECK((ae.find(parameter) != nullptr) == (name.find("encoder.log_variance") != 0));
            });
        }
    }
}

// Trap: a mean in place of a sum, or a short last batch that counts as a whole one.
TEST_CASE("example models: the loss of an image does not depend on the images beside it") {
    for (const Likelihood likelihood : likelihoods) {
        for (const bool conditional : {false, true}) {
            Rng rng{3};
            const Autoencoder model(small(Architecture::mlp, likelihood, conditional ? 4 : 0), rng);
            Tape<float> tape({.inference = true});
            double each = 0, each_kl = 0;
            for (std::size_t i = 0; i < 5; ++i) {
                const Batch one = images(tape, i, 1, conditional);
                each += static_cast<double>(autoencoder_loss(model, one).loss.item()) / 5;
                each_kl += static_cast<double>(vae_loss(model, one, 1, 1, rng).kl.item()) / 5;
            }
            const Batch all = images(tape, 0, 5, conditional);
            CHECK(static_cast<double>(autoencoder_loss(model, all).loss.item()) == Approx(each).epsilon(1e-5));
            CHECK(static_cast<double>(vae_loss(model, all, 1, 1, rng).kl.item()) == Approx(each_kl).epsilon(1e-5));
        }
    }
}

TEST_CASE("example models: the reconstruction losses are the formulas, summed over pixels") {
    Rng rng{4};
    Tape<float> tape({.inference = true});
    const Batch batch = images(tape, 0, 1, false);
    for (const Likelihood likelihood : likelihoods) {
        INFO(static_cast<int>(likelihood));
        const Autoencoder model(small(Architecture::mlp, likelihood, 0), rng);
        const auto logits = model.decoder(model.encoder.code(batch));
        double expected = 0;
        for (std::size_t k = 0; k < 30; ++k) {
            const double x = batch.x.value()(0, k), logit = logits.value()(0, k), p = 1 / (1 + std::exp(-logit));
            const double cross_entropy = -x * std::log(p) - (1 - x) * std::log(1 - p), variance = std::exp(-2.3);
            switch (likelihood) {
                case Likelihood::bernoulli: expected += cross_entropy; break;
                case Likelihood::gaussian:
                    expected += 0.5 * std::log(2 * std::numbers::pi * variance) + (x - p) * (x - p) / (2 * variance);
                    break;
                case Likelihood::continuous_bernoulli:
                    expected += cross_entropy - std::log(2 * std::atanh(1 - 2 * p) / (1 - 2 * p));
                    break;
            }
        }
        CHECK(static_cast<double>(autoencoder_loss(model, batch).loss.item()) == Approx(expected).epsilon(1e-5));
    }
}

// What a decoder of constant pictures comes to, whose variance falls for as long as it is trained. White pixels are
// exact there: a logit of 100 is a sigmoid of 1.
TEST_CASE("example models: a Gaussian reconstruction loss is finite at exact pixels, however small the variance") {
    Rng rng{1};
    Decoder decoder(small(Architecture::mlp, Likelihood::gaussian, 0), rng);
    for (const float log_variance : {-80.0f, -100.0f, -200.0f, -1000.0f}) {
        INFO(log_variance);
        decoder.log_variance.front().mutable_value()() = log_variance;
        Tape<float> tape;
        const auto logits = tape.variable(Array<float>{100, 100, -200});
        const auto loss = sum(decoder.negative_log_prob(logits, tape.constant(Array<float>{1, 1, 0})));
        CHECK(loss.item() == Approx(1.5 * (std::log(2 * std::numbers::pi) + static_cast<double>(log_variance))));
        const auto gradients = backward(loss);
        for (const float each : gradients[logits]) CHECK(each == 0);
        CHECK(gradients[decoder.log_variance.front()]() == 1.5f);
    }
}

TEST_CASE("example models: beta weighs the KL term, and samples of one image differ") {
    Rng rng{5};
    const Autoencoder model(small(Architecture::mlp, Likelihood::bernoulli, 0), rng);
    Tape<float> tape({.inference = true});
    const Batch batch = images(tape, 0, 4, false);
    Rng noise{6};
    const Loss one = vae_loss(model, batch, 3, 1, noise);
    CHECK(static_cast<double>(one.loss.item()) == Approx(one.reconstruction.item() + 3 * one.kl.item()).epsilon(1e-6));
    CHECK(one.kl.item() > 0);
    // With L samples the noise is L times as long; if the samples were the same, so would the losses be.
    Rng replay{6};
    CHECK(vae_loss(model, batch, 3, 2, replay).reconstruction.item() != one.reconstruction.item());
}

TEST_CASE("example models: what a conditional model is told matters, and it must be told") {
    Rng rng{7};
    const Autoencoder model(small(Architecture::conv, Likelihood::bernoulli, 4), rng);
    Tape<float> tape({.inference = true});
    const Batch batch = images(tape, 0, 4, true), others = images(tape, 1, 4, true);
    const auto z = model.encoder.code(batch);
    CHECK((model.encoder.code({batch.x, others.labels}).value() != z.value()));
    CHECK((model.decoder(z, batch.labels).value() != model.decoder(z, others.labels).value()));
    CHECK_THROWS_AS(model.encoder.code({batch.x}), autograd::ShapeError);
    CHECK_THROWS_AS(model.decoder(z), autograd::ShapeError);
}

TEST_CASE("example schedules: learning rates") {
    Options options;
    options.epochs = 4;
    options.lr = 0.5;
    const auto rate = [&](std::size_t step) { return learning_rate(options, {step, 10}); };
    CHECK(rate(0) == 0.5);
    CHECK(rate(39) == 0.5);
    options.schedule = Schedule::cosine;
    CHECK(rate(0) == 0.5);
    CHECK(rate(10) == Approx(0.25 * (1 + std::sqrt(0.5))));
    CHECK(rate(20) == Approx(0.25));
    CHECK(rate(39) > 0);
    CHECK(rate(39) < 0.001);
    options.schedule = Schedule::step;
    CHECK(rate(19) == 0.5);
    CHECK(rate(20) == Approx(0.05));
    CHECK(rate(30) == Approx(0.005));
}

TEST_CASE("example schedules: the KL term's weight") {
    Options options;
    options.epochs = 4;
    const auto factor = [&](std::size_t step) { return kl_factor(options, {step, 10}); };
    CHECK(factor(0) == 1);
    CHECK(factor(39) == 1);
    options.kl_warmup = 1.5;
    CHECK(factor(0) == 0);
    CHECK(factor(3) == Approx(0.2));
    CHECK(factor(15) == 1);
    CHECK(factor(39) == 1);
    options.kl_warmup = 0;
    options.kl_cycles = 2;  // of 20 steps, rising for 10
    CHECK(factor(0) == 0);
    CHECK(factor(5) == Approx(0.5));
    CHECK(factor(10) == 1);
    CHECK(factor(19) == 1);
    CHECK(factor(20) == 0);
    CHECK(factor(25) == Approx(0.5));
}
