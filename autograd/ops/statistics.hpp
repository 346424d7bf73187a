// Statistics and norms. Variances and roots of sums of powers are ops of their own: they, or their gradients, are
// numbers where the squares are none. The rest records the reductions that it is made of.
#pragma once

#include <cmath>
#include <limits>
#include <optional>

#include "autograd/ops/constant.hpp"
#include "autograd/ops/reductions.hpp"

namespace autograd {

namespace ops {

/// f(x) where x is not 0. There, a constant 0: the gradient is 0 where f's is infinite.
template <class X, class F>
[[nodiscard]] X zero_at_zero(const X& x, F f) {
    const X is_zero = equal(x, 0);
    return where(is_zero, 0, f(where(is_zero, 1, x)));
}

/// x less its mean over the axes that have extent 1 in `kept`.
template <class X>
[[nodiscard]] X centred(const X& x, const Shape& kept) {
    return x - apply(Mean{{kept, kept}}, x);
}

/// The same without what the rounding of the mean leaves: 0 of equal numbers, and slopes that sum to 0.
template <class X>
[[nodiscard]] X exactly_centred(const X& x, const Shape& kept) {
    const X distances = centred(x, kept), rest = apply(Mean{{kept, kept}}, distances);
    return distances - where(isfinite(rest), rest, 0);
}

/// What to divide each group of x by before it is squared, of the shape of `squares`, which holds for each group about
/// the sum of its squares: 1 where that is far from over- and underflow, else the power of two at the largest |x|, or
/// at `least` if this is larger. None if no square is near. Powers of two round nothing.
template <class T>
[[nodiscard]] std::optional<Array<T>> scale_of_squares(const Array<T>& x, const Array<T>& squares, double least = 0);

/// The same for the squares of x less its mean, plus epsilon. One pass over ordinary numbers, if epsilon is one.
template <class T>
[[nodiscard]] std::optional<Array<T>> scale_of_spread(const Array<T>& x, const Shape& kept, double epsilon);

template <class T>
[[nodiscard]] bool all_finite(const Array<T>& x);

/// x over its scale, where there is one.
template <class X>
[[nodiscard]] X over_scale(const X& x, const std::optional<Array<typename X::Element>>& scale) {
    return scale ? x / detail::constant_like(x, *scale) : x;
}

/// sum((x - mean)^2) / divisor over axes.
struct Variance {
    static constexpr const char* name = "var";
    Reduction shapes;
    double divisor;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X& y) const {
        return reshape(g, shapes.kept) * (2 * headroom(y) / divisor) * distances(x, y);
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X& x, const X& y) const {
        return reshape(sum_to(t * distances(x, y), shapes.kept) * (2 * headroom(y) / divisor), shapes.result);
    }

   private:
    /// What distances from the mean are divided by: they may be infinite where variances are, and the gradient is not.
    template <class X>
    static double headroom(const X& y) {
        return all_finite(detail::values_of(y)) ? 1 : 4;
    }
    template <class X>
    X distances(const X& x, const X& y) const {
        return exactly_centred(headroom(y) == 1 ? x : x * (1 / headroom(y)), shapes.kept);
    }
};

/// (sum(|t|^ord) / divisor)^(1 / ord) over axes: t is x, or x less its mean.
struct RootOfPowers {
    Reduction shapes;
    double ord;
    bool is_centred;
    double divisor;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X& y) const {
        return reshape(g, shapes.kept) * slope(x, y);
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X& x, const X& y) const {
        return reshape(sum_to(t * slope(x, y), shapes.kept), shapes.result);
    }

   private:
    /// What the slope is where its formula is 0 / 0 or inf / inf: in groups of zeros, and in those with an infinity.
    template <class T>
    struct Limit {
        Array<T> holds;  ///< 1 or 0 for each group
        Array<T> slope;
    };
    template <class T>
    Limit<T> limit(const Array<T>& terms) const;
    /// For squares as above, `squares` about their sum. Other powers are divided by the largest of a group.
    template <class T>
    std::optional<Array<T>> scale(const Array<T>& x, const Array<T>& squares) const;

    template <class X>
    X terms(const X& x, const std::optional<Array<typename X::Element>>& scale) const {
        return is_centred ? exactly_centred(over_scale(x, scale), shapes.kept) : over_scale(x, scale);
    }
    /// The derivatives of y in the elements of x. (That of the mean drops out: they sum to 0.)
    template <class X>
    X slope(const X& x, const X& y) const;
};

struct VectorNorm : RootOfPowers {
    static constexpr const char* name = "vector_norm";
};

struct StandardDeviation : RootOfPowers {
    static constexpr const char* name = "stddev";
};

