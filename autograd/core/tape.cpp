// Keeping nodes. Handles that are not of this tape or not of now are refused in explain.cpp.
#include "autograd/core/tape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <exception>

namespace autograd {
namespace {

// Unique in the process, so that a Var of a tape that is gone does not pass for one of its successor at the same address.
std::uint32_t next_generation() {
    static std::atomic<std::uint32_t> last{0};
    return ++last;
}

}  // namespace

template <class T>
Tape<T>::Tape(TapeOptions options) : options_(options), generation_(next_generation()) {}

template <class T>
Tape<T>::~Tape() {
    if (occupancy_.occupied()) {
        // A destructor cannot refuse, and what is at work would go on in memory that is gone.
        std::fputs("xtape: a tape is destroyed while it is swept or an op is recorded on it, from a gradient hook, a rule, an "
                   "op's function or another thread: let it live until backward() has returned\n",
                   stderr);
        std::terminate();
    }
    *life_ = nullptr;
}

template <class T>
void Tape<T>::grow() {
    if (count_ + chunk_size >= Input<T>::none) throw TapeError("tape: more than 2^32 nodes");
    chunks_.push_back(std::make_unique<Node<T>[]>(chunk_size));
}

template <class T>
void Tape<T>::make_room(std::size_t inputs) {
    const std::size_t needed = inputs_.size() + inputs;
    if (inputs_.capacity() < needed) inputs_.reserve(std::max(needed, 2 * inputs_.capacity()));
}

template <class T>
void Tape<T>::make_room_for_parameter() {
    next_array();
    if (parameters_.size() == parameters_.capacity()) parameters_.reserve(2 * parameters_.size() + 1);
}

template <class T>
Node<T>& Tape<T>::open_node(NodeKind kind) noexcept {
    Node<T>& node = this->node(static_cast<std::uint32_t>(count_));
    node.borrowed = nullptr;
    node.op = nullptr;
    node.state = nullptr;
    node.first_input = 0;
    node.input_count = 0;
    node.kind = kind;
    node.needs_gradient = false;
    node.released = false;
    node.stands_for_parameter = false;
    ++count_;
    return node;
}

template <class T>
Var<T> Tape<T>::leaf(NodeKind kind, Array<T> value, bool check) {
    const char* name = kind == NodeKind::variable ? "variable" : "constant";
    const auto mark = recording(name);
    require_values(value, name);
    require_allocatable(value.shape(), sizeof(T), name);
    next_value() = std::move(value);
    open_node(kind).needs_gradient = kind == NodeKind::variable && !options_.inference;
    const auto index = static_cast<std::uint32_t>(count_ - 1);
    return check ? checked(index) : var(index);
}

template <class T>
Var<T> Tape<T>::parameter(const std::shared_ptr<typename Parameter<T>::State>& state) {
    const auto mark = recording("parameter");
    require_values(state->value, "parameter");
    make_room_for_parameter();
    const auto [known, is_new] = parameter_of_.try_emplace(state->identity, parameters_.size());
    if (!is_new) {
        const BorrowedParameter& borrowed = parameters_[known->second];
        const bool is_own = node(borrowed.node).borrowed == &state->value;  // else another node stands for it
        if (is_own && borrowed.version != state->version) {
            throw GradientError(
                fmt::format("{} was updated after this tape recorded it: clear the tape before the next forward pass",
                            describe(borrowed.node)));
        }
        return var(borrowed.node);
    }
    Node<T>& node = open_node(NodeKind::parameter);
    const auto index = static_cast<std::uint32_t>(count_ - 1);
    node.borrowed = &state->value;
    node.needs_gradient = !options_.inference;
    node.first_input = static_cast<std::uint32_t>(parameters_.size());
    parameters_.push_back({state, index, state->version});
    return checked(index);
}

template <class T>
Var<T> Tape<T>::constant(const Parameter<T>& values) {
    const auto mark = recording("constant");
    const auto& state = values.shared_state();
    require_values(state->value, "constant");
    next_array();
    const auto index = static_cast<std::uint32_t>(count_);
    const BorrowedParameter* kept = keep(BorrowedParameter{state, index, state->version});
    Node<T>& node = open_node(NodeKind::constant);
    node.borrowed = &state->value;
    node.state = kept;
    return checked(index);
}

template <class T>
Var<T> Tape<T>::append(const Op<T>& op, std::span<const Input<T>> inputs, const void* state) {
    bool needs_gradient = false;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
        // They were looked at before the op began. Another thread may have cleared the tape between, which no mark tells.
        if (!inputs[k].is_immediate() && inputs[k].node >= count_) refuse(Var<T>(this, inputs[k].node, 0), op.name);
        needs_gradient |= flows(op, inputs[k], k);
    }
    make_room(inputs.size());
    if (profiler_ != nullptr) profiler_->charge(op.name, false, next_array().size() * sizeof(T));  // it may throw
    Node<T>& node = open_node(NodeKind::operation);
    node.op = &op;
    node.state = state;
    node.needs_gradient = needs_gradient;
    connect(node, inputs);
    return checked(static_cast<std::uint32_t>(count_ - 1));
}

