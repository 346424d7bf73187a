// Optimisers: they take a model and the gradients of a loss, and change the model's parameters in place, in one fused
// pass each. Semantics and names are PyTorch's. There is no schedule: `options` may be changed between steps.
#pragma once

#include <autograd/autograd.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "nn/module.hpp"

namespace XTAPE_API nn {

/// What a step may leave out or repeat, either of which is an error by default.
struct StepOptions {
    /// Permits parameters on the tape which are not in the model's listing: a part of what was used is stepped.
    bool partial = false;
    /// Permits parameters that were stepped by the same gradients before: the step is made again.
    bool again = false;
};

/// What an optimiser remembers of one parameter: how often it was stepped, and running averages of its shape.
template <class T>
struct ParameterState {
    std::string parameter;                     ///< its dotted name in the model's listing
    std::uint64_t steps = 0;                   ///< taken so far
    std::vector<autograd::Array<T>> averages;  ///< as many as the optimiser's averages() has names
};

/// What the optimisers have in common: the states of all parameters, in the order of the model's listing, and a step
/// over those which the gradients are for.
template <class T>
class ParameterStates {
   public:
    /// Calls update(value, state, gradient) for each parameter of the model which was on the tape. Throws before the
    /// first is called, or not at all.
    template <class Model, class Rule>
    void step(Model& model, const autograd::Gradients<T>& gradients, StepOptions options, std::size_t averages, Rule update) {
        prepare(model, averages);
        used_.clear();
        updates_.clear();
        std::size_t index = 0;
        for_each_parameter(model, name_, [&](const std::string& name, autograd::Parameter<T>& parameter) {
            ParameterState<T>& state = states_[index++];
            if (!gradients.uses(parameter)) return;
            const autograd::Array<T>& gradient = gradients[parameter];  // throws, with the reason, where there is none
            if (gradients.was_stepped(parameter) && !options.again) refuse_second_step(name);
            require_shape(name, parameter.shape(), gradient.shape());
            used_.push_back(parameter.identity());
            updates_.push_back({&parameter, &state, &gradient});
        });
        require_each_once(gradients, options);
        for (const Update& each : updates_) {
            gradients.mark_stepped(*each.parameter);
            ++each.state->steps;
            update(each.parameter->mutable_value(), *each.state, *each.gradient);
        }
    }

    /// All states; zeros for a model which was never stepped.
    template <class Model>
    std::vector<ParameterState<T>> of(const Model& model, std::size_t averages) const {
        ParameterStates copy = *this;
        copy.prepare(model, averages);
        return std::move(copy.states_);
    }

    /// Takes over states that of() gave. The next step refuses those of another model.
    void restore(std::vector<ParameterState<T>> states) { states_ = std::move(states); }

   private:
    /// Makes the states, all or none, or checks that those there are of this model.
    template <class Model>
    void prepare(const Model& model, std::size_t averages) {
        std::vector<ParameterState<T>> made;
        const bool first = states_.empty();
        std::vector<ParameterState<T>>& states = first ? made : states_;
        std::size_t count = 0;
        for_each_parameter(model, name_, [&](const std::string& name, const autograd::Parameter<T>& parameter) {
            if (first) states.push_back({name, 0, {}});
            if (count < states.size()) prepare(states[count], count, name, parameter.shape(), averages);
            ++count;
        });
        if (first) states_ = std::move(made);
        require_count(count);
    }
    static void prepare(ParameterState<T>& state, std::size_t index, const std::string& name, const autograd::Shape& shape,
                        std::size_t averages);
    void require_count(std::size_t count) const;
    /// That the gradient has the shape which the parameter has now.
    static void require_shape(const std::string& name, const autograd::Shape& parameter, const autograd::Shape& gradient);
    [[noreturn]] static void refuse_second_step(const std::string& name);
    /// That no parameter was listed twice, and, unless a part may be stepped, that all which were on the tape were
    /// listed.
    void require_each_once(const autograd::Gradients<T>& gradients, StepOptions options);

    struct Update {
        autograd::Parameter<T>* parameter;
        ParameterState<T>* state;
        const autograd::Array<T>* gradient;
    };

