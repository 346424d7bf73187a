// Every allocation may fail, and what was there before is then as it was: each piece of work is done with its 1st, 2nd, 3rd
// ... allocation failing, until none does, and after each fault the same work again gives the same bits.
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <nn/nn.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/faults/injection.hpp"
#include "tests/files.hpp"
#include "tests/specs/registry.hpp"
#include "tests/testing.hpp"

using namespace autograd;

namespace {

/// Whatever a piece of work gave, for comparison bit by bit.
using Bits = std::vector<std::vector<double>>;

template <class T>
std::vector<double> bits_of(const Array<T>& array) {
    return {array.data(), array.data() + array.size()};
}

bool same(const Bits& a, const Bits& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
        return x.size() == y.size() && (x.empty() || std::memcmp(x.data(), y.data(), x.size() * sizeof(double)) == 0);
    });
}

/// Does `work` with each of its allocations failing in turn, and looks at what it gave by `read(given)`. `reset` brings
/// back the state that it begins with; `state` gives what must be as it was after a fault.
template <class Work, class Read, class Reset, class State>
std::size_t with_each_fault(Work work, Read read, Reset reset, State state, faults::Lack lack) {
    reset();
    const Bits before = state();
    const Bits expected = read(work());
    for (std::size_t n = 1;; ++n) {
        reset();
        std::optional<decltype(work())> given;
        faults::arm(n, lack);
        try {
            given.emplace(work());
        } catch (const std::exception&) {
        }
        const bool happened = faults::disarm();
        INFO("allocation " << n);
        if (!given) {
            REQUIRE(happened);
            REQUIRE(same(state(), before));
            given.emplace(work());
        }
        REQUIRE(same(read(*given), expected));
        if (!happened) return n - 1;
    }
}

/// Where memory is short for a moment, and where it stays so until the work has given up.
template <class Work, class Read, class Reset, class State>
std::size_t with_each_fault(Work work, Read read, Reset reset, State state) {
    with_each_fault(work, read, reset, state, faults::Lack::lasting);
    return with_each_fault(work, read, reset, state, faults::Lack::momentary);
}

/// The same of work that changes nothing.
template <class Work>
std::size_t with_each_fault(Work work) {
    return with_each_fault(
        work, [](const Bits& bits) { return bits; }, [] {}, [] { return Bits{}; });
}

struct Model {
    nn::Linear hidden, out;
    Parameter<float> scale{full<float>({}, 0.5f)};
    nn::Conv2d filter;
    static constexpr auto members =
        nn::members("hidden", &Model::hidden, "out", &Model::out, "scale", &Model::scale, "filter", &Model::filter);

    explicit Model(Rng rng) : hidden(7, 6, rng), out(6, 4, rng), filter(1, 2, {2, 2}, rng) {}
};

Bits values_of(const Model& model) {
    Bits all;
    nn::for_each_parameter(model, [&](const std::string&, const auto& each) { all.push_back(bits_of(each.value())); });
    return all;
}

/// A model in training, with all that a step may change.
struct Training {
    Rng rng{11};
    Model model{rng.stream("weights")};
    Rng noise = rng.stream("a name that is too long for a string to hold without memory");
    nn::Adam optimizer{{.lr = 0.01}};
    Tape<float> tape;
    Array<float> batch = sample<float>({5, 7}, 3), pictures = sample<float>({5, 1, 4, 4}, 4);

    Var<float> loss() {
        const auto x = tape.constant(batch);
        const auto h = tanh(model.hidden(x));
        const auto noisy = h + 0.1f * normal_like(h, noise) * softplus(tape.parameter(model.scale));
        const auto y = model.out(checkpoint([](const auto& v) { return v * sigmoid(v); }, noisy));
        const auto seen = relu(model.filter(tape.constant(pictures)));
        const auto pooled = mean(max_pool2d(seen, {2, 2}), {1, 2, 3});
        const auto both = concat({y, reshape(pooled, {5, 1})}, 1);
        const auto taken = take(log_softmax(both, 1), {0, 3, 1, 4, 3}, 1);
        return mean(square(sum(taken, {1}))) + mean(abs(permute_dims(both, {1, 0}))) + logsumexp(y);
    }
    double step() {
        tape.clear();
        nn::attach(tape, model);
        const auto l = loss();
        const auto gradients = backward(l);
        optimizer.step(model, gradients);
        return l.item();
    }
    /// Of what the step gave.
    Bits state_and(double value) const {
        Bits all = state();
        all.push_back({value});
        return all;
    }
    Bits state() const {
        Bits all = values_of(model);
        for (const auto& each : optimizer.states(model)) {
            all.push_back({static_cast<double>(each.steps)});
            for (const auto& average : each.averages) all.push_back(bits_of(average));
        }
        return all;
    }
};

