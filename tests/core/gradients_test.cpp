// What backward() returns and refuses: variables and parameters, what is kept or recorded, and what is said where there is no
// gradient. Whether an op's gradient is right is in ops/every_op_test.cpp.
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>

#include "tests/testing.hpp"

using namespace autograd;

namespace {

using D = Array<double>;
using Numbers = std::vector<double>;

}  // namespace

TEMPLATE_TEST_CASE("gradients: of variables and parameters, with their shapes", "", float, double) {
    using T = TestType;
    Tape<T> tape;
    const Parameter<T> p{Array<T>{{1, 2}, {3, 4}}};
    const auto x = tape.variable(Array<T>{10, 20});
    const auto loss = sum(tape.parameter(p) * x);
    const auto grads = backward(loss);
    CHECK(elements(grads[x]) == std::vector<T>{4, 6});
    CHECK(elements(grads[p]) == std::vector<T>{10, 20, 10, 20});
    CHECK(grads[p].shape() == Shape{2, 2});
    CHECK(grads.find(x) == &grads[x]);
    CHECK(grads.uses(p));
    CHECK_FALSE(grads.uses(Parameter<T>(Array<T>{1})));
}

TEST_CASE("gradients: of a loss that is itself a variable, or of shape (1, 1)") {
    Tape<double> tape;
    const auto x = tape.variable(full<double>({1, 1}, 3.0));
    CHECK(elements(backward(x)[x]) == Numbers{1});
    CHECK(backward(square(x))[x].shape() == Shape{1, 1});
    CHECK(elements(backward(square(x))[x]) == Numbers{6});
}

TEST_CASE("gradients: a Var that is used often collects all of its uses") {
    Tape<double> tape;
    const auto x = tape.variable(D{1, 2, 3});
    const auto column = reshape(x, {3, 1});
    // x + x: 2. x * x: 2 x. The outer product: each element meets all, 2 * 6. The mean: 1/3. x(0): 1 for the first.
    const auto loss = sum(x + x) + sum(x * x) + sum(x * column) + mean(x) + sum(slice(x, 0, {0, 1}));
    const auto g = backward(loss);
    CHECK(g[x](0) == Approx(2 + 2 + 12 + 1.0 / 3 + 1));
    CHECK(g[x](1) == Approx(2 + 4 + 12 + 1.0 / 3));
    CHECK(g[x](2) == Approx(2 + 6 + 12 + 1.0 / 3));
}

TEST_CASE("gradients: a sum over a broadcast does not overwrite the buffer that it reads") {
    // The gradient of sum() stays compact, with extent 1 in place of what it repeats: here exactly the shape of `a`.
    Tape<double> tape;
    const auto a = tape.variable(full<double>({3, 1}, 2.0));
    const auto corner = tape.variable(full<double>({1, 1}, 2.0));
    const auto b = tape.constant(full<double>({3, 4}, 5.0));
    CHECK(elements(backward(sum(sum(a * b, 1)))[a]) == Numbers{20, 20, 20});
    CHECK(elements(backward(sum(a * b))[a]) == Numbers{20, 20, 20});
    CHECK(elements(backward(sum(corner * b))[corner]) == Numbers{60});
    CHECK(elements(backward(sum(sum(corner + b, 0, KeepDims::yes)))[corner]) == Numbers{12});
}

TEST_CASE("gradients: the same numbers from a second sweep, a kept one and a recorded one") {
    Tape<double> tape;
    const auto x = tape.variable(sample<double>({4, 5}));
    const auto w = tape.variable(sample<double>({5, 3}, 2));
    const auto h = tanh(matmul(x, w));
    const auto loss = sum(h * h * sum(h, 1, KeepDims::yes));
    const auto first = backward(loss), second = backward(loss), kept = backward(loss, {.keep = true});
    const auto recorded = backward(loss, {.create_graph = true});
    CHECK(elements(first[x]) == elements(second[x]));
    CHECK(elements(first[w]) == elements(second[w]));
    CHECK(elements(first[w]) == elements(kept[w]));
    for (std::size_t i = 0; i < w.value().size(); ++i) {
        CHECK(recorded[w].data()[i] == Approx(first[w].data()[i]).epsilon(1e-13));
    }
}

