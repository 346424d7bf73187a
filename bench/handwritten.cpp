// Row-major throughout; a layer is y = x W + b with W of shape (inputs, outputs). Buffers are Arrays for their alignment
// and padding alone.
#include "handwritten.hpp"

#include <cblas.h>

#include <algorithm>
#include <cmath>

namespace bench {
namespace {

namespace kernels = autograd::kernels;
using autograd::Pack;
using P = Pack<float>;
constexpr std::size_t width = P::size;

void gemm(bool transpose_a, bool transpose_b, std::size_t m, std::size_t n, std::size_t k, const float* a, std::size_t lda,
          const float* b, std::size_t ldb, float beta, float* c) {
    const double flops = 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
    openblas_set_num_threads(flops < 20e6 ? 1 : autograd::num_threads());
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans,
                static_cast<int>(m), static_cast<int>(n), static_cast<int>(k), 1, a, static_cast<int>(lda), b,
                static_cast<int>(ldb), beta, c, static_cast<int>(n));
}

/// y = max(y + bias, 0), or y + bias.
template <bool Relu>
void add_bias(float* y, const float* bias, std::size_t rows, std::size_t columns) {
    for (std::size_t row = 0; row < rows; ++row, y += columns) {
        std::size_t i = 0;
        for (; i + width <= columns; i += width) {
            P value = kernels::add(P::load(y + i), P::load(bias + i));
            if constexpr (Relu) value = P(xsimd::max(value.lanes, P(0).lanes));
            value.store(y + i);
        }
        for (; i < columns; ++i) y[i] = Relu ? std::max(y[i] + bias[i], 0.0f) : y[i] + bias[i];
    }
}

void add_columns(const float* from, float* to, std::size_t rows, std::size_t columns) {
    std::fill_n(to, columns, 0.0f);
    for (std::size_t row = 0; row < rows; ++row, from += columns) {
        std::size_t i = 0;
        for (; i + width <= columns; i += width) kernels::add(P::load(to + i), P::load(from + i)).store(to + i);
        for (; i < columns; ++i) to[i] += from[i];
    }
}

/// gradient = value > 0 ? gradient : 0
void mask_by_relu(float* gradient, const float* value, std::size_t count) {
    for (std::size_t i = 0; i < count; i += width) {
        P(xsimd::select(P::load(value + i).lanes > P(0).lanes, P::load(gradient + i).lanes, P(0).lanes)).store(gradient + i);
    }
}

}  // namespace

HandwrittenVae::Layer HandwrittenVae::add_layer(std::size_t inputs, std::size_t outputs) {
    const auto aligned = [](std::size_t count) { return (count + 15) / 16 * 16; };
    const Layer layer{inputs, outputs, parameter_count_, parameter_count_ + aligned(inputs * outputs)};
    parameter_count_ = layer.bias + aligned(outputs);
    return layer;
}

HandwrittenVae::HandwrittenVae(Sizes sizes, autograd::Rng& rng)
    : sizes_(sizes),
      encoder_(add_layer(sizes.pixels, sizes.units)),
      heads_(add_layer(sizes.units, 2 * sizes.latent)),
      decoder_(add_layer(sizes.latent, sizes.units)),
      pixels_(add_layer(sizes.units, sizes.pixels)),
      mean_(heads_) {
    using autograd::full;
    mean_.outputs = sizes.latent;
    for (Buffer* each : {&parameters_, &gradients_, &first_moment_, &second_moment_}) {
        *each = full<float>({parameter_count_}, 0);
    }
    for (const Layer& layer : {encoder_, heads_, decoder_, pixels_}) {
        const Buffer draw = rng.normal<float>({layer.inputs * layer.outputs});
        const float scale = std::sqrt(1.0f / static_cast<float>(layer.inputs));
        std::transform(draw.data(), draw.data() + draw.size(), parameters_.data() + layer.weight,
                       [scale](float value) { return scale * value; });
    }
    const std::size_t n = sizes.batch;
    for (Buffer* each : {&hidden_, &hidden_gradient_, &decoded_, &decoded_gradient_}) *each = full<float>({n, sizes.units}, 0);
    for (Buffer* each : {&heads_out_, &heads_gradient_}) *each = full<float>({n, 2 * sizes.latent}, 0);
    for (Buffer* each : {&epsilon_, &deviation_, &z_, &z_gradient_}) *each = full<float>({n, sizes.latent}, 0);
    for (Buffer* each : {&logits_, &logits_gradient_}) *each = full<float>({n, sizes.pixels}, 0);
}

