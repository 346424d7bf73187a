// An odometer over all axes but two; the inner two are copied in tiles, so that a transposition touches whole cache
// lines, and squares of a tile are transposed in registers.
#include "autograd/kernels/layout.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "autograd/kernels/simd.hpp"

namespace autograd::kernels {
namespace {

/// A square of elements in registers, as many rows as one holds elements. Loops over its rows must be unrolled: else
/// they are kept in memory.
template <class T>
struct Square {
    static constexpr std::size_t size = Pack<T>::size;
    typedef T Row __attribute__((vector_size(size * sizeof(T))));
    Row rows[size];

    void transpose() { exchange<size / 2>(); }

   private:
    /// Of each square of 2 * Half rows and columns on the diagonal, the upper right quarter and the lower left one.
    template <std::size_t Half>
    void exchange() {
        if constexpr (Half > 0) {
#pragma GCC unroll 8
            for (std::size_t i = 0; i < size; ++i) {
                if ((i & Half) == 0) exchange<Half>(rows[i], rows[i + Half], std::make_index_sequence<size>{});
            }
            exchange<Half / 2>();
        }
    }
    template <std::size_t Half, std::size_t... C>
    static void exchange(Row& upper, Row& lower, std::index_sequence<C...>) {
        const Row a = upper, b = lower;
        upper = __builtin_shufflevector(a, b, ((C & Half) == 0 ? C : size + C - Half)...);
        lower = __builtin_shufflevector(a, b, ((C & Half) == 0 ? C + Half : size + C)...);
    }
};

/// store(to[i][j], from[j][i]) in one square; rows of `to` and of `from` lie so far apart.
template <class T, class Store>
void transpose_square(T* to, std::ptrdiff_t to_stride, const T* from, std::ptrdiff_t from_stride, Store store) {
    Square<T> square;
    const T* source = from;
#pragma GCC unroll 8
    for (auto& row : square.rows) {
        std::memcpy(&row, source, sizeof row);
        source += from_stride;
    }
    square.transpose();
#pragma GCC unroll 8
    for (const auto& row : square.rows) {
        typename Square<T>::Row place;
        std::memcpy(&place, to, sizeof place);
        store(place, row);
        std::memcpy(to, &place, sizeof place);
        to += to_stride;
    }
}

template <class T, class Store>
void walk_plane(T* to, const std::ptrdiff_t* to_stride, const T* from, const std::ptrdiff_t* from_stride, std::ptrdiff_t rows,
                std::ptrdiff_t columns, Store store) {
    if (to_stride[1] == 1 && from_stride[1] == 1) {
        for (std::ptrdiff_t i = 0; i < rows; ++i) {
            T* row = to + i * to_stride[0];
            const T* source = from + i * from_stride[0];
            for (std::ptrdiff_t j = 0; j < columns; ++j) store(row[j], source[j]);
        }
        return;
    }
    constexpr std::ptrdiff_t tile = 16;
    constexpr auto size = static_cast<std::ptrdiff_t>(Square<T>::size);
    const bool transposes = to_stride[1] == 1 && from_stride[0] == 1;
    for (std::ptrdiff_t i0 = 0; i0 < rows; i0 += tile) {
        for (std::ptrdiff_t j0 = 0; j0 < columns; j0 += tile) {
            if (transposes && i0 + tile <= rows && j0 + tile <= columns) {
                for (std::ptrdiff_t i = i0; i < i0 + tile; i += size) {
                    for (std::ptrdiff_t j = j0; j < j0 + tile; j += size) {
                        transpose_square(to + i * to_stride[0] + j, to_stride[0], from + i + j * from_stride[1], from_stride[1],
                                         store);
                    }
                }
                continue;
            }
            for (std::ptrdiff_t i = i0; i < std::min(rows, i0 + tile); ++i) {
                for (std::ptrdiff_t j = j0; j < std::min(columns, j0 + tile); ++j) {
                    store(to[i * to_stride[0] + j * to_stride[1]], from[i * from_stride[0] + j * from_stride[1]]);
                }
            }
        }
    }
}

/// store(to[i], from[i]) for each index of `shape`.
template <class T, class Store>
void walk_strided(T* to, const Strides& to_strides, const T* from, const Strides& from_strides, const Shape& shape,
                  Store store) {
    if (element_count(shape) == 0) return;
    // The plane: the axis along which the source is densest, and the last. Together they make good use of cache lines.
    struct Axis {
        std::ptrdiff_t extent, to, from;
    };
    PoolVector<Axis> axes;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        if (shape[axis] != 1) axes.push_back({static_cast<std::ptrdiff_t>(shape[axis]), to_strides[axis], from_strides[axis]});
    }
    while (axes.size() < 2) axes.insert(axes.begin(), {1, 0, 0});
    const auto densest = std::min_element(axes.begin(), axes.end() - 1,
                                          [](const Axis& a, const Axis& b) { return std::abs(a.from) < std::abs(b.from); });
    const Axis rows = *densest;
    axes.erase(densest);
    const Axis columns = axes.back();
    axes.pop_back();
    const std::ptrdiff_t to_plane[] = {rows.to, columns.to}, from_plane[] = {rows.from, columns.from};

    PoolVector<std::ptrdiff_t> position(axes.size(), 0);
    while (true) {
        walk_plane(to, to_plane, from, from_plane, rows.extent, columns.extent, store);
        std::size_t axis = axes.size();
        while (true) {
            if (axis-- == 0) return;
            to += axes[axis].to;
            from += axes[axis].from;
            if (++position[axis] < axes[axis].extent) break;
            to -= axes[axis].to * axes[axis].extent;
            from -= axes[axis].from * axes[axis].extent;
            position[axis] = 0;
        }
    }
}

}  // namespace

Strides row_major_strides(const Shape& shape) {
    Strides strides(shape.size());
    std::ptrdiff_t stride = 1;
    for (std::size_t axis = shape.size(); axis-- > 0;) {
        strides[axis] = stride;
        stride *= static_cast<std::ptrdiff_t>(shape[axis]);
    }
    return strides;
}

AxisView AxisView::of(const Shape& shape, std::size_t axis) {
    if (axis >= shape.size()) {
        throw ShapeError("axis " + as_written(axis) + " of shape " + to_string(shape) + ", which has no such axis");
    }
    // Of nothing there is nothing beside the axis either: walks over what lies there need not look at extents.
    if (element_count(shape) == 0) return {0, shape[axis], 0};
    AxisView view;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        (i < axis ? view.outer : i == axis ? view.extent : view.inner) *= shape[i];
    }
    return view;
}

template <class T>
void copy_strided(T* to, const Strides& to_strides, const T* from, const Strides& from_strides, const Shape& shape) {
    walk_strided(to, to_strides, from, from_strides, shape, [](auto& place, const auto& value) { place = value; });
}

template <class T>
void add_strided(T* to, const Strides& to_strides, const T* from, const Strides& from_strides, const Shape& shape) {
    walk_strided(to, to_strides, from, from_strides, shape, [](auto& place, const auto& value) { place += value; });
}

#define XTAPE_INSTANTIATE(T)                                                                             \
    template XTAPE_API void copy_strided<T>(T*, const Strides&, const T*, const Strides&, const Shape&); \
    template XTAPE_API void add_strided<T>(T*, const Strides&, const T*, const Strides&, const Shape&);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd::kernels
