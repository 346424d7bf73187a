// What a plugin or another language's extension does: it links the static libraries and offers a plain function.
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

namespace {

/// Fits y = 3 x; the weight that it found.
double fit() {
    using namespace autograd;
    Tape<double> tape;
    Parameter<double> weight{full<double>({1, 1}, 0)};
    const Array<double> data = full<double>({4, 1}, 0.5), wanted = full<double>({4, 1}, 1.5);
    for (int step = 0; step < 200; ++step) {
        tape.clear();
        const auto y = matmul(tape.constant(data), tape.parameter(weight));
        const auto gradients = backward(sum(square(y - tape.constant(wanted))));
        update([](auto& value, auto g) { value = value - 0.1 * g; }, weight.mutable_value(), gradients[weight]);
    }
    // A large buffer too, from a region of its own, which this thread leaves behind.
    const Array<double> large = full<double>({100'000}, 1);
    return weight.value()(0, 0) * large(99'999);
}

}  // namespace

extern "C" double xtape_plugin_fit() { return fit(); }
