// Recording and sweeping elementwise ops: the part which is the same for all of them, compiled once.
#include "autograd/core/elementwise_op.hpp"

#include <string>
#include <typeinfo>

#include "autograd/kernels/loop.hpp"
#include "autograd/base/threads.hpp"

namespace autograd::detail {

std::string without_name(const Error& error, const char* op, ErrorsOf of) {
    if (const auto* named = dynamic_cast<const Named*>(&error); of == ErrorsOf::parts && named != nullptr) return named->rest;
    std::string_view message = error.what();
    const std::string name = std::string(op) + ": ";
    if (message.starts_with(name)) message.remove_prefix(name.size());
    return std::string(message);
}

bool is_plain(const Error& error) {
    return typeid(error) == typeid(Error) || typeid(error) == typeid(NamedError<Error>);
}

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

constexpr auto all_advance = [] {
    std::array<kernels::Advance, kernels::Loop::max_operands> masks{};
    masks.fill(kernels::advances);
    return masks;
}();

}  // namespace

template <class T>
Var<T> record_map(const ElementwiseOp<T>& op, Tape<T>& tape, std::span<const Input<T>> inputs) {
    const auto mark = tape.recording(op.name);
    const MapArguments<T> arguments(tape, inputs);
    with_context(
        op.name, [&] { return tape.describe_next(op.name, inputs); },
        [&] { kernels::run_forward(*op.kernel, tape.next_value(), arguments.span()); });
    return tape.append(op, inputs);
}

template <class T>
Array<T> compute_map(const ElementwiseOp<T>& op, std::span<const kernels::Operand<T>> inputs) {
    Array<T> out;
    with_context(op.name, [&] { kernels::run_forward(*op.kernel, out, inputs); });
    return out;
}

template <class T>
void backward_map(Sweep<T>& sweep) {
    const auto& op = *static_cast<const ElementwiseOp<T>*>(sweep.node().op);
    const kernels::ElementwiseKernel<T>& kernel = *op.kernel;
    const auto inputs = sweep.inputs();
    const MapArguments<T> arguments(sweep.tape(), inputs);
    const Array<T>& g = sweep.compact_gradient();
    const Array<T>& y = sweep.node().array();
    const Shape& space = y.shape();

    std::array<bool, max_arity> wanted, full_size;
    std::size_t wanted_count = 0, wanted_full = 0;
    bool flat = same_shape(g.shape(), space);  // nothing is broadcast and no input is a scalar of the expression
    for (std::size_t k = 0; k < inputs.size(); ++k) {
        const Shape* shape = arguments.operands[k].shape;
        full_size[k] = shape != nullptr && same_shape(*shape, space);
        wanted[k] = sweep.wants(k);
        flat = flat && full_size[k];
        wanted_count += wanted[k];
        wanted_full += wanted[k] && full_size[k];
    }
    if (flat) {
        // Calls loop(operands from `begin` on, begin, count) for all of it, or for the ranges that threads share.
        const auto share = [&](const auto& loop) {
            const T *gradient = g.data(), *output = y.data();
            for_ranges(y.size(), [&](std::size_t begin, std::size_t end) {
                std::array<const T*, kernels::Loop::max_operands> data;
                data[0] = gradient + begin;
                data[1] = output + begin;
                for (std::size_t k = 0; k < inputs.size(); ++k) data[2 + k] = arguments.operands[k].data + begin;
                loop(data.data(), begin, end - begin);
            });
        };
        if (kernel.backward_all != nullptr && wanted_count == inputs.size()) {
            std::array<T*, max_arity> targets;
            std::array<bool, max_arity> accumulate;
            for (std::size_t k = 0; k < inputs.size(); ++k) {
                const auto target = sweep.target(k, true);
                targets[k] = target.array.data();
                accumulate[k] = target.accumulate;
            }
            share([&](const T* const* data, std::size_t begin, std::size_t count) {
                std::array<T*, max_arity> to;
                for (std::size_t k = 0; k < inputs.size(); ++k) to[k] = targets[k] + begin;
                kernel.backward_all(to.data(), accumulate.data(), data, count);
            });
            return;
        }
        // Inputs whose gradient is this one go last: the very last may be given the buffer, and there is nothing to do.
        for (const bool unchanged : {false, true}) {
            for (std::size_t k = 0; k < inputs.size(); ++k) {
                if (!wanted[k] || kernel.backward[k].unchanged != unchanged) continue;
                const auto target = sweep.target(k, --wanted_full == 0);
                if (unchanged && !target.accumulate && &target.array == &g) continue;
                T* to = target.array.data();
                share([&](const T* const* data, std::size_t begin, std::size_t count) {
                    kernel.backward[k].row(to + begin, target.accumulate, data, all_advance.data(), count);
                });
            }
        }
        return;
    }
    std::array<kernels::Operand<T>, kernels::Loop::max_operands> operands;
    operands[0] = {g.data(), &g.shape()};
    operands[1] = {y.data(), &space};
    for (std::size_t k = 0; k < inputs.size(); ++k) operands[2 + k] = arguments.operands[k];
    const std::span<const kernels::Operand<T>> all(operands.data(), 2 + inputs.size());
    // Inputs which were broadcast go first: the last of the others may overwrite the gradient that all have read.
    for (const bool full : {false, true}) {
        for (std::size_t k = 0; k < inputs.size(); ++k) {
            if (!wanted[k] || full_size[k] != full) continue;
            const auto target = sweep.target(k, full && --wanted_full == 0);
            kernels::run_backward(kernel, k, target.array, target.accumulate, space, all);
        }
    }
}

template <class T>
void tangent_map(TangentSweep<T>& sweep) {
    const auto& op = *static_cast<const ElementwiseOp<T>*>(sweep.node().op);
    const MapArguments<T> arguments(sweep.tape(), sweep.inputs());
    const Array<T>& y = sweep.node().array();
    std::array<kernels::Operand<T>, kernels::Loop::max_operands> operands;
    operands[1] = {y.data(), &y.shape()};
    for (std::size_t k = 0; k < arguments.count; ++k) operands[2 + k] = arguments.operands[k];
    for (std::size_t k = 0; k < arguments.count; ++k) {
        const Array<T>* tangent = sweep.tangent(k);
        if (tangent == nullptr) continue;
        // The Jacobian of an elementwise op is diagonal: the rule that passes a gradient down passes a tangent up.
        operands[0] = {tangent->data(), &tangent->shape()};
        const auto [target, accumulate] = sweep.target();
        kernels::run_tangent(*op.kernel, k, target, accumulate, y.shape(), {operands.data(), 2 + arguments.count});
    }
}

#define XTAPE_INSTANTIATE(T)                                                                                  \
    template Var<T> record_map(const ElementwiseOp<T>&, Tape<T>&, std::span<const Input<T>>);                 \
    template Array<T> compute_map(const ElementwiseOp<T>&, std::span<const kernels::Operand<T>>);             \
    template void backward_map(Sweep<T>&);                                                                    \
    template void tangent_map(TangentSweep<T>&);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd::detail
