// Recording and sweeping elementwise ops: the part which is the same for all of them, compiled once.
#include "autograd/core/elementwise_op.hpp"

#include <array>
#include <span>

#include "autograd/core/explain.hpp"
#include "autograd/kernels/loop.hpp"

namespace autograd::detail {

namespace {

using kernels::max_arity;
static_assert(max_arity + 2 <= kernels::Loop::max_operands, "a backward loop walks the gradient and the output too");

/// What a loop walks over: the inputs, behind two others that loops of rules need.
template <class T>
struct MapArguments {
    std::array<kernels::Operand<T>, kernels::Loop::max_operands> operands;
    std::size_t count;

    MapArguments(const Tape<T>& tape, std::span<const Input<T>> inputs, const kernels::Operand<T>& first = {},
                 const kernels::Operand<T>& second = {})
        : count(inputs.size()) {
        operands[0] = first;
        operands[1] = second;
        for (std::size_t k = 0; k < count; ++k) {
            if (inputs[k].is_immediate()) {
                operands[2 + k] = {&inputs[k].immediate, nullptr};
            } else {
                const Array<T>& array = tape.values(inputs[k].node);
                operands[2 + k] = {array.data(), &array.shape()};
            }
        }
    }
    std::span<const kernels::Operand<T>> inputs() const { return {operands.data() + 2, count}; }
    std::span<const kernels::Operand<T>> all() const { return {operands.data(), 2 + count}; }
};

}  // namespace

template <class T>
Var<T> record_map(const ElementwiseOp<T>& op, Tape<T>& tape, std::span<const Input<T>> inputs) {
    const auto mark = tape.recording(op.name);
    const MapArguments<T> arguments(tape, inputs);
    with_context(
        op.name, [&] { return tape.describe_next(op.name, inputs); },
        [&] { kernels::run_forward(*op.kernel, tape.next_value(), arguments.inputs()); });
    return tape.append(op, inputs);
}

template <class T>
Array<T> compute_map(const ElementwiseOp<T>& op, std::span<const kernels::Operand<T>> inputs) {
    Array<T> out;
    with_context(op.name, [&] { kernels::run_forward(*op.kernel, out, inputs); });
    return out;
}

template <class T>
void backward_map(Sweep<Eager<T>>& sweep) {
    const auto& op = *static_cast<const ElementwiseOp<T>*>(sweep.node().op);
    const kernels::ElementwiseKernel<T>& kernel = *op.kernel;
    const std::size_t count = sweep.inputs().size();
    const Array<T>& g = sweep.compact_gradient();
    const Array<T>& y = sweep.node().array();
    const MapArguments<T> arguments(sweep.tape(), sweep.inputs(), {g.data(), &g.shape()}, {y.data(), &y.shape()});

    std::array<bool, max_arity> wanted, full_size;
    std::size_t wanted_count = 0, wanted_full = 0;
    bool flat = same_shape(g.shape(), y.shape());  // nothing is broadcast and no input is a scalar of the expression
    for (std::size_t k = 0; k < count; ++k) {
        const Shape* shape = arguments.inputs()[k].shape;
        full_size[k] = shape != nullptr && same_shape(*shape, y.shape());
        wanted[k] = sweep.wants(k);
        flat = flat && full_size[k];
        wanted_count += wanted[k];
        wanted_full += wanted[k] && full_size[k];
    }
    if (flat && kernel.backward_all != nullptr && wanted_count == count) {
        std::array<T*, max_arity> targets;
        std::array<bool, max_arity> accumulate;
        for (std::size_t k = 0; k < count; ++k) {
            const auto target = sweep.target(k, true);
            targets[k] = target.array.data();
            accumulate[k] = target.accumulate;
        }
        kernels::run_backward_all(kernel, targets.data(), accumulate.data(), y.size(), arguments.all());
        return;
    }
    // Inputs which were broadcast go first: the last of the others may overwrite the gradient that all have read. Of these,
    // those whose gradient is this one go last: the very last may be given its buffer, and there is nothing to do.
    const auto turn_of = [&](std::size_t k) { return !full_size[k] ? 0 : kernel.backward[k].unchanged ? 2 : 1; };
    for (int turn = flat ? 1 : 0; turn <= 2; ++turn) {
        for (std::size_t k = 0; k < count; ++k) {
            if (!wanted[k] || turn_of(k) != turn) continue;
            const auto target = sweep.target(k, turn > 0 && --wanted_full == 0);
            if (turn == 2 && !target.accumulate && &target.array == &g) continue;
            if (flat) {
                kernels::run_backward_flat(kernel, k, target.array, target.accumulate, arguments.all());
            } else {
                kernels::run_backward(kernel, k, target.array, target.accumulate, y.shape(), arguments.all());
            }
        }
    }
}

template <class T>
void tangent_map(TangentSweep<T>& sweep) {
    const auto& op = *static_cast<const ElementwiseOp<T>*>(sweep.node().op);
    const Array<T>& y = sweep.node().array();
    for (std::size_t k = 0; k < sweep.inputs().size(); ++k) {
        const Array<T>* t = sweep.tangent(k);
        if (t == nullptr) continue;
        // The Jacobian of an elementwise op is diagonal: the rule that passes a gradient down passes a tangent up.
        const MapArguments<T> arguments(sweep.tape(), sweep.inputs(), {t->data(), &t->shape()}, {y.data(), &y.shape()});
        const auto [target, accumulate] = sweep.target();
        kernels::run_tangent(*op.kernel, k, target, accumulate, y.shape(), arguments.all());
    }
}

#define XTAPE_INSTANTIATE(T)                                                                                  \
    template Var<T> record_map(const ElementwiseOp<T>&, Tape<T>&, std::span<const Input<T>>);                 \
    template Array<T> compute_map(const ElementwiseOp<T>&, std::span<const kernels::Operand<T>>);             \
    template void backward_map(Sweep<Eager<T>>&);                                                                    \
    template void tangent_map(TangentSweep<T>&);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd::detail
