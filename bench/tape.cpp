// What a node costs: chains of x * a, x + b with constant a and b, forward and backward, clearing included; against a
// raw loop with the same loads and stores; and a chain of a million against one of a thousand.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <autograd/autograd.hpp>
#include <vector>

#include "suite.hpp"

namespace bench {
namespace {

using autograd::Array;
using autograd::full;
using autograd::Pack;

void chain(benchmark::State& state) {
    autograd::set_num_threads(1);
    const auto elements = static_cast<std::size_t>(state.range(0));
    const auto nodes = static_cast<std::size_t>(state.range(1));
    const auto start = full<float>({elements}, 1), factor = full<float>({elements}, 0.999f),
               term = full<float>({elements}, 0.001f);
    autograd::Tape<float> tape;
    const auto run = [&] {
        tape.clear();
        const auto x = tape.variable(start), a = tape.constant(factor), b = tape.constant(term);
        auto y = x;
        for (std::size_t i = 0; i < nodes / 2; ++i) y = y * a + b;
        const auto gradients = backward(sum(y));
        benchmark::DoNotOptimize(gradients[x].data());
    };
    run();
    for (auto _ : state) run();
}

/// The loads and stores of the chain above: each value into a buffer of its own, the gradient in place.
void raw_chain(benchmark::State& state) {
    const auto elements = static_cast<std::size_t>(state.range(0));
    const auto nodes = static_cast<std::size_t>(state.range(1));
    const auto factor = full<float>({elements}, 0.999f), term = full<float>({elements}, 0.001f);
    std::vector<Array<float>> values(nodes + 1, full<float>({elements}, 1));
    Array<float> gradient = full<float>({elements}, 1);
    constexpr std::size_t width = Pack<float>::size;
    const auto each = [&](auto f) {
        for (std::size_t i = 0; i < elements; i += width) f(i);
    };
    for (auto _ : state) {
        for (std::size_t k = 0; k < nodes; k += 2) {
            const float *x = values[k].data(), *a = factor.data(), *b = term.data();
            float *product = values[k + 1].data(), *sum = values[k + 2].data();
            each([=](std::size_t i) { (Pack<float>::load(x + i) * Pack<float>::load(a + i)).store(product + i); });
            each([=](std::size_t i) { (Pack<float>::load(product + i) + Pack<float>::load(b + i)).store(sum + i); });
        }
        for (std::size_t k = nodes; k > 0; k -= 2) {
            float* g = gradient.data();
            const float* a = factor.data();
            each([=](std::size_t i) {
                benchmark::DoNotOptimize(i);
                Pack<float>::load(g + i).store(g + i);
            });
            each([=](std::size_t i) { (Pack<float>::load(g + i) * Pack<float>::load(a + i)).store(g + i); });
        }
        benchmark::DoNotOptimize(gradient.data());
        benchmark::ClobberMemory();
    }
}

/// Registers one chain; returns the name of its median.
std::string add(const char* name, void (*measure)(benchmark::State&), int elements, int nodes) {
    benchmark::RegisterBenchmark(name, measure)
        ->ArgNames({"elements", "nodes"})
        ->Args({elements, nodes})
        ->Unit(benchmark::kMicrosecond);
    return fmt::format("{}/elements:{}/nodes:{}", name, elements, nodes);
}

}  // namespace

void add_tape_overhead(Ratios& ratios) {
    const auto xtape = [](int elements, int nodes) { return add("tape_overhead/xtape", chain, elements, nodes); };
    const auto raw = [](int elements) { return add("tape_overhead/raw", raw_chain, elements, 1000); };
    const std::string short_chain = xtape(1, 1000);
    ratios.push_back({"node_ns_1", short_chain, {}, 1e9 / 1000});
    ratios.push_back({"node_1_over_raw", short_chain, {raw(1)}});
    const std::string chain_of_64 = xtape(64, 1000);
    ratios.push_back({"node_ns_64", chain_of_64, {}, 1e9 / 1000});
    ratios.push_back({"node_64_over_raw", chain_of_64, {raw(64)}});
    ratios.push_back({"node_10000_over_raw", xtape(10000, 1000), {raw(10000)}});
    ratios.push_back({"node_ns_depth_1000000_over_1000", xtape(1, 1000000), {short_chain}, 1e-3});
}

}  // namespace bench
