// What the tape and the sweeps need of an op, and what an op was called with. How an op comes to be is in elementwise_op.hpp
// and structured_op.hpp, the ops themselves are in ops/.
#pragma once

#include <cstdint>

#include "autograd/base/language.hpp"

namespace XTAPE_API autograd {

template <class T>
class Tape;
template <class T>
class Var;
template <class T>
class Eager;
template <class X>
class Sweep;
template <class T>
class TangentSweep;

/// In place of a rule: no gradient flows into this input.
struct NoGradient {};
inline constexpr NoGradient no_gradient{};  ///< the object to write there

/// Objects of this type have static storage: a node keeps the address of its op's.
template <class T>
struct Op {
    const char* name;  ///< in messages and in the printed tape
    /// Bit k: no gradient flows into input k (a comparison, a condition, stop_gradient).
    std::uint32_t cut = 0;
    /// Passes the gradient of the sweep's current node on to the inputs which want one, in buffers.
    void (*backward)(Sweep<Eager<T>>&) = nullptr;
    /// Passes it on in recorded ops, for gradients of gradients.
    void (*backward_recorded)(Sweep<Var<T>>&) = nullptr;
    /// Forward mode: the tangent of the sweep's current node from those of its inputs. Null for an op without such a rule.
    void (*tangent)(TangentSweep<T>&) = nullptr;
    /// Ends a message of check_finite: what to do about an element that the op made NaN or infinite. May be null.
    const char* advice = nullptr;
    /// The tangent follows from the rule for the gradient: gradcheck says that to compare the two tells nothing.
    bool tangent_is_derived = false;

    bool cuts(std::size_t input) const { return input < 32 && (cut >> input & 1u) != 0; }  ///< a bit of `cut`
};

/// One input of a node: another node, or a scalar that stands in the expression (the 0.5f of `0.5f * v`).
template <class T>
struct Input {
    static constexpr std::uint32_t none = ~0u;  ///< in place of a node's number

    std::uint32_t node = none;  ///< its number
    T immediate{};              ///< the scalar, where there is no node

    bool is_immediate() const { return node == none; }  ///< whether it is a scalar
};

}  // namespace autograd
