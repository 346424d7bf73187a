// Batch by batch, on tapes that record no gradients.
#include "codes.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace {

using autograd::Array;
using autograd::Tape;

constexpr std::size_t batch_size = 500;

std::optional<Var<float>> constant_rows(Tape<float>& tape, const std::optional<Array<float>>& from,
                                        std::span<const std::size_t> rows) {
    if (!from) return std::nullopt;
    Array<float> chosen;
    nn::gather_rows(*from, rows, chosen);
    return tape.constant(std::move(chosen));
}

/// Calls visit(rows, labels, first row) for batches of the rows of `from`.
template <class Visit>
void for_each_batch(const Array<float>& from, const std::optional<Array<float>>& one_hot, Visit visit) {
    Tape<float> tape({.inference = true});
    for (const auto rows : nn::Batches(from.shape()[0], batch_size).epoch(1)) {
        tape.clear();
        Array<float> chosen;
        nn::gather_rows(from, rows, chosen);
        visit(tape.constant(std::move(chosen)), constant_rows(tape, one_hot, rows), rows.front());
    }
}

/// Copies `rows` into `to` from its row `first` on; gives `to` its shape at the first of them.
void put_rows(Array<float>& to, std::size_t count, const Array<float>& rows, std::size_t first) {
    const std::size_t columns = rows.shape()[1];
    if (first == 0) to = autograd::empty<float>({count, columns});
    std::copy(rows.begin(), rows.end(), to.data() + first * columns);
}

/// Means and variances over rows, in double. `variance_of(i)` is that of element i around what it is.
template <class Variance>
CodeStatistics moments(const Array<float>& codes, Variance variance_of) {
    const std::size_t count = codes.shape()[0], latent = codes.shape()[1];
    std::vector<double> sum(latent), square(latent);
    for (std::size_t i = 0; i < codes.size(); ++i) {
        const auto value = static_cast<double>(codes.data()[i]);
        sum[i % latent] += value;
        square[i % latent] += value * value + variance_of(i);
    }
    CodeStatistics statistics;
    for (std::size_t i = 0; i < latent; ++i) {
        const double mean = sum[i] / static_cast<double>(count);
        statistics.mean.push_back(mean);
        statistics.standard_deviation.push_back(std::sqrt(std::max(0.0, square[i] / static_cast<double>(count) - mean * mean)));
    }
    return statistics;
}

}  // namespace

Array<float> encode(const Autoencoder& model, const ImageSet& images) {
    Array<float> codes;
    for_each_batch(images.images, images.one_hot, [&](const Var<float>& x, const auto& labels, std::size_t first) {
        put_rows(codes, images.images.shape()[0], model.encoder.code({x, labels}).value(), first);
    });
    return codes;
}

Array<float> inputs_of(const ImageSet& images) {
    if (!images.one_hot) return images.images;
    Tape<float> tape({.inference = true});
    return autograd::concat({tape.constant(images.images), tape.constant(*images.one_hot)}, 1).value();
}

LatentModel latent_model(const Autoencoder& model, std::size_t pixels) {
    const auto batch_of = [pixels](const Var<float>& inputs) {
        const std::size_t columns = inputs.shape()[1];
        if (columns == pixels) return Batch{inputs};
        return Batch{slice(inputs, 1, {0, pixels}), slice(inputs, 1, {pixels, columns})};
    };
    return {[&model, batch_of](const Var<float>& inputs) { return model.encoder.posterior(batch_of(inputs)); },
            [](const Var<float>& z) { return z; },  // the decoder wants the labels too
            [&model, batch_of](const Var<float>& z, const Var<float>& inputs) {
                const Batch batch = batch_of(inputs);
                return -sum(model.decoder.negative_log_prob(model.decoder(z, batch.labels), batch.x), 1);
            }};
}

Posteriors posteriors(const Autoencoder& model, const ImageSet& images, const autograd::Rng& rng) {
    return posteriors_of(latent_model(model, images.images.shape()[1]).encode, inputs_of(images), rng);
}

Array<float> decode(const Decoder& decoder, const Array<float>& codes, const std::optional<Array<float>>& one_hot) {
    Array<float> images;
    for_each_batch(codes, one_hot, [&](const Var<float>& z, const auto& labels, std::size_t first) {
        put_rows(images, codes.shape()[0], decoder.images(decoder(z, labels)).value(), first);
    });
    return images;
}

