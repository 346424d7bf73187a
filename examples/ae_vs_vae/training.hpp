// Training one model and keeping its history. The same code for both: what differs is the loss function it is given.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "models.hpp"
#include "options.hpp"

/// In nats per image.
struct LossValues {
    double loss = 0;
    double reconstruction = 0;
    double kl = 0;
};

struct EpochRecord {
    std::size_t epoch;
    LossValues train;  ///< the mean over the epoch's images, each as its step found it
    LossValues test;   ///< the whole test set after the epoch, one draw per image
};

struct History {
    std::size_t steps = 0;
    double ms_per_step = 0;  ///< the median
    std::vector<EpochRecord> epochs;
};

/// The loss of a batch with `samples` codes for each image, whose noise comes from a generator. (A plain autoencoder uses
/// neither.)
using LossFunction =
    std::function<Loss(const Autoencoder&, const Var<float>& x, std::size_t samples, autograd::Rng&)>;

struct TrainingData {
    const autograd::Array<float>& train;
    const autograd::Array<float>& test;
};

/// Trains by Adam, and reports each epoch on standard output under `name`; on a terminal also within the epoch.
/// `epochs_to_come`: those of models which are trained after this one, for the estimate of the time left.
/// @throws Error if the loss ceases to be finite.
History train(const std::string& name, Autoencoder& model, const LossFunction& loss, const TrainingData& data,
              const Options& options, const autograd::Rng& rng, std::size_t epochs_to_come);

/// The loss of the whole of `images` with one code each; a short last batch counts by its size.
LossValues evaluate(const Autoencoder& model, const LossFunction& loss, const autograd::Array<float>& images,
                    autograd::Rng rng);
