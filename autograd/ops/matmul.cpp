// The matrix products, a block each: what it keeps, its value by kernels/blas.hpp, its rules, and the functions that
// record it.
#include "autograd/ops/matmul.hpp"

#include <algorithm>
#include <string>

#include "autograd/kernels/blas.hpp"
#include "autograd/kernels/reduce.hpp"

namespace autograd {

Shape ops::leading(const Shape& shape) { return Shape(shape.begin(), shape.end() - 2); }

// ---- matmul ----

namespace {

/// What ops::matmul_to() says. With the sums in the op itself its gradients are such products too, and need no array for
/// each term.
struct Matmul {
    static constexpr const char* name = "matmul";
    Transpose transpose;
    Shape batch{};

    /// With the leading axes that the product of two arrays has; without any where they do not fit together: forward() says
    /// so.
    static Matmul of(const Shape& a, const Shape& b, Transpose transpose);

    template <class T>
    void forward(Array<T>& out, const Array<T>& a, const Array<T>& b) const;
    template <class T>
    void add_to(Array<T>& target, const Array<T>& a, const Array<T>& b) const;
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& a, const X& b, const X&) const {
        const Shape to = ops::leading(a.shape());
        return transpose.a ? apply(Matmul{{transpose.b, true}, to}, b, g) : apply(Matmul{{false, !transpose.b}, to}, g, b);
    }
    template <class X>
    X gradient(InputIndex<1>, const X& g, const X& a, const X& b, const X&) const {
        const Shape to = ops::leading(b.shape());
        return transpose.b ? apply(Matmul{{true, transpose.a}, to}, g, a) : apply(Matmul{{!transpose.a, false}, to}, a, g);
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X&, const X& b, const X&) const {
        return apply(*this, t, b);
    }
    template <class X>
    X tangent(InputIndex<1>, const X& t, const X& a, const X&, const X&) const {
        return apply(*this, a, t);
    }
};

Matmul Matmul::of(const Shape& a, const Shape& b, Transpose transpose) {
    if (a.size() <= 2 && b.size() <= 2) return {transpose};
    if (a.size() < 2 || b.size() < 2) return {transpose};
    const Shape one = ops::leading(a), other = ops::leading(b);
    try {
        return {transpose, broadcast_shapes(one, other)};
    } catch (const ShapeError&) {
        return {transpose};
    }
}

struct Extents {
    std::size_t rows, columns;
};

const char* mark(bool transposed) { return transposed ? ", transposed" : ""; }

/// Of the last two axes.
Extents inner_extents(const Shape& shape, bool transposed, const char* which) {
    const std::size_t rank = shape.size();
    if (rank < 2) {
        throw ShapeError(std::string(which) + " must be a vector, a matrix or a batch of them; it has shape " +
                         to_string(shape));
    }
    return transposed ? Extents{shape[rank - 1], shape[rank - 2]} : Extents{shape[rank - 2], shape[rank - 1]};
}

/// The distance in an array with these leading axes, each element of which is `size` large, from one index of `space`,
/// which they broadcast to, to the next along each axis.
PoolVector<std::size_t> broadcast_steps(const Shape& leading, const Shape& space, std::size_t size) {
    PoolVector<std::size_t> steps(space.size(), 0);
    for (std::size_t back = 1; back <= leading.size(); ++back) {
        const std::size_t extent = leading[leading.size() - back];
        if (extent != 1) steps[space.size() - back] = size;
        size *= extent;
    }
    return steps;
}

/// The extents of a product, or of several.
struct Product {
    std::size_t rows, columns, inner;
    Shape a_batch, b_batch, space;