TEST_CASE("gradients: a missing one says why") {
    Tape<double> tape;
    Rng rng{1};
    const auto x = tape.variable(D{0.2, 0.8});
    const auto unrelated = tape.variable(D{1, 2});
    const auto constant = tape.constant(D{1, 2});
    const auto stopped = tape.variable(D{1, 2});
    const auto compared = tape.variable(D{1, 2});
    const auto probabilities = tape.variable(D{0.5, 0.5});
    const auto noise = normal_like(x, rng);
    const auto middle = exp(x);
    const auto detached = stop_gradient(stopped);
    const auto mask = compared > 1.5;
    const auto coin = bernoulli_like(probabilities, rng);
    const auto loss = sum(middle * constant * noise + detached + mask + coin);
    const auto later = exp(x);
    const auto grads = backward(loss);
    const auto reason = [&](const Var<double>& v) { return message_of<GradientError>([&] { grads[v]; }); };
    CHECK_THAT(reason(constant), contains("it is a constant"));
    CHECK_THAT(reason(noise), contains("noise leaf") && contains("normal_like"));
    CHECK_THAT(reason(unrelated), contains("does not depend on it") && contains("sum"));
    CHECK_THAT(reason(stopped), contains(tape.describe(detached.index())) && contains("no gradient flows"));
    CHECK_THAT(reason(compared), contains(tape.describe(mask.index())) && contains("greater"));
    CHECK_THAT(reason(probabilities), contains(tape.describe(coin.index())) && contains("bernoulli_like"));
    CHECK_THAT(reason(middle), contains(".keep = true"));
    CHECK_THAT(reason(later), contains("recorded after the loss"));
    CHECK_THAT(reason(detached), contains("nothing that it depends on by a derivative is a variable"));
    for (const auto& v : {constant, noise, unrelated, stopped, compared, probabilities, middle, later, detached}) {
        CHECK(grads.find(v) == nullptr);
        CHECK_THAT(why_no_gradient(loss, v), contains(tape.describe(v.index())));
    }
    CHECK_THAT(why_no_gradient(loss, x), contains("it has a gradient"));
    CHECK(grads.find(x) != nullptr);
}

TEST_CASE("gradients: a missing one of a parameter names it") {
    Tape<double> tape;
    const Parameter<double> used{D{1, 2}}, cut{D{1, 2}}, idle{D{1, 2}}, absent{full<double>({7}, 1.0)};
    tape.name_parameter(cut.identity(), "head.bias");
    tape.name_parameter(absent.identity(), "tail.bias");
    tape.parameter(idle);
    const auto loss = sum(tape.parameter(used) * stop_gradient(tape.parameter(cut)));
    const auto grads = backward(loss);
    CHECK_THAT(message_of<GradientError>([&] { grads[cut]; }), contains("head.bias") && contains("stop_gradient"));
    CHECK_THAT(message_of<GradientError>([&] { grads[idle]; }), contains("does not depend on it"));
    CHECK_THAT(message_of<GradientError>([&] { grads[absent]; }),
               contains("tail.bias") && contains("(7,)") && contains("was not on this tape"));
    CHECK(grads.uses(cut));
    CHECK_FALSE(grads.uses(absent));
    CHECK(grads.find(cut) == nullptr);
    CHECK(grads.find(absent) == nullptr);
    CHECK(grads.parameters().size() == 3);
}

TEST_CASE("gradients: Vars of another tape or generation are refused") {
    Tape<double> tape, other;
    const auto x = tape.variable(D{1, 2});
    const auto middle = exp(x);
    const auto grads = backward(sum(middle));
    CHECK_THAT(message_of<TapeError>([&] { grads[other.variable(D{1})]; }), contains("another tape"));
    CHECK_THROWS_AS(grads.find(other.variable(D{1})), TapeError);
    CHECK_THROWS_AS(grads[Var<double>()], TapeError);
    tape.clear();
    CHECK_THAT(message_of<GradientError>([&] { grads[middle]; }), contains("its tape was cleared"));
    const auto anew = tape.variable(D{1, 2});
    CHECK_THAT(message_of<TapeError>([&] { grads[anew]; }), contains("clear()"));
}

