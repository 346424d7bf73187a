// Claim: sampling is not differentiable. A gradient stops at a draw from N(mu, s^2), and the library names the place.
// Two ways around it are both unbiased, and far apart in variance: the reparameterisation trick (the pathwise gradient)
// and the score function. (Kingma and Welling 2014, section 2.4; Williams, "Simple statistical gradient-following
// algorithms", 1992.)
#include <autograd/autograd.hpp>
#include <cstdio>
#include <nn/nn.hpp>
#include <string>
#include <vector>

#include "check.hpp"

using namespace autograd;

/// `count` estimates, from a draw each, of the gradient of E[sum over d of z^2] in the first element of the mean, with
/// z from N(mean, I) in d dimensions. Each draw has a mean of its own on the tape, so that a sweep gives the estimates
/// apart.
template <class Loss>
std::vector<double> estimates(std::size_t count, std::size_t d, double mean, Rng& rng, Loss loss) {
    constexpr std::size_t at_a_time = 4000;
    std::vector<double> result;
    Tape<double> tape;
    while (result.size() < count) {
        tape.clear();
        const auto mu = tape.variable(full<double>({at_a_time, d}, mean));
        const nn::Normal<double> q{mu, tape.constant(full<double>({at_a_time, d}, 0.0))};
        const auto gradients = backward(sum(loss(q, rng)));
        for (std::size_t i = 0; i < at_a_time; ++i) result.push_back(gradients[mu](i, 0));
    }
    return result;
}

/// z = mu + s epsilon is a function of mu once epsilon is drawn: f is differentiated along it.
Var<double> pathwise(const nn::Normal<double>& q, Rng& rng) { return square(q.rsample(rng)); }

/// E[f] changes because the draws become more or less probable: f d log q(z). In f itself nothing depends on mu;
/// without the stop_gradient, in a program in which z did, the pathwise gradient would be counted too.
Var<double> score_function(const nn::Normal<double>& q, Rng& rng) {
    const auto z = q.sample(rng);
    const auto f = sum(square(z), 1, KeepDims::yes);
    return stop_gradient(f) * q.log_prob(z);
}

int main() {
    Checks checks;
    Rng rng = Rng(5).stream("noise");

    // A draw is a constant. A zero gradient would be wrong, so there is none, and asking for it is an error.
    Tape<double> tape;
    const auto mu = tape.variable(full<double>({1}, 2.0));
    const auto z = nn::Normal{mu, tape.constant(full<double>({1}, 0.0))}.sample(rng);
    const auto loss = sum(square(z));
    const std::string reason = why_no_gradient(loss, mu);
    std::printf("z drawn from N(mu, 1), loss = z^2; why there is no gradient in mu:\n  %s\n", reason.c_str());
    bool refused = false;
    try {
        static_cast<void>(backward(loss));
    } catch (const GradientError&) {
        refused = true;
    }
    checks.holds("backward refuses, and the reason names the draw, " + tape.describe(z.index()),
                 refused && reason.find(tape.describe(z.index())) != std::string::npos);

    const auto compare = [&](const std::string& what, const std::vector<double>& samples, double gradient, double variance) {
        const Moments m = moments(samples);
        checks.near(what + ", mean", m.mean, gradient, standard_errors * m.mean_error);
        checks.near(what + ", variance", m.variance, variance, standard_errors * m.variance_error);
    };
    // E[z^2] = mu^2 + 1. Pathwise: 2 z, of variance 4. Score function: z^2 epsilon, of variance 103 - 4^2.
    std::printf("\nf = z^2, mu = 2: d E[f] / d mu from one draw\n");
    compare("mu = 2: pathwise", estimates(400'000, 1, 2, rng, pathwise), 4, 4);
    compare("mu = 2: score function", estimates(400'000, 1, 2, rng, score_function), 4, 87);

    // The score function multiplies each coordinate's score by all of f: what the others add is noise.
    for (const std::size_t d : {1u, 10u, 100u}) {
        std::printf("\nf = sum of z^2 over %zu dimensions, mu = 1: d E[f] / d mu_1 from one draw\n", d);
        const double n = static_cast<double>(d);
        const std::string at = "d = " + std::to_string(d) + ": ";
        compare(at + "pathwise", estimates(400'000, d, 1, rng, pathwise), 2, 4);
        compare(at + "score function", estimates(400'000, d, 1, rng, score_function), 2, 4 * n * n + 14 * n + 12);
    }
    return checks.result();
}
