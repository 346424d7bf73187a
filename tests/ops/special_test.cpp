// Poles, known values and tails of the special functions, and the derivatives of digamma of several orders.
#include <cmath>
#include <limits>
#include <numbers>

#include "tests/gradients_at.hpp"
#include "tests/testing.hpp"

using namespace autograd;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

template <class F>
double value_at(F f, double x) {
    Tape<double> tape;
    return f(tape.constant(full<double>({}, x))).item();
}

}  // namespace

TEST_CASE("special: lgamma at its poles and far out") {
    const auto f = [](auto x) { return lgamma(x); };
    for (const double pole : {0.0, -0.0, -1.0, -2.0, -1e300, -infinity, infinity}) CHECK(value_at(f, pole) == infinity);
    CHECK(value_at(f, 1) == 0);
    CHECK(value_at(f, 2) == 0);
    CHECK(value_at(f, 0.5) == Approx(0.5 * std::log(std::numbers::pi)).epsilon(1e-15));
    CHECK(value_at(f, -0.5) == Approx(std::log(2 * std::sqrt(std::numbers::pi))).epsilon(1e-15));
    CHECK(value_at(f, 1e10) == Approx(1e10 * std::log(1e10) - 1e10 - 0.5 * std::log(1e10 / (2 * std::numbers::pi))));
}

TEST_CASE("special: digamma and polygamma at their poles and at known values") {
    const double euler = std::numbers::egamma, pi = std::numbers::pi, zeta3 = 1.2020569031595942854;
    const auto f = [](auto x) { return digamma(x); };
    CHECK(value_at(f, 1) == Approx(-euler).epsilon(1e-15));
    CHECK(value_at(f, 0.5) == Approx(-euler - 2 * std::numbers::ln2).epsilon(1e-15));
    CHECK(value_at(f, -0.5) == Approx(2 - euler - 2 * std::numbers::ln2).epsilon(1e-13));
    CHECK(value_at(f, 0.0) == -infinity);
    CHECK(value_at(f, -0.0) == infinity);
    CHECK(std::isnan(value_at(f, -1)));
    CHECK(std::isnan(value_at(f, -infinity)));
    CHECK(value_at(f, infinity) == infinity);
    CHECK(value_at(f, 1e300) == Approx(std::log(1e300)));
    const auto of_order = [](int n, double x) { return value_at([n](auto v) { return polygamma(n, v); }, x); };
    CHECK(of_order(0, 1) == Approx(-euler).epsilon(1e-15));
    CHECK(of_order(1, 1) == Approx(pi * pi / 6).epsilon(1e-15));
    CHECK(of_order(1, 0.5) == Approx(pi * pi / 2).epsilon(1e-15));
    CHECK(of_order(1, -0.5) == Approx(pi * pi / 2 + 4).epsilon(1e-14));
    CHECK(of_order(2, 1) == Approx(-2 * zeta3).epsilon(1e-15));
    CHECK(of_order(3, 1) == Approx(std::pow(pi, 4) / 15).epsilon(1e-15));
    CHECK(of_order(20, 1) == Approx(-std::tgamma(21.0) * (1 + std::pow(2.0, -21) + std::pow(3.0, -21))).epsilon(1e-12));
    CHECK(of_order(1, 0) == infinity);
    CHECK(of_order(1, -3) == infinity);
    CHECK(of_order(2, 0) == -infinity);
    CHECK(std::isnan(of_order(2, -3)));
    CHECK(of_order(1, infinity) == 0);
    CHECK(of_order(3, 1e300) == 0);
    CHECK(std::isnan(of_order(-1, 1)));
    CHECK(std::isnan(of_order(1001, 1)));
    CHECK(of_order(1000, 1e-3) == -infinity);
    CHECK(std::isnan(value_at([](auto v) { return polygamma(0.5, v); }, 1)));
}

TEST_CASE("special: the gradient of polygamma is the next order, and none reaches the order itself") {
    const auto f = [](auto n, auto x) { return polygamma(n, x); };
    const auto gradients = gradients_of(f, 3, 1.5);
    CHECK(gradients[0] == none);
    CHECK(gradients[1] == value_at([](auto x) { return polygamma(4, x); }, 1.5));
    for (const int n : {0, 2, 5}) {
        CHECK(gradcheck([n](auto x) { return polygamma(n, x); }, {Array<double>{0.7, 1.3, 4.2}}, {.order = 2}));
    }
    CHECK(gradcheck([](auto x) { return lgamma(x); }, {Array<double>{-1.3, -0.4, 0.7, 12}}, {.order = 2}));
}

TEST_CASE("special: erfc keeps its digits in the tail") {
    const auto f = [](auto x) { return erfc(x); };
    for (const double x : {3.0, 9.0, 20.0, 26.0}) CHECK(value_at(f, x) == Approx(std::erfc(x)).epsilon(1e-14));
    CHECK(value_at(f, infinity) == 0);
    CHECK(value_at(f, -infinity) == 2);
    CHECK(gradients_of(f, infinity) == std::vector<double>{0});
    CHECK(gradients_of([](auto x) { return erf(x); }, -infinity) == std::vector<double>{0});
}

TEST_CASE("special: polygamma far below 0 has the period of its reflection, but for what vanishes") {
    const auto at = [](double n, double x) {
        Tape<double> tape;
        return polygamma(tape.constant(Array<double>{n}), tape.constant(Array<double>{x})).value()(0);
    };
    const double pi = std::numbers::pi;
    for (const double x : {-0x1p21 - 0.25, -0x1p40 - 0.25, -0x1p41 - 1.25}) {
        CHECK(at(1, x) == Approx(2 * pi * pi + 1 / x).epsilon(1e-14));  // pi^2 / sin(pi x)^2 - polygamma(1, 1 - x)
        CHECK(at(2, x) == Approx(4 * pi * pi * pi).epsilon(1e-11));
    }
}
