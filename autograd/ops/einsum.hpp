// Contractions of any axes: einsum and tensordot. Each pair of arrays is brought to a batched matrix product by
// permuting and reshaping, and so has its gradients from these. Axes are named by letters in both.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "autograd/ops/linear_algebra.hpp"

namespace autograd {
namespace ops {

/// A letter for each axis.
using Letters = std::basic_string<char, std::char_traits<char>, PoolAllocator<char>>;

/// "ij,jk->ik", taken apart.
struct Equation {
    PoolVector<Letters> operands;
    Letters result;

    /// @throws ShapeError if the subscripts make no sense, or do not fit these shapes.
    static Equation of(std::string_view subscripts, std::span<const Shape* const> shapes);
};

/// Letters of the axes of tensordot's factors: those that are summed over are the same in both.
/// @throws ShapeError as tensordot() does.
[[nodiscard]] Equation tensordot_equation(const Shape& a, const Shape& b, const AxisList& a_axes, const AxisList& b_axes);
/// The last `count` axes of a, and the first of b. @throws ShapeError if there are fewer.
[[nodiscard]] std::pair<AxisList, AxisList> adjoining_axes(const Shape& a, const Shape& b, std::size_t count);

/// Letters of `from` that are, or are not, in `of`.
[[nodiscard]] Letters letters_in(const Letters& from, const Letters& of);
[[nodiscard]] Letters letters_not_in(const Letters& from, const Letters& of);
/// Where the letters of `order` stand in `letters`.
[[nodiscard]] AxisList places_of(const Letters& order, const Letters& letters);

}  // namespace ops

namespace detail {

/// An array with a letter for each axis.
template <class X>
struct Lettered {
    X value;
    ops::Letters letters;

    std::size_t extent(char letter) const { return value.shape()[letters.find(letter)]; }
    Shape extents(const ops::Letters& of) const {
        Shape shape;
        for (const char letter : of) shape.push_back(extent(letter));
        return shape;
    }
    std::size_t count(const ops::Letters& of) const { return element_count(extents(of)); }

