// One walk over a Loop serves all of them: either the rows shrink to a number, or they are combined with each other.
#include "autograd/kernels/reduce.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/kernels/elementwise.hpp"
#include "autograd/kernels/loop.hpp"

namespace autograd::kernels {
namespace {

template <class T>
T pairwise_sum(const T* from, std::size_t count) {
    constexpr std::size_t block = 512;
    if (count > block) {
        const std::size_t half = (count / 2 + block - 1) / block * block;
        return pairwise_sum(from, half) + pairwise_sum(from + half, count - half);
    }
    constexpr std::size_t width = Pack<T>::size;
    Pack<T> partial[4] = {0, 0, 0, 0};
    std::size_t i = 0;
    for (; i + 4 * width <= count; i += 4 * width) {
        for (std::size_t k = 0; k < 4; ++k) partial[k] = kernels::add(partial[k], Pack<T>::load(from + i + k * width));
    }
    T total = sum_lanes(kernels::add(kernels::add(partial[0], partial[1]), kernels::add(partial[2], partial[3])));
    for (; i < count; ++i) total += from[i];
    return total;
}

template <class T>
T larger_of(T a, T b) {
    return std::isnan(a) || a > b ? a : b;
}

template <class T>
T row_maximum(const T* from, std::size_t count) {
    Pack<T> best(-std::numeric_limits<T>::infinity());
    std::size_t i = 0;
    for (; i + Pack<T>::size <= count; i += Pack<T>::size) best = kernels::maximum(best, Pack<T>::load(from + i));
    T lanes[Pack<T>::size];
    best.store(lanes);
    T result = lanes[0];
    for (const T value : lanes) result = larger_of(result, value);
    for (; i < count; ++i) result = larger_of(result, from[i]);
    return result;
}

/// Walks `large` with `small` broadcast to it: `row(small, large, count)` where small advances along a row, `point`
/// where it stays.
template <class Small, class Large, class Row, class Point>
void walk(Small* small, const Shape& small_shape, Large* large, const Shape& large_shape, Row row, Point point) {
    const Shape* shapes[] = {&small_shape, &large_shape};
    const Loop loop(large_shape, shapes);
    loop.for_each_row([&](const Loop::Offsets& offsets) {
        if (loop.step(0) == 1) {
            row(small + offsets[0], large + offsets[1], loop.length());
        } else {
            point(small + offsets[0], large + offsets[1], loop.length());
        }
    });
}

template <class T, class Combine>
void combine_rows(T* to, const T* from, std::size_t count, Combine combine) {
    const auto apply = [&](const T* const* in, const std::ptrdiff_t*, std::ptrdiff_t i) {
        return combine(Pack<T>::load(in[0] + i), Pack<T>::load(in[1] + i));
    };
    const T* in[] = {to, from};
    map_exactly<T>(apply, to, false, in, nullptr, count);
}

}  // namespace

template <class T>
void sum_to(Array<T>& out, const Array<T>& source) {
    std::fill_n(out.data(), out.size(), T(0));
    walk(
        out.data(), out.shape(), source.data(), source.shape(),
        [](T* to, const T* from, std::size_t count) {
            combine_rows(to, from, count, [](Pack<T> a, Pack<T> b) { return kernels::add(a, b); });
        },
        [](T* to, const T* from, std::size_t count) { *to += pairwise_sum(from, count); });
}

template <class T>
void max_to(Array<T>& out, const Array<T>& source) {
    std::fill_n(out.data(), out.size(), -std::numeric_limits<T>::infinity());
    const auto larger = [](Pack<T> a, Pack<T> b) { return kernels::maximum(a, b); };
    walk(
        out.data(), out.shape(), source.data(), source.shape(),
        [&](T* to, const T* from, std::size_t count) { combine_rows(to, from, count, larger); },
        [&](T* to, const T* from, std::size_t count) {
            *to = larger_of(*to, row_maximum(from, count));
        });
}

template <class T>
void broadcast_to(Array<T>& out, const Array<T>& source) {
    walk(
        source.data(), source.shape(), out.data(), out.shape(),
        [](const T* from, T* to, std::size_t count) { std::copy_n(from, count, to); },
        [](const T* from, T* to, std::size_t count) { std::fill_n(to, count, *from); });
}

template <class T>
void accumulate(Array<T>& target, const Array<T>& source) {
    walk(
        source.data(), source.shape(), target.data(), target.shape(),
        [](const T* from, T* to, std::size_t count) {
            combine_rows(to, from, count, [](Pack<T> a, Pack<T> b) { return kernels::add(a, b); });
        },
        [](const T* from, T* to, std::size_t count) {
            for (std::size_t i = 0; i < count; ++i) to[i] += *from;
        });
}

template <class T>
std::size_t find_non_finite(const Array<T>& array) {
    const T* data = array.data();
    return static_cast<std::size_t>(
        std::find_if(data, data + array.size(), [](T value) { return !std::isfinite(value); }) - data);
}

#define XTAPE_INSTANTIATE(T)                                       \
    template void sum_to<T>(Array<T>&, const Array<T>&);           \
    template void max_to<T>(Array<T>&, const Array<T>&);           \
    template void broadcast_to<T>(Array<T>&, const Array<T>&);     \
    template void accumulate<T>(Array<T>&, const Array<T>&);       \
    template std::size_t find_non_finite<T>(const Array<T>&);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd::kernels
