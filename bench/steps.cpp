// Training steps of the example's networks, 784-400-(20,20)-400-784 with Adam and the one with convolutions, and
// decoding: by xtape as the example has them, by hand, by rivals where there are some, and the matrix products of the
// hand-written VAE step alone; beside them what the hardware allows. Each of them, for each number of threads and batch
// size, lives in a process of its own; they take turns at random.
#include "steps.hpp"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <map>
#include <stdexcept>

#include "children.hpp"
#include "handwritten.hpp"
#include "rivals.hpp"
#include "roofline.hpp"
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

void run_as_worker(const std::string& contender, int threads, std::size_t size) {
    autograd::set_num_threads(threads);
    if (contender == "roofline/multiply_add") return serve([=] { multiply_and_add(size); });
    if (contender == "roofline/memory") {
        MemoryStream stream;
        return serve([&] { stream.move(size); });
    }
    const std::size_t batch = size;
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

/// The worker that these words start, started when it is first asked for.
Worker& worker_of(const std::vector<std::string>& command) {
    static std::map<std::vector<std::string>, Worker> workers;
    return workers.try_emplace(command, command).first->second;
}

std::vector<std::string> command_of(const std::string& contender, int threads, int size) {
    return {this_program(), "--worker", contender, std::to_string(threads), std::to_string(size)};
}

/// Steps in one turn: short turns, and at least 300 steps of each contender in the run's 31 turns.
int steps_in_a_turn(int size) { return size <= 128 ? 12 : 10; }
constexpr std::size_t untimed = 2;  // before them

/// What differs from one benchmark to the next, in Google Benchmark's terms.
std::string arguments(int threads, const char* unit, int size) { return fmt::format("/threads:{}/{}:{}", threads, unit, size); }

template <class Turn>
void add_benchmark(const std::string& name, int threads, const char* unit, int size, Turn turn) {
    benchmark::RegisterBenchmark(name.c_str(),
                                 [turn](benchmark::State& state) {
                                     const std::vector<double> seconds = turn(static_cast<std::size_t>(state.max_iterations));
                                     auto each = seconds.begin();
                                     for (auto _ : state) state.SetIterationTime(*each++);
                                 })
        ->ArgNames({"threads", unit})
        ->Args({threads, size})
        ->Iterations(steps_in_a_turn(size))
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
}

/// Registers the benchmark of a worker; returns the name of its median.
std::string add_worker(const std::string& contender, int threads, const char* unit, int size,
                       const std::vector<std::string>& command) {
    add_benchmark(contender, threads, unit, size,
                  [=](std::size_t steps) { return worker_of(command).take_turn(untimed, steps); });
    return contender + arguments(threads, unit, size);
}

std::string add(const std::string& contender, int threads, const char* unit, int size) {
    return add_worker(contender, threads, unit, size, command_of(contender, threads, size));
}

/// A step's rivals, and the ratio over each; over the quickest of those that are one library in different settings.
void add_rivals(Ratios& ratios, const std::vector<Rival>& rivals, const std::string& step, const std::string& xtape,
                int threads, int batch, const std::string& suffix) {
    std::map<std::string, std::vector<std::string>> names;
    for (const Rival& rival : rivals) {
        if (!rival.takes(step, batch)) continue;
        names[rival.library].push_back(
            add_worker(step + "/" + rival.name, threads, "batch", batch, rival.command(step, threads, batch)));
    }
    for (const auto& [library, settings] : names) {
        ratios.push_back({fmt::format("{}_{}t_over_{}{}", step, threads, library, suffix), xtape, settings});
    }
}

/// What the hardware allows to so many threads.
class Roofline {
   public:
    Roofline(Ratios& ratios, int threads)
        : ratios_(ratios),
          threads_(threads),
          multiply_add_(add("roofline/multiply_add", threads, "megaflops", megaflops)),
          memory_(add("roofline/memory", threads, "megabytes", megabytes)) {
        ratios_.push_back({fmt::format("roofline_{}t_gflops_a_core", threads), "", {multiply_add_}, 1e-3 * megaflops});
        ratios_.push_back({fmt::format("roofline_{}t_gb_per_s", threads), "", {memory_}, 1e-3 * megabytes});
    }

    /// Over the time of the step's products at the peak, and of nothing else. The time of its other bytes stands beside
    /// it.
    void add_step(const std::string& step, const NetworkOptions& options, int batch, const std::string& median,
                  const std::string& suffix) const {
        const Work work = work_of_step(options, static_cast<std::size_t>(batch));
        const double measured = 1e6 * megaflops * threads_;  // by all threads together
        const std::string name = fmt::format("{}_{}t_", step, threads_);
        ratios_.push_back({name + "over_roofline" + suffix, median, {multiply_add_}, measured / work.operations});
        ratios_.push_back({name + "roofline_ms" + suffix, multiply_add_, {}, 1e3 * work.operations / measured});
        ratios_.push_back({name + "other_bytes_ms" + suffix, memory_, {}, 1e3 * work.other_bytes / (1e6 * megabytes)});
    }

   private:
    static constexpr int megaflops = 192;  // on each thread: a millisecond or two
    static constexpr int megabytes = 48;

    Ratios& ratios_;
    int threads_;
    std::string multiply_add_, memory_;
};

}  // namespace

void add_steps(Ratios& ratios, const std::string& python) {
    const std::vector<Rival> rivals = find_rivals(python);
    std::map<int, std::string> convolutional;
    for (const int threads : {1, 2}) {
        const Roofline roofline(ratios, threads);
        for (const int batch : {32, 128, 512}) {
            const std::string suffix = batch == 128 ? "" : fmt::format("_batch{}", batch);
            const std::string vae = add("vae_step/xtape", threads, "batch", batch);
            for (const char* yardstick : {"handwritten", "gemm"}) {
                ratios.push_back({fmt::format("vae_step_{}t_over_{}{}", threads, yardstick, suffix),
                                  vae,
                                  {add(fmt::format("vae_step/{}", yardstick), threads, "batch", batch)}});
            }
            add_rivals(ratios, rivals, "vae_step", vae, threads, batch, suffix);
            roofline.add_step("vae_step", network, batch, vae, suffix);
            ratios.push_back({fmt::format("ae_step_{}t_over_handwritten{}", threads, suffix),
                              add("ae_step/xtape", threads, "batch", batch),
                              {add("ae_step/handwritten", threads, "batch", batch)}});
        }
        const std::string conv = add("conv_step/xtape", threads, "batch", 128);
        ratios.push_back({fmt::format("conv_step_{}t_ms", threads), conv, {}, 1e3});
        add_rivals(ratios, rivals, "conv_step", conv, threads, 128, "");
        roofline.add_step("conv_step", network_of(XtapeStep::Kind::convolutional_vae), 128, conv, "");
        convolutional[threads] = conv;
        ratios.push_back({fmt::format("decode_{}t_over_handwritten", threads),
                          add("decode/xtape", threads, "codes", 10000),
                          {add("decode/handwritten", threads, "codes", 10000)}});
    }
    ratios.push_back({"conv_step_2t_over_1t", convolutional[2], {convolutional[1]}});
    add_benchmark("vae_step/contended", 2, "batch", 128, [](std::size_t steps) {
        const BusyNeighbour neighbour;
        return worker_of(command_of("vae_step/xtape", 2, 128)).take_turn(untimed, steps);
    });
    ratios.push_back({"vae_step_contended_over_1t",
                      "vae_step/contended" + arguments(2, "batch", 128),
                      {"vae_step/xtape" + arguments(1, "batch", 128)}});
}

}  // namespace bench
