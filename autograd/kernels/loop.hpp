// Loop: the plan for walking several broadcast operands together. Adjacent axes which every operand treats alike are
// merged, so that what is left is rows of unit or zero step and, rarely, an odometer over them. It touches no data.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "autograd/array.hpp"

namespace autograd::kernels {

class Loop {
   public:
    static constexpr std::size_t max_operands = 10;
    using Offsets = std::array<std::ptrdiff_t, max_operands>;

    /// Plans a walk over `space`; each operand's shape must broadcast to it. Null stands for a lone scalar, which has no
    /// buffer whose padding could be read.
    Loop(const Shape& space, std::span<const Shape* const> operands);

    std::size_t rows() const { return rows_; }
    /// Elements in a row.
    std::size_t length() const { return length_; }
    /// 1 if the operand advances along a row, 0 if it stays.
    std::ptrdiff_t step(std::size_t operand) const { return step_[operand]; }

    /// Calls `row(offsets)` for each row in memory order, with every operand's offset in elements.
    template <class Row>
    void for_each_row(Row&& row) const {
        if (rows_ == 0 || length_ == 0) return;
        Offsets offsets{};
        if (rows_ == 1) return row(offsets);
        PoolVector<std::size_t> position(axes_.size(), 0);
        while (true) {
            row(offsets);
            std::size_t axis = 0;
            while (true) {
                if (axis == axes_.size()) return;
                advance(offsets, axis, 1);
                if (++position[axis] < axes_[axis].extent) break;
                advance(offsets, axis, -static_cast<std::ptrdiff_t>(axes_[axis].extent));
                position[axis++] = 0;
            }
        }
    }

   private:
    struct Axis {
        std::size_t extent;
        Offsets strides;  // one per operand
    };

    bool plan_one_row(const Shape& space, std::span<const Shape* const> operands);
    void advance(Offsets& offsets, std::size_t axis, std::ptrdiff_t times) const {
        for (std::size_t k = 0; k < operands_; ++k) offsets[k] += times * axes_[axis].strides[k];
    }

    std::size_t operands_;
    std::size_t rows_ = 1;
    std::size_t length_ = 1;
    Offsets step_{};
    PoolVector<Axis> axes_;  // outside a row, innermost first
};

}  // namespace autograd::kernels
