// Softmax and its relatives at the ends of the range of numbers.
#include <cmath>
#include <limits>

#include "testing.hpp"

using namespace autograd;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

TEMPLATE_TEST_CASE("softmax: no overflow, no underflow of the logarithm", "", float, double) {
    Tape<TestType> tape;
    const auto large = tape.variable(Array<TestType>{TestType(3e37), TestType(3e37), TestType(-3e37)});
    CHECK(elements(softmax(large).value()) == std::vector<TestType>{TestType(0.5), TestType(0.5), TestType(0)});
    const auto apart = tape.variable(Array<TestType>{0, -1000});
    CHECK(elements(log_softmax(apart).value()) == std::vector<TestType>{0, -1000});
    const auto loss = cross_entropy(apart, {1});
    CHECK(loss.item() == 1000);
    CHECK(elements(backward(loss)[apart]) == std::vector<TestType>{1, -1});
    // Shifting all logits changes nothing, to the last bit where the shift is exact.
    const auto x = tape.constant(Array<TestType>{0.5, 1.25, -2}),
               shifted = tape.constant(Array<TestType>{1024.5, 1025.25, 1022});
    CHECK(softmax(x).value() == softmax(shifted).value());
}

TEST_CASE("softmax: an element of minus infinity has probability 0 and no gradient, its row the others'") {
    Tape<double> tape;
    const auto x = tape.variable(Array<double>{{1, -infinity, 1}, {0, 0, 0}});
    const Array<double> y = softmax(x).value();
    CHECK(y(0, 0) == 0.5);
    CHECK(y(0, 1) == 0);
    const auto weights = tape.constant(Array<double>{{1, 2, 3}, {4, 5, 6}});
    for (const bool create_graph : {false, true}) {
        CHECK(elements(slice(tape.constant(backward(sum(softmax(x) * weights), {.create_graph = create_graph})[x]), 0,
                             {0, 1})
                           .value()) == std::vector<double>{-0.5, 0, 0.5});
        const auto loss = cross_entropy(x, {0, 2}, LossReduction::sum);
        CHECK(loss.item() == Approx(std::log(2.0) + std::log(3.0)));
        const Array<double> g = backward(loss, {.create_graph = create_graph})[x];
        CHECK(g(0, 0) == Approx(-0.5));
        CHECK(g(0, 1) == 0);
        CHECK(g(0, 2) == Approx(0.5));
    }
    CHECK(cross_entropy(x, {1, 0}, LossReduction::none).value()(0) == infinity);
}

TEST_CASE("softmax: of nothing but minus infinities, or of plus infinity, it is NaN") {
    Tape<double> tape;
    for (const auto& values : {Array<double>{-infinity, -infinity}, Array<double>{0, infinity}}) {
        const auto x = tape.constant(values);
        for (const double each : softmax(x).value()) CHECK(std::isnan(each));
        for (const double each : log_softmax(x).value()) CHECK(std::isnan(each));
    }
}

TEST_CASE("cross_entropy: reductions, and the mean of nothing") {
    Tape<double> tape;
    const auto x = tape.constant(full<double>({2, 4, 3}, 0.0));
    const std::vector<std::size_t> classes{0, 1, 2, 3, 0, 1};
    CHECK(cross_entropy(x, classes, LossReduction::none).shape() == Shape{2, 3});
    CHECK(cross_entropy(x, classes, LossReduction::sum).item() == Approx(6 * std::log(4.0)));
    CHECK(cross_entropy(x, classes).item() == Approx(std::log(4.0)));
    CHECK(std::isnan(cross_entropy(tape.constant(autograd::empty<double>({0, 4})), {}).item()));
}

TEST_CASE("layer_norm: rows of equal elements give 0 and finite gradients") {
    Tape<double> tape;
    const auto x = tape.variable(Array<double>{{7, 7, 7}, {1, 2, 3}});
    const auto y = layer_norm(x);
    CHECK(y.value()(0, 0) == 0);
    CHECK(y.value()(1, 1) == 0);
    CHECK(y.value()(1, 2) == Approx(1 / std::sqrt(2.0 / 3 + 1e-5)));
    const Array<double> gradient = backward(sum(y * tape.constant(Array<double>{1, 2, 4})))[x];
    for (const double each : gradient) CHECK(std::isfinite(each));
    CHECK(layer_norm(x, -1, 0.5).value()(1, 2) == Approx(1 / std::sqrt(2.0 / 3 + 0.5)));
}
