// The film of a training: when frames are taken, what is in them, and how a checkpoint has them. How they are shown is up to
// the page.
#pragma once

#include <autograd/autograd.hpp>
#include <cstddef>
#include <filesystem>
#include <nn/nn.hpp>
#include <optional>
#include <vector>

#include "data.hpp"
#include "models.hpp"
#include "training.hpp"

class Camera {
   public:
    /// A film has at most `frames`; with 0 none is taken. What they show does not depend on how training goes: the images
    /// are the first of the test set, and the codes, from N(0, I), and all noise come from streams of `rng` of their own.
    Camera(std::size_t frames, LossFunction loss, const NetworkOptions& network, const ImageSet& test, double beta,
           std::size_t steps_per_epoch, const autograd::Rng& rng);

    /// Adds a frame, if one is due: after 0, 10, 30, 100, 300, ... steps of the first epoch, of which half of all frames
    /// are left for what follows, and after each epoch. If that makes too many, only every second, fourth, ... epoch stays,
    /// and the last. Which frames there are follows from the number of steps alone, so that a training which is stopped and
    /// gone on with, or prolonged, has the same film. A frame with a number that is not finite is not taken.
    void look(const Autoencoder& model, std::size_t steps, std::vector<Frame>& film) const;

   private:
    bool is_early(std::size_t steps) const;
    void thin(std::size_t epoch, std::vector<Frame>& film) const;

    std::size_t frames_;
    LossFunction loss_;
    ImageSet images_;
    autograd::Array<float> codes_;
    std::optional<autograd::Array<float>> labels_;  ///< of the codes, for a conditional model
    double beta_;
    std::size_t steps_per_epoch_;
    std::vector<std::size_t> early_;
    autograd::Rng rng_;
    bool plane_;
};

/// A film as arrays of a checkpoint: frame after frame, an array for each of their parts.
nn::Arrays arrays_of(const std::vector<Frame>& film);

/// The film in a checkpoint, none where there is none.
/// @throws nn::FileError if it is damaged, or no film of this test set.
std::vector<Frame> film_of(const std::filesystem::path& path, const nn::TensorFile& contents, const ImageSet& test);
