// Eight kinds of wrong gradient, each planted in an op of this file alone: which of gradcheck's checks must see it, and what
// the report says. The ops' values and, where they are stated apart, their tangents are right.
#include <autograd/ops/reductions.hpp>

#include "tests/testing.hpp"

namespace {

using namespace autograd;
using Check = GradcheckReport::Check;

constexpr auto wrong_sign =
    elementwise<"wrong_sign">([](auto a, auto b) { return a - b; }, unchanged, [](auto g, auto, auto, auto) { return g; });

constexpr auto wrong_factor =
    elementwise<"wrong_factor">([](auto a) { return sin(a); }, [](auto g, auto a, auto) { return 2 * g * cos(a); });

/// matrix + row, whose gradient for the row is that of the first row alone.
struct MissingReduction {
    static constexpr const char* name = "missing_reduction";

    template <class T>
    void forward(Array<T>& out, const Array<T>& a, const Array<T>& row) const {
        out = a + row;
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&, const X&) const {
        return g;
    }
    template <class X>
    X gradient(InputIndex<1>, const X& g, const X&, const X& row, const X&) const {
        return reshape(slice(g, 0, {0, 1}), row.shape());
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X&, const X&, const X&) const {
        return t;
    }
    template <class X>
    X tangent(InputIndex<1>, const X& t, const X&, const X&, const X& y) const {
        return broadcast_to(t, y.shape());
    }
};

/// a', handed back without being turned again.
struct Transposed {
    static constexpr const char* name = "transposed";
    static constexpr bool linear = true;

    template <class T>
    void forward(Array<T>& out, const Array<T>& a) const {
        out = matrix_transpose(Eager<T>(a)).array();
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& a, const X&) const {
        return reshape(g, a.shape());
    }
};

/// a * b, whose gradient knows of a only.
struct ForgottenInput {
    static constexpr const char* name = "forgotten_input";

    template <class T>
    void forward(Array<T>& out, const Array<T>& a, const Array<T>& b) const {
        out = a * b;
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X& b, const X&) const {
        return g * b;
    }
    template <class X>
    X gradient(InputIndex<1>, const X& g, const X&, const X&, const X&) const {
        return g * 0;
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X&, const X& b, const X&) const {
        return t * b;
    }
    template <class X>
    X tangent(InputIndex<1>, const X& t, const X& a, const X&, const X&) const {
        return t * a;
    }
};

/// The sum over axis 0 of a square matrix, whose gradient is laid along axis 1.
struct WrongAxis {
    static constexpr const char* name = "wrong_axis";
    static constexpr bool linear = true;

    template <class T>
    void forward(Array<T>& out, const Array<T>& a) const {
        out = sum(Eager<T>(a), 0).array();
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& a, const X&) const {
        return broadcast_to(reshape(g, {a.shape()[0], 1}), a.shape());
    }
};

/// a^2, by a rule that uses the a of an earlier call.
struct StaleValue {
    static constexpr const char* name = "stale_value";
    Array<double> kept;

    template <class T>
    void forward(Array<T>& out, const Array<T>& a) const {
        out = a * a;
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& a, const X&) const {
        return 2 * g * (stop_gradient(a) * 0 + constant_like(a));
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X& a, const X&) const {
        return 2 * t * a;
    }
    Var<double> constant_like(const Var<double>& a) const { return a.tape().constant(kept); }
    Eager<double> constant_like(const Eager<double>&) const { return Eager<double>(kept); }
    template <class T>
    Eager<T> constant_like(const Eager<T>& a) const {
        return a;
    }
    template <class T>
    Var<T> constant_like(const Var<T>& a) const {
        return a;
    }
};

/// A draw from N(mean, deviation^2) that passes a gradient to the mean alone, as if the sample did not stretch.
struct DroppedDependence {
    static constexpr const char* name = "dropped_dependence";

    template <class T>
    void forward(Array<T>& out, const Array<T>& mean, const Array<T>& deviation, const Array<T>& epsilon) const {
        out = mean + deviation * epsilon;
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&, const X&, const X&) const {
        return g;
    }
    template <class X, std::size_t K>
    X gradient(InputIndex<K>, const X& g, const X&, const X&, const X&, const X&) const {
        return g * 0;
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X&, const X&, const X&, const X&) const {
        return t;
    }
    template <class X>
    X tangent(InputIndex<1>, const X& t, const X&, const X&, const X& epsilon, const X&) const {
        return t * epsilon;
    }
    template <class X>
    X tangent(InputIndex<2>, const X& t, const X&, const X& deviation, const X&, const X&) const {
        return t * deviation;
    }
};

const Array<double> matrix{{0.3, -1.2, 2.0}, {1.1, 0.4, -0.6}, {-0.7, 0.9, 1.6}};
const Array<double> row{0.5, -0.25, 1.5};

/// What both checks find, each alone; and, of the whole report, the failure's place and words.
template <class F, std::size_t N>
void expect(F f, const Array<double> (&inputs)[N], bool seen_by_differences, bool seen_by_dot_product, std::size_t input,
            const std::string& reason) {
    const auto by_differences = gradcheck(f, inputs, {.dot_product = false});
    const auto by_dot_product = gradcheck(f, inputs, {.differences = false});
    CHECK(static_cast<bool>(by_differences) == !seen_by_differences);
    CHECK(static_cast<bool>(by_dot_product) == !seen_by_dot_product);
    for (const GradcheckReport& report : {by_differences, by_dot_product}) {
        INFO(report.text());
        CHECK(report.notes().empty());
        for (const auto& failure : report.failures()) {
            CHECK(failure.input == input);
            CHECK(failure.element.size() == inputs[input].dimension());
            CHECK(std::fabs(failure.backward - failure.other) > failure.tolerance);
            CHECK_THAT(failure.message, contains("input " + std::to_string(input) + " (of " + std::to_string(N)));
            CHECK_THAT(failure.message, contains("element " + to_string(failure.element)));
            CHECK_THAT(failure.message,
                       contains(failure.check == Check::differences ? "differences give" : "forward mode gives"));
            CHECK_THAT(failure.message, contains(reason));
        }
    }
}

}  // namespace

TEST_CASE("planted fault: a sign, in a rule that both modes share") {
    expect([](auto a, auto b) { return wrong_sign(a, b); }, {matrix, row}, true, false, 1, "the sign is wrong");
}

TEST_CASE("planted fault: a factor of 2, in a rule that both modes share") {
    expect([](auto a) { return wrong_factor(a); }, {matrix}, true, false, 0, "2 times what it should be");
}

TEST_CASE("planted fault: a reduction over a broadcast that is missing") {
    expect([](auto a, auto b) { return apply(MissingReduction{}, a, b); }, {matrix, row}, true, true, 1,
           "is a sum over a broadcast missing?");
}

TEST_CASE("planted fault: a transposition") {
    expect([](auto a) { return apply(Transposed{}, a); }, {matrix}, true, true, 0, "at the wrong elements: transposed");
}

TEST_CASE("planted fault: a transposition, where squares of the derivatives are no numbers") {
    const auto f = [](auto a) { return apply(Transposed{}, a) * 1e200; };
    CHECK_FALSE(gradcheck(f, {matrix}, {.differences = false}));
    CHECK(gradcheck([](auto a) { return matrix_transpose(a) * 1e200; }, {matrix}, {.differences = false}));
}

TEST_CASE("planted fault: a forgotten input") {
    expect([](auto a, auto b) { return apply(ForgottenInput{}, a, b); }, {matrix, matrix}, true, true, 1,
           "a path from this input was forgotten");
}

TEST_CASE("planted fault: a wrong axis") {
    expect([](auto a) { return apply(WrongAxis{}, a); }, {matrix}, true, true, 0, "at the wrong elements");
}

TEST_CASE("planted fault: a stale value") {
    const Array<double> earlier = matrix + 0.25;
    expect([&](auto a) { return apply(StaleValue{earlier}, a); }, {matrix}, true, true, 0, "a value of an earlier call?");
}

TEST_CASE("planted fault: a sample that does not depend on its deviation") {
    const auto draw = [](auto mean, auto deviation) {
        Rng rng(5);
        return apply(DroppedDependence{}, mean, deviation, normal_like(mean, rng));
    };
    expect(draw, {row, full<double>({3}, 0.5)}, true, true, 1, "a path from this input was forgotten");
}

TEST_CASE("planted faults in two inputs: forward mode reports both, though it looks for a reason in between") {
    const auto both = [](auto a, auto b) { return apply(ForgottenInput{}, apply(Transposed{}, a), b); };
    const auto report = gradcheck(both, {matrix, matrix}, {.differences = false});
    INFO(report.text());
    REQUIRE(report.failures().size() == 2);
    CHECK(report.failures()[0].input == 0);
    CHECK(report.failures()[1].input == 1);
    CHECK(report.failures()[1].check == Check::dot_product);
}
