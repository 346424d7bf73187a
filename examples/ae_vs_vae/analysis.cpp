// The sets of codes and images that are measured, and with what numbers.
#include "analysis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "neighbours.hpp"

namespace {

using autograd::Array;
using autograd::Rng;

constexpr std::size_t most_scored = 5000;     // images of each set
constexpr std::size_t fewest_scored = 100;    // fewer say nothing
constexpr std::size_t training_codes = 20000; // for the mixtures and the holes

ImageSet between(const ImageSet& set, std::size_t begin, std::size_t end) {
    std::vector<std::size_t> rows(end - begin);
    std::iota(rows.begin(), rows.end(), begin);
    return select(set, rows);
}

/// The first `count` images, or all if there are not that many.
ImageSet first(const ImageSet& set, std::size_t count) {
    return between(set, 0, std::min(count, set.images.shape()[0]));
}

/// Scores sets of images, one by one, against the same real ones.
class Judge {
   public:
    Judge(const FeatureSpace& features, const Data& data, std::optional<Rng> binarise)
        : features_(features),
          binarise_(std::move(binarise)),
          count_(std::min(most_scored, data.test.images.shape()[0] / 2)),
          real_(features(between(data.test, 0, count_).images)),
          held_out_(between(data.test, count_, 2 * count_)),
          training_(features(data.train.images)) {
        held_out_distances_ = neighbour_distances(features(held_out_.images), training_, 1);
        const auto copies = std::count(held_out_distances_.begin(), held_out_distances_.end(), 0.0);
        held_out_are_new_ = 10 * static_cast<std::size_t>(copies) < held_out_distances_.size();
    }

    std::size_t count() const { return count_; }
    /// Test images which are not among those that sets are held against.
    const ImageSet& held_out() const { return held_out_; }

    ScoredSet operator()(std::string set, std::string model, Array<float> images) const {
        if (!model.empty() && binarise_) Rng(*binarise_).fill_bernoulli(images, images);
        const Array<float> features = features_(images);
        ScoredSet result{std::move(set), std::move(model), score(real_, features), {}};
        if (!result.model.empty() && held_out_are_new_) {
            result.memorisation = memorisation(neighbour_distances(features, training_, 1), held_out_distances_);
        }
        return result;
    }

   private:
    const FeatureSpace& features_;
    std::optional<Rng> binarise_;
    std::size_t count_;
    Array<float> real_;
    ImageSet held_out_;
    Array<float> training_;
    std::vector<double> held_out_distances_;
    bool held_out_are_new_;  // where a tenth of them are training images, nearness to these says nothing
};

CodeShape shape_of(const Array<float>& training, const Array<float>& held_out, Rng rng) {
    CodeShape shape{aggregate_posterior(held_out), {}, {}, {}};
    if (held_out.shape()[1] != 2 || held_out.shape()[0] < fewest_scored || training.shape()[0] < fewest_scored) return shape;
    std::vector<double> inside;
    for (std::size_t i = 0; i < held_out.shape()[0]; ++i) {
        const double x = static_cast<double>(held_out(i, 0)), y = static_cast<double>(held_out(i, 1));
        inside.push_back(x * x + y * y < -2 * std::log(0.01) ? 1 : 0);
    }
    shape.within_reach = mean_of(inside);
    try {
        const Holes holes(training, held_out);
        shape.hole_rate = holes.rate(10000, rng);
        shape.hole_map = holes.map(64, hole_map_extent);
    } catch (const autograd::Error&) {
        // Codes that are all alike have no distances to measure holes by.
    }
    return shape;
}

/// A density fitted to the codes of each model.
struct FittedDensities {
    const char* name;
    GaussianMixture ae, vae;
};

std::vector<ScoredSet> scored_sets(const Autoencoder& ae, const Autoencoder& vae, const Data& data,
                                   const FeatureSpace& features, bool binary, const Rng& rng,
                                   const std::vector<FittedDensities>& densities) {
    const Judge judge(features, data, binary ? std::optional(rng.stream("pixels")) : std::nullopt);
    const ImageSet& held_out = judge.held_out();
    std::vector<ScoredSet> sets{judge("real, held out", "", held_out.images)};
    const auto add = [&](const char* set, const Array<float>& ae_codes, const Array<float>& vae_codes) {
        sets.push_back(judge(set, "AE", decode(ae.decoder, ae_codes, held_out.one_hot)));
        sets.push_back(judge(set, "VAE", decode(vae.decoder, vae_codes, held_out.one_hot)));
    };
    const Rng draws = rng.stream("draws");
    const auto drawn = [&](auto from) { return from(Rng(draws)); };
    const Array<float> ae_codes = encode(ae, held_out);
    const Array<float> prior = drawn([&](Rng each) { return each.normal<float>({judge.count(), ae_codes.shape()[1]}); });
    add(reconstructed, ae_codes, posteriors(vae, held_out, rng.stream("test codes")).sample);
    add(from_prior, prior, prior);
    for (const FittedDensities& density : densities) {
        add(density.name, drawn([&](Rng each) { return density.ae.sample(judge.count(), each); }),
            drawn([&](Rng each) { return density.vae.sample(judge.count(), each); }));
    }
    return sets;
}

}  // namespace

