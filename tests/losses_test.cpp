// Losses: values against naive formulas, stated gradients against derived ones and differences, extremes, reductions,
// and the shapes which must not broadcast.
#include <autograd/gradcheck.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <limits>

#include "catch.hpp"

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
    check([](const auto& l, const auto& t) { return nn::binary_cross_entropy_with_logits(l, t); },
          derived_cross_entropy);
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
        CHECK_THROWS_WITH(nn::mean_squared_error(x, y),
                          contains(autograd::to_string(a)) && contains(autograd::to_string(b)));
    }
}
