// What the elementwise ops are held against, an entry each: where to sample their inputs from, their value by other
// means, and how far the two may be apart. Formula, gradient and kinks stand with the definitions, in autograd/ops/.
#include "autograd/ops/elementwise.hpp"

#include <cmath>
#include <numbers>

#include "tests/specs/registry.hpp"
#include "tests/specs/special_references.hpp"

namespace autograd::specs {

std::vector<OpSpec> elementwise_specs() {
    // Laid out by hand: a table.
    // clang-format off
    return {
        // comparisons.hpp
        spec_of(ops::greater, {.reference = [](const double* x) { return double(x[0] > x[1]); }}),
        spec_of(ops::greater_equal, {.reference = [](const double* x) { return double(x[0] >= x[1]); }}),
        spec_of(ops::less, {.reference = [](const double* x) { return double(x[0] < x[1]); }}),
        spec_of(ops::less_equal, {.reference = [](const double* x) { return double(x[0] <= x[1]); }}),
        spec_of(ops::equal, {.reference = [](const double* x) { return double(x[0] == x[1]); }}),
        spec_of(ops::not_equal, {.reference = [](const double* x) { return double(x[0] != x[1]); }}),
        spec_of(ops::logical_and, {.reference = [](const double* x) { return double(x[0] != 0 && x[1] != 0); }}),
        spec_of(ops::logical_or, {.reference = [](const double* x) { return double(x[0] != 0 || x[1] != 0); }}),
        spec_of(ops::logical_xor, {.reference = [](const double* x) { return double((x[0] != 0) != (x[1] != 0)); }}),
        spec_of(ops::logical_not, {.reference = [](const double* x) { return double(x[0] == 0); }}),
        spec_of(ops::isnan, {.reference = [](const double* x) { return double(std::isnan(x[0])); }}),
        spec_of(ops::isinf, {.reference = [](const double* x) { return double(std::isinf(x[0])); }}),
        spec_of(ops::isfinite, {.reference = [](const double* x) { return double(std::isfinite(x[0])); }}),
        spec_of(ops::signbit, {.reference = [](const double* x) { return double(std::signbit(x[0])); }}),
        spec_of(ops::stop_gradient, {.reference = [](const double* x) { return x[0]; }}),
        spec_of(ops::where, {.reference = [](const double* x) { return x[0] != 0 ? x[1] : x[2]; }}),
        // arithmetic.hpp
        spec_of(ops::add, {.reference = [](const double* x) { return x[0] + x[1]; }}),
        spec_of(ops::subtract, {.reference = [](const double* x) { return x[0] - x[1]; }}),
        spec_of(ops::multiply, {.reference = [](const double* x) { return x[0] * x[1]; }}),
        spec_of(ops::divide,
                {.domain = {{{-2, 2}, {0.5, 2}}},
                 .reference = [](const double* x) { return x[0] / x[1]; }}),
        spec_of(ops::negative, {.reference = [](const double* x) { return -x[0]; }}),
        spec_of(ops::positive, {.reference = [](const double* x) { return x[0]; }}),
        spec_of(ops::reciprocal, {.domain = {{{0.5, 2}}}, .reference = [](const double* x) { return 1 / x[0]; }}),
        spec_of(ops::abs, {.reference = [](const double* x) { return std::fabs(x[0]); }}),
        spec_of(ops::maximum, {.reference = [](const double* x) { return x[0] > x[1] ? x[0] : x[1]; }}),
        spec_of(ops::minimum, {.reference = [](const double* x) { return x[0] < x[1] ? x[0] : x[1]; }}),
        spec_of(ops::clip,
                {.domain = {{{-2, 2}, {-1.5, -0.5}, {0.5, 1.5}}},
                 .reference = [](const double* x) { return std::fmin(std::fmax(x[0], x[1]), x[2]); }}),
        // exponential.hpp
        spec_of(ops::exp, {.reference = [](const double* x) { return std::exp(x[0]); }}),
        spec_of(ops::exp2, {.reference = [](const double* x) { return std::exp2(x[0]); }}),
        spec_of(ops::expm1, {.reference = [](const double* x) { return std::expm1(x[0]); }}),
        spec_of(ops::log, {.domain = {{{0.1, 4}}}, .reference = [](const double* x) { return std::log(x[0]); }}),
        spec_of(ops::log1p, {.domain = {{{-0.9, 3}}}, .reference = [](const double* x) { return std::log1p(x[0]); }}),
        spec_of(ops::log2, {.domain = {{{0.1, 4}}}, .reference = [](const double* x) { return std::log2(x[0]); }}),
        spec_of(ops::log10, {.domain = {{{0.1, 4}}}, .reference = [](const double* x) { return std::log10(x[0]); }}),
        spec_of(ops::sigmoid,
                {.domain = {{{-6, 6}}},
                 .reference = [](const double* x) { return 1 / (1 + std::exp(-x[0])); }}),
        spec_of(ops::softplus,
                {.domain = {{{-6, 6}}},
                 .reference = [](const double* x) { return std::log1p(std::exp(x[0])); }}),
        spec_of(ops::logsigmoid,
                {.domain = {{{-6, 6}}},
                 .reference = [](const double* x) { return -std::log1p(std::exp(-x[0])); }}),
        spec_of(ops::logit,
                {.domain = {{{0.02, 0.98}}},
                 .reference = [](const double* x) {
                     const long double p = x[0];
                     // near 1/2 the logarithm loses the digits that the rounding of the quotient lost
                     if (p > 0.25L && p < 0.75L) return static_cast<double>(2 * std::atanh(2 * p - 1));
                     return static_cast<double>(std::log(p / (1 - p)));
                 }}),
        spec_of(ops::logaddexp,
                {.domain = {{{0.5, 4}, {-4, 4}}},
                 .reference = [](const double* x) {
                     if (std::isinf(x[0]) || std::isinf(x[1])) return x[0] > x[1] ? x[0] : x[1];
                     // wide, because the logarithm of a number near 1 loses the digits that its rounding lost
                     using Wide = long double;
                     return static_cast<double>(std::log(std::exp(Wide{x[0]}) + std::exp(Wide{x[1]})));
                 }}),
        spec_of(ops::xlogy,
                {.domain = {{{-2, 2}, {0.2, 3}}},
                 .reference = [](const double* x) {
                     return x[0] == 0 && !std::isnan(x[1]) ? 0 : x[0] * std::log(x[1]);
                 }}),
        spec_of(ops::xlog1py,
                {.domain = {{{-2, 2}, {-0.8, 2}}},
                 .reference = [](const double* x) {
                     return x[0] == 0 && !std::isnan(x[1]) ? 0 : x[0] * std::log1p(x[1]);
                 }}),
        // powers.hpp
        spec_of(ops::square, {.reference = [](const double* x) { return x[0] * x[0]; }}),
        spec_of(ops::sqrt, {.domain = {{{0.1, 4}}}, .reference = [](const double* x) { return std::sqrt(x[0]); }}),
        spec_of(ops::rsqrt, {.domain = {{{0.1, 4}}}, .reference = [](const double* x) { return 1 / std::sqrt(x[0]); }}),
        spec_of(ops::cbrt, {.domain = {{{0.1, 4}}}, .reference = [](const double* x) { return std::cbrt(x[0]); }}),
        spec_of(ops::hypot,
                {.domain = {{{0.3, 2}, {-2, 2}}},
                 .reference = [](const double* x) { return std::hypot(x[0], x[1]); }}),
        spec_of(ops::pow,
                {.domain = {{{0.2, 2}, {-2, 3}}},
                 .reference = [](const double* x) { return std::pow(x[0], x[1]); }}),
        // trigonometric.hpp
        spec_of(ops::sin, {.reference = [](const double* x) { return std::sin(x[0]); }}),
        spec_of(ops::cos, {.reference = [](const double* x) { return std::cos(x[0]); }}),
        spec_of(ops::tan, {.domain = {{{-1.3, 1.3}}}, .reference = [](const double* x) { return std::tan(x[0]); }}),
        spec_of(ops::asin, {.domain = {{{-0.9, 0.9}}}, .reference = [](const double* x) { return std::asin(x[0]); }}),
        spec_of(ops::acos, {.domain = {{{-0.9, 0.9}}}, .reference = [](const double* x) { return std::acos(x[0]); }}),
        spec_of(ops::atan, {.reference = [](const double* x) { return std::atan(x[0]); }}),
        spec_of(ops::atan2,
                {.domain = {{{0.3, 2}, {-2, 2}}},
                 .reference = [](const double* x) { return std::atan2(x[0], x[1]); }}),
        spec_of(ops::sinh, {.reference = [](const double* x) { return std::sinh(x[0]); }}),
        spec_of(ops::cosh, {.reference = [](const double* x) { return std::cosh(x[0]); }}),
        spec_of(ops::tanh, {.reference = [](const double* x) { return std::tanh(x[0]); }}),
        spec_of(ops::asinh, {.reference = [](const double* x) { return std::asinh(x[0]); }}),
        spec_of(ops::acosh, {.domain = {{{1.1, 4}}}, .reference = [](const double* x) { return std::acosh(x[0]); }}),
        spec_of(ops::atanh, {.domain = {{{-0.9, 0.9}}}, .reference = [](const double* x) { return std::atanh(x[0]); }}),
        // rounding.hpp
        spec_of(ops::floor, {.domain = {{{-8, 8}}}, .reference = [](const double* x) { return std::floor(x[0]); }}),
        spec_of(ops::ceil, {.domain = {{{-8, 8}}}, .reference = [](const double* x) { return std::ceil(x[0]); }}),
        spec_of(ops::trunc, {.domain = {{{-8, 8}}}, .reference = [](const double* x) { return std::trunc(x[0]); }}),
        spec_of(ops::round, {.domain = {{{-8, 8}}}, .reference = [](const double* x) { return std::nearbyint(x[0]); }}),
        spec_of(ops::sign,
                {.reference = [](const double* x) { return std::isnan(x[0]) ? x[0] : (x[0] > 0) - (x[0] < 0); }}),
        spec_of(ops::copysign, {.reference = [](const double* x) { return std::copysign(x[0], x[1]); }}),
        spec_of(ops::floor_divide,
                {.domain = {{{-8, 8}, {0.5, 2}}},
                 .reference = [](const double* x) { return std::floor(x[0] / x[1]); }}),
        spec_of(ops::remainder,
                {.domain = {{{-8, 8}, {0.5, 2}}},
                 .reference = [](const double* x) {
                     const long double a = x[0], b = x[1];
                     if (std::isinf(x[1]) && std::isfinite(x[0])) {
                         return x[0] == 0 || (x[0] < 0) == (x[1] < 0) ? x[0] : x[1];
                     }
                     return static_cast<double>(a - b * std::floor(a / b));
                 }}),
        // special.hpp
        spec_of(ops::erf, {.reference = [](const double* x) { return std::erf(x[0]); }}),
        spec_of(ops::erfc, {.reference = [](const double* x) { return std::erfc(x[0]); }}),
        spec_of(ops::lgamma,
                {.domain = {{{0.1, 6}}},
                 .reference = [](const double* x) {
                     return static_cast<double>(std::lgamma(static_cast<long double>(x[0])));
                 }}),
        spec_of(ops::digamma, {.domain = {{{0.1, 6}}}, .reference = reference_digamma}),
        spec_of(ops::polygamma, {.domain = {{{1, 1}, {0.1, 6}}}, .reference = reference_polygamma}),
        // activations.hpp
        spec_of(ops::relu, {.reference = [](const double* x) { return x[0] > 0 ? x[0] : 0; }}),
        spec_of(ops::relu6,
                {.domain = {{{-2, 8}}},
                 .reference = [](const double* x) { return std::fmin(std::fmax(x[0], 0), 6); }}),
        spec_of(ops::leaky_relu,
                {.domain = {{{-2, 2}, {0, 0.5}}},
                 .reference = [](const double* x) { return x[0] > 0 ? x[0] : x[1] * x[0]; }}),
        spec_of(ops::elu,
                {.domain = {{{-2, 2}, {0.5, 2}}},
                 .reference = [](const double* x) { return x[0] > 0 ? x[0] : x[1] * std::expm1(x[0]); }}),
        spec_of(ops::celu,
                {.domain = {{{-2, 2}, {0.5, 2}}},
                 .reference = [](const double* x) {
                     if (x[0] > 0 || (std::isinf(x[1]) && std::isfinite(x[0]))) return x[0];
                     return x[1] * std::expm1(x[0] / x[1]);
                 }}),
        spec_of(ops::selu,
                {.reference = [](const double* x) {
                     return ops::selu_scale * (x[0] > 0 ? x[0] : ops::selu_alpha * std::expm1(x[0]));
                 }}),
        spec_of(ops::silu,
                {.domain = {{{-6, 6}}},
                 .reference = [](const double* x) {
                     return std::isinf(x[0]) ? std::fmax(x[0], 0) : x[0] / (1 + std::exp(-x[0]));
                 }}),
        spec_of(ops::mish,
                {.domain = {{{-6, 6}}},
                 .reference = [](const double* x) {
                     return std::isinf(x[0]) ? std::fmax(x[0], 0) : x[0] * std::tanh(std::log1p(std::exp(x[0])));
                 }}),
        spec_of(ops::gelu,
                {.domain = {{{-3, 3}}},
                 .reference = [](const double* x) {
                     if (std::isinf(x[0])) return std::fmax(x[0], 0);
                     const long double at = x[0];
                     return static_cast<double>(at / 2 * std::erfc(-at / std::sqrt(2.0L)));
                 },
                 .ulps = 10}),
        spec_of(ops::gelu_tanh,
                {.domain = {{{-3, 3}}},
                 .reference = [](const double* x) {
                     if (std::isinf(x[0])) return std::fmax(x[0], 0);
                     const long double at = x[0], pi = std::numbers::pi_v<long double>;
                     const long double u = std::sqrt(2 / pi) * (at + 0.044715L * at * at * at);
                     return static_cast<double>(at * (1 + std::tanh(u)) / 2);
                 },
                 .ulps = 16}),
        spec_of(ops::softsign,
                {.reference = [](const double* x) {
                     return std::isinf(x[0]) ? std::copysign(1.0, x[0]) : x[0] / (1 + std::fabs(x[0]));
                 }}),
        spec_of(ops::hardtanh,
                {.domain = {{{-2, 2}, {-1.5, -0.5}, {0.5, 1.5}}},
                 .reference = [](const double* x) { return std::fmin(std::fmax(x[0], x[1]), x[2]); }}),
        spec_of(ops::hardsigmoid,
                {.domain = {{{-5, 5}}},
                 .reference = [](const double* x) {
                     return static_cast<double>(std::fmin(std::fmax(x[0] + 3.0L, 0.0L), 6.0L) / 6);
                 }}),
        spec_of(ops::hardswish,
                {.domain = {{{-5, 5}}},
                 .reference = [](const double* x) {
                     return x[0] <= -3 ? 0 : x[0] >= 3 ? x[0] : x[0] * (x[0] + 3) / 6;
                 }}),
    };
    // clang-format on
}

}  // namespace autograd::specs
