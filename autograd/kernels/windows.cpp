// Rows of windows are rows of the picture, shifted. Planes are shared between threads: no two write at one place.
#include "autograd/kernels/windows.hpp"

#include <algorithm>
#include <numeric>

#include "autograd/base/array.hpp"
#include "autograd/base/threads.hpp"
#include "autograd/kernels/running_sum.hpp"

namespace autograd::kernels {
namespace {

/// The windows [begin, end) whose element `i` lies inside the axis; element i of window w is at w stride + i dilation -
/// padding.
struct Inside {
    std::size_t begin, end, first;  ///< first: where that of window `begin` lies

    Inside(const WindowAxis& axis, std::size_t i) {
        const std::size_t shift = i * axis.dilation;
        begin = shift >= axis.padding ? 0 : (axis.padding - shift + axis.stride - 1) / axis.stride;
        end = axis.extent + axis.padding <= shift ? 0 : (axis.extent + axis.padding - shift + axis.stride - 1) / axis.stride;
        begin = std::min(begin, axis.count), end = std::max(begin, std::min(end, axis.count));
        first = begin < end ? begin * axis.stride + shift - axis.padding : 0;
    }
};

/// row(out offset, in offset, inside columns) for each row of each window element of a plane, and outside(offset,
/// count) for stretches which have nothing in the picture.
template <class Row, class Outside>
void walk(const WindowAxis& rows, const WindowAxis& columns, Row row, Outside outside) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < rows.size; ++i) {
        const Inside vertical(rows, i);
        for (std::size_t j = 0; j < columns.size; ++j) {
            const Inside horizontal(columns, j);
            for (std::size_t y = 0; y < rows.count; ++y, at += columns.count) {
                if (y < vertical.begin || y >= vertical.end) {
                    outside(at, columns.count);
                    continue;
                }
                outside(at, horizontal.begin);
                outside(at + horizontal.end, columns.count - horizontal.end);
                const std::size_t line = (vertical.first + (y - vertical.begin) * rows.stride) * columns.extent;
                row(at + horizontal.begin, line + horizontal.first, horizontal.end - horizontal.begin);
            }
        }
    }
}

/// In how many windows an element of the axis lies at the most. Their elements that may be the same one are
/// stride / gcd(stride, dilation) apart.
std::size_t most_windows_at_a_place(const WindowAxis& axis) {
    const std::size_t apart = axis.stride / std::gcd(axis.stride, axis.dilation);
    return std::min(axis.count, (axis.size + apart - 1) / apart);
}

/// Each element of the windows of a plane to its place among `sums`, which are numbers, or RunningSums.
template <class Sum, class T>
void add_windows(Sum* sums, const T* windows, const WindowAxis& rows, const WindowAxis& columns) {
    walk(
        rows, columns,
        [sums, windows, stride = columns.stride](std::size_t from, std::size_t to, std::size_t count) {
            if (stride == 1) {
                for (std::size_t x = 0; x < count; ++x) sums[to + x] += windows[from + x];
            } else {
                for (std::size_t x = 0; x < count; ++x) sums[to + x * stride] += windows[from + x];
            }
        },
        [](std::size_t, std::size_t) {});
}

}  // namespace

template <class T>
void unfold(T* windows, const T* pictures, std::size_t planes, const WindowAxis& rows, const WindowAxis& columns) {
    const std::size_t size = rows.size * columns.size * rows.count * columns.count;
    for_shares(planes, size, [&](std::size_t begin, std::size_t end) {
        for (std::size_t plane = begin; plane < end; ++plane) {
            T* out = windows + plane * size;
            const T* in = pictures + plane * rows.extent * columns.extent;
            walk(
                rows, columns,
                [&](std::size_t to, std::size_t from, std::size_t count) {
                    if (columns.stride == 1) {
                        std::copy_n(in + from, count, out + to);
                    } else {
                        for (std::size_t x = 0; x < count; ++x) out[to + x] = in[from + x * columns.stride];
                    }
                },
                [&](std::size_t to, std::size_t count) { std::fill_n(out + to, count, T(0)); });
        }
    });
}

template <class T>
void fold_add(T* pictures, const T* windows, std::size_t planes, const WindowAxis& rows, const WindowAxis& columns) {
    const std::size_t size = rows.size * columns.size * rows.count * columns.count;
    const std::size_t plane_size = rows.extent * columns.extent;
    const bool crowded = most_windows_at_a_place(rows) * most_windows_at_a_place(columns) > terms_in_sequence;
    for_shares(planes, size, [&](std::size_t begin, std::size_t end) {
        PoolVector<RunningSum<T>> sums;
        for (std::size_t plane = begin; plane < end; ++plane) {
            T* out = pictures + plane * plane_size;
            const T* in = windows + plane * size;
            if (!crowded) {
                add_windows(out, in, rows, columns);
                continue;
            }
            sums.assign(plane_size, RunningSum<T>(0));
            add_windows(sums.data(), in, rows, columns);
            for (std::size_t i = 0; i < plane_size; ++i) out[i] += sums[i].value();
        }
    });
}

#define XTAPE_INSTANTIATE(T)                                                                            \
    template XTAPE_API void unfold<T>(T*, const T*, std::size_t, const WindowAxis&, const WindowAxis&); \
    template XTAPE_API void fold_add<T>(T*, const T*, std::size_t, const WindowAxis&, const WindowAxis&);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd::kernels
