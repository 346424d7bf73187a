// Drives the inner loops over a Loop's rows, turning operands that stay into packs of one value.
#include "autograd/kernels/elementwise.hpp"

#include <array>

#include "autograd/kernels/loop.hpp"

namespace autograd::kernels {
namespace {

template <class T>
class RowPointers {
   public:
    RowPointers(const Loop& loop, std::span<const Operand<T>> operands) : operands_(operands) {
        for (std::size_t k = 0; k < operands.size(); ++k) advance_[k] = loop.step(k) == 0 ? 0 : advances;
    }

    /// Every operand's data for the row at `offsets`.
    const T* const* at(const Loop::Offsets& offsets) {
        for (std::size_t k = 0; k < operands_.size(); ++k) {
            const T* data = operands_[k].data + offsets[k];
            if (advance_[k] == 0) {
                Pack<T>(*data).store(splat_[k]);
                data = splat_[k];
            }
            pointers_[k] = data;
        }
        return pointers_.data();
    }

    const Advance* advance() const { return advance_.data(); }

   private:
    std::span<const Operand<T>> operands_;
    std::array<Advance, Loop::max_operands> advance_{};
    std::array<const T*, Loop::max_operands> pointers_{};
    T splat_[Loop::max_operands][Pack<T>::size];
};

}  // namespace

template <class T>
void run_forward(const ElementwiseKernel<T>& kernel, Array<T>& out, std::span<const Operand<T>> inputs) {
    std::array<const Shape*, Loop::max_operands> shapes;
    std::transform(inputs.begin(), inputs.end(), shapes.begin(), [](const Operand<T>& input) { return input.shape; });
    const Loop loop(out.shape(), {shapes.data(), inputs.size()});
    RowPointers<T> pointers(loop, inputs);
    T* row = out.data();
    loop.for_each_row([&](const Loop::Offsets& offsets) {
        kernel.forward(row, pointers.at(offsets), pointers.advance(), loop.length());
        row += loop.length();
    });
}

template <class T>
void run_backward(const ElementwiseKernel<T>& kernel, std::size_t which, Array<T>& target, bool accumulate,
                  const Shape& space, std::span<const Operand<T>> operands) {
    std::array<const Shape*, Loop::max_operands> shapes;
    std::transform(operands.begin(), operands.end(), shapes.begin(), [](const Operand<T>& each) { return each.shape; });
    const std::size_t input = 2 + which;  // behind the gradient and the output
    const Loop loop(space, {shapes.data(), operands.size()});
    const bool summed = element_count(space) != target.size();
    if (summed && !accumulate) std::fill_n(target.data(), target.size(), T(0));
    RowPointers<T> pointers(loop, operands);
    loop.for_each_row([&](const Loop::Offsets& offsets) {
        T* to = target.data() + offsets[input];
        if (loop.step(input) == 1) {
            kernel.backward[which].row(to, accumulate || summed, pointers.at(offsets), pointers.advance(), loop.length());
        } else {
            // Not summed if the space has but one element: then `accumulate` decides.
            const T sum = kernel.backward[which].sum(pointers.at(offsets), pointers.advance(), loop.length());
            *to = accumulate || summed ? *to + sum : sum;
        }
    });
}

#define XTAPE_INSTANTIATE(T)                                                                                         \
    template void run_forward<T>(const ElementwiseKernel<T>&, Array<T>&, std::span<const Operand<T>>);               \
    template void run_backward<T>(const ElementwiseKernel<T>&, std::size_t, Array<T>&, bool, const Shape&,           \
                                  std::span<const Operand<T>>);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd::kernels
