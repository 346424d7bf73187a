// Decompositions, by LAPACK's routines. They are Fortran's: matrices are stored by columns, so that ours, stored by
// rows, are their transposes.
#include "autograd/kernels/lapack.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <string>

#include "autograd/base/array.hpp"
#include "autograd/kernels/calls.hpp"
#include "autograd/kernels/finite.hpp"
#include "autograd/kernels/fortran.hpp"

namespace autograd::kernels {
namespace {

int extent(std::size_t value) {
    if (value > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
        throw ShapeError("an extent of " + std::to_string(value) + " is too large for LAPACK");
    }
    return static_cast<int>(value);
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

template <class T>
T largest_of(const T* data, std::size_t count) {
    T largest = 0;
    for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(data[i]));
    return largest;
}

/// Numbers from 2^most on are infinite, and sums of some which are within this room below it may be.
template <class T>
constexpr int most = std::numeric_limits<T>::max_exponent;
constexpr int room = 8;

/// The exponent of the power of two by which to divide a matrix: 0, unless it is near over- or underflow. Small ones
/// come near 1, because LAPACK multiplies by inverses, which are infinite for subnormal pivots. Large ones get room for
/// what is added to them, and no more: smaller ones beside them keep their digits.
template <class T>
int extreme_exponent(const T* data, std::size_t count) {
    const T largest = largest_of(data, count);
    if (largest == 0) return 0;
    const int exponent = std::ilogb(largest);
    return exponent >= most<T> - room ? room : exponent < -most<T> * 3 / 4 ? exponent : 0;
}

template <class T>
void multiply_by_power(T* data, std::size_t count, int exponent) {
    for (std::size_t i = 0; i < count; ++i) data[i] = std::ldexp(data[i], exponent);
}

/// The exponent of the power of two by which to divide what has this largest element, so that it comes near 1 if it is
/// small. It stays below 1 by the room, and is not multiplied by more than a power of two can be: the other side of an
/// equation which is multiplied alike is then finite where the solution is.
template <class T>
int raising_exponent(T largest) {
    return largest == 0 ? 0 : std::clamp(std::ilogb(largest) + room, 1 - most<T>, 0);
}

/// That by which to divide an equation, with its right sides if they are given, so that it is not near overflow. With
/// right sides it comes near 1, as far as no number is taken below the normal ones for this.
template <class T>
int lowering_exponent(const T* equation, std::size_t n, const T* right_sides, std::size_t count) {
    T smallest = largest_of(equation, n);
    if (smallest == 0) return 0;
    const int exponent = std::ilogb(smallest), least = exponent >= most<T> - room ? room : 0;
    if (right_sides == nullptr) return least;
    const auto visit = [&](T each) {
        if (each != 0) smallest = std::min(smallest, std::abs(each));
    };
    std::for_each(equation, equation + n, visit);
    std::for_each(right_sides, right_sides + count, visit);
    return std::max(least, std::min(exponent, std::ilogb(smallest) - std::numeric_limits<T>::min_exponent));
}

template <class T>
PoolVector<T> largest_of_columns(const T* a, std::size_t n) {
    PoolVector<T> result(n, T(0));
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) result[j] = std::max(result[j], std::abs(a[i * n + j]));
    }
    return result;
}

/// Whether no row and no column is so far from 1 that products of their elements come near over- or underflow.
template <class T>
bool is_near_one(const T* a, std::size_t n) {
    const T most_near = std::ldexp(T(1), most<T> / 4), least_near = 1 / most_near;
    const auto is_near = [=](T each) {
        const T size = std::abs(each);
        return (least_near <= size && size <= most_near) || size == 0;
    };
    if (std::all_of(a, a + n * n, is_near)) return true;  // for speed: what is below would say so too
    for (std::size_t i = 0; i < n; ++i) {
        if (!is_near(largest_of(a + i * n, n))) return false;
    }
    const PoolVector<T> of_columns = largest_of_columns(a, n);
    return std::all_of(of_columns.begin(), of_columns.end(), is_near);
}

/// The factors of (d a c)', with the pivot that is 0. d and c are diagonal, of powers of two, and 1 if a is near 1.
/// Else they bring small rows and columns near 1, for LAPACK divides elements of a row by its largest, and multiplies
/// by inverses, which are infinite for subnormal pivots; and large equations, for an element of one may overflow where
/// it is multiplied with a part of the solution that another makes large.
template <class T>
struct Factors {
    PoolVector<T> lu;
    PoolVector<int> pivots;
    PoolVector<int> rows, columns;  ///< the exponents of 1 / d and 1 / c; none if those are 1
    int info = 0;

    /// For a caller with a call to make. b, (n, count), are the right sides of a x = b, or of a' x = b, or null.
    Factors(const T* a, std::size_t n, const T* b = nullptr, std::size_t count = 0, bool transposed = false)
        : lu(a, a + n * n), pivots(n) {
        if (!is_near_one(a, n)) {
            raise(n);
            lower(b, count, transposed);
        }
        const int size = extent(n);
        choose<T>(sgetrf_, dgetrf_)(&size, &size, lu.data(), &size, pivots.data(), &info);
    }

    /// Vectors of n elements, each element divided by the power of two of its place.
    static void divide(T* vectors, std::size_t count, const PoolVector<int>& exponents) {
        const std::size_t n = exponents.size();
        for (std::size_t i = 0; i < n; ++i) {
            if (exponents[i] == 0) continue;
            for (std::size_t k = 0; k < count; ++k) multiply_by_power(vectors + k * n + i, 1, -exponents[i]);
        }
    }

