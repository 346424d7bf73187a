// A small program of a user's, compiled by the benchmarks for its compile time: both public headers, a model, an op of its
// own, a training loop. (Not .cpp, so that it is not taken for a part of the benchmarks.)
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
    for (int step = 0; step < 1000; ++step) {
        tape.clear();
        const auto x = tape.constant(rng.uniform<float>({64, 2}));
        const auto product = slice(x, 1, {0, 1}) * slice(x, 1, {1, 2});
        const auto loss = mean(square(network(x) - product));
        adam.step(network, backward(loss));
        if (step % 100 == 0) std::printf("%d %g\n", step, static_cast<double>(loss.item()));
    }
}
