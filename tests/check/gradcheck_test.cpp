// gradcheck passes what is right, and of what is wrong it names the order, the input, the element, both numbers and a
// reason. The wrong ops here exist for this test alone.
#include <cmath>
#include <limits>
#include <sstream>
#include <string>

#include "autograd/autograd.hpp"
#include "autograd/check/gradcheck.hpp"
#include "tests/catch.hpp"

namespace {

using namespace autograd;

const Array<double> x{{0.3, -1.2, 2.0}, {1.1, 0.4, -0.6}};
const Array<double> row{0.5, -0.25, 1.5};

bool says(const GradcheckReport& report, const std::string& part) { return report.text().find(part) != std::string::npos; }

constexpr auto doubled =
    elementwise<"doubled">([](auto a, auto b) { return a * b; }, [](auto g, auto, auto b, auto) { return 2 * g * b; },
                           [](auto g, auto a, auto, auto) { return g * a; });
constexpr auto flipped =
    elementwise<"flipped">([](auto a, auto b) { return a - b; }, [](auto g, auto, auto, auto) { return g; },
                           [](auto g, auto, auto, auto) { return g; });
constexpr auto vanished = elementwise<"vanished">([](auto a) { return exp(a); }, [](auto g, auto, auto) { return 0 * g; });
constexpr auto invented =
    elementwise<"invented">([](auto a, auto b) { return a + 0 * b; }, [](auto g, auto, auto, auto) { return g; },
                            [](auto g, auto, auto, auto) { return g; });
/// Wrong above 1 only.
constexpr auto wrong_above_one = elementwise<"wrong_above_one">(
    [](auto a) { return a * a; }, [](auto g, auto a, auto) { return 2 * g * where(a > 1, a + 0.125, a); });
constexpr auto slightly_off =
    elementwise<"slightly_off">([](auto a) { return a * a; }, [](auto g, auto a, auto) { return 2.0000001 * g * a; });

/// x', with a gradient that forgets to transpose back.
struct WrongTranspose {
    static constexpr const char* name = "wrong_transpose";

    template <class T>
    void forward(Array<T>& out, const Array<T>& in) const {
        out = matrix_transpose(Eager<T>(in)).array();
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const {
        return reshape(g, {3, 3});
    }
};

/// A mean whose gradient is that of the sum.
struct WrongMean {
    static constexpr const char* name = "wrong_mean";

    template <class T>
    void forward(Array<T>& out, const Array<T>& in) const {
        out = mean(Eager<T>(in)).array();
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& in, const X&) const {
        return broadcast_to(g, in.shape());
    }
};

/// Gives a gradient of a shape that is not the input's.
struct WrongShape {
    static constexpr const char* name = "wrong_shape";

