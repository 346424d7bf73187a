// Ops that act on each element by itself: elementwise<"name">(lambda, rules...), and what such an op compiles to. The ops
// themselves stand in ops/.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "autograd/core/gradients.hpp"
#include "autograd/kernels/elementwise.hpp"
#include "autograd/core/tangents.hpp"
#include "autograd/core/worlds.hpp"

namespace autograd {

/// In place of a rule: no gradient flows into this input.
struct NoGradient {};
inline constexpr NoGradient no_gradient{};

/// The rule of an input whose gradient is the output's: the sweep can pass its buffer on as it is.
struct Unchanged {
    template <class X, class... A>
    X operator()(const X& g, const A&...) const {
        return g;
    }
};
inline constexpr Unchanged unchanged{};

/// A string as a template argument.
template <std::size_t N>
struct Name {
    char text[N]{};
    constexpr Name(const char (&from)[N]) { std::copy_n(from, N, text); }
};

/// What the op table, the tests and the gradient check need to know of an op beside its code.
struct Documentation {
    struct Domain {
        double low = -2;
        double high = 2;
    };
    static constexpr std::size_t max_inputs = 4;

    const char* formula = "";
    const char* gradient = "derived";
    const char* kinks = "none";
    const char* nan = "propagates";                      ///< else: where a NaN input does not make a NaN
    std::array<Domain, max_inputs> domain{};             ///< where to sample each input from, or, low = high, hold it
    double (*reference)(const double* inputs) = nullptr;  ///< the value by independent means
    /// How far the value may be from the reference, in units of its last place: by default what xsimd's functions promise,
    /// 2, and four roundings more.
    double ulps = 4;
};

template <class T>
struct ElementwiseOp : Op<T> {
    const kernels::ElementwiseKernel<T>* kernel = nullptr;
};

namespace detail {

template <class T>
[[nodiscard]] Var<T> record_map(const ElementwiseOp<T>& op, Tape<T>& tape, std::span<const Input<T>> inputs);
template <class T>
[[nodiscard]] Array<T> compute_map(const ElementwiseOp<T>& op, std::span<const kernels::Operand<T>> inputs);
template <class T>
void backward_map(Sweep<T>& sweep);
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

template <class E, std::size_t K, class X, class Indices>
struct DerivedCut;
template <class E, std::size_t K, class X, std::size_t... I>
struct DerivedCut<E, K, X, std::index_sequence<I...>> {
    using result = decltype(E::evaluate(std::declval<std::conditional_t<I == K, Dual<X>, X>>()...));
    static constexpr bool value = !is_dual<result>;
};

/// The ways to take a value where it is defined and another elsewhere. (`where` gives the branch that it does not take
/// a gradient of 0, which the infinite derivative of what is not defined there makes NaN.)
inline constexpr const char* choice_advice =
    ". If `where` takes another value there, let it choose the argument too, where(x > 0, sqrt(where(x > 0, x, 1)), "
    "x), or let one lambda choose, elementwise<\"...\">([](auto x) { return where(x > 0, sqrt(x), x); })";

/// Everything that one elementwise op compiles to for one element type and number of inputs.
template <class E, class T, std::size_t Arity>
struct Loops {
    static_assert(Arity <= kernels::max_arity, "an elementwise op has at most eight inputs");

    template <std::size_t K>
    static constexpr bool cuts() {
        if constexpr (E::has_rules) {
            return E::template rule_is<K, NoGradient>;
        } else {
            return DerivedCut<E, K, Pack<T>, std::make_index_sequence<Arity>>::value;
        }
    }

    template <std::size_t K>
    static constexpr bool is_unchanged() {
        if constexpr (E::has_rules) {
            return E::template rule_is<K, Unchanged>;
        } else {
            return false;
        }
    }

    template <std::size_t... I>
    static void forward_loop(std::index_sequence<I...>, T* out, const T* const* in, const kernels::Advance* advance,
                             std::size_t count) {
        const T* const from[] = {in[I]...};
        const kernels::Advance by[] = {advance[I]...};
        const auto apply = [](const T* const* data, const kernels::Advance* mask, std::ptrdiff_t i) {
            return Pack<T>(E::evaluate(Pack<T>::load(data[I] + (i & mask[I]))...));
        };
        kernels::map_rows<T>(apply, out, from, by, count);
    }
    static void forward(T* out, const T* const* in, const kernels::Advance* advance, std::size_t count) {
        forward_loop(std::make_index_sequence<Arity>{}, out, in, advance, count);
    }

    /// The contribution to input K of the pack at `i`, from operands g, y, inputs...
    template <std::size_t K, std::size_t... I>
    static Pack<T> at(std::index_sequence<I...>, const T* const* data, const kernels::Advance* mask, std::ptrdiff_t i) {
        return contribution<E, K>(Pack<T>::load(data[0] + (i & mask[0])), Pack<T>::load(data[1] + (i & mask[1])),
                                  Pack<T>::load(data[2 + I] + (i & mask[2 + I]))...);
    }
    template <std::size_t K>
    static void backward_row(T* target, bool accumulate, const T* const* operands, const kernels::Advance* advance,
                             std::size_t count) {
        const auto apply = [](const T* const* data, const kernels::Advance* mask, std::ptrdiff_t i) {
            return at<K>(std::make_index_sequence<Arity>{}, data, mask, i);
        };
        kernels::map_exactly<T>(apply, target, accumulate, operands, advance, count);
    }
    template <std::size_t K>
    static T backward_sum(const T* const* operands, const kernels::Advance* advance, std::size_t count) {
        const auto apply = [](const T* const* data, const kernels::Advance* mask, std::ptrdiff_t i) {
            return at<K>(std::make_index_sequence<Arity>{}, data, mask, i);
        };
        return kernels::map_and_sum<T>(apply, operands, advance, count);
    }
    template <std::size_t... I>
    static void backward_all_loop(std::index_sequence<I...> all, T* const* targets, const bool* accumulate,
                                  const T* const* operands, std::size_t count) {
        constexpr kernels::Advance all_advance[] = {kernels::advances, kernels::advances, (static_cast<void>(I), kernels::advances)...};
        for (std::size_t i = 0; i < count; i += Pack<T>::size) {
            // All are computed before any is stored: a target may be the gradient's own buffer.
            const Pack<T> parts[] = {at<I>(all, operands, all_advance, static_cast<std::ptrdiff_t>(i))...};
            for (std::size_t k = 0; k < Arity; ++k) {
                T* to = targets[k] + i;
                (accumulate[k] ? kernels::add(Pack<T>::load(to), parts[k]) : parts[k]).store(to);
            }
        }
    }
    /// One pass for all, where each input has something to be computed.
    template <std::size_t... I>
    static constexpr typename kernels::ElementwiseKernel<T>::BackwardAll backward_all(std::index_sequence<I...>) {
        if constexpr (Arity > 1 && !((cuts<I>() || is_unchanged<I>()) || ...)) {
            return [](T* const* targets, const bool* accumulate, const T* const* operands, std::size_t count) {
                backward_all_loop(std::index_sequence<I...>{}, targets, accumulate, operands, count);
            };
        } else {
            return nullptr;
        }
    }
    template <std::size_t K>
    static constexpr typename kernels::ElementwiseKernel<T>::Backward backward_for() {
        if constexpr (cuts<K>()) {
            return {};
        } else {
            return {backward_row<K>, backward_sum<K>, is_unchanged<K>()};
        }
    }
    template <std::size_t... I>
    static constexpr auto backward_table(std::index_sequence<I...>) {
        return std::array<typename kernels::ElementwiseKernel<T>::Backward, Arity>{backward_for<I>()...};
    }
    template <std::size_t... I>
    static constexpr std::uint32_t mask(std::index_sequence<I...>) {
        return ((cuts<I>() ? 1u << I : 0u) | ...);
    }

    static void backward_recorded(RecordingSweep<T>& sweep) {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            const Var<T> g = sweep.gradient();
            const Var<T> y = sweep.output();
            const Var<T> inputs[] = {sweep.input(I)...};
            const auto pass_on = [&]<std::size_t K>(std::integral_constant<std::size_t, K>) {
                if constexpr (!cuts<K>()) {
                    if (sweep.wants(K)) sweep.deliver_fitted(K, contribution<E, K>(g, y, inputs[I]...));
                }
            };
            (pass_on(std::integral_constant<std::size_t, I>{}), ...);
        }(std::make_index_sequence<Arity>{});
    }

    static constexpr std::uint32_t cut_mask = mask(std::make_index_sequence<Arity>{});
    static constexpr auto backward = backward_table(std::make_index_sequence<Arity>{});
    static constexpr kernels::ElementwiseKernel<T> kernel{
        Arity, forward, backward_all(std::make_index_sequence<Arity>{}), backward.data()};
    static constexpr ElementwiseOp<T> op{
        {E::name, cut_mask, backward_map<T>, backward_recorded, tangent_map<T>, accumulate_recorded<T>, choice_advice},
        &kernel};
};

/// The little of it that callers name. Of the library's ops it is declared extern: users' files then see nothing of Loops,
/// which for a hundred ops would take them a second.
template <class E, class T, std::size_t Arity>
struct Compiled {
    static const ElementwiseOp<T> op;
};
template <class E, class T, std::size_t Arity>
constinit const ElementwiseOp<T> Compiled<E, T, Arity>::op = Loops<E, T, Arity>::op;

template <class T, class A>
[[nodiscard]] Input<T> input_of(const Tape<T>& tape, const A& argument, const char* op) {
    if constexpr (is_var<A>) {
        return {tape.index_of(argument, op), T(0)};
    } else {
        return {Input<T>::none, static_cast<T>(argument)};
    }
}

template <class First, class... Rest>
[[nodiscard]] auto& tape_of(const First& first, const Rest&... rest) {
    if constexpr (is_var<First>) {
        return first.tape();
    } else {
        return tape_of(rest...);
    }
}

}  // namespace detail

