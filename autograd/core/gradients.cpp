// Looking gradients up, and saying why one is not there.
#include "autograd/core/gradients.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/core/explain.hpp"

namespace autograd {

template <class T>
Gradients<T>::Gradients(Tape<T>& tape, std::uint32_t loss, bool recorded)
    : tape_(&tape),
      life_(tape.life()),
      generation_(tape.generation()),
      loss_(loss),
      arrays_(recorded ? 0 : loss + 1),
      vars_(recorded ? loss + 1 : 0),
      recorded_(recorded) {
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
const Array<T>* Gradients<T>::at(std::uint32_t node) const {
    if (!recorded_) return arrays_.find(node);
    const Var<T>* var = vars_.find(node);
    if (var == nullptr) return nullptr;
    if (*life_ == nullptr) throw TapeError("gradients: those of a sweep with {.create_graph = true} are gone with their tape");
    return &var->value();
}

template <class T>
std::string Gradients<T>::explain(std::uint32_t node) const {
    if (*life_ == nullptr || (*life_)->generation() != generation_) return "its tape was cleared since";
    const std::string reason = detail::reason_of_absence(**life_, loss_, node);
    if (!reason.empty()) return reason;
    return "no op between it and the loss passed one on; the function of a checkpoint gives none to an input that it does not use, "
           "and a sweep none to what lies behind its first_node";
}

template <class T>
std::string Gradients<T>::parameter_name(std::uint64_t identity) const {
    return life_ == nullptr || *life_ == nullptr ? "parameter" : (*life_)->parameter_name(identity);
}

template <class T>
const Array<T>& Gradients<T>::operator[](const Var<T>& v) const& {
    const std::uint32_t node = node_of(v);
    if (const Array<T>* gradient = at(node)) return *gradient;
    const bool alive = *life_ != nullptr && (*life_)->generation() == generation_;
    throw GradientError(fmt::format("gradients: none for {}: {}",
                                    alive ? (*life_)->describe(node) : fmt::format("node {}", node), explain(node)));
}

template <class T>
const Array<T>& Gradients<T>::operator[](const Parameter<T>& parameter) const& {
    if (const Array<T>* gradient = find(parameter)) return *gradient;
    const std::uint32_t node = node_of(parameter);
    throw GradientError(fmt::format("gradients: none for {} of shape {}: {}", parameter_name(parameter.identity()),
                                    to_string(parameter.shape()),
                                    node == Input<T>::none ? "it was not on this tape, or only as a constant" : explain(node)));
}

template <class T>
Var<T> Gradients<T>::var_at(std::uint32_t node) const {
    if (!recorded_) {
        throw GradientError("gradients: they are nodes of the tape only after backward(loss, {.create_graph = true})");
    }
    return *vars_.find(node);
}

template class Gradients<float>;
template class Gradients<double>;

}  // namespace autograd