TEST_CASE("gradients: outlive the tape's nodes and the tape") {
    auto tape = std::make_unique<Tape<double>>();
    const Parameter<double> p{D{1, 2}};
    const auto x = tape->variable(D{3, 4});
    const auto middle = tape->parameter(p) * x;
    const auto grads = backward(sum(middle));
    tape->clear();
    for (int i = 0; i < 4; ++i) backward(sum(tape->variable(full<double>({2}, 9.0)) * 7.0));
    CHECK(elements(grads[p]) == Numbers{3, 4});
    CHECK(elements(grads[x]) == Numbers{1, 2});
    tape.reset();
    CHECK(elements(grads[p]) == Numbers{3, 4});
    CHECK(elements(grads[x]) == Numbers{1, 2});
    CHECK(grads.parameter_name(p.identity()) == "parameter");
    CHECK_THROWS_AS(grads[middle], GradientError);
    CHECK_THROWS_AS(grads[Parameter<double>(D{1})], GradientError);
}

TEST_CASE("gradients: recorded ones go with their tape, and those that were moved from are refused") {
    auto tape = std::make_unique<Tape<double>>();
    const auto x = tape->variable(D{3, 4});
    auto recorded = backward(sum(x * x), {.create_graph = true});
    CHECK(elements(recorded[x]) == Numbers{6, 8});
    tape->clear();
    CHECK_THROWS_AS(recorded[x], TapeError);
    tape.reset();
    CHECK_THROWS_AS(recorded[x], TapeError);
    const auto moved = std::move(recorded);
    CHECK_THROWS_AS(recorded[x], GradientError);
    CHECK_THROWS_AS(recorded[Parameter<double>(D{1})], GradientError);
}

TEST_CASE("backward: a loss of many elements, or of none, is refused with its shape") {
    Tape<double> tape;
    const auto x = tape.variable(full<double>({2, 3}, 1.0));
    CHECK_THAT(message_of<GradientError>([&] { backward(exp(x)); }),
               contains("exp (node 1)") && contains("(2, 3)") && contains("sum"));
    CHECK_THROWS_AS(backward(tape.variable(empty<double>({0}))), GradientError);
}

TEST_CASE("backward: a loss without variables is refused with the cut that is to blame") {
    Tape<double> tape;
    const auto x = tape.variable(D{1, 2});
    CHECK_THAT(message_of<GradientError>([&] {
                   backward(sum(tape.constant(D{1, 2})));
               }),
               contains("no variable and no parameter"));
    CHECK_THAT(message_of<GradientError>([&] { backward(sum(exp(stop_gradient(x)) * 2.0)); }), contains("stop_gradient"));
    CHECK_THAT(message_of<GradientError>([&] { backward(sum(x > 1.0)); }), contains("greater"));
}

TEST_CASE("backward: keep keeps the gradients of intermediate nodes") {
    Tape<double> tape;
    const auto x = tape.variable(D{1, 2});
    const auto a = x * 3.0, b = a * a, loss = sum(b);
    const auto grads = backward(loss, {.keep = true});
    CHECK(elements(grads[loss]) == Numbers{1});
    CHECK(elements(grads[b]) == Numbers{1, 1});
    CHECK(elements(grads[a]) == Numbers{6, 12});
    CHECK(elements(grads[x]) == Numbers{18, 36});
}

TEST_CASE("backward: release frees values, and says so where one is used again") {
    Tape<double> tape;
    const std::size_t count = 100'000;
    const auto x = tape.variable(full<double>({count}, 0.5));
    const auto a = exp(x), b = sin(a), loss = sum(b * b);
    const auto before = memory_statistics().bytes_in_use;
    const auto grads = backward(loss, {.release = true});
    // Of the three large intermediate values all are gone; the gradient of x has come.
    CHECK(memory_statistics().bytes_in_use <= before - 2 * count * sizeof(double) + 4096);
    CHECK(grads[x](0) == Approx(2 * std::sin(std::exp(0.5)) * std::cos(std::exp(0.5)) * std::exp(0.5)));
    CHECK(loss.item() > 0);
    CHECK(x.value()(0) == 0.5);
    CHECK_THAT(message_of<TapeError>([&] { a.value(); }), contains("exp (node 1)") && contains(".release = true"));
    for (const auto& use :
         std::vector<std::function<void()>>{[&] { a * 2.0; }, [&] { x* a; }, [&] { sum(a); }, [&] { a.shape(); }}) {
        CHECK_THROWS_AS(use(), TapeError);
    }
    CHECK_THAT(message_of<GradientError>([&] { backward(loss); }), contains("released by an earlier sweep"));
    CHECK_THROWS_AS(backward(loss, {.create_graph = true}), GradientError);
    CHECK(backward(sum(x * 2.0))[x](0) == 2);
    tape.clear();
    const auto y = tape.variable(D{1, 2});
    CHECK(elements(backward(sum(exp(y) * 1.0))[y]) == elements(exp(y).value()));
}

