// Plain loops over runs of inner elements. Threads share what lies outside the axis, so that no two write to one place.
#include "autograd/kernels/gather.hpp"

#include <algorithm>

#include "autograd/threads.hpp"

namespace autograd::kernels {
namespace {

/// Calls run(place in the array of the view, place among the picked) for each run of `inner` elements.
template <class Run>
void for_each_run(const AxisView& view, const std::size_t* indices, std::size_t count, Run run) {
    for_shares(view.outer, count * view.inner, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            for (std::size_t j = 0; j < count; ++j) {
                run((i * view.extent + indices[j]) * view.inner, (i * count + j) * view.inner);
            }
        }
    });
}

/// Calls move(place in the array of the view, place among the picked) for each element.
template <class Move>
void for_each_element(const AxisView& view, const std::size_t* indices, std::size_t count, Move move) {
    for_shares(view.outer, count * view.inner, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            for (std::size_t j = 0; j < count; ++j) {
                const std::size_t row = (i * count + j) * view.inner;
                for (std::size_t k = 0; k < view.inner; ++k) {
                    move((i * view.extent + indices[row + k]) * view.inner + k, row + k);
                }
            }
        }
    });
}

}  // namespace

template <class T>
void gather(T* out, const T* source, const AxisView& view, const std::size_t* indices, std::size_t count) {
    for_each_run(view, indices, count,
                 [&](std::size_t from, std::size_t to) { std::copy_n(source + from, view.inner, out + to); });
}

template <class T>
void scatter_add(T* target, const T* source, const AxisView& view, const std::size_t* indices, std::size_t count) {
    for_each_run(view, indices, count, [&](std::size_t to, std::size_t from) {
        for (std::size_t k = 0; k < view.inner; ++k) target[to + k] += source[from + k];
    });
}

template <class T>
void gather_along(T* out, const T* source, const AxisView& view, const std::size_t* indices, std::size_t count) {
    for_each_element(view, indices, count, [&](std::size_t from, std::size_t to) { out[to] = source[from]; });
}

template <class T>
void scatter_add_along(T* target, const T* source, const AxisView& view, const std::size_t* indices,
                       std::size_t count) {
    for_each_element(view, indices, count, [&](std::size_t to, std::size_t from) { target[to] += source[from]; });
}

#define XTAPE_INSTANTIATE(T)                                                                       \
    template void gather<T>(T*, const T*, const AxisView&, const std::size_t*, std::size_t);       \
    template void scatter_add<T>(T*, const T*, const AxisView&, const std::size_t*, std::size_t);  \
    template void gather_along<T>(T*, const T*, const AxisView&, const std::size_t*, std::size_t); \
    template void scatter_add_along<T>(T*, const T*, const AxisView&, const std::size_t*, std::size_t);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd::kernels
