// Where exponentials and logarithms, powers and angles are edgy: equal infinities, zeros, overflow, both orders there.
#include <cmath>
#include <limits>

#include "tests/gradients_at.hpp"
#include "tests/points.hpp"
#include "tests/testing.hpp"

using namespace autograd;

namespace {

using Values = std::vector<double>;
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// The derivatives of hypot and atan2 at (a, b), to 17 digits by mpmath.
struct AtPoint {
    double a, b;
    Values direction, turn, hessian;
};

template <class T>
void check_at(const AtPoint& point) {
    const double rounding = 8 * static_cast<double>(std::numeric_limits<T>::epsilon());
    const double lost = static_cast<double>(std::numeric_limits<T>::denorm_min());  // of a result that is subnormal
    const auto near = [&](T found, double expected) {
        return std::fabs(static_cast<double>(found) - expected) <= rounding * std::fabs(expected) + lost;
    };
    const Array<T> at{static_cast<T>(point.a), static_cast<T>(point.b)};
    const auto f = [](auto op) {
        return [op](const auto& v) { return op(sum(slice(v, 0, {0, 1})), sum(slice(v, 0, {1, 2}))); };
    };
    const auto of_hypot = f([](auto a, auto b) { return hypot(a, b); });
    const auto of_atan2 = f([](auto a, auto b) { return atan2(a, b); });
    const Array<T> direction = vjp<T>(of_hypot, {at}, full<T>({}, T(1))).gradients[0];
    const Array<T> turn = vjp<T>(of_atan2, {at}, full<T>({}, T(1))).gradients[0];
    const Array<T> second = hessian<T>(of_hypot, at);
    INFO("at " << point.a << ", " << point.b);
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(near(direction(i), point.direction[i]));
        CHECK(near(turn(i), point.turn[i]));
    }
    for (std::size_t i = 0; i < 4; ++i) CHECK(near(second.data()[i], point.hessian[i]));
}

template <class F>
double second_derivative(F f, double a, double b, bool of_second) {
    Tape<double> tape;
    const auto x = tape.variable(full<double>({1}, a)), y = tape.variable(full<double>({1}, b));
    const auto first = backward(sum(f(x, y)), {.create_graph = true});
    return backward(sum(first.var(x)))[of_second ? y : x](0);
}

}  // namespace

TEST_CASE("exponential: logaddexp at ties, infinities and far apart") {
    const auto f = [](auto a, auto b) { return logaddexp(a, b); };
    Tape<double> tape;
    const auto a = tape.constant(Array<double>{infinity, -infinity, -infinity, infinity, 1000, -1000, 3});
    const auto b = tape.constant(Array<double>{infinity, -infinity, 2, -infinity, 1000, -1000, 3e5});
    const double ln2 = std::log(2.0);
    CHECK(elements(f(a, b).value()) == Values{infinity, -infinity, 2, infinity, 1000 + ln2, -1000 + ln2, 3e5});
    CHECK(gradients_of(f, 1, 1) == Values{0.5, 0.5});
    CHECK(gradients_of(f, infinity, infinity) == Values{0.5, 0.5});
    CHECK(gradients_of(f, -infinity, -infinity) == Values{0.5, 0.5});
    CHECK(gradients_of(f, -infinity, 2) == Values{0, 1});
    CHECK(gradients_of(f, infinity, 2) == Values{1, 0});
    // A tie is no kink.
    CHECK(second_derivative(f, 1, 1, false) == 0.25);
    CHECK(second_derivative(f, 1, 1, true) == -0.25);
}