    template <class T>
    void forward(Array<T>& out, const Array<T>& in) const {
        out = in;
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const {
        return reshape(g, {3, 2});
    }
};

}  // namespace

TEST_CASE("gradcheck passes right gradients", "[gradcheck]") {
    CHECK(gradcheck([](auto a) { return sum(tanh(a)); }, {x}));
    CHECK(gradcheck([](auto a, auto b) { return exp(a) / (1 + square(b)); }, {x, row}, {.order = 2}));
    CHECK(gradcheck([](auto a, auto b, auto c) { return matmul(a, b, {.b = true}) * c; }, {x, x, full<double>({2, 1}, 3)},
                    {.order = 2}));
    CHECK(gradcheck([](auto a) { return logsumexp(a, 1); }, {x}, {.order = 3}));
    CHECK(gradcheck([](auto a, auto b, auto c, auto d, auto e, auto f) { return a * b + c * d - e / f; },
                    {x, x, row, row, x, row}));
    CHECK(gradcheck([](const Var<double>& a) { return a; }, {Array<double>{1e-9, 1e9}}));
    CHECK(gradcheck([](auto a) { return log(a); }, {Array<double>{1e-4, 1e4}}));          // first steps leave the domain
    CHECK(gradcheck([](auto a) { return relu(a); }, {Rng(2).normal<double>({40, 25})}));  // some are near the kink
    CHECK(gradcheck([](auto a) { return a * 0; }, {x}));
    CHECK(gradcheck([](auto a) { return a * 3; }, {empty<double>({0, 3})}));
    CHECK(gradcheck([](auto a) { return (a > 0) * 2; }, {x}));  // constant, and no gradient says so
}

TEST_CASE("gradcheck of an explicit list", "[gradcheck]") {
    const auto joined = [](std::span<const Var<double>> v) { return square(concat(std::vector(v.begin(), v.end()), 0)); };
    CHECK(gradcheck_list(joined, {x, x, x}, {.order = 2}));
    CHECK_THROWS_AS(gradcheck_list(joined, {}), Error);
}

TEST_CASE("gradcheck names a factor", "[gradcheck]") {
    const auto report = gradcheck([](auto a, auto b) { return sum(doubled(a, b)); }, {x, row});
    REQUIRE(!report);
    REQUIRE(report.failures().size() == 1);
    const auto& failure = report.failures()[0];
    CHECK(failure.order == 1);
    CHECK(failure.input == 0);
    CHECK(failure.element[1] == 2);  // where |b| is largest
    CHECK(failure.backward == Approx(3).epsilon(1e-12));
    CHECK(failure.other == Approx(1.5).epsilon(1e-9));
    CHECK(failure.tolerance < 1e-8);
    CHECK(says(report, "input 0 (of 2, counted from 0), shape (2, 3), element ("));
    CHECK(says(report, "backward gives 3"));
    CHECK(says(report, "differences give 1.5"));
    CHECK(says(report, "6 of 6 elements are off"));
    CHECK(says(report, "2 times what it should be"));
    std::ostringstream stream;
    stream << report;
    CHECK(stream.str() == report.text());
}

TEST_CASE("gradcheck names a sign, a forgotten input and one too many", "[gradcheck]") {
    const auto sign = gradcheck([](auto a, auto b) { return flipped(a, b); }, {x, row});
    REQUIRE(sign.failures().size() == 1);
    CHECK(sign.failures()[0].input == 1);
    CHECK(says(sign, "the sign is wrong"));
    CHECK(says(gradcheck([](auto a) { return vanished(a); }, {x}), "a path from this input was forgotten"));
    CHECK(says(gradcheck([](auto a, auto b) { return invented(a, b); }, {x, row}), "the function does not depend on this"));
    const auto cut = gradcheck([](auto a) { return a * stop_gradient(exp(a)); }, {x});
    CHECK(!cut);
    const auto all_cut = gradcheck([](auto a) { return stop_gradient(exp(a)); }, {x});
    CHECK(says(all_cut, "no gradient arrives"));
    CHECK(says(all_cut, "the path ends at stop_gradient (node 2)"));
}

TEST_CASE("gradcheck names the elements, also among many", "[gradcheck]") {
    const auto few = gradcheck([](auto a) { return sum(wrong_above_one(a)); }, {x});
    REQUIRE(few.failures().size() == 1);
    CHECK(says(few, "2 of 6 elements are off"));
    CHECK(few.failures()[0].other == Approx(2 * x(few.failures()[0].element[0], few.failures()[0].element[1])));
    CHECK(few.failures()[0].backward - few.failures()[0].other == Approx(0.25).epsilon(1e-6));
    Array<double> many = full<double>({30, 100}, 0.5);
    many(17, 42) = 1.5;
    const auto one = gradcheck([](auto a) { return sum(wrong_above_one(a)); }, {many});
    REQUIRE(one.failures().size() == 1);
    CHECK(one.failures()[0].element == Shape{17, 42});
    CHECK(one.failures()[0].backward == Approx(3.25));
    CHECK(one.failures()[0].other == Approx(3));
}

TEST_CASE("gradcheck sees an error of a few parts in 1e8", "[gradcheck]") {
    const auto report = gradcheck([](auto a) { return sum(slightly_off(a)); }, {x});
    REQUIRE(!report);
    CHECK(report.failures()[0].tolerance < 1e-8);
}

TEST_CASE("gradcheck of wrong structured ops", "[gradcheck]") {
    const Array<double> square_matrix{{1, 2, 3}, {4, 5, 6}, {7, 8, 10}};
    CHECK(says(gradcheck([](auto a) { return apply(WrongTranspose{}, square(a)); }, {square_matrix}), "elements are off"));
    CHECK(says(gradcheck([](auto a) { return apply(WrongTranspose{}, a); }, {square_matrix}),
               "the right numbers at the wrong elements"));
    const auto mean_report = gradcheck([](auto a) { return apply(WrongMean{}, a); }, {full<double>({7}, 0.5)});
    CHECK(says(mean_report, "7 times what it should be; 7 is also the extent of an axis"));
    CHECK(says(gradcheck([](auto a) { return apply(WrongShape{}, a); }, {x}), "it threw: wrong_shape (node 1)"));
}

TEST_CASE("gradcheck of the second order", "[gradcheck]") {
    constexpr auto constant_rule = elementwise<"constant_rule">(
        [](auto a) { return a * a * a; }, [](auto g, auto a, auto) { return 3 * g * stop_gradient(a * a); });
    const auto f = [=](auto a) { return sum(constant_rule(a)); };
    CHECK(gradcheck(f, {x}));
    const auto report = gradcheck(f, {x}, {.order = 2});
    REQUIRE(!report);
    CHECK(report.failures()[0].order == 2);
    CHECK(says(report, "order 2: input 0"));
}

TEST_CASE("gradcheck of a stochastic function replays its noise", "[gradcheck]") {
    const auto reparameterised = [](auto mu, auto log_variance, Rng& rng) {
        return mu + exp(0.5 * log_variance) * normal_like(mu, rng);
    };
    const Rng rng = Rng(3).stream("noise");
    CHECK(gradcheck(reparameterised, {x, x}, rng, {.order = 2}));
    CHECK(rng.draws() == 0);
    Rng shared = rng;
    const auto not_replayed = gradcheck([&](auto mu) { return mu * normal_like(mu, shared); }, {x});
    CHECK(says(not_replayed, "two calls with the same inputs give different results"));
    const auto wrong = [](auto mu, Rng& noise) { return doubled(mu, normal_like(mu, noise)); };
    CHECK(says(gradcheck(wrong, {x}, rng), "2 times what it should be"));
}

TEST_CASE("gradcheck at a kink, at the edge of a domain, at NaN", "[gradcheck]") {
    const GradcheckOptions stay{.step_around_kinks = false};
    const auto kink = gradcheck([](auto a) { return sum(relu(a)); }, {Array<double>{1, 0, -1}}, stay);
    REQUIRE(!kink);
    CHECK(kink.failures()[0].element == Shape{1});
    CHECK(says(kink, "the point sits on a kink"));
    CHECK(says(gradcheck([](auto a) { return sum(relu(a)); }, {Array<double>{1, 1e-6}}, stay), "or next to one"));
    const auto edge = gradcheck([](auto a) { return sqrt(a); }, {Array<double>{0, 1}}, stay);
    CHECK(says(edge, "a neighbour of this point is not in the function's domain"));
    CHECK(says(gradcheck([](auto a) { return log(a); }, {Array<double>{1, -1}}), "at element (1,) of its result"));
    const auto no_number = gradcheck([](auto a) { return where(a > 0, a, square(0 / (a - a))); }, {Array<double>{1, 2}});
    CHECK(!no_number);
}

TEST_CASE("gradcheck steps around a kink and says so", "[gradcheck]") {
    const auto report = gradcheck([](auto a) { return sum(relu(a)); }, {Array<double>{1, 0, -1, 0}});
    CHECK(report);
    REQUIRE(report.notes().size() == 1);
    CHECK(says(report, "note: stepped around a kink: input 0 at element (1,) moved from 0 to "));
    CHECK(says(report, ", and 1 more"));
    CHECK(gradcheck([](auto a) { return max(a, 1); }, {full<double>({2, 3}, 1.0)}));  // ties
    // It does not step around a wrong gradient.
    CHECK(!gradcheck([](auto a) { return wrong_above_one(abs(a)); }, {Array<double>{0, 1.5}}));
}

TEST_CASE("gradcheck steps around kinks of a gradient, of several inputs, and anywhere in a large one", "[gradcheck]") {
    CHECK(gradcheck([](auto a) { return max(a); }, {Array<double>{1, 1, 0}}, {.order = 2}));
    CHECK(gradcheck([](auto a) { return sum(abs(a)); }, {Array<double>{0, 1}}, {.order = 2}));
    const Array<double> zero{0.0, 0.0};
    const auto several = [](auto a, auto b, auto c, auto d) { return sum(relu(a) + relu(b) + relu(c) + relu(d)); };
    CHECK(gradcheck(several, {zero, zero, zero, zero}).notes().size() == 4);
    Array<double> large = full<double>({1000}, 1);
    large(300) = large(900) = 0;
    const auto report = gradcheck([](auto a) { return sum(relu(a)); }, {large});
    CHECK(report);
    CHECK(says(report, "at element (300,)"));
    const auto edge = gradcheck([](auto a) { return sum(log(a)); }, {Array<double>{1e-7}});
    CHECK(says(edge, "stepped away from the edge of the domain"));
}

TEST_CASE("gradcheck does not take a flat function for a kink", "[gradcheck]") {
    constexpr auto masked = elementwise<"masked">(
        [](auto a, auto b) { return a * b; },
        [](auto g, auto a, auto b, auto) { return where(logical_and(equal(a, 0), equal(b, 0)), g, g * b); },
        [](auto g, auto a, auto, auto) { return g * a; });
    const Array<double> zero{0.0, 0.0};
    CHECK(!gradcheck(masked, {zero, zero}));
}

TEST_CASE("gradcheck passes what is right where values cancel", "[gradcheck]") {
    const Array<double> zero{0.0, 0.0}, same{0.1, 0.1, 0.1}, x3{0.1, 0.2, 0.3};
    const auto kl = [](auto mean, auto log_variance) { return 0.5 * sum(square(mean) + exp(log_variance) - log_variance - 1); };
    CHECK(gradcheck(kl, {zero, zero}));
    CHECK(gradcheck([](auto a) { return var(a); }, {same}));
    CHECK(gradcheck([](auto a) { return stddev(a); }, {same}));
    CHECK(gradcheck([](auto a) { return sum(square(expm1(a))); }, {zero}));
    CHECK(gradcheck([](auto a) { return sum(softmax(a, 0)); }, {x3}, {.order = 2}));
    CHECK(gradcheck([](auto a) { return sum(square(sin(a)) + square(cos(a))); }, {x3}, {.order = 2}));
}

TEST_CASE("gradcheck without a direction checks nothing, and refuses", "[gradcheck]") {
    CHECK_THROWS_AS(gradcheck([](auto a) { return sum(a); }, {x}, {.directions = 0}), Error);
}

TEST_CASE("gradcheck reports an exception", "[gradcheck]") {
    const auto report = gradcheck([](auto a, auto b) { return matmul(a, b); }, {x, x});
    REQUIRE(!report);
    CHECK(says(report, "it threw: matmul (node 2)"));
    CHECK(says(report, "(2, 3) and (2, 3)"));
}

TEST_CASE("gradcheck prints a success", "[gradcheck]") {
    CHECK(says(gradcheck([](auto a) { return a * a; }, {x}), "gradcheck: passed, 6 derivatives compared"));
}
