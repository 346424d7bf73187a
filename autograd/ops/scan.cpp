// The cumulative ops, prod and diff, a block each: what it keeps, its value by kernels/scan.hpp, its rule, and the function
// that records it. The gradients of the cumulative ops and of prod are made of linear recurrences again, and do not divide by
// elements, so zeros are as good as any number.
#include "autograd/ops/scan.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "autograd/kernels/power_of_two.hpp"
#include "autograd/kernels/reduce.hpp"
#include "autograd/ops/constant.hpp"

namespace autograd {

using detail::with_context_of;

// ---- Parts of an axis ----

namespace {

[[nodiscard]] constexpr Way reverse(Way way) { return way == Way::forwards ? Way::backwards : Way::forwards; }

/// One axis with some elements more, or less, at its ends.
template <Operand X>
[[nodiscard]] X padded(const X& x, std::size_t axis, const Padding& padding, double value) {
    const std::ptrdiff_t extent = static_cast<std::ptrdiff_t>(x.shape()[axis]) + padding.before + padding.after;
    return ops::placed(x, axis, padding.before, static_cast<std::size_t>(std::max(extent, std::ptrdiff_t{0})), value);
}

/// All elements but the last in the way of the scan: each as the one before another. And all but the first.
template <Operand X>
[[nodiscard]] X without_last(const X& x, std::size_t axis, Way way) {
    return padded(x, axis, way == Way::forwards ? Padding{0, -1} : Padding{-1, 0}, 0);
}
template <Operand X>
[[nodiscard]] X without_first(const X& x, std::size_t axis, Way way) {
    return without_last(x, axis, reverse(way));
}
/// `value` put in front of what without_first() left, in the shape of the whole, which is empty if `like` is. And after
/// it.
template <Operand X>
[[nodiscard]] X with_first(const X& x, const X& like, std::size_t axis, Way way, double value) {
    return ops::placed(x, axis, way == Way::forwards ? 1 : 0, like.shape()[axis], value);
}
template <Operand X>
[[nodiscard]] X with_last(const X& x, const X& like, std::size_t axis, Way way, double value) {
    return with_first(x, like, axis, reverse(way), value);
}
/// At each element, the one before it; `value` at the first.
template <Operand X>
[[nodiscard]] X previous(const X& x, std::size_t axis, Way way, double value) {
    return ops::placed(x, axis, way == Way::forwards ? 1 : -1, x.shape()[axis], value);
}

}  // namespace

// ---- linear_recurrence ----

namespace {

/// y_i = a_i y_(i-1) + b_i, y_0 = b_0; delayed, y_i = a_(i-1) y_(i-1) + b_i. "Before" is meant in the way of the scan.
/// Each of the four is the adjoint, in b, of that which goes the other way and has the other delay.
struct LinearRecurrence {
    static constexpr const char* name = "linear_recurrence";
    std::size_t axis;
    Way way = Way::forwards;
    bool delayed = false;

