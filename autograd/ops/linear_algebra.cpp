// The ops of linear algebra, a block each: what it keeps, its value, a matrix at a time by kernels/lapack.hpp, its rules, and
// the function that records it. The formulas of gradients are those of Giles, "Collected matrix derivative results for
// forward and reverse mode algorithmic differentiation" (2008), but for Cholesky's: Murray, "Differentiation of the Cholesky
// decomposition" (2016), section 3.
#include "autograd/ops/linear_algebra.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>

#include "autograd/kernels/power_of_two.hpp"
#include "autograd/ops/constant.hpp"
#include "autograd/ops/indexing.hpp"
#include "autograd/ops/matmul.hpp"

namespace autograd {

using detail::constant_like;
using detail::values_of;
using detail::with_context_of;
using kernels::Triangle;

// ---- What several ops need ----

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
        batch = ops::leading(shape);
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

/// `shape` with these extents in place of its last ones, of which so many are dropped.
Shape with_last(const Shape& shape, std::size_t dropped, std::initializer_list<std::size_t> last) {
    Shape result(shape.begin(), shape.end() - static_cast<std::ptrdiff_t>(dropped));
    for (const std::size_t extent : last) result.push_back(extent);
    return result;
}

/// (n, n): `lower` below the diagonal, `diagonal` on it, `upper` above.
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

/// x where this matrix of constants is not 0, times it; else 0.
template <class X>
X times_pattern(const X& x, const Array<typename X::Element>& pattern) {
    const X factor = constant_like(x, pattern);
    return where(factor, factor * x, 0);
}

/// (x + x') / 2.
template <class X>
X symmetric_part(const X& x) {
    return 0.5 * x + 0.5 * matrix_transpose(x);
}

}  // namespace

// ---- outer, vecdot and trace: products and sums ----

