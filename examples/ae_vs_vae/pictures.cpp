// What each picture shows, and where its codes lie.
#include "pictures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>

#include "points.hpp"

namespace {

using autograd::Array;

/// Ten images to show, or an even number of them if there are not that many (one serves twice), each of another class
/// while there are any, in the order of the classes.
std::vector<std::size_t> examples(const ImageSet& set) {
    const std::size_t count = set.images.shape()[0];
    std::vector<std::size_t> order(count), round(count, 0);
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (!set.labels.empty()) {
        std::map<int, std::size_t> seen_of_class;
        for (const std::size_t i : order) round[i] = seen_of_class[set.labels[i]]++;
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return std::pair(round[a], set.labels[a]) < std::pair(round[b], set.labels[b]);
        });
    }
    if (count == 1) return {0, 0};
    order.resize(std::min<std::size_t>(10, count / 2 * 2));
    return order;
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

/// Codes that differ in two dimensions only: `side` by `side` equally probable places of N(0, 1), scaled to the spread
/// of each dimension, around `centre`.
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

/// @throws Error if a pixel is not finite, which models that diverged can make.
void require_finite(const Picture& picture) {
    for (const Panel& panel : picture.panels) {
        if (all_finite(panel.images)) continue;
        throw autograd::Error(fmt::format("a pixel of \"{}\" is no number", panel.caption));
    }
}

}  // namespace

std::vector<Picture> pictures_of(const Autoencoder& ae, const Autoencoder& vae, const CodeStatistics& ae_codes,
                                 const CodeStatistics& vae_codes, const Data& data, const autograd::Rng& rng,
                                 Failures& failures) {
    // The same classes, and the same codes or ends of codes, through both decoders.
    const auto decoded = [&](std::size_t across, const std::string& ae_caption, const Array<float>& ae_z,
                             const std::string& vae_caption, const Array<float>& vae_z,
                             const std::optional<Array<float>>& classes) {
        return std::vector<Panel>{{ae_caption, decode(ae.decoder, ae_z, classes), across},
                                  {vae_caption, decode(vae.decoder, vae_z, classes), across}};
    };
    // For conditional models: the classes by turns, so that with ten of them each column has its own.
    const auto classes_of = [&](std::size_t count, auto class_of) -> std::optional<Array<float>> {
        if (!data.test.one_hot) return std::nullopt;
        std::vector<int> labels;
        for (std::size_t i = 0; i < count; ++i) labels.push_back(static_cast<int>(class_of(i) % data.classes));
        return one_hot(labels, data.classes);
    };
    const std::size_t latent = ae_codes.mean.size();
    const ImageSet shown = select(data.test, examples(data.test));
    const Array<float> ae_ends = encode(ae, shown), vae_ends = posteriors(vae, shown, rng).mean;
    std::vector<Picture> pictures;
    const auto add = [&](const std::string& name, const std::string& title, const std::string& caption, auto make_panels) {
        failures.attempt(name + ".png", [&] {
            Picture picture{name, title, caption, make_panels()};
            require_finite(picture);
            pictures.push_back(std::move(picture));
        });
    };

    add(picture_names[0], "Reconstructions", "Test images, encoded and decoded.", [&] {
        std::vector<Panel> panels{{"test images", shown.images, 5}};
        for (Panel& panel : decoded(5, "autoencoder", ae_ends, "VAE, z = mean", vae_ends, shown.one_hot)) {
            panels.push_back(std::move(panel));
        }
        return panels;
    });
    add(picture_names[1], "Samples", "The same random codes through both decoders.", [&] {
        autograd::Rng sampling = rng.stream("samples");
        const Array<float> prior = sampling.normal<float>({80, latent});
        return decoded(10, "autoencoder, z ~ N(0, I)", prior, "VAE, the same z ~ N(0, I)", prior,
                       classes_of(80, [](std::size_t i) { return i % 10; }));
    });
    std::optional<Array<float>> between;
    if (shown.one_hot) between = interpolate(*shown.one_hot, 9);
    add(picture_names[2], "Interpolations", "Along the straight line between the codes of two test images.", [&] {
        return decoded(9, "autoencoder, between test images", interpolate(ae_ends, 9), "VAE, between test images",
                       interpolate(vae_ends, 9), between);
    });
    add(picture_names[3], "Interpolations on arcs",
        "The same ends, by slerp: the codes between turn around the origin at an even rate, and their lengths change evenly.",
        [&] {
            return decoded(9, "autoencoder, on the arc between test images", interpolate_on_arcs(ae_ends, 9),
                           "VAE, on the arc between test images", interpolate_on_arcs(vae_ends, 9), between);
        });
    const bool is_plane = latent == 2;
    add(picture_names[4], "The latent space",
        is_plane ? "Equally probable places of N(0, I)."
                 : "Equally probable places of a normal distribution as wide as each model's codes, in two "
                   "dimensions, the others held at their means.",
        [&] {
            const std::string of_class = data.test.one_hot ? ", class 0" : "";
            return decoded(11, (is_plane ? "autoencoder, the plane of z" : "autoencoder, its two widest z_i") + of_class,
                           plane_of(ae_codes, ae_codes.standard_deviation).codes(11),
                           (is_plane ? "VAE, the plane of z" : "VAE, its two z_i of largest KL") + of_class,
                           plane_of(vae_codes, vae_codes.kl).codes(11),
                           classes_of(121, [](std::size_t) { return std::size_t{0}; }));
        });
    return pictures;
}

std::filesystem::path picture_file(const std::filesystem::path& directory, const std::string& prefix, const std::string& name) {
    return directory / (prefix + name + ".png");
}

void write_picture(const std::filesystem::path& path, const Picture& picture, const Data& data) {
    const std::size_t scale = std::max<std::size_t>(1, 56 / std::max(data.rows, data.columns));
    std::vector<nn::Image> panels;
    for (const Panel& panel : picture.panels) {
        const nn::Image grid =
            nn::image_grid(panel.images, data.rows, data.columns, panel.across, {.padding = 1, .scale = scale});
        panels.push_back(nn::with_caption(grid, panel.caption));
    }
    nn::write_png(path, nn::side_by_side(panels, 24));
}
