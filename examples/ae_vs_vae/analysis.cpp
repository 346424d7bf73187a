// The sets of codes and images that are measured, and with what numbers.
#include "analysis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "neighbours.hpp"

namespace {

using autograd::Array;
using autograd::Rng;

constexpr std::size_t most_scored = 5000;      // images of each set
constexpr std::size_t fewest_scored = 100;     // fewer say nothing
constexpr std::size_t training_codes = 20000;  // for the mixtures and the holes

/// What `measure` returns, or nothing, and a line in `left_out`, if it has an error.
template <class Measure>
auto attempt(std::vector<LeftOut>& left_out, const std::string& what, const Measure& measure)
    -> std::optional<decltype(measure())> {
    try {
        return measure();
    } catch (const autograd::Error& error) {
        left_out.push_back({what, error.what()});
        return std::nullopt;
    }
}

void require_enough(std::size_t test, std::size_t fewest_test, std::size_t training) {
    if (test >= fewest_test && training >= fewest_scored) return;
    throw autograd::Error(fmt::format("there are {} test and {} training images, and they take {} and {}", test, training,
                                      fewest_test, fewest_scored));
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
        if (10 * static_cast<std::size_t>(copies) >= held_out_distances_.size()) held_out_distances_.clear();
    }

    std::size_t count() const { return count_; }
    /// Test images which are not among those that sets are held against.
    const ImageSet& held_out() const { return held_out_; }
    bool held_out_are_new() const { return !held_out_distances_.empty(); }

    ScoredSet operator()(std::string set, std::string model, Array<float> images) const {
        if (!model.empty() && binarise_) Rng(*binarise_).fill_bernoulli(images, images);
        const Array<float> features = features_(images);
        Comparisons sets(real_, features);
        if (!model.empty() && held_out_are_new()) {
            sets.generated_to_training = neighbour_distances(features, training_, 1);
            sets.held_out_to_training = held_out_distances_;
        }
        return {std::move(set), std::move(model), estimates_of(sets)};
    }

   private:
    const FeatureSpace& features_;
    std::optional<Rng> binarise_;
    std::size_t count_;
    Array<float> real_;
    ImageSet held_out_;
    Array<float> training_;
    std::vector<double> held_out_distances_;  // empty where a tenth of them are 0: then nearness says nothing
};

/// @throws Error if what it has is mostly the bias of few codes.
Estimate unbiased_gaussian_kl(const Array<float>& codes) {
    const Estimate found = gaussian_kl(codes);
    const double bias = gaussian_kl_bias(codes);
    if (!found.standard_error) {
        throw autograd::Error(fmt::format("there are {} codes of {} dimensions, and it takes {}", codes.shape()[0],
                                          codes.shape()[1], 8 * codes.shape()[1]));
    }
    if (bias <= 0.1 * found.value) return found;
    throw autograd::Error(fmt::format("of the {:.2g} nats found about {:.2g} are the bias of so few codes", found.value, bias));
}

Estimate share_within_reach(const Array<float>& codes) {
    std::vector<double> inside;
    for (std::size_t i = 0; i < codes.shape()[0]; ++i) {
        const double x = static_cast<double>(codes(i, 0)), y = static_cast<double>(codes(i, 1));
        inside.push_back(x * x + y * y < -2 * std::log(0.01) ? 1 : 0);
    }
    return mean_of(inside);
}

CodeShape shape_of(const std::string& model, const Array<float>& training, const Array<float>& held_out, Rng rng,
                   std::vector<LeftOut>& left_out) {
    CodeShape shape{aggregate_posterior(held_out)};
    shape.measures.add("gaussian_kl", attempt(left_out, "how far " + model + " codes are from N(0, I)",
                                              [&] { return unbiased_gaussian_kl(held_out); }));
    if (held_out.shape()[1] != 2) return shape;
    const auto within_reach = attempt(left_out, "the share of " + model + " codes in the circle of N(0, I)", [&] {
        require_enough(held_out.shape()[0], fewest_scored, training.shape()[0]);
        return share_within_reach(held_out);
    });
    if (!within_reach) return shape;
    shape.measures.add("within_reach", within_reach);
    const auto holes = attempt(left_out, "the holes between " + model + " codes", [&] { return Holes(training, held_out); });
    if (!holes) return shape;
    shape.measures.add("hole_rate", holes->rate(10000, rng));
    shape.hole_map = holes->map(64, hole_map_extent);
    return shape;
}

/// A density fitted to the codes of each model.
struct FittedDensities {
    const char* name;
    CodeDensity ae, vae;
};

/// @throws Error if features are all alike, say.
std::vector<ScoredSet> scored_sets(const Autoencoder& ae, const Autoencoder& vae, const Data& data,
                                   const FeatureSpace& features, bool binary, const Rng& rng,
                                   const std::vector<FittedDensities>& densities, std::vector<LeftOut>& left_out) {
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
        add(density.name, drawn([&](Rng each) { return density.ae.sample(judge.count(), held_out.labels, each); }),
            drawn([&](Rng each) { return density.vae.sample(judge.count(), held_out.labels, each); }));
    }
    if (!judge.held_out_are_new()) {
        left_out.push_back({"distances to the nearest training image", "a tenth of the test images are training images"});
    }
    return sets;
}