std::vector<double> reconstruction_losses(const Decoder& decoder, const Array<float>& codes, const ImageSet& images) {
    std::vector<double> losses;
    for_each_batch(codes, images.one_hot, [&](const Var<float>& z, const auto& labels, std::size_t first) {
        const Var<float> x = z.tape().constant(rows_between(images.images, first, first + z.shape()[0]));
        const Var<float> each = sum(decoder.negative_log_prob(decoder(z, labels), x), -1);
        for (const float loss : each.value()) losses.push_back(static_cast<double>(loss));
    });
    return losses;
}

ImageSet select(const ImageSet& from, const std::vector<std::size_t>& rows) {
    ImageSet chosen;
    nn::gather_rows(from.images, rows, chosen.images);
    if (!from.labels.empty()) {
        for (const std::size_t row : rows) chosen.labels.push_back(from.labels[row]);
    }
    if (from.one_hot) nn::gather_rows(*from.one_hot, rows, chosen.one_hot.emplace());
    return chosen;
}

ImageSet between(const ImageSet& from, std::size_t begin, std::size_t end) {
    std::vector<std::size_t> rows(end - begin);
    std::iota(rows.begin(), rows.end(), begin);
    return select(from, rows);
}

ImageSet first(const ImageSet& from, std::size_t count) { return between(from, 0, std::min(count, from.images.shape()[0])); }

Array<std::uint8_t> as_bytes(const Array<float>& images) {
    Array<std::uint8_t> bytes = autograd::empty<std::uint8_t>(images.shape());
    std::transform(images.begin(), images.end(), bytes.begin(),
                   [](float value) { return static_cast<std::uint8_t>(std::lround(255 * std::clamp(value, 0.0F, 1.0F))); });
    return bytes;
}

CodeStatistics statistics(const Array<float>& codes) {
    return moments(codes, [](std::size_t) { return 0.0; });
}

CodeStatistics statistics(const Posteriors& codes) {
    const auto variance_of = [&](std::size_t i) { return std::exp(static_cast<double>(codes.log_variance.data()[i])); };
    CodeStatistics result = moments(codes.mean, variance_of);
    const std::size_t count = codes.mean.shape()[0], latent = codes.mean.shape()[1];
    result.kl.resize(latent);
    for (std::size_t i = 0; i < codes.mean.size(); ++i) {
        const auto mean = static_cast<double>(codes.mean.data()[i]),
                   log_variance = static_cast<double>(codes.log_variance.data()[i]);
        result.kl[i % latent] += 0.5 * (std::expm1(log_variance) - log_variance + mean * mean) / static_cast<double>(count);
    }
    return result;
}

Array<float> interpolate(const Array<float>& ends, std::size_t steps) {
    const std::size_t pairs = ends.shape()[0] / 2, latent = ends.shape()[1];
    Array<float> codes = autograd::empty<float>({pairs * steps, latent});
    for (std::size_t pair = 0; pair < pairs; ++pair) {
        for (std::size_t step = 0; step < steps; ++step) {
            const float t = static_cast<float>(step) / static_cast<float>(steps - 1);
            for (std::size_t i = 0; i < latent; ++i) {
                codes(pair * steps + step, i) = (1 - t) * ends(2 * pair, i) + t * ends(2 * pair + 1, i);
            }
        }
    }
    return codes;
}

Array<float> interpolate_on_arcs(const Array<float>& ends, std::size_t steps) {
    Array<float> codes = interpolate(ends, steps);
    const std::size_t latent = ends.shape()[1];
    const auto dot = [&](std::size_t a, std::size_t b) {
        double sum = 0;
        for (std::size_t i = 0; i < latent; ++i) sum += static_cast<double>(ends(a, i)) * static_cast<double>(ends(b, i));
        return sum;
    };
    for (std::size_t pair = 0; pair < ends.shape()[0] / 2; ++pair) {
        const std::size_t from = 2 * pair, to = from + 1;
        const double from_length = std::sqrt(dot(from, from)), to_length = std::sqrt(dot(to, to));
        const double angle = std::acos(std::clamp(dot(from, to) / (from_length * to_length), -1.0, 1.0));
        if (!(std::sin(angle) > 1e-6)) continue;  // no arc: one is the origin, or both lie on a line with it
        for (std::size_t step = 0; step < steps; ++step) {
            const double t = static_cast<double>(step) / static_cast<double>(steps - 1);
            const double length = (1 - t) * from_length + t * to_length;
            const double of_from = length * std::sin((1 - t) * angle) / (std::sin(angle) * from_length),
                         of_to = length * std::sin(t * angle) / (std::sin(angle) * to_length);
            for (std::size_t i = 0; i < latent; ++i) {
                codes(pair * steps + step, i) =
                    static_cast<float>(of_from * static_cast<double>(ends(from, i)) + of_to * static_cast<double>(ends(to, i)));
            }
        }
    }
    return codes;
}
