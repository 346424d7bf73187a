// Learns to multiply two numbers: a model of one's own, with an op of one's own, trained by Adam. The benchmarks compile it
// to see what a user's file costs.
#include <autograd/autograd.hpp>
#include <cstdio>
#include <nn/nn.hpp>

inline constexpr auto swish = autograd::elementwise<"swish">([](auto x) { return x * sigmoid(x); });

struct Network {
    nn::Linear hidden, output;
    static constexpr auto members = nn::members("hidden", &Network::hidden, "output", &Network::output);

    explicit Network(autograd::Rng& rng) : hidden(2, 16, rng), output(16, 1, rng) {}
    autograd::Var<float> operator()(const autograd::Var<float>& x) const { return output(swish(hidden(x))); }
};

int main() {
    autograd::Rng rng(1);
    Network network(rng);
    nn::Adam adam({.lr = 0.01});
    autograd::Tape<float> tape;
    for (int step = 0; step <= 1000; ++step) {
        tape.clear();
        const auto x = tape.constant(rng.uniform<float>({64, 2}));
        const auto product = slice(x, 1, {0, 1}) * slice(x, 1, {1, 2});
        const auto loss = nn::mean_squared_error(network(x), product);
        adam.step(network, backward(loss));
        if (step % 500 == 0) std::printf("step %4d: mean squared error %.5f\n", step, static_cast<double>(loss.item()));
    }
}
