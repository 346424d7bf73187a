// Keeping nodes, and refusing handles that are not of this tape or not of now.
#include "autograd/core/tape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <map>
#include <string_view>

#include "autograd/kernels/reduce.hpp"

namespace autograd {
namespace {

// Unique in the process, so that a Var of a tape that is gone does not pass for one of its successor at the same address.
std::uint32_t next_generation() {
    static std::atomic<std::uint32_t> last{0};
    return ++last;
}

}  // namespace

template <class T>
T Var<T>::item() const {
    const Array<T>& array = value();
    if (array.size() != 1) {
        throw TapeError(fmt::format("item: {} has shape {}, not one element", tape().describe(index_),
                                    to_string(array.shape())));
    }
    return *array.data();
}

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
    next_slot();
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
    ++count_;
    return node;
}

template <class T>
Var<T> Tape<T>::leaf(NodeKind kind, Array<T> value) {
    const char* name = kind == NodeKind::variable ? "variable" : "constant";
    const auto mark = recording(name);
    require_values(value, name);
    require_allocatable(value.shape(), sizeof(T), name);
    next_value() = std::move(value);
    open_node(kind).needs_gradient = kind == NodeKind::variable && !options_.inference;
    const auto index = static_cast<std::uint32_t>(count_ - 1);
    if (check_finite_) require_finite(index);
    return var(index);
}

