// Loop: the plan for walking several broadcast operands together. Adjacent axes which every operand treats alike are
// merged, so that what is left is rows of unit or zero step and, rarely, an odometer over them. It touches no data.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include "autograd/base/array.hpp"

namespace XTAPE_API autograd {
namespace kernels {

class Loop {
   public:
    static constexpr std::size_t max_operands = 10;
    using Offsets = std::array<std::ptrdiff_t, max_operands>;

    struct Axis {
        std::size_t extent;
        Offsets strides;  // one per operand
    };

    /// Plans a walk over `space`; each operand's shape must broadcast to it. Null stands for a lone scalar, which has no
    /// buffer whose padding could be read.
    Loop(const Shape& space, std::span<const Shape* const> operands);

    std::size_t operands() const { return operands_; }
    std::size_t rows() const { return rows_; }
    /// Elements in a row.
    std::size_t length() const { return length_; }
    /// 1 if the operand advances along a row, 0 if it stays.
    std::ptrdiff_t step(std::size_t operand) const { return step_[operand]; }
    /// Those outside a row, innermost first.
    std::span<const Axis> axes() const { return {axes_.data(), axes_.size()}; }

    /// Calls `row(offsets)` for rows begin ... end - 1 in memory order, with every operand's offset in elements.
    template <class Row>
    void for_each_row(std::size_t begin, std::size_t end, Row&& row) const;
    template <class Row>
    void for_each_row(Row&& row) const {
        if (length_ > 0) for_each_row(0, rows_, row);
    }

   private:
    bool plan_one_row(const Shape& space, std::span<const Shape* const> operands);

    std::size_t operands_;
    std::size_t rows_ = 1;
    std::size_t length_ = 1;
    Offsets step_{};
    PoolVector<Axis> axes_;
};

/// A place among the positions of some axes, innermost first, counted in memory order.
class Cursor {
   public:
    Cursor(std::span<const Loop::Axis> axes, std::size_t operands, std::size_t position, const Loop::Offsets& origin)
        : axes_(axes), operands_(operands), offsets_(origin) {
        if (axes.size() > few_.size()) many_.resize(axes.size());
        std::size_t* const place = places();
        std::fill_n(place, axes.size(), std::size_t{0});
        for (std::size_t axis = 0; axis < axes.size() && position > 0; position /= axes[axis++].extent) {
            place[axis] = position % axes[axis].extent;
            move(axis, static_cast<std::ptrdiff_t>(place[axis]));
        }
    }
    const Loop::Offsets& offsets() const { return offsets_; }
    void advance() {
        std::size_t* const place = places();
        for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
            move(axis, 1);
            if (++place[axis] < axes_[axis].extent) return;
            move(axis, -static_cast<std::ptrdiff_t>(axes_[axis].extent));
            place[axis] = 0;
        }
    }

   private:
    void move(std::size_t axis, std::ptrdiff_t times) {
        for (std::size_t k = 0; k < operands_; ++k) offsets_[k] += times * axes_[axis].strides[k];
    }

    std::span<const Loop::Axis> axes_;
    std::size_t operands_;
    Loop::Offsets offsets_;
    // Where it is along each axis. Cursors are made in the parts of shared work, which for few axes allocate nothing.
    std::size_t* places() { return axes_.size() > few_.size() ? many_.data() : few_.data(); }
    std::array<std::size_t, 6> few_;
    PoolVector<std::size_t> many_;
};

template <class Row>
void Loop::for_each_row(std::size_t begin, std::size_t end, Row&& row) const {
    if (begin >= end) return;
    if (rows_ == 1) return row(Offsets{});
    Cursor cursor(axes(), operands_, begin, Offsets{});
    for (std::size_t i = begin; i < end; ++i, cursor.advance()) row(cursor.offsets());
}

}  // namespace kernels
}  // namespace autograd
