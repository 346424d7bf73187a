// Chooses between oneDNN and BLAS, which is called as Fortran is: every BLAS has that. Both stay on the calling thread
// (calls.hpp); large products are split here, over the team which elementwise work uses as well.
#include "autograd/kernels/blas.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "autograd/base/array.hpp"
#include "autograd/base/threads.hpp"
#include "autograd/kernels/calls.hpp"
#include "autograd/kernels/finite.hpp"
#include "autograd/kernels/fortran.hpp"
#include "autograd/kernels/onednn.hpp"
#include "autograd/kernels/openblas.hpp"
#include "autograd/kernels/running_sum.hpp"

extern "C" {
// BLIS's words, where it is the BLAS.
[[gnu::weak]] const char* bli_info_get_version_str();
[[gnu::weak]] int bli_arch_query_id();
[[gnu::weak]] const char* bli_arch_string(int);
}

namespace autograd::kernels {
namespace {

/// Operations of a product from which on oneDNN is as quick as BLAS, or quicker: its calls take 0.2 us more, and OpenBLAS
/// has kernels for small products.
constexpr double flops_for_onednn = 2e6;

// Measured with waiting threads awake: a product of 2 million operations takes 24 us, handing half of it over 3.
constexpr double flops_worth_sharing = 2e6;

/// Inner extents up to so much are left to BLAS, which sums stretches of some hundred terms, and then these sums, in
/// sequence: how many hundreds depends on the processor. So products that are added up in sequence are as long together.
constexpr std::size_t inner_in_sequence = 4096;

#ifdef XTAPE_BLAS_VENDOR
constexpr Library library_of_blas = Library::other;
#else
constexpr Library library_of_blas = Library::openblas;
#endif

int extent(std::size_t value) {
    if (value > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
        throw ShapeError("an extent of " + std::to_string(value) + " is too large for a matrix product");
    }
    return static_cast<int>(value);
}

// BLAS wants a leading dimension of at least 1 even of an empty matrix.
template <class T>
int leading(const Matrix<T>& matrix) {
    return std::max(1, extent(matrix.columns));
}

/// BLAS's gemm, by rows: c = a b + beta c.
template <class T>
void blas_gemm(int m, int n, int k, Matrix<T> a, Matrix<T> b, T beta, T* c, int ldc) {
    const int lda = leading(a), ldb = leading(b);
    const T alpha = 1;
    const char* of_a = a.transposed ? "T" : "N";
    const char* of_b = b.transposed ? "T" : "N";
    // Fortran's matrices are stored by columns: it is told to compute the transpose, b' a'.
    choose<T>(sgemm_, dgemm_)(of_b, of_a, &n, &m, &k, &alpha, b.data, &ldb, a.data, &lda, &beta, c, &ldc, 1, 1);
}

#ifdef XTAPE_BLAS_VENDOR
/// Of a factor of rows x columns, or of columns x rows which are transposed.
template <class T>
bool all_finite(const Matrix<T>& matrix, std::size_t rows, std::size_t columns) {
    if (matrix.transposed) std::swap(rows, columns);
    for (std::size_t i = 0; i < rows; ++i) {
        if (!kernels::all_finite(matrix.data + i * matrix.columns, columns)) return false;
    }
    return true;
}

/// The same by loops, for factors that are not finite: a BLAS may pass over zeros, as the reference BLAS does, and BLIS at the
/// edges of matrices. There 0 times infinity would be 0.
template <class T>
void gemm_by_definition(std::size_t m, std::size_t n, std::size_t k, const Matrix<T>& a, const Matrix<T>& b, T beta, T* c,
                        std::size_t ldc) {
    for (std::size_t i = 0; i < m; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            RunningSum<T> sum(0);
            for (std::size_t l = 0; l < k; ++l) {
                sum += a.data[a.transposed ? l * a.columns + i : i * a.columns + l] *
                       b.data[b.transposed ? j * b.columns + l : l * b.columns + j];
            }
            c[i * ldc + j] = beta == 0 ? sum.value() : c[i * ldc + j] + sum.value();
        }
    }
}
#endif

/// out = a * b, or out += a * b, where `stride` is the distance of the rows of out.
template <class T>
void multiply(bool by_onednn, T* out, std::size_t stride, std::size_t rows, std::size_t columns, std::size_t inner, Matrix<T> a,
              Matrix<T> b, bool accumulate) {
    const int m = static_cast<int>(rows), n = static_cast<int>(columns), k = static_cast<int>(inner);
    const int ldc = static_cast<int>(stride);
    const T beta = accumulate ? T(1) : T(0);
    if constexpr (std::is_same_v<T, float>) {
        if (by_onednn) {
            return onednn_sgemm(a.transposed, b.transposed, m, n, k, a.data, leading(a), b.data, leading(b), beta, out, ldc);
        }
    }
#ifdef XTAPE_BLAS_VENDOR
    const WithoutOpenMpTeam on_this_thread;
    if (!all_finite(a, rows, inner) || !all_finite(b, inner, columns)) {
        return gemm_by_definition(rows, columns, inner, a, b, beta, out, stride);
    }
#endif
    blas_gemm(m, n, k, a, b, beta, out, ldc);
}

/// Products of one pair of matrices' extents, of which some may be added up at one place. Long inner extents count as
/// several products.
template <class T>
class Products {
   public:
    Products(bool by_onednn, std::size_t columns, std::size_t inner, Matrix<T> a, Matrix<T> b)
        : by_onednn_(by_onednn),
          columns_(columns),
          inner_(inner),
          stretches_((inner + inner_in_sequence - 1) / inner_in_sequence),
          in_sequence_(std::clamp(inner_in_sequence / inner, std::size_t{1}, terms_in_sequence)),
          a_(a),
          b_(b) {}

