// Variances and norms at the places where a root has no derivative, and where squares are no numbers; and the counts,
// which have no derivative anywhere.
#include <cmath>
#include <limits>

#include "tests/testing.hpp"

using namespace autograd;

namespace {

using D = Array<double>;
using Numbers = std::vector<double>;
constexpr double infinity = std::numeric_limits<double>::infinity();

/// f's gradient, and the gradient of that gradient's sum.
template <class T, class F>
std::pair<std::vector<T>, std::vector<T>> gradients_of(F f, const Array<T>& at) {
    Tape<T> tape;
    const auto x = tape.variable(at);
    const auto first = backward(sum(f(x)), {.create_graph = true});
    CHECK(elements(backward(sum(f(x)))[x]) == elements(first[x]));
    return {elements(first[x]), elements(backward(sum(first.var(x)) + sum(x * 0))[x])};
}

/// The first and the second derivative of stddev of one number with correction 1.
std::pair<double, double> gradients_of_one() {
    Tape<double> tape;
    const auto x = tape.variable(D{5});
    const auto first = backward(stddev(x, {}, KeepDims::no, 1), {.create_graph = true}).var(x);
    return {first.item(), backward(sum(first))[x](0)};
}

/// Whether two numbers differ by rounding alone, of normal numbers or of subnormal ones.
template <class T>
bool near(T found, double expected, double ulps = 8) {
    if (std::isnan(expected)) return std::isnan(found);
    if (static_cast<double>(found) == expected) return true;
    return std::fabs(static_cast<double>(found) - expected) <=
           ulps * (static_cast<double>(std::numeric_limits<T>::epsilon()) * std::fabs(expected) +
                   static_cast<double>(std::numeric_limits<T>::denorm_min()));
}

/// Value, gradient by both modes, and Hessian of a function of one array with one value.
template <class T, class F>
void check_derivatives(F f, const Array<T>& at, double value, const Numbers& gradient, const Numbers& hessian_rows) {
    const std::size_t n = at.size();
    const auto found = vjp<T>(f, {at}, full<T>({}, T(1)));
    CHECK(near(found.value(), value));
    for (std::size_t i = 0; i < n; ++i) {
        INFO("in element " << i);
        CHECK(near(found.gradients[0](i), gradient[i]));
        Array<T> direction = full<T>({n}, T(0));
        direction(i) = 1;
        CHECK(near(jvp<T>(f, {at}, {direction}).tangent(), gradient[i]));
    }
    if (hessian_rows.empty()) return;
    const Array<T> second = hessian<T>(f, at);
    for (std::size_t i = 0; i < n * n; ++i) {
        INFO("second derivative " << i);
        CHECK(near(second.data()[i], hessian_rows[i], 32));
    }
}

}  // namespace

TEST_CASE("statistics: a mean is a number where its sum is none") {
    const auto f = [](const auto& x) { return mean(x); };
    const Numbers third(3, 1. / 3), fourth(4, 0.25);
    check_derivatives<float>(f, {3e38f, 3e38f, 2.4e38f}, 2.8e38, third, {});
    check_derivatives<float>(f, {3e38f, 3e38f, -3e38f, -3e38f}, 0, fourth, {});
    check_derivatives<double>(f, {1.7e308, 1.7e308, -1.7e308, 0.1e308}, 0.45e308, fourth, {});
    check_derivatives<double>(f, {1, infinity, 2, 3}, infinity, fourth, {});
    check_derivatives<double>(f, {1, infinity, -infinity, 3}, std::nan(""), fourth, {});
    // Several groups: the others stay as they are.
    Tape<float> tape;
    const auto x = tape.constant(Array<float>{{3e38f, 3e38f, 3e38f}, {1e-45f, 1e-45f, 4e-45f}});
    CHECK(near(mean(x, 1).value()(0), 3e38f));
    CHECK(mean(x, 1).value()(1) == mean(slice(x, 0, {1, 2})).item());
}

