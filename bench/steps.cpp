// Training steps of the example's networks, 784-400-(20,20)-400-784 with Adam and the one with convolutions, and decoding:
// by xtape as the example has them, by hand, by libtorch where there is one, and the matrix products of the hand-written
// VAE step alone. Each of them, for each number of threads and batch size, lives in a process of its own; they take turns
// at random.
#include "steps.hpp"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <map>
#include <stdexcept>

#include "children.hpp"
#include "handwritten.hpp"
#include "suite.hpp"
#include "worker.hpp"

namespace bench {

using autograd::Array;
using autograd::Rng;

constexpr NetworkOptions network{.rows = 28, .columns = 28, .hidden = 400, .latent = 20};

NetworkOptions network_of(XtapeStep::Kind kind) {
    NetworkOptions options = network;
    if (kind == XtapeStep::Kind::convolutional_vae) options.architecture = Architecture::conv;
    return options;
}

Array<float> pictures(std::size_t batch, std::size_t pixels) {
    Rng rng(1);
    Array<float> x = rng.uniform<float>({batch, pixels});
    autograd::update([](auto& value) { value = where(value < 0.5f, 0, value); }, x);
    return x;
}

XtapeStep::XtapeStep(Kind kind, std::size_t batch, autograd::BackwardOptions options)
    : kind_(kind), options_(options), rng_(2), model_(network_of(kind), rng_), x_(pictures(batch, 784)) {
    nn::attach(tape_, model_);
}

float XtapeStep::operator()() {
    tape_.clear();
    const Batch batch{tape_.constant(x_)};
    const Loss found = kind_ == Kind::ae ? autoencoder_loss(model_, batch) : vae_loss(model_, batch, 1.0f, 1, rng_);
    const float loss = found.loss.item();
    adam_.step(model_, backward(found.loss, options_));
    return loss;
}

std::size_t XtapeStep::bytes_on_tape() const {
    std::size_t bytes = 0;
    for (std::uint32_t i = 0; i < tape_.size(); ++i) bytes += tape_.node(i).value.size() * sizeof(float);
    return bytes;
}

void run_as_worker(const std::string& contender, int threads, std::size_t batch) {
    autograd::set_num_threads(threads);
    const std::map<std::string, XtapeStep::Kind> steps = {{"vae_step/xtape", XtapeStep::Kind::vae},
                                                          {"ae_step/xtape", XtapeStep::Kind::ae},
                                                          {"conv_step/xtape", XtapeStep::Kind::convolutional_vae}};
    if (const auto found = steps.find(contender); found != steps.end()) {
        XtapeStep step(found->second, batch, {.release = true});  // as in the example
        return serve([&] { step(); });
    }
    Rng rng(2);
    const Array<float> x = pictures(batch, 784), codes = rng.normal<float>({batch, 20});
    if (contender == "decode/xtape") {
        const Decoder decoder(network, rng);
        autograd::Tape<float> tape({.inference = true});
        return serve([&] {
            tape.clear();
            static_cast<void>(sigmoid(decoder(tape.constant(codes))));
        });
    }
    HandwrittenVae model({.batch = batch}, rng);
    if (contender == "vae_step/handwritten") return serve([&] { model.step(x.data(), rng); });
    if (contender == "ae_step/handwritten") return serve([&] { model.autoencoder_step(x.data()); });
    if (contender == "vae_step/gemm") return serve([&] { model.products(x.data()); });
    if (contender == "decode/handwritten") return serve([&] { model.decode(codes.data()); });
    throw std::runtime_error(fmt::format("no contender is called {}", contender));
}

namespace {

/// The program that serves libtorch's steps, which CMake builds beside this one if it finds libtorch.
std::filesystem::path libtorch_program() { return this_program().replace_filename("xtape_bench_libtorch"); }

/// The worker of a contender, started when it is first asked for.
Worker& worker_of(const std::string& contender, int threads, int batch) {
    static std::map<std::vector<std::string>, Worker> workers;
    std::vector<std::string> command = {this_program(), "--worker", contender};
    if (contender == "vae_step/libtorch") {
        // Its OpenMP threads would spin, and slow down libtorch itself; of OpenBLAS's threads it does not decide the
        // number.
        command = {"env", "OMP_WAIT_POLICY=passive", fmt::format("OPENBLAS_NUM_THREADS={}", threads),
                   libtorch_program()};
    }
    command.push_back(std::to_string(threads));
    command.push_back(std::to_string(batch));
    return workers.try_emplace(command, command).first->second;
}

/// Steps in one turn: short turns, and at least 300 steps of each contender in the run's 31 turns.
int steps_in_a_turn(int batch) { return batch <= 128 ? 12 : 10; }

/// What differs from one benchmark to the next, in Google Benchmark's terms.
std::string arguments(int threads, const char* size, int batch) {
    return fmt::format("/threads:{}/{}:{}", threads, size, batch);
}

template <class Turn>
void add_benchmark(const std::string& name, int threads, const char* size, int batch, Turn turn) {
    benchmark::RegisterBenchmark(name.c_str(),
                                 [turn](benchmark::State& state) {
                                     const std::vector<double> seconds =
                                         turn(static_cast<std::size_t>(state.max_iterations));
                                     auto each = seconds.begin();
                                     for (auto _ : state) state.SetIterationTime(*each++);
                                 })
        ->ArgNames({"threads", size})
        ->Args({threads, batch})
        ->Iterations(steps_in_a_turn(batch))
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
}

}  // namespace

void add_steps(Ratios& ratios) {
    constexpr std::size_t untimed = 2;
    // Registers one benchmark; returns the name of its median.
    const auto add = [](const std::string& contender, int threads, const char* size, int batch) {
        add_benchmark(contender, threads, size, batch, [=](std::size_t steps) {
            return worker_of(contender, threads, batch).take_turn(untimed, steps);
        });
        return contender + arguments(threads, size, batch);
    };
    std::vector<std::string> rivals = {"handwritten", "gemm"};
    if (std::filesystem::exists(libtorch_program())) rivals.push_back("libtorch");
    for (const int threads : {1, 2}) {
        for (const int batch : {32, 128, 512}) {
            const std::string suffix = batch == 128 ? "" : fmt::format("_batch{}", batch);
            const std::string vae = add("vae_step/xtape", threads, "batch", batch);
            for (const std::string& rival : rivals) {
                ratios.push_back({fmt::format("vae_step_{}t_over_{}{}", threads, rival, suffix), vae,
                                  add("vae_step/" + rival, threads, "batch", batch)});
            }
            ratios.push_back({fmt::format("ae_step_{}t_over_handwritten{}", threads, suffix),
                              add("ae_step/xtape", threads, "batch", batch),
                              add("ae_step/handwritten", threads, "batch", batch)});
        }
        const std::string convolutional = add("conv_step/xtape", threads, "batch", 128);
        ratios.push_back({fmt::format("conv_step_{}t_ms", threads), convolutional, "", 1e3});
        ratios.push_back({fmt::format("decode_{}t_over_handwritten", threads),
                          add("decode/xtape", threads, "codes", 10000),
                          add("decode/handwritten", threads, "codes", 10000)});
    }
    add_benchmark("vae_step/contended", 2, "batch", 128, [](std::size_t steps) {
        const BusyNeighbour neighbour;
        return worker_of("vae_step/xtape", 2, 128).take_turn(untimed, steps);
    });
    ratios.push_back({"vae_step_contended_over_1t", "vae_step/contended" + arguments(2, "batch", 128),
                      "vae_step/xtape" + arguments(1, "batch", 128)});
}

}  // namespace bench