    template <class T>
    void forward(Array<T>& out, const Array<T>& a, const Array<T>& b) const {
        if (a.shape() != b.shape()) {
            throw ShapeError("shapes " + to_string(a.shape()) + " and " + to_string(b.shape()) + " differ");
        }
        const auto view = kernels::AxisView::of(b.shape(), axis);
        reshape_for_overwriting(out, b.shape());
        kernels::linear_recurrence(out.data(), a.data(), b.data(), view, way, delayed);
    }
    template <class X>
    X gradient(InputIndex<1>, const X& g, const X& a, const X&, const X&) const {
        return apply(LinearRecurrence{axis, reverse(way), !delayed}, a, g);
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& a, const X& b, const X& y) const {
        const X r = gradient(InputIndex<1>{}, g, a, b, y);
        const X products = without_first(r, axis, way) * without_last(y, axis, way);
        return delayed ? with_last(products, a, axis, way, 0) : with_first(products, a, axis, way, 0);
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X& a, const X&, const X& y) const {
        const X own = delayed ? without_last(t, axis, way) : without_first(t, axis, way);
        return apply(*this, a, with_first(own * without_last(y, axis, way), y, axis, way, 0));
    }
    template <class X>
    X tangent(InputIndex<1>, const X& t, const X& a, const X&, const X&) const {
        return apply(*this, a, t);
    }
};

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> linear_recurrence(X<T> a, X<T> b, std::ptrdiff_t axis, Way way) {
    constexpr const char* name = LinearRecurrence::name;
    const auto recurrence = [&] {
        const Shape shape = broadcast_shapes(a.shape(), b.shape());
        const LinearRecurrence op{normalize_axis(axis, shape.size(), name), way};
        const auto whole = [&](const X<T>& x) { return same_shape(x.shape(), shape) ? x : broadcast_to(x, shape); };
        return apply(op, whole(a), whole(b));
    };
    return with_context_of(name, recurrence, a, b);
}
template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::linear_recurrence(X<T> a, X<T> b, std::size_t axis, Way way, bool delayed) {
    return apply(LinearRecurrence{axis, way, delayed}, a, b);
}

// ---- cumulative_sum ----

namespace {

struct CumulativeSum {
    static constexpr const char* name = "cumulative_sum";
    static constexpr bool linear = true;
    std::size_t axis;
    Way way = Way::forwards;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        const auto view = kernels::AxisView::of(x.shape(), axis);
        reshape_for_overwriting(out, x.shape());
        kernels::cumulative_sum(out.data(), x.data(), view, way);
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const {
        return apply(CumulativeSum{axis, reverse(way)}, g);
    }
};

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> cumulative_sum(X<T> x, std::ptrdiff_t axis, IncludeInitial initial) {
    const auto scanned = [&] {
        const std::size_t place = normalize_axis(axis, x.shape().size(), CumulativeSum::name);
        const X<T> sums = apply(CumulativeSum{place}, x);
        return initial == IncludeInitial::yes ? padded(sums, place, {1, 0}, 0) : sums;
    };
    return with_context_of(CumulativeSum::name, scanned, x);
}

// ---- Products whose results on the way may be no numbers ----

namespace {

/// A product whose exponent is kept apart, so that it neither over- nor underflows on the way.
class WideProduct {
   public:
    void operator*=(double factor) { mantissa_ = without_exponent(mantissa_ * without_exponent(factor)); }
    std::int64_t exponent() const { return exponent_; }
    double value() const {
        constexpr std::int64_t far = 10000;  // where there are no numbers
        return std::ldexp(mantissa_, static_cast<int>(std::clamp(exponent_, -far, far)));
    }

   private:
    double without_exponent(double x) {
        if (!std::isfinite(x)) return x;
        int exponent = 0;
        const double fraction = std::frexp(x, &exponent);
        exponent_ += exponent;
        return fraction;
    }