FeatureSpace::FeatureSpace(const Data& data, const Rng& rng) {
    if (data.train.labels.empty()) {
        components_.emplace(data.train.images, std::min<std::size_t>(64, data.rows * data.columns),
                            rng.stream("principal components"));
        return;
    }
    classifier_.emplace(data.train.images, data.train.labels, ClassifierOptions{}, rng.stream("classifier"));
    accuracy_ = classifier_->accuracy(data.test.images, data.test.labels);
}

Array<float> FeatureSpace::operator()(const Array<float>& images) const {
    return classifier_ ? classifier_->features(images) : components_->project(images);
}

std::string FeatureSpace::description() const {
    if (!accuracy_) return "the principal components of the pixels";
    return fmt::format("the last hidden layer of a classifier that is right about {:.1f} % of the test images",
                       100 * accuracy_->value);
}

const ScoredSet* Analysis::find(const std::string& set, const std::string& model) const {
    const auto found = std::find_if(sets.begin(), sets.end(),
                                    [&](const ScoredSet& each) { return each.set == set && each.model == model; });
    return found == sets.end() ? nullptr : &*found;
}

Analysis analyse(const Autoencoder& ae, const Autoencoder& vae, const Data& data, const FeatureSpace* features,
                 bool estimate_likelihood, bool binary, const Rng& rng) {
    Analysis result;
    const ImageSet training = first(data.train, training_codes);
    const Array<float> ae_training = encode(ae, training), ae_test = encode(ae, data.test);
    const Posteriors vae_training = posteriors(vae, training, rng.stream("training codes"));
    const Posteriors vae_test = posteriors(vae, data.test, rng.stream("test codes"));

    result.kl = kl_per_dimension(vae_test);
    for (const double activity : activity_per_dimension(vae_test)) result.active_units += activity > active_above;
    result.ae = shape_of(ae_training, ae_test, rng.stream("holes"));
    result.vae = shape_of(vae_training.sample, vae_test.sample, rng.stream("holes"));

    const std::size_t latent = ae_test.shape()[1];
    if (data.test.images.shape()[0] >= 2 * fewest_scored && training.images.shape()[0] >= fewest_scored) {
        const auto mixture = [&](const Array<float>& codes, std::size_t components) {
            return GaussianMixture(codes, {.components = components}, rng.stream("mixture"));
        };
        result.ae_mixture = mixture(ae_training, 10);
        result.vae_mixture = mixture(vae_training.sample, 10);
        const auto one_gaussian = [&](const Array<float>& codes) { return mixture(codes, 1); };
        if (features != nullptr) {
            try {
                result.sets = scored_sets(ae, vae, data, *features, binary, rng,
                                          {{from_gaussian, one_gaussian(ae_training), one_gaussian(vae_training.sample)},
                                           {from_mixture, *result.ae_mixture, *result.vae_mixture}});
            } catch (const autograd::Error& error) {
                result.unscored = error.what();  // images that are all alike, say
            }
        }
    }
    if (features != nullptr && result.sets.empty() && result.unscored.empty()) {
        result.unscored = fmt::format("there are fewer than {} test or {} training images", 2 * fewest_scored, fewest_scored);
    }
    if (features != nullptr && !data.train.labels.empty() && data.test.images.shape()[0] >= 2) {
        const auto accuracy = [&](const Array<float>& train, const Array<float>& test) {
            return code_accuracy(train, training.labels, test, data.test.labels, rng.stream("code classifier"));
        };
        const PrincipalComponents components(training.images, std::min(latent, data.rows * data.columns),
                                             rng.stream("principal components"));
        result.accuracies = {accuracy(ae_training, ae_test), accuracy(vae_training.mean, vae_test.mean),
                             accuracy(components.project(training.images), components.project(data.test.images))};
    }
    if (estimate_likelihood) {
        const ImageSet some = first(data.test, 500);
        for (const std::size_t samples : {1u, 50u, 500u}) {
            result.log_likelihoods.push_back(
                {samples, some.images.shape()[0],
                 iwae_log_likelihood(latent_model(vae, data.rows * data.columns), inputs_of(some), samples, rng.stream("importance"))});
        }
    }
    return result;
}
