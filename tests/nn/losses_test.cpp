// Losses: values against naive formulas, stated gradients against derived ones and differences, extremes, reductions,
// and the shapes which must not broadcast.
#include <autograd/check/gradcheck.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <limits>

#include "tests/catch.hpp"
#include "tests/points.hpp"

using autograd::Array;
using autograd::Rng;
using autograd::ShapeError;
using autograd::Tape;
using autograd::Var;
using nn::Reduction;

namespace {

/// -t log p - (1 - t) log(1 - p) with log1p only, exact to rounding for all logits.
double cross_entropy(double logit, double target) {
    const double log_p = -(std::fmax(-logit, 0) + std::log1p(std::exp(-std::fabs(logit))));
    const double log_q = -(std::fmax(logit, 0) + std::log1p(std::exp(-std::fabs(logit))));
    return -target * log_p - (1 - target) * log_q;
}

constexpr auto derived_cross_entropy =
    autograd::elementwise<"derived_cross_entropy">([](auto l, auto t) { return softplus(l) - l * t; });
constexpr auto derived_squared_error =
    autograd::elementwise<"derived_squared_error">([](auto a, auto b) { return square(a - b); });

void check_close(const Array<double>& a, const Array<double>& b) {
    REQUIRE(a.shape() == b.shape());
    // A few operations on numbers of size 10 at the most.
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(std::fabs(a.data()[i] - b.data()[i]) < 1e-14 * 10);
}

}  // namespace

TEMPLATE_TEST_CASE("binary cross-entropy from logits has the right values at all logits", "[losses]", float, double) {
    Tape<TestType> tape;
    const auto epsilon = static_cast<double>(std::numeric_limits<TestType>::epsilon());
    for (const double logit : {-1000.0, -88.8, -30.0, -3.0, -1e-3, 0.0, 1e-3, 0.5, 20.0, 88.8, 1000.0}) {
        for (const double target : {0.0, 0.25, 0.5, 1.0}) {
            INFO("logit " << logit << ", target " << target);
            const auto l = tape.variable(Array<TestType>{static_cast<TestType>(logit)});
            const auto t = tape.variable(Array<TestType>{static_cast<TestType>(target)});
            const auto loss = nn::binary_cross_entropy_with_logits(l, t);
            // The rounding of the logit itself, of the product and of the difference.
            const double expected = cross_entropy(static_cast<double>(static_cast<TestType>(logit)), target);
            CHECK(std::fabs(static_cast<double>(loss.item()) - expected) <= 4 * epsilon * (1 + std::fabs(logit)));
            CHECK(loss.item() >= 0);
            const auto grads = backward(loss);
            const double sigmoid = 1 / (1 + std::exp(-logit));
            CHECK(std::fabs(static_cast<double>(grads[l](0)) - (sigmoid - target)) <= 4 * epsilon);
            CHECK(grads[t](0) == -l.item());
        }
    }
}

TEMPLATE_TEST_CASE("binary cross-entropy keeps its digits where the logit is right", "[losses]", float, double) {
    const std::vector<Point> points = {
        {{15, 1}, 3.0590227371372049e-7, {-3.0590222692562473e-7, -15}, {3.0590213334945229e-7, -1, -1, 0}},
        {{20, 1}, 2.0611536203143807e-9, {-2.0611536181902036e-9, -20}, {2.0611536139418493e-9, -1, -1, 0}},
        {{-15, 0}, 3.0590227371372049e-7, {3.0590222692562473e-7, 15}, {3.0590213334945229e-7, -1, -1, 0}},
        {{-20, 0}, 2.0611536203143807e-9, {2.0611536181902036e-9, 20}, {2.0611536139418493e-9, -1, -1, 0}},
        {{50, 1}, 1.9287498479639178e-22, {-1.9287498479639178e-22, -50}, {1.9287498479639178e-22, -1, -1, 0}},
        {{-80, 0}, 1.8048513878454152e-35, {1.8048513878454152e-35, 80}, {1.8048513878454152e-35, -1, -1, 0}},
        {{3, 0.25}, 2.2985873515737421, {0.70257412682243322, -3}, {0.045176659730912133, -1, -1, 0}},
        {{20, 0.875}, 2.5000000020611536, {0.12499999793884638, -20}, {2.0611536139418493e-9, -1, -1, 0}},
        {{30, 0}, 30.000000000000094, {0.99999999999990642, -30}, {9.3576229688384233e-14, -1, -1, 0}},
        {{-30, 1}, 30.000000000000094, {-0.99999999999990642, 30}, {9.3576229688384233e-14, -1, -1, 0}},
        {{0, 1}, 0.69314718055994531, {-0.5, 0}, {0.25, -1, -1, 0}},
        {{0.0009765625, 0}, 0.69363558101923012, {0.50024414060559745, -0.0009765625}, {0.2499999403953647, -1, -1, 0}},
    };
    check_points<TestType, 2>(nn::ops::binary_cross_entropy_with_logits, points, 4);
}

