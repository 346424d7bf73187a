// The reductions, a block each: what it keeps, its value by kernels/reduce.hpp, its rule, and the function that records it.
#include "autograd/ops/reductions.hpp"

#include <cmath>
#include <string>

#include "autograd/kernels/layout.hpp"
#include "autograd/kernels/reduce.hpp"

namespace autograd {
namespace ops {

ReducedShapes ReducedShapes::of(const Shape& shape, const Axes& axes, KeepDims keepdims, const char* op) {
    const PoolVector<bool> reduced = axes.among(shape.size(), op);
    ReducedShapes shapes;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        shapes.kept.push_back(reduced[axis] ? 1 : shape[axis]);
        if (keepdims == KeepDims::yes || !reduced[axis]) shapes.result.push_back(shapes.kept.back());
    }
    return shapes;
}

std::optional<std::ptrdiff_t> one_or_none(std::initializer_list<int> axis, const char* op) {
    if (axis.size() > 1) throw ShapeError(std::string(op) + ": one axis, or none for all, not " + std::to_string(axis.size()));
    return axis.size() == 0 ? std::nullopt : std::optional<std::ptrdiff_t>(*axis.begin());
}

void ReducedShapes::require_fit(const Shape& shape) const {
    const bool fits = kept.size() == shape.size() && broadcasts_to(kept, shape) &&
                      (same_shape(kept, result) || element_count(kept) == element_count(result));
    if (fits) return;
    throw ShapeError("an input of shape " + to_string(shape) + " cannot be reduced to " + to_string(kept) + ", as shape " +
                     to_string(result));
}

}  // namespace ops

namespace {

using ops::infinity;
using ops::ReducedShapes;

void require_elements(const Shape& shape, const Shape& kept, const char* what) {
    if (element_count(shape) == 0 && element_count(kept) > 0) {
        throw ShapeError("an axis of shape " + to_string(shape) + " is empty and has no " + what);
    }
}

}  // namespace

// ---- sum_to and broadcast_to ----

namespace {

struct SumTo {
    static constexpr const char* name = "sum_to";
    static constexpr bool linear = true;
    Shape shape;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        if (!broadcasts_to(shape, x.shape())) {
            throw ShapeError("shape " + to_string(shape) + " does not broadcast to " + to_string(x.shape()));
        }
        reshape_for_overwriting(out, shape);
        kernels::sum_to(out, x);
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X&) const {
        return broadcast_to(g, x.shape());
    }
};