TEST_CASE("backward: release and create_graph exclude each other") {
    Tape<double> tape;
    const auto x = tape.variable(D{1, 2});
    CHECK_THAT(message_of<GradientError>([&] { backward(sum(x * x), {.create_graph = true, .release = true}); }),
               contains(".release"));
    CHECK(elements(backward(sum(x * x))[x]) == Numbers{2, 4});
}

TEMPLATE_TEST_CASE("backward: x^4 has the derivatives 4 x^3, 12 x^2, 24 x and 24", "", float, double) {
    using T = TestType;
    Tape<T> tape;
    const auto x = tape.variable(Array<T>{T(1.5), T(-2)});
    const auto y = square(x) * x * x;
    Var<T> derivative = y;
    const double factor[] = {4, 12, 24, 24};
    for (int order = 1; order <= 4; ++order) {
        const auto grads = backward(sum(derivative), {.create_graph = true});
        for (std::size_t i = 0; i < 2; ++i) {
            const double at = static_cast<double>(x.value()(i));
            CHECK(static_cast<double>(grads[x](i)) == Approx(factor[order - 1] * std::pow(at, 4 - order)));
        }
        derivative = grads.var(x);
    }
    // 24, no matter what x is: nothing leads from it to x any more.
    CHECK_THAT(message_of<GradientError>([&] { backward(sum(derivative)); }), contains("no variable"));
}

TEST_CASE("backward: second derivatives through broadcasting, products and reductions") {
    Tape<double> tape;
    const auto x = tape.variable(sample<double>({3, 1}));
    const auto w = tape.variable(sample<double>({1, 4}, 2));
    const auto f = [](const auto& a, const auto& b) { return sum(logsumexp(matmul(a, b) + a * b, 1) * mean(tanh(a + b), 1)); };
    const auto g = backward(f(x, w), {.create_graph = true});
    const auto along_w = sample<double>({1, 4}, 5);
    const auto second = backward(sum(g.var(w) * tape.constant(along_w)));
    // Against differences of first derivatives. Truncation h^2 and rounding 1e-16 / h leave about 1e-9 at h = 1e-5.
    const double h = 1e-5;
    const auto first_at = [&](double step) {
        Tape<double> shifted;
        const auto a = shifted.variable(x.value());
        const auto b = shifted.variable(D(w.value() + step * along_w));
        const auto grads = backward(f(a, b));
        return std::pair<D, D>{grads[a], grads[b]};
    };
    const auto [xp, wp] = first_at(h);
    const auto [xm, wm] = first_at(-h);
    for (std::size_t i = 0; i < 3; ++i)
        CHECK(second[x].data()[i] == Approx((xp.data()[i] - xm.data()[i]) / (2 * h)).margin(1e-7));
    for (std::size_t i = 0; i < 4; ++i)
        CHECK(second[w].data()[i] == Approx((wp.data()[i] - wm.data()[i]) / (2 * h)).margin(1e-7));
}

TEST_CASE("backward: gradients are nodes only where they were recorded") {
    Tape<double> tape;
    const auto x = tape.variable(D{1, 2});
    const auto c = tape.constant(D{1, 2});
    const Parameter<double> p{D{1, 2}};
    const auto loss = sum(x * x * c * tape.parameter(p));
    CHECK_THAT(message_of<GradientError>([&] { backward(loss).var(x); }), contains("create_graph"));
    const auto grads = backward(loss, {.create_graph = true});
    CHECK(elements(grads.var(x).value()) == Numbers{2, 16});
    CHECK(elements(grads.var(p).value()) == Numbers{1, 8});
    CHECK_THAT(message_of<GradientError>([&] { grads.var(c); }), contains("constant"));
}

