// Before 0.3.25 OpenBLAS takes each Intel processor that it does not know by number for one of the year 2004, a Prescott (its
// issue 4267). What it has for this processor it may take before main(), when nothing computes yet, and not later.
#include "autograd/kernels/openblas.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string_view>

#include "autograd/kernels/calls.hpp"
#include "autograd/kernels/fortran.hpp"

extern "C" {
// Weak, because another BLAS may be what is linked, or an OpenBLAS that was built for one processor.
[[gnu::weak]] char* openblas_get_config();
[[gnu::weak]] char* openblas_get_corename();
[[gnu::weak]] void gotoblas_dynamic_init();
[[gnu::weak]] void gotoblas_dynamic_quit();
[[gnu::weak]] int openblas_get_num_threads();
[[gnu::weak]] void openblas_set_num_threads(int);
}

namespace autograd::kernels {
namespace {

constexpr const char* variable = "OPENBLAS_CORETYPE";

/// What the user says holds, right or not.
bool user_has_chosen() { return std::getenv(variable) != nullptr; }

bool is_taken_for_less() {
    return openblas_get_corename != nullptr && vectors_of_core(openblas_get_corename()) < vectors_of_processor();
}

/// In capitals, as the variable has it; the best first.
std::vector<std::string> cores_for_processor() {
    std::vector<std::string> cores;
#if defined(__x86_64__)
    if (vectors_of_processor() == Vectors::avx512) {
        if (__builtin_cpu_supports("avx512bf16")) cores.emplace_back("COOPERLAKE");
        cores.emplace_back("SKYLAKEX");
    }
    if (vectors_of_processor() >= Vectors::avx2) cores.emplace_back("HASWELL");
#endif
    return cores;
}

/// Takes other kernels; false if OpenBLAS has none of that name.
bool take_core(const std::string& core) {
    gotoblas_dynamic_quit();
    setenv(variable, core.c_str(), 1);
    gotoblas_dynamic_init();
    unsetenv(variable);
    const std::string_view taken = openblas_get_corename();
    return std::equal(taken.begin(), taken.end(), core.begin(), core.end(),
                      [](unsigned char a, unsigned char b) { return std::toupper(a) == b; });
}

#ifdef XTAPE_BLAS_VENDOR
// Products are another library's.
#else
// Ahead of the initialisers of the program's own static objects, which may multiply.
[[gnu::constructor(200)]] void put_right();
#endif
[[maybe_unused]] void put_right() {
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
    if (user_has_chosen() || !is_taken_for_less() || gotoblas_dynamic_init == nullptr || gotoblas_dynamic_quit == nullptr ||
        openblas_get_num_threads == nullptr || openblas_set_num_threads == nullptr || !came_with_program()) {
        return;
    }
    // The products of the test work in a buffer, for which OpenBLAS would wait for ever; its own threads may have taken some.
    if (!address_space_has_room(std::size_t{512} << 20)) return;
    const int threads = openblas_get_num_threads();
    openblas_set_num_threads(1);
    if (first_right_core(cores_for_processor(), take_core, openblas_computes_right).empty()) {
        gotoblas_dynamic_quit();
        gotoblas_dynamic_init();  // as it came
    }
    openblas_set_num_threads(threads);
}

/// Whole numbers from -3 to 3: their products and sums are exact, in whatever order.
template <class T>
std::vector<T> whole_numbers(std::size_t count, unsigned seed) {
    std::vector<T> values(count);
    for (T& each : values) {
        seed = seed * 1664525u + 1013904223u;
        each = static_cast<T>(static_cast<int>(seed >> 16) % 7 - 3);
    }
    return values;
}

/// By columns, as Fortran has it: c = a b + beta c.
template <class T>
bool product_is_right(bool transpose_a, bool transpose_b, int m, int n, int k, T beta) {
    const auto rows = static_cast<std::size_t>(m), columns = static_cast<std::size_t>(n), inner = static_cast<std::size_t>(k);
    const std::vector<T> a = whole_numbers<T>(rows * inner, 1), b = whole_numbers<T>(inner * columns, 2);
    std::vector<T> c = whole_numbers<T>(rows * columns, 3), expected = c;
    for (std::size_t j = 0; j < columns; ++j) {
        for (std::size_t i = 0; i < rows; ++i) {
            T sum = 0;
            for (std::size_t l = 0; l < inner; ++l) {
                sum += a[transpose_a ? i * inner + l : l * rows + i] * b[transpose_b ? l * columns + j : j * inner + l];
            }
            expected[j * rows + i] = sum + beta * expected[j * rows + i];
        }
    }
    const T alpha = 1;
    const int lda = transpose_a ? k : m, ldb = transpose_b ? n : k;
    choose<T>(sgemm_, dgemm_)(transpose_a ? "T" : "N", transpose_b ? "T" : "N", &m, &n, &k, &alpha, a.data(), &lda, b.data(),
                              &ldb, &beta, c.data(), &m, 1, 1);
    return c == expected;
}

template <class T>
bool products_are_right() {
    constexpr std::array edges = {1, 3, 8, 17, 33};
    for (const int transposed : {0, 1, 2, 3}) {
        const bool a = (transposed & 1) != 0, b = (transposed & 2) != 0;
        for (const int m : edges) {
            for (const int n : edges) {
                for (const int k : edges) {
                    if (!product_is_right<T>(a, b, m, n, k, T(n % 2))) return false;
                }
            }
        }
        if (!product_is_right<T>(a, b, 100, 67, 301, T(1))) return false;
    }
    return true;
}

/// Of l l', where l has whole numbers, and 1 and 2 and 4 on its diagonal.
template <class T>
bool decomposition_is_right() {
    constexpr std::size_t n = 71;
    std::vector<T> l = whole_numbers<T>(n * n, 4), a(n * n, T(0));
    for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t i = 0; i < j; ++i) l[j * n + i] = 0;
        l[j * n + j] = static_cast<T>(1 << j % 3);
    }
    for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t k = 0; k < n; ++k) {
            for (std::size_t i = 0; i < n; ++i) a[j * n + i] += l[k * n + i] * l[k * n + j];
        }
    }
    const int size = static_cast<int>(n);
    int info = 0;
    choose<T>(spotrf_, dpotrf_)("L", &size, a.data(), &size, &info, 1);
    for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t i = j; i < n; ++i) {
            if (a[j * n + i] != l[j * n + i]) return false;
        }
    }
    return info == 0;
}

}  // namespace

