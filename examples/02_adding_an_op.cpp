// Claim: an elementwise op is one line; its loops, broadcasting and derivatives of any order follow from it. A
// derivative can also be stated, where that is cheaper or where the derived one fails. A test of either is one line
// too.
#include <autograd/autograd.hpp>
#include <cmath>
#include <cstdio>
#include <limits>

#include "check.hpp"

using namespace autograd;

/// log(cosh(x)): a loss like x^2 / 2 near 0 and like |x| far away. As it stands in a formula book:
inline constexpr auto log_cosh_formula = elementwise<"log_cosh_formula">([](auto x) { return log(cosh(x)); });

/// cosh overflows beyond 710. The same value without, and with the derivative that the book gives, tanh, in place of
/// the one that follows from how the value is computed.
inline constexpr auto log_cosh =
    elementwise<"log_cosh">([](auto x) { return abs(x) + log1p(exp(-2 * abs(x))) - 0.69314718055994531; },
                            [](auto g, auto x, auto) { return g * tanh(x); });

int main() {
    Checks checks;
    const Array<double> x{-3.0, -0.2, 0.7, 2.0};

    Tape<double> tape;
    const auto v = tape.variable(x);
    const auto book = log_cosh_formula(v), stable = log_cosh(v);
    const auto book_gradients = backward(sum(book)), gradients = backward(sum(stable));
    std::printf("x          %s\n", to_string(x).c_str());
    std::printf("log_cosh   %s\n", to_string(stable.value()).c_str());
    std::printf("gradient   %s\n\n", to_string(gradients[v]).c_str());
    double value_error = 0, gradient_error = 0, stated_error = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        value_error = std::fmax(value_error, std::fabs(stable.value()(i) - std::log(std::cosh(x(i)))));
        stated_error = std::fmax(stated_error, std::fabs(gradients[v](i) - std::tanh(x(i))));
        gradient_error = std::fmax(gradient_error, std::fabs(book_gradients[v](i) - std::tanh(x(i))));
    }
    // Values and derivatives below 3, by a few operations: a few units in the last place of 3.
    const double rounding = 8 * std::numeric_limits<double>::epsilon();
    checks.near("log_cosh against the standard library, largest error", value_error, 0, rounding);
    checks.near("stated gradient against tanh, largest error", stated_error, 0, rounding);
    checks.near("derived gradient against tanh, largest error", gradient_error, 0, rounding);

    // The test that an op should have: against differences and against forward mode, of the second order as well.
    checks.holds("gradcheck(log_cosh_formula, {x}, {.order = 2})", bool(gradcheck(log_cosh_formula, {x}, {.order = 2})));
    checks.holds("gradcheck(log_cosh, {x}, {.order = 2})", bool(gradcheck(log_cosh, {x}, {.order = 2})));

    // Where the formula has overflowed, its derivative is not a number; the stated one is 1.
    const auto far = tape.variable(full<double>({}, 800.0));
    checks.near("log_cosh(800)", log_cosh(far).item(), 800 - std::log(2.0), 800 * rounding);
    checks.near("its gradient", backward(log_cosh(far))[far](), 1, 0);
    checks.holds("of the formula: infinite, with a gradient that is not a number",
                 std::isinf(log_cosh_formula(far).item()) && std::isnan(backward(log_cosh_formula(far))[far]()));

    // It broadcasts like every op, and what was broadcast gets a sum: a column of 2 minus a row of 3. It works on
    // floats.
    const auto ends = tape.variable(Array<double>{1.0, 2.0}), row = tape.variable(Array<double>{0.5, 1.0, 3.0});
    const auto table = log_cosh(reshape(ends, {2, 1}) - row);
    checks.near("gradient of the first of a column, against a row of 3", backward(sum(table))[ends](0),
                std::tanh(1 - 0.5) + std::tanh(1 - 1.0) + std::tanh(1 - 3.0), rounding);
    Tape<float> floats;
    const auto f = floats.variable(full<float>({}, 0.7f));
    checks.near("gradient in float", static_cast<double>(backward(log_cosh(f))[f]()), std::tanh(0.7),
                8 * static_cast<double>(std::numeric_limits<float>::epsilon()));
    return checks.result();
}
