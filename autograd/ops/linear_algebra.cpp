// Shapes, errors and values of linear algebra, a matrix at a time by kernels/lapack.hpp.
#include "autograd/ops/linear_algebra.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "autograd/kernels/power_of_two.hpp"

namespace autograd {
namespace detail {

template <class T>
Array<T> triangular(std::size_t n, double lower, double diagonal, double upper) {
    auto out = empty<T>({n, n});
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            out.data()[i * n + j] = static_cast<T>(j < i ? lower : j == i ? diagonal : upper);
        }
    }
    return out;
}

template <class T>
Array<T> distinct(const Array<T>& values, const Array<T>& weight) {
    const std::size_t n = weight.shape()[weight.dimension() - 1];
    auto out = full<T>(weight.shape(), T(0));
    for (std::size_t matrix = 0; n > 0 && matrix < out.size() / (n * n); ++matrix) {
        const T* w = values.data() + matrix * n;
        const T largest = std::max(std::abs(w[0]), std::abs(w[n - 1]));
        const T rounding = static_cast<T>(n) * std::numeric_limits<T>::epsilon() * largest;
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < n; ++j) {
                if (i == j) continue;
                const std::size_t place = (matrix * n + i) * n + j;
                if (!(std::abs(w[i] - w[j]) <= rounding)) {
                    out.data()[place] = 1;
                } else if (weight.data()[place] != 0) {
                    throw Error(std::string(ops::Eigh::name) + ": eigenvalues " + std::to_string(std::min(i, j)) +
                                " and " + std::to_string(std::max(i, j)) + " are equal but for rounding, both " +
                                std::to_string(w[i]) + ": their eigenvectors have no derivative");
                }
            }
        }
    }
    return out;
}

Shape with_last(const Shape& shape, std::size_t dropped, std::initializer_list<std::size_t> last) {
    Shape result(shape.begin(), shape.end() - static_cast<std::ptrdiff_t>(dropped));
    for (const std::size_t extent : last) result.push_back(extent);
    return result;
}

#define XTAPE_INSTANTIATE(T)                                              \
    template Array<T> triangular<T>(std::size_t, double, double, double); \
    template Array<T> distinct<T>(const Array<T>&, const Array<T>&);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace detail

namespace ops {

void require_vectors(const Shape& a, const Shape& b) {
    if (a.size() == 1 && b.size() == 1) return;
    throw ShapeError("shapes " + to_string(a) + " and " + to_string(b) + ": two vectors are wanted");
}

void require_vecdot(const Shape& a, const Shape& b, std::ptrdiff_t axis) {
    const auto refuse = [&](const std::string& why) {
        throw ShapeError("shapes " + to_string(a) + " and " + to_string(b) + ", axis " + std::to_string(axis) + ": " +
                         why);
    };
    const auto back = static_cast<std::size_t>(-axis);
    if (axis >= 0) refuse("the axis is counted from the end, from -1");
    if (back > a.size() || back > b.size()) refuse("both must have the axis");
    const std::size_t one = a[a.size() - back], other = b[b.size() - back];
    if (one != other)
        refuse("its extents, " + std::to_string(one) + " and " + std::to_string(other) + ", must be equal");
    static_cast<void>(broadcast_shapes(a, b));
}

namespace {

/// A batch of square matrices.
struct Squares {
    Shape batch;
    std::size_t count, n;

    explicit Squares(const Shape& shape) {
        const std::size_t rank = shape.size();
        if (rank < 2 || shape[rank - 1] != shape[rank - 2]) {
            throw ShapeError("a square matrix, or a batch of them, is wanted, not shape " + to_string(shape));
        }
        batch = Matmul::leading(shape);
        count = element_count(batch);
        n = shape[rank - 1];
    }
};

std::string matrix_of(std::size_t index, std::size_t count) {
    return count == 1 ? "the matrix" : "matrix " + std::to_string(index) + " of the batch";
}

void require_regular(std::ptrdiff_t pivot, std::size_t index, std::size_t count) {
    if (pivot == kernels::no_pivot) return;
    throw Error(matrix_of(index, count) + " is singular: its pivot " + std::to_string(pivot) + " is 0");
}

/// The leading axes of a system's solution. Errors name `given` for b: a vector, where b is the matrix made of it.
Shape system_batch(const Shape& a, const Shape& b, const Shape& given) {
    const Squares squares(a);
    const auto both = [&] { return "shapes " + to_string(a) + " and " + to_string(given); };
    if (b.size() < 2) throw ShapeError(both() + ": the right side must be a vector, a matrix or a batch of them");
    if (b[b.size() - 2] != squares.n) {
        throw ShapeError(both() + ": the right side has " + std::to_string(b[b.size() - 2]) + " rows, the matrix " +
                         std::to_string(squares.n));
    }
    try {
        return broadcast_shapes(squares.batch, Matmul::leading(b));
    } catch (const ShapeError&) {
        throw ShapeError(both() + ": the leading axes do not broadcast");
    }
}

/// The index, of those with these leading axes, of the matrix that is broadcast to place `index` of `space`.
std::size_t broadcast_index(const Shape& leading, const Shape& space, std::size_t index) {
    std::size_t result = 0, stride = 1;
    for (std::size_t back = 1; back <= leading.size(); ++back) {
        const std::size_t extent = leading[leading.size() - back];
        if (extent != 1) result += index % space[space.size() - back] * stride;
        index /= space[space.size() - back];
        stride *= extent;
    }
    return result;
}

}  // namespace

void Solve::require_fit(const Shape& a, const Shape& b) { system_batch(a, b.size() == 1 ? Shape{b[0], 1} : b, b); }

template <class T>
void Solve::forward(Array<T>& out, const Array<T>& a, const Array<T>& b) const {
    const Shape batch = system_batch(a.shape(), b.shape(), b.shape());
    const std::size_t n = b.shape()[b.dimension() - 2], columns = b.shape()[b.dimension() - 1];
    reshape_for_overwriting(out, detail::with_last(batch, 0, {n, columns}));
    if (out.size() == 0) return;
    const Shape a_batch = Matmul::leading(a.shape()), b_batch = Matmul::leading(b.shape());
    for (std::size_t i = 0; i < element_count(batch); ++i) {
        const std::size_t matrix = broadcast_index(a_batch, batch, i);
        const std::ptrdiff_t pivot = kernels::solve<T>(out.data() + i * n * columns, a.data() + matrix * n * n,
                                                       b.data() + broadcast_index(b_batch, batch, i) * n * columns, n,
                                                       columns, triangle, transposed);
        require_regular(pivot, matrix, element_count(a_batch));
    }
}

template <class T>
void Inv::forward(Array<T>& out, const Array<T>& a) const {
    const Squares squares(a.shape());
    reshape_for_overwriting(out, a.shape());
    if (out.size() == 0) return;
    const std::size_t size = squares.n * squares.n;
    for (std::size_t i = 0; i < squares.count; ++i) {
        require_regular(kernels::invert<T>(out.data() + i * size, a.data() + i * size, squares.n), i, squares.count);
    }
}

template <class T>
void Det::forward(Array<T>& out, const Array<T>& a) const {
    const Squares squares(a.shape());
    reshape_for_overwriting(out, squares.batch);
    for (std::size_t i = 0; i < squares.count; ++i) {
        const auto found = kernels::determinant<T>(a.data() + i * squares.n * squares.n, squares.n);
        out.data()[i] = found.sign * std::ldexp(found.mantissa, found.exponent);
    }
}

template <class T>
std::optional<DeterminantScale<T>> DeterminantScale<T>::of(const Array<T>& a, const Array<T>& determinants) {
    using Limits = std::numeric_limits<T>;
    if (a.size() == 0) return {};
    const Squares squares(a.shape());
    const std::size_t n = squares.n;
    const Eager<T> largest = max(abs(Eager<T>(a)), -1);
    const auto of_rows = [&](std::size_t i) { return largest.array().data() + i * n; };
    const auto is_far = [](T size) { return Limits::min() <= size && size <= Limits::max(); };
    const auto is_ordinary = [&](std::size_t i) {
        const T determinant = std::abs(determinants.data()[i]);
        return std::isnan(determinant) || (is_far(determinant) && std::all_of(of_rows(i), of_rows(i) + n, is_far));
    };
    PoolVector<std::size_t> extreme;
    for (std::size_t i = 0; i < squares.count; ++i) {
        if (!is_ordinary(i)) extreme.push_back(i);
    }
    if (extreme.empty()) return {};
    const Array<T> ones = full<T>(detail::with_last(squares.batch, 0, {n, 1}), T(1));
    DeterminantScale scale{ones, ones, ones};
    for (const std::size_t i : extreme) {
        const auto found = kernels::determinant<T>(a.data() + i * n * n, n);
        if (found.sign == 0) continue;  // singular: an error, which is the inverse's
        const int whole = found.exponent;
        // A row is divided by its largest element, and what is left is shared among all.
        int left = whole;
        for (std::size_t row = 0; row < n; ++row) left -= std::ilogb(of_rows(i)[row]);
        for (std::size_t row = 0; row < n; ++row) {
            const int share = left / static_cast<int>(n - row), of_row = std::ilogb(of_rows(i)[row]) + share;
            left -= share;
            const std::size_t place = i * n + row;
            scale.rows.data()[place] = kernels::power_of_two<T>(of_row);
            kernels::set_halves(scale.half.data()[place], scale.other_half.data()[place], whole - of_row);
        }
    }
    return scale;
}

template struct DeterminantScale<float>;
template struct DeterminantScale<double>;

template <class T>
void Slogdet::forward(Array<T>& out, const Array<T>& a) const {
    const Squares squares(a.shape());
    reshape_for_overwriting(out, detail::with_last(squares.batch, 0, {2}));
    for (std::size_t i = 0; i < squares.count; ++i) {
        const auto found = kernels::determinant<T>(a.data() + i * squares.n * squares.n, squares.n);
        out.data()[2 * i] = found.sign;
        out.data()[2 * i + 1] = found.logarithm;
    }
}

template <class T>
void Cholesky::forward(Array<T>& out, const Array<T>& a) const {
    const Squares squares(a.shape());
    reshape_for_overwriting(out, a.shape());
    if (out.size() == 0) return;
    const std::size_t size = squares.n * squares.n;
    for (std::size_t i = 0; i < squares.count; ++i) {
        const std::ptrdiff_t pivot = kernels::cholesky<T>(out.data() + i * size, a.data() + i * size, squares.n);
        if (pivot == kernels::no_pivot) continue;
        throw Error(matrix_of(i, squares.count) + " is not positive definite: its pivot " + std::to_string(pivot) +
                    " is not positive");
    }
}

namespace {

void require_converged(bool converged, std::size_t index, std::size_t count) {
    if (!converged) throw Error(matrix_of(index, count) + ": LAPACK's iteration did not converge");
}

}  // namespace

template <class T>
void Eigh::forward(Array<T>& out, const Array<T>& a) const {
    const Squares squares(a.shape());
    const std::size_t n = squares.n;
    reshape_for_overwriting(out, detail::with_last(squares.batch, 0, {n + 1, n}));
    if (out.size() == 0) return;
    for (std::size_t i = 0; i < squares.count; ++i) {
        T* values = out.data() + i * (n + 1) * n;
        require_converged(kernels::eigh<T>(values, values + n, a.data() + i * n * n, n), i, squares.count);
    }
}

template <class T>
void Eigvalsh::forward(Array<T>& out, const Array<T>& a) const {
    const Squares squares(a.shape());
    const std::size_t n = squares.n;
    reshape_for_overwriting(out, detail::with_last(squares.batch, 0, {n}));
    if (out.size() == 0) return;
    for (std::size_t i = 0; i < squares.count; ++i) {
        require_converged(kernels::eigh<T>(out.data() + i * n, nullptr, a.data() + i * n * n, n), i, squares.count);
    }
}

}  // namespace ops

XTAPE_LINEAR_ALGEBRA_STRUCTURES(XTAPE_INSTANTIATE_STRUCTURE)
}  // namespace autograd
