// Drives the inner loops over a Loop's rows, turning operands that stay into packs of one value.
#include "autograd/kernels/elementwise.hpp"

#include <algorithm>
#include <array>
#include <functional>

#include "autograd/kernels/loop.hpp"
#include "autograd/kernels/row_reduction.hpp"

namespace autograd::kernels {
namespace {

/// What one thread points its loops with.
template <class T>
class RowPointers {
   public:
    RowPointers(const Loop& loop, std::span<const Operand<T>> operands) : operands_(operands) {
        for (std::size_t k = 0; k < operands.size(); ++k) advance_[k] = loop.step(k) == 0 ? 0 : advances;
    }
    /// For a single row along which all advance but lone scalars.
    explicit RowPointers(std::span<const Operand<T>> operands) : operands_(operands) {
        for (std::size_t k = 0; k < operands.size(); ++k) advance_[k] = operands[k].shape == nullptr ? 0 : advances;
    }

    /// Every operand's data for the row at `offsets`, from element `first` of it on.
    const T* const* at(const Loop::Offsets& offsets, std::size_t first) {
        for (std::size_t k = 0; k < operands_.size(); ++k) {
            pointers_[k] = place(k, operands_[k].data + offsets[k], first);
        }
        return pointers_.data();
    }
    const T* const* at(std::size_t first) {
        for (std::size_t k = 0; k < operands_.size(); ++k) pointers_[k] = place(k, operands_[k].data, first);
        return pointers_.data();
    }

    /// As at(offsets, first), of `count` elements, less than a pack, which are copied: what lies beyond them is not read.
    const T* const* copies_at(const Loop::Offsets& offsets, std::size_t first, std::size_t count) {
        at(offsets, first);
        for (std::size_t k = 0; k < operands_.size(); ++k) {
            if (advance_[k] == 0) continue;
            std::fill(std::copy_n(pointers_[k], count, splat_[k]), std::end(splat_[k]), *pointers_[k]);
            pointers_[k] = splat_[k];
        }
        return pointers_.data();
    }

    const Advance* advance() const { return advance_.data(); }

   private:
    const T* place(std::size_t k, const T* row, std::size_t first) {
        if (advance_[k] != 0) return row + first;
        Pack<T>(*row).store(splat_[k]);
        return splat_[k];
    }

    std::span<const Operand<T>> operands_;
    std::array<Advance, Loop::max_operands> advance_;
    std::array<const T*, Loop::max_operands> pointers_;
    T splat_[Loop::max_operands][Pack<T>::size];
};

/// What is left of a row after its whole packs, if one more would reach beyond `limit`: what lies there is read and
/// written by another thread. 0 elsewhere: loops may run past the end of a row. (A row behind the limit is a thread's own.)
template <class T>
std::size_t exact_ending(const T* row, std::size_t length, const T* limit) {
    if (limit == nullptr || !std::less<>()(row, limit)) return 0;
    const std::size_t rest = length % Pack<T>::size;
    return std::greater<>()(row + (length - rest + Pack<T>::size), limit) ? rest : 0;
}

template <class T>
Loop plan(const Shape& space, std::span<const Operand<T>> operands) {
    std::array<const Shape*, Loop::max_operands> shapes;
    std::transform(operands.begin(), operands.end(), shapes.begin(), [](const Operand<T>& each) { return each.shape; });
    return Loop(space, {shapes.data(), operands.size()});
}

/// One input's gradient, computed row by row while it is summed.
template <class T>
struct RuleOverRows {
    const typename ElementwiseKernel<T>::Backward& kernel;
    RowPointers<T> pointers;
    const T* limit;

