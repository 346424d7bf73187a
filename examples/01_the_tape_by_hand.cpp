// Claim: a gradient by reverse mode is a walk forwards and one backwards through a list, a line of arithmetic for each node.
// Here both are done by hand, for three ops, and compared with what the library does.
#include <autograd/autograd.hpp>
#include <cmath>
#include <cstdio>
#include <limits>

#include "check.hpp"

using namespace autograd;

int main() {
    Checks checks;

    // Up: each op computes its value when it is called, and writes itself down. x is used twice.
    Tape<double> tape;
    const auto w = tape.variable(full<double>({}, 0.5)), x = tape.variable(full<double>({}, 2.0));
    const auto product = w * x;
    const auto bent = tanh(product);
    const auto loss = bent * x;
    std::printf("%s\n", print(tape).c_str());

    // Only the rounding of a few operations separates the two ways.
    const auto compare = [&](const char* what, double seen, double by_hand) {
        checks.near(what, seen, by_hand, 8 * std::numeric_limits<double>::epsilon() * std::fabs(by_hand));
    };
    const double up_product = 0.5 * 2.0, up_bent = std::tanh(up_product), up_loss = up_bent * 2.0;
    std::printf("values, from the first node to the last\n");
    compare("%2 = multiply: 0.5 * 2", product.item(), up_product);
    compare("%3 = tanh: tanh(1)", bent.item(), up_bent);
    compare("%4 = multiply: tanh(1) * 2", loss.item(), up_loss);

    // Down: each node's gradient is complete when the walk arrives, for all that use it stand behind it. It passes on
    // (its own gradient) * (its derivative) to each input, where contributions are added.
    const double down_loss = 1;
    const double down_bent = down_loss * 2.0;                         // d(bent * x) / d bent = x
    double down_x = down_loss * up_bent;                              // d(bent * x) / d x = bent: x's first share
    const double down_product = down_bent * (1 - up_bent * up_bent);  // tanh' = 1 - tanh^2
    const double down_w = down_product * 2.0;                         // d(w * x) / d w = x
    down_x += down_product * 0.5;                                     // d(w * x) / d x = w: its second
    const auto gradients = backward(loss, {.keep = true});            // keep: those of %2 and %3 too
    std::printf("gradients, from the last node to the first\n");
    compare("%4: 1", gradients[loss](), down_loss);
    compare("%3: 1 * 2", gradients[bent](), down_bent);
    compare("%2: 2 * (1 - tanh(1)^2)", gradients[product](), down_product);
    compare("%1 = x: tanh(1) of %4, and 0.84 * 0.5 of %2", gradients[x](), down_x);
    compare("%0 = w: 0.84 * 2 of %2", gradients[w](), down_w);

    // The same list walked forwards with rates of change in place of values is forward mode: one direction at a time.
    const Array<double> one = full<double>({}, 1.0);
    std::printf("forward mode, one walk forwards for each input\n");
    compare("the loss, when x moves at rate 1", tangent<double>(loss, {{x, one}})(), down_x);
    compare("the loss, when w moves at rate 1", tangent<double>(loss, {{w, one}})(), down_w);
    return checks.result();
}
