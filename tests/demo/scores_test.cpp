// The scores of generated points: against closed forms, published values, plain loops over all pairs, and exact ties.
// Tolerances on random points are 5 standard errors, 6e-7 for each number compared, if nothing else is said.
#include "examples/ae_vs_vae/scores.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "examples/ae_vs_vae/measures.hpp"
#include "examples/ae_vs_vae/neighbours.hpp"
#include "tests/catch.hpp"
#include "tests/testing.hpp"

using autograd::Array;
using autograd::Rng;

namespace {

Array<float> normal(std::size_t count, std::size_t dimensions, std::uint64_t seed, float offset = 0) {
    Array<float> points = Rng(seed).normal<float>({count, dimensions});
    for (float& each : points) each += offset;
    return points;
}

std::vector<double> sorted_distances(const float* query, const Array<float>& points) {
    std::vector<double> all;
    const std::size_t dimensions = points.shape()[1];
    for (std::size_t j = 0; j < points.shape()[0]; ++j) {
        all.push_back(squared_distance(query, points.data() + j * dimensions, dimensions));
    }
    std::sort(all.begin(), all.end());
    return all;
}

/// z with |found - expected| <= z standard errors, written so that NaN fails.
void check_within(const Estimate& found, double expected, double errors) {
    INFO(found.value << " +- " << found.standard_error.value() << ", expected " << expected);
    CHECK(found.standard_error.value() > 0);
    CHECK(std::abs(found.value - expected) <= errors * found.standard_error.value());
}

Estimates score(const Array<float>& real, const Array<float>& generated, std::size_t k = 5) {
    return estimates_of(Comparisons(real, generated, k));
}

Estimate at(const Estimates& estimates, const char* key) { return estimates.find(key).value(); }

}  // namespace

TEST_CASE("points: moments, rows, means with their errors", "[scores]") {
    const Array<float> points{{1.0F, 2.0F}, {3.0F, 2.0F}, {5.0F, 8.0F}};
    const Moments moments = moments_of(points);
    CHECK(elements(moments.mean) == std::vector<double>{3, 4});
    CHECK(elements(moments.covariance) == std::vector<double>{4, 6, 6, 12});
    // More rows than one block, and an offset that would drown the variance in float.
    const Moments many = moments_of(normal(5000, 3, 1, 4000));
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(many.mean(i) == Approx(4000).margin(5 / std::sqrt(5000.0)));
        for (std::size_t j = 0; j < 3; ++j) {
            CHECK(many.covariance(i, j) == Approx(i == j ? 1 : 0).margin(5 * std::sqrt((i == j ? 2 : 1) / 5000.0)));
        }
    }
    CHECK(elements(every_nth_row(points, 2, 0)) == std::vector<float>{1, 2, 5, 8});
    CHECK(elements(every_nth_row(points, 2, 1)) == std::vector<float>{3, 2});
    CHECK(elements(rows_between(points, 1, 3)) == std::vector<float>{3, 2, 5, 8});
    const Estimate mean = mean_of(std::vector<double>{1, 2, 6});
    CHECK(mean.value == 3);
    CHECK(mean.standard_error.value() == Approx(std::sqrt(7.0 / 3)));
    CHECK_THROWS_AS(mean_of(std::vector<double>{1}), autograd::Error);
    // Equal values say nothing of their spread.
    CHECK(mean_of(std::vector<double>{0.1, 0.1, 0.1}).value == 0.1);
    CHECK_FALSE(mean_of(std::vector<double>{0.1, 0.1, 0.1}).standard_error);
}

TEST_CASE("neighbours: the k-th nearest is that of all pairs in double", "[scores]") {
    // Far from 0, so that distances by products in float alone would be wrong in the first digit.
    const std::size_t dimensions = GENERATE(1u, 3u, 70u);
    const Array<float> points = normal(700, dimensions, 2, 300), queries = normal(90, dimensions, 3, 300);
    for (const std::size_t k : {std::size_t{1}, std::size_t{5}, std::size_t{700}}) {
        const std::vector<double> found = neighbour_distances(queries, points, k);
        REQUIRE(found.size() == 90);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < 90; ++i) {
            wrong += found[i] != sorted_distances(queries.data() + i * dimensions, points)[k - 1];
        }
        CHECK(wrong == 0);
    }
    const std::vector<double> within = neighbour_distances_within(points, 5);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < 700; ++i) {
        wrong += within[i] != sorted_distances(points.data() + i * dimensions, points)[5];
    }
    CHECK(wrong == 0);
}

