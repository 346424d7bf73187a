// Statistics and norms, a block each: what it keeps, its value, its rule, and the function that records it; before them,
// by what groups are divided lest squares of them over- or underflow.
#include "autograd/ops/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/kernels/reduce.hpp"
#include "autograd/ops/constant.hpp"

namespace autograd {

using detail::with_context_of;

// ---- Centred and scaled groups ----

namespace {

using ops::infinity;
using ops::ReducedShapes;

/// What squares of ordinary numbers are below, and their inverses: then cubes of them, by which second derivatives are
/// divided, are numbers too.
template <class T>
T largest_square() {
    return std::ldexp(T(1), std::numeric_limits<T>::max_exponent / 3);
}

template <class T>
bool is_ordinary(T square) {
    return 1 / largest_square<T>() <= square && square <= largest_square<T>();
}

/// The largest |x| of each group. There must be elements.
template <class T>
Array<T> sizes_of(const Array<T>& x, const Shape& kept) {
    Array<T> sizes = empty<T>(kept);
    kernels::max_to(sizes, abs(Eager<T>(x)).array());
    return sizes;
}

/// Whether no square of a difference of two elements is too large. NaN is not ordinary.
template <class T>
bool none_is_large(const Array<T>& x) {
    Array<T> most = empty<T>({}), least = empty<T>({});
    kernels::max_to(most, x);
    kernels::min_to(least, x);
    const T bound = std::sqrt(largest_square<T>()) / 2;
    return most() <= bound && least() >= -bound;
}

/// What to divide each group of x by before it is squared, of the shape of `squares`, which holds for each group about
/// the sum of its squares: 1 where that is far from over- and underflow, else the power of two at the largest |x|, or
/// at `least` if this is larger. None if no square is near. Powers of two round nothing.
template <class T>
std::optional<Array<T>> scale_of_squares(const Array<T>& x, const Array<T>& squares, double least = 0) {
    if (x.size() == 0 || std::all_of(squares.begin(), squares.end(), is_ordinary<T>)) return {};
    Array<T> scale = sizes_of(x, squares.shape());
    for (std::size_t i = 0; i < scale.size(); ++i) {
        const T size = std::max(scale.data()[i], static_cast<T>(least));
        const bool is_number = size > 0 && std::isfinite(size);
        scale.data()[i] = is_number && !is_ordinary(squares.data()[i]) ? std::ldexp(T(1), std::ilogb(size)) : T(1);
    }
    return scale;
}

/// x less its mean over the axes that have extent 1 in `kept`.
template <class X>
X centred(const X& x, const Shape& kept) {
    return x - ops::mean_to(x, kept);
}

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::exactly_centred(X<T> x, const Shape& kept) {
    const X<T> distances = centred(x, kept), rest = mean_to(distances, kept);
    return distances - where(isfinite(rest), rest, 0);
}

template <class T>
std::optional<Array<T>> ops::scale_of_spread(const Array<T>& x, const Shape& kept, double epsilon) {
    if (x.size() == 0 || (is_ordinary(static_cast<T>(epsilon)) && none_is_large(x))) return {};
    const Eager<T> variance = mean_to(square(centred(Eager<T>(x), kept)), kept);
    return scale_of_squares(x, (variance + epsilon).array(), std::sqrt(epsilon));
}
template XTAPE_API std::optional<Array<float>> ops::scale_of_spread(const Array<float>&, const Shape&, double);
template XTAPE_API std::optional<Array<double>> ops::scale_of_spread(const Array<double>&, const Shape&, double);

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::over_scale(X<T> x, const std::optional<Array<T>>& scale) {
    return scale ? x / detail::constant_like(x, *scale) : x;
}

// ---- var ----

namespace {

template <class T>
bool all_finite(const Array<T>& x) {
    return kernels::find_non_finite(x) == x.size();
}

/// @throws Error if it is not finite.
void require_correction(double correction) {
    if (std::isfinite(correction)) return;
    throw Error(fmt::format("correction = {}: a finite number is wanted", correction));
}

/// By what var() and stddev() divide: NaN where n - correction is not positive.
template <Operand X>
double degrees_of_freedom(const X& x, const ReducedShapes& shapes, double correction, const char* op) {
    with_context_of(
        op, [&] { require_correction(correction); }, x);
    const double groups = static_cast<double>(element_count(shapes.kept));
    const double divisor = static_cast<double>(element_count(x.shape())) / groups - correction;
    return divisor > 0 || groups == 0 ? divisor : std::numeric_limits<double>::quiet_NaN();
}

/// sum((x - mean)^2) / divisor over axes.
struct Variance {
    static constexpr const char* name = "var";
    ReducedShapes shapes;
    double divisor;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        shapes.require_fit(x.shape());
        out = (sum_to(square(ops::exactly_centred(Eager<T>(x), shapes.kept)), shapes.kept) / divisor).take();
        out.reshape(shapes.result);
    }
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
        return ops::exactly_centred(headroom(y) == 1 ? x : x * (1 / headroom(y)), shapes.kept);
    }
};

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::var(X<T> x, const Axes& axes, KeepDims keepdims, double correction) {
    const auto shapes = ReducedShapes::of(x, axes, keepdims, "var");
    return apply(Variance{shapes, degrees_of_freedom(x, shapes, correction, "var")}, x);
}

// ---- stddev and vector_norm ----

namespace {

/// f(x) where x is not 0. There, a constant 0: the gradient is 0 where f's is infinite.
template <class X, class F>
X zero_at_zero(const X& x, F f) {
    const X is_zero = equal(x, 0);
    return where(is_zero, 0, f(where(is_zero, 1, x)));
}

/// (sum(|t|^ord) / divisor)^(1 / ord) over axes: t is x, or x less its mean.
struct RootOfPowers {
    ReducedShapes shapes;
    double ord;
    bool is_centred;
    double divisor;

