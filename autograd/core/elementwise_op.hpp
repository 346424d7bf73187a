// Ops that act on each element by itself: elementwise<"name">(lambda, rules...), and what one compiles to. They stand in ops/.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "autograd/base/documentation.hpp"
#include "autograd/core/sweep.hpp"
#include "autograd/core/tangents.hpp"
#include "autograd/core/worlds.hpp"
#include "autograd/kernels/elementwise_loops.hpp"

namespace XTAPE_API autograd {

/// The rule of an input whose gradient is the output's: the sweep can pass its buffer on as it is.
struct Unchanged {
    template <class X, class... A>
    X operator()(const X& g, const A&...) const {
        return g;
    }
};
inline constexpr Unchanged unchanged{};  ///< the object to write in its place

/// What a node keeps of an elementwise op.
template <class T>
struct ElementwiseOp : Op<T> {
    const kernels::ElementwiseKernel<T>* kernel = nullptr;  ///< the loops
};

namespace detail {

/// What op `E` is compiled to for one element type and number of inputs, further down: `op`, an ElementwiseOp<T>.
template <class E, class T, std::size_t Arity>
struct Compiled;

template <class T>
[[nodiscard]] Var<T> record_map(const ElementwiseOp<T>& op, Tape<T>& tape, std::span<const Input<T>> inputs);
template <class T>
[[nodiscard]] Array<T> compute_map(const ElementwiseOp<T>& op, std::span<const kernels::Operand<T>> inputs);

}  // namespace detail

/// An op that acts on each element by itself, with NumPy broadcasting. Made by elementwise<"name">(f, rules...).
template <Name OpName, class F, class... Rules>
struct Elementwise {
    static constexpr const char* name = OpName.text;         ///< in messages and in the printed tape
    static constexpr bool has_rules = sizeof...(Rules) > 0;  ///< whether derivatives are stated

    Documentation documentation{};  ///< its row in the table of ops

    /// The lambda itself.
    template <class... A>
    static auto evaluate(const A&... a) {
        return F{}(a...);
    }
    /// The stated rule of input K.
    template <std::size_t K, class... A>
    static auto rule(const A&... a) {
        return std::tuple_element_t<K, std::tuple<Rules...>>{}(a...);
    }
    /// Whether input K has a stated rule, and this one.
    template <std::size_t K, class Kind>
    static constexpr bool rule_is = [] {
        if constexpr (has_rules) {
            return std::is_same_v<std::tuple_element_t<K, std::tuple<Rules...>>, Kind>;
        } else {
            return false;
        }
    }();

    /// The same op with what its row in the op table says.
    constexpr Elementwise documented(const Documentation& about) const { return {about}; }

    template <class... A>
    requires Operands<A...>
    auto operator()(const A&... a) const {
        using T = detail::Element<A...>;
        static_assert(!has_rules || sizeof...(A) == sizeof...(Rules), "an op needs one argument for each of its rules");
        if constexpr ((is_dual<A> || ...)) {
            return on_duals(a...);
        } else if constexpr ((is_var<A> || ...)) {
            Tape<T>* tape = nullptr;
            const auto input = [&]<class X>(const X& x) -> Input<T> {
                if constexpr (is_var<X>) {
                    if (tape == nullptr) tape = &x.tape();
                    return {tape->index_of(x, name), T(0)};
                } else {
                    return {Input<T>::none, static_cast<T>(x)};
                }
            };
            const Input<T> inputs[] = {input(a)...};
            return detail::record_map<T>(detail::Compiled<Elementwise, T, sizeof...(A)>::op, *tape, inputs);
        } else if constexpr ((is_eager<A> || ...)) {
            std::array<T, sizeof...(A)> scalars;
            std::size_t k = 0;
            const auto operand = [&]<class X>(const X& x) -> kernels::Operand<T> {
                if constexpr (is_eager<X>) {
                    return {x.array().data(), &x.shape()};
                } else {
                    return {&(scalars[k++] = static_cast<T>(x)), nullptr};
                }
            };
            const kernels::Operand<T> inputs[] = {operand(a)...};
            return Eager<T>(detail::compute_map<T>(detail::Compiled<Elementwise, T, sizeof...(A)>::op, inputs));
        } else {
            return Pack<T>(evaluate(Pack<T>(a)...));
        }
    }

