// Cumulative ops along an axis, and what makes their gradients: the linear recurrence y_i = a_i y_(i-1) + b_i
// (Blelloch, "Prefix sums and their applications", 1990, section 1.4), whose gradients are linear recurrences again. No
// gradient here divides, so zeros are as good as any number. Also prod, the reduction whose gradient is made of these.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "autograd/kernels/scan.hpp"
#include "autograd/ops/constant.hpp"
#include "autograd/ops/reductions.hpp"

namespace autograd {

/// Whether a cumulative op begins with what no element gives, and so is longer by one.
enum class IncludeInitial : bool { no = false, yes = true };

/// From the first element of an axis to the last, or back.
using kernels::Way;

namespace ops {

[[nodiscard]] constexpr Way reverse(Way way) { return way == Way::forwards ? Way::backwards : Way::forwards; }

/// One axis with some elements more, or less, at its ends.
template <Operand X>
[[nodiscard]] X padded(const X& x, std::size_t axis, const Padding& padding, double value) {
    return apply(Pad::of_axis(x.shape(), axis, padding, value), x);
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
    Pad pad{AxisList(like.shape().size(), 0), like.shape(), value};
    pad.before[axis] = way == Way::forwards ? 1 : 0;
    return apply(pad, x);
}
template <Operand X>
[[nodiscard]] X with_last(const X& x, const X& like, std::size_t axis, Way way, double value) {
    return with_first(x, like, axis, reverse(way), value);
}
/// At each element, the one before it; `value` at the first.
template <Operand X>
[[nodiscard]] X previous(const X& x, std::size_t axis, Way way, double value) {
    Pad pad{AxisList(x.shape().size(), 0), x.shape(), value};
    pad.before[axis] = way == Way::forwards ? 1 : -1;
    return apply(pad, x);
}

/// y_i = a_i y_(i-1) + b_i, y_0 = b_0; delayed, y_i = a_(i-1) y_(i-1) + b_i. "Before" is meant in the way of the scan.
/// Each of the four is the adjoint, in b, of that which goes the other way and has the other delay.
struct LinearRecurrence {
    static constexpr const char* name = "linear_recurrence";
    std::size_t axis;
    Way way = Way::forwards;
    bool delayed = false;

    template <class T>
    void forward(Array<T>& out, const Array<T>& a, const Array<T>& b) const;
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

struct CumulativeSum {
    static constexpr const char* name = "cumulative_sum";
    static constexpr bool linear = true;
    std::size_t axis;
    Way way = Way::forwards;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const {
        return apply(CumulativeSum{axis, reverse(way)}, g);
    }
};

struct CumulativeProd {
    static constexpr const char* name = "cumulative_prod";
    std::size_t axis;
    Way way = Way::forwards;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X& y) const {
        return previous(y, axis, way, 1) * apply(LinearRecurrence{axis, reverse(way), true}, x, g);
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X& x, const X& y) const {
        return apply(LinearRecurrence{axis, way}, x, previous(y, axis, way, 1) * t);
    }
};

struct LogCumSumExp {
    static constexpr const char* name = "logcumsumexp";
    std::size_t axis;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
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
        const X infinities = equal(x, infinity), so_far = apply(CumulativeSum{axis}, infinities);
        const auto now = [&](const X& v) { return without_last(v, axis, Way::forwards); };
        const auto next = [&](const X& v) { return without_first(v, axis, Way::forwards); };
        const X own = share_of_sum(x, y, infinities, so_far);
        const X before = share_of_sum(now(y), next(y), now(so_far), next(so_far));
        const X both = own + with_first(before, y, axis, Way::forwards, 0), whole = where(equal(both, 0), 1, both);
        return {own / whole, before / next(whole)};
    }
};

/// By what the elements of rows are multiplied so that products of neighbours neither over- nor underflow, and by what
/// then the products of the others of each element, to be what they were. These are powers of two, in two halves: the
/// whole may be too large for a number. They are 1 in rows where plain products are right; none if these are all.
template <class T>
struct RowScale {
    Array<T> half, other_half, undo, other_undo;

