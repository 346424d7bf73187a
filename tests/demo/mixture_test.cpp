// The mixture that is fitted to codes: against Gaussians whose parameters are known, and at the edges of what it takes.
// Tolerances are 5 standard errors of what is estimated, if nothing else is said: 6e-7 for each number compared.
#include "examples/ae_vs_vae/mixture.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/catch.hpp"
#include "tests/testing.hpp"

using autograd::Array;
using autograd::Rng;

namespace {

/// Points of N(mean, l l') by turns, one row of `noise` each.
struct Source {
    std::vector<double> mean;
    std::vector<std::vector<double>> l;
};

Array<float> points_of(const std::vector<Source>& sources, std::size_t count, Rng rng) {
    const std::size_t dimensions = sources[0].mean.size();
    const Array<double> noise = rng.normal<double>({count, dimensions});
    Array<float> points = autograd::empty<float>({count, dimensions});
    for (std::size_t i = 0; i < count; ++i) {
        const Source& source = sources[i % sources.size()];
        for (std::size_t k = 0; k < dimensions; ++k) {
            double value = source.mean[k];
            for (std::size_t j = 0; j <= k; ++j) value += source.l[k][j] * noise(i, j);
            points(i, k) = static_cast<float>(value);
        }
    }
    return points;
}

const Source left{{-4, 1}, {{1, 0}, {0.5, 0.8}}};
const Source right{{5, 0}, {{0.5, 0}, {-0.3, 2}}};

double log_normal(const Source& source, double x, double y) {
    const double a = (x - source.mean[0]) / source.l[0][0];
    const double b = (y - source.mean[1] - source.l[1][0] * a) / source.l[1][1];
    return -0.5 * (a * a + b * b) - std::log(source.l[0][0] * source.l[1][1]) - std::log(2 * 3.141592653589793);
}

}  // namespace

TEST_CASE("mixture: one component has the points' mean and covariance", "[mixture]") {
    const Array<float> points = points_of({left}, 1000, Rng(1));
    const GaussianMixture mixture(points, {.components = 1}, Rng(2));
    const Moments moments = moments_of(points);
    REQUIRE(mixture.components().size() == 1);
    const GaussianMixture::Component& only = mixture.components()[0];
    CHECK(only.weight == 1);
    const double floor = 1e-6 * (moments.covariance(0, 0) + moments.covariance(1, 1)) / 2;
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(only.mean(i) == Approx(moments.mean(i)).epsilon(1e-12));
        for (std::size_t j = 0; j < 2; ++j) {
            // EM divides by the number of points, moments_of by one less.
            const double expected = moments.covariance(i, j) * 999 / 1000 + (i == j ? floor : 0);
            CHECK(only.covariance(i, j) == Approx(expected).epsilon(1e-12));
        }
    }
    CHECK(mixture.history().size() == 2);
}

TEST_CASE("mixture: two Gaussians are found again", "[mixture]") {
    const std::size_t count = 20000;
    const GaussianMixture mixture(points_of({left, right}, count, Rng(3)), {.components = 2, .tolerance = 1e-10}, Rng(4));
    REQUIRE(mixture.components().size() == 2);
    const bool swapped = mixture.components()[0].mean(0) > 0;
    const double each = static_cast<double>(count) / 2;
    for (std::size_t c = 0; c < 2; ++c) {
        const GaussianMixture::Component& found = mixture.components()[swapped ? 1 - c : c];
        const Source& source = c == 0 ? left : right;
        CHECK(found.weight == Approx(0.5).margin(1e-3));  // they hardly overlap, so it is the points' share
        for (std::size_t i = 0; i < 2; ++i) {
            double variance[2];
            for (std::size_t j = 0; j < 2; ++j) {
                variance[j] = source.l[j][0] * source.l[j][0] + source.l[j][1] * source.l[j][1];
            }
            CHECK(found.mean(i) == Approx(source.mean[i]).margin(5 * std::sqrt(variance[i] / each)));
            for (std::size_t j = 0; j < 2; ++j) {
                const double expected = source.l[i][0] * source.l[j][0] + source.l[i][1] * source.l[j][1];
                const double error = std::sqrt((variance[i] * variance[j] + expected * expected) / each);
                CHECK(found.covariance(i, j) == Approx(expected).margin(5 * error));
            }
        }
    }
}

TEST_CASE("mixture: the log density never falls from step to step, and is that of the formula", "[mixture]") {
    const Array<float> points = points_of({left, right, {{0, 4}, {{1, 0}, {0, 1}}}}, 3000, Rng(5));
    // Without a floor to speak of: adding one after each step would allow a small fall.
    const GaussianMixture mixture(points, {.components = 3, .tolerance = 1e-12, .covariance_floor = 1e-15}, Rng(6));
    const std::vector<double>& history = mixture.history();
    REQUIRE(history.size() > 3);
    for (std::size_t i = 1; i < history.size(); ++i) CHECK(history[i] >= history[i - 1] - 1e-12);

    const std::vector<double> density = mixture.log_density(points);
    double mean = 0;
    for (std::size_t i = 0; i < density.size(); ++i) {
        double sum = 0;
        for (const GaussianMixture::Component& each : mixture.components()) {
            const Source source{{each.mean(0), each.mean(1)},
                                {{each.cholesky(0, 0), 0}, {each.cholesky(1, 0), each.cholesky(1, 1)}}};
            sum += each.weight *
                   std::exp(log_normal(source, static_cast<double>(points(i, 0)), static_cast<double>(points(i, 1))));
        }
        REQUIRE(density[i] == Approx(std::log(sum)).epsilon(1e-9));
        mean += density[i] / static_cast<double>(density.size());
    }
    CHECK(mean == Approx(history.back()).epsilon(1e-12));
}

