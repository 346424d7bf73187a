// Claim: log p(x) = ELBO + KL(q(z|x) || p(z|x)), for every q. The last term, which a VAE's loss leaves out because
// p(z|x) is not known, is what the bound gives away. In a linear-Gaussian model all three are closed forms; a linear
// VAE, trained on the bound alone, reaches the maximum of log p itself, that of probabilistic PCA. (Lucas et al. 2019;
// Tipping and Bishop 1999.)
#include <algorithm>
#include <autograd/autograd.hpp>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <nn/nn.hpp>
#include <string>

#include "check.hpp"
#include "linear_vae.hpp"

using namespace autograd;

struct Gaussian {
    Var<double> mean;        // (n,)
    Var<double> covariance;  // (n, n)
};

Var<double> log_prob(const Gaussian& p, const Var<double>& x) {
    const auto off = x - p.mean;
    const double n = static_cast<double>(x.shape()[0]);
    return -0.5 * (n * nn::ops::log_two_pi + slogdet(p.covariance).logabsdet + sum(off * solve(p.covariance, off)));
}

Var<double> kl(const Gaussian& q, const Gaussian& p) {
    const auto off = p.mean - q.mean;
    const double n = static_cast<double>(off.shape()[0]);
    return 0.5 * (trace(solve(p.covariance, q.covariance)) + sum(off * solve(p.covariance, off)) - n +
                  slogdet(p.covariance).logabsdet - slogdet(q.covariance).logabsdet);
}

/// One x of 4 numbers under p(x|z) = N(W z, I / 2), z of 2: the two sides of the identity for five q.
void identity(Checks& checks) {
    Rng rng(7);
    Tape<double> tape({.inference = true});
    const double noise = 0.5;
    const auto w = tape.constant(rng.normal<double>({4, 2})), x = tape.constant(rng.normal<double>({4}) * 2);
    const auto eye = [&](std::size_t n) { return tape.constant(Array<double>(xt::eye<double>(n))); };
    const auto gram = matmul(w, w, {.a = true}), m = gram + noise * eye(2);
    const auto zero = tape.constant(full<double>({2}, 0.0));
    const Gaussian prior{zero, eye(2)}, posterior{solve(m, matmul(x, w)), noise * inv(m)};
    const auto log_p = log_prob({tape.constant(full<double>({4}, 0.0)), matmul(w, w, {.b = true}) + noise * eye(4)}, x).item();
    std::printf("log p(x) = %.6f = ELBO + KL(q || p(z|x)); a # is 0.2 nats that the bound gives away\n", log_p);

    const auto row = [&](const char* name, const Gaussian& q) {
        // E_q[log p(x|z)]: the value at the mean, less what the spread of q adds to the squared error.
        const auto at_mean = log_prob({matmul(w, q.mean), noise * eye(4)}, x);
        const auto elbo = (at_mean - trace(matmul(gram, q.covariance)) / (2 * noise) - kl(q, prior)).item();
        const double gap = kl(q, posterior).item();
        char line[80];
        std::snprintf(line, sizeof line, "%s: %.3f + %.3f", name, elbo, gap);
        const double size = std::fabs(at_mean.item()) + std::fabs(elbo) + gap;
        checks.near(line, elbo + gap, log_p, 64 * std::numeric_limits<double>::epsilon() * size);
        std::printf("       |%s\n", std::string(std::size_t(std::fmax(0, std::fmin(70, 5 * gap))), '#').c_str());
        return gap;
    };
    const auto factorised = noise * eye(2) / m;  // of all diagonal covariances the best: 1 / the diagonal of the precision
    row("q = the prior", prior);
    row("the right mean, variances 1", {posterior.mean, eye(2)});
    row("the right covariance, mean off by 0.3", {posterior.mean + 0.3, posterior.covariance});
    const double lost = row("the best q with a diagonal covariance", {posterior.mean, where(equal(eye(2), 1), factorised, 0)});
    const double correlation = 0.5 * (sum(log(diagonal(m))) - slogdet(m).logabsdet).item();
    checks.near("  that gap: (sum of log M_ii - log |M|) / 2, M = W'W + s^2", lost, correlation, 1e-13);
    const double none = row("q = p(z|x)", posterior);
    checks.near("the gap at q = p(z|x)", none, 0, 1e-13);
}

