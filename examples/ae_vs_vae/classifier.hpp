// A classifier, for two uses: its last hidden layer is the space in which generated images are scored, and its accuracy
// says how much of the classes a code keeps. It is trained on the spot, on training data only.
#pragma once

#include <autograd/autograd.hpp>
#include <cstddef>
#include <nn/nn.hpp>
#include <vector>

#include "points.hpp"

struct ClassifierOptions {
    std::vector<std::size_t> hidden = {256, 64};  ///< units of the ReLU layers; none is multinomial logistic regression
    std::size_t epochs = 5;
    std::size_t batch = 128;
    double lr = 1e-3;  ///< Adam's, until the last epoch, which has a tenth of it
};

class Classifier {
   public:
    /// Trains by cross-entropy. `labels` are 0 or more; there are as many classes as the largest says.
    /// @throws autograd::Error if there is not one label for each input (row), one is negative, an input is not finite,
    /// or the loss ceases to be finite.
    Classifier(const autograd::Array<float>& inputs, const std::vector<int>& labels, const ClassifierOptions& options,
               const autograd::Rng& rng);

    /// What the last hidden layer makes of each input, after the ReLU: (count, hidden.back()).
    /// @throws autograd::ShapeError if the inputs have another length than the training's.
    autograd::Array<float> features(const autograd::Array<float>& inputs) const;

    /// The most probable class of each input.
    /// @throws as features().
    std::vector<int> predict(const autograd::Array<float>& inputs) const;

    /// The share of inputs whose most probable class is their label, with its standard error over inputs.
    /// @throws as features(); autograd::Error if there is not one label for each input, or fewer than two.
    Estimate accuracy(const autograd::Array<float>& inputs, const std::vector<int>& labels) const;

   private:
    std::vector<nn::Linear> layers_;

    autograd::Var<float> hidden(autograd::Var<float> x) const;
};

/// What of a labelled test set a classifier can be judged by.
struct Gradable {
    std::vector<std::size_t> rows;  ///< of test points whose class training points have
    double chance;                  ///< the share of the commonest class among these: what naming it always gets right

    /// Whether an accuracy on these exceeds chance by more than two standard errors of guessing.
    bool above_chance(const Estimate& accuracy) const;
};
/// @throws autograd::Error where nothing that a classifier gets right would say anything: the training labels are all
/// equal, or fewer than two of the test labels, or only equal ones, are among them.
Gradable gradable(const std::vector<int>& train_labels, const std::vector<int>& test_labels);

/// The test accuracy of a classifier of codes. Each dimension is first brought to mean 0 and variance 1 (of the
/// training codes), so that it does not depend on the units of the codes. The default options ask what can be read off
/// linearly.
/// @throws as Classifier and Classifier::accuracy.
Estimate code_accuracy(const autograd::Array<float>& train_codes, const std::vector<int>& train_labels,
                       const autograd::Array<float>& test_codes, const std::vector<int>& test_labels, const autograd::Rng& rng,
                       const ClassifierOptions& options = {.hidden = {}, .epochs = 5, .lr = 1e-2});
