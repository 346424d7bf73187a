// Reductions over axes, and their mirror image broadcast_to. All of them work on the shape with extent 1 in place of the
// reduced axes, and drop these at the end where the caller does not keep them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "autograd/kernels/layout.hpp"
#include "autograd/ops/elementwise.hpp"
#include "autograd/ops/shape.hpp"

namespace autograd {

/// Whether a reduced axis stays, with extent 1.
enum class KeepDims : bool { no = false, yes = true };

namespace ops {

/// The shapes of a reduction, with and without the reduced axes.
struct Reduction {
    Shape kept;
    Shape result;

    /// @throws ShapeError naming `op` for an axis that is not there or is named twice.
    static Reduction of(const Shape& shape, const Axes& axes, KeepDims keepdims, const char* op);
    template <Operand X>
    static Reduction of(const X& x, const Axes& axes, KeepDims keepdims, const char* op) {
        return detail::with_context_of(
            op, [&] { return of(x.shape(), axes, keepdims, op); }, x);
    }

    /// @throws ShapeError if they are not those of a reduction of this shape.
    void require_fit(const Shape& shape) const { require_fit(shape, kept, result); }
    static void require_fit(const Shape& shape, const Shape& kept, const Shape& result);
};

struct Sum {
    static constexpr const char* name = "sum";
    static constexpr bool linear = true;
    Reduction shapes;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const {
        return reshape(g, shapes.kept);
    }
};

struct Mean {
    static constexpr const char* name = "mean";
    static constexpr bool linear = true;
    Reduction shapes;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X&) const {
        const double count = static_cast<double>(element_count(x.shape())) / static_cast<double>(element_count(shapes.kept));
        return reshape(g, shapes.kept) * (1 / count);
    }
};

/// What max and min have in common: elements that share the extreme share its gradient equally.
struct Extreme {
    Reduction shapes;

    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X& y) const;
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X& x, const X& y) const;
    /// 1 / n, where n elements share the extreme.
    template <class X>
    X shares(const X& x, const X& y) const;
};

struct Max : Extreme {
    static constexpr const char* name = "max";

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
};

struct Min : Extreme {
    static constexpr const char* name = "min";

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
};

/// The place of the first of the largest elements, as a number: along one axis, or among all in row-major order.
struct Arg {
    static constexpr std::uint32_t cut = 1;
    Reduction shapes;
    std::optional<std::size_t> axis;

    /// @throws ShapeError if these are not of an array of this shape.
    kernels::AxisView view_of(const Shape& shape) const;

    template <Operand X>
    static Arg of(const X& x, std::optional<std::ptrdiff_t> axis, KeepDims keepdims, const char* op) {
        if (!axis) return {Reduction::of(x, {}, keepdims, op), {}};
        return {Reduction::of(x, *axis, keepdims, op), detail::axis_of(x, *axis, op)};
    }
};

struct ArgMax : Arg {
    static constexpr const char* name = "argmax";

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
};

struct ArgMin : Arg {
    static constexpr const char* name = "argmin";

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
};

/// What a part has of the sum that `whole` is the logarithm of, by its own logarithm: exp(part - whole), the gradient
/// of logsumexp. Where the whole is infinite it is the limit: elements of infinity have it all, in equal shares
/// (`of_part` and `of_whole` count them); among elements of minus infinity alone it is 0.
inline constexpr auto share_of_sum = elementwise<"share_of_sum">(
    [](auto part, auto whole, auto of_part, auto of_whole) {
        return where(whole == infinity, of_part / of_whole, exp(part - where(whole == -infinity, 0, whole)));
    },
    [](auto g, auto, auto, auto, auto, auto y) { return g * y; },
    [](auto g, auto, auto, auto, auto, auto y) { return -g * y; }, no_gradient, no_gradient);

/// log(sum(exp(x))) over the axes that `kept` has extent 1 for, of elements of which the largest is 0 (or all are minus
/// infinity): exact where one dominates, whose 1 would round the others away.
template <class T>
[[nodiscard]] Eager<T> log_of_sum(const Eager<T>& x, const Shape& kept);

struct LogSumExp {
    static constexpr const char* name = "logsumexp";
    Reduction shapes;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X& y) const {
        return reshape(g, shapes.kept) * weights(x, y);
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X& x, const X& y) const {
        return reshape(sum_to(t * weights(x, y), shapes.kept), shapes.result);
    }

   private:
    /// Divided by their sum, which is 1 but for the rounding of y: of numbers beyond 1 / epsilon that is all of log(2).
    template <class X>
    X weights(const X& x, const X& y) const {
        const X infinities = equal(x, infinity);
        const X shares = share_of_sum(x, reshape(y, shapes.kept), infinities, sum_to(infinities, shapes.kept));
        const X whole = sum_to(shares, shapes.kept);
        return shares / where(equal(whole, 0), 1, whole);
    }
};

struct SumTo {
    static constexpr const char* name = "sum_to";
    static constexpr bool linear = true;
    Shape shape;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X&) const;
};

