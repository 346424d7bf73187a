// What is estimated from a set of points, in double, and choosing from its rows.
#include "points.hpp"

#include <algorithm>
#include <cmath>
#include <nn/nn.hpp>
#include <numeric>
#include <string>

using autograd::Array;
using autograd::Error;
using autograd::Tape;
using autograd::Var;

Estimate mean_of(std::span<const double> values) {
    if (values.size() < 2) throw Error("mean_of: a standard error takes at least two values");
    const auto count = static_cast<double>(values.size());
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
    if (std::all_of(values.begin(), values.end(), [&](double each) { return each == values[0]; })) return {values[0], {}};
    double squares = 0;
    for (const double value : values) squares += (value - mean) * (value - mean);
    return {mean, std::sqrt(squares / (count - 1) / count)};
}

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

void require_points(const Array<float>& points, std::size_t least, const char* who) {
    const std::string name = who;
    const std::string found = "found an array of shape " + autograd::to_string(points.shape());
    if (points.shape().size() != 2) throw autograd::ShapeError(name + ": expected rows of points, " + found);
    if (points.shape()[0] < least || points.shape()[1] == 0) {
        throw Error(name + ": expected at least " + std::to_string(least) + " points of at least one dimension, " + found);
    }
    for (std::size_t i = 0; i < points.size(); ++i) {
        if (std::isfinite(points.data()[i])) continue;
        throw Error(name + ": row " + std::to_string(i / points.shape()[1]) + " holds " + std::to_string(points.data()[i]) +
                    ", expected finite numbers");
    }
}

Array<double> mean_point(const Array<float>& points) {
    const std::size_t count = points.shape()[0], dimensions = points.shape()[1];
    Array<double> mean = autograd::full<double>({dimensions}, 0.0);
    for (std::size_t i = 0; i < count; ++i) {
        const float* const row = points.data() + i * dimensions;
        for (std::size_t k = 0; k < dimensions; ++k) mean.data()[k] += static_cast<double>(row[k]);
    }
    for (double& each : mean) each /= static_cast<double>(count);
    return mean;
}

Array<float> relative_to(const Array<double>& origin, const Array<float>& points) {
    const std::size_t count = points.shape()[0], dimensions = points.shape()[1];
    Array<float> result = autograd::empty<float>({count, dimensions});
    for (std::size_t i = 0; i < count; ++i) {
        const float* const from = points.data() + i * dimensions;
        float* const to = result.data() + i * dimensions;
        for (std::size_t k = 0; k < dimensions; ++k) {
            to[k] = static_cast<float>(static_cast<double>(from[k]) - origin.data()[k]);
        }
    }
    return result;
}

Moments moments_of(const Array<float>& points) {
    require_points(points, 2, "moments_of");
    const std::size_t count = points.shape()[0], dimensions = points.shape()[1];
    Moments moments{mean_point(points), autograd::full<double>({dimensions, dimensions}, 0.0)};
    for_each_centred_block(points, moments.mean, [&](const Var<double>& x) {
        const Array<double>& products = matmul(x, x, {.a = true}).value();
        autograd::update([](auto& sum, auto product) { sum = sum + product; }, moments.covariance, products);
    });
    const double denominator = static_cast<double>(count - 1);
    autograd::update([&](auto& sum) { sum = sum / denominator; }, moments.covariance);
    return moments;
}

void for_each_centred_block(const Array<float>& points, const Array<double>& mean,
                            const std::function<void(const Var<double>& x)>& visit) {
    const std::size_t count = points.shape()[0], dimensions = points.shape()[1];
    const std::size_t block_rows = std::clamp<std::size_t>((std::size_t{1} << 22) / dimensions, 16, 1024);
    Tape<double> tape({.inference = true});
    autograd::Parameter<double> deviations;  // borrowed by the tape, not copied
    for (std::size_t begin = 0; begin < count; begin += block_rows) {
        const std::size_t rows = std::min(block_rows, count - begin);
        Array<double>& block = deviations.mutable_value();
        autograd::reshape_for_overwriting(block, {rows, dimensions});
        const float* const from = points.data() + begin * dimensions;
        for (std::size_t i = 0; i < rows; ++i) {
            for (std::size_t k = 0; k < dimensions; ++k) {
                block.data()[i * dimensions + k] = static_cast<double>(from[i * dimensions + k]) - mean.data()[k];
            }
        }
        visit(tape.constant(deviations));
        tape.clear();
    }
}

Array<float> every_nth_row(const Array<float>& points, std::size_t parts, std::size_t part) {
    std::vector<std::size_t> rows;
    for (std::size_t row = part; row < points.shape()[0]; row += parts) rows.push_back(row);
    Array<float> chosen;
    nn::gather_rows(points, rows, chosen);
    return chosen;
}

Array<float> rows_between(const Array<float>& points, std::size_t begin, std::size_t end) {
    std::vector<std::size_t> rows(end - begin);
    std::iota(rows.begin(), rows.end(), begin);
    Array<float> chosen;
    nn::gather_rows(points, rows, chosen);
    return chosen;
}
