// Reductions which are made of others: variances, norms, and counts of what is not zero. They record those ops, not ops
// of their own, and have their gradients from them.
#pragma once

#include <cmath>
#include <limits>
#include <string>

#include "autograd/ops/reductions.hpp"

namespace autograd {

namespace ops {

/// f(x) where x is not 0. There, a constant 0: the gradient is 0 where f's is infinite.
template <Operand X, class F>
X zero_at_zero(const X& x, F f) {
    const X is_zero = equal(x, 0);
    return where(is_zero, 0, f(where(is_zero, 1, x)));
}

/// var(), for `op`.
template <Operand X>
X variance(const X& x, const Axes& axes, KeepDims keepdims, double correction, const char* op) {
    const auto shapes = Reduction::of(x, axes, keepdims, op);
    const double groups = static_cast<double>(element_count(shapes.kept));
    const double divisor = static_cast<double>(element_count(x.shape())) / groups - correction;
    const X squares = sum(square(x - mean(x, axes, KeepDims::yes)), axes, keepdims);
    return divisor > 0 || groups == 0 ? squares / divisor : squares * std::numeric_limits<double>::quiet_NaN();
}

}  // namespace ops

/// The variance over `axes`: the sum of the squared distances from the mean, divided by n - correction. NaN where this
/// is not positive. The distances are computed, not the difference of two large squares.
template <Operand X>
X var(const X& x, const Axes& axes = {}, KeepDims keepdims = KeepDims::no, double correction = 0) {
    return ops::variance(x, axes, keepdims, correction, "var");
}

/// The standard deviation, the root of var(). (The array API's `std`, which no C++ program could call.) Where it is 0
/// its gradient is 0, one of its subgradients.
template <Operand X>
X stddev(const X& x, const Axes& axes = {}, KeepDims keepdims = KeepDims::no, double correction = 0) {
    return ops::zero_at_zero(ops::variance(x, axes, keepdims, correction, "stddev"),
                             [](const X& v) { return sqrt(v); });
}

/// The p-norm over `axes`, taken together as one vector: sum(|x|^ord)^(1 / ord), or the largest |x| for infinity.
/// Squares and powers neither overflow nor vanish. The gradient at the zero vector is 0, and so is that of an element
/// which is 0.
/// @throws ShapeError if `ord` is not positive; over an empty axis if it is infinite.
template <Operand X>
X vector_norm(const X& x, const Axes& axes = {}, KeepDims keepdims = KeepDims::no, double ord = 2) {
    const auto require_order = [&] {
        if (!(ord > 0)) throw ShapeError("ord must be positive, not " + std::to_string(ord));
    };
    detail::with_context_of("vector_norm", require_order, x);
    const auto shapes = ops::Reduction::of(x, axes, keepdims, "vector_norm");
    const X sizes = abs(x);
    if (ord == 1) return sum(sizes, axes, keepdims);
    if (std::isinf(ord)) return max(sizes, axes, keepdims);
    const auto root_of_sum = [&](const X& of) {
        const X powers = ord == 2 ? square(of) : ops::zero_at_zero(of, [&](const X& size) { return pow(size, ord); });
        return ops::zero_at_zero(sum(powers, axes, KeepDims::yes),
                                 [&](const X& total) { return ord == 2 ? sqrt(total) : pow(total, 1 / ord); });
    };
    // Squares want no sizes, whose second derivatives at 0 they would take from abs.
    const X& terms = ord == 2 ? x : sizes;
    if (element_count(x.shape()) == 0) return reshape(root_of_sum(terms), shapes.result);
    // The norm does not depend on the scale by which it is computed, so neither do its derivatives.
    const X largest = max(stop_gradient(sizes), axes, KeepDims::yes);
    const X scale =
        where(equal(largest, 0), 1, where(equal(largest, std::numeric_limits<double>::infinity()), 1, largest));
    return reshape(scale * root_of_sum(terms / scale), shapes.result);
}

/// How many elements over `axes` are not 0, as a number: exact in float up to 2^24. NaN is not 0. It cuts the gradient.
template <Operand X>
X count_nonzero(const X& x, const Axes& axes = {}, KeepDims keepdims = KeepDims::no) {
    ops::Reduction::of(x, axes, keepdims, "count_nonzero");
    return sum(not_equal(x, 0), axes, keepdims);
}

/// 1 where at least one element over `axes` is not 0, else 0. It cuts the gradient.
template <Operand X>
X any(const X& x, const Axes& axes = {}, KeepDims keepdims = KeepDims::no) {
    ops::Reduction::of(x, axes, keepdims, "any");
    return not_equal(count_nonzero(x, axes, keepdims), 0);
}

/// 1 where no element over `axes` is 0, else 0. It cuts the gradient.
template <Operand X>
X all(const X& x, const Axes& axes = {}, KeepDims keepdims = KeepDims::no) {
    ops::Reduction::of(x, axes, keepdims, "all");
    return equal(sum(equal(x, 0), axes, keepdims), 0);
}

}  // namespace autograd