    double mantissa_ = 0.5;
    std::int64_t exponent_ = 1;
};

/// Whether, by the largest and the smallest of all magnitudes but 0, no product of so many elements over- or
/// underflows, or none is above 1. The bits of magnitudes are in the order of these.
template <class T>
bool is_moderate(const Array<T>& x, std::size_t count) {
    using Limits = std::numeric_limits<T>;
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    Bits largest = 0, smallest_less_1 = std::numeric_limits<Bits>::max();
    const T* data = x.data();
    for (std::size_t i = 0; i < x.size(); ++i) {
        const Bits magnitude = std::bit_cast<Bits>(data[i]) & (std::numeric_limits<Bits>::max() >> 1);
        largest = std::max(largest, magnitude);
        smallest_less_1 = std::min(smallest_less_1, static_cast<Bits>(magnitude - 1));  // of 0 it is the largest number
    }
    if (largest == 0) return true;
    const T most = std::bit_cast<T>(largest), least = std::bit_cast<T>(static_cast<Bits>(smallest_less_1 + 1));
    if (most <= 1) return true;
    if (!std::isfinite(most)) return false;
    const double up = std::ilogb(most) + 1, down = std::min(std::ilogb(least), 0), factors = static_cast<double>(count);
    return up * factors < Limits::max_exponent && down * factors >= Limits::min_exponent;
}

/// The rows in which elements have a product that overflows, or one that underflows while others have one above
/// `growth`: what underflow takes away grows by that.
template <class T>
PoolVector<std::size_t> extreme_rows(const Array<T>& rows, T growth) {
    using Limits = std::numeric_limits<T>;
    const std::size_t length = rows.shape()[1];
    PoolVector<std::size_t> places;
    for (std::size_t row = 0; row < rows.shape()[0]; ++row) {
        T most = 1, least = 1;
        for (std::size_t k = 0; k < length; ++k) {
            const T size = std::abs(rows.data()[row * length + k]);
            if (size != 0) (size > 1 ? most : least) *= size;
        }
        if (most > Limits::max() || (most > growth && least < Limits::min())) places.push_back(row);
    }
    return places;
}

}  // namespace

// ---- cumulative_prod ----

namespace {

struct CumulativeProd {
    static constexpr const char* name = "cumulative_prod";
    std::size_t axis;
    Way way = Way::forwards;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        const auto view = kernels::AxisView::of(x.shape(), axis);
        reshape_for_overwriting(out, x.shape());
        kernels::cumulative_prod(out.data(), x.data(), view, way);
        const auto is_normal = [](T y) { return std::isnormal(y); };
        if (is_moderate(x, view.extent) || std::all_of(out.begin(), out.end(), is_normal)) return;
        // A product may come back to the normal numbers, which it left unless x itself is 0, or no number, there.
        for (std::size_t line = 0; line < view.outer * view.inner; ++line) {
            const std::size_t origin = line / view.inner * view.extent * view.inner + line % view.inner;
            const auto place = [&](std::size_t i) {
                return origin + (way == Way::forwards ? i : view.extent - 1 - i) * view.inner;
            };
            std::size_t left = 0;
            while (left < view.extent && is_normal(out.data()[place(left)])) ++left;
            if (left == view.extent || x.data()[place(left)] == 0 || !std::isfinite(x.data()[place(left)])) continue;
            WideProduct product;
            for (std::size_t i = 0; i < view.extent; ++i) {
                product *= x.data()[place(i)];
                out.data()[place(i)] = static_cast<T>(product.value());
            }
        }
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X& y) const {
        return previous(y, axis, way, 1) * apply(LinearRecurrence{axis, reverse(way), true}, x, g);
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X& x, const X& y) const {
        return apply(LinearRecurrence{axis, way}, x, previous(y, axis, way, 1) * t);
    }
};

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> cumulative_prod(X<T> x, std::ptrdiff_t axis, IncludeInitial initial) {
    const auto scanned = [&] {
        const std::size_t place = normalize_axis(axis, x.shape().size(), CumulativeProd::name);
        const X<T> products = apply(CumulativeProd{place}, x);
        return initial == IncludeInitial::yes ? padded(products, place, {1, 0}, 1) : products;
    };
    return with_context_of(CumulativeProd::name, scanned, x);
}

// ---- logcumsumexp ----

namespace {

struct LogCumSumExp {
    static constexpr const char* name = "logcumsumexp";
    std::size_t axis;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        const auto view = kernels::AxisView::of(x.shape(), axis);
        reshape_for_overwriting(out, x.shape());
        kernels::logcumsumexp(out.data(), x.data(), view);
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X& y) const {
        const auto [own, before] = shares(x, y);
        const X decay = with_last(before, y, axis, Way::forwards, 0);
        return own * apply(LinearRecurrence{axis, Way::backwards}, decay, g);
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X& x, const X& y) const {
        const auto [own, before] = shares(x, y);
        const X decay = with_first(before, y, axis, Way::forwards, 0);
        return apply(LinearRecurrence{axis}, decay, own * t);
    }

