// The references of digamma and polygamma: the recurrence up to a large argument, and there a few terms of the asymptotic
// series, in long double. Slow, plain and independent of what the ops call.
#include "tests/specs/special_references.hpp"

#include <cmath>
#include <limits>

namespace autograd::specs {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// B_2, B_4, ...
constexpr long double bernoulli[] = {1.0L / 6, -1.0L / 30, 1.0L / 42, -1.0L / 30, 5.0L / 66, -691.0L / 2730, 7.0L / 6};

}  // namespace

double reference_polygamma(const double* inputs) {
    const double n = inputs[0], x = inputs[1];
    if (!(n >= 0 && n <= 20 && n == std::floor(n)) || std::isnan(x) || x == -infinity) return nan;
    const int order = static_cast<int>(n);
    if (x <= 0 && x == std::floor(x)) {
        if (order % 2 == 1) return infinity;
        return x == 0 ? -std::copysign(infinity, x) : nan;
    }
    if (x == infinity) return order == 0 ? infinity : 0;
    const long double side = order % 2 == 1 ? 1 : -1;
    const long double factorial = std::tgamma(static_cast<long double>(order) + 1);
    // The recurrence: psi_n(x) = psi_n(x + 1) + side n! / x^(n + 1).
    long double at = x, sum = 0;
    for (; at < 40; at += 1) sum += side * factorial / std::pow(at, order + 1);
    // Abramowitz and Stegun, 6.3.18 and 6.4.11.
    if (order == 0) {
        sum += std::log(at) - 1 / (2 * at);
    } else {
        sum += side * (factorial / order / std::pow(at, order) + factorial / (2 * std::pow(at, order + 1)));
    }
    for (int k = 1; k <= 7; ++k) {
        const long double ratio = std::tgamma(2.0L * k + order) / std::tgamma(2.0L * k + 1);
        sum += side * bernoulli[k - 1] * ratio / std::pow(at, 2 * k + order);
    }
    return static_cast<double>(sum);
}

double reference_digamma(const double* inputs) {
    const double of_polygamma[] = {0, inputs[0]};
    return reference_polygamma(of_polygamma);
}

}  // namespace autograd::specs