    static std::optional<RowScale> of(const Array<T>& rows);
};

struct Prod {
    static constexpr const char* name = "prod";
    Reduction shapes;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
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

}  // namespace ops

/// y_i = a_i y_(i-1) + b_i along an axis, y_0 = b_0, of a and b broadcast to one shape: a filter, an exponential
/// average, a discounted sum. Backwards, y_i = a_i y_(i+1) + b_i. The first a in the way has no effect.
/// @throws ShapeError if the shapes do not broadcast, or there is no such axis.
template <Operand X>
[[nodiscard]] X linear_recurrence(const X& a, const X& b, std::ptrdiff_t axis, Way way = Way::forwards) {
    constexpr const char* name = ops::LinearRecurrence::name;
    const auto recurrence = [&] {
        const Shape shape = broadcast_shapes(a.shape(), b.shape());
        const ops::LinearRecurrence op{normalize_axis(axis, shape.size(), name), way};
        const auto whole = [&](const X& x) { return same_shape(x.shape(), shape) ? x : broadcast_to(x, shape); };
        return apply(op, whole(a), whole(b));
    };
    return detail::with_context_of(name, recurrence, a, b);
}

/// Element i is the sum of x's elements up to and with i along an axis. With the initial 0, up to i - 1.
/// @throws ShapeError for an axis that is not there.
template <Operand X>
[[nodiscard]] X cumulative_sum(const X& x, std::ptrdiff_t axis, IncludeInitial initial = IncludeInitial::no) {
    const auto scanned = [&] {
        const std::size_t place = normalize_axis(axis, x.shape().size(), ops::CumulativeSum::name);
        const X sums = apply(ops::CumulativeSum{place}, x);
        return initial == IncludeInitial::yes ? ops::padded(sums, place, {1, 0}, 0) : sums;
    };
    return detail::with_context_of(ops::CumulativeSum::name, scanned, x);
}

/// The same of products; the initial one is 1. A product that over- or underflows may come back to the numbers. Not so
/// the gradient: in an element it is the product of those before it, times a sum of products of those after it. Where
/// one of these two factors is no number of x's type, or below its normal ones, the gradient is wrong, even if it is a
/// number itself: in float, that of the last element of cumulative_prod((1e30, 1e30, 1e-30, 1e-30)) is (1e-30, 0, inf,
/// 1e30), where prod's is right.
/// @throws ShapeError for an axis that is not there.
template <Operand X>
[[nodiscard]] X cumulative_prod(const X& x, std::ptrdiff_t axis, IncludeInitial initial = IncludeInitial::no) {
    const auto scanned = [&] {
        const std::size_t place = normalize_axis(axis, x.shape().size(), ops::CumulativeProd::name);
        const X products = apply(ops::CumulativeProd{place}, x);
        return initial == IncludeInitial::yes ? ops::padded(products, place, {1, 0}, 1) : products;
    };
    return detail::with_context_of(ops::CumulativeProd::name, scanned, x);
}

/// log(exp(x_0) + ... + exp(x_i)) along an axis, without overflow. Elements of minus infinity, also where there is
/// nothing else yet, have a gradient of 0; elements of infinity share it equally.
/// @throws ShapeError for an axis that is not there.
template <Operand X>
[[nodiscard]] X logcumsumexp(const X& x, std::ptrdiff_t axis) {
    return apply(ops::LogCumSumExp{detail::axis_of(x, axis, ops::LogCumSumExp::name)}, x);
}

/// The product over `axes`; 1 over an empty axis. Its gradient is right with zeros, one or several. Value and gradient
/// are right also where products of some of the elements over- or underflow. Second derivatives may not be, where
/// others of them, elements of the gradient, or products of elements other than zeros over- or underflow, or an element
/// of x is below the normal numbers.
template <Operand X>
[[nodiscard]] X prod(const X& x, const Axes& axes = {}, KeepDims keepdims = KeepDims::no) {
    return apply(ops::Prod{ops::Reduction::of(x, axes, keepdims, "prod")}, x);
}

#define XTAPE_SCAN_STRUCTURES(OP)                                                                      \
    OP(LinearRecurrence, 2) OP(CumulativeSum, 1) OP(CumulativeProd, 1) OP(LogCumSumExp, 1) OP(Prod, 1)
XTAPE_SCAN_STRUCTURES(XTAPE_DECLARE_STRUCTURE)

}  // namespace autograd
