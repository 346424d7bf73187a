// Principal components: of points whose covariance is known, against the dense decomposition where that is small, and
// with more dimensions than a covariance of all of them could be held for.
#include "examples/ae_vs_vae/principal_components.hpp"

#include <cmath>
#include <vector>

#include "examples/ae_vs_vae/points.hpp"
#include "tests/catch.hpp"
#include "tests/testing.hpp"

using autograd::Array;
using autograd::Rng;

namespace {

/// The codes are around 0 and uncorrelated, with these variances to `error`.
void check_codes(const PrincipalComponents& components, const Array<float>& points, const std::vector<double>& variances,
                 double error) {
    REQUIRE(components.variances().size() == variances.size());
    const Array<float> codes = components.project(points);
    REQUIRE(codes.shape() == autograd::Shape({points.shape()[0], variances.size()}));
    const Moments moments = moments_of(codes);
    for (std::size_t i = 0; i < variances.size(); ++i) {
        INFO("component " << i);
        CHECK(components.variances()[i] == Approx(variances[i]).margin(error));
        for (std::size_t j = 0; j < variances.size(); ++j) {
            CHECK(moments.covariance(i, j) == Approx(i == j ? variances[i] : 0).margin(error));
        }
        CHECK(moments.mean(i) == Approx(0).margin(std::sqrt(error)));
    }
}

/// The largest eigenvalues of the covariance as a dense matrix.
std::vector<double> dense_variances(const Array<float>& points, std::size_t count) {
    autograd::Tape<double> tape({.inference = true});
    const Array<double> values = eigvalsh(tape.constant(moments_of(points).covariance)).value();
    return {values.rbegin(), values.rbegin() + static_cast<std::ptrdiff_t>(count)};
}

/// For each variance v two points, `offset` +- sqrt(v (n - 1) / 2) u, of n in all: their covariance is the sum of the v
/// u u'. The u are orthonormal: ever two coordinates, 0.6 and 0.8 of them.
Array<float> points_with(const std::vector<double>& variances, std::size_t dimensions, float offset) {
    const std::size_t count = 2 * variances.size();
    Array<float> points = autograd::full<float>({count, dimensions}, offset);
    for (std::size_t i = 0; i < variances.size(); ++i) {
        const std::size_t first = i * (dimensions / variances.size());
        const double length = std::sqrt(variances[i] * static_cast<double>(count - 1) / 2);
        for (std::size_t row = 2 * i; row < 2 * i + 2; ++row) {
            const double sign = row % 2 == 0 ? 1 : -1;
            points(row, first) += static_cast<float>(sign * length * 0.6);
            points(row, first + 1) += static_cast<float>(sign * length * 0.8);
        }
    }
    return points;
}

}  // namespace

TEST_CASE("principal components: the axes of an ellipsoid", "[principal components]") {
    // Standard deviations 3, 2 and 0.1 along (1, 1, 0), (1, -1, 0) and (0, 0, 1), around (5, 0, -7).
    const std::size_t count = 4000;
    const Array<float> noise = Rng(12).normal<float>({count, 3});
    Array<float> points = autograd::empty<float>({count, 3});
    const float half = std::sqrt(0.5F);
    for (std::size_t i = 0; i < count; ++i) {
        points(i, 0) = 5 + half * (3 * noise(i, 0) + 2 * noise(i, 1));
        points(i, 1) = half * (3 * noise(i, 0) - 2 * noise(i, 1));
        points(i, 2) = -7 + 0.1F * noise(i, 2);
    }
    const PrincipalComponents all(points, 3, Rng(1));
    // A variance of 4,000 values is known to 2.2 %; 5 of that.
    CHECK(all.variances()[0] == Approx(9).epsilon(0.11));
    CHECK(all.variances()[1] == Approx(4).epsilon(0.11));
    CHECK(all.variances()[2] == Approx(0.01).epsilon(0.11));
    check_codes(all, points, dense_variances(points, 3), 1e-4);
    const PrincipalComponents two(points, 2, Rng(1));
    CHECK(two.variances()[0] == Approx(all.variances()[0]).epsilon(1e-12));
    CHECK(two.project(points).shape() == autograd::Shape({count, 2}));
    CHECK_THROWS_AS(PrincipalComponents(points, 0, Rng(1)), autograd::Error);
    CHECK_THROWS_AS(PrincipalComponents(points, 4, Rng(1)), autograd::Error);
    CHECK_THROWS_AS(PrincipalComponents(rows_between(points, 0, 1), 1, Rng(1)), autograd::Error);
    CHECK_THROWS_AS(two.project(two.project(points)), autograd::ShapeError);
}

TEST_CASE("principal components: the same as from the dense covariance", "[principal components]") {
    struct Case {
        std::size_t count, dimensions, components;
        double decay;  // of the standard deviations, from dimension to dimension
    };
    for (const auto& [count, dimensions, components, decay] :
         {Case{400, 200, 5, 1}, Case{300, 200, 20, 0.97}, Case{60, 250, 20, 1}, Case{500, 150, 40, 0.8}, Case{5, 90, 20, 1},
          Case{2, 1, 1, 1}}) {
        INFO(count << " points of " << dimensions << " dimensions, " << components << " components");
        Array<float> points = Rng(2).normal<float>({count, dimensions});
        for (std::size_t i = 0; i < points.size(); ++i) {
            points.data()[i] *= static_cast<float>(std::pow(decay, static_cast<double>(i % dimensions)));
            points.data()[i] += 3;
        }
        const std::vector<double> expected = dense_variances(points, std::min(components, count - 1));
        const PrincipalComponents found(points, components, Rng(3));
        check_codes(found, points, expected, 1e-5 * expected.front());
        for (std::size_t i = 0; i < expected.size(); ++i) {
            CHECK(std::abs(found.variances()[i] - expected[i]) <= 1e-7 * expected.front());  // what is promised
        }
    }
}

// A dense covariance of 16,384 dimensions has 2 GB.
TEST_CASE("principal components: a known spectrum in 128 x 128 dimensions", "[principal components]") {
    std::vector<double> variances;
    for (int i = 0; i < 60; ++i) variances.push_back(50 * std::pow(0.9, i));
    const Array<float> points = points_with(variances, 128 * 128, 0.5F);
    variances.resize(20);
    check_codes(PrincipalComponents(points, 20, Rng(4)), points, variances, 1e-4);
}

TEST_CASE("principal components: variances that are equal, and directions without any", "[principal components]") {
    const std::vector<double> equal{4, 4, 4, 1, 1};
    check_codes(PrincipalComponents(points_with(equal, 200, 0), 5, Rng(5)), points_with(equal, 200, 0), equal, 1e-5);
    const Array<float> few = points_with({9, 2}, 100, 1);
    check_codes(PrincipalComponents(few, 30, Rng(6)), few, {9, 2}, 1e-5);  // the others would be arbitrary
    CHECK_THROWS_WITH(PrincipalComponents(autograd::full<float>({20, 50}, 0.1F), 10, Rng(7)), contains("all points are equal"));
}

TEST_CASE("principal components: the same generator, the same bits, and signs that no generator chooses",
          "[principal components]") {
    const Array<float> points = Rng(8).normal<float>({120, 70});
    const auto codes = [&](std::uint64_t seed) { return elements(PrincipalComponents(points, 6, Rng(seed)).project(points)); };
    const std::vector<float> first = codes(9), other = codes(10);
    CHECK(first == codes(9));
    for (std::size_t i = 0; i < first.size(); ++i) REQUIRE(first[i] == Approx(other[i]).margin(1e-4));
}
