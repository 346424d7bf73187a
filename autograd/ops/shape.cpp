// The ops that move elements, a block each: what it keeps, its value, its rule, and the functions that record it.
#include "autograd/ops/shape.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "autograd/kernels/layout.hpp"
#include "autograd/ops/picking.hpp"

namespace autograd {

PoolVector<bool> Axes::among(std::size_t rank, const char* op) const {
    if (is_too_large_) {
        throw ShapeError(std::string(op) + ": axis " + as_written(static_cast<std::size_t>(axes_.front())) +
                         " is an unsigned integer, of which none is negative: an axis from the end wants a signed type");
    }
    PoolVector<bool> chosen(rank, all_);
    for (const std::ptrdiff_t axis : axes_) {
        const std::size_t place = normalize_axis(axis, rank, op);
        if (chosen[place]) throw ShapeError(std::string(op) + ": axis " + std::to_string(axis) + " is named twice");
        chosen[place] = true;
    }
    return chosen;
}

namespace ops {

void require_matrix(const Shape& shape) {
    if (shape.size() < 2) {
        throw ShapeError("a matrix, or a batch of them, is wanted: at least two axes, not shape " + to_string(shape));
    }
}

void require_input(const Shape& x, const Shape& expected) {
    if (same_shape(x, expected)) return;
    throw ShapeError("an input of shape " + to_string(x) + " where one of shape " + to_string(expected) + " is wanted");
}

}  // namespace ops

using detail::with_context_of;

// ---- reshape, and what is one ----

namespace {

struct Reshape {
    static constexpr const char* name = "reshape";
    static constexpr bool linear = true;
    Shape shape;

    /// To a shape of which one extent may be `inferred`.
    static Reshape of(const Shape& from, Shape shape);

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        if (element_count(shape) != x.size()) {
            throw ShapeError("shape " + to_string(x.shape()) + " has " + std::to_string(x.size()) + " elements, " +
                             to_string(shape) + " has " + std::to_string(element_count(shape)));
        }
        reshape_for_overwriting(out, shape);
        std::copy_n(x.data(), x.size(), out.data());
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X&) const {
        return apply(Reshape{x.shape()}, g);
    }
};

Reshape Reshape::of(const Shape& from, Shape shape) {
    const std::size_t count = element_count(from);
    const auto place = std::find(shape.begin(), shape.end(), inferred);
    if (place == shape.end()) return {shape};
    const auto refuse = [given = shape](const std::string& why) {
        std::string text;
        for (const std::size_t extent : given) {
            text += (text.empty() ? "" : ", ") + (extent == inferred ? "inferred" : as_written(extent));
        }
        throw ShapeError(std::string(name) + ": to the shape (" + text + "): " + why);
    };
    *place = 1;
    if (std::find(shape.begin(), shape.end(), inferred) != shape.end()) {
        refuse("only one extent can be inferred (" + as_written(inferred) + " stands for one)");
    }
    const auto is_impossible = [](std::size_t extent) { return extent > most_bytes; };
    if (std::any_of(shape.begin(), shape.end(), is_impossible)) refuse("an extent is negative or too large");
    const std::size_t others = element_count(shape);
    if (others == 0) refuse("beside an extent of 0 none can be inferred");
    if (count % others != 0) {
        refuse(std::to_string(count) + " elements cannot be parted into " + std::to_string(others));
    }
    *place = count / others;
    return {shape};
}

Shape squeezed(const Shape& shape, const Axes& axes) {
    const PoolVector<bool> dropped = axes.among(shape.size(), "squeeze");
    Shape result;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        if (!dropped[axis]) result.push_back(shape[axis]);
        if (dropped[axis] && shape[axis] != 1) {
            throw ShapeError("squeeze: axis " + std::to_string(axis) + " of shape " + to_string(shape) + " is not 1 long");
        }
    }
    return result;
}

