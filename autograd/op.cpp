// Recording and sweeping elementwise ops: the part which is the same for all of them, compiled once.
#include "autograd/op.hpp"

#include <string>

#include "autograd/kernels/loop.hpp"

namespace autograd::detail {
namespace {

constexpr std::size_t max_arity = kernels::Loop::max_operands - 2;

template <class T>
struct MapArguments {
    std::array<kernels::Operand<T>, max_arity> operands;
    std::size_t count;
    const Shape scalar_shape;

    MapArguments(const Tape<T>& tape, std::span<const Input<T>> inputs) : count(inputs.size()) {
        for (std::size_t k = 0; k < count; ++k) {
            if (inputs[k].is_immediate()) {
                operands[k] = {&inputs[k].immediate, &scalar_shape};
            } else {
                const Array<T>& array = tape.node(inputs[k].node).array();
                operands[k] = {array.data(), &array.shape()};
            }
        }
    }
    std::span<const kernels::Operand<T>> span() const { return {operands.data(), count}; }
};

template <class T>
Shape common_shape(std::span<const kernels::Operand<T>> inputs) {
    Shape shape = *inputs[0].shape;
    for (const auto& input : inputs.subspan(1)) {
        if (*input.shape != shape) shape = broadcast_shapes(shape, *input.shape);
    }
    return shape;
}

}  // namespace

template <class T>
Var<T> record_map(const ElementwiseOp<T>& op, Tape<T>& tape, std::span<const Input<T>> inputs) {
    const MapArguments<T> arguments(tape, inputs);
    with_context([&] { return tape.describe_next(op.name, inputs); },
                 [&] {
                     Array<T>& out = tape.next_value(common_shape(arguments.span()));
                     kernels::run_forward(*op.kernel, out, arguments.span());
                 });
    return tape.append(op, inputs);
}

template <class T>
Array<T> compute_map(const ElementwiseOp<T>& op, std::span<const kernels::Operand<T>> inputs) {
    Array<T> out;
    with_context([&] { return std::string(op.name); }, [&] { out.resize(common_shape(inputs)); });
    kernels::run_forward(*op.kernel, out, inputs);
    return out;
}

template <class T>
void backward_map(Sweep<T>& sweep) {
    const auto& op = *static_cast<const ElementwiseOp<T>*>(sweep.node().op);
    const auto inputs = sweep.inputs();
    const MapArguments<T> arguments(sweep.tape(), inputs);
    const Array<T>& g = sweep.compact_gradient();
    const Array<T>& y = sweep.node().array();
    const Shape& space = y.shape();

    std::array<kernels::Operand<T>, kernels::Loop::max_operands> operands;
    operands[0] = {g.data(), &g.shape()};
    operands[1] = {y.data(), &space};
    std::copy_n(arguments.operands.begin(), arguments.count, operands.begin() + 2);
    const std::span<const kernels::Operand<T>> all(operands.data(), 2 + arguments.count);

    std::array<std::size_t, max_arity> wanted;
    std::size_t wanted_count = 0;
    bool contiguous = g.shape() == space;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
        if (sweep.wants(k)) wanted[wanted_count++] = k;
        contiguous = contiguous && !inputs[k].is_immediate() && *arguments.operands[k].shape == space;
    }
    if (contiguous && wanted_count == inputs.size() && wanted_count > 1) {
        std::array<T*, max_arity> targets;
        std::array<bool, max_arity> accumulate;
        std::array<const T*, kernels::Loop::max_operands> data;
        std::transform(all.begin(), all.end(), data.begin(), [](const auto& operand) { return operand.data; });
        for (std::size_t k = 0; k < wanted_count; ++k) {
            const auto target = sweep.target(k, true);
            targets[k] = target.array.data();
            accumulate[k] = target.accumulate;
        }
        op.kernel->backward_all(targets.data(), accumulate.data(), data.data(), y.size());
        return;
    }
    // The last one may overwrite the gradient that the others have read; those which are summed go first.
    const auto end = wanted.begin() + static_cast<std::ptrdiff_t>(wanted_count);
    std::stable_partition(wanted.begin(), end, [&](std::size_t k) { return *arguments.operands[k].shape != space; });
    for (std::size_t i = 0; i < wanted_count; ++i) {
        const auto target = sweep.target(wanted[i], i + 1 == wanted_count);
        kernels::run_backward(*op.kernel, wanted[i], target.array, target.accumulate, space, all);
    }
}

#define XTAPE_INSTANTIATE(T)                                                                                  \
    template Var<T> record_map(const ElementwiseOp<T>&, Tape<T>&, std::span<const Input<T>>);                 \
    template Array<T> compute_map(const ElementwiseOp<T>&, std::span<const kernels::Operand<T>>);             \
    template void backward_map(Sweep<T>&);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd::detail
