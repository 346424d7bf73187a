// checkpoint: a node that records its function's nodes only while it is swept.
#include "autograd/ops/control.hpp"

#include <algorithm>
#include <cstring>

#include "autograd/ops/reductions.hpp"

namespace autograd {
namespace {

template <class T>
struct Checkpoint {
    ListFunction<T> f;
    std::size_t inputs;  // of f; the node's other inputs are the parameters that it used:
    std::vector<std::shared_ptr<typename Parameter<T>::State>> parameters;

    /// f on a tape of its own, with the node's inputs as variables: those of f, then the parameters.
    struct Replay {
        Tape<T> tape;
        std::vector<Var<T>> inputs;
        Var<T> value;
    };
    template <class AnySweep>
    void run(Replay& replay, AnySweep& sweep) const {
        for (const Input<T>& each : sweep.tape().inputs(sweep.node())) {
            replay.inputs.push_back(replay.tape.variable(sweep.tape().node(each.node).array()));
        }
        for (std::size_t k = 0; k < parameters.size(); ++k) {
            replay.tape.substitute(parameters[k], replay.inputs[inputs + k]);
        }
        replay.value = f(std::span<const Var<T>>(replay.inputs).first(inputs));
        require_same(sweep, replay.value.value());
        if (replay.tape.parameters().size() != parameters.size()) throw GradientError(message);
    }
    template <class AnySweep>
    static void require_same(AnySweep& sweep, const Array<T>& value) {
        const Array<T>& before = sweep.node().array();
        if (value.shape() == before.shape() &&
            (value.size() == 0 || std::memcmp(value.data(), before.data(), value.size() * sizeof(T)) == 0)) {
            return;
        }
        throw GradientError(message);
    }
    static constexpr const char* message =
        "checkpoint: its function gave another value when it was called again, so its gradient would be wrong: noise, and "
        "whatever else changes, must be one of its inputs";

    static const Checkpoint& of(const Node<T>& node) { return *static_cast<const Checkpoint*>(node.state); }

    static void backward(Sweep<T>& sweep) {
        Replay replay;
        of(sweep.node()).run(replay, sweep);
        const Var<T> loss = sum(replay.value * replay.tape.constant(sweep.gradient()));
        if (!replay.tape.node(loss.index()).needs_gradient) return;
        const auto gradients = autograd::backward(loss);
        for (std::size_t k = 0; k < replay.inputs.size(); ++k) {
            if (!sweep.wants(k)) continue;
            if (const Array<T>* gradient = gradients.find(replay.inputs[k])) sweep.deliver(k, Array<T>(*gradient));
        }
    }
    static void backward_recorded(RecordingSweep<T>& sweep) {
        const Checkpoint& self = of(sweep.node());
        Tape<T>& tape = sweep.tape();
        std::vector<Var<T>> inputs;
        for (std::size_t k = 0; k < sweep.node().input_count; ++k) inputs.push_back(sweep.input(k));
        const auto first_node = static_cast<std::uint32_t>(tape.size());
        const Var<T> value = self.f(std::span<const Var<T>>(inputs).first(self.inputs));
        require_same(sweep, value.value());
        if (!tape.node(value.index()).needs_gradient) return;
        const auto gradients =
            autograd::backward(sum(value * sweep.gradient()), {.create_graph = true, .first_node = first_node});
        std::vector<bool> passed_on(first_node, false);
        for (std::size_t k = 0; k < inputs.size(); ++k) {
            if (!sweep.wants(k) || gradients.find(inputs[k]) == nullptr) continue;
            // The gradient of a node that is an input twice is the sum of both already, and is passed on once.
            if (passed_on[inputs[k].index()]) continue;
            passed_on[inputs[k].index()] = true;
            sweep.deliver(k, gradients.var(inputs[k]));
        }
    }
    static void tangent(TangentSweep<T>& sweep) {
        Replay replay;
        of(sweep.node()).run(replay, sweep);
        std::vector<Direction<T>> directions;
        for (std::size_t k = 0; k < replay.inputs.size(); ++k) {
            if (const Array<T>* t = sweep.tangent(k)) directions.emplace_back(replay.inputs[k], *t);
        }
        if (auto t = find_tangent<T>(replay.value, directions)) sweep.deliver(*std::move(t));
    }

    static constexpr Op<T> op{"checkpoint", 0, backward, backward_recorded, tangent, detail::accumulate_recorded<T>};
};

}  // namespace

template <class T>
Var<T> checkpoint_list(ListFunction<T> f, std::span<const Var<T>> inputs) {
    if (inputs.empty()) throw Error("checkpoint: it needs at least one input");
    Tape<T>& tape = inputs.front().tape();
    const auto visit = tape.visit();  // f may use the tape, but not clear it
    if (tape.profiles()) tape.start_clock();
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
    Checkpoint<T> checkpoint{std::move(f), inputs.size(), {}};
    for (const auto& each : inner.parameters()) {
        all.push_back({tape.parameter(each.state).index(), T(0)});
        checkpoint.parameters.push_back(each.state);
    }
    const auto mark = tape.recording("checkpoint");
    tape.next_slot() = std::move(value);
    const auto* state = tape.keep(std::move(checkpoint));
    return tape.append(Checkpoint<T>::op, all, state);
}

template Var<float> checkpoint_list(ListFunction<float>, std::span<const Var<float>>);
template Var<double> checkpoint_list(ListFunction<double>, std::span<const Var<double>>);

}  // namespace autograd