template <class X>
X RootOfPowers::slope(const X& x, const X& y) const {
    using T = typename X::Element;
    const X root = reshape(y, shapes.kept);
    const auto by = scale(detail::values_of(x), square(Eager<T>(detail::values_of(root))).array());
    const X t = terms(x, by);
    if (!by) return t / (divisor * root);
    // From what is scaled, not from y, which may have overflowed or lost its digits.
    const Limit<T> at_limit = limit(detail::values_of(t));
    const X holds = detail::constant_like(x, at_limit.holds);
    const X moved = where(holds, 1, t);
    const auto power = [&](const X& of) { return ord == 2 ? of : pow(of, ord - 1); };
    const auto power_of_size = [&](const X& size) { return ord > 2 ? power(size) : zero_at_zero(size, power); };
    const X powers = std::fmod(ord, 2) == 0 ? power(moved) : sign(moved) * power_of_size(abs(moved));
    const X total = sum_to(powers * moved, shapes.kept) / divisor;
    const X formula = powers / (ord == 2 ? sqrt(total) : pow(total, 1 - 1 / ord));
    return where(holds, detail::constant_like(x, at_limit.slope), formula) / divisor;
}

/// @throws Error if it is not finite.
void require_correction(double correction);
/// @throws ShapeError if it is not positive.
void require_order(double ord);

/// By what var() and stddev() divide: NaN where n - correction is not positive.
template <Operand X>
[[nodiscard]] double degrees_of_freedom(const X& x, const Reduction& shapes, double correction, const char* op) {
    detail::with_context_of(
        op, [&] { require_correction(correction); }, x);
    const double groups = static_cast<double>(element_count(shapes.kept));
    const double divisor = static_cast<double>(element_count(x.shape())) / groups - correction;
    return divisor > 0 || groups == 0 ? divisor : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace ops

/// The variance over `axes`: the sum of the squared distances from the mean, divided by n - correction. NaN where this
/// is not positive. The distances are computed, not the difference of two large squares.
/// @throws Error if `correction` is not finite.
template <Operand X>
[[nodiscard]] X var(const X& x, const Axes& axes = {}, KeepDims keepdims = KeepDims::no, double correction = 0) {
    const auto shapes = ops::Reduction::of(x, axes, keepdims, "var");
    return apply(ops::Variance{shapes, ops::degrees_of_freedom(x, shapes, correction, "var")}, x);
}

/// The standard deviation, the root of var(). (The array API's `std`, which no C++ program could call.) It is a number
/// where its square is none. Where it is 0 its gradient is 0, one of its subgradients.
/// @throws Error if `correction` is not finite.
template <Operand X>
[[nodiscard]] X stddev(const X& x, const Axes& axes = {}, KeepDims keepdims = KeepDims::no, double correction = 0) {
    const auto shapes = ops::Reduction::of(x, axes, keepdims, "stddev");
    return apply(ops::StandardDeviation{{shapes, 2, true, ops::degrees_of_freedom(x, shapes, correction, "stddev")}}, x);
}

/// The p-norm over `axes`, taken together as one vector: sum(|x|^ord)^(1 / ord), or the largest |x| for infinity.
/// Squares and powers neither overflow nor vanish. The gradient at the zero vector is 0, and for orders below 2 that of
/// an element which is 0. Where one element is infinite it is the limit; where several are, that of these is NaN.
/// @throws ShapeError if `ord` is not positive; over an empty axis if it is infinite.
template <Operand X>
[[nodiscard]] X vector_norm(const X& x, const Axes& axes = {}, KeepDims keepdims = KeepDims::no, double ord = 2) {
    const auto norm = [&] {
        ops::require_order(ord);
        const auto shapes = ops::Reduction::of(x, axes, keepdims, "vector_norm");
        if (ord == 1) return sum(abs(x), axes, keepdims);
        if (std::isinf(ord)) return max(abs(x), axes, keepdims);
        return apply(ops::VectorNorm{{shapes, ord, false, 1}}, x);
    };
    return detail::with_context_of("vector_norm", norm, x);
}

/// How many elements over `axes` are not 0, as a number: exact in float up to 2^24. NaN is not 0. It cuts the gradient.
template <Operand X>
[[nodiscard]] X count_nonzero(const X& x, const Axes& axes = {}, KeepDims keepdims = KeepDims::no) {
    return detail::with_context_of(
        "count_nonzero", [&] { return sum(not_equal(x, 0), axes, keepdims); }, x);
}

/// 1 where at least one element over `axes` is not 0, else 0. It cuts the gradient.
template <Operand X>
[[nodiscard]] X any(const X& x, const Axes& axes = {}, KeepDims keepdims = KeepDims::no) {
    return detail::with_context_of(
        "any", [&] { return not_equal(count_nonzero(x, axes, keepdims), 0); }, x);
}

/// 1 where no element over `axes` is 0, else 0. It cuts the gradient.
template <Operand X>
[[nodiscard]] X all(const X& x, const Axes& axes = {}, KeepDims keepdims = KeepDims::no) {
    return detail::with_context_of(
        "all", [&] { return equal(sum(equal(x, 0), axes, keepdims), 0); }, x);
}

#define XTAPE_STATISTICS_STRUCTURES(OP) OP(Variance, 1) OP(StandardDeviation, 1) OP(VectorNorm, 1)
XTAPE_STATISTICS_STRUCTURES(XTAPE_DECLARE_STRUCTURE)

}  // namespace autograd
