// einsum and tensordot, a block each: what the subscripts or the axes mean, and the functions that contract. What both have
// in common comes first: arrays with a letter for each axis, and the contraction of two of them. Neither is an op itself.
#include "autograd/ops/einsum.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <string>
#include <utility>

#include "autograd/ops/indexing.hpp"
#include "autograd/ops/matmul.hpp"

namespace autograd {

using detail::with_context_of;

// ---- Contractions ----

namespace {

/// A letter for each axis.
using Letters = std::basic_string<char, std::char_traits<char>, PoolAllocator<char>>;

/// "ij,jk->ik", taken apart.
struct Equation {
    PoolVector<Letters> operands;
    Letters result;

    /// @throws ShapeError if the subscripts make no sense, or do not fit these shapes.
    static Equation of(std::string_view subscripts, std::span<const Shape* const> shapes);
};

bool contains(const Letters& letters, char letter) { return letters.find(letter) != Letters::npos; }

/// Letters of `from` that are in `of`.
Letters letters_in(const Letters& from, const Letters& of) {
    Letters result;
    std::copy_if(from.begin(), from.end(), std::back_inserter(result), [&](char each) { return contains(of, each); });
    return result;
}

/// Letters of `from` that are not in `of`.
Letters letters_not_in(const Letters& from, const Letters& of) {
    Letters result;
    std::copy_if(from.begin(), from.end(), std::back_inserter(result), [&](char each) { return !contains(of, each); });
    return result;
}

/// Where the letters of `order` stand in `letters`.
AxisList places_of(const Letters& order, const Letters& letters) {
    AxisList axes;
    for (const char letter : order) axes.push_back(static_cast<std::ptrdiff_t>(letters.find(letter)));
    return axes;
}

/// An array with a letter for each axis.
template <Operand X>
struct Lettered {
    X value;
    Letters letters;

    std::size_t extent(char letter) const { return value.shape()[letters.find(letter)]; }
    Shape extents(const Letters& of) const {
        Shape shape;
        for (const char letter : of) shape.push_back(extent(letter));
        return shape;
    }
    std::size_t count(const Letters& of) const { return element_count(extents(of)); }

