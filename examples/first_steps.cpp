// Fits a line to four points by gradient descent: the tape in twenty lines.
#include <autograd/autograd.hpp>
#include <cstdio>

int main() {
    using namespace autograd;
    const Array<double> x{0, 1, 2, 3}, y{1, 3, 5, 7};
    Parameter<double> slope{Array<double>(0.0)}, offset{Array<double>(0.0)};
    Tape<double> tape;
    for (int step = 0; step < 200; ++step) {
        tape.clear();
        const auto a = tape.parameter(slope), b = tape.parameter(offset);
        const auto loss = mean(square(a * tape.constant(x) + b - tape.constant(y)));
        const auto gradients = backward(loss);
        const auto descend = [](auto& value, auto gradient) { value = value - 0.1 * gradient; };
        update(descend, slope.mutable_value(), gradients[slope]);
        update(descend, offset.mutable_value(), gradients[offset]);
    }
    std::printf("y = %.2f x + %.2f\n", slope.value()(), offset.value()());
}