TEST_CASE("neighbours: balls hold what is strictly nearer than their radius", "[scores]") {
    const std::size_t dimensions = GENERATE(2u, 64u);
    const Array<float> a = normal(300, dimensions, 4, 20), b = normal(500, dimensions, 5, 20);
    // On each of the spheres lies a point of the other set.
    const std::vector<double> radii_a = neighbour_distances(a, b, 7), radii_b = neighbour_distances(b, a, 3);
    std::vector<std::size_t> a_balls(500), b_balls(300);
    for (std::size_t i = 0; i < 300; ++i) {
        for (std::size_t j = 0; j < 500; ++j) {
            const double distance = squared_distance(&a(i, 0), &b(j, 0), dimensions);
            a_balls[j] += distance < radii_a[i];
            b_balls[i] += distance < radii_b[j];
        }
    }
    const BallCounts counts = count_in_balls(a, radii_a, b, radii_b);
    CHECK(counts.b_in_ball_of_a == std::vector<std::size_t>(300, 6));
    CHECK(counts.a_balls_with_b == a_balls);
    CHECK(counts.b_balls_with_a == b_balls);
}

TEST_CASE("neighbours: copies and tiny distances", "[scores]") {
    Array<float> points = normal(200, 4, 6, 50);
    for (std::size_t i = 100; i < 200; ++i) {
        for (std::size_t k = 0; k < 4; ++k) points(i, k) = points(i - 100, k);
    }
    CHECK(neighbour_distances_within(points, 1) == std::vector<double>(200, 0.0));
    CHECK(neighbour_distances(points, points, 2) == std::vector<double>(200, 0.0));
    const std::vector<double> zero(200);
    CHECK(count_in_balls(points, zero, points, zero).b_in_ball_of_a == std::vector<std::size_t>(200));
    const Array<float> tiny{{0.0F, 0.0F}, {1e-30F, 0.0F}, {3e-30F, 0.0F}};
    const std::vector<double> found = neighbour_distances_within(tiny, 1);
    CHECK(found[0] == Approx(1e-60));
    CHECK(found[2] == Approx(4e-60));
    const std::vector<double> radii{5e-60, 5e-60, 3e-60};
    CHECK(count_in_balls(tiny, radii, tiny, radii).b_in_ball_of_a == std::vector<std::size_t>{2, 3, 1});
}

TEST_CASE("neighbours: what has no meaning is refused", "[scores]") {
    const Array<float> points = normal(5, 2, 7);
    CHECK_THROWS_AS(neighbour_distances(points, points, 0), autograd::Error);
    CHECK_THROWS_AS(neighbour_distances(points, points, 6), autograd::Error);
    CHECK_THROWS_AS(neighbour_distances_within(points, 5), autograd::Error);
    CHECK_THROWS_AS(neighbour_distances(points, normal(5, 3, 8), 1), autograd::ShapeError);
    CHECK_THROWS_AS(count_in_balls(points, {1.0}, points, std::vector<double>(5)), autograd::ShapeError);
    CHECK_THROWS_AS(neighbour_distances(points, autograd::full<float>({3, 2}, 1e30F), 1), autograd::Error);
    Array<float> broken = points;
    broken(3, 0) = std::numeric_limits<float>::quiet_NaN();
    CHECK_THROWS_AS(neighbour_distances(points, broken, 1), autograd::Error);
    CHECK_THROWS_AS(neighbour_distances(broken, points, 1), autograd::Error);
    CHECK_THROWS_AS(score(normal(100, 2, 1), autograd::full<float>({100, 2}, broken(3, 0))), autograd::Error);
    CHECK_THROWS_AS(score(normal(23, 2, 1), normal(100, 2, 2)), autograd::Error);
    CHECK_THROWS_AS(score(normal(100, 2, 1), normal(100, 3, 2)), autograd::ShapeError);
    CHECK_THROWS_AS(score(autograd::full<float>({100, 2}, 1.0F), normal(100, 2, 2)), autograd::Error);
}