TEST_CASE("statistics: stddev is a number where its square is none") {
    const auto f = [](const auto& x) { return stddev(x); };
    const Numbers halves{0.5, -0.5}, minus_halves{-0.5, 0.5};
    check_derivatives<float>(f, {1e20f, -1e20f}, 1e20f, halves, {});
    check_derivatives<float>(f, {1e-30f, 3e-30f}, 1e-30f, minus_halves, {});
    check_derivatives<double>(f, {1e200, -1e200}, 1e200, halves, {});
    check_derivatives<double>(f, {1e-200, 3e-200}, 1e-200, minus_halves, {});
    check_derivatives<double>(f, {0, 1e-323}, 5e-324, minus_halves, {});
    // Of a, a, -a: a sqrt(8) / 3, with the slopes 1 / (3 sqrt(2)) and -sqrt(2) / 3; a distance from the mean overflows.
    const double root = std::sqrt(2.0);
    check_derivatives<float>(f, {3e38f, 3e38f, -3e38f}, double(3e38f) * 2 * root / 3,
                             {1 / (3 * root), 1 / (3 * root), -root / 3}, {});
    // Second derivatives are those of the formula over the scale: at (0, a, 2 a) the deviation is a sqrt(2 / 3), and
    // (u u' is the matrix of products of the slopes) they are (I - 1 1' / 3 - 3 u u') / (3 y).
    const auto check_second = [&](auto a) {
        using T = decltype(a);
        const double y = static_cast<double>(a) * std::sqrt(2. / 3), slope = 1 / std::sqrt(6.0);
        const Numbers u{-slope, 0, slope};
        Numbers second;
        for (std::size_t i = 0; i < 3; ++i) {
            for (std::size_t j = 0; j < 3; ++j) second.push_back(((i == j) - 1. / 3 - 3 * u[i] * u[j]) / (3 * y));
        }
        check_derivatives<T>(f, {0, a, 2 * a}, y, u, {});
        const Array<T> found = hessian<T>(f, Array<T>{0, a, 2 * a});
        // They are differences of numbers of the size 1 / y, which may be subnormal.
        const double rounding = 8 * static_cast<double>(std::numeric_limits<T>::epsilon()) / y +
                                8 * static_cast<double>(std::numeric_limits<T>::denorm_min());
        for (std::size_t i = 0; i < 9; ++i) {
            CHECK(std::fabs(static_cast<double>(found.data()[i]) - second[i]) <= rounding);
        }
    };
    for (const float a : {0x1p-100f, 0x1p-50f, 1.0f, 0x1p50f, 0x1p100f}) check_second(a);
    for (const double a : {0x1p-900, 0x1p-500, 1.0, 0x1p500, 0x1p1000}) check_second(a);
    // Each group has a scale of its own, and none of ordinary numbers changes beside others.
    Tape<float> tape;
    const auto x = tape.variable(Array<float>{{1e30f, -1e30f, 0}, {0.1f, 0.2f, 0.7f}, {1e-30f, 2e-30f, 3e-30f}, {4, 4, 4}});
    const auto y = stddev(x, 1);
    CHECK(y.value()(1) == stddev(slice(x, 0, {1, 2})).item());
    CHECK(near(y.value()(0), double(1e30f) * std::sqrt(2. / 3)));
    CHECK(near(y.value()(2), 1e-30 * std::sqrt(2. / 3)));
    CHECK(y.value()(3) == 0);
    const auto slopes = elements(backward(sum(y))[x]);
    CHECK(near(slopes[0], 1 / std::sqrt(6.0)));
    CHECK(near(slopes[6], -1 / std::sqrt(6.0)));
    CHECK(slopes[9] == 0);
    // Nothing on the way is infinite.
    tape.check_finite(true);
    CHECK(std::isfinite(sum(stddev(x, 1)).item()));
}