struct Saved {
    std::map<std::string, Array<float>> values;
    std::vector<nn::ParameterState<float>> states;
    Rng::State noise;

    explicit Saved(const Training& from) : noise(from.noise.state()) {
        nn::for_each_parameter(from.model, [&](const std::string& name, const auto& each) { values[name] = each.value(); });
    }
    void bring_back(Training& to) const {
        nn::for_each_parameter(to.model, [&](const std::string& name, auto& each) { each.assign(values.at(name)); });
        to.optimizer.restore(states);
        to.noise.restore(noise);
    }
};

}  // namespace

TEST_CASE("faults: a training step, the first and a later one") {
    Training training;
    Saved saved(training);
    const bool later = GENERATE(false, true);
    if (later) {
        for (int i = 0; i < 3; ++i) training.step();
        saved = Saved(training);
        saved.states = training.optimizer.states(training.model);
    }
    const auto reset = [&] { saved.bring_back(training); };
    const std::size_t count = with_each_fault(
        [&] {
            training.noise.restore(saved.noise);
            return training.step();
        },
        [&](double value) { return training.state_and(value); }, reset, [&] { return training.state(); });
    CHECK(count > 100);
}

TEST_CASE("faults: a step while the tape profiles and checks") {
    Training training;
    const Saved saved(training);
    training.tape.profile(true);
    training.tape.check_finite(true);
    with_each_fault(
        [&] {
            training.noise.restore(saved.noise);
            return training.step();
        },
        [&](double value) { return training.state_and(value); }, [&] { saved.bring_back(training); },
        [&] { return training.state(); });
}

TEST_CASE("faults: the step of an optimiser alone") {
    Training training;
    const Saved saved(training);
    const auto gradients = backward(training.loss());
    const auto check = [&](auto& optimizer, auto fresh) {
        const auto state = [&] {
            Bits all = values_of(training.model);
            for (const auto& each : optimizer.states(training.model)) {
                all.push_back({static_cast<double>(each.steps)});
                for (const auto& average : each.averages) all.push_back(bits_of(average));
            }
            return all;
        };
        return with_each_fault(
            [&] {
                optimizer.step(training.model, gradients, {.again = true});
                return true;
            },
            [&](bool) { return state(); },
            [&] {
                saved.bring_back(training);
                optimizer = fresh;
            },
            state);
    };
    nn::Adam adam({.lr = 0.1});
    CHECK(check(adam, adam) > 12);
    nn::SGD sgd({.lr = 0.1, .momentum = 0.9});
    CHECK(check(sgd, sgd) > 6);
}

TEST_CASE("faults: a backward pass that is recorded, and its own") {
    Training training;
    const Saved saved(training);
    with_each_fault([&] {
        training.noise.restore(saved.noise);
        training.tape.clear();
        const auto gradients = backward(training.loss(), {.create_graph = true});
        const auto& weight = training.model.hidden.weight;
        const auto second = backward(sum(square(gradients.var(weight))));
        return Bits{bits_of(gradients[weight]), bits_of(second[weight]), bits_of(second[training.model.out.weight])};
    });
}

TEST_CASE("faults: values are released as the sweep passes, or all gradients are kept") {
    Training training;
    const Saved saved(training);
    const auto options = GENERATE(BackwardOptions{.release = true}, BackwardOptions{.keep = true});
    with_each_fault([&] {
        training.noise.restore(saved.noise);
        training.tape.clear();
        const auto gradients = backward(training.loss(), options);
        return Bits{bits_of(gradients[training.model.hidden.weight])};
    });
}

TEST_CASE("faults: a draw that is not recorded is not drawn") {
    Tape<float> tape;
    const auto like = tape.variable(sample<float>({3, 3}));
    Rng rng = Rng{3}.stream("one whose name is longer than a string holds without memory");
    with_each_fault([&] { return normal_like(like, rng); },
                    [&](const Var<float>& drawn) { return Bits{bits_of(drawn.value())}; },
                    [&] {
                        rng.restore({9, 4});
                    },
                    [&] { return Bits{{static_cast<double>(rng.draws())}}; });
}

