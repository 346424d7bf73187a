// Ops on whole arrays: apply(structure, inputs...), where the structure is a struct with the value, a rule for the gradient
// of each input, and what it keeps: axes, flags. What an op needs for every world follows. The library's own are in ops/.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "autograd/core/explain.hpp"
#include "autograd/core/sweep.hpp"
#include "autograd/core/tangents.hpp"
#include "autograd/kernels/reduce.hpp"

namespace XTAPE_API autograd {

/// Which input a rule is for: `gradient(InputIndex<0>, ...)`.
template <std::size_t K>
using InputIndex = std::integral_constant<std::size_t, K>;

/// In place of a structured op's tangents: it has none, `static constexpr NoTangent tangent{}`.
struct NoTangent {};

namespace detail {

/// Whether S says of input K `static NoGradient gradient(InputIndex<K>)`: no gradient flows into it.
template <class S, std::size_t K>
concept CutsInput = requires {
    { S::gradient(InputIndex<K>{}) } -> std::same_as<NoGradient>;
};
/// Whether S says `static constexpr bool linear = true`: then its tangent is the op itself, on the inputs' tangents.
template <class S>
concept LinearStructure = requires { requires S::linear; };
template <class S>
concept HasNoTangent = requires { requires std::same_as<std::remove_cv_t<decltype(S::tangent)>, NoTangent>; };

XTAPE_CONCEPT_OF_NAME(NamesTangent, tangent)
XTAPE_CONCEPT_OF_NAME(NamesAddTo, add_to)

/// The arity of an op of a list of inputs.
inline constexpr std::size_t any_number = ~std::size_t{0};

/// What follows from a structure S for one element type and number of inputs. S has a name, forward(out, inputs...) and, for
/// each input, one rule which serves eager arrays and Vars alike: gradient(InputIndex<K>, g, inputs..., output); of a list,
/// forward(out, pointers) and gradient(k, g, inputs, output). For forward mode it is `linear`, has the mirror image of such a
/// rule, tangent(InputIndex<K>, t, inputs..., output), which is what a tangent t of that input adds to the output's, of the
/// output's shape, or is given one: its rule, which is linear in g, is differentiated in g. With add_to(target, inputs...) a
/// gradient is added to what is there, which must fit. (Of a list no input is cut off, and neither of the two stated.)
template <class S, class T, std::size_t Arity>
struct Structured {
    static constexpr bool is_list = Arity == any_number;
    template <class Each>
    using List = std::conditional_t<is_list, PoolVector<Each>, std::array<Each, is_list ? 0 : Arity>>;

    /// make(k) for each input.
    template <class Make>
    static auto list_of(std::size_t count, const Make& make) {
        using Each = decltype(make(std::size_t{0}));
        if constexpr (is_list) {
            PoolVector<Each> list;
            for (std::size_t k = 0; k < count; ++k) list.push_back(make(k));
            return list;
        } else {
            return [&]<std::size_t... I>(std::index_sequence<I...>) {
                return std::array<Each, Arity>{make(I)...};
            }(std::make_index_sequence<Arity>{});
        }
    }
    /// Calls visit(which) for each input that S does not cut off: `which` is an InputIndex, or an index into a list.
    template <class Visit>
    static constexpr void for_each_input(std::size_t count, const Visit& visit) {
        if constexpr (is_list) {
            for (std::size_t k = 0; k < count; ++k) visit(k);
        } else {
            const auto visit_unless_cut = [&]<std::size_t K>(InputIndex<K> which) {
                if constexpr (!CutsInput<S, K>) visit(which);
            };
            [&]<std::size_t... I>(std::index_sequence<I...>) {
                (visit_unless_cut(InputIndex<I>{}), ...);
            }(std::make_index_sequence<Arity>{});
        }
    }

    static const S& structure_of(const Node<T>& node) { return *static_cast<const S*>(node.state); }

    static void forward(const S& structure, Array<T>& out, const List<const Array<T>*>& inputs) {
        if constexpr (is_list) {
            structure.forward(out, std::span<const Array<T>* const>(inputs));
        } else {
            std::apply([&](const auto*... each) { structure.forward(out, *each...); }, inputs);
        }
    }
    template <class X, class Which>
    static X gradient(const S& structure, Which which, const X& g, const List<X>& inputs, const X& y) {
        if constexpr (is_list) {
            return structure.gradient(which, g, std::span<const X>(inputs), y);
        } else {
            return std::apply([&](const auto&... each) { return structure.gradient(which, g, each..., y); }, inputs);
        }
    }

