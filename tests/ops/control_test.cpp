// custom_gradient, straight_through, gradient_hook, checkpoint, a parameter's substitute, and profile().
#include <nn/nn.hpp>

#include <algorithm>
#include <chrono>
#include <thread>

#include "tests/testing.hpp"

using namespace autograd;

namespace {

const Array<double> x{0.3, -1.2, 2.0};

/// The identity, slowly.
struct Sleepy {
    static constexpr const char* name = "sleepy";
    std::chrono::milliseconds nap;

    template <class T>
    void forward(Array<T>& out, const Array<T>& a) const {
        std::this_thread::sleep_for(nap);
        out = a;
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const {
        return g;
    }
};

}  // namespace

TEST_CASE("custom_gradient: the rules stand in for the ops' own") {
    const auto clipped = custom_gradient<"clipped_identity">(
        [](const auto& v) { return v * 1; }, [](const auto& g, const auto&, const auto&) { return clip(g, -1, 1); });
    Tape<double> tape;
    const auto v = tape.variable(x);
    CHECK(elements(clipped(v).value()) == elements(x));
    CHECK(elements(backward(sum(clipped(v) * 5))[v]) == std::vector<double>(3, 1.0));

    const auto product =
        custom_gradient<"product">([](const auto& a, const auto& b) { return a * b; },
                                   [](const auto& g, const auto&, const auto& b, const auto&) { return g * b; },
                                   [](const auto& g, const auto& a, const auto&, const auto&) { return g * a; });
    CHECK(gradcheck(product, {x, x}, {.order = 2}));
    const auto cut = custom_gradient<"cut">([](const auto& a, const auto& b) { return a * b; }, no_gradient,
                                            [](const auto& g, const auto& a, const auto&, const auto&) { return g * a; });
    const auto w = tape.variable(x);
    const auto gradients = backward(sum(cut(v, w)));
    CHECK(gradients.find(v) == nullptr);
    CHECK(elements(gradients[w]) == elements(x));
    const Var<double> y = product(v, w);
    CHECK_THAT(message_of<GradientError>([&] { tangent<double>(y, {{w, x}}); }), contains("product (node"));
}

TEST_CASE("straight_through: one value, the other's gradient, forward and backward") {
    Tape<double> tape;
    const auto v = tape.variable(x);
    const auto y = straight_through(v > 0, v);
    CHECK(elements(y.value()) == std::vector<double>{1, 0, 1});
    CHECK(elements(backward(sum(y * y))[v]) == std::vector<double>{2, 0, 2});
    CHECK(elements(tangent<double>(y, {{v, x}})) == elements(x));
    CHECK_THAT(message_of<ShapeError>([&] { straight_through(sum(v), v); }), contains("()") && contains("(3,)"));
}

TEST_CASE("gradient_hook: sees the whole gradient, once a sweep") {
    Tape<double> tape;
    std::vector<std::vector<double>> seen;
    const auto v = tape.variable(x);
    const auto watched = gradient_hook<double>(v * 2, [&](const Array<double>& g) { seen.push_back(elements(g)); });
    const auto loss = sum(watched * 3) + sum(watched);
    CHECK(elements(backward(loss)[v]) == std::vector<double>(3, 8.0));
    CHECK(seen == std::vector<std::vector<double>>{{4, 4, 4}});
    backward(loss, {.create_graph = true});
    CHECK(seen.size() == 2);
    CHECK_THAT(message_of<Error>([&] { gradient_hook<double>(v, {}); }), contains("gradient_hook: an empty function"));
}

TEST_CASE("checkpoint: the same values and gradients, of parameters too, with less on the tape") {
    Rng rng(1);
    const nn::BasicLinear<double> first(3, 50, rng), second(50, 2, rng);
    const auto network = [&](const auto& v) { return second(tanh(first(tanh(v)))); };
    const Array<double> rows = sample<double>({4, 3});
    const auto run = [&](Tape<double>& tape, auto function) {
        const auto v = tape.variable(rows);
        const auto loss = sum(square(function(v)));
        const auto gradients = backward(loss);
        return std::vector{elements(gradients[v]), elements(gradients[first.weight]), elements(gradients[second.bias])};
    };
    Tape<double> plain, saving;
    const auto expected = run(plain, network);
    const auto found = run(saving, [&](const auto& v) { return checkpoint(network, v); });
    CHECK(found == expected);
    std::size_t plain_size = 0, saving_size = 0;
    for (std::uint32_t i = 0; i < plain.size(); ++i) plain_size += plain.node(i).value.size();
    for (std::uint32_t i = 0; i < saving.size(); ++i) saving_size += saving.node(i).value.size();
    CHECK(saving_size < plain_size / 4);
    CHECK(gradcheck([&](const auto& v) { return checkpoint(network, v); }, {rows}, {.order = 2}));
    const auto in_parameters = [&](const auto& layer, Tape<double>& tape) {
        return sum(square(checkpoint([&](const auto& v) { return tanh(layer(v)); }, tape.constant(rows))));
    };
    CHECK(nn::gradcheck(first, in_parameters, {.order = 2}));
    CHECK(gradcheck(
        [](const auto& a, const auto& b) { return checkpoint([](const auto& c, const auto& d) { return exp(c) * d; }, a, b); },
        {x, x}, {.order = 3}));
}

TEST_CASE("checkpoint: refuses what it cannot compute again") {
    Tape<double> tape;
    Rng rng(2);
    const auto v = tape.variable(x);
    const auto noisy = checkpoint([&](const auto& a) { return a * normal_like(a, rng); }, v);
    CHECK_THAT(message_of<GradientError>([&] { backward(sum(noisy)); }), contains("another value when it was called again"));
    CHECK_THROWS_AS(checkpoint([&](const auto& a) { return a * v; }, v), TapeError);
}

TEST_CASE("checkpoint: one node given twice, or given and used as a parameter, gets its gradient once") {
    Tape<double> tape;
    const auto product = [](const auto& a, const auto& b) { return a * b; };
    const auto v = tape.variable(x);
    const auto y = sum(checkpoint(product, v, v));
    const auto plain = backward(y);
    CHECK(elements(backward(y, {.create_graph = true}).var(v).value()) == elements(plain[v]));
    CHECK(gradcheck([&](auto a) { return checkpoint(product, a, a); }, {x}, {.order = 2}));

    const Parameter<double> p{x};
    const auto w = tape.parameter(p);
    const auto z = sum(checkpoint([&](const auto& a) { return a * a.tape().parameter(p); }, w));
    const auto expected = backward(z);
    CHECK(elements(backward(z, {.create_graph = true})[p]) == elements(expected[p]));
}

TEST_CASE("checkpoint: an input that its function does not use has no gradient, and the error says so") {
    Tape<double> tape;
    tape.check_finite(true);
    const auto v = tape.variable(x), unused = tape.variable(x);
    const auto gradients = backward(sum(checkpoint([](const auto& a, const auto&) { return a * 2; }, v, unused)));
    CHECK(gradients.find(unused) == nullptr);
    CHECK_THAT(message_of<GradientError>([&] { gradients[unused]; }), contains("an input that it does not use"));
}

TEST_CASE("substitute: a parameter is another Var for a while") {
    const Parameter<double> p{x};
    Tape<double> tape;
    const auto v = tape.variable(Array<double>{1, 2, 3});
    tape.substitute(p, v * 2);
    const auto gradients = backward(sum(square(tape.parameter(p))));
    CHECK(elements(gradients[v]) == std::vector<double>{8, 16, 24});
    CHECK_THAT(message_of<TapeError>([&] { tape.substitute(p, v); }), contains("on the tape already"));
    tape.clear();
    CHECK(elements(tape.parameter(p).value()) == elements(x));
    CHECK_THROWS_AS(tape.substitute(Parameter<double>{x}, tape.constant(Array<double>{1.0, 2.0})), ShapeError);
}

TEST_CASE("profile: time and bytes of each op, forward and backward") {
    Tape<double> tape;
    CHECK(tape.profile().empty());
    tape.profile(true);
    const auto v = tape.variable(sample<double>({100, 100}));
    backward(sum(matmul(v, v) + v));
    const auto profile = tape.profile();
    REQUIRE(profile.size() == 3);
    const auto seconds = [](const OpProfile& each) { return each.forward_seconds + each.backward_seconds; };
    CHECK(seconds(profile[0]) >= seconds(profile[1]));
    CHECK(seconds(profile[1]) >= seconds(profile[2]));
    for (const OpProfile& each : profile) {
        CHECK(each.calls == 1);
        CHECK(each.forward_seconds > 0);
        CHECK(each.backward_seconds > 0);
        CHECK(each.bytes == (each.op == "sum" ? 8 : 80000));
    }
    CHECK_THAT(to_string(profile), contains("matmul") && contains("backward ms"));
    tape.profile(false);
    CHECK(tape.profile().empty());
}

TEST_CASE("profile: the time of an op is that from its beginning to its end") {
    constexpr auto nap = std::chrono::milliseconds(5);
    const auto slow = [&](const auto& a) {
        std::this_thread::sleep_for(nap);
        return a * 2;
    };
    Tape<double> tape;
    tape.profile(true);
    const auto v = tape.variable(x);
    backward(sum(checkpoint(slow, apply(Sleepy{nap}, v))));
    double slept = 0;
    for (const OpProfile& each : tape.profile()) {
        if (each.op == "checkpoint") slept += std::min(each.forward_seconds, each.backward_seconds);
        if (each.op == "sleepy") slept += each.forward_seconds;
    }
    CHECK(slept >= 2 * std::chrono::duration<double>(nap).count());  // sleep_for promises at least that much
}
