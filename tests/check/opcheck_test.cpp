// opcheck passes a right op of a user's and finds the faults of wrong ones, which exist for this test alone.
#include <cmath>
#include <string>
#include <vector>

#include "autograd/autograd.hpp"
#include "autograd/check.hpp"
#include "tests/catch.hpp"

namespace {

using namespace autograd;

constexpr auto swish = elementwise<"swish">([](auto x) { return x * sigmoid(x); });
constexpr auto hypotenuse = elementwise<"hypotenuse">([](auto a, auto b) { return sqrt(a * a + b * b); });
constexpr OpOracle of_hypotenuse{.domain = {{{0.5, 2}, {-2, 2}}},
                                 .reference = [](const double* x) { return std::hypot(x[0], x[1]); }};
constexpr auto cube = elementwise<"cube">([](auto x) { return x * x * x; }, [](auto g, auto x, auto) { return 3 * g * x * x; });

constexpr auto wrong_cube =
    elementwise<"wrong_cube">([](auto x) { return x * x * x; }, [](auto g, auto x, auto) { return 2 * g * x * x; });
constexpr auto forgotten = elementwise<"forgotten">([](auto a, auto b) { return a * b; },
                                                    [](auto g, auto, auto b, auto) { return g * b; }, no_gradient);
constexpr auto swallows_nan = elementwise<"swallows_nan">([](auto x) { return where(x > 0, x, 0); });
constexpr auto wrong_value = elementwise<"wrong_value">([](auto x) { return x * 1.000001; });
/// Its rule is right to first order, and no function of the inputs to second.
constexpr auto wrong_second_order = elementwise<"wrong_second_order">(
    [](auto x) { return x * x * x; }, [](auto g, auto x, auto) { return 3 * g * x * stop_gradient(x); });

bool mentions(const std::vector<std::string>& failures, const std::string& part) {
    for (const std::string& failure : failures) {
        if (failure.find(part) != std::string::npos) return true;
    }
    return false;
}

}  // namespace

TEST_CASE("a user's op is checked by the same means", "[opcheck]") {
    CHECK(opcheck(spec_of(swish)) == std::vector<std::string>{});
    CHECK(opcheck(spec_of(hypotenuse, of_hypotenuse)) == std::vector<std::string>{});
    CHECK(spec_of(hypotenuse).arity == 2);
    CHECK(opcheck(spec_of(cube, composite)) == std::vector<std::string>{});
}

TEST_CASE("opcheck finds planted faults", "[opcheck]") {
    CHECK(mentions(opcheck(spec_of(wrong_cube)), "0.666667 times what it should be"));
    CHECK(mentions(opcheck(spec_of(wrong_cube, composite)), "its stated gradient is"));
    CHECK(mentions(opcheck(spec_of(forgotten)), "no gradient arrives"));
    CHECK(mentions(opcheck(spec_of(swallows_nan)), "its value at nan is 0, not nan"));
    CHECK(mentions(opcheck(spec_of(wrong_value, {.reference = [](const double* x) { return x[0]; }})), "the reference gives"));
    CHECK(mentions(opcheck(spec_of(wrong_second_order)), "order 2"));
}

TEST_CASE("opcheck finds planted faults of structured ops", "[opcheck]") {
    OpSpec spec{.name = "total"};
    OpCase right{.name = "a case",
                 .shapes = {{2, 3}},
                 .call = [](auto v) { return sum(v[0]); },
                 .reference =
                     [](std::span<const Array<double>> x) {
                         double total = 0;
                         for (const double each : x[0]) total += each;
                         return full<double>({}, total);
                     }};
    spec.cases = {right};
    CHECK(opcheck(spec) == std::vector<std::string>{});
    spec.cases[0].call = [](auto v) { return sum(v[0], {}, KeepDims::yes); };
    CHECK(mentions(opcheck(spec), "the value has shape (1, 1), not ()"));
    spec.cases[0].call = [](auto v) { return mean(v[0]); };
    CHECK(mentions(opcheck(spec), "the reference gives"));
    spec.cases[0].call = [](auto v) { return sum(stop_gradient(v[0])); };
    CHECK(mentions(opcheck(spec), "no gradient arrives"));
    spec.cases[0].call = [](auto v) { return sum(where(v[0] == v[0], v[0], 0)); };
    CHECK(mentions(opcheck(spec), "the reference gives nan"));
    spec.cases = {right};
    spec.misuses = {{{{2, 3}}, right.call, {"total"}}};
    CHECK(mentions(opcheck(spec), "taken without an error"));
    spec.misuses = {{{{2, 3}}, [](auto v) { return sum(v[0], 2); }, {"axis 7"}}};
    CHECK(mentions(opcheck(spec), "does not say \"axis 7\""));
}