template <class T>
void Tape<T>::connect(Node<T>& node, std::span<const Input<T>> inputs) noexcept {
    node.first_input = static_cast<std::uint32_t>(inputs_.size());
    node.input_count = static_cast<std::uint32_t>(inputs.size());
    for (const Input<T>& input : inputs) inputs_.push_back(input);
}

template <class T>
Var<T> Tape<T>::append_noise(const NoiseOrigin& origin, std::span<const Input<T>> inputs) {
    make_room(inputs.size());
    const NoiseOrigin* kept = keep(origin);
    if (profiler_ != nullptr) profiler_->charge(origin.distribution, false, next_array().size() * sizeof(T));
    Node<T>& node = open_node(NodeKind::noise);
    node.state = kept;
    connect(node, inputs);
    return var(static_cast<std::uint32_t>(count_ - 1));
}

template <class T>
void Tape<T>::clear() {
    const auto mark = visit();
    if (mark.is_nested()) {
        throw TapeError(
            "clear: called while the tape is swept or an op is recorded on it, from a gradient hook, a rule or an op's "
            "function, which needs the nodes; clear it when backward() has returned");
    }
    generation_ = next_generation();
    count_ = 0;
    inputs_.clear();
    keepsakes_.clear();
    parameters_.clear();
    parameter_of_.clear();
}

template <class T>
void Tape<T>::substitute(const std::shared_ptr<typename Parameter<T>::State>& state, const Var<T>& value) {
    const auto mark = visit();
    const std::uint32_t index = index_of(value, "substitute");
    if (value.shape() != state->value.shape()) {
        throw ShapeError(fmt::format("substitute: a value of shape {} for {}, of shape {}", to_string(value.shape()),
                                     parameter_name(state->identity), to_string(state->value.shape())));
    }
    make_room_for_parameter();
    if (!parameter_of_.try_emplace(state->identity, parameters_.size()).second) {
        throw TapeError(fmt::format("substitute: {} is on the tape already", parameter_name(state->identity)));
    }
    parameters_.push_back({state, index, state->version});
    node(index).stands_for_parameter = true;
}

template <class T>
std::vector<bool> ancestors(const Tape<T>& tape, std::uint32_t node, bool through_cuts) {
    std::vector<bool> reached(node + 1, false);
    reached[node] = true;
    for (std::uint32_t i = node + 1; i-- > 0;) {
        if (!reached[i]) continue;
        const Op<T>* op = tape.node(i).op;
        const auto inputs = tape.inputs(tape.node(i));
        for (std::size_t k = 0; k < inputs.size(); ++k) {
            if (through_cuts ? !inputs[k].is_immediate() : op != nullptr && tape.passes(*op, inputs[k], k)) {
                reached[inputs[k].node] = true;
            }
        }
    }
    return reached;
}

template XTAPE_API std::vector<bool> ancestors(const Tape<float>&, std::uint32_t, bool);
template XTAPE_API std::vector<bool> ancestors(const Tape<double>&, std::uint32_t, bool);
template class Tape<float>;
template class Tape<double>;
template class Var<float>;
template class Var<double>;

}  // namespace autograd