    template <class X>
    static void backward(Sweep<X>& sweep) {
        const S& structure = structure_of(sweep.node());
        const X g = sweep.gradient(), y = sweep.output();
        const List<X> inputs = list_of(sweep.inputs().size(), [&](std::size_t k) { return sweep.input(k); });
        for_each_input(inputs.size(), [&](auto which) {
            if (sweep.wants(which)) sweep.deliver(which, gradient<X>(structure, which, g, inputs, y));
        });
    }

    static void tangent(TangentSweep<T>& sweep) {
        const S& structure = structure_of(sweep.node());
        const List<const Array<T>*> inputs =
            list_of(sweep.inputs().size(), [&](std::size_t k) { return &sweep.tape().node(sweep.inputs()[k].node).array(); });
        if constexpr (LinearStructure<S>) {
            static_assert(is_list || Arity == 1, "`linear` is for ops of one input, or of a list");
            PoolVector<Array<T>> zeros(inputs.size());
            const List<const Array<T>*> tangents = list_of(inputs.size(), [&](std::size_t k) {
                const Array<T>* t = sweep.tangent(k);
                if (t == nullptr) zeros[k] = full<T>(inputs[k]->shape(), T(0));
                return t != nullptr ? t : &zeros[k];
            });
            Array<T> out;
            forward(structure, out, tangents);
            sweep.deliver(std::move(out));
        } else {
            for_each_input(inputs.size(), [&](auto which) {
                const Array<T>* t = sweep.tangent(which);
                if (t != nullptr) sweep.deliver(part_of_tangent(sweep, which, *t, inputs));
            });
        }
    }
    /// What a tangent t of one input adds to the output's.
    template <class Which>
    static Array<T> part_of_tangent(const TangentSweep<T>& sweep, Which which, const Array<T>& t,
                                    const List<const Array<T>*>& inputs) {
        const S& structure = structure_of(sweep.node());
        const Array<T>& y = sweep.node().array();
        if constexpr (states_tangent) {
            return std::apply(
                [&](const auto*... each) {
                    return structure.tangent(which, Eager<T>(t), Eager<T>(*each)..., Eager<T>(y)).take();
                },
                inputs);
        } else {
            // The rule is J' g. It is linear in g, so its own gradient in g, from t, is J t, whatever g is.
            Tape<T> tape;
            const Var<T> g = tape.variable(full<T>(y.shape(), T(0)));
            const List<Var<T>> constants = list_of(inputs.size(), [&](std::size_t k) { return tape.constant(*inputs[k]); });
            const Var<T> rule = gradient<Var<T>>(structure, which, g, constants, tape.constant(y));
            if (rule.shape().size() != t.dimension() || !broadcasts_to(rule.shape(), t.shape())) {
                throw misshapen(sweep.tape(), sweep.index(), which, rule.shape());
            }
            Array<T> seed = empty<T>(rule.shape());  // with 1 where the rule gives the same all along an axis
            kernels::sum_to(seed, t);
            if (!tape.node(rule.index()).needs_gradient) return full<T>(y.shape(), T(0));
            return autograd::backward(rule, seed)[g];
        }
    }
    static constexpr bool states_tangent = [] {
        if constexpr (is_list) {
            return false;
        } else {
            return []<std::size_t... I>(std::index_sequence<I...>) {
                constexpr auto stated_for = []<std::size_t K>(InputIndex<K>) {
                    return requires(const S& s, const Eager<T>& x) {
                        s.tangent(InputIndex<K>{}, x, (static_cast<void>(I), x)..., x);
                    };
                };
                return (stated_for(InputIndex<I>{}) || ...);  // then of all into which a gradient flows
            }(std::make_index_sequence<Arity>{});
        }
    }();
    /// Whether S has add_to(target, inputs...).
    static constexpr bool adds_in_place = [] {
        if constexpr (is_list) {
            return false;
        } else {
            return []<std::size_t... I>(std::index_sequence<I...>) {
                return requires(const S& s, Array<T>& target, const Array<T>& x) {
                    s.add_to(target, (static_cast<void>(I), x)...);
                };
            }(std::make_index_sequence<Arity>{});
        }
    }();
    static_assert(states_tangent || HasNoTangent<S> || !NamesTangent<S>,
                  "its tangent fits no input: template <class X> X tangent(InputIndex<K>, t, inputs..., output) const");
    static_assert(adds_in_place || !NamesAddTo<S>, "its add_to does not fit: add_to(target, inputs...) const, not of a list");
    static_assert(is_list || Arity <= 32, "an op of more inputs takes a list");
    static constexpr std::uint32_t cut = []<std::size_t... I>(std::index_sequence<I...>) {
        return ((CutsInput<S, I> ? 1u << I : 0u) | ... | 0u);
    }(std::make_index_sequence<(is_list ? 0 : Arity)>{});
    static constexpr Op<T> op{.name = S::name,
                              .cut = cut,
                              .backward = backward<Eager<T>>,
                              .backward_recorded = backward<Var<T>>,
                              .tangent = HasNoTangent<S> ? nullptr : tangent,
                              .tangent_is_derived = !LinearStructure<S> && !HasNoTangent<S> && !states_tangent};

