// Ops that pick elements, and their adjoints, which put them back among zeros: one pair of structures for all of them. What
// is picked is said by Places:
//
//     name, adjoint_name
//     Shape shape_from(shape)      of what is picked from an array of this shape; throws if that has not these places
//     pick(out, x)                 out has that shape
//     put_back(target, x)          adds x's elements to those that pick() would take
#pragma once

#include <algorithm>

#include "autograd/core/structured_op.hpp"

namespace XTAPE_API autograd {
namespace ops {

template <class Places>
struct PutBack;

template <class Places>
struct Pick {
    static constexpr const char* name = Places::name;
    static constexpr bool linear = true;
    Places places;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        reshape_for_overwriting(out, places.shape_from(x.shape()));
        if (out.size() > 0) places.pick(out, x);  // an empty array has no data to add an offset to
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X&) const {
        return apply(PutBack<Places>{places, x.shape()}, g);
    }
};

template <class Places>
struct PutBack {
    static constexpr const char* name = Places::adjoint_name;
    static constexpr bool linear = true;
    Places places;
    Shape shape;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        reshape_for_overwriting(out, shape);
        std::fill_n(out.data(), out.size(), T(0));
        add_to(out, x);
    }
    template <class T>
    void add_to(Array<T>& target, const Array<T>& x) const {
        require_input(x.shape(), places.shape_from(shape));
        require_shape(target, shape, name);
        if (x.size() > 0) places.put_back(target, x);
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const {
        return apply(Pick<Places>{places}, g);
    }
};

}  // namespace ops
}  // namespace autograd
