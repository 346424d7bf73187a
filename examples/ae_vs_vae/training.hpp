// Training one model and keeping its history, with stops and checkpoints. The same code for both: what differs is the
// loss function that it is given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data.hpp"
#include "failures.hpp"
#include "interrupt.hpp"
#include "models.hpp"
#include "options.hpp"
#include "points.hpp"

/// In nats per image.
struct LossValues {
    double loss = 0;  ///< reconstruction + beta kl, with the whole beta whatever its warm-up or cycles have made of it
    double reconstruction = 0;
    double kl = 0;

    /// What early stopping goes by: of a VAE the negative ELBO, whatever beta is; of an autoencoder its reconstruction.
    double at_beta_one() const { return reconstruction + kl; }
};

struct EpochRecord {
    std::size_t epoch;
    LossValues train;  ///< the mean over the epoch's images, each as its step found it
    LossValues test;   ///< the whole test set after the epoch, one draw per image
};

/// What a model makes of the first test images, and of codes that stay the same, at one time of its training.
struct Frame {
    std::size_t step;              ///< how many training steps it has made
    LossValues loss;               ///< of these images, one draw for each
    autograd::Array<float> codes;  ///< theirs, of a VAE the means of q(z|x): (images, 2); (0, 0) if they have other dimensions
    autograd::Array<std::uint8_t> pictures;  ///< what it decodes the ten codes to: (10, rows * columns), 255 is white
};

struct History {
    std::size_t steps = 0;
    double ms_per_step = 0;  ///< the median over the steps which this run of the program made
    std::vector<EpochRecord> epochs;
    std::size_t best_epoch = 0;  ///< of the smallest test loss by at_beta_one(), from 1
    bool stopped_early = false;  ///< then the weights are those of best_epoch
    std::vector<Frame> film;     ///< in the order of their steps; see film.hpp
};

/// Sums over images in double: a float loses digits over ten thousand of them.
struct LossSums {
    double reconstruction = 0, kl = 0, images = 0;

    void add(const Loss& batch, std::size_t count);
    LossValues mean(double beta) const;
};

/// How far a training has come. With the model, the optimiser and the generators, all that going on takes.
struct Progress {
    History history;
    std::size_t epoch = 1;  ///< the one that is running
    std::size_t step = 0;   ///< steps made within it
    LossSums sums;          ///< over these

    bool finished(const Options& options) const { return history.stopped_early || epoch > options.epochs; }
};

/// The loss of a batch, with beta, `samples` codes for each image, and a generator for their noise. (A plain
/// autoencoder uses none of these.)
using LossFunction =
    std::function<Loss(const Autoencoder&, const Batch&, float beta, std::size_t samples, autograd::Rng& noise)>;
extern const LossFunction plain_loss, variational_loss;

/// What a model is trained as.
struct Role {
    std::string kind;            ///< "AE" or "VAE"
    std::string title;           ///< in what is printed
    std::string file;            ///< of its checkpoint, without the directory: "vae.safetensors"
    LossFunction loss;           ///< plain_loss or variational_loss
    std::size_t epochs_to_come;  ///< those of models which are trained after this one, for the estimate of the time left
    std::size_t frames;          ///< at most so many in its film; 0: it is not filmed
};

/// Trains by Adam, from the checkpoint if options.resume and there is one, and reports each epoch on standard output;
/// on a terminal also within the epoch. A checkpoint that cannot be written after an epoch is said on standard error, and
/// it goes on; if that holds for the last one too, it is among `failures`.
/// @throws Error if the loss ceases to be finite; FileError if a checkpoint cannot be gone on from; Interrupted after a
/// signal, with all that there is saved, or FileError then, if that cannot be saved.
History train(const Role& role, Autoencoder& model, const Data& data, const NetworkOptions& network, const Options& options,
              const autograd::Rng& rng, Interrupts& interrupts, Failures& failures);

/// Losses as means over draws of the noise, with the standard error that these leave; of an autoencoder, which draws
/// nothing, there is none.
struct LossEstimates {
    Estimate loss, reconstruction, kl;
};

/// evaluate(), so many times with other noise.
LossEstimates evaluate_often(const Autoencoder& model, const LossFunction& loss, const ImageSet& images, double beta,
                             std::size_t draws, const autograd::Rng& rng);

/// The loss of the whole of `images` with one code each; a short last batch counts by its size.
LossValues evaluate(const Autoencoder& model, const LossFunction& loss, const ImageSet& images, double beta, autograd::Rng rng);
