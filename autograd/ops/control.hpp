// Ops about the gradient rather than the value: custom_gradient, straight_through, gradient_hook, and checkpoint, which
// computes again instead of keeping. They know no other op. (stop_gradient is elementwise.)
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include "autograd/base/documentation.hpp"
#include "autograd/ops/listing.hpp"

namespace XTAPE_API autograd {

namespace ops {

/// A function with rules for its gradient in place of those of the ops that it calls.
template <Name OpName, class F, class... Rules>
struct CustomGradient {
    static constexpr const char* name = OpName.text;
    static constexpr NoTangent tangent{};  // the rules need not be linear in g
    template <std::size_t K>
    static constexpr bool is_cut = std::is_same_v<std::tuple_element_t<K, std::tuple<Rules...>>, NoGradient>;
    F function;
    std::tuple<Rules...> rules;

    template <class T, std::same_as<Array<T>>... Inputs>
    void forward(Array<T>& out, const Inputs&... inputs) const {
        out = function(Eager<T>(inputs)...).take();
    }
    template <std::size_t K, class X, class... A>
    X gradient(InputIndex<K>, const X& g, const A&... inputs_and_output) const {
        return std::get<K>(rules)(g, inputs_and_output...);
    }
    template <std::size_t K>
    requires is_cut<K>
    static NoGradient gradient(InputIndex<K>) {
        return no_gradient;
    }
};

template <class T>
struct GradientHook {
    static constexpr const char* name = "gradient_hook";
    static constexpr bool linear = true;
    std::function<void(const Array<T>&)> hook;

    void forward(Array<T>& out, const Array<T>& x) const { out = x; }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const {
        if constexpr (is_var<X>) {
            hook(g.value());
        } else {
            hook(g.array());
        }
        return g;
    }
};

}  // namespace ops

/// An op of generic lambdas: `f` computes it from its inputs, by ops, and each rule is a lambda of (gradient, inputs...,
/// output) which gives one input's gradient, or `no_gradient`. Unlike those of an elementwise op, they see whole arrays:
///
///     const auto clipped = custom_gradient<"clipped_identity">(
///         [](const auto& x) { return x * 1; }, [](const auto& g, const auto&, const auto&) { return clip(g, -1, 1); });
///
/// The rules are made of ops, so that they can be differentiated in turn. There is no forward mode.
template <Name OpName, class F, class... Rules>
[[nodiscard]] auto custom_gradient(F f, Rules... rules) {
    return [structure = ops::CustomGradient<OpName, F, Rules...>{f, {rules...}}]<Operand X, std::same_as<X>... Rest>(
               const X& first, const Rest&... rest) {
        static_assert(1 + sizeof...(Rest) == sizeof...(Rules), "custom_gradient: one argument for each rule");
        return apply(structure, first, rest...);
    };
}

/// The value of `value`, with the gradient that x would have: straight_through(round(x), x). (Bengio, Leonard and Courville,
/// "Estimating or propagating gradients through stochastic neurons", 2013, section 4: the straight-through estimator.)
/// @throws ShapeError if the shapes differ.
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> straight_through(X<T> value, X<T> x);

/// x; when a sweep has finished its gradient, `hook` is called with it, to look at.
/// @throws Error if the function is empty.
template <class T>
[[nodiscard]] Var<T> gradient_hook(const Var<T>& x, std::function<void(const Array<T>&)> hook) {
    if (!hook) throw Error("gradient_hook: an empty function");
    return apply(ops::GradientHook<T>{std::move(hook)}, x);
}

/// A function of a list of Vars on one tape.
template <class T>
using ListFunction = std::function<Var<T>(std::span<const Var<T>>)>;

/// f(Var<T>...) of N arguments as a function of a list.
template <class T, std::size_t N, class F>
[[nodiscard]] ListFunction<T> on_list(F f) {
    return [f](std::span<const Var<T>> v) {
        return [&]<std::size_t... I>(std::index_sequence<I...>) { return f(v[I]...); }(std::make_index_sequence<N>{});
    };
}

/// f of a list of inputs as one node, which keeps nothing of what is computed on the way: a sweep calls f again, on a tape of
/// its own. Parameters that f takes from its inputs' tape(), as layers do, get their gradients. What f needs beside them it
/// must be given as an input: Vars of the tape outside are refused, and where f gives another value when it is called again,
/// because it draws noise, say, the sweep throws a GradientError. (Chen, Xu, Zhang and Guestrin, "Training deep nets with
/// sublinear memory cost", 2016.)
template <class T>
[[nodiscard]] Var<T> checkpoint_list(ListFunction<T> f, std::span<const Var<T>> inputs);

/// f(inputs...), computed again where it is needed: `checkpoint([&](const auto& x) { return layer(x); }, x)`. (PyTorch's and
/// JAX's name; nn's checkpoints, which are files, are something else.)
template <class F, class T, std::same_as<Var<T>>... Rest>
[[nodiscard]] Var<T> checkpoint(F f, const Var<T>& first, const Rest&... rest) {
    const Var<T> inputs[] = {first, rest...};
    return checkpoint_list<T>(on_list<T, 1 + sizeof...(Rest)>(std::move(f)), inputs);
}

// ---- In words, for the table of ops ----

namespace ops::words {

inline constexpr Documentation straight_through{.formula = "value", .gradient = "none to value, g to x"};
inline constexpr Documentation gradient_hook{.formula = "x", .gradient = "g, which the hook is shown"};
inline constexpr Documentation checkpoint{.formula = "f(x...)", .gradient = "f's, computed again in the sweep"};

}  // namespace ops::words

}  // namespace autograd
