// The matchers, as a user's test has them.
#include <autograd/catch2.hpp>

#include "tests/testing.hpp"

using namespace autograd;

namespace {

constexpr auto swish = elementwise<"swish">([](auto x) { return x * sigmoid(x); });
constexpr auto wrong = elementwise<"wrong">([](auto x) { return x * x; }, [](auto g, auto x, auto) { return g * x; });
const Array<double> x{{0.5, -1.0}, {2.0, 0.25}}, y{1.5, 2.5};

}  // namespace

TEST_CASE("HasCorrectGradient: of ops and lambdas, of any order, with noise") {
    REQUIRE_THAT(swish, HasCorrectGradient(x).order(2));
    REQUIRE_THAT(ops::multiply, HasCorrectGradient(x, y));
    REQUIRE_THAT([](Var<double> a, Var<double> b) { return sum(exp(a) * b); }, HasCorrectGradient(x, y).order(2));
    const auto noisy = [](Var<double> a, Rng& rng) { return a + normal_like(a, rng); };
    REQUIRE_THAT(noisy, HasCorrectGradient(x).replaying(Rng(3)));
    CHECK_FALSE(HasCorrectGradient(x).with({.dot_product = false}).match(wrong));
}

TEST_CASE("HasCorrectGradient: says what gradcheck found") {
    const auto without_noise = HasCorrectGradient(x);
    CHECK_FALSE(without_noise.match([](Var<double> a, Rng& rng) { return a + normal_like(a, rng); }));
    CHECK_THAT(without_noise.describe(), contains("say .replaying(rng)"));
    const auto matcher = HasCorrectGradient(x);
    CHECK_FALSE(matcher.match(wrong));
    CHECK_THAT(matcher.describe(), contains("0.5 times what it should be") && contains("differences give"));
}
