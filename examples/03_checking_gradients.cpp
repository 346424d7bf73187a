// Claim: a wrong derivative is found by two checks, and they do not find the same. Differences see every wrong rule
// that is wrong enough to be seen by differences; the dot product with forward mode sees wiring to rounding, but no
// fault that both modes share. Ops with a planted fault each, and one that is right.
#include <autograd/autograd.hpp>
#include <cstdio>
#include <string>

#include "check.hpp"

using namespace autograd;

inline constexpr auto right =
    elementwise<"right">([](auto x) { return square(x) * x; }, [](auto g, auto x, auto) { return 3 * g * square(x); });

/// A wrong factor. Forward mode uses the same rule, as in all elementwise ops: the two agree on what is wrong.
inline constexpr auto wrong_factor =
    elementwise<"wrong_factor">([](auto x) { return square(x) * x; }, [](auto g, auto x, auto) { return 6 * g * square(x); });

/// Right below 3, wrong above.
inline constexpr auto wrong_far_away = elementwise<"wrong_far_away">(
    [](auto x) { return square(x) * x; }, [](auto g, auto x, auto) { return where(x < 3, 3 * g * square(x), 0); });

/// matrix + row, of which the row gets the gradient of the first row of the sum only: a sum over the others is missing.
struct MissingSum {
    static constexpr const char* name = "missing_sum";
    template <class T>
    void forward(Array<T>& out, const Array<T>& matrix, const Array<T>& row) const {
        out = matrix + row;
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

/// exp, of which the gradient (but not the tangent) is too large by a part in 10^8.
struct SlightlyWrong {
    static constexpr const char* name = "slightly_wrong";
    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        out = xt::exp(x);
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X& y) const {
        return g * y * (1 + 1e-8);
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X&, const X& y) const {
        return t * y;
    }
};

int main() {
    Checks checks;
    const Array<double> x{0.5, -1.0, 2.0}, matrix{{0.3, -1.2, 2.0}, {1.1, 0.4, -0.6}};

    // The report: the element that is furthest off, both numbers, and a guess at the reason.
    const auto report = gradcheck([](auto v) { return sum(wrong_factor(v)); }, {x});
    std::printf("%s\n\n", report.text().c_str());
    checks.holds("the report is of a failure, with the likely reason \"2 times what it should be\"",
                 !report && report.text().find("2 times what it should be") != std::string::npos);
    if (report) return checks.result();
    const auto& failure = report.failures().front();
    checks.near("by backward, at the element named: 6 x^2, x = 2", failure.backward, 24, 0);
    checks.near("by differences: 3 x^2", failure.other, 12, failure.tolerance);

    // A line for each op: what each of the two checks says when it is asked alone.
    std::printf("\n  %-59s %-12s %s\n", "", "differences", "dot product");
    const auto row = [&](const char* op, bool by_differences, bool by_dot_product, auto f, const auto&... inputs) {
        const bool differences = !gradcheck(f, {inputs...}, {.dot_product = false});
        const bool dot_product = !gradcheck(f, {inputs...}, {.differences = false});
        const auto word = [](bool sees) { return sees ? "sees it" : "passes"; };
        char line[128];
        std::snprintf(line, sizeof line, "%-54s %-12s %s", op, word(differences), word(dot_product));
        checks.holds(line, differences == by_differences && dot_product == by_dot_product);
    };
    const auto exponential = [](auto v) { return apply(SlightlyWrong{}, v); };
    const auto far_from_zero = [](auto v) { return apply(SlightlyWrong{}, v) + 1e6; };
    row(
        "none: right", false, false, [](auto v) { return right(v); }, x);
    row(
        "a factor of 2, in the rule that both modes share", true, false, [](auto v) { return wrong_factor(v); }, x);
    row(
        "a sum over a broadcast that is missing", true, true, [](auto a, auto b) { return apply(MissingSum{}, a, b); }, matrix,
        x);
    row("a part in 10^8", true, true, exponential, x);
    row("a part in 10^8, where values are near 10^6", false, true, far_from_zero, x);
    row(
        "wrong beyond 3, checked below 3", false, false, [](auto v) { return wrong_far_away(v); }, x);
    row(
        "wrong beyond 3, checked at 4 too", true, false, [](auto v) { return wrong_far_away(v); }, Array<double>{0.5, 4.0});
    std::printf("\nValues near 10^6 are rounded to 10^-10, which differences divide by small steps; forward mode has none. No "
                "check sees\n"
                "what is wrong only where it was not called: choose inputs on both sides of every branch.\n");
    return checks.result();
}
