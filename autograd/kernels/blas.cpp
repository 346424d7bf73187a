// The only file that includes cblas.h, which does not go together with xtensor-blas's own declarations. OpenBLAS runs
// on the calling thread; large products are split here, over the pool which elementwise work uses as well.
#include "autograd/kernels/blas.hpp"

#include <cblas.h>

#include <algorithm>
#include <limits>
#include <string>

#include "autograd/error.hpp"
#include "autograd/threads.hpp"

namespace autograd::kernels {
namespace {

// Measured with waiting threads awake: a product of 2 million operations takes 24 us, handing half of it over 3.
constexpr double flops_worth_sharing = 2e6;

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

/// out = a * b, or out += a * b, where `stride` is the distance of the rows of out.
template <class T>
void multiply(T* out, std::size_t stride, std::size_t rows, std::size_t columns, std::size_t inner, Matrix<T> a,
              Matrix<T> b, bool accumulate) {
    const auto m = static_cast<blasint>(rows), n = static_cast<blasint>(columns), k = static_cast<blasint>(inner);
    const auto ldc = static_cast<blasint>(stride);
    const T beta = accumulate ? T(1) : T(0);
    if constexpr (sizeof(T) == sizeof(float)) {
        cblas_sgemm(CblasRowMajor, flag(a.transposed), flag(b.transposed), m, n, k, 1, a.data, leading(a), b.data,
                    leading(b), beta, out, ldc);
    } else {
        cblas_dgemm(CblasRowMajor, flag(a.transposed), flag(b.transposed), m, n, k, 1, a.data, leading(a), b.data,
                    leading(b), beta, out, ldc);
    }
}

/// The part of each product with index `part`, of those that a cut of its larger side in steps of `step` gives.
struct Cut {
    bool by_rows;
    std::size_t whole, step;

    // The larger side of the result is cut, so that the smaller factor is the one that each part packs anew. Where the
    // cuts lie depends on the number of threads alone, not on who does which part.
    Cut(std::size_t rows, std::size_t columns, std::size_t parts)
        : by_rows(rows >= columns),
          whole(by_rows ? rows : columns),
          step(((whole + parts - 1) / parts + 15) / 16 * 16) {}

    std::size_t parts() const { return (whole + step - 1) / step; }

    template <class T>
    void run(std::size_t part, T* out, std::size_t rows, std::size_t columns, std::size_t inner, Matrix<T> a,
             Matrix<T> b, bool accumulate) const {
        const std::size_t begin = part * step, count = std::min(step, whole - begin);
        const std::size_t row = by_rows ? begin : 0, column = by_rows ? 0 : begin;
        const T* left = a.data + (a.transposed ? row : row * a.columns);
        const T* right = b.data + (b.transposed ? column * b.columns : column);
        multiply(out + row * columns + column, columns, by_rows ? count : rows, by_rows ? columns : count, inner,
                 {left, a.columns, a.transposed}, {right, b.columns, b.transposed}, accumulate);
    }
};

}  // namespace

template <class T>
void gemm(T* out, std::size_t rows, std::size_t columns, std::size_t inner, Matrix<T> a, Matrix<T> b, bool accumulate) {
    const BatchOffsets one{0, 0, 0};
    gemm_batched(out, rows, columns, inner, a, b, accumulate, {&one, 1}, false);
}

template <class T>
void gemm_batched(T* out, std::size_t rows, std::size_t columns, std::size_t inner, Matrix<T> a, Matrix<T> b,
                  bool accumulate, std::span<const BatchOffsets> batches, bool shared_results) {
    if (rows == 0 || columns == 0 || batches.empty()) return;
    if (inner == 0) {
        if (accumulate) return;
        for (const BatchOffsets& at : batches) std::fill_n(out + at.out, rows * columns, T(0));
        return;
    }
    extent(rows), extent(columns), extent(inner);  // in every part, these or less
    openblas_set_num_threads(1);
    const double flops = 2.0 * static_cast<double>(rows) * static_cast<double>(columns) * static_cast<double>(inner) *
                         static_cast<double>(batches.size());
    const std::size_t parts = flops < flops_worth_sharing ? 1 : static_cast<std::size_t>(num_threads());
    const auto product = [&](const Cut& cut, std::size_t part, const BatchOffsets& at) {
        cut.run(part, out + at.out, rows, columns, inner, Matrix<T>{a.data + at.a, a.columns, a.transposed},
                Matrix<T>{b.data + at.b, b.columns, b.transposed}, accumulate);
    };
    // Many products are dealt out whole, unless two threads might then write at one place.
    if (!shared_results && batches.size() >= 2 * parts) {
        const Cut whole(rows, columns, 1);
        const std::size_t step = (batches.size() + parts - 1) / parts;
        run_in_parallel((batches.size() + step - 1) / step, [&](std::size_t part) {
            for (const BatchOffsets& at : batches.subspan(part * step, std::min(step, batches.size() - part * step)))
                product(whole, 0, at);
        });
        return;
    }
    const Cut cut(rows, columns, parts);
    run_in_parallel(cut.parts(), [&](std::size_t part) {
        for (const BatchOffsets& at : batches) product(cut, part, at);
    });
}

template void gemm<float>(float*, std::size_t, std::size_t, std::size_t, Matrix<float>, Matrix<float>, bool);
template void gemm<double>(double*, std::size_t, std::size_t, std::size_t, Matrix<double>, Matrix<double>, bool);
template void gemm_batched<float>(float*, std::size_t, std::size_t, std::size_t, Matrix<float>, Matrix<float>, bool,
                                  std::span<const BatchOffsets>, bool);
template void gemm_batched<double>(double*, std::size_t, std::size_t, std::size_t, Matrix<double>, Matrix<double>, bool,
                                   std::span<const BatchOffsets>, bool);

}  // namespace autograd::kernels
