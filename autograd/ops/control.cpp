// straight_through, and checkpoint: a node that records its function's nodes only while it is swept. The other ops about
// gradients are templates of the user's lambdas, in the header.
#include "autograd/ops/control.hpp"

#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

namespace autograd {

// ---- straight_through ----

namespace ops {
namespace {

constexpr auto straight_through =
    elementwise<"straight_through">([](auto value, auto) { return value; }, no_gradient, unchanged);

}  // namespace
}  // namespace ops

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> straight_through(X<T> value, X<T> x) {
    const auto passed = [&] {
        if (value.shape() != x.shape()) {
            throw ShapeError("a value of shape " + to_string(value.shape()) + " for an input of shape " + to_string(x.shape()));
        }
        return ops::straight_through(value, x);
    };
    return detail::with_context_of("straight_through", passed, value, x);
}

// ---- checkpoint ----

namespace {

template <class T>
struct CalledAgain {
    ListFunction<T> f;
    std::size_t inputs;  // of f; the node's other inputs are the parameters that it used:
    std::vector<std::shared_ptr<typename Parameter<T>::State>> parameters;

    static const CalledAgain& of(const Node<T>& node) { return *static_cast<const CalledAgain*>(node.state); }

    // ---- f again ----

    static constexpr const char* message =
        "checkpoint: its function gave another value when it was called again, so its gradient would be wrong: noise, and "
        "whatever else changes, must be one of its inputs";

    /// f's value, from the first of the node's inputs.
    /// @throws GradientError if it is not the node's.
    Var<T> call(const Node<T>& node, std::span<const Var<T>> all) const {
        const Var<T> value = f(all.first(inputs));
        const Array<T>& before = node.array();
        const Array<T>& now = value.value();
        const bool is_same = now.shape() == before.shape() &&
                             (now.size() == 0 || std::memcmp(now.data(), before.data(), now.size() * sizeof(T)) == 0);
        if (!is_same) throw GradientError(message);
        return value;
    }

    /// f on a tape of its own, with the node's inputs as variables: those of f, then the parameters.
    struct Replay {
        Tape<T> tape;
        std::vector<Var<T>> inputs;
        Var<T> value;

        template <class AnySweep>
        explicit Replay(const AnySweep& sweep) {
            const CalledAgain& self = of(sweep.node());
            for (const Input<T>& each : sweep.inputs()) {
                inputs.push_back(tape.variable(sweep.tape().node(each.node).array()));
            }
            for (std::size_t k = 0; k < self.parameters.size(); ++k) {
                tape.substitute(self.parameters[k], inputs[self.inputs + k]);
            }
            value = self.call(sweep.node(), inputs);
            if (tape.parameters().size() != self.parameters.size()) throw GradientError(message);
        }
    };

    // ---- The rules ----

    static void backward(Sweep<Eager<T>>& sweep) {
        const Replay replay(sweep);
        pass_on(sweep, replay.inputs, replay.value, sweep.gradient().array(), {});
    }
    /// f on the tape itself, which stays there.
    static void backward(Sweep<Var<T>>& sweep) {
        std::vector<Var<T>> inputs;
        for (std::size_t k = 0; k < sweep.node().input_count; ++k) inputs.push_back(sweep.input(k));
        const auto first_node = static_cast<std::uint32_t>(sweep.tape().size());
        const Var<T> value = of(sweep.node()).call(sweep.node(), inputs);
        pass_on(sweep, inputs, value, sweep.gradient(), {.create_graph = true, .first_node = first_node});
    }
    /// Sweeps f's nodes, from its value on, and passes the gradients of its inputs on.
    template <class X, class Seed>
    static void pass_on(Sweep<X>& sweep, std::span<const Var<T>> inputs, const Var<T>& value, const Seed& seed,
                        const BackwardOptions& options) {
        const Tape<T>& tape = inputs.front().tape();
        if (!tape.node(tape.index_of(value, op.name)).needs_gradient) return;
        const Gradients<T> gradients = autograd::backward(value, seed, options);
        std::vector<bool> passed_on(tape.size(), false);
        for (std::size_t k = 0; k < inputs.size(); ++k) {
            const Array<T>* gradient = sweep.wants(k) ? gradients.find(inputs[k]) : nullptr;
            // The gradient of a node that is an input twice is the sum of both already, and is passed on once.
            if (gradient == nullptr || passed_on[inputs[k].index()]) continue;
            passed_on[inputs[k].index()] = true;
            if constexpr (is_var<X>) {
                sweep.deliver(k, gradients.var(inputs[k]));
            } else {
                sweep.deliver(k, X(*gradient));
            }
        }
    }

    static void tangent(TangentSweep<T>& sweep) {
        const Replay replay(sweep);
        std::vector<Direction<T>> directions;
        for (std::size_t k = 0; k < replay.inputs.size(); ++k) {
            if (const Array<T>* t = sweep.tangent(k)) directions.emplace_back(replay.inputs[k], *t);
        }
        if (auto t = find_tangent<T>(replay.value, directions)) sweep.deliver(*std::move(t));
    }

    static constexpr Op<T> op{"checkpoint", 0, backward, backward, tangent};
};

}  // namespace

template <class T>
Var<T> checkpoint_list(ListFunction<T> f, std::span<const Var<T>> inputs) {
    if (inputs.empty()) throw Error("checkpoint: it needs at least one input");
    Tape<T>& tape = inputs.front().tape();
    const auto visit = tape.visit();  // f may use the tape, but not clear it
    if (tape.profiles()) tape.profiler()->start();
    Tape<T> inner({.inference = true});
    std::vector<Var<T>> copies;
    PoolVector<Input<T>> all;
    for (const Var<T>& each : inputs) {
        all.push_back({tape.index_of(each, "checkpoint"), T(0)});
        copies.push_back(inner.constant(each.value()));
    }
    for (const auto& each : tape.parameters()) {  // those that stand for other nodes do so within, too
        const Node<T>& node = tape.node(each.node);
        if (node.borrowed != &each.state->value) inner.substitute(each.state, inner.constant(node.array()));
    }
    Array<T> value = f(copies).value();
    CalledAgain<T> kept{std::move(f), inputs.size(), {}};
    for (const auto& each : inner.parameters()) {
        all.push_back({tape.parameter(each.state).index(), T(0)});
        kept.parameters.push_back(each.state);
    }
    const auto mark = tape.recording("checkpoint");
    tape.next_array() = std::move(value);
    const auto* state = tape.keep(std::move(kept));
    return tape.append(CalledAgain<T>::op, all, state);
}

// ---- Compiled for all worlds ----

#define XTAPE_INSTANTIATE(X) template XTAPE_API X straight_through(X, X);
XTAPE_FOR_OPERANDS(XTAPE_INSTANTIATE)
template XTAPE_API Var<float> checkpoint_list(ListFunction<float>, std::span<const Var<float>>);
template XTAPE_API Var<double> checkpoint_list(ListFunction<double>, std::span<const Var<double>>);

}  // namespace autograd
