// Of the nodes between the directions and the result: which lead to it, where each tangent is used last, and then the walk, in
// the order in which they were recorded.
#include "autograd/core/tangents.hpp"

#include <fmt/format.h>

#include "autograd/core/explain.hpp"
#include "autograd/core/sweep.hpp"
#include "autograd/kernels/reduce.hpp"

namespace autograd {

template <class T>
const Array<T>* TangentSweep<T>::tangent(std::size_t which) const {
    const Input<T>& input = inputs()[which];
    if (!tape_.passes(*node().op, input, which)) return nullptr;
    const auto& found = tangents_[input.node];
    return found ? &*found : nullptr;
}

template <class T>
Target<T> TangentSweep<T>::target() {
    auto& own = tangents_[index_];
    const bool there = own.has_value();
    if (!there) own = empty<T>(node().array().shape());
    return {*own, there};
}

template <class T>
void TangentSweep<T>::deliver(Array<T>&& part) {
    require_values(part, node().op->name);
    if (part.shape() != node().array().shape()) {
        throw GradientError(fmt::format("{}: its rule gives a tangent of shape {} for a value of shape {}",
                                        tape_.describe(index_), to_string(part.shape()), to_string(node().array().shape())));
    }
    auto& own = tangents_[index_];
    if (own) {
        kernels::accumulate(*own, part);
    } else {
        own = std::move(part);
    }
}

template <class T>
std::optional<Array<T>> find_tangent(const Var<T>& y, std::span<const Direction<T>> directions) {
    const Tape<T>& tape = y.tape();
    const std::uint32_t last = tape.index_of(y, "tangent");
    const auto mark = tape.visit();
    TangentSweep<T> sweep(tape);
    sweep.tangents_.resize(last + 1);
    const std::vector<bool> leads_to_y = ancestors(tape, last, false);
    std::uint32_t first = last;
    for (const auto& [var, direction] : directions) {
        const std::uint32_t index = tape.index_of(var, "tangent");
        require_values(direction, "tangent");
        if (direction.shape() != var.shape()) {
            throw ShapeError(fmt::format("tangent: a direction of shape {} for {}, of shape {}", to_string(direction.shape()),
                                         tape.describe(index), to_string(var.shape())));
        }
        if (index > last) continue;
        auto& tangent = sweep.tangents_[index];
        if (tangent) {
            kernels::accumulate(*tangent, direction);  // along the sum of directions of the same node
        } else {
            tangent = direction;
        }
        first = std::min(first, index);
    }
    // The last node that each is an input of: after it, a tangent is not needed any more.
    std::vector<std::uint32_t> last_use(last + 1, last);
    for (std::uint32_t i = first; i <= last; ++i) {
        if (!leads_to_y[i]) continue;
        for (const Input<T>& input : tape.inputs(tape.node(i))) {
            if (!input.is_immediate()) last_use[input.node] = i;
        }
    }
    for (std::uint32_t i = first; i <= last; ++i) {
        const Node<T>& node = tape.node(i);
        if (!leads_to_y[i] || node.op == nullptr || sweep.tangents_[i]) continue;
        sweep.index_ = i;
        bool moves = false;
        for (std::size_t k = 0; k < node.input_count; ++k) moves |= sweep.tangent(k) != nullptr;
        if (!moves) continue;
        if (node.op->tangent == nullptr) {
            throw GradientError(fmt::format("tangent: {} has no rule for forward mode", tape.describe(i)));
        }
        require_unchanged(tape, i, "tangent");
        node.op->tangent(sweep);
        for (const Input<T>& input : tape.inputs(node)) {
            if (!input.is_immediate() && last_use[input.node] == i) sweep.tangents_[input.node].reset();
        }
    }
    return std::move(sweep.tangents_[last]);
}

template <class T>
Array<T> tangent(const Var<T>& y, std::span<const Direction<T>> directions) {
    if (auto found = find_tangent(y, directions)) return *std::move(found);
    const Tape<T>& tape = y.tape();
    std::string reasons;
    for (const auto& [var, direction] : directions) {
        const std::string reason = detail::reason_of_independence(tape, y.index(), var.index());
        reasons += fmt::format("\n  {}: {}", tape.describe(var.index()), reason);
    }
    throw GradientError(fmt::format("tangent: {} has none along these directions:{}", tape.describe(y.index()), reasons));
}

#define XTAPE_INSTANTIATE(T)                                                                                  \
    template class TangentSweep<T>;                                                                           \
    template XTAPE_API std::optional<Array<T>> find_tangent<T>(const Var<T>&, std::span<const Direction<T>>); \
    template XTAPE_API Array<T> tangent<T>(const Var<T>&, std::span<const Direction<T>>);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd
