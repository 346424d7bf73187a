// What a trained pair is worth beyond its loss, by the measures of mixture, classifier, scores and likelihood: which images
// come of which codes, and how much the codes themselves hold. It prints and draws nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "classifier.hpp"
#include "code_density.hpp"
#include "codes.hpp"
#include "data.hpp"
#include "likelihood.hpp"
#include "measures.hpp"
#include "models.hpp"
#include "principal_components.hpp"

/// What could not be estimated, and why: "scores of images", "there are fewer than 200 test images".
struct LeftOut {
    std::string what, why;
};

/// The space in which images are compared: the last hidden layer of a classifier trained on the spot, or, where there
/// are no labels or a classifier learns nothing from them, the principal components of the pixels.
class FeatureSpace {
   public:
    FeatureSpace(const Data& data, const autograd::Rng& rng);

    /// @throws autograd::Error if the training images were all equal, so that there is nothing to compare in.
    autograd::Array<float> operator()(const autograd::Array<float>& images) const;
    /// "the last hidden layer of a classifier that is right about 87.5 % of the test images", or which other and why
    const std::string& description() const { return description_; }

   private:
    std::optional<Classifier> classifier_;
    std::string description_;
    std::optional<PrincipalComponents> components_;  ///< none of images that are all equal

    /// @throws autograd::Error if it learns nothing, or nothing shows what it learned.
    void train_classifier(const Data& data, const autograd::Rng& rng);
};

/// Images of one origin, held against test images.
struct ScoredSet {
    std::string set;    ///< "z ~ N(0, I)"
    std::string model;  ///< "AE" or "VAE"; empty for real images
    Estimates scores;   ///< by image_measures()
};

/// How well a classifier reads the classes off a code of each kind.
struct CodeAccuracies {
    Estimate ae, vae, pca;
    std::size_t components;  ///< principal ones: as many as a code has dimensions, if images vary in as many
    Gradable graded;         ///< the test images that these are of, and what is right by chance
};

struct LogLikelihood {
    std::size_t samples;  ///< K
    std::size_t images;   ///< of the test set
    Estimate value;       ///< in nats
};

/// Codes of one model against N(0, I).
struct CodeShape {
    AggregatePosterior aggregate;
    Estimates measures{};  ///< "gaussian_kl"; in the plane "within_reach", of 99 % of N(0, I), and "hole_rate" too
    std::optional<autograd::Array<double>> hole_map{};  ///< of codes with two dimensions
};

struct Analysis {
    std::vector<ScoredSet> sets;    ///< real images first
    std::vector<LeftOut> left_out;  ///< of what was asked for
    std::optional<CodeAccuracies> accuracies;
    std::vector<LogLikelihood> log_likelihoods;  ///< of the VAE, by rising K; only where p(x|z) is a likelihood of the data
    std::vector<Estimate> kl;                    ///< per dimension
    std::size_t active_units = 0;
    CodeShape ae, vae;
    std::optional<CodeDensity> ae_mixture, vae_mixture;  ///< ten Gaussians, for conditional models for each class
};

inline constexpr double hole_map_extent = 4;
inline constexpr const char *from_prior = "z ~ N(0, I)", *from_gaussian = "one Gaussian fitted to codes",
                            *from_mixture = "ten Gaussians fitted to codes", *reconstructed = "reconstructions";

/// Mixtures and classifiers are fitted to training data; what is reported is of test data.
/// @param features null for no scores of images
/// @param binary   whether the images are 0 or 1: then those that models make are drawn, not their means
Analysis analyse(const Autoencoder& ae, const Autoencoder& vae, const Data& data, const FeatureSpace* features,
                 bool estimate_likelihood, bool binary, const autograd::Rng& rng);
