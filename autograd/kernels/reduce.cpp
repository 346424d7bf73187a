// One walk over a Loop's rows serves the reductions, another what goes the other way: rows copied, or added, to more rows.
#include "autograd/kernels/reduce.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "autograd/kernels/elementwise.hpp"
#include "autograd/kernels/loop.hpp"
#include "autograd/kernels/row_reduction.hpp"

namespace autograd::kernels {
namespace {

/// to[i] = join(to[i], from[i]). Nothing beyond the rows is read: it may be another thread's.
template <class T, class Join>
void join_rows(T* to, const T* from, std::size_t count, Join join) {
    const std::size_t whole = count / Pack<T>::size * Pack<T>::size;
    for (std::size_t i = 0; i < whole; i += Pack<T>::size) join(Pack<T>::load(to + i), Pack<T>::load(from + i)).store(to + i);
    for (std::size_t i = whole; i < count; ++i) to[i] = join(to[i], from[i]);
}

/// Reduces elements in memory by a Join: a function of two packs and of two values, and what it leaves alone.
template <class T, class Join>
struct MemoryReduction {
    const T* data;
    Join joins{};

    const T* at(const Loop::Offsets& offsets, std::size_t first) const { return data + offsets[1] + first; }
    void into(T* to, const T* const* rows, std::size_t row_count, std::size_t count) const {
        const auto apply = [&](const T* const* from, const Advance*, std::ptrdiff_t i) {
            Pack<T> joined = Pack<T>::load(from[0] + i);
            for (std::size_t row = 1; row < row_count; ++row) joined = joins(joined, Pack<T>::load(from[row] + i));
            return joined;
        };
        map_exactly<T>(apply, to, false, rows, nullptr, count);
    }
    T total(const Loop::Offsets& offsets, std::size_t first, std::size_t count) const {
        const T* from = data + offsets[1] + first;
        constexpr std::size_t width = Pack<T>::size;
        Pack<T> partial[4];
        std::fill_n(partial, 4, Pack<T>(Join::neutral));
        std::size_t i = 0;
        for (; i + 4 * width <= count; i += 4 * width) {
            for (std::size_t k = 0; k < 4; ++k) partial[k] = joins(partial[k], Pack<T>::load(from + i + k * width));
        }
        T lanes[width];
        joins(joins(partial[0], partial[1]), joins(partial[2], partial[3])).store(lanes);
        for (std::size_t half = width / 2; half > 0; half /= 2) {
            for (std::size_t k = 0; k < half; ++k) lanes[k] = join(lanes[k], lanes[k + half]);
        }
        return std::accumulate(from + i, from + count, lanes[0], joins);
    }
    T join(T a, T b) const { return joins(a, b); }
    void join(T* to, const T* from, std::size_t count) const { join_rows(to, from, count, joins); }
};

template <class T>
struct Add {
    static constexpr T neutral = 0;
    Pack<T> operator()(Pack<T> a, Pack<T> b) const { return kernels::add(a, b); }
    T operator()(T a, T b) const { return a + b; }
};

template <class T>
struct Larger {
    static constexpr T neutral = -std::numeric_limits<T>::infinity();
    Pack<T> operator()(Pack<T> a, Pack<T> b) const { return kernels::maximum(a, b); }
    T operator()(T a, T b) const { return std::isnan(a) || a > b ? a : b; }
};

template <class T>
struct Smaller {
    static constexpr T neutral = std::numeric_limits<T>::infinity();
    Pack<T> operator()(Pack<T> a, Pack<T> b) const { return kernels::minimum(a, b); }
    T operator()(T a, T b) const { return std::isnan(a) || a < b ? a : b; }
};

template <class T>
struct Multiply {
    static constexpr T neutral = 1;
    Pack<T> operator()(Pack<T> a, Pack<T> b) const { return kernels::multiply(a, b); }
    T operator()(T a, T b) const { return a * b; }
};

template <class T, template <class> class Join>
void reduce_to(Array<T>& out, const Array<T>& source) {
    if (source.size() == 0) {
        std::fill_n(out.data(), out.size(), Join<T>::neutral);
        return;
    }
    const Shape* shapes[] = {&out.shape(), &source.shape()};
    const Loop loop(source.shape(), shapes);
    RowReduction(loop, 0, out.data(), false, [&](const T*) { return MemoryReduction<T, Join<T>>{source.data()}; }).run();
}

/// `precedes(a, b)`: whether a is to be preferred to a b found before it.
template <class T, class Precedes>
void find_first(T* out, const T* source, const AxisView& view, Precedes precedes) {
    for_shares(view.outer, view.extent * view.inner, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            for (std::size_t k = 0; k < view.inner; ++k) {
                const T* from = source + i * view.extent * view.inner + k;
                std::size_t best = 0;
                for (std::size_t j = 1; j < view.extent; ++j) {
                    const T found = from[best * view.inner], next = from[j * view.inner];
                    if (precedes(next, found) || (std::isnan(next) && !std::isnan(found))) best = j;
                }
                out[i * view.inner + k] = static_cast<T>(best);
            }
        }
    });
}

