// Forward mode of structured ops that state no tangent: it follows from their rule, where that is linear in the gradient, and
// opcheck finds where it is not.
#include <cmath>

#include "autograd/check.hpp"
#include "tests/testing.hpp"

using namespace autograd;
using D = Array<double>;

namespace users {

/// x times the sum of its square, along the last axis: y_i = x_i sum(x^2). It states its rule alone.
struct Cubed {
    static constexpr const char* name = "cubed";

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        out = (Eager<T>(x) * sum(square(Eager<T>(x)), -1, KeepDims::yes)).take();
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X&) const {
        return g * sum(square(x), -1, KeepDims::yes) + 2 * x * sum(g * x, -1, KeepDims::yes);
    }
};

/// Of a row for each matrix's column, which the rule gives once for all of them.
struct AddRow {
    static constexpr const char* name = "add_row";

    template <class T>
    void forward(Array<T>& out, const Array<T>& x, const Array<T>& row) const {
        out = (Eager<T>(x) + Eager<T>(row)).take();
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&, const X&) const {
        return g;
    }
    template <class X>
    X gradient(InputIndex<1>, const X& g, const X&, const X& row, const X&) const {
        return sum_to(g, row.shape());
    }
};

/// A rule that is not linear in the gradient, and one with a branch without it.
template <bool clips>
struct Crooked {
    static constexpr const char* name = clips ? "clipped" : "marked";

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        out = x;
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X&) const {
        return clips ? clip(g, -0.6, 0.6) : where(equal(x, x), g, x);
    }
};

/// One that says so.
struct Honest : Crooked<true> {
    static constexpr NoTangent tangent{};
};

}  // namespace users

namespace {

template <class S>
OpSpec spec_for(const S& structure, const std::vector<Shape>& shapes, std::function<D(std::span<const D>)> reference) {
    OpSpec spec{.name = S::name};
    spec.cases = {{.name = "a case",
                   .shapes = shapes,
                   .call =
                       [=](auto v) {
                           if constexpr (requires { S{}.gradient(InputIndex<1>{}, v[0], v[0], v[0], v[0]); }) {
                               return apply(structure, v[0], v[1]);
                           } else {
                               return apply(structure, v[0]);
                           }
                       },
                   .reference = std::move(reference)}};
    return spec;
}

D itself(std::span<const D> x) { return x[0]; }

}  // namespace

TEST_CASE("derived tangents: a rule gives forward mode too, and second order") {
    Tape<double> tape;
    const auto x = tape.variable(D{{1, 2}, {3, -1}}), t = tape.constant(D{{1, 0}, {0, 2}});
    const auto y = apply(users::Cubed{}, x);
    // dy_i = t_i s + 2 x_i sum(x t): the first row has s = 5, sum(x t) = 1; the second 10, -2.
    CHECK(elements(tangent<double>(y, {{x, t.value()}})) == std::vector<double>{5 + 2, 4, -12, 20 + 4});
    CHECK(gradcheck([](const Var<double>& v) { return apply(users::Cubed{}, v); }, {x.value()}, {.order = 2}));
    const auto report = gradcheck([](const Var<double>& v) { return apply(users::Cubed{}, v); }, {x.value()});
    CHECK_THAT(report.text(), contains("forward mode finds no fault in cubed"));
}

TEST_CASE("derived tangents: of a rule that gives the same along an axis") {
    Tape<double> tape;
    const auto x = tape.variable(D{{1, 2}, {3, 4}}), row = tape.variable(D{{5, 6}});
    const auto y = apply(users::AddRow{}, x, row);
    CHECK(elements(tangent<double>(y, {{row, D{{1, -2}}}})) == std::vector<double>{1, -2, 1, -2});
    CHECK(elements(tangent<double>(y, {{x, D{{1, 2}, {3, 4}}}, {row, D{{1, -2}}}})) == std::vector<double>{2, 0, 4, 2});
}

TEST_CASE("derived tangents: opcheck holds them against differences, and finds rules that are not linear") {
    const auto cubed = [](std::span<const D> x) {
        D y = x[0];
        for (std::size_t i = 0; i < y.shape()[0]; ++i) {
            double squares = 0;
            for (std::size_t j = 0; j < y.shape()[1]; ++j) squares += x[0](i, j) * x[0](i, j);
            for (std::size_t j = 0; j < y.shape()[1]; ++j) y(i, j) *= squares;
        }
        return y;
    };
    OpSpec spec = spec_for(users::Cubed{}, {{2, 3}}, cubed);
    spec.documentation.nan = "in the whole row";
    CHECK(opcheck(spec) == std::vector<std::string>{});

    const auto said = [](const OpSpec& of) {
        std::string text;
        for (const std::string& failure : opcheck(of)) text += failure + "\n";
        return text;
    };
    CHECK_THAT(said(spec_for(users::Crooked<true>{}, {{3}}, itself)),
               contains("not linear in the gradient") && contains("NoTangent"));
    CHECK_THAT(said(spec_for(users::Crooked<false>{}, {{3}}, itself)),
               contains("with a NaN in input 0 its gradient is NaN, and its tangent is not"));
    CHECK_THAT(said(spec_for(users::Honest{}, {{3}}, itself)), !contains("not linear"));
    Tape<double> tape;
    const auto x = tape.variable(D{1, 2});
    CHECK_THAT(message_of<GradientError>([&] {
                   tangent<double>(apply(users::Honest{}, x), {{x, D{1, 1}}});
               }),
               contains("has no rule for forward mode"));
}

namespace users {

/// Its gradient has a shape that fits no input.
struct FitsNoInput {
    static constexpr const char* name = "fits_no_input";
    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        out = x;
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const {
        return reshape(g, {1, 3});
    }
};

/// x, through whose gradient no forward mode leads.
struct ClippedInOneWay {
    static constexpr const char* name = "clipped";
    static constexpr NoTangent tangent{};
    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        out = x;
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const {
        return clip(g, -1, 1);
    }
};

}  // namespace users

TEST_CASE("derived tangents: a rule whose gradient fits no input is refused, as backward refuses it") {
    Tape<double> tape;
    const Array<double> d{1, 2, 3};
    const auto x = tape.variable(d);
    const auto y = apply(users::FitsNoInput{}, x);
    const std::string expected = "fits_no_input (node 1): its rule gives input 0, of shape (3,), a gradient of shape (1, 3)";
    CHECK(message_of<GradientError>([&] { tangent<double>(y, {{x, d}}); }) == expected);
    CHECK(message_of<GradientError>([&] { backward(sum(y)); }) == expected);
}

TEST_CASE("tangents: what lies behind a cut is not asked, and a missing one has its own reason") {
    Tape<double> tape;
    const Array<double> d{1, 2, 3};
    const auto x = tape.variable(d);
    CHECK(elements(tangent<double>(x * stop_gradient(apply(users::ClippedInOneWay{}, x)), {{x, d}})) ==
          std::vector<double>{1, 4, 9});
    const auto c = tape.constant(d), y = sum(x);
    CHECK(elements(tangent<double>(c * x, {{c, d}})) == std::vector<double>{1, 4, 9});  // a constant may move
    CHECK_THAT(message_of<GradientError>([&] {
                   tangent<double>(y, {{c, d}});
               }),
               contains("does not depend on it") && !contains("constant: gradients"));
}
