// The truth tables of logic and the is... functions, NaN and -0 included, and that they say what they cut.
#include <cmath>
#include <limits>

#include "testing.hpp"

using namespace autograd;

TEMPLATE_TEST_CASE("comparisons: logic counts all but 0 as true", "", float, double) {
    using T = TestType;
    using Numbers = std::vector<T>;
    Tape<T> tape;
    const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
    const auto x = tape.variable(Array<T>{T(0), T(-0.0), T(0.5), T(-2), inf, -inf, nan});
    CHECK(elements(logical_not(x).value()) == Numbers{1, 1, 0, 0, 0, 0, 0});
    CHECK(elements(logical_and(x, 1).value()) == Numbers{0, 0, 1, 1, 1, 1, 1});
    CHECK(elements(logical_and(1, x).value()) == Numbers{0, 0, 1, 1, 1, 1, 1});
    CHECK(elements(logical_and(x, 0).value()) == Numbers(7, 0));
    CHECK(elements(logical_or(x, 0).value()) == Numbers{0, 0, 1, 1, 1, 1, 1});
    CHECK(elements(logical_or(x, -3).value()) == Numbers(7, 1));
    CHECK(elements(logical_xor(x, 0).value()) == Numbers{0, 0, 1, 1, 1, 1, 1});
    CHECK(elements(logical_xor(x, 7).value()) == Numbers{1, 1, 0, 0, 0, 0, 0});
    CHECK(elements(isnan(x).value()) == Numbers{0, 0, 0, 0, 0, 0, 1});
    CHECK(elements(isinf(x).value()) == Numbers{0, 0, 0, 0, 1, 1, 0});
    CHECK(elements(isfinite(x).value()) == Numbers{1, 1, 1, 1, 0, 0, 0});
    CHECK(elements(signbit(x).value()) == Numbers{0, 1, 0, 1, 0, 1, T(std::signbit(nan))});
    CHECK(elements(signbit(tape.constant(Array<T>{-std::fabs(nan)})).value()) == Numbers{1});
}

TEST_CASE("comparisons: what they cut is named") {
    Tape<double> tape;
    const auto x = tape.variable(Array<double>{1.0, -1.0});
    CHECK_THAT(message_of<GradientError>([&] { backward(sum(isfinite(x))); }), contains("isfinite"));
    CHECK_THAT(message_of<GradientError>([&] { backward(sum(logical_or(x, 0))); }), contains("logical_or"));
    const auto gradients = backward(sum(where(logical_and(isfinite(x), x > 0), 3 * x, x)));
    CHECK(elements(gradients[x]) == std::vector<double>{3, 1});
}
