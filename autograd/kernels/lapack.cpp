// The only file that declares LAPACK's routines. They are Fortran's: matrices are stored by columns, so that ours,
// stored by rows, are their transposes; and behind all arguments come the lengths of those which are characters.
#include "autograd/kernels/lapack.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <string>
#include <type_traits>

#include "autograd/array.hpp"

extern "C" {
void openblas_set_num_threads(int);
void sgetrf_(const int*, const int*, float*, const int*, int*, int*);
void dgetrf_(const int*, const int*, double*, const int*, int*, int*);
void sgetrs_(const char*, const int*, const int*, const float*, const int*, const int*, float*, const int*, int*,
             std::size_t);
void dgetrs_(const char*, const int*, const int*, const double*, const int*, const int*, double*, const int*, int*,
             std::size_t);
void strtrs_(const char*, const char*, const char*, const int*, const int*, const float*, const int*, float*,
             const int*, int*, std::size_t, std::size_t, std::size_t);
void dtrtrs_(const char*, const char*, const char*, const int*, const int*, const double*, const int*, double*,
             const int*, int*, std::size_t, std::size_t, std::size_t);
void spotrf_(const char*, const int*, float*, const int*, int*, std::size_t);
void dpotrf_(const char*, const int*, double*, const int*, int*, std::size_t);
void ssyevd_(const char*, const char*, const int*, float*, const int*, float*, float*, const int*, int*, const int*,
             int*, std::size_t, std::size_t);
void dsyevd_(const char*, const char*, const int*, double*, const int*, double*, double*, const int*, int*, const int*,
             int*, std::size_t, std::size_t);
}

namespace autograd::kernels {
namespace {

/// The routine for T.
template <class T, class S, class D>
auto choose(S in_float, D in_double) {
    if constexpr (std::is_same_v<T, float>) {
        return in_float;
    } else {
        return in_double;
    }
}

int extent(std::size_t value) {
    if (value > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
        throw ShapeError("an extent of " + std::to_string(value) + " is too large for LAPACK");
    }
    return static_cast<int>(value);
}

template <class T>
bool all_finite(const T* data, std::size_t count) {
    return std::all_of(data, data + count, [](T each) { return std::isfinite(each); });
}

template <class T>
constexpr T nan = std::numeric_limits<T>::quiet_NaN();

template <class T>
void transpose(T* out, const T* in, std::size_t rows, std::size_t columns) {
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < columns; ++j) out[j * rows + i] = in[i * columns + j];
    }
}

/// (a + a') / 2.
template <class T>
void symmetrize(T* out, const T* a, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) out[i * n + j] = std::midpoint(a[i * n + j], a[j * n + i]);
    }
}

/// The exponent of the power of two by which to divide these: 0, unless they are near over- or underflow. Small ones
/// come near 1, because LAPACK multiplies by inverses, which are infinite for subnormal pivots. Large ones get room for
/// what is added to them, and no more: smaller ones beside them keep their digits.
template <class T>
int extreme_exponent(const T* data, std::size_t count) {
    constexpr int room = 8, most = std::numeric_limits<T>::max_exponent;
    T largest = 0;
    for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(data[i]));
    if (largest == 0) return 0;
    const int exponent = std::ilogb(largest);
    return exponent >= most - room ? room : exponent < -most * 3 / 4 ? exponent : 0;
}

template <class T>
void multiply_by_power(T* data, std::size_t count, int exponent) {
    for (std::size_t i = 0; i < count; ++i) data[i] = std::ldexp(data[i], exponent);
}

/// The factors of (d a)', with the pivot that is 0: d takes rows away from over- and underflow.
template <class T>
struct Factors {
    PoolVector<T> lu;
    PoolVector<int> pivots;
    PoolVector<int> exponents;  ///< d is diagonal, of 2^-exponents
    int info = 0;

    Factors(const T* a, std::size_t n) : lu(a, a + n * n), pivots(n), exponents(n) {
        for (std::size_t i = 0; i < n; ++i) {
            exponents[i] = extreme_exponent(a + i * n, n);
            if (exponents[i] != 0) multiply_by_power(lu.data() + i * n, n, -exponents[i]);
        }
        const int size = extent(n);
        openblas_set_num_threads(1);
        choose<T>(sgetrf_, dgetrf_)(&size, &size, lu.data(), &size, pivots.data(), &info);
    }

    /// Vectors of n elements, each element times d's.
    void multiply_by_d(T* vectors, std::size_t count) const {
        const std::size_t n = exponents.size();
        for (std::size_t i = 0; i < n; ++i) {
            if (exponents[i] == 0) continue;
            for (std::size_t k = 0; k < count; ++k) multiply_by_power(vectors + k * n + i, 1, -exponents[i]);
        }
    }
};

}  // namespace

template <class T>
std::ptrdiff_t solve(T* x, const T* a, const T* b, std::size_t n, std::size_t columns, Triangle triangle,
                     bool transposed) {
    if (n == 0 || columns == 0) return no_pivot;
    const auto is_read = [&](std::size_t i, std::size_t j) {
        return triangle == Triangle::none || (triangle == Triangle::lower ? j <= i : i <= j);
    };
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            if (!is_read(i, j) || std::isfinite(a[i * n + j])) continue;
            std::fill_n(x, n * columns, nan<T>);
            return no_pivot;
        }
    }
    const int size = extent(n), count = extent(columns);
    const char plain = 'T', of_transpose = 'N';  // of Fortran's matrix, which is the transpose of ours
    const char& flag = transposed ? of_transpose : plain;
    PoolVector<T> by_columns(n * columns);
    transpose(by_columns.data(), b, n, columns);
    int info = 0;
    if (triangle == Triangle::none) {
        const Factors<T> factors(a, n);
        if (factors.info > 0) return factors.info - 1;
        // d a x = d b, or (d a)' x = b and then d x.
        if (!transposed) factors.multiply_by_d(by_columns.data(), columns);
        choose<T>(sgetrs_, dgetrs_)(&flag, &size, &count, factors.lu.data(), &size, factors.pivots.data(),
                                    by_columns.data(), &size, &info, std::size_t{1});
        if (transposed) factors.multiply_by_d(by_columns.data(), columns);
    } else {
        openblas_set_num_threads(1);
        const char* part = triangle == Triangle::lower ? "U" : "L";
        choose<T>(strtrs_, dtrtrs_)(part, &flag, "N", &size, &count, a, &size, by_columns.data(), &size, &info,
                                    std::size_t{1}, std::size_t{1}, std::size_t{1});
        if (info > 0) return info - 1;
    }
    transpose(x, by_columns.data(), columns, n);
    return no_pivot;
}

template <class T>
std::ptrdiff_t invert(T* inverse, const T* a, std::size_t n) {
    PoolVector<T> identity(n * n, T(0));
    for (std::size_t i = 0; i < n; ++i) identity[i * n + i] = 1;
    return solve(inverse, a, identity.data(), n, n, Triangle::none, false);
}

template <class T>
Determinant<T> determinant(const T* a, std::size_t n) {
    if (!all_finite(a, n * n)) return {nan<T>, nan<T>, 0, nan<T>};
    Determinant<T> result{1, T(0.5), 1, 0};
    if (n == 0) return result;
    const Factors<T> factors(a, n);
    if (factors.info > 0) return {0, 0, 0, -std::numeric_limits<T>::infinity()};
    for (std::size_t i = 0; i < n; ++i) {
        const T pivot = factors.lu[i * n + i];
        if ((factors.pivots[i] != static_cast<int>(i) + 1) != (pivot < 0)) result.sign = -result.sign;
        int of_pivot = 0, of_product = 0;
        result.mantissa = std::frexp(result.mantissa * std::frexp(std::abs(pivot), &of_pivot), &of_product);
        result.exponent += of_pivot + of_product + factors.exponents[i];
        result.logarithm += std::log(std::abs(pivot)) + static_cast<T>(factors.exponents[i]) * std::numbers::ln2_v<T>;
    }
    return result;
}

template <class T>
std::ptrdiff_t cholesky(T* l, const T* a, std::size_t n) {
    if (n == 0) return no_pivot;
    symmetrize(l, a, n);
    const bool finite = all_finite(l, n * n);
    if (finite) {
        const int size = extent(n);
        const int half = extreme_exponent(l, n * n) / 2;
        if (half != 0) multiply_by_power(l, n * n, -2 * half);
        int info = 0;
        openblas_set_num_threads(1);
        choose<T>(spotrf_, dpotrf_)("U", &size, l, &size, &info, std::size_t{1});
        if (info > 0) return info - 1;
        if (half != 0) multiply_by_power(l, n * n, half);
    }
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            if (j > i)
                l[i * n + j] = 0;
            else if (!finite)
                l[i * n + j] = nan<T>;
        }
    }
    return no_pivot;
}

template <class T>
bool eigh(T* values, T* vectors, const T* a, std::size_t n) {
    if (n == 0) return true;
    PoolVector<T> matrix(n * n);
    symmetrize(matrix.data(), a, n);
    if (!all_finite(matrix.data(), n * n)) {
        std::fill_n(values, n, nan<T>);
        if (vectors != nullptr) std::fill_n(vectors, n * n, nan<T>);
        return true;
    }
    const int size = extent(n);
    const char* job = vectors != nullptr ? "V" : "N";
    const auto routine = choose<T>(ssyevd_, dsyevd_);
    int info = 0;
    // The first call asks how much room the second needs.
    T work_size = 0;
    int integer_size = 0;
    const int ask = -1;
    openblas_set_num_threads(1);
    routine(job, "L", &size, matrix.data(), &size, values, &work_size, &ask, &integer_size, &ask, &info, 1, 1);
    // A float may have rounded the size down.
    const int work_extent = static_cast<int>(std::nextafter(work_size, std::numeric_limits<T>::infinity())) + 1;
    PoolVector<T> work(static_cast<std::size_t>(work_extent));
    PoolVector<int> integers(static_cast<std::size_t>(integer_size));
    routine(job, "L", &size, matrix.data(), &size, values, work.data(), &work_extent, integers.data(), &integer_size,
            &info, 1, 1);
    if (vectors != nullptr) transpose(vectors, matrix.data(), n, n);
    return info == 0;
}

#define XTAPE_INSTANTIATE(T)                                                                            \
    template std::ptrdiff_t solve<T>(T*, const T*, const T*, std::size_t, std::size_t, Triangle, bool); \
    template std::ptrdiff_t invert<T>(T*, const T*, std::size_t);                                       \
    template Determinant<T> determinant<T>(const T*, std::size_t);                                      \
    template std::ptrdiff_t cholesky<T>(T*, const T*, std::size_t);                                     \
    template bool eigh<T>(T*, T*, const T*, std::size_t);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd::kernels
