// Matrix products, of single matrices, batches of them and vectors. Transposition is a flag of the product and copies
// nothing. Recorded and eager alike. Contractions of other axes are in einsum.hpp.
#pragma once

#include "autograd/ops/reductions.hpp"

namespace autograd {

/// Which factors of a product are meant transposed.
struct Transpose {
    bool a = false;
    bool b = false;
};

namespace ops {

/// The products of the matrices in the last two axes. The leading axes of a, of b and `batch`, those of the result, are
/// broadcast against each other; along those which `batch` lacks, or where it has extent 1, the products are summed.
/// With such sums in the op itself its gradients are such products too, and need no array for each term.
struct Matmul {
    static constexpr const char* name = "matmul";
    Transpose transpose;
    Shape batch{};

    /// The leading axes of a shape of at least two.
    static Shape leading(const Shape& shape) { return Shape(shape.begin(), shape.end() - 2); }
    /// Those that the product of two arrays has; empty where they do not fit together, which forward() says.
    static Shape batch_of(const Shape& a, const Shape& b);
    /// For matmul() of a vector, which records something before the product: the shapes of both as matrices.
    /// @throws ShapeError as matmul() does, with the shapes that were given.
    struct Matrices {
        Shape left, right;
        Transpose transpose;
        static Matrices of(const Shape& a, const Shape& b, Transpose transpose);
    };

    template <class T>
    void forward(Array<T>& out, const Array<T>& a, const Array<T>& b) const;
    template <class T>
    void add_to(Array<T>& target, const Array<T>& a, const Array<T>& b) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& a, const X& b, const X& y) const;
    template <class X>
    X gradient(InputIndex<1>, const X& g, const X& a, const X& b, const X& y) const;
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X&, const X& b, const X&) const {
        return apply(*this, t, b);
    }
    template <class X>
    X tangent(InputIndex<1>, const X& t, const X& a, const X&, const X&) const {
        return apply(*this, a, t);
    }
};

/// x of another shape, if it has another; a reshape copies.
template <class X>
[[nodiscard]] X reshaped(const X& x, const Shape& shape) {
    return same_shape(x.shape(), shape) ? x : reshape(x, shape);
}

struct Linear {
    static constexpr const char* name = "linear";

    template <class T>
    void forward(Array<T>& out, const Array<T>& x, const Array<T>& weight, const Array<T>& bias) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X& weight, const X& bias, const X& y) const;
    template <class X>
    X gradient(InputIndex<1>, const X& g, const X& x, const X& weight, const X& bias, const X& y) const;
    template <class X>
    X gradient(InputIndex<2>, const X& g, const X& x, const X& weight, const X& bias, const X& y) const;
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X&, const X& weight, const X&, const X&) const {
        return apply(Matmul{{.b = true}}, t, weight);
    }
    template <class X>
    X tangent(InputIndex<1>, const X& t, const X& x, const X&, const X&, const X&) const {
        return apply(Matmul{{.b = true}}, x, t);
    }
    template <class X>
    X tangent(InputIndex<2>, const X& t, const X&, const X&, const X&, const X& y) const {
        return broadcast_to(t, y.shape());
    }
};

}  // namespace ops

namespace detail {

/// matmul() where at least one factor is a vector, which is made a matrix of one row or column.
template <class X>
[[nodiscard]] X matmul_of_vectors(const X& a, const X& b, Transpose transpose) {
    const auto of_matrices = [&] {
        const bool row = a.shape().size() == 1, column = b.shape().size() == 1;
        const auto [left, right, own] = ops::Matmul::Matrices::of(a.shape(), b.shape(), transpose);
        const X product = apply(ops::Matmul{own, ops::Matmul::batch_of(left, right)}, ops::reshaped(a, left),
                                ops::reshaped(b, right));
        const std::size_t rank = product.shape().size();
        Shape shape = ops::Matmul::leading(product.shape());
        if (!row) shape.push_back(product.shape()[rank - 2]);
        if (!column) shape.push_back(product.shape()[rank - 1]);
        return reshape(product, shape);
    };
    return with_context_of(ops::Matmul::name, of_matrices, a, b);
}

}  // namespace detail

/// The product of matrices, (..., n, k) and (..., k, m), each after the transposition of its last two axes. The leading
/// axes are broadcast. A vector is a row on the left and a column on the right, and the axis that this adds is not in
/// the result: matmul of two vectors is their scalar product. (A vector's transposition is the vector itself.)
/// Up to 4096 products are added up as BLAS does it, partly in sequence; the sums of more of them, and those of several
/// matrices, are added in pairs.
/// @throws ShapeError if one is a scalar, the inner extents differ, or the leading axes do not broadcast.
template <Operand X>
[[nodiscard]] X matmul(const X& a, const X& b, Transpose transpose = {}) {
    if (a.shape().size() == 1 || b.shape().size() == 1) return detail::matmul_of_vectors(a, b, transpose);
    return apply(ops::Matmul{transpose, ops::Matmul::batch_of(a.shape(), b.shape())}, a, b);
}

/// x weight' + bias, in one pass: x of shape (rows, inputs), weight (outputs, inputs), bias (outputs,).
/// @throws ShapeError if the shapes do not fit.
template <Operand X>
[[nodiscard]] X linear(const X& x, const X& weight, const X& bias) {
    return apply(ops::Linear{}, x, weight, bias);
}

// ---- The gradients ----

namespace ops {

template <class X>
X Matmul::gradient(InputIndex<0>, const X& g, const X& a, const X& b, const X&) const {
    const Shape to = leading(a.shape());
    return transpose.a ? apply(Matmul{{transpose.b, true}, to}, b, g) : apply(Matmul{{false, !transpose.b}, to}, g, b);
}

template <class X>
X Matmul::gradient(InputIndex<1>, const X& g, const X& a, const X& b, const X&) const {
    const Shape to = leading(b.shape());
    return transpose.b ? apply(Matmul{{true, transpose.a}, to}, g, a) : apply(Matmul{{!transpose.a, false}, to}, a, g);
}

template <class X>
X Linear::gradient(InputIndex<0>, const X& g, const X&, const X& weight, const X&, const X&) const {
    return matmul(g, weight);
}

template <class X>
X Linear::gradient(InputIndex<1>, const X& g, const X& x, const X&, const X&, const X&) const {
    return matmul(g, x, {.a = true});
}

template <class X>
X Linear::gradient(InputIndex<2>, const X& g, const X&, const X&, const X& bias, const X&) const {
    return sum_to(g, bias.shape());
}

}  // namespace ops

#define XTAPE_MATMUL_STRUCTURES(OP) \
    OP(Matmul, 2) OP(Linear, 3)
XTAPE_MATMUL_STRUCTURES(XTAPE_DECLARE_STRUCTURE)

}  // namespace autograd