/// Walks `large` with `small` broadcast to it: `row(small, large, count)` where small advances along a row, `point`
/// where it stays.
template <class Small, class Large, class Row, class Point>
void walk(Small* small, const Shape& small_shape, Large* large, const Shape& large_shape, Row row, Point point) {
    const Shape* shapes[] = {&small_shape, &large_shape};
    const Loop loop(large_shape, shapes);
    if (loop.length() == 0) return;
    for_shares(loop.rows(), loop.length(), [&](std::size_t begin, std::size_t end) {
        loop.for_each_row(begin, end, [&](const Loop::Offsets& offsets) {
            if (loop.step(0) == 1) {
                row(small + offsets[0], large + offsets[1], loop.length());
            } else {
                point(small + offsets[0], large + offsets[1], loop.length());
            }
        });
    });
}

}  // namespace

template <class T>
void sum_to(Array<T>& out, const Array<T>& source) {
    reduce_to<T, Add>(out, source);
}

template <class T>
void max_to(Array<T>& out, const Array<T>& source) {
    reduce_to<T, Larger>(out, source);
}

template <class T>
void min_to(Array<T>& out, const Array<T>& source) {
    reduce_to<T, Smaller>(out, source);
}

template <class T>
void prod_to(Array<T>& out, const Array<T>& source) {
    reduce_to<T, Multiply>(out, source);
}

template <class T>
void argmax(T* out, const T* source, const AxisView& view) {
    find_first(out, source, view, [](T a, T b) { return a > b; });
}

template <class T>
void argmin(T* out, const T* source, const AxisView& view) {
    find_first(out, source, view, [](T a, T b) { return a < b; });
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
        [](const T* from, T* to, std::size_t count) { join_rows(to, from, count, Add<T>()); },
        [](const T* from, T* to, std::size_t count) {
            for (std::size_t i = 0; i < count; ++i) to[i] += *from;
        });
}

template <class T>
std::size_t find_non_finite(const Array<T>& array) {
    const T* data = array.data();
    return static_cast<std::size_t>(std::find_if(data, data + array.size(), [](T value) { return !std::isfinite(value); }) -
                                    data);
}

#define XTAPE_INSTANTIATE(T)                                             \
    template XTAPE_API void sum_to<T>(Array<T>&, const Array<T>&);       \
    template XTAPE_API void max_to<T>(Array<T>&, const Array<T>&);       \
    template XTAPE_API void min_to<T>(Array<T>&, const Array<T>&);       \
    template XTAPE_API void prod_to<T>(Array<T>&, const Array<T>&);      \
    template XTAPE_API void argmax<T>(T*, const T*, const AxisView&);    \
    template XTAPE_API void argmin<T>(T*, const T*, const AxisView&);    \
    template XTAPE_API void broadcast_to<T>(Array<T>&, const Array<T>&); \
    template XTAPE_API void accumulate<T>(Array<T>&, const Array<T>&);   \
    template XTAPE_API std::size_t find_non_finite<T>(const Array<T>&);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd::kernels
