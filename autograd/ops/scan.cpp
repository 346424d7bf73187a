// Values of the cumulative ops, by kernels/scan.hpp, and of prod, by kernels/reduce.hpp.
#include "autograd/ops/scan.hpp"

#include "autograd/kernels/reduce.hpp"

namespace autograd::ops {

template <class T>
void LinearRecurrence::forward(Array<T>& out, const Array<T>& a, const Array<T>& b) const {
    if (a.shape() != b.shape()) {
        throw ShapeError("shapes " + to_string(a.shape()) + " and " + to_string(b.shape()) + " differ");
    }
    reshape_for_overwriting(out, b.shape());
    kernels::linear_recurrence(out.data(), a.data(), b.data(), kernels::AxisView::of(b.shape(), axis), way, delayed);
}

template <class T>
void CumulativeSum::forward(Array<T>& out, const Array<T>& x) const {
    reshape_for_overwriting(out, x.shape());
    kernels::cumulative_sum(out.data(), x.data(), kernels::AxisView::of(x.shape(), axis), way);
}

template <class T>
void CumulativeProd::forward(Array<T>& out, const Array<T>& x) const {
    reshape_for_overwriting(out, x.shape());
    kernels::cumulative_prod(out.data(), x.data(), kernels::AxisView::of(x.shape(), axis), way);
}

template <class T>
void LogCumSumExp::forward(Array<T>& out, const Array<T>& x) const {
    reshape_for_overwriting(out, x.shape());
    kernels::logcumsumexp(out.data(), x.data(), kernels::AxisView::of(x.shape(), axis));
}

template <class T>
void Prod::forward(Array<T>& out, const Array<T>& x) const {
    reshape_for_overwriting(out, shapes.kept);
    kernels::prod_to(out, x);
    out.reshape(shapes.result);
}

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

}  // namespace autograd::ops

namespace autograd {
XTAPE_SCAN_STRUCTURES(XTAPE_INSTANTIATE_STRUCTURE)
}  // namespace autograd