    /// Of the results' elements from (row, column) on, rows x columns.
    struct Piece {
        std::size_t row, column, rows, columns;
    };
    /// out = the sum of all of `batches`, whose results have one place.
    void run(T* out, const Piece& piece, bool accumulate, std::span<const BatchOffsets> batches) const {
        T* to = out + batches.front().out + piece.row * columns_ + piece.column;
        add_up(to, columns_, piece, accumulate, batches, 0, batches.size() * stretches_);
    }

   private:
    // Halved as rows are in row_reduction.hpp.
    void add_up(T* to, std::size_t stride, const Piece& piece, bool accumulate, std::span<const BatchOffsets> batches,
                std::size_t begin, std::size_t end) const {
        if (end - begin <= in_sequence_) {
            for (std::size_t term = begin; term < end; ++term) {
                multiply_stretch(to, stride, piece, accumulate || term > begin, batches[term / stretches_],
                                 term % stretches_ * inner_in_sequence);
            }
            return;
        }
        const std::size_t middle = begin + (end - begin) / 2;
        add_up(to, stride, piece, accumulate, batches, begin, middle);
        Array<T> half = empty<T>({piece.rows, piece.columns});
        T* from = half.data();
        add_up(from, piece.columns, piece, false, batches, middle, end);
        for (std::size_t i = 0; i < piece.rows; ++i, to += stride, from += piece.columns) {
            for (std::size_t j = 0; j < piece.columns; ++j) to[j] += from[j];
        }
    }

    void multiply_stretch(T* to, std::size_t stride, const Piece& piece, bool accumulate, const BatchOffsets& at,
                          std::size_t first) const {
        const std::size_t count = std::min(inner_in_sequence, inner_ - first);
        const T* left = a_.data + at.a + (a_.transposed ? first * a_.columns + piece.row : piece.row * a_.columns + first);
        const T* right =
            b_.data + at.b + (b_.transposed ? piece.column * b_.columns + first : first * b_.columns + piece.column);
        multiply(by_onednn_, to, stride, piece.rows, piece.columns, count, {left, a_.columns, a_.transposed},
                 {right, b_.columns, b_.transposed}, accumulate);
    }

    bool by_onednn_;
    std::size_t columns_, inner_, stretches_, in_sequence_;
    Matrix<T> a_, b_;
};

/// Results, cut along their larger side in steps of `step`, so that the smaller factor is the one that each part packs
/// anew. Where the cuts lie depends on the number of threads alone, not on who does which part.
struct Cut {
    bool by_rows;
    std::size_t whole, step, other;

    Cut(std::size_t rows, std::size_t columns, std::size_t parts)
        : by_rows(rows >= columns),
          whole(by_rows ? rows : columns),
          step(((whole + parts - 1) / parts + 15) / 16 * 16),
          other(by_rows ? columns : rows) {}

    std::size_t parts() const { return (whole + step - 1) / step; }

    template <class T>
    typename Products<T>::Piece piece(std::size_t part) const {
        const std::size_t begin = part * step, count = std::min(step, whole - begin);
        if (by_rows) return {begin, 0, count, other};
        return {0, begin, other, count};
    }
};

/// Calls run(batches of one place) for each place that results have.
template <class Run>
void for_each_place(std::span<const BatchOffsets> batches, Run run) {
    while (!batches.empty()) {
        std::size_t count = 1;
        while (count < batches.size() && batches[count].out == batches[0].out) ++count;
        run(batches.first(count));
        batches = batches.subspan(count);
    }
}

}  // namespace

template <class T>
void gemm(T* out, std::size_t rows, std::size_t columns, std::size_t inner, Matrix<T> a, Matrix<T> b, bool accumulate,
          std::size_t threads) {
    const BatchOffsets one{0, 0, 0};
    gemm_batched(out, rows, columns, inner, a, b, accumulate, {&one, 1}, false, threads);
}

template <class T>
void gemm_batched(T* out, std::size_t rows, std::size_t columns, std::size_t inner, Matrix<T> a, Matrix<T> b, bool accumulate,
                  std::span<const BatchOffsets> batches, bool shared_results, std::size_t threads) {
    if (rows == 0 || columns == 0 || batches.empty()) return;
    if (inner == 0) {
        if (accumulate) return;
        for (const BatchOffsets& at : batches) std::fill_n(out + at.out, rows * columns, T(0));
        return;
    }
    extent(rows), extent(columns), extent(inner);  // in every part, these or less
    const double flops_of_each = 2.0 * static_cast<double>(rows) * static_cast<double>(columns) * static_cast<double>(inner);
    const double flops = flops_of_each * static_cast<double>(batches.size());
    // Of the whole product, so that the number of threads has no say in it.
    bool by_onednn = std::is_same_v<T, float> && (onednn_takes_all() || flops_of_each >= flops_for_onednn);
    const std::size_t parts = flops < flops_worth_sharing ? 1 : threads;
    PoolVector<BatchOffsets> sorted;
    const auto place = [](const BatchOffsets& at) { return std::tuple{at.out, at.a, at.b}; };
    const auto before = [&](const BatchOffsets& one, const BatchOffsets& other) { return place(one) < place(other); };
    if (shared_results && !std::is_sorted(batches.begin(), batches.end(), before)) {
        sorted.assign(batches.begin(), batches.end());
        std::sort(sorted.begin(), sorted.end(), before);
        batches = sorted;
    }
    // Many products are dealt out whole, unless two threads might then write at one place.
    const bool whole = !shared_results && batches.size() >= 2 * parts;
    const Cut cut(rows, columns, whole ? 1 : parts);
    const std::size_t step = whole ? (batches.size() + parts - 1) / parts : batches.size();
    const std::size_t pieces = whole ? (batches.size() + step - 1) / step : cut.parts();
    // Each call of OpenBLAS takes 128 MB of the address space for good: there are no more of them at once than threads that
    // could be started.
    const std::size_t wanted = autograd::detail::available_threads(std::min(pieces, parts));
    std::optional<Calls> calls;
    if (by_onednn) by_onednn = calls.emplace(Library::other, wanted).count() > 0 && uses_onednn();
    if (!by_onednn) calls.emplace(library_of_blas, wanted);
    const Products<T> products(by_onednn, columns, inner, a, b);
    const auto run_part = [&](std::size_t part) {
        const std::size_t first = whole ? part * step : 0;
        const auto piece = cut.piece<T>(whole ? 0 : part);
        for_each_place(batches.subspan(first, std::min(step, batches.size() - first)),
                       [&](std::span<const BatchOffsets> same) { products.run(out, piece, accumulate, same); });
    };
    run_in_parallel(pieces, run_part, calls->count());
}

template XTAPE_API void gemm<float>(float*, std::size_t, std::size_t, std::size_t, Matrix<float>, Matrix<float>, bool,
                                    std::size_t);
template XTAPE_API void gemm<double>(double*, std::size_t, std::size_t, std::size_t, Matrix<double>, Matrix<double>, bool,
                                     std::size_t);
template XTAPE_API void gemm_batched<float>(float*, std::size_t, std::size_t, std::size_t, Matrix<float>, Matrix<float>, bool,
                                            std::span<const BatchOffsets>, bool, std::size_t);
template XTAPE_API void gemm_batched<double>(double*, std::size_t, std::size_t, std::size_t, Matrix<double>, Matrix<double>,
                                             bool, std::span<const BatchOffsets>, bool, std::size_t);

std::string blas_in_words() {
#ifdef XTAPE_BLAS_VENDOR
    std::string words = XTAPE_BLAS_VENDOR;
    if (bli_info_get_version_str != nullptr) words += std::string(" ") + bli_info_get_version_str();
    if (bli_arch_query_id != nullptr && bli_arch_string != nullptr) {
        words += std::string(" (") + bli_arch_string(bli_arch_query_id()) + ")";
    }
    return words;
#else
    return openblas_in_words();
#endif
}

}  // namespace autograd::kernels
