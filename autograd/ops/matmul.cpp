// Shapes of matrix products, and their values by kernels/blas.hpp.
#include "autograd/ops/matmul.hpp"

#include <string>

#include "autograd/kernels/blas.hpp"
#include "autograd/kernels/reduce.hpp"

namespace autograd::ops {
namespace {

struct Extents {
    std::size_t rows, columns;
};

template <class T>
Extents matrix_extents(const Array<T>& array, bool transposed, const char* which) {
    const Shape& shape = array.shape();
    if (shape.size() != 2) {
        throw ShapeError(std::string(which) + " must be a matrix, of rank 2; it has shape " + to_string(shape));
    }
    return transposed ? Extents{shape[1], shape[0]} : Extents{shape[0], shape[1]};
}

const char* mark(bool transposed) { return transposed ? ", transposed" : ""; }

}  // namespace

namespace {

/// The extents of a product.
struct Product {
    std::size_t rows, columns, inner;

    template <class T>
    Product(const Array<T>& a, const Array<T>& b, Transpose transpose) {
        const Extents left = matrix_extents(a, transpose.a, "the left factor");
        const Extents right = matrix_extents(b, transpose.b, "the right factor");
        if (left.columns != right.rows) {
            throw ShapeError("shapes " + to_string(a.shape()) + mark(transpose.a) + " and " + to_string(b.shape()) +
                             mark(transpose.b) + ": the inner extents, " + std::to_string(left.columns) + " and " +
                             std::to_string(right.rows) + ", must be equal");
        }
        rows = left.rows, columns = right.columns, inner = left.columns;
    }
    template <class T>
    void compute(Array<T>& out, const Array<T>& a, const Array<T>& b, Transpose transpose, bool accumulate) const {
        kernels::gemm<T>(out.data(), rows, columns, inner, {a.data(), a.shape()[1], transpose.a},
                         {b.data(), b.shape()[1], transpose.b}, accumulate);
    }
};

}  // namespace

template <class T>
void Matmul::forward(Array<T>& out, const Array<T>& a, const Array<T>& b) const {
    const Product product(a, b, transpose);
    reshape_for_overwriting(out, {product.rows, product.columns});
    product.compute(out, a, b, transpose, false);
}

template <class T>
void Matmul::add_to(Array<T>& target, const Array<T>& a, const Array<T>& b) const {
    const Product product(a, b, transpose);
    require_shape(target, {product.rows, product.columns}, name);
    product.compute(target, a, b, transpose, true);
}

template <class T>
void Linear::forward(Array<T>& out, const Array<T>& x, const Array<T>& weight, const Array<T>& bias) const {
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

#define XTAPE_INSTANTIATE(T)                                                                \
    template void Matmul::forward<T>(Array<T>&, const Array<T>&, const Array<T>&) const;    \
    template void Matmul::add_to<T>(Array<T>&, const Array<T>&, const Array<T>&) const;     \
    template void Linear::forward<T>(Array<T>&, const Array<T>&, const Array<T>&, const Array<T>&) const;
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd::ops
