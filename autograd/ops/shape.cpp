// Shapes and values of the ops that move elements.
#include "autograd/ops/shape.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "autograd/kernels/layout.hpp"

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

template <class T>
void Reshape::forward(Array<T>& out, const Array<T>& x) const {
    if (element_count(shape) != x.size()) {
        throw ShapeError("shape " + to_string(x.shape()) + " has " + std::to_string(x.size()) + " elements, " +
                         to_string(shape) + " has " + std::to_string(element_count(shape)));
    }
    reshape_for_overwriting(out, shape);
    std::copy_n(x.data(), x.size(), out.data());
}

Reshape Reshape::of(Shape shape, std::size_t count) {
    const auto place = std::find(shape.begin(), shape.end(), inferred);
    if (place == shape.end()) return {shape};
    const auto refuse = [&, given = shape](const std::string& why) {
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

PermuteDims PermuteDims::inverse() const {
    PermuteDims result{Shape(axes.size())};
    for (std::size_t i = 0; i < axes.size(); ++i) result.axes[axes[i]] = i;
    return result;
}

template <class T>
void PermuteDims::forward(Array<T>& out, const Array<T>& x) const {
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

Selection Selection::of(const Shape& shape, std::ptrdiff_t axis, const Slice& slice) {
    const std::size_t place = normalize_axis(axis, shape.size(), SliceOp::name);
    const auto extent = static_cast<std::ptrdiff_t>(shape[place]);
    const auto refuse = [&](const std::string& what) {
        throw ShapeError(std::string(SliceOp::name) + ": " + what + " for axis " + std::to_string(axis) + " of shape " +
                         to_string(shape));
    };
    if (slice.step == 0) refuse("a step of 0");
    if (slice.step == std::numeric_limits<std::ptrdiff_t>::min()) refuse("a step beyond all sizes");
    // Python's meaning of an index that is left out depends on the direction.
    const bool forward = slice.step > 0;
    const auto resolve = [&](std::optional<std::ptrdiff_t> index, std::ptrdiff_t otherwise, std::ptrdiff_t last) {
        if (!index) return otherwise;
        if (*index < -extent || *index > last) refuse("index " + std::to_string(*index) + " out of range");
        return *index < 0 ? *index + extent : *index;
    };
    const std::ptrdiff_t first = resolve(slice.start, forward ? 0 : extent - 1, forward ? extent : extent - 1);
    const std::ptrdiff_t stop = resolve(slice.stop, forward ? extent : -1, extent);
    const std::ptrdiff_t distance = forward ? stop - first : first - stop;
    const std::ptrdiff_t stride = forward ? slice.step : -slice.step;
    const std::ptrdiff_t count = distance <= 0 ? 0 : (distance - 1) / stride + 1;
    return {place, count == 0 ? 0 : static_cast<std::size_t>(first), slice.step, static_cast<std::size_t>(count)};
}

Shape Selection::part_of(const Shape& shape) const {
    const auto is_inside = [&] {
        if (axis >= shape.size()) return false;
        if (count == 0) return true;
        const std::size_t extent = shape[axis], stride = step > 0 ? static_cast<std::size_t>(step) : 0 - static_cast<std::size_t>(step);
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
void SliceOp::forward(Array<T>& out, const Array<T>& x) const {
    const Shape shape = selection.part_of(x.shape());
    reshape_for_overwriting(out, shape);
    if (out.size() == 0) return;  // an empty array has no data to add an offset to
    const SelectedPlaces places(selection, x.shape());
    kernels::copy_strided(out.data(), kernels::row_major_strides(shape), x.data() + places.offset, places.strides, shape);
}

template <class T>
void Unslice::forward(Array<T>& out, const Array<T>& x) const {
    reshape_for_overwriting(out, shape);
    std::fill_n(out.data(), out.size(), T(0));
    add_to(out, x);
}

template <class T>
void Unslice::add_to(Array<T>& target, const Array<T>& x) const {
    require_input(x.shape(), selection.part_of(shape));
    require_shape(target, shape, name);
    if (x.size() == 0) return;
    const SelectedPlaces places(selection, shape);
    kernels::add_strided(target.data() + places.offset, places.strides, x.data(), kernels::row_major_strides(x.shape()),
                         x.shape());
}

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

template <class T>
void Concat::forward(Array<T>& out, std::span<const Array<T>* const> list) const {
    if (list.size() != firsts.size()) {
        throw ShapeError(std::to_string(list.size()) + " inputs in place of " + std::to_string(firsts.size()));
    }
    for (std::size_t k = 0; k < list.size(); ++k) {
        Shape expected = result;
        if (axis < result.size()) {
            expected[axis] = (k + 1 < firsts.size() ? firsts[k + 1] : result[axis]) - firsts[k];
        }
        require_input(list[k]->shape(), expected);
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

Roll Roll::of(const Shape& shape, std::ptrdiff_t axis, std::ptrdiff_t shift) {
    const std::size_t place = normalize_axis(axis, shape.size(), name);
    const auto extent = static_cast<std::ptrdiff_t>(shape[place]);
    const std::ptrdiff_t rest = extent == 0 ? 0 : shift % extent;
    return {place, static_cast<std::size_t>(rest < 0 ? rest + extent : rest)};
}

template <class T>
void Roll::forward(Array<T>& out, const Array<T>& x) const {
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

Pad Pad::of_axis(const Shape& shape, std::size_t axis, const Padding& padding, double value) {
    Pad result{AxisList(shape.size(), 0), shape, value};
    result.before[axis] = padding.before;
    const std::ptrdiff_t extent = static_cast<std::ptrdiff_t>(shape[axis]) + padding.before + padding.after;
    result.shape[axis] = static_cast<std::size_t>(std::max(extent, std::ptrdiff_t{0}));
    return result;
}

template <class T>
void Pad::forward(Array<T>& out, const Array<T>& x) const {
    if (x.dimension() != shape.size() || before.size() != shape.size()) {
        throw ShapeError("an input of shape " + to_string(x.shape()) + " cannot be put into one of shape " +
                         to_string(shape) + " by " + std::to_string(before.size()) + " paddings");
    }
    reshape_for_overwriting(out, shape);
    // What both have, of each axis.
    const auto first = [&](std::size_t axis) { return std::max(before[axis], std::ptrdiff_t{0}); };
    Shape common = shape;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        const auto length = static_cast<std::ptrdiff_t>(shape[axis]),
                   own = static_cast<std::ptrdiff_t>(x.shape()[axis]);
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

void require_matrix(const Shape& shape) {
    if (shape.size() < 2) {
        throw ShapeError("a matrix, or a batch of them, is wanted: at least two axes, not shape " + to_string(shape));
    }
}

void require_shifts(const Shape& shape, const AxisList& shifts, const AxisList& axes) {
    if (shifts.size() == axes.size()) return;
    throw ShapeError(std::to_string(shifts.size()) + " shifts for " + std::to_string(axes.size()) + " axes of shape " +
                     to_string(shape));
}

void require_input(const Shape& x, const Shape& expected) {
    if (same_shape(x, expected)) return;
    throw ShapeError("an input of shape " + to_string(x) + " where one of shape " + to_string(expected) + " is wanted");
}

void require_equal_shapes(const Shape& a, const Shape& b) {
    if (a != b) throw ShapeError("shapes " + to_string(a) + " and " + to_string(b) + " differ");
}

Shape squeezed(const Shape& shape, const Axes& axes) {
    const PoolVector<bool> dropped = axes.among(shape.size(), "squeeze");
    Shape result;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        if (!dropped[axis]) result.push_back(shape[axis]);
        if (dropped[axis] && shape[axis] != 1) {
            throw ShapeError("squeeze: axis " + std::to_string(axis) + " of shape " + to_string(shape) +
                             " is not 1 long");
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
        order[normalize_axis(destination[k], rank, name)] =
            static_cast<std::ptrdiff_t>(normalize_axis(source[k], rank, name));
    }
    std::size_t from = 0;
    for (std::size_t axis = 0; axis < rank; ++axis) {
        if (taken[axis]) continue;
        while (leaves[from]) ++from;
        order[axis] = static_cast<std::ptrdiff_t>(from++);
    }
    return order;
}

Shape equal_parts(const Shape& shape, std::size_t sections, std::ptrdiff_t axis) {
    const std::size_t extent = shape[normalize_axis(axis, shape.size(), "split")];
    constexpr std::size_t most = std::size_t{1} << 24;
    if (sections == 0 || extent % sections != 0 || sections > most) {
        throw ShapeError("split: axis " + std::to_string(axis) + " of shape " + to_string(shape) +
                         " cannot be cut into " + as_written(sections) + " equal parts");
    }
    return Shape(sections, extent / sections);
}

void require_parts(const Shape& shape, const Shape& sizes, std::ptrdiff_t axis) {
    const std::size_t extent = shape[normalize_axis(axis, shape.size(), "split")];
    std::size_t total = 0;
    bool overflow = false;
    for (const std::size_t size : sizes) overflow |= __builtin_add_overflow(total, size, &total);
    if (overflow || total != extent) {
        throw ShapeError("split: sizes " + to_string(sizes) + " do not add up to axis " + std::to_string(axis) +
                         " of shape " + to_string(shape));
    }
}

}  // namespace ops

XTAPE_SHAPE_STRUCTURES(XTAPE_INSTANTIATE_STRUCTURE)
template struct detail::CompiledList<ops::Concat, float>;
template struct detail::CompiledList<ops::Concat, double>;
}  // namespace autograd
