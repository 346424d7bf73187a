// A block of directions is multiplied by the covariance without one: C q = X' (X q) / (count - 1), X the centred
// points.
#include "principal_components.hpp"

#include <algorithm>
#include <cmath>
#include <nn/nn.hpp>
#include <string>

#include "points.hpp"

using autograd::Array;
using autograd::Error;
using autograd::Tape;
using autograd::Var;

namespace {

constexpr double tolerance = 1e-7;
constexpr double rounding = 1e-12;  // a variance of less than this, of the largest, is none
constexpr std::size_t most_rounds = 40;
constexpr std::size_t spare = 32;         // directions beside those asked for: the more, the faster it converges
constexpr std::size_t most_degrees = 12;  // of the filter
constexpr double most_amplified = 1e6;    // the largest eigenvalue's direction by the filter, so that others are not lost

/// Directions, as rows (count, dimensions), and their variances.
struct Block {
    Array<double> directions;
    Array<double> times_covariance;
    std::vector<double> variances;  ///< the largest first
};

/// directions times the covariance.
Array<double> times_covariance(const Array<float>& points, const Array<double>& mean, const Array<double>& directions) {
    Array<double> result = autograd::full<double>(directions.shape(), 0.0);
    for_each_centred_block(points, mean, [&](const Var<double>& x) {
        const Var<double> along = matmul(x, x.tape().constant(directions), {.b = true});
        const Array<double>& products = matmul(along, x, {.a = true}).value();
        autograd::update([](auto& sum, auto product) { sum = sum + product; }, result, products);
    });
    const double denominator = static_cast<double>(points.shape()[0] - 1);
    autograd::update([&](auto& sum) { sum = sum / denominator; }, result);
    return result;
}

/// Orthonormal rows that span the same, by the eigenvectors of their Gram matrix (Stathopoulos and Wu 2002). The second
/// pass takes away what rounding the first one left.
Array<double> orthonormal(const Array<double>& rows) {
    Tape<double> tape({.inference = true});
    Var<double> y = tape.constant(rows);
    for (int pass = 0; pass < 2; ++pass) {
        y = y / sqrt(sum(square(y), -1, autograd::KeepDims::yes));
        const auto [values, vectors] = eigh(matmul(y, y, {.b = true}));
        y = matmul(vectors * rsqrt(values), y, {.a = true});
    }
    return y.value();
}

/// The combinations of orthonormal `directions` that are eigenvectors of the covariance within their span.
Block within_span(const Array<float>& points, const Array<double>& mean, const Array<double>& directions) {
    Tape<double> tape({.inference = true});
    const Var<double> q = tape.constant(directions);
    const Var<double> product = tape.constant(times_covariance(points, mean, directions));
    const auto [values, vectors] = eigh(matmul(product, q, {.b = true}));
    const Var<double> largest_first = flip(vectors, 1);
    Block block{matmul(largest_first, q, {.a = true}).value(), matmul(largest_first, product, {.a = true}).value(), {}};
    for (const double each : flip(values, 0).value()) block.variances.push_back(std::max(each, 0.0));
    return block;
}

/// Whether the first `count` of the block are eigenvectors of the whole covariance.
bool converged(const Block& block, std::size_t count) {
    const std::size_t dimensions = block.directions.shape()[1];
    for (std::size_t i = 0; i < count; ++i) {
        double squares = 0;
        for (std::size_t k = 0; k < dimensions; ++k) {
            const double off = block.times_covariance(i, k) - block.variances[i] * block.directions(i, k);
            squares += off * off;
        }
        if (!(std::sqrt(squares) <= tolerance * block.variances.front())) return false;
    }
    return true;
}

/// The block with what lies in directions of less than its smallest variance made small beside the rest: times
/// Chebyshev's polynomial in the covariance, which is at most 1 on what maps to [-1, 1] and grows fast above.
Array<double> filtered(const Array<float>& points, const Array<double>& mean, const Block& block) {
    const double largest = block.variances.front();
    const double edge = std::max(block.variances.back(), tolerance * largest);
    const double growth = std::acosh(2 * largest / edge - 1);  // of the largest, in a degree
    const double degrees = std::clamp(std::acosh(most_amplified) / growth, 1.0, static_cast<double>(most_degrees));
    const auto mapped = [edge](const Array<double>& x, const Array<double>& product) {
        Array<double> result = autograd::empty<double>(x.shape());
        autograd::update([edge](auto& out, auto each, auto times) { out = 2 / edge * times - each; }, result, x, product);
        return result;
    };
    Array<double> before = block.directions, now = mapped(block.directions, block.times_covariance);
    for (std::size_t degree = 2; degree <= static_cast<std::size_t>(degrees); ++degree) {
        const Array<double> next = mapped(now, times_covariance(points, mean, now));
        autograd::update([](auto& old, auto each) { old = 2 * each - old; }, before, next);
        std::swap(before, now);
    }
    return now;
}

}  // namespace

PrincipalComponents::PrincipalComponents(const Array<float>& points, std::size_t count, autograd::Rng rng) {
    require_points(points, 2, "PrincipalComponents");
    const std::size_t dimensions = points.shape()[1];
    if (count == 0 || count > dimensions) {
        throw Error("PrincipalComponents: asked for " + std::to_string(count) + " of " + std::to_string(dimensions));
    }
    const float* const first = points.data();
    const bool all_equal = std::all_of(first, first + points.size(),
                                       [&, i = std::size_t{0}](float each) mutable { return each == first[i++ % dimensions]; });
    if (all_equal) throw Error("PrincipalComponents: all points are equal");
    mean_ = mean_point(points);
    const Array<double> start = rng.normal<double>({std::min(count + spare, dimensions), dimensions});
    Block block = within_span(points, mean_, orthonormal(start));
    for (std::size_t round = 0; round < most_rounds && !converged(block, count); ++round) {
        block = within_span(points, mean_, orthonormal(filtered(points, mean_, block)));
    }

    while (block.variances[count - 1] <= rounding * block.variances.front()) --count;
    variances_.assign(block.variances.begin(), block.variances.begin() + static_cast<std::ptrdiff_t>(count));
    directions_ = autograd::empty<float>({count, dimensions});
    for (std::size_t i = 0; i < count; ++i) {
        const double* const row = block.directions.data() + i * dimensions;
        const double largest =
            *std::max_element(row, row + dimensions, [](double a, double b) { return std::abs(a) < std::abs(b); });
        for (std::size_t k = 0; k < dimensions; ++k) {
            directions_(i, k) = static_cast<float>(largest < 0 ? -row[k] : row[k]);
        }
    }
}

Array<float> PrincipalComponents::project(const Array<float>& points) const {
    require_points(points, 1, "PrincipalComponents::project");
    if (points.shape()[1] != mean_.size()) {
        throw autograd::ShapeError("PrincipalComponents: points of shape " + autograd::to_string(points.shape()) +
                                   ", components of " + std::to_string(mean_.size()) + " dimensions");
    }
    Tape<float> tape({.inference = true});
    Array<float> block, result = autograd::empty<float>({points.shape()[0], directions_.shape()[0]});
    float* to = result.data();
    for (const auto rows : nn::Batches(points.shape()[0], 500).epoch(1)) {
        nn::gather_rows(points, rows, block);
        const Array<float>& along =
            matmul(tape.constant(relative_to(mean_, block)), tape.constant(directions_), {.b = true}).value();
        to = std::copy(along.data(), along.data() + along.size(), to);
        tape.clear();
    }
    return result;
}