void HandwrittenVae::forward(const Layer& layer, const float* x, Buffer& y) {
    gemm(false, false, sizes_.batch, layer.outputs, layer.inputs, x, layer.inputs, parameters_.data() + layer.weight,
         layer.outputs, 0, y.data());
}

void HandwrittenVae::backward(const Layer& layer, const float* x, const Buffer& gradient, Buffer* x_gradient) {
    gemm(true, false, layer.inputs, layer.outputs, sizes_.batch, x, layer.inputs, gradient.data(), layer.outputs, 0,
         gradients_.data() + layer.weight);
    if (x_gradient != nullptr) {
        gemm(false, true, sizes_.batch, layer.inputs, layer.outputs, gradient.data(), layer.outputs,
             parameters_.data() + layer.weight, layer.outputs, 0, x_gradient->data());
    }
}

void HandwrittenVae::products(const float* x) {
    forward(encoder_, x, hidden_);
    forward(heads_, hidden_.data(), heads_out_);
    forward(decoder_, z_.data(), decoded_);
    forward(pixels_, decoded_.data(), logits_);
    backward(pixels_, decoded_.data(), logits_gradient_, &decoded_gradient_);
    backward(decoder_, z_.data(), decoded_gradient_, &z_gradient_);
    backward(heads_, hidden_.data(), heads_gradient_, &hidden_gradient_);
    backward(encoder_, x, hidden_gradient_, nullptr);
}

/// Cross-entropy of the logits (with their bias still to be added) and its gradient, in one pass: both need exp(-|l|).
float HandwrittenVae::pixel_loss(const float* x) {
    const float scale = 1.0f / static_cast<float>(sizes_.batch);
    const float* bias = parameters_.data() + pixels_.bias;
    float* bias_gradient = gradients_.data() + pixels_.bias;
    std::fill_n(bias_gradient, sizes_.pixels, 0.0f);
    double total = 0;
    for (std::size_t row = 0; row < sizes_.batch; ++row) {
        const float* logits = logits_.data() + row * sizes_.pixels;
        const float* target = x + row * sizes_.pixels;
        float* gradient = logits_gradient_.data() + row * sizes_.pixels;
        P sum(0);
        for (std::size_t i = 0; i < sizes_.pixels; i += width) {  // a whole number of packs
            const auto logit = P::load(logits + i).lanes + P::load(bias + i).lanes;
            const auto pixel = P::load(target + i).lanes;
            const auto zero = P(0).lanes, one = P(1).lanes;
            const auto e = xsimd::exp(-xsimd::abs(logit));
            const auto sigmoid = xsimd::select(logit > zero, one, e) / (one + e);
            sum.lanes += xsimd::max(logit, zero) - logit * pixel + xsimd::log1p(e);
            const auto g = (sigmoid - pixel) * P(scale).lanes;
            P(g).store(gradient + i);
            P(P::load(bias_gradient + i).lanes + g).store(bias_gradient + i);
        }
        total += static_cast<double>(kernels::sum_lanes(sum));
    }
    return static_cast<float>(total) * scale;
}

void HandwrittenVae::adam() {
    ++steps_;
    const auto t = static_cast<float>(steps_);
    const float beta1 = 0.9f, beta2 = 0.999f, rate = 1e-3f, epsilon = 1e-8f;
    const float step_size = rate / (1 - std::pow(beta1, t));
    const float correction = 1 / std::sqrt(1 - std::pow(beta2, t));
    for (std::size_t i = 0; i < parameter_count_; i += width) {
        const auto g = P::load(gradients_.data() + i).lanes;
        const auto m = P(beta1).lanes * P::load(first_moment_.data() + i).lanes + P(1 - beta1).lanes * g;
        const auto v = P(beta2).lanes * P::load(second_moment_.data() + i).lanes + P(1 - beta2).lanes * g * g;
        P(m).store(first_moment_.data() + i);
        P(v).store(second_moment_.data() + i);
        const auto denominator = xsimd::sqrt(v) * P(correction).lanes + P(epsilon).lanes;
        P(P::load(parameters_.data() + i).lanes - P(step_size).lanes * m / denominator).store(parameters_.data() + i);
    }
}

void HandwrittenVae::encode_hidden(const float* x) {
    forward(encoder_, x, hidden_);
    add_bias<true>(hidden_.data(), parameters_.data() + encoder_.bias, sizes_.batch, sizes_.units);
}

/// From z_ to the reconstruction loss, and back to the gradient of z_.
float HandwrittenVae::decode_and_backward(const float* x) {
    forward(decoder_, z_.data(), decoded_);
    add_bias<true>(decoded_.data(), parameters_.data() + decoder_.bias, sizes_.batch, sizes_.units);
    forward(pixels_, decoded_.data(), logits_);
    const float loss = pixel_loss(x);
    backward(pixels_, decoded_.data(), logits_gradient_, &decoded_gradient_);
    mask_by_relu(decoded_gradient_.data(), decoded_.data(), sizes_.batch * sizes_.units);
    add_columns(decoded_gradient_.data(), gradients_.data() + decoder_.bias, sizes_.batch, sizes_.units);
    backward(decoder_, z_.data(), decoded_gradient_, &z_gradient_);
    return loss;
}

void HandwrittenVae::backward_hidden(const float* x) {
    mask_by_relu(hidden_gradient_.data(), hidden_.data(), sizes_.batch * sizes_.units);
    add_columns(hidden_gradient_.data(), gradients_.data() + encoder_.bias, sizes_.batch, sizes_.units);
    backward(encoder_, x, hidden_gradient_, nullptr);
}

float HandwrittenVae::step(const float* x, autograd::Rng& noise) {
    const std::size_t n = sizes_.batch, latent = sizes_.latent;
    encode_hidden(x);
    forward(heads_, hidden_.data(), heads_out_);
    add_bias<false>(heads_out_.data(), parameters_.data() + heads_.bias, n, 2 * latent);
    noise.fill_normal(epsilon_);
    double kl = 0;
    for (std::size_t row = 0; row < n; ++row) {
        const float* mean = heads_out_.data() + row * 2 * latent;
        for (std::size_t i = 0; i < latent; ++i) {
            const float log_variance = mean[latent + i];
            const float deviation = std::exp(0.5f * log_variance);
            const std::size_t at = row * latent + i;
            deviation_.data()[at] = deviation;
            z_.data()[at] = mean[i] + deviation * epsilon_.data()[at];
            kl += 0.5 * static_cast<double>(deviation * deviation + mean[i] * mean[i] - 1 - log_variance);
        }
    }
    const float reconstruction = decode_and_backward(x);
    const float scale = 1.0f / static_cast<float>(n);
    for (std::size_t row = 0; row < n; ++row) {
        const float* mean = heads_out_.data() + row * 2 * latent;
        float* gradient = heads_gradient_.data() + row * 2 * latent;
        for (std::size_t i = 0; i < latent; ++i) {
            const std::size_t at = row * latent + i;
            const float deviation = deviation_.data()[at], z_gradient = z_gradient_.data()[at];
            gradient[i] = z_gradient + mean[i] * scale;
            gradient[latent + i] =
                0.5f * (z_gradient * deviation * epsilon_.data()[at] + (deviation * deviation - 1) * scale);
        }
    }
    add_columns(heads_gradient_.data(), gradients_.data() + heads_.bias, n, 2 * latent);
    backward(heads_, hidden_.data(), heads_gradient_, &hidden_gradient_);
    backward_hidden(x);
    adam();
    return reconstruction + static_cast<float>(kl) * scale;
}

float HandwrittenVae::autoencoder_step(const float* x) {
    const std::size_t n = sizes_.batch, latent = sizes_.latent;
    encode_hidden(x);
    forward(mean_, hidden_.data(), z_);
    add_bias<false>(z_.data(), parameters_.data() + mean_.bias, n, latent);
    const float reconstruction = decode_and_backward(x);
    add_columns(z_gradient_.data(), gradients_.data() + mean_.bias, n, latent);
    backward(mean_, hidden_.data(), z_gradient_, &hidden_gradient_);
    backward_hidden(x);
    adam();
    return reconstruction;
}

const float* HandwrittenVae::decode(const float* codes) {
    forward(decoder_, codes, decoded_);
    add_bias<true>(decoded_.data(), parameters_.data() + decoder_.bias, sizes_.batch, sizes_.units);
    forward(pixels_, decoded_.data(), logits_);
    const float* bias = parameters_.data() + pixels_.bias;
    float* row = logits_.data();
    for (std::size_t i = 0; i < sizes_.batch; ++i, row += sizes_.pixels) {
        for (std::size_t j = 0; j < sizes_.pixels; j += width) {
            const auto logit = P::load(row + j).lanes + P::load(bias + j).lanes;
            P(P(1).lanes / (P(1).lanes + xsimd::exp(-logit))).store(row + j);
        }
    }
    return logits_.data();
}

}  // namespace bench