int main() {
    Checks checks;
    identity(checks);

    // 300 rows of 6 numbers, 2 of them large. All of p and q is trained, s^2 too.
    constexpr std::size_t rows = 300, inputs = 6, codes = 2;
    Rng rng(17);
    const Array<double> data = correlated_data(rows, Array<double>{6.0, 3.0, 0.8, 0.5, 0.4, 0.3}, rng);
    LinearVae model(inputs, codes, rng);
    nn::BasicSGD<double> descent({.lr = 0.02, .momentum = 0.9});
    Tape<double> tape;
    Array<double> divergences;
    double elbo = 0;
    for (int step = 0; step < 6000; ++step) {
        tape.clear();
        const auto [distortion, divergence] = model(tape.constant(data));
        const auto log_noise = tape.parameter(model.log_noise);
        const auto nats = double(inputs) / 2 * (nn::ops::log_two_pi + log_noise) + 0.5 * exp(-log_noise) * distortion;
        const auto loss = nats + sum(divergence);
        elbo = -loss.item();
        divergences = divergence.value();
        descent.step(model, backward(loss));
    }

    // The optimum: with eigenvalues of the covariance in descending order, s^2 is the mean of those beyond the second.
    Tape<double> closed({.inference = true});
    const auto x = closed.constant(data);
    const auto [values, vectors] = eigh(matmul(x, x, {.a = true}) / double(rows));
    const Array<double> lambda = flip(values).value();
    double noise = 0, log_p = double(inputs) * (nn::ops::log_two_pi + 1);
    for (std::size_t i = codes; i < inputs; ++i) noise += lambda(i) / double(inputs - codes);
    for (std::size_t i = 0; i < inputs; ++i) log_p += std::log(i < codes ? lambda(i) : noise);
    log_p *= -0.5;
    std::sort(divergences.begin(), divergences.end(), std::greater<>());
    // The bound is flat at its maximum: the rest is known to the root of its error.
    std::printf("\na linear VAE trained on the bound, against the maximum of log p(x)\n");
    checks.near("ELBO per row, nats", elbo, log_p, 1e-8);
    checks.near("s^2: the mean of the discarded eigenvalues", std::exp(model.log_noise.value()()), noise, 1e-5);
    for (std::size_t i = 0; i < codes; ++i) {
        checks.near("KL to the prior of dimension " + std::to_string(i + 1) + ": log(lambda / s^2) / 2", divergences(i),
                    0.5 * std::log(lambda(i) / noise), 1e-5);
    }

    // At that optimum, exactly, for the first row: W = U (Lambda - s^2)^(1/2), V = Lambda^-1 W', D = s^2 / Lambda. One
    // draw of log p(x|z) + log p(z) - log q(z) has no variance at all. With the KL in closed form, log p(x|z) varies
    // alone: by log q - log p(z), whose variance follows from z = mu + S^(1/2) epsilon as in program 06.
    constexpr std::size_t draws = 10'000;
    const auto large = flip(slice(values, 0, {inputs - codes, inputs})), first = slice(x, 0, {0, 1});
    const auto w = flip(slice(vectors, 1, {inputs - codes, inputs}), 1) * sqrt(large - noise);
    const auto mean = matmul(first, w) / large, variance = noise / large;
    const auto repeat = [&](const Var<double>& v, std::size_t n) { return broadcast_to(v, {draws, n}); };
    const nn::Normal q{repeat(mean, codes), repeat(log(variance), codes)};
    const auto z = q.rsample(rng), zeros = z * 0;
    const nn::Normal likelihood{matmul(z, w, {.b = true}), repeat(closed.constant(full<double>({1}, std::log(noise))), inputs)};
    const auto reconstruction = sum(likelihood.log_prob(repeat(first, inputs)), 1);
    const auto sampled = reconstruction + sum(nn::Normal{zeros, zeros}.log_prob(z) - q.log_prob(z), 1);
    const auto analytic = reconstruction - sum(kl_divergence(q, nn::StandardNormal{}), 1);
    const auto covariance = matmul(w, w, {.b = true}) + noise * closed.constant(Array<double>(xt::eye<double>(inputs)));
    const double log_p_x =
        log_prob({closed.constant(full<double>({inputs}, 0.0)), covariance}, reshape(first, {inputs})).item();
    const double expected = sum(square(mean) * variance + 0.5 * square(1 - variance)).item();
    const Moments m = moments({analytic.value().data(), draws});
    std::printf("\none-sample ELBO of one x at the optimum, over %zu draws of epsilon; log p(x) = %.6f\n", draws, log_p_x);
    checks.near("all by Monte Carlo: furthest from log p(x)", max(abs(sampled - log_p_x)).item(), 0, 1e-12);
    checks.near("  its standard deviation", stddev(sampled).item(), 0, 1e-13);
    checks.near("KL in closed form: mean", m.mean, log_p_x, standard_errors * m.mean_error);
    checks.near("  its standard deviation", std::sqrt(m.variance), std::sqrt(expected),
                standard_errors * m.variance_error / (2 * std::sqrt(expected)));
    return checks.result();
}