struct BroadcastTo {
    static constexpr const char* name = "broadcast_to";
    static constexpr bool linear = true;
    Shape shape;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X&) const;
};

}  // namespace ops

/// The sum over `axes`; 0 over an empty axis.
template <Operand X>
[[nodiscard]] X sum(const X& x, const Axes& axes = {}, KeepDims keepdims = KeepDims::no) {
    return apply(ops::Sum{ops::Reduction::of(x, axes, keepdims, "sum")}, x);
}

/// The arithmetic mean over `axes`; NaN over an empty axis.
template <Operand X>
[[nodiscard]] X mean(const X& x, const Axes& axes = {}, KeepDims keepdims = KeepDims::no) {
    return apply(ops::Mean{ops::Reduction::of(x, axes, keepdims, "mean")}, x);
}

/// The maximum over `axes`; NaN if one of the elements is.
/// @throws ShapeError over an empty axis, which has none.
template <Operand X>
[[nodiscard]] X max(const X& x, const Axes& axes = {}, KeepDims keepdims = KeepDims::no) {
    return apply(ops::Max{{ops::Reduction::of(x, axes, keepdims, "max")}}, x);
}

/// The minimum over `axes`; NaN if one of the elements is.
/// @throws ShapeError over an empty axis, which has none.
template <Operand X>
[[nodiscard]] X min(const X& x, const Axes& axes = {}, KeepDims keepdims = KeepDims::no) {
    return apply(ops::Min{{ops::Reduction::of(x, axes, keepdims, "min")}}, x);
}

/// The index of the maximum along an axis, or among all elements in row-major order: a number, exact in float up to
/// 2^24. The first of several; that of the first NaN, if there is one. It cuts the gradient.
/// @throws ShapeError over an empty axis.
template <Operand X>
[[nodiscard]] X argmax(const X& x, std::optional<std::ptrdiff_t> axis = {}, KeepDims keepdims = KeepDims::no) {
    return apply(ops::ArgMax{ops::Arg::of(x, axis, keepdims, "argmax")}, x);
}

/// The same of the minimum.
template <Operand X>
[[nodiscard]] X argmin(const X& x, std::optional<std::ptrdiff_t> axis = {}, KeepDims keepdims = KeepDims::no) {
    return apply(ops::ArgMin{ops::Arg::of(x, axis, keepdims, "argmin")}, x);
}

/// log(sum(exp(x))) over `axes`, without overflow; minus infinity over an empty axis. Where all elements are minus
/// infinity their gradient is 0; elements of infinity share it equally.
template <Operand X>
[[nodiscard]] X logsumexp(const X& x, const Axes& axes = {}, KeepDims keepdims = KeepDims::no) {
    return apply(ops::LogSumExp{ops::Reduction::of(x, axes, keepdims, "logsumexp")}, x);
}

/// x summed over the axes that broadcasting `shape` to x's shape would repeat: the adjoint of broadcast_to.
/// @throws ShapeError if `shape` does not broadcast to x's.
template <Operand X>
[[nodiscard]] X sum_to(const X& x, const Shape& shape) {
    return apply(ops::SumTo{shape}, x);
}

/// x repeated along new axes and those of extent 1.
/// @throws ShapeError if x does not broadcast to `shape`.
template <Operand X>
[[nodiscard]] X broadcast_to(const X& x, const Shape& shape) {
    return apply(ops::BroadcastTo{shape}, x);
}

namespace ops {

template <class X>
X Extreme::gradient(InputIndex<0>, const X& g, const X& x, const X& y) const {
    const X top = reshape(y, shapes.kept);
    // A NaN equals nothing, and is handed on, lest nobody gets a gradient.
    return where(equal(x, top), reshape(g, shapes.kept) * shares(x, y), where(equal(top, top), 0, top));
}

template <class X>
X Extreme::tangent(InputIndex<0>, const X& t, const X& x, const X& y) const {
    const X top = reshape(y, shapes.kept);
    const X parts = where(equal(x, top), t * shares(x, y), where(equal(top, top), 0, top));
    return reshape(sum_to(parts, shapes.kept), shapes.result);
}

template <class X>
X Extreme::shares(const X& x, const X& y) const {
    return 1 / sum_to(equal(x, reshape(y, shapes.kept)), shapes.kept);
}

template <class X>
X SumTo::gradient(InputIndex<0>, const X& g, const X& x, const X&) const {
    return broadcast_to(g, x.shape());
}

template <class X>
X BroadcastTo::gradient(InputIndex<0>, const X& g, const X& x, const X&) const {
    return sum_to(g, x.shape());
}

}  // namespace ops

#define XTAPE_REDUCTIONS_STRUCTURES(OP)                                                                    \
    OP(Sum, 1) OP(Mean, 1) OP(Max, 1) OP(Min, 1) OP(ArgMax, 1) OP(ArgMin, 1) OP(LogSumExp, 1) OP(SumTo, 1) \
    OP(BroadcastTo, 1)
XTAPE_REDUCTIONS_STRUCTURES(XTAPE_DECLARE_STRUCTURE)

}  // namespace autograd
