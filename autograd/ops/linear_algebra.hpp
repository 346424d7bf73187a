// Linear algebra beyond products of matrices: traces, linear systems, determinants, decompositions. Matrices are the last
// two axes of an array; leading axes make a batch of them. Values come from LAPACK, gradients are stated as ops. The formulas
// of gradients are those of Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
// differentiation" (2008), but for Cholesky's: Murray, "Differentiation of the Cholesky decomposition" (2016), section 3.
#pragma once

#include <optional>

#include "autograd/kernels/lapack.hpp"
#include "autograd/ops/constant.hpp"
#include "autograd/ops/indexing.hpp"
#include "autograd/ops/matmul.hpp"

namespace autograd {
namespace detail {

/// (n, n): `lower` below the diagonal, `diagonal` on it, `upper` above.
template <class T>
[[nodiscard]] Array<T> triangular(std::size_t n, double lower, double diagonal, double upper);

/// 1 where eigenvalues i and j (of the last axis) are apart, on an axis more than `values` has; 0 where they are not,
/// as on the diagonal. They are not if they differ by no more than rounding makes of equal ones, n epsilon max |value|.
/// @throws Error if a `weight` that is to be divided by such a difference is not 0.
template <class T>
[[nodiscard]] Array<T> distinct(const Array<T>& values, const Array<T>& weight);

/// x where this matrix of constants is not 0, times it; else 0.
template <class X>
[[nodiscard]] X times_pattern(const X& x, const Array<typename X::Element>& pattern) {
    const X factor = constant_like(x, pattern);
    return where(factor, factor * x, 0);
}

/// (x + x') / 2.
template <class X>
[[nodiscard]] X symmetric_part(const X& x) {
    return 0.5 * x + 0.5 * matrix_transpose(x);
}

/// `shape` with these two extents in place of, or behind, its last ones.
[[nodiscard]] Shape with_last(const Shape& shape, std::size_t dropped, std::initializer_list<std::size_t> last);

}  // namespace detail

namespace ops {

/// x with a x = b or a' x = b, a being all of a matrix or the triangle of it that is read.
struct Solve {
    static constexpr const char* name = "solve";
    kernels::Triangle triangle = kernels::Triangle::none;
    bool transposed = false;

    /// @throws ShapeError as solve() does, for callers that record something before.
    static void require_fit(const Shape& a, const Shape& b);

    template <class T>
    void forward(Array<T>& out, const Array<T>& a, const Array<T>& b) const;
    // With h = a'^-1 g: h to b, -h x' to a. (Giles, "Matrix inverse product".)
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& a, const X&, const X& x) const {
        const X h = apply(Solve{triangle, !transposed}, a, g);
        const Matmul product{{false, true}, Matmul::leading(a.shape())};
        return part(-(transposed ? apply(product, x, h) : apply(product, h, x)));
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
        if (triangle == kernels::Triangle::none) return x;
        const bool lower = triangle == kernels::Triangle::lower;
        const std::size_t n = x.shape()[x.shape().size() - 1];
        return detail::times_pattern(x, detail::triangular<typename X::Element>(n, lower, 1, !lower));
    }
};

struct Inv {
    static constexpr const char* name = "inv";

    template <class T>
    void forward(Array<T>& out, const Array<T>& a) const;
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

/// For each matrix whose determinant or one of whose rows is near over- or underflow, what the rows are to be divided
/// by, (..., n, 1), so that the determinant is in [1/2, 1) or (-1, -1/2]; and two factors, the product of which makes of
/// a row of cofactors what it was. Of other matrices all are 1; none if there are no such matrices.
template <class T>
struct DeterminantScale {
    Array<T> rows, half, other_half;

    static std::optional<DeterminantScale> of(const Array<T>& a, const Array<T>& determinants);
};

struct Det {
    static constexpr const char* name = "det";

    template <class T>
    void forward(Array<T>& out, const Array<T>& a) const;
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
        return reshape(x, detail::with_last(x.shape(), 0, {1, 1}));
    }
    // Giles, "Determinant".
    template <class X>
    static X cofactors(const X& a, const X& y) {
        const auto scale = DeterminantScale<typename X::Element>::of(detail::values_of(a), detail::values_of(y));
        if (!scale) return one_by_one(y) * matrix_transpose(apply(Inv{}, a));
        const X rows = a / detail::constant_like(a, scale->rows);
        const X cofactors_of_rows = one_by_one(apply(Det{}, rows)) * matrix_transpose(apply(Inv{}, rows));
        return cofactors_of_rows * detail::constant_like(a, scale->half) * detail::constant_like(a, scale->other_half);
    }
};

/// On the last axis: the sign of the determinant, and the logarithm of its absolute value.
struct Slogdet {
    static constexpr const char* name = "slogdet";

    template <class T>
    void forward(Array<T>& out, const Array<T>& a) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& a, const X&) const {
        return reshape(slice(g, -1, {1, 2}), detail::with_last(g.shape(), 1, {1, 1})) *
               matrix_transpose(apply(Inv{}, a));
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X& a, const X& y) const {
        const X logarithm = sum(matrix_transpose(apply(Inv{}, a)) * t, {-2, -1});
        const X place = detail::constant_like(t, Array<typename X::Element>{0, 1});
        return where(place, reshape(logarithm, detail::with_last(y.shape(), 1, {1})), 0);
    }
};

