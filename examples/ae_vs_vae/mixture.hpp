// A Gaussian mixture with full covariances: a density fitted to codes after training, to draw codes from. It knows
// points, not models. With one component it is the Gaussian of the points' mean and covariance.
#pragma once

#include <autograd/autograd.hpp>
#include <cstddef>
#include <vector>

#include "points.hpp"

struct MixtureOptions {
    std::size_t components = 10;
    std::size_t fit_on = 20000;      ///< at most so many of the points, drawn at random, are used
    std::size_t lloyd_steps = 10;    ///< of k-means, before EM
    std::size_t most_steps = 200;    ///< of EM
    double tolerance = 1e-5;         ///< EM ends when the mean log density gains less, relative to max(1, its magnitude)
    double covariance_floor = 1e-6;  ///< of the points' mean variance (at least 1e-12), added to all variances
};

class GaussianMixture {
   public:
    struct Component {
        double weight;
        autograd::Array<double> mean;        ///< (dimensions,)
        autograd::Array<double> covariance;  ///< (dimensions, dimensions), with the floor
        autograd::Array<double> cholesky;    ///< its lower triangular factor
    };

    /// Fits by EM (Dempster, Laird and Rubin 1977), from a k-means++ start (Arthur and Vassilvitskii 2007) and some
    /// steps of Lloyd's. Takes a few draws of `rng`. There are fewer components than asked for if there are fewer
    /// distinct points, and a component which ends up with the weight of less than one point is dropped.
    /// @throws autograd::Error if there are fewer points than components, fewer than 2, or one that is not finite.
    GaussianMixture(const autograd::Array<float>& points, const MixtureOptions& options, autograd::Rng rng);

    /// (count, dimensions), two draws of `rng`.
    autograd::Array<float> sample(std::size_t count, autograd::Rng& rng) const;

    /// In nats, for each point.
    /// @throws autograd::ShapeError if the points have other dimensions, Error if one is not finite.
    std::vector<double> log_density(const autograd::Array<float>& points) const;

    const std::vector<Component>& components() const { return components_; }
    /// EM's steps, and the mean log density of the points that were fitted before each of them and at the end.
    const std::vector<double>& history() const { return history_; }

   private:
    std::vector<Component> components_;
    std::vector<double> history_;
};
