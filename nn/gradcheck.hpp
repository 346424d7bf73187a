// gradcheck() of a loss in all parameters of a model at once, for tests of models and of losses.
#pragma once

#include <autograd/autograd.hpp>
#include <vector>

#include "nn/module.hpp"

namespace XTAPE_API nn {

/// Checks f(model, tape) -> Var<double>, a loss recorded on `tape`, in every parameter of the model, as autograd::gradcheck
/// does in its inputs: input k is the k-th parameter of the listing. The model's elements are double (nn::BasicLinear<double>
/// and so on).
template <class Model, class F>
[[nodiscard]] autograd::GradcheckReport gradcheck(const Model& model, F f, const autograd::GradcheckOptions& options = {}) {
    std::vector<const autograd::Parameter<double>*> parameters;
    std::vector<autograd::Array<double>> values;
    for_each_parameter(model, [&](const std::string&, const autograd::Parameter<double>& each) {
        parameters.push_back(&each);
        values.push_back(each.value());
    });
    return autograd::gradcheck_list(
        [&](std::span<const autograd::Var<double>> inputs) {
            autograd::Tape<double>& tape = inputs.front().tape();
            for (std::size_t k = 0; k < inputs.size(); ++k) tape.substitute(*parameters[k], inputs[k]);
            return f(model, tape);
        },
        values, options);
}

/// Checks f(model, tape, rng), which draws noise: each call gets a copy of `rng`.
template <class Model, class F>
[[nodiscard]] autograd::GradcheckReport gradcheck(const Model& model, F f, const autograd::Rng& rng,
                                                  const autograd::GradcheckOptions& options = {}) {
    const auto replayed = [&](const Model& same, autograd::Tape<double>& tape) {
        autograd::Rng replay = rng;
        return f(same, tape, replay);
    };
    return gradcheck(model, replayed, options);
}

}  // namespace nn
