// Ops on whole arrays: apply(structure, inputs...), where the structure has the forward pass and a rule for each input.
// The ops themselves stand in ops/.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "autograd/core/gradients.hpp"
#include "autograd/core/tangents.hpp"
#include "autograd/core/worlds.hpp"

namespace autograd {

/// Which input a rule is for: `gradient(InputIndex<0>, ...)`.
template <std::size_t K>
using InputIndex = std::integral_constant<std::size_t, K>;

namespace detail {

template <class S>
[[nodiscard]] constexpr std::uint32_t cut_of() {
    if constexpr (requires { S::cut; }) {
        return S::cut;
    } else {
        return 0;
    }
}

/// Whether S says `static constexpr bool linear = true`: then its tangent is the op itself, on the input's tangent.
template <class S>
constexpr bool is_linear = [] {
    if constexpr (requires { S::linear; }) {
        return S::linear;
    } else {
        return false;
    }
}();

/// Passes the gradient which a rule found on: onto what is there, where it can be computed there.
template <class T>
void deliver(Sweep<T>& sweep, std::size_t which, Eager<T>&& contribution) {
    Array<T>* existing = sweep.existing_gradient(which);
    if (existing != nullptr && contribution.is_pending()) {
        contribution.add_to(*existing);
    } else {
        sweep.deliver(which, std::move(contribution).take());
    }
}

/// A structured op still to be computed on eager arrays.
template <class S, class T, std::size_t Arity>
class PendingStructure : public Eager<T>::Pending {
   public:
    template <class... Inputs>
    explicit PendingStructure(const S& structure, const Inputs&... inputs) : structure_(structure), inputs_{inputs...} {}

    void compute(Array<T>& out) const override {
        call([&](const auto&... each) { structure_.forward(out, each.array()...); });
    }
    void add_to(Array<T>& target) const override {
        call([&](const auto&... each) { structure_.add_to(target, each.array()...); });
    }

   private:
    template <class Call>
    void call(Call each) const {
        with_context(S::name, [&] { std::apply(each, inputs_); });
    }

    S structure_;
    std::array<Eager<T>, Arity> inputs_;
};

/// Calls visit(InputIndex<K>{}, structure) for each input to which S does not cut the gradient. The structure is an argument
/// because a compiler may look up what a lambda names of it at once, and a structure that cuts has no rules.
template <std::size_t Arity, class S, class Visit>
void for_each_differentiable(const S& structure, const Visit& visit) {
    const auto visit_unless_cut = [&]<std::size_t K>(InputIndex<K> which) {
        if constexpr ((cut_of<S>() >> K & 1u) == 0) visit(which, structure);
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (visit_unless_cut(InputIndex<I>{}), ...);
    }(std::make_index_sequence<Arity>{});
}

/// The rules of a structured op, compiled. S has a name, forward(out, inputs...) and, for each input, one rule which
/// serves eager arrays and Vars alike: gradient(InputIndex<K>, g, inputs..., output). For forward mode it is `linear`, or
/// has the mirror image of such a rule, tangent(InputIndex<K>, t, inputs..., output): what a tangent t of that input adds
/// to the output's.
template <class S, class T, std::size_t Arity>
struct StructureRules {
    static void backward(Sweep<T>& sweep) {
        const S& structure = *static_cast<const S*>(sweep.node().state);
        const Eager<T> g(sweep.gradient());
        const Eager<T> y(sweep.node().array());
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            const Eager<T> inputs[] = {Eager<T>(sweep.tape().node(sweep.inputs()[I].node).array())...};
            for_each_differentiable<Arity>(structure, [&]<std::size_t K>(InputIndex<K> which, const auto& rules) {
                if (sweep.wants(K)) deliver<T>(sweep, K, rules.gradient(which, g, inputs[I]..., y));
            });
        }(std::make_index_sequence<Arity>{});
    }
    static void backward_recorded(RecordingSweep<T>& sweep) {
        const S& structure = *static_cast<const S*>(sweep.node().state);
        const Var<T> g = sweep.gradient();
        const Var<T> y = sweep.output();
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            const Var<T> inputs[] = {sweep.input(I)...};
            for_each_differentiable<Arity>(structure, [&]<std::size_t K>(InputIndex<K> which, const auto& rules) {
                if (sweep.wants(K)) sweep.deliver(K, rules.gradient(which, g, inputs[I]..., y));
            });
        }(std::make_index_sequence<Arity>{});
    }
    static void tangent(TangentSweep<T>& sweep) {
        const S& structure = *static_cast<const S*>(sweep.node().state);
        const Eager<T> y(sweep.node().array());
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            const Eager<T> inputs[] = {Eager<T>(sweep.tape().node(sweep.inputs()[I].node).array())...};
            const auto pass_on = [&]<std::size_t K>(InputIndex<K> which) {
                const Array<T>* t = sweep.tangent(K);
                if (t == nullptr) return;
                if constexpr (is_linear<S>) {
                    sweep.deliver(apply(structure, Eager<T>(*t)).take());
                } else {
                    sweep.deliver(structure.tangent(which, Eager<T>(*t), inputs[I]..., y).take());
                }
            };
            (pass_on(InputIndex<I>{}), ...);
        }(std::make_index_sequence<Arity>{});
    }
    static constexpr auto tangent_or_null() {
        constexpr bool has_rule = requires(const S& s, const Eager<T>& x) {
            []<std::size_t... I>(std::index_sequence<I...>, const S& structure, const Eager<T>& each)
                -> decltype(structure.tangent(InputIndex<0>{}, each, (static_cast<void>(I), each)..., each)) {
                return each;
            }(std::make_index_sequence<Arity>{}, s, x);
        };
        if constexpr (is_linear<S> || has_rule) {
            static_assert(!is_linear<S> || Arity == 1, "`linear` is for ops of one input, or of a list");
            return &tangent;
        } else {
            return static_cast<void (*)(TangentSweep<T>&)>(nullptr);
        }
    }
    static constexpr Op<T> op{S::name,           cut_of<S>(),       backward,
                              backward_recorded, tangent_or_null(), accumulate_recorded<T>};
};