TEST_CASE("scores: Frechet distance of Gaussians with commuting and other covariances", "[scores]") {
    // Diagonal: |m1 - m2|^2 + sum (s1 - s2)^2.
    const Moments a{{1, 2}, {{4, 0}, {0, 9}}}, b{{-1, 5}, {{1, 0}, {0, 25}}};
    CHECK(frechet_distance(a, b) == Approx(4 + 9 + 1 + 4).epsilon(1e-14));
    // 2 x 2: Tr((C1 C2)^1/2) = sqrt(Tr(C1 C2) + 2 sqrt(det(C1 C2))).
    const Moments c{{0, 0}, {{2, 1}, {1, 3}}}, d{{0, 0}, {{5, -2}, {-2, 1}}};
    const double product = 2 * 5 + 2 * 1 * -2 + 3 * 1, determinants = 5 * 1;
    CHECK(frechet_distance(c, d) == Approx(5 + 6 - 2 * std::sqrt(product + 2 * std::sqrt(determinants))).epsilon(1e-13));
    CHECK(frechet_distance(c, d) == Approx(frechet_distance(d, c)).epsilon(1e-13));
    // Singular covariances: a line against another, at right angles.
    const Moments e{{0, 0}, {{4, 0}, {0, 0}}}, f{{0, 0}, {{0, 0}, {0, 1}}};
    CHECK(frechet_distance(e, f) == Approx(5).epsilon(1e-13));
    CHECK_THROWS_AS(frechet_distance(a, moments_of(normal(9, 3, 8))), autograd::ShapeError);

    const Array<float> points = normal(1000, 8, 9);
    Array<float> shifted = points;
    for (std::size_t i = 0; i < 1000; ++i) shifted(i, 3) += 2;
    CHECK(frechet_distance(moments_of(points), moments_of(points)) == Approx(0).margin(1e-12));
    CHECK(frechet_distance(moments_of(points), moments_of(shifted)) == Approx(4).epsilon(1e-6));  // a float's rounding
}

TEST_CASE("scores: precision, recall, density and coverage of a few numbers, by hand", "[scores]") {
    const auto line = [](const std::vector<float>& numbers) {
        Array<float> points = autograd::empty<float>({numbers.size(), 1});
        std::copy(numbers.begin(), numbers.end(), points.data());
        return points;
    };
    // The nearest others are at 1.5, 1.5, 3, 3, 87, and at 0.5, 0.5, 5.1, 5.1.
    const Manifolds found = manifolds(line({0, 1.5F, 10, 13, 100}), line({0.3F, 0.8F, 12, 6.9F}), 1);
    CHECK(found.precision == Approx(3.0 / 4));  // all but 6.9
    CHECK(found.recall == Approx(3.0 / 5));     // 0, 10, 13
    CHECK(found.density == Approx(6.0 / 4));    // two balls around each but 6.9
    CHECK(found.coverage == Approx(4.0 / 5));   // all balls but that of 100
}

TEST_CASE("scores: published values of N(0, I) in 1000 dimensions", "[scores]") {
    // Naeem et al. 2020 give these, of one draw of 10,000 points, with their code.
    const Manifolds found = manifolds(normal(10000, 1000, 10), normal(10000, 1000, 11), 5);
    // One draw against another: over ten pairs of sets the four had standard deviations of .008, .009, .057 and .0045
    // (and means of .476, .477, 1.00 and .970). The bounds are 3 times that and the root of 2: 3e-3 for each.
    CHECK(found.precision == Approx(0.477).margin(0.034));
    CHECK(found.recall == Approx(0.471).margin(0.038));
    CHECK(found.density == Approx(1.056).margin(0.24));
    CHECK(found.coverage == Approx(0.974).margin(0.019));
}

