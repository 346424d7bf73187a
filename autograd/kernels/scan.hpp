// Running along an axis: each result is made of the one before it. Elements beside the axis are independent of each
// other, which is where the speed comes from. No tape here.
#pragma once

#include "autograd/kernels/layout.hpp"

namespace XTAPE_API autograd {
namespace kernels {

/// The way of a scan: from the first element of an axis to the last, or back.
enum class Way : bool { forwards = false, backwards = true };

/// out_0 = b_0, out_i = a_i out_(i-1) + b_i; i - 1 is the one before in the way. With `delayed`, a_(i-1) in place of
/// a_i.
template <class T>
void linear_recurrence(T* out, const T* a, const T* b, const AxisView& view, Way way, bool delayed);

template <class T>
void cumulative_sum(T* out, const T* x, const AxisView& view, Way way);

template <class T>
void cumulative_prod(T* out, const T* x, const AxisView& view, Way way);

/// out_i = log(exp(x_0) + ... + exp(x_i)), without overflow.
template <class T>
void logcumsumexp(T* out, const T* x, const AxisView& view);

}  // namespace kernels
}  // namespace autograd
