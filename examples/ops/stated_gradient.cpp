// An elementwise op whose gradient is stated, because it has kinks at which a value must be chosen: soft_threshold,
// which takes `threshold` off the magnitude of x and leaves 0 of what is smaller, the step of sparse regression.
#include <autograd/autograd.hpp>
#include <autograd/check.hpp>
#include <cstdio>

using namespace autograd;

/// At |x| = threshold the gradient is 0, that of the flat side: what is exactly at the threshold stays 0. (Derived, it
/// would be half of g, as maximum and minimum have it.) A NaN compares as false, and so passes g on.
inline constexpr auto soft_threshold =
    elementwise<"soft_threshold">(
        [](auto x, auto threshold) { return maximum(x - threshold, 0) + minimum(x + threshold, 0); },
        [](auto g, auto x, auto threshold, auto) { return where(abs(x) <= threshold, 0, g); },
        [](auto g, auto x, auto threshold, auto) { return where(abs(x) <= threshold, 0, where(x > 0, -g, g)); })
        .documented({.formula = "sign(x) max(|x| - threshold, 0)",
                     .gradient = "g where |x| > threshold, else 0; -g sign(x) there",
                     .kinks = "|x| = threshold: 0"});

/// The same op without its rules, to be compared with.
inline constexpr auto derived =
    elementwise<"derived">([](auto x, auto threshold) { return maximum(x - threshold, 0) + minimum(x + threshold, 0); });

int main() {
    Tape<double> tape;
    const auto x = tape.variable(Array<double>{-1.5, -0.5, 0.0, 0.5, 1.5});
    const auto y = soft_threshold(x, 0.5);
    const Array<double> stated = backward(sum(y))[x], unstated = backward(sum(derived(x, 0.5)))[x];
    std::printf("x               %s\n", to_string(x.value()).c_str());
    std::printf("soft_threshold  %s\n", to_string(y.value()).c_str());
    std::printf("gradient        %s as stated, %s as derived\n", to_string(stated).c_str(), to_string(unstated).c_str());
    const bool chosen = stated == Array<double>{1, 0, 0, 0, 1};

    // No check compares at a kink, where there is no derivative: gradcheck moves the point and says so. What was chosen
    // there is for a test like the line above. `composite`: away from kinks the stated gradient is compared with the
    // derived one.
    const auto report = gradcheck([](const auto& v) { return soft_threshold(v, 0.5); }, {x.value()});
    std::printf("%s\n", report.text().c_str());
    const auto reference = [](const double* in) {
        const double above = in[0] - in[1], below = in[0] + in[1];
        return (above <= 0 ? 0 : above) + (below >= 0 ? 0 : below);
    };
    const auto failures =
        opcheck(spec_of(soft_threshold, composite, {.domain = {{{-2, 2}, {0.25, 0.75}}}, .reference = reference}));
    for (const std::string& failure : failures) std::printf("%s\n", failure.c_str());
    std::printf("opcheck: %zu failures\n", failures.size());
    return chosen && report && failures.empty() ? 0 : 1;
}
