// The tape as a list: what is recorded and kept, generations of Vars, errors that name a node, finite checks, inference. Sweeps
// are in gradients_test.cpp.
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <optional>

#include "tests/testing.hpp"

using namespace autograd;

namespace {

using D = Array<double>;

}  // namespace

TEMPLATE_TEST_CASE("tape: leaves and ops keep their values until clear", "", float, double) {
    Tape<TestType> tape;
    const auto x = tape.variable(Array<TestType>{{1, 2}, {3, 4}});
    const auto c = tape.constant(Array<TestType>{10, 20});
    const auto y = x + c;
    CHECK(tape.size() == 3);
    CHECK(elements(y.value()) == std::vector<TestType>{11, 22, 13, 24});
    CHECK(y.shape() == Shape{2, 2});
    CHECK(sum(y).item() == 70);
    backward(sum(y));
    CHECK(elements(y.value()) == std::vector<TestType>{11, 22, 13, 24});
}

TEST_CASE("tape: a million nodes forward, backward and cleared, without recursion") {
    Tape<float> tape;
    const auto x = tape.variable(full<float>({}, 1.0f));
    auto y = x;
    for (int i = 0; i < 1'000'000; ++i) y = y + 1e-6f;
    const auto grads = backward(y);
    CHECK(*grads[x].data() == 1.0f);
    const auto recorded = backward(y, {.create_graph = true});
    CHECK(*recorded[x].data() == 1.0f);
    tape.clear();
    CHECK(tape.size() == 0);
}

TEST_CASE("tape: Vars of a cleared tape, of another tape or never assigned are refused by name") {
    Tape<double> tape, other;
    const auto x = tape.variable(D{1, 2, 3});
    const auto foreign = other.variable(D{1, 2, 3});
    CHECK_THAT(message_of<TapeError>([&] { x + foreign; }), contains("add") && contains("another tape"));
    CHECK_THAT(message_of<TapeError>([&] { concat<double>({x, foreign}); }), contains("concat") && contains("another tape"));
    const Var<double> never;
    for (const auto& use : std::vector<std::function<void()>>{[&] { never.value(); }, [&] { never.shape(); },
                                                              [&] { never.item(); }, [&] { exp(never); }, [&] { x + never; },
                                                              [&] { never + x; }, [&] { sum(never); }, [&] { backward(never); },
                                                              [&] {
                                                                  concat<double>({x, never});
                                                              }}) {
        CHECK_THAT(message_of<TapeError>(use), contains("before it was assigned"));
    }
    CHECK(tape.size() == 1);
    tape.clear();
    const auto anew = tape.variable(D{4, 5, 6});
    CHECK(anew.index() == x.index());
    Rng rng{1};
    for (const auto& use : std::vector<std::function<void()>>{
             [&] { x.value(); }, [&] { x.item(); }, [&] { exp(x); }, [&] { anew* x; }, [&] { matmul(x, anew); },
             [&] { normal_like(x, rng); }, [&] { bernoulli_like(x, rng); }, [&] { backward(x); },
             [&] { why_no_gradient(anew, x); }, [&] { to_dot(tape, x); }}) {
        CHECK_THAT(message_of<TapeError>(use), contains("cleared"));
    }
    CHECK(tape.size() == 1);
    CHECK(elements(anew.value()) == std::vector<double>{4, 5, 6});
}

TEST_CASE("tape: a Var of a tape that is gone does not pass for one of a new tape in the same place") {
    std::optional<Tape<double>> tape;
    tape.emplace();
    const auto old = tape->variable(D{1, 2});
    tape.emplace();
    const auto now = tape->variable(D{3, 4});
    CHECK_THROWS_AS(old + now, TapeError);
    CHECK_THROWS_AS(backward(sum(now))[old], TapeError);
}

TEST_CASE("tape: item is for one element") {
    Tape<double> tape;
    CHECK(tape.constant(full<double>({1, 1}, 3.0)).item() == 3.0);
    const auto v = tape.constant(D{1, 2});
    CHECK_THAT(message_of<TapeError>([&] { v.item(); }), contains("constant (node 1)") && contains("(2,)"));
    CHECK_THROWS_AS(tape.constant(empty<double>({0})).item(), TapeError);
}

TEST_CASE("tape: references to values stay valid as it grows") {
    Tape<double> tape;
    const auto x = tape.variable(D{1, 2, 3});
    const D& value = x.value();
    const double* data = value.data();
    auto y = x;
    for (int i = 0; i < 5000; ++i) y = y + x;
    CHECK(&x.value() == &value);
    CHECK(value.data() == data);
    CHECK(elements(value) == std::vector<double>{1, 2, 3});
}

