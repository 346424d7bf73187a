// Compiles the layer once, for float and double.
#include "nn/linear.hpp"

namespace nn {

namespace {

template <class T>
autograd::Array<T> initial_weight(std::size_t inputs, std::size_t outputs, autograd::Rng& rng, Initializer<T> initialize) {
    detail::require_size("Linear", "inputs", inputs);
    detail::require_size("Linear", "outputs", outputs);
    if (initialize == nullptr) throw autograd::Error("Linear: no function that initialises the weight");
    autograd::require_allocatable({outputs, inputs}, sizeof(T), "Linear");
    autograd::Array<T> weight = initialize(inputs, outputs, rng);
    if (weight.shape() == autograd::Shape{outputs, inputs}) return weight;
    throw autograd::ShapeError("Linear: an initial weight of shape " + autograd::to_string(weight.shape()) +
                               " where (outputs, inputs) = " + autograd::to_string({outputs, inputs}) + " is wanted");
}

}  // namespace

template <class T>
BasicLinear<T>::BasicLinear(std::size_t inputs, std::size_t outputs, autograd::Rng& rng, Initializer<T> initialize)
    : weight(initial_weight<T>(inputs, outputs, rng, initialize)), bias(autograd::full<T>({outputs}, T(0))) {}

template <class T>
autograd::Var<T> BasicLinear<T>::operator()(const autograd::Var<T>& x) const {
    return autograd::linear(x, x.tape().parameter(weight), x.tape().parameter(bias));
}

template struct BasicLinear<float>;
template struct BasicLinear<double>;

}  // namespace nn