// What agrees costs nothing and has no gradient; else the limits, also of the derivative in the target, -logit.
TEMPLATE_TEST_CASE("binary cross-entropy of infinite logits is its limit", "[losses]", float, double) {
    constexpr double inf = std::numeric_limits<double>::infinity(), NaN = std::numeric_limits<double>::quiet_NaN();
    const std::vector<Point> points = {{{inf, 1}, 0, {0, -inf}, {0, -1, -1, 0}},
                                       {{-inf, 0}, 0, {0, inf}, {0, -1, -1, 0}},
                                       {{inf, 0}, inf, {1, -inf}, {0, -1, -1, 0}},
                                       {{-inf, 1}, inf, {-1, inf}, {0, -1, -1, 0}},
                                       {{inf, 0.25}, inf, {0.75, -inf}, {0, -1, -1, 0}},
                                       {{-inf, 0.25}, inf, {-0.25, inf}, {0, -1, -1, 0}},
                                       {{NaN, 1}, NaN, {NaN, NaN}},
                                       {{NaN, 0}, NaN, {NaN, NaN}},
                                       {{2, NaN}, NaN, {NaN, -2}},
                                       {{inf, NaN}, NaN, {NaN, -inf}},
                                       {{-0x1p127, 0}, 0, {0, 0x1p127}},
                                       {{-2, 0.5}, 1.1269280110429727, {-0.38079707797788243, 2}}};
    check_points<TestType, 2>(nn::ops::binary_cross_entropy_with_logits, points, 4);
}

TEST_CASE("stated gradients of losses are the derived ones and agree with differences", "[losses]") {
    Rng rng{1};
    Array<double> logits = rng.normal<double>({4, 5});
    logits(0, 0) = 0;  // where formulas with abs or max have a kink
    const Array<double> target = rng.uniform<double>({4, 5});
    const auto gradients = [&](const auto& loss) {
        Tape<double> tape;
        const Var<double> l = tape.variable(logits);
        const Var<double> t = tape.variable(target);
        const auto grads = backward(sum(loss(l, t)));
        return std::pair{grads[l], grads[t]};
    };
    const auto check = [&](const auto& stated, const auto& derived) {
        const auto a = gradients(stated);
        const auto b = gradients(derived);
        check_close(a.first, b.first);
        check_close(a.second, b.second);
        CHECK(autograd::gradcheck(stated, {logits, target}, {.order = 2}));
    };
    check([](const auto& l, const auto& t) { return nn::binary_cross_entropy_with_logits(l, t); }, derived_cross_entropy);
    check([](const auto& l, const auto& t) { return nn::squared_error(l, t); }, derived_squared_error);
}

TEST_CASE("squared errors", "[losses]") {
    Tape<double> tape;
    const auto a = tape.constant(Array<double>{{1, 2}, {3, 4}});
    const auto b = tape.constant(Array<double>{{1, 4}, {0, 5}});
    CHECK(nn::squared_error(a, b).value() == Array<double>{{0, 4}, {9, 1}});
    CHECK(nn::mean_squared_error(a, b).item() == 14.0 / 4);
}

TEST_CASE("a loss is reduced as it is told, and by default not at all", "[losses]") {
    Tape<double> tape;
    const auto a = tape.constant(Array<double>{{1, 2, 0}, {3, 4, 0}});
    const auto b = tape.constant(Array<double>{{1, 4, 1}, {0, 5, 0}});
    CHECK(nn::squared_error(a, b, Reduction::none).shape() == autograd::Shape{2, 3});
    CHECK(nn::squared_error(a, b, Reduction::sum).item() == 15);
    CHECK(nn::squared_error(a, b, Reduction::mean).item() == 15.0 / 6);
    CHECK(nn::squared_error(a, b, Reduction::batch_mean).item() == 15.0 / 2);
    // The loss per row does not depend on how many there are.
    const auto twice_a = autograd::concat<double>({a, a});
    const auto twice_b = autograd::concat<double>({b, b});
    CHECK(nn::squared_error(twice_a, twice_b, Reduction::batch_mean).item() == 15.0 / 2);
    const auto scalar = tape.constant(autograd::full<double>({}, 1));
    CHECK_THROWS_AS(nn::squared_error(scalar, scalar, Reduction::batch_mean), ShapeError);
}

TEST_CASE("losses refuse shapes which would broadcast", "[losses]") {
    Tape<float> tape;
    const auto make = [&](const autograd::Shape& shape) { return tape.constant(autograd::full<float>(shape, 1)); };
    for (const auto& [a, b] : {std::pair{autograd::Shape{4}, autograd::Shape{4, 1}},
                               {autograd::Shape{4, 1}, autograd::Shape{4}},
                               {autograd::Shape{4, 3}, autograd::Shape{3}},
                               {autograd::Shape{4, 3}, autograd::Shape{}}}) {
        const auto x = make(a), y = make(b);
        CHECK_THROWS_AS(nn::binary_cross_entropy_with_logits(x, y), ShapeError);
        CHECK_THROWS_AS(nn::squared_error(x, y), ShapeError);
        CHECK_THROWS_WITH(nn::mean_squared_error(x, y), contains(autograd::to_string(a)) && contains(autograd::to_string(b)));
    }
}