    std::vector<ParameterState<T>> states_;
    // Buffers, kept so that a step allocates nothing: a name, the identities of those that are to be stepped, and the
    // steps, all of which are found before the first is taken.
    std::string name_;
    std::vector<std::uint64_t> used_;
    std::vector<Update> updates_;
};

/// What the optimisers are made of: each derives from this, as `Derived`, and adds its `options`, the names of its
/// averages() and its rule, update(value, state, gradient).
template <class T, class Derived>
class Optimizer {
   public:
    /// Steps the parameters of the model which were on the tape, and leaves alone, their state too, those which never
    /// were.
    /// @throws GradientError if a parameter's path to the loss was cut, if one was on the tape but is not in the
    /// model's listing (unless step_options.partial), or if one was stepped by these gradients before, by this optimiser or
    /// another (unless step_options.again); TapeError if the gradients are nodes of a tape that was cleared;
    /// Error if an option is out of its range, a parameter is listed twice, or the model's names, and ShapeError if its
    /// shapes, are not those of the steps before, or a gradient's. Whatever is thrown, std::bad_alloc too, no value, count
    /// or average has then changed.
    template <class Model>
    void step(Model& model, const autograd::Gradients<T>& gradients, StepOptions step_options = {}) {
        const Derived& rule = static_cast<const Derived&>(*this);
        rule.require_options();
        states_.step(model, gradients, step_options, rule.averages().size(),
                     [&](autograd::Array<T>& value, ParameterState<T>& state, const autograd::Array<T>& gradient) {
                         rule.update(value, state, gradient);
                     });
    }

    /// For checkpoints: all states, in the order of the model's listing.
    template <class Model>
    [[nodiscard]] std::vector<ParameterState<T>> states(const Model& model) const {
        return states_.of(model, static_cast<const Derived&>(*this).averages().size());
    }
    /// Takes over what states() gave. The next step refuses those of another model.
    void restore(std::vector<ParameterState<T>> states) { states_.restore(std::move(states)); }

   private:
    ParameterStates<T> states_;
};

/// The options of BasicSGD. lr, weight_decay: from 0 on. momentum: 0 to 1, and above 0 with nesterov. Others are an Error of the
/// constructor, or, where they are set later, of the next step.
struct SGDOptions {
    double lr = 1e-3;
    double momentum = 0;
    double weight_decay = 0;  ///< adds weight_decay * value to the gradient
    bool nesterov = false;    ///< looks ahead along the momentum
};

/// Stochastic gradient descent: b = momentum b + g, value -= lr b; with nesterov, value -= lr (g + momentum b).
template <class T>
class BasicSGD : public Optimizer<T, BasicSGD<T>> {
   public:
    SGDOptions options;  ///< may be changed between steps

    BasicSGD() = default;
    /// @throws Error for an option out of its range.
    explicit BasicSGD(const SGDOptions& initial) : options(initial) { require_options(); }
    explicit BasicSGD(autograd::detail::Defaults) {}

    /// The names of ParameterState::averages.
    std::span<const char* const> averages() const {
        static constexpr std::array names{"momentum_buffer"};
        return std::span<const char* const>(names).first(options.momentum == 0 ? 0 : 1);
    }

   private:
    friend Optimizer<T, BasicSGD>;
    void require_options() const;
    void update(autograd::Array<T>& value, ParameterState<T>& state, const autograd::Array<T>& gradient) const;
};

/// The options of BasicAdam. lr, eps, weight_decay: from 0 on. beta1, beta2: from 0 to below 1. Others are an Error of the
/// constructor, or, where they are set later, of the next step.
struct AdamOptions {
    static constexpr bool decoupled = false;  ///< the decay goes through the averages, as a part of the gradient
    double lr = 1e-3;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double eps = 1e-8;
    double weight_decay = 0;  ///< adds weight_decay * value to the gradient
};

/// The options of BasicAdamW. The ranges of lr, beta1, beta2, eps and weight_decay are AdamOptions'.
struct AdamWOptions {
    static constexpr bool decoupled = true;  ///< the decay goes past the averages
    double lr = 1e-3;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double eps = 1e-8;
    double weight_decay = 0.01;  ///< subtracts lr * weight_decay * value, beside the gradient's step
};

/// m and v are running averages of the gradient and its square, t the number of the parameter's steps:
/// value -= lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps).
/// In float the square of a gradient beyond 1.8e19 is infinite, and so is v from then on: as in PyTorch, that element of
/// the value gets no more steps.
template <class T, class Options>
class AdamFamily : public Optimizer<T, AdamFamily<T, Options>> {
   public:
    Options options;  ///< may be changed between steps

    AdamFamily() = default;
    /// @throws Error for an option out of its range.
    explicit AdamFamily(const Options& initial) : options(initial) { require_options(); }
    explicit AdamFamily(autograd::detail::Defaults) {}

    /// The names of ParameterState::averages.
    std::span<const char* const> averages() const {
        static constexpr std::array names{"exp_avg", "exp_avg_sq"};
        return names;
    }

   private:
    friend Optimizer<T, AdamFamily>;
    void require_options() const;
    void update(autograd::Array<T>& value, ParameterState<T>& state, const autograd::Array<T>& gradient) const;
};

/// Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015.
template <class T>
using BasicAdam = AdamFamily<T, AdamOptions>;
/// Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.
template <class T>
using BasicAdamW = AdamFamily<T, AdamWOptions>;

/// For models of floats.
using SGD = BasicSGD<float>;
/// For models of floats.
using Adam = BasicAdam<float>;
/// For models of floats.
using AdamW = BasicAdamW<float>;

}  // namespace nn
