// Nodes are visited in falling index order, the reverse of a topological order: no search, no recursion.
#include "autograd/core/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/core/explain.hpp"
#include "autograd/kernels/reduce.hpp"

namespace autograd {

template <class X>
Sweep<X>::Sweep(Tape<T>& tape, std::uint32_t from, Slot seed, const BackwardOptions& options)
    : tape_(tape), options_(options), gradients_(tape, from, is_var<X>) {
    slots().take(from) = std::move(seed);
}

template <class X>
Gradients<typename Sweep<X>::T> Sweep<X>::run() {
    const std::uint32_t from = gradients_.loss_;
    for (index_ = from + 1; index_-- > options_.first_node;) {
        node_ = &tape_.node(index_);
        if (slots().has(index_)) pass_on();
        if (options_.release && node_->kind == NodeKind::operation && index_ != from) {
            node_->value = Array<T>();
            node_->released = true;
        }
    }
    if constexpr (is_eager<X>) {
        for (std::uint32_t node = 0; node < std::min(options_.first_node, from); ++node) {
            if (slots().has(node)) expanded(node);
        }
    }
    slots().drop_free();
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
            throw FiniteError(fmt::format("{}; this is of the backward pass of {}{}{}", error.what(), tape_.describe(index_),
                                          tape_.ranges_of_inputs(index_),
                                          detail::advice_on_zero(*node_, slots()[index_].value())));
        }
    } else {
        if (is_leaf || is_kept()) expanded(index_);
        if (is_leaf) return;
        require_unchanged(tape_, index_, "backward");
        handed_over_ = false;
        slots().make_room(node_->input_count);  // the gradient stays where it is while the op works
        if (tape_.profiles()) tape_.profiler()->start();
        node_->op->backward(*this);
        if (tape_.profiles()) tape_.profiler()->charge(node_->op->name, true, 0);
        if (tape_.checks_finite()) require_finite();
        if (is_kept()) return;
        if (handed_over_) {
            slots().leave(index_);
        } else {
            slots().give_back(index_);
        }
    }
}

template <class X>
X Sweep<X>::gradient() {
    if constexpr (is_var<X>) {
        return slots()[index_];
    } else {
        return X(expanded(index_));
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
    if constexpr (is_var<X>) return tape_.scalar(each.immediate);
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
        Array<T>* const there = slots().has(input) ? &expanded(input) : nullptr;
        if (there != nullptr && contribution.is_pending()) return contribution.add_to(*there);
        Array<T> part = std::move(contribution).take();
        require_values(part, node_->op->name);
        require_fit(part.shape());
        if (there != nullptr) {
            kernels::accumulate(*there, part);
        } else {
            slots().take(input) = std::move(part);
        }
    }
}

template <class X>
void Sweep<X>::deliver_unreduced(std::size_t which, const X& contribution) requires is_var<X>
{
    const std::uint32_t input = inputs()[which].node;
    const Var<T>* there = slots().find(input);
    const Var<T> sum = detail::add_gradients(there, contribution, tape_.node(input).array().shape());
    (there != nullptr ? slots()[input] : slots().take(input)) = sum;
}

// ---- In buffers ----

template <class X>
Array<typename Sweep<X>::T>& Sweep<X>::expanded(std::uint32_t node) requires is_eager<X>
{
    Array<T>& gradient = slots()[node];
    const Shape& shape = tape_.node(node).array().shape();
    if (same_shape(gradient.shape(), shape)) return gradient;
    if (!broadcasts_to(gradient.shape(), shape)) throw detail::updated_since(tape_, node, "backward");  // by a hook
    Array<T> full_size = empty<T>(shape);
    kernels::broadcast_to(full_size, gradient);
    return gradient = std::move(full_size);
}

template <class X>
Target<typename Sweep<X>::T> Sweep<X>::target(std::size_t which, bool in_place) requires is_eager<X>
{
    const std::uint32_t input = inputs()[which].node;
    if (slots().has(input)) return {expanded(input), true};
    const Shape& shape = tape_.node(input).array().shape();
    const bool is_needed = is_kept() || tape_.checks_finite();  // require_finite() asks for it
    if (in_place && !handed_over_ && !is_needed && same_shape(compact_gradient().shape(), shape)) {
        handed_over_ = true;
        slots().share(index_, input);
    } else {
        slots().take(input);
    }
    Array<T>& array = slots()[input];
    reshape_for_overwriting(array, shape);
    return {array, false};
}

template <class X>
void Sweep<X>::require_finite() requires is_eager<X>
{
    for (std::size_t k = 0; k < inputs().size(); ++k) {
        const std::uint32_t input = inputs()[k].node;
        if (!wants(k) || !slots().has(input)) continue;  // a rule may give none to what it does not depend on
        const Array<T>& gradient = slots()[input];
        const std::size_t place = kernels::find_non_finite(gradient);
        if (place == gradient.size()) continue;
        const Array<T>& own = compact_gradient();
        const char* advice =
            gradient.size() == own.size() ? detail::advice_on_zero(*node_, own, place) : detail::advice_on_zero(*node_, own);
        throw detail::not_finite(tape_, index_, k, gradient, place, advice);
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
            throw GradientError(
                "backward: a sweep within another one, from a hook or a rule, cannot free values that the other needs");
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

#define XTAPE_INSTANTIATE(T)                                                                   \
    template class Sweep<Eager<T>>;                                                            \
    template class Sweep<Var<T>>;                                                              \
    template XTAPE_API Gradients<T> backward<T>(const Var<T>&, BackwardOptions);               \
    template XTAPE_API Gradients<T> backward(const Var<T>&, const Array<T>&, BackwardOptions); \
    template XTAPE_API Gradients<T> backward(const Var<T>&, const Var<T>&, BackwardOptions);   \
    template XTAPE_API void require_unchanged<T>(const Tape<T>&, std::uint32_t, const char*);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd
