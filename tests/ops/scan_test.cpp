// Cumulative ops and prod where the registry's random inputs do not go: at zeros, at infinities, at large numbers.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/points.hpp"
#include "tests/testing.hpp"

using namespace autograd;

namespace {

using D = Array<double>;
using Numbers = std::vector<double>;
constexpr double infinity = std::numeric_limits<double>::infinity();

/// The gradient of f's weighted sum, of the plain and of the recorded sweep.
template <class F>
Numbers gradient_of(F f, const D& at) {
    Tape<double> tape;
    const auto x = tape.variable(at);
    const auto y = f(x);
    D weights = empty<double>(y.shape());
    for (std::size_t i = 0; i < weights.size(); ++i) weights.data()[i] = static_cast<double>(i + 1);
    const auto loss = sum(y * tape.constant(weights));
    const Numbers plain = elements(backward(loss)[x]);
    CHECK(elements(backward(loss, {.create_graph = true})[x]) == plain);
    return plain;
}

/// The second derivatives of f at one place, row by row.
template <class F>
Numbers hessian_of(F f, const D& at) {
    Tape<double> tape;
    const auto x = tape.variable(at);
    const auto gradients = backward(f(x), {.create_graph = true});
    Numbers result;
    for (std::size_t i = 0; i < at.size(); ++i) {
        const auto row = slice(gradients.var(x), 0, {static_cast<std::ptrdiff_t>(i), static_cast<std::ptrdiff_t>(i) + 1});
        for (const double each : elements(backward(sum(row))[x])) result.push_back(each);
    }
    return result;
}

}  // namespace

TEST_CASE("scan: prod has its gradients with zeros, one and several") {
    const auto all = [](auto x) { return prod(x); };
    CHECK(gradient_of(all, D{2, 3, 4}) == Numbers{12, 8, 6});
    CHECK(gradient_of(all, D{2, 0, 4}) == Numbers{0, 8, 0});
    CHECK(gradient_of(all, D{0, 3, 0}) == Numbers{0, 0, 0});
    CHECK(gradient_of([](auto x) { return prod(x, 0); }, D{{0, 2}, {5, 3}}) == Numbers{5, 6, 0, 4});
    CHECK(hessian_of(all, D{2, 3, 4}) == Numbers{0, 4, 3, 4, 0, 2, 3, 2, 0});
    CHECK(hessian_of(all, D{0, 3, 0}) == Numbers{0, 0, 3, 0, 0, 0, 3, 0, 0});
    CHECK(hessian_of(all, D{0, 0, 0}) == Numbers(9, 0));
}

TEST_CASE("scan: prod and its derivatives are right where products of some of its elements are no numbers") {
    // All derivatives of a product are products of what is left.
    const auto check = []<class T>(const std::vector<T>& s) {
        const std::size_t n = s.size();
        INFO(Catch::StringMaker<std::vector<T>>::convert(s));
        const auto product_without = [&](std::size_t i, std::size_t j) {
            long double total = 1;
            for (std::size_t k = 0; k < n; ++k) total *= k == i || k == j ? 1 : static_cast<long double>(s[k]);
            return static_cast<T>(total);
        };
        const auto near = [&](T found, T expected) {
            const T epsilon = std::numeric_limits<T>::epsilon(), least = std::numeric_limits<T>::denorm_min();
            return found == expected ||
                   std::fabs(found - expected) <= static_cast<T>(n) * epsilon * std::fabs(expected) + least;
        };
        Array<T> values = empty<T>({n});
        std::copy(s.begin(), s.end(), values.begin());
        Tape<T> tape;
        const auto x = tape.variable(values);
        const auto y = prod(x);
        const auto recorded = backward(y, {.create_graph = true});
        const Array<T> plain = backward(y)[x];
        CHECK(near(y.item(), product_without(n, n)));
        for (std::size_t i = 0; i < n; ++i) {
            INFO("element " << i);
            const T slope = product_without(i, i);
            CHECK(near(plain(i), slope));
            CHECK(near(recorded[x](i), slope));
            Array<T> direction = full<T>({n}, T(0));
            direction(i) = 1;
            const bool all_finite = std::all_of(plain.begin(), plain.end(), [](T each) { return std::isfinite(each); });
            if (all_finite) CHECK(near(tangent(y, {{x, direction}})(), slope));
            if (slope != 0 && !std::isnormal(slope)) continue;  // second derivatives are promised beside numbers
            if (slope == 0 && std::find(s.begin(), s.end(), T(0)) == s.end()) continue;
            const auto place = static_cast<std::ptrdiff_t>(i);
            const Array<T> row = backward(sum(slice(recorded.var(x), 0, {place, place + 1})))[x];
            for (std::size_t j = 0; j < n; ++j) CHECK(near(row(j), i == j ? T(0) : product_without(i, j)));
        }
    };
    const auto check_double = [&](const std::vector<double>& s) { check(s); };
    const auto check_float = [&](const std::vector<float>& s) { check(s); };
    check_double({1e-200, 1e-200, 1e200, 1e200});
    check_double({1e200, 1e200, 1e-200, 1e-200});
    check_double({1e200, -3e-200, 1e200, 1e-200});
    check_double({1e-160, 2e-160, -1e200});  // partial results below the normal numbers
    check_double({1e-200, 1e-150, 1e10});
    check_double({1e200, 1e150, 2});
    check_double({1e200, 1e200, 1e200, 1e200});
    check_double({1e-300, 1e-300, 2});
    check_double({1e-300, 1e-300, 1, 1e-5});
    check_double({1.2e308, 1.2e308});
    check_double({3e-310, 1e300, 2, 1e-5});
    check_double({1e-100, 1e-100, 1e-100, 1e-90, 1e90, 1e100, 1e100, 1e100, 7});
    check_double({1e200, 1e200, 0, 1e-200, 1e-200});
    check_double({0, 1e200, 1e-200, 1e-200, 1e200, 3});
    check_double({0, 1e-200, 1e-200, 1e200, 0, 1e200});
    check_double({1, 2, 3, 4});
    check_float({1e-30f, 1e-30f, 1e30f, 1e30f});
    check_float({1e30f, 1e30f, -1e-30f, 1e-30f});
    check_float({1e-30f, 1e-25f, 1, 3});
    check_float({1e-22f, 3e-22f, 1e30f});
    check_float({1e30f, 2e20f, 3, 1});
    check_float({1e-40f, 1e10f, 2, 1e20f});
    check_float({1e30f, 1e30f, 0, 1e-30f, 1e-30f});
    check_float({1e30f, 1e30f, 1e-30f, 1e-30f, 1e20f, 1e-20f, 5});
    CHECK(hessian_of([](auto v) { return prod(v); }, D{1e-300, 1e-300, 1e10}) ==
          Numbers{0, 1e10, 1e-300, 1e10, 0, 1e-300, 1e-300, 1e-300, 0});

    // 2^-1500 times 2^1500, over axes on both sides of one that is kept.
    Tape<double> tape;
    D halves = full<double>({2, 2, 1500}, 2);
    std::fill_n(halves.data(), 3000, 0.5);
    halves(0, 0, 7) = 1.5;
    const auto x = tape.variable(halves);
    const auto y = prod(x, {0, 2});
    CHECK(elements(y.value()) == Numbers{3, 1});
    const D gradient = backward(sum(y))[x];
    CHECK(gradient(0, 0, 7) == 2);
    CHECK(gradient(0, 0, 8) == 6);
    CHECK(gradient(1, 0, 1499) == 1.5);
    CHECK(gradient(0, 1, 7) == 2);
    CHECK(gradient(1, 1, 7) == 0.5);
    // Infinities and NaN stay what they are, and rows beside them too.
    const auto rows = tape.variable(D{{1e200, 1e200, infinity, 1e-200}, {1e200, 1e200, 0, infinity}, {1, 2, 0, -4}});
    const auto products = prod(rows, 1);
    CHECK(products.value()(0) == infinity);
    CHECK(std::isnan(products.value()(1)));
    CHECK(products.value()(2) == 0);
    const D of_rows = backward(sum(products))[rows];
    CHECK(of_rows(0, 2) == Approx(1e200).epsilon(1e-14));
    CHECK(of_rows(2, 2) == -8);
}

TEST_CASE("scan: cumulative_prod has its gradients with zeros") {
    const auto all = [](auto x) { return cumulative_prod(x, 0); };
    // Of x + 2 x y + 3 x y z.
    CHECK(gradient_of(all, D{2, 0, 4}) == Numbers{1, 28, 0});
    CHECK(gradient_of(all, D{0, 3, 4}) == Numbers{1 + 6 + 36, 0, 0});
    CHECK(gradient_of(all, D{0, 0, 4}) == Numbers{1, 0, 0});
    CHECK(hessian_of([](auto x) { return sum(cumulative_prod(x, 0)); }, D{0, 0, 4}) == Numbers{0, 5, 0, 5, 0, 0, 0, 0, 0});
}

