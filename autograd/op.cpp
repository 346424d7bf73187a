// Recording and sweeping elementwise ops: the part which is the same for all of them, compiled once.
#include "autograd/op.hpp"

#include <string>

#include "autograd/kernels/loop.hpp"

namespace autograd::detail {
namespace {

using kernels::max_arity;
static_assert(max_arity + 2 <= kernels::Loop::max_operands, "a backward loop walks the gradient and the output too");

template <class T>
struct MapArguments {
    std::array<kernels::Operand<T>, max_arity> operands;
    std::size_t count;

    MapArguments(const Tape<T>& tape, std::span<const Input<T>> inputs) : count(inputs.size()) {
        for (std::size_t k = 0; k < count; ++k) {
            if (inputs[k].is_immediate()) {
                operands[k] = {&inputs[k].immediate, nullptr};
            } else {
                const Array<T>& array = tape.values(inputs[k].node);
                operands[k] = {array.data(), &array.shape()};
            }
        }
    }
    std::span<const kernels::Operand<T>> span() const { return {operands.data(), count}; }
};

/// Gives `out` the shape that the inputs broadcast to.
template <class T>
void shape_result(Array<T>& out, std::span<const kernels::Operand<T>> inputs) {
    const Shape* common = nullptr;
    bool all_alike = true;
    for (const auto& input : inputs) {
        if (input.shape == nullptr) continue;
        if (common == nullptr) common = input.shape;
        all_alike = all_alike && same_shape(*common, *input.shape);
    }
    if (all_alike) return reshape_for_overwriting(out, *common);
    Shape shape = *common;
    for (const auto& input : inputs) {
        if (input.shape != nullptr) shape = broadcast_shapes(shape, *input.shape);
    }
    reshape_for_overwriting(out, shape);
}

}  // namespace

template <class T>
Var<T> record_map(const ElementwiseOp<T>& op, Tape<T>& tape, std::span<const Input<T>> inputs) {
    const MapArguments<T> arguments(tape, inputs);
    with_context([&] { return tape.describe_next(op.name, inputs); },
                 [&] {
                     Array<T>& out = tape.next_value();
                     shape_result(out, arguments.span());
                     kernels::run_forward(*op.kernel, out, arguments.span());
                 });
    return tape.append(op, inputs);
}

template <class T>
Array<T> compute_map(const ElementwiseOp<T>& op, std::span<const kernels::Operand<T>> inputs) {
    Array<T> out;
    with_context([&] { return std::string(op.name); }, [&] { shape_result(out, inputs); });
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

    std::size_t wanted = 0;
    std::size_t full_sized = 0;  // of the wanted, those which were not broadcast
    for (std::size_t k = 0; k < inputs.size(); ++k) {
        if (!sweep.wants(k)) continue;
        ++wanted;
        if (same_shape(*arguments.operands[k].shape, space)) ++full_sized;
    }
    if (wanted > 1 && full_sized == inputs.size() && same_shape(g.shape(), space)) {
        std::array<T*, max_arity> targets;
        std::array<bool, max_arity> accumulate;
        std::array<const T*, kernels::Loop::max_operands> data;
        std::transform(all.begin(), all.end(), data.begin(), [](const auto& operand) { return operand.data; });
        for (std::size_t k = 0; k < inputs.size(); ++k) {
            const auto target = sweep.target(k, true);
            targets[k] = target.array.data();
            accumulate[k] = target.accumulate;
        }
        op.kernel->backward_all(targets.data(), accumulate.data(), data.data(), y.size());
        return;
    }
    // Inputs which were broadcast go first: the last of the others may overwrite the gradient that all have read.
    for (const bool broadcast : {true, false}) {
        for (std::size_t k = 0; k < inputs.size(); ++k) {
            if (!sweep.wants(k) || same_shape(*arguments.operands[k].shape, space) == broadcast) continue;
            const auto target = sweep.target(k, !broadcast && --full_sized == 0);
            kernels::run_backward(*op.kernel, k, target.array, target.accumulate, space, all);
        }
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
