// Forward mode and what is made of it, against derivatives that are known.
#include <cmath>
#include <numeric>

#include "tests/testing.hpp"

using namespace autograd;

namespace {

constexpr auto polynomial = [](const auto& x, const auto& y) { return x * x * y + sin(y); };

}  // namespace

TEMPLATE_TEST_CASE("jvp: the derivative along a direction, with the value", "", float, double) {
    using T = TestType;
    const Array<T> x{1, 2}, y{3, 4}, dx{1, 0.5}, dy{-1, 2};
    const auto [value, tangent] = jvp<T>(polynomial, {x, y}, {dx, dy});
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(value.data()[i] == Approx(x.data()[i] * x.data()[i] * y.data()[i] + std::sin(y.data()[i])));
        CHECK(tangent.data()[i] == Approx(2 * x.data()[i] * y.data()[i] * dx.data()[i] +
                                          (x.data()[i] * x.data()[i] + std::cos(y.data()[i])) * dy.data()[i]));
    }
}

TEST_CASE("jvp: through broadcasting, reductions, products, slices and selections it is what vjp says of it") {
    const Array<double> x = sample<double>({3, 4}, 2), w = sample<double>({5, 4}, 3), b = sample<double>({5}, 4);
    const auto f = [](const auto& a, const auto& weight, const auto& bias) {
        const auto h = linear(a, weight, bias);
        const auto joined = concat({h, 2 * h}, 1);
        const auto part = slice(permute_dims(reshape(joined, {3, 2, 5}), {1, 0, 2}), 2, {0, 5, 2});
        return logsumexp(part, {0, 2}) + max(matmul(part.tape().constant(full<double>({3, 3}, 0.5)), h), 1) * mean(part);
    };
    const Array<double> dx = sample<double>({3, 4}, 5), dw = sample<double>({5, 4}, 6), db = sample<double>({5}, 7);
    const Array<double> u = sample<double>({3}, 8);
    const auto forwards = jvp<double>(f, {x, w, b}, {dx, dw, db});
    const auto backwards = vjp<double>(f, {x, w, b}, u);
    const auto dot = [](const Array<double>& a, const Array<double>& c) {
        return std::inner_product(a.begin(), a.end(), c.begin(), 0.0);
    };
    CHECK(elements(forwards.value) == elements(backwards.value));
    const double expected = dot(backwards.gradients[0], dx) + dot(backwards.gradients[1], dw) + dot(backwards.gradients[2], db);
    CHECK(dot(u, forwards.tangent) == Approx(expected).epsilon(1e-13));
}

TEST_CASE("jacobian: of few outputs and of many, a row for each") {
    const Array<double> x{1, 2, 3};
    const auto wide = jacobian<double>([](const auto& v) { return sum(v * v); }, {x});
    CHECK(wide[0].shape() == Shape{3});
    CHECK(elements(wide[0]) == std::vector<double>{2, 4, 6});
    const auto tall = jacobian<double>([](const auto& v) { return reshape(v, {3, 1}) * reshape(v, {1, 3}); }, {x});
    REQUIRE(tall[0].shape() == Shape{3, 3, 3});
    for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 3; ++j) {
            for (std::size_t k = 0; k < 3; ++k) {
                CHECK(tall[0](i, j, k) == (i == k ? x(j) : 0.0) + (j == k ? x(i) : 0.0));
            }
        }
    }
}

TEST_CASE("hvp and hessian: second derivatives, and zeros where the gradient is constant") {
    const Array<double> x{0.5, -1, 2};
    const auto f = [](const auto& v) { return sum(exp(v)) + square(sum(v)); };
    const Array<double> h = hessian<double>(f, x);
    REQUIRE(h.shape() == Shape{3, 3});
    for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 3; ++j) CHECK(h(i, j) == Approx(2 + (i == j ? std::exp(x(i)) : 0.0)));
    }
    const Array<double> v{1, 0, -2};
    const auto product = hvp<double>([](const auto& a, const auto& b) { return sum(a * a * a) + sum(b); }, {x, x}, {v, v});
    CHECK(elements(product.gradients[0]) == std::vector<double>{3, 0, -24});
    CHECK(elements(product.gradients[1]) == std::vector<double>(3, 0.0));
}