/// The same for an op of any number of inputs: forward(out, pointers), gradient(k, g, inputs, output).
template <class S, class T>
struct ListRules {
    static void backward(Sweep<T>& sweep) {
        const S& structure = *static_cast<const S*>(sweep.node().state);
        const Eager<T> g(sweep.gradient());
        const Eager<T> y(sweep.node().array());
        PoolVector<Eager<T>> inputs;
        for (const Input<T>& input : sweep.inputs()) inputs.emplace_back(sweep.tape().node(input.node).array());
        for (std::size_t k = 0; k < inputs.size(); ++k) {
            if (sweep.wants(k)) deliver<T>(sweep, k, structure.gradient(k, g, std::span<const Eager<T>>(inputs), y));
        }
    }
    static void backward_recorded(RecordingSweep<T>& sweep) {
        const S& structure = *static_cast<const S*>(sweep.node().state);
        const Var<T> g = sweep.gradient();
        const Var<T> y = sweep.output();
        PoolVector<Var<T>> inputs;
        for (std::size_t k = 0; k < sweep.node().input_count; ++k) inputs.push_back(sweep.input(k));
        for (std::size_t k = 0; k < inputs.size(); ++k) {
            if (sweep.wants(k)) sweep.deliver(k, structure.gradient(k, g, std::span<const Var<T>>(inputs), y));
        }
    }
    /// Of an op that is linear in its inputs together: the op itself, on their tangents.
    static void tangent(TangentSweep<T>& sweep) {
        const S& structure = *static_cast<const S*>(sweep.node().state);
        PoolVector<Array<T>> zeros(sweep.inputs().size());
        PoolVector<const Array<T>*> tangents;
        for (std::size_t k = 0; k < sweep.inputs().size(); ++k) {
            const Array<T>* t = sweep.tangent(k);
            if (t == nullptr) {
                zeros[k] = full<T>(sweep.tape().node(sweep.inputs()[k].node).array().shape(), T(0));
                t = &zeros[k];
            }
            tangents.push_back(t);
        }
        Array<T> out;
        structure.forward(out, std::span<const Array<T>* const>(tangents));
        sweep.deliver(std::move(out));
    }
    static constexpr Op<T> op{S::name,           0, backward, backward_recorded, is_linear<S> ? &tangent : nullptr,
                              accumulate_recorded<T>};
};

