// Claim: a latent dimension collapses onto the prior when what it could explain costs more than it saves. In a linear
// VAE with fixed s^2 and the loss distortion / (2 s^2) + beta KL, dimension i does when lambda_i <= tau = beta s^2, and
// the others have the rate log(lambda_i / tau) / 2: reverse water-filling. (Lucas et al. 2019; Cover and Thomas,
// "Elements of information theory", section 10.3.3; beta: Higgins et al. 2017.)
#include <algorithm>
#include <autograd/autograd.hpp>
#include <cmath>
#include <cstdio>
#include <functional>
#include <nn/nn.hpp>
#include <string>

#include "check.hpp"
#include "linear_vae.hpp"

int main() {
    Checks checks;
    constexpr std::size_t inputs = 6, codes = 4;
    autograd::Rng rng(10);
    const Array<double> data = correlated_data(200, Array<double>{8.0, 4.0, 2.0, 1.0, 0.2, 0.1}, rng);

    // The water levels are held against the eigenvalues of these data's own covariance.
    autograd::Tape<double> closed({.inference = true});
    const auto x = closed.constant(data);
    const Array<double> lambda = flip(eigvalsh(matmul(x, x, {.a = true}) / double(data.shape()[0]))).value();
    std::printf("eigenvalues of the covariance: %s, s^2 = 0.5, %zu latent dimensions\n", autograd::to_string(lambda).c_str(),
                codes);

    const double noise = 0.5;
    for (const double beta : {0.5, 1.0, 3.0, 6.0, 12.0, 24.0}) {
        const double tau = beta * noise;
        LinearVae model(inputs, codes, rng);
        nn::BasicSGD<double> descent({.lr = 0.02 / std::fmax(1, beta), .momentum = 0.9});
        autograd::Tape<double> tape;
        Array<double> rates;
        double distortion = 0;
        for (int step = 0; step < 10'000; ++step) {
            tape.clear();
            const auto terms = model(tape.constant(data));
            rates = terms.kl.value();
            distortion = terms.distortion.item();
            descent.step(model, backward(terms.distortion / (2 * noise) + beta * sum(terms.kl)));
        }
        std::sort(rates.begin(), rates.end(), std::greater<>());
        std::size_t collapsed = 0, expected_collapsed = 0;
        double expected_distortion = 0;
        for (std::size_t i = 0; i < inputs; ++i) {
            expected_distortion += i < codes ? std::fmin(tau, lambda(i)) : lambda(i);
        }
        // The loss is flat at its minimum: rates are known to the root of its error, which is some roundings after so
        // many steps.
        std::printf("\ntau = %g\n", tau);
        char at[32];
        std::snprintf(at, sizeof at, "beta %4.1f  ", beta);
        for (std::size_t i = 0; i < codes; ++i) {
            const std::string bar(static_cast<std::size_t>(std::lround(20 * std::fmax(0, std::fmin(1.7, rates(i))))), '#');
            checks.near(std::string(at) + "KL " + std::to_string(i + 1) + "  " + bar, rates(i),
                        std::fmax(0, 0.5 * std::log(lambda(i) / tau)), 1e-5);
            collapsed += rates(i) < 1e-5;
            expected_collapsed += lambda(i) <= tau;
        }
        checks.near(std::string(at) + "distortion: min(tau, lambda), and the discarded", distortion, expected_distortion, 1e-5);
        checks.near(std::string(at) + "collapsed: those with lambda <= tau", double(collapsed), double(expected_collapsed), 0);
    }
    return checks.result();
}