    template <class T>
    void forward(Array<T>& out, const Array<T>& array) const {
        shapes.require_fit(array.shape());
        const Eager<T> x(array);
        const auto total_over = [&](const std::optional<Array<T>>& scale) {
            const Eager<T> t = terms(x, scale);
            return sum_to(ord == 2 ? square(t) : pow(abs(t), ord), shapes.kept) / divisor;
        };
        // Squares are scaled only where they must be.
        const Eager<T> plain = ord == 2 ? total_over({}) : Eager<T>(Array<T>());
        const auto by = scale(array, plain.array());
        const Eager<T> total = by || ord != 2 ? total_over(by) : plain;
        const Eager<T> root = ord == 2 ? sqrt(total) : pow(total, 1 / ord);
        out = by ? (Eager<T>(*by) * root).array() : root.array();
        out.reshape(shapes.result);
    }
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
    /// For squares as scale_of_squares(), `squares` about their sum. Other powers are divided by the largest of a group.
    template <class T>
    std::optional<Array<T>> scale(const Array<T>& x, const Array<T>& squares) const;

    template <class X>
    X terms(const X& x, const std::optional<Array<typename X::Element>>& scale) const {
        return is_centred ? ops::exactly_centred(ops::over_scale(x, scale), shapes.kept) : ops::over_scale(x, scale);
    }
    /// The derivatives of y in the elements of x. (That of the mean drops out: they sum to 0.)
    template <class X>
    X slope(const X& x, const X& y) const;
};

template <class T>
RootOfPowers::Limit<T> RootOfPowers::limit(const Array<T>& terms) const {
    const Eager<T> t(terms), largest(sizes_of(terms, shapes.kept));
    const Eager<T> several = sum_to(isinf(t), shapes.kept) > 1;
    // Beside an infinity a number does not count; of orders below 1 its slope is infinite, but for that of a 0.
    const Eager<T> of_number = ord < 1 ? where(t == 0, 0, t * infinity) : 0 * t;
    const Eager<T> slope = where(isinf(t), where(several, ops::not_a_number, sign(t)), of_number);
    // Where the divisor is NaN all is, zeros too.
    const Eager<T> holds = logical_and(divisor > 0, logical_or(largest == 0, largest == infinity));
    return {holds.array(), slope.array()};
}

template <class T>
std::optional<Array<T>> RootOfPowers::scale(const Array<T>& x, const Array<T>& squares) const {
    if (ord == 2 || x.size() == 0) return scale_of_squares(x, squares);
    Array<T> scale = sizes_of(x, shapes.kept);
    for (T& size : scale) size = size > 0 && std::isfinite(size) ? size : T(1);
    return scale;
}

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

struct StandardDeviation : RootOfPowers {
    static constexpr const char* name = "stddev";
};

struct VectorNorm : RootOfPowers {
    static constexpr const char* name = "vector_norm";
};

/// @throws ShapeError if it is not positive.
void require_order(double ord) {
    if (!(ord > 0)) throw ShapeError(fmt::format("ord must be positive, not {}", ord));
}

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::stddev(X<T> x, const Axes& axes, KeepDims keepdims, double correction) {
    const auto shapes = ReducedShapes::of(x, axes, keepdims, "stddev");
    return apply(StandardDeviation{{shapes, 2, true, degrees_of_freedom(x, shapes, correction, "stddev")}}, x);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::vector_norm(X<T> x, const Axes& axes, KeepDims keepdims, double ord) {
    const auto norm = [&] {
        require_order(ord);
        const auto shapes = ReducedShapes::of(x, axes, keepdims, "vector_norm");
        if (ord == 1) return sum(abs(x), axes, keepdims);
        if (std::isinf(ord)) return max(abs(x), axes, keepdims);
        return apply(VectorNorm{{shapes, ord, false, 1}}, x);
    };
    return with_context_of("vector_norm", norm, x);
}

// ---- count_nonzero, any and all ----

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::count_nonzero(X<T> x, const Axes& axes, KeepDims keepdims) {
    return with_context_of(
        "count_nonzero", [&] { return sum(not_equal(x, 0), axes, keepdims); }, x);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::any(X<T> x, const Axes& axes, KeepDims keepdims) {
    return with_context_of(
        "any", [&] { return not_equal(count_nonzero(x, axes, keepdims), 0); }, x);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::all(X<T> x, const Axes& axes, KeepDims keepdims) {
    return with_context_of(
        "all", [&] { return equal(sum(equal(x, 0), axes, keepdims), 0); }, x);
}

// ---- Compiled for all worlds ----

#define XTAPE_INSTANTIATE(X)                                                                   \
    template XTAPE_API X ops::exactly_centred(X, const Shape&);                                \
    template XTAPE_API X ops::over_scale(X, const std::optional<Array<typename X::Element>>&); \
    template XTAPE_API X ops::var(X, const Axes&, KeepDims, double);                           \
    template XTAPE_API X ops::stddev(X, const Axes&, KeepDims, double);                        \
    template XTAPE_API X ops::vector_norm(X, const Axes&, KeepDims, double);                   \
    template XTAPE_API X ops::count_nonzero(X, const Axes&, KeepDims);                         \
    template XTAPE_API X ops::any(X, const Axes&, KeepDims);                                   \
    template XTAPE_API X ops::all(X, const Axes&, KeepDims);
XTAPE_FOR_OPERANDS(XTAPE_INSTANTIATE)

}  // namespace autograd