struct Cholesky {
    static constexpr const char* name = "cholesky";

    template <class T>
    void forward(Array<T>& out, const Array<T>& a) const;
    // With phi(x) the lower triangle of x and half of its diagonal: l'^-1 phi(l' g) l^-1, symmetrised.
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X& l) const {
        const Solve substitute{kernels::Triangle::lower, true};
        const X half = apply(substitute, l, phi(matmul(l, g, {.a = true})));
        return detail::symmetric_part(apply(substitute, l, matrix_transpose(half)));
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X&, const X& l) const {
        const Solve substitute{kernels::Triangle::lower, false};
        const X half = apply(substitute, l, detail::symmetric_part(t));
        return matmul(l, phi(apply(substitute, l, matrix_transpose(half))));
    }

   private:
    template <class X>
    static X phi(const X& x) {
        const std::size_t n = x.shape()[x.shape().size() - 1];
        return detail::times_pattern(x, detail::triangular<typename X::Element>(n, 1, 0.5, 0));
    }
};

/// (n + 1, n): the eigenvalues, and below them the eigenvectors as columns.
struct Eigh {
    static constexpr const char* name = "eigh";

    template <class T>
    void forward(Array<T>& out, const Array<T>& a) const;
    // Giles, "Eigenvalues and eigenvectors": v (diag(gw) + f o (v' gv)) v' with f_ij = 1 / (w_j - w_i), symmetrised.
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X& y) const {
        const X v = vectors(y);
        const X inner = over_gaps(matmul(v, vectors(g), {.a = true}), y);
        const X middle = where(identity(inner), values(g), inner);
        return detail::symmetric_part(matmul(matmul(v, middle), v, {.b = true}));
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X&, const X& y) const {
        const X v = vectors(y);
        const X inner = matmul(matmul(v, detail::symmetric_part(t), {.a = true}), v);
        const std::size_t n = v.shape()[v.shape().size() - 1], axis = v.shape().size() - 2;
        const X dw = reshape(diagonal(inner), detail::with_last(y.shape(), 2, {1, n}));
        return apply(Unslice{{axis, 0, 1, 1}, y.shape()}, dw) +
               apply(Unslice{{axis, 1, 1, n}, y.shape()}, matmul(v, over_gaps(inner, y)));
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
        return detail::constant_like(
            like, detail::triangular<typename X::Element>(like.shape()[like.shape().size() - 1], 0, 1, 0));
    }
    template <class X>
    static X over_gaps(const X& x, const X& y) {
        const X row = values(y);
        const X gaps = row - matrix_transpose(row);
        const X apart = detail::constant_like(x, detail::distinct(detail::values_of(row), detail::values_of(x)));
        return where(apart, x / where(apart, gaps, 1), 0);
    }
};

struct Eigvalsh {
    static constexpr const char* name = "eigvalsh";

    template <class T>
    void forward(Array<T>& out, const Array<T>& a) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& a, const X&) const {
        const X v = Eigh::vectors(apply(Eigh{}, a));
        return matmul(v * reshape(g, row_shape(g.shape())), v, {.b = true});
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X& a, const X&) const {
        const X v = Eigh::vectors(apply(Eigh{}, a));
        return sum(v * matmul(detail::symmetric_part(t), v), -2);
    }

   private:
    static Shape row_shape(const Shape& shape) { return detail::with_last(shape, 1, {1, shape[shape.size() - 1]}); }
};

/// @throws ShapeError if these are not vectors.
void require_vectors(const Shape& a, const Shape& b);
/// @throws ShapeError if `axis` is not negative, not in both, or of two extents, or the shapes do not broadcast.
void require_vecdot(const Shape& a, const Shape& b, std::ptrdiff_t axis);

}  // namespace ops

/// Of two vectors, (n,) and (m,), the table of all products, (n, m).
/// @throws ShapeError if one is not a vector.
template <Operand X>
[[nodiscard]] X outer(const X& a, const X& b) {
    const auto product = [&] {
        ops::require_vectors(a.shape(), b.shape());
        return reshape(a, {a.shape()[0], 1}) * reshape(b, {1, b.shape()[0]});
    };
    return detail::with_context_of("outer", product, a, b);
}

/// The scalar products of the vectors along `axis`, counted from the end; the other axes are broadcast.
/// @throws ShapeError if the axis is not negative, is not in both, or has two extents, or the shapes do not broadcast.
template <Operand X>
[[nodiscard]] X vecdot(const X& a, const X& b, std::ptrdiff_t axis = -1) {
    const auto product = [&] {
        ops::require_vecdot(a.shape(), b.shape(), axis);
        return sum(a * b, axis);
    };
    return detail::with_context_of("vecdot", product, a, b);
}

