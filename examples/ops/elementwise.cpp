// An elementwise op in one line, with all that is asked of the library's own: its loops, its broadcasting and its
// derivatives follow from the lambda. What spec_of() is given beside the op, a domain and a second way to the value,
// makes the tests ask for more.
#include <autograd/autograd.hpp>
#include <autograd/check.hpp>
#include <cmath>
#include <cstdio>

using namespace autograd;

inline constexpr auto gaussian = elementwise<"gaussian">([](auto x, auto width) { return exp(-0.5 * square(x / width)); });

int main() {
    // It works on Vars, and broadcasts: a column of places against a row of widths.
    Tape<double> tape;
    const auto x = tape.variable(Array<double>{-1.0, 0.0, 2.0}), width = tape.variable(Array<double>{0.5, 1.0});
    const auto y = gaussian(reshape(x, {3, 1}), width);
    const auto gradients = backward(sum(y));
    std::printf("gaussian(x, width) = %s\n", to_string(y.value()).c_str());
    std::printf("gradient of its sum in width: %s\n", to_string(gradients[width]).c_str());

    // The gradient at places of one's own choice, and everything that the library asks of its own ops.
    const auto report = gradcheck(gaussian, {x.value(), full<double>({2, 1}, 0.5)}, {.order = 2});
    std::printf("%s\n", report.text().c_str());
    // The library compares values with those of the standard library, for x in [-2, 2] and width in [0.5, 2]. The
    // rounding of the exponent, at most 8 in size there, counts as often: hence 32 units in the last place.
    const auto failures =
        opcheck(spec_of(gaussian, {.domain = {{{-2, 2}, {0.5, 2}}},
                                   .reference = [](const double* in) { return std::exp(-0.5 * std::pow(in[0] / in[1], 2)); },
                                   .ulps = 32}));
    for (const std::string& failure : failures) std::printf("%s\n", failure.c_str());
    std::printf("opcheck: %zu failures\n", failures.size());
    return report && failures.empty() ? 0 : 1;
}
