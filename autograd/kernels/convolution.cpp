// Rows of windows are rows of the picture, shifted. Planes are shared between threads: no two write at one place.
#include "autograd/kernels/convolution.hpp"

#include <algorithm>

#include "autograd/threads.hpp"

namespace autograd::kernels {
namespace {

/// The windows [begin, end) whose element `i` lies inside the axis; element i of window w is at w stride + i dilation -
/// padding.
struct Inside {
    std::size_t begin, end, first;  ///< first: where that of window `begin` lies

    Inside(const WindowAxis& axis, std::size_t i) {
        const std::size_t shift = i * axis.dilation;
        begin = shift >= axis.padding ? 0 : (axis.padding - shift + axis.stride - 1) / axis.stride;
        end = axis.extent + axis.padding <= shift
                  ? 0
                  : (axis.extent + axis.padding - shift + axis.stride - 1) / axis.stride;
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
    for_shares(planes, size, [&](std::size_t begin, std::size_t end) {
        for (std::size_t plane = begin; plane < end; ++plane) {
            T* out = pictures + plane * rows.extent * columns.extent;
            const T* in = windows + plane * size;
            walk(
                rows, columns,
                [&](std::size_t from, std::size_t to, std::size_t count) {
                    if (columns.stride == 1) {
                        for (std::size_t x = 0; x < count; ++x) out[to + x] += in[from + x];
                    } else {
                        for (std::size_t x = 0; x < count; ++x) out[to + x * columns.stride] += in[from + x];
                    }
                },
                [](std::size_t, std::size_t) {});
        }
    });
}

#define XTAPE_INSTANTIATE(T)                                                                  \
    template void unfold<T>(T*, const T*, std::size_t, const WindowAxis&, const WindowAxis&); \
    template void fold_add<T>(T*, const T*, std::size_t, const WindowAxis&, const WindowAxis&);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd::kernels
