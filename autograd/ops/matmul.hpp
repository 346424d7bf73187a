// Matrix products. Transposition is a flag of the product and copies nothing. Recorded and eager alike.
#pragma once

#include "autograd/ops/reductions.hpp"

namespace autograd {

/// Which factors of a product are meant transposed.
struct Transpose {
    bool a = false;
    bool b = false;
};

namespace ops {

struct Matmul {
    static constexpr const char* name = "matmul";
    Transpose transpose;

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

/// The product of two matrices, (n, k) and (k, m), each after its transposition.
/// @throws ShapeError if one is not of rank 2 or the inner extents differ.
template <Operand X>
X matmul(const X& a, const X& b, Transpose transpose = {}) {
    return apply(ops::Matmul{transpose}, a, b);
}

/// x weight' + bias, in one pass: x of shape (rows, inputs), weight (outputs, inputs), bias (outputs,).
/// @throws ShapeError if the shapes do not fit.
template <Operand X>
X linear(const X& x, const X& weight, const X& bias) {
    return apply(ops::Linear{}, x, weight, bias);
}

// ---- The gradients ----

namespace ops {

template <class X>
X Matmul::gradient(InputIndex<0>, const X& g, const X&, const X& b, const X&) const {
    return transpose.a ? matmul(b, g, {transpose.b, true}) : matmul(g, b, {false, !transpose.b});
}

template <class X>
X Matmul::gradient(InputIndex<1>, const X& g, const X& a, const X&, const X&) const {
    return transpose.b ? matmul(g, a, {true, transpose.a}) : matmul(a, g, {!transpose.a, false});
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
}  // namespace autograd