    static Var<T> record(S structure, std::span<const Var<T>> list) {
        if (list.empty()) throw ShapeError(std::string(S::name) + ": an empty list of inputs");
        Tape<T>& tape = list.front().tape();
        const auto mark = tape.recording(S::name);
        const List<Input<T>> inputs = list_of(list.size(), [&](std::size_t k) {
            return Input<T>{tape.index_of(list[k], S::name), T(0)};
        });
        Array<T>& out = tape.next_value();
        with_context(S::name, NextNode<T>{tape, S::name, inputs}, [&] {
            const List<const Array<T>*> arrays = list_of(list.size(), [&](std::size_t k) { return &list[k].value(); });
            make_or_empty(out, [&](Array<T>& made) {
                forward(structure, made, arrays);
                require_values(made, S::name);
            });
        });
        const S* state = tape.keep(std::move(structure));
        return tape.append(op, inputs, state);
    }

    /// At once, or, where S can add to what is there, when it is needed.
    static Eager<T> compute(const S& structure, std::span<const Eager<T>> list) {
        if constexpr (adds_in_place) {
            return Eager<T>(Waiting(structure, list_of(list.size(), [&](std::size_t k) { return list[k]; })));
        } else {
            Array<T> out;
            compute_to(out, structure, list);
            return Eager<T>(std::move(out));  // which requires that it has values
        }
    }
    static void compute_to(Array<T>& out, const S& structure, std::span<const Eager<T>> list) {
        with_context(S::name,
                     [&] { forward(structure, out, list_of(list.size(), [&](std::size_t k) { return &list[k].array(); })); });
    }
    class Waiting : public Eager<T>::Pending {
       public:
        Waiting(const S& structure, List<Eager<T>> inputs) : structure_(structure), inputs_(std::move(inputs)) {}

        void compute(Array<T>& out) const override { compute_to(out, structure_, inputs_); }
        void add_to(Array<T>& target) const override {
            with_context(S::name, [&] {
                std::apply([&](const auto&... each) { structure_.add_to(target, each.array()...); }, inputs_);
            });
        }

       private:
        S structure_;
        List<Eager<T>> inputs_;
    };
};

}  // namespace detail

/// Records a structured op on the inputs' tape; or, of eager arrays, computes it. (apply<S>(x, arguments...), of
/// ops/naming.hpp, makes the structure too.)
template <class S, class T, std::same_as<Var<T>>... Rest>
[[nodiscard]] Var<T> apply(S structure, const Var<T>& first, const Rest&... rest) {
    const Var<T> inputs[] = {first, rest...};
    return detail::Structured<S, T, 1 + sizeof...(Rest)>::record(std::move(structure), inputs);
}
template <class S, class T, std::same_as<Eager<T>>... Rest>
[[nodiscard]] Eager<T> apply(const S& structure, const Eager<T>& first, const Rest&... rest) {
    const Eager<T> inputs[] = {first, rest...};
    return detail::Structured<S, T, 1 + sizeof...(Rest)>::compute(structure, inputs);
}

/// Of an op of a list of inputs, of which there must be at least one.
template <class S, class T>
[[nodiscard]] Var<T> apply_to_list(S structure, std::span<const Var<T>> list) {
    return detail::Structured<S, T, detail::any_number>::record(std::move(structure), list);
}
template <class S, class T>
[[nodiscard]] Eager<T> apply_to_list(const S& structure, std::span<const Eager<T>> list) {
    return detail::Structured<S, T, detail::any_number>::compute(structure, list);
}

}  // namespace autograd