TEMPLATE_TEST_CASE("scan: cumulative_prod comes back from where there are no numbers", "", float, double) {
    using T = TestType;
    using Limits = std::numeric_limits<T>;
    const T large = std::ldexp(T(1), Limits::max_exponent - 10), small = 1 / large, inf = Limits::infinity();
    const auto products = [](const Array<T>& x, std::ptrdiff_t axis) {
        return elements(cumulative_prod(Eager<T>(x), axis).array());
    };
    const Array<T> lines{{small, small, small, large, large, large, 3},
                         {large, -large, large, small, small, small, 3},
                         {large, large, 0, small, small, small, 3},
                         {small, small, inf, large, large, large, 3},
                         {1, 2, 0, 3, 1, 1, 1}};
    const std::vector<T> expected{small, 0,    0,    0,    small,  1,   3,    //
                                  large, -inf, -inf, -inf, -large, -1,  -3,   //
                                  large, inf,  0,    0,    0,      0,   0,    //
                                  small, 0,    inf,  inf,  inf,    inf, inf,  //
                                  1,     2,    0,    0,    0,      0,   0};
    CHECK(products(lines, 1) == expected);
    // Along the first axis, which has others beside it.
    const Array<T> turned = permute_dims(Eager<T>(lines), {1, 0}).take();
    const Eager<T> result = cumulative_prod(Eager<T>(turned), 0);
    CHECK(elements(permute_dims(result, {1, 0}).array()) == expected);
    // A product of the numbers below the normal ones has its digits when it comes back.
    const T third = 1 / T(3), factor = std::ldexp(third, Limits::min_exponent / 2 - 8);
    const T back = std::ldexp(T(1), 8 - Limits::min_exponent / 2);
    CHECK(products({factor, factor, back, back}, 0)[3] == third * third);
}

TEST_CASE("scan: the initial element is a constant") {
    Tape<double> tape;
    const auto x = tape.variable(D{{1, 2, 3}});
    CHECK(elements(cumulative_sum(x, 1, IncludeInitial::yes).value()) == Numbers{0, 1, 3, 6});
    CHECK(elements(cumulative_prod(x, 1, IncludeInitial::yes).value()) == Numbers{1, 1, 2, 6});
    CHECK(cumulative_prod(x, 0, IncludeInitial::yes).shape() == Shape{2, 3});
    CHECK(elements(cumulative_sum(tape.constant(empty<double>({0})), 0, IncludeInitial::yes).value()) == Numbers{0});
    CHECK(elements(cumulative_prod(tape.constant(empty<double>({0})), 0, IncludeInitial::yes).value()) == Numbers{1});
}

TEMPLATE_TEST_CASE("scan: logcumsumexp overflows nowhere", "", float, double) {
    using T = TestType;
    constexpr double epsilon = static_cast<double>(std::numeric_limits<T>::epsilon());
    constexpr T none = -std::numeric_limits<T>::infinity();
    Tape<T> tape;
    const auto x = tape.variable(Array<T>{1000, 1000, -1000, 2000, -3000});
    const auto y = logcumsumexp(x, 0);
    const double expected[] = {1000, 1000 + std::log(2.0), 1000 + std::log(2.0), 2000, 2000};
    for (std::size_t i = 0; i < 5; ++i) CHECK(static_cast<double>(y.value()(i)) == Approx(expected[i]).epsilon(2 * epsilon));
    const auto gradients = backward(sum(y), {.create_graph = true});
    const double shares[] = {2, 1, 0, 2, 0};
    for (std::size_t i = 0; i < 5; ++i) {
        // The rounding of values near 1000, in an exponent.
        CHECK(static_cast<double>(gradients[x](i)) == Approx(shares[i]).margin(4000 * epsilon));
    }
    for (const T each : elements(backward(sum(gradients.var(x)))[x])) CHECK(std::isfinite(each));

    const auto masked = tape.variable(Array<T>{none, none, 0, none, 0});
    const auto sums = logcumsumexp(masked, 0);
    CHECK(elements(sums.value()) == std::vector<T>{none, none, 0, 0, static_cast<T>(std::log(2.0))});
    const auto of_masked = backward(sum(where(tape.constant(Array<T>{0, 0, 1, 1, 1}), sums, 0)), {.create_graph = true});
    const double expected_shares[] = {0, 0, 2.5, 0, 0.5};
    for (std::size_t i = 0; i < 5; ++i) {
        CHECK(static_cast<double>(of_masked[masked](i)) == Approx(expected_shares[i]).margin(4 * epsilon));
    }
    for (const T each : elements(backward(sum(of_masked.var(masked)))[masked])) CHECK(std::isfinite(each));
    CHECK(elements(logcumsumexp(tape.constant(Array<T>{1, -none, 1}), 0).value()) == std::vector<T>{1, -none, -none});
}