   private:
    void raise(std::size_t n) {
        rows.resize(n);
        columns.resize(n);
        for (std::size_t i = 0; i < n; ++i) {
            rows[i] = raising_exponent(largest_of(lu.data() + i * n, n));
            multiply_by_power(lu.data() + i * n, n, -rows[i]);
        }
        const PoolVector<T> of_columns = largest_of_columns(lu.data(), n);
        std::transform(of_columns.begin(), of_columns.end(), columns.begin(), raising_exponent<T>);
        divide(lu.data(), n, columns);
    }

    /// Those equations which were not raised.
    void lower(const T* b, std::size_t count, bool transposed) {
        const std::size_t n = rows.size();
        PoolVector<T> equations(lu);
        if (transposed) transpose(equations.data(), lu.data(), n, n);
        PoolVector<int>& exponents = transposed ? columns : rows;
        for (std::size_t i = 0; i < n; ++i) {
            T* equation = equations.data() + i * n;
            if (exponents[i] < 0) continue;
            exponents[i] = lowering_exponent(equation, n, b == nullptr ? b : b + i * count, count);
            multiply_by_power(equation, n, -exponents[i]);
        }
        if (transposed) {
            transpose(lu.data(), equations.data(), n, n);
        } else {
            lu = equations;
        }
    }
};

}  // namespace

template <class T>
std::ptrdiff_t solve(T* x, const T* a, const T* b, std::size_t n, std::size_t columns, Triangle triangle, bool transposed) {
    if (n == 0 || columns == 0) return no_pivot;
    const Calls call(Library::openblas);
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
        const Factors<T> factors(a, n, b, columns, transposed);
        if (factors.info > 0) return factors.info - 1;
        // d a c y = d b and then x = c y, or (d a c)' y = c b and then x = d y.
        factors.divide(by_columns.data(), columns, transposed ? factors.columns : factors.rows);
        choose<T>(sgetrs_, dgetrs_)(&flag, &size, &count, factors.lu.data(), &size, factors.pivots.data(), by_columns.data(),
                                    &size, &info, std::size_t{1});
        factors.divide(by_columns.data(), columns, transposed ? factors.rows : factors.columns);
    } else {
        const char* part = triangle == Triangle::lower ? "U" : "L";
        choose<T>(strtrs_, dtrtrs_)(part, &flag, "N", &size, &count, a, &size, by_columns.data(), &size, &info, std::size_t{1},
                                    std::size_t{1}, std::size_t{1});
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
    const Calls call(Library::openblas);
    const Factors<T> factors(a, n);
    if (factors.info > 0) return {0, 0, 0, -std::numeric_limits<T>::infinity()};
    for (std::size_t i = 0; i < n; ++i) {
        const T pivot = factors.lu[i * n + i];
        if ((factors.pivots[i] != static_cast<int>(i) + 1) != (pivot < 0)) result.sign = -result.sign;
        int of_pivot = 0, of_product = 0;
        result.mantissa = std::frexp(result.mantissa * std::frexp(std::abs(pivot), &of_pivot), &of_product);
        const int scale = factors.rows.empty() ? 0 : factors.rows[i] + factors.columns[i];
        result.exponent += of_pivot + of_product + scale;
        result.logarithm += std::log(std::abs(pivot)) + static_cast<T>(scale) * std::numbers::ln2_v<T>;
    }
    return result;
}

template <class T>
std::ptrdiff_t cholesky(T* l, const T* a, std::size_t n) {
    if (n == 0) return no_pivot;
    symmetrize(l, a, n);
    const bool finite = all_finite(l, n * n);
    if (finite) {
        const Calls call(Library::openblas);
        const int size = extent(n);
        const int half = extreme_exponent(l, n * n) / 2;
        if (half != 0) multiply_by_power(l, n * n, -2 * half);
        int info = 0;
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
    const Calls call(Library::openblas);
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
    routine(job, "L", &size, matrix.data(), &size, values, &work_size, &ask, &integer_size, &ask, &info, 1, 1);
    // A float may have rounded the size down.
    const int work_extent = static_cast<int>(std::nextafter(work_size, std::numeric_limits<T>::infinity())) + 1;
    PoolVector<T> work(static_cast<std::size_t>(work_extent));
    PoolVector<int> integers(static_cast<std::size_t>(integer_size));
    routine(job, "L", &size, matrix.data(), &size, values, work.data(), &work_extent, integers.data(), &integer_size, &info, 1,
            1);
    if (vectors != nullptr) transpose(vectors, matrix.data(), n, n);
    return info == 0;
}

#define XTAPE_INSTANTIATE(T)                                                                                      \
    template XTAPE_API std::ptrdiff_t solve<T>(T*, const T*, const T*, std::size_t, std::size_t, Triangle, bool); \
    template XTAPE_API std::ptrdiff_t invert<T>(T*, const T*, std::size_t);                                       \
    template XTAPE_API Determinant<T> determinant<T>(const T*, std::size_t);                                      \
    template XTAPE_API std::ptrdiff_t cholesky<T>(T*, const T*, std::size_t);                                     \
    template XTAPE_API bool eigh<T>(T*, T*, const T*, std::size_t);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd::kernels
