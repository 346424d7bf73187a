// The ops that pick and repeat elements, a block each: what it keeps, its value by kernels/gather.hpp, its rule, and the
// functions that record it.
#include "autograd/ops/indexing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "autograd/kernels/gather.hpp"
#include "autograd/ops/picking.hpp"

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

using detail::with_context_of;

// ---- take and take_along_axis, and their adjoints ----

namespace {

/// Indices that were checked against an axis, shared by an op and those of its gradient.
struct Places {
    std::size_t axis = 0;
    Shape shape;  ///< of the indices
    std::shared_ptr<const PoolVector<std::size_t>> list;
    std::size_t extent = 0;  ///< of the axis

    /// @throws ShapeError naming `op` for an axis or an index that is not there.
    static Places of(const Shape& shape, std::ptrdiff_t axis, const Indices& indices, const char* op);
    /// Also if the indices are not an array like that of `shape` but for the axis.
    static Places along(const Shape& shape, std::ptrdiff_t axis, const Indices& indices, const char* op);
};

Places Places::of(const Shape& shape, std::ptrdiff_t axis, const Indices& indices, const char* op) {
    const std::size_t place = normalize_axis(axis, shape.size(), op);
    const auto extent = static_cast<std::ptrdiff_t>(shape[place]);
    auto list = std::allocate_shared<PoolVector<std::size_t>>(PoolAllocator<PoolVector<std::size_t>>());
    list->reserve(indices.values(op).size());
    for (const std::ptrdiff_t index : indices.values(op)) {
        if (index < -extent || index >= extent) {
            throw ShapeError(fmt::format("{}: index {} (number {} of them) is out of range for axis {} of shape {}", op, index,
                                         list->size(), axis, to_string(shape)));
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

struct TakePlaces : Places {
    static constexpr const char* name = "take";
    static constexpr const char* adjoint_name = "untake";

    Shape shape_from(const Shape& from) const;
    template <class T>
    void pick(Array<T>& out, const Array<T>& x) const {
        kernels::gather(out.data(), x.data(), kernels::AxisView::of(x.shape(), axis), list->data(), list->size());
    }
    template <class T>
    void put_back(Array<T>& target, const Array<T>& x) const {
        kernels::scatter_add(target.data(), x.data(), kernels::AxisView::of(target.shape(), axis), list->data(), list->size());
    }
};

Shape TakePlaces::shape_from(const Shape& from) const {
    if (list == nullptr || axis >= from.size() || from[axis] != extent) {
        throw ShapeError(
            fmt::format("indices into axis {}, of extent {}, for an array of shape {}", axis, extent, to_string(from)));
    }
    Shape taken(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(axis));
    for (const std::size_t each : shape) taken.push_back(each);
    for (std::size_t each = axis + 1; each < from.size(); ++each) taken.push_back(from[each]);
    return taken;
}

struct AlongPlaces : Places {
    static constexpr const char* name = "take_along_axis";
    static constexpr const char* adjoint_name = "untake_along_axis";

    Shape shape_from(const Shape& from) const;
    template <class T>
    void pick(Array<T>& out, const Array<T>& x) const {
        kernels::gather_along(out.data(), x.data(), kernels::AxisView::of(x.shape(), axis), list->data(), shape[axis]);
    }
    template <class T>
    void put_back(Array<T>& target, const Array<T>& x) const {
        kernels::scatter_add_along(target.data(), x.data(), kernels::AxisView::of(target.shape(), axis), list->data(),
                                   shape[axis]);
    }
};

Shape AlongPlaces::shape_from(const Shape& from) const {
    Shape expected = shape;
    if (axis < expected.size()) expected[axis] = extent;
    if (list == nullptr || axis >= from.size() || !same_shape(from, expected)) {
        throw ShapeError(fmt::format("indices of shape {} into axis {}, of extent {}, for an array of shape {}",
                                     to_string(shape), axis, extent, to_string(from)));
    }
    return shape;
}

TakePlaces taken(const Shape& shape, const Indices& indices, std::ptrdiff_t axis, const char* op) {
    return {Places::of(shape, axis, indices, op)};
}
AlongPlaces taken_along(const Shape& shape, const Indices& indices, std::ptrdiff_t axis, const char* op) {
    return {Places::along(shape, axis, indices, op)};
}

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> take(X<T> x, const Indices& indices, std::ptrdiff_t axis) {
    const auto places = [&] { return taken(x.shape(), indices, axis, "take"); };
    return apply(ops::Pick<TakePlaces>{with_context_of("take", places, x)}, x);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> untake(X<T> x, const Shape& shape, const Indices& indices, std::ptrdiff_t axis) {
    const auto places = [&] { return taken(shape, indices, axis, "untake"); };
    return apply(ops::PutBack<TakePlaces>{with_context_of("untake", places, x), shape}, x);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> take_along_axis(X<T> x, const Indices& indices, std::ptrdiff_t axis) {
    const auto places = [&] { return taken_along(x.shape(), indices, axis, "take_along_axis"); };
    return apply(ops::Pick<AlongPlaces>{with_context_of("take_along_axis", places, x)}, x);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> untake_along_axis(X<T> x, const Shape& shape, const Indices& indices, std::ptrdiff_t axis) {
    const auto places = [&] { return taken_along(shape, indices, axis, "untake_along_axis"); };
    return apply(ops::PutBack<AlongPlaces>{with_context_of("untake_along_axis", places, x), shape}, x);
}

// ---- tril and triu ----

namespace {

/// Of each row i, columns before i + diagonal + 1 are x's and the rest 0, or the other way round.
template <class T>
void copy_triangle(Array<T>& out, const Array<T>& x, std::ptrdiff_t diagonal, bool lower) {
    ops::require_matrix(x.shape());
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

template <bool lower>
struct Triangle {
    static constexpr const char* name = lower ? "tril" : "triu";
    static constexpr bool linear = true;
    std::ptrdiff_t diagonal;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        copy_triangle(out, x, diagonal, lower);
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const {
        return apply(*this, g);
    }
};

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::tril(X<T> x, std::ptrdiff_t k) {
    return apply(Triangle<true>{k}, x);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::triu(X<T> x, std::ptrdiff_t k) {
    return apply(Triangle<false>{k}, x);
}

// ---- diagonal: a slice of what has the last two axes in one ----

namespace {

/// The diagonals of the last two axes, as elements of these two in one.
/// @throws ShapeError if there are no two axes.
ops::Selection diagonal_places(const Shape& shape, std::ptrdiff_t offset) {
    ops::require_matrix(shape);
    const std::size_t rows = shape[shape.size() - 2], columns = shape[shape.size() - 1];
    const std::size_t down = offset < 0 ? -static_cast<std::size_t>(offset) : 0;
    const std::size_t right = offset > 0 ? static_cast<std::size_t>(offset) : 0;
    const std::size_t axis = shape.size() - 2;
    if (down >= rows || right >= columns) return {axis, 0, 1, 0};
    return {axis, down * columns + right, static_cast<std::ptrdiff_t>(columns + 1), std::min(rows - down, columns - right)};
}

/// The shape with its last two axes in one.
Shape joined_matrices(const Shape& shape) {
    Shape result(shape.begin(), shape.end() - 1);
    result.back() *= shape.back();
    return result;
}

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::diagonal(X<T> x, std::ptrdiff_t k) {
    const auto picked = [&] {
        const Selection places = diagonal_places(x.shape(), k);
        return selected(reshape(x, joined_matrices(x.shape())), places);
    };
    return with_context_of("diagonal", picked, x);
}

// ---- tile and repeat: a broadcast between two reshapes, or a take ----

namespace {

/// @throws ShapeError if an array of this shape cannot be repeated so often along an axis of this extent.
std::size_t repeated_extent(const Shape& shape, std::size_t extent, std::size_t times) {
    std::size_t result = 0;
    if (times <= most_bytes && !__builtin_mul_overflow(extent, times, &result)) return result;
    throw ShapeError(
        fmt::format("{} repetitions of shape {}: the number must be from 0 to 2^48", as_written(times), to_string(shape)));
}

/// The shapes between which broadcasting repeats: (a, b) to (1, a, 1, b), to (m, a, n, b), to (m a, n b).
/// @throws ShapeError if a number of repetitions is negative or too large.
struct Tiling {
    Shape apart, repeated, result;
    static Tiling of(const Shape& shape, const Shape& repetitions);
    /// Each element of one axis, several times.
    static Tiling of_elements(const Shape& shape, std::size_t repetitions, std::ptrdiff_t axis);

    template <Operand X>
    X operator()(const X& x) const {
        return reshape(broadcast_to(reshape(x, apart), repeated), result);
    }
};

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

/// Index i, counts[i] times.
/// @throws ShapeError naming "repeat" if there is not one count for each element of the axis, or one is negative or too
/// large.
PoolVector<std::size_t> repeated_indices(const Shape& shape, const Shape& counts, std::ptrdiff_t axis) {
    const std::size_t extent = shape[normalize_axis(axis, shape.size(), "repeat")];
    if (counts.size() != extent) {
        throw ShapeError(fmt::format("repeat: {} numbers for axis {} of shape {}", counts.size(), axis, to_string(shape)));
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

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> tile(X<T> x, const Shape& repetitions) {
    return with_context_of(
        "tile", [&] { return Tiling::of(x.shape(), repetitions)(x); }, x);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::repeat(X<T> x, std::size_t repetitions, std::ptrdiff_t axis) {
    return with_context_of(
        "repeat", [&] { return Tiling::of_elements(x.shape(), repetitions, axis)(x); }, x);
}
template <template <class> class X, class T>
requires Operand<X<T>>
X<T> repeat(X<T> x, const Shape& counts, std::ptrdiff_t axis) {
    const auto repeated = [&] { return take(x, repeated_indices(x.shape(), counts, axis), axis); };
    return with_context_of("repeat", repeated, x);
}

// ---- Compiled for all worlds ----

#define XTAPE_INSTANTIATE(X)                                                                 \
    template XTAPE_API X take(X, const Indices&, std::ptrdiff_t);                            \
    template XTAPE_API X untake(X, const Shape&, const Indices&, std::ptrdiff_t);            \
    template XTAPE_API X take_along_axis(X, const Indices&, std::ptrdiff_t);                 \
    template XTAPE_API X untake_along_axis(X, const Shape&, const Indices&, std::ptrdiff_t); \
    template XTAPE_API X ops::tril(X, std::ptrdiff_t);                                       \
    template XTAPE_API X ops::triu(X, std::ptrdiff_t);                                       \
    template XTAPE_API X ops::diagonal(X, std::ptrdiff_t);                                   \
    template XTAPE_API X tile(X, const Shape&);                                              \
    template XTAPE_API X ops::repeat(X, std::size_t, std::ptrdiff_t);                        \
    template XTAPE_API X repeat(X, const Shape&, std::ptrdiff_t);
XTAPE_FOR_OPERANDS(XTAPE_INSTANTIATE)

}  // namespace autograd
