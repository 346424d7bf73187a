// Claim: one sample per image (L = 1) is enough. The variance of a VAE's gradient is A / B + C / (B L), A from which
// images are in the batch of B, C from the draws of z: more samples lower the second part only, and cost decoder
// passes. At the same number of passes, L = 1 goes furthest. (Kingma and Welling 2014, section 2.3, ask for a large
// batch instead of a large L.)
#include <array>
#include <autograd/autograd.hpp>
#include <cmath>
#include <cstdio>
#include <functional>
#include <nn/nn.hpp>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "check.hpp"

using namespace autograd;

constexpr std::size_t features = 8, units = 16, codes = 2;
constexpr double variance = 0.1;  // s^2 of p(x|z) = N(decoder(z), s^2 I)

using Layer = nn::BasicLinear<double>;
struct Vae {
    Layer hidden, mean, log_variance, decoder, output;
    static constexpr auto members = nn::members("hidden", &Vae::hidden, "mean", &Vae::mean, "log_variance", &Vae::log_variance,
                                                "decoder", &Vae::decoder, "output", &Vae::output);
    explicit Vae(Rng& rng)
        : hidden(features, units, rng),
          mean(units, codes, rng),
          log_variance(units, codes, rng),
          decoder(codes, units, rng),
          output(units, features, rng) {}

    /// The negative ELBO per row in nats, without its constant, from `samples` draws of z for each row.
    Var<double> loss(const Var<double>& x, std::size_t samples, Rng& rng) const {
        const auto h = tanh(hidden(x));
        const nn::Normal q{mean(h), log_variance(h)};
        const nn::Normal repeated{tile(q.mean, {samples, 1}), tile(q.log_variance, {samples, 1})};
        const auto z = repeated.rsample(rng);
        const auto error = sum(square(output(tanh(decoder(z))) - tile(x, {samples, 1})));
        const double rows = double(x.shape()[0]);
        return error / (2 * variance * double(samples) * rows) + sum(kl_divergence(q, nn::StandardNormal{})) / rows;
    }
};

/// `rows` rows of the data, chosen at random, the same one perhaps twice: then batches are independent.
Array<double> batch(const Array<double>& data, std::size_t rows, Rng& rng) {
    std::vector<std::size_t> numbers;
    for (const double u : rng.uniform<double>({rows})) numbers.push_back(std::size_t(u * double(data.shape()[0])));
    Array<double> result;
    nn::gather_rows(data, numbers, result);
    return result;
}

std::vector<double> gradient(const Vae& model, const Array<double>& x, std::size_t samples, Rng& rng, Tape<double>& tape) {
    tape.clear();
    const auto gradients = backward(model.loss(tape.constant(x), samples, rng));
    std::vector<double> result;
    nn::for_each_parameter(model, [&](const std::string&, const Parameter<double>& each) {
        result.insert(result.end(), gradients[each].begin(), gradients[each].end());
    });
    return result;
}

struct Spread {
    Moments total;     ///< its mean is the variance of the gradient, summed over parameters: A / B + C / (B L)
    Moments by_draws;  ///< that of gradients of the same batch: C / (B L)
};
/// From 3000 pairs of gradients each: half of their squared distance is a variance on average.
Spread spread(const Vae& model, const Array<double>& data, std::size_t rows, std::size_t samples, Rng& rng) {
    Tape<double> tape;
    std::vector<double> total, by_draws;
    const auto half_square = [](const std::vector<double>& a, const std::vector<double>& b) {
        return 0.5 * std::transform_reduce(a.begin(), a.end(), b.begin(), 0.0, std::plus<>(),
                                           [](double x, double y) { return (x - y) * (x - y); });
    };
    for (int pair = 0; pair < 3000; ++pair) {
        const Array<double> x = batch(data, rows, rng), other = batch(data, rows, rng);
        const auto first = gradient(model, x, samples, rng, tape);
        by_draws.push_back(half_square(first, gradient(model, x, samples, rng, tape)));
        total.push_back(half_square(first, gradient(model, other, samples, rng, tape)));
    }
    return {moments(total), moments(by_draws)};
}