// Differences such as y (1 - y), 1 - y^2 and y + 1 would be 0 here.
TEMPLATE_TEST_CASE("exponential: gradients keep their digits where functions saturate", "", float, double) {
    const auto check = [&](auto f, const std::vector<Point>& points) { check_points<TestType, 1>(f, points, 4); };
    check([](auto x) { return sigmoid(x); }, {{{20}, 0.99999999793884638, {2.0611536139418493e-9}, {-2.0611536054451409e-9}},
                                              {{-20}, 2.0611536181902036e-9, {2.0611536139418493e-9}, {2.0611536054451409e-9}},
                                              {{80}, 1, {1.8048513878454152e-35}, {-1.8048513878454152e-35}},
                                              {{0}, 0.5, {0.25}, {0}},
                                              {{infinity}, 1, {0}, {0}},
                                              {{-infinity}, 0, {0}, {0}},
                                              {{not_a_number}, not_a_number, {not_a_number}}});
    check([](auto x) { return tanh(x); }, {{{10}, 0.99999999587769276, {8.2446144557673974e-9}, {-1.6489228843561127e-8}},
                                           {{-10}, -0.99999999587769276, {8.2446144557673974e-9}, {1.6489228843561127e-8}},
                                           {{40}, 1, {7.2194055513816607e-35}, {-1.4438811102763321e-34}},
                                           {{0.5}, 0.46211715726000976, {0.7864477329659274}, {-0.72686198138358728}},
                                           {{0}, 0, {1}, {0}},
                                           {{infinity}, 1, {0}, {0}},
                                           {{-infinity}, -1, {0}, {0}},
                                           {{not_a_number}, not_a_number, {not_a_number}}});
    check([](auto x) { return expm1(x); }, {{{-20}, -0.99999999793884638, {2.0611536224385578e-9}, {2.0611536224385578e-9}},
                                            {{-80}, -1, {1.8048513878454152e-35}, {1.8048513878454152e-35}},
                                            {{-infinity}, -1, {0}, {0}},
                                            {{infinity}, infinity, {infinity}, {infinity}}});
}

TEST_CASE("exponential: the gradient of exp2 is right to the smallest and the largest numbers") {
    Tape<float> tape;
    const auto x = tape.variable(Array<float>{-149, -140, 127.5f, 128});
    const Array<float> gradient = backward(sum(exp2(x)))[x];
    CHECK(gradient(0) == 0x1p-149f);  // 0.69 times it, rounded
    CHECK(std::fabs(gradient(1) - 0x1.62e43p-141f) <= 0x1p-149f);
    CHECK(gradient(2) == Approx(0x1.f5e4fbp126));  // 2^127.5 log(2)
    CHECK(gradient(3) == Approx(0x1.62e43p127));
}

TEST_CASE("exponential: the third derivative of tanh at 0 is that of a smooth function") {
    Tape<double> tape;
    const auto x = tape.variable(Array<double>{0.0});
    const auto first = backward(sum(tanh(x)), {.create_graph = true});
    const auto second = backward(sum(first.var(x)), {.create_graph = true});
    CHECK(backward(sum(second.var(x)))[x](0) == -2);
}

TEST_CASE("exponential: xlogy and xlog1py where x is 0") {
    const auto f = [](auto x, auto y) { return xlogy(x, y); };
    Tape<double> tape;
    const auto zero = tape.constant(Array<double>{0.0});
    for (const double y : {0.0, -1.0, infinity, 2.0}) CHECK(f(zero, y).item() == 0);
    CHECK(std::isnan(f(zero, not_a_number).item()));
    CHECK(gradients_of(f, 0, 0) == Values{0, 0});
    CHECK(gradients_of(f, 0, -1) == Values{0, 0});
    CHECK(gradients_of(f, 0, 2) == Values{std::log(2.0), 0});
    CHECK(second_derivative(f, 0, 2, true) == 0.5);  // not lost with the kink
    CHECK(gradients_of([](auto x) { return xlogy(x, x); }, 0) == Values{0});
    const auto g = [](auto x, auto y) { return xlog1py(x, y); };
    for (const double y : {-1.0, -2.0, infinity, 2.0}) CHECK(g(zero, y).item() == 0);
    CHECK(std::isnan(g(zero, not_a_number).item()));
    CHECK(gradients_of(g, 0, -1) == Values{0, 0});
    CHECK(gradients_of(g, 0, 1)[0] == Approx(std::log(2.0)));
    CHECK(second_derivative(g, 0, 1, true) == 0.5);
}