TEST_CASE("statistics: the gradient of a variance is a number where the variance is none") {
    const auto f = [](const auto& x) { return var(x); };
    check_derivatives<float>(f, {1e20f, -1e20f}, infinity, {double(1e20f), -double(1e20f)}, {0.5, -0.5, -0.5, 0.5});
    check_derivatives<double>(f, {1e-200, -1e-200}, 0, {1e-200, -1e-200}, {0.5, -0.5, -0.5, 0.5});
    // Of a, a, -a: 4 a / 9 and -8 a / 9. A distance from the mean, 4 a / 3, overflows.
    const double a = double(3e38f);
    check_derivatives<float>(f, {3e38f, 3e38f, -3e38f}, infinity, {4 * a / 9, 4 * a / 9, -8 * a / 9},
                             {4. / 9, -2. / 9, -2. / 9, -2. / 9, 4. / 9, -2. / 9, -2. / 9, -2. / 9, 4. / 9});
    check_derivatives<double>(f, {1.2e308, -0.3e308}, infinity, {0.75e308, -0.75e308}, {});
}

TEST_CASE("statistics: layer_norm does not depend on the scale where epsilon does not count") {
    // sum(w y) of (1, 2, 3, 4) with w = (1, -2, 3, 1), by hand: the distances from the mean d = (-3, -1, 1, 3) / 2, the
    // deviation r = sqrt(5) / 2, y = d / r; the gradient is (w - mean(w) - y mean(w y)) / r. It falls with the scale.
    const auto check = [](auto scale, double epsilon) {
        using T = decltype(scale);
        INFO("scale " << scale << ", epsilon " << epsilon);
        const auto f = [epsilon](const auto& x) {
            return sum(layer_norm(x, -1, epsilon) * x.tape().constant(Array<T>{1, -2, 3, 1}));
        };
        const double r = std::sqrt(5.0) / 2, s = static_cast<double>(scale);
        const Numbers d{-1.5, -0.5, 0.5, 1.5}, w{1, -2, 3, 1};
        double total = 0;
        for (std::size_t i = 0; i < 4; ++i) total += w[i] * d[i] / r;
        Numbers gradient;
        for (std::size_t i = 0; i < 4; ++i) gradient.push_back((w[i] - 0.75 - d[i] / r * total / 4) / (r * s));
        check_derivatives<T>(f, {scale, 2 * scale, 3 * scale, 4 * scale}, total, gradient, {});
        // The derivative of J(x) x = 0 in x is H x = -J: a gradient that falls with the scale, to second order.
        const auto product = hvp<T>(f, {{scale, 2 * scale, 3 * scale, 4 * scale}}, {{1, 2, 3, 4}}).gradients[0];
        for (std::size_t i = 0; i < 4; ++i) CHECK(near(product(i), -gradient[i] / s, 64));
    };
    for (const float scale : {0x1p55f, 0x1p62f, 0x1p100f}) check(scale, 1e-5);
    for (const double scale : {0x1p300, 0x1p520, 0x1p1000}) check(scale, 1e-5);
    for (const float scale : {0x1p-63f, 0x1p-40f, 1.0f, 0x1p100f}) check(scale, 0);
    for (const double scale : {0x1p-510, 0x1p-300, 1.0, 0x1p1000}) check(scale, 0);
    // 1e30 to 4e30, and the same beside ordinary numbers and beside a group in which epsilon is all there is.
    Tape<float> tape;
    const auto x = tape.variable(
        Array<float>{{1e30f, 2e30f, 3e30f, 4e30f}, {1, 2, 3, 4}, {1e-30f, -1e-30f, 1e-30f, -1e-30f}, {7, 7, 7, 7}});
    tape.check_finite(true);
    const auto y = layer_norm(x).value();
    CHECK(near(y(0, 0), -1.3416407864998738));
    CHECK(near(y(0, 1), -0.44721359549995794));
    CHECK(near(y(1, 3), 1.5 / std::sqrt(1.25 + 1e-5)));
    CHECK(near(y(2, 0), 1e-30 / std::sqrt(1e-5)));
    CHECK(y(3, 0) == 0);
    // An epsilon whose root alone is a number of this size: 1e-30 / sqrt(1e-60 + 1e-56) and the like.
    const auto tiny = tape.constant(Array<float>{1e-30f, -1e-30f});
    CHECK(near(layer_norm(tiny, -1, 1e-30).value()(0), 1e-15));
    const auto in_double = [](double at, double epsilon) {
        Tape<double> own;
        return layer_norm(own.constant(D{at, -at}), -1, epsilon).value()(0);
    };
    CHECK(in_double(1e-170, 0) == 1);
    CHECK(near(in_double(1e-150, 1e-300), 1 / std::sqrt(2.0)));
    CHECK(near(in_double(1e-300, 1e-280), 1e-160));
}

TEST_CASE("statistics: stddev of equal numbers is 0, with gradient 0") {
    const auto [first, second] = gradients_of([](auto x) { return stddev(x, 1); }, D{{3, 3, 3}, {1, 2, 3}});
    CHECK(Numbers(first.begin(), first.begin() + 3) == Numbers{0, 0, 0});
    CHECK(first[3] == Approx(-1 / std::sqrt(6.0)));
    CHECK(first[5] == Approx(1 / std::sqrt(6.0)));
    CHECK(Numbers(second.begin(), second.begin() + 3) == Numbers{0, 0, 0});
    CHECK(gradients_of([](auto x) { return stddev(x); }, D{5}).first == Numbers{0});
    Tape<double> tape;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(std::isnan(stddev(tape.constant(D{1, nan})).item()));
    const auto x = tape.variable(D{1, nan});
    CHECK(std::isnan(backward(stddev(x))[x](0)));
    // The means of most of these round.
    for (std::size_t n = 2; n < 60; ++n) {
        for (const double each : {0.1, 0.3, 0.7, 1.1, 3.3e10}) {
            Tape<double> own;
            const auto equal = own.variable(full<double>({n}, each));
            const auto y = stddev(equal), of_var = sqrt(var(equal) + 1e-40);
            CHECK(y.item() == 0);
            CHECK(elements(backward(y)[equal]) == Numbers(n, 0));
            CHECK(elements(backward(of_var)[equal]) == Numbers(n, 0));
        }
    }
    // Of one number, over n - 1 = 0, nothing is a number, to any order.
    const auto [of_one, second_of_one] = gradients_of_one();
    CHECK(std::isnan(of_one));
    CHECK(std::isnan(second_of_one));
}

TEST_CASE("statistics: var divides by n - correction, and is NaN where that is not positive") {
    Tape<double> tape;
    const auto x = tape.variable(D{1, 2, 3, 6});
    CHECK(var(x).item() == 3.5);
    CHECK(var(x, {}, KeepDims::no, 1).item() == Approx(14.0 / 3));
    CHECK(std::isnan(var(x, {}, KeepDims::no, 4).item()));
    CHECK(std::isnan(var(x, {}, KeepDims::no, 5).item()));
    CHECK(elements(backward(var(x))[x]) == Numbers{-1, -0.5, 0, 1.5});
    // The difference of two squares would lose all digits.
    CHECK(var(tape.constant(D{1e9 + 1, 1e9 + 2, 1e9 + 3})).item() == Approx(2.0 / 3).epsilon(1e-12));
}

TEST_CASE("statistics: the gradient of a norm at the zero vector is 0") {
    for (const double ord : {1.0, 2.0, 3.0, 1.5, 0.5, infinity}) {
        INFO(ord);
        const auto norm = [ord](auto x) { return vector_norm(x, 1, KeepDims::no, ord); };
        const auto [first, second] = gradients_of(norm, D{{0, 0, 0}, {0, -2, 0}});
        CHECK(first == Numbers{0, 0, 0, 0, -1, 0});
        for (const double each : second) CHECK(std::isfinite(each));
    }
    const Numbers slope = gradients_of([](auto x) { return vector_norm(x); }, D{3, -4}).first;
    CHECK(slope[0] == Approx(0.6).epsilon(1e-15));
    CHECK(slope[1] == Approx(-0.8).epsilon(1e-15));
    CHECK(gradients_of([](auto x) { return vector_norm(x, {}, KeepDims::no, infinity); }, D{2, -2, 1}).first ==
          Numbers{0.5, -0.5, 0});
}

