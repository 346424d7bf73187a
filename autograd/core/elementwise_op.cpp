// Recording and sweeping elementwise ops: the part which is the same for all of them, compiled once.
#include "autograd/core/elementwise_op.hpp"

#include <array>
#include <initializer_list>
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
    std::size_t count = 0;

    /// of(node) is the value of one.
    template <class ArrayOf>
    MapArguments(std::span<const Input<T>> inputs, const ArrayOf& of, std::initializer_list<const Array<T>*> before = {}) {
        for (const Array<T>* each : before) add(*each);
        for (const Input<T>& input : inputs) {
            if (input.is_immediate()) {
                operands[count++] = {&input.immediate, nullptr};
            } else {
                add(of(input.node));
            }
        }
    }
    void add(const Array<T>& array) { operands[count++] = {array.data(), &array.shape()}; }
    std::span<const kernels::Operand<T>> all() const { return {operands.data(), count}; }
};

}  // namespace

template <class T>
Var<T> record_map(const ElementwiseOp<T>& op, Tape<T>& tape, std::span<const Input<T>> inputs) {
    const auto mark = tape.recording(op.name);
    const MapArguments<T> arguments(inputs, [&](std::uint32_t node) -> const auto& { return tape.values(node); });
    with_context(op.name, NextNode<T>{tape, op.name, inputs},
                 [&] { kernels::run_forward(*op.kernel, tape.next_value(), arguments.all()); });
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
    const auto array_of = [&](std::uint32_t node) -> const Array<T>& { return sweep.tape().node(node).array(); };
    const auto arguments = [&] { return MapArguments<T>(sweep.inputs(), array_of, {&g, &y}); };  // not all nodes need them

    // Inputs which were broadcast go first: the last of the others may overwrite the gradient that all have read. Of these,
    // those whose gradient is this one go last: the very last may be given its buffer, and there is nothing to do.
    enum Turn { reduced, computed, passed_on, none };
    std::array<Turn, max_arity> turns;
    std::size_t wanted_count = 0, wanted_full = 0;
    bool flat = same_shape(g.shape(), y.shape());  // nothing is broadcast and no input is a scalar of the expression
    for (std::size_t k = 0; k < count; ++k) {
        const Input<T>& input = sweep.inputs()[k];
        const bool full = !input.is_immediate() && same_shape(array_of(input.node).shape(), y.shape());
        const bool wanted = sweep.wants(k);
        turns[k] = !wanted ? none : !full ? reduced : kernel.backward[k].unchanged ? passed_on : computed;
        flat = flat && full;
        wanted_count += wanted;
        wanted_full += wanted && full;
    }
    if (flat && kernel.backward_all != nullptr && wanted_count == count) {
        // Targets may be one array, as of x * x: all parts of a pack are computed, and then stored or added in this order.
        std::array<T*, max_arity> targets;
        std::array<bool, max_arity> accumulate;
        for (std::size_t k = 0; k < count; ++k) {
            const auto target = sweep.target(k, true);
            targets[k] = target.array.data();
            accumulate[k] = target.accumulate;
        }
        kernels::run_backward_all(kernel, targets.data(), accumulate.data(), y.size(), arguments().all());
        return;
    }
    for (const Turn turn : {reduced, computed, passed_on}) {
        for (std::size_t k = 0; k < count; ++k) {
            if (turns[k] != turn) continue;
            const auto target = sweep.target(k, turn != reduced && --wanted_full == 0);
            if (turn == passed_on && !target.accumulate && &target.array == &g) continue;
            if (flat) {
                kernels::run_backward_flat(kernel, k, target.array, target.accumulate, arguments().all());
            } else {
                kernels::run_backward(kernel, k, target.array, target.accumulate, y.shape(), arguments().all());
            }
        }
    }
}

template <class T>
void tangent_map(TangentSweep<T>& sweep) {
    const auto& op = *static_cast<const ElementwiseOp<T>*>(sweep.node().op);
    const Array<T>& y = sweep.node().array();
    const auto array_of = [&](std::uint32_t node) -> const Array<T>& { return sweep.tape().node(node).array(); };
    for (std::size_t k = 0; k < sweep.inputs().size(); ++k) {
        const Array<T>* t = sweep.tangent(k);
        if (t == nullptr) continue;
        // The Jacobian of an elementwise op is diagonal: the rule that passes a gradient down passes a tangent up.
        const MapArguments<T> arguments(sweep.inputs(), array_of, {t, &y});
        const auto [target, accumulate] = sweep.target();
        kernels::run_tangent(*op.kernel, k, target, accumulate, y.shape(), arguments.all());
    }
}

#define XTAPE_INSTANTIATE(T)                                                                                \
    template XTAPE_API Var<T> record_map(const ElementwiseOp<T>&, Tape<T>&, std::span<const Input<T>>);     \
    template XTAPE_API Array<T> compute_map(const ElementwiseOp<T>&, std::span<const kernels::Operand<T>>); \
    template XTAPE_API void backward_map(Sweep<Eager<T>>&);                                                 \
    template XTAPE_API void tangent_map(TangentSweep<T>&);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd::detail
