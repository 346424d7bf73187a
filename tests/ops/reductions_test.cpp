// Extremes: who gets the gradient of a tie, and where they stand.
#include <array>
#include <limits>

#include "tests/points.hpp"
#include "tests/testing.hpp"

using namespace autograd;

namespace {

using D = Array<double>;
using Numbers = std::vector<double>;

}  // namespace

TEST_CASE("reductions: elements that share a minimum share its gradient") {
    Tape<double> tape;
    const auto x = tape.variable(D{{1, 1, 3}, {2, 2, 2}});
    const auto loss = sum(min(x, 1) * tape.constant(D{1, 6}));
    for (const bool create_graph : {false, true}) {
        CHECK(elements(backward(loss, {.create_graph = create_graph})[x]) == Numbers{0.5, 0.5, 0, 2, 2, 2});
    }
}

TEST_CASE("reductions: argmax and argmin give the first place, NaN before all, and cut the gradient") {
    Tape<double> tape;
    const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    const auto x = tape.variable(D{{1, 3, 3}, {-2, nan, nan}, {-infinity, 0, infinity}});
    CHECK(elements(argmax(x, 1).value()) == Numbers{1, 1, 2});
    CHECK(elements(argmin(x, 1).value()) == Numbers{0, 1, 0});
    CHECK(argmax(x).item() == 4);
    CHECK(argmax(x, 0, KeepDims::yes).shape() == Shape{1, 3});
    CHECK(argmin(x, {}, KeepDims::yes).shape() == Shape{1, 1});
    CHECK_THAT(message_of<GradientError>([&] { backward(sum(argmax(x, 1))); }), contains("argmax (node"));
}

TEST_CASE("max and min: a NaN is the gradient of all that it stands among") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    Tape<double> tape;
    const auto x = tape.variable(Array<double>{{1, nan, 3}, {4, 5, 6}});
    const std::array extremes{max(x, 1), min(x, 1)};
    for (const auto& extreme : extremes) {
        const Array<double> gradient = backward(sum(extreme))[x];
        for (std::size_t j = 0; j < 3; ++j) {
            CHECK(std::isnan(gradient(0, j)));
            CHECK_FALSE(std::isnan(gradient(1, j)));
        }
    }
}

// log(1 + exp(-20)) by mpmath: added up, 1 and exp(-20) are 1 in float.
TEMPLATE_TEST_CASE("logsumexp: where one element dominates, the others are not lost", "", float, double) {
    Tape<TestType> tape;
    const auto x = tape.constant(Array<TestType>{{0, -20, -30}, {20, 0, -1000}, {0, 0, -20}});
    const Array<TestType> y = logsumexp(x, 1).value();
    CHECK(is_within_ulps(y(0), 2.0612471965438762e-9, 4));
    CHECK(is_within_ulps(y(1), 20.000000002061154, 4));
    CHECK(is_within_ulps(y(2), 0.69314718159052212, 4));
}

TEMPLATE_TEST_CASE("logsumexp: the gradient of infinity is the limit, and equal infinities share it", "", float, double) {
    constexpr auto inf = std::numeric_limits<TestType>::infinity();
    Tape<TestType> tape;
    const auto x = tape.variable(Array<TestType>{{inf, 0, -inf}, {inf, 1, inf}, {1, 2, 3}});
    const auto y = logsumexp(x, 1);
    CHECK(y.value()(0) == inf);
    for (const bool create_graph : {false, true}) {
        const Array<TestType> g = backward(sum(y), {.create_graph = create_graph})[x];
        CHECK(elements(g)[0] == 1);
        CHECK(elements(g)[1] == 0);
        CHECK(elements(g)[2] == 0);
        CHECK(elements(g)[3] == TestType(0.5));
        CHECK(elements(g)[4] == 0);
        CHECK(elements(g)[5] == TestType(0.5));
        CHECK(is_within_ulps(g(2, 2), 0.66524095577482187, 8));
    }
    const Array<TestType> t = tangent<TestType>(y, {{x, Array<TestType>{{1, 2, 3}, {4, 5, 6}, {0, 0, 0}}}});
    CHECK(elements(t) == std::vector<TestType>{1, 5, 0});
    const auto first = backward(sum(y), {.create_graph = true});
    const Array<TestType> second = backward(sum(first.var(x) * first.var(x)))[x];
    for (std::size_t j = 0; j < 3; ++j) CHECK(second(0, j) == 0);
}

TEST_CASE("logsumexp: among elements of minus infinity alone the gradient is 0, in both modes") {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    Tape<double> tape;
    const auto x = tape.variable(Array<double>{{-infinity, -infinity}, {-infinity, 1}});
    const auto y = logsumexp(x, 1);
    CHECK(elements(y.value()) == std::vector<double>{-infinity, 1});
    CHECK(elements(backward(sum(y))[x]) == std::vector<double>{0, 0, 0, 1});
    CHECK(elements(backward(sum(y), {.create_graph = true})[x]) == std::vector<double>{0, 0, 0, 1});
    CHECK(elements(tangent<double>(y, {{x, Array<double>{{1, 2}, {3, 4}}}})) == std::vector<double>{0, 4});
}