   private:
    /// What of the sum up to each element is its own, exp(x_i - y_i), and, of all elements but the first, what came from
    /// those before it, exp(y_(i-1) - y_i). The two are divided by their sum, which is 1 but for the rounding of y.
    template <class X>
    std::pair<X, X> shares(const X& x, const X& y) const {
        const X infinities = equal(x, ops::infinity), so_far = apply(CumulativeSum{axis}, infinities);
        const auto now = [&](const X& v) { return without_last(v, axis, Way::forwards); };
        const auto next = [&](const X& v) { return without_first(v, axis, Way::forwards); };
        const X own = ops::share_of_sum(x, y, infinities, so_far);
        const X before = ops::share_of_sum(now(y), next(y), now(so_far), next(so_far));
        const X both = own + with_first(before, y, axis, Way::forwards, 0), whole = where(equal(both, 0), 1, both);
        return {own / whole, before / next(whole)};
    }
};

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> logcumsumexp(X<T> x, std::ptrdiff_t axis) {
    return apply(LogCumSumExp{detail::axis_of(x, axis, LogCumSumExp::name)}, x);
}

// ---- prod ----

namespace {

/// By what the elements of rows are multiplied so that products of neighbours neither over- nor underflow, and by what
/// then the products of the others of each element, to be what they were. These are powers of two, in two halves: the
/// whole may be too large for a number. They are 1 in rows where plain products are right; none if these are all.
template <class T>
struct RowScale {
    Array<T> half, other_half, undo, other_undo;

    static std::optional<RowScale> of(const Array<T>& rows);
};

template <class T>
std::optional<RowScale<T>> RowScale<T>::of(const Array<T>& rows) {
    const std::size_t length = rows.shape()[1];
    if (is_moderate(rows, length)) return {};
    // Of three elements the others are two, whose product is multiplied with nothing.
    const T growth = length > 3 ? static_cast<T>(length) : std::numeric_limits<T>::max();
    const auto extreme = extreme_rows(rows, growth);
    if (extreme.empty()) return {};
    const Array<T> ones = full<T>(rows.shape(), T(1));
    RowScale scale{ones, ones, ones, ones};
    PoolVector<std::int64_t> exponents(length), taken(length);
    for (const std::size_t row : extreme) {
        // Zeros, and what is not finite, are as if they were 1.
        const T* x = rows.data() + row * length;
        WideProduct product;
        for (std::size_t k = 0; k < length; ++k) {
            if (x[k] != 0 && std::isfinite(x[k])) product *= x[k];
            exponents[k] = product.exponent();
        }
        // The exponents of the products of the first elements shall run evenly to that of all, or as near to it as
        // numbers go. Then no product of neighbours is further from 1 than the end is.
        constexpr std::int64_t limit = std::numeric_limits<T>::max_exponent - 8;
        const std::int64_t end = std::clamp(product.exponent(), -limit, limit);
        std::int64_t taken_before = 0;
        for (std::size_t k = 0; k < length; ++k) {
            const std::int64_t taken_so_far =
                exponents[k] - end * static_cast<std::int64_t>(k + 1) / static_cast<std::int64_t>(length);
            taken[k] = taken_so_far - taken_before;
            taken_before = taken_so_far;
        }
        for (std::size_t k = 0; k < length; ++k) {
            const std::size_t place = row * length + k;
            kernels::set_halves(scale.half.data()[place], scale.other_half.data()[place], -taken[k]);
            kernels::set_halves(scale.undo.data()[place], scale.other_undo.data()[place], taken_before - taken[k]);
        }
    }
    return scale;
}

struct Prod {
    static constexpr const char* name = "prod";
    ops::ReducedShapes shapes;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        shapes.require_fit(x.shape());
        reshape_for_overwriting(out, shapes.kept);
        kernels::prod_to(out, x);
        if (!is_moderate(x, x.size() / std::max<std::size_t>(out.size(), 1))) {
            const Rows rows = rows_of(x.shape());
            const Eager<T> matrix = reshape(permute_dims(Eager<T>(x), rows.order), rows.shape);
            const std::size_t length = rows.shape[1];
            // An underflow that grows by no more than the number of factors is as good as their roundings.
            for (const std::size_t i : extreme_rows(matrix.array(), static_cast<T>(length))) {
                WideProduct product;
                for (std::size_t k = 0; k < length; ++k) product *= matrix.array().data()[i * length + k];
                out.data()[i] = static_cast<T>(product.value());
            }
        }
        out.reshape(shapes.result);
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X&) const {
        return reshape(g, shapes.kept) * others(x);
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X& x, const X&) const {
        return reshape(sum_to(t * others(x), shapes.kept), shapes.result);
    }

   private:
    /// The axes in an order in which those which are reduced are the last, and how long all these are together.
    struct Rows {
        AxisList order;
        Shape permuted, shape;
    };
    Rows rows_of(const Shape& shape) const;