Vectors vectors_of_core(const std::string& core) {
    constexpr std::array narrow = {"Katmai",      "Coppermine", "Northwood",  "Prescott",     "Banias",
                                   "Atom",        "Core2",      "Penryn",     "Dunnington",   "Nehalem",
                                   "Sandybridge", "Athlon",     "Opteron",    "Opteron_SSE3", "Barcelona",
                                   "Bobcat",      "Bulldozer",  "Piledriver", "Steamroller",  "Nano"};
    constexpr std::array avx2 = {"Haswell", "Excavator", "Zen"};
    const auto is_among = [&](const auto& names) { return std::find(names.begin(), names.end(), core) != names.end(); };
    return is_among(narrow) ? Vectors::narrow : is_among(avx2) ? Vectors::avx2 : Vectors::avx512;
}

Vectors vectors_of_processor() {
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return Vectors::narrow;
    const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512cd");
    return wide ? Vectors::avx512 : Vectors::avx2;
#else
    return Vectors::narrow;  // where OpenBLAS errs in no such way
#endif
}

std::string first_right_core(const std::vector<std::string>& candidates, const std::function<bool(const std::string&)>& take,
                             const std::function<bool()>& is_right) {
    const auto right =
        std::find_if(candidates.begin(), candidates.end(), [&](const std::string& each) { return take(each) && is_right(); });
    return right == candidates.end() ? "" : *right;
}

bool openblas_computes_right() {
    return products_are_right<float>() && products_are_right<double>() && decomposition_is_right<float>() &&
           decomposition_is_right<double>();
}

void warn_of_slow_openblas() {
    static constinit std::atomic<bool> looked_at{false};
    if (looked_at.exchange(true, std::memory_order_relaxed) || user_has_chosen() || !is_taken_for_less()) return;
    std::fprintf(stderr,
                 "xtape: OpenBLAS takes this processor for a %s, and multiplies at a third of its speed or less: set "
                 "%s=%s in the environment\n",
                 openblas_get_corename(), variable, cores_for_processor().front().c_str());
}

std::size_t processors_of_openblas() {
    std::size_t processors = 0;
    const char* found = openblas_get_config == nullptr ? nullptr : std::strstr(openblas_get_config(), "MAX_THREADS=");
    if (found != nullptr) std::sscanf(found, "MAX_THREADS=%zu", &processors);
    return processors;
}

std::string openblas_in_words() {
    if (openblas_get_config == nullptr || openblas_get_corename == nullptr) return "";
    std::istringstream config(openblas_get_config());  // "OpenBLAS 0.3.21 NO_LAPACKE ..."
    std::string name, version;
    config >> name >> version;
    return name + " " + version + " (" + openblas_get_corename() + ")";
}

}  // namespace autograd::kernels
