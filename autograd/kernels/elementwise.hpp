// The broadcasting map: what an elementwise op is compiled into, and how it is run over arrays of any shapes. One loop
// (load, apply, store, tail) for every op there is. Knows arrays and packs, no tape.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "autograd/base/array.hpp"
#include "autograd/kernels/compiled_alike.hpp"
#include "autograd/kernels/simd.hpp"

namespace XTAPE_API autograd {
namespace kernels {

/// The most inputs that a map has.
inline constexpr std::size_t max_arity = 8;

/// Input data of a map: an array's, or a lone scalar, which has no shape.
template <class T>
struct Operand {
    const T* data;
    const Shape* shape;
};

/// Whether an operand advances along a row: a mask for its index, all ones if it does, else 0.
using Advance = std::ptrdiff_t;
inline constexpr Advance advances = -1;

/// Inner loops of one op, compiled once. An operand which does not advance points to a whole pack of one value, so the
/// loops load every operand in the same way. The operands of a backward loop are the output's gradient, the output, the
/// inputs.
template <class T>
struct ElementwiseKernel {
    using Forward = void (*)(T* out, const T* const* in, const Advance* advance, std::size_t count);
    /// Every input's gradient in one pass; all contiguous. Targets may be the same array as each other or as the gradient.
    using BackwardAll = void (*)(T* const* targets, const bool* accumulate, const T* const* operands, std::size_t count);
    /// One input's gradient along a row, written or added to `target`.
    using BackwardRow = void (*)(T* target, bool accumulate, const T* const* operands, const Advance* advance,
                                 std::size_t count);
    /// One input's gradient, summed over a row.
    using BackwardSum = T (*)(const T* const* operands, const Advance* advance, std::size_t count);
    struct Backward {
        BackwardRow row = nullptr;  ///< null where the op cuts the gradient
        BackwardSum sum = nullptr;
        bool unchanged = false;  ///< the gradient is the output's
    };

    std::size_t arity;
    Forward forward;
    BackwardAll backward_all;  ///< null where it would not save a pass
    const Backward* backward;  ///< one per input
};

/// out = f(inputs...). Gives `out` the shape that the inputs broadcast to; one of them at least must have a shape.
/// @throws ShapeError if they do not broadcast.
template <class T>
void run_forward(const ElementwiseKernel<T>& kernel, Array<T>& out, std::span<const Operand<T>> inputs);

/// Writes, or adds, the gradient of input `which` to `target`, summed over the axes along which that input was broadcast.
/// `operands`: the gradient of the output (which may itself be broadcast to `space`), the output, the inputs.
template <class T>
void run_backward(const ElementwiseKernel<T>& kernel, std::size_t which, Array<T>& target, bool accumulate, const Shape& space,
                  std::span<const Operand<T>> operands);

/// Of operands that have one shape, which is the target's.
template <class T>
void run_backward_flat(const ElementwiseKernel<T>& kernel, std::size_t which, Array<T>& target, bool accumulate,
                       std::span<const Operand<T>> operands);

/// Writes, or adds, the gradients of all inputs to `targets`, in one pass; operands and targets have one shape, of `size`
/// elements. The kernel has backward_all.
template <class T>
void run_backward_all(const ElementwiseKernel<T>& kernel, T* const* targets, const bool* accumulate, std::size_t size,
                      std::span<const Operand<T>> operands);

/// Writes, or adds, what a tangent of input `which` gives the output's, to `target`, which has the shape of the space.
/// `operands`: the tangent, the output, the inputs.
template <class T>
void run_tangent(const ElementwiseKernel<T>& kernel, std::size_t which, Array<T>& target, bool accumulate, const Shape& space,
                 std::span<const Operand<T>> operands);

// ---- The loops. `apply` maps packs to a pack. ----

template <class T, class Apply>
inline void map_rows(Apply apply, T* out, const T* const* in, const Advance* advance, std::size_t count) {
    // Whole packs to the end and past it: buffers are padded, and the next row is written after this one.
    for (std::size_t i = 0; i < count; i += Pack<T>::size) {
        apply(in, advance, static_cast<std::ptrdiff_t>(i)).store(out + i);
    }
}

template <class T>
inline void store_first(Pack<T> pack, T* to, bool accumulate, std::size_t count) {
    T values[Pack<T>::size];
    pack.store(values);
    for (std::size_t i = 0; i < count; ++i) to[i] = accumulate ? to[i] + values[i] : values[i];
}

template <class T, class Apply>
inline void map_exactly(Apply apply, T* to, bool accumulate, const T* const* in, const Advance* advance, std::size_t count) {
    const std::size_t whole = count / Pack<T>::size * Pack<T>::size;
    if (accumulate) {
        for (std::size_t i = 0; i < whole; i += Pack<T>::size) {
            kernels::add(Pack<T>::load(to + i), apply(in, advance, static_cast<std::ptrdiff_t>(i))).store(to + i);
        }
    } else {
        for (std::size_t i = 0; i < whole; i += Pack<T>::size) {
            apply(in, advance, static_cast<std::ptrdiff_t>(i)).store(to + i);
        }
    }
    if (whole < count)
        store_first(apply(in, advance, static_cast<std::ptrdiff_t>(whole)), to + whole, accumulate, count - whole);
}

template <class T>
inline T sum_lanes(Pack<T> pack) {
    T values[Pack<T>::size];
    pack.store(values);
    for (std::size_t half = Pack<T>::size / 2; half > 0; half /= 2) {
        for (std::size_t i = 0; i < half; ++i) values[i] += values[i + half];
    }
    return values[0];
}

template <class T, class Apply>
inline T map_and_sum(Apply apply, const T* const* in, const Advance* advance, std::size_t count) {
    constexpr std::size_t width = Pack<T>::size;
    Pack<T> partial[2] = {0, 0};  // two chains of additions, which do not wait for each other
    const std::size_t pairs = count / (2 * width) * (2 * width);
    for (std::size_t i = 0; i < pairs; i += 2 * width) {
        for (std::size_t k = 0; k < 2; ++k) {
            partial[k] = kernels::add(partial[k], apply(in, advance, static_cast<std::ptrdiff_t>(i + k * width)));
        }
    }
    for (std::size_t i = pairs; i < count; i += width) {
        T tail[width] = {};
        store_first(apply(in, advance, static_cast<std::ptrdiff_t>(i)), tail, false, std::min(width, count - i));
        partial[0] = kernels::add(partial[0], Pack<T>::load(tail));
    }
    return sum_lanes(kernels::add(partial[0], partial[1]));
}

}  // namespace kernels
}  // namespace autograd
