// The fused passes. Factors which are the same for all elements are worked out in double before them.
#include "nn/optimizers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace nn {

using autograd::Array;

namespace {

void require(bool holds, const char* optimizer, const char* option, double value, const char* wanted) {
    if (holds) return;
    throw autograd::Error(fmt::format("{}: {} = {}: {} is wanted", optimizer, option, value, wanted));
}

/// Finite in the type in which it is used.
template <class T>
void require_not_negative(const char* optimizer, const char* option, double value) {
    const bool is_finite = value <= static_cast<double>(std::numeric_limits<T>::max());
    require(value >= 0 && is_finite, optimizer, option, value, "a finite number from 0 on");
}

}  // namespace

template <class T>
void ParameterStates<T>::prepare(ParameterState<T>& state, std::size_t index, const std::string& name,
                                 const autograd::Shape& shape, std::size_t averages) {
    if (state.parameter != name) {
        throw autograd::Error(
            fmt::format("optimiser: parameter number {} is {}, but was {} in the steps before", index, name, state.parameter));
    }
    while (state.averages.size() < averages) state.averages.push_back(autograd::full<T>(shape, T(0)));
    for (const Array<T>& average : state.averages) {
        if (average.shape() == shape) continue;
        throw autograd::ShapeError(fmt::format("optimiser: {} has shape {}, but had {} in the steps before", name,
                                               autograd::to_string(shape), autograd::to_string(average.shape())));
    }
}

template <class T>
void ParameterStates<T>::require_count(std::size_t count) const {
    if (count == states_.size()) return;
    throw autograd::Error(
        fmt::format("optimiser: the model has {} parameters, but had {} in the steps before", count, states_.size()));
}

template <class T>
void ParameterStates<T>::require_shape(const std::string& name, const autograd::Shape& parameter,
                                       const autograd::Shape& gradient) {
    if (parameter == gradient) return;
    throw autograd::ShapeError(fmt::format("optimiser: {} has shape {}, but its gradient has {}", name,
                                           autograd::to_string(parameter), autograd::to_string(gradient)));
}

template <class T>
void ParameterStates<T>::refuse_second_step(const std::string& name) {
    throw autograd::GradientError(fmt::format(
        "optimiser: {} was stepped by these gradients already, which are of the values before that step; call backward() "
        "on a new forward pass, or say {{.again = true}}",
        name));
}

template <class T>
void ParameterStates<T>::require_each_once(const autograd::Gradients<T>& gradients, StepOptions options) {
    std::sort(used_.begin(), used_.end());
    if (const auto twice = std::adjacent_find(used_.begin(), used_.end()); twice != used_.end()) {
        throw autograd::Error(fmt::format("optimiser: {} is listed twice in the model, and would be stepped twice",
                                          gradients.parameter_name(*twice)));
    }
    if (options.partial || used_.size() == gradients.parameters().size()) return;
    const auto unlisted = std::find_if(gradients.parameters().begin(), gradients.parameters().end(), [&](const auto& each) {
        return !std::binary_search(used_.begin(), used_.end(), each.first);
    });
    throw autograd::GradientError(
        fmt::format("optimiser: {} (node {}) was used on the tape, but is not in the model's listing; add it to "
                    "`members`, or step a part of what was used with {{.partial = true}}",
                    gradients.parameter_name(unlisted->first), unlisted->second));
}

template <class T>
void BasicSGD<T>::require_options() const {
    require_not_negative<T>("SGD", "lr", options.lr);
    require(0 <= options.momentum && options.momentum <= 1, "SGD", "momentum", options.momentum, "a number in [0, 1]");
    require_not_negative<T>("SGD", "weight_decay", options.weight_decay);
    require(!options.nesterov || options.momentum > 0, "SGD", "nesterov = true with momentum", options.momentum,
            "a momentum above 0");
}

template <class T>
void BasicSGD<T>::update(Array<T>& value, ParameterState<T>& state, const Array<T>& gradient) const {
    const SGDOptions o = options;
    if (o.momentum == 0) {
        autograd::update([o](auto& x, auto g) { x = x - o.lr * (g + o.weight_decay * x); }, value, gradient);
        return;
    }
    // The slope itself has a part in the step only with nesterov.
    const double own = o.nesterov ? 1 : 0;
    const double along = o.nesterov ? o.momentum : 1;
    autograd::update(
        [=](auto& x, auto& buffer, auto g) {
            const auto slope = g + o.weight_decay * x;
            buffer = o.momentum * buffer + slope;
            x = x - o.lr * (own * slope + along * buffer);
        },
        value, state.averages[0], gradient);
}

template <class T, class Options>
void AdamFamily<T, Options>::require_options() const {
    const char* name = Options::decoupled ? "AdamW" : "Adam";
    require_not_negative<T>(name, "lr", options.lr);
    require(0 <= options.beta1 && options.beta1 < 1, name, "beta1", options.beta1, "a number in [0, 1)");
    require(0 <= options.beta2 && options.beta2 < 1, name, "beta2", options.beta2, "a number in [0, 1)");
    require_not_negative<T>(name, "eps", options.eps);
    require_not_negative<T>(name, "weight_decay", options.weight_decay);
}

template <class T, class Options>
void AdamFamily<T, Options>::update(Array<T>& value, ParameterState<T>& state, const Array<T>& gradient) const {
    const Options o = options;
    const auto steps = static_cast<double>(state.steps);
    const double rate = o.lr / (1 - std::pow(o.beta1, steps));
    const double correction = 1 / std::sqrt(1 - std::pow(o.beta2, steps));
    const double keep = Options::decoupled ? 1 - o.lr * o.weight_decay : 1;
    const double pull = Options::decoupled ? 0 : o.weight_decay;
    autograd::update(
        [=](auto& x, auto& mean, auto& mean_square, auto g) {
            const auto slope = g + pull * x;
            mean = o.beta1 * mean + (1 - o.beta1) * slope;
            mean_square = o.beta2 * mean_square + (1 - o.beta2) * square(slope);
            x = keep * x - rate * mean / (correction * sqrt(mean_square) + o.eps);
        },
        value, state.averages[0], state.averages[1], gradient);
}

template class ParameterStates<float>;
template class ParameterStates<double>;
template class BasicSGD<float>;
template class BasicSGD<double>;
template class AdamFamily<float, AdamOptions>;
template class AdamFamily<double, AdamOptions>;
template class AdamFamily<float, AdamWOptions>;
template class AdamFamily<double, AdamWOptions>;

}  // namespace nn