/// The sum of diagonal(x, offset).
/// @throws ShapeError if x has fewer than two axes.
template <Operand X>
[[nodiscard]] X trace(const X& x, std::ptrdiff_t offset = 0) {
    return detail::with_context_of(
        "trace", [&] { return sum(diagonal(x, offset), -1); }, x);
}

/// The x with a x = b: a of shape (..., n, n), b (..., n, k), or a vector (n,), which gives x of shape (..., n).
/// Leading axes are broadcast. An infinity or a NaN in a matrix a makes all of its x NaN.
/// @throws ShapeError if the shapes do not fit, Error if a pivot of a is exactly 0. (A matrix that is singular but for
/// rounding gives large numbers and no error.) The gradient decomposes a once for each input.
template <Operand X>
[[nodiscard]] X solve(const X& a, const X& b) {
    const auto solution = [&] {
        ops::Solve::require_fit(a.shape(), b.shape());
        if (b.shape().size() != 1) return apply(ops::Solve{}, a, b);
        const X x = apply(ops::Solve{}, a, reshape(b, {b.shape()[0], 1}));
        return reshape(x, detail::with_last(x.shape(), 1, {}));
    };
    return detail::with_context_of(ops::Solve::name, solution, a, b);
}

/// The inverse. To multiply by it, solve() is cheaper and more exact. Where one of its elements is beyond all numbers,
/// others may be NaN.
/// @throws ShapeError if a is not square, Error if a pivot is exactly 0.
template <Operand X>
[[nodiscard]] X inv(const X& a) {
    return apply(ops::Inv{}, a);
}

/// The determinant, without the last two axes; 0 of a singular matrix, 1 of an empty one. It is right, and so is its
/// gradient, where products of some of its pivots are beyond all numbers. Its second derivatives are right where the
/// products of any two elements of the inverse are numbers; beyond that they may be infinite or NaN.
/// @throws ShapeError if a is not square. Its gradient at a singular matrix is an Error, as inv's value is.
template <Operand X>
[[nodiscard]] X det(const X& a) {
    return apply(ops::Det{}, a);
}

template <class X>
struct SlogdetResult {
    X sign;       ///< 1, -1, or 0 for a singular matrix; a constant
    X logabsdet;  ///< log |det a|; minus infinity for a singular matrix
};

/// The sign and the logarithm of the determinant, which itself may be beyond all numbers. No gradient flows into the
/// sign.
/// @throws ShapeError if a is not square. The gradient at a singular matrix is an Error.
template <Operand X>
[[nodiscard]] SlogdetResult<X> slogdet(const X& a) {
    const X packed = apply(ops::Slogdet{}, a);
    const Shape shape = detail::with_last(packed.shape(), 1, {});
    return {stop_gradient(reshape(slice(packed, -1, {0, 1}), shape)), reshape(slice(packed, -1, {1, 2}), shape)};
}

/// The lower triangular l with l l' = a and a positive diagonal; with `upper`, l' itself. As in JAX, it is the
/// symmetric part (a + a') / 2 that is decomposed, so the gradient is symmetric, and right for every a.
/// @throws ShapeError if a is not square, Error if it is not positive definite.
template <Operand X>
[[nodiscard]] X cholesky(const X& a, bool upper = false) {
    const X l = apply(ops::Cholesky{}, a);
    return upper ? matrix_transpose(l) : l;
}

template <class X>
struct EighResult {
    X eigenvalues;   ///< (..., n), ascending
    X eigenvectors;  ///< (..., n, n), as columns of length 1
};

/// The eigenvalues and eigenvectors of a symmetric matrix. As in JAX, of the symmetric part (a + a') / 2, so the
/// gradient is symmetric. The sign of an eigenvector is LAPACK's choice: a loss should not depend on it.
/// @throws ShapeError if a is not square, Error if LAPACK does not converge. Gradients and tangents of eigenvectors are
/// an Error where eigenvalues are equal but for rounding: there they do not exist. Gradients of the eigenvalues alone
/// do.
template <Operand X>
[[nodiscard]] EighResult<X> eigh(const X& a) {
    const X packed = apply(ops::Eigh{}, a);
    const X values = ops::Eigh::values(packed);
    return {reshape(values, detail::with_last(packed.shape(), 2, {packed.shape()[packed.shape().size() - 1]})),
            ops::Eigh::vectors(packed)};
}

/// The eigenvalues alone, ascending. Equal ones are no obstacle to a first derivative: each then gets that of the
/// eigenvector which LAPACK chose, so a loss should treat them alike.
/// @throws ShapeError if a is not square, Error if LAPACK does not converge.
template <Operand X>
[[nodiscard]] X eigvalsh(const X& a) {
    return apply(ops::Eigvalsh{}, a);
}

#define XTAPE_LINEAR_ALGEBRA_STRUCTURES(OP)                                                       \
    OP(Solve, 2) OP(Inv, 1) OP(Det, 1) OP(Slogdet, 1) OP(Cholesky, 1) OP(Eigh, 1) OP(Eigvalsh, 1)
XTAPE_LINEAR_ALGEBRA_STRUCTURES(XTAPE_DECLARE_STRUCTURE)

}  // namespace autograd