/// What callers name of a structured op. Of the library's ops it is declared extern, as Compiled is: see listing.hpp.
template <class S, class T, std::size_t Arity>
struct CompiledStructure {
    static const Op<T> op;
    // Defined outside, because extern does not keep a compiler from compiling what is inline.
    static Var<T> record(S structure, const std::array<Var<T>, Arity>& inputs);
    static Eager<T> compute(const S& structure, const std::array<Eager<T>, Arity>& inputs);
};
template <class S, class T, std::size_t Arity>
constinit const Op<T> CompiledStructure<S, T, Arity>::op = StructureRules<S, T, Arity>::op;

template <class S, class T, std::size_t Arity>
Var<T> CompiledStructure<S, T, Arity>::record(S structure, const std::array<Var<T>, Arity>& inputs) {
    Tape<T>& tape = inputs[0].tape();
    std::array<Input<T>, Arity> list;
    const auto mark = tape.recording(S::name);
    for (std::size_t k = 0; k < Arity; ++k) list[k] = {tape.index_of(inputs[k], S::name), T(0)};
    Array<T>& out = tape.next_value();
    with_context(
        S::name, [&] { return tape.describe_next(S::name, list); },
        [&] {
            make_or_empty(out, [&](Array<T>& made) {
                std::apply([&](const auto&... each) { structure.forward(made, each.value()...); }, inputs);
                require_values(made, S::name);
            });
        });
    const S* state = tape.keep(std::move(structure));
    return tape.append(op, list, state);
}

template <class S, class T, std::size_t Arity>
Eager<T> CompiledStructure<S, T, Arity>::compute(const S& structure, const std::array<Eager<T>, Arity>& inputs) {
    const auto now_or_later = [&](const auto&... each) {
        if constexpr (requires(Array<T>& target) { structure.add_to(target, each.array()...); }) {
            return Eager<T>(PendingStructure<S, T, Arity>(structure, each...));
        } else {
            Array<T> out;
            with_context(S::name, [&] { structure.forward(out, each.array()...); });
            return Eager<T>(std::move(out));  // which requires that it has values
        }
    };
    return std::apply(now_or_later, inputs);
}

template <class S, class T>
struct CompiledList {
    static const Op<T> op;
    static Var<T> record(S structure, std::span<const Var<T>> list);
};
template <class S, class T>
constinit const Op<T> CompiledList<S, T>::op = ListRules<S, T>::op;

template <class S, class T>
Var<T> CompiledList<S, T>::record(S structure, std::span<const Var<T>> list) {
    if (list.empty()) throw ShapeError(std::string(S::name) + ": an empty list of inputs");
    Tape<T>& tape = list.front().tape();
    const auto mark = tape.recording(S::name);
    PoolVector<Input<T>> inputs;
    PoolVector<const Array<T>*> arrays;
    for (const Var<T>& each : list) {
        inputs.push_back({tape.index_of(each, S::name), T(0)});
        arrays.push_back(&each.value());
    }
    Array<T>& out = tape.next_value();
    with_context(
        S::name, [&] { return tape.describe_next(S::name, inputs); },
        [&] {
            make_or_empty(out, [&](Array<T>& made) {
                structure.forward(made, std::span<const Array<T>* const>(arrays));
                require_values(made, S::name);
            });
        });
    const S* state = tape.keep(std::move(structure));
    return tape.append(op, inputs, state);
}

}  // namespace detail

/// Records a structured op on the inputs' tape.
template <class S, class T, std::same_as<Var<T>>... Rest>
[[nodiscard]] Var<T> apply(S structure, const Var<T>& first, const Rest&... rest) {
    return detail::CompiledStructure<S, T, 1 + sizeof...(Rest)>::record(std::move(structure), {first, rest...});
}

/// Computes it at once, or, where it could be added to what is there (S has add_to(target, inputs...)), when it is needed.
template <class S, class T, std::same_as<Eager<T>>... Rest>
[[nodiscard]] Eager<T> apply(const S& structure, const Eager<T>& first, const Rest&... rest) {
    return detail::CompiledStructure<S, T, 1 + sizeof...(Rest)>::compute(structure, {first, rest...});
}

/// The same for ops of a list of inputs, of which there must be at least one.
template <class S, class T>
[[nodiscard]] Var<T> apply_to_list(S structure, std::span<const Var<T>> list) {
    return detail::CompiledList<S, T>::record(std::move(structure), list);
}

}  // namespace autograd
