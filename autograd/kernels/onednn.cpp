// The way into oneDNN, and its product.
#include "autograd/kernels/onednn.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "autograd/base/array.hpp"
#include "autograd/base/error.hpp"
#include "autograd/kernels/calls.hpp"

#ifdef XTAPE_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#endif

namespace autograd::kernels {

bool onednn_takes_all() {
#ifdef XTAPE_ONEDNN_ALWAYS
    return true;
#else
    return false;
#endif
}

#ifdef XTAPE_ONEDNN

namespace {

bool has_avx2(dnnl_cpu_isa_t isa) {
    // Each has the bits of all that it includes.
    return (static_cast<unsigned>(isa) & dnnl_cpu_isa_avx2) == dnnl_cpu_isa_avx2;
}

// oneDNN's kernels are static objects of its functions. The end of the process destroys them before what was made before them,
// and so before any destructor of ours, while other threads may be inside. But first of all it destroys what belongs to the
// thread that ends the process: the thread of main(), as a rule. (Where that thread ends and the process goes on, by
// pthread_exit, products are OpenBLAS's from then on.)
struct EndOfCalls {
    ~EndOfCalls() { end_other_calls(); }
};
[[gnu::constructor]] void watch_main_thread() {
    // A library that was loaded later could not be unloaded any more.
    if (came_with_program())
        static_cast<void>([] {
            static thread_local EndOfCalls end;
            return &end;
        }());
}
const char* in_words(dnnl_cpu_isa_t isa) {
    const auto includes = [isa](unsigned other) { return (static_cast<unsigned>(isa) & other) == other; };
    if (includes(dnnl_cpu_isa_avx512_core_amx)) return "AMX";
    if (includes(dnnl_cpu_isa_avx512_core)) return "AVX-512";
    if (has_avx2(isa)) return "AVX2";
    return "less than AVX2";
}

/// x W', with W stored by outputs as layers have it, (n, k), is the product that packs worst. Exchanged it is W x', and the
/// result is to be turned. Seen on a Zen 4, GFLOP/s, as it stands and exchanged: 128 x 20 x 400 60 and 92 (AVX2 alone: 79 and
/// 92), 128 x 784 x 400 109 and 109, 128 x 1568 x 400, where W is larger than the second cache, 95 and 108.
bool is_better_exchanged(std::ptrdiff_t n, std::ptrdiff_t k) {
    return n < 32 || n * k * static_cast<std::ptrdiff_t>(sizeof(float)) >= std::ptrdiff_t{2} << 20;
}

void call_sgemm(bool transpose_a, bool transpose_b, std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const float* a,
                std::ptrdiff_t lda, const float* b, std::ptrdiff_t ldb, float beta, float* c, std::ptrdiff_t ldc) {
    // All kernels of products are made by the first of them.
    static constinit std::atomic<bool> has_kernels{false};
    if (!has_kernels.load(std::memory_order_relaxed)) require_room_for_onednn();
    const dnnl_status_t status =
        dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
    if (status == dnnl_success) {
        if (!has_kernels.exchange(true, std::memory_order_relaxed)) watch_other_ends_of_onednn();
        return;
    }
    throw Error("oneDNN could not compute a product of matrices (status " + std::to_string(status) + ")" +
                (status == dnnl_out_of_memory ? ": there is no memory for it to work in" : ""));
}

}  // namespace

bool uses_onednn() {
    static const bool uses = (onednn_takes_all() || has_avx2(dnnl_get_effective_cpu_isa())) &&
                             (DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_SEQ || WithoutOpenMpTeam::is_possible());
    return uses;
}

std::string onednn_in_words() {
    const dnnl_version_t& version = *dnnl_version();
    return "oneDNN " + std::to_string(version.major) + "." + std::to_string(version.minor) + "." +
           std::to_string(version.patch) + " (" + in_words(dnnl_get_effective_cpu_isa()) + ")";
}

void onednn_sgemm(bool transpose_a, bool transpose_b, std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const float* a,
                  std::ptrdiff_t lda, const float* b, std::ptrdiff_t ldb, float beta, float* c, std::ptrdiff_t ldc) {
    const WithoutOpenMpTeam on_this_thread;
    if (transpose_a || !transpose_b || !is_better_exchanged(n, k)) {
        return call_sgemm(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, beta, c, ldc);
    }
    Array<float> turned = empty<float>({static_cast<std::size_t>(n), static_cast<std::size_t>(m)});
    call_sgemm(false, true, n, m, k, b, ldb, a, lda, 0, turned.data(), m);
    constexpr std::ptrdiff_t tile = 16;
    for (std::ptrdiff_t i0 = 0; i0 < m; i0 += tile) {
        for (std::ptrdiff_t j0 = 0; j0 < n; j0 += tile) {
            for (std::ptrdiff_t i = i0; i < std::min(m, i0 + tile); ++i) {
                for (std::ptrdiff_t j = j0; j < std::min(n, j0 + tile); ++j) {
                    float& to = c[i * ldc + j];
                    const float value = turned.data()[j * m + i];
                    to = beta == 0 ? value : to + value;
                }
            }
        }
    }
}

void watch_other_ends_of_onednn() { std::atexit(end_other_calls); }

void require_room_for_onednn() {
    constexpr std::size_t bytes = std::size_t{32} << 20;  // 5 MB were too little for the kernels of products
    if (address_space_has_room(bytes)) return;
    throw Error(
        "oneDNN, which does this work, needs 32 MB of the address space, for which there is no room: raise the limit of "
        "the process (ulimit -v)");
}

#else

void require_room_for_onednn() {}

void watch_other_ends_of_onednn() {}

bool uses_onednn() { return false; }

std::string onednn_in_words() { return ""; }

void onednn_sgemm(bool, bool, std::ptrdiff_t, std::ptrdiff_t, std::ptrdiff_t, const float*, std::ptrdiff_t, const float*,
                  std::ptrdiff_t, float, float*, std::ptrdiff_t) {
    throw Error("xtape was built without oneDNN");
}

#endif

}  // namespace autograd::kernels
