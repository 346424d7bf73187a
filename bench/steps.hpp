// The training step by xtape, for all that measures it: times in steps.cpp, memory in processes.cpp.
#pragma once

#include <autograd/autograd.hpp>
#include <cstddef>
#include <string>

#include "examples/ae_vs_vae/models.hpp"

namespace bench {

/// Half of the values zero, the others anywhere in [0.5, 1): as far as a loss is concerned, pictures.
autograd::Array<float> pictures(std::size_t batch, std::size_t pixels);

/// One step of the example's VAE, of its autoencoder, or of its VAE with convolutions, on the same batch again and
/// again.
class XtapeStep {
   public:
    enum class Kind { vae, ae, convolutional_vae };

    XtapeStep(Kind kind, std::size_t batch, autograd::BackwardOptions options = {});
    XtapeStep(const XtapeStep&) = delete;
    XtapeStep& operator=(const XtapeStep&) = delete;

    float operator()();

    /// Bytes of the values which the tape holds after a step, parameters not counted.
    std::size_t bytes_on_tape() const;

   private:
    Kind kind_;
    autograd::BackwardOptions options_;
    autograd::Rng rng_;
    Autoencoder model_;
    nn::Adam adam_;
    autograd::Tape<float> tape_;
    autograd::Parameter<float> x_;
};

/// What a worker does that add_steps() has started: serves one contender, until nobody asks for more. Its size is that
/// of a batch, for most of them.
/// @throws std::runtime_error if there is none of that name.
void run_as_worker(const std::string& contender, int threads, std::size_t size);

}  // namespace bench
