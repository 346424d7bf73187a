// An autoencoder and a VAE that are compared, and what was found out about them. Plain data, for main.cpp and for all that
// tells of it: the terminal, metrics.json, report.html.
#pragma once

#include <autograd/autograd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "analysis.hpp"
#include "codes.hpp"
#include "models.hpp"
#include "outcome.hpp"
#include "pictures.hpp"
#include "training.hpp"

/// How the files and lines of a pair are named.
struct PairPlan {
    std::string title;   ///< behind "AE" and "VAE" in what is printed
    std::string prefix;  ///< of pictures and checkpoints
    NetworkOptions network;
    autograd::Rng rng;  ///< whose streams are this pair's
    bool shown;         ///< the pair that the page draws, films and takes apart: of codes in a plane, where there is one

    std::string file(const std::string& model) const { return prefix + model + ".safetensors"; }
};

struct TrainedPair {
    PairPlan plan;
    Autoencoder ae, vae;
    History ae_history{}, vae_history{};
};

/// What the test set shows of a pair.
struct Evaluation {
    LossValues ae, vae;          ///< of one draw for each image, as after each epoch
    LossEstimates vae_of_draws;  ///< of several
    Outcome ae_outcome, vae_outcome;
    Estimate reconstruction_gap;  ///< the AE's reconstruction minus the VAE's, image by image
    CodeStatistics ae_codes, vae_codes;
    Analysis analysis;
    std::vector<Picture> pictures;
};

/// A VAE with another weight of the KL term.
struct BetaRun {
    double beta;
    LossValues test;
    std::size_t active_units;
    Outcome outcome;
    bool of_pair = false;  ///< the pair's own VAE, beside the others
};

/// What a run has found, for those who tell of it.
struct Findings {
    std::optional<double> floor;  ///< the pixels' own entropy, where the reconstruction is Bernoulli's cross-entropy
    std::string feature_space;    ///< in which images were scored; empty if none were
    std::vector<TrainedPair> pairs;
    std::vector<Evaluation> evaluations;  ///< one for each pair
    std::vector<BetaRun> betas;
};

/// The trainings that diverged, by the names that their progress has: "VAE 2-d".
std::vector<std::string> diverged_trainings(const Findings& findings);

/// The findings in plain words, each with its numbers; those that correct the story too. Of models that diverged or
/// learned nothing it is this that is found, and no comparison; what could not be estimated is named last, with the
/// reason.
std::vector<std::string> in_words(const Findings& findings);
