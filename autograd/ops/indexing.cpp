// Checks of indices, and values by kernels/gather.hpp.
#include "autograd/ops/indexing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/kernels/gather.hpp"

namespace autograd {

void Indices::require_integer(double number) {
    // Beyond 2^53 not every integer is a double; no axis is that long.
    if ((std::trunc(number) == number && std::fabs(number) < 0x1p53) || !fault_.empty()) return;
    fault_ = fmt::format("number {} of the indices: {} is not an integer", values_.size(), number);
}

void Indices::require_signed(std::size_t number) {
    if (number <= static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) || !fault_.empty()) return;
    fault_ = fmt::format(
        "index {} (number {} of them) stands among unsigned integers, where none is negative: an index from the end wants a "
        "signed type",
        as_written(number), values_.size());
}

const PoolVector<std::ptrdiff_t>& Indices::values(const char* op) const {
    if (!fault_.empty()) throw ShapeError(fmt::format("{}: {}", op, fault_));
    return values_;
}

namespace ops {

Places Places::of(const Shape& shape, std::ptrdiff_t axis, const Indices& indices, const char* op) {
    const std::size_t place = normalize_axis(axis, shape.size(), op);
    const auto extent = static_cast<std::ptrdiff_t>(shape[place]);
    auto list = std::allocate_shared<PoolVector<std::size_t>>(PoolAllocator<PoolVector<std::size_t>>());
    list->reserve(indices.values(op).size());
    for (const std::ptrdiff_t index : indices.values(op)) {
        if (index < -extent || index >= extent) {
            throw ShapeError(fmt::format("{}: index {} (number {} of them) is out of range for axis {} of shape {}", op,
                                         index, list->size(), axis, to_string(shape)));
        }
        list->push_back(static_cast<std::size_t>(index < 0 ? index + extent : index));
    }
    return {place, indices.shape(), std::move(list), shape[place]};
}

Places Places::along(const Shape& shape, std::ptrdiff_t axis, const Indices& indices, const char* op) {
    const std::size_t place = normalize_axis(axis, shape.size(), op);
    Shape expected = shape;
    if (indices.shape().size() == shape.size()) expected[place] = indices.shape()[place];
    if (indices.shape() != expected) {
        throw ShapeError(fmt::format("{}: indices of shape {} for shape {}: they may differ in axis {} alone", op,
                                     to_string(indices.shape()), to_string(shape), axis));
    }
    return of(shape, axis, indices, op);
}

Shape Places::taken_from(const Shape& from) const {
    if (list == nullptr || axis >= from.size() || from[axis] != extent) {
        throw ShapeError(fmt::format("indices into axis {}, of extent {}, for an array of shape {}", axis, extent,
                                     to_string(from)));
    }
    Shape taken(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(axis));
    for (const std::size_t each : shape) taken.push_back(each);
    for (std::size_t each = axis + 1; each < from.size(); ++each) taken.push_back(from[each]);
    return taken;
}

void Places::require_along(const Shape& from) const {
    Shape expected = shape;
    if (axis < expected.size()) expected[axis] = extent;
    if (list == nullptr || axis >= from.size() || !same_shape(from, expected)) {
        throw ShapeError(fmt::format("indices of shape {} into axis {}, of extent {}, for an array of shape {}",
                                     to_string(shape), axis, extent, to_string(from)));
    }
}

template <class T>
void Take::forward(Array<T>& out, const Array<T>& x) const {
    reshape_for_overwriting(out, places.taken_from(x.shape()));
    kernels::gather(out.data(), x.data(), kernels::AxisView::of(x.shape(), places.axis), places.list->data(),
                    places.list->size());
}

template <class T>
void Untake::forward(Array<T>& out, const Array<T>& x) const {
    reshape_for_overwriting(out, shape);
    std::fill_n(out.data(), out.size(), T(0));
    add_to(out, x);
}

template <class T>
void Untake::add_to(Array<T>& target, const Array<T>& x) const {
    require_input(x.shape(), places.taken_from(shape));
    require_shape(target, shape, name);
    if (x.size() == 0) return;
    kernels::scatter_add(target.data(), x.data(), kernels::AxisView::of(shape, places.axis), places.list->data(),
                         places.list->size());
}

template <class T>
void TakeAlongAxis::forward(Array<T>& out, const Array<T>& x) const {
    places.require_along(x.shape());
    reshape_for_overwriting(out, places.shape);
    kernels::gather_along(out.data(), x.data(), kernels::AxisView::of(x.shape(), places.axis), places.list->data(),
                          places.shape[places.axis]);
}

template <class T>
void UntakeAlongAxis::forward(Array<T>& out, const Array<T>& x) const {
    reshape_for_overwriting(out, shape);
    std::fill_n(out.data(), out.size(), T(0));
    add_to(out, x);
}

template <class T>
void UntakeAlongAxis::add_to(Array<T>& target, const Array<T>& x) const {
    places.require_along(shape);
    require_input(x.shape(), places.shape);
    require_shape(target, shape, name);
    if (x.size() == 0) return;
    kernels::scatter_add_along(target.data(), x.data(), kernels::AxisView::of(shape, places.axis), places.list->data(),
                               places.shape[places.axis]);
}

namespace {

/// Of each row i, columns before i + diagonal + 1 are x's and the rest 0, or the other way round.
template <class T>
void copy_triangle(Array<T>& out, const Array<T>& x, std::ptrdiff_t diagonal, bool lower) {
    require_matrix(x.shape());
    reshape_for_overwriting(out, x.shape());
    const auto rows = static_cast<std::ptrdiff_t>(x.shape()[x.dimension() - 2]);
    const auto columns = static_cast<std::ptrdiff_t>(x.shape()[x.dimension() - 1]);
    const T* from = x.data();
    T* to = out.data();
    // Beyond these all of a matrix, or none, is in the triangle; and i + diagonal + 1 cannot overflow.
    diagonal = std::clamp(diagonal, -rows - 1, columns);
    const std::size_t total = columns == 0 ? 0 : x.size() / static_cast<std::size_t>(columns);
    for (std::size_t row = 0; row < total; ++row, from += columns, to += columns) {
        const auto i = static_cast<std::ptrdiff_t>(row % static_cast<std::size_t>(rows));
        const std::ptrdiff_t edge = std::clamp(i + diagonal + (lower ? 1 : 0), std::ptrdiff_t{0}, columns);
        if (lower) {
            std::fill(std::copy(from, from + edge, to), to + columns, T(0));
        } else {
            std::fill(to, to + edge, T(0));
            std::copy(from + edge, from + columns, to + edge);
        }
    }
}

}  // namespace

template <class T>
void Tril::forward(Array<T>& out, const Array<T>& x) const {
    copy_triangle(out, x, diagonal, true);
}

template <class T>
void Triu::forward(Array<T>& out, const Array<T>& x) const {
    copy_triangle(out, x, diagonal, false);
}

Selection diagonal_places(const Shape& shape, std::ptrdiff_t offset) {
    require_matrix(shape);
    const std::size_t rows = shape[shape.size() - 2], columns = shape[shape.size() - 1];
    const std::size_t down = offset < 0 ? -static_cast<std::size_t>(offset) : 0;
    const std::size_t right = offset > 0 ? static_cast<std::size_t>(offset) : 0;
    const std::size_t axis = shape.size() - 2;
    if (down >= rows || right >= columns) return {axis, 0, 1, 0};
    return {axis, down * columns + right, static_cast<std::ptrdiff_t>(columns + 1),
            std::min(rows - down, columns - right)};
}

Shape joined_matrices(const Shape& shape) {
    Shape result(shape.begin(), shape.end() - 1);
    result.back() *= shape.back();
    return result;
}

namespace {

/// @throws ShapeError if an array of this shape cannot be repeated so often along an axis of this extent.
std::size_t repeated_extent(const Shape& shape, std::size_t extent, std::size_t times) {
    std::size_t result = 0;
    if (times <= most_bytes && !__builtin_mul_overflow(extent, times, &result)) return result;
    throw ShapeError(fmt::format("{} repetitions of shape {}: the number must be from 0 to 2^48", as_written(times),
                                 to_string(shape)));
}

}  // namespace

Tiling Tiling::of(const Shape& shape, const Shape& repetitions) {
    const std::size_t rank = std::max(shape.size(), repetitions.size());
    Tiling tiling;
    for (std::size_t axis = 0; axis < rank; ++axis) {
        const std::size_t lacking = rank - shape.size(), unrepeated = rank - repetitions.size();
        const std::size_t extent = axis < lacking ? 1 : shape[axis - lacking];
        const std::size_t times = axis < unrepeated ? 1 : repetitions[axis - unrepeated];
        tiling.apart.push_back(1);
        tiling.apart.push_back(extent);
        tiling.repeated.push_back(times);
        tiling.repeated.push_back(extent);
        tiling.result.push_back(repeated_extent(shape, extent, times));
    }
    return tiling;
}

Tiling Tiling::of_elements(const Shape& shape, std::size_t repetitions, std::ptrdiff_t axis) {
    const std::size_t place = normalize_axis(axis, shape.size(), "repeat");
    Tiling tiling;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        tiling.apart.push_back(shape[i]);
        tiling.repeated.push_back(shape[i]);
        tiling.result.push_back(i == place ? repeated_extent(shape, shape[i], repetitions) : shape[i]);
        if (i != place) continue;
        tiling.apart.push_back(1);
        tiling.repeated.push_back(repetitions);
    }
    return tiling;
}

PoolVector<std::size_t> repeated_indices(const Shape& shape, const Shape& counts, std::ptrdiff_t axis) {
    const std::size_t extent = shape[normalize_axis(axis, shape.size(), "repeat")];
    if (counts.size() != extent) {
        throw ShapeError(
            fmt::format("repeat: {} numbers for axis {} of shape {}", counts.size(), axis, to_string(shape)));
    }
    std::size_t total = 0;
    bool is_too_large = false;
    for (const std::size_t count : counts) is_too_large |= __builtin_add_overflow(total, count, &total);
    if (is_too_large || total > (std::size_t{1} << 45)) {
        throw ShapeError(fmt::format("repeat: counts {} for axis {} of shape {}: they must be from 0, and 2^45 together",
                                     to_string(counts), axis, to_string(shape)));
    }
    PoolVector<std::size_t> indices;
    indices.reserve(total);
    for (std::size_t i = 0; i < extent; ++i) indices.insert(indices.end(), counts[i], i);
    return indices;
}

}  // namespace ops

XTAPE_INDEXING_STRUCTURES(XTAPE_INSTANTIATE_STRUCTURE)
}  // namespace autograd
