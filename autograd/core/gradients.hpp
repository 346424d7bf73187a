// backward(), and Gradients, what it brings back. How it comes by them is in sweep.hpp.
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <utility>

#include "autograd/core/slots.hpp"
#include "autograd/core/tape.hpp"

namespace XTAPE_API autograd {

/// What a sweep leaves behind, and how far it goes.
struct BackwardOptions {
    /// Record the sweep on the same tape, so that the gradients can be differentiated in turn.
    bool create_graph = false;
    /// Keep the gradients of intermediate nodes too.
    bool keep = false;
    /// Free each value as the sweep passes it, for runs bound by memory. Those of leaves stay.
    bool release = false;
    /// Pass gradients on through nodes from this number on only: those before count as leaves, and get theirs.
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
    [[nodiscard]] const Array<T>& operator[](const Var<T>& v) const&;
    [[nodiscard]] const Array<T>& operator[](const Parameter<T>& parameter) const&;
    [[nodiscard]] Array<T> operator[](const Var<T>& v) && { return taken((*this)[v]); }
    [[nodiscard]] Array<T> operator[](const Parameter<T>& parameter) && { return taken((*this)[parameter]); }

    /// As operator[], but null if there is none. (A Var of another tape or generation still throws.)
    [[nodiscard]] const Array<T>* find(const Var<T>& v) const { return at(node_of(v)); }
    [[nodiscard]] const Array<T>* find(const Parameter<T>& parameter) const { return at(node_of(parameter)); }

    /// After {.create_graph = true}: the gradient as a node of the tape.
    Var<T> var(const Var<T>& v) const { return static_cast<void>((*this)[v]), var_at(node_of(v)); }
    Var<T> var(const Parameter<T>& p) const { return static_cast<void>((*this)[p]), var_at(node_of(p)); }

    /// True if the parameter was on the tape at all, with or without a gradient.
    [[nodiscard]] bool uses(const Parameter<T>& parameter) const { return node_of(parameter) != Input<T>::none; }
    /// The identities of all parameters which were on the tape, in rising order, with their nodes.
    const PoolVector<std::pair<std::uint64_t, std::uint32_t>>& parameters() const { return parameters_; }
    /// Whether an optimiser has stepped the parameter by these gradients: optimisers mark that, so that a second step by them
    /// is found. (Different parameters may be stepped in different threads.)
    [[nodiscard]] bool was_stepped(const Parameter<T>& of) const { return uses(of) && stepped_[place_of(of)] != 0; }
    /// From now on was_stepped().
    void mark_stepped(const Parameter<T>& parameter) const {
        if (uses(parameter)) stepped_[place_of(parameter)] = 1;
    }
    /// The name of a parameter for messages, where the tape still lives and knows one.
    [[nodiscard]] std::string parameter_name(std::uint64_t identity) const;

   private:
    template <class X>
    friend class Sweep;
    Gradients(Tape<T>& tape, std::uint32_t loss, bool recorded);

    std::uint32_t node_of(const Var<T>& v) const;
    /// Its index in parameters(); their number if it was not on the tape.
    std::size_t place_of(const Parameter<T>& parameter) const;
    std::uint32_t node_of(const Parameter<T>& parameter) const;
    const Array<T>* at(std::uint32_t node) const;
    Var<T> var_at(std::uint32_t node) const;
    std::string explain(std::uint32_t node) const;
    Array<T> taken(const Array<T>& own) { return recorded_ ? Array<T>(own) : std::move(const_cast<Array<T>&>(own)); }

    const Tape<T>* tape_;
    std::shared_ptr<const Tape<T>*> life_;
    std::uint32_t generation_;
    std::uint32_t loss_;
    Slots<Array<T>> arrays_;
    Slots<Var<T>> vars_;  // of a sweep that was recorded, in place of arrays_
    bool recorded_;
    PoolVector<std::pair<std::uint64_t, std::uint32_t>> parameters_;
    mutable PoolVector<std::uint8_t> stepped_;  // per entry of parameters_; no bits, which threads could not write apart
};

/// d loss / d every variable and parameter that it depends on.
/// Gradient hooks and rules may record on the tape and sweep it again meanwhile, but not clear it or free its values.
/// @throws GradientError if `loss` has not exactly one element, depends on no variable, its tape is in inference mode, or
/// a parameter was updated since it was recorded; TapeError if another thread is at work on the tape; FiniteError as
/// check_finite() says; and what a hook or a rule throws.
template <class T>
[[nodiscard]] Gradients<T> backward(const Var<T>& loss, BackwardOptions options = {});

/// J' seed: the gradients of sum(seed * y), for a y of any shape. Gradients flow through a seed that is a Var on y's tape,
/// with {.create_graph = true}.
/// @throws ShapeError if the seed has not y's shape; else as above, but for the number of elements.
template <class T, class Seed>
requires std::same_as<Seed, Array<T>> || std::same_as<Seed, Var<T>>
[[nodiscard]] Gradients<T> backward(const Var<T>& y, const Seed& seed, BackwardOptions options = {});

extern template class Gradients<float>;
extern template class Gradients<double>;

}  // namespace autograd
