// What became of a training: whether the model is better than before it, and better than one picture that is always the
// same. Where it is not, its scores are those of a failure and say nothing of autoencoders or VAEs.
#pragma once

#include <autograd/autograd.hpp>
#include <vector>

#include "codes.hpp"
#include "data.hpp"
#include "models.hpp"
#include "training.hpp"

/// The mean of the training images, in which one grey picture counts as another image so that no pixel is certain; of a
/// Gaussian likelihood with the variance that the training images have around it.
class MeanPicture {
   public:
    MeanPicture(const ImageSet& train, const NetworkOptions& network);

    /// -log p(x) of each image where each is taken for the mean picture, in nats.
    std::vector<double> losses(const ImageSet& images) const;

   private:
    Decoder decoder_;  ///< which makes that picture of every code
};

enum class Verdict {
    learned,
    learned_nothing,  ///< it gives back test images no better than the mean picture, by two standard errors and
                      ///< rounding
    diverged          ///< on training images its loss is larger than before training
};

/// "learned", "learned nothing", "diverged"
const char* name_of(Verdict verdict);

/// In nats per image.
struct Outcome {
    Verdict verdict;
    double loss_before, loss_after;       ///< of training images, by the model before and after its training
    double reconstruction, mean_picture;  ///< of test images, by the model and by the mean picture
};

/// The mean of a - b over the same images: surer than the difference of two means.
Estimate mean_difference(const std::vector<double>& a, const std::vector<double>& b);

/// @param test_losses reconstruction_losses() of the test images
/// @param untrained   the model as training begins with it
Outcome outcome_of(const Autoencoder& model, const std::vector<double>& test_losses, const Autoencoder& untrained,
                   const LossFunction& loss, const Data& data, double beta, const MeanPicture& mean_picture,
                   const autograd::Rng& rng);