TEST_CASE("statistics: norms neither overflow nor vanish") {
    for (const float size : {1e-30f, 1.0f, 1e30f}) {
        for (const double ord : {2.0, 4.0}) {
            Tape<float> tape;
            const auto x = tape.variable(Array<float>{3 * size, 4 * size});
            const auto y = vector_norm(x, {}, KeepDims::yes, ord);
            const double expected = std::pow(std::pow(3, ord) + std::pow(4, ord), 1 / ord);
            CHECK(y.value()(0) / size == Approx(expected).epsilon(1e-6));
            CHECK(backward(y)[x](0) == Approx(std::pow(3 / expected, ord - 1)).epsilon(1e-6));
        }
    }
    Tape<double> tape;
    CHECK(vector_norm(tape.constant(D{1, -infinity})).item() == infinity);
    CHECK(vector_norm(tape.constant(empty<double>({0}))).item() == 0);
    CHECK_THROWS_AS(vector_norm(tape.constant(empty<double>({0})), {}, KeepDims::no, infinity), ShapeError);
}

TEST_CASE("statistics: the gradient of a norm does not depend on the scale, and its Hessian falls with it") {
    // Closed form, y the norm: the slopes u = sign(x) (|x| / y)^(p - 1), and the second derivatives
    // (p - 1) (|x|^(p - 2) / y^(p - 1) on the diagonal - u u' / y).
    const auto check = [](auto scale, double p) {
        using T = decltype(scale);
        INFO("scale " << scale << ", order " << p);
        const double s = static_cast<double>(scale);
        const Numbers x{3, -4, 1};
        double total = 0;
        for (const double each : x) total += std::pow(std::fabs(each), p);
        const double y = std::pow(total, 1 / p);
        Numbers slope, second;
        for (const double each : x) slope.push_back(std::copysign(std::pow(std::fabs(each) / y, p - 1), each));
        for (std::size_t i = 0; i < 3; ++i) {
            for (std::size_t j = 0; j < 3; ++j) {
                const double own = i == j ? std::pow(std::fabs(x[i]) / y, p - 2) : 0;
                second.push_back((p - 1) * (own - slope[i] * slope[j]) / y / s);
            }
        }
        const auto norm = [p](const auto& v) { return vector_norm(v, {}, KeepDims::no, p); };
        const Array<T> at{3 * scale, -4 * scale, scale};
        const auto found = vjp<T>(norm, {at}, full<T>({}, T(1)));
        const double ulps = 8 + 4 * p + 4 / p;  // of powers: the rounding of their arguments, p times
        CHECK(near(found.value(), y * s, ulps));
        const Array<T> hessian_rows = hessian<T>(norm, at);
        const double rounding =
            ulps * (static_cast<double>(std::numeric_limits<T>::epsilon()) * (1 + p) * std::pow(8, 1 / p) / s +
                    static_cast<double>(std::numeric_limits<T>::denorm_min()));
        for (std::size_t i = 0; i < 3; ++i) {
            CHECK(near(found.gradients[0](i), slope[i], ulps));
            Array<T> direction = full<T>({3}, T(0));
            direction(i) = 1;
            CHECK(near(jvp<T>(norm, {at}, {direction}).tangent(), slope[i], ulps));
        }
        for (std::size_t i = 0; i < 9; ++i) {
            CHECK(std::fabs(static_cast<double>(hessian_rows.data()[i]) - second[i]) <= rounding);
        }
    };
    for (const double p : {0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 20.0}) {
        for (const float scale : {0x1p-115f, 0x1p-50f, 1.0f, 0x1p50f, 0x1p115f}) check(scale, p);
        for (const double scale : {0x1p-1000, 0x1p-400, 1.0, 0x1p400, 0x1p1000}) check(scale, p);
    }
    // The smallest number, and a norm which is beyond the largest.
    const Numbers smallest = gradients_of([](auto x) { return vector_norm(x); }, D{5e-324, 5e-324}).first;
    CHECK(near(smallest[0], std::sqrt(0.5)));
    CHECK(near(smallest[1], std::sqrt(0.5)));
    for (const double p : {1.5, 2.0, 3.0}) {
        const auto norm = [p](const auto& x) { return vector_norm(x, {}, KeepDims::no, p); };
        const double slope = std::pow(2, 1 / p - 1);
        check_derivatives<double>(norm, {1.7e308, -1.7e308}, infinity, {slope, -slope}, {});
        check_derivatives<float>(norm, {3e38f, -3e38f}, infinity, {slope, -slope}, {});
        check_derivatives<float>(norm, {1e-45f, -1e-45f}, double(1e-45f) * (p < 2 ? 2 : 1), {slope, -slope}, {});
    }
}