TEST_CASE("exponential: logit keeps its digits around a half and at the ends") {
    Tape<double> tape;
    const auto x = tape.constant(Array<double>{0, 1, 0.5, 0.5 + 1e-12, 1e-300, -0.1, 1.1});
    const Array<double> y = logit(x).value();
    CHECK(y(0) == -infinity);
    CHECK(y(1) == infinity);
    CHECK(y(2) == 0);
    CHECK(y(3) == Approx(4 * ((0.5 + 1e-12) - 0.5)).epsilon(1e-14));
    CHECK(y(4) == Approx(std::log(1e-300)));
    CHECK(std::isnan(y(5)));
    CHECK(std::isnan(y(6)));
}

TEST_CASE("powers and angles: derivatives where the distance overflows, or has lost digits") {
    const AtPoint in_double[] = {
        {1.7e308,
         1.7e308,
         {0.70710678118654752, 0.70710678118654752},
         {2.9411764705882354e-309, -2.9411764705882354e-309},
         {2.0797258270192575e-309, -2.0797258270192575e-309, -2.0797258270192575e-309, 2.0797258270192575e-309}},
        {3e200, -4e200, {0.6, -0.8}, {-1.6e-201, -1.2e-201}, {1.28e-201, 9.6e-202, 9.6e-202, 7.2e-202}},
        {1e-308,
         2e-308,
         {0.44721359549995794, 0.89442719099991588},
         {4.0000000000000004e307, -2.0000000000000002e307},
         {3.5777087639996638e307, -1.7888543819998319e307, -1.7888543819998319e307, 8.9442719099991596e306}}};
    for (const AtPoint& each : in_double) check_at<double>(each);
    const AtPoint in_float[] = {
        {3e38,
         -2e38,
         {0.83205030299219488, -0.55470018324370211},
         {-1.5384615156397993e-39, -2.307692351468968e-39},
         {8.5338488463878037e-40, 1.2800773702299264e-39, 1.2800773702299264e-39, 1.9201161202525255e-39}},
        {1e-38,
         2e-38,
         {0.44721357043276856, 0.89442720353351013},
         {4.0000000916616209e37, -1.9999999057009615e37},
         {3.5777088961186878e37, -1.788854322723395e37, -1.788854322723395e37, 8.9442709869372742e36}}};
    for (const AtPoint& each : in_float) check_at<float>(each);
    // Of the smallest numbers the direction alone is a number.
    const Values smallest = gradients_of([](auto a, auto b) { return hypot(a, b); }, 5e-324, 1e-323);
    CHECK(smallest[0] == Approx(0.44721359549995794).epsilon(1e-15));
    CHECK(smallest[1] == Approx(0.89442719099991588).epsilon(1e-15));
}

TEST_CASE("powers and angles: the derivatives of atan where the square of its argument is no number") {
    const auto check = [](auto x, double first, double second) {
        using T = decltype(x);
        INFO("at " << x);
        const auto f = [](const auto& v) { return sum(atan(v)); };
        const double rounding = 4 * static_cast<double>(std::numeric_limits<T>::epsilon());
        const double lost = static_cast<double>(std::numeric_limits<T>::denorm_min());
        const double slope = static_cast<double>(vjp<T>(f, {Array<T>{x}}, full<T>({}, T(1))).gradients[0](0));
        CHECK(std::fabs(slope - first) <= rounding * first + lost);
        const double bend = static_cast<double>(hessian<T>(f, Array<T>{x})(0, 0));
        CHECK(std::fabs(bend - second) <= 2 * rounding * std::fabs(second) + lost);
    };
    // 1 / (1 + x^2) and -2 x / (1 + x^2)^2.
    check(2.0, 0.2, -0.16);
    check(0x1p30, 0x1p-60, -0x1p-89);
    check(-0x1p31, 0x1p-62, 0x1p-92);
    check(1e160, 1e-320, 0);
    check(infinity, 0, 0);
    check(0x1p30f, 0x1p-60, -0x1p-89);
    check(-0x1p31f, 0x1p-62, 0x1p-92);
    check(1e20f, 1 / (double(1e20f) * double(1e20f)), 0);
    check(-std::numeric_limits<float>::infinity(), 0, 0);
}

