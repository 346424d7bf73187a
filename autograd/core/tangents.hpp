// Forward mode on a tape: from tangents of some nodes forwards to that of a later one, the derivative along a direction, in
// buffers. Every node has been computed already. Functions of functions (jvp and the like) are in tools/transforms.hpp.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <utility>

#include "autograd/core/slots.hpp"
#include "autograd/core/tape.hpp"

namespace XTAPE_API autograd {

/// A node, and the direction in which its value moves: an array of its shape.
template <class T>
using Direction = std::pair<Var<T>, Array<T>>;

/// The derivative of `y` along the directions, of y's shape: J v. Nothing if y does not depend on any of their nodes, or
/// only through ops that cut the gradient. A node that has a direction moves in that alone, whatever its inputs do. With
/// backward(loss, {.create_graph = true}) before, y may be a gradient: then this is a product of the Hessian and a vector.
/// @throws TapeError for Vars of another tape or generation and for a direction that was moved from, ShapeError for one of
/// another shape than its node, GradientError for an op on the way without a tangent, or a value updated or released since.
template <class T>
[[nodiscard]] std::optional<Array<T>> find_tangent(const Var<T>& y, std::span<const Direction<T>> directions);

/// The tangent, which must be there.
/// @throws GradientError, with the reason, where find_tangent() finds nothing; else as find_tangent().
template <class T>
[[nodiscard]] Array<T> tangent(const Var<T>& y, std::span<const Direction<T>> directions);
template <class T>
[[nodiscard]] Array<T> tangent(const Var<T>& y, std::initializer_list<Direction<T>> directions) {
    return tangent(y, std::span<const Direction<T>>(directions.begin(), directions.size()));
}

/// What an op's tangent function is given: the current node, the tangents of its inputs, and where its own goes.
template <class T>
class TangentSweep {
   public:
    const Tape<T>& tape() const { return tape_; }                              ///< which is swept
    std::uint32_t index() const { return index_; }                             ///< the current node's number
    const Node<T>& node() const { return tape_.node(index_); }                 ///< the current node
    std::span<const Input<T>> inputs() const { return tape_.inputs(node()); }  ///< what its op was called with

    /// The tangent of input `which`, of its shape; null if it has none, or the op cuts it.
    const Array<T>* tangent(std::size_t which) const;

    Target<T> target();  ///< where loops write the node's tangent
    /// Adds a finished part of the tangent. @throws GradientError if it has not the node's shape.
    void deliver(Array<T>&& part);

   private:
    template <class U>
    friend std::optional<Array<U>> find_tangent(const Var<U>&, std::span<const Direction<U>>);
    explicit TangentSweep(const Tape<T>& tape) : tape_(tape) {}

    const Tape<T>& tape_;
    PoolVector<std::optional<Array<T>>> tangents_;  // per node
    std::uint32_t index_ = 0;
};

extern template class TangentSweep<float>;
extern template class TangentSweep<double>;

}  // namespace autograd
