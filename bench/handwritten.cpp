// Row-major throughout; a layer is y = x W + b with W of shape (inputs, outputs). Buffers are Arrays for their
// alignment and padding alone. The loops over packs copy what they need into locals: those stay in registers, whatever
// is stored.
#include "handwritten.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "product.hpp"

namespace bench {
namespace {

using Pack = autograd::Pack<float>;
using Lanes = Pack::Batch;
constexpr std::size_t width = Pack::size;

Lanes load(const float* from) { return Pack::load(from).lanes; }
void store(Lanes lanes, float* to) { Pack(lanes).store(to); }
double sum_of(Lanes lanes) { return static_cast<double>(autograd::kernels::sum_lanes(Pack(lanes))); }

std::size_t threads() { return static_cast<std::size_t>(autograd::num_threads()); }

/// Calls work(part, begin, end) on at most `parts` ranges that together are [0, count), cut at cache lines.
template <class Work>
void cut(std::size_t count, std::size_t parts, const Work& work) {
    constexpr std::size_t line = 16;
    const std::size_t step = ((count + parts - 1) / parts + line - 1) / line * line;
    autograd::run_in_parallel((count + step - 1) / step,
                              [&](std::size_t part) { work(part, part * step, std::min(count, (part + 1) * step)); });
}

/// Into how many parts to cut a loop over this many elements.
std::size_t parts_of(std::size_t elements) { return elements < autograd::elements_worth_sharing ? 1 : threads(); }

/// c = op(a) op(b), with c of m x n. Each thread makes some columns of it, or rows.
void gemm(bool transpose_a, bool transpose_b, std::size_t m, std::size_t n, std::size_t k, const float* a, std::size_t lda,
          const float* b, std::size_t ldb, float* c) {
    const Product whole{transpose_a, transpose_b, m, n, k, a, lda, b, ldb, c, n};
    const Engine engine = quickest_engine(whole);
    const bool by_rows = m >= n;
    cut(by_rows ? m : n, threads(), [&](std::size_t, std::size_t begin, std::size_t end) {
        const std::size_t row = by_rows ? begin : 0, column = by_rows ? 0 : begin;
        Product part = whole;
        (by_rows ? part.m : part.n) = end - begin;
        part.a += transpose_a ? row : row * lda;
        part.b += transpose_b ? column * ldb : column;
        part.c += row * n + column;
        multiply(engine, part);
    });
}

/// y = f(y + bias) for each row of y, where f takes a pack or a number.
template <class F>
void add_bias(float* y, const float* bias, std::size_t rows, std::size_t columns, F f) {
    cut(rows, parts_of(rows * columns), [=](std::size_t, std::size_t begin, std::size_t end) {
        for (std::size_t row = begin; row < end; ++row) {
            float* values = y + row * columns;
            std::size_t i = 0;
            for (; i + width <= columns; i += width) store(f(load(values + i) + load(bias + i)), values + i);
            for (; i < columns; ++i) values[i] = f(values[i] + bias[i]);
        }
    });
}

constexpr auto identity = [](auto x) { return x; };
constexpr auto relu = [](auto x) {
    using std::max, xsimd::max;
    return max(x, decltype(x)(0.0f));
};
constexpr auto sigmoid = [](auto x) {
    using std::exp, xsimd::exp;
    return decltype(x)(1.0f) / (decltype(x)(1.0f) + exp(-x));
};

void add_columns(const float* from, float* to, std::size_t rows, std::size_t columns) {
    std::fill_n(to, columns, 0.0f);
    for (std::size_t row = 0; row < rows; ++row, from += columns) {
        for (std::size_t i = 0; i < columns; ++i) to[i] += from[i];
    }
}

/// gradient = value > 0 ? gradient : 0, and the sums of its columns.
void mask_and_add_columns(float* gradient, const float* value, float* sums, std::size_t rows, std::size_t columns) {
    cut(columns, parts_of(rows * columns), [=](std::size_t, std::size_t begin, std::size_t end) {
        std::fill(sums + begin, sums + end, 0.0f);
        for (std::size_t row = 0; row < rows; ++row) {
            const float* values = value + row * columns;
            float* gradients = gradient + row * columns;
            for (std::size_t i = begin; i < end; ++i) {
                gradients[i] = values[i] > 0 ? gradients[i] : 0;
                sums[i] += gradients[i];
            }
        }
    });
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
      code_(heads_) {
    using autograd::full;
    code_.outputs = sizes.latent;
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
    for (Buffer* each : {&mean_, &log_variance_, &epsilon_, &deviation_, &z_, &z_gradient_}) {
        *each = full<float>({n, sizes.latent}, 0);
    }
    for (Buffer* each : {&logits_, &logits_gradient_}) *each = full<float>({n, sizes.pixels}, 0);
}

std::size_t HandwrittenVae::activation_bytes() const {
    std::size_t elements = 0;
    for (const Buffer* each : {&hidden_, &heads_out_, &mean_, &log_variance_, &epsilon_, &deviation_, &z_, &decoded_, &logits_,
                               &hidden_gradient_, &heads_gradient_, &z_gradient_, &decoded_gradient_, &logits_gradient_}) {
        elements += each->size();
    }
    return elements * sizeof(float);
}

void HandwrittenVae::forward(const Layer& layer, const float* x, Buffer& y) {
    gemm(false, false, sizes_.batch, layer.outputs, layer.inputs, x, layer.inputs, parameters_.data() + layer.weight,
         layer.outputs, y.data());
}

void HandwrittenVae::backward(const Layer& layer, const float* x, const Buffer& gradient, Buffer* x_gradient) {
    gemm(true, false, layer.inputs, layer.outputs, sizes_.batch, x, layer.inputs, gradient.data(), layer.outputs,
         gradients_.data() + layer.weight);
    if (x_gradient != nullptr) {
        gemm(false, true, sizes_.batch, layer.inputs, layer.outputs, gradient.data(), layer.outputs,
             parameters_.data() + layer.weight, layer.outputs, x_gradient->data());
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
/// Each thread has some columns, so that it alone adds to their bias gradients.
float HandwrittenVae::pixel_loss(const float* x) {
    const std::size_t rows = sizes_.batch, columns = sizes_.pixels, parts = parts_of(rows * columns);
    autograd::PoolVector<double> totals(parts, 0.0);
    cut(columns, parts, [&](std::size_t part, std::size_t begin, std::size_t end) {
        const float *bias = parameters_.data() + pixels_.bias, *logits = logits_.data(), *target = x;
        float *bias_gradient = gradients_.data() + pixels_.bias, *gradient = logits_gradient_.data();
        const Lanes zero(0.0f), one(1.0f), scale(1.0f / static_cast<float>(rows));
        std::fill(bias_gradient + begin, bias_gradient + end, 0.0f);
        double total = 0;
        for (std::size_t row = 0; row < rows; ++row, logits += columns, target += columns, gradient += columns) {
            Lanes sum = zero;
            for (std::size_t block = begin; block < end; block += 64 * width) {
                // For the sum of log(1 + e): a product that cannot overflow, because 1 + e is at most 2.
                Lanes product = one;
                for (std::size_t i = block; i < std::min(end, block + 64 * width); i += width) {  // whole packs
                    const Lanes logit = load(logits + i) + load(bias + i), pixel = load(target + i);
                    const Lanes e = xsimd::exp(-xsimd::abs(logit)), one_and_e = one + e;
                    sum += xsimd::max(logit, zero) - logit * pixel;
                    product *= one_and_e;
                    const Lanes g = (xsimd::select(logit > zero, one, e) / one_and_e - pixel) * scale;
                    store(g, gradient + i);
                    store(load(bias_gradient + i) + g, bias_gradient + i);
                }
                sum += xsimd::log(product);
            }
            total += sum_of(sum);
        }
        totals[part] = total;
    });
    return static_cast<float>(std::accumulate(totals.begin(), totals.end(), 0.0) / static_cast<double>(rows));
}

void HandwrittenVae::adam() {
    ++steps_;
    const auto t = static_cast<float>(steps_);
    autograd::for_ranges(parameter_count_, [this, t](std::size_t begin, std::size_t end) {
        const float beta1 = 0.9f, beta2 = 0.999f, rate = 1e-3f;
        const Lanes keep1(beta1), take1(1 - beta1), keep2(beta2), take2(1 - beta2), epsilon(1e-8f);
        const Lanes step_size(rate / (1 - std::pow(beta1, t))), correction(1 / std::sqrt(1 - std::pow(beta2, t)));
        float *values = parameters_.data(), *first = first_moment_.data(), *second = second_moment_.data();
        const float* gradients = gradients_.data();
        for (std::size_t i = begin; i < end; i += width) {
            const Lanes g = load(gradients + i);
            const Lanes m = keep1 * load(first + i) + take1 * g;
            const Lanes v = keep2 * load(second + i) + take2 * g * g;
            store(m, first + i);
            store(v, second + i);
            store(load(values + i) - step_size * m / (xsimd::sqrt(v) * correction + epsilon), values + i);
        }
    });
}

void HandwrittenVae::encode_hidden(const float* x) {
    forward(encoder_, x, hidden_);
    add_bias(hidden_.data(), parameters_.data() + encoder_.bias, sizes_.batch, sizes_.units, relu);
}

/// Draws z_ from the distributions that the heads give; returns the sum of their divergences from N(0, I).
double HandwrittenVae::sample(autograd::Rng& noise) {
    const std::size_t n = sizes_.batch, latent = sizes_.latent;
    forward(heads_, hidden_.data(), heads_out_);
    float *mean = mean_.data(), *log_variance = log_variance_.data(), *deviation = deviation_.data(), *z = z_.data();
    const float *both = heads_out_.data(), *bias = parameters_.data() + heads_.bias;
    for (std::size_t row = 0; row < n; ++row, both += 2 * latent) {
        for (std::size_t i = 0; i < latent; ++i) mean[row * latent + i] = both[i] + bias[i];
        for (std::size_t i = 0; i < latent; ++i) log_variance[row * latent + i] = both[latent + i] + bias[latent + i];
    }
    noise.fill_normal(epsilon_);
    const float* epsilon = epsilon_.data();
    Lanes kl(0.0f);
    for (std::size_t i = 0; i < n * latent; i += width) {  // whole packs
        const Lanes mu = load(mean + i), log_square = load(log_variance + i), sigma = xsimd::exp(Lanes(0.5f) * log_square);
        store(sigma, deviation + i);
        store(mu + sigma * load(epsilon + i), z + i);
        kl += sigma * sigma + mu * mu - Lanes(1.0f) - log_square;
    }
    return 0.5 * sum_of(kl);
}

/// From z_ to the reconstruction loss, and back to the gradient of z_.
float HandwrittenVae::decode_and_backward(const float* x) {
    forward(decoder_, z_.data(), decoded_);
    add_bias(decoded_.data(), parameters_.data() + decoder_.bias, sizes_.batch, sizes_.units, relu);
    forward(pixels_, decoded_.data(), logits_);
    const float loss = pixel_loss(x);
    backward(pixels_, decoded_.data(), logits_gradient_, &decoded_gradient_);
    mask_and_add_columns(decoded_gradient_.data(), decoded_.data(), gradients_.data() + decoder_.bias, sizes_.batch,
                         sizes_.units);
    backward(decoder_, z_.data(), decoded_gradient_, &z_gradient_);
    return loss;
}

/// From the gradient of z_ to that of the heads.
void HandwrittenVae::backward_sample() {
    const std::size_t n = sizes_.batch, latent = sizes_.latent;
    const float scale = 1.0f / static_cast<float>(n);
    for (std::size_t row = 0; row < n; ++row) {
        const std::size_t at = row * latent;
        const float *mean = mean_.data() + at, *deviation = deviation_.data() + at, *epsilon = epsilon_.data() + at;
        const float* z_gradient = z_gradient_.data() + at;
        float* gradient = heads_gradient_.data() + 2 * at;
        for (std::size_t i = 0; i < latent; ++i) {
            gradient[i] = z_gradient[i] + mean[i] * scale;
            gradient[latent + i] =
                0.5f * (z_gradient[i] * deviation[i] * epsilon[i] + (deviation[i] * deviation[i] - 1) * scale);
        }
    }
    add_columns(heads_gradient_.data(), gradients_.data() + heads_.bias, n, 2 * latent);
}

void HandwrittenVae::backward_hidden(const float* x) {
    mask_and_add_columns(hidden_gradient_.data(), hidden_.data(), gradients_.data() + encoder_.bias, sizes_.batch,
                         sizes_.units);
    backward(encoder_, x, hidden_gradient_, nullptr);
}

float HandwrittenVae::step(const float* x, autograd::Rng& noise) {
    encode_hidden(x);
    const double kl = sample(noise);
    const float reconstruction = decode_and_backward(x);
    backward_sample();
    backward(heads_, hidden_.data(), heads_gradient_, &hidden_gradient_);
    backward_hidden(x);
    adam();
    return reconstruction + static_cast<float>(kl / static_cast<double>(sizes_.batch));
}

float HandwrittenVae::autoencoder_step(const float* x) {
    const std::size_t n = sizes_.batch, latent = sizes_.latent;
    encode_hidden(x);
    forward(code_, hidden_.data(), z_);
    add_bias(z_.data(), parameters_.data() + code_.bias, n, latent, identity);
    const float reconstruction = decode_and_backward(x);
    add_columns(z_gradient_.data(), gradients_.data() + code_.bias, n, latent);
    backward(code_, hidden_.data(), z_gradient_, &hidden_gradient_);
    backward_hidden(x);
    adam();
    return reconstruction;
}

const float* HandwrittenVae::decode(const float* codes) {
    forward(decoder_, codes, decoded_);
    add_bias(decoded_.data(), parameters_.data() + decoder_.bias, sizes_.batch, sizes_.units, relu);
    forward(pixels_, decoded_.data(), logits_);
    add_bias(logits_.data(), parameters_.data() + pixels_.bias, sizes_.batch, sizes_.pixels, sigmoid);
    return logits_.data();
}

}  // namespace bench
