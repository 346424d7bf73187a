// One training step of the example's VAE, 784-400-(20,20)-400-784 with Adam: by xtape as the example has it, by hand, and
// the matrix products of the latter alone.
#include <benchmark/benchmark.h>

#include <autograd/autograd.hpp>
#include <memory>
#include <string>

#include "examples/ae_vs_vae/models.hpp"
#include "handwritten.hpp"

namespace {

using autograd::Array;
using autograd::Rng;

// A quarter of the values zero, the rest anywhere in [0, 1): about what Fashion-MNIST's pixels look like to a loss.
Array<float> pictures(std::size_t batch, const bench::Sizes& sizes) {
    Rng rng(1);
    Array<float> x = rng.uniform<float>({batch, sizes.pixels});
    autograd::update([](auto& value) { value = where(value < 0.25f, 0, value); }, x);
    return x;
}

void by_xtape(benchmark::State& state) {
    const auto batch = static_cast<std::size_t>(state.range(1));
    const bench::Sizes sizes{.batch = batch};
    autograd::set_num_threads(static_cast<int>(state.range(0)));
    Rng rng(2);
    Autoencoder model(sizes.pixels, sizes.units, sizes.latent, rng);
    nn::Adam adam;
    autograd::Tape<float> tape;
    nn::attach(tape, model);
    const Array<float> x = pictures(batch, sizes);
    float loss = 0;
    const auto step = [&] {
        tape.clear();
        const Loss found = vae_loss(model, tape.constant(x), 1.0f, 1, rng);
        adam.step(model, backward(found.loss));
        loss = found.loss.item();
    };
    for (int warm_up = 0; warm_up < 3; ++warm_up) step();
    for (auto _ : state) step();
    benchmark::DoNotOptimize(loss);
}

bench::HandwrittenVae handwritten(const benchmark::State& state) {
    autograd::set_num_threads(static_cast<int>(state.range(0)));
    Rng rng(2);
    return {{.batch = static_cast<std::size_t>(state.range(1))}, rng};
}

void by_hand(benchmark::State& state) {
    bench::HandwrittenVae model = handwritten(state);
    Rng rng(3);
    const Array<float> x = pictures(static_cast<std::size_t>(state.range(1)), {});
    float loss = 0;
    for (int warm_up = 0; warm_up < 3; ++warm_up) loss = model.step(x.data(), rng);
    for (auto _ : state) loss = model.step(x.data(), rng);
    benchmark::DoNotOptimize(loss);
}

void products_alone(benchmark::State& state) {
    bench::HandwrittenVae model = handwritten(state);
    const Array<float> x = pictures(static_cast<std::size_t>(state.range(1)), {});
    for (int warm_up = 0; warm_up < 3; ++warm_up) model.products(x.data());
    for (auto _ : state) model.products(x.data());
}

void sizes(benchmark::internal::Benchmark* benchmark) {
    benchmark->ArgNames({"threads", "batch"})->UseRealTime()->Unit(benchmark::kMillisecond);
    for (const int threads : {1, 2}) {
        for (const int batch : {32, 128, 512}) benchmark->Args({threads, batch});
    }
}

BENCHMARK(by_xtape)->Name("vae_step/xtape")->Apply(sizes);
BENCHMARK(by_hand)->Name("vae_step/handwritten")->Apply(sizes);
BENCHMARK(products_alone)->Name("vae_step/gemm")->Apply(sizes);

}  // namespace
