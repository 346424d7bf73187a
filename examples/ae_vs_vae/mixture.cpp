// EM in double. All of a step's work on points is in a few whole-array ops on an inference tape.
#include "mixture.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nn/nn.hpp>
#include <string>

#include "neighbours.hpp"

using autograd::Array;
using autograd::Error;
using autograd::Parameter;
using autograd::Rng;
using autograd::Tape;
using Var64 = autograd::Var<double>;

namespace {

using Components = std::vector<GaussianMixture::Component>;

constexpr double log_two_pi = 1.8378770664093454835606594728112353;

Array<double> to_double(const Array<float>& points) {
    Array<double> result = autograd::empty<double>(points.shape());
    std::copy(points.data(), points.data() + points.size(), result.data());
    return result;
}

/// log(weight) + log density of each component (columns) at each point (rows).
Var64 joint_log_densities(const Var64& points, const Components& components) {
    Tape<double>& tape = points.tape();
    std::vector<Var64> columns;
    for (const GaussianMixture::Component& each : components) {
        const std::size_t dimensions = each.mean.size();
        const Var64 inverse = inv(tape.constant(each.cholesky));
        const Var64 white = matmul(points - tape.constant(each.mean), inverse, {.b = true});
        double log_determinant = 0;
        for (std::size_t k = 0; k < dimensions; ++k) log_determinant += std::log(each.cholesky(k, k));
        const double constant = std::log(each.weight) - log_determinant - 0.5 * static_cast<double>(dimensions) * log_two_pi;
        columns.push_back(constant - 0.5 * sum(square(white), -1));
    }
    return stack(columns, 1);
}

/// The component that has these shares of the points (a column).
GaussianMixture::Component component_of(const Var64& points, const Var64& shares, double floor) {
    const double total = sum(shares).item();
    const Var64 mean = matmul(shares, points, {.a = true}) / total;
    const Var64 deviations = points - mean;
    GaussianMixture::Component component;
    component.weight = total / static_cast<double>(points.shape()[0]);
    component.covariance = (matmul(deviations * shares, deviations, {.a = true}) / total).value();
    const std::size_t dimensions = component.covariance.shape()[0];
    for (std::size_t k = 0; k < dimensions; ++k) component.covariance(k, k) += floor;
    component.cholesky = cholesky(points.tape().constant(component.covariance)).value();
    component.mean = reshape(mean, {dimensions}).value();
    return component;
}

/// Components for `shares` (points, components), a row of which adds up to 1. Those of less than one point are left
/// out.
Components components_of(const Var64& points, const Var64& shares, double floor) {
    Components components;
    double kept = 0;
    for (std::size_t c = 0; c < shares.shape()[1]; ++c) {
        const auto from = static_cast<std::ptrdiff_t>(c);
        const Var64 column = slice(shares, 1, {from, from + 1});
        // Rounding apart: a component of exactly one point stays, with the floor as its covariance.
        if (sum(column).item() < 1 - 1e-9) continue;
        components.push_back(component_of(points, column, floor));
        kept += components.back().weight;
    }
    for (GaussianMixture::Component& each : components) each.weight /= kept;
    return components;
}

/// Centres: rows of points, the first at random, each other with probability proportional to its squared distance to
/// the nearest centre so far. Fewer than asked for if all points are centres.
std::vector<std::size_t> spread_out_rows(const Array<float>& points, std::size_t count, Rng& rng) {
    const std::size_t rows = points.shape()[0], dimensions = points.shape()[1];
    const Array<double> uniform = rng.uniform<double>({count});
    std::vector<std::size_t> chosen{std::min(rows - 1, static_cast<std::size_t>(uniform(0) * static_cast<double>(rows)))};
    std::vector<double> nearest(rows, std::numeric_limits<double>::infinity());
    while (chosen.size() < count) {
        double total = 0;
        for (std::size_t i = 0; i < rows; ++i) {
            nearest[i] = std::min(nearest[i], squared_distance(points.data() + i * dimensions,
                                                               points.data() + chosen.back() * dimensions, dimensions));
            total += nearest[i];
        }
        if (total == 0) break;
        double left = uniform(chosen.size()) * total;
        std::size_t next = rows;
        for (std::size_t i = 0; i < rows && (next == rows || left >= 0); ++i) {
            if (nearest[i] == 0) continue;  // a centre, or equal to one
            next = i;
            left -= nearest[i];
        }
        chosen.push_back(next);
    }
    return chosen;
}

/// Lloyd's algorithm. For each point the number of its cluster; none is empty.
std::vector<std::size_t> clusters_of(const Array<float>& points, const MixtureOptions& options, Rng& rng) {
    const std::size_t rows = points.shape()[0], dimensions = points.shape()[1];
    Array<float> centres;
    nn::gather_rows(points, spread_out_rows(points, options.components, rng), centres);
    const std::size_t count = centres.shape()[0];
    std::vector<std::size_t> cluster(rows);
    for (std::size_t step = 0;; ++step) {
        std::vector<double> distance(rows), sums(count * dimensions);
        std::vector<std::size_t> sizes(count);
        for (std::size_t i = 0; i < rows; ++i) {
            distance[i] = std::numeric_limits<double>::infinity();
            for (std::size_t c = 0; c < count; ++c) {
                const double found =
                    squared_distance(points.data() + i * dimensions, centres.data() + c * dimensions, dimensions);
                if (found >= distance[i]) continue;
                distance[i] = found;
                cluster[i] = c;
            }
            ++sizes[cluster[i]];
        }
        // An empty cluster takes the point that is farthest from its centre, of a cluster that has others.
        for (std::size_t c = 0; c < count; ++c) {
            if (sizes[c] > 0) continue;
            std::size_t farthest = rows;
            for (std::size_t i = 0; i < rows; ++i) {
                if (sizes[cluster[i]] > 1 && (farthest == rows || distance[i] > distance[farthest])) farthest = i;
            }
            --sizes[cluster[farthest]];
            cluster[farthest] = c;
            distance[farthest] = 0;
            sizes[c] = 1;
        }
        if (step == options.lloyd_steps) return cluster;
        for (std::size_t i = 0; i < rows; ++i) {
            for (std::size_t k = 0; k < dimensions; ++k) {
                sums[cluster[i] * dimensions + k] += static_cast<double>(points.data()[i * dimensions + k]);
            }
        }
        for (std::size_t i = 0; i < sums.size(); ++i) {
            centres.data()[i] = static_cast<float>(sums[i] / static_cast<double>(sizes[i / dimensions]));
        }
    }
}

Array<float> at_most(const Array<float>& points, std::size_t count, Rng& rng) {
    if (points.shape()[0] <= count) return points;
    std::vector<std::size_t> rows = rng.permutation(points.shape()[0]);
    rows.resize(count);
    Array<float> chosen;
    nn::gather_rows(points, rows, chosen);
    return chosen;
}

}  // namespace

