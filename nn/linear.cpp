// Compiles the layer once, for float and double.
#include "nn/linear.hpp"

namespace nn {

template <class T>
BasicLinear<T>::BasicLinear(std::size_t inputs, std::size_t outputs, autograd::Rng& rng, Initializer<T> initialize)
    : weight(initialize(inputs, outputs, rng)), bias(autograd::full<T>({outputs}, T(0))) {}

template <class T>
autograd::Var<T> BasicLinear<T>::operator()(const autograd::Var<T>& x) const {
    return autograd::linear(x, x.tape().parameter(weight), x.tape().parameter(bias));
}

template struct BasicLinear<float>;
template struct BasicLinear<double>;

}  // namespace nn
