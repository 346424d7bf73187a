// An odometer over all axes but two; the inner two are copied in tiles, so that a transposition touches whole cache lines.
#include "autograd/kernels/layout.hpp"

#include <algorithm>
#include <numeric>

namespace autograd::kernels {
namespace {

template <class T, class Store>
void walk_plane(T* to, const std::ptrdiff_t* to_stride, const T* from, const std::ptrdiff_t* from_stride,
                std::ptrdiff_t rows, std::ptrdiff_t columns, Store store) {
    if (to_stride[1] == 1 && from_stride[1] == 1) {
        for (std::ptrdiff_t i = 0; i < rows; ++i) {
            T* row = to + i * to_stride[0];
            const T* source = from + i * from_stride[0];
            for (std::ptrdiff_t j = 0; j < columns; ++j) store(row[j], source[j]);
        }
        return;
    }
    constexpr std::ptrdiff_t tile = 16;
    for (std::ptrdiff_t i0 = 0; i0 < rows; i0 += tile) {
        for (std::ptrdiff_t j0 = 0; j0 < columns; j0 += tile) {
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
    const auto densest = std::min_element(axes.begin(), axes.end() - 1, [](const Axis& a, const Axis& b) {
        return std::abs(a.from) < std::abs(b.from);
    });
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
    AxisView view;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        (i < axis ? view.outer : i == axis ? view.extent : view.inner) *= shape[i];
    }
    return view;
}

template <class T>
void copy_strided(T* to, const Strides& to_strides, const T* from, const Strides& from_strides, const Shape& shape) {
    walk_strided(to, to_strides, from, from_strides, shape, [](T& place, T value) { place = value; });
}

template <class T>
void add_strided(T* to, const Strides& to_strides, const T* from, const Strides& from_strides, const Shape& shape) {
    walk_strided(to, to_strides, from, from_strides, shape, [](T& place, T value) { place += value; });
}

#define XTAPE_INSTANTIATE(T)                                                                          \
    template void copy_strided<T>(T*, const Strides&, const T*, const Strides&, const Shape&);        \
    template void add_strided<T>(T*, const Strides&, const T*, const Strides&, const Shape&);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd::kernels
