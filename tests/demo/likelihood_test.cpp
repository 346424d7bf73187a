// Estimates of log p(x), and of how codes fill the prior: against a linear Gaussian model, in which all is in closed
// form, and codes of known distributions. Tolerances are 5 standard errors, 6e-7 for each number compared, if nothing
// else is said.
#include "examples/ae_vs_vae/likelihood.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "tests/catch.hpp"
#include "tests/testing.hpp"

using autograd::Array;
using autograd::Rng;
using autograd::Var;

namespace {

/// p(x|z) = N(a z, s^2 I), z one number, x two; so p(x) = N(0, a a' + s^2 I) and p(z|x) = N(a'x / m, s^2 / m) with
/// m = a'a + s^2. q(z|x) has that mean times `shrink` and that variance times `widen`.
struct LinearModel {
    double a[2] = {1.5, -0.8};
    double variance = 0.3;
    double shrink = 0.9, widen = 1.5;

    double m() const { return a[0] * a[0] + a[1] * a[1] + variance; }

    LatentModel functions() const {
        const auto row = [](double x, double y) { return Array<float>{{static_cast<float>(x), static_cast<float>(y)}}; };
        const LinearModel self = *this;
        const auto encode = [self, row](const Var<float>& x) {
            const double factor = self.shrink / self.m();
            const auto mean = matmul(x, x.tape().constant(row(factor * self.a[0], factor * self.a[1])), {.b = true});
            return nn::Normal<float>{mean, 0 * mean + std::log(self.widen * self.variance / self.m())};
        };
        const auto decode = [self, row](const Var<float>& z) {
            return matmul(z, z.tape().constant(row(self.a[0], self.a[1])));
        };
        const auto log_likelihood = [self](const Var<float>& mean, const Var<float>& x) {
            const auto log_variance = 0 * mean + std::log(self.variance);
            return sum(nn::Normal<float>{mean, log_variance}.log_prob(x), -1);
        };
        return {encode, decode, log_likelihood};
    }
    double log_p(double x, double y) const {
        const double along = a[0] * x + a[1] * y;
        const double square = (x * x + y * y - along * along / m()) / variance;
        return -0.5 * (square + std::log(variance * m())) - std::log(2 * std::numbers::pi);
    }
    /// KL(q(z|x) || p(z|x)).
    double gap(double x, double y) const {
        const double shift = (1 - shrink) * (a[0] * x + a[1] * y) / m();
        return 0.5 * (widen - 1 - std::log(widen) + shift * shift / (variance / m()));
    }
};

Array<float> images_of(const LinearModel& model, std::size_t count) {
    const Array<double> noise = Rng(1).normal<double>({count, 3});
    Array<float> images = autograd::empty<float>({count, 2});
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t k = 0; k < 2; ++k) {
            images(i, k) = static_cast<float>(model.a[k] * noise(i, 0) + std::sqrt(model.variance) * noise(i, 1 + k));
        }
    }
    return images;
}

}  // namespace

