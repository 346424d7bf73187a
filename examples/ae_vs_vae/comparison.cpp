// Encoding the test set, and drawing the pictures.
#include "comparison.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>

namespace {

using autograd::Array;
using autograd::Tape;

/// Calls visit(x) with the images of a batch on a tape that records no gradients.
template <class Visit>
void for_each_batch(const Array<float>& images, Visit visit) {
    Tape<float> tape({.inference = true});
    Array<float> batch;
    for (const auto rows : nn::Batches(images.shape()[0], 500).epoch(1)) {
        nn::gather_rows(images, rows, batch);
        visit(tape.constant(batch));
        tape.clear();
    }
}

/// Means and variances over rows, gathered batch by batch in double.
class Moments {
   public:
    /// `variance` is that of each value around what it is; zero where there is none.
    void add(std::size_t dimension, double value, double variance) {
        if (dimension >= sum_.size()) {
            sum_.resize(dimension + 1);
            square_.resize(dimension + 1);
        }
        sum_[dimension] += value;
        square_[dimension] += value * value + variance;
    }
    CodeStatistics over(std::size_t images) const {
        CodeStatistics statistics;
        for (std::size_t i = 0; i < sum_.size(); ++i) {
            const double mean = sum_[i] / static_cast<double>(images);
            statistics.mean.push_back(mean);
            statistics.standard_deviation.push_back(std::sqrt(square_[i] / static_cast<double>(images) - mean * mean));
        }
        return statistics;
    }

   private:
    std::vector<double> sum_, square_;
};

Array<float> decode(const Decoder& decoder, const Array<float>& codes) {
    Tape<float> tape({.inference = true});
    return sigmoid(decoder(tape.constant(codes))).value();
}

Array<float> encode(const Autoencoder& model, const Array<float>& images) {
    Tape<float> tape({.inference = true});
    return model.encoder.code(tape.constant(images)).value();
}

Array<float> rows_of(const Array<float>& from, const std::vector<std::size_t>& rows) {
    Array<float> chosen;
    nn::gather_rows(from, rows, chosen);
    return chosen;
}

/// Ten images to show, or an even number of them if there are not that many (one serves twice), each of another class
/// while there are any, in the order of the classes.
std::vector<std::size_t> examples(const std::vector<int>& labels) {
    std::vector<std::size_t> order(labels.size()), seen_of_class(256, 0), round(labels.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (const std::size_t i : order) round[i] = seen_of_class[static_cast<std::size_t>(labels[i])]++;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return std::pair(round[a], labels[a]) < std::pair(round[b], labels[b]);
    });
    if (order.size() == 1) return {0, 0};
    order.resize(std::min<std::size_t>(10, order.size() / 2 * 2));
    return order;
}

/// Codes on the straight lines between consecutive rows of `ends`: `steps` for each pair, both ends included.
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

/// x with P(N(0, 1) < x) = probability, by bisection of the error function.
double normal_quantile(double probability) {
    double low = -8, high = 8;
    while (high - low > 1e-9) {
        const double middle = (low + high) / 2;
        (std::erfc(-middle / std::sqrt(2.0)) / 2 < probability ? low : high) = middle;
    }
    return (low + high) / 2;
}

/// Codes that differ in two dimensions only: `side` by `side` equally probable places of N(0, 1), scaled to the spread of
/// each dimension, around `centre`.
struct Plane {
    std::vector<double> centre;
    std::size_t across, down;
    double spread_across = 1, spread_down = 1;

    Array<float> codes(std::size_t side) const {
        Array<float> result = autograd::empty<float>({side * side, centre.size()});
        const auto place = [side](std::size_t i) {
            return normal_quantile((static_cast<double>(i) + 0.5) / static_cast<double>(side));
        };
        for (std::size_t row = 0; row < side; ++row) {
            for (std::size_t column = 0; column < side; ++column) {
                const std::size_t code = row * side + column;
                for (std::size_t i = 0; i < centre.size(); ++i) result(code, i) = static_cast<float>(centre[i]);
                result(code, across) = static_cast<float>(centre[across] + spread_across * place(column));
                if (down != across) result(code, down) = static_cast<float>(centre[down] - spread_down * place(row));
            }
        }
        return result;
    }
};

/// The two dimensions in which `measure` is largest; twice the same one if there is but one.
std::pair<std::size_t, std::size_t> largest_two(const std::vector<double>& measure) {
    std::vector<std::size_t> order(measure.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return measure[a] > measure[b]; });
    return {order.front(), order.size() > 1 ? order[1] : order.front()};
}