/// Codes of one kind, of training and test images.
struct Codes {
    const Array<float>& training;
    const Array<float>& test;
};

CodeAccuracies code_accuracies(const Codes& ae, const Codes& vae, const ImageSet& training, const ImageSet& test,
                               const Rng& rng) {
    const Gradable graded = gradable(training.labels, test.labels);
    const ImageSet judged = select(test, graded.rows);
    const auto accuracy = [&](const Codes& codes) {
        Array<float> judged_codes;
        nn::gather_rows(codes.test, graded.rows, judged_codes);
        return code_accuracy(codes.training, training.labels, judged_codes, judged.labels, rng.stream("code classifier"));
    };
    const PrincipalComponents components(training.images, std::min(ae.test.shape()[1], training.images.shape()[1]),
                                         rng.stream("principal components"));
    return {accuracy(ae), accuracy(vae), accuracy({components.project(training.images), components.project(test.images)}),
            components.variances().size(), graded};
}

}  // namespace

FeatureSpace::FeatureSpace(const Data& data, const Rng& rng) : description_("the principal components of the pixels") {
    if (!data.train.labels.empty()) {
        try {
            train_classifier(data, rng.stream("classifier"));
            return;
        } catch (const autograd::Error& error) {
            classifier_.reset();
            description_ += fmt::format(", because {}", error.what());
        }
    }
    try {
        components_.emplace(data.train.images, std::min<std::size_t>(64, data.rows * data.columns),
                            rng.stream("principal components"));
    } catch (const autograd::Error&) {
        // Said where they are asked for.
    }
}

void FeatureSpace::train_classifier(const Data& data, const Rng& rng) {
    const Gradable graded = gradable(data.train.labels, data.test.labels);
    classifier_.emplace(data.train.images, data.train.labels, ClassifierOptions{}, rng);
    const ImageSet judged = select(data.test, graded.rows);
    const Estimate accuracy = classifier_->accuracy(judged.images, judged.labels);
    if (!graded.above_chance(accuracy)) {
        throw autograd::Error(
            fmt::format("a classifier of them learned nothing: it is right about {:.1f} % of the test images, and who "
                        "always names the commonest class about {:.1f} %",
                        100 * accuracy.value, 100 * graded.chance));
    }
    description_ = fmt::format("the last hidden layer of a classifier that is right about {:.1f} % of the test images",
                               100 * accuracy.value);
}

Array<float> FeatureSpace::operator()(const Array<float>& images) const {
    if (classifier_) return classifier_->features(images);
    if (components_) return components_->project(images);
    throw autograd::Error("the training images are all equal");
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
    std::vector<LeftOut>& left_out = result.left_out;
    result.ae = shape_of("the AE's", ae_training, ae_test, rng.stream("holes"), left_out);
    result.vae = shape_of("the VAE's", vae_training.sample, vae_test.sample, rng.stream("holes"), left_out);

    const auto fitted = [&](const char* name, std::size_t components) {
        return attempt(left_out, std::string("codes from ") + name, [&] {
            require_enough(data.test.images.shape()[0], 2 * fewest_scored, training.images.shape()[0]);
            const auto mixture = [&](const Array<float>& codes) {
                return CodeDensity(codes, training.one_hot ? training.labels : std::vector<int>{}, components,
                                   rng.stream("mixture"));
            };
            return FittedDensities{name, mixture(ae_training), mixture(vae_training.sample)};
        });
    };
    std::vector<FittedDensities> densities;
    if (features != nullptr) {
        if (auto gaussian = fitted(from_gaussian, 1)) densities.push_back(std::move(*gaussian));
    }
    if (auto mixture = fitted(from_mixture, 10)) {
        result.ae_mixture = mixture->ae;
        result.vae_mixture = mixture->vae;
        densities.push_back(std::move(*mixture));
    }
    if (features != nullptr) {
        auto sets = attempt(left_out, "scores of generated images", [&] {
            require_enough(data.test.images.shape()[0], 2 * fewest_scored, training.images.shape()[0]);
            return scored_sets(ae, vae, data, *features, binary, rng, densities, left_out);
        });
        if (sets) result.sets = std::move(*sets);
        if (!data.train.labels.empty()) {
            result.accuracies = attempt(left_out, "how well a classifier reads the classes off the codes", [&] {
                return code_accuracies({ae_training, ae_test}, {vae_training.mean, vae_test.mean}, training, data.test, rng);
            });
        }
    }
    if (result.accuracies && result.accuracies->graded.rows.size() < data.test.labels.size()) {
        left_out.push_back(
            {fmt::format("{} of {} test images, in what a classifier is right about",
                         data.test.labels.size() - result.accuracies->graded.rows.size(), data.test.labels.size()),
             "no training image is of their class"});
    }
    if (!estimate_likelihood) return result;
    const ImageSet some = first(data.test, 500);
    for (const std::size_t samples : {1u, 50u, 500u}) {
        const auto found = attempt(left_out, fmt::format("log p(x) from {} samples", samples), [&] {
            return iwae_log_likelihood(latent_model(vae, data.rows * data.columns), inputs_of(some), samples,
                                       rng.stream("importance"));
        });
        if (found) result.log_likelihoods.push_back({samples, some.images.shape()[0], *found});
    }
    return result;
}