int main() {
    Checks checks;
    // Rows on a curved surface of two dimensions, in eight.
    Rng rng(8);
    Tape<double> tape({.inference = true});
    const auto surface =
        sin(matmul(tape.constant(rng.normal<double>({1024, 2})), tape.constant(rng.normal<double>({2, features}))));
    const Array<double> data = (surface + 0.3 * normal_like(surface, rng)).value();

    // Trains with batches of 16, and gives the loss of all rows whenever another third of the decoder passes is used
    // up.
    const auto train = [&](Vae& model, std::size_t samples, std::size_t passes, Rng noise) {
        nn::BasicAdam<double> adam({.lr = 2e-3});
        std::array<double, 3> losses{};
        Tape<double> training;
        std::size_t used = 0;
        for (std::size_t third = 0; third < 3; ++third) {
            for (; used < (third + 1) * passes / 3; used += 16 * samples) {
                training.clear();
                adam.step(model, backward(model.loss(training.constant(batch(data, 16, noise)), samples, noise)));
            }
            training.clear();
            Rng evaluation = rng.stream("evaluation");
            losses[third] = model.loss(training.constant(data), 10, evaluation).item();
        }
        return losses;
    };
    Vae model(rng);
    train(model, 1, 16 * 501, rng.stream("start"));

    // A and C from batches of 16 with one draw each; everything else is then a prediction.
    Rng draws = rng.stream("gradients");
    const Spread base = spread(model, data, 16, 1, draws);
    const double c = 16 * base.by_draws.mean, a = 16 * base.total.mean - c;
    std::printf("variance of the gradient, summed over %zu parameters, after 501 steps: A = %.0f, C = %.0f\n",
                nn::parameter_count(model), a, c);
    checks.holds("both parts are there: A and C are more than their errors",
                 a > 16 * standard_errors * std::hypot(base.total.mean_error, base.by_draws.mean_error) &&
                     c > 16 * standard_errors * base.by_draws.mean_error);
    std::vector<double> at_16{base.total.mean};
    for (const auto& [rows, samples] : {std::pair{16, 2}, {16, 5}, {16, 10}, {64, 1}, {4, 4}}) {
        const Spread seen = spread(model, data, std::size_t(rows), std::size_t(samples), draws);
        const double scale = 16.0 / rows, less = scale * (1 - 1.0 / samples);
        const double error = std::hypot(seen.total.mean_error, scale * base.total.mean_error, less * base.by_draws.mean_error);
        checks.near("B = " + std::to_string(rows) + ", L = " + std::to_string(samples) + ": A / B + C / (B L)", seen.total.mean,
                    a / rows + c / (rows * samples), standard_errors * error);
        if (rows == 16) at_16.push_back(seen.total.mean);
    }

    // For a budget, variance times cost counts: (A + C / L) (e + d L), least at L* = sqrt(C e / (A d)), with e the
    // encoder's cost per image and d the decoder's per sample. Of L = 1, 2, 5, 10 the one that is best as measured, and
    // by A and C:
    constexpr std::array<std::size_t, 4> choices{1, 2, 5, 10};
    const double own = double(features * units + 2 * units * codes) / double(codes * units + units * features);
    std::printf("\nencoder's cost over decoder's: %.1f here\n", own);
    for (const double ratio : {own, 30.0}) {
        const auto best = [&](auto variance_at) {
            std::size_t least = 0;
            const auto cost = [&](std::size_t i) { return variance_at(i) * (ratio + double(choices[i])); };
            for (std::size_t i = 1; i < choices.size(); ++i) least = cost(i) < cost(least) ? i : least;
            return double(choices[least]);
        };
        char line[80];
        std::snprintf(line, sizeof line, "best L at a ratio of %.1f, where L* = %.1f", ratio, std::sqrt(c / a * ratio));
        checks.near(line, best([&](std::size_t i) { return at_16[i]; }),
                    best([&](std::size_t i) { return a + c / double(choices[i]); }), 0);
    }

    // And training, from the same start, to the same number of decoder passes: the average over six seeds.
    // Six differences which were 0 on average would have a mean beyond 3 standard errors, to this side, once in 70
    // times.
    constexpr std::size_t seeds = 6, passes = 48'000;
    std::printf("\nnegative ELBO in nats, less its constant, after so many decoder passes\n  L  %10zu %10zu %10zu\n",
                passes / 3, 2 * passes / 3, passes);
    std::vector<double> ends_with_one;
    for (const std::size_t samples : choices) {
        std::array<double, 3> average{};
        std::vector<double> behind;
        for (std::size_t seed = 0; seed < seeds; ++seed) {
            Rng run = rng.stream("run " + std::to_string(seed));
            Vae vae(run);
            const auto losses = train(vae, samples, passes, run.stream("noise"));
            for (std::size_t i = 0; i < 3; ++i) average[i] += losses[i] / double(seeds);
            if (samples == 1) ends_with_one.push_back(losses[2]);
            behind.push_back(losses[2] - ends_with_one[seed]);
        }
        std::printf(" %2zu  %10.3f %10.3f %10.3f\n", samples, average[0], average[1], average[2]);
        const Moments m = moments(behind);
        if (samples == 1) continue;
        char line[80];
        std::snprintf(line, sizeof line, "behind L = 1 by %.3f +- %.3f nats", m.mean, m.mean_error);
        checks.holds(line, m.mean > 3 * m.mean_error);
    }
    return checks.result();
}