template <class T>
Var<T> Tape<T>::parameter(const std::shared_ptr<typename Parameter<T>::State>& state) {
    const auto mark = recording("parameter");
    require_values(state->value, "parameter");
    make_room_for_parameter();
    const auto [known, is_new] = parameter_of_.try_emplace(state->identity, parameters_.size());
    if (!is_new) {
        const BorrowedParameter& borrowed = parameters_[known->second];
        if (borrowed.version != state->version) {
            throw GradientError(fmt::format(
                "{} was updated after this tape recorded it: clear the tape before the next forward pass",
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
    if (check_finite_) require_finite(index);
    return var(index);
}

template <class T>
Var<T> Tape<T>::constant(const Parameter<T>& values) {
    const auto mark = recording("constant");
    const auto& state = values.shared_state();
    require_values(state->value, "constant");
    next_slot();
    const auto index = static_cast<std::uint32_t>(count_);
    const BorrowedParameter* kept = keep(BorrowedParameter{state, index, state->version});
    Node<T>& node = open_node(NodeKind::constant);
    node.borrowed = &state->value;
    node.state = kept;
    if (check_finite_) require_finite(index);
    return var(index);
}

template <class T>
Var<T> Tape<T>::append(const Op<T>& op, std::span<const Input<T>> inputs, const void* state) {
    bool needs_gradient = false;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
        if (inputs[k].is_immediate()) continue;
        // They were looked at before the op began. Another thread may have cleared the tape between, which no mark tells.
        if (inputs[k].node >= count_) refuse(Var<T>(this, inputs[k].node, 0), op.name);
        if (!is_cut(op, k)) needs_gradient |= node(inputs[k].node).needs_gradient;
    }
    make_room(inputs.size());
    Node<T>& node = open_node(NodeKind::operation);
    const auto index = static_cast<std::uint32_t>(count_ - 1);
    node.op = &op;
    node.state = state;
    node.needs_gradient = needs_gradient;
    connect(node, inputs);
    if (profiles()) charge(op.name, false, node.value.size() * sizeof(T));
    if (check_finite_) require_finite(index);
    return var(index);
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
    Node<T>& node = open_node(NodeKind::noise);
    node.state = kept;
    connect(node, inputs);
    if (profiles()) charge(origin.distribution, false, node.value.size() * sizeof(T));
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
}

template <class T>
void Tape<T>::name_parameter(std::uint64_t identity, std::string name) {
    const auto mark = visit();
    names_[identity] = std::move(name);
}

// ---- Profiling ----

template <class T>
struct Tape<T>::Profiler {
    std::map<std::string_view, OpProfile> ops;
    std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};

template <class T>
void Tape<T>::profile(bool measure) {
    const auto mark = visit();
    profiler_ = measure ? std::make_unique<Profiler>() : nullptr;
}

template <class T>
std::vector<OpProfile> Tape<T>::profile() const {
    std::vector<OpProfile> result;
    if (!profiles()) return result;
    for (const auto& [name, each] : profiler_->ops) result.push_back(each);
    const auto seconds = [](const OpProfile& each) { return each.forward_seconds + each.backward_seconds; };
    std::stable_sort(result.begin(), result.end(),
                     [&](const OpProfile& a, const OpProfile& b) { return seconds(a) > seconds(b); });
    return result;
}

template <class T>
void Tape<T>::start_clock() {
    profiler_->start = std::chrono::steady_clock::now();
}

template <class T>
void Tape<T>::charge(const char* op, bool backward, std::size_t bytes) {
    const auto now = std::chrono::steady_clock::now();
    OpProfile& entry = profiler_->ops[op];
    entry.op = op;
    entry.calls += !backward;
    entry.bytes += bytes;
    (backward ? entry.backward_seconds : entry.forward_seconds) +=
        std::chrono::duration<double>(now - profiler_->start).count();
}

template <class T>
std::string Tape<T>::parameter_name(std::uint64_t identity) const {
    const auto found = names_.find(identity);
    return found == names_.end() ? "parameter" : found->second;
}

template <class T>
std::string Tape<T>::module_of(std::span<const Input<T>> inputs) const {
    for (const Input<T>& input : inputs) {
        if (input.is_immediate() || node(input.node).kind != NodeKind::parameter) continue;
        const auto found = names_.find(borrowed(node(input.node)).state->identity);
        if (found == names_.end()) continue;
        const std::size_t dot = found->second.rfind('.');
        return dot == std::string::npos ? found->second : found->second.substr(0, dot);
    }
    return {};
}

template <class T>
std::string Tape<T>::describe_next(const char* op, std::span<const Input<T>> inputs) const {
    const std::string module = module_of(inputs);
    return module.empty() ? fmt::format("{} (node {})", op, count_)
                          : fmt::format("{} (node {}, {})", op, count_, module);
}

template <class T>
std::string Tape<T>::describe(std::uint32_t index) const {
    if (index >= count_) throw TapeError(fmt::format("describe: node {} of a tape of {}", index, count_));
    const Node<T>& node = this->node(index);
    switch (node.kind) {
        case NodeKind::variable: return fmt::format("variable (node {})", index);
        case NodeKind::constant: return fmt::format("constant (node {})", index);
        case NodeKind::parameter:
            return fmt::format("{} (node {})", parameter_name(borrowed(node).state->identity), index);
        case NodeKind::noise: {
            const auto& origin = *static_cast<const NoiseOrigin*>(node.state);
            return fmt::format("{} (node {}, noise of stream \"{}\", draw {})", origin.distribution, index,
                               std::string_view(origin.stream), origin.draw);
        }
        case NodeKind::operation: break;
    }
    const std::string module = module_of(inputs(node));
    return module.empty() ? fmt::format("{} (node {})", node.op->name, index)
                          : fmt::format("{} (node {}, {})", node.op->name, index, module);
}

template <class T>
void Tape<T>::refuse(const Var<T>& var, const char* op) const {
    if (!var.belongs_to(*this)) {
        var.tape();  // throws for a Var that was never assigned
        throw detail::NamedError<TapeError>(
            op, fmt::format("node {} is of another tape; the Vars of one op must share their tape", var.index()));
    }
    throw detail::NamedError<TapeError>(
        op, fmt::format("node {} was forgotten when its tape was cleared; record it anew", var.index()));
}

template <class T>
void Tape<T>::refuse_released(std::uint32_t index) const {
    throw TapeError(fmt::format("value: that of {} was released by backward(loss, {{.release = true}})", describe(index)));
}

template <class T>
void Tape<T>::require_finite(std::uint32_t index) const {
    const Node<T>& node = this->node(index);
    const Array<T>& array = node.array();
    const std::size_t place = kernels::find_non_finite(array);
    if (place == array.size()) return;
    const bool has_advice = node.op != nullptr && node.op->advice != nullptr;
    throw FiniteError(fmt::format("check_finite: {} of shape {} made {} at element {}{}{}", describe(index),
                                  to_string(array.shape()), array.data()[place], place, ranges_of_inputs(index),
                                  has_advice ? node.op->advice : ""));
}

template <class T>
std::string Tape<T>::ranges_of_inputs(std::uint32_t index) const {
    if (index >= count_) throw TapeError(fmt::format("ranges_of_inputs: node {} of a tape of {}", index, count_));
    std::string text;
    for (const Input<T>& input : inputs(node(index))) {
        if (input.is_immediate()) {
            text += fmt::format("; input {}", input.immediate);
            continue;
        }
        const Array<T>& values = node(input.node).array();
        const auto [low, high] = std::minmax_element(values.data(), values.data() + values.size());
        text += values.size() == 0 ? fmt::format("; input {}, empty", describe(input.node))
                                   : fmt::format("; input {} in [{}, {}]", describe(input.node), *low, *high);
    }
    return text;
}

template <class T>
std::vector<bool> ancestors(const Tape<T>& tape, std::uint32_t node) {
    std::vector<bool> reached(node + 1, false);
    reached[node] = true;
    for (std::uint32_t i = node + 1; i-- > 0;) {
        if (!reached[i]) continue;
        for (const Input<T>& input : tape.inputs(tape.node(i))) {
            if (!input.is_immediate()) reached[input.node] = true;
        }
    }
    return reached;
}

template std::vector<bool> ancestors(const Tape<float>&, std::uint32_t);
template std::vector<bool> ancestors(const Tape<double>&, std::uint32_t);
template class Tape<float>;
template class Tape<double>;
template class Var<float>;
template class Var<double>;

}  // namespace autograd