TEST_CASE("powers and angles: at the origin, on the axes and where squares overflow") {
    const auto of_hypot = [](auto a, auto b) { return hypot(a, b); };
    CHECK(gradients_of(of_hypot, 0, 0) == Values{0, 0});
    CHECK(gradients_of(of_hypot, 0, -2) == Values{0, -1});
    CHECK(gradients_of(of_hypot, 3e200, 4e200)[0] == Approx(0.6));
    CHECK(gradients_of(of_hypot, 3e200, 4e200)[1] == Approx(0.8));
    Tape<double> tape;
    const auto nan = tape.constant(Array<double>{not_a_number});
    CHECK(hypot(nan, -infinity).item() == infinity);
    CHECK(std::isnan(hypot(nan, 1).item()));
    // The limits where one is infinite; where both are there is none.
    CHECK(gradients_of(of_hypot, infinity, 1) == Values{1, 0});
    CHECK(gradients_of(of_hypot, -2, -infinity) == Values{0, -1});
    CHECK(std::isnan(gradients_of(of_hypot, infinity, infinity)[0]));
    const auto of_atan2 = [](auto a, auto b) { return atan2(a, b); };
    CHECK(gradients_of(of_atan2, 1, infinity) == Values{0, 0});
    CHECK(gradients_of(of_atan2, -infinity, 1) == Values{0, 0});
    CHECK(std::isnan(gradients_of(of_atan2, infinity, infinity)[0]));
    CHECK(gradients_of(of_atan2, 0, 0) == Values{0, 0});
    CHECK(gradients_of(of_atan2, 0, -2) == Values{-0.5, -0.0});
    CHECK(gradients_of(of_atan2, 1e-200, 0) == Values{0, -1e200});
    CHECK(gradients_of(of_atan2, 1e200, 0)[1] == Approx(-1e-200));
    const double pi = 3.14159265358979323846;
    for (const double a : {0.0, -0.0}) {
        for (const double b : {0.0, -0.0, 1.0, -1.0}) {
            const double found = atan2(tape.constant(full<double>({}, a)), b).item();
            CHECK(found == Approx(std::atan2(a, b)));
            CHECK(std::signbit(found) == std::signbit(a));
            CHECK(std::fabs(found) == Approx(std::signbit(b) ? pi : 0));
        }
    }
    CHECK(gradients_of([](auto x) { return asinh(x); }, 1e200) == Values{1e-200});
    CHECK(gradients_of([](auto x) { return acosh(x); }, 1) == Values{infinity});
    CHECK(gradients_of([](auto x) { return asin(x); }, 1) == Values{infinity});
    CHECK(gradients_of([](auto x) { return acos(x); }, -1) == Values{-infinity});
    CHECK(gradients_of([](auto x) { return atanh(x); }, 1) == Values{infinity});
    CHECK(std::isnan(gradients_of([](auto x) { return acosh(x); }, -2)[0]));
    CHECK(gradients_of([](auto x) { return cbrt(x); }, 0) == Values{infinity});
    CHECK(gradients_of([](auto x) { return cbrt(x); }, -8)[0] == Approx(1.0 / 12));
    CHECK(gradients_of([](auto x) { return rsqrt(x); }, 0) == Values{-infinity});
    CHECK(rsqrt(tape.constant(Array<double>{-0.0})).item() == -infinity);
    CHECK(gradients_of([](auto x) { return reciprocal(x); }, -2) == Values{-0.25});
}
