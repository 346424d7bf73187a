// The walk of a reduction: rows of a Loop gathered into a smaller target, pairwise, so that the error of a sum grows with
// the logarithm of its length along whatever axes it is taken. What a row contributes is the caller's business: it may be
// read from memory, or computed on the way.
#pragma once

#include <algorithm>
#include <cstddef>

#include "autograd/base/threads.hpp"
#include "autograd/kernels/loop.hpp"

namespace XTAPE_API autograd {
namespace kernels {

/// Up to so many rows, or elements of a row, are gathered one after the other; more are halved.
inline constexpr std::size_t rows_in_sequence = 16;
inline constexpr std::size_t elements_in_sequence = 512;

/// Gathers the rows of `loop` into operand `which` of it, whose data is `target`. `open(limit)` makes what one thread
/// works with: of the target what lies before `limit`, if that is not null, for what follows is read and written by
/// others. It is an object that has
///     into(to, add, offsets, first, count): writes, or joins to, to[0 ... count) elements [first, first + count) of a row;
///     total(offsets, first, count): the elements of that part of a row, joined;
///     or, where rows lie in memory, at(offsets, first) and into(to, rows, row_count, count), which writes several rows
///     joined;
///     join(a, b): of two values;
///     join(to, from, count): of two arrays, into the first.
/// `add` says whether what is there counts. The space must not be empty.
template <class T, class Open>
class RowReduction {
   public:
    RowReduction(const Loop& loop, std::size_t which, T* target, bool add, Open open)
        : loop_(loop), which_(which), target_(target), add_(add), open_(open) {
        for (const Loop::Axis& axis : loop.axes()) (axis.strides[which] == 0 ? gathered_ : kept_).push_back(axis);
        for (const Loop::Axis& axis : gathered_) gathered_rows_ *= axis.extent;
    }

    void run() const {
        const bool along = loop_.step(which_) == 1;
        // Columns are cut into blocks that stay in the nearest cache while rows are added to them.
        const std::size_t block = along ? elements_in_sequence : loop_.length();
        const std::size_t blocks = (loop_.length() + block - 1) / block;
        const std::size_t units = loop_.rows() / gathered_rows_ * blocks;
        for_shares(units, gathered_rows_ * block, [&](std::size_t begin, std::size_t end) {
            // Units follow each other in the target, which is contiguous.
            const std::size_t row_length = along ? loop_.length() : 1;
            const std::size_t share_end = end / blocks * row_length + end % blocks * block;
            auto worker = open_(end < units ? target_ + share_end : nullptr);
            for (std::size_t unit = begin; unit < end; ++unit) {
                const Cursor kept({kept_.data(), kept_.size()}, loop_.operands(), unit / blocks, {});
                T* to = target_ + kept.offsets()[which_];
                if (along) {
                    const std::size_t first = unit % blocks * block;
                    const std::size_t count = std::min(block, loop_.length() - first);
                    gather(worker, kept.offsets(), to + first, add_, 0, gathered_rows_, first, count);
                } else {
                    const T total = total_of_rows(worker, kept.offsets(), 0, gathered_rows_);
                    *to = add_ ? worker.join(*to, total) : total;
                }
            }
        });
    }

   private:
    template <class Worker>
    void gather(Worker& worker, const Loop::Offsets& origin, T* to, bool add, std::size_t begin, std::size_t end,
                std::size_t first, std::size_t count) const {
        if (end - begin > rows_in_sequence) {
            const std::size_t middle = begin + (end - begin) / 2;
            gather(worker, origin, to, add, begin, middle, first, count);
            alignas(64) T half[elements_in_sequence];
            gather(worker, origin, half, false, middle, end, first, count);
            return worker.join(to, half, count);
        }
        Cursor row = cursor(origin, begin);
        if constexpr (requires { worker.at(row.offsets(), first); }) {
            const T* rows[rows_in_sequence];
            for (std::size_t i = 0; i < end - begin; ++i, row.advance()) rows[i] = worker.at(row.offsets(), first);
            if (!add) return worker.into(to, rows, end - begin, count);
            alignas(64) T joined[elements_in_sequence];
            worker.into(joined, rows, end - begin, count);
            worker.join(to, joined, count);
        } else {
            for (std::size_t i = begin; i < end; ++i, row.advance()) {
                worker.into(to, add || i > begin, row.offsets(), first, count);
            }
        }
    }

    template <class Worker>
    T total_of_rows(Worker& worker, const Loop::Offsets& origin, std::size_t begin, std::size_t end) const {
        if (end - begin > rows_in_sequence) {
            const std::size_t middle = begin + (end - begin) / 2;
            const T left = total_of_rows(worker, origin, begin, middle);
            return worker.join(left, total_of_rows(worker, origin, middle, end));
        }
        Cursor row = cursor(origin, begin);
        T total = total_of_row(worker, row.offsets(), 0, loop_.length());
        for (std::size_t i = begin + 1; i < end; ++i) {
            row.advance();
            total = worker.join(total, total_of_row(worker, row.offsets(), 0, loop_.length()));
        }
        return total;
    }

    template <class Worker>
    static T total_of_row(Worker& worker, const Loop::Offsets& offsets, std::size_t first, std::size_t count) {
        if (count <= elements_in_sequence) return worker.total(offsets, first, count);
        const std::size_t half = (count / 2 + elements_in_sequence - 1) / elements_in_sequence * elements_in_sequence;
        const T left = total_of_row(worker, offsets, first, half);
        return worker.join(left, total_of_row(worker, offsets, first + half, count - half));
    }

    Cursor cursor(const Loop::Offsets& origin, std::size_t row) const {
        return Cursor({gathered_.data(), gathered_.size()}, loop_.operands(), row, origin);
    }

    const Loop& loop_;
    std::size_t which_;
    T* target_;
    bool add_;
    Open open_;
    PoolVector<Loop::Axis> kept_, gathered_;
    std::size_t gathered_rows_ = 1;
};

}  // namespace kernels
}  // namespace autograd
