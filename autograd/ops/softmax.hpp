// What classifiers and transformers normalise with: softmax, its logarithm, cross entropy with classes given by number,
// layer normalisation. Losses with targets in arrays are in nn/losses.hpp.
#pragma once

#include <cstddef>
#include <limits>
#include <vector>

#include "autograd/ops/constant.hpp"
#include "autograd/ops/statistics.hpp"

namespace autograd {
namespace ops {

/// t minus its mean by the weights y: t - sum(t y). Twice, because where one weight is almost 1 the mean is almost that
/// element of t, and the difference loses its digits: of a t which is small there it does not.
template <class X>
[[nodiscard]] X minus_mean(const X& t, const X& y, const Shape& kept) {
    const X once = t - sum_to(t * y, kept);
    return once - sum_to(once * y, kept);
}

struct Softmax {
    static constexpr const char* name = "softmax";
    Shape kept;  ///< the shape with extent 1 in place of the axes

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
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
    void forward(Array<T>& out, const Array<T>& x) const;
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

/// 1 at (i, classes[i], j) and 0 elsewhere, of the shape of logits, whose classes are axis 1, or 0 of a vector.
/// @throws ShapeError if the classes are not as many as `shape` wants or one of them is not there.
template <class T>
[[nodiscard]] Array<T> one_hot(const Shape& shape, const std::vector<std::size_t>& classes);

/// @throws ShapeError if the weight or bias does not broadcast to x, Error if epsilon is negative or not finite.
void require_layer_norm(const Shape& x, const Axes& axes, double epsilon, const Shape* weight, const Shape* bias);

}  // namespace ops

/// exp(x) / sum(exp(x)) over `axes`, without overflow. An element of -infinity gives 0; where all are, or one is NaN,
/// all are NaN. Beside an element of +infinity the others give 0; it gives 1, and several give equal shares.
/// @throws ShapeError for an axis that is not there or is named twice.
template <Operand X>
[[nodiscard]] X softmax(const X& x, const Axes& axes = -1) {
    return apply(ops::Softmax{ops::Reduction::of(x, axes, KeepDims::yes, "softmax").kept}, x);
}

/// log(softmax(x)), exact where softmax itself underflows or rounds to 1. Infinities and NaN as softmax.
/// @throws ShapeError for an axis that is not there or is named twice.
template <Operand X>
[[nodiscard]] X log_softmax(const X& x, const Axes& axes = -1) {
    return apply(ops::LogSoftmax{ops::Reduction::of(x, axes, KeepDims::yes, "log_softmax").kept}, x);
}

/// What becomes of the losses of single rows.
enum class LossReduction { none, sum, mean };

/// -log softmax(logits)[class], as PyTorch's cross_entropy with class indices: logits of shape (classes,), (rows,
/// classes) or (rows, classes, d1, ...); `classes` are the right ones in row-major order of the shape without the axis
/// of the classes, which with LossReduction::none is the shape of the result. The mean over no rows is NaN.
/// @throws ShapeError if there are too few or too many classes, or one is not in the logits.
template <Operand X>
[[nodiscard]] X cross_entropy(const X& logits, const std::vector<std::size_t>& classes,
                LossReduction reduction = LossReduction::mean) {
    using T = typename X::Element;
    auto chosen = detail::with_context_of(
        "cross_entropy", [&] { return ops::one_hot<T>(logits.shape(), classes); }, logits);
    const std::ptrdiff_t axis = logits.shape().size() == 1 ? 0 : 1;
    const X log_probability = log_softmax(logits, axis);
    // where, not a product: a class of probability 0 has the logarithm -infinity.
    const X condition = detail::constant_like(logits, std::move(chosen));
    const X losses = -sum(where(condition, log_probability, 0), axis);
    if (reduction == LossReduction::none) return losses;
    return reduction == LossReduction::sum ? sum(losses) : mean(losses);
}

/// (x - mean) / sqrt(variance + epsilon) over `axes`, of which both are the population's. It is right where the
/// variance overflows, or vanishes beside an epsilon that does, and 0 of equal numbers.
/// @throws ShapeError for an axis that is not there or is named twice, Error if epsilon is negative or not finite.
template <Operand X>
[[nodiscard]] X layer_norm(const X& x, const Axes& axes = -1, double epsilon = 1e-5) {
    detail::with_context_of(
        "layer_norm", [&] { ops::require_layer_norm(x.shape(), axes, epsilon, nullptr, nullptr); }, x);
    const Shape kept = ops::Reduction::of(x, axes, KeepDims::yes, "layer_norm").kept;
    const auto scale = ops::scale_of_spread(detail::values_of(x), kept, epsilon);
    const X centred = ops::exactly_centred(ops::over_scale(x, scale), kept);
    const X variance = apply(ops::Mean{{kept, kept}}, square(centred));
    if (!scale) return centred / sqrt(variance + epsilon);
    const X by = detail::constant_like(x, *scale);
    // An epsilon that vanishes beside the scale still keeps 0 from being divided by 0.
    const double least = epsilon > 0 ? std::numeric_limits<typename X::Element>::min() : 0.0;
    return centred / sqrt(variance + maximum(epsilon / by / by, least));
}

/// The same, times `weight`, plus `bias`, which are broadcast: for the last axis they have shape (n,).
/// @throws ShapeError also if they do not broadcast to x's shape.
template <Operand X>
[[nodiscard]] X layer_norm(const X& x, const X& weight, const X& bias, const Axes& axes = -1, double epsilon = 1e-5) {
    const auto scaled = [&] {
        ops::require_layer_norm(x.shape(), axes, epsilon, &weight.shape(), &bias.shape());
        return layer_norm(x, axes, epsilon) * weight + bias;
    };
    return detail::with_context_of("layer_norm", scaled, x, weight, bias);
}

#define XTAPE_SOFTMAX_STRUCTURES(OP) \
    OP(Softmax, 1) OP(LogSoftmax, 1)
XTAPE_SOFTMAX_STRUCTURES(XTAPE_DECLARE_STRUCTURE)

}  // namespace autograd