TEST_CASE("likelihood: IWAE in a linear Gaussian model", "[likelihood]") {
    const LinearModel model;
    const std::size_t count = 50;
    const Array<float> images = images_of(model, count);
    std::vector<double> exact, elbo;
    for (std::size_t i = 0; i < count; ++i) {
        const auto x = static_cast<double>(images(i, 0)), y = static_cast<double>(images(i, 1));
        exact.push_back(model.log_p(x, y));
        elbo.push_back(exact.back() - model.gap(x, y));
    }
    const double log_p = mean_of(exact).value;
    // Of these images, over repetitions of the draws.
    const auto estimated = [&](std::size_t samples) {
        std::vector<double> found;
        for (std::uint64_t seed = 0; seed < 20; ++seed) {
            found.push_back(iwae_log_likelihood(model.functions(), images, samples, Rng(seed)).value);
        }
        return mean_of(found);
    };
    // Errors of 20 values: 7 of them are 1e-6 by Student's t.
    const auto within = [](const Estimate& found, double expected, double bias) {
        INFO(found.value << " +- " << found.standard_error.value() << ", expected " << expected);
        CHECK(std::abs(found.value - expected) < 7 * found.standard_error.value() + bias);
    };
    const Estimate one = estimated(1), ten = estimated(10), hundred = estimated(100), many = estimated(2500);
    within(one, mean_of(elbo).value, 0);
    // The bias is about the weights' relative variance over 2 K: here below 1, as hundred's distance shows.
    within(many, log_p, 1.0 / 5000);
    CHECK(many.standard_error.value() < 1e-3);
    CHECK(log_p - mean_of(elbo).value > 0.04);
    CHECK(one.value < ten.value);
    CHECK(ten.value < hundred.value);
    CHECK(hundred.value < many.value + 7 * many.standard_error.value());
    CHECK(log_p - hundred.value < 1.0 / 200 + 7 * hundred.standard_error.value());

    // With the right posterior all weights are p(x): any number of draws gives it.
    LinearModel right;
    right.shrink = right.widen = 1;
    const Estimate found = iwae_log_likelihood(right.functions(), images, 3, Rng(2));
    CHECK(found.value == Approx(log_p).epsilon(1e-5));  // of float
    CHECK(found.standard_error.value() == Approx(mean_of(exact).standard_error.value()).epsilon(1e-4));
}

TEST_CASE("likelihood: sums do not overflow, and what is no estimate is refused", "[likelihood]") {
    LatentModel model = LinearModel().functions();
    const Array<float> images = images_of(LinearModel(), 4);
    model.log_likelihood = [](const Var<float>& mean, const Var<float>&) { return sum(0 * mean, -1) - 5000; };
    LinearModel prior;
    prior.shrink = 0;
    prior.widen = prior.m() / prior.variance;
    model.encode = prior.functions().encode;
    CHECK(iwae_log_likelihood(model, images, 1300, Rng(1)).value == Approx(-5000).epsilon(1e-6));

    CHECK_THROWS_AS(iwae_log_likelihood(model, images, 0, Rng(1)), autograd::Error);
    CHECK_THROWS_AS(iwae_log_likelihood(model, autograd::full<float>({1, 2}, 0.0F), 1, Rng(1)), autograd::Error);
    model.log_likelihood = [](const Var<float>& mean, const Var<float>&) { return log(sum(0 * mean, -1) - 1); };
    CHECK_THROWS_AS(iwae_log_likelihood(model, images, 2, Rng(1)), autograd::Error);
    model.log_likelihood = [](const Var<float>& mean, const Var<float>&) { return log(sum(0 * mean, -1)); };
    CHECK_THROWS_WITH(iwae_log_likelihood(model, images, 2, Rng(1)), contains("is -inf"));
    model.log_likelihood = [](const Var<float>& mean, const Var<float>&) { return sum(mean, -1, autograd::KeepDims::yes); };
    CHECK_THROWS_AS(iwae_log_likelihood(model, images, 2, Rng(1)), autograd::ShapeError);
}

