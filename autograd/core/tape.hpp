// The tape: an append-only list of nodes (a Wengert list) in which index order is topological order, and Var, the handle
// to a node. It stores what ops record; it knows no op by name and computes nothing. The sweep is in sweep.hpp, and what a
// tape says in words, its functions among them, in explain.cpp.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "autograd/base/array.hpp"
#include "autograd/base/keepsakes.hpp"
#include "autograd/base/occupancy.hpp"
#include "autograd/base/parameter.hpp"
#include "autograd/base/profile.hpp"
#include "autograd/core/op.hpp"

namespace XTAPE_API autograd {

/// Whether a node is an op's result, or which leaf.
enum class NodeKind : std::uint8_t { operation, variable, constant, parameter, noise };

/// One step of the computation: a leaf, or an op's value and what it was called with.
template <class T>
struct Node {
    Array<T> value;                      ///< what the op computed, or the leaf is
    const Array<T>* borrowed = nullptr;  ///< a parameter's values, in place of `value`
    const Op<T>* op = nullptr;           ///< null for leaves
    const void* state = nullptr;         ///< what the op keeps: axes, flags; a leaf's NoiseOrigin or BorrowedParameter
    std::uint32_t first_input = 0;       ///< in the tape's list of inputs; for a parameter, in its list of parameters
    std::uint32_t input_count = 0;       ///< of an op's inputs there
    NodeKind kind = NodeKind::constant;  ///< an op's result, or which leaf
    bool needs_gradient = false;         ///< whether it depends on a variable or a parameter
    bool released = false;               ///< whether a sweep freed the value
    bool stands_for_parameter = false;   ///< by substitute(): a sweep keeps its gradient

    const Array<T>& array() const { return borrowed != nullptr ? *borrowed : value; }  ///< the values
};

/// Where a noise leaf's values came from.
struct NoiseOrigin {
    const char* distribution;                                                     ///< the op that drew it, as "normal_like"
    std::basic_string<char, std::char_traits<char>, PoolAllocator<char>> stream;  ///< Rng::name()
    std::uint64_t draw;                                                           ///< Rng::draws() before it
};

/// A handle to a node: tape, index and generation. Copied freely; using one of a cleared tape throws. It holds the tape's
/// address and must not be used after the tape's end.
template <class T>
class [[nodiscard]] Var {
   public:
    using Element = T;  ///< float or double

    Var() = default;

    /// The node's. @throws TapeError if the tape was cleared, or the value was released by a sweep with {.release = true}.
    [[nodiscard]] XTAPE_NO_DANGLING const Array<T>& value() const { return tape().value(*this); }
    [[nodiscard]] XTAPE_NO_DANGLING const Shape& shape() const { return value().shape(); }  ///< of the value
    /// The one element. @throws TapeError if there is not exactly one.
    [[nodiscard]] T item() const;

    std::uint32_t index() const { return index_; }            ///< the node's number on the tape
    std::uint32_t generation() const { return generation_; }  ///< the tape's when it was made
    /// The tape on which it is. @throws TapeError for a Var that was never assigned.
    Tape<T>& tape() const {
        if (tape_ == nullptr) throw TapeError("var: used before it was assigned");
        return *tape_;
    }
    bool belongs_to(const Tape<T>& tape) const { return tape_ == &tape; }  ///< of whatever generation
    XTAPE_NO_CONDITION(T)

   private:
    friend class Tape<T>;
    Var(Tape<T>* tape, std::uint32_t index, std::uint32_t generation) : tape_(tape), index_(index), generation_(generation) {}

    Tape<T>* tape_ = nullptr;
    std::uint32_t index_ = 0;
    std::uint32_t generation_ = 0;
};

/// What a tape is for.
struct TapeOptions {
    /// Compute values only: nothing asks for a gradient, and backward() throws.
    bool inference = false;
};

/// The nodes of a computation, in the order in which they were recorded. What throws leaves the tape as it was. An op that is
/// one node has recorded nothing then; only the node that check_finite() complains of stays, to be looked at. A sweep has given
/// no gradients and changed no parameter; but what {.release = true} had passed is gone, and nodes that {.create_graph = true}
/// had recorded stay until clear().
///
/// A tape belongs to one thread at a time: it may pass from thread to thread, between forward and backward too. Of two that
/// record, sweep or clear it at once, one gets a TapeError. Reading values is not looked at: many may, while none is at work.
template <class T>
class Tape {
   public:
    explicit Tape(TapeOptions options = {});
    explicit Tape(detail::Defaults) : Tape() {}
    Tape(const Tape&) = delete;
    Tape& operator=(const Tape&) = delete;

