// One training step of a VAE on one picture, recorded and swept, as plain data for the page: what the tape wrote down. The
// graph is the library's own; here its nodes get the names that they have in textbooks. How it is drawn is up to report/.
#pragma once

#include <autograd/autograd.hpp>
#include <cstddef>
#include <optional>

#include "data.hpp"
#include "models.hpp"
#include "report.hpp"

/// vae_loss() of one image, recorded twice with the same noise: as it is trained, and with z drawn from N(mu, sigma^2) by
/// nn::Normal::sample(), which gives the same numbers and another way back. Each with the gradients of the reconstruction, the
/// KL divergence and the loss.
/// Nothing if a number is not finite, as after a training that diverged.
std::optional<report::Computation> computation_of(const Autoencoder& vae, const ImageSet& images, std::size_t image, float beta,
                                                  const autograd::Rng& rng);