TEST_CASE("faults: functions of functions") {
    const auto f = [](const auto& x) { return sum(exp(x) * sin(x)); };
    const auto x = sample<double>({4}), t = sample<double>({4}, 2);
    with_each_fault([&] { return Bits{bits_of(hessian(f, x))}; });
    with_each_fault([&] { return Bits{bits_of(jvp(f, {x}, {t}).tangent)}; });
    const auto g = [](const auto& v) { return cumulative_sum(v * v, 0); };
    with_each_fault([&] { return Bits{bits_of(jacobian(g, {x})[0])}; });
}

TEST_CASE("faults: files are read whole or not at all, and written whole or not at all") {
    const TemporaryDirectory directory;
    const auto path = directory / "a file.safetensors";
    Training training, other;
    for (int i = 0; i < 2; ++i) training.step();
    const nn::Generators generators{{"noise", &training.noise}}, others{{"noise", &other.noise}};
    nn::save(path, training.model, training.optimizer, generators, {{"note", std::string(100, 'x')}});
    const auto content = [&] { return nn::read_file(path); };
    const auto before = content();

    const Saved untrained(other);
    const auto state = [&] {
        Bits all = other.state();
        all.push_back({static_cast<double>(other.noise.draws()), static_cast<double>(other.noise.state().key)});
        return all;
    };
    with_each_fault(
        [&] {
            nn::load(path, other.model, other.optimizer, others);
            return true;
        },
        [&](bool) { return state(); }, [&] { untrained.bring_back(other); }, state);
    CHECK(same(other.state(), training.state()));

    with_each_fault(
        [&] {
            nn::load(path, other.model);
            return true;
        },
        [&](bool) { return values_of(other.model); }, [&] { untrained.bring_back(other); }, state);

    training.step();
    for (const faults::Lack lack : {faults::Lack::momentary, faults::Lack::lasting}) {
        for (std::size_t n = 1;; ++n) {
            INFO("allocation " << n);
            bool written = false;
            faults::arm(n, lack);
            try {
                nn::save(path, training.model, training.optimizer, generators);
                written = true;
            } catch (const std::exception&) {
            }
            const bool happened = faults::disarm();
            REQUIRE(directory.entries() == 1);
            if (!written) REQUIRE(content() == before);
            if (written) nn::write_file_atomically(path, before);
            if (!happened) break;
        }
    }
    nn::save(path, training.model, training.optimizer, generators);
    nn::load(path, other.model, other.optimizer, others);
    CHECK(same(other.state(), training.state()));
}

TEST_CASE("faults: work that threads share, within its parts and without") {
    const ThreadCount restored;
    set_num_threads(GENERATE(2, 3));
    Tape<float> tape;
    const auto x = sample<float>({300, 400}), row = sample<float>({400}, 2), w = sample<float>({400, 300}, 3);
    const auto cube = sample<float>({8, 6, 40, 40}, 5), along = sample<float>({2, 1 << 17}, 6);
    std::vector<std::size_t> few(1000);
    for (std::size_t i = 0; i < few.size(); ++i) few[i] = i % 7;
    using Op = std::function<Var<float>()>;
    const auto v = [&](const Array<float>& array) { return tape.variable(array); };
    const std::map<std::string, Op> ops{
        {"elementwise", [&] { return exp(v(x)); }},
        {"broadcast", [&] { return v(x) * v(row) + sin(v(row)); }},
        {"sum over rows", [&] { return sum(square(v(x)), {0}); }},
        {"sum over columns", [&] { return sum(square(v(x)), {1}); }},
        {"sum over inner axes",
         [&] {
             return sum(v(cube), {0, 2});
         }},
        {"maximum",
         [&] {
             return max(v(cube), {1, 3});
         }},
        {"product of matrices", [&] { return matmul(v(x), v(w)); }},
        {"product over a long inner extent", [&] { return matmul(v(along), v(along), {.b = true}); }},
        {"products of many",
         [&] {
             return matmul(v(cube), v(sample<float>({6, 40, 8}, 9)));
         }},
        {"take often", [&] { return take(v(x), few, 1); }},
        {"windows that overlap",
         [&] {
             return max_pool2d(v(cube), {12, 12}, {.stride = Size2d{1, 1}});
         }},
        {"means of windows that overlap",
         [&] {
             return avg_pool2d(v(cube), {12, 12}, {.stride = Size2d{1, 1}});
         }},
        {"running sum", [&] { return cumulative_sum(v(x), 0); }},
        {"running logarithm of sums", [&] { return logcumsumexp(v(x), 1); }},
        {"softmax", [&] { return log_softmax(v(x), 1); }},
    };
    for (const auto& [name, op] : ops) {
        INFO(name);
        with_each_fault([&] {
            tape.clear();
            const auto y = op();
            const auto gradients = backward(sum(y * y));
            Bits all{bits_of(y.value())};
            for (std::uint32_t i = 0; i < y.index(); ++i) {
                if (const auto* each = gradients.find(tape.var(i))) all.push_back(bits_of(*each));
            }
            return all;
        });
    }
}