TEST_CASE("scores: of one distribution density is 1 and coverage 1 - 2^-k", "[scores]") {
    // Coverage, exactly: n points and n others, none of the others among a point's k nearest: the product over i < k of
    // (n - 1 - i) / (2 n - 1 - i) (Naeem et al. 2020).
    const std::size_t count = 4000;
    for (const std::size_t k : {std::size_t{1}, std::size_t{3}, std::size_t{5}}) {
        double missed = 1;
        for (std::size_t i = 0; i < k; ++i) {
            missed *= static_cast<double>(count - 1 - i) / static_cast<double>(2 * count - 1 - i);
        }
        CHECK(1 - missed == Approx(1 - std::pow(2, -static_cast<double>(k))).margin(1e-3));
        const Estimates found = score(normal(count, 4, 12), normal(count, 4, 13), k);
        // A standard error of ten parts is itself uncertain: 9 errors, by Student's t with 9 degrees of freedom, are
        // 8e-6.
        check_within(at(found, "coverage"), 1 - missed, 9);
        check_within(at(found, "density"), 1, 9);
        CHECK(at(found, "coverage").standard_error.value() < 0.02);
        CHECK(at(found, "density").standard_error.value() < 0.05);
        check_within(at(found, "squared_mmd"), 0, 9);
        // The mean of an estimated Frechet distance of N(0, I) from itself: |m1 - m2|^2 has 2 d / n, the covariances
        // add about d (d + 1) / (4 n).
        CHECK(at(found, "frechet").value < 5 * (2 * 4 + 5) / static_cast<double>(count));
        CHECK(at(found, "frechet").value > 0);
    }
}

TEST_CASE("scores: a set against itself, and against one that is elsewhere", "[scores]") {
    const Array<float> points = normal(500, 16, 14);
    const Manifolds same = manifolds(points, points, 5);
    // Each ball holds its centre and the 4 nearest others: the fifth lies on the sphere.
    CHECK(same.density == Approx(1).epsilon(1e-14));
    CHECK(same.precision == 1);
    CHECK(same.recall == 1);
    CHECK(same.coverage == 1);

    const Estimates far = score(points, normal(500, 16, 15, 100));
    CHECK(at(far, "precision").value == 0);
    CHECK_FALSE(at(far, "precision").standard_error);  // in each part it is 0
    CHECK(at(far, "recall").value == 0);
    CHECK(at(far, "density").value == 0);
    CHECK(at(far, "coverage").value == 0);
    check_within(at(far, "frechet"), 16 * 100 * 100, 9);
    // No kernel between the two is left: twice the mean kernel of N(0, I), (1 + 2 / s^2)^(-dimensions / 2) for a width
    // s.
    const double width = median_distance(points);
    double kernel = 0;
    for (const double s : {width / 2, width, 2 * width}) kernel += std::pow(1 + 2 / (s * s), -8.0) / 3;
    check_within(at(far, "squared_mmd"), 2 * kernel, 9);
    CHECK(at(far, "squared_mmd").standard_error.value() < 0.02);
}

TEST_CASE("scores: of points that are mostly copies there are none", "[scores]") {
    // Ten points, each twenty times: the fifth nearest other is at 0, and a ball of that radius holds nothing, although
    // fewer than half of the pairs are copies.
    Array<float> copies = normal(200, 4, 30);
    for (std::size_t i = 10; i < 200; ++i) {
        for (std::size_t k = 0; k < 4; ++k) copies(i, k) = copies(i % 10, k);
    }
    CHECK_THROWS_WITH(score(copies, normal(200, 4, 31)), contains("200 have 5 copies"));
    // Generated copies are a finding: nothing real is near them.
    const Estimates collapsed = score(normal(200, 4, 31), copies);
    CHECK(at(collapsed, "recall").value == 0);
    CHECK(at(collapsed, "frechet").value > 0);
}

TEST_CASE("scores: MMD is that of plain loops over pairs", "[scores]") {
    const Array<float> a = normal(300, 5, 16, 10), b = normal(200, 5, 17, 10.3F);
    const double width = median_distance(a);
    std::vector<double> distances;
    for (std::size_t i = 0; i < 300; ++i) {
        for (std::size_t j = 0; j < i; ++j) distances.push_back(std::sqrt(squared_distance(&a(i, 0), &a(j, 0), 5)));
    }
    std::sort(distances.begin(), distances.end());
    CHECK(width == distances[distances.size() / 2]);
    const auto mean_kernel = [&](const Array<float>& x, const Array<float>& y, bool same) {
        double sum = 0;
        for (std::size_t i = 0; i < x.shape()[0]; ++i) {
            for (std::size_t j = 0; j < y.shape()[0]; ++j) {
                if (same && i == j) continue;
                const double square = squared_distance(&x(i, 0), &y(j, 0), 5);
                for (const double s : {width / 2, width, 2 * width}) sum += std::exp(-square / (2 * s * s)) / 3;
            }
        }
        const auto n = static_cast<double>(x.shape()[0]), m = static_cast<double>(y.shape()[0]);
        return sum / (same ? n * (n - 1) : n * m);
    };
    const double expected = mean_kernel(a, a, true) + mean_kernel(b, b, true) - 2 * mean_kernel(a, b, false);
    CHECK(squared_mmd(a, b, width) == Approx(expected).margin(2e-6));
    CHECK(expected > 1e-3);
    CHECK_THROWS_AS(squared_mmd(a, b, 0), autograd::Error);
    CHECK_THROWS_AS(squared_mmd(a, normal(9, 4, 1), 1), autograd::ShapeError);
    CHECK_THROWS_AS(median_distance(autograd::full<float>({9, 2}, 1.0F)), autograd::Error);
}

