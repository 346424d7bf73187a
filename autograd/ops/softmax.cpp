// Values of softmax and its logarithm, and what cross entropy and layer normalisation want of shapes.
#include "autograd/ops/softmax.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "autograd/kernels/reduce.hpp"

namespace autograd::ops {
namespace {

/// x minus its maximum over the axes: the largest exponential is then 1, also where it is infinite. (Where it is
/// -infinity there is NaN.)
template <class T>
Eager<T> shifted(const Array<T>& x, const Shape& kept) {
    Reduction::require_fit(x.shape(), kept, kept);
    Array<T> largest = empty<T>(kept);
    kernels::max_to(largest, x);
    constexpr T inf = std::numeric_limits<T>::infinity();
    const bool infinite = std::find(largest.begin(), largest.end(), inf) != largest.end();
    const Eager<T> all(x), top(std::move(largest));
    if (!infinite) return all - top;
    return where(logical_and(equal(all, inf), equal(top, inf)), 0, all - top);
}

}  // namespace

template <class T>
void Softmax::forward(Array<T>& out, const Array<T>& x) const {
    const Eager<T> y = autograd::exp(shifted(x, kept));
    out = (y / sum_to(y, kept)).take();
}

template <class T>
void LogSoftmax::forward(Array<T>& out, const Array<T>& x) const {
    const Eager<T> y = shifted(x, kept);
    out = (y - log_of_sum(y, kept)).take();
}

template <class T>
Array<T> one_hot(const Shape& shape, const std::vector<std::size_t>& classes) {
    // Only where it is wanted: a step that succeeds makes no string.
    const auto about = [&] { return "cross_entropy: logits of shape " + to_string(shape); };
    if (shape.empty()) throw ShapeError(about() + ": an axis of classes is wanted");
    const std::size_t axis = shape.size() == 1 ? 0 : 1, count = shape[axis];
    std::size_t inner = 1;
    for (std::size_t i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
    const std::size_t rows = (axis == 0 ? 1 : shape[0]) * inner;
    if (classes.size() != rows) {
        throw ShapeError(about() + " want " + std::to_string(rows) + " classes, not " + std::to_string(classes.size()));
    }
    auto out = full<T>(shape, T(0));
    for (std::size_t i = 0; i < rows; ++i) {
        if (classes[i] >= count) {
            throw ShapeError(about() + " have " + std::to_string(count) + " classes; number " + std::to_string(i) +
                             " of the right ones is " + as_written(classes[i]));
        }
        out.data()[(i / inner * count + classes[i]) * inner + i % inner] = 1;
    }
    return out;
}

void require_layer_norm(const Shape& x, const Axes& axes, double epsilon, const Shape* weight, const Shape* bias) {
    if (!(epsilon >= 0) || std::isinf(epsilon)) {
        throw Error(fmt::format("layer_norm: epsilon = {}: a finite number from 0 on is wanted", epsilon));
    }
    Reduction::of(x, axes, KeepDims::yes, "layer_norm");
    const auto require = [&](const Shape* shape, const char* which) {
        if (shape == nullptr || broadcasts_to(*shape, x)) return;
        throw ShapeError(std::string("layer_norm: a ") + which + " of shape " + to_string(*shape) +
                         " does not broadcast to the input's, " + to_string(x));
    };
    require(weight, "weight");
    require(bias, "bias");
}

template Array<float> one_hot<float>(const Shape&, const std::vector<std::size_t>&);
template Array<double> one_hot<double>(const Shape&, const std::vector<std::size_t>&);

}  // namespace autograd::ops

namespace autograd {
XTAPE_SOFTMAX_STRUCTURES(XTAPE_INSTANTIATE_STRUCTURE)
}  // namespace autograd
