// The backward sweep: from a loss down the tape to its leaves, and Gradients, what it brings back. In buffers, or, with
// {.create_graph = true}, as recorded ops on the same tape. It knows no op by name: nodes carry their op's record.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "autograd/core/tape.hpp"

namespace autograd {

struct BackwardOptions {
    /// Record the sweep on the same tape, so that the gradients can be differentiated in turn.
    bool create_graph = false;
    /// Keep the gradients of intermediate nodes too.
    bool keep = false;
    /// Free each value as the sweep passes it, for runs bound by memory. Those of leaves stay.
    bool release = false;
    /// Pass gradients on through nodes from this number on only: those before count as independent, and get theirs.
    std::uint32_t first_node = 0;
};

/// The gradients of one loss. A value: it stays valid after the tape is cleared. (With {.create_graph = true} they are
/// nodes of the tape, and go with them: reading one then throws a TapeError.)
template <class T>
class [[nodiscard]] Gradients {
   public:
    Gradients(Gradients&&) noexcept = default;
    Gradients& operator=(Gradients&&) noexcept = default;

    /// d loss / d v, of v's shape.
    /// @throws GradientError if there is none, with the reason: a constant, a loss that does not depend on v, or the node
    /// which cut the path; for an intermediate node, that it was not kept.
    [[nodiscard]] const Array<T>& operator[](const Var<T>& v) const;
    [[nodiscard]] const Array<T>& operator[](const Parameter<T>& parameter) const;

    /// The same as a pointer, null if there is none. (A Var of another tape or generation still throws.)
    [[nodiscard]] const Array<T>* find(const Var<T>& v) const;
    [[nodiscard]] const Array<T>* find(const Parameter<T>& parameter) const;

    /// After {.create_graph = true}: the gradient as a node of the tape.
    Var<T> var(const Var<T>& v) const;
    Var<T> var(const Parameter<T>& parameter) const;

    /// True if the parameter was on the tape at all, with or without a gradient.
    [[nodiscard]] bool uses(const Parameter<T>& parameter) const { return node_of(parameter) != Input<T>::none; }
    /// The identities of all parameters which were on the tape, in rising order, with their nodes.
    const PoolVector<std::pair<std::uint64_t, std::uint32_t>>& parameters() const { return parameters_; }
    /// Whether an optimiser has stepped the parameter by these gradients. It says so itself, so that a second step by them
    /// is found. (Different parameters may be stepped in different threads.)
    [[nodiscard]] bool was_stepped(const Parameter<T>& parameter) const;
    void mark_stepped(const Parameter<T>& parameter) const;
    /// The name of a parameter for messages, where the tape still lives and knows one.
    [[nodiscard]] std::string parameter_name(std::uint64_t identity) const;

   private:
    friend class Sweep<T>;
    friend class RecordingSweep<T>;
    Gradients(Tape<T>& tape, std::uint32_t loss);

    std::uint32_t node_of(const Var<T>& v) const;
    /// Its index in parameters(); their number if it was not on the tape.
    std::size_t place_of(const Parameter<T>& parameter) const;
    std::uint32_t node_of(const Parameter<T>& parameter) const;
    const Array<T>* at(std::uint32_t node) const;
    Var<T> var_at(std::uint32_t node) const;
    std::string explain(std::uint32_t node) const;

    const Tape<T>* tape_;
    std::shared_ptr<const Tape<T>*> life_;
    std::uint32_t generation_;
    std::uint32_t loss_;
    PoolVector<std::int32_t> slot_of_;  // per node; -1 where there is none
    PoolVector<Array<T>> slots_;
    PoolVector<Var<T>> vars_;  // per slot, with create_graph
    PoolVector<std::pair<std::uint64_t, std::uint32_t>> parameters_;
    mutable PoolVector<std::uint8_t> stepped_;  // per entry of parameters_; no bits, which threads could not write apart
};

/// d loss / d every variable and parameter that it depends on.
/// Gradient hooks and rules may record on the tape and sweep it again meanwhile, but not clear it or free its values.
/// @throws GradientError if `loss` has not exactly one element, depends on no variable, its tape is in inference mode, or
/// a parameter was updated since it was recorded; TapeError if another thread is at work on the tape.
template <class T>
[[nodiscard]] Gradients<T> backward(const Var<T>& loss, BackwardOptions options = {});

/// The reason why `loss` gives no gradient for `v`; says so if it does give one.
template <class T>
[[nodiscard]] std::string why_no_gradient(const Var<T>& loss, const Var<T>& v);

/// What an op's backward function is given: the current node, its gradient, and where the inputs' gradients go.
template <class T>
class Sweep {
   public:
    struct Target {
        Array<T>& array;  ///< of the input's shape
        bool accumulate;  ///< add to what is there, else overwrite
    };

