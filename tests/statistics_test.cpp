// Variances and norms at the places where a root has no derivative, and the counts, which have none anywhere.
#include <cmath>
#include <limits>

#include "testing.hpp"

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

}  // namespace

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
