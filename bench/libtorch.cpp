// The same VAE training step by libtorch, where CMake finds it (Debian: libtorch-dev). Compiled for the benchmarks alone.
#ifdef XTAPE_BENCH_LIBTORCH
#include <torch/torch.h>

// Both define it.
#undef CHECK
#include <benchmark/benchmark.h>

namespace {

struct TorchVaeImpl : torch::nn::Module {
    torch::nn::Linear hidden{784, 400}, mean{400, 20}, log_variance{400, 20}, decoder{20, 400}, pixels{400, 784};

    TorchVaeImpl() {
        register_module("hidden", hidden);
        register_module("mean", mean);
        register_module("log_variance", log_variance);
        register_module("decoder", decoder);
        register_module("pixels", pixels);
    }
    torch::Tensor loss(const torch::Tensor& x) {
        const auto features = torch::relu(hidden(x));
        const auto mu = mean(features), lv = log_variance(features);
        const auto z = mu + torch::exp(0.5 * lv) * torch::randn_like(mu);
        const auto logits = pixels(torch::relu(decoder(z)));
        const auto reconstruction = torch::binary_cross_entropy_with_logits(logits, x, {}, {}, at::Reduction::Sum);
        const auto kl = 0.5 * (torch::exp(lv) + mu * mu - 1 - lv).sum();
        return (reconstruction + kl) / x.size(0);
    }
};
TORCH_MODULE(TorchVae);

void vae_by_libtorch(benchmark::State& state) {
    torch::set_num_threads(static_cast<int>(state.range(0)));
    torch::manual_seed(2);
    TorchVae model;
    torch::optim::Adam adam(model->parameters(), torch::optim::AdamOptions(1e-3));
    const auto uniform = torch::rand({state.range(1), 784});
    const auto x = torch::where(uniform < 0.5, torch::zeros_like(uniform), uniform);
    const auto step = [&] {
        adam.zero_grad();
        const auto loss = model->loss(x);
        loss.backward();
        adam.step();
        return loss.item<float>();
    };
    for (int i = 0; i < 5; ++i) benchmark::DoNotOptimize(step());
    for (auto _ : state) benchmark::DoNotOptimize(step());
}

void sizes(benchmark::internal::Benchmark* benchmark) {
    benchmark->ArgNames({"threads", "batch"})->UseRealTime()->Unit(benchmark::kMillisecond);
    for (const int threads : {1, 2}) {
        for (const int batch : {32, 128, 512}) benchmark->Args({threads, batch});
    }
}

BENCHMARK(vae_by_libtorch)->Name("vae_step/libtorch")->Apply(sizes);

}  // namespace
#endif
