// Products of matrices, whichever library computes them: exact for whole numbers, at the edges of what is left to which, and
// without a trace in the program's own settings.
#include <dlfcn.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "autograd/kernels/backend.hpp"
#include "autograd/kernels/blas.hpp"
#include "autograd/kernels/onednn.hpp"
#include "autograd/kernels/openblas.hpp"
#include "tests/testing.hpp"

using namespace autograd;

namespace {

/// From -3 to 3: products and sums of them are exact, in whatever order.
template <class T>
Array<T> whole_numbers(std::size_t count, unsigned seed) {
    Array<T> values = empty<T>({count});
    for (std::size_t i = 0; i < count; ++i) {
        seed = seed * 1664525u + 1013904223u;
        values.data()[i] = static_cast<T>(static_cast<int>(seed >> 16) % 7 - 3);
    }
    return values;
}

template <class T>
void check_product(std::size_t m, std::size_t n, std::size_t k, bool transpose_a, bool transpose_b, bool accumulate) {
    const Array<T> a = whole_numbers<T>(m * k, 1), b = whole_numbers<T>(k * n, 2);
    Array<T> out = whole_numbers<T>(m * n, 3);
    std::vector<T> expected = elements(out);
    for (std::size_t i = 0; i < m; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            T sum = accumulate ? expected[i * n + j] : T(0);
            for (std::size_t l = 0; l < k; ++l) {
                sum += a.data()[transpose_a ? l * m + i : i * k + l] * b.data()[transpose_b ? j * k + l : l * n + j];
            }
            expected[i * n + j] = sum;
        }
    }
    kernels::gemm<T>(out.data(), m, n, k, {a.data(), transpose_a ? m : k, transpose_a},
                     {b.data(), transpose_b ? k : n, transpose_b}, accumulate);
    INFO(m << " x " << n << " x " << k << (transpose_a ? ", a transposed" : "") << (transpose_b ? ", b transposed" : ""));
    CHECK(elements(out) == expected);
}

/// What the process's OpenMP says of this thread; 0 where there is none.
int openmp_threads() {
    const auto ask = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "omp_get_max_threads"));
    return ask == nullptr ? 0 : ask();
}

}  // namespace

TEMPLATE_TEST_CASE("blas: products of whole numbers are exact, of all extents and transpositions", "", float, double) {
    const ThreadCount restored;
    for (const int threads : {1, 3}) {
        set_num_threads(threads);
        for (const int flags : {0, 1, 2, 3, 4, 5, 6, 7}) {
            const bool a = (flags & 1) != 0, b = (flags & 2) != 0, accumulate = (flags & 4) != 0;
            for (const auto& [m, n, k] : std::vector<std::array<std::size_t, 3>>{{1, 1, 1},
                                                                                 {1, 400, 5000},
                                                                                 {1000, 1, 1024},
                                                                                 {17, 33, 65},
                                                                                 {99, 101, 100},
                                                                                 {100, 100, 101},
                                                                                 {128, 20, 400},
                                                                                 {17, 800, 700},
                                                                                 {20, 128, 401},
                                                                                 {131, 67, 301},
                                                                                 {5, 7, 40000}}) {
                check_product<TestType>(m, n, k, a, b, accumulate);
            }
        }
    }
}

TEMPLATE_TEST_CASE("blas: what a product is written over does not count, and what is not finite does", "", float, double) {
    for (const std::size_t n : {3u, 130u}) {
        Array<TestType> a = full<TestType>({n * n}, 1), b = full<TestType>({n * n}, 0), out = full<TestType>({n * n}, NAN);
        a.data()[n + 1] = std::numeric_limits<TestType>::infinity();
        kernels::gemm<TestType>(out.data(), n, n, n, {a.data(), n, false}, {b.data(), n, true}, false);
        for (std::size_t i = 0; i < n * n; ++i) CHECK(std::isnan(out.data()[i]) == (i / n == 1));
    }
}

TEST_CASE("blas: the program's own OpenMP keeps its number of threads") {
    const auto set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
    if (set == nullptr) return;
    const int before = openmp_threads();
    set(3);
    check_product<float>(128, 400, 300, false, true, false);
    CHECK(openmp_threads() == 3);
    Tape<float> tape;
    const auto x = tape.constant(full<float>({40, 16, 14, 14}, 1)), w = tape.constant(full<float>({32, 16, 3, 3}, 1));
    CHECK(conv2d(x, w).value()(39, 31, 11, 11) == 144);
    CHECK(openmp_threads() == 3);
    set(before);
}

TEST_CASE("blas: one line names the libraries, the kernels and the threads") {
    const ThreadCount restored;
    set_num_threads(3);
    const std::string line = describe_backend();
    CHECK_THAT(line, contains(kernels::blas_in_words()) && contains(" bits; 3 threads"));
    CHECK(line.find('\n') == std::string::npos);
    if (kernels::uses_onednn()) CHECK_THAT(line, contains("float products by oneDNN ") && (contains("AVX") || contains("AMX")));
    CHECK(kernels::blas_in_words() != "");
    set_num_threads(1);
    CHECK_THAT(describe_backend(), contains("; 1 thread"));
}

TEST_CASE("openblas: kernels are told apart by the vectors that they count on") {
    using kernels::Vectors;
    CHECK(kernels::vectors_of_core("Prescott") == Vectors::narrow);
    CHECK(kernels::vectors_of_core("Sandybridge") == Vectors::narrow);
    CHECK(kernels::vectors_of_core("Haswell") == Vectors::avx2);
    CHECK(kernels::vectors_of_core("Zen") == Vectors::avx2);
    CHECK(kernels::vectors_of_core("SkylakeX") == Vectors::avx512);
    CHECK(kernels::vectors_of_core("Cooperlake") == Vectors::avx512);
    CHECK(kernels::vectors_of_core("one of the future") == Vectors::avx512);
}

TEST_CASE("openblas: kernels that compute wrongly are passed over") {
    std::string taken;
    const auto take = [&](const std::string& each) {
        if (each == "NOT THERE") return false;
        taken = each;
        return true;
    };
    const auto is_right = [&] { return taken != "WRONG"; };
    CHECK(kernels::first_right_core({"NOT THERE", "WRONG", "HASWELL", "LESS"}, take, is_right) == "HASWELL");
    CHECK(taken == "HASWELL");
    CHECK(kernels::first_right_core({"WRONG"}, take, is_right) == "");
    CHECK(kernels::first_right_core({}, take, is_right) == "");
}

TEST_CASE("openblas: what is linked here computes right") { CHECK(kernels::openblas_computes_right()); }