TEST_CASE("backward: two losses on one tape do not disturb each other") {
    Tape<double> tape;
    const auto x = tape.variable(D{1, 2});
    const auto shared = exp(x);
    const auto a = sum(shared), b = sum(shared * shared);
    const auto ga = backward(a), gb = backward(b), ga2 = backward(a);
    CHECK(elements(ga[x]) == elements(shared.value()));
    CHECK(elements(ga2[x]) == elements(ga[x]));
    CHECK(gb[x](1) == Approx(2 * std::exp(4.0)));
}

TEST_CASE("backward: a product adds to a gradient that is there, in place") {
    Tape<float> tape;
    const Array<float> weight = sample<float>({256, 256});
    const auto w = tape.variable(weight), x = tape.constant(sample<float>({4, 256}, 2));
    const auto one = sum(matmul(x, w)), other = sum(matmul(x, w, {.b = true})), part = sum(slice(w, 0, {0, 3}));
    auto loss = one + other + part;
    for (int i = 0; i < 8; ++i) loss = loss + one;
    std::vector<float> all;
    std::size_t cached = 0;
    std::thread([&] {  // whose lists are empty
        all = elements(backward(loss)[w]);
        cached = memory_statistics().bytes_cached;
    })
        .join();
    // What the sweep used is cached now: one array of the weight's size, no second for a product to be added.
    CHECK(cached >= weight.size() * sizeof(float));
    CHECK(cached < 2 * weight.size() * sizeof(float));

    const auto apart = [&](const Var<float>& loss_alone) { return elements(backward(loss_alone)[w]); };
    const std::vector<float> a = apart(one), b = apart(other), c = apart(part);
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (std::fabs(all[i] - (9 * a[i] + b[i] + c[i])) > 1e-4f) FAIL("at " << i << ": " << all[i]);
    }
}

TEST_CASE("backward: from a first node on, what lies before gets its gradient, of its shape") {
    Tape<double> tape;
    const auto v = tape.variable(Array<double>{{1, 2, 3}, {4, 5, 6}});
    const auto w = v * 3;
    const auto first = static_cast<std::uint32_t>(tape.size());
    const auto loss = sum(w) + mean(w);
    for (const bool recorded : {false, true}) {
        const auto gradients = backward(loss, {.create_graph = recorded, .first_node = first});
        CHECK(gradients[w].shape() == Shape{2, 3});
        CHECK(elements(gradients[w]) == std::vector<double>(6, 1 + 1.0 / 6));
        CHECK(gradients.find(v) == nullptr);
    }
    const auto last = sum(v);
    CHECK(backward(last, {.first_node = last.index()})[v].shape() == Shape{2, 3});
}

TEST_CASE("backward: a scalar that is infinite is no fault, recorded or not") {
    Tape<double> tape;
    tape.check_finite(true);
    const auto x = tape.variable(Array<double>{1, 2});
    const auto y = sum(minimum(square(x), std::numeric_limits<double>::infinity()));
    CHECK(elements(backward(y)[x]) == std::vector<double>{2, 4});
    const auto gradients = backward(y, {.create_graph = true});
    CHECK(elements(gradients[x]) == std::vector<double>{2, 4});
    const auto second = backward(sum(gradients.var(x)), {.create_graph = true});
    CHECK(elements(second[x]) == std::vector<double>{2, 2});
}

TEST_CASE("gradients: one of a temporary is a value of its own") {
    Tape<double> tape;
    const auto x = tape.variable(Array<double>{1, 2});
    const auto& gradient = backward(sum(square(x)))[x];
    static_assert(std::is_same_v<decltype(backward(sum(x))[x]), Array<double>>);
    CHECK(elements(gradient) == std::vector<double>{2, 4});
}

TEST_CASE("gradients: a hook that gives a parameter another shape is found") {
    Parameter<double> p{Array<double>{1, 2}};
    Tape<double> tape;
    const auto w = gradient_hook<double>(tape.parameter(p), [&](const auto&) { p.mutable_value() = full<double>({3}, 1); });
    CHECK_THROWS_AS(backward(sum(w)), GradientError);
}
