// Importance sampling in chunks of bounded memory, and statistics of codes.
#include "likelihood.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "neighbours.hpp"

using autograd::Array;
using autograd::Error;
using autograd::Rng;
using autograd::Tape;
using autograd::Var;

namespace {

constexpr std::size_t rows_at_once = 1000;  // through the decoder: a few MB of pixels

double log_mean_exp(const std::vector<double>& values) {
    const double largest = *std::max_element(values.begin(), values.end());
    if (std::isinf(largest)) return largest;  // less itself it is NaN
    double total = 0;
    for (const double value : values) total += std::exp(value - largest);
    return largest + std::log(total / static_cast<double>(values.size()));
}

double kl_to_standard_normal(const Moments& moments) {
    const std::size_t dimensions = moments.mean.size();
    Tape<double> tape({.inference = true});
    const Array<double> variances = eigvalsh(tape.constant(moments.covariance)).value();  // ascending
    const double rounding = static_cast<double>(dimensions) * std::numeric_limits<double>::epsilon();
    if (!(variances(0) > rounding * variances(dimensions - 1))) {
        throw Error("the codes do not fill all of their " + std::to_string(dimensions) + " dimensions");
    }
    double sum = 0;
    for (std::size_t k = 0; k < dimensions; ++k) {
        sum += moments.covariance(k, k) + moments.mean(k) * moments.mean(k) - 1 - std::log(variances(k));
    }
    return sum / 2;
}

}  // namespace

Var<float> log_weights(const LatentModel& model, const Var<float>& x, std::size_t samples, Rng& rng) {
    const nn::Normal<float> q = model.encode(x);
    const autograd::Shape times{samples, 1};
    const Var<float> mean = tile(q.mean, times), log_variance = tile(q.log_variance, times);
    const Var<float> epsilon = normal_like(mean, rng);
    const Var<float> z = mean + exp(0.5 * log_variance) * epsilon;
    const Var<float> log_likelihood = model.log_likelihood(model.decode(z), tile(x, times));
    const autograd::Shape expected{samples * x.shape()[0]};
    if (!autograd::same_shape(log_likelihood.shape(), expected)) {
        throw autograd::ShapeError("iwae_log_likelihood: log_likelihood gives shape " +
                                   autograd::to_string(log_likelihood.shape()) + ", expected " + autograd::to_string(expected));
    }
    // log N(z; 0, 1) - log N(z; mean, variance), in which log(2 pi) cancels.
    return log_likelihood + 0.5 * sum(log_variance + square(epsilon) - square(z), -1);
}

std::vector<double> iwae_log_likelihoods(const LatentModel& model, const Array<float>& images, std::size_t samples, Rng rng,
                                         const std::function<void(std::size_t done)>& after_images) {
    require_points(images, 1, "iwae_log_likelihood");
    if (samples == 0) throw Error("iwae_log_likelihood: at least one sample");
    const std::size_t chunk = std::min(samples, rows_at_once);
    Tape<float> tape({.inference = true});
    Array<float> batch;
    std::vector<double> found;
    for (const auto rows : nn::Batches(images.shape()[0], rows_at_once / chunk).epoch(1)) {
        nn::gather_rows(images, rows, batch);
        std::vector<std::vector<double>> weights(rows.size());
        for (std::size_t done = 0; done < samples; done += chunk) {
            const std::size_t draws = std::min(chunk, samples - done);
            const Array<float> logarithms = log_weights(model, tape.constant(batch), draws, rng).value();
            for (std::size_t i = 0; i < logarithms.size(); ++i) {
                weights[i % rows.size()].push_back(static_cast<double>(logarithms.data()[i]));
            }
            tape.clear();
        }
        for (const std::vector<double>& each : weights) {
            found.push_back(log_mean_exp(each));
            if (std::isfinite(found.back())) continue;
            throw Error("iwae_log_likelihood: that of image " + std::to_string(found.size() - 1) + " is " +
                        std::to_string(found.back()));
        }
        if (after_images) after_images(found.size());
    }
    return found;
}

Estimate iwae_log_likelihood(const LatentModel& model, const Array<float>& images, std::size_t samples, Rng rng) {
    require_points(images, 2, "iwae_log_likelihood");
    return mean_of(iwae_log_likelihoods(model, images, samples, rng));
}