TEST_CASE("tape: an op that fails leaves no node and a usable tape") {
    Tape<double> tape;
    const auto x = tape.variable(D{1, 2, 3}), y = tape.variable(D{1, 2});
    const auto m = tape.variable(full<double>({2, 3}, 1.0));
    for (const auto& attempt : std::vector<std::function<void()>>{[&] { x + y; },
                                                                  [&] { where(x, y, 1.0); },
                                                                  [&] { matmul(x, m); },
                                                                  [&] { matmul(m, m); },
                                                                  [&] { linear(m, m, x); },
                                                                  [&] { sum(x, 1); },
                                                                  [&] {
                                                                      sum(m, {0, 0});
                                                                  },
                                                                  [&] { reshape(x, {2}); },
                                                                  [&] {
                                                                      permute_dims(m, {0, 0});
                                                                  },
                                                                  [&] { permute_dims(m, {0}); },
                                                                  [&] { matrix_transpose(x); },
                                                                  [&] { broadcast_to(x, {2}); },
                                                                  [&] { sum_to(x, {2}); },
                                                                  [&] { slice(x, 0, {.step = 0}); },
                                                                  [&] { slice(x, 0, {.start = 7}); },
                                                                  [&] {
                                                                      concat<double>({x, m});
                                                                  },
                                                                  [&] { concat(std::vector<Var<double>>{}); },
                                                                  [&] { mean(x, -2); },
                                                                  [&] { logsumexp(x, 3); },
                                                                  [&] { max(x, 3); }}) {
        CHECK_THROWS_AS(attempt(), ShapeError);
        CHECK(tape.size() == 3);
    }
    CHECK(elements((x * 2.0).value()) == std::vector<double>{2, 4, 6});
    CHECK(backward(sum(x * x))[x](2) == 6);
}

TEST_CASE("tape: errors name the op, its number, its module and both shapes") {
    Tape<double> tape;
    Parameter<double> weight{full<double>({4, 3}, 1.0)};
    tape.name_parameter(weight.identity(), "decoder.hidden.weight");
    const auto x = tape.constant(full<double>({2, 5}, 1.0));
    const auto w = tape.parameter(weight);
    CHECK_THAT(message_of<ShapeError>([&] { matmul(x, w); }), contains("matmul") && contains("node 2") &&
                                                                  contains("decoder.hidden") && contains("(2, 5)") &&
                                                                  contains("(4, 3)"));
    CHECK_THAT(message_of<ShapeError>([&] { x + w; }),
               contains("add") && contains("node 2") && contains("decoder.hidden") && contains("(2, 5)") && contains("(4, 3)"));
    CHECK(tape.describe(w.index()) == "decoder.hidden.weight (node 1)");
    CHECK(tape.describe((w * 2.0).index()) == "multiply (node 2, decoder.hidden)");
}

TEST_CASE("tape: check_finite names the node forward, and the ranges of its inputs") {
    Tape<double> tape;
    tape.check_finite(true);
    const auto x = tape.variable(D{1, 0, 2});
    const std::string message = message_of<Error>([&] { log(x * 3.0); });
    CHECK_THAT(message, contains("log (node 2)") && contains("(3,)") && contains("-inf") && contains("element 1") &&
                            contains("multiply (node 1)") && contains("[0, 6]"));
    CHECK_THROWS_AS(tape.variable(D{std::numeric_limits<double>::quiet_NaN()}), Error);
    CHECK_THROWS_AS(tape.parameter(Parameter<double>(D{std::numeric_limits<double>::infinity()})), Error);
    tape.check_finite(false);
    CHECK(std::isinf(log(x).value()(1)));
}

TEST_CASE("tape: check_finite names the node backward") {
    Tape<double> tape;
    tape.check_finite(true);
    const auto x = tape.variable(D{4, 0});
    const auto root = sqrt(x);
    const auto loss = sum(root);
    CHECK_THAT(message_of<Error>([&] { backward(loss); }), contains("backward pass of sqrt (node 1)") && contains("inf") &&
                                                               contains("element 1") &&
                                                               contains("input variable (node 0) in [0, 4]"));
    CHECK_THAT(message_of<FiniteError>([&] { backward(loss, {.create_graph = true}); }),
               contains("backward pass of sqrt (node 1); input variable (node 0) in [0, 4]"));
    tape.check_finite(false);
    CHECK(backward(loss)[x](0) == 0.25);
}

TEST_CASE("tape: in inference mode values are computed and no gradient is promised") {
    Tape<double> tape{{.inference = true}};
    const Parameter<double> p{D{1, 2}};
    const auto x = tape.variable(D{3, 4});
    const auto loss = sum(x * tape.parameter(p));
    CHECK(loss.item() == 11);
    CHECK_THAT(message_of<GradientError>([&] { backward(loss); }), contains("inference"));
    CHECK_THAT(why_no_gradient(loss, x), contains("inference"));
}

TEST_CASE("tape: arrays of no elements, of one, and default-constructed ones pass through") {
    Tape<double> tape;
    const auto none = tape.variable(empty<double>({3, 0}));
    const auto loss = sum(exp(none) * 2.0) + sum(sum(none, 0));
    CHECK(loss.item() == 0);
    CHECK(backward(loss)[none].shape() == Shape{3, 0});
    const auto column = tape.variable(full<double>({3, 1}, 2.0));
    const auto mixed = sum(column * none);
    const auto grads = backward(mixed);
    CHECK(elements(grads[column]) == std::vector<double>{0, 0, 0});
    CHECK(grads[none].size() == 0);
    CHECK(tape.variable(D()).shape() == Shape{});
}
