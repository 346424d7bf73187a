// The linear VAE, whose loss and whose optimum are closed forms (Lucas, Tucker, Grosse and Norouzi, "Don't blame the
// ELBO!", NeurIPS 2019): p(z) = N(0, I), p(x|z) = N(W z, s^2 I), q(z|x) = N(V x, D), D diagonal. For centred data.
// Programs 07 and 10 train it; no noise is drawn, because the average over q is a closed form too.
#pragma once

#include <autograd/autograd.hpp>
#include <cstddef>
#include <nn/nn.hpp>

using autograd::Array;
using autograd::Parameter;
using autograd::Var;

struct LinearVae {
    Parameter<double> decoder;       ///< W, (inputs, codes)
    Parameter<double> encoder;       ///< V, (codes, inputs)
    Parameter<double> log_variance;  ///< log of D's diagonal, (codes,)
    Parameter<double> log_noise;     ///< log s^2, (); for losses that train it
    static constexpr auto members = nn::members("decoder", &LinearVae::decoder, "encoder", &LinearVae::encoder,  //
                                                "log_variance", &LinearVae::log_variance, "log_noise", &LinearVae::log_noise);

    LinearVae(std::size_t inputs, std::size_t codes, autograd::Rng& rng)
        : decoder(nn::glorot_normal<double>(codes, inputs, rng)),
          encoder(nn::glorot_normal<double>(inputs, codes, rng)),
          log_variance(autograd::full<double>({codes}, 0.0)),
          log_noise(autograd::full<double>({}, 0.0)) {}

    struct Terms {
        Var<double> distortion;  ///< the average over q and the rows of |x - W z|^2
        Var<double> kl;          ///< KL(q(z|x) || p(z)) of each dimension, (codes,), averaged over the rows
    };
    Terms operator()(const Var<double>& x) const {
        auto& tape = x.tape();
        const double rows = static_cast<double>(x.shape()[0]);
        const auto w = tape.parameter(decoder), v = tape.parameter(log_variance);
        const auto mean = matmul(x, tape.parameter(encoder), {.b = true});
        // |x - W z|^2 with z = mean + D^(1/2) epsilon: what epsilon adds is D_j times the squared norm of column j.
        const auto residual = sum(square(x - matmul(mean, w, {.b = true}))) / rows;
        const auto spread = sum(exp(v) * sum(square(w), 0));
        const nn::Normal q{mean, broadcast_to(v, mean.shape())};
        return {residual + spread, autograd::mean(kl_divergence(q, nn::StandardNormal{}), 0)};
    }
};

/// `rows` draws whose covariance has about these eigenvalues, in the directions of a random rotation, with their mean
/// taken off.
inline Array<double> correlated_data(std::size_t rows, const Array<double>& variances, autograd::Rng& rng) {
    autograd::Tape<double> tape({.inference = true});
    const auto gaussian = tape.constant(rng.normal<double>({variances.size(), variances.size()}));
    const auto rotation = eigh(gaussian).eigenvectors;
    const auto independent = tape.constant(rng.normal<double>({rows, variances.size()})) * sqrt(tape.constant(variances));
    const auto x = matmul(independent, rotation, {.b = true});
    return (x - mean(x, 0)).value();
}
