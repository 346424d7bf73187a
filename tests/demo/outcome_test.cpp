// What a training is held against, and when it is said to have diverged or to have learned nothing.
#include "examples/ae_vs_vae/outcome.hpp"

#include <cmath>
#include <numbers>
#include <vector>

#include "tests/catch.hpp"
#include "tests/testing.hpp"

using autograd::Array;
using autograd::Rng;

namespace {

NetworkOptions network_of(Likelihood likelihood, std::size_t rows, std::size_t columns) {
    return {.rows = rows, .columns = columns, .hidden = 8, .latent = 2, .likelihood = likelihood};
}

/// Grey bars at one of four places, by turns.
Data bars(std::size_t count) {
    Array<float> images = autograd::full<float>({count, 16}, 0.1F);
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t k = 0; k < 4; ++k) images(i, 4 * (i % 4) + k) = 0.7F + 0.01F * static_cast<float>(i % 20);
    }
    return {.train = {images, {}}, .test = {images, {}}, .rows = 4, .columns = 4, .classes = 0, .fingerprint = {}};
}

}  // namespace

TEST_CASE("outcome: the mean picture's loss in closed form", "[outcome]") {
    // With the grey picture that counts as another image: (0.2 + 0.6 + 0.5) / 3 and (1 + 1 + 0.5) / 3.
    const ImageSet train{Array<float>{{0.2F, 1.0F}, {0.6F, 1.0F}}, {}}, test{Array<float>{{0.0F, 1.0F}, {0.5F, 0.25F}}, {}};
    const double mean[] = {1.3 / 3, 2.5 / 3};
    const MeanPicture bernoulli(train, network_of(Likelihood::bernoulli, 1, 2));
    const std::vector<double> entropies = bernoulli.losses(test);
    const double squares = std::pow(0.2 - mean[0], 2) + std::pow(0.6 - mean[0], 2) + 2 * std::pow(1 - mean[1], 2);
    const double variance = squares / 4;
    const std::vector<double> gaussian = MeanPicture(train, network_of(Likelihood::gaussian, 1, 2)).losses(test);
    for (std::size_t i = 0; i < 2; ++i) {
        double entropy = 0, negative_log_density = 0;
        for (std::size_t k = 0; k < 2; ++k) {
            const auto x = static_cast<double>(test.images(i, k));
            entropy -= x * std::log(mean[k]) + (1 - x) * std::log(1 - mean[k]);
            negative_log_density += 0.5 * (std::pow(x - mean[k], 2) / variance + std::log(2 * std::numbers::pi * variance));
        }
        CHECK(entropies[i] == Approx(entropy).epsilon(1e-5));
        CHECK(gaussian[i] == Approx(negative_log_density).epsilon(1e-5));
    }
    // l exp(l x) / (exp(l) - 1) has the mean 1 / (1 - exp(-l)) - 1 / l: of l = 2, and of l = -200, near black.
    for (const double l : {2.0, -200.0}) {
        const double middle = 1 / (1 - std::exp(-l)) - 1 / l;
        const auto pixel = static_cast<float>(2 * middle - 0.5);  // the mean of this and a grey one
        const ImageSet one{autograd::full<float>({1, 1}, pixel), {}}, other{autograd::full<float>({1, 1}, 0.25F), {}};
        const MeanPicture continuous(one, network_of(Likelihood::continuous_bernoulli, 1, 1));
        const double log_normaliser = std::log(l / std::expm1(l));
        CHECK(continuous.losses(other)[0] == Approx(-(0.25 * l + log_normaliser)).epsilon(1e-4));
    }
}

TEST_CASE("outcome: pictures that are all black, or all the same grey", "[outcome]") {
    for (const float grey : {0.0F, 0.5F, 1.0F}) {
        const ImageSet set{autograd::full<float>({50, 4}, grey), {}};
        for (const Likelihood likelihood : {Likelihood::bernoulli, Likelihood::gaussian, Likelihood::continuous_bernoulli}) {
            for (const double loss : MeanPicture(set, network_of(likelihood, 2, 2)).losses(set)) CHECK(std::isfinite(loss));
        }
    }
}

TEST_CASE("outcome: learned, learned nothing, diverged", "[outcome]") {
    const Data data = bars(80);
    const NetworkOptions network = network_of(Likelihood::bernoulli, 4, 4);
    Rng rng(1);
    const Autoencoder untrained(network, rng);
    const MeanPicture mean_picture(data.train, network);
    const auto losses = [&](const Autoencoder& model) {
        return reconstruction_losses(model.decoder, encode(model, data.test), data.test);
    };
    const auto judge = [&](const Autoencoder& model) {
        return outcome_of(model, losses(model), untrained, plain_loss, data, 1, mean_picture, Rng(2));
    };
    const auto train_at = [&](double lr, std::size_t steps) {
        Autoencoder model = untrained;
        nn::Adam adam({.lr = lr});
        autograd::Tape<float> tape;
        for (std::size_t step = 0; step < steps; ++step) {
            tape.clear();
            adam.step(model, backward(autoencoder_loss(model, {tape.constant(data.train.images)}).loss));
        }
        return model;
    };
    const Outcome good = judge(train_at(0.02, 400));
    CHECK(good.verdict == Verdict::learned);
    CHECK(good.reconstruction < good.mean_picture);
    CHECK(good.loss_after == Approx(good.reconstruction).epsilon(1e-5));  // here the test images are the training images
    CHECK(judge(untrained).verdict == Verdict::learned_nothing);
    CHECK(judge(train_at(1e-12, 5)).verdict == Verdict::learned_nothing);
    const Outcome bad = judge(train_at(30, 20));
    CHECK(bad.verdict == Verdict::diverged);
    CHECK(bad.loss_after > 1.01 * bad.loss_before);
    CHECK(bad.loss_before == Approx(judge(untrained).loss_after));

    // The mean picture itself, and what differs from it by rounding, is no better than it.
    const std::vector<double> baseline = mean_picture.losses(data.test);
    std::vector<double> rounded = baseline;
    for (double& each : rounded) each *= 1 - 1e-7;
    for (const std::vector<double>& same : {baseline, rounded}) {
        const Outcome none = outcome_of(untrained, same, untrained, plain_loss, data, 1, mean_picture, Rng(2));
        CHECK(none.verdict == Verdict::learned_nothing);
    }
    CHECK(std::string(name_of(Verdict::learned_nothing)) == "learned nothing");
    CHECK(std::string(name_of(Verdict::diverged)) == "diverged");
}

TEST_CASE("outcome: a difference over the same images is surer than that of two means", "[outcome]") {
    const Estimate found = mean_difference({100, 200, 300}, {99, 198, 299});
    CHECK(found.value == Approx(4.0 / 3));
    CHECK(found.standard_error.value() == Approx(1.0 / 3));
    CHECK_FALSE(mean_difference({1, 2}, {0, 1}).standard_error);
}
