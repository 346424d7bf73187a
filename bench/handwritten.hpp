// The yardstick: the VAE's training step without a tape, as matrix products and fused loops over buffers that are
// allocated once. As fast as it can honestly be written: one product for both heads, one pass for the loss and its
// gradient, one pass for Adam. It is not part of the library, and no more general than its one network.
#pragma once

#include <autograd/autograd.hpp>
#include <cstddef>
#include <vector>

namespace bench {

struct Sizes {
    std::size_t pixels = 784, units = 400, latent = 20, batch = 128;
};

class HandwrittenVae {
   public:
    HandwrittenVae(Sizes sizes, autograd::Rng& rng);

    /// Forward, backward and Adam on `batch` rows of pixels; returns the loss in nats per image.
    float step(const float* x, autograd::Rng& noise);

    /// The same for a plain autoencoder of the same network: no noise, no KL term, no log-variance head.
    float autoencoder_step(const float* x);

    /// The matrix products of step() alone, on the same buffers.
    void products(const float* x);

    /// Bytes of the activations of a step and of their gradients.
    std::size_t activation_bytes() const;

    /// Pixels of `batch` codes, (batch, latent) to (batch, pixels), in a buffer of this object.
    const float* decode(const float* codes);

   private:
    using Buffer = autograd::Array<float>;

    struct Layer {
        std::size_t inputs, outputs, weight, bias;  // offsets into the parameters
    };
    Layer add_layer(std::size_t inputs, std::size_t outputs);
    void encode_hidden(const float* x);
    double sample(autograd::Rng& noise);
    float decode_and_backward(const float* x);
    void backward_sample();
    void backward_hidden(const float* x);
    void forward(const Layer& layer, const float* x, Buffer& y);
    void backward(const Layer& layer, const float* x, const Buffer& gradient, Buffer* x_gradient);
    float pixel_loss(const float* x);
    void adam();

    Sizes sizes_;
    std::size_t parameter_count_ = 0;
    Layer encoder_, heads_, decoder_, pixels_;
    Layer code_;  // for the autoencoder, in place of both heads
    Buffer parameters_, gradients_, first_moment_, second_moment_;
    Buffer hidden_, heads_out_, mean_, log_variance_, epsilon_, deviation_, z_, decoded_, logits_;
    Buffer hidden_gradient_, heads_gradient_, z_gradient_, decoded_gradient_, logits_gradient_;
    std::size_t steps_ = 0;
};

}  // namespace bench