TEST_CASE("likelihood: posteriors, their KL, active dimensions", "[likelihood]") {
    // The first dimension follows x, the second is the prior whatever x is.
    const EncodeFunction encode = [](const Var<float>& x) {
        const Var<float> unit = x.tape().constant(Array<float>{0.5F, 0.0F});
        const Var<float> log_variance = x.tape().constant(Array<float>{-2.0F, 0.0F});
        return nn::Normal<float>{x * unit, broadcast_to(log_variance, x.shape())};
    };
    const std::size_t count = 2500;
    const Array<float> images = Rng(3).normal<float>({count, 2});
    const Posteriors found = posteriors_of(encode, images, Rng(4));
    CHECK(found.mean.shape() == autograd::Shape({count, 2}));
    std::vector<double> kl, deviations;
    for (std::size_t i = 0; i < count; ++i) {
        const double mean = 0.5 * static_cast<double>(images(i, 0));
        kl.push_back(0.5 * (std::exp(-2) + 2 - 1 + mean * mean));
        REQUIRE(static_cast<double>(found.mean(i, 0)) == Approx(mean));
        REQUIRE(found.log_variance(i, 0) == -2);
        deviations.push_back(std::pow((static_cast<double>(found.sample(i, 0)) - mean) / std::exp(-1), 2));
    }
    const Estimate variance = mean_of(deviations);
    CHECK(std::abs(variance.value - 1) < 5 * variance.standard_error.value());

    const std::vector<Estimate> dimensions = kl_per_dimension(found);
    REQUIRE(dimensions.size() == 2);
    CHECK(dimensions[0].value == Approx(mean_of(kl).value).epsilon(1e-5));
    CHECK(dimensions[0].standard_error.value() == Approx(mean_of(kl).standard_error.value()).epsilon(1e-4));
    CHECK(dimensions[1].value == 0);
    const std::vector<double> activity = activity_per_dimension(found);
    CHECK(activity[0] == Approx(0.25).epsilon(5 * std::sqrt(2.0 / count)));
    CHECK(activity[0] > active_above);
    CHECK(activity[1] == 0);
    Posteriors broken = found;
    broken.log_variance(7, 1) = std::numeric_limits<float>::quiet_NaN();
    CHECK_THROWS_AS(kl_per_dimension(broken), autograd::Error);
    broken.mean(7, 1) = std::numeric_limits<float>::infinity();
    CHECK_THROWS_AS(activity_per_dimension(broken), autograd::Error);
}

TEST_CASE("likelihood: the aggregate posterior against the prior", "[likelihood]") {
    const std::size_t count = 20000;
    Array<float> codes = Rng(5).normal<float>({count, 3});
    const Estimate same = gaussian_kl(codes);
    // Twice count times the KL is chi-square distributed, with d (d + 3) / 2 = 9 degrees of freedom: above 51.6 once in
    // 5e8.
    CHECK(same.value > 0);
    CHECK(same.value < 51.6 / 2 / static_cast<double>(count));

    for (std::size_t i = 0; i < count; ++i) {
        codes(i, 0) = 2 * codes(i, 0) + 1;
        codes(i, 2) = 0.6F * codes(i, 1) + 0.8F * codes(i, 2);
    }
    const AggregatePosterior other = aggregate_posterior(codes);
    const double expected = 0.5 * (4 + 1 - 1 - std::log(4)) - 0.5 * std::log(1 - 0.36);
    // Of ten parts, hence 9 standard errors: 8e-6 by Student's t.
    const Estimate distance = gaussian_kl(codes);
    CHECK(std::abs(distance.value - expected) < 9 * distance.standard_error.value());
    CHECK(distance.standard_error.value() < 0.05);
    CHECK(other.mean[0] == Approx(1).margin(5 * 2 / std::sqrt(static_cast<double>(count))));
    CHECK(other.standard_deviation[0] == Approx(2).epsilon(5 / std::sqrt(2 * static_cast<double>(count))));

    for (std::size_t i = 0; i < count; ++i) codes(i, 2) = 3;
    CHECK_THROWS_WITH(gaussian_kl(codes), contains("do not fill all of their 3 dimensions"));
}

TEST_CASE("likelihood: few codes do not say how far they are from the prior", "[likelihood]") {
    const Array<float> codes = Rng(20).normal<float>({40, 4});
    CHECK(gaussian_kl_bias(codes) == 4 * 7 / 160.0);
    CHECK(gaussian_kl(codes).standard_error);                             // of two parts of 16 or more
    CHECK_FALSE(gaussian_kl(rows_between(codes, 0, 31)).standard_error);  // there are no two
    CHECK_THROWS_AS(gaussian_kl(rows_between(codes, 0, 4)),
                    autograd::Error);  // they lie in a space of three dimensions
    // The bias, as the mean over sets of codes that are draws of the prior.
    std::vector<double> found;
    for (std::uint64_t seed = 0; seed < 200; ++seed) found.push_back(gaussian_kl(Rng(seed).normal<float>({400, 4})).value);
    const Estimate mean = mean_of(found);
    CHECK(mean.value == Approx(4 * 7 / 1600.0).margin(5 * mean.standard_error.value()));
}