    /// At each element the product of the others.
    template <class X>
    X others(const X& x) const {
        const Rows rows = rows_of(x.shape());
        const X matrix = reshape(permute_dims(x, rows.order), rows.shape);
        AxisList back(rows.order.size());
        for (std::size_t i = 0; i < back.size(); ++i) {
            back[static_cast<std::size_t>(rows.order[i])] = static_cast<std::ptrdiff_t>(i);
        }
        const auto scale = RowScale<typename X::Element>::of(detail::values_of(matrix));
        const auto constant = [&](const auto& array) { return detail::constant_like(x, array); };
        const X products = scale ? others_of_row(matrix * constant(scale->half) * constant(scale->other_half)) *
                                       constant(scale->undo) * constant(scale->other_undo)
                                 : others_of_row(matrix);
        return permute_dims(reshape(products, rows.permuted), back);
    }
    /// That of all before it times that of all after it.
    template <class X>
    static X others_of_row(const X& matrix) {
        const X before = previous(apply(CumulativeProd{1, Way::forwards}, matrix), 1, Way::forwards, 1);
        const X after = previous(apply(CumulativeProd{1, Way::backwards}, matrix), 1, Way::backwards, 1);
        return before * after;
    }
};

Prod::Rows Prod::rows_of(const Shape& shape) const {
    Rows rows;
    rows.shape = {1, 1};
    for (const bool reduced : {false, true}) {
        for (std::size_t axis = 0; axis < shape.size(); ++axis) {
            // An axis of extent 1 is as good as one that is kept.
            if ((shape[axis] != shapes.kept[axis]) != reduced) continue;
            rows.order.push_back(static_cast<std::ptrdiff_t>(axis));
            rows.permuted.push_back(shape[axis]);
            rows.shape[reduced ? 1 : 0] *= shape[axis];
        }
    }
    return rows;
}

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::prod(X<T> x, const Axes& axes, KeepDims keepdims) {
    return apply(Prod{ReducedShapes::of(x, axes, keepdims, "prod")}, x);
}

// ---- diff ----

namespace {

struct Diff {
    static constexpr const char* name = "diff";
    static constexpr bool linear = true;
    std::size_t n, axis;

    static Diff of(const Shape& shape, std::ptrdiff_t n, std::ptrdiff_t axis) {
        if (n < 0) throw ShapeError("differences of order " + std::to_string(n));
        const std::size_t place = normalize_axis(axis, shape.size(), name);
        return {std::min(static_cast<std::size_t>(n), shape[place]), place};
    }
    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        Eager<T> y(x);
        for (std::size_t k = 1; k <= n; ++k) {
            const std::size_t extent = x.shape()[axis] - k;
            y = ops::selected(y, {axis, 1, 1, extent}) - ops::selected(y, {axis, 0, 1, extent});
        }
        out = std::move(y).take();
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X&) const {
        const X back = apply(*this, ops::placed(g, axis, static_cast<std::ptrdiff_t>(n), x.shape()[axis] + n, 0));
        return n % 2 == 0 ? back : -back;
    }
};

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> diff(X<T> x, std::ptrdiff_t n, std::ptrdiff_t axis) {
    return apply<Diff>(x, n, axis);
}

// ---- Compiled for all worlds ----

#define XTAPE_INSTANTIATE(X)                                                   \
    template XTAPE_API X linear_recurrence(X, X, std::ptrdiff_t, Way);         \
    template XTAPE_API X ops::linear_recurrence(X, X, std::size_t, Way, bool); \
    template XTAPE_API X cumulative_sum(X, std::ptrdiff_t, IncludeInitial);    \
    template XTAPE_API X cumulative_prod(X, std::ptrdiff_t, IncludeInitial);   \
    template XTAPE_API X logcumsumexp(X, std::ptrdiff_t);                      \
    template XTAPE_API X diff(X, std::ptrdiff_t, std::ptrdiff_t);              \
    template XTAPE_API X ops::prod(X, const Axes&, KeepDims);
XTAPE_FOR_OPERANDS(XTAPE_INSTANTIATE)

}  // namespace autograd