    /// Errors name `given_a` and `given_b`, where these are the vectors that the matrices were made of.
    Product(const Shape& a, const Shape& b, Transpose transpose, const Shape& batch, const Shape* given_a = nullptr,
            const Shape* given_b = nullptr) {
        const Extents left = inner_extents(a, transpose.a, "the left factor");
        const Extents right = inner_extents(b, transpose.b, "the right factor");
        const auto both = [&] {
            return "shapes " + to_string(given_a == nullptr ? a : *given_a) + mark(transpose.a) + " and " +
                   to_string(given_b == nullptr ? b : *given_b) + mark(transpose.b);
        };
        if (left.columns != right.rows) {
            throw ShapeError(both() + ": the inner extents, " + std::to_string(left.columns) + " and " +
                             std::to_string(right.rows) + ", must be equal");
        }
        rows = left.rows, columns = right.columns, inner = left.columns;
        if (a.size() == 2 && b.size() == 2 && batch.empty()) return;
        a_batch = ops::leading(a), b_batch = ops::leading(b);
        try {
            space = broadcast_shapes(broadcast_shapes(a_batch, b_batch), batch);
        } catch (const ShapeError&) {
            throw ShapeError(both() + ": the leading axes, " + to_string(a_batch) + " and " + to_string(b_batch) +
                             ", do not broadcast");
        }
    }

    Shape shape(const Shape& batch) const {
        Shape result = batch;
        result.push_back(rows);
        result.push_back(columns);
        return result;
    }

    template <class T>
    void compute(Array<T>& out, const Array<T>& a, const Array<T>& b, const Matmul& op, bool accumulate) const {
        const kernels::Matrix<T> left{a.data(), a.shape()[a.dimension() - 1], op.transpose.a};
        const kernels::Matrix<T> right{b.data(), b.shape()[b.dimension() - 1], op.transpose.b};
        const std::size_t count = element_count(space);
        if (space.empty()) {
            kernels::gemm<T>(out.data(), rows, columns, inner, left, right, accumulate);
            return;
        }
        const bool summed = element_count(op.batch) != count;
        const bool is_empty = count == 0 || inner == 0;
        if ((summed || is_empty) && !accumulate) std::fill_n(out.data(), out.size(), T(0));
        if (is_empty || out.size() == 0) return;
        const std::size_t a_count = element_count(a_batch), b_count = element_count(b_batch);
        // All matrices with one on the right, row below row, are one matrix.
        if (!summed && b_count == 1 && a_count == count && !op.transpose.a) {
            kernels::gemm<T>(out.data(), count * rows, columns, inner, left, right, accumulate);
            return;
        }
        // A sum of products is a product of longer rows, if these lie one after another.
        if (element_count(op.batch) == 1 && a_count == count && b_count == count && op.transpose.a && !op.transpose.b) {
            kernels::gemm<T>(out.data(), rows, columns, count * inner, left, right, accumulate || summed);
            return;
        }
        const auto out_steps = broadcast_steps(op.batch, space, rows * columns);
        const auto a_steps = broadcast_steps(a_batch, space, rows * inner);
        const auto b_steps = broadcast_steps(b_batch, space, inner * columns);
        PoolVector<kernels::BatchOffsets> offsets(count);
        for (std::size_t i = 0; i < count; ++i) {
            kernels::BatchOffsets at{0, 0, 0};
            for (std::size_t axis = space.size(), rest = i; axis-- > 0; rest /= space[axis]) {
                const std::size_t index = rest % space[axis];
                at.out += index * out_steps[axis];
                at.a += index * a_steps[axis];
                at.b += index * b_steps[axis];
            }
            offsets[i] = at;
        }
        kernels::gemm_batched<T>(out.data(), rows, columns, inner, left, right, accumulate || summed, offsets, summed);
    }
};

template <class T>
void Matmul::forward(Array<T>& out, const Array<T>& a, const Array<T>& b) const {
    const Product product(a.shape(), b.shape(), transpose, batch);
    reshape_for_overwriting(out, product.shape(batch));
    product.compute(out, a, b, *this, false);
}

template <class T>
void Matmul::add_to(Array<T>& target, const Array<T>& a, const Array<T>& b) const {
    const Product product(a.shape(), b.shape(), transpose, batch);
    require_shape(target, product.shape(batch), name);
    product.compute(target, a, b, *this, true);
}

/// For matmul() of a vector, which records something before the product: the shapes of both as matrices.
/// @throws ShapeError as matmul() does, with the shapes that were given.
struct Matrices {
    Shape left, right;
    Transpose transpose;

