// The scores, each a few lines on points.hpp and neighbours.hpp, and their standard errors from parts of the data.
#include "scores.hpp"

#include <algorithm>
#include <cmath>
#include <nn/nn.hpp>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "neighbours.hpp"

using autograd::Array;
using autograd::Error;
using autograd::Parameter;
using autograd::Tape;
using autograd::Var;

namespace {

/// The symmetric positive semidefinite root.
Var<double> root(const Var<double>& matrix) {
    const auto [values, vectors] = eigh(matrix);
    return matmul(vectors * sqrt(maximum(values, 0)), vectors, {.b = true});
}

/// The mean of the kernels with widths s, s / 2 and s / 4: halving s makes the fourth power of exp(-d^2 / (2 s^2)).
Var<float> mean_kernel(const Var<float>& widest) {
    const Var<float> middle = square(square(widest));
    return (widest + middle + square(square(middle))) / 3;
}

/// The sum of the kernel over all pairs. Kernels are in float, an error of about 1e-6 each, and sums of more than a
/// row's in double.
double kernel_sum(const Array<float>& a, const Array<float>& b, double width) {
    const Parameter<float> to(b);
    const double scale = -1 / (8 * width * width);  // of the widest
    Tape<float> tape({.inference = true});
    Array<float> batch;
    double total = 0;
    for (const auto rows : nn::Batches(a.shape()[0], 256).epoch(1)) {
        nn::gather_rows(a, rows, batch);
        const Var<float> x = tape.constant(batch), y = tape.constant(to);
        const Var<float> squares =
            sum(square(x), -1, autograd::KeepDims::yes) + (sum(square(y), -1) - 2 * matmul(x, y, {.b = true}));
        const Var<float> kernel = mean_kernel(exp(static_cast<float>(scale) * maximum(squares, 0)));
        const Var<float> rows_summed = sum(kernel, -1);
        for (const float each : rows_summed.value()) total += static_cast<double>(each);
        tape.clear();
    }
    return total;
}

/// @throws Error if a tenth of the balls have no radius: then precision, density and coverage count copies, and little
/// else.
void require_radii(const Array<float>& real, std::size_t k) {
    const std::vector<double> radii = neighbour_distances_within(real, k);
    const auto without = static_cast<std::size_t>(std::count(radii.begin(), radii.end(), 0.0));
    if (10 * without < radii.size()) return;
    throw Error("of the " + std::to_string(radii.size()) + " real points " + std::to_string(without) + " have " +
                std::to_string(k) + " copies among the others");
}

}  // namespace

double frechet_distance(const Moments& a, const Moments& b) {
    if (a.mean.shape() != b.mean.shape()) {
        throw autograd::ShapeError("frechet_distance: means of shapes " + autograd::to_string(a.mean.shape()) + " and " +
                                   autograd::to_string(b.mean.shape()));
    }
    Tape<double> tape({.inference = true});
    const auto c1 = tape.constant(a.covariance), c2 = tape.constant(b.covariance);
    const auto root1 = root(c1);
    const auto cross = eigvalsh(matmul(matmul(root1, c2), root1));
    const auto between = sum(square(tape.constant(a.mean) - tape.constant(b.mean)));
    return (between + trace(c1) + trace(c2) - 2 * sum(sqrt(maximum(cross, 0)))).item();
}

Manifolds manifolds(const Array<float>& real, const Array<float>& generated, std::size_t k) {
    const BallCounts counts =
        count_in_balls(real, neighbour_distances_within(real, k), generated, neighbour_distances_within(generated, k));
    const auto share_of_hit = [](const std::vector<std::size_t>& each) {
        const auto hit = std::count_if(each.begin(), each.end(), [](std::size_t count) { return count > 0; });
        return static_cast<double>(hit) / static_cast<double>(each.size());
    };
    const std::vector<std::size_t>& real_balls = counts.a_balls_with_b;
    const auto total = static_cast<double>(std::accumulate(real_balls.begin(), real_balls.end(), std::size_t{0}));
    return {.precision = share_of_hit(real_balls),
            .recall = share_of_hit(counts.b_balls_with_a),
            .density = total / static_cast<double>(k) / static_cast<double>(real_balls.size()),
            .coverage = share_of_hit(counts.b_in_ball_of_a)};
}

double median_distance(const Array<float>& points) {
    require_points(points, 2, "median_distance");
    const std::size_t count = points.shape()[0], dimensions = points.shape()[1];
    const std::size_t used = std::min<std::size_t>(count, 1000);
    const auto row = [&](std::size_t i) { return points.data() + i * count / used * dimensions; };
    std::vector<double> squares;
    squares.reserve(used * (used - 1) / 2);
    for (std::size_t i = 0; i < used; ++i) {
        for (std::size_t j = 0; j < i; ++j) squares.push_back(squared_distance(row(i), row(j), dimensions));
    }
    const double found = std::sqrt(median(std::move(squares)));
    if (found == 0) throw Error("half of the pairs of points are copies of each other");
    return found;
}

double squared_mmd(const Array<float>& a, const Array<float>& b, double width) {
    require_points(a, 2, "squared_mmd");
    require_points(b, 2, "squared_mmd");
    if (!(width > 0)) throw Error("squared_mmd: expected a width above 0, found " + std::to_string(width));
    if (a.shape()[1] != b.shape()[1]) {
        throw autograd::ShapeError("squared_mmd: points of shapes " + autograd::to_string(a.shape()) + " and " +
                                   autograd::to_string(b.shape()));
    }
    const Array<double> mean = mean_point(a);  // the rounding of distances grows with the norms
    const Array<float> x = relative_to(mean, a), y = relative_to(mean, b);
    const auto n = static_cast<double>(a.shape()[0]), m = static_cast<double>(b.shape()[0]);
    // Without the pairs of a point with itself, whose kernel is 1.
    return (kernel_sum(x, x, width) - n) / (n * (n - 1)) + (kernel_sum(y, y, width) - m) / (m * (m - 1)) -
           2 * kernel_sum(x, y, width) / (n * m);
}

Comparisons::Comparisons(const Array<float>& real, const Array<float>& generated, std::size_t k) {
    const std::size_t least = 2 * (k + 1);
    require_points(real, 2 * least, "score");
    require_points(generated, 2 * least, "score");
    const double width = median_distance(real);
    require_radii(real, k);
    const auto add = [&](const Array<float>& a, const Array<float>& b) {
        whole_and_parts_.push_back({a, b, width, manifolds(a, b, k)});
    };
    add(real, generated);
    const std::size_t parts = std::clamp<std::size_t>(std::min(real.shape()[0], generated.shape()[0]) / least, 2, 10);
    for (std::size_t part = 0; part < parts; ++part) {
        add(every_nth_row(real, parts, part), every_nth_row(generated, parts, part));
    }
}

Estimate Comparisons::estimate(double (*score)(const Comparison&)) const {
    std::vector<double> found;
    for (const Comparison& each : whole_and_parts_) found.push_back(score(each));
    return {found.front(), mean_of(std::span(found).subspan(1)).standard_error};
}

Memorisation memorisation(const std::vector<double>& generated, const std::vector<double>& held_out) {
    if (std::min(generated.size(), held_out.size()) < 20) throw Error("memorisation: at least 20 distances of either");
    const auto part_of = [](const std::vector<double>& squares, std::size_t parts, std::size_t part) {
        std::vector<double> distances;
        for (std::size_t i = part; i < squares.size(); i += parts) distances.push_back(std::sqrt(squares[i]));
        return median(std::move(distances));
    };
    const auto compare = [&](std::size_t parts, std::size_t part) {
        return Memorisation{part_of(generated, parts, part), part_of(held_out, parts, part), {}};
    };
    Memorisation result = compare(1, 0);
    if (result.held_out == 0) throw Error("memorisation: half of the held-out points are training points");
    result.ratio.value = result.generated / result.held_out;
    std::vector<double> ratios;
    for (std::size_t part = 0; part < 10; ++part) {
        const Memorisation found = compare(10, part);
        if (found.held_out == 0) return result;
        ratios.push_back(found.generated / found.held_out);
    }
    result.ratio.standard_error = mean_of(ratios).standard_error;
    return result;
}