TEST_CASE("mixture: log densities far away do not overflow", "[mixture]") {
    const GaussianMixture mixture(points_of({left, right}, 500, Rng(7)), {.components = 2}, Rng(8));
    const double far = mixture.log_density(Array<float>{{1e6F, -1e6F}})[0];
    CHECK(std::isfinite(far));
    CHECK(far < -1e10);
}

TEST_CASE("mixture: samples have the mixture's moments and its parts' shares", "[mixture]") {
    const GaussianMixture mixture(points_of({left, left, left, right}, 4000, Rng(9)), {.components = 2}, Rng(10));
    Rng rng(11);
    const std::size_t count = 40000;
    const Array<float> sample = mixture.sample(count, rng);
    CHECK(sample.shape() == autograd::Shape({count, 2}));
    CHECK(rng.draws() == 2);
    const Moments moments = moments_of(sample);
    const auto n = static_cast<double>(count);
    double right_weight = 0, mean[2] = {0, 0}, second[2] = {0, 0};
    for (const GaussianMixture::Component& each : mixture.components()) {
        if (each.mean(0) > 0) right_weight = each.weight;
        for (std::size_t k = 0; k < 2; ++k) {
            mean[k] += each.weight * each.mean(k);
            second[k] += each.weight * (each.covariance(k, k) + each.mean(k) * each.mean(k));
        }
    }
    for (std::size_t k = 0; k < 2; ++k) {
        const double variance = second[k] - mean[k] * mean[k];
        CHECK(moments.mean(k) == Approx(mean[k]).margin(5 * std::sqrt(variance / n)));
        // The standard error of a variance is at most sqrt((kurtosis - 1) / n) of it, and both kurtoses are below 5.
        CHECK(moments.covariance(k, k) == Approx(variance).epsilon(5 * 2 / std::sqrt(n)));
    }
    double share = 0;
    for (std::size_t i = 0; i < count; ++i) share += sample(i, 0) > 0.5F ? 1 / n : 0;
    CHECK(right_weight == Approx(0.25).margin(0.01));
    CHECK(share == Approx(right_weight).margin(5 * std::sqrt(0.25 * 0.75 / n) + 1e-3));  // 1e-3: of left beyond 0.5
}

TEST_CASE("mixture: the same generator gives the same mixture, on a part of the points too", "[mixture]") {
    const Array<float> points = points_of({left, right}, 5000, Rng(12));
    const auto means = [&](std::uint64_t seed) {
        std::vector<double> list;
        const GaussianMixture mixture(points, {.components = 3, .fit_on = 1000}, Rng(seed));
        for (const auto& each : mixture.components()) list.push_back(each.mean(0));
        return list;
    };
    CHECK(means(1) == means(1));
    CHECK(means(1) != means(2));
}

TEST_CASE("mixture: fewer distinct points than components, points without spread", "[mixture]") {
    Array<float> points = autograd::full<float>({40, 3}, 2.0F);
    for (std::size_t i = 0; i < 20; ++i) points(i, 1) = -1;
    const GaussianMixture mixture(points, {.components = 5}, Rng(13));
    CHECK(mixture.components().size() == 2);
    for (const double density : mixture.log_density(points)) CHECK(std::isfinite(density));
    const GaussianMixture constant(autograd::full<float>({10, 2}, 7.0F), {.components = 1}, Rng(14));
    Rng rng(15);
    for (const float value : constant.sample(10, rng)) CHECK(value == Approx(7).margin(1e-4));
    // As many components as points: each holds one, or a few share.
    const GaussianMixture crowded(points_of({left}, 6, Rng(16)), {.components = 6}, Rng(17));
    for (const double step : crowded.history()) CHECK(std::isfinite(step));
}

TEST_CASE("mixture: what cannot be fitted is refused", "[mixture]") {
    const Array<float> points = points_of({left}, 9, Rng(18));
    CHECK_THROWS_AS(GaussianMixture(points, {.components = 10}, Rng(1)), autograd::Error);
    CHECK_THROWS_AS(GaussianMixture(points, {.components = 0}, Rng(1)), autograd::Error);
    CHECK_THROWS_AS(GaussianMixture(autograd::full<float>({9}, 1.0F), {}, Rng(1)), autograd::ShapeError);
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        Array<float> broken = points;
        broken(4, 1) = bad;
        CHECK(message_of<autograd::Error>([&] {
                  GaussianMixture(broken, {.components = 2}, Rng(1));
              }).find("GaussianMixture: row 4 holds") == 0);
        const GaussianMixture mixture(points, {.components = 2}, Rng(1));
        CHECK_THROWS_AS(mixture.log_density(broken), autograd::Error);
        CHECK_THROWS_AS(mixture.log_density(autograd::full<float>({2, 3}, 0.0F)), autograd::ShapeError);
    }
}
