// Where gradients are between being made and being used: slots, one for each node whose gradient has begun. It knows no ops.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "autograd/base/array.hpp"

namespace XTAPE_API autograd {

/// Where the loops of an op write a gradient, or a tangent.
template <class T>
struct Target {
    Array<T>& array;  ///< of the shape of what it is the gradient of
    bool accumulate;  ///< add to what is there, else overwrite
};

/// S is an array or, of a sweep that is recorded, a Var. A node takes a slot when the first of its users passes something on,
/// and the others add to that. In buffers it gives the slot back when it has passed its own gradient on in turn, for the next
/// node to take, so that a long chain works in one or two of them; or an input has its slot by then. Leaves keep theirs.
template <class S>
class Slots {
   public:
    explicit Slots(std::size_t nodes) : number_of_(nodes, -1) {}

    bool has(std::uint32_t node) const { return number_of_[node] >= 0; }  ///< whether the node has a slot
    S& operator[](std::uint32_t node) { return slots_[static_cast<std::size_t>(number_of_[node])]; }  ///< its slot
    /// Null for a node without a slot, or beyond all.
    const S* find(std::uint32_t node) const {
        return node < number_of_.size() && has(node) ? &slots_[static_cast<std::size_t>(number_of_[node])] : nullptr;
    }

    /// Until so many more are taken, none moves.
    void make_room(std::size_t more) {
        if (slots_.capacity() - slots_.size() < more) slots_.reserve(2 * slots_.size() + more);
    }
    /// What is in it is left over from another node, if it is not new.
    S& take(std::uint32_t node) {
        if (free_.empty()) {
            slots_.emplace_back();
            number_of_[node] = static_cast<std::int32_t>(slots_.size() - 1);
        } else {
            number_of_[node] = free_.back();
            free_.pop_back();
        }
        return (*this)[node];
    }
    /// The next take() may have the node's slot.
    void give_back(std::uint32_t node) {
        free_.push_back(number_of_[node]);
        number_of_[node] = -1;
    }
    /// `heir` has the slot of `node` as well, until leave(node).
    void share(std::uint32_t node, std::uint32_t heir) { number_of_[heir] = number_of_[node]; }
    void leave(std::uint32_t node) { number_of_[node] = -1; }  ///< the slot is its heir's alone
    /// Empties those that nobody took again, for good.
    void drop_free() {
        for (const std::int32_t each : std::exchange(free_, {})) slots_[static_cast<std::size_t>(each)] = S();
    }

   private:
    PoolVector<std::int32_t> number_of_;  // per node; -1 where there is none
    PoolVector<S> slots_;
    PoolVector<std::int32_t> free_;
};

}  // namespace autograd