namespace {

/// @throws ShapeError if these are not vectors.
void require_vectors(const Shape& a, const Shape& b) {
    if (a.size() == 1 && b.size() == 1) return;
    throw ShapeError("shapes " + to_string(a) + " and " + to_string(b) + ": two vectors are wanted");
}

/// @throws ShapeError if `axis` is not negative, not in both, or of two extents, or the shapes do not broadcast.
void require_vecdot(const Shape& a, const Shape& b, std::ptrdiff_t axis) {
    const auto refuse = [&](const std::string& why) {
        throw ShapeError("shapes " + to_string(a) + " and " + to_string(b) + ", axis " + std::to_string(axis) + ": " + why);
    };
    const auto back = static_cast<std::size_t>(-axis);
    if (axis >= 0) refuse("the axis is counted from the end, from -1");
    if (back > a.size() || back > b.size()) refuse("both must have the axis");
    const std::size_t one = a[a.size() - back], other = b[b.size() - back];
    if (one != other) refuse("its extents, " + std::to_string(one) + " and " + std::to_string(other) + ", must be equal");
    static_cast<void>(broadcast_shapes(a, b));
}

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> outer(X<T> a, X<T> b) {
    const auto product = [&] {
        require_vectors(a.shape(), b.shape());
        return reshape(a, {a.shape()[0], 1}) * reshape(b, {1, b.shape()[0]});
    };
    return with_context_of("outer", product, a, b);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> vecdot(X<T> a, X<T> b, std::ptrdiff_t axis) {
    const auto product = [&] {
        require_vecdot(a.shape(), b.shape(), axis);
        return sum(a * b, axis);
    };
    return with_context_of("vecdot", product, a, b);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> trace(X<T> x, std::ptrdiff_t offset) {
    return with_context_of(
        "trace", [&] { return sum(diagonal(x, offset), -1); }, x);
}

// ---- solve ----

namespace {

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
        return broadcast_shapes(squares.batch, ops::leading(b));
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

/// x with a x = b or a' x = b, a being all of a matrix or the triangle of it that is read.
struct Solve {
    static constexpr const char* name = "solve";
    Triangle triangle = Triangle::none;
    bool transposed = false;

    /// @throws ShapeError as solve() does, for callers that record something before.
    static void require_fit(const Shape& a, const Shape& b) { system_batch(a, b.size() == 1 ? Shape{b[0], 1} : b, b); }

    template <class T>
    void forward(Array<T>& out, const Array<T>& a, const Array<T>& b) const;
    // With h = a'^-1 g: h to b, -h x' to a. (Giles, "Matrix inverse product".)
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& a, const X&, const X& x) const {
        const X h = apply(Solve{triangle, !transposed}, a, g);
        const Shape batch = ops::leading(a.shape());
        return part(-(transposed ? ops::matmul_to(x, h, {.b = true}, batch) : ops::matmul_to(h, x, {.b = true}, batch)));
    }
    template <class X>
    X gradient(InputIndex<1>, const X& g, const X& a, const X& b, const X&) const {
        const X h = apply(Solve{triangle, !transposed}, a, g);
        return same_shape(h.shape(), b.shape()) ? h : sum_to(h, b.shape());
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X& a, const X&, const X& x) const {
        return apply(*this, a, -matmul(part(t), x, {.a = transposed}));
    }
    template <class X>
    X tangent(InputIndex<1>, const X& t, const X& a, const X&, const X&) const {
        return apply(*this, a, t);
    }

   private:
    template <class X>
    X part(const X& x) const {
        if (triangle == Triangle::none) return x;
        const bool lower = triangle == Triangle::lower;
        const std::size_t n = x.shape()[x.shape().size() - 1];
        return times_pattern(x, triangular<typename X::Element>(n, lower, 1, !lower));
    }
};

template <class T>
void Solve::forward(Array<T>& out, const Array<T>& a, const Array<T>& b) const {
    const Shape batch = system_batch(a.shape(), b.shape(), b.shape());
    const std::size_t n = b.shape()[b.dimension() - 2], columns = b.shape()[b.dimension() - 1];
    reshape_for_overwriting(out, with_last(batch, 0, {n, columns}));
    if (out.size() == 0) return;
    const Shape a_batch = ops::leading(a.shape()), b_batch = ops::leading(b.shape());
    for (std::size_t i = 0; i < element_count(batch); ++i) {
        const std::size_t matrix = broadcast_index(a_batch, batch, i);
        const std::ptrdiff_t pivot =
            kernels::solve<T>(out.data() + i * n * columns, a.data() + matrix * n * n,
                              b.data() + broadcast_index(b_batch, batch, i) * n * columns, n, columns, triangle, transposed);
        require_regular(pivot, matrix, element_count(a_batch));
    }
}

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> solve(X<T> a, X<T> b) {
    const auto solution = [&] {
        Solve::require_fit(a.shape(), b.shape());
        if (b.shape().size() != 1) return apply(Solve{}, a, b);
        const X<T> x = apply(Solve{}, a, reshape(b, {b.shape()[0], 1}));
        return reshape(x, with_last(x.shape(), 1, {}));
    };
    return with_context_of("solve", solution, a, b);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::solve_triangular(X<T> a, X<T> b, Triangle triangle, bool transposed) {
    return apply(Solve{triangle, transposed}, a, b);
}

// ---- inv ----

namespace {

struct Inv {
    static constexpr const char* name = "inv";

    template <class T>
    void forward(Array<T>& out, const Array<T>& a) const {
        const Squares squares(a.shape());
        reshape_for_overwriting(out, a.shape());
        if (out.size() == 0) return;
        const std::size_t size = squares.n * squares.n;
        for (std::size_t i = 0; i < squares.count; ++i) {
            require_regular(kernels::invert<T>(out.data() + i * size, a.data() + i * size, squares.n), i, squares.count);
        }
    }
    // Giles, "Inverse".
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X& y) const {
        return -matmul(matmul(y, g, {.a = true}), y, {.b = true});
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X&, const X& y) const {
        return -matmul(matmul(y, t), y);
    }
};

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> inv(X<T> a) {
    return apply(Inv{}, a);
}

// ---- det ----

namespace {

/// For each matrix whose determinant or one of whose rows is near over- or underflow, what the rows are to be divided
/// by, (..., n, 1), so that the determinant is in [1/2, 1) or (-1, -1/2]; and two factors, the product of which makes of
/// a row of cofactors what it was. Of other matrices all are 1; none if there are no such matrices.
template <class T>
struct DeterminantScale {
    Array<T> rows, half, other_half;

    static std::optional<DeterminantScale> of(const Array<T>& a, const Array<T>& determinants);
};

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
    const Array<T> ones = full<T>(with_last(squares.batch, 0, {n, 1}), T(1));
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

struct Det {
    static constexpr const char* name = "det";

    template <class T>
    void forward(Array<T>& out, const Array<T>& a) const {
        const Squares squares(a.shape());
        reshape_for_overwriting(out, squares.batch);
        for (std::size_t i = 0; i < squares.count; ++i) {
            const auto found = kernels::determinant<T>(a.data() + i * squares.n * squares.n, squares.n);
            out.data()[i] = found.sign * std::ldexp(found.mantissa, found.exponent);
        }
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& a, const X& y) const {
        return one_by_one(g) * cofactors(a, y);
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X& a, const X& y) const {
        return sum(cofactors(a, y) * t, {-2, -1});
    }

   private:
    template <class X>
    static X one_by_one(const X& x) {
        return reshape(x, with_last(x.shape(), 0, {1, 1}));
    }
    // Giles, "Determinant".
    template <class X>
    static X cofactors(const X& a, const X& y) {
        const auto scale = DeterminantScale<typename X::Element>::of(values_of(a), values_of(y));
        if (!scale) return one_by_one(y) * matrix_transpose(inv(a));
        const X rows = a / constant_like(a, scale->rows);
        const X cofactors_of_rows = one_by_one(det(rows)) * matrix_transpose(inv(rows));
        return cofactors_of_rows * constant_like(a, scale->half) * constant_like(a, scale->other_half);
    }
};

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> det(X<T> a) {
    return apply(Det{}, a);
}

// ---- slogdet ----

namespace {

/// On the last axis: the sign of the determinant, and the logarithm of its absolute value.
struct Slogdet {
    static constexpr const char* name = "slogdet";

    template <class T>
    void forward(Array<T>& out, const Array<T>& a) const {
        const Squares squares(a.shape());
        reshape_for_overwriting(out, with_last(squares.batch, 0, {2}));
        for (std::size_t i = 0; i < squares.count; ++i) {
            const auto found = kernels::determinant<T>(a.data() + i * squares.n * squares.n, squares.n);
            out.data()[2 * i] = found.sign;
            out.data()[2 * i + 1] = found.logarithm;
        }
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& a, const X&) const {
        return reshape(slice(g, -1, {1, 2}), with_last(g.shape(), 1, {1, 1})) * matrix_transpose(inv(a));
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X& a, const X& y) const {
        const X logarithm = sum(matrix_transpose(inv(a)) * t, {-2, -1});
        const X place = constant_like(t, Array<typename X::Element>{0, 1});
        return where(place, reshape(logarithm, with_last(y.shape(), 1, {1})), 0);
    }
};

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
SlogdetResult<X<T>> slogdet(X<T> a) {
    const X<T> packed = apply(Slogdet{}, a);
    const Shape shape = with_last(packed.shape(), 1, {});
    return {stop_gradient(reshape(slice(packed, -1, {0, 1}), shape)), reshape(slice(packed, -1, {1, 2}), shape)};
}

// ---- cholesky ----

namespace {

struct Cholesky {
    static constexpr const char* name = "cholesky";

    template <class T>
    void forward(Array<T>& out, const Array<T>& a) const {
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
    // With phi(x) the lower triangle of x and half of its diagonal: l'^-1 phi(l' g) l^-1, symmetrised.
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X& l) const {
        const Solve substitute{Triangle::lower, true};
        const X half = apply(substitute, l, phi(matmul(l, g, {.a = true})));
        return symmetric_part(apply(substitute, l, matrix_transpose(half)));
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X&, const X& l) const {
        const Solve substitute{Triangle::lower, false};
        const X half = apply(substitute, l, symmetric_part(t));
        return matmul(l, phi(apply(substitute, l, matrix_transpose(half))));
    }

   private:
    template <class X>
    static X phi(const X& x) {
        const std::size_t n = x.shape()[x.shape().size() - 1];
        return times_pattern(x, triangular<typename X::Element>(n, 1, 0.5, 0));
    }
};

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> cholesky(X<T> a, bool upper) {
    const X<T> l = apply(Cholesky{}, a);
    return upper ? matrix_transpose(l) : l;
}

// ---- eigh and eigvalsh ----

namespace {

void require_converged(bool converged, std::size_t index, std::size_t count) {
    if (!converged) throw Error(matrix_of(index, count) + ": LAPACK's iteration did not converge");
}

/// 1 where eigenvalues i and j (of the last axis) are apart, on an axis more than `values` has; 0 where they are not,
/// as on the diagonal. They are not if they differ by no more than rounding makes of equal ones, n epsilon max |value|.
/// @throws Error if a `weight` that is to be divided by such a difference is not 0.
template <class T>
Array<T> distinct(const Array<T>& values, const Array<T>& weight);

/// (n + 1, n): the eigenvalues, and below them the eigenvectors as columns.
struct Eigh {
    static constexpr const char* name = "eigh";

    template <class T>
    void forward(Array<T>& out, const Array<T>& a) const {
        const Squares squares(a.shape());
        const std::size_t n = squares.n;
        reshape_for_overwriting(out, with_last(squares.batch, 0, {n + 1, n}));
        if (out.size() == 0) return;
        for (std::size_t i = 0; i < squares.count; ++i) {
            T* values = out.data() + i * (n + 1) * n;
            require_converged(kernels::eigh<T>(values, values + n, a.data() + i * n * n, n), i, squares.count);
        }
    }
    // Giles, "Eigenvalues and eigenvectors": v (diag(gw) + f o (v' gv)) v' with f_ij = 1 / (w_j - w_i), symmetrised.
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X& y) const {
        const X v = vectors(y);
        const X inner = over_gaps(matmul(v, vectors(g), {.a = true}), y);
        const X middle = where(identity(inner), values(g), inner);
        return symmetric_part(matmul(matmul(v, middle), v, {.b = true}));
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X&, const X& y) const {
        const X v = vectors(y);
        const X inner = matmul(matmul(v, symmetric_part(t), {.a = true}), v);
        const std::size_t n = v.shape()[v.shape().size() - 1];
        const X dw = reshape(diagonal(inner), with_last(y.shape(), 2, {1, n}));
        return unslice(dw, y.shape(), -2, {0, 1}) + unslice(matmul(v, over_gaps(inner, y)), y.shape(), -2, {.start = 1});
    }

    template <class X>
    static X values(const X& packed) {
        return slice(packed, -2, {0, 1});
    }
    template <class X>
    static X vectors(const X& packed) {
        return slice(packed, -2, {.start = 1});
    }

   private:
    template <class X>
    static X identity(const X& like) {
        return constant_like(like, triangular<typename X::Element>(like.shape()[like.shape().size() - 1], 0, 1, 0));
    }
    template <class X>
    static X over_gaps(const X& x, const X& y) {
        const X row = values(y);
        const X gaps = row - matrix_transpose(row);
        const X apart = constant_like(x, distinct(values_of(row), values_of(x)));
        return where(apart, x / where(apart, gaps, 1), 0);
    }
};

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
                    throw Error(std::string(Eigh::name) + ": eigenvalues " + std::to_string(std::min(i, j)) + " and " +
                                std::to_string(std::max(i, j)) + " are equal but for rounding, both " + std::to_string(w[i]) +
                                ": their eigenvectors have no derivative");
                }
            }
        }
    }
    return out;
}

struct Eigvalsh {
    static constexpr const char* name = "eigvalsh";

    template <class T>
    void forward(Array<T>& out, const Array<T>& a) const {
        const Squares squares(a.shape());
        const std::size_t n = squares.n;
        reshape_for_overwriting(out, with_last(squares.batch, 0, {n}));
        if (out.size() == 0) return;
        for (std::size_t i = 0; i < squares.count; ++i) {
            require_converged(kernels::eigh<T>(out.data() + i * n, nullptr, a.data() + i * n * n, n), i, squares.count);
        }
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& a, const X&) const {
        const X v = Eigh::vectors(apply(Eigh{}, a));
        return matmul(v * reshape(g, row_shape(g.shape())), v, {.b = true});
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X& a, const X&) const {
        const X v = Eigh::vectors(apply(Eigh{}, a));
        return sum(v * matmul(symmetric_part(t), v), -2);
    }

   private:
    static Shape row_shape(const Shape& shape) { return with_last(shape, 1, {1, shape[shape.size() - 1]}); }
};

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
EighResult<X<T>> eigh(X<T> a) {
    const X<T> packed = apply(Eigh{}, a);
    const X<T> values = Eigh::values(packed);
    return {reshape(values, with_last(packed.shape(), 2, {packed.shape()[packed.shape().size() - 1]})), Eigh::vectors(packed)};
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> eigvalsh(X<T> a) {
    return apply(Eigvalsh{}, a);
}

// ---- Compiled for all worlds ----

#define XTAPE_INSTANTIATE(X)                                          \
    template XTAPE_API X outer(X, X);                                 \
    template XTAPE_API X vecdot(X, X, std::ptrdiff_t);                \
    template XTAPE_API X trace(X, std::ptrdiff_t);                    \
    template XTAPE_API X solve(X, X);                                 \
    template XTAPE_API X ops::solve_triangular(X, X, Triangle, bool); \
    template XTAPE_API X inv(X);                                      \
    template XTAPE_API X det(X);                                      \
    template XTAPE_API SlogdetResult<X> slogdet(X);                   \
    template XTAPE_API X cholesky(X, bool);                           \
    template XTAPE_API EighResult<X> eigh(X);                         \
    template XTAPE_API X eigvalsh(X);
XTAPE_FOR_OPERANDS(XTAPE_INSTANTIATE)

}  // namespace autograd
