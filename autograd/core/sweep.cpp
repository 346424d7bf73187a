// Nodes are visited in falling index order, which is a topological order: no search, no recursion. In buffers a slot is used
// again as soon as its node has passed its gradient on, so that a long chain works in one or two of them.
#include "autograd/core/sweep.hpp"

#include <fmt/format.h>

#include "autograd/core/explain.hpp"
#include "autograd/kernels/reduce.hpp"

namespace autograd {
namespace {

template <class T>
void expand(Array<T>& gradient, const Shape& shape) {
    if (same_shape(gradient.shape(), shape)) return;
    Array<T> expanded = empty<T>(shape);
    kernels::broadcast_to(expanded, gradient);
    gradient = std::move(expanded);
}

}  // namespace

template <class X>
Sweep<X>::Sweep(Tape<T>& tape, std::uint32_t from, Slot seed, const BackwardOptions& options)
    : tape_(tape), options_(options), gradients_(tape, from) {
    take_slot(from) = std::move(seed);
}

template <class X>
Gradients<typename Sweep<X>::T> Sweep<X>::run() {
    const std::uint32_t from = gradients_.loss_;
    for (index_ = from + 1; index_-- > options_.first_node;) {
        node_ = &tape_.node(index_);
        if (has_gradient(index_)) pass_on();
        if (options_.release && node_->kind == NodeKind::operation && index_ != from) {
            node_->value = Array<T>();
            node_->released = true;
        }
    }
    for (const std::int32_t each : free_slots_) slots()[static_cast<std::size_t>(each)] = Slot();
    return std::move(gradients_);
}

template <class X>
void Sweep<X>::pass_on() {
    const bool is_leaf = node_->op == nullptr;
    if constexpr (is_var<X>) {
        if (is_leaf) return;
        require_unchanged(tape_, index_, "backward");
        try {
            node_->op->backward_recorded(*this);
        } catch (const FiniteError& error) {
            throw FiniteError(fmt::format("{}; this is of the backward pass of {}{}{}", error.what(),
                                          tape_.describe(index_), tape_.ranges_of_inputs(index_),
                                          detail::advice_on_zero(*node_, slot(index_).value())));
        }
    } else {
        if (is_leaf || options_.keep) existing(index_);
        if (is_leaf) return;
        require_unchanged(tape_, index_, "backward");
        handed_over_ = false;
        // Room for a slot for each input, so that the gradient stays where it is while the op works.
        auto& all = slots();
        if (all.capacity() - all.size() < node_->input_count) all.reserve(2 * all.size() + node_->input_count);
        if (tape_.profiles()) tape_.profiler()->start();
        node_->op->backward(*this);
        if (tape_.profiles()) tape_.profiler()->charge(node_->op->name, true, 0);
        if (tape_.checks_finite()) require_finite();
        if (options_.keep) return;
        if (!handed_over_) free_slots_.push_back(gradients_.slot_of_[index_]);
        gradients_.slot_of_[index_] = -1;
    }
}

template <class X>
typename Sweep<X>::Slot& Sweep<X>::take_slot(std::uint32_t node) {
    std::int32_t& number = gradients_.slot_of_[node];
    if (free_slots_.empty()) {
        slots().emplace_back();
        number = static_cast<std::int32_t>(slots().size() - 1);
    } else {
        number = free_slots_.back();
        free_slots_.pop_back();
    }
    return slot(node);
}

template <class X>
X Sweep<X>::gradient() {
    if constexpr (is_var<X>) {
        return slot(index_);
    } else {
        return X(*existing(index_));
    }
}

template <class X>
X Sweep<X>::value_of(std::uint32_t node) const {
    if constexpr (is_var<X>) {
        return tape_.var(node);
    } else {
        return X(tape_.node(node).array());
    }
}

template <class X>
X Sweep<X>::input(std::size_t which) const {
    const Input<T>& each = inputs()[which];
    if (!each.is_immediate()) return value_of(each.node);
    if constexpr (is_var<X>) return tape_.constant(full<T>({}, each.immediate));
    if constexpr (is_eager<X>) return X(full<T>({}, each.immediate));
}

template <class X>
void Sweep<X>::deliver(std::size_t which, X contribution) {
    const std::uint32_t input = inputs()[which].node;
    const Shape& shape = tape_.node(input).array().shape();
    const auto require_fit = [&](const Shape& found) {
        if (found.size() == shape.size() && broadcasts_to(found, shape)) return;
        throw detail::misshapen(tape_, index_, which, found);
    };
    if constexpr (is_var<X>) {
        require_fit(contribution.shape());
        deliver_unreduced(which, contribution);
    } else {
        Array<T>* const there = existing(input);
        if (there != nullptr && contribution.is_pending()) return contribution.add_to(*there);
        Array<T> part = std::move(contribution).take();
        require_values(part, node_->op->name);
        require_fit(part.shape());
        if (there != nullptr) {
            kernels::accumulate(*there, part);
        } else {
            take_slot(input) = std::move(part);
        }
    }
}

template <class X>
void Sweep<X>::deliver_unreduced(std::size_t which, const X& contribution) requires is_var<X> {
    const std::uint32_t input = inputs()[which].node;
    const Var<T>* there = has_gradient(input) ? &slot(input) : nullptr;
    const Var<T> sum = detail::add_gradients(there, contribution, tape_.node(input).array().shape());
    (there != nullptr ? slot(input) : take_slot(input)) = sum;
}

// ---- In buffers ----

template <class X>
Array<typename Sweep<X>::T>* Sweep<X>::existing(std::uint32_t node) {
    if constexpr (is_var<X>) {
        return nullptr;
    } else {
        if (!has_gradient(node)) return nullptr;
        expand(slot(node), tape_.node(node).array().shape());
        return &slot(node);
    }
}

template <class X>
typename Sweep<X>::Target Sweep<X>::target(std::size_t which, bool in_place) requires is_eager<X> {
    const std::uint32_t input = inputs()[which].node;
    if (Array<T>* there = existing(input)) return {*there, true};
    const Shape& shape = tape_.node(input).array().shape();
    const bool is_needed = options_.keep || tape_.checks_finite();  // require_finite() asks for it
    if (in_place && !handed_over_ && !is_needed && same_shape(compact_gradient().shape(), shape)) {
        handed_over_ = true;
        gradients_.slot_of_[input] = gradients_.slot_of_[index_];
    } else {
        take_slot(input);
    }
    Array<T>& array = slot(input);
    reshape_for_overwriting(array, shape);
    return {array, false};
}

template <class X>
void Sweep<X>::require_finite() {
    if constexpr (is_eager<X>) {
        for (std::size_t k = 0; k < inputs().size(); ++k) {
            const std::uint32_t input = inputs()[k].node;
            if (!wants(k) || !has_gradient(input)) continue;  // checkpoint() gives none to what f does not use
            const Array<T>& gradient = slot(input);
            const std::size_t place = kernels::find_non_finite(gradient);
            if (place == gradient.size()) continue;
            const Array<T>& own = compact_gradient();
            const char* advice = gradient.size() == own.size() ? detail::advice_on_zero(*node_, own, place)
                                                               : detail::advice_on_zero(*node_, own);
            throw detail::not_finite(tape_, index_, k, gradient, place, advice);
        }
    }
}

// ---- backward ----

template <class T>
void require_unchanged(const Tape<T>& tape, std::uint32_t index, const char* sweep) {
    const Node<T>& node = tape.node(index);
    bool released = node.released;
    for (const Input<T>& input : tape.inputs(node)) {
        if (input.is_immediate()) continue;
        const Node<T>& each = tape.node(input.node);
        released |= each.released;
        // Ops borrow nothing. To see that by their kind saves a miss of the cache for each node of a long tape.
        if (each.kind == NodeKind::operation || each.borrowed == nullptr) continue;
        const auto& borrowed = tape.borrowed(each);
        if (borrowed.version != borrowed.state->version) throw detail::updated_since(tape, input.node, sweep);
    }
    if (released) throw detail::released_before(tape, index, sweep);
}

template <class T>
Gradients<T> backward(const Var<T>& loss, BackwardOptions options) {
    const Shape& shape = loss.value().shape();
    if (element_count(shape) == 1) return backward(loss, full<T>(shape, T(1)), options);
    throw GradientError(fmt::format("backward: the loss, {}, has shape {}; reduce it to one element, with sum or mean",
                                    loss.tape().describe(loss.index()), to_string(shape)));
}

struct SweepStart {
    template <class T, class Seed>
    static Gradients<T> at(const Var<T>& y, const Seed& seed, const BackwardOptions& options) {
        Tape<T>& tape = y.tape();
        const auto mark = tape.visit();
        const std::uint32_t index = tape.index_of(y, "backward");
        if constexpr (!is_var<Seed>) require_values(seed, "backward");  // what was moved away may have any shape
        if (!same_shape(seed.shape(), y.shape())) {
            throw ShapeError(fmt::format("backward: a seed of shape {} for {}, of shape {}", to_string(seed.shape()),
                                         tape.describe(index), to_string(y.shape())));
        }
        if (!tape.node(index).needs_gradient) throw detail::barren(tape, index);
        if (options.release && options.create_graph) {
            throw GradientError("backward: a sweep that is recorded needs the values which .release frees");
        }
        if (options.release && mark.is_nested()) {
            throw GradientError("backward: a sweep within another one, from a hook or a rule, cannot free values that the other needs");
        }
        if constexpr (is_var<Seed>) {
            tape.index_of(seed, "backward");
            if (options.create_graph) return Sweep<Var<T>>(tape, index, seed, options).run();
            return Sweep<Eager<T>>(tape, index, seed.value(), options).run();
        } else {
            if (options.create_graph) return Sweep<Var<T>>(tape, index, tape.constant(seed), options).run();
            return Sweep<Eager<T>>(tape, index, seed, options).run();
        }
    }
};

template <class T, class Seed>
    requires std::same_as<Seed, Array<T>> || std::same_as<Seed, Var<T>>
Gradients<T> backward(const Var<T>& y, const Seed& seed, BackwardOptions options) {
    return SweepStart::at(y, seed, options);
}

#define XTAPE_INSTANTIATE(T)                                                            \
    template class Sweep<Eager<T>>;                                                     \
    template class Sweep<Var<T>>;                                                       \
    template Gradients<T> backward<T>(const Var<T>&, BackwardOptions);                  \
    template Gradients<T> backward(const Var<T>&, const Array<T>&, BackwardOptions);    \
    template Gradients<T> backward(const Var<T>&, const Var<T>&, BackwardOptions);      \
    template void require_unchanged<T>(const Tape<T>&, std::uint32_t, const char*);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd
