// Engines stay on the thread that calls them: threads of their own take longer for the small products of a step, and
// spin where another process wants the processor.
#include "product.hpp"

#include <cblas.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <tuple>

#ifdef XTAPE_BENCH_ONEDNN
#include <oneapi/dnnl/dnnl.h>

extern "C" [[gnu::weak]] void omp_set_num_threads(int);  // of whichever OpenMP oneDNN brings, if it brings one
#endif

namespace bench {
namespace {

void multiply_by_openblas(const Product& p) {
    openblas_set_num_threads(1);
    const auto flag = [](bool transposed) { return transposed ? CblasTrans : CblasNoTrans; };
    const auto extent = [](std::size_t value) { return static_cast<int>(value); };
    cblas_sgemm(CblasRowMajor, flag(p.transpose_a), flag(p.transpose_b), extent(p.m), extent(p.n), extent(p.k), 1, p.a,
                extent(p.lda), p.b, extent(p.ldb), 0, p.c, extent(p.ldc));
}

#ifdef XTAPE_BENCH_ONEDNN
void multiply_by_onednn(const Product& p) {
    // Of a team that this thread would start: each thread has a number of its own.
    if (omp_set_num_threads != nullptr) omp_set_num_threads(1);
    const auto flag = [](bool transposed) { return transposed ? 'T' : 'N'; };
    const auto extent = [](std::size_t value) { return static_cast<dnnl_dim_t>(value); };
    dnnl_sgemm(flag(p.transpose_a), flag(p.transpose_b), extent(p.m), extent(p.n), extent(p.k), 1, p.a, extent(p.lda), p.b,
               extent(p.ldb), 0, p.c, extent(p.ldc));
}
constexpr Engine engines[] = {Engine::openblas, Engine::onednn};
#else
void multiply_by_onednn(const Product& p) { multiply_by_openblas(p); }
constexpr Engine engines[] = {Engine::openblas};
#endif

/// Of several trials the quickest, because what else runs on the machine can only make one longer.
double least_seconds(Engine engine, const Product& product) {
    double least = std::numeric_limits<double>::infinity();
    for (int trial = 0; trial < 20; ++trial) {
        const auto start = std::chrono::steady_clock::now();
        multiply(engine, product);
        least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return least;
}

}  // namespace

void multiply(Engine engine, const Product& product) {
    if (engine == Engine::onednn) {
        multiply_by_onednn(product);
    } else {
        multiply_by_openblas(product);
    }
}

Engine quickest_engine(const Product& product) {
    using Shape = std::tuple<bool, bool, std::size_t, std::size_t, std::size_t>;
    static std::map<Shape, Engine> chosen;
    const Shape shape{product.transpose_a, product.transpose_b, product.m, product.n, product.k};
    if (const auto found = chosen.find(shape); found != chosen.end()) return found->second;
    std::map<double, Engine> by_seconds;
    for (const Engine engine : engines) by_seconds.emplace(least_seconds(engine, product), engine);
    return chosen[shape] = by_seconds.begin()->second;
}

}  // namespace bench
