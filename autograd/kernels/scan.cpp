// The axis is walked once; rows of elements beside it are the inner loop, which vectorises.
#include "autograd/kernels/scan.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/base/threads.hpp"
#include "autograd/kernels/running_sum.hpp"

namespace autograd::kernels {
namespace {

/// Elements beside the axis that are walked together: few enough to stay in the nearest cache from one step to the
/// next.
constexpr std::size_t block = 512;

/// Calls walk(first place, number of places side by side) for all that lies beside the axis.
template <class Walk>
void for_each_block(const AxisView& view, Walk walk) {
    if (view.outer * view.extent * view.inner == 0) return;
    const std::size_t blocks = (view.inner + block - 1) / block;
    for_shares(view.outer * blocks, view.extent * std::min(block, view.inner), [&](std::size_t begin, std::size_t end) {
        for (std::size_t unit = begin; unit < end; ++unit) {
            const std::size_t first = unit % blocks * block;
            walk(unit / blocks * view.extent * view.inner + first, std::min(block, view.inner - first));
        }
    });
}

/// out = first(place) at the beginning of the way; from then on what next(running, place, place before) makes of what
/// runs on, of which only the results are rounded.
template <class T, class First, class Next>
void scan(T* out, const AxisView& view, Way way, First first, Next next) {
    for_each_block(view, [&](std::size_t origin, std::size_t count) {
        RunningSum<T> running[block];
        const bool back = way == Way::backwards;
        std::size_t now = back ? origin + (view.extent - 1) * view.inner : origin;
        for (std::size_t k = 0; k < count; ++k) {
            running[k] = RunningSum<T>(first(now + k));
            out[now + k] = running[k].value();
        }
        for (std::size_t i = 1; i < view.extent; ++i) {
            const std::size_t before = now;
            now = back ? now - view.inner : now + view.inner;
            for (std::size_t k = 0; k < count; ++k) {
                next(running[k], now + k, before + k);
                out[now + k] = running[k].value();
            }
        }
    });
}

}  // namespace

template <class T>
void linear_recurrence(T* out, const T* a, const T* b, const AxisView& view, Way way, bool delayed) {
    const auto first = [=](std::size_t i) { return b[i]; };
    if (delayed) {
        scan(out, view, way, first, [=](RunningSum<T>& y, std::size_t i, std::size_t before) { (y *= a[before]) += b[i]; });
    } else {
        scan(out, view, way, first, [=](RunningSum<T>& y, std::size_t i, std::size_t) { (y *= a[i]) += b[i]; });
    }
}

template <class T>
void cumulative_sum(T* out, const T* x, const AxisView& view, Way way) {
    scan(
        out, view, way, [=](std::size_t i) { return x[i]; }, [=](RunningSum<T>& y, std::size_t i, std::size_t) { y += x[i]; });
}

template <class T>
void cumulative_prod(T* out, const T* x, const AxisView& view, Way way) {
    scan(
        out, view, way, [=](std::size_t i) { return x[i]; }, [=](RunningSum<T>& y, std::size_t i, std::size_t) { y *= x[i]; });
}

template <class T>
void logcumsumexp(T* out, const T* x, const AxisView& view) {
    constexpr T infinity = std::numeric_limits<T>::infinity();
    for_each_block(view, [&](std::size_t origin, std::size_t count) {
        // The largest so far, and the sum of exp(x - largest) over the others: its own 1 would round theirs away. The
        // logarithm is taken anew each time, so errors do not add up.
        T largest[block];
        RunningSum<T> others[block];
        std::fill_n(largest, count, -infinity);
        std::fill_n(others, count, RunningSum<T>(0));
        for (std::size_t i = 0; i < view.extent; ++i) {
            const std::size_t now = origin + i * view.inner;
            for (std::size_t k = 0; k < count; ++k) {
                const T value = x[now + k];
                if (value > largest[k]) {
                    (others[k] += 1) *= std::exp(static_cast<double>(largest[k]) - value);
                    largest[k] = value;
                } else if (std::isnan(value)) {
                    others[k] = RunningSum<T>(value);
                } else if (std::isfinite(value)) {
                    others[k] += std::exp(value - largest[k]);
                }
                out[now + k] = largest[k] + std::log1p(others[k].value());
            }
        }
    });
}

#define XTAPE_INSTANTIATE(T)                                                                          \
    template XTAPE_API void linear_recurrence<T>(T*, const T*, const T*, const AxisView&, Way, bool); \
    template XTAPE_API void cumulative_sum<T>(T*, const T*, const AxisView&, Way);                    \
    template XTAPE_API void cumulative_prod<T>(T*, const T*, const AxisView&, Way);                   \
    template XTAPE_API void logcumsumexp<T>(T*, const T*, const AxisView&);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd::kernels
