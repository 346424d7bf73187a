// Sections in the order of the structs of report.hpp. Codes that are shown are computed here; measures come from the
// analysis.
#include "page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nn/data/file.hpp>

#include "computation.hpp"

#include "packing.hpp"

namespace {

using autograd::Array;
using autograd::Rng;

constexpr std::size_t points = 2000;  // test images whose codes are shown
constexpr std::size_t seen = 300;     // of these, images that can be looked at
constexpr std::size_t draws = 200;    // codes from each mixture, for conditional models 20 of each class, if that is more

/// The first rows, at most `count`.
Array<float> head(const Array<float>& from, std::size_t count) {
    return rows_between(from, 0, std::min(count, from.shape()[0]));
}

std::vector<std::pair<std::string, std::string>> settings(const Data& data, const Options& options) {
    return {
        {"Data", nn::printable(options.data)},
        {"Images", fmt::format("{} for training, {} for testing, {} x {} pixels{}", data.train.images.shape()[0],
                               data.test.images.shape()[0], data.rows, data.columns, options.binarise ? ", made binary" : "")},
        {"Network", fmt::format("{}, {} hidden units", name_of(options.architecture), options.hidden)},
        {"Codes", fmt::format("{} dimensions{}", options.latent, options.conditional ? ", and the class" : "")},
        {"Likelihood", name_of(options.likelihood)},
        {"Seed", fmt::format("{}", options.seed)},
        {"Training", options.load.empty() ? fmt::format("{} epochs, batches of {}, Adam at {}, beta {}", options.epochs,
                                                        options.batch, options.lr, options.beta)
                                          : "none: loaded from " + nn::printable(options.load)},
        {"Computed by", autograd::describe_backend()}};
}

report::TestImages test_images(const Data& data, const Options& options) {
    report::TestImages test{data.rows, data.columns, {}, {}, head(data.test.images, seen)};
    const std::size_t count = std::min(points, data.test.images.shape()[0]);
    if (data.test.labels.empty()) {
        test.class_names = {"image"};
        test.labels.assign(count, 0);
        return test;
    }
    test.labels.assign(data.test.labels.begin(), data.test.labels.begin() + static_cast<std::ptrdiff_t>(count));
    if (options.data == XTAPE_FASHION_MNIST_DIR && data.classes == 10) {
        test.class_names = {"T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"};
    } else {
        for (std::size_t i = 0; i < data.classes; ++i) test.class_names.push_back(std::to_string(i));
    }
    return test;
}

/// Whether the codes of these images stay within 1e-2 of what they are if the encoder's weights become half floats. `mean` and,
/// of a VAE, `log_variance` are the codes.
bool half_floats_do(const Autoencoder& model, const ImageSet& images, const Array<float>& mean,
                    const Array<float>* log_variance = nullptr) {
    Autoencoder rounded = model;
    nn::for_each_parameter(rounded.encoder, [](const std::string&, auto& parameter) {
        for (float& value : parameter.mutable_value()) value = report::as_half(value);
    });
    const auto close = [](const Array<float>& a, const Array<float>& b) {
        return std::equal(a.begin(), a.end(), b.begin(), [](float x, float y) { return std::abs(x - y) <= 1e-2F; });
    };
    if (log_variance == nullptr) return close(mean, encode(rounded, images));
    const Posteriors found = posteriors(rounded, images, Rng(0));  // whose samples are not looked at
    return close(mean, found.mean) && close(*log_variance, found.log_variance);
}

/// "" if it is the whole truth that a film ends with the model that the rest of the page has.
std::string film_note(const char* model, const History& history) {
    if (!history.stopped_early) return {};
    return fmt::format(
        "The {} was stopped early: its film ends after epoch {}, and the rest of the page has it as it was after "
        "epoch {}. ",
        model, history.epochs.size(), history.best_epoch);
}

/// As Encoder::features, code and posterior compute.
report::Encoder layers_of(const Encoder& encoder, const NetworkOptions& network, bool with_log_variance) {
    report::Network features;
    for (std::size_t i = 0; i < encoder.convolutions.size(); ++i) {
        const FeatureMap& map = encoder.maps[i];
        const nn::Conv2d& convolution = encoder.convolutions[i];
        if (i == 0) features.push_back(report::Reshape{map.channels, map.rows, map.columns});
        features.push_back(report::Conv2d{convolution.weight.value(), convolution.bias.value(), convolution.options.stride,
                                          convolution.options.padding});
        features.push_back(report::Relu{});
    }
    if (network.classes > 0) features.push_back(report::Labels{network.classes});
    features.push_back(report::layer_of(encoder.hidden));
    features.push_back(report::Relu{});
    report::Encoder layers{std::move(features), report::layer_of(encoder.mean), {}};
    if (with_log_variance) layers.log_variance = report::layer_of(encoder.log_variance);
    return layers;
}

report::Network layers_of(const Decoder& decoder, const NetworkOptions& network) {
    report::Network layers;
    if (network.classes > 0) layers.push_back(report::Labels{network.classes});
    layers.insert(layers.end(), {report::layer_of(decoder.hidden), report::Relu{}, report::layer_of(decoder.pixels)});
    for (std::size_t i = 0; i < decoder.convolutions.size(); ++i) {
        const FeatureMap& map = decoder.maps[decoder.convolutions.size() - i];
        const nn::ConvTranspose2d& convolution = decoder.convolutions[i];
        layers.push_back(report::Reshape{map.channels, map.rows, map.columns});
        layers.push_back(report::Relu{});
        layers.push_back(report::ConvTranspose2d{convolution.weight.value(), convolution.bias.value(),
                                                 convolution.options.stride, convolution.options.padding,
                                                 convolution.options.output_padding});
    }
    if (decoder.likelihood == Likelihood::continuous_bernoulli) {
        layers.push_back(report::ContinuousBernoulliMean{});
    } else {
        layers.push_back(report::Sigmoid{});
    }
    return layers;
}

/// Holes has its first row at the top, the report at the bottom.
std::optional<report::HoleMap> hole_map(const CodeShape& shape) {
    if (!shape.hole_map) return std::nullopt;
    const Array<double>& map = *shape.hole_map;
    const std::size_t side = map.shape()[0];
    report::HoleMap result{hole_map_extent, autograd::empty<float>(map.shape())};
    for (std::size_t i = 0; i < side; ++i) {
        for (std::size_t j = 0; j < side; ++j) result.values(i, j) = static_cast<float>(map(side - 1 - i, j));
    }
    return result;
}

report::Explorer explorer(const TrainedPair& pair, const Evaluation& found, const ImageSet& test) {
    const Rng& rng = pair.plan.rng;
    report::Explorer result;
    result.latent = pair.plan.network.latent;
    result.labels = pair.plan.network.classes;
    result.ae = layers_of(pair.ae.decoder, pair.plan.network);
    result.vae = layers_of(pair.vae.decoder, pair.plan.network);
    result.ae_code = encode(pair.ae, test);
    const Posteriors codes = posteriors(pair.vae, test, rng.stream("test codes"));
    result.vae_mean = codes.mean;
    result.vae_log_variance = codes.log_variance;
    if (pair.plan.shown) {
        result.ae_encoder = layers_of(pair.ae.encoder, pair.plan.network, false);
        result.vae_encoder = layers_of(pair.vae.encoder, pair.plan.network, true);
        result.ae_encoder->half_floats = half_floats_do(pair.ae, test, result.ae_code);
        result.vae_encoder->half_floats = half_floats_do(pair.vae, test, result.vae_mean, &result.vae_log_variance);
        result.ae_film = pair.ae_history.film;
        result.vae_film = pair.vae_history.film;
        result.film_note = film_note("AE", pair.ae_history) + film_note("VAE", pair.vae_history);
    }
    for (const Estimate& each : found.analysis.kl) result.kl.push_back(each.value);
    result.ae_holes = hole_map(found.analysis.ae);
    result.vae_holes = hole_map(found.analysis.vae);
    result.holes_meaning =
        "the distance to the fifth nearest training code, in units of what only 1 % of the same model's test codes exceed.";
    if (found.analysis.ae_mixture && found.analysis.vae_mixture) {
        Rng ae_draws = rng.stream("page draws"), vae_draws = ae_draws;
        std::vector<int> labels;
        if (result.labels > 0) {  // those that there are pictures of
            std::vector<int> classes = test.labels;
            std::sort(classes.begin(), classes.end());
            classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
            for (std::size_t i = 0; i < std::max(draws, 20 * classes.size()); ++i)
                labels.push_back(classes[i % classes.size()]);
        }
        const std::size_t count = labels.empty() ? draws : labels.size();
        const char* name = labels.empty() ? "ten Gaussians fitted to the codes" : "Gaussians fitted to the codes of the class";
        result.draws.push_back({name, found.analysis.ae_mixture->sample(count, labels, ae_draws),
                                found.analysis.vae_mixture->sample(count, labels, vae_draws), labels});
    }
    return result;
}

/// A step of the VAE of the pair that is shown.
std::optional<report::Computation> computation(const Findings& findings, const Data& data, const Options& options) {
    std::size_t chosen = 0;
    for (std::size_t i = 0; i < findings.pairs.size(); ++i) {
        if (findings.pairs[i].plan.shown) chosen = i;
    }
    if (findings.evaluations[chosen].vae_outcome.verdict == Verdict::diverged) return std::nullopt;
    const TrainedPair& pair = findings.pairs[chosen];
    return computation_of(pair.vae, data.test, 0, static_cast<float>(options.beta), pair.plan.rng.stream("computation"));
}

report::ScoreTable image_scores(const Analysis& analysis, const std::string& feature_space, bool conditional) {
    report::ScoreTable table{"How like real images",
                             "Sets of images held against test images in " + feature_space +
                                 ". The first row is what a perfect model would get." +
                                 (conditional ? " Gaussians are fitted to the codes of each class by themselves." : ""),
                             {image_measures().begin(), image_measures().end()},
                             {}};
    for (const ScoredSet& each : analysis.sets) {
        table.rows.push_back({each.set, each.model, {}, each.model.empty()});
        for (const Measure& column : table.columns) table.rows.back().scores.push_back(each.scores.find(column.key));
    }
    return table;
}

report::ScoreTable code_scores(const CodeAccuracies& accuracies) {
    return {"What the codes hold",
            "How many test images a linear classifier of codes gets right.",
            {code_accuracy_measure},
            {{"codes", "AE", {accuracies.ae}},
             {"means of q(z|x)", "VAE", {accuracies.vae}},
             {fmt::format("{} principal components", accuracies.components), "", {accuracies.pca}}}};
}

}  // namespace

report::Report page_of(const Findings& findings, const Data& data, const Options& options) {
    report::Report page;
    page.title = "Autoencoder and VAE";
    page.settings = settings(data, options);
    page.findings = in_words(findings);
    page.test = test_images(data, options);
    const ImageSet shown = first(data.test, points);
    for (std::size_t i = 0; i < findings.pairs.size(); ++i) {
        const TrainedPair& pair = findings.pairs[i];
        page.explorers.push_back(explorer(pair, findings.evaluations[i], shown));
        page.curves.push_back({fmt::format("Codes of {} dimensions", pair.plan.network.latent), pair.ae_history.epochs,
                               pair.vae_history.epochs, findings.floor});
    }
    page.computation = computation(findings, data, options);
    page.galleries = findings.evaluations.front().pictures;
    const Analysis& analysis = findings.evaluations.front().analysis;
    if (!analysis.sets.empty()) page.scores.push_back(image_scores(analysis, findings.feature_space, options.conditional));
    if (analysis.accuracies) page.scores.push_back(code_scores(*analysis.accuracies));
    for (const BetaRun& run : findings.betas) {
        if (run.outcome.verdict != Verdict::diverged) page.beta.push_back(run);  // else of no size that fits the chart
    }
    return page;
}
