// An op of a project's own, with its test there. It also holds the version that headers name to the package's.
#include <autograd/autograd.hpp>
#include <autograd/catch2.hpp>

#include <string>

#if XTAPE_VERSION_MAJOR != 0 || XTAPE_VERSION_MINOR != 2
#error another version than the one that was asked for
#endif

inline constexpr auto swish = autograd::elementwise<"swish">([](auto x) { return x * sigmoid(x); });

TEST_CASE("the gradient of an op of one's own") {
    const autograd::Array<double> x{-1.5, -0.2, 0.7, 2.0};
    REQUIRE_THAT(swish, autograd::HasCorrectGradient(x).order(2));
}

TEST_CASE("the version of the headers") { CHECK(std::string(autograd::version).starts_with("0.2.")); }
