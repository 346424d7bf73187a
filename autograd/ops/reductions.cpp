// Values of the reductions, by kernels/reduce.hpp.
#include "autograd/ops/reductions.hpp"

#include <cmath>
#include <string>

#include "autograd/kernels/reduce.hpp"

namespace autograd {
namespace ops {

Reduction Reduction::of(const Shape& shape, const Axes& axes, KeepDims keepdims, const char* op) {
    const PoolVector<bool> reduced = axes.among(shape.size(), op);
    Reduction reduction;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        reduction.kept.push_back(reduced[axis] ? 1 : shape[axis]);
        if (keepdims == KeepDims::yes || !reduced[axis]) reduction.result.push_back(reduction.kept.back());
    }
    return reduction;
}

void Reduction::require_fit(const Shape& shape, const Shape& kept, const Shape& result) {
    const bool fits = kept.size() == shape.size() && broadcasts_to(kept, shape) &&
                      (same_shape(kept, result) || element_count(kept) == element_count(result));
    if (fits) return;
    throw ShapeError("an input of shape " + to_string(shape) + " cannot be reduced to " + to_string(kept) + ", as shape " +
                     to_string(result));
}

template <class T>
void Sum::forward(Array<T>& out, const Array<T>& x) const {
    shapes.require_fit(x.shape());
    reshape_for_overwriting(out, shapes.kept);
    kernels::sum_to(out, x);
    out.reshape(shapes.result);
}

template <class T>
void Mean::forward(Array<T>& out, const Array<T>& x) const {
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

namespace {

void require_elements(const Shape& shape, const Shape& kept, const char* what) {
    if (element_count(shape) == 0 && element_count(kept) > 0) {
        throw ShapeError("an axis of shape " + to_string(shape) + " is empty and has no " + what);
    }
}

}  // namespace

kernels::AxisView Arg::view_of(const Shape& shape) const {
    shapes.require_fit(shape);
    Shape expected(shape.size(), 1);
    if (axis) {
        expected = shape;
        if (*axis < shape.size()) expected[*axis] = 1;
    }
    require_input(shapes.kept, expected);
    return axis ? kernels::AxisView::of(shape, *axis) : kernels::AxisView{1, element_count(shape), 1};
}

template <class T>
void Max::forward(Array<T>& out, const Array<T>& x) const {
    shapes.require_fit(x.shape());
    require_elements(x.shape(), shapes.kept, "maximum");
    reshape_for_overwriting(out, shapes.kept);
    kernels::max_to(out, x);
    out.reshape(shapes.result);
}

template <class T>
void Min::forward(Array<T>& out, const Array<T>& x) const {
    shapes.require_fit(x.shape());
    require_elements(x.shape(), shapes.kept, "minimum");
    reshape_for_overwriting(out, shapes.kept);
    kernels::min_to(out, x);
    out.reshape(shapes.result);
}

template <class T>
void ArgMax::forward(Array<T>& out, const Array<T>& x) const {
    const kernels::AxisView view = view_of(x.shape());
    require_elements(x.shape(), shapes.kept, "maximum");
    reshape_for_overwriting(out, shapes.result);
    kernels::argmax(out.data(), x.data(), view);
}

template <class T>
void ArgMin::forward(Array<T>& out, const Array<T>& x) const {
    const kernels::AxisView view = view_of(x.shape());
    require_elements(x.shape(), shapes.kept, "minimum");
    reshape_for_overwriting(out, shapes.result);
    kernels::argmin(out.data(), x.data(), view);
}

template <class T>
Eager<T> log_of_sum(const Eager<T>& x, const Shape& kept) {
    const Eager<T> is_largest = equal(x, 0);
    const Eager<T> others = sum_to(where(is_largest, 0, exp(x)), kept);
    return log1p(others + (sum_to(is_largest, kept) - 1));
}
template Eager<float> log_of_sum(const Eager<float>&, const Shape&);
template Eager<double> log_of_sum(const Eager<double>&, const Shape&);

template <class T>
void LogSumExp::forward(Array<T>& out, const Array<T>& x) const {
    shapes.require_fit(x.shape());
    Array<T> largest = empty<T>(shapes.kept);
    kernels::max_to(largest, x);
    // Where the largest is infinite there is nothing to protect, and inf - inf would be NaN.
    const Eager<T> shift = where(equal(abs(Eager<T>(largest)), std::numeric_limits<T>::infinity()), 0, Eager<T>(largest));
    out = (log_of_sum(Eager<T>(x) - shift, shapes.kept) + shift).take();
    out.reshape(shapes.result);
}

template <class T>
void SumTo::forward(Array<T>& out, const Array<T>& x) const {
    if (!broadcasts_to(shape, x.shape())) {
        throw ShapeError("shape " + to_string(shape) + " does not broadcast to " + to_string(x.shape()));
    }
    reshape_for_overwriting(out, shape);
    kernels::sum_to(out, x);
}

template <class T>
void BroadcastTo::forward(Array<T>& out, const Array<T>& x) const {
    if (!broadcasts_to(x.shape(), shape)) {
        throw ShapeError("shape " + to_string(x.shape()) + " does not broadcast to " + to_string(shape));
    }
    reshape_for_overwriting(out, shape);
    kernels::broadcast_to(out, x);
}

}  // namespace ops

namespace detail {

template <class T>
Var<T> accumulate_recorded(const Var<T>* existing, Var<T> contribution, const Shape& shape) {
    const Shape space = broadcast_shapes(contribution.shape(), shape);
    if (contribution.shape() != space) contribution = broadcast_to(contribution, space);
    if (shape != space) contribution = sum_to(contribution, shape);
    return existing == nullptr ? contribution : *existing + contribution;
}

template Var<float> accumulate_recorded(const Var<float>*, Var<float>, const Shape&);
template Var<double> accumulate_recorded(const Var<double>*, Var<double>, const Shape&);

}  // namespace detail

XTAPE_REDUCTIONS_STRUCTURES(XTAPE_INSTANTIATE_STRUCTURE)
}  // namespace autograd
