// Every kink that the table of ops names: the first and second derivatives there, by both modes, in float and double.
// What ops do at the ends of their domains is in the tests of each.
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>
#include "tests/specs/registry.hpp"

#include "tests/testing.hpp"

using namespace autograd;

namespace {

using Numbers = std::vector<double>;
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double selu_slope = 1.7580993408473768599;  // the product of the two constants of Klambauer et al.

/// The derivatives of sum(f(x)) at a point.
struct Kink {
    OpCall f;  ///< of the point's coordinates, each of shape (1,)
    Numbers at;
    Numbers gradient;
    Numbers hessian{};  ///< row by row; empty: zeros
};

/// f of all coordinates as one array.
template <class F>
OpCall on_vector(F f) {
    return OpCall([f](auto v) {
        const std::vector each(v.begin(), v.end());
        return f(concat(each, 0));
    });
}

const std::map<std::string, std::vector<Kink>>& kinks() {
    static const auto norm = [](double ord) {
        return on_vector([ord](auto x) { return vector_norm(x, {}, KeepDims::no, ord); });
    };
    static const OpCall of_maximum([](auto v) { return maximum(v[0], v[1]); }),
        of_minimum([](auto v) { return minimum(v[0], v[1]); }), of_clip([](auto v) { return clip(v[0], v[1], v[2]); }),
        of_logaddexp([](auto v) { return logaddexp(v[0], v[1]); }), of_xlogy([](auto v) { return xlogy(v[0], v[1]); }),
        of_xlog1py([](auto v) { return xlog1py(v[0], v[1]); }), of_hypot([](auto v) { return hypot(v[0], v[1]); }),
        of_pow([](auto v) { return pow(v[0], v[1]); }), of_atan2([](auto v) { return atan2(v[0], v[1]); }),
        of_copysign([](auto v) { return copysign(v[0], v[1]); }), of_relu6([](auto v) { return relu6(v[0]); }),
        of_hardtanh([](auto v) { return hardtanh(v[0], v[1], v[2]); }),
        of_hardsigmoid([](auto v) { return hardsigmoid(v[0]); }), of_hardswish([](auto v) { return hardswish(v[0]); }),
        of_max = on_vector([](auto x) { return max(x); }), of_min = on_vector([](auto x) { return min(x); }),
        of_pool = on_vector([](auto x) {
            return max_pool2d(reshape(x, {1, 1, 2, 2}), 2, {.stride = 1, .padding = 1});
        }),
        of_softmax = on_vector([](auto x) { return square(softmax(x)); }),
        of_log_softmax = on_vector([](auto x) { return log_softmax(x); }),
        of_logsumexp = on_vector([](auto x) { return logsumexp(x); }),
        of_share([](auto v) { return ops::share_of_sum(v[0], v[1], v[2], v[3]); }),
        of_logcumsumexp = on_vector([](auto x) { return logcumsumexp(x, 0); }),
        of_stddev = on_vector([](auto x) { return stddev(x); });
    static const std::map<std::string, std::vector<Kink>> all{
        {"abs", {{[](auto v) { return abs(v[0]); }, {0}, {0}}}},
        {"maximum", {{of_maximum, {1, 1}, {0.5, 0.5}}, {of_maximum, {0, -0.0}, {0.5, 0.5}}}},
        {"minimum", {{of_minimum, {1, 1}, {0.5, 0.5}}, {of_minimum, {0, -0.0}, {0.5, 0.5}}}},
        {"clip", {{of_clip, {-1, -1, 1}, {1, 0, 0}}, {of_clip, {1, -1, 1}, {1, 0, 0}}}},
        {"logaddexp", {{of_logaddexp, {infinity, infinity}, {0.5, 0.5}}, {of_logaddexp, {-infinity, -infinity}, {0.5, 0.5}}}},
        {"xlogy", {{of_xlogy, {0, 0}, {0, 0}}, {of_xlogy, {0, -2}, {0, 0}}}},
        {"xlog1py", {{of_xlog1py, {0, -1}, {0, 0}}, {of_xlog1py, {0, -3}, {0, 0}}}},
        {"hypot",
         {{of_hypot, {0, 0}, {0, 0}},
          {of_hypot, {infinity, 1}, {1, 0}},
          {of_hypot, {2, -infinity}, {0, -1}},
          {of_hypot, {infinity, infinity}, {not_a_number, not_a_number}}}},
        {"pow",
         {{of_pow, {0, 0}, {0, 0}},
          {of_pow, {0, 1}, {1, 0}},
          {of_pow, {0, 2}, {0, 0}, {2, 0, 0, 0}},
          {of_pow, {0, 3}, {0, 0}}}},
        {"atan2",
         {{of_atan2, {0, 0}, {0, 0}},
          {of_atan2, {0, -2}, {-0.5, 0}, {0, -0.25, -0.25, 0}},
          {of_atan2, {infinity, 1}, {0, 0}},
          {of_atan2, {infinity, infinity}, {not_a_number, not_a_number}}}},
        {"floor", {{[](auto v) { return floor(v[0]); }, {2}, {0}}}},
        {"ceil", {{[](auto v) { return ceil(v[0]); }, {2}, {0}}}},
        {"trunc", {{[](auto v) { return trunc(v[0]); }, {2}, {0}}}},
        {"round", {{[](auto v) { return round(v[0]); }, {2.5}, {0}}}},
        {"sign", {{[](auto v) { return sign(v[0]); }, {0}, {0}}}},
        {"copysign", {{of_copysign, {0, 1}, {0, 0}}, {of_copysign, {-0.0, 1}, {0, 0}}}},
        {"floor_divide", {{[](auto v) { return floor_divide(v[0], v[1]); }, {6, 2}, {0, 0}}}},
        {"remainder", {{[](auto v) { return remainder(v[0], v[1]); }, {6, 2}, {1, -3}}}},
        {"relu", {{[](auto v) { return relu(v[0]); }, {0}, {0}}}},
        {"relu6", {{of_relu6, {0}, {0}}, {of_relu6, {6}, {0}}}},
        // The piece below: slope x, alpha (exp(x) - 1), alpha (exp(x / alpha) - 1).
        {"leaky_relu", {{[](auto v) { return leaky_relu(v[0], v[1]); }, {0, 0.25}, {0.25, 0}, {0, 1, 1, 0}}}},
        {"elu", {{[](auto v) { return elu(v[0], v[1]); }, {0, 2}, {2, 0}, {2, 1, 1, 0}}}},
        {"celu", {{[](auto v) { return celu(v[0], v[1]); }, {0, 2}, {1, 0}, {0.5, 0, 0, 0}}}},
        {"selu", {{[](auto v) { return selu(v[0]); }, {0}, {selu_slope}, {selu_slope}}}},
        {"hardtanh", {{of_hardtanh, {-1, -1, 1}, {0, 1, 0}}, {of_hardtanh, {1, -1, 1}, {0, 0, 1}}}},
        {"hardsigmoid", {{of_hardsigmoid, {-3}, {0}}, {of_hardsigmoid, {3}, {0}}}},
        {"hardswish", {{of_hardswish, {-3}, {0}}, {of_hardswish, {3}, {1}}}},
        {"max", {{of_max, {2, 1, 2}, {0.5, 0, 0.5}}, {of_max, {infinity, infinity}, {0.5, 0.5}}}},
        {"min", {{of_min, {1, 2, 1}, {0.5, 0, 0.5}}, {of_min, {-infinity, 0, -infinity}, {0.5, 0, 0.5}}}},
        // Nine windows: of one element at the corners, of two at the edges, of all four in the middle.
        {"max_pool2d",
         {{of_pool, {1, 1, 1, 1}, {2.25, 2.25, 2.25, 2.25}},
          {of_pool, {-infinity, -infinity, -infinity, -infinity}, {2.25, 2.25, 2.25, 2.25}}}},
        // The sum of squares of shares, so that their derivatives do not cancel.
        {"softmax", {{of_softmax, {infinity, 1}, {0, 0}}, {of_softmax, {-infinity, -infinity}, {not_a_number, not_a_number}}}},
        {"log_softmax", {{of_log_softmax, {-infinity, -infinity}, {not_a_number, not_a_number}}}},
        {"logsumexp",
         {{of_logsumexp, {-infinity, -infinity}, {0, 0}},
          {of_logsumexp, {infinity, infinity}, {0.5, 0.5}, {0.25, -0.25, -0.25, 0.25}}}},
        {"share_of_sum", {{of_share, {-infinity, -infinity, 0, 0}, {0, 0, 0, 0}}}},
        {"logcumsumexp", {{of_logcumsumexp, {-infinity, -infinity}, {0, 0}}, {of_logcumsumexp, {-infinity, 1}, {0, 1}}}},
        {"stddev", {{of_stddev, {3, 3, 3}, {0, 0, 0}}, {of_stddev, {5}, {0}}, {of_stddev, {0, 0}, {0, 0}}}},
        {"vector_norm",
         {{norm(2), {0, 0}, {0, 0}},
          {norm(1), {0, 0}, {0, 0}},
          {norm(infinity), {0, 0}, {0, 0}},
          {norm(3), {0, 0}, {0, 0}},
          {norm(1.5), {0, 0}, {0, 0}},
          {norm(0.5), {0, 0}, {0, 0}},
          {norm(1), {0, -2}, {0, -1}},
          {norm(infinity), {2, -2}, {0.5, -0.5}},
          {norm(1.5), {0, -2}, {0, -1}},
          {norm(0.5), {0, -2}, {0, -1}},
          // No kink: the second derivative in an element that is 0 is 1 / y for order 2, and 0 for larger ones.
          {norm(2), {0, -2}, {0, -1}, {0.5, 0, 0, 0}},
          {norm(3), {0, -2}, {0, -1}}}},
    };
    return all;
}

/// Equal but for rounding: of numbers near 1, and of sums of such that vanish.
template <class T>
bool same(T found, double expected) {
    if (std::isnan(expected)) return std::isnan(found);
    const double rounding = 8 * static_cast<double>(std::numeric_limits<T>::epsilon());
    return std::fabs(static_cast<double>(found) - expected) <= rounding * std::fmax(1, std::fabs(expected));
}

template <class T>
void check(const Kink& kink) {
    const std::size_t n = kink.at.size();
    const bool is_nan = std::isnan(kink.gradient[0]);
    const Numbers hessian = kink.hessian.empty() ? Numbers(n * n, 0) : kink.hessian;
    Array<T> at = empty<T>({n});
    for (std::size_t i = 0; i < n; ++i) at(i) = static_cast<T>(kink.at[i]);
    const auto unit = [n](std::size_t i) {
        Array<T> direction = full<T>({n}, T(0));
        direction(i) = 1;
        return direction;
    };
    Tape<T> tape;
    const auto x = tape.variable(at);
    std::vector<Var<T>> coordinates;
    for (std::size_t i = 0; i < n; ++i) coordinates.push_back(slice(x, 0, {std::ptrdiff_t(i), std::ptrdiff_t(i) + 1}));
    const auto y = sum(kink.f(std::span<const Var<T>>(coordinates)));
    const auto gradient = backward(y, {.create_graph = true}).var(x);
    const Array<T> plain = backward(y)[x];
    for (std::size_t i = 0; i < n; ++i) {
        INFO("first derivative in " << i);
        CHECK(same(gradient.value()(i), kink.gradient[i]));
        CHECK(same(plain(i), kink.gradient[i]));
        CHECK(same(tangent(y, {{x, unit(i)}})(), kink.gradient[i]));
        if (is_nan) continue;
        const auto element = sum(slice(gradient, 0, {std::ptrdiff_t(i), std::ptrdiff_t(i) + 1}));
        const bool is_constant = !tape.node(element.index()).needs_gradient;
        const Array<T> row = is_constant ? full<T>({n}, T(0)) : backward(element)[x];
        for (std::size_t j = 0; j < n; ++j) {
            INFO("second derivative in " << i << ", " << j);
            CHECK(same(row(j), hessian[i * n + j]));
            const std::vector<Direction<T>> along{{x, unit(j)}};
            const auto moved = find_tangent(gradient, std::span<const Direction<T>>(along));
            CHECK(same(moved ? (*moved)(i) : T(0), hessian[i * n + j]));
        }
    }
}

}  // namespace

TEST_CASE("kinks: all derivatives at a kink are those of one smooth function") {
    for (const auto& [name, points] : kinks()) {
        for (const Kink& kink : points) {
            std::string at;
            for (const double each : kink.at) at += " " + std::to_string(each);
            INFO(name << " at" << at);
            check<double>(kink);
            check<float>(kink);
        }
    }
}

TEST_CASE("kinks: every kink of the table of ops has derivatives here, or none at all") {
    // argmax and argmin have no gradient; what eigh and eigvalsh do is in linear_algebra_test.cpp.
    const std::set<std::string> elsewhere{"argmax", "argmin", "eigh", "eigvalsh"};
    std::set<std::string> named;
    for (const OpSpec& spec : registry()) {
        if (std::string(spec.documentation.kinks) == Documentation{}.kinks) continue;
        INFO(spec.name);
        CHECK(kinks().count(spec.name) + elsewhere.count(spec.name) == 1);
        named.insert(spec.name);
    }
    CHECK(named.size() == kinks().size() + elsewhere.size());
}
