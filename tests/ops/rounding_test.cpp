// What the registry cannot know of rounding: signed zeros, halves, large numbers, gradients that are stated to be 0.
#include <cmath>
#include <limits>

#include "tests/gradients_at.hpp"
#include "tests/testing.hpp"

using namespace autograd;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// Equal, the signs of zeros included, or both NaN.
template <class T>
bool same(T a, T b) {
    return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

template <class T, class Op, class Expected>
void check_each(Op op, Expected expected, const Array<T>& x) {
    Tape<T> tape;
    const Array<T> y = op(tape.variable(x)).value();
    for (std::size_t i = 0; i < x.size(); ++i) {
        INFO("at " << x.data()[i] << " found " << y.data()[i] << ", not " << expected(x.data()[i]));
        CHECK(same(y.data()[i], expected(x.data()[i])));
    }
}

}  // namespace

TEMPLATE_TEST_CASE("rounding: agrees with the standard library, signs of zeros and large numbers included", "", float, double) {
    using T = TestType;
    const T big = sizeof(T) == 4 ? T(8388609) : T(4503599627370497);  // odd, and without a fraction
    const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
    const Array<T> x{T(0),    T(-0.0), T(0.5), T(-0.5), T(1.5),  T(-1.5), T(2.5), T(-2.5), T(0.49999), T(-0.3), T(0.3),
                     T(-0.7), T(7),    big,    -big,    2 * big, big / 2, inf,    -inf,    nan,        T(1e30), T(-1e30)};
    check_each([](auto v) { return floor(v); }, [](T v) { return std::floor(v); }, x);
    check_each([](auto v) { return ceil(v); }, [](T v) { return std::ceil(v); }, x);
    check_each([](auto v) { return trunc(v); }, [](T v) { return std::trunc(v); }, x);
    check_each([](auto v) { return round(v); }, [](T v) { return std::nearbyint(v); }, x);
    check_each([](auto v) { return sign(v); }, [](T v) { return std::isnan(v) ? v : T(v > 0) - T(v < 0); }, x);
    check_each([](auto v) { return copysign(2, v); }, [](T v) { return std::copysign(T(2), v); }, x);
    check_each([](auto v) { return copysign(v, -1); }, [](T v) { return std::copysign(v, T(-1)); }, x);
}

TEST_CASE("rounding: remainder and floor_divide are Python's") {
    Tape<double> tape;
    const auto both = [&](double a, double b) {
        const auto x = tape.constant(full<double>({}, a));
        return std::pair(floor_divide(x, b).item(), remainder(x, b).item());
    };
    const auto is = [](std::pair<double, double> found, double quotient, double rest) {
        INFO(found.first << " and " << found.second);
        CHECK(same(found.first, quotient));
        CHECK(same(found.second, rest));
    };
    is(both(7, 3), 2, 1);
    is(both(-7, 3), -3, 2);
    is(both(7, -3), -3, -2);
    is(both(-7, -3), 2, -1);
    is(both(6, 3), 2, 0);
    is(both(-6, 3), -2, 0.0);
    is(both(6, -3), -2, -0.0);
    is(both(-0.0, 3), -0.0, 0.0);
    is(both(1, 0.1), 9, 1 - 9 * static_cast<long double>(0.1));  // the quotient rounds to 10
    is(both(1e17, 3), 33333333333333332, std::fmod(1e17, 3));
    // At infinities floor_divide is the floor of the quotient, as the standard wants; remainder is Python's.
    is(both(1, infinity), 0, 1);
    is(both(-1, -infinity), 0, -1);
    is(both(-1, infinity), -0.0, infinity);
    is(both(1, -infinity), -0.0, -infinity);
    is(both(infinity, 2), infinity, not_a_number);
    is(both(-infinity, 2), -infinity, not_a_number);
    is(both(infinity, infinity), not_a_number, not_a_number);
    is(both(1, 0), infinity, not_a_number);
    is(both(1, -0.0), -infinity, not_a_number);
    is(both(0, 0), not_a_number, not_a_number);
}

TEST_CASE("rounding: the gradient of a step exists and is 0, of every order, and a NaN is not lost") {
    const auto check = [](auto f) {
        for (const double x : {-1.5, -1.0, -0.0, 0.0, 0.3, 2.0, 2.5, infinity, -infinity}) {
            CHECK(gradients_of(f, x) == std::vector<double>{0});
            Tape<double> tape;
            const auto v = tape.variable(full<double>({2}, x)), w = tape.variable(full<double>({2}, infinity));
            const auto first = backward(sum(f(v) * w), {.create_graph = true});
            CHECK(first[v](0) == 0);
            const auto second = backward(sum(first.var(v)));  // of x and of the gradient that came in
            CHECK(second[v](0) == 0);
            CHECK(second[w](0) == 0);
        }
        CHECK(std::isnan(gradients_of(f, not_a_number)[0]));
    };
    check([](auto x) { return floor(x); });
    check([](auto x) { return ceil(x); });
    check([](auto x) { return trunc(x); });
    check([](auto x) { return round(x); });
    check([](auto x) { return sign(x); });
    const auto quotient = [](auto a, auto b) { return floor_divide(a, b); };
    CHECK(gradients_of(quotient, 7, 3) == std::vector<double>{0, 0});
    CHECK(gradients_of(quotient, 6, 3) == std::vector<double>{0, 0});
    CHECK(gradients_of(quotient, 6, 0) == std::vector<double>{0, 0});
    CHECK(std::isnan(gradients_of(quotient, 0, 0)[1]));
}

TEST_CASE("rounding: kinks of remainder and copysign") {
    const auto rest = [](auto a, auto b) { return remainder(a, b); };
    CHECK(gradients_of(rest, 7, 3) == std::vector<double>{1, -2});
    CHECK(gradients_of(rest, -7, 3) == std::vector<double>{1, 3});
    CHECK(gradients_of(rest, 6, 3) == std::vector<double>{1, -2});
    CHECK(gradients_of(rest, 1, infinity)[0] == 1);
    CHECK(gradients_of(rest, 1, infinity)[1] == 0);
    const auto of_copysign = [](auto x, auto y) { return copysign(x, y); };
    CHECK(gradients_of(of_copysign, 2, -3) == std::vector<double>{-1, 0});
    CHECK(gradients_of(of_copysign, -2, -3) == std::vector<double>{1, 0});
    CHECK(gradients_of(of_copysign, 2, -0.0) == std::vector<double>{-1, 0});
    CHECK(gradients_of(of_copysign, 0, -3) == std::vector<double>{0, 0});
}

TEST_CASE("rounding: a NaN is not lost in gradients of copysign and floor_divide") {
    const auto of_sign = [](auto v, auto x) { return copysign(x, v); };
    CHECK(gradients_of(of_sign, 2, 3)[0] == 0);
    CHECK(std::isnan(gradients_of(of_sign, 2, not_a_number)[0]));
    CHECK(std::isnan(gradients_of([](auto v) { return floor_divide(v, 2); }, not_a_number)[0]));
    CHECK(std::isnan(gradients_of([](auto v) { return floor_divide(2, v); }, not_a_number)[0]));
}
