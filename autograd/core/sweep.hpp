// The reverse sweep: from a node backwards to the leaves, by what each op does with the gradient of its value. There is
// one for both worlds: in buffers, on eager arrays, or as recorded ops, on Vars, whose gradients have gradients in turn. It
// knows no op by name: nodes carry what the sweep calls. The way in is backward(), of gradients.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "autograd/core/gradients.hpp"
#include "autograd/core/worlds.hpp"

namespace XTAPE_API autograd {

/// What an op's backward function is given: the current node, its gradient, and where its inputs' go. X is Eager<T> or Var<T>.
template <class X>
class Sweep {
   public:
    using T = typename X::Element;  ///< float or double

    Tape<T>& tape() const { return tape_; }                                    ///< which is swept
    const Node<T>& node() const { return *node_; }                             ///< the current one
    std::span<const Input<T>> inputs() const { return tape_.inputs(*node_); }  ///< what its op was called with
    /// Whether input `which` is to get a gradient.
    bool wants(std::size_t which) const { return tape_.flows(*node_->op, inputs()[which], which); }

    /// The gradient of the node's value, of its shape.
    X gradient();
    X output() const { return value_of(index_); }  ///< the node's value
    /// Input `which`. A scalar of the expression is a constant of shape ().
    X input(std::size_t which) const;

    /// Adds to the gradient of input `which` what is of its shape, or has 1 in place of some extents.
    /// @throws GradientError if it has another shape: then the op's rule is wrong. (What is pending is added by the op's
    /// add_to(), which sees to that itself.)
    void deliver(std::size_t which, X contribution);
    /// Adds to it what broadcasts to its shape, or has the shape of the op's value: then the sum over the axes along which
    /// the input was broadcast. (In buffers the loops of elementwise ops sum as they go.)
    void deliver_unreduced(std::size_t which, const X& contribution) requires is_var<X>;

    // ---- In buffers ----

    /// The gradient of the node's value, which may still be of a smaller shape that broadcasts to it.
    const auto& compact_gradient() { return slots()[index_]; }
    /// Where input `which` wants its gradient. With `in_place` the buffer of the node's own gradient may be what is returned:
    /// for loops that read an element before they write it.
    Target<T> target(std::size_t which, bool in_place) requires is_eager<X>;

   private:
    using Slot = std::conditional_t<is_var<X>, Var<T>, Array<T>>;

    friend struct SweepStart;  // backward()
    Sweep(Tape<T>& tape, std::uint32_t from, Slot seed, const BackwardOptions& options);
    Gradients<T> run();

    Slots<Slot>& slots() {
        if constexpr (is_var<X>) {
            return gradients_.vars_;
        } else {
            return gradients_.arrays_;
        }
    }
    X value_of(std::uint32_t node) const;
    /// Whether the gradient of the current node is looked up later: then its slot is neither an input's nor given back.
    bool is_kept() const { return options_.keep || node_->stands_for_parameter; }
    /// The gradient of a node so far, which there is, expanded to its shape.
    Array<T>& expanded(std::uint32_t node) requires is_eager<X>;
    void pass_on();
    void require_finite() requires is_eager<X>;

    Tape<T>& tape_;
    BackwardOptions options_;
    Gradients<T> gradients_;
    std::uint32_t index_ = 0;
    Node<T>* node_ = nullptr;
    bool handed_over_ = false;  // the current node's slot is an input's by now
};

/// Before a sweep uses node `index`: its inputs must still be what they were. `sweep` begins the message.
/// @throws GradientError if one was updated since, or was released.
template <class T>
void require_unchanged(const Tape<T>& tape, std::uint32_t index, const char* sweep);

namespace detail {

/// What the recorded sweep asks of its world: `contribution` broadcast and summed to `shape`, plus `existing`, if that is not
/// null. It is defined with the ops that it is made of, in ops/reductions.cpp.
template <class T>
[[nodiscard]] Var<T> add_gradients(const Var<T>* existing, Var<T> contribution, const Shape& shape);

}  // namespace detail

extern template class Sweep<Eager<float>>;
extern template class Sweep<Eager<double>>;
extern template class Sweep<Var<float>>;
extern template class Sweep<Var<double>>;

}  // namespace autograd
