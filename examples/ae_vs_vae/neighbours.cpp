// |a - b|^2 = |a|^2 + |b|^2 - 2 a b, with all a b of a block of rows by one product in float. That is fast and inexact:
// where its error could decide a comparison, the distance is computed again, directly and in double. So copies of a
// point lie at distance 0, and ties are ties.
#include "neighbours.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <nn/nn.hpp>
#include <string>

#include "points.hpp"

using autograd::Array;
using autograd::Error;

namespace {

/// An interval which holds the squared distance from a query to each of the points.
struct Bounds {
    std::size_t count;      ///< of the points
    const float* products;  ///< query times each point
    const float* norms;     ///< of the points, squared
    float norm;             ///< of the query, squared
    float error;            ///< relative to the sum of the norms
    static constexpr float underflow = 1e-36f;

    float low(std::size_t point) const {
        const float sum = norm + norms[point];
        return (sum - 2 * products[point]) - (error * sum + underflow);
    }
    float high(std::size_t point) const {
        const float sum = norm + norms[point];
        return (sum - 2 * products[point]) + (error * sum + underflow);
    }

    /// Calls visit(point) for the points whose lower bound is at most limit(point). Nearly all are farther: whether one
    /// of a group is not is found without branches, by the sign of a difference, which is work for vector instructions.
    template <class Limit, class Visit>
    void for_each_within(const Limit& limit, const Visit& visit) const {
        constexpr std::size_t group = 32;
        std::size_t point = 0;
        for (; point + group <= count; point += group) {
            std::int32_t farther = -1;
            for (std::size_t k = 0; k < group; ++k) {
                farther &= std::bit_cast<std::int32_t>(limit(point + k) - low(point + k));
            }
            if (farther < 0) continue;
            for (std::size_t k = 0; k < group; ++k) {
                if (low(point + k) <= limit(point + k)) visit(point + k);
            }
        }
        for (; point < count; ++point) {
            if (low(point) <= limit(point)) visit(point);
        }
    }
};

std::vector<float> squared_norms(const Array<float>& points) {
    const std::size_t dimensions = points.shape()[1];
    const std::vector<float> origin(dimensions);
    std::vector<float> norms;
    for (std::size_t row = 0; row < points.shape()[0]; ++row) {
        const double norm = squared_distance(points.data() + row * dimensions, origin.data(), dimensions);
        if (norm > 1e37) throw Error("neighbours: row " + std::to_string(row) + " is too long for distances in float");
        norms.push_back(static_cast<float>(norm));
    }
    return norms;
}

std::vector<float> rounded_up(const std::vector<double>& values) {
    std::vector<float> result;
    for (const double value : values) {
        result.push_back(std::nextafter(static_cast<float>(value), std::numeric_limits<float>::infinity()));
    }
    return result;
}

/// @throws Error and ShapeError where these are no points, or of different dimensions.
void require_pair(const Array<float>& queries, const Array<float>& points) {
    require_points(queries, 1, "neighbours");
    require_points(points, 1, "neighbours");
    if (queries.shape()[1] == points.shape()[1]) return;
    throw autograd::ShapeError("neighbours: queries of shape " + autograd::to_string(queries.shape()) +
                               " and points of shape " + autograd::to_string(points.shape()) +
                               ": expected the same number of columns");
}

void require_neighbours(std::size_t k, std::size_t points) {
    if (k >= 1 && k <= points) return;
    throw Error("neighbours: asked for neighbour " + std::to_string(k) + " of " + std::to_string(points));
}

/// Calls visit(query, bounds) for each query, on several threads: it must not throw, nor write where another call may.
template <class Visit>
void for_each_query(const Array<float>& queries, const Array<float>& points, const Visit& visit) {
    const std::size_t dimensions = points.shape()[1], count = points.shape()[0];
    const Array<double> mean = mean_point(points);  // the error grows with the norms
    const autograd::Parameter<float> to(relative_to(mean, points));
    const Array<float> from = relative_to(mean, queries);
    const std::vector<float> norms = squared_norms(to.value()), query_norms = squared_norms(from);
    // A sum of n products, in whatever order, is within n u of the sum of their magnitudes, u = 2^-24; twice that is at
    // most n u (|a|^2 + |b|^2). The constant covers what else is rounded: the centred values, norms, these few sums.
    const float error = static_cast<float>(dimensions + 16) * std::numeric_limits<float>::epsilon() / 2;

    const std::size_t block = std::clamp<std::size_t>((std::size_t{1} << 21) / count, 16, 1024);
    autograd::Tape<float> tape({.inference = true});
    Array<float> rows;
    for (const auto batch : nn::Batches(queries.shape()[0], block).epoch(1)) {
        nn::gather_rows(from, batch, rows);
        const float* const products = matmul(tape.constant(rows), tape.constant(to), {.b = true}).value().data();
        autograd::for_shares(batch.size(), count, [&](std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end; ++i) {
                visit(batch[i], Bounds{count, products + i * count, norms.data(), query_norms[batch[i]], error});
            }
        });
        tape.clear();
    }
}

/// The k-th smallest distance, exactly; `skipped` is a point to be left out, if there is such a point.
double kth_distance(const Bounds& bounds, const float* query, const Array<float>& points, std::size_t k, std::size_t skipped) {
    const std::size_t dimensions = points.shape()[1];
    std::vector<float> nearest;  // a heap of the k smallest upper bounds
    nearest.reserve(k + 1);
    float farthest = std::numeric_limits<float>::infinity();
    const auto within_farthest = [&](std::size_t) { return farthest; };
    bounds.for_each_within(within_farthest, [&](std::size_t point) {
        const float high = bounds.high(point);
        if (high >= farthest || point == skipped) return;
        nearest.push_back(high);
        std::push_heap(nearest.begin(), nearest.end());
        if (nearest.size() > k) {
            std::pop_heap(nearest.begin(), nearest.end());
            nearest.pop_back();
        }
        if (nearest.size() == k) farthest = nearest.front();
    });
    std::vector<double> exact;
    bounds.for_each_within(within_farthest, [&](std::size_t point) {
        if (point != skipped) exact.push_back(squared_distance(query, points.data() + point * dimensions, dimensions));
    });
    const auto kth = exact.begin() + static_cast<std::ptrdiff_t>(k - 1);
    std::nth_element(exact.begin(), kth, exact.end());
    return *kth;
}

}  // namespace

double squared_distance(const float* a, const float* b, std::size_t dimensions) {
    double sum = 0;
    for (std::size_t k = 0; k < dimensions; ++k) {
        const double difference = static_cast<double>(a[k]) - static_cast<double>(b[k]);
        sum += difference * difference;
    }
    return sum;
}

std::vector<double> neighbour_distances(const Array<float>& queries, const Array<float>& points, std::size_t k) {
    require_pair(queries, points);
    require_neighbours(k, points.shape()[0]);
    const std::size_t nobody = points.shape()[0];
    std::vector<double> distances(queries.shape()[0]);
    for_each_query(queries, points, [&](std::size_t query, const Bounds& bounds) {
        distances[query] = kth_distance(bounds, queries.data() + query * points.shape()[1], points, k, nobody);
    });
    return distances;
}

std::vector<double> neighbour_distances_within(const Array<float>& points, std::size_t k) {
    require_points(points, 1, "neighbours");
    require_neighbours(k, points.shape()[0] - 1);
    std::vector<double> distances(points.shape()[0]);
    for_each_query(points, points, [&](std::size_t query, const Bounds& bounds) {
        distances[query] = kth_distance(bounds, points.data() + query * points.shape()[1], points, k, query);
    });
    return distances;
}

BallCounts count_in_balls(const Array<float>& a, const std::vector<double>& squared_radii_a, const Array<float>& b,
                          const std::vector<double>& squared_radii_b) {
    require_pair(a, b);
    const std::size_t count_a = a.shape()[0], count_b = b.shape()[0], dimensions = a.shape()[1];
    if (squared_radii_a.size() != count_a || squared_radii_b.size() != count_b) {
        throw autograd::ShapeError("neighbours: " + std::to_string(squared_radii_a.size()) + " and " +
                                   std::to_string(squared_radii_b.size()) + " radii for " + std::to_string(count_a) + " and " +
                                   std::to_string(count_b) + " points");
    }
    BallCounts counts;
    counts.b_in_ball_of_a.resize(count_a);
    counts.b_balls_with_a.resize(count_a);
    // Several a may be counted at one b at once. Sums of whole numbers do not depend on their order.
    std::vector<std::atomic<std::size_t>> with_b(count_b);
    const std::vector<float> above_b = rounded_up(squared_radii_b), above_a = rounded_up(squared_radii_a);
    for_each_query(a, b, [&](std::size_t i, const Bounds& bounds) {
        const double radius_a = squared_radii_a[i];
        const auto limit = [&, above = above_a[i]](std::size_t j) { return std::max(above, above_b[j]); };
        bounds.for_each_within(limit, [&](std::size_t j) {
            const auto low = static_cast<double>(bounds.low(j));
            double distance = static_cast<double>(bounds.high(j));
            // The upper bound will do, unless a radius lies between the two.
            const auto undecided = [&](double radius) { return low < radius && distance >= radius; };
            if (undecided(radius_a) || undecided(squared_radii_b[j])) {
                distance = squared_distance(a.data() + i * dimensions, b.data() + j * dimensions, dimensions);
            }
            if (distance < squared_radii_b[j]) ++counts.b_balls_with_a[i];
            if (distance >= radius_a) return;
            ++counts.b_in_ball_of_a[i];
            with_b[j].fetch_add(1, std::memory_order_relaxed);
        });
    });
    counts.a_balls_with_b.assign(with_b.begin(), with_b.end());
    return counts;
}