TEST_CASE("statistics: norms with infinities and NaN have the slopes that are the limits") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto equal = [](const Numbers& a, const Numbers& b) {
        return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                          [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); });
    };
    const auto slopes = [&](const D& at, double ord) {
        Tape<double> tape;
        const auto x = tape.variable(at);
        const auto y = vector_norm(x, {}, KeepDims::no, ord);
        const auto first = backward(y, {.create_graph = true}).var(x);
        const Numbers slope = elements(first.value());
        CHECK(equal(elements(backward(y)[x]), slope));
        // Where all are numbers, forward mode has them too, and they are constants.
        const bool all_finite = std::all_of(slope.begin(), slope.end(), [](double each) { return std::isfinite(each); });
        for (std::size_t i = 0; i < at.size() && all_finite; ++i) {
            D direction = full<double>({at.size()}, 0);
            direction(i) = 1;
            CHECK(tangent(y, {{x, direction}})() == slope[i]);
            const std::vector<Direction<double>> along{{x, direction}};
            const auto second = find_tangent(first, std::span<const Direction<double>>(along));
            if (second) CHECK(elements(*second) == Numbers(at.size(), 0));
        }
        return slope;
    };
    for (const double ord : {0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 100.0, infinity}) {
        INFO("order " << ord);
        // What is left of |x|^(ord - 1) over that of infinity; a 0 is a kink for orders below 2.
        const double beside = ord < 1 ? infinity : ord == 1 ? 1 : 0;
        CHECK(equal(slopes(D{infinity, 1}, ord), {1, beside}));
        CHECK(equal(slopes(D{2, -infinity, -3, 0}, ord), {beside, -1, -beside, 0}));
        // Of several infinities the shares have no limit, but for the sum and for the maximum, which parts them
        // equally.
        const double share = ord == 1 ? 1 : std::isinf(ord) ? 0.5 : nan;
        CHECK(equal(slopes(D{infinity, 1, -infinity}, ord), {share, beside, -share}));
        CHECK(std::isnan(slopes(D{nan, 1}, ord)[0]));
        CHECK(std::isnan(slopes(D{nan, infinity}, ord)[0]));
        // Another group has its own.
        Tape<double> tape;
        const auto x = tape.variable(D{{infinity, 1}, {0, -2}, {0, 0}});
        const auto first = elements(backward(sum(vector_norm(x, 1, KeepDims::no, ord)))[x]);
        CHECK(equal(first, {1, beside, 0, -1, 0, 0}));
    }
}

TEST_CASE("statistics: counts see NaN and signed zeros as numbers do, and cut the gradient") {
    Tape<double> tape;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto x = tape.variable(D{{0, -0.0, 2}, {nan, -1, 3}, {0, 0, 0}});
    CHECK(elements(count_nonzero(x, 1).value()) == Numbers{1, 3, 0});
    CHECK(elements(any(x, 1).value()) == Numbers{1, 1, 0});
    CHECK(elements(all(x, 1).value()) == Numbers{0, 1, 0});
    CHECK(all(tape.constant(empty<double>({0}))).item() == 1);
    CHECK(any(tape.constant(empty<double>({0}))).item() == 0);
    CHECK_THAT(message_of<GradientError>([&] { backward(sum(all(x))); }), contains("equal"));
}

TEST_CASE("statistics: the second derivatives of a norm are those of its formula where elements are 0") {
    const D at{0, 3, 4};
    const D formula = hessian<double>([](const auto& x) { return sqrt(sum(square(x))); }, at);
    const D found = hessian<double>([](const auto& x) { return vector_norm(x); }, at);
    CHECK(found(0, 0) == Approx(0.2).epsilon(1e-14));
    for (std::size_t i = 0; i < found.size(); ++i) {
        CHECK(found.data()[i] == Approx(formula.data()[i]).margin(1e-15).epsilon(1e-14));
    }
}
