// A density of a model's codes, fitted to those of training images: one mixture of Gaussians, or one for each class where the
// models are told it, because then codes need not say it. It knows points and labels, not models.
#pragma once

#include <autograd/autograd.hpp>
#include <cstddef>
#include <optional>
#include <vector>

#include "mixture.hpp"

class CodeDensity {
   public:
    /// @param labels  of the codes, from 0 to classes - 1; empty for one mixture of all
    /// @throws autograd::Error as GaussianMixture does, and then names the class.
    CodeDensity(const autograd::Array<float>& codes, const std::vector<int>& labels, std::size_t components,
                const autograd::Rng& rng);

    /// (count, dimensions): code i is of class labels[i], where there is a mixture for each class.
    /// @throws autograd::Error if no code was of a class that is asked for.
    autograd::Array<float> sample(std::size_t count, const std::vector<int>& labels, autograd::Rng& rng) const;

    /// Of all mixtures, the fewest Gaussians that one has: fewer than were asked for where no more hold codes.
    std::size_t fewest_components() const;

   private:
    bool by_class_;
    std::vector<std::optional<GaussianMixture>> mixtures_;  ///< by class, none of a class without codes; or the only one
};