/// An op that acts on each element by itself, with NumPy broadcasting. Made by elementwise<"name">(f, rules...).
template <Name OpName, class F, class... Rules>
struct Elementwise {
    static constexpr const char* name = OpName.text;
    static constexpr bool has_rules = sizeof...(Rules) > 0;
    static constexpr std::size_t stated_arity = sizeof...(Rules);

    Documentation documentation{};

    /// The lambda itself.
    template <class... A>
    static auto evaluate(const A&... a) {
        return F{}(a...);
    }
    template <std::size_t K, class... A>
    static auto rule(const A&... a) {
        return std::tuple_element_t<K, std::tuple<Rules...>>{}(a...);
    }
    template <std::size_t K, class Kind>
    static constexpr bool rule_is = std::is_same_v<std::tuple_element_t<K, std::tuple<Rules...>>, Kind>;
    template <std::size_t K>
    static constexpr bool rule_is_cut = rule_is<K, NoGradient>;

    /// The same op with what its row in the op table says.
    constexpr Elementwise documented(const Documentation& about) const { return {about}; }

    template <class... A>
        requires Operands<A...>
    auto operator()(const A&... a) const {
        using T = detail::Element<A...>;
        static_assert(!has_rules || sizeof...(A) == stated_arity, "an op needs one argument for each of its rules");
        if constexpr ((is_dual<A> || ...)) {
            return on_duals<typename detail::DualWorld<A...>::type>(a...);
        } else if constexpr ((is_var<A> || ...)) {
            Tape<T>& tape = detail::tape_of(a...);
            const Input<T> inputs[] = {detail::input_of<T>(tape, a, name)...};
            return detail::record_map<T>(detail::Compiled<Elementwise, T, sizeof...(A)>::op, tape, inputs);
        } else if constexpr ((is_eager<A> || ...)) {
            const T scalars[] = {scalar_or_zero<T>(a)...};
            std::size_t k = 0;
            const kernels::Operand<T> inputs[] = {operand<T>(a, &scalars[k++])...};
            return Eager<T>(detail::compute_map<T>(detail::Compiled<Elementwise, T, sizeof...(A)>::op, inputs));
        } else {
            return Pack<T>(evaluate(Pack<T>(a)...));
        }
    }

   private:
    template <class X, class... A>
    static auto on_duals(const A&... a) {
        if constexpr (!has_rules) {
            return evaluate(a...);
        } else {
            return [&]<std::size_t... I>(std::index_sequence<I...>) {
                const X& like = first_value<X>(a...);
                const auto values = std::tuple<X, std::conditional_t<true, X, A>...>{like, detail::primal(like, a)...};
                const X y = Elementwise{}(std::get<I + 1>(values)...);
                if constexpr (((is_dual<A> && !rule_is_cut<I>) || ...)) {
                    std::optional<X> tangent;
                    const auto add_part = [&]<std::size_t K>(std::integral_constant<std::size_t, K>, const auto& argument) {
                        if constexpr (is_dual<std::remove_cvref_t<decltype(argument)>> && !rule_is_cut<K>) {
                            const X part =
                                detail::lift(like, rule<K>(argument.tangent, std::get<I + 1>(values)..., y));
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
    template <class X, class First, class... Rest>
    static const X& first_value(const First& first, const Rest&... rest) {
        if constexpr (is_dual<First>) {
            return first.value;
        } else {
            return first_value<X>(rest...);
        }
    }
    template <class T, class A>
    static T scalar_or_zero(const A& a) {
        if constexpr (is_eager<A>) {
            return T(0);
        } else {
            return static_cast<T>(a);
        }
    }
    template <class T, class A>
    static kernels::Operand<T> operand(const A& a, const T* scalar) {
        if constexpr (is_eager<A>) {
            return {a.array().data(), &a.shape()};
        } else {
            return {scalar, nullptr};
        }
    }
};

/// An elementwise op from a generic lambda that calls ops (exp(x), where(c, a, b); not std::exp or ?:), and, where the
/// derivative is stated rather than derived, one rule for each input: a lambda of (gradient, inputs..., output), or
/// no_gradient.
template <Name OpName, class F, class... Rules>
[[nodiscard]] constexpr auto elementwise(F, Rules...) {
    constexpr bool captures_nothing = std::is_empty_v<F> && (std::is_empty_v<Rules> && ...);
    static_assert(captures_nothing, "an op's lambda captures nothing: pass what it needs as an input");
    if constexpr (captures_nothing) return Elementwise<OpName, F, Rules...>{};
}

namespace detail {
extern template Var<float> record_map(const ElementwiseOp<float>&, Tape<float>&, std::span<const Input<float>>);
extern template Var<double> record_map(const ElementwiseOp<double>&, Tape<double>&, std::span<const Input<double>>);
extern template Array<float> compute_map(const ElementwiseOp<float>&, std::span<const kernels::Operand<float>>);
extern template Array<double> compute_map(const ElementwiseOp<double>&, std::span<const kernels::Operand<double>>);
extern template void backward_map(Sweep<float>&);
extern template void backward_map(Sweep<double>&);
extern template void tangent_map(TangentSweep<float>&);
extern template void tangent_map(TangentSweep<double>&);
}  // namespace detail

}  // namespace autograd