    void into(T* to, bool add, const Loop::Offsets& offsets, std::size_t first, std::size_t count) {
        // The target may be one of the operands, of which loops load whole packs.
        const std::size_t ending = exact_ending<T>(to, count, limit), whole = count - ending;
        kernel.row(to, add, pointers.at(offsets, first), pointers.advance(), whole);
        if (ending == 0) return;
        kernel.row(to + whole, add, pointers.copies_at(offsets, first + whole, ending), pointers.advance(), ending);
    }
    T total(const Loop::Offsets& offsets, std::size_t first, std::size_t count) {
        return kernel.sum(pointers.at(offsets, first), pointers.advance(), count);
    }
    T join(T a, T b) const { return a + b; }
    void join(T* to, const T* from, std::size_t count) const {
        for (std::size_t i = 0; i < count; ++i) to[i] += from[i];
    }
};

}  // namespace

template <class T>
void run_forward(const ElementwiseKernel<T>& kernel, Array<T>& out, std::span<const Operand<T>> inputs) {
    const Shape* common = nullptr;
    Shape broadcast;
    bool is_one_row = true;  // nothing is broadcast but lone scalars
    for (const Operand<T>& input : inputs) {
        if (input.shape == nullptr) continue;
        if (common == nullptr) {
            common = input.shape;
        } else if (!same_shape(*common, *input.shape)) {
            is_one_row = false;
            broadcast = broadcast_shapes(*common, *input.shape);
            common = &broadcast;
        }
    }
    reshape_for_overwriting(out, *common);
    if (is_one_row) {
        for_ranges(out.size(), [&](std::size_t begin, std::size_t end) {
            RowPointers<T> pointers(inputs);
            kernel.forward(out.data() + begin, pointers.at(begin), pointers.advance(), end - begin);
        });
        return;
    }
    if (out.size() == 0) return;
    const Loop loop = plan(out.shape(), inputs);
    const std::size_t length = loop.length();
    for_shares(loop.rows(), length, [&](std::size_t begin, std::size_t end) {
        RowPointers<T> pointers(loop, inputs);
        T* row = out.data() + begin * length;
        const T* const limit = end < loop.rows() ? out.data() + end * length : nullptr;
        loop.for_each_row(begin, end, [&](const Loop::Offsets& offsets) {
            // The loop writes past the end of the row, into those that follow and are written after it.
            const std::size_t ending = exact_ending<T>(row, length, limit), whole = length - ending;
            kernel.forward(row, pointers.at(offsets, 0), pointers.advance(), whole);
            if (ending > 0) {
                T tail[Pack<T>::size];
                kernel.forward(tail, pointers.at(offsets, whole), pointers.advance(), ending);
                std::copy_n(tail, ending, row + whole);
            }
            row += length;
        });
    });
}

namespace {

/// A rule's contributions, gathered into `target`, which is laid out as operand `like` is.
template <class T>
void run_rule(const typename ElementwiseKernel<T>::Backward& rule, std::size_t like, Array<T>& target, bool accumulate,
              const Shape& space, std::span<const Operand<T>> operands) {
    if (element_count(space) == 0) {
        if (!accumulate) std::fill_n(target.data(), target.size(), T(0));
        return;
    }
    const Loop loop = plan(space, operands);
    RowReduction(loop, like, target.data(), accumulate, [&](const T* limit) {
        return RuleOverRows<T>{rule, RowPointers<T>(loop, operands), limit};
    }).run();
}

}  // namespace

namespace {

constexpr auto all_advance = [] {
    std::array<Advance, Loop::max_operands> masks{};
    masks.fill(advances);
    return masks;
}();

/// Calls loop(operands from `begin` on, begin, count) for the ranges of operands of one shape that threads share.
template <class T, class RunLoop>
void share_flat(std::span<const Operand<T>> operands, std::size_t size, const RunLoop& loop) {
    std::array<const T*, Loop::max_operands> data;
    if (size < elements_worth_sharing) {
        for (std::size_t k = 0; k < operands.size(); ++k) data[k] = operands[k].data;
        return loop(data.data(), std::size_t{0}, size);
    }
    for_ranges(size, [&](std::size_t begin, std::size_t end) {
        std::array<const T*, Loop::max_operands> from;
        for (std::size_t k = 0; k < operands.size(); ++k) from[k] = operands[k].data + begin;
        loop(from.data(), begin, end - begin);
    });
}

}  // namespace

template <class T>
void run_backward(const ElementwiseKernel<T>& kernel, std::size_t which, Array<T>& target, bool accumulate, const Shape& space,
                  std::span<const Operand<T>> operands) {
    run_rule(kernel.backward[which], 2 + which, target, accumulate, space, operands);
}

template <class T>
void run_backward_flat(const ElementwiseKernel<T>& kernel, std::size_t which, Array<T>& target, bool accumulate,
                       std::span<const Operand<T>> operands) {
    T* const to = target.data();
    share_flat(operands, target.size(), [&](const T* const* data, std::size_t begin, std::size_t count) {
        kernel.backward[which].row(to + begin, accumulate, data, all_advance.data(), count);
    });
}

template <class T>
void run_backward_all(const ElementwiseKernel<T>& kernel, T* const* targets, const bool* accumulate, std::size_t size,
                      std::span<const Operand<T>> operands) {
    share_flat(operands, size, [&](const T* const* data, std::size_t begin, std::size_t count) {
        std::array<T*, max_arity> to;
        for (std::size_t k = 0; k < kernel.arity; ++k) to[k] = targets[k] + begin;
        kernel.backward_all(to.data(), accumulate, data, count);
    });
}

template <class T>
void run_tangent(const ElementwiseKernel<T>& kernel, std::size_t which, Array<T>& target, bool accumulate, const Shape& space,
                 std::span<const Operand<T>> operands) {
    run_rule(kernel.backward[which], 1, target, accumulate, space, operands);
}

#define XTAPE_INSTANTIATE(T)                                                                                         \
    template XTAPE_API void run_forward<T>(const ElementwiseKernel<T>&, Array<T>&, std::span<const Operand<T>>);     \
    template XTAPE_API void run_backward<T>(const ElementwiseKernel<T>&, std::size_t, Array<T>&, bool, const Shape&, \
                                            std::span<const Operand<T>>);                                            \
    template XTAPE_API void run_backward_flat<T>(const ElementwiseKernel<T>&, std::size_t, Array<T>&, bool,          \
                                                 std::span<const Operand<T>>);                                       \
    template XTAPE_API void run_backward_all<T>(const ElementwiseKernel<T>&, T* const*, const bool*, std::size_t,    \
                                                std::span<const Operand<T>>);                                        \
    template XTAPE_API void run_tangent<T>(const ElementwiseKernel<T>&, std::size_t, Array<T>&, bool, const Shape&,  \
                                           std::span<const Operand<T>>);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd::kernels
