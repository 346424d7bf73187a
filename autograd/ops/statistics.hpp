// Statistics and norms over axes. Variances and roots of sums of powers are ops of their own: they, or their gradients,
// are numbers where the squares are none. The rest records the reductions that it is made of. Sums, means and extremes
// themselves are in reductions.hpp.
#pragma once

#include <concepts>
#include <initializer_list>
#include <optional>

#include "autograd/ops/reductions.hpp"

namespace XTAPE_API autograd {

namespace ops {

template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> var(X<T> x, const Axes& axes, KeepDims keepdims, double correction);
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> stddev(X<T> x, const Axes& axes, KeepDims keepdims, double correction);
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> vector_norm(X<T> x, const Axes& axes, KeepDims keepdims, double ord);

}  // namespace ops

/// The variance over `axes`: the sum of the squared distances from the mean, divided by n - correction. NaN where this
/// is not positive. The distances are computed, not the difference of two large squares.
/// @throws Error if `correction` is not finite.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> var(X<T> x, KeepDims keepdims = KeepDims::no, double correction = 0) {
    return ops::var(x, Axes(), keepdims, correction);
}
template <template <class> class X, class T, AxesArgument A>
requires Operand<X<T>>
[[nodiscard]] X<T> var(X<T> x, A&& axes, KeepDims keepdims = KeepDims::no, double correction = 0) {
    return ops::var(x, Axes(axes), keepdims, correction);
}
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> var(X<T> x, std::initializer_list<int> axes, KeepDims keepdims = KeepDims::no, double correction = 0) {
    return ops::var(x, Axes::listed(axes), keepdims, correction);
}
template <template <class> class X, class T, std::integral I>
requires Operand<X<T>>
[[nodiscard]] X<T> var(X<T> x, std::initializer_list<I> axes, KeepDims keepdims = KeepDims::no, double correction = 0) {
    return ops::var(x, Axes::listed(axes), keepdims, correction);
}

/// The standard deviation, the root of var(). (The array API's `std`, which no C++ program could call.) It is a number
/// where its square is none. Where it is 0 its gradient is 0, one of its subgradients.
/// @throws Error if `correction` is not finite.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> stddev(X<T> x, KeepDims keepdims = KeepDims::no, double correction = 0) {
    return ops::stddev(x, Axes(), keepdims, correction);
}
template <template <class> class X, class T, AxesArgument A>
requires Operand<X<T>>
[[nodiscard]] X<T> stddev(X<T> x, A&& axes, KeepDims keepdims = KeepDims::no, double correction = 0) {
    return ops::stddev(x, Axes(axes), keepdims, correction);
}
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> stddev(X<T> x, std::initializer_list<int> axes, KeepDims keepdims = KeepDims::no, double correction = 0) {
    return ops::stddev(x, Axes::listed(axes), keepdims, correction);
}
template <template <class> class X, class T, std::integral I>
requires Operand<X<T>>
[[nodiscard]] X<T> stddev(X<T> x, std::initializer_list<I> axes, KeepDims keepdims = KeepDims::no, double correction = 0) {
    return ops::stddev(x, Axes::listed(axes), keepdims, correction);
}

/// The p-norm over `axes`, taken together as one vector: sum(|x|^ord)^(1 / ord), or the largest |x| for infinity.
/// Squares and powers neither overflow nor vanish. The gradient at the zero vector is 0, and for orders below 2 that of
/// an element which is 0. Where one element is infinite it is the limit; where several are, that of these is NaN.
/// @throws ShapeError if `ord` is not positive; over an empty axis if it is infinite.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> vector_norm(X<T> x, KeepDims keepdims = KeepDims::no, double ord = 2) {
    return ops::vector_norm(x, Axes(), keepdims, ord);
}
template <template <class> class X, class T, AxesArgument A>
requires Operand<X<T>>
[[nodiscard]] X<T> vector_norm(X<T> x, A&& axes, KeepDims keepdims = KeepDims::no, double ord = 2) {
    return ops::vector_norm(x, Axes(axes), keepdims, ord);
}
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> vector_norm(X<T> x, std::initializer_list<int> axes, KeepDims keepdims = KeepDims::no, double ord = 2) {
    return ops::vector_norm(x, Axes::listed(axes), keepdims, ord);
}
template <template <class> class X, class T, std::integral I>
requires Operand<X<T>>
[[nodiscard]] X<T> vector_norm(X<T> x, std::initializer_list<I> axes, KeepDims keepdims = KeepDims::no, double ord = 2) {
    return ops::vector_norm(x, Axes::listed(axes), keepdims, ord);
}

/// How many elements over `axes` are not 0, as a number: exact in float up to 2^24. NaN is not 0. It cuts the gradient.
XTAPE_REDUCTION(count_nonzero)

/// 1 where at least one element over `axes` is not 0, else 0. It cuts the gradient.
XTAPE_REDUCTION(any)

/// 1 where no element over `axes` is 0, else 0. It cuts the gradient.
XTAPE_REDUCTION(all)

// ---- For other ops ----

namespace ops {

/// x less its mean over the axes that have extent 1 in `kept`, and less what the rounding of the mean leaves: 0 of equal
/// numbers, and slopes that sum to 0.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> exactly_centred(X<T> x, const Shape& kept);

/// What to divide each group of x by, the elements over the axes that have extent 1 in `kept`, before its distances from
/// the mean are squared and epsilon added: 1 where the variance is far from over- and underflow, else a power of two,
/// which rounds nothing. None if no variance is near. One pass over ordinary numbers, if epsilon is one.
template <class T>
[[nodiscard]] std::optional<Array<T>> scale_of_spread(const Array<T>& x, const Shape& kept, double epsilon);

/// x over its scale, where there is one.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> over_scale(X<T> x, const std::optional<Array<T>>& scale);

}  // namespace ops

// ---- In words, for the table of ops ----

namespace ops::words {

inline constexpr Documentation var{.formula = "sum((x - mean(x))^2) / (n - correction)",
                                   .gradient = "2 g (x - mean(x)) / (n - correction)"};
inline constexpr Documentation stddev{
    .formula = "sqrt(var(x))", .gradient = "g (x - mean(x)) / (y (n - correction))", .kinks = "y = 0: 0"};
inline constexpr Documentation vector_norm{.formula = "sum(|x|^ord)^(1 / ord)",
                                           .gradient = "g sign(x) (|x| / y)^(ord - 1)",
                                           .kinks = "y = 0, and x = 0 where ord < 2: 0; several infinities: NaN to these"};
inline constexpr Documentation count_nonzero{.formula = "how many elements are not 0", .gradient = "none", .nan = "is not 0"};
inline constexpr Documentation any{.formula = "1 if an element is not 0, else 0", .gradient = "none", .nan = "is not 0"};
inline constexpr Documentation all{.formula = "0 if an element is 0, else 1", .gradient = "none", .nan = "is not 0"};

}  // namespace ops::words

}  // namespace autograd