TEST_CASE("scores: the squared MMD of the same distribution is 0 on average", "[scores]") {
    std::vector<double> found;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        found.push_back(squared_mmd(normal(60, 3, 100 + seed), normal(90, 3, 200 + seed), 2));
    }
    CHECK(*std::min_element(found.begin(), found.end()) < 0);
    check_within(mean_of(found), 0, 5);
}

TEST_CASE("scores: standard errors are the spread over repetitions", "[scores]") {
    std::vector<double> precision, coverage, mmd, frechet;
    double stated[4] = {0, 0, 0, 0};
    const std::size_t repetitions = 30;
    for (std::uint64_t seed = 0; seed < repetitions; ++seed) {
        const Estimates found = score(normal(600, 3, 300 + seed), normal(600, 3, 400 + seed, 0.7F));
        precision.push_back(at(found, "precision").value);
        coverage.push_back(at(found, "coverage").value);
        mmd.push_back(at(found, "squared_mmd").value);
        frechet.push_back(at(found, "frechet").value);
        const double errors[4] = {at(found, "precision").standard_error.value(), at(found, "coverage").standard_error.value(),
                                  at(found, "squared_mmd").standard_error.value(), at(found, "frechet").standard_error.value()};
        for (std::size_t i = 0; i < 4; ++i) stated[i] += errors[i] / static_cast<double>(repetitions);
    }
    const auto spread = [](const std::vector<double>& values) {
        return mean_of(values).standard_error.value() * std::sqrt(static_cast<double>(values.size()));
    };
    // A standard deviation of 30 values is known to 13 %, so a factor of 1.65 would be 5 of its errors; parts of 60
    // points are not quite a sixtieth of 600.
    const double actual[4] = {spread(precision), spread(coverage), spread(mmd), spread(frechet)};
    for (std::size_t i = 0; i < 4; ++i) {
        INFO(i << ": " << stated[i] << " stated, " << actual[i] << " found");
        CHECK(stated[i] > actual[i] / 2);
        CHECK(stated[i] < actual[i] * 2);
    }
}

TEST_CASE("scores: memorisation tells copies from new points", "[scores]") {
    const Array<float> training = normal(2000, 6, 18);
    const auto nearest = [&](const Array<float>& points) { return neighbour_distances(points, training, 1); };
    const std::vector<double> held_out = nearest(normal(500, 6, 20));
    const Memorisation fresh = memorisation(nearest(normal(500, 6, 19)), held_out);
    check_within(fresh.ratio, 1, 9);
    CHECK(fresh.ratio.standard_error.value() < 0.1);
    CHECK(fresh.ratio.value == Approx(fresh.generated / fresh.held_out));
    Array<float> copies = rows_between(training, 0, 500);
    CHECK(memorisation(nearest(copies), held_out).generated == 0);
    for (float& each : copies) each += 0.01F;
    const Memorisation near = memorisation(nearest(copies), held_out);
    CHECK(near.generated == Approx(0.01 * std::sqrt(6.0)).epsilon(1e-3));
    CHECK(near.ratio.value < 0.05);
    // Of the part that is rows 3, 13, 23, ... three in five are training points: its ratio does not exist.
    std::vector<double> partly = held_out;
    for (std::size_t i = 0; i < 300; i += 10) partly[i + 3] = 0;
    CHECK(memorisation(held_out, partly).ratio.value > 0);
    CHECK_FALSE(memorisation(held_out, partly).ratio.standard_error);
    CHECK_THROWS_AS(memorisation(held_out, nearest(rows_between(training, 0, 500))), autograd::Error);
    CHECK_THROWS_AS(memorisation(std::vector<double>(19, 1.0), held_out), autograd::Error);
}