TEST_CASE("likelihood: codes like the prior leave no holes, others do", "[likelihood]") {
    const std::size_t count = 5000;
    Rng rng(6);
    const Array<float> training = Rng(7).normal<float>({count, 2}), held_out = Rng(8).normal<float>({count, 2});
    const Holes none(training, held_out);
    // By definition 1 % of the held-out codes are beyond the threshold.
    std::size_t beyond = 0;
    for (const double each : none.relative_distances(held_out)) beyond += each > 1;
    CHECK(beyond == count / 100);
    // The threshold is estimated from 5,000 codes and the rate from as many: 5 times sqrt(2 * 0.01 / 5000).
    CHECK(none.rate(count, rng).value == Approx(0.01).margin(0.01));

    // A ring of radius 3: N(0, I) is within 2.4 of the origin, in the hole, with probability 1 - exp(-2.88) = .94.
    const auto ring = [&](std::uint64_t seed) {
        Array<float> codes = Rng(seed).normal<float>({count, 2});
        for (std::size_t i = 0; i < count; ++i) {
            const float factor = (3 + 0.1F * codes(i, 0)) / std::hypot(codes(i, 0), codes(i, 1));
            codes(i, 0) *= factor;
            codes(i, 1) *= factor;
        }
        return codes;
    };
    const Holes holes(ring(9), ring(10));
    CHECK(holes.threshold() < 0.3);
    const Estimate rate = holes.rate(count, rng);
    CHECK(rate.value > 0.94 - 5 * rate.standard_error.value());
    CHECK(rate.value < 0.999);
    CHECK(rate.standard_error.value() == Approx(std::sqrt(rate.value * (1 - rate.value) / (count - 1.0))));

    const Array<double> map = holes.map(8, 4);  // cells of side 1
    REQUIRE(map.shape() == autograd::Shape({8, 8}));
    CHECK(map(3, 3) > 5);  // (-0.5, 0.5), 2.3 from the ring
    CHECK(map(0, 0) > 5);  // (-3.5, 3.5), 1.9 from it
    CHECK(map(3, 3) == Approx(holes.relative_distances(Array<float>{{-0.5F, 0.5F}, {0.0F, 0.0F}})[0]));
    CHECK(map(1, 6) == holes.relative_distances(Array<float>{{2.5F, 2.5F}, {0.0F, 0.0F}})[0]);
    // Right and top, told apart: a single place of codes.
    Array<float> spot = Rng(11).normal<float>({200, 2});
    for (std::size_t i = 0; i < 200; ++i) {
        spot(i, 0) = 2.5F + 0.1F * spot(i, 0);
        spot(i, 1) = 0.5F + 0.1F * spot(i, 1);
    }
    const Array<double> spots = Holes(spot, spot).map(8, 4);
    for (std::size_t row = 0; row < 8; ++row) {
        for (std::size_t column = 0; column < 8; ++column) CHECK((spots(row, column) <= 1) == (row == 3 && column == 6));
    }
}

TEST_CASE("likelihood: holes of what are not codes", "[likelihood]") {
    const Array<float> codes = Rng(12).normal<float>({200, 3});
    CHECK_THROWS_AS(Holes(codes, rows_between(codes, 0, 99)), autograd::Error);
    CHECK_THROWS_AS(Holes(rows_between(codes, 0, 4), codes), autograd::Error);
    CHECK_THROWS_AS(Holes(codes, codes, 1), autograd::Error);
    CHECK_THROWS_AS(Holes(codes, Rng(13).normal<float>({200, 2})), autograd::ShapeError);
    CHECK_THROWS_AS(Holes(codes, codes).map(5, 3), autograd::Error);
    const Array<float> plane = Rng(14).normal<float>({200, 2});
    CHECK_THROWS_AS(Holes(plane, plane).map(0, 3), autograd::Error);
    CHECK_THROWS_AS(Holes(plane, plane).map(5, std::numeric_limits<double>::quiet_NaN()), autograd::Error);
}
