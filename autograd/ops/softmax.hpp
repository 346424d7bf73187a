// What classifiers and transformers normalise with: softmax, its logarithm, cross entropy with classes given by number,
// layer normalisation. Losses with targets in arrays are in nn/losses.hpp.
#pragma once

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <vector>

#include "autograd/ops/reductions.hpp"

namespace XTAPE_API autograd {

/// exp(x) / sum(exp(x)) over `axes`, without overflow. An element of -infinity gives 0; where all are, or one is NaN,
/// all are NaN. Beside an element of +infinity the others give 0; it gives 1, and several give equal shares.
/// @throws ShapeError for an axis that is not there or is named twice.
XTAPE_OVER_AXES(softmax)
/// Over the last axis.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> softmax(X<T> x) {
    return ops::softmax(x, Axes(-1));
}

/// log(softmax(x)), exact where softmax itself underflows or rounds to 1. Infinities and NaN as softmax.
/// @throws ShapeError for an axis that is not there or is named twice.
XTAPE_OVER_AXES(log_softmax)
/// Over the last axis.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> log_softmax(X<T> x) {
    return ops::log_softmax(x, Axes(-1));
}

/// What becomes of the single values of a loss. batch_mean of a scalar is a ShapeError.
enum class LossReduction {
    none,        ///< they are returned as they are
    sum,         ///< their sum
    mean,        ///< their mean, over all axes: pixels too
    batch_mean,  ///< summed over all axes but the first, averaged over that: the loss per row
};

/// -log softmax(logits)[class], as PyTorch's cross_entropy with class indices: logits of shape (classes,), (rows,
/// classes) or (rows, classes, d1, ...); `classes` are the right ones in row-major order of the shape without the axis
/// of the classes, which with LossReduction::none is the shape of the result. The mean over no rows is NaN.
/// @throws ShapeError if there are too few or too many classes, or one is not in the logits; for the batch_mean of one row.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> cross_entropy(X<T> logits, const std::vector<std::size_t>& classes,
                                 LossReduction reduction = LossReduction::mean);

namespace ops {

/// The losses, reduced. Errors name `function`.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> reduced_losses(X<T> losses, LossReduction reduction, const char* function);

template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> layer_norm(X<T> x, const Axes& axes, double epsilon);
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> layer_norm(X<T> x, X<T> weight, X<T> bias, const Axes& axes, double epsilon);

}  // namespace ops

/// (x - mean) / sqrt(variance + epsilon) over `axes`, of which both are the population's. It is right where the
/// variance overflows, or vanishes beside an epsilon that does, and 0 of equal numbers.
/// @throws ShapeError for an axis that is not there or is named twice, Error if epsilon is negative or not finite.
template <template <class> class X, class T, AxesArgument A>
requires Operand<X<T>>
[[nodiscard]] X<T> layer_norm(X<T> x, A&& axes, double epsilon = 1e-5) {
    return ops::layer_norm(x, Axes(axes), epsilon);
}
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> layer_norm(X<T> x, std::initializer_list<int> axes, double epsilon = 1e-5) {
    return ops::layer_norm(x, Axes::listed(axes), epsilon);
}
template <template <class> class X, class T, std::integral I>
requires Operand<X<T>>
[[nodiscard]] X<T> layer_norm(X<T> x, std::initializer_list<I> axes, double epsilon = 1e-5) {
    return ops::layer_norm(x, Axes::listed(axes), epsilon);
}
/// Over the last axis.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> layer_norm(X<T> x) {
    return ops::layer_norm(x, Axes(-1), 1e-5);
}

/// layer_norm(x, axes, epsilon), times `weight`, plus `bias`, which are broadcast: for the last axis they have shape
/// (n,).
/// @throws ShapeError also if they do not broadcast to x's shape.
template <template <class> class X, class T, AxesArgument A>
requires Operand<X<T>>
[[nodiscard]] X<T> layer_norm(X<T> x, X<T> weight, X<T> bias, A&& axes, double epsilon = 1e-5) {
    return ops::layer_norm(x, weight, bias, Axes(axes), epsilon);
}
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> layer_norm(X<T> x, X<T> weight, X<T> bias, std::initializer_list<int> axes, double epsilon = 1e-5) {
    return ops::layer_norm(x, weight, bias, Axes::listed(axes), epsilon);
}
template <template <class> class X, class T, std::integral I>
requires Operand<X<T>>
[[nodiscard]] X<T> layer_norm(X<T> x, X<T> weight, X<T> bias, std::initializer_list<I> axes, double epsilon = 1e-5) {
    return ops::layer_norm(x, weight, bias, Axes::listed(axes), epsilon);
}
/// Over the last axis.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> layer_norm(X<T> x, X<T> weight, X<T> bias) {
    return ops::layer_norm(x, weight, bias, Axes(-1), 1e-5);
}

// ---- In words, for the table of ops ----

namespace ops::words {

inline constexpr Documentation softmax{.formula = "exp(x) / sum(exp(x))",
                                       .gradient = "y (g - sum(g y))",
                                       .kinks = "infinities: equal shares; all elements -infinity: NaN"};
inline constexpr Documentation log_softmax{
    .formula = "log(softmax(x))", .gradient = "g - exp(y) sum(g)", .kinks = "as softmax"};
inline constexpr Documentation cross_entropy{.formula = "-log softmax(logits)[class]",
                                             .gradient = "g (softmax(logits) - 1 at the class)"};
inline constexpr Documentation layer_norm{.formula = "(x - mean) / sqrt(variance + epsilon) weight + bias",
                                          .gradient = "derived"};

}  // namespace ops::words

}  // namespace autograd
