// The mean picture is a decoder without weights, so that the formula which judges the models judges it too.
#include "outcome.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "points.hpp"

namespace {

using autograd::Array;
using autograd::Rng;
using autograd::Tape;

constexpr std::size_t most_compared = 5000;  // training images, before and after

/// A decoder whose logits are its bias.
Decoder without_weights(NetworkOptions network) {
    network.architecture = Architecture::mlp;
    network.hidden = network.latent = 1;
    network.classes = 0;
    Rng unused(0);
    Decoder decoder(network, unused);
    for (float& each : decoder.pixels.weight.mutable_value()) each = 0;
    return decoder;
}

/// The logits of which the decoder makes `picture`, by bisection: of every likelihood the mean rises with the logit.
Array<float> logits_of(const Decoder& decoder, const Array<double>& picture) {
    Array<float> low = autograd::full<float>(picture.shape(), -1e6F), high = autograd::full<float>(picture.shape(), 1e6F);
    Array<float> middle = autograd::full<float>(picture.shape(), 0.0F);
    Tape<float> tape({.inference = true});
    for (int step = 0; step < 60; ++step) {
        const Array<float>& made = decoder.images(tape.constant(middle)).value();
        for (std::size_t i = 0; i < picture.size(); ++i) {
            const bool too_dark = static_cast<double>(made.data()[i]) < picture.data()[i];
            (too_dark ? low : high).data()[i] = middle.data()[i];
            middle.data()[i] = (low.data()[i] + high.data()[i]) / 2;
        }
        tape.clear();
    }
    return middle;
}

double mean_square_around(const Array<double>& picture, const Array<float>& images) {
    double squares = 0;
    for (std::size_t i = 0; i < images.size(); ++i) {
        const double off = static_cast<double>(images.data()[i]) - picture.data()[i % picture.size()];
        squares += off * off;
    }
    return squares / static_cast<double>(images.size());
}

double mean(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

MeanPicture::MeanPicture(const ImageSet& train, const NetworkOptions& network) : decoder_(without_weights(network)) {
    const auto count = static_cast<double>(train.images.shape()[0]);
    Array<double> picture = mean_point(train.images);
    for (double& each : picture) each = (count * each + 0.5) / (count + 1);
    decoder_.pixels.bias.mutable_value() = logits_of(decoder_, picture);
    if (decoder_.log_variance.empty()) return;
    const double variance = std::max(1e-12, mean_square_around(picture, train.images));
    decoder_.log_variance.front().mutable_value() = autograd::full<float>({}, static_cast<float>(std::log(variance)));
}

std::vector<double> MeanPicture::losses(const ImageSet& images) const {
    const Array<float> any_codes = autograd::full<float>({images.images.shape()[0], 1}, 0.0F);
    return reconstruction_losses(decoder_, any_codes, {images.images, {}});
}

const char* name_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::diverged: return "diverged";
        case Verdict::learned_nothing: return "learned nothing";
        case Verdict::learned: break;
    }
    return "learned";
}

Estimate mean_difference(const std::vector<double>& a, const std::vector<double>& b) {
    std::vector<double> differences;
    for (std::size_t i = 0; i < a.size(); ++i) differences.push_back(a[i] - b[i]);
    return mean_of(differences);
}

Outcome outcome_of(const Autoencoder& model, const std::vector<double>& test_losses, const Autoencoder& untrained,
                   const LossFunction& loss, const Data& data, double beta, const MeanPicture& mean_picture, const Rng& rng) {
    const ImageSet training = first(data.train, most_compared);
    const std::vector<double> baseline = mean_picture.losses(data.test);
    Outcome outcome{Verdict::learned, evaluate(untrained, loss, training, beta, rng).loss,
                    evaluate(model, loss, training, beta, rng).loss, mean(test_losses), mean(baseline)};
    const Estimate gain = mean_difference(baseline, test_losses);
    const double rounding = 1e-5 * std::abs(outcome.mean_picture);
    if (!(gain.value > 2 * gain.standard_error.value_or(0) + rounding)) outcome.verdict = Verdict::learned_nothing;
    // A hundredth: what hardly moved has not diverged.
    if (!(outcome.loss_after <= outcome.loss_before + 0.01 * std::abs(outcome.loss_before)))
        outcome.verdict = Verdict::diverged;
    return outcome;
}