    /// A leaf that gets a gradient.
    /// @throws TapeError for an array that was moved from.
    Var<T> variable(Array<T> value) { return leaf(NodeKind::variable, std::move(value)); }
    /// A leaf that gets none.
    Var<T> constant(Array<T> value) { return leaf(NodeKind::constant, std::move(value)); }
    /// A leaf that gets none, of values that are borrowed and not copied: a batch of data that is filled anew for each step, or
    /// a parameter that is held fixed. Changing them before the sweep is an error, as for parameters.
    Var<T> constant(const Parameter<T>& values);
    /// The leaf of a parameter, whose values it borrows: one node per parameter and generation.
    /// @throws GradientError if it was updated since it was recorded.
    Var<T> parameter(const Parameter<T>& parameter) { return this->parameter(parameter.shared_state()); }
    Var<T> parameter(const std::shared_ptr<typename Parameter<T>::State>& state);

    /// Forgets all nodes and keeps their memory for the next ones. Every Var of before is invalid.
    /// @throws TapeError while the tape is swept or an op is recorded: from a gradient hook, a rule or an op's function.
    void clear();

    [[nodiscard]] std::size_t size() const { return count_; }                                 ///< the number of nodes
    std::uint32_t generation() const { return generation_.load(std::memory_order_relaxed); }  ///< new with each clear()
    bool inference() const { return options_.inference; }                                     ///< as TapeOptions say

    /// From now on the first leaf (but noise), op or backward pass of an op which makes a NaN or an infinity throws and is
    /// named, with the ranges of its inputs. The node stays on the tape, to be looked at. Where its value may be one that
    /// `where` does not take, the message says how that is written without NaN.
    void check_finite(bool check) { check_finite_ = check; }
    bool checks_finite() const { return check_finite_; }  ///< as check_finite() was told

    /// Starts to measure what each op costs, from zero, or stops. Outlasts clear().
    void profile(bool measure) {
        const auto mark = visit();
        profiler_ = measure ? std::make_unique<detail::Profiler>() : nullptr;
    }
    bool profiles() const { return profiler_ != nullptr; }  ///< whether it measures
    /// What was measured, the dearest first. to_string() in tools/inspect.hpp makes a table of it.
    [[nodiscard]] std::vector<OpProfile> profile() const {
        return profiles() ? profiler_->profile() : std::vector<OpProfile>();
    }

    /// From now on, until clear(), this parameter is that Var: parameter(p) returns it, and grads[p] is its gradient. So a
    /// model can be run on values that were computed, or whose derivatives of another kind are wanted.
    /// @throws TapeError if the parameter is on the tape already, ShapeError if the shapes differ.
    void substitute(const Parameter<T>& parameter, const Var<T>& value) { substitute(parameter.shared_state(), value); }
    void substitute(const std::shared_ptr<typename Parameter<T>::State>& state, const Var<T>& value);

    /// Names a parameter in messages, e.g. "decoder.hidden.weight". Outlasts clear().
    void name_parameter(std::uint64_t identity, std::string name) {
        const auto mark = visit();
        names_[identity] = std::move(name);
    }
    /// The dotted name, or "parameter" where none was given.
    std::string parameter_name(std::uint64_t identity) const;

    /// "; input exp (node 3) in [0, 90]" for each input of a node, for messages.
    std::string ranges_of_inputs(std::uint32_t index) const;
    /// "matmul (node 12, decoder.hidden)": the op, its number, and the module whose parameters it uses.
    [[nodiscard]] std::string describe(std::uint32_t index) const;

    // ---- What ops and the sweep use. ----

    /// A constant for a scalar of an expression, not checked: one that is infinite may be meant, as in minimum(x, infinity).
    Var<T> scalar(T value) { return leaf(NodeKind::constant, full<T>({}, value), false); }

    Node<T>& node(std::uint32_t index) { return chunks_[index / chunk_size][index % chunk_size]; }  ///< which is there
    const Node<T>& node(std::uint32_t index) const { return chunks_[index / chunk_size][index % chunk_size]; }
    /// Of an op, what it was called with; of other nodes none, but for noise whose distribution depended on something.
    std::span<const Input<T>> inputs(const Node<T>& node) const {
        if (node.input_count == 0) return {};
        return {inputs_.data() + node.first_input, node.input_count};
    }
    /// Whether derivatives pass between an op and its input k: that is a node, and the op does not cut it off.
    static bool passes(const Op<T>& op, const Input<T>& input, std::size_t k) { return !input.is_immediate() && !op.cuts(k); }
    /// Whether a gradient flows from an op into its input k: derivatives pass, and the input depends on a variable.
    bool flows(const Op<T>& op, const Input<T>& input, std::size_t k) const {
        return passes(op, input, k) && node(input.node).needs_gradient;
    }
    /// The node's number. @throws TapeError if `var` is of another tape or of before the last clear().
    std::uint32_t index_of(const Var<T>& var, const char* op) const {
        if (!var.belongs_to(*this) || var.generation() != generation()) refuse(var, op);
        return var.index();
    }
    Var<T> var(std::uint32_t index) { return Var<T>(this, index, generation()); }              ///< of a node that is there
    const Array<T>& value(const Var<T>& var) const { return values(index_of(var, "value")); }  ///< values() of its node
    /// A node's, its own or borrowed. @throws TapeError if they were released.
    const Array<T>& values(std::uint32_t index) const {
        const Node<T>& node = this->node(index);
        if (node.released) refuse_released(index);
        if (node.borrowed != nullptr) require_values(*node.borrowed, "value");  // somebody may have moved it away
        return node.array();
    }