Shape expanded(const Shape& shape, const Axes& axes) {
    const PoolVector<bool> added =
        (axes.all() ? Axes(AxisList()) : axes).among(shape.size() + axes.list().size(), "expand_dims");
    Shape result;
    std::size_t from = 0;
    for (const bool is_new : added) result.push_back(is_new ? 1 : shape[from++]);
    return result;
}

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> reshape(X<T> x, const Shape& shape) {
    return apply<Reshape>(x, shape);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::expand_dims(X<T> x, const Axes& axes) {
    return with_context_of(
        "expand_dims", [&] { return reshape(x, expanded(x.shape(), axes)); }, x);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::squeeze(X<T> x, const Axes& axes) {
    return with_context_of(
        "squeeze", [&] { return reshape(x, squeezed(x.shape(), axes)); }, x);
}

// ---- permute_dims, and what is one ----

namespace {

struct PermuteDims {
    static constexpr const char* name = "permute_dims";
    static constexpr bool linear = true;
    Shape axes;

    static PermuteDims of(const Shape& shape, const AxisList& axes) {
        PermuteDims result;
        for (const std::ptrdiff_t axis : axes) result.axes.push_back(normalize_axis(axis, shape.size(), name));
        return result;
    }
    static PermuteDims of_matrices(const Shape& shape) {
        ops::require_matrix(shape);
        PermuteDims result{Shape(shape.size())};
        std::iota(result.axes.begin(), result.axes.end(), std::size_t{0});
        std::swap(result.axes[shape.size() - 2], result.axes[shape.size() - 1]);
        return result;
    }
    PermuteDims inverse() const {
        PermuteDims result{Shape(axes.size())};
        for (std::size_t i = 0; i < axes.size(); ++i) result.axes[axes[i]] = i;
        return result;
    }

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        const std::size_t rank = x.dimension();
        Shape sorted = axes;
        std::sort(sorted.begin(), sorted.end());
        bool is_permutation = axes.size() == rank;
        for (std::size_t i = 0; is_permutation && i < rank; ++i) is_permutation = sorted[i] == i;
        if (!is_permutation) {
            throw ShapeError("axes " + to_string(axes) + " are not a permutation of those of shape " + to_string(x.shape()));
        }
        const kernels::Strides strides = kernels::row_major_strides(x.shape());
        Shape shape(rank);
        kernels::Strides from(rank);
        for (std::size_t i = 0; i < rank; ++i) {
            shape[i] = x.shape()[axes[i]];
            from[i] = strides[axes[i]];
        }
        reshape_for_overwriting(out, shape);
        kernels::copy_strided(out.data(), kernels::row_major_strides(shape), x.data(), from, shape);
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const {
        return apply(inverse(), g);
    }
};

AxisList moved_axes(std::size_t rank, const AxisList& source, const AxisList& destination) {
    constexpr const char* name = "moveaxis";
    if (source.size() != destination.size()) {
        throw ShapeError(std::string(name) + ": " + std::to_string(source.size()) + " axes to " +
                         std::to_string(destination.size()) + " places");
    }
    const PoolVector<bool> leaves = Axes(source).among(rank, name);
    const PoolVector<bool> taken = Axes(destination).among(rank, name);
    AxisList order(rank);
    for (std::size_t k = 0; k < source.size(); ++k) {
        order[normalize_axis(destination[k], rank, name)] = static_cast<std::ptrdiff_t>(normalize_axis(source[k], rank, name));
    }
    std::size_t from = 0;
    for (std::size_t axis = 0; axis < rank; ++axis) {
        if (taken[axis]) continue;
        while (leaves[from]) ++from;
        order[axis] = static_cast<std::ptrdiff_t>(from++);
    }
    return order;
}

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> permute_dims(X<T> x, const AxisList& axes) {
    return apply<PermuteDims>(x, axes);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> matrix_transpose(X<T> x) {
    return with_context_of(
        "matrix_transpose", [&] { return apply(PermuteDims::of_matrices(x.shape()), x); }, x);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> moveaxis(X<T> x, const AxisList& source, const AxisList& destination) {
    return with_context_of(
        "moveaxis", [&] { return permute_dims(x, moved_axes(x.shape().size(), source, destination)); }, x);
}
template <template <class> class X, class T>
requires Operand<X<T>>
X<T> moveaxis(X<T> x, std::ptrdiff_t source, std::ptrdiff_t destination) {
    return moveaxis(x, AxisList{source}, AxisList{destination});
}

// ---- slice, its adjoint, and what is cut by it ----

namespace ops {

std::ptrdiff_t place_on_axis(std::ptrdiff_t index, std::ptrdiff_t last, const Shape& shape, std::ptrdiff_t axis,
                             const char* op) {
    const auto extent = static_cast<std::ptrdiff_t>(shape[normalize_axis(axis, shape.size(), op)]);
    if (index < -extent || index > last) {
        throw ShapeError(std::string(op) + ": index " + std::to_string(index) + " out of range for axis " +
                         std::to_string(axis) + " of shape " + to_string(shape));
    }
    return index < 0 ? index + extent : index;
}

Selection Selection::of(const Shape& shape, std::ptrdiff_t axis, const Slice& slice, const char* op) {
    const std::size_t place = normalize_axis(axis, shape.size(), op);
    const auto extent = static_cast<std::ptrdiff_t>(shape[place]);
    const auto refuse = [&](const std::string& what) {
        throw ShapeError(std::string(op) + ": " + what + " for axis " + std::to_string(axis) + " of shape " + to_string(shape));
    };
    if (slice.step == 0) refuse("a step of 0");
    if (slice.step == std::numeric_limits<std::ptrdiff_t>::min()) refuse("a step beyond all sizes");
    // Python's meaning of an index that is left out depends on the direction.
    const bool forward = slice.step > 0;
    const auto resolve = [&](std::optional<std::ptrdiff_t> index, std::ptrdiff_t otherwise, std::ptrdiff_t last) {
        return index ? place_on_axis(*index, last, shape, axis, op) : otherwise;
    };
    const std::ptrdiff_t first = resolve(slice.start, forward ? 0 : extent - 1, forward ? extent : extent - 1);
    const std::ptrdiff_t stop = resolve(slice.stop, forward ? extent : -1, extent);
    const std::ptrdiff_t distance = forward ? stop - first : first - stop;
    const std::ptrdiff_t stride = forward ? slice.step : -slice.step;
    const std::ptrdiff_t count = distance <= 0 ? 0 : (distance - 1) / stride + 1;
    return {place, count == 0 ? 0 : static_cast<std::size_t>(first), slice.step, static_cast<std::size_t>(count)};
}

Shape Selection::shape_from(const Shape& shape) const {
    const auto is_inside = [&] {
        if (axis >= shape.size()) return false;
        if (count == 0) return true;
        const std::size_t extent = shape[axis],
                          stride = step > 0 ? static_cast<std::size_t>(step) : 0 - static_cast<std::size_t>(step);
        const std::size_t room = step > 0 ? extent - 1 - first : first;  // of the others, beside the first
        return first < extent && (count == 1 || (stride > 0 && count - 1 <= room / stride));
    };
    if (!is_inside()) {
        throw ShapeError(std::to_string(count) + " elements from " + as_written(first) + " in steps of " +
                         std::to_string(step) + " are not on axis " + as_written(axis) + " of shape " + to_string(shape));
    }
    Shape part = shape;
    part[axis] = count;
    return part;
}

namespace {

/// Where the selected elements of an array of this shape start, and their strides.
struct SelectedPlaces {
    std::ptrdiff_t offset;
    kernels::Strides strides;

    SelectedPlaces(const Selection& selection, const Shape& shape) : strides(kernels::row_major_strides(shape)) {
        offset = static_cast<std::ptrdiff_t>(selection.first) * strides[selection.axis];
        strides[selection.axis] *= selection.step;
    }
};

}  // namespace

template <class T>
void Selection::pick(Array<T>& out, const Array<T>& x) const {
    const SelectedPlaces places(*this, x.shape());
    kernels::copy_strided(out.data(), kernels::row_major_strides(out.shape()), x.data() + places.offset, places.strides,
                          out.shape());
}

template <class T>
void Selection::put_back(Array<T>& target, const Array<T>& x) const {
    const SelectedPlaces places(*this, target.shape());
    kernels::add_strided(target.data() + places.offset, places.strides, x.data(), kernels::row_major_strides(x.shape()),
                         x.shape());
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> selected(X<T> x, const Selection& selection) {
    return apply(Pick<Selection>{selection}, x);
}

}  // namespace ops

namespace {

/// The extents of `sections` equal parts.
/// @throws ShapeError if there are none, or more than 2^24.
Shape equal_parts(const Shape& shape, std::size_t sections, std::ptrdiff_t axis) {
    const std::size_t extent = shape[normalize_axis(axis, shape.size(), "split")];
    constexpr std::size_t most = std::size_t{1} << 24;
    if (sections == 0 || extent % sections != 0 || sections > most) {
        throw ShapeError("split: axis " + std::to_string(axis) + " of shape " + to_string(shape) + " cannot be cut into " +
                         as_written(sections) + " equal parts");
    }
    return Shape(sections, extent / sections);
}

/// @throws ShapeError if the sizes do not add up to the axis.
void require_parts(const Shape& shape, const Shape& sizes, std::ptrdiff_t axis) {
    const std::size_t extent = shape[normalize_axis(axis, shape.size(), "split")];
    std::size_t total = 0;
    bool overflow = false;
    for (const std::size_t size : sizes) overflow |= __builtin_add_overflow(total, size, &total);
    if (overflow || total != extent) {
        throw ShapeError("split: sizes " + to_string(sizes) + " do not add up to axis " + std::to_string(axis) + " of shape " +
                         to_string(shape));
    }
}

/// Appends the parts of an axis that are so long. Many are cut from halves, since a recorded sweep gives each part a
/// gradient as large as what it was cut from.
template <Operand X>
void append_parts(PoolVector<X>& parts, const X& x, std::span<const std::size_t> sizes, std::size_t axis) {
    constexpr std::size_t few = 16;
    const std::size_t middle = sizes.size() / 2;
    std::size_t first = 0;
    const auto next = [&](std::span<const std::size_t> of) {
        const std::size_t count = std::accumulate(of.begin(), of.end(), std::size_t{0});
        return ops::selected(x, {axis, std::exchange(first, first + count), 1, count});
    };
    if (sizes.size() <= few) {
        for (std::size_t k = 0; k < sizes.size(); ++k) parts.push_back(next(sizes.subspan(k, 1)));
    } else {
        for (const auto half : {sizes.first(middle), sizes.subspan(middle)}) append_parts(parts, next(half), half, axis);
    }
}

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> slice(X<T> x, std::ptrdiff_t axis, const Slice& range) {
    return ops::selected(x, with_context_of(
                                "slice", [&] { return ops::Selection::of(x.shape(), axis, range); }, x));
}
template <template <class> class X, class T>
requires Operand<X<T>>
X<T> slice(X<T> x, std::initializer_list<Slice> ranges) {
    std::ptrdiff_t axis = 0;
    for (const Slice& range : ranges) {
        const bool whole = !range.start && !range.stop && range.step == 1;
        if (whole) static_cast<void>(detail::axis_of(x, axis, "slice"));
        if (!whole) x = slice(x, axis, range);
        ++axis;
    }
    return x;
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> unslice(X<T> x, const Shape& shape, std::ptrdiff_t axis, const Slice& range) {
    const auto places = [&] { return ops::Selection::of(shape, axis, range); };
    return apply(ops::PutBack<ops::Selection>{with_context_of("unslice", places, x), shape}, x);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::flip(X<T> x, const Axes& axes) {
    const auto flipped = [&] {
        const PoolVector<bool> reversed = axes.among(x.shape().size(), "flip");
        X<T> result = x;
        for (std::size_t axis = 0; axis < reversed.size(); ++axis) {
            if (reversed[axis]) result = slice(result, static_cast<std::ptrdiff_t>(axis), {.step = -1});
        }
        return result;
    };
    return with_context_of("flip", flipped, x);
}

template <template <class> class X, class T>
requires Operand<X<T>>
PoolVector<X<T>> ops::split(X<T> x, std::size_t sections, std::ptrdiff_t axis) {
    return with_context_of(
        "split", [&] { return autograd::split(x, equal_parts(x.shape(), sections, axis), axis); }, x);
}
template <template <class> class X, class T>
requires Operand<X<T>>
PoolVector<X<T>> split(X<T> x, const Shape& sizes, std::ptrdiff_t axis) {
    const auto cut = [&] {
        require_parts(x.shape(), sizes, axis);
        PoolVector<X<T>> parts;
        parts.reserve(sizes.size());
        append_parts(parts, x, {sizes.data(), sizes.size()}, normalize_axis(axis, x.shape().size(), "split"));
        return parts;
    };
    return with_context_of("split", cut, x);
}

template <template <class> class X, class T>
requires Operand<X<T>>
PoolVector<X<T>> unstack(X<T> x, std::ptrdiff_t axis) {
    const auto taken_apart = [&] {
        const std::size_t count = x.shape()[normalize_axis(axis, x.shape().size(), "unstack")];
        PoolVector<X<T>> parts;
        if (count == 0) return parts;
        for (const X<T>& part : split(x, count, axis)) parts.push_back(squeeze(part, axis));
        return parts;
    };
    return with_context_of("unstack", taken_apart, x);
}

// ---- concat and stack ----

namespace {

struct Concat {
    static constexpr const char* name = "concat";
    static constexpr bool linear = true;
    std::size_t axis;
    Shape result;
    PoolVector<std::size_t> firsts;  ///< where each array begins

    /// @throws ShapeError if the shapes differ in another axis, or this one is not there.
    static Concat of(std::span<const Shape* const> shapes, std::ptrdiff_t axis);

    template <class T>
    void forward(Array<T>& out, std::span<const Array<T>* const> list) const {
        if (list.size() != firsts.size()) {
            throw ShapeError(std::to_string(list.size()) + " inputs in place of " + std::to_string(firsts.size()));
        }
        for (std::size_t k = 0; k < list.size(); ++k) {
            Shape expected = result;
            if (axis < result.size()) {
                expected[axis] = (k + 1 < firsts.size() ? firsts[k + 1] : result[axis]) - firsts[k];
            }
            ops::require_input(list[k]->shape(), expected);
        }
        reshape_for_overwriting(out, result);
        const kernels::Strides strides = kernels::row_major_strides(result);
        for (std::size_t k = 0; k < list.size(); ++k) {
            const Array<T>& each = *list[k];
            if (each.size() == 0) continue;
            kernels::copy_strided(out.data() + static_cast<std::ptrdiff_t>(firsts[k]) * strides[axis], strides, each.data(),
                                  kernels::row_major_strides(each.shape()), each.shape());
        }
    }
    template <class X>
    X gradient(std::size_t which, const X& g, std::span<const X> list, const X&) const {
        return ops::selected(g, {axis, firsts[which], 1, list[which].shape()[axis]});
    }
};

Concat Concat::of(std::span<const Shape* const> shapes, std::ptrdiff_t axis) {
    if (shapes.empty()) throw ShapeError(std::string(name) + ": an empty list of inputs");
    const Shape& front = *shapes.front();
    Concat concat{normalize_axis(axis, front.size(), name), front, {}};
    std::size_t& extent = concat.result[concat.axis];
    extent = 0;
    for (const Shape* each : shapes) {
        Shape expected = front;
        if (each->size() == front.size()) expected[concat.axis] = (*each)[concat.axis];
        if (*each != expected) {
            throw ShapeError("shapes " + to_string(front) + " and " + to_string(*each) + " differ in more than axis " +
                             std::to_string(axis));
        }
        concat.firsts.push_back(extent);
        extent += expected[concat.axis];
    }
    return concat;
}

}  // namespace

template <class T>
Var<T> concat(std::span<const Var<T>> list, std::ptrdiff_t axis) {
    const auto joined = [&] {
        PoolVector<const Shape*> shapes;
        for (const Var<T>& each : list) shapes.push_back(&each.shape());
        return Concat::of(shapes, axis);
    };
    return apply_to_list(with_context_of("concat", joined, list), list);
}

template <class T>
Var<T> stack(std::span<const Var<T>> list, std::ptrdiff_t axis) {
    const auto join = [&] {
        if (list.empty()) throw ShapeError("an empty list of inputs");
        PoolVector<Var<T>> expanded;
        for (const Var<T>& each : list) {
            const Shape &a = list.front().shape(), &b = each.shape();
            if (a != b) throw ShapeError("shapes " + to_string(a) + " and " + to_string(b) + " differ");
            expanded.push_back(expand_dims(each, axis));
        }
        return concat(expanded, axis);
    };
    return with_context_of("stack", join, list);
}

// ---- roll ----

namespace {

struct Roll {
    static constexpr const char* name = "roll";
    static constexpr bool linear = true;
    std::size_t axis;
    std::size_t shift;  // less than the extent, or 0

    static Roll of(const Shape& shape, std::ptrdiff_t shift, std::ptrdiff_t axis) {
        const std::size_t place = normalize_axis(axis, shape.size(), name);
        const auto extent = static_cast<std::ptrdiff_t>(shape[place]);
        const std::ptrdiff_t rest = extent == 0 ? 0 : shift % extent;
        return {place, static_cast<std::size_t>(rest < 0 ? rest + extent : rest)};
    }

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        const auto view = kernels::AxisView::of(x.shape(), axis);
        if (shift >= std::max<std::size_t>(x.shape()[axis], 1)) {
            throw ShapeError("a shift of " + as_written(shift) + " is beyond axis " + std::to_string(axis) + " of shape " +
                             to_string(x.shape()));
        }
        reshape_for_overwriting(out, x.shape());
        const std::size_t size = view.extent * view.inner, moved = shift * view.inner;
        for (std::size_t i = 0; i < view.outer; ++i) {
            const T* from = x.data() + i * size;
            std::rotate_copy(from, from + (size - moved), from + size, out.data() + i * size);
        }
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X&) const {
        return apply(Roll{axis, shift == 0 ? 0 : x.shape()[axis] - shift}, g);
    }
};

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> roll(X<T> x, std::ptrdiff_t shift, std::ptrdiff_t axis) {
    return apply<Roll>(x, shift, axis);
}
template <template <class> class X, class T>
requires Operand<X<T>>
X<T> roll(X<T> x, std::ptrdiff_t shift) {
    return with_context_of(
        "roll", [&] { return reshape(roll(reshape(x, {element_count(x.shape())}), shift, 0), x.shape()); }, x);
}
template <template <class> class X, class T>
requires Operand<X<T>>
X<T> roll(X<T> x, const AxisList& shifts, const AxisList& axes) {
    const auto rolled = [&] {
        if (shifts.size() != axes.size()) {
            throw ShapeError(std::to_string(shifts.size()) + " shifts for " + std::to_string(axes.size()) + " axes of shape " +
                             to_string(x.shape()));
        }
        X<T> result = x;
        for (std::size_t k = 0; k < axes.size(); ++k) result = roll(result, shifts[k], axes[k]);
        return result;
    };
    return with_context_of("roll", rolled, x);
}

// ---- pad ----

namespace {

/// An array of a shape, filled with a value, of which element i + before is x[i] as far as both have it. With a
/// negative `before` or a smaller shape it crops; so the adjoint is the same op.
struct Pad {
    static constexpr const char* name = "pad";
    AxisList before;
    Shape shape;
    double value = 0;

    static Pad of(const Shape& shape, const PaddingList& padding, double value);

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        if (x.dimension() != shape.size() || before.size() != shape.size()) {
            throw ShapeError("an input of shape " + to_string(x.shape()) + " cannot be put into one of shape " +
                             to_string(shape) + " by " + std::to_string(before.size()) + " paddings");
        }
        reshape_for_overwriting(out, shape);
        // What both have, of each axis.
        const auto first = [&](std::size_t axis) { return std::max(before[axis], std::ptrdiff_t{0}); };
        Shape common = shape;
        for (std::size_t axis = 0; axis < shape.size(); ++axis) {
            const auto length = static_cast<std::ptrdiff_t>(shape[axis]), own = static_cast<std::ptrdiff_t>(x.shape()[axis]);
            const bool meet = before[axis] > -own && before[axis] < length;
            common[axis] = meet ? static_cast<std::size_t>(std::min(length, own + before[axis]) - first(axis)) : 0;
        }
        if (common != shape) std::fill_n(out.data(), out.size(), static_cast<T>(value));
        if (element_count(common) == 0) return;
        const kernels::Strides to_strides = kernels::row_major_strides(shape);
        const kernels::Strides from_strides = kernels::row_major_strides(x.shape());
        std::ptrdiff_t to = 0, from = 0;
        for (std::size_t axis = 0; axis < shape.size(); ++axis) {
            to += first(axis) * to_strides[axis];
            from += (first(axis) - before[axis]) * from_strides[axis];
        }
        kernels::copy_strided(out.data() + to, to_strides, x.data() + from, from_strides, common);
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X&) const {
        Pad adjoint{before, x.shape(), 0};
        for (std::ptrdiff_t& each : adjoint.before) each = -each;
        return apply(adjoint, g);
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X&, const X&) const {
        return apply(Pad{before, shape, 0}, t);
    }
};

Pad Pad::of(const Shape& shape, const PaddingList& padding, double value) {
    if (padding.size() != shape.size()) {
        throw ShapeError(std::string(name) + ": " + std::to_string(padding.size()) + " paddings for the " +
                         std::to_string(shape.size()) + " axes of shape " + to_string(shape));
    }
    Pad result{{}, shape, value};
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        const auto [before, after] = padding[axis];
        // Neither end may take away what the other one adds.
        std::ptrdiff_t extent = static_cast<std::ptrdiff_t>(shape[axis]);
        if (before < -extent || after < -extent || __builtin_add_overflow(extent, before, &extent) ||
            __builtin_add_overflow(extent, after, &extent) || extent < 0) {
            throw ShapeError(std::string(name) + ": axis " + std::to_string(axis) + " of shape " + to_string(shape) +
                             " cannot be padded by " + std::to_string(before) + " and " + std::to_string(after));
        }
        result.before.push_back(before);
        result.shape[axis] = static_cast<std::size_t>(extent);
    }
    return result;
}

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> pad(X<T> x, const PaddingList& padding, double value) {
    return apply<Pad>(x, padding, value);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::placed(X<T> x, std::size_t axis, std::ptrdiff_t before, std::size_t extent, double value) {
    Pad pad{AxisList(x.shape().size(), 0), x.shape(), value};
    pad.before[axis] = before;
    pad.shape[axis] = extent;
    return apply(pad, x);
}

// ---- Compiled for all worlds ----

#define XTAPE_INSTANTIATE(X)                                                     \
    template XTAPE_API X reshape(X, const Shape&);                               \
    template XTAPE_API X ops::expand_dims(X, const Axes&);                       \
    template XTAPE_API X ops::squeeze(X, const Axes&);                           \
    template XTAPE_API X permute_dims(X, const AxisList&);                       \
    template XTAPE_API X matrix_transpose(X);                                    \
    template XTAPE_API X moveaxis(X, const AxisList&, const AxisList&);          \
    template XTAPE_API X moveaxis(X, std::ptrdiff_t, std::ptrdiff_t);            \
    template XTAPE_API X ops::selected(X, const ops::Selection&);                \
    template XTAPE_API X slice(X, std::ptrdiff_t, const Slice&);                 \
    template XTAPE_API X slice(X, std::initializer_list<Slice>);                 \
    template XTAPE_API X unslice(X, const Shape&, std::ptrdiff_t, const Slice&); \
    template XTAPE_API X ops::flip(X, const Axes&);                              \
    template XTAPE_API PoolVector<X> ops::split(X, std::size_t, std::ptrdiff_t); \
    template XTAPE_API PoolVector<X> split(X, const Shape&, std::ptrdiff_t);     \
    template XTAPE_API PoolVector<X> unstack(X, std::ptrdiff_t);                 \
    template XTAPE_API X roll(X, std::ptrdiff_t, std::ptrdiff_t);                \
    template XTAPE_API X roll(X, std::ptrdiff_t);                                \
    template XTAPE_API X roll(X, const AxisList&, const AxisList&);              \
    template XTAPE_API X pad(X, const PaddingList&, double);                     \
    template XTAPE_API X ops::placed(X, std::size_t, std::ptrdiff_t, std::size_t, double);
XTAPE_FOR_OPERANDS(XTAPE_INSTANTIATE)
template XTAPE_API Var<float> concat(std::span<const Var<float>>, std::ptrdiff_t);
template XTAPE_API Var<double> concat(std::span<const Var<double>>, std::ptrdiff_t);
template XTAPE_API Var<float> stack(std::span<const Var<float>>, std::ptrdiff_t);
template XTAPE_API Var<double> stack(std::span<const Var<double>>, std::ptrdiff_t);

}  // namespace autograd
