// Claim: the bound can be tightened. The logarithm of the average of K importance weights p(x, z) / q(z) is on average
// a bound that grows with K, from the ELBO (K = 1) towards log p(x), whatever q is. (Burda, Grosse and Salakhutdinov,
// "Importance weighted autoencoders", ICLR 2016.) Here log p(x) is a closed form, and so is how the gap closes.
#include <algorithm>
#include <autograd/autograd.hpp>
#include <cmath>
#include <cstdio>
#include <nn/nn.hpp>
#include <string>

#include "check.hpp"

using namespace autograd;

/// E_q[r^k] of the ratio r of the densities N(0, 1) and q = N(shift, variance), by completing the square; k / (k - 1)
/// times the variance must be more than 1.
double moment_of_ratio(int k, double shift, double variance) {
    const double precision = k - (k - 1) / variance, linear = (1 - k) * shift / variance;
    const double exponent = linear * linear / precision + (k - 1) * shift * shift / variance;
    return std::pow(variance, 0.5 * (k - 1)) / std::sqrt(precision) * std::exp(0.5 * exponent);
}

int main() {
    Checks checks;
    // x_i = a_i z_i + noise of variance s^2, z from N(0, I): then x_i is from N(0, a_i^2 + s^2), and p(z_i|x_i) is
    // normal, of variance s^2 / (a_i^2 + s^2). (Any linear-Gaussian model is of this kind, after a rotation.)
    constexpr std::size_t d = 3, draws = 1'000'000, at_a_time = 50'000;
    constexpr double noise = 0.6, shift = 0.7, stretch = 2;
    Tape<double> model({.inference = true});
    const auto x = model.constant(Array<double>{1.2, -0.7, 2.0}), a = model.constant(Array<double>{1.5, 0.8, 1.0});
    const auto marginal = square(a) + noise, variance = noise / marginal, mean = a * x / marginal;
    const double log_p = sum(nn::Normal{0 * x, log(marginal)}.log_prob(x)).item();

    // q is wrong on purpose: its mean by 0.7 of the standard deviations of p(z|x), its variance by a factor of 2.
    const auto q_mean = mean + shift * sqrt(variance), q_log_variance = log(stretch * variance);
    Rng rng = Rng(9).stream("noise");
    Array<double> log_weights = empty<double>({draws});
    for (std::size_t begin = 0; begin < draws; begin += at_a_time) {
        Tape<double> tape({.inference = true});
        const auto repeat = [&](const Var<double>& row) { return broadcast_to(tape.constant(row.value()), {at_a_time, d}); };
        const nn::Normal q{repeat(q_mean), repeat(q_log_variance)};
        const auto z = q.rsample(rng);
        const nn::Normal prior{0 * z, 0 * z}, likelihood{repeat(a) * z, 0 * z + std::log(noise)};
        const auto each = sum(likelihood.log_prob(repeat(x)) + prior.log_prob(z) - q.log_prob(z), 1);
        std::copy_n(each.value().data(), at_a_time, log_weights.data() + begin);
    }

    // The same million draws, in groups of K.
    std::printf("log p(x) = %.5f; a # is 0.02 nats that the bound gives away\n", log_p);
    const double kl = d * 0.5 * (stretch + shift * shift - 1 - std::log(stretch));
    double previous = 0, previous_error = 0;
    for (const std::size_t k : {1u, 2u, 5u, 10u, 50u}) {
        const double count = static_cast<double>(k);
        Tape<double> tape({.inference = true});
        const auto groups = reshape(tape.constant(log_weights), {draws / k, k});
        const std::string at = "K = " + std::to_string(k) + ": ";
        const auto bounds = logsumexp(groups, 1) - std::log(count);
        const Moments m = moments({bounds.value().data(), draws / k});
        const double gap = log_p - m.mean;
        std::printf("K = %2zu  %.5f +- %.5f  %s\n", k, m.mean, m.mean_error,
                    std::string(static_cast<std::size_t>(std::fmax(0, std::fmin(80, gap / 0.02))), '#').c_str());
        checks.holds(at + "below log p(x), by more than its error", gap > standard_errors * m.mean_error);
        if (k == 1) {
            checks.near(at + "ELBO, log p(x) - KL(q || p(z|x))", m.mean, log_p - kl, standard_errors * m.mean_error);
        } else {
            const double error = std::hypot(m.mean_error, previous_error);
            checks.holds(at + "above the K before, by more than both errors", m.mean - previous > standard_errors * error);
        }
        if (k == 50) {
            // The average of K weights / p(x) is 1 + e, e of mean 0, whose variance and third moment follow from those
            // of one weight, v and t: log(1 + e) = e - e^2 / 2 + e^3 / 3 - ... makes the gap v / 2K - (t / 3 - 3 v^2 /
            // 4) / K^2, up to terms of K^-3. Taking off e leaves the mean as it is, and little of the variance.
            const double second = std::pow(moment_of_ratio(2, shift, stretch), d);
            const double third = std::pow(moment_of_ratio(3, shift, stretch), d);
            const double v = second - 1, t = third - 3 * second + 2;
            const auto e = autograd::mean(exp(groups - log_p), 1) - 1;
            const Moments quiet = moments({(log_p - bounds + e).value().data(), draws / k});
            checks.near(at + "gap, v / 2K - ..., v the weights' variance", quiet.mean,
                        v / (2 * count) - (t / 3 - 0.75 * v * v) / (count * count), standard_errors * quiet.mean_error);
        }
        previous = m.mean;
        previous_error = m.mean_error;
    }
    return checks.result();
}