struct BroadcastTo {
    static constexpr const char* name = "broadcast_to";
    static constexpr bool linear = true;
    Shape shape;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        if (!broadcasts_to(x.shape(), shape)) {
            throw ShapeError("shape " + to_string(x.shape()) + " does not broadcast to " + to_string(shape));
        }
        reshape_for_overwriting(out, shape);
        kernels::broadcast_to(out, x);
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X&) const {
        return sum_to(g, x.shape());
    }
};

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> sum_to(X<T> x, const Shape& shape) {
    return apply(SumTo{shape}, x);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> broadcast_to(X<T> x, const Shape& shape) {
    return apply(BroadcastTo{shape}, x);
}

// ---- sum and mean ----

namespace {

struct Sum {
    static constexpr const char* name = "sum";
    static constexpr bool linear = true;
    ReducedShapes shapes;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        shapes.require_fit(x.shape());
        reshape_for_overwriting(out, shapes.kept);
        kernels::sum_to(out, x);
        out.reshape(shapes.result);
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const {
        return reshape(g, shapes.kept);
    }
};

struct Mean {
    static constexpr const char* name = "mean";
    static constexpr bool linear = true;
    ReducedShapes shapes;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        Sum{shapes}.forward(out, x);
        const T count = static_cast<T>(x.size()) / static_cast<T>(out.size());
        for (T& each : out) each /= count;
        if (x.size() == 0 || kernels::find_non_finite(out) == out.size()) return;
        // A sum may overflow where the mean is a number. Terms over a power of two are rounded as they are.
        const T scale = std::ldexp(T(2), std::ilogb(count));
        const Eager<T> total = sum_to(Eager<T>(x) / scale, shapes.kept);
        for (std::size_t i = 0; i < out.size(); ++i) {
            if (!std::isfinite(out.data()[i])) out.data()[i] = total.array().data()[i] / (count / scale);
        }
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X&) const {
        const double count = static_cast<double>(element_count(x.shape())) / static_cast<double>(element_count(shapes.kept));
        return reshape(g, shapes.kept) * (1 / count);
    }
};

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::sum(X<T> x, const Axes& axes, KeepDims keepdims) {
    return apply(Sum{ReducedShapes::of(x, axes, keepdims, "sum")}, x);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::mean(X<T> x, const Axes& axes, KeepDims keepdims) {
    return apply(Mean{ReducedShapes::of(x, axes, keepdims, "mean")}, x);
}
template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::mean_to(X<T> x, const Shape& kept) {
    return apply(Mean{{kept, kept}}, x);
}

// ---- max and min ----

namespace {

struct Max : ops::Extreme {
    static constexpr const char* name = "max";

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        shapes.require_fit(x.shape());
        require_elements(x.shape(), shapes.kept, "maximum");
        reshape_for_overwriting(out, shapes.kept);
        kernels::max_to(out, x);
        out.reshape(shapes.result);
    }
};

struct Min : ops::Extreme {
    static constexpr const char* name = "min";

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        shapes.require_fit(x.shape());
        require_elements(x.shape(), shapes.kept, "minimum");
        reshape_for_overwriting(out, shapes.kept);
        kernels::min_to(out, x);
        out.reshape(shapes.result);
    }
};

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::max(X<T> x, const Axes& axes, KeepDims keepdims) {
    return apply(Max{{ReducedShapes::of(x, axes, keepdims, "max")}}, x);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::min(X<T> x, const Axes& axes, KeepDims keepdims) {
    return apply(Min{{ReducedShapes::of(x, axes, keepdims, "min")}}, x);
}

// ---- argmax and argmin ----

namespace {

/// The place of the first of the largest elements, as a number: along one axis, or among all in row-major order.
struct Arg {
    ReducedShapes shapes;
    std::optional<std::size_t> axis;

    template <Operand X>
    static Arg of(const X& x, std::optional<std::ptrdiff_t> axis, KeepDims keepdims, const char* op) {
        if (!axis) return {ReducedShapes::of(x, {}, keepdims, op), {}};
        return {ReducedShapes::of(x, *axis, keepdims, op), detail::axis_of(x, *axis, op)};
    }
    /// @throws ShapeError if these are not of an array of this shape.
    kernels::AxisView view_of(const Shape& shape) const {
        shapes.require_fit(shape);
        Shape expected(shape.size(), 1);
        if (axis) {
            expected = shape;
            if (*axis < shape.size()) expected[*axis] = 1;
        }
        ops::require_input(shapes.kept, expected);
        return axis ? kernels::AxisView::of(shape, *axis) : kernels::AxisView{1, element_count(shape), 1};
    }
    static NoGradient gradient(InputIndex<0>) { return no_gradient; }
};

struct ArgMax : Arg {
    static constexpr const char* name = "argmax";

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        const kernels::AxisView view = view_of(x.shape());
        require_elements(x.shape(), shapes.kept, "maximum");
        reshape_for_overwriting(out, shapes.result);
        kernels::argmax(out.data(), x.data(), view);
    }
};

struct ArgMin : Arg {
    static constexpr const char* name = "argmin";

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        const kernels::AxisView view = view_of(x.shape());
        require_elements(x.shape(), shapes.kept, "minimum");
        reshape_for_overwriting(out, shapes.result);
        kernels::argmin(out.data(), x.data(), view);
    }
};

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> argmax(X<T> x, std::optional<std::ptrdiff_t> axis, KeepDims keepdims) {
    return apply(ArgMax{Arg::of(x, axis, keepdims, "argmax")}, x);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> argmin(X<T> x, std::optional<std::ptrdiff_t> axis, KeepDims keepdims) {
    return apply(ArgMin{Arg::of(x, axis, keepdims, "argmin")}, x);
}

// ---- logsumexp ----

template <class T>
Eager<T> ops::log_of_sum(const Eager<T>& x, const Shape& kept) {
    const Eager<T> is_largest = equal(x, 0);
    const Eager<T> others = sum_to(where(is_largest, 0, exp(x)), kept);
    return log1p(others + (sum_to(is_largest, kept) - 1));
}
template XTAPE_API Eager<float> ops::log_of_sum(const Eager<float>&, const Shape&);
template XTAPE_API Eager<double> ops::log_of_sum(const Eager<double>&, const Shape&);

namespace {

struct LogSumExp {
    static constexpr const char* name = "logsumexp";
    ReducedShapes shapes;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        shapes.require_fit(x.shape());
        Array<T> largest = empty<T>(shapes.kept);
        kernels::max_to(largest, x);
        // Where the largest is infinite there is nothing to protect, and inf - inf would be NaN.
        const Eager<T> shift = where(equal(abs(Eager<T>(largest)), std::numeric_limits<T>::infinity()), 0, Eager<T>(largest));
        out = (ops::log_of_sum(Eager<T>(x) - shift, shapes.kept) + shift).take();
        out.reshape(shapes.result);
    }
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
        const X shares = ops::share_of_sum(x, reshape(y, shapes.kept), infinities, sum_to(infinities, shapes.kept));
        const X whole = sum_to(shares, shapes.kept);
        return shares / where(equal(whole, 0), 1, whole);
    }
};

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::logsumexp(X<T> x, const Axes& axes, KeepDims keepdims) {
    return apply(LogSumExp{ReducedShapes::of(x, axes, keepdims, "logsumexp")}, x);
}

// ---- What the recorded sweep asks for ----

namespace detail {

template <class T>
Var<T> add_gradients(const Var<T>* existing, Var<T> contribution, const Shape& shape) {
    const Shape space = broadcast_shapes(contribution.shape(), shape);
    if (contribution.shape() != space) contribution = broadcast_to(contribution, space);
    if (shape != space) contribution = sum_to(contribution, shape);
    return existing == nullptr ? contribution : *existing + contribution;
}

template XTAPE_API Var<float> add_gradients(const Var<float>*, Var<float>, const Shape&);
template XTAPE_API Var<double> add_gradients(const Var<double>*, Var<double>, const Shape&);

}  // namespace detail

// ---- Compiled for all worlds ----

#define XTAPE_INSTANTIATE(X)                                                 \
    template XTAPE_API X sum_to(X, const Shape&);                            \
    template XTAPE_API X broadcast_to(X, const Shape&);                      \
    template XTAPE_API X ops::sum(X, const Axes&, KeepDims);                 \
    template XTAPE_API X ops::mean(X, const Axes&, KeepDims);                \
    template XTAPE_API X ops::mean_to(X, const Shape&);                      \
    template XTAPE_API X ops::max(X, const Axes&, KeepDims);                 \
    template XTAPE_API X ops::min(X, const Axes&, KeepDims);                 \
    template XTAPE_API X argmax(X, std::optional<std::ptrdiff_t>, KeepDims); \
    template XTAPE_API X argmin(X, std::optional<std::ptrdiff_t>, KeepDims); \
    template XTAPE_API X ops::logsumexp(X, const Axes&, KeepDims);
XTAPE_FOR_OPERANDS(XTAPE_INSTANTIATE)

}  // namespace autograd
