// Claim: the gradient of a one-sample ELBO has a part whose mean is 0 and whose variance is not: the score of q.
// Without it, by a stop_gradient on q's parameters inside log q (not in z), the gradient has no variance at all where q
// = p(z|x), and is unbiased everywhere. (Roeder, Wu and Duvenaud, "Sticking the landing", NeurIPS 2017.) It is not
// always the quieter of the two.
#include <autograd/autograd.hpp>
#include <cmath>
#include <cstdio>
#include <nn/nn.hpp>
#include <string>

#include "check.hpp"

using namespace autograd;

int main() {
    Checks checks;
    // p(z) = N(0, 1) and p(x|z) = N(a z, s^2), so that p(z|x) is N(m, v) with these:
    constexpr std::size_t draws = 400'000;
    constexpr double x = 1.5, a = 1.2, noise = 0.5;
    constexpr double v = noise / (a * a + noise), m = a * x / (a * a + noise);
    std::printf("p(z|x) = N(%.4f, %.4f); gradients of log p(x, z) - log q(z), one draw each\n", m, v);
    Rng rng = Rng(11).stream("noise");

    const auto compare = [&](const char* name, double mean, double variance) {
        std::printf("\nq = N(%.4f, %.4f)\n", mean, variance);
        // With z = mean + sigma epsilon, d/dz (log p(x, z) - log q(z)) is pull + slope epsilon, where log q counts as a
        // function of z only. In the mean that is the gradient; in the log variance it is multiplied by sigma epsilon
        // / 2.
        const double sigma = std::sqrt(variance), pull = (m - mean) / v, slope = 1 / sigma - sigma / v;
        for (const bool stick : {false, true}) {
            Tape<double> tape;
            const auto mu = tape.variable(full<double>({draws}, mean));
            const auto log_variance = tape.variable(full<double>({draws}, std::log(variance)));
            const nn::Normal q{mu, log_variance};
            const auto z = q.rsample(rng);
            const nn::Normal in_log_q = stick ? nn::Normal{stop_gradient(mu), stop_gradient(log_variance)} : q;
            const auto constant = [&](double value) { return tape.constant(full<double>({draws}, value)); };
            const nn::Normal prior{constant(0), constant(0)}, likelihood{a * z, constant(std::log(noise))};
            const auto elbo = likelihood.log_prob(constant(x)) + prior.log_prob(z) - in_log_q.log_prob(z);
            const auto gradients = backward(sum(elbo));

            // The score of q, epsilon / sigma in the mean and (epsilon^2 - 1) / 2 in the log variance, is what is left
            // out.
            const double linear = stick ? slope : -sigma / v;
            const double quadratic = 0.5 * sigma * slope - (stick ? 0 : 0.5);
            const auto check = [&](const char* what, const Var<double>& of, double expected, double expected_variance) {
                const Moments seen = moments({gradients[of].data(), draws});
                const std::string label = std::string(name) + (stick ? ", sticking, " : ", plain, ") + what;
                // Where there is no variance, rounding is left.
                checks.near(label + ", mean", seen.mean, expected, std::fmax(1e-13, standard_errors * seen.mean_error));
                checks.near(label + ", variance", seen.variance, expected_variance,
                            std::fmax(1e-26, standard_errors * seen.variance_error));
            };
            check("mu", mu, pull, linear * linear);
            check("logvar", log_variance, 0.5 * sigma * slope, std::pow(0.5 * sigma * pull, 2) + 2 * quadratic * quadratic);
        }
    };
    compare("q = posterior", m, v);
    compare("q wide and off", m + 0.3, 2 * v);
    compare("q narrow", m, v / 4);
    std::printf("\nWhere the variance of q is below half of the posterior's, what is left out would have cancelled more than "
                "it adds.\n");
    return checks.result();
}
