// Cumulative ops along an axis, and what makes their gradients: the linear recurrence y_i = a_i y_(i-1) + b_i
// (Blelloch, "Prefix sums and their applications", 1990, section 1.4). Also prod, the reduction whose gradient is made
// of these, and diff, differences; the other reductions are in reductions.hpp.
#pragma once

#include <cstddef>

#include "autograd/kernels/scan.hpp"
#include "autograd/ops/reductions.hpp"

namespace XTAPE_API autograd {

/// Whether a cumulative op begins with what no element gives, and so is longer by one.
enum class IncludeInitial : bool { no = false, yes = true };

/// From the first element of an axis to the last, or back.
using kernels::Way;

/// y_i = a_i y_(i-1) + b_i along an axis, y_0 = b_0, of a and b broadcast to one shape: a filter, an exponential
/// average, a discounted sum. Backwards, y_i = a_i y_(i+1) + b_i. The first a in the way has no effect.
/// @throws ShapeError if the shapes do not broadcast, or there is no such axis.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> linear_recurrence(X<T> a, X<T> b, std::ptrdiff_t axis, Way way = Way::forwards);

/// Element i is the sum of x's elements up to and with i along an axis. With the initial 0, up to i - 1.
/// @throws ShapeError for an axis that is not there.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> cumulative_sum(X<T> x, std::ptrdiff_t axis, IncludeInitial initial = IncludeInitial::no);

/// Element i is the product of x's elements up to and with i along an axis. With the initial 1, up to i - 1. A product
/// that over- or underflows may come back to the numbers. Not so the gradient: in an element it is the product of those
/// before it, times a sum of products of those after it. Where one of these two factors is no number of x's type, or
/// below its normal ones, the gradient is wrong, even if it is a number itself: in float, that of the last element of
/// cumulative_prod((1e30, 1e30, 1e-30, 1e-30)) is (1e-30, 0, inf, 1e30), where prod's is right.
/// @throws ShapeError for an axis that is not there.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> cumulative_prod(X<T> x, std::ptrdiff_t axis, IncludeInitial initial = IncludeInitial::no);

/// log(exp(x_0) + ... + exp(x_i)) along an axis, without overflow. Elements of minus infinity, also where there is
/// nothing else yet, have a gradient of 0; elements of infinity share it equally.
/// @throws ShapeError for an axis that is not there.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> logcumsumexp(X<T> x, std::ptrdiff_t axis);

/// The n-th differences along an axis: x_(i+1) - x_i for n = 1, and of these again for more. The axis is n shorter, or empty.
/// @throws ShapeError for an axis that is not there, or a negative n.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> diff(X<T> x, std::ptrdiff_t n = 1, std::ptrdiff_t axis = -1);

/// The product over `axes`; 1 over an empty axis. Its gradient is right with zeros, one or several. Value and gradient
/// are right also where products of some of the elements over- or underflow. Second derivatives may not be, where
/// others of them, elements of the gradient, or products of elements other than zeros over- or underflow, or an element
/// of x is below the normal numbers.
XTAPE_REDUCTION(prod)

// ---- For other ops ----

namespace ops {

/// What linear_recurrence() records, of a and b of one shape. Delayed, y_i = a_(i-1) y_(i-1) + b_i.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> linear_recurrence(X<T> a, X<T> b, std::size_t axis, Way way, bool delayed);

}  // namespace ops

// ---- In words, for the table of ops ----

namespace ops::words {

inline constexpr Documentation linear_recurrence{.formula = "y_i = a_i y_(i-1) + b_i",
                                                 .gradient = "to b: r_i = g_i + a_(i+1) r_(i+1); to a: r_i y_(i-1)"};
inline constexpr Documentation cumulative_sum{.formula = "y_i = x_0 + ... + x_i", .gradient = "g_i + g_(i+1) + ..."};
inline constexpr Documentation cumulative_prod{.formula = "y_i = x_0 ... x_i",
                                               .gradient = "y_(i-1) r_i, where r_i = g_i + x_(i+1) r_(i+1)"};
inline constexpr Documentation logcumsumexp{.formula = "log(exp(x_0) + ... + exp(x_i))",
                                            .gradient = "exp(x_i - y_i) r_i, where r_i = g_i + exp(y_i - y_(i+1)) r_(i+1)",
                                            .kinks = "elements -infinity: 0; infinities: equal shares"};
inline constexpr Documentation diff{.formula = "x_(i+1) - x_i, n times", .gradient = "(-1)^n diff(g among zeros)"};
inline constexpr Documentation prod{.formula = "the product over axes", .gradient = "g times the product of the others"};

}  // namespace ops::words

}  // namespace autograd
