// Reductions over axes, and their mirror image broadcast_to. All of them work on the shape with extent 1 in place of the
// reduced axes, and drop these at the end where the caller does not keep them.
#pragma once

#include <cstddef>
#include <initializer_list>

#include "autograd/ops/elementwise.hpp"
#include "autograd/ops/shape.hpp"

namespace autograd {

/// Which axes to reduce: one, several, or all, which is what `{}` and leaving them out mean. Negative ones count from the
/// last.
class Axes {
   public:
    Axes() : all_(true) {}
    template <std::integral I>
    Axes(I axis) : axes_{static_cast<std::ptrdiff_t>(axis)} {}
    Axes(std::initializer_list<std::ptrdiff_t> axes) : axes_(axes.begin(), axes.end()) {}
    Axes(const AxisList& axes) : axes_(axes) {}

    bool all() const { return all_; }
    const AxisList& list() const { return axes_; }

   private:
    bool all_ = false;
    AxisList axes_;
};

/// Whether a reduced axis stays, with extent 1.
enum class KeepDims : bool { no = false, yes = true };

namespace ops {

/// The shapes of a reduction, with and without the reduced axes.
struct Reduction {
    Shape kept;
    Shape result;

    /// @throws ShapeError naming `op` for an axis that is not there or is named twice.
    static Reduction of(const Shape& shape, const Axes& axes, KeepDims keepdims, const char* op);
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

struct Max {
    static constexpr const char* name = "max";
    Reduction shapes;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    /// Elements that share the maximum share the gradient equally.
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X& y) const;
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X& x, const X& y) const;
    /// 1 / n, where n elements share the maximum.
    template <class X>
    X shares(const X& x, const X& y) const;
};

struct LogSumExp {
    static constexpr const char* name = "logsumexp";
    Reduction shapes;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X& y) const {
        return reshape(g, shapes.kept) * exp(x - reshape(y, shapes.kept));
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X& x, const X& y) const {
        return reshape(sum_to(t * exp(x - reshape(y, shapes.kept)), shapes.kept), shapes.result);
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
X sum(const X& x, const Axes& axes = {}, KeepDims keepdims = KeepDims::no) {
    return apply(ops::Sum{ops::Reduction::of(x.shape(), axes, keepdims, "sum")}, x);
}

/// The arithmetic mean over `axes`; NaN over an empty axis.
template <Operand X>
X mean(const X& x, const Axes& axes = {}, KeepDims keepdims = KeepDims::no) {
    return apply(ops::Mean{ops::Reduction::of(x.shape(), axes, keepdims, "mean")}, x);
}

/// The maximum over `axes`; NaN if one of the elements is.
/// @throws ShapeError over an empty axis, which has none.
template <Operand X>
X max(const X& x, const Axes& axes = {}, KeepDims keepdims = KeepDims::no) {
    return apply(ops::Max{ops::Reduction::of(x.shape(), axes, keepdims, "max")}, x);
}

/// log(sum(exp(x))) over `axes`, without overflow; minus infinity over an empty axis.
template <Operand X>
X logsumexp(const X& x, const Axes& axes = {}, KeepDims keepdims = KeepDims::no) {
    return apply(ops::LogSumExp{ops::Reduction::of(x.shape(), axes, keepdims, "logsumexp")}, x);
}

/// x summed over the axes that broadcasting `shape` to x's shape would repeat: the adjoint of broadcast_to.
/// @throws ShapeError if `shape` does not broadcast to x's.
template <Operand X>
X sum_to(const X& x, const Shape& shape) {
    return apply(ops::SumTo{shape}, x);
}

/// x repeated along new axes and those of extent 1.
/// @throws ShapeError if x does not broadcast to `shape`.
template <Operand X>
X broadcast_to(const X& x, const Shape& shape) {
    return apply(ops::BroadcastTo{shape}, x);
}

namespace ops {

template <class X>
X Max::gradient(InputIndex<0>, const X& g, const X& x, const X& y) const {
    return where(equal(x, reshape(y, shapes.kept)), reshape(g, shapes.kept) * shares(x, y), 0);
}

template <class X>
X Max::tangent(InputIndex<0>, const X& t, const X& x, const X& y) const {
    return reshape(sum_to(where(equal(x, reshape(y, shapes.kept)), t * shares(x, y), 0), shapes.kept), shapes.result);
}

template <class X>
X Max::shares(const X& x, const X& y) const {
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
}  // namespace autograd