    /// The calling thread is at work on the tape while this lives. @throws TapeError if another thread is.
    Occupancy::Visit visit() const { return Occupancy::Visit(occupancy_); }
    /// An op is being recorded while this lives: from before next_value() to after append().
    /// @throws TapeError if another one is, or another thread is at work.
    Occupancy::Recording recording(const char* op) const { return {occupancy_, op}; }

    /// The array of the node to come, of any shape and values. It becomes one by append(); what throws before leaves no trace.
    Array<T>& next_value() {
        if (profiler_ != nullptr) profiler_->start();
        return next_array();
    }
    /// next_value() without starting the clock: for an op that has started it itself, or to make room for a node.
    Array<T>& next_array() {
        if (count_ == chunks_.size() * chunk_size) grow();
        return node(static_cast<std::uint32_t>(count_)).value;
    }
    Var<T> append(const Op<T>& op, std::span<const Input<T>> inputs, const void* state = nullptr);  ///< of next_value()
    /// A leaf of noise in next_value(). `inputs` are what its distribution depended on, for explanations.
    Var<T> append_noise(const NoiseOrigin& origin, std::span<const Input<T>> inputs = {});
    /// Moves what an op keeps into the tape's memory, until clear().
    template <class S>
    const S* keep(S state) {
        return keepsakes_.keep(std::move(state));
    }
    /// "matmul (node 12, decoder.hidden)" for an op which is about to be recorded with these inputs.
    std::string describe_next(const char* op, std::span<const Input<T>> inputs) const;

    /// The module of the first named parameter among these inputs: "decoder.hidden" of "decoder.hidden.weight"; or empty.
    std::string module_of(std::span<const Input<T>> inputs) const;

    /// A parameter whose values a node borrows, or which has a node by substitute().
    struct BorrowedParameter {
        std::shared_ptr<typename Parameter<T>::State> state;  ///< which keeps the values alive
        std::uint32_t node;                                   ///< its leaf
        std::uint64_t version;                                ///< when it was recorded
    };
    const PoolVector<BorrowedParameter>& parameters() const { return parameters_; }  ///< in the order in which they came
    /// Of a node with borrowed values.
    const BorrowedParameter& borrowed(const Node<T>& node) const {
        return node.kind == NodeKind::parameter ? parameters_[node.first_input]
                                                : *static_cast<const BorrowedParameter*>(node.state);
    }
    /// Null unless somebody asked for a profile.
    detail::Profiler* profiler() const { return profiler_.get(); }
    /// Points to this tape while it lives: how Gradients know whether they may still ask it for an explanation.
    const std::shared_ptr<const Tape*>& life() const { return life_; }
    ~Tape();

   private:
    static constexpr std::size_t chunk_size = 256;

    Var<T> leaf(NodeKind kind, Array<T> value, bool check = true);
    /// Makes room for so many inputs of the node to come. open_node() and connect() then do not throw: it is whole or not there.
    void make_room(std::size_t inputs);
    Node<T>& open_node(NodeKind kind) noexcept;
    void connect(Node<T>& node, std::span<const Input<T>> inputs) noexcept;
    void make_room_for_parameter();
    void grow();
    [[noreturn]] void refuse(const Var<T>& var, const char* op) const;
    [[noreturn]] void refuse_released(std::uint32_t index) const;
    void require_finite(std::uint32_t index) const;
    Var<T> checked(std::uint32_t index) {
        if (check_finite_) require_finite(index);
        return var(index);
    }

    TapeOptions options_;
    std::vector<std::unique_ptr<Node<T>[]>> chunks_;  // a node, and its value, stay where they are as the tape grows
    std::size_t count_ = 0;
    std::atomic<std::uint32_t> generation_;  // is looked at before a thread says that it is at work
    std::vector<Input<T>> inputs_;
    Keepsakes keepsakes_;
    PoolVector<BorrowedParameter> parameters_;
    std::unordered_map<std::uint64_t, std::size_t, std::hash<std::uint64_t>, std::equal_to<>,
                       PoolAllocator<std::pair<const std::uint64_t, std::size_t>>>
        parameter_of_;
    std::unordered_map<std::uint64_t, std::string> names_;
    bool check_finite_ = false;
    std::unique_ptr<detail::Profiler> profiler_;
    std::shared_ptr<const Tape*> life_ = std::make_shared<const Tape*>(this);
    mutable Occupancy occupancy_;
};

/// Which nodes up to `node` it depends on, itself among them, whether ops cut them off or not; or only if they do not.
template <class T>
[[nodiscard]] std::vector<bool> ancestors(const Tape<T>& tape, std::uint32_t node, bool through_cuts = true);

extern template class Tape<float>;
extern template class Tape<double>;
extern template class Var<float>;
extern template class Var<double>;

}  // namespace autograd
