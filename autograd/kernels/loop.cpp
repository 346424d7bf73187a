// Merges axes from the innermost outwards.
#include "autograd/kernels/loop.hpp"

#include <algorithm>

namespace autograd::kernels {

/// The common case: every operand has the shape of the space, or is a scalar.
bool Loop::plan_one_row(const Shape& space, std::span<const Shape* const> operands) {
    for (std::size_t k = 0; k < operands.size(); ++k) {
        if (operands[k] != nullptr && !same_shape(*operands[k], space)) return false;
        step_[k] = operands[k] == nullptr ? 0 : 1;
    }
    for (const std::size_t extent : space) length_ *= extent;
    return true;
}

Loop::Loop(const Shape& space, std::span<const Shape* const> operands) : operands_(operands.size()) {
    if (plan_one_row(space, operands)) return;
    Offsets natural;  // the stride each operand has reached, going outwards
    natural.fill(1);
    unsigned row_pattern = 0;
    unsigned previous_pattern = 0;
    bool in_row = true;
    bool first = true;
    for (std::size_t axis = space.size(); axis-- > 0;) {
        const std::size_t extent = space[axis];
        if (extent == 1) continue;
        unsigned pattern = 0;
        for (std::size_t k = 0; k < operands_; ++k) {
            if (operands[k] == nullptr) continue;
            const Shape& shape = *operands[k];
            const std::size_t missing = space.size() - shape.size();
            if (axis >= missing && shape[axis - missing] != 1) pattern |= 1u << k;
        }
        if (first) row_pattern = previous_pattern = pattern;
        first = false;
        if (pattern != previous_pattern) in_row = false;
        if (in_row) {
            length_ *= extent;
        } else if (pattern == previous_pattern) {
            axes_.back().extent *= extent;
        } else {
            Offsets strides{};
            for (std::size_t k = 0; k < operands_; ++k) strides[k] = (pattern >> k & 1u) != 0 ? natural[k] : 0;
            axes_.push_back({extent, strides});
        }
        if (!in_row) rows_ *= extent;
        for (std::size_t k = 0; k < operands_; ++k) {
            if ((pattern >> k & 1u) != 0) natural[k] *= static_cast<std::ptrdiff_t>(extent);
        }
        previous_pattern = pattern;
    }
    for (std::size_t k = 0; k < operands_; ++k) step_[k] = (row_pattern >> k & 1u) != 0 ? 1 : 0;
}

}  // namespace autograd::kernels
