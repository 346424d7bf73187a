// README.md's op with its test, as a file of its own.
#include "tests/catch.hpp"

#include <autograd/autograd.hpp>
#include <autograd/catch2.hpp>

inline constexpr auto swish = autograd::elementwise<"swish">([](auto x) { return x * sigmoid(x); });

const autograd::Array<double> x{-1.5, -0.2, 0.7, 2.0};
TEST_CASE("the gradient of swish") { REQUIRE_THAT(swish, autograd::HasCorrectGradient(x)); }
