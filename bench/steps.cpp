// Training steps of the example's networks, 784-400-(20,20)-400-784 with Adam, and decoding: by xtape as the example has
// them, by hand, and the matrix products of the hand-written VAE step alone.
#include <benchmark/benchmark.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <autograd/autograd.hpp>

#include "examples/ae_vs_vae/models.hpp"
#include "handwritten.hpp"
#include "steps.hpp"

namespace bench {

using autograd::Array;
using autograd::Rng;

Array<float> pictures(std::size_t batch, std::size_t pixels) {
    Rng rng(1);
    Array<float> x = rng.uniform<float>({batch, pixels});
    autograd::update([](auto& value) { value = where(value < 0.5f, 0, value); }, x);
    return x;
}

XtapeStep::XtapeStep(Kind kind, std::size_t batch)
    : kind_(kind), rng_(2), model_(784, 400, 20, rng_), x_(pictures(batch, 784)) {
    nn::attach(tape_, model_);
}

float XtapeStep::operator()() {
    tape_.clear();
    const auto x = tape_.constant(x_);
    const Loss found = kind_ == Kind::vae ? vae_loss(model_, x, 1.0f, 1, rng_) : autoencoder_loss(model_, x);
    adam_.step(model_, backward(found.loss));
    return found.loss.item();
}

std::size_t XtapeStep::bytes_on_tape() const {
    std::size_t bytes = 0;
    for (std::uint32_t i = 0; i < tape_.size(); ++i) bytes += tape_.node(i).value.size() * sizeof(float);
    return bytes;
}

namespace {

constexpr int warm_up_steps = 5;

/// Measures `step`, after some steps that warm up.
template <class Step>
void measure(benchmark::State& state, Step&& step) {
    for (int i = 0; i < warm_up_steps; ++i) benchmark::DoNotOptimize(step());
    for (auto _ : state) benchmark::DoNotOptimize(step());
}

std::size_t configure(const benchmark::State& state) {
    autograd::set_num_threads(static_cast<int>(state.range(0)));
    return static_cast<std::size_t>(state.range(1));
}

void xtape_step(benchmark::State& state, XtapeStep::Kind kind) {
    XtapeStep step(kind, configure(state));
    measure(state, step);
}

void vae_by_hand(benchmark::State& state) {
    Rng rng(2);
    const std::size_t batch = configure(state);
    HandwrittenVae model({.batch = batch}, rng);
    const Array<float> x = pictures(batch, 784);
    measure(state, [&] { return model.step(x.data(), rng); });
}

void ae_by_hand(benchmark::State& state) {
    Rng rng(2);
    const std::size_t batch = configure(state);
    HandwrittenVae model({.batch = batch}, rng);
    const Array<float> x = pictures(batch, 784);
    measure(state, [&] { return model.autoencoder_step(x.data()); });
}

void products_alone(benchmark::State& state) {
    Rng rng(2);
    const std::size_t batch = configure(state);
    HandwrittenVae model({.batch = batch}, rng);
    const Array<float> x = pictures(batch, 784);
    measure(state, [&] {
        model.products(x.data());
        return 0;
    });
}

void decode_by_xtape(benchmark::State& state) {
    const std::size_t count = configure(state);
    Rng rng(2);
    const Decoder decoder(784, 400, 20, rng);
    const Array<float> codes = rng.normal<float>({count, 20});
    autograd::Tape<float> tape({.inference = true});
    measure(state, [&] {
        tape.clear();
        return sigmoid(decoder(tape.constant(codes))).value().data();
    });
}

void decode_by_hand(benchmark::State& state) {
    const std::size_t count = configure(state);
    Rng rng(2);
    HandwrittenVae model({.batch = count}, rng);
    const Array<float> codes = rng.normal<float>({count, 20});
    measure(state, [&] { return model.decode(codes.data()); });
}

/// A child process which keeps one processor busy for as long as this object lives.
class BusyNeighbour {
   public:
    BusyNeighbour() : child_(fork()) {
        if (child_ != 0) return;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        volatile unsigned spin = 0;
        while (true) spin = spin + 1;
    }
    BusyNeighbour(const BusyNeighbour&) = delete;
    BusyNeighbour& operator=(const BusyNeighbour&) = delete;
    ~BusyNeighbour() {
        kill(child_, SIGKILL);
        waitpid(child_, nullptr, 0);
    }

   private:
    pid_t child_;
};

void vae_step_contended(benchmark::State& state) {
    const BusyNeighbour neighbour;
    xtape_step(state, XtapeStep::Kind::vae);
}

void step_sizes(benchmark::internal::Benchmark* benchmark) {
    benchmark->ArgNames({"threads", "batch"})->UseRealTime()->Unit(benchmark::kMillisecond);
    for (const int threads : {1, 2}) {
        for (const int batch : {32, 128, 512}) benchmark->Args({threads, batch});
    }
}

void decode_sizes(benchmark::internal::Benchmark* benchmark) {
    benchmark->ArgNames({"threads", "codes"})->UseRealTime()->Unit(benchmark::kMillisecond);
    for (const int threads : {1, 2}) benchmark->Args({threads, 10000});
}

BENCHMARK_CAPTURE(xtape_step, vae, XtapeStep::Kind::vae)->Name("vae_step/xtape")->Apply(step_sizes);
BENCHMARK(vae_by_hand)->Name("vae_step/handwritten")->Apply(step_sizes);
BENCHMARK(products_alone)->Name("vae_step/gemm")->Apply(step_sizes);
BENCHMARK(vae_step_contended)->Name("vae_step/contended")->ArgNames({"threads", "batch"})->Args({2, 128})->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(xtape_step, ae, XtapeStep::Kind::ae)->Name("ae_step/xtape")->Apply(step_sizes);
BENCHMARK(ae_by_hand)->Name("ae_step/handwritten")->Apply(step_sizes);
BENCHMARK(decode_by_xtape)->Name("decode/xtape")->Apply(decode_sizes);
BENCHMARK(decode_by_hand)->Name("decode/handwritten")->Apply(decode_sizes);

}  // namespace
}  // namespace bench