/// The plane itself where the code has two dimensions, the same for both models; else through the two dimensions that
/// matter most, at the scale that the codes have there.
Plane plane_of(const CodeStatistics& codes, const std::vector<double>& importance) {
    if (codes.mean.size() == 2) return {{0, 0}, 0, 1};
    const auto [first, second] = largest_two(importance);
    return {codes.mean, first, second, codes.standard_deviation[first], codes.standard_deviation[second]};
}

}  // namespace

CodeStatistics autoencoder_codes(const Autoencoder& model, const Array<float>& images) {
    Moments moments;
    for_each_batch(images, [&](const Var<float>& x) {
        const Array<float>& codes = model.encoder.code(x).value();
        for (std::size_t row = 0; row < codes.shape()[0]; ++row) {
            for (std::size_t i = 0; i < codes.shape()[1]; ++i) moments.add(i, static_cast<double>(codes(row, i)), 0);
        }
    });
    return moments.over(images.shape()[0]);
}

CodeStatistics vae_codes(const Autoencoder& model, const Array<float>& images) {
    Moments moments, divergence;
    for_each_batch(images, [&](const Var<float>& x) {
        const auto q = model.encoder.posterior(x);
        const Array<float>& mean = q.mean.value();
        const Array<float>& log_variance = q.log_variance.value();
        const Array<float>& kl = kl_divergence(q, nn::StandardNormal{}).value();
        for (std::size_t row = 0; row < mean.shape()[0]; ++row) {
            for (std::size_t i = 0; i < mean.shape()[1]; ++i) {
                moments.add(i, static_cast<double>(mean(row, i)), std::exp(static_cast<double>(log_variance(row, i))));
                divergence.add(i, static_cast<double>(kl(row, i)), 0);
            }
        }
    });
    CodeStatistics statistics = moments.over(images.shape()[0]);
    statistics.kl = divergence.over(images.shape()[0]).mean;
    return statistics;
}

std::vector<std::filesystem::path> write_pictures(const Pair& models, const CodeStatistics& ae_codes,
                                                  const CodeStatistics& vae_codes, const ImageSet& test,
                                                  const autograd::Rng& rng, const std::filesystem::path& directory) {
    std::vector<std::filesystem::path> written;
    const auto grid = [&](const Array<float>& images, std::size_t columns) {
        return nn::image_grid(images, test.rows, test.columns, columns, {.padding = 1, .scale = 2});
    };
    const auto write = [&](const char* name, const std::vector<nn::Image>& images) {
        written.push_back(directory / name);
        nn::write_png(written.back(), nn::side_by_side(images, 24));
    };
    // The same codes (or ends of codes) through both decoders, under captions.
    const auto write_pair = [&](const char* name, std::size_t columns, const char* ae_caption, const Array<float>& ae,
                                const char* vae_caption, const Array<float>& vae) {
        write(name, {nn::with_caption(grid(decode(models.ae.decoder, ae), columns), ae_caption),
                     nn::with_caption(grid(decode(models.vae.decoder, vae), columns), vae_caption)});
    };
    const std::size_t latent = ae_codes.mean.size();

    const std::vector<std::size_t> shown = examples(test.labels);
    const Array<float> originals = rows_of(test.images, shown);
    const Array<float> ae_ends = encode(models.ae, originals), vae_ends = encode(models.vae, originals);
    write("reconstructions.png", {nn::with_caption(grid(originals, 5), "test images"),
                                  nn::with_caption(grid(decode(models.ae.decoder, ae_ends), 5), "autoencoder"),
                                  nn::with_caption(grid(decode(models.vae.decoder, vae_ends), 5), "VAE, z = mean")});

    autograd::Rng sampling = rng.stream("samples");
    const Array<float> prior = sampling.normal<float>({80, latent});
    write_pair("samples.png", 10, "autoencoder, z ~ N(0, I)", prior, "VAE, the same z ~ N(0, I)", prior);

    write_pair("interpolations.png", 9, "autoencoder, between test images", interpolate(ae_ends, 9),
               "VAE, between test images", interpolate(vae_ends, 9));

    const bool is_plane = latent == 2;
    write_pair("latent.png", 11, is_plane ? "autoencoder, the plane of z" : "autoencoder, its two widest z_i",
               plane_of(ae_codes, ae_codes.standard_deviation).codes(11),
               is_plane ? "VAE, the plane of z" : "VAE, its two z_i of largest KL", plane_of(vae_codes, vae_codes.kl).codes(11));
    return written;
}