TEST_CASE("faults: an update of a large array by two threads") {
    const ThreadCount restored;
    set_num_threads(2);
    Array<float> values, from = sample<float>({100000}), slope = sample<float>({100000}, 2);
    with_each_fault(
        [&] {
            update([](auto& value, auto g) { value = value - 0.5f * g; }, values, std::as_const(slope));
            return true;
        },
        [&](bool) { return Bits{bits_of(values)}; }, [&] { values = from; }, [&] { return Bits{bits_of(values)}; });
}

namespace {

/// An op on a tape: its value, gradients, gradients of gradients and tangents, as far as it has them.
Bits all_of(Tape<double>& tape, const OpCall& call, const std::vector<Array<double>>& inputs) {
    tape.clear();
    std::vector<Var<double>> vars;
    for (const auto& each : inputs) vars.push_back(tape.variable(each));
    const auto y = call(vars);
    Bits all{bits_of(y.value())};
    if (!tape.node(y.index()).needs_gradient) return all;
    const auto loss = sum(y * tape.constant(sample<double>(y.shape(), 7)));
    const auto gradients = backward(loss);
    for (const auto& each : vars) {
        if (const auto* found = gradients.find(each)) all.push_back(bits_of(*found));
    }
    try {
        const auto recorded = backward(loss, {.create_graph = true});
        auto slopes = tape.constant(full<double>({}, 0));
        for (const auto& each : vars) {
            if (recorded.find(each) != nullptr) slopes = slopes + sum(square(recorded.var(each)));
        }
        const auto second = backward(slopes);
        for (const auto& each : vars) {
            if (const auto* found = second.find(each)) all.push_back(bits_of(*found));
        }
        std::vector<Direction<double>> directions;
        for (const auto& each : vars) directions.emplace_back(each, sample<double>(each.shape(), 8));
        if (const auto t = find_tangent<double>(y, directions)) all.push_back(bits_of(*t));
    } catch (const GradientError&) {
        all.push_back({});
    }
    return all;
}

/// Where an array has more than four axes xtensor's own moves take memory for its shape, within noexcept.
bool has_many_axes(const Tape<double>& tape) {
    for (std::uint32_t i = 0; i < tape.size(); ++i) {
        if (tape.node(i).array().dimension() > 4) return true;
    }
    return false;
}

Array<double> input_in(const OpDomain& domain, const Shape& shape, int seed) {
    auto array = sample<double>(shape, seed);
    for (double& each : array) each = domain.low + (domain.high - domain.low) * (each + 1) / 2;
    return array;
}

}  // namespace

TEST_CASE("faults: every op of the library") {
    Tape<double> tape;  // one for all, so that what a fault leaves behind is met by the next
    for (const OpSpec& spec : registry()) {
        std::vector<OpCase> cases = spec.cases;
        if (spec.is_elementwise()) {
            cases.push_back({"", {}, spec.call});
            for (std::size_t k = 0; k < spec.arity; ++k) cases[0].shapes.push_back(k == 1 ? Shape{3} : Shape{2, 3});
        }
        for (const OpCase& each : cases) {
            std::vector<Array<double>> inputs;
            for (std::size_t k = 0; k < each.shapes.size(); ++k) {
                inputs.push_back(
                    input_in(spec.is_elementwise() ? spec.domain[k] : each.domain, each.shapes[k], static_cast<int>(k) + 1));
            }
            INFO(spec.name << " " << each.name);
            try {
                all_of(tape, each.call, inputs);
            } catch (const Error&) {
                continue;  // not for these inputs
            }
            if (has_many_axes(tape)) continue;
            CHECK(with_each_fault([&] { return all_of(tape, each.call, inputs); }) > 0);
        }
    }
}
