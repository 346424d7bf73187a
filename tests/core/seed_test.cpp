// backward() from a value of any shape, given what comes to it: an array, or a Var through which gradients flow.
#include "tests/testing.hpp"

using namespace autograd;
using D = Array<double>;
using Numbers = std::vector<double>;

TEST_CASE("seed: the gradients are those of the sum of seed times value") {
    Tape<double> tape;
    const auto x = tape.variable(D{1, 2, 3});
    const auto y = x * x;
    const D seed{10, 0, -1};
    for (const bool create_graph : {false, true}) {
        INFO("create_graph: " << create_graph);
        CHECK(elements(backward(y, seed, {.create_graph = create_graph})[x]) == Numbers{20, 0, -6});
        CHECK(elements(backward(y, tape.constant(seed), {.create_graph = create_graph})[x]) == Numbers{20, 0, -6});
    }
    CHECK(elements(backward(sum(y))[x]) == Numbers{2, 4, 6});
    CHECK(elements(backward(y, seed, {.keep = true})[y]) == elements(seed));
}

TEST_CASE("seed: gradients flow through one that is a Var") {
    Tape<double> tape;
    const auto x = tape.variable(D{1, 2, 3}), seed = tape.variable(D{10, 0, -1});
    const auto gradients = backward(x * x * x, seed, {.create_graph = true});  // 3 x^2 seed
    const auto again = backward(sum(gradients.var(x)));
    CHECK(elements(again[seed]) == Numbers{3, 12, 27});
    CHECK(elements(again[x]) == Numbers{60, 0, -18});
}

TEST_CASE("seed: one of another shape, tape or without values is an error") {
    Tape<double> tape, other;
    const auto x = tape.variable(D{1, 2, 3});
    const auto y = exp(x);
    CHECK_THAT(message_of<ShapeError>([&] {
                   backward(y, D{1, 2});
               }),
               contains("seed of shape (2,)") && contains("exp (node 1)"));
    CHECK_THAT(message_of<ShapeError>([&] { backward(y, tape.constant(D{1, 2})); }), contains("seed of shape (2,)"));
    CHECK_THROWS_AS(backward(y, other.constant(D{1, 2, 3})), TapeError);
    D moved{1, 2, 3};
    const D taken = std::move(moved);
    CHECK_THROWS_AS(backward(y, moved), TapeError);
    CHECK_THROWS_AS(backward(tape.constant(D{1, 2, 3}), taken), GradientError);
    CHECK_THAT(message_of<GradientError>([&] { backward(y); }), contains("has shape (3,); reduce it to one element"));
}