TEST_CASE("tangent: what has none says why") {
    Tape<double> tape;
    const auto x = tape.variable(Array<double>{1, 2}), other = tape.variable(Array<double>{1, 2});
    const auto y = stop_gradient(x) * 2;
    const Array<double> ones{1, 1};
    CHECK_FALSE(find_tangent<double>(y, std::vector<Direction<double>>{{x, ones}}).has_value());
    CHECK_THAT(message_of<GradientError>([&] { tangent<double>(y, {{x, ones}}); }), contains("stop_gradient"));
    CHECK_THAT(message_of<GradientError>([&] { tangent<double>(x * 2, {{other, ones}}); }), contains("does not depend"));
    CHECK_THAT(message_of<ShapeError>([&] { tangent<double>(x * 2, {{x, Array<double>{1, 2, 3}}}); }), contains("(3,)"));
    // An op without a rule is no matter where y does not depend on it.
    const auto without = custom_gradient<"without">([](const auto& v) { return v * 2; },
                                                    [](const auto& g, const auto&, const auto&) { return g * 2; });
    const auto beside = without(x);
    CHECK(elements(tangent<double>(x * 2, {{x, ones}})) == std::vector<double>{2, 2});
    CHECK_THROWS_AS(tangent<double>(beside, {{x, ones}}), GradientError);
    tape.clear();
    CHECK_THROWS_AS(tangent<double>(y, {{x, ones}}), TapeError);
}

TEST_CASE("tangent: two directions of one node are added") {
    Tape<double> tape;
    const auto v = tape.variable(Array<double>{1, 2, 3});
    const Array<double> ones{1.0, 1.0, 1.0};
    CHECK(tangent(sum(v), {{v, ones}, {v, ones}})() == 6);
}

TEST_CASE("tangent: refuses what was changed or released since it was recorded") {
    Parameter<double> p{Array<double>{0.5, -1, 2}};
    const Array<double> ones{1.0, 1.0, 1.0};
    Tape<double> tape;
    const auto w = tape.parameter(p);
    const auto y = sum(square(w)), cube = sum(w * w * w);
    const auto gradients = backward(cube, {.create_graph = true});
    CHECK(tangent(y, {{w, ones}})() == 3);
    p.mutable_value() *= 10;
    CHECK_THAT(message_of<GradientError>([&] {
                   tangent(y, {{w, ones}});
               }),
               contains("tangent: parameter (node 0) was updated"));
    CHECK_THROWS_AS(tangent(gradients.var(p), {{w, ones}}), GradientError);
    tape.clear();
    const auto v = tape.variable(ones);
    const auto z = sum(matmul(exp(v), v));
    backward(z, {.release = true});
    CHECK_THAT(message_of<GradientError>([&] { tangent(z, {{v, ones}}); }), contains("were released"));
}

TEST_CASE("jacobian: more rows than columns, of an op without forward mode") {
    const auto cube = custom_gradient<"cube">([](const auto& x) { return x * x * x; },
                                              [](const auto& g, const auto& x, const auto&) { return 3 * g * x * x; });
    const auto found = jacobian<double>([&](const auto& x) { return cube(broadcast_to(x, {3, 2})); }, {Array<double>{1, 2}});
    REQUIRE(found[0].shape() == Shape{3, 2, 2});
    for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 2; ++j) {
            for (std::size_t k = 0; k < 2; ++k) CHECK(found[0](i, j, k) == (j == k ? (k == 0 ? 3 : 12) : 0));
        }
    }
}

TEST_CASE("transforms: each calls f once") {
    int calls = 0;
    const auto f = [&calls](const auto& x) {
        ++calls;
        return sum(x * x * x);
    };
    const Array<double> x{1, 2, 3};
    const Array<double> found = hessian<double>(f, x);
    CHECK(calls == 1);
    CHECK(elements(found) == std::vector<double>{6, 0, 0, 0, 12, 0, 0, 0, 18});
    jacobian<double>(f, {x});
    CHECK(calls == 2);
}
