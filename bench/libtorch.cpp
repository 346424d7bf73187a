// The same VAE training step by libtorch (Debian: libtorch-dev): a worker, in a program of its own, so that libtorch is
// part of no other process that is measured. Takes the number of threads and the batch size.
#include <torch/torch.h>

#include <cstdio>
#include <cstdlib>

#include "worker.hpp"

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

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("xtape_bench_libtorch: xtape_bench starts it, with the number of threads and the batch size\n", stderr);
        return 2;
    }
    torch::set_num_threads(std::atoi(argv[1]));
    torch::manual_seed(2);
    TorchVae model;
    torch::optim::Adam adam(model->parameters(), torch::optim::AdamOptions(1e-3));
    const auto uniform = torch::rand({std::atol(argv[2]), 784});
    const auto x = torch::where(uniform < 0.5, torch::zeros_like(uniform), uniform);
    bench::serve([&] {
        adam.zero_grad();
        const auto loss = model->loss(x);
        loss.backward();
        adam.step();
        loss.item<float>();
    });
    return 0;
}