// Numbers from mpmath: added up, 1 and exp(-20) are 1 in float.
TEMPLATE_TEST_CASE("scan: logcumsumexp loses nothing beside an element that dominates", "", float, double) {
    Tape<TestType> tape;
    const Array<TestType> y = logcumsumexp(tape.constant(Array<TestType>{0, -20, -30, 1, -40}), 0).value();
    const double expected[] = {0, 2.0611536203143807e-9, 2.0612471965438762e-9, 1.3132616880725776, 1.3132616880725776};
    for (std::size_t i = 0; i < 5; ++i) CHECK(is_within_ulps(y(i), expected[i], 4));
}

TEMPLATE_TEST_CASE("scan: the gradient of infinity in logcumsumexp is the limit, and equal infinities share it", "", float,
                   double) {
    constexpr auto inf = std::numeric_limits<TestType>::infinity();
    Tape<TestType> tape;
    const auto x = tape.variable(Array<TestType>{0, inf, 5, inf});
    const auto y = logcumsumexp(x, 0);
    CHECK(elements(y.value()) == std::vector<TestType>{0, inf, inf, inf});
    const std::vector<TestType> expected{1, 2.5, 0, 0.5};
    CHECK(elements(backward(sum(y))[x]) == expected);
    CHECK(elements(backward(sum(y), {.create_graph = true})[x]) == expected);
    const Array<TestType> t = tangent<TestType>(y, {{x, Array<TestType>{1, 2, 3, 4}}});
    CHECK(elements(t) == std::vector<TestType>{1, 2, 2, 3});
}

TEST_CASE("scan: the first coefficient of a recurrence has no effect, whatever it is") {
    Tape<double> tape;
    const auto a = tape.variable(D{infinity, 2, 3}), b = tape.variable(D{1, 1, 1});
    const auto y = linear_recurrence(a, b, 0);
    CHECK(elements(y.value()) == Numbers{1, 3, 10});
    const auto gradients = backward(sum(y));
    CHECK(elements(gradients[a]) == Numbers{0, 4, 3});
    CHECK(elements(gradients[b]) == Numbers{9, 4, 1});
    const auto c = tape.variable(D{2, 3, infinity});
    const auto back = linear_recurrence(c, b, -1, Way::backwards);
    CHECK(elements(back.value()) == Numbers{9, 4, 1});
    CHECK(elements(backward(sum(back))[c]) == Numbers{4, 3, 0});
}

TEST_CASE("scan: long and wide arrays, for threads and blocks") {
    const Shape shape{3, 40, 1100};
    Tape<float> tape;
    const auto x = tape.variable(sample<float>(shape));
    const auto sums = cumulative_sum(x, 1);
    const auto total = sum(x, 1);
    for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t k = 0; k < 1100; ++k) {
            CHECK(std::fabs(sums.value()(i, 39, k) - total.value()(i, k)) < 1e-5f);
        }
    }
    const auto gradients = backward(sum(sums));
    CHECK(gradients[x](0, 0, 0) == 40);
    CHECK(gradients[x](2, 39, 1099) == 1);
    CHECK(gradients[x](1, 30, 600) == 10);
}

TEST_CASE("scan: running sums, products and recurrences of floats keep what is below a float's last place") {
    constexpr std::size_t count = 20000000;  // beyond 2^24 = 16777216, where a sum of ones in float stands still
    Tape<float> tape;
    const auto last = [&](const Var<float>& y, std::size_t place) { return static_cast<double>(y.value()(place)); };
    const auto ones = tape.constant(full<float>({count}, 1));
    CHECK(last(cumulative_sum(ones, 0), count - 1) == count);
    CHECK(last(linear_recurrence(ones, ones, 0), count - 1) == count);
    CHECK(last(linear_recurrence(ones, ones, 0, Way::backwards), 0) == count);
    CHECK(last(logcumsumexp(ones * 0, 0), count - 1) == static_cast<float>(std::log(static_cast<double>(count))));
    // (1 + 2^-23)^1000000 is 1.12661; rounded to float at every step, 1.11921.
    const double factor = 1 + 0x1p-23;
    const auto product = cumulative_prod(tape.constant(full<float>({1000000}, static_cast<float>(factor))), 0);
    CHECK(last(product, 999999) == static_cast<float>(std::pow(factor, 1000000)));
}
