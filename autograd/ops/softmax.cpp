// Softmax and its relatives, a block each: what it keeps, its value, its rule, and the function that records it. Cross
// entropy and layer normalisation are made of other ops, and want something of shapes.
#include "autograd/ops/softmax.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "autograd/kernels/reduce.hpp"
#include "autograd/ops/constant.hpp"
#include "autograd/ops/statistics.hpp"

namespace autograd {

using detail::with_context_of;

// ---- softmax and log_softmax ----

namespace {

using ops::ReducedShapes;

/// x minus its maximum over the axes: the largest exponential is then 1, also where it is infinite. (Where it is
/// -infinity there is NaN.)
template <class T>
Eager<T> shifted(const Array<T>& x, const Shape& kept) {
    ReducedShapes{kept, kept}.require_fit(x.shape());
    Array<T> largest = empty<T>(kept);
    kernels::max_to(largest, x);
    constexpr T inf = std::numeric_limits<T>::infinity();
    const bool infinite = std::find(largest.begin(), largest.end(), inf) != largest.end();
    const Eager<T> all(x), top(std::move(largest));
    if (!infinite) return all - top;
    return where(logical_and(equal(all, inf), equal(top, inf)), 0, all - top);
}

/// t minus its mean by the weights y: t - sum(t y). Twice, because where one weight is almost 1 the mean is almost that
/// element of t, and the difference loses its digits: of a t which is small there it does not.
template <class X>
X minus_mean(const X& t, const X& y, const Shape& kept) {
    const X once = t - sum_to(t * y, kept);
    return once - sum_to(once * y, kept);
}

struct Softmax {
    static constexpr const char* name = "softmax";
    Shape kept;  ///< the shape with extent 1 in place of the axes

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        const Eager<T> y = exp(shifted(x, kept));
        out = (y / sum_to(y, kept)).take();
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X& y) const {
        return y * minus_mean(g, y, kept);
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X&, const X& y) const {
        return y * minus_mean(t, y, kept);
    }
};

struct LogSoftmax {
    static constexpr const char* name = "log_softmax";
    Shape kept;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        const Eager<T> y = shifted(x, kept);
        out = (y - ops::log_of_sum(y, kept)).take();
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X& y) const {
        // g - exp(y) sum(g): where y is almost 0 and g all of the sum, that difference would lose its digits.
        return -(g * expm1(y) + exp(y) * (sum_to(g, kept) - g));
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X&, const X& y) const {
        return minus_mean(t, exp(y), kept);
    }
};

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::softmax(X<T> x, const Axes& axes) {
    return apply(Softmax{ReducedShapes::of(x, axes, KeepDims::yes, "softmax").kept}, x);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::log_softmax(X<T> x, const Axes& axes) {
    return apply(LogSoftmax{ReducedShapes::of(x, axes, KeepDims::yes, "log_softmax").kept}, x);
}

// ---- cross_entropy ----

namespace {

/// 1 at (i, classes[i], j) and 0 elsewhere, of the shape of logits, whose classes are axis 1, or 0 of a vector.
/// @throws ShapeError if the classes are not as many as `shape` wants or one of them is not there.
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

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> cross_entropy(X<T> logits, const std::vector<std::size_t>& classes, LossReduction reduction) {
    auto chosen = with_context_of(
        "cross_entropy", [&] { return one_hot<T>(logits.shape(), classes); }, logits);
    const std::ptrdiff_t axis = logits.shape().size() == 1 ? 0 : 1;
    const X<T> log_probability = log_softmax(logits, axis);
    // where, not a product: a class of probability 0 has the logarithm -infinity.
    const X<T> condition = detail::constant_like(logits, std::move(chosen));
    const X<T> losses = -sum(where(condition, log_probability, 0), axis);
    return ops::reduced_losses(losses, reduction, "cross_entropy");
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::reduced_losses(X<T> losses, LossReduction reduction, const char* function) {
    switch (reduction) {
        case LossReduction::none: return losses;
        case LossReduction::sum: return autograd::sum(losses);
        case LossReduction::mean: return autograd::mean(losses);
        case LossReduction::batch_mean: break;
    }
    const Shape& shape = losses.shape();
    if (shape.empty()) throw ShapeError(std::string(function) + ": batch_mean: a scalar has no rows to average over");
    return autograd::sum(losses) * (1 / static_cast<double>(shape[0]));
}

// ---- layer_norm ----

namespace {

/// @throws ShapeError if the weight or bias does not broadcast to x, Error if epsilon is negative or not finite.
void require_layer_norm(const Shape& x, const Axes& axes, double epsilon, const Shape* weight, const Shape* bias) {
    if (!(epsilon >= 0) || std::isinf(epsilon)) {
        throw Error(fmt::format("layer_norm: epsilon = {}: a finite number from 0 on is wanted", epsilon));
    }
    ReducedShapes::of(x, axes, KeepDims::yes, "layer_norm");
    const auto require = [&](const Shape* shape, const char* which) {
        if (shape == nullptr || broadcasts_to(*shape, x)) return;
        throw ShapeError(std::string("layer_norm: a ") + which + " of shape " + to_string(*shape) +
                         " does not broadcast to the input's, " + to_string(x));
    };
    require(weight, "weight");
    require(bias, "bias");
}

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::layer_norm(X<T> x, const Axes& axes, double epsilon) {
    with_context_of(
        "layer_norm", [&] { require_layer_norm(x.shape(), axes, epsilon, nullptr, nullptr); }, x);
    const Shape kept = ReducedShapes::of(x, axes, KeepDims::yes, "layer_norm").kept;
    const auto scale = scale_of_spread(detail::values_of(x), kept, epsilon);
    const X<T> centred = exactly_centred(over_scale(x, scale), kept);
    const X<T> variance = mean_to(square(centred), kept);
    if (!scale) return centred / sqrt(variance + epsilon);
    const X<T> by = detail::constant_like(x, *scale);
    // An epsilon that vanishes beside the scale still keeps 0 from being divided by 0.
    const double least = epsilon > 0 ? std::numeric_limits<T>::min() : 0.0;
    return centred / sqrt(variance + maximum(epsilon / by / by, least));
}
template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::layer_norm(X<T> x, X<T> weight, X<T> bias, const Axes& axes, double epsilon) {
    const auto scaled = [&] {
        require_layer_norm(x.shape(), axes, epsilon, &weight.shape(), &bias.shape());
        return layer_norm(x, axes, epsilon) * weight + bias;
    };
    return with_context_of("layer_norm", scaled, x, weight, bias);
}

// ---- Compiled for all worlds ----

#define XTAPE_INSTANTIATE(X)                                                               \
    template XTAPE_API X ops::softmax(X, const Axes&);                                     \
    template XTAPE_API X ops::log_softmax(X, const Axes&);                                 \
    template XTAPE_API X cross_entropy(X, const std::vector<std::size_t>&, LossReduction); \
    template XTAPE_API X ops::reduced_losses(X, LossReduction, const char*);               \
    template XTAPE_API X ops::layer_norm(X, const Axes&, double);                          \
    template XTAPE_API X ops::layer_norm(X, X, X, const Axes&, double);
XTAPE_FOR_OPERANDS(XTAPE_INSTANTIATE)

}  // namespace autograd
