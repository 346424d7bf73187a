// At a kink an activation has the gradient that its documentation names, and at infinity its limit.
#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/gradients_at.hpp"
#include "tests/testing.hpp"

using namespace autograd;

namespace {

using Values = std::vector<double>;
constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("activations: gradients at the kinks") {
    const auto of_relu6 = [](auto x) { return relu6(x); };
    CHECK(gradients_of(of_relu6, 0) == Values{0});
    CHECK(gradients_of(of_relu6, 6) == Values{0});
    CHECK(gradients_of(of_relu6, 3) == Values{1});
    const auto of_leaky = [](auto x, auto slope) { return leaky_relu(x, slope); };
    CHECK(gradients_of(of_leaky, 0, 0.25) == Values{0.25, 0});
    CHECK(gradients_of(of_leaky, -2, 0.25) == Values{0.25, -2});
    CHECK(gradients_of(of_leaky, 2, 0.25) == Values{1, 0});
    const auto of_elu = [](auto x, auto alpha) { return elu(x, alpha); };
    CHECK(gradients_of(of_elu, 0, 0.5) == Values{0.5, 0});
    CHECK(gradients_of(of_elu, 800, 0.5) == Values{1, 0});
    CHECK(gradients_of(of_elu, -infinity, 0.5) == Values{0, -1});
    const auto of_celu = [](auto x, auto alpha) { return celu(x, alpha); };
    CHECK(gradients_of(of_celu, 0, 0.5) == Values{1, 0});
    CHECK(gradients_of(of_celu, -infinity, 0.5) == Values{0, -1});
    CHECK(gradients_of([](auto x) { return selu(x); }, 0)[0] == Approx(1.7580993408473766));
    const auto of_hardtanh = [](auto x, auto low, auto high) { return hardtanh(x, low, high); };
    CHECK(gradients_of(of_hardtanh, -1, -1, 1) == Values{0, 1, 0});
    CHECK(gradients_of(of_hardtanh, 1, -1, 1) == Values{0, 0, 1});
    CHECK(gradients_of(of_hardtanh, 0.5, -1, 1) == Values{1, 0, 0});
    CHECK(gradients_of(of_hardtanh, 1, 1, 1) == Values{0, 0, 1});
    CHECK(gradients_of(of_hardtanh, 0, 1, -1) == Values{0, 0, 1});  // bounds in the wrong order: the value is `high`
    const auto of_hardsigmoid = [](auto x) { return hardsigmoid(x); };
    CHECK(gradients_of(of_hardsigmoid, -3) == Values{0});
    CHECK(gradients_of(of_hardsigmoid, 3) == Values{0});
    CHECK(gradients_of(of_hardsigmoid, 0) == Values{1.0 / 6});
    const auto of_hardswish = [](auto x) { return hardswish(x); };
    CHECK(gradients_of(of_hardswish, -3) == Values{0});
    CHECK(gradients_of(of_hardswish, 3) == Values{1});
    CHECK(gradients_of(of_hardswish, 0) == Values{0.5});
    CHECK(gradients_of([](auto x) { return softsign(x); }, 0) == Values{1});
}

TEST_CASE("activations: values and gradients of both orders have their limits at infinity and far from 0") {
    const auto check = [](auto f, double above) {
        for (const double x : {-infinity, -1e300, -2000.0, 2000.0, 1e300, infinity}) {
            INFO(x);
            Tape<double> tape;
            const auto v = tape.variable(full<double>({1}, x));
            const auto y = f(v);
            CHECK(y.item() == (x > 0 ? x : 0));
            const auto gradients = backward(sum(y), {.create_graph = true});
            CHECK(gradients[v](0) == (x > 0 ? above : 0));
            CHECK(backward(sum(gradients.var(v)))[v](0) == 0);
        }
    };
    check([](auto x) { return silu(x); }, 1);
    check([](auto x) { return mish(x); }, 1);
    check([](auto x) { return gelu(x); }, 1);
    check([](auto x) { return gelu_tanh(x); }, 1);
    check([](auto x) { return hardswish(x) + 0 * relu6(x); }, 1);
    CHECK(gradients_of([](auto x) { return softsign(x); }, infinity) == Values{0});
}

TEST_CASE("activations: the second order does not leak from the branch that is not taken") {
    Tape<double> tape;
    const auto x = tape.variable(Array<double>{800.0, -3000.0, -1.0});
    const auto first = backward(sum(elu(x, 1) + celu(x, 2) + selu(x)), {.create_graph = true});
    const Array<double> second = backward(sum(first.var(x)))[x];
    CHECK(second(0) == 0);
    CHECK(second(1) == 0);
    CHECK(second(2) == Approx(2.7580993408473766 * std::exp(-1.0) + 0.5 * std::exp(-0.5)));
}

TEST_CASE("activations: the defaults are PyTorch's") {
    Tape<float> tape;
    const auto x = tape.variable(Array<float>{-2, -0.5, 0.5, 2});
    CHECK(leaky_relu(x).value() == leaky_relu(x, 0.01).value());
    CHECK(elu(x).value() == elu(x, 1).value());
    CHECK(celu(x).value() == celu(x, 1).value());
    CHECK(elements(hardtanh(x).value()) == std::vector<float>{-1, -0.5, 0.5, 1});
    CHECK(elements(leaky_relu(x).value())[0] == -0.02f);
}

TEST_CASE("activations, maximum, minimum and clip: the gradient at a NaN is NaN") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto all_nan = [](const Values& gradients) {
        return std::all_of(gradients.begin(), gradients.end(), [](double each) { return std::isnan(each); });
    };
    CHECK(all_nan(gradients_of([](auto x) { return relu(x); }, nan)));
    CHECK(all_nan(gradients_of([](auto x) { return relu6(x); }, nan)));
    CHECK(all_nan(gradients_of([](auto x, auto slope) { return leaky_relu(x, slope); }, nan, 0.25)));
    CHECK(all_nan(gradients_of([](auto x) { return hardsigmoid(x); }, nan)));
    CHECK(all_nan(gradients_of([](auto x) { return hardswish(x); }, nan)));
    CHECK(all_nan(gradients_of([](auto x) { return abs(x); }, nan)));
    const auto of_maximum = [](auto a, auto b) { return maximum(a, b); };
    const auto of_minimum = [](auto a, auto b) { return minimum(a, b); };
    CHECK(all_nan(gradients_of(of_maximum, nan, 1)));
    CHECK(all_nan(gradients_of(of_maximum, 1, nan)));
    CHECK(all_nan(gradients_of(of_minimum, nan, 1)));
    CHECK(all_nan(gradients_of(of_minimum, 1, nan)));
    const auto of_clip = [](auto x, auto low, auto high) { return clip(x, low, high); };
    const auto of_hardtanh = [](auto x, auto low, auto high) { return hardtanh(x, low, high); };
    for (const Values& at : {Values{nan, -1, 1}, Values{0, nan, 1}, Values{0, -1, nan}}) {
        CHECK(all_nan(gradients_of(of_clip, at[0], at[1], at[2])));
        CHECK(all_nan(gradients_of(of_hardtanh, at[0], at[1], at[2])));
    }
}