Posteriors posteriors_of(const EncodeFunction& encode, const Array<float>& images, Rng rng) {
    require_points(images, 1, "posteriors_of");
    Posteriors all;
    Tape<float> tape({.inference = true});
    Array<float> batch;
    std::size_t done = 0;
    for (const auto rows : nn::Batches(images.shape()[0], rows_at_once).epoch(1)) {
        nn::gather_rows(images, rows, batch);
        const nn::Normal<float> q = encode(tape.constant(batch));
        const Var<float> sample = q.sample(rng);
        const std::pair<Array<float>*, const Array<float>*> parts[] = {
            {&all.mean, &q.mean.value()}, {&all.log_variance, &q.log_variance.value()}, {&all.sample, &sample.value()}};
        for (const auto& [to, from] : parts) {
            if (done == 0) *to = autograd::empty<float>({images.shape()[0], from->shape()[1]});
            std::copy(from->data(), from->data() + from->size(), to->data() + done * from->shape()[1]);
        }
        done += rows.size();
        tape.clear();
    }
    return all;
}

std::vector<Estimate> kl_per_dimension(const Posteriors& posteriors) {
    require_points(posteriors.mean, 2, "kl_per_dimension");
    require_points(posteriors.log_variance, 2, "kl_per_dimension");
    Tape<float> tape({.inference = true});
    const nn::Normal<float> q{tape.constant(posteriors.mean), tape.constant(posteriors.log_variance)};
    const Array<float> kl = matrix_transpose(kl_divergence(q, nn::StandardNormal{})).value();
    std::vector<Estimate> result;
    for (std::size_t k = 0; k < kl.shape()[0]; ++k) {
        const float* const row = kl.data() + k * kl.shape()[1];
        result.push_back(mean_of(std::vector<double>(row, row + kl.shape()[1])));
    }
    return result;
}

std::vector<double> activity_per_dimension(const Posteriors& posteriors) {
    const Moments moments = moments_of(posteriors.mean);
    std::vector<double> result;
    for (std::size_t k = 0; k < moments.mean.size(); ++k) result.push_back(moments.covariance(k, k));
    return result;
}

AggregatePosterior aggregate_posterior(const Array<float>& codes) {
    const Moments moments = moments_of(codes);
    AggregatePosterior result;
    result.mean.assign(moments.mean.begin(), moments.mean.end());
    for (std::size_t k = 0; k < moments.mean.size(); ++k) {
        result.standard_deviation.push_back(std::sqrt(moments.covariance(k, k)));
    }
    return result;
}

Estimate gaussian_kl(const Array<float>& codes) {
    Estimate result{kl_to_standard_normal(moments_of(codes)), {}};
    const std::size_t parts = std::min<std::size_t>(codes.shape()[0] / (4 * codes.shape()[1]), 10);
    if (parts < 2) return result;
    std::vector<double> found;
    for (std::size_t part = 0; part < parts; ++part) {
        found.push_back(kl_to_standard_normal(moments_of(every_nth_row(codes, parts, part))));
    }
    result.standard_error = mean_of(found).standard_error;
    return result;
}

double gaussian_kl_bias(const Array<float>& codes) {
    const auto count = static_cast<double>(codes.shape()[0]), dimensions = static_cast<double>(codes.shape()[1]);
    return dimensions * (dimensions + 3) / (4 * count);
}

Holes::Holes(Array<float> training_codes, const Array<float>& held_out_codes, std::size_t k)
    : codes_(std::move(training_codes)), k_(k) {
    require_points(held_out_codes, 100, "Holes");
    std::vector<double> distances = relative_distances(held_out_codes);
    std::sort(distances.begin(), distances.end());
    threshold_ = distances[(distances.size() * 99 + 99) / 100 - 1];
    if (threshold_ == 0) throw Error("99 % of the held-out codes are equal to training codes");
}

std::vector<double> Holes::relative_distances(const Array<float>& places) const {
    std::vector<double> distances = neighbour_distances(places, codes_, k_);
    for (double& each : distances) each = std::sqrt(each) / threshold_;
    return distances;
}

Estimate Holes::rate(std::size_t count, Rng& rng) const {
    std::vector<double> distances = relative_distances(rng.normal<float>({count, codes_.shape()[1]}));
    for (double& each : distances) each = each > 1 ? 1 : 0;
    return mean_of(distances);
}

Array<double> Holes::map(std::size_t side, double extent) const {
    if (codes_.shape()[1] != 2 || side == 0 || !(extent > 0)) {
        throw Error("Holes::map: expected codes of two dimensions and a side and extent above 0; found " +
                    std::to_string(codes_.shape()[1]) + ", " + std::to_string(side) + " and " + std::to_string(extent));
    }
    const auto place = [&](std::size_t i) {
        return static_cast<float>(extent * (2 * (static_cast<double>(i) + 0.5) / static_cast<double>(side) - 1));
    };
    Array<float> centres = autograd::empty<float>({side * side, 2});
    for (std::size_t i = 0; i < side * side; ++i) {
        centres(i, 0) = place(i % side);
        centres(i, 1) = -place(i / side);
    }
    const std::vector<double> distances = relative_distances(centres);
    Array<double> result = autograd::empty<double>({side, side});
    std::copy(distances.begin(), distances.end(), result.data());
    return result;
}
