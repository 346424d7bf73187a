// Values of the cumulative ops, by kernels/scan.hpp, and of prod, by kernels/reduce.hpp; and products whose results on
// the way may be no numbers.
#include "autograd/ops/scan.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "autograd/kernels/power_of_two.hpp"
#include "autograd/kernels/reduce.hpp"

namespace autograd::ops {
namespace {

/// A product whose exponent is kept apart, so that it neither over- nor underflows on the way.
class WideProduct {
   public:
    void operator*=(double factor) { mantissa_ = without_exponent(mantissa_ * without_exponent(factor)); }
    std::int64_t exponent() const { return exponent_; }
    double value() const {
        constexpr std::int64_t far = 10000;  // where there are no numbers
        return std::ldexp(mantissa_, static_cast<int>(std::clamp(exponent_, -far, far)));
    }

   private:
    double without_exponent(double x) {
        if (!std::isfinite(x)) return x;
        int exponent = 0;
        const double fraction = std::frexp(x, &exponent);
        exponent_ += exponent;
        return fraction;
    }

    double mantissa_ = 0.5;
    std::int64_t exponent_ = 1;
};

/// Whether, by the largest and the smallest of all magnitudes but 0, no product of so many elements over- or
/// underflows, or none is above 1. The bits of magnitudes are in the order of these.
template <class T>
bool is_moderate(const Array<T>& x, std::size_t count) {
    using Limits = std::numeric_limits<T>;
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    Bits largest = 0, smallest_less_1 = std::numeric_limits<Bits>::max();
    const T* data = x.data();
    for (std::size_t i = 0; i < x.size(); ++i) {
        const Bits magnitude = std::bit_cast<Bits>(data[i]) & (std::numeric_limits<Bits>::max() >> 1);
        largest = std::max(largest, magnitude);
        smallest_less_1 = std::min(smallest_less_1, static_cast<Bits>(magnitude - 1));  // of 0 it is the largest number
    }
    if (largest == 0) return true;
    const T most = std::bit_cast<T>(largest), least = std::bit_cast<T>(static_cast<Bits>(smallest_less_1 + 1));
    if (most <= 1) return true;
    if (!std::isfinite(most)) return false;
    const double up = std::ilogb(most) + 1, down = std::min(std::ilogb(least), 0), factors = static_cast<double>(count);
    return up * factors < Limits::max_exponent && down * factors >= Limits::min_exponent;
}

/// The rows in which elements have a product that overflows, or one that underflows while others have one above
/// `growth`: what underflow takes away grows by that.
template <class T>
PoolVector<std::size_t> extreme_rows(const Array<T>& rows, T growth) {
    using Limits = std::numeric_limits<T>;
    const std::size_t length = rows.shape()[1];
    PoolVector<std::size_t> places;
    for (std::size_t row = 0; row < rows.shape()[0]; ++row) {
        T most = 1, least = 1;
        for (std::size_t k = 0; k < length; ++k) {
            const T size = std::abs(rows.data()[row * length + k]);
            if (size != 0) (size > 1 ? most : least) *= size;
        }
        if (most > Limits::max() || (most > growth && least < Limits::min())) places.push_back(row);
    }
    return places;
}

}  // namespace

template <class T>
void LinearRecurrence::forward(Array<T>& out, const Array<T>& a, const Array<T>& b) const {
    if (a.shape() != b.shape()) {
        throw ShapeError("shapes " + to_string(a.shape()) + " and " + to_string(b.shape()) + " differ");
    }
    const auto view = kernels::AxisView::of(b.shape(), axis);
    reshape_for_overwriting(out, b.shape());
    kernels::linear_recurrence(out.data(), a.data(), b.data(), view, way, delayed);
}

template <class T>
void CumulativeSum::forward(Array<T>& out, const Array<T>& x) const {
    const auto view = kernels::AxisView::of(x.shape(), axis);
    reshape_for_overwriting(out, x.shape());
    kernels::cumulative_sum(out.data(), x.data(), view, way);
}

template <class T>
void CumulativeProd::forward(Array<T>& out, const Array<T>& x) const {
    const auto view = kernels::AxisView::of(x.shape(), axis);
    reshape_for_overwriting(out, x.shape());
    kernels::cumulative_prod(out.data(), x.data(), view, way);
    const auto is_normal = [](T y) { return std::isnormal(y); };
    if (is_moderate(x, view.extent) || std::all_of(out.begin(), out.end(), is_normal)) return;
    // A product may come back to the normal numbers, which it left unless x itself is 0, or no number, there.
    for (std::size_t line = 0; line < view.outer * view.inner; ++line) {
        const std::size_t origin = line / view.inner * view.extent * view.inner + line % view.inner;
        const auto place = [&](std::size_t i) {
            return origin + (way == Way::forwards ? i : view.extent - 1 - i) * view.inner;
        };
        std::size_t left = 0;
        while (left < view.extent && is_normal(out.data()[place(left)])) ++left;
        if (left == view.extent || x.data()[place(left)] == 0 || !std::isfinite(x.data()[place(left)])) continue;
        WideProduct product;
        for (std::size_t i = 0; i < view.extent; ++i) {
            product *= x.data()[place(i)];
            out.data()[place(i)] = static_cast<T>(product.value());
        }
    }
}

template <class T>
void LogCumSumExp::forward(Array<T>& out, const Array<T>& x) const {
    const auto view = kernels::AxisView::of(x.shape(), axis);
    reshape_for_overwriting(out, x.shape());
    kernels::logcumsumexp(out.data(), x.data(), view);
}

template <class T>
void Prod::forward(Array<T>& out, const Array<T>& x) const {
    shapes.require_fit(x.shape());
    reshape_for_overwriting(out, shapes.kept);
    kernels::prod_to(out, x);
    if (!is_moderate(x, x.size() / std::max<std::size_t>(out.size(), 1))) {
        const Rows rows = rows_of(x.shape());
        const Eager<T> matrix = reshape(permute_dims(Eager<T>(x), rows.order), rows.shape);
        const std::size_t length = rows.shape[1];
        // An underflow that grows by no more than the number of factors is as good as their roundings.
        for (const std::size_t i : extreme_rows(matrix.array(), static_cast<T>(length))) {
            WideProduct product;
            for (std::size_t k = 0; k < length; ++k) product *= matrix.array().data()[i * length + k];
            out.data()[i] = static_cast<T>(product.value());
        }
    }
    out.reshape(shapes.result);
}

template <class T>
std::optional<RowScale<T>> RowScale<T>::of(const Array<T>& rows) {
    const std::size_t length = rows.shape()[1];
    if (is_moderate(rows, length)) return {};
    // Of three elements the others are two, whose product is multiplied with nothing.
    const T growth = length > 3 ? static_cast<T>(length) : std::numeric_limits<T>::max();
    const auto extreme = extreme_rows(rows, growth);
    if (extreme.empty()) return {};
    const Array<T> ones = full<T>(rows.shape(), T(1));
    RowScale scale{ones, ones, ones, ones};
    PoolVector<std::int64_t> exponents(length), taken(length);
    for (const std::size_t row : extreme) {
        // Zeros, and what is not finite, are as if they were 1.
        const T* x = rows.data() + row * length;
        WideProduct product;
        for (std::size_t k = 0; k < length; ++k) {
            if (x[k] != 0 && std::isfinite(x[k])) product *= x[k];
            exponents[k] = product.exponent();
        }
        // The exponents of the products of the first elements shall run evenly to that of all, or as near to it as
        // numbers go. Then no product of neighbours is further from 1 than the end is.
        constexpr std::int64_t limit = std::numeric_limits<T>::max_exponent - 8;
        const std::int64_t end = std::clamp(product.exponent(), -limit, limit);
        std::int64_t taken_before = 0;
        for (std::size_t k = 0; k < length; ++k) {
            const std::int64_t taken_so_far =
                exponents[k] - end * static_cast<std::int64_t>(k + 1) / static_cast<std::int64_t>(length);
            taken[k] = taken_so_far - taken_before;
            taken_before = taken_so_far;
        }
        for (std::size_t k = 0; k < length; ++k) {
            const std::size_t place = row * length + k;
            kernels::set_halves(scale.half.data()[place], scale.other_half.data()[place], -taken[k]);
            kernels::set_halves(scale.undo.data()[place], scale.other_undo.data()[place], taken_before - taken[k]);
        }
    }
    return scale;
}

template struct RowScale<float>;
template struct RowScale<double>;

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