GaussianMixture::GaussianMixture(const Array<float>& points, const MixtureOptions& options, Rng rng) {
    if (options.components == 0) throw Error("GaussianMixture: at least one component");
    const std::size_t least = std::max<std::size_t>(2, options.components);
    if (options.fit_on < least) throw Error("GaussianMixture: fit_on is less than the points that it takes");
    require_points(points, least, "GaussianMixture");
    const Array<float> used = at_most(points, options.fit_on, rng);
    const std::size_t rows = used.shape()[0], dimensions = used.shape()[1];

    const Array<double> covariance = moments_of(used).covariance;
    double variance = 0;
    for (std::size_t k = 0; k < dimensions; ++k) variance += covariance(k, k) / static_cast<double>(dimensions);
    const double floor = std::max(1e-12, options.covariance_floor * variance);

    const std::vector<std::size_t> cluster = clusters_of(used, options, rng);
    Array<double> shares = autograd::full<double>({rows, 1 + *std::max_element(cluster.begin(), cluster.end())}, 0.0);
    for (std::size_t i = 0; i < rows; ++i) shares(i, cluster[i]) = 1;

    Tape<double> tape({.inference = true});
    const Parameter<double> borrowed(to_double(used));  // by the tape at each step, not copied
    components_ = components_of(tape.constant(borrowed), tape.constant(std::move(shares)), floor);
    for (std::size_t step = 0;; ++step) {
        tape.clear();
        const Var64 x = tape.constant(borrowed);
        const Var64 joint = joint_log_densities(x, components_);
        const Var64 log_density = logsumexp(joint, -1, autograd::KeepDims::yes);
        history_.push_back(mean(log_density).item());
        if (!std::isfinite(history_.back())) {
            throw Error("GaussianMixture: the mean log density at step " + std::to_string(step) + " is " +
                        std::to_string(history_.back()));
        }
        if (step == options.most_steps) return;
        if (step > 0) {
            const double before = history_[step - 1];
            if (history_.back() - before < options.tolerance * std::max(1.0, std::abs(before))) return;
        }
        components_ = components_of(x, exp(joint - log_density), floor);
    }
}

Array<float> GaussianMixture::sample(std::size_t count, Rng& rng) const {
    const std::size_t dimensions = components_.front().mean.size();
    const Array<double> which = rng.uniform<double>({count});
    const Array<double> noise = rng.normal<double>({count, dimensions});
    Array<float> points = autograd::empty<float>({count, dimensions});
    for (std::size_t i = 0; i < count; ++i) {
        std::size_t c = 0;
        for (double left = which(i) - components_[0].weight; left >= 0 && c + 1 < components_.size();) {
            left -= components_[++c].weight;
        }
        const Component& component = components_[c];
        for (std::size_t k = 0; k < dimensions; ++k) {
            double value = component.mean(k);
            for (std::size_t l = 0; l <= k; ++l) value += component.cholesky(k, l) * noise(i, l);
            points(i, k) = static_cast<float>(value);
        }
    }
    return points;
}

std::vector<double> GaussianMixture::log_density(const Array<float>& points) const {
    require_points(points, 1, "GaussianMixture::log_density");
    if (points.shape()[1] != components_.front().mean.size()) {
        throw autograd::ShapeError("GaussianMixture::log_density: points of shape " + autograd::to_string(points.shape()) +
                                   ", a mixture of " + std::to_string(components_.front().mean.size()) + " dimensions");
    }
    Tape<double> tape({.inference = true});
    const Array<double> density = logsumexp(joint_log_densities(tape.constant(to_double(points)), components_), -1).value();
    return {density.begin(), density.end()};
}