    const Tape<T>& tape() const { return tape_; }
    const Node<T>& node() const { return *node_; }
    std::span<const Input<T>> inputs() const { return tape_.inputs(*node_); }
    bool wants(std::size_t input) const;

    /// The gradient of the node's value. `compact` may still be of a smaller shape which broadcasts to the node's.
    const Array<T>& compact_gradient() const { return gradients_.slots_[slot()]; }
    const Array<T>& gradient();

    /// Where input `which` wants its gradient. With `in_place` the buffer of gradient() itself may be what is returned:
    /// for loops that read an element before they write it.
    Target target(std::size_t which, bool in_place);

    /// The gradient of input `which` so far, of its shape; null if there is none yet. To be added to.
    Array<T>* existing_gradient(std::size_t which);

    /// Adds a finished gradient, of the input's shape or with 1 in place of some extents.
    /// @throws GradientError if it has another shape.
    void deliver(std::size_t which, Array<T>&& contribution);

   private:
    template <class U>
    friend Gradients<U> backward(const Var<U>&, BackwardOptions);
    Sweep(Tape<T>& tape, std::uint32_t loss, BackwardOptions options);
    Gradients<T> run();

    std::size_t slot() const { return static_cast<std::size_t>(gradients_.slot_of_[index_]); }
    std::int32_t take_slot();
    void pass_on();
    void require_finite() const;

    Tape<T>& tape_;
    BackwardOptions options_;
    Gradients<T> gradients_;
    PoolVector<std::int32_t> free_slots_;
    std::uint32_t index_ = 0;
    Node<T>* node_ = nullptr;
    bool handed_over_ = false;
};

/// The same for a sweep that is itself recorded.
template <class T>
class RecordingSweep {
   public:
    Tape<T>& tape() { return tape_; }
    const Node<T>& node() const { return *node_; }
    bool wants(std::size_t input) const;
    Var<T> gradient() const { return gradients_.vars_[static_cast<std::size_t>(gradients_.slot_of_[index_])]; }
    /// Input `which` as a Var; a scalar of the expression as a constant.
    Var<T> input(std::size_t which);
    Var<T> output() { return tape_.var(index_); }
    /// As Sweep::deliver.
    void deliver(std::size_t which, Var<T> contribution);
    /// Of the shape of the output of an elementwise op: summed over the axes along which the input was broadcast.
    void deliver_fitted(std::size_t which, Var<T> contribution);

   private:
    template <class U>
    friend Gradients<U> backward(const Var<U>&, BackwardOptions);
    RecordingSweep(Tape<T>& tape, std::uint32_t loss);
    Gradients<T> run(std::uint32_t first_node);

    Tape<T>& tape_;
    Gradients<T> gradients_;
    std::uint32_t index_ = 0;
    const Node<T>* node_ = nullptr;
};

/// Before a sweep uses node `index`: its inputs must still be what they were. `sweep` begins the message.
/// @throws GradientError if one is a parameter that was updated since, or was released.
template <class T>
void require_unchanged(const Tape<T>& tape, std::uint32_t index, const char* sweep);

extern template class Gradients<float>;
extern template class Gradients<double>;
extern template class Sweep<float>;
extern template class Sweep<double>;
extern template class RecordingSweep<float>;
extern template class RecordingSweep<double>;

}  // namespace autograd