    static Matrices of(const Shape& a, const Shape& b, Transpose transpose) {
        Matrices matrices{a, b, transpose};
        if (a.size() == 1) matrices.left = {1, a[0]}, matrices.transpose.a = false;
        if (b.size() == 1) matrices.right = {b[0], 1}, matrices.transpose.b = false;
        Product(matrices.left, matrices.right, matrices.transpose, {}, &a, &b);
        return matrices;
    }
};

/// matmul() where at least one factor is a vector, which is made a matrix of one row or column.
template <Operand X>
X matmul_of_vectors(const X& a, const X& b, Transpose transpose) {
    const auto of_matrices = [&] {
        const bool row = a.shape().size() == 1, column = b.shape().size() == 1;
        const auto [left, right, own] = Matrices::of(a.shape(), b.shape(), transpose);
        const X product = apply(Matmul::of(left, right, own), ops::reshaped(a, left), ops::reshaped(b, right));
        const std::size_t rank = product.shape().size();
        Shape shape = ops::leading(product.shape());
        if (!row) shape.push_back(product.shape()[rank - 2]);
        if (!column) shape.push_back(product.shape()[rank - 1]);
        return reshape(product, shape);
    };
    return detail::with_context_of(Matmul::name, of_matrices, a, b);
}

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> matmul(X<T> a, X<T> b, Transpose transpose) {
    if (a.shape().size() == 1 || b.shape().size() == 1) return matmul_of_vectors(a, b, transpose);
    return apply(Matmul::of(a.shape(), b.shape(), transpose), a, b);
}

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> ops::matmul_to(X<T> a, X<T> b, Transpose transpose, const Shape& batch) {
    return apply(Matmul{transpose, batch}, a, b);
}

// ---- linear ----

namespace {

template <class T>
Extents matrix_extents(const Array<T>& array, bool transposed, const char* which) {
    const Shape& shape = array.shape();
    if (shape.size() != 2) {
        throw ShapeError(std::string(which) + " must be a matrix, of rank 2; it has shape " + to_string(shape));
    }
    return transposed ? Extents{shape[1], shape[0]} : Extents{shape[0], shape[1]};
}

struct Linear {
    static constexpr const char* name = "linear";

    template <class T>
    void forward(Array<T>& out, const Array<T>& x, const Array<T>& weight, const Array<T>& bias) const {
        const Extents rows = matrix_extents(x, false, "the input");
        const Extents weights = matrix_extents(weight, false, "the weight");
        if (rows.columns != weights.columns) {
            throw ShapeError("an input of shape " + to_string(x.shape()) + " has " + std::to_string(rows.columns) +
                             " features a row, a weight of shape " + to_string(weight.shape()) + " takes " +
                             std::to_string(weights.columns));
        }
        if (bias.shape() != Shape{weights.rows}) {
            throw ShapeError("a weight of shape " + to_string(weight.shape()) + " wants a bias of shape " +
                             to_string(Shape{weights.rows}) + ", not " + to_string(bias.shape()));
        }
        reshape_for_overwriting(out, {rows.rows, weights.rows});
        kernels::broadcast_to(out, bias);
        kernels::gemm<T>(out.data(), rows.rows, weights.rows, rows.columns, {x.data(), rows.columns, false},
                         {weight.data(), weights.columns, true}, true);
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X& weight, const X&, const X&) const {
        return matmul(g, weight);
    }
    template <class X>
    X gradient(InputIndex<1>, const X& g, const X& x, const X&, const X&, const X&) const {
        return matmul(g, x, {.a = true});
    }
    template <class X>
    X gradient(InputIndex<2>, const X& g, const X&, const X&, const X& bias, const X&) const {
        return sum_to(g, bias.shape());
    }
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

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> linear(X<T> x, X<T> weight, X<T> bias) {
    return apply(Linear{}, x, weight, bias);
}

// ---- Compiled for all worlds ----

#define XTAPE_INSTANTIATE(X)                                            \
    template XTAPE_API X matmul(X, X, Transpose);                       \
    template XTAPE_API X ops::matmul_to(X, X, Transpose, const Shape&); \
    template XTAPE_API X linear(X, X, X);
XTAPE_FOR_OPERANDS(XTAPE_INSTANTIATE)

}  // namespace autograd
