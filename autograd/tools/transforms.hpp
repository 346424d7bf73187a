// Derivatives of functions, as functions: jvp, vjp, jacobian, hessian, hvp. Each records f on a tape of its own, once. For
// derivatives of what is on a tape already there are backward() and tangent().
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "autograd/core/gradients.hpp"
#include "autograd/core/tangents.hpp"
#include "autograd/ops/control.hpp"

namespace XTAPE_API autograd {

/// What jvp() gives: f's value, and what f's derivative makes of a direction.
template <class T>
struct ValueAndTangent {
    Array<T> value;
    Array<T> tangent;  ///< of the value's shape
};
/// What vjp() and hvp() give: f's value, and an array for each input.
template <class T>
struct ValueAndGradients {
    Array<T> value;
    std::vector<Array<T>> gradients;  ///< of the inputs' shapes
};

/// jvp() of a function of a list, in which the number of inputs need not be known to the compiler. It throws what jvp() does.
template <class T>
[[nodiscard]] ValueAndTangent<T> jvp_list(const ListFunction<T>& f, std::span<const Array<T>> inputs,
                                          std::span<const Array<T>> tangents);
/// vjp() of a function of a list.
template <class T>
[[nodiscard]] ValueAndGradients<T> vjp_list(const ListFunction<T>& f, std::span<const Array<T>> inputs,
                                            const Array<T>& cotangent);
/// jacobian() of a function of a list.
template <class T>
[[nodiscard]] std::vector<Array<T>> jacobian_list(const ListFunction<T>& f, std::span<const Array<T>> inputs);
/// hvp() of a function of a list.
template <class T>
[[nodiscard]] ValueAndGradients<T> hvp_list(const ListFunction<T>& f, std::span<const Array<T>> inputs,
                                            std::span<const Array<T>> direction);
/// hessian() of a function of a list, which has one element.
template <class T>
[[nodiscard]] Array<T> hessian_list(const ListFunction<T>& f, const Array<T>& input);

/// Forward mode, J v: f(inputs) and its derivative along `tangents`, one of each input's shape.
/// @throws ShapeError for a tangent of another shape, GradientError where the value does not depend on any input.
template <class T, std::size_t N, class F>
[[nodiscard]] ValueAndTangent<T> jvp(F f, const Array<T> (&inputs)[N], const Array<T> (&tangents)[N]) {
    return jvp_list<T>(on_list<T, N>(f), inputs, tangents);
}

/// Reverse mode, J' u: f(inputs) and the gradients of sum(cotangent * f) in all inputs.
/// @throws ShapeError if `cotangent` has not the value's shape, GradientError for an input on which it does not depend.
template <class T, std::size_t N, class F>
[[nodiscard]] ValueAndGradients<T> vjp(F f, const Array<T> (&inputs)[N], const Array<T>& cotangent) {
    return vjp_list<T>(on_list<T, N>(f), inputs, cotangent);
}

/// The matrix of all partial derivatives, an array for each input: of the value's shape followed by the input's. A
/// sweep forward for each element of an input, or a sweep backward for each of the value: whichever are fewer. Backward
/// in any case where an op has no forward mode.
/// @throws GradientError for an input on which the value does not depend.
template <class T, std::size_t N, class F>
[[nodiscard]] std::vector<Array<T>> jacobian(F f, const Array<T> (&inputs)[N]) {
    return jacobian_list<T>(on_list<T, N>(f), inputs);
}

/// The product of the Hessian of f, whose value has one element, and a direction, by forward mode over reverse mode: about
/// the cost of two gradients. `value` is f's. An input whose gradient is constant gets zeros.
/// @throws GradientError for a value of several elements, or an input on which it does not depend.
template <class T, std::size_t N, class F>
[[nodiscard]] ValueAndGradients<T> hvp(F f, const Array<T> (&inputs)[N], const Array<T> (&direction)[N]) {
    return hvp_list<T>(on_list<T, N>(f), inputs, direction);
}

/// All second derivatives of f, whose value has one element, in its one input: of the input's shape twice. One sweep
/// backward, recorded, and one forward over it for each element.
/// @throws GradientError as hvp() does.
template <class T, class F>
[[nodiscard]] Array<T> hessian(F f, const Array<T>& input) {
    return hessian_list<T>(on_list<T, 1>(f), input);
}

}  // namespace autograd
