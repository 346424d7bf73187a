// Arithmetic of shapes: counting, printing, broadcasting.
#include "autograd/array.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace autograd {

std::size_t element_count(const Shape& shape) {
    std::size_t count = 1;
    bool overflow = false;
    for (const std::size_t extent : shape) overflow |= __builtin_mul_overflow(count, extent, &count);
    if (!overflow) return count;
    // A shape with an axis of extent 0 has no elements, however large the others are.
    if (std::find(shape.begin(), shape.end(), std::size_t{0}) != shape.end()) return 0;
    throw ShapeError(fmt::format("shape {} has more elements than can be counted", to_string(shape)));
}

void require_allocatable(const Shape& shape, std::size_t element_bytes) {
    if (element_count(shape) <= (std::size_t{1} << 48) / element_bytes) return;
    throw ShapeError(fmt::format("an array of shape {} is too large for any memory", to_string(shape)));
}

std::string to_string(const Shape& shape) {
    if (shape.size() == 1) return fmt::format("({},)", shape[0]);
    return fmt::format("({})", fmt::join(shape.begin(), shape.end(), ", "));
}

Shape broadcast_shapes(const Shape& a, const Shape& b) {
    const bool a_is_longer = a.size() >= b.size();
    const Shape& longer = a_is_longer ? a : b;
    const Shape& shorter = a_is_longer ? b : a;
    Shape result = longer;
    const std::size_t offset = longer.size() - shorter.size();
    for (std::size_t i = 0; i < shorter.size(); ++i) {
        std::size_t& extent = result[offset + i];
        if (extent == shorter[i] || shorter[i] == 1) continue;
        if (extent != 1) {
            throw ShapeError(fmt::format(
                "shapes {} and {} do not broadcast: extents, counted from the last, must be equal or 1; found {} and {}",
                to_string(a), to_string(b), a_is_longer ? extent : shorter[i], a_is_longer ? shorter[i] : extent));
        }
        extent = shorter[i];
    }
    return result;
}

bool broadcasts_to(const Shape& from, const Shape& to) {
    if (from.size() > to.size()) return false;
    const std::size_t offset = to.size() - from.size();
    for (std::size_t i = 0; i < from.size(); ++i) {
        if (from[i] != to[offset + i] && from[i] != 1) return false;
    }
    return true;
}

std::size_t normalize_axis(std::ptrdiff_t axis, std::size_t rank, const char* op) {
    const auto signed_rank = static_cast<std::ptrdiff_t>(rank);
    if (axis < -signed_rank || axis >= signed_rank) {
        throw ShapeError(rank == 0 ? fmt::format("{}: axis {} of a scalar, which has none", op, axis)
                                   : fmt::format("{}: axis {} of an array of rank {}: it must lie in [{}, {})", op, axis,
                                                 rank, -signed_rank, signed_rank));
    }
    return static_cast<std::size_t>(axis < 0 ? axis + signed_rank : axis);
}

}  // namespace autograd