    /// Its axes in this order.
    Lettered ordered(const Letters& order) const {
        if (order == letters) return *this;
        return {permute_dims(value, places_of(order, letters)), order};
    }
    /// Summed over all but these letters.
    Lettered only(const Letters& kept) const {
        const Letters rest = letters_in(letters, kept), dropped = letters_not_in(letters, kept);
        if (dropped.empty()) return *this;
        return {sum(value, Axes(places_of(dropped, letters))), rest};
    }
    /// With the diagonal in place of two axes that have the same letter.
    Lettered without_repeats() const {
        Lettered result = *this;
        for (std::size_t i = 0; i < result.letters.size();) {
            const std::size_t j = result.letters.find(result.letters[i], i + 1);
            if (j == Letters::npos) {
                ++i;
                continue;
            }
            const char letter = result.letters[i];
            AxisList order;
            Letters rest;
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
template <Operand X>
Lettered<X> contract(const Lettered<X>& a, const Lettered<X>& b, const Letters& kept) {
    const Lettered<X> left = a.only(kept + b.letters), right = b.only(kept + a.letters);
    const Letters shared = letters_in(left.letters, right.letters);
    const Letters batch = letters_in(shared, kept), inner = letters_not_in(shared, kept);
    const Letters rows = letters_not_in(left.letters, shared), columns = letters_not_in(right.letters, shared);
    // A factor that is the transpose of what is wanted stays as it is.
    const Transpose transpose{left.letters == batch + inner + rows, right.letters == batch + columns + inner};
    const auto as_matrices = [&](const Lettered<X>& x, const Letters& one, const Letters& other) {
        const Lettered<X> y = x.ordered(batch + one + other);
        Shape shape{y.count(one), y.count(other)};
        if (!batch.empty()) shape = {y.count(batch), shape[0], shape[1]};
        return ops::reshaped(y.value, shape);
    };
    const X product = matmul(transpose.a ? as_matrices(left, inner, rows) : as_matrices(left, rows, inner),
                             transpose.b ? as_matrices(right, columns, inner) : as_matrices(right, inner, columns), transpose);
    Shape shape = left.extents(batch + rows);
    for (const std::size_t extent : right.extents(columns)) shape.push_back(extent);
    return {ops::reshaped(product, shape), batch + rows + columns};
}

}  // namespace

// ---- einsum ----

namespace {

[[noreturn]] void refuse(std::string_view subscripts, const std::string& why) {
    throw ShapeError("einsum: \"" + std::string(subscripts) + "\": " + why);
}

std::string quoted(char letter) { return {'\'', letter, '\''}; }

Equation Equation::of(std::string_view subscripts, std::span<const Shape* const> shapes) {
    Letters text;
    std::copy_if(subscripts.begin(), subscripts.end(), std::back_inserter(text), [](char each) { return each != ' '; });
    const std::size_t arrow = text.find("->");
    Equation equation;
    equation.operands.emplace_back();
    for (const char each : text.substr(0, arrow)) {
        if (each == ',') {
            equation.operands.emplace_back();
        } else if (std::isalpha(static_cast<unsigned char>(each)) != 0) {
            equation.operands.back() += each;
        } else {
            refuse(subscripts, each == '.' ? "an ellipsis is not supported" : quoted(each) + " is not a letter");
        }
    }
    if (equation.operands.size() != shapes.size()) {
        refuse(subscripts,
               fmt::format("it has subscripts for {} operands, and there are {}", equation.operands.size(), shapes.size()));
    }
    Letters seen;
    PoolVector<std::size_t> extents;
    for (std::size_t k = 0; k < shapes.size(); ++k) {
        const Letters& letters = equation.operands[k];
        const Shape& shape = *shapes[k];
        if (letters.size() != shape.size()) {
            refuse(subscripts,
                   fmt::format("\"{}\" does not fit operand {}, of shape {}", std::string_view(letters), k, to_string(shape)));
        }
        for (std::size_t axis = 0; axis < shape.size(); ++axis) {
            const std::size_t place = seen.find(letters[axis]);
            if (place == Letters::npos) {
                seen += letters[axis];
                extents.push_back(shape[axis]);
            } else if (extents[place] != shape[axis]) {
                refuse(subscripts, fmt::format("'{}' is {} and, in operand {} of shape {}, {}", letters[axis], extents[place],
                                               k, to_string(shape), shape[axis]));
            }
        }
    }
    if (arrow == Letters::npos) {
        const auto occurrences = [&](char letter) {
            std::ptrdiff_t count = 0;
            for (const auto& each : equation.operands) count += std::count(each.begin(), each.end(), letter);
            return count;
        };
        std::sort(seen.begin(), seen.end());
        std::copy_if(seen.begin(), seen.end(), std::back_inserter(equation.result),
                     [&](char each) { return occurrences(each) == 1; });
        return equation;
    }
    for (const char each : text.substr(arrow + 2)) {
        if (!contains(seen, each)) refuse(subscripts, quoted(each) + " of the result is in no operand");
        if (contains(equation.result, each)) refuse(subscripts, quoted(each) + " is twice in the result");
        equation.result += each;
    }
    return equation;
}

}  // namespace

template <Operand X>
X einsum(std::string_view subscripts, std::span<const X> operands) {
    const auto contraction = [&] {
        PoolVector<const Shape*> shapes;
        for (const X& each : operands) shapes.push_back(&each.shape());
        const Equation equation = Equation::of(subscripts, shapes);
        const auto operand = [&](std::size_t k) { return Lettered<X>{operands[k], equation.operands[k]}.without_repeats(); };
        // Of each operand, the letters that the result or a later one has.
        PoolVector<Letters> kept(operands.size(), equation.result);
        for (std::size_t k = operands.size() - 1; k > 0; --k) {
            kept[k - 1] = kept[k] + letters_not_in(equation.operands[k], kept[k]);
        }
        Lettered<X> total = operand(0);
        for (std::size_t k = 1; k < operands.size(); ++k) total = contract(total, operand(k), kept[k]);
        return total.only(equation.result).ordered(equation.result).value;
    };
    return with_context_of("einsum", contraction, operands);
}

// ---- tensordot ----

namespace {

/// Letters of the axes of tensordot's factors: those that are summed over are the same in both.
/// @throws ShapeError as tensordot() does.
Equation tensordot_equation(const Shape& a, const Shape& b, const AxisList& a_axes, const AxisList& b_axes) {
    constexpr const char* op = "tensordot";
    constexpr std::size_t alphabet = 26;
    const auto refuse_shapes = [&](const std::string& why) {
        throw ShapeError(std::string(op) + ": shapes " + to_string(a) + " and " + to_string(b) + ": " + why);
    };
    if (a_axes.size() != b_axes.size()) {
        refuse_shapes(std::to_string(a_axes.size()) + " and " + std::to_string(b_axes.size()) + " axes make no pairs");
    }
    if (a.size() > alphabet || b.size() > alphabet) refuse_shapes("more than 26 axes");
    Equation equation{{"", ""}, ""};
    for (std::size_t axis = 0; axis < a.size(); ++axis) equation.operands[0] += static_cast<char>('a' + axis);
    for (std::size_t axis = 0; axis < b.size(); ++axis) equation.operands[1] += static_cast<char>('A' + axis);
    equation.result = equation.operands[0] + equation.operands[1];
    const Letters named = equation.result;
    for (std::size_t k = 0; k < a_axes.size(); ++k) {
        const std::size_t left = normalize_axis(a_axes[k], a.size(), op), right = normalize_axis(b_axes[k], b.size(), op);
        const char one = named[left], other = named[a.size() + right];
        if (!contains(equation.result, one) || !contains(equation.result, other)) refuse_shapes("an axis is named twice");
        if (a[left] != b[right]) {
            refuse_shapes("axes " + std::to_string(left) + " and " + std::to_string(right) + " have extents " +
                          std::to_string(a[left]) + " and " + std::to_string(b[right]));
        }
        std::erase(equation.result, one);
        std::erase(equation.result, other);
        equation.operands[1][right] = one;
    }
    return equation;
}

/// The last `count` axes of a, and the first of b.
/// @throws ShapeError if there are fewer.
std::pair<AxisList, AxisList> adjoining_axes(const Shape& a, const Shape& b, std::size_t count) {
    if (count > a.size() || count > b.size()) {
        throw ShapeError("tensordot: shapes " + to_string(a) + " and " + to_string(b) + " have not both " + as_written(count) +
                         " axes");
    }
    std::pair<AxisList, AxisList> axes;
    for (std::size_t k = 0; k < count; ++k) {
        axes.first.push_back(static_cast<std::ptrdiff_t>(a.size() - count + k));
        axes.second.push_back(static_cast<std::ptrdiff_t>(k));
    }
    return axes;
}

}  // namespace

template <template <class> class X, class T>
requires Operand<X<T>>
X<T> tensordot(X<T> a, X<T> b, const AxisList& a_axes, const AxisList& b_axes) {
    const auto contraction = [&] {
        const Equation equation = tensordot_equation(a.shape(), b.shape(), a_axes, b_axes);
        return contract(Lettered<X<T>>{a, equation.operands[0]}, Lettered<X<T>>{b, equation.operands[1]}, equation.result)
            .value;
    };
    return with_context_of("tensordot", contraction, a, b);
}
template <template <class> class X, class T>
requires Operand<X<T>>
X<T> tensordot(X<T> a, X<T> b, std::size_t axes) {
    const auto adjoining = [&] { return adjoining_axes(a.shape(), b.shape(), axes); };
    const auto [left, right] = with_context_of("tensordot", adjoining, a, b);
    return tensordot(a, b, left, right);
}

// ---- Compiled for all worlds ----

#define XTAPE_INSTANTIATE(X)                                                \
    template XTAPE_API X einsum(std::string_view, std::span<const X>);      \
    template XTAPE_API X tensordot(X, X, const AxisList&, const AxisList&); \
    template XTAPE_API X tensordot(X, X, std::size_t);
XTAPE_FOR_OPERANDS(XTAPE_INSTANTIATE)

}  // namespace autograd