   private:
    template <class... A>
    static auto on_duals(const A&... a) {
        if constexpr (!has_rules) {
            return evaluate(a...);
        } else {
            return [&]<std::size_t... I>(std::index_sequence<I...>) {
                const auto& like = kernels::first_value(a...);
                using X = std::remove_cvref_t<decltype(like)>;
                const std::array<X, sizeof...(A)> values{detail::primal(like, a)...};
                const X y = Elementwise{}(values[I]...);
                if constexpr (((is_dual<A> && !rule_is<I, NoGradient>) || ...)) {
                    std::optional<X> tangent;
                    const auto add_part = [&]<std::size_t K>(std::integral_constant<std::size_t, K>, const auto& argument) {
                        if constexpr (is_dual<std::remove_cvref_t<decltype(argument)>> && !rule_is<K, NoGradient>) {
                            const X part = detail::lift(like, rule<K>(argument.tangent, values[I]..., y));
                            tangent = tangent ? X(*tangent + part) : part;
                        }
                    };
                    (add_part(std::integral_constant<std::size_t, I>{}, a), ...);
                    return Dual<X>{y, *tangent};
                } else {
                    return y;
                }
            }(std::index_sequence_for<A...>{});
        }
    }
};

/// An elementwise op from a generic lambda that calls ops (exp(x), where(c, a, b); not std::exp or ?:), and, where derivatives
/// are stated rather than derived, one rule for each input: a lambda of (gradient, inputs..., output), or no_gradient.
template <Name OpName, class F, class... Rules>
[[nodiscard]] constexpr auto elementwise(F, Rules...) {
    constexpr bool captures_nothing = std::is_empty_v<F> && (std::is_empty_v<Rules> && ...);
    static_assert(captures_nothing, "an op's lambda captures nothing: pass what it needs as an input");
    if constexpr (captures_nothing) return Elementwise<OpName, F, Rules...>{};
}

// ---- What it compiles to: Compiled<E, T, arity>::op, an Op whose functions are the same for all, and its kernel ----
//
// The kernel's loops (kernels/elementwise_loops.hpp) are made of what the op does with packs of numbers, OnPacks; that of
// contribution(), a rule or the lambda on duals; and ops called there do the same in turn, down to Pack's own arithmetic.

namespace detail {

template <class T>
void backward_map(Sweep<Eager<T>>& sweep);
template <class T>
void tangent_map(TangentSweep<T>& sweep);

/// The derivative of op `E` in its input `K`, times g. By its stated rule, else derived: the lambda is run on a dual
/// number whose tangent is g, which is the same thing because the Jacobian of an elementwise op is diagonal.
template <class E, std::size_t K, class X, class... Inputs>
[[nodiscard]] auto contribution(const X& g, const X& y, const Inputs&... inputs) {
    if constexpr (E::has_rules) {
        return lift(g, E::template rule<K>(g, inputs..., y));
    } else {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            const auto as_dual = [&]<std::size_t J>(std::integral_constant<std::size_t, J>, const X& input) {
                if constexpr (J == K) {
                    return Dual<X>{input, g};
                } else {
                    return input;
                }
            };
            return E::evaluate(as_dual(std::integral_constant<std::size_t, I>{}, inputs)...).tangent;
        }(std::index_sequence_for<Inputs...>{});
    }
}

/// Whether a derived op has no derivative in input K: its lambda makes a plain number of a dual one.
template <class E, std::size_t K, class X, std::size_t... I>
[[nodiscard]] constexpr bool drops_tangent(std::index_sequence<I...>) {
    return !is_dual<decltype(E::evaluate(std::declval<std::conditional_t<I == K, Dual<X>, X>>()...))>;
}

/// The ways to take a value where it is defined and another elsewhere. (`where` gives the branch that it does not take
/// a gradient of 0, which the infinite derivative of what is not defined there makes NaN.)
inline constexpr const char* choice_advice =
    ". If `where` takes another value there, let it choose the argument too, where(x > 0, sqrt(where(x > 0, x, 1)), "
    "x), or let one lambda choose, elementwise<\"...\">([](auto x) { return where(x > 0, sqrt(x), x); })";

/// What the loops of kernels/elementwise_loops.hpp need of an op: its value, and what it adds to an input's gradient.
template <class E, class T, std::size_t Arity>
struct OnPacks {
    static constexpr std::size_t arity = Arity;

    template <class... Inputs>
    static Pack<T> value(const Inputs&... inputs) {
        return Pack<T>(E::evaluate(inputs...));
    }
    template <std::size_t K, class... Inputs>
    static Pack<T> contribution(const Pack<T>& g, const Pack<T>& y, const Inputs&... inputs) {
        return detail::contribution<E, K>(g, y, inputs...);
    }
    template <std::size_t K>
    static constexpr bool cuts = [] {
        if constexpr (E::has_rules) {
            return E::template rule_is<K, NoGradient>;
        } else {
            return drops_tangent<E, K, Pack<T>>(std::make_index_sequence<Arity>{});
        }
    }();
    template <std::size_t K>
    static constexpr bool is_unchanged = E::template rule_is<K, Unchanged>;
};

template <class E, class T, std::size_t Arity>
struct Compiled {
    using Packs = OnPacks<E, T, Arity>;

    /// Of the library's ops it is declared extern: else a user's file would take a second to compile a hundred ops' loops.
    static const ElementwiseOp<T> op;

    static void backward_recorded(Sweep<Var<T>>& sweep) {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            const Var<T> g = sweep.gradient(), y = sweep.output();
            const Var<T> inputs[] = {sweep.input(I)...};
            const auto pass_on = [&]<std::size_t K>(std::integral_constant<std::size_t, K>) {
                if constexpr (!Packs::template cuts<K>) {
                    if (sweep.wants(K)) sweep.deliver_unreduced(K, contribution<E, K>(g, y, inputs[I]...));
                }
            };
            (pass_on(std::integral_constant<std::size_t, I>{}), ...);
        }(std::make_index_sequence<Arity>{});
    }
    static constexpr std::uint32_t cut = []<std::size_t... I>(std::index_sequence<I...>) {
        return ((Packs::template cuts<I> ? 1u << I : 0u) | ...);
    }(std::make_index_sequence<Arity>{});
};
template <class E, class T, std::size_t Arity>
constinit const ElementwiseOp<T> Compiled<E, T, Arity>::op{{.name = E::name,
                                                            .cut = cut,
                                                            .backward = backward_map<T>,
                                                            .backward_recorded = backward_recorded,
                                                            .tangent = tangent_map<T>,
                                                            .advice = choice_advice},
                                                           &kernels::ElementwiseLoops<T, Packs>::kernel};

}  // namespace detail

}  // namespace autograd
