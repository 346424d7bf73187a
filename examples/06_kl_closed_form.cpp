// Claim: the KL divergence of a VAE's loss, from q = N(mu, e^logvar) to N(0, I), needs no samples: its closed form is
// what averages of log q(z) - log p(z) tend to, with an error that shrinks as 1/sqrt(n). Its gradients are mu and
// (e^logvar - 1) / 2. (Kingma and Welling 2014, appendix B.)
#include <autograd/autograd.hpp>
#include <cmath>
#include <cstdio>
#include <limits>
#include <nn/nn.hpp>
#include <string>

#include "check.hpp"

using namespace autograd;

int main() {
    Checks checks;
    const Array<double> mu{0.0, 1.0, -0.5, 2.0}, log_variance{0.0, -1.0, 0.7, -3.0};
    const std::size_t d = mu.size();

    Tape<double> tape;
    const auto m = tape.variable(mu), v = tape.variable(log_variance);
    const auto kl = sum(kl_divergence(nn::Normal{m, v}, nn::StandardNormal{}));
    const auto gradients = backward(kl);
    std::printf("KL(q || p) in closed form: %.6f nats\n", kl.item());
    double by_formula = 0, mean_error = 0, variance_error = 0, deviation = 0;
    for (std::size_t i = 0; i < d; ++i) {
        const double variance = std::exp(log_variance(i));
        by_formula += (variance + mu(i) * mu(i) - 1 - log_variance(i)) / 2;
        mean_error = std::fmax(mean_error, std::fabs(gradients[m](i) - mu(i)));
        variance_error = std::fmax(variance_error, std::fabs(gradients[v](i) - (variance - 1) / 2));
        // With z = mu + s epsilon, log q - log p = mu s epsilon + (s^2 - 1) epsilon^2 / 2 + a constant.
        deviation += mu(i) * mu(i) * variance + (variance - 1) * (variance - 1) / 2;
    }
    deviation = std::sqrt(deviation);
    const double rounding = 16 * std::numeric_limits<double>::epsilon();
    checks.near("nn::kl_divergence against (s^2 + mu^2 - 1 - log s^2) / 2", kl.item(), by_formula, rounding * by_formula);
    checks.near("gradient in mu against mu, largest error", mean_error, 0, rounding);
    checks.near("gradient in logvar against (e^logvar - 1) / 2", variance_error, 0, rounding);

    // By Monte Carlo. The tolerance is the error that theory expects, the deviation of one draw over sqrt(n); and the
    // standard error that the draws themselves show is checked against it.
    std::printf("\nby Monte Carlo, the average of log q(z) - log p(z), and its standard error\n");
    Rng rng = Rng(6).stream("noise");
    for (const std::size_t n : {100u, 1'000u, 10'000u, 100'000u}) {
        Tape<double> samples({.inference = true});
        const auto repeat = [&](const Array<double>& row) { return broadcast_to(samples.constant(row), {n, d}); };
        const nn::Normal q{repeat(mu), repeat(log_variance)};
        const nn::Normal p{repeat(full<double>({d}, 0.0)), repeat(full<double>({d}, 0.0))};
        const auto z = q.rsample(rng);
        const auto difference = sum(q.log_prob(z) - p.log_prob(z), 1).value();
        const Moments sample = moments({difference.data(), n});
        const double expected_error = deviation / std::sqrt(static_cast<double>(n));
        checks.near("n = " + std::to_string(n), sample.mean, kl.item(), standard_errors * expected_error);
        checks.near("  standard error", sample.mean_error, expected_error,
                    standard_errors * expected_error * sample.variance_error / (2 * sample.variance));
    }
    return checks.result();
}
