// Values of variances and of roots of sums of powers, and by what groups are divided lest squares of them over- or
// underflow.
#include "autograd/ops/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/kernels/reduce.hpp"

namespace autograd {
namespace ops {
namespace {

/// What squares of ordinary numbers are below, and their inverses: then cubes of them, by which second derivatives are
/// divided, are numbers too.
template <class T>
T largest_square() {
    return std::ldexp(T(1), std::numeric_limits<T>::max_exponent / 3);
}

template <class T>
bool is_ordinary(T square) {
    return 1 / largest_square<T>() <= square && square <= largest_square<T>();
}

/// The largest |x| of each group. There must be elements.
template <class T>
Array<T> sizes_of(const Array<T>& x, const Shape& kept) {
    Array<T> sizes = empty<T>(kept);
    kernels::max_to(sizes, abs(Eager<T>(x)).array());
    return sizes;
}

/// Whether no square of a difference of two elements is too large. NaN is not ordinary.
template <class T>
bool none_is_large(const Array<T>& x) {
    Array<T> most = empty<T>({}), least = empty<T>({});
    kernels::max_to(most, x);
    kernels::min_to(least, x);
    const T bound = std::sqrt(largest_square<T>()) / 2;
    return most() <= bound && least() >= -bound;
}

}  // namespace

template <class T>
std::optional<Array<T>> scale_of_squares(const Array<T>& x, const Array<T>& squares, double least) {
    if (x.size() == 0 || std::all_of(squares.begin(), squares.end(), is_ordinary<T>)) return {};
    Array<T> scale = sizes_of(x, squares.shape());
    for (std::size_t i = 0; i < scale.size(); ++i) {
        const T size = std::max(scale.data()[i], static_cast<T>(least));
        const bool is_number = size > 0 && std::isfinite(size);
        scale.data()[i] = is_number && !is_ordinary(squares.data()[i]) ? std::ldexp(T(1), std::ilogb(size)) : T(1);
    }
    return scale;
}

template <class T>
std::optional<Array<T>> scale_of_spread(const Array<T>& x, const Shape& kept, double epsilon) {
    if (x.size() == 0 || (is_ordinary(static_cast<T>(epsilon)) && none_is_large(x))) return {};
    const Eager<T> variance = apply(Mean{{kept, kept}}, square(centred(Eager<T>(x), kept)));
    return scale_of_squares(x, (variance + epsilon).array(), std::sqrt(epsilon));
}

template <class T>
bool all_finite(const Array<T>& x) {
    return kernels::find_non_finite(x) == x.size();
}

void require_order(double ord) {
    if (!(ord > 0)) throw ShapeError(fmt::format("ord must be positive, not {}", ord));
}

void require_correction(double correction) {
    if (std::isfinite(correction)) return;
    throw Error(fmt::format("correction = {}: a finite number is wanted", correction));
}

template <class T>
void Variance::forward(Array<T>& out, const Array<T>& x) const {
    shapes.require_fit(x.shape());
    out = (sum_to(square(exactly_centred(Eager<T>(x), shapes.kept)), shapes.kept) / divisor).take();
    out.reshape(shapes.result);
}

template <class T>
std::optional<Array<T>> RootOfPowers::scale(const Array<T>& x, const Array<T>& squares) const {
    if (ord == 2 || x.size() == 0) return scale_of_squares(x, squares);
    Array<T> scale = sizes_of(x, shapes.kept);
    for (T& size : scale) size = size > 0 && std::isfinite(size) ? size : T(1);
    return scale;
}

template <class T>
RootOfPowers::Limit<T> RootOfPowers::limit(const Array<T>& terms) const {
    const Eager<T> t(terms), largest(sizes_of(terms, shapes.kept));
    const Eager<T> several = sum_to(isinf(t), shapes.kept) > 1;
    // Beside an infinity a number does not count; of orders below 1 its slope is infinite, but for that of a 0.
    const Eager<T> of_number = ord < 1 ? where(t == 0, 0, t * infinity) : 0 * t;
    const Eager<T> slope = where(isinf(t), where(several, not_a_number, sign(t)), of_number);
    // Where the divisor is NaN all is, zeros too.
    const Eager<T> holds = logical_and(divisor > 0, logical_or(largest == 0, largest == infinity));
    return {holds.array(), slope.array()};
}

template <class T>
void RootOfPowers::forward(Array<T>& out, const Array<T>& array) const {
    shapes.require_fit(array.shape());
    const Eager<T> x(array);
    const auto total_over = [&](const std::optional<Array<T>>& scale) {
        const Eager<T> t = terms(x, scale);
        return sum_to(ord == 2 ? square(t) : pow(abs(t), ord), shapes.kept) / divisor;
    };
    // Squares are scaled only where they must be.
    const Eager<T> plain = ord == 2 ? total_over({}) : Eager<T>(Array<T>());
    const auto by = scale(array, plain.array());
    const Eager<T> total = by || ord != 2 ? total_over(by) : plain;
    const Eager<T> root = ord == 2 ? sqrt(total) : pow(total, 1 / ord);
    out = by ? (Eager<T>(*by) * root).array() : root.array();
    out.reshape(shapes.result);
}

#define XTAPE_INSTANTIATE(T)                                                                        \
    template std::optional<Array<T>> scale_of_squares<T>(const Array<T>&, const Array<T>&, double); \
    template std::optional<Array<T>> scale_of_spread<T>(const Array<T>&, const Shape&, double);     \
    template bool all_finite<T>(const Array<T>&);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace ops

XTAPE_STATISTICS_STRUCTURES(XTAPE_INSTANTIATE_STRUCTURE)
}  // namespace autograd
