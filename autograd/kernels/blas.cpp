// The only file that includes cblas.h, which does not go together with xtensor-blas's own declarations. OpenBLAS waits
// for its threads without spinning; products that are too small to share stay on the calling one.
#include "autograd/kernels/blas.hpp"

#include <cblas.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <string>

#include "autograd/error.hpp"
#include "autograd/threads.hpp"

namespace autograd {
namespace {

// Zero: not set, then OpenBLAS's own choice (the processors there are, or what its environment variable says).
std::atomic<int> chosen_threads{0};

}  // namespace

void set_num_threads(int count) {
    if (count < 1) throw Error("set_num_threads: at least 1 thread, not " + std::to_string(count));
    chosen_threads = count;
}

int num_threads() {
    int count = chosen_threads;
    if (count == 0) {
        count = std::max(1, openblas_get_num_threads());
        chosen_threads = count;
    }
    return count;
}

namespace kernels {
namespace {

// Measured: below about 20 million operations two threads are slower than one.
constexpr double flops_worth_sharing = 20e6;

blasint extent(std::size_t value) {
    if (value > static_cast<std::size_t>(std::numeric_limits<blasint>::max())) {
        throw ShapeError("an extent of " + std::to_string(value) + " is too large for a matrix product");
    }
    return static_cast<blasint>(value);
}

CBLAS_TRANSPOSE flag(bool transposed) { return transposed ? CblasTrans : CblasNoTrans; }

// BLAS wants a leading dimension of at least 1 even of an empty matrix.
template <class T>
blasint leading(const Matrix<T>& matrix) {
    return std::max<blasint>(1, extent(matrix.columns));
}

}  // namespace

template <class T>
void gemm(T* out, std::size_t rows, std::size_t columns, std::size_t inner, Matrix<T> a, Matrix<T> b, bool accumulate) {
    if (rows == 0 || columns == 0) return;
    if (inner == 0) {
        if (!accumulate) std::fill_n(out, rows * columns, T(0));
        return;
    }
    const double flops = 2.0 * static_cast<double>(rows) * static_cast<double>(columns) * static_cast<double>(inner);
    const int wanted = flops < flops_worth_sharing ? 1 : num_threads();
    if (openblas_get_num_threads() != wanted) openblas_set_num_threads(wanted);
    const T beta = accumulate ? T(1) : T(0);
    const blasint m = extent(rows), n = extent(columns), k = extent(inner);
    if constexpr (sizeof(T) == sizeof(float)) {
        cblas_sgemm(CblasRowMajor, flag(a.transposed), flag(b.transposed), m, n, k, 1, a.data, leading(a), b.data,
                    leading(b), beta, out, n);
    } else {
        cblas_dgemm(CblasRowMajor, flag(a.transposed), flag(b.transposed), m, n, k, 1, a.data, leading(a), b.data,
                    leading(b), beta, out, n);
    }
}

template void gemm<float>(float*, std::size_t, std::size_t, std::size_t, Matrix<float>, Matrix<float>, bool);
template void gemm<double>(double*, std::size_t, std::size_t, std::size_t, Matrix<double>, Matrix<double>, bool);

}  // namespace kernels
}  // namespace autograd
