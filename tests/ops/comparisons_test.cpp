// The truth tables of logic and the is... functions, NaN and -0 included, and that they say what they cut.
#include <cmath>
#include <limits>

#include "tests/testing.hpp"

using namespace autograd;

namespace {

inline constexpr auto root_or_line = elementwise<"root_or_line">([](auto x) { return where(x > 0, sqrt(x), x); });

// In each: the root of what is positive, and the rest as it is.
constexpr auto of_vars = [](const auto& x) { return where(x > 0, sqrt(x), x); };
constexpr auto of_argument = [](const auto& x) { return where(x > 0, sqrt(where(x > 0, x, 1)), x); };
constexpr auto of_lambda = [](const auto& x) { return root_or_line(x); };

bool names_the_ways(const std::string& message) {
    return message.find("where(x > 0, sqrt(where(x > 0, x, 1)), x)") != std::string::npos &&
           message.find("elementwise<\"...\">([](auto x) { return where(x > 0, sqrt(x), x); })") != std::string::npos;
}

}  // namespace

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

TEMPLATE_TEST_CASE("comparisons: where, and two ways to have no NaN from the branch that is not taken", "", float, double) {
    using T = TestType;
    using Numbers = std::vector<T>;
    const Array<T> at{T(-1), T(0), T(4)}, one = full<T>({3}, T(1));
    const Numbers slopes{1, 1, T(0.25)}, second{0, 0, T(-0.03125)};  // 1 / (2 sqrt(4)), -1 / (4 sqrt(4) 4)
    Tape<T> tape;
    const auto x = tape.variable(at);
    const auto check = [&](const auto& f) {
        CHECK(elements(f(x).value()) == Numbers{-1, 0, 2});
        CHECK(elements(backward(sum(f(x)))[x]) == slopes);
        CHECK(elements(backward(sum(f(x)), {.create_graph = true})[x]) == slopes);
        CHECK(elements(tangent<T>(f(x), {{x, one}})) == slopes);
        const auto loss = [&](const auto& each) { return sum(f(each)); };
        CHECK(elements(hvp<T>(loss, {at}, {one}).gradients[0]) == second);
    };
    check(of_argument);
    check(of_lambda);
    const auto recorded = backward(sum(of_argument(x)), {.create_graph = true});
    CHECK(elements(backward(sum(recorded.var(x)))[x]) == second);
    // Of Vars, the NaN is not swallowed.
    const auto gradients = backward(sum(of_vars(x)));
    CHECK((std::isnan(gradients[x](0)) && std::isnan(gradients[x](1)) && gradients[x](2) == T(0.25)));
}

TEST_CASE("comparisons: check_finite names the ways where a NaN may be of a branch that is not taken") {
    Tape<double> tape;
    tape.check_finite(true);
    const auto message_of_backward = [](const auto& loss, bool create_graph) {
        return message_of<FiniteError>([&] { backward(loss, {.create_graph = create_graph}); });
    };
    // In the value: of the branch itself.
    const auto negative = tape.variable(Array<double>{-1, 4});
    const std::string of_value = message_of<FiniteError>([&] { of_vars(negative); });
    CHECK_THAT(of_value, contains("check_finite: sqrt (node "));
    CHECK(names_the_ways(of_value));
    // In the gradient, of which 0 came to the element. Not where the derivative was asked for.
    const auto x = tape.variable(Array<double>{4, 0});
    for (const bool create_graph : {false, true}) {
        const std::string left_out = message_of_backward(sum(of_vars(x)), create_graph);
        CHECK_THAT(left_out, contains("backward pass of sqrt (node "));
        CHECK(names_the_ways(left_out));
    }
    for (const auto& loss : {sum(sqrt(x)), sum(where(x < 1, sqrt(x), x))}) {
        const std::string wanted = message_of_backward(loss, false);
        CHECK_THAT(wanted, contains("backward pass of sqrt (node ") && contains("element 1"));
        CHECK(!names_the_ways(wanted));
    }
    // Nor of an op that cannot stand in a lambda.
    const auto large = tape.constant(full<double>({1, 2}, 1e308));
    const std::string of_sum = message_of<FiniteError>([&] { sum(large * 1.5, 1); });
    CHECK_THAT(of_sum, contains("check_finite: sum (node "));
    CHECK(!names_the_ways(of_sum));
    // Both ways out pass.
    CHECK(elements(backward(sum(of_argument(x)))[x]) == std::vector<double>{0.25, 1});
    CHECK(elements(backward(sum(of_lambda(x)))[x]) == std::vector<double>{0.25, 1});
}
