// Sentences about nodes and the searches for their reasons: members of Tape and Var that describe a node, or refuse to use it.
#include "autograd/core/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "autograd/kernels/reduce.hpp"

namespace autograd {
namespace {

std::string named(const char* op, std::size_t node, const std::string& module) {
    return fmt::format("{} (node {}{}{})", op, node, module.empty() ? "" : ", ", module);
}

}  // namespace

template <class T>
T Var<T>::item() const {
    const Array<T>& array = value();
    if (array.size() != 1) {
        throw TapeError(
            fmt::format("item: {} has shape {}, not one element", tape().describe(index_), to_string(array.shape())));
    }
    return *array.data();
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
    return named(op, count_, module_of(inputs));
}

template <class T>
std::string Tape<T>::describe(std::uint32_t index) const {
    if (index >= count_) throw TapeError(fmt::format("describe: node {} of a tape of {}", index, count_));
    const Node<T>& node = this->node(index);
    switch (node.kind) {
        case NodeKind::variable: return fmt::format("variable (node {})", index);
        case NodeKind::constant: return fmt::format("constant (node {})", index);
        case NodeKind::parameter: return fmt::format("{} (node {})", parameter_name(borrowed(node).state->identity), index);
        case NodeKind::noise: {
            const auto& origin = *static_cast<const NoiseOrigin*>(node.state);
            return fmt::format("{} (node {}, noise of stream \"{}\", draw {})", origin.distribution, index,
                               std::string_view(origin.stream), origin.draw);
        }
        case NodeKind::operation: break;
    }
    return named(node.op->name, index, module_of(inputs(node)));
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
        text += fmt::format("; input {}", describe(input.node));
        if (node(input.node).released || values.size() == 0) {
            text += node(input.node).released ? ", released" : ", empty";
        } else {
            const auto [low, high] = std::minmax_element(values.data(), values.data() + values.size());
            text += fmt::format(" in [{}, {}]", *low, *high);
        }
    }
    return text;
}

// ---- Why there is no gradient ----

namespace detail {
namespace {

template <class T>
std::string cut_sentence(const Tape<T>& tape, std::uint32_t node, std::uint32_t input) {
    return fmt::format("the path ends at {}, through which no gradient flows into {}", tape.describe(node),
                       tape.describe(input));
}

}  // namespace

/// Disregarding cuts, a path must lead from one to the other; then the first cut on it is the answer.
template <class T>
std::string reason_of_independence(const Tape<T>& tape, std::uint32_t loss, std::uint32_t target) {
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
            if (each.op != nullptr && tape.passes(*each.op, inputs[k], k)) {
                depends[i] = true;
            } else if (first_cut.empty()) {
                first_cut = cut_sentence(tape, i, inputs[k].node);
            }
        }
    }
    return depends[loss] ? std::string() : first_cut;
}

template <class T>
std::string reason_of_absence(const Tape<T>& tape, std::uint32_t loss, std::uint32_t target) {
    const Node<T>& node = tape.node(target);
    if (tape.inference()) return "the tape is in inference mode";
    if (node.kind == NodeKind::constant) return "it is a constant: gradients are for variables and parameters";
    if (node.kind == NodeKind::noise) return "it is a noise leaf: noise does not depend on anything";
    const std::string reason = reason_of_independence(tape, loss, target);
    if (!reason.empty()) return reason;
    if (!node.needs_gradient) return "nothing that it depends on by a derivative is a variable or a parameter";
    if (node.kind == NodeKind::operation && !node.stands_for_parameter) {
        return "it is an intermediate node, whose gradient is passed on, and kept only by backward(loss, {.keep = true})";
    }
    return {};
}

/// The cut that is to blame, if there is one.
template <class T>
GradientError barren(const Tape<T>& tape, std::uint32_t loss) {
    const auto error = [&](const std::string& reason) {
        return GradientError(fmt::format("backward: the loss, {}, has no gradient: {}", tape.describe(loss), reason));
    };
    if (tape.inference()) return error("the tape is in inference mode and records no gradients");
    const std::vector<bool> leads_to_loss = ancestors(tape, loss);
    for (std::uint32_t i = 0; i <= loss; ++i) {
        if (!leads_to_loss[i] || tape.node(i).needs_gradient) continue;
        for (const Input<T>& input : tape.inputs(tape.node(i))) {
            if (!input.is_immediate() && tape.node(input.node).needs_gradient) return error(cut_sentence(tape, i, input.node));
        }
    }
    return error("it depends on no variable and no parameter");
}

