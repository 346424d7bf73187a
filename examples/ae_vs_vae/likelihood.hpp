// What is known of a latent variable model beyond its loss: an estimate of log p(x), which latent dimensions it uses,
// and how well its codes fill the prior N(0, I) that new ones are drawn from. It knows encoders and decoders as
// functions, and codes as arrays; those of an autoencoder too, where a function takes codes alone.
#pragma once

#include <autograd/autograd.hpp>
#include <cstddef>
#include <functional>
#include <nn/nn.hpp>
#include <vector>

#include "points.hpp"

using EncodeFunction = std::function<nn::Normal<float>(const autograd::Var<float>& x)>;

struct LatentModel {
    EncodeFunction encode;                                                      ///< x to q(z|x)
    std::function<autograd::Var<float>(const autograd::Var<float>& z)> decode;  ///< z to what log_likelihood takes
    /// log p(x|z) for each row, (rows,), in nats.
    std::function<autograd::Var<float>(const autograd::Var<float>& decoded, const autograd::Var<float>& x)> log_likelihood;
};

/// log p(x, z) - log q(z|x) of `samples` draws z from q(z|x) for each row of x, with one draw of `rng`: that of draw s of row i
/// is element s * rows + i. It can be differentiated through the draws.
/// @throws ShapeError if log_likelihood does not give one number for each row.
autograd::Var<float> log_weights(const LatentModel& model, const autograd::Var<float>& x, std::size_t samples,
                                 autograd::Rng& rng);

/// The mean over images of log (1 / K) sum_k p(x|z_k) p(z_k) / q(z_k|x), K = `samples`, z_k from q(z|x): below log p(x)
/// on average and the nearer the larger K is; the ELBO for K = 1 (Burda, Grosse and Salakhutdinov 2016).
/// The standard error is over images. On data which log_likelihood is no likelihood of (grey pixels of a Bernoulli) it
/// is no estimate of anything.
/// @throws autograd::Error if there are fewer than 2 images, no samples, or an estimate is not finite; ShapeError if
/// log_likelihood does not give one number for each row.
Estimate iwae_log_likelihood(const LatentModel& model, const autograd::Array<float>& images, std::size_t samples,
                             autograd::Rng rng);
/// That of each image, of one or more. `after_images` is told every now and then of how many it is known, and may throw.
/// @throws as above, and what `after_images` throws.
std::vector<double> iwae_log_likelihoods(const LatentModel& model, const autograd::Array<float>& images, std::size_t samples,
                                         autograd::Rng rng, const std::function<void(std::size_t done)>& after_images = {});

/// q(z|x) of a set of images: each (images, latent dimensions).
struct Posteriors {
    autograd::Array<float> mean, log_variance;
    autograd::Array<float> sample;  ///< one draw for each image: together, draws of the aggregate posterior
};
Posteriors posteriors_of(const EncodeFunction& encode, const autograd::Array<float>& images, autograd::Rng rng);

/// KL(q(z_i|x) || N(0, 1)) for each dimension, its mean and standard error over images, in nats.
/// @throws as require_points with 2 rows.
std::vector<Estimate> kl_per_dimension(const Posteriors& posteriors);

/// The variance over images of each posterior mean. Dimensions in which it is above 0.01 are called active (Burda et
/// al. 2016).
/// @throws as require_points with 2 rows.
std::vector<double> activity_per_dimension(const Posteriors& posteriors);
inline constexpr double active_above = 0.01;

/// Codes (those of an autoencoder, or draws from q(z|x)) against N(0, I).
struct AggregatePosterior {
    std::vector<double> mean, standard_deviation;  ///< of each dimension
};
/// @throws as require_points with 2 rows.
AggregatePosterior aggregate_posterior(const autograd::Array<float>& codes);

/// KL(N(m, C) || N(0, I)) with the codes' mean and covariance, in nats: 0 if these are the prior's, whatever the codes'
/// shape is otherwise, for which see Holes. The standard error is that of ten disjoint parts of the codes, or of fewer
/// where parts would have less than 4 d codes; nothing where there are not two such parts.
/// @throws autograd::Error if C is singular to rounding, as that of d codes or fewer is; as require_points with 2 rows.
Estimate gaussian_kl(const autograd::Array<float>& codes);
/// About how much too large gaussian_kl is on average: d (d + 3) / (4 count).
double gaussian_kl_bias(const autograd::Array<float>& codes);

/// Where N(0, I) has probability and the training codes are not: there a decoder is asked for what it never learned. It
/// is meant for codes of two or three dimensions. In many, the middle of codes that are spread wider than N(0, I) is
/// nearer to them than the outer ones are to each other, and counts as no hole although few codes lie there.
class Holes {
   public:
    /// A place is in a hole if its distance to the k-th nearest training code is beyond the 99 % quantile of that
    /// distance among held-out codes. (So of held-out codes 1 % are in holes: the floor of rate().)
    /// @throws autograd::Error if there are fewer than k training codes or 100 held-out codes, or that quantile is 0;
    /// ShapeError if dimensions differ.
    Holes(autograd::Array<float> training_codes, const autograd::Array<float>& held_out_codes, std::size_t k = 5);

    /// The 99 % quantile.
    double threshold() const { return threshold_; }

    /// The distance to the k-th nearest training code, of each place (row), divided by the threshold.
    std::vector<double> relative_distances(const autograd::Array<float>& places) const;

    /// The share of `count` draws of N(0, I) which are in holes. One draw of `rng`. The standard error is over these
    /// draws.
    /// @throws autograd::Error for fewer than 2 draws.
    Estimate rate(std::size_t count, autograd::Rng& rng) const;

    /// relative_distances() of the plane: (side, side), of the centres of the cells that [-extent, extent]^2 is cut
    /// into. The first coordinate grows along a row; the first row is at the top, where the second coordinate is
    /// largest.
    /// @throws autograd::Error if the codes have not two dimensions, or `side` or `extent` is not above 0.
    autograd::Array<double> map(std::size_t side, double extent) const;

   private:
    autograd::Array<float> codes_;
    std::size_t k_;
    double threshold_ = 1;
};