    /// Its axes in this order.
    Lettered ordered(const ops::Letters& order) const {
        if (order == letters) return *this;
        return {permute_dims(value, ops::places_of(order, letters)), order};
    }
    /// Summed over all but these letters.
    Lettered only(const ops::Letters& kept) const {
        const ops::Letters rest = ops::letters_in(letters, kept), dropped = ops::letters_not_in(letters, kept);
        if (dropped.empty()) return *this;
        return {sum(value, Axes(ops::places_of(dropped, letters))), rest};
    }
    /// With the diagonal in place of two axes that have the same letter.
    Lettered without_repeats() const {
        Lettered result = *this;
        for (std::size_t i = 0; i < result.letters.size();) {
            const std::size_t j = result.letters.find(result.letters[i], i + 1);
            if (j == ops::Letters::npos) {
                ++i;
                continue;
            }
            const char letter = result.letters[i];
            AxisList order;
            ops::Letters rest;
            for (std::size_t axis = 0; axis < result.letters.size(); ++axis) {
                if (axis == i || axis == j) continue;
                order.push_back(static_cast<std::ptrdiff_t>(axis));
                rest += result.letters[axis];
            }
            order.push_back(static_cast<std::ptrdiff_t>(i));
            order.push_back(static_cast<std::ptrdiff_t>(j));
            result = {diagonal(permute_dims(result.value, order)), rest + letter};
            i = 0;
        }
        return result;
    }
};

/// The sum of a b over all letters that are not `kept`: a batch of matrix products, one for each index of the kept
/// letters that both have.
template <class X>
[[nodiscard]] Lettered<X> contract(const Lettered<X>& a, const Lettered<X>& b, const ops::Letters& kept) {
    const Lettered<X> left = a.only(kept + b.letters), right = b.only(kept + a.letters);
    const ops::Letters shared = ops::letters_in(left.letters, right.letters);
    const ops::Letters batch = ops::letters_in(shared, kept), inner = ops::letters_not_in(shared, kept);
    const ops::Letters rows = ops::letters_not_in(left.letters, shared),
                       columns = ops::letters_not_in(right.letters, shared);
    // A factor that is the transpose of what is wanted stays as it is.
    const Transpose transpose{left.letters == batch + inner + rows, right.letters == batch + columns + inner};
    const auto as_matrices = [&](const Lettered<X>& x, const ops::Letters& one, const ops::Letters& other) {
        const Lettered<X> y = x.ordered(batch + one + other);
        Shape shape{y.count(one), y.count(other)};
        if (!batch.empty()) shape = {y.count(batch), shape[0], shape[1]};
        return ops::reshaped(y.value, shape);
    };
    const X product =
        matmul(transpose.a ? as_matrices(left, inner, rows) : as_matrices(left, rows, inner),
               transpose.b ? as_matrices(right, columns, inner) : as_matrices(right, inner, columns), transpose);
    Shape shape = left.extents(batch + rows);
    for (const std::size_t extent : right.extents(columns)) shape.push_back(extent);
    return {ops::reshaped(product, shape), batch + rows + columns};
}

}  // namespace detail

/// Einstein's summation, as NumPy's: einsum("ij,jk->ik", a, b) is a matrix product. One letter an axis; letters that
/// are not in the result are summed over; a letter twice in one operand is its diagonal. Without "->" the result has
/// the letters that occur once, in alphabetical order. Operands are contracted from the left, two at a time, each pair
/// by matmul, after sums over letters that only one of them has. There is no ellipsis, and extents of 1 are not
/// broadcast.
/// @throws ShapeError if the subscripts make no sense or do not fit the shapes.
template <Operand X>
[[nodiscard]] X einsum(std::string_view subscripts, std::span<const X> operands) {
    const auto contraction = [&] {
        PoolVector<const Shape*> shapes;
        for (const X& each : operands) shapes.push_back(&each.shape());
        const ops::Equation equation = ops::Equation::of(subscripts, shapes);
        const auto operand = [&](std::size_t k) {
            return detail::Lettered<X>{operands[k], equation.operands[k]}.without_repeats();
        };
        // Of each operand, the letters that the result or a later one has.
        PoolVector<ops::Letters> kept(operands.size(), equation.result);
        for (std::size_t k = operands.size() - 1; k > 0; --k) {
            kept[k - 1] = kept[k] + ops::letters_not_in(equation.operands[k], kept[k]);
        }
        detail::Lettered<X> total = operand(0);
        for (std::size_t k = 1; k < operands.size(); ++k) total = detail::contract(total, operand(k), kept[k]);
        return total.only(equation.result).ordered(equation.result).value;
    };
    return detail::with_context_of("einsum", contraction, operands);
}
template <Operand X, std::same_as<X>... Rest>
[[nodiscard]] X einsum(std::string_view subscripts, const X& first, const Rest&... rest) {
    const X operands[] = {first, rest...};
    return einsum(subscripts, std::span<const X>(operands));
}

/// The sum of a b over these pairs of axes. The result has the other axes of a, then those of b.
/// @throws ShapeError if the lists differ in length, an axis is not there or named twice, or a pair has two extents.
template <Operand X>
[[nodiscard]] X tensordot(const X& a, const X& b, const AxisList& a_axes, const AxisList& b_axes) {
    const auto contraction = [&] {
        const ops::Equation equation = ops::tensordot_equation(a.shape(), b.shape(), a_axes, b_axes);
        return detail::contract(detail::Lettered<X>{a, equation.operands[0]},
                                detail::Lettered<X>{b, equation.operands[1]}, equation.result)
            .value;
    };
    return detail::with_context_of("tensordot", contraction, a, b);
}
/// The sum over the last `axes` axes of a and the first ones of b, in order: 1 is a matrix product, 0 all products of
/// two elements.
/// @throws ShapeError if there are too few axes, or their extents differ.
template <Operand X>
[[nodiscard]] X tensordot(const X& a, const X& b, std::size_t axes = 2) {
    const auto adjoining = [&] { return ops::adjoining_axes(a.shape(), b.shape(), axes); };
    const auto [left, right] = detail::with_context_of("tensordot", adjoining, a, b);
    return tensordot(a, b, left, right);
}

}  // namespace autograd
