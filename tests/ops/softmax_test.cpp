// Softmax and its relatives at the ends of the range of numbers.
#include <cmath>
#include <limits>

#include "tests/points.hpp"
#include "tests/testing.hpp"

using namespace autograd;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

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
        CHECK(elements(slice(tape.constant(backward(sum(softmax(x) * weights), {.create_graph = create_graph})[x]), 0, {0, 1})
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

TEST_CASE("softmax: of nothing but minus infinities, or with a NaN, it is NaN") {
    Tape<double> tape;
    for (const auto& values : {Array<double>{-infinity, -infinity}, Array<double>{infinity, not_a_number}}) {
        const auto x = tape.constant(values);
        for (const double each : softmax(x).value()) CHECK(std::isnan(each));
        for (const double each : log_softmax(x).value()) CHECK(std::isnan(each));
    }
}

// Numbers from mpmath. A sum of 1 and exp(-20) would have lost the latter's digits, in float all.
TEMPLATE_TEST_CASE("softmax: where one class dominates, what the others have is not lost", "", float, double) {
    const auto near = [](const Array<TestType>& seen, const std::vector<double>& expected) {
        REQUIRE(seen.size() == expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i) {
            INFO(i << ": " << seen.data()[i] << ", not " << expected[i]);
            CHECK(is_within_ulps(seen.data()[i], expected[i], 8));
        }
    };
    Tape<TestType> tape;
    const auto x = tape.variable(Array<TestType>{20, 0});
    near(log_softmax(x).value(), {-2.0611536203143807e-9, -20.000000002061154});
    const auto weights = tape.constant(Array<TestType>{3, 0.5});
    for (const bool create_graph : {false, true}) {
        const auto gradient = [&](const auto& loss) { return backward(loss, {.create_graph = create_graph})[x]; };
        const auto loss = cross_entropy(x, {0});
        near(loss.value(), {2.0611536203143807e-9});
        near(gradient(loss), {-2.0611536181902036e-9, 2.0611536181902036e-9});
        near(gradient(sum(softmax(x) * weights)), {5.1528840348546234e-9, -5.1528840348546234e-9});
    }
    // In forward mode the same; and the second derivative of the loss is p (1 - p).
    near(tangent<TestType>(softmax(x), {{x, weights.value()}}), {5.1528840348546234e-9, -5.1528840348546234e-9});
    near(tangent<TestType>(log_softmax(x), {{x, weights.value()}}), {5.152884045475509e-9, -2.499999994847116});
    const auto first = backward(cross_entropy(x, {0}), {.create_graph = true});
    const auto one = tape.constant(Array<TestType>{1, 0});
    near(backward(sum(first.var(x) * one))[x], {2.0611536139418493e-9, -2.0611536139418493e-9});

    const auto several = tape.constant(Array<TestType>{{0, -20, -30}, {0, 0, -20}, {-3, -3, -3}});
    near(log_softmax(several).value(),
         {-2.0612471965438762e-9, -20.000000002061247, -30.000000002061247, -0.69314718159052212, -0.69314718159052212,
          -20.693147181590522, -1.0986122886681097, -1.0986122886681097, -1.0986122886681097});
}

TEMPLATE_TEST_CASE("softmax: of infinity it is the limit, and equal infinities share it", "", float, double) {
    constexpr auto inf = std::numeric_limits<TestType>::infinity();
    Tape<TestType> tape;
    const auto x = tape.variable(Array<TestType>{inf, 0, -inf});
    const auto weights = tape.constant(Array<TestType>{1, 2, 3});
    CHECK(elements(softmax(x).value()) == std::vector<TestType>{1, 0, 0});
    CHECK(elements(log_softmax(x).value()) == std::vector<TestType>{0, -inf, -inf});
    for (const bool create_graph : {false, true}) {
        const auto gradient = [&](const auto& loss) { return elements(backward(loss, {.create_graph = create_graph})[x]); };
        CHECK(gradient(sum(softmax(x) * weights)) == std::vector<TestType>{0, 0, 0});
        const auto right = cross_entropy(x, {0}), wrong = cross_entropy(x, {1});
        CHECK(right.item() == 0);
        CHECK(gradient(right) == std::vector<TestType>{0, 0, 0});
        CHECK(wrong.item() == inf);
        CHECK(gradient(wrong) == std::vector<TestType>{1, -1, 0});
    }
    const auto two = tape.constant(Array<TestType>{inf, 1, inf});
    CHECK(elements(softmax(two).value()) == std::vector<TestType>{0.5, 0, 0.5});
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

TEMPLATE_TEST_CASE("layer_norm: of equal elements it is 0, whatever their mean is rounded to", "", float, double) {
    Tape<TestType> tape;
    for (const double each : {0.1, 1e5 / 3, -7e20 / 9}) {
        for (const std::size_t count : {3u, 7u, 784u}) {
            const auto x = tape.constant(full<TestType>({count}, static_cast<TestType>(each)));
            for (const TestType value : layer_norm(x).value()) CHECK(value == 0);
            for (const TestType value : layer_norm(x, -1, 1e-30).value()) CHECK(value == 0);
        }
    }
}
