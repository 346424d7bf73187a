// Ops as a user writes them. The library's own are tested one by one by every_op_test.
#include <cmath>
#include <functional>
#include <type_traits>
#include "tests/specs/registry.hpp"

#include "tests/testing.hpp"

using namespace autograd;

namespace users {

inline constexpr auto swish = elementwise<"swish">([](auto x) { return x * sigmoid(x); });

// Two inputs, derived; scalars inside; a comparison inside.
inline constexpr auto huber = elementwise<"huber">([](auto x, auto width) {
    const auto size = abs(x);
    return where(size < width, 0.5 * x * x, width * (size - 0.5 * width));
});

// Stated rules: wrong on purpose by a factor, so that the test sees that they are what is used.
inline constexpr auto triple = elementwise<"triple">([](auto x) { return 3 * x; }, [](auto g, auto, auto) { return 30 * g; });

// The second input is not differentiable.
inline constexpr auto masked = elementwise<"masked">([](auto x, auto mask) { return x * mask; },
                                                     [](auto g, auto, auto mask, auto) { return g * mask; }, no_gradient);

inline constexpr auto of_stated = elementwise<"of_stated">([](auto x) { return triple(x) * x; });

inline constexpr auto eight = elementwise<"eight">(
    [](auto a, auto b, auto c, auto d, auto e, auto f, auto g, auto h) { return a * b + c * d + e * f + g * h; });

/// A structured op: x's rows times the numbers 0, 1, 2, ...
struct ScaleRows {
    static constexpr const char* name = "scale_rows";

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        if (x.dimension() != 2) throw ShapeError("a matrix is wanted, not shape " + to_string(x.shape()));
        reshape_for_overwriting(out, x.shape());
        for (std::size_t i = 0; i < x.shape()[0]; ++i) {
            for (std::size_t j = 0; j < x.shape()[1]; ++j) out(i, j) = static_cast<T>(i) * x(i, j);
        }
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const {
        return apply(ScaleRows{}, g);
    }
};

/// One with a rule of the wrong shape.
struct Misshapen {
    static constexpr const char* name = "misshapen";

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        out = x;
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const {
        return reshape(g, {g.shape()[1], g.shape()[0]});
    }
};

/// One which states that no gradient flows into its second input.
struct Gate {
    static constexpr const char* name = "gate";

    template <class T>
    void forward(Array<T>& out, const Array<T>& x, const Array<T>& gate) const {
        out = x * gate;
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X& gate, const X&) const {
        return g * gate;
    }
    static NoGradient gradient(InputIndex<1>) { return no_gradient; }
};

}  // namespace users

namespace {

using D = Array<double>;
using Numbers = std::vector<double>;

double swish_derivative(double x) {
    const double s = 1 / (1 + std::exp(-x));
    return s + x * s * (1 - s);
}

}  // namespace

TEMPLATE_TEST_CASE("op: one line is an op, with its derivative derived", "", float, double) {
    using T = TestType;
    Tape<T> tape;
    for (const std::size_t count : {1u, 3u, 8u, 33u}) {
        const auto x = tape.variable(sample<T>({count}));
        const auto y = users::swish(x);
        CHECK(std::string(tape.describe(y.index())).substr(0, 6) == "swish ");
        CHECK(y.index() == x.index() + 1);  // one node
        const auto grads = backward(sum(y));
        // The derivative is made of some ten operations, each of which rounds once.
        const double bound = 10 * static_cast<double>(std::numeric_limits<T>::epsilon());
        for (std::size_t i = 0; i < count; ++i) {
            const double at = static_cast<double>(x.value()(i));
            CHECK(static_cast<double>(y.value()(i)) == Approx(at / (1 + std::exp(-at))).epsilon(bound));
            CHECK(static_cast<double>(grads[x](i)) == Approx(swish_derivative(at)).margin(bound));
        }
    }
}

TEST_CASE("op: a composite has derivatives of all orders") {
    Tape<double> tape;
    const auto x = tape.variable(D{-3, -0.5, 0, 0.5, 3});
    const auto first = backward(sum(users::swish(x)), {.create_graph = true}).var(x);
    const auto second = backward(sum(first), {.create_graph = true}).var(x);
    const auto third = backward(sum(second));
    for (std::size_t i = 0; i < 5; ++i) {
        const double s = 1 / (1 + std::exp(-x.value()(i))), s1 = s * (1 - s), s2 = s1 * (1 - 2 * s);
        const double s3 = s2 * (1 - 2 * s) - 2 * s1 * s1;
        CHECK(first.value()(i) == Approx(s + x.value()(i) * s1).margin(1e-14));
        CHECK(second.value()(i) == Approx(2 * s1 + x.value()(i) * s2).margin(1e-14));
        CHECK(third[x](i) == Approx(3 * s2 + x.value()(i) * s3).margin(1e-14));
    }
}

TEST_CASE("op: a composite of two inputs broadcasts and takes scalars on either side") {
    Tape<double> tape;
    const auto x = tape.variable(D{{-3, -0.5}, {0.5, 3}});
    const auto width = tape.variable(D{1, 2});
    const auto grads = backward(sum(users::huber(x, width)));
    // Quadratic: x and 0. Linear: sign(x) width and |x| - width.
    CHECK(elements(grads[x]) == Numbers{-1, -0.5, 0.5, 2});
    CHECK(elements(grads[width]) == Numbers{2, 1});
    CHECK(elements(users::huber(x, 1).value()) == Numbers{2.5, 0.125, 0.125, 2.5});
    const auto of_width = backward(sum(users::huber(3, width)));
    CHECK(elements(of_width[width]) == Numbers{2, 1});
}

TEST_CASE("op: stated rules are what is used, alone, inside a composite and recorded") {
    Tape<double> tape;
    const auto x = tape.variable(D{2});
    CHECK(users::triple(x).item() == 6);
    CHECK(backward(users::triple(x))[x](0) == 30);
    CHECK(backward(users::of_stated(x))[x](0) == 30 * 2 + 6);
    const auto recorded = backward(users::of_stated(x), {.create_graph = true});
    CHECK(recorded[x](0) == 66);
    CHECK(backward(recorded.var(x))[x](0) == 60);
}

TEST_CASE("op: no_gradient cuts, and the cut is named") {
    Tape<double> tape;
    const auto x = tape.variable(D{2, 3}), mask = tape.variable(D{1, 0});
    const auto y = users::masked(x, mask);
    const auto grads = backward(sum(y));
    CHECK(elements(grads[x]) == Numbers{1, 0});
    CHECK_THAT(message_of<GradientError>([&] { grads[mask]; }), contains("masked (node 2)"));
    CHECK_THAT(message_of<GradientError>([&] { backward(sum(users::masked(1.0, mask))); }), contains("masked"));
    // The same Var in both places: the gradient of one of them.
    CHECK(elements(backward(sum(users::masked(x, x)))[x]) == Numbers{2, 3});
}

TEST_CASE("op: up to eight inputs, of which any may be scalars or the same Var") {
    Tape<double> tape;
    const auto a = tape.variable(D{1, 2, 3}), b = tape.variable(full<double>({2, 1}, 10.0));
    const auto y = users::eight(a, b, a, 2, 3.0f, b, a, a);
    CHECK(y.shape() == Shape{2, 3});
    CHECK(y.value()(1, 2) == 3 * 10 + 3 * 2 + 3 * 10 + 9);
    const auto grads = backward(sum(y));
    CHECK(elements(grads[a]) == Numbers{20 + 4 + 4, 20 + 4 + 8, 20 + 4 + 12});
    CHECK(elements(grads[b]) == Numbers{6 + 9, 6 + 9});
}

TEST_CASE("op: scalars are no nodes and convert to the tape's type") {
    Tape<float> tape;
    const auto x = tape.variable(Array<float>{1, 2});
    const auto y = 2 * x + 0.5 - x / 4L;
    static_assert(std::is_same_v<decltype(y), const Var<float>>);
    CHECK(tape.size() == 5);
    CHECK(elements(y.value()) == std::vector<float>{2.25f, 4});
    CHECK(elements(backward(sum(y))[x]) == std::vector<float>{1.75f, 1.75f});
    const auto g = backward(sum(pow(x, 3) * 2), {.create_graph = true});
    CHECK(elements(g[x]) == std::vector<float>{6, 24});
    CHECK(elements(backward(sum(g.var(x)))[x]) == std::vector<float>{12, 24});
}

TEST_CASE("op: a structured op of a user's has both orders") {
    Tape<double> tape;
    const auto x = tape.variable(D{{1, 2}, {3, 4}, {5, 6}});
    const auto y = apply(users::ScaleRows{}, x);
    CHECK(elements(y.value()) == Numbers{0, 0, 3, 4, 10, 12});
    const auto grads = backward(sum(y * y), {.create_graph = true});
    CHECK(elements(grads[x]) == Numbers{0, 0, 6, 8, 40, 48});
    CHECK(elements(backward(sum(grads.var(x)))[x]) == Numbers{0, 0, 2, 2, 8, 8});
    CHECK_THAT(message_of<ShapeError>([&] { apply(users::ScaleRows{}, sum(x)); }),
               contains("scale_rows (node") && contains("a matrix is wanted"));
}

TEST_CASE("op: a rule which gives a gradient of the wrong shape is refused by name") {
    Tape<double> tape;
    const auto x = tape.variable(D{{1, 2, 3}, {4, 5, 6}});
    const auto loss = sum(apply(users::Misshapen{}, x) * 2.0);
    CHECK_THAT(message_of<GradientError>([&] { backward(loss); }),
               contains("misshapen (node 1)") && contains("(2, 3)") && contains("(3, 2)"));
    CHECK_THROWS_AS(backward(loss, {.create_graph = true}), Error);
}

TEST_CASE("op: a structured op may cut") {
    Tape<double> tape;
    const auto x = tape.variable(D{2, 3}), gate = tape.variable(D{1, 0});
    const auto grads = backward(sum(apply(users::Gate{}, x, gate)));
    CHECK(elements(grads[x]) == Numbers{1, 0});
    CHECK_THAT(message_of<GradientError>([&] { grads[gate]; }), contains("gate (node 2)"));
}

TEST_CASE("op: ops are found by their argument, and work on arrays outside a tape") {
    Tape<float> tape;
    const auto x = tape.variable(Array<float>{0, 1});
    static_assert(std::is_same_v<decltype(exp(0.5f * x)), Var<float>>);
    static_assert(std::is_same_v<decltype(x > 0), Var<float>>);
    static_assert(std::is_trivially_copyable_v<Var<float>>);
    static_assert(!std::is_copy_constructible_v<Tape<float>> && !std::is_move_constructible_v<Tape<float>>);
    const Array<float> array{1, 4};
    CHECK(elements(sqrt(Eager<float>(array) * 4).array()) == std::vector<float>{2, 4});
}

TEST_CASE("op: a direct draw has no gradient, the reparameterised one has") {
    Tape<double> tape;
    Rng rng{3};
    const auto mu = tape.variable(D{0.5, -1}), log_variance = tape.variable(D{0, -0.7});
    const auto epsilon = normal_like(mu, rng);
    const auto z = mu + exp(0.5 * log_variance) * epsilon;
    const auto grads = backward(sum(z));
    CHECK(elements(grads[mu]) == Numbers{1, 1});
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(grads[log_variance](i) == Approx(0.5 * std::exp(0.5 * log_variance.value()(i)) * epsilon.value()(i)));
    }
    const auto draw = bernoulli_like(sigmoid(mu), rng);
    CHECK_THAT(message_of<GradientError>([&] { backward(sum(draw)); }), contains("bernoulli_like"));
    CHECK_THAT(why_no_gradient(sum(draw), mu), contains("bernoulli_like"));
}

TEST_CASE("op: pow has its second order where the exponent is 0") {
    Tape<double> tape;
    const auto x = tape.variable(Array<double>{2.0}), exponent = tape.variable(Array<double>{0.0});
    const auto gradients = backward(sum(pow(x, exponent)), {.create_graph = true});
    // d/de (e x^(e - 1)) at e = 0 is 1 / x.
    CHECK(backward(sum(gradients.var(x)))[exponent](0) == Approx(0.5));
    const auto at_zero = backward(sum(pow(tape.variable(Array<double>{0.0}), 0)) + sum(x));
    CHECK(at_zero[x](0) == 1);
}

TEST_CASE("op: shapes with more elements than can be counted are refused") {
    Tape<double> tape;
    const auto x = tape.constant(Array<double>{1.0});
    const std::size_t huge = std::size_t{1} << 62;
    CHECK_THROWS_AS(broadcast_to(x, {huge, 4}), ShapeError);
    CHECK_THROWS_AS(broadcast_to(x, {huge}), ShapeError);
    CHECK_THROWS_AS(reshape(tape.constant(autograd::empty<double>({0})), {huge, huge}), ShapeError);
    CHECK(tape.size() == 2);
}

TEST_CASE("op: reshape infers one extent") {
    Tape<double> tape;
    const auto x = tape.constant(autograd::full<double>({2, 6}, 1.0));
    CHECK(reshape(x, {autograd::inferred, 4}).shape() == Shape{3, 4});
    CHECK_THROWS_AS(reshape(x, {autograd::inferred, 5}), ShapeError);
    CHECK_THROWS_AS(reshape(x, {autograd::inferred, autograd::inferred}), ShapeError);
    CHECK_THROWS_AS(reshape(x, {autograd::inferred, 0}), ShapeError);
}

TEST_CASE("op: an error of any op names the op, its node and the module, once") {
    for (const OpSpec& spec : registry()) {
        for (const OpMisuse& misuse : spec.misuses) {
            Tape<double> tape;
            std::vector<Parameter<double>> parameters;
            std::vector<Var<double>> inputs;
            for (const Shape& shape : misuse.shapes) {
                parameters.emplace_back(sample<double>(shape));
                tape.name_parameter(parameters.back().identity(), "decoder.hidden.weight");
                inputs.push_back(tape.parameter(parameters.back()));
            }
            const std::string message = message_of<ShapeError>([&] { misuse.call(inputs); });
            INFO(spec.name << ": " << message);
            // An empty list is on no tape.
            if (message.find("empty list") != std::string::npos) continue;
            const std::size_t place = message.find(" (node ");
            REQUIRE(place != std::string::npos);
            CHECK(message.find(message.substr(0, place) + ": ") == std::string::npos);
            // Of inputs that were computed on the way the module is not known.
            if (tape.size() == inputs.size()) CHECK_THAT(message, contains(", decoder.hidden): "));
        }
    }
}

TEST_CASE("op: an error of LAPACK's names its node, and keeps its type") {
    Tape<double> tape;
    const Parameter<double> zero(full<double>({2, 2}, 0));
    tape.name_parameter(zero.identity(), "flow.mixing");
    const auto a = tape.parameter(zero), b = tape.variable(full<double>({2}, 1));
    for (const auto& [name, call] : std::vector<std::pair<std::string, std::function<Var<double>()>>>{
             {"solve", [&] { return solve(a, b); }}, {"inv", [&] { return inv(a); }}, {"cholesky", [&] {
                                                                                           return cholesky(a);
                                                                                       }}}) {
        const std::string message = message_of<Error>(call);
        INFO(message);
        CHECK(message.starts_with(name + " (node "));
        CHECK_THAT(message, contains(", flow): the matrix is "));
        CHECK_THROWS_AS(call(), Error);
        bool is_shape_error = false;
        try {
            call();
        } catch (const ShapeError&) {
            is_shape_error = true;
        } catch (const Error&) {
        }
        CHECK_FALSE(is_shape_error);
    }
}

TEST_CASE("op: products of vectors name the shapes that were given") {
    Tape<double> tape;
    const auto vector = tape.variable(sample<double>({3})), matrix = tape.variable(sample<double>({4, 5}));
    const std::string left = message_of<ShapeError>([&] { matmul(vector, matrix); });
    const std::string right = message_of<ShapeError>([&] { matmul(matrix, vector); });
    CHECK(left == "matmul (node 2): shapes (3,) and (4, 5): the inner extents, 3 and 4, must be equal");
    CHECK(right == "matmul (node 2): shapes (4, 5) and (3,): the inner extents, 5 and 3, must be equal");
    CHECK_THAT(message_of<ShapeError>([&] {
                   solve(tape.variable(sample<double>({2, 2})), vector);
               }),
               contains("shapes (2, 2) and (3,)"));
}
