// The chains of multiply-adds are as many as are needed to keep every unit of a core busy, and few enough for all of
// them to stay in registers.
#include "roofline.hpp"

#include <unistd.h>

#include <algorithm>
#include <autograd/autograd.hpp>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace bench {
namespace {

/// Of one image.
struct LayerWork {
    std::size_t multiplications;  ///< forward; as many for the gradient of the weights, and for that of the inputs
    std::size_t parameters;
    std::size_t outputs;
};

LayerWork linear(std::size_t inputs, std::size_t outputs) { return {inputs * outputs, (inputs + 1) * outputs, outputs}; }

/// Between the larger map and the smaller one, in either direction: the same weights meet the same pairs of pixels.
LayerWork convolution(const FeatureMap& large, const FeatureMap& small, const FeatureMap& output) {
    constexpr std::size_t taps = 3 * 3;
    const std::size_t weights = taps * large.channels * small.channels;
    return {weights * small.rows * small.columns, weights + output.channels, output.size()};
}

/// As Encoder and Decoder have them in models.hpp.
std::vector<LayerWork> layers_of(const NetworkOptions& network) {
    const std::vector<FeatureMap> maps = feature_maps(network);
    std::vector<LayerWork> layers;
    for (std::size_t i = 1; i < maps.size(); ++i) layers.push_back(convolution(maps[i - 1], maps[i], maps[i]));
    layers.push_back(linear(maps.back().size(), network.hidden));
    layers.push_back(linear(network.hidden, 2 * network.latent));
    layers.push_back(linear(network.latent, network.hidden));
    layers.push_back(linear(network.hidden, maps.back().size()));
    for (std::size_t i = maps.size() - 1; i > 0; --i) layers.push_back(convolution(maps[i - 1], maps[i], maps[i - 1]));
    return layers;
}

constexpr std::size_t chains = 12;               // two units with a latency of 4 or 5 need 8 or 10; AVX2 has 16 registers
constexpr float factor = 0.999f, term = 0.001f;  // the sums stay near 1

#if defined(__x86_64__)

[[gnu::target("avx512f")]] float run_chains_of_16(std::size_t rounds) {
    const __m512 factors = _mm512_set1_ps(factor), terms = _mm512_set1_ps(term);
    __m512 sums[chains];
    for (__m512& sum : sums) sum = terms;
    for (std::size_t i = 0; i < rounds; ++i) {
        for (__m512& sum : sums) sum = _mm512_fmadd_ps(sum, factors, terms);
    }
    for (std::size_t i = 1; i < chains; ++i) sums[0] = _mm512_add_ps(sums[0], sums[i]);
    return _mm512_cvtss_f32(sums[0]);
}

[[gnu::target("avx2,fma")]] float run_chains_of_8(std::size_t rounds) {
    const __m256 factors = _mm256_set1_ps(factor), terms = _mm256_set1_ps(term);
    __m256 sums[chains];
    for (__m256& sum : sums) sum = terms;
    for (std::size_t i = 0; i < rounds; ++i) {
        for (__m256& sum : sums) sum = _mm256_fmadd_ps(sum, factors, terms);
    }
    for (std::size_t i = 1; i < chains; ++i) sums[0] = _mm256_add_ps(sums[0], sums[i]);
    return _mm256_cvtss_f32(sums[0]);
}

#endif

/// In the vectors that the build was compiled for.
float run_chains_of_packs(std::size_t rounds) {
    using Lanes = autograd::Pack<float>::Batch;
    const Lanes factors(factor), terms(term);
    Lanes sums[chains];
    for (Lanes& sum : sums) sum = terms;
    for (std::size_t i = 0; i < rounds; ++i) {
        for (Lanes& sum : sums) sum = xsimd::fma(sum, factors, terms);
    }
    for (std::size_t i = 1; i < chains; ++i) sums[0] += sums[i];
    return autograd::kernels::sum_lanes(autograd::Pack<float>(sums[0]));
}

float run_chains(std::size_t operations) {
    const auto rounds_of = [=](std::size_t width) { return operations / (2 * width * chains); };
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return run_chains_of_16(rounds_of(16));
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return run_chains_of_8(rounds_of(8));
#endif
    return run_chains_of_packs(rounds_of(autograd::Pack<float>::size));
}

/// So that all arrays together are twice the last cache, where the system knows its size, and never small.
std::size_t elements_of_stream() {
    const long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
    return std::max<std::size_t>(cache > 0 ? static_cast<std::size_t>(cache) : 0, 128 << 20) / sizeof(float);
}

}  // namespace

Work work_of_step(const NetworkOptions& network, std::size_t batch) {
    const std::vector<LayerWork> layers = layers_of(network);
    std::size_t multiplications = 0, parameters = 0, outputs = 0;
    for (const LayerWork& layer : layers) {
        multiplications += 3 * layer.multiplications;
        parameters += layer.parameters;
        outputs += layer.outputs;
    }
    multiplications -= layers.front().multiplications;  // nobody wants the gradient of the pixels
    // Adam reads each parameter, its gradient and its two moments, and writes all but the gradient. What a layer makes,
    // and its gradient, is written once and read once.
    const std::size_t moved = 7 * parameters + 4 * batch * outputs;
    return {2.0 * static_cast<double>(batch * multiplications), static_cast<double>(moved * sizeof(float))};
}

void multiply_and_add(std::size_t megaflops) {
    autograd::run_in_parallel(static_cast<std::size_t>(autograd::num_threads()), [=](std::size_t) {
        volatile float result = run_chains(megaflops * 1'000'000);
        static_cast<void>(result);
    });
}

MemoryStream::MemoryStream() : x_(elements_of_stream(), 1.0f), y_(x_.size(), term) {}

void MemoryStream::move(std::size_t megabytes) {
    const std::size_t count = megabytes * 1'000'000 / (3 * sizeof(float));
    if (place_ + count > x_.size()) place_ = 0;
    const auto threads = static_cast<std::size_t>(autograd::num_threads());
    autograd::run_in_parallel(threads, [&](std::size_t part) {
        float* x = x_.data() + place_;
        const float* y = y_.data() + place_;
        const std::size_t end = count * (part + 1) / threads;
        for (std::size_t i = count * part / threads; i < end; ++i) x[i] = factor * x[i] + y[i];
    });
    place_ += count;
}

}  // namespace bench
