// Sets of points, the rows of an array (count, dimensions): codes, features or pixels. What all that is estimated from
// such a set has in common: checking it, its moments, a selection of its rows, a number with its standard error.
#pragma once

#include <algorithm>
#include <autograd/autograd.hpp>
#include <cmath>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <vector>

/// A number and the standard deviation that it would have over repetitions with other points: nothing where the points
/// at hand do not say.
struct Estimate {
    double value = 0;
    std::optional<double> standard_error = {};
};

/// The mean of independent values; its standard error is theirs over the root of their number. Values that are all
/// equal say nothing of how others would spread: then there is none.
/// @throws autograd::Error for fewer than two values.
Estimate mean_of(std::span<const double> values);

template <class T>
bool all_finite(const autograd::Array<T>& array) {
    return std::all_of(array.begin(), array.end(), [](T value) { return std::isfinite(value); });
}

/// The upper median of one value or more.
double median(std::vector<double> values);

/// @throws autograd::ShapeError if `points` has not two axes, Error if it has fewer than `least` rows, no columns, or
/// an element that is not finite. The message begins with `who`.
void require_points(const autograd::Array<float>& points, std::size_t least, const char* who);

/// The mean point, (dimensions,).
autograd::Array<double> mean_point(const autograd::Array<float>& points);

/// Points minus `origin`, of shape (dimensions,): what is computed from distances stays, with less rounding.
autograd::Array<float> relative_to(const autograd::Array<double>& origin, const autograd::Array<float>& points);

struct Moments {
    autograd::Array<double> mean;        ///< (dimensions,)
    autograd::Array<double> covariance;  ///< (dimensions, dimensions), sums divided by count - 1
};

/// Sums are in double, around the mean.
/// @throws as require_points with 2 rows.
Moments moments_of(const autograd::Array<float>& points);

/// Calls visit(x) for the points minus `mean`, block after block of rows, each a constant (rows, dimensions) of an
/// inference tape that lasts until the next call: so a large set of images is never copied to double as a whole.
void for_each_centred_block(const autograd::Array<float>& points, const autograd::Array<double>& mean,
                            const std::function<void(const autograd::Var<double>& x)>& visit);

/// Row r of part `part` is row r * parts + part: parts are disjoint, and of the same size but for one.
autograd::Array<float> every_nth_row(const autograd::Array<float>& points, std::size_t parts, std::size_t part);

/// The rows [begin, end).
autograd::Array<float> rows_between(const autograd::Array<float>& points, std::size_t begin, std::size_t end);
