// Array<T>, the values on a tape: an xtensor array on the pooled allocator, row-major and contiguous. The only header
// which names xtensor's container headers. It computes nothing; kernels/ do.
#pragma once

#include "autograd/base/language.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#if __has_include(<xtensor/containers/xarray.hpp>)
#include <xtensor/containers/xarray.hpp>
#else
#include <xtensor/xarray.hpp>
#endif

#include "autograd/base/error.hpp"
#include "autograd/base/memory.hpp"

namespace XTAPE_API autograd {

/// What nodes, parameters and data sets hold: an xtensor array, row-major and contiguous, in buffers of memory.hpp.
template <class T>
using Array = xt::xarray<T, xt::layout_type::row_major, PoolAllocator<T>>;

/// Extents, outermost first. Up to four of them live inline.
using Shape = typename Array<float>::shape_type;

/// A vector on the pooled allocator, for lists which are made anew at every step.
template <class T>
using PoolVector = std::vector<T, PoolAllocator<T>>;

/// a == b, inline: shapes are compared several times for each node.
[[nodiscard]] inline bool same_shape(const Shape& a, const Shape& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] != b[i]) return false;
    }
    return true;
}

/// A size, index or count as whoever passed it will have written it: -1 became 2^64 - 1, and is shown as "-1". So is what
/// else lies within 2^62 of 2^64.
[[nodiscard]] std::string as_written(std::size_t number);

/// "(3, 4)", as NumPy prints it: "(3,)" for one axis and "()" for a scalar. Extents as_written().
[[nodiscard]] std::string to_string(const Shape& shape);

/// More than any machine holds. No array has as many bytes, no product of extents as much.
inline constexpr std::size_t most_bytes = std::size_t{1} << 48;

/// The number of elements of a shape; 1 for the shape of a scalar, ().
/// @throws ShapeError if the product of the extents that are not 0 is more than 2^48: of that size there is no array, nor a
/// part or a sum of one that has no elements.
[[nodiscard]] std::size_t element_count(const Shape& shape);

/// Refuses a shape of which there can be no array, before memory is asked for.
/// @throws ShapeError, which begins with `op` if there is one, if the product of the extents that are not 0 is more than
/// 2^48 bytes of such elements, which no machine holds.
void require_allocatable(const Shape& shape, std::size_t element_bytes, const char* op = nullptr);

/// An uninitialised array. (`Array<float>({3, 4})` would be the data 3 and 4, not a shape.)
/// @throws ShapeError as require_allocatable does.
template <class T>
[[nodiscard]] Array<T> empty(const Shape& shape) {
    require_allocatable(shape, sizeof(T), "empty");
    return Array<T>(shape);
}

/// An array of which each element is `value`.
/// @throws ShapeError as require_allocatable does.
template <class T>
[[nodiscard]] Array<T> full(const Shape& shape, T value) {
    require_allocatable(shape, sizeof(T), "full");
    return Array<T>(shape, value);
}

/// What require_values() does with an array that was moved from.
/// @throws TapeError always; `who` begins the message.
[[noreturn]] void refuse_moved_from(const char* who);

/// Refuses an array which was moved from: it has a shape, and not its elements. `who` begins the message.
/// @throws TapeError for such an array.
template <class T>
void require_values(const Array<T>& array, const char* who) {
    std::size_t count = 1;
    for (const std::size_t extent : array.shape()) count *= extent;
    if (count != array.size()) refuse_moved_from(who);
}

namespace detail {

// Apart from the question whether it is needed, which is asked at every node and is to be compiled where it is asked.
template <class T>
[[gnu::noinline]] void give_shape(Array<T>& array, const Shape& shape) {
    require_allocatable(shape, sizeof(T));
    constexpr std::size_t within = 4;  // of so many axes the shape is in the array itself: its elements alone are elsewhere
    if (shape.size() > within || array.dimension() > within) {
        array = empty<T>(shape);
        return;
    }
    std::size_t count = 1;
    for (const std::size_t extent : shape) count *= extent;
    array.storage().resize(count);  // this may throw, and the next line does not
    array.resize(shape);
}

}  // namespace detail

/// Gives `array` this shape, with unspecified values; nothing happens if it has it.
/// @throws ShapeError as require_allocatable does. Whatever is thrown leaves `array` as it was: xtensor's own resize()
/// sets the shape before it has the memory.
template <class T>
inline void reshape_for_overwriting(Array<T>& array, const Shape& shape) {
    if (!same_shape(array.shape(), shape)) detail::give_shape(array, shape);
}

/// Calls make(array). If it throws, `array` is left without elements: xtensor's assignments set the shape before they have
/// the memory, and who finds a shape again that it asks for would write beyond the buffer.
template <class T, class Make>
void make_or_empty(Array<T>& array, Make&& make) {
    try {
        make(array);
    } catch (...) {
        array.storage() = {};    // from here on nothing
        array.resize(Shape{0});  // is allocated
        throw;
    }
}

/// Asks whether a contribution of this shape can be added to a gradient. `op` begins the message.
/// @throws GradientError if the gradient has another shape: then a rule is wrong.
template <class T>
void require_shape(const Array<T>& target, const Shape& shape, const char* op) {
    if (same_shape(target.shape(), shape)) return;
    throw GradientError(std::string(op) + ": a contribution of shape " + to_string(shape) + " to a gradient of shape " +
                        to_string(target.shape()));
}

/// The shape that `a` and `b` broadcast to by NumPy's rule.
/// @throws ShapeError naming both shapes if they do not. (The op's name is put before it where the op is recorded.)
[[nodiscard]] Shape broadcast_shapes(const Shape& a, const Shape& b);

/// True if an array of shape `from` may be broadcast to exactly `to`.
[[nodiscard]] bool broadcasts_to(const Shape& from, const Shape& to);

/// An axis counted from the front: -1 is the last of `rank`.
/// @throws ShapeError naming `op` if there is no such axis.
[[nodiscard]] std::size_t normalize_axis(std::ptrdiff_t axis, std::size_t rank, const char* op);

}  // namespace autograd
