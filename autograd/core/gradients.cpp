// The sweep visits nodes in falling index order, which is a topological order: no search, no recursion. Gradient buffers
// are slots of a free list, so that a long chain works in one or two of them.
#include "autograd/core/gradients.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/kernels/reduce.hpp"

namespace autograd {
namespace {

template <class T>
void expand(Array<T>& gradient, const Shape& shape) {
    if (same_shape(gradient.shape(), shape)) return;
    Array<T> expanded = empty<T>(shape);
    kernels::broadcast_to(expanded, gradient);
    gradient = std::move(expanded);
}

/// True if the gradient of `node` is to be passed on to its input.
template <class T>
bool wants_gradient(const Tape<T>& tape, const Node<T>& node, std::size_t input) {
    const Input<T>& each = tape.inputs(node)[input];
    return !each.is_immediate() && !is_cut(*node.op, input) && tape.node(each.node).needs_gradient;
}

/// The shape of an input, for a contribution to its gradient of the same shape or with 1 in place of some extents.
/// @throws GradientError if the contribution has another shape: then the op's rule is wrong.
template <class T>
const Shape& shape_for(const Tape<T>& tape, std::uint32_t node, std::size_t which, const Shape& contribution) {
    const std::uint32_t input = tape.inputs(tape.node(node))[which].node;
    const Shape& shape = tape.node(input).array().shape();
    if (contribution.size() == shape.size() && broadcasts_to(contribution, shape)) return shape;
    throw GradientError(fmt::format("{}: its rule gives input {}, of shape {}, a gradient of shape {}",
                                    tape.describe(node), which, to_string(shape), to_string(contribution)));
}

template <class T>
std::string cut_sentence(const Tape<T>& tape, std::uint32_t node, std::uint32_t input) {
    return fmt::format("the path ends at {}, through which no gradient flows into {}", tape.describe(node),
                       tape.describe(input));
}

/// Why there is no gradient of `loss` in node `target`. Disregarding cuts, a path must lead from one to the other; then
/// the first cut on it is the answer.
template <class T>
std::string explain_absence(const Tape<T>& tape, std::uint32_t loss, std::uint32_t target) {
    const Node<T>& node = tape.node(target);
    if (tape.inference()) return "the tape is in inference mode";
    if (node.kind == NodeKind::constant) return "it is a constant: gradients are for variables and parameters";
    if (node.kind == NodeKind::noise) return "it is a noise leaf: noise does not depend on anything";
    if (target > loss) return fmt::format("it was recorded after the loss, {}", tape.describe(loss));
    const std::vector<bool> leads_to_loss = ancestors(tape, loss);
    if (!leads_to_loss[target]) return fmt::format("the loss, {}, does not depend on it", tape.describe(loss));
    std::vector<bool> depends(loss + 1, false);  // on target, cuts respected
    depends[target] = true;
    std::string first_cut;
    for (std::uint32_t i = target + 1; i <= loss; ++i) {
        const Node<T>& each = tape.node(i);
        if (!leads_to_loss[i]) continue;
        const auto inputs = tape.inputs(each);
        for (std::size_t k = 0; k < inputs.size(); ++k) {
            if (inputs[k].is_immediate() || !depends[inputs[k].node]) continue;
            if (each.kind == NodeKind::operation && !is_cut(*each.op, k)) {
                depends[i] = true;
            } else if (first_cut.empty()) {
                first_cut = cut_sentence(tape, i, inputs[k].node);
            }
        }
    }
    if (!depends[loss]) return first_cut;
    if (!node.needs_gradient) return "nothing that it depends on is a variable or a parameter";
    if (node.kind == NodeKind::operation) {
        return "it is an intermediate node, whose gradient is passed on, and kept only by backward(loss, {.keep = true})";
    }
    return {};
}

/// For a loss that depends on no variable at all: the cut that is to blame, if there is one.
template <class T>
std::string explain_barren_loss(const Tape<T>& tape, std::uint32_t loss) {
    if (tape.inference()) return "the tape is in inference mode and records no gradients";
    const std::vector<bool> leads_to_loss = ancestors(tape, loss);
    for (std::uint32_t i = 0; i <= loss; ++i) {
        if (!leads_to_loss[i] || tape.node(i).needs_gradient) continue;
        for (const Input<T>& input : tape.inputs(tape.node(i))) {
            if (!input.is_immediate() && tape.node(input.node).needs_gradient) return cut_sentence(tape, i, input.node);
        }
    }
    return "it depends on no variable and no parameter";
}

constexpr std::size_t any = ~std::size_t{0};

/// The op's advice, if a gradient of 0 came to this element of its value, or to any: then the derivative there was not
/// asked for, and 0 times an infinite one is NaN.
template <class T>
const char* advice_on_zero(const Node<T>& node, const Array<T>& gradient, std::size_t place) {
    const T *begin = gradient.data(), *end = begin + gradient.size();
    const bool is_zero = place < gradient.size() ? begin[place] == 0 : std::find(begin, end, T(0)) != end;
    return is_zero && node.op->advice != nullptr ? node.op->advice : "";
}

/// Whether a node borrows values which were changed since.
template <class T>
bool is_stale(const Tape<T>& tape, const Node<T>& node) {
    // Ops borrow nothing. To see that by their kind, and not by the pointer, saves a miss of the cache for each node of a
    // long tape: the kind is where all else is that a sweep looks at first.
    if (node.kind == NodeKind::operation || node.borrowed == nullptr) return false;
    const auto& borrowed = tape.borrowed(node);
    return borrowed.version != borrowed.state->version;
}

}  // namespace

template <class T>
void require_unchanged(const Tape<T>& tape, std::uint32_t index, const char* sweep) {
    const Node<T>& node = tape.node(index);
    bool released = node.released;
    for (const Input<T>& input : tape.inputs(node)) {
        if (input.is_immediate()) continue;
        const Node<T>& each = tape.node(input.node);
        released |= each.released;
        if (!is_stale(tape, each)) continue;
        throw GradientError(fmt::format(
            "{}: {} was updated between the forward pass and the sweep, so its gradient would be wrong; "
            "clear the tape and record anew",
            sweep, tape.describe(input.node)));
    }
    if (released) {
        throw GradientError(fmt::format(
            "{}: values that {} needs were released by an earlier sweep with {{.release = true}}", sweep,
            tape.describe(index)));
    }
}

// ---- Gradients ----

template <class T>
Gradients<T>::Gradients(Tape<T>& tape, std::uint32_t loss)
    : tape_(&tape), life_(tape.life()), generation_(tape.generation()), loss_(loss), slot_of_(loss + 1, -1) {
    parameters_.reserve(tape.parameters().size());
    for (const auto& each : tape.parameters()) parameters_.emplace_back(each.state->identity, each.node);
    stepped_.resize(parameters_.size());
    std::sort(parameters_.begin(), parameters_.end());  // node_of() looks them up by halving
}

template <class T>
std::uint32_t Gradients<T>::node_of(const Var<T>& v) const {
    if (life_ == nullptr) throw GradientError("gradients: used after they were moved from");
    if (!v.belongs_to(*tape_)) throw TapeError("gradients: this Var is of another tape than the loss");
    if (v.generation() != generation_) throw TapeError("gradients: this Var is of before or after a clear() of its tape");
    return v.index();
}

template <class T>
std::size_t Gradients<T>::place_of(const Parameter<T>& parameter) const {
    if (life_ == nullptr) throw GradientError("gradients: used after they were moved from");
    const auto found = std::lower_bound(parameters_.begin(), parameters_.end(), parameter.identity(),
                                        [](const auto& each, std::uint64_t identity) { return each.first < identity; });
    const bool is_there = found != parameters_.end() && found->first == parameter.identity();
    return is_there ? static_cast<std::size_t>(found - parameters_.begin()) : parameters_.size();
}

template <class T>
std::uint32_t Gradients<T>::node_of(const Parameter<T>& parameter) const {
    const std::size_t place = place_of(parameter);
    return place == parameters_.size() ? Input<T>::none : parameters_[place].second;
}

template <class T>
bool Gradients<T>::was_stepped(const Parameter<T>& parameter) const {
    const std::size_t place = place_of(parameter);
    return place < stepped_.size() && stepped_[place] != 0;
}

template <class T>
void Gradients<T>::mark_stepped(const Parameter<T>& parameter) const {
    const std::size_t place = place_of(parameter);
    if (place < stepped_.size()) stepped_[place] = 1;
}

template <class T>
const Array<T>* Gradients<T>::at(std::uint32_t node) const {
    if (node >= slot_of_.size() || slot_of_[node] < 0) return nullptr;
    const auto slot = static_cast<std::size_t>(slot_of_[node]);
    if (vars_.empty()) return &slots_[slot];
    if (*life_ == nullptr) throw TapeError("gradients: those of a sweep with {.create_graph = true} are gone with their tape");
    return &vars_[slot].value();
}

template <class T>
std::string Gradients<T>::explain(std::uint32_t node) const {
    if (*life_ == nullptr || (*life_)->generation() != generation_) return "its tape was cleared since";
    const std::string reason = explain_absence(**life_, loss_, node);
    if (!reason.empty()) return reason;
    return "no op between it and the loss passed one on; the function of a checkpoint gives none to an input that it does not use";
}

template <class T>
std::string Gradients<T>::parameter_name(std::uint64_t identity) const {
    return life_ == nullptr || *life_ == nullptr ? "parameter" : (*life_)->parameter_name(identity);
}

template <class T>
const Array<T>& Gradients<T>::operator[](const Var<T>& v) const {
    const std::uint32_t node = node_of(v);
    if (const Array<T>* gradient = at(node)) return *gradient;
    const bool alive = *life_ != nullptr && (*life_)->generation() == generation_;
    throw GradientError(fmt::format("gradients: none for {}: {}",
                                    alive ? (*life_)->describe(node) : fmt::format("node {}", node), explain(node)));
}

template <class T>
const Array<T>& Gradients<T>::operator[](const Parameter<T>& parameter) const {
    if (const Array<T>* gradient = find(parameter)) return *gradient;
    const std::uint32_t node = node_of(parameter);
    throw GradientError(fmt::format("gradients: none for {} of shape {}: {}", parameter_name(parameter.identity()),
                                    to_string(parameter.shape()),
                                    node == Input<T>::none ? "it was not on this tape" : explain(node)));
}

template <class T>
const Array<T>* Gradients<T>::find(const Var<T>& v) const {
    return at(node_of(v));
}

template <class T>
const Array<T>* Gradients<T>::find(const Parameter<T>& parameter) const {
    return at(node_of(parameter));
}

template <class T>
Var<T> Gradients<T>::var_at(std::uint32_t node) const {
    if (vars_.empty()) {
        throw GradientError("gradients: they are nodes of the tape only after backward(loss, {.create_graph = true})");
    }
    return vars_[static_cast<std::size_t>(slot_of_[node])];
}

template <class T>
Var<T> Gradients<T>::var(const Var<T>& v) const {
    static_cast<void>((*this)[v]);  // throws, with the reason, where there is none
    return var_at(node_of(v));
}

template <class T>
Var<T> Gradients<T>::var(const Parameter<T>& parameter) const {
    static_cast<void>((*this)[parameter]);
    return var_at(node_of(parameter));
}

// ---- Sweep ----

template <class T>
Sweep<T>::Sweep(Tape<T>& tape, std::uint32_t loss, BackwardOptions options)
    : tape_(tape), options_(options), gradients_(tape, loss) {
    gradients_.slots_.push_back(full<T>(tape.node(loss).array().shape(), T(1)));
    gradients_.slot_of_[loss] = 0;
}

template <class T>
Gradients<T> Sweep<T>::run() {
    const std::uint32_t loss = gradients_.loss_;
    for (index_ = loss + 1; index_-- > options_.first_node;) {
        node_ = &tape_.node(index_);
        if (gradients_.slot_of_[index_] >= 0) pass_on();
        if (options_.release && node_->kind == NodeKind::operation && index_ != loss) {
            node_->value = Array<T>();
            node_->released = true;
        }
    }
    for (const std::int32_t slot : free_slots_) gradients_.slots_[static_cast<std::size_t>(slot)] = Array<T>();
    return std::move(gradients_);
}

template <class T>
void Sweep<T>::pass_on() {
    const bool is_leaf = node_->op == nullptr;
    if (is_leaf || options_.keep) gradient();
    if (is_leaf) return;
    require_unchanged(tape_, index_, "backward");
    handed_over_ = false;
    // Room for a slot for each input, so that the gradient stays where it is while the op works.
    auto& slots = gradients_.slots_;
    if (slots.capacity() - slots.size() < node_->input_count) slots.reserve(2 * slots.size() + node_->input_count);
    if (tape_.profiles()) tape_.start_clock();
    node_->op->backward(*this);
    if (tape_.profiles()) tape_.charge(node_->op->name, true, 0);
    if (tape_.checks_finite()) require_finite();
    if (options_.keep) return;
    if (!handed_over_) free_slots_.push_back(gradients_.slot_of_[index_]);
    gradients_.slot_of_[index_] = -1;
}

template <class T>
void Sweep<T>::require_finite() const {
    const auto inputs = this->inputs();
    for (std::size_t k = 0; k < inputs.size(); ++k) {
        if (!wants(k)) continue;
        const Array<T>* gradient = gradients_.at(inputs[k].node);
        if (gradient == nullptr) continue;  // a checkpoint gives none to what its function does not use
        const std::size_t place = kernels::find_non_finite(*gradient);
        if (place == gradient->size()) continue;
        throw FiniteError(fmt::format(
            "check_finite: the backward pass of {} made {} at element {} of the gradient of its input {}, {}{}{}",
            tape_.describe(index_), gradient->data()[place], place, k, tape_.describe(inputs[k].node),
            tape_.ranges_of_inputs(index_),
            advice_on_zero(*node_, compact_gradient(), gradient->size() == compact_gradient().size() ? place : any)));
    }
}

template <class T>
bool Sweep<T>::wants(std::size_t input) const {
    return wants_gradient(tape_, *node_, input);
}

template <class T>
const Array<T>& Sweep<T>::gradient() {
    Array<T>& compact = gradients_.slots_[slot()];
    expand(compact, node_->array().shape());
    return compact;
}

template <class T>
std::int32_t Sweep<T>::take_slot() {
    if (free_slots_.empty()) {
        gradients_.slots_.emplace_back();
        return static_cast<std::int32_t>(gradients_.slots_.size() - 1);
    }
    const std::int32_t slot = free_slots_.back();
    free_slots_.pop_back();
    return slot;
}

template <class T>
Array<T>* Sweep<T>::existing_gradient(std::size_t which) {
    const std::uint32_t input = inputs()[which].node;
    const std::int32_t slot = gradients_.slot_of_[input];
    if (slot < 0) return nullptr;
    Array<T>& existing = gradients_.slots_[static_cast<std::size_t>(slot)];
    expand(existing, tape_.node(input).array().shape());
    return &existing;
}

template <class T>
typename Sweep<T>::Target Sweep<T>::target(std::size_t which, bool in_place) {
    if (Array<T>* existing = existing_gradient(which)) return {*existing, true};
    const std::uint32_t input = inputs()[which].node;
    const Shape& shape = tape_.node(input).array().shape();
    std::int32_t& slot = gradients_.slot_of_[input];
    const bool is_needed = options_.keep || tape_.checks_finite();  // require_finite() asks for it
    if (in_place && !handed_over_ && !is_needed && same_shape(compact_gradient().shape(), shape)) {
        handed_over_ = true;
        slot = gradients_.slot_of_[index_];
    } else {
        slot = take_slot();
    }
    Array<T>& array = gradients_.slots_[static_cast<std::size_t>(slot)];
    reshape_for_overwriting(array, shape);
    return {array, false};
}

template <class T>
void Sweep<T>::deliver(std::size_t which, Array<T>&& contribution) {
    require_values(contribution, node_->op->name);
    shape_for(tape_, index_, which, contribution.shape());
    if (Array<T>* existing = existing_gradient(which)) return kernels::accumulate(*existing, contribution);
    const std::int32_t slot = take_slot();
    gradients_.slots_[static_cast<std::size_t>(slot)] = std::move(contribution);
    gradients_.slot_of_[inputs()[which].node] = slot;
}

// ---- RecordingSweep ----

template <class T>
RecordingSweep<T>::RecordingSweep(Tape<T>& tape, std::uint32_t loss) : tape_(tape), gradients_(tape, loss) {
    gradients_.vars_.push_back(tape.constant(full<T>(tape.node(loss).array().shape(), T(1))));
    gradients_.slot_of_[loss] = 0;
}

template <class T>
Gradients<T> RecordingSweep<T>::run(std::uint32_t first_node) {
    for (index_ = gradients_.loss_ + 1; index_-- > first_node;) {
        node_ = &tape_.node(index_);
        if (gradients_.slot_of_[index_] < 0 || node_->op == nullptr) continue;
        require_unchanged(tape_, index_, "backward");
        try {
            node_->op->backward_recorded(*this);
        } catch (const FiniteError& error) {
            throw FiniteError(fmt::format("{}; this is of the backward pass of {}{}{}", error.what(),
                                          tape_.describe(index_), tape_.ranges_of_inputs(index_),
                                          advice_on_zero(*node_, gradient().value(), any)));
        }
    }
    return std::move(gradients_);
}

template <class T>
bool RecordingSweep<T>::wants(std::size_t input) const {
    return wants_gradient(tape_, *node_, input);
}

template <class T>
Var<T> RecordingSweep<T>::input(std::size_t which) {
    const Input<T> each = tape_.inputs(*node_)[which];
    return each.is_immediate() ? tape_.constant(full<T>({}, each.immediate)) : tape_.var(each.node);
}

template <class T>
void RecordingSweep<T>::deliver(std::size_t which, Var<T> contribution) {
    shape_for(tape_, index_, which, contribution.shape());
    deliver_fitted(which, contribution);
}

template <class T>
void RecordingSweep<T>::deliver_fitted(std::size_t which, Var<T> contribution) {
    const std::uint32_t input = tape_.inputs(*node_)[which].node;
    const Shape& shape = tape_.node(input).array().shape();
    std::int32_t& slot = gradients_.slot_of_[input];
    const Var<T>* existing = slot < 0 ? nullptr : &gradients_.vars_[static_cast<std::size_t>(slot)];
    const Var<T> sum = node_->op->accumulate_recorded(existing, contribution, shape);
    if (slot < 0) {
        slot = static_cast<std::int32_t>(gradients_.vars_.size());
        gradients_.vars_.push_back(sum);
    } else {
        gradients_.vars_[static_cast<std::size_t>(slot)] = sum;
    }
}

// ---- backward ----

template <class T>
Gradients<T> backward(const Var<T>& loss, BackwardOptions options) {
    Tape<T>& tape = loss.tape();
    const auto mark = tape.visit();
    const std::uint32_t index = tape.index_of(loss, "backward");
    const Shape& shape = loss.value().shape();
    if (element_count(shape) != 1) {
        throw GradientError(fmt::format("backward: the loss, {}, has shape {}; reduce it to one element, with sum or mean",
                                        tape.describe(index), to_string(shape)));
    }
    if (!tape.node(index).needs_gradient) {
        throw GradientError(fmt::format("backward: the loss, {}, has no gradient: {}", tape.describe(index),
                                        explain_barren_loss(tape, index)));
    }
    if (options.release && mark.is_nested()) {
        throw GradientError("backward: a sweep within another one, from a hook or a rule, cannot free values that the other needs");
    }
    if (!options.create_graph) return Sweep<T>(tape, index, options).run();
    if (options.release) throw GradientError("backward: a sweep that is recorded needs the values which .release frees");
    return RecordingSweep<T>(tape, index).run(options.first_node);
}

template <class T>
std::string why_no_gradient(const Var<T>& loss, const Var<T>& v) {
    const Tape<T>& tape = loss.tape();
    const auto mark = tape.visit();
    const std::uint32_t from = tape.index_of(loss, "why_no_gradient");
    const std::uint32_t target = tape.index_of(v, "why_no_gradient");
    const std::string reason = explain_absence(tape, from, target);
    return fmt::format("{}: {}", tape.describe(target), reason.empty() ? "it has a gradient" : reason);
}

#define XTAPE_INSTANTIATE(T)                                            \
    template class Gradients<T>;                                        \
    template class Sweep<T>;                                            \
    template class RecordingSweep<T>;                                   \
    template Gradients<T> backward<T>(const Var<T>&, BackwardOptions);  \
    template void require_unchanged<T>(const Tape<T>&, std::uint32_t, const char*); \
    template std::string why_no_gradient<T>(const Var<T>&, const Var<T>&);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd
