// Each is a draw of unit variance, scaled.
#include "nn/initialization.hpp"

#include <fmt/format.h>

#include <cmath>

namespace nn {

void detail::require_size(const char* function, const char* what, std::size_t size) {
    if (1 <= size && size <= autograd::most_bytes) return;
    throw autograd::Error(
        fmt::format("{}: {} = {}: a number from 1 to 2^48 is wanted", function, what, autograd::as_written(size)));
}

namespace {

using autograd::Array;
using autograd::Rng;

void require_fans(const char* function, std::size_t fan_in, std::size_t fan_out) {
    detail::require_size(function, "fan_in", fan_in);
    detail::require_size(function, "fan_out", fan_out);
}

template <class T>
Array<T> normal(std::size_t fan_in, std::size_t fan_out, double variance, Rng& rng) {
    Array<T> weight = rng.normal<T>({fan_out, fan_in});
    autograd::update([scale = std::sqrt(variance)](auto& w) { w = scale * w; }, weight);
    return weight;
}

template <class T>
Array<T> uniform(const autograd::Shape& shape, double variance, Rng& rng) {
    Array<T> weight = rng.uniform<T>(shape);
    autograd::update([bound = std::sqrt(3 * variance)](auto& w) { w = bound * (2 * w - 1); }, weight);
    return weight;
}

double he_variance(std::size_t fan_in) { return 2 / static_cast<double>(fan_in); }

double glorot_variance(std::size_t fan_in, std::size_t fan_out) { return 2 / static_cast<double>(fan_in + fan_out); }

}  // namespace

template <class T>
Array<T> he_normal(std::size_t fan_in, std::size_t fan_out, Rng& rng) {
    require_fans("he_normal", fan_in, fan_out);
    return normal<T>(fan_in, fan_out, he_variance(fan_in), rng);
}

template <class T>
Array<T> he_uniform(std::size_t fan_in, std::size_t fan_out, Rng& rng) {
    require_fans("he_uniform", fan_in, fan_out);
    return uniform<T>({fan_out, fan_in}, he_variance(fan_in), rng);
}

template <class T>
Array<T> glorot_normal(std::size_t fan_in, std::size_t fan_out, Rng& rng) {
    require_fans("glorot_normal", fan_in, fan_out);
    return normal<T>(fan_in, fan_out, glorot_variance(fan_in, fan_out), rng);
}

template <class T>
Array<T> glorot_uniform(std::size_t fan_in, std::size_t fan_out, Rng& rng) {
    require_fans("glorot_uniform", fan_in, fan_out);
    return uniform<T>({fan_out, fan_in}, glorot_variance(fan_in, fan_out), rng);
}

template <class T>
Array<T> uniform_by_fan_in(const autograd::Shape& shape, std::size_t fan_in, Rng& rng) {
    detail::require_size("uniform_by_fan_in", "fan_in", fan_in);
    autograd::require_allocatable(shape, sizeof(T), "uniform_by_fan_in");
    return uniform<T>(shape, 1 / (3 * static_cast<double>(fan_in)), rng);
}

template XTAPE_API Array<float> he_normal(std::size_t, std::size_t, Rng&);
template XTAPE_API Array<double> he_normal(std::size_t, std::size_t, Rng&);
template XTAPE_API Array<float> he_uniform(std::size_t, std::size_t, Rng&);
template XTAPE_API Array<double> he_uniform(std::size_t, std::size_t, Rng&);
template XTAPE_API Array<float> glorot_normal(std::size_t, std::size_t, Rng&);
template XTAPE_API Array<double> glorot_normal(std::size_t, std::size_t, Rng&);
template XTAPE_API Array<float> glorot_uniform(std::size_t, std::size_t, Rng&);
template XTAPE_API Array<double> glorot_uniform(std::size_t, std::size_t, Rng&);
template XTAPE_API Array<float> uniform_by_fan_in(const autograd::Shape&, std::size_t, Rng&);
template XTAPE_API Array<double> uniform_by_fan_in(const autograd::Shape&, std::size_t, Rng&);

}  // namespace nn
