// Arithmetic of shapes: counting, printing, broadcasting.
#include "autograd/base/array.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace autograd {

namespace {

// Above this a number was negative before it became a size.
constexpr std::size_t largest_positive = std::numeric_limits<std::size_t>::max() - (std::size_t{1} << 62);

struct Count {
    std::size_t elements;
    std::size_t product;  ///< of the extents that are not 0, at most 2^48 + 1
};

Count count_of(const Shape& shape) {
    std::size_t product = 1;
    bool is_too_large = false, is_empty = false;
    for (const std::size_t extent : shape) {
        is_empty |= extent == 0;
        is_too_large |= __builtin_mul_overflow(product, extent == 0 ? 1 : extent, &product);
    }
    if (is_too_large || product > most_bytes) product = most_bytes + 1;
    return {is_empty ? 0 : product, product};
}

[[noreturn]] void refuse(const Shape& shape, const char* op) {
    const bool is_negative =
        std::any_of(shape.begin(), shape.end(), [](std::size_t extent) { return extent > largest_positive; });
    throw ShapeError(fmt::format("{}{}shape {} {}", op == nullptr ? "" : op, op == nullptr ? "" : ": ", to_string(shape),
                                 is_negative ? "has a negative extent" : "is too large for any memory"));
}

}  // namespace

void refuse_moved_from(const char* who) {
    throw TapeError(std::string(who) + ": an array that was moved from, which has no elements");
}

std::size_t element_count(const Shape& shape) {
    const Count count = count_of(shape);
    if (count.product > most_bytes) refuse(shape, nullptr);
    return count.elements;
}

void require_allocatable(const Shape& shape, std::size_t element_bytes, const char* op) {
    if (count_of(shape).product > most_bytes / element_bytes) refuse(shape, op);
}

std::string as_written(std::size_t number) {
    return number > largest_positive ? fmt::format("-{}", 0 - number) : fmt::format("{}", number);
}

std::string to_string(const Shape& shape) {
    std::string text = "(";
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        text += (axis == 0 ? "" : ", ") + as_written(shape[axis]);
    }
    return text + (shape.size() == 1 ? ",)" : ")");
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
                                   : fmt::format("{}: axis {} of an array of rank {}: it must lie in [{}, {})", op, axis, rank,
                                                 -signed_rank, signed_rank));
    }
    return static_cast<std::size_t>(axis < 0 ? axis + signed_rank : axis);
}

}  // namespace autograd
