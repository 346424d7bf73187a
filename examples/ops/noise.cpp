// A stochastic op: a sample of the log-normal distribution, differentiable in both of its parameters. It draws from a
// stream that its caller holds; the noise is a leaf of the tape, and the sample a function of it: the
// reparameterisation trick. Made of recorded ops, it needs no rules of its own.
#include <autograd/autograd.hpp>
#include <cmath>
#include <cstdio>

using namespace autograd;

/// exp(mean + exp(log_deviation) epsilon), epsilon from N(0, 1): one draw of `rng`, of the shape of `mean`.
template <class T>
Var<T> log_normal(const Var<T>& mean, const Var<T>& log_deviation, Rng& rng) {
    return exp(mean + exp(log_deviation) * normal_like(mean, rng));
}

int main() {
    // The average of 100,000 samples has the gradients that E[z] = exp(mean + deviation^2 / 2) has, up to chance.
    Rng noise = Rng(1).stream("noise");
    Tape<double> tape;
    const auto mean = tape.variable(full<double>({}, 0.25)), log_deviation = tape.variable(full<double>({}, std::log(0.5)));
    const Shape many{100'000};
    const auto z = log_normal(broadcast_to(mean, many), broadcast_to(log_deviation, many), noise);
    const auto average = autograd::mean(z);
    const auto gradients = backward(average);
    const double expected = std::exp(0.25 + 0.125);
    std::printf("E[z]: %.4f, of samples %.4f\n", expected, average.item());
    std::printf("its gradient in mean: %.4f, of samples %.4f\n", expected, gradients[mean].data()[0]);
    std::printf("its gradient in log_deviation: %.4f, of samples %.4f\n", 0.25 * expected, gradients[log_deviation].data()[0]);

    // A draw that is a leaf by itself, such as 0 or 1 with a probability, passes nothing on; the tape says where it
    // stops.
    const auto coin = bernoulli_like(sigmoid(mean), noise);
    std::printf("why there is no gradient through a coin: %s\n", why_no_gradient(square(coin), mean).c_str());

    // Each call of f gets a copy of the generator, and so the same noise: then f is a function, and differences make
    // sense.
    const Array<double> x{-0.5, 0.0, 1.0}, s{-1.0, 0.2, 0.1};
    const auto f = [](const auto& m, const auto& d, Rng& rng) { return log_normal(m, d, rng); };
    const auto report = gradcheck(f, {x, s}, Rng(7), {.order = 2});
    std::printf("%s\n", report.text().c_str());
    const bool close = std::fabs(average.item() - expected) < 0.02 && std::fabs(gradients[mean].data()[0] - expected) < 0.02;
    return report && close ? 0 : 1;
}