// ---- What sweeps throw ----

template <class T>
GradientError updated_since(const Tape<T>& tape, std::uint32_t node, const char* sweep) {
    return GradientError(fmt::format("{}: {} was updated between the forward pass and the sweep, so its gradient would be "
                                     "wrong; clear the tape and record anew",
                                     sweep, tape.describe(node)));
}

template <class T>
GradientError released_before(const Tape<T>& tape, std::uint32_t node, const char* sweep) {
    return GradientError(fmt::format("{}: values that {} needs were released by an earlier sweep with {{.release = true}}",
                                     sweep, tape.describe(node)));
}

template <class T>
GradientError misshapen(const Tape<T>& tape, std::uint32_t node, std::size_t which, const Shape& found) {
    const Input<T>& input = tape.inputs(tape.node(node))[which];
    return GradientError(fmt::format("{}: its rule gives input {}, of shape {}, a gradient of shape {}", tape.describe(node),
                                     which, to_string(tape.node(input.node).array().shape()), to_string(found)));
}

template <class T>
const char* advice_on_zero(const Node<T>& node, const Array<T>& gradient, std::size_t place) {
    const T *begin = gradient.data(), *end = begin + gradient.size();
    const bool is_zero = place < gradient.size() ? begin[place] == 0 : std::find(begin, end, T(0)) != end;
    return is_zero && node.op->advice != nullptr ? node.op->advice : "";
}

template <class T>
FiniteError not_finite(const Tape<T>& tape, std::uint32_t node, std::size_t which, const Array<T>& gradient, std::size_t place,
                       const char* advice) {
    return FiniteError(
        fmt::format("check_finite: the backward pass of {} made {} at element {} of the gradient of its input {}, {}{}{}",
                    tape.describe(node), gradient.data()[place], place, which,
                    tape.describe(tape.inputs(tape.node(node))[which].node), tape.ranges_of_inputs(node), advice));
}

}  // namespace detail

template <class T>
std::string why_no_gradient(const Var<T>& loss, const Var<T>& v) {
    const Tape<T>& tape = loss.tape();
    const auto mark = tape.visit();
    const std::uint32_t from = tape.index_of(loss, "why_no_gradient");
    const std::uint32_t target = tape.index_of(v, "why_no_gradient");
    const std::string reason = detail::reason_of_absence(tape, from, target);
    return fmt::format("{}: {}", tape.describe(target), reason.empty() ? "it has a gradient" : reason);
}

#define XTAPE_INSTANTIATE(T)                                                                                          \
    template std::string detail::reason_of_absence(const Tape<T>&, std::uint32_t, std::uint32_t);                     \
    template std::string detail::reason_of_independence(const Tape<T>&, std::uint32_t, std::uint32_t);                \
    template GradientError detail::barren(const Tape<T>&, std::uint32_t);                                             \
    template GradientError detail::updated_since(const Tape<T>&, std::uint32_t, const char*);                         \
    template GradientError detail::released_before(const Tape<T>&, std::uint32_t, const char*);                       \
    template GradientError detail::misshapen(const Tape<T>&, std::uint32_t, std::size_t, const Shape&);               \
    template const char* detail::advice_on_zero(const Node<T>&, const Array<T>&, std::size_t);                        \
    template FiniteError detail::not_finite(const Tape<T>&, std::uint32_t, std::size_t, const Array<T>&, std::size_t, \
                                            const char*);                                                             \
    template XTAPE_API std::string why_no_gradient(const Var<T>&, const Var<T>&);                                     \
    template XTAPE_API T Var<T>::item() const;                                                                        \
    template XTAPE_API std::string Tape<T>::parameter_name(std::uint64_t) const;                                      \
    template XTAPE_API std::string Tape<T>::module_of(std::span<const Input<T>>) const;                               \
    template XTAPE_API std::string Tape<T>::describe_next(const char*, std::span<const Input<T>>) const;              \
    template XTAPE_API std::string Tape<T>::describe(std::uint32_t) const;                                            \
    template XTAPE_API std::string Tape<T>::ranges_of_inputs(std::uint32_t) const;                                    \
    template XTAPE_API void Tape<T>::refuse(const Var<T>&, const char*) const;                                        \
    template XTAPE_API void Tape<T>::refuse_released(std::uint32_t) const;                                            \
    template XTAPE_API void Tape<T>::require_finite(std::uint32_t) const;
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd
