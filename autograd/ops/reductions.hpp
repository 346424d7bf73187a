// Reductions over axes, and their mirror image broadcast_to. All of them work on the shape with extent 1 in place of the
// reduced axes, and drop these at the end where the caller does not keep them.
#pragma once

#include <cstddef>
#include <optional>

#include "autograd/ops/elementwise.hpp"
#include "autograd/ops/shape.hpp"

namespace XTAPE_API autograd {

/// Whether a reduced axis stays, with extent 1.
enum class KeepDims : bool { no = false, yes = true };

/// The sum over `axes`; 0 over an empty axis.
XTAPE_REDUCTION(sum)

/// The arithmetic mean over `axes`; NaN over an empty axis.
XTAPE_REDUCTION(mean)

/// The maximum over `axes`; NaN if one of the elements is.
/// @throws ShapeError over an empty axis, which has none.
XTAPE_REDUCTION(max)

/// The minimum over `axes`; NaN if one of the elements is.
/// @throws ShapeError over an empty axis, which has none.
XTAPE_REDUCTION(min)

namespace ops {
/// What stands in braces. @throws ShapeError if that is more than one axis.
[[nodiscard]] std::optional<std::ptrdiff_t> one_or_none(std::initializer_list<int> axis, const char* op);
}  // namespace ops

/// The index of the maximum along an axis, or among all elements in row-major order: a number, exact in float up to
/// 2^24. The first of several; that of the first NaN, if there is one. It cuts the gradient.
/// @throws ShapeError over an empty axis.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> argmax(X<T> x, std::optional<std::ptrdiff_t> axis = {}, KeepDims keepdims = KeepDims::no);
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> argmax(X<T> x, std::ptrdiff_t axis, KeepDims keepdims = KeepDims::no) {
    return argmax(x, std::optional(axis), keepdims);
}
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> argmax(X<T> x, std::initializer_list<int> axis, KeepDims keepdims = KeepDims::no) {
    return argmax(x, ops::one_or_none(axis, "argmax"), keepdims);
}

/// The index of the minimum, likewise.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> argmin(X<T> x, std::optional<std::ptrdiff_t> axis = {}, KeepDims keepdims = KeepDims::no);
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> argmin(X<T> x, std::ptrdiff_t axis, KeepDims keepdims = KeepDims::no) {
    return argmin(x, std::optional(axis), keepdims);
}
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> argmin(X<T> x, std::initializer_list<int> axis, KeepDims keepdims = KeepDims::no) {
    return argmin(x, ops::one_or_none(axis, "argmin"), keepdims);
}

/// log(sum(exp(x))) over `axes`, without overflow; minus infinity over an empty axis. Where all elements are minus
/// infinity their gradient is 0; elements of infinity share it equally.
XTAPE_REDUCTION(logsumexp)

/// x summed over the axes that broadcasting `shape` to x's shape would repeat: the adjoint of broadcast_to.
/// @throws ShapeError if `shape` does not broadcast to x's.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> sum_to(X<T> x, const Shape& shape);

/// x repeated along new axes and those of extent 1.
/// @throws ShapeError if x does not broadcast to `shape`.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> broadcast_to(X<T> x, const Shape& shape);

// ---- For other ops ----

namespace ops {

/// The shapes of a reduction, with and without the reduced axes.
struct ReducedShapes {
    Shape kept;
    Shape result;

    /// @throws ShapeError naming `op` for an axis that is not there or is named twice.
    static ReducedShapes of(const Shape& shape, const Axes& axes, KeepDims keepdims, const char* op);
    template <Operand X>
    static ReducedShapes of(const X& x, const Axes& axes, KeepDims keepdims, const char* op) {
        return detail::with_context_of(
            op, [&] { return of(x.shape(), axes, keepdims, op); }, x);
    }

    /// @throws ShapeError if they are not those of a reduction of this shape.
    void require_fit(const Shape& shape) const;
};

/// The mean over the axes that have extent 1 in `kept`, which keep it.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> mean_to(X<T> x, const Shape& kept);

/// What a part has of the sum that `whole` is the logarithm of, by its own logarithm: exp(part - whole), the gradient
/// of logsumexp. Where the whole is infinite it is the limit: elements of infinity have it all, in equal shares
/// (`of_part` and `of_whole` count them); among elements of minus infinity alone it is 0.
inline constexpr auto share_of_sum =
    elementwise<"share_of_sum">(
        [](auto part, auto whole, auto of_part, auto of_whole) {
            return where(whole == infinity, of_part / of_whole, exp(part - where(whole == -infinity, 0, whole)));
        },
        [](auto g, auto, auto, auto, auto, auto y) { return g * y; },
        [](auto g, auto, auto, auto, auto, auto y) { return -g * y; }, no_gradient, no_gradient)
        .documented({.formula = "exp(part - whole), a share of a logsumexp; of_part / of_whole where the whole is infinite",
                     .gradient = "g y, -g y, none, none",
                     .kinks = "whole = -infinity: exp(part)",
                     .nan = "the counts are looked at where the whole is infinite"});

/// log(sum(exp(x))) over the axes that `kept` has extent 1 for, of elements of which the largest is 0 (or all are minus
/// infinity): exact where one dominates, whose 1 would round the others away.
template <class T>
[[nodiscard]] Eager<T> log_of_sum(const Eager<T>& x, const Shape& kept);

/// What max() and min() have in common: elements that share the extreme share its gradient equally.
struct Extreme {
    ReducedShapes shapes;

    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X& y) const {
        const X top = reshape(y, shapes.kept);
        // A NaN equals nothing, and is handed on, lest nobody gets a gradient.
        return where(equal(x, top), reshape(g, shapes.kept) * shares(x, top), where(equal(top, top), 0, top));
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X& x, const X& y) const {
        const X top = reshape(y, shapes.kept);
        const X parts = where(equal(x, top), t * shares(x, top), where(equal(top, top), 0, top));
        return reshape(sum_to(parts, shapes.kept), shapes.result);
    }

   private:
    /// 1 / n, where n elements share the extreme.
    template <class X>
    X shares(const X& x, const X& top) const {
        return 1 / sum_to(equal(x, top), shapes.kept);
    }
};

}  // namespace ops

// ---- In words, for the table of ops ----

namespace ops::words {

inline constexpr Documentation sum{.formula = "the sum over axes", .gradient = "g, repeated"};
inline constexpr Documentation mean{.formula = "the sum over axes, divided by its number of terms",
                                    .gradient = "g / n, repeated"};
inline constexpr Documentation max{
    .formula = "the largest element", .gradient = "g to the largest", .kinks = "elements which share it share g equally"};
inline constexpr Documentation min{
    .formula = "the smallest element", .gradient = "g to the smallest", .kinks = "elements which share it share g equally"};
inline constexpr Documentation argmax{
    .formula = "the index of the largest element", .gradient = "none", .kinks = "the first of several"};
inline constexpr Documentation argmin{
    .formula = "the index of the smallest element", .gradient = "none", .kinks = "the first of several"};
inline constexpr Documentation logsumexp{
    .formula = "log(sum(exp(x)))", .gradient = "g exp(x - y)", .kinks = "all elements -infinity: 0; infinities: equal shares"};
inline constexpr Documentation sum_to{.formula = "x summed over the axes that broadcasting would repeat",
                                      .gradient = "g, repeated"};
inline constexpr Documentation broadcast_to{.formula = "x repeated along new axes and those of extent 1",
                                            .gradient = "g summed over them"};

}  // namespace ops::words

}  // namespace autograd
