// Moving elements without changing them: strided copies, which are what permuting, slicing and joining come down to.
#pragma once

#include <cstddef>
#include <vector>

#include "autograd/base/array.hpp"

namespace XTAPE_API autograd {
namespace kernels {

using Strides = PoolVector<std::ptrdiff_t>;

/// The strides of a row-major array, in elements.
Strides row_major_strides(const Shape& shape);

/// A row-major array seen as (outer, extent, inner) around one of its axes; one without elements as (0, extent, 0).
struct AxisView {
    std::size_t outer = 1;
    std::size_t extent = 1;
    std::size_t inner = 1;

    /// @throws ShapeError if there is no such axis.
    static AxisView of(const Shape& shape, std::size_t axis);
};

/// to[i] = from[i] for each index of `shape`, each side with its own strides.
template <class T>
void copy_strided(T* to, const Strides& to_strides, const T* from, const Strides& from_strides, const Shape& shape);

/// to[i] += from[i], in the same way.
template <class T>
void add_strided(T* to, const Strides& to_strides, const T* from, const Strides& from_strides, const Shape& shape);

}  // namespace kernels
}  // namespace autograd
