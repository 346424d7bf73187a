// Reads and checks the subscripts of einsum and the axes of tensordot. Computes nothing.
#include "autograd/ops/einsum.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>

namespace autograd::ops {
namespace {

bool contains(const Letters& letters, char letter) { return letters.find(letter) != Letters::npos; }

[[noreturn]] void refuse(std::string_view subscripts, const std::string& why) {
    throw ShapeError("einsum: \"" + std::string(subscripts) + "\": " + why);
}

std::string quoted(char letter) { return {'\'', letter, '\''}; }

}  // namespace

Letters letters_in(const Letters& from, const Letters& of) {
    Letters result;
    std::copy_if(from.begin(), from.end(), std::back_inserter(result), [&](char each) { return contains(of, each); });
    return result;
}

Letters letters_not_in(const Letters& from, const Letters& of) {
    Letters result;
    std::copy_if(from.begin(), from.end(), std::back_inserter(result), [&](char each) { return !contains(of, each); });
    return result;
}

AxisList places_of(const Letters& order, const Letters& letters) {
    AxisList axes;
    for (const char letter : order) axes.push_back(static_cast<std::ptrdiff_t>(letters.find(letter)));
    return axes;
}

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
        refuse(subscripts, fmt::format("it has subscripts for {} operands, and there are {}", equation.operands.size(),
                                       shapes.size()));
    }
    Letters seen;
    PoolVector<std::size_t> extents;
    for (std::size_t k = 0; k < shapes.size(); ++k) {
        const Letters& letters = equation.operands[k];
        const Shape& shape = *shapes[k];
        if (letters.size() != shape.size()) {
            refuse(subscripts, fmt::format("\"{}\" does not fit operand {}, of shape {}", std::string_view(letters), k,
                                           to_string(shape)));
        }
        for (std::size_t axis = 0; axis < shape.size(); ++axis) {
            const std::size_t place = seen.find(letters[axis]);
            if (place == Letters::npos) {
                seen += letters[axis];
                extents.push_back(shape[axis]);
            } else if (extents[place] != shape[axis]) {
                refuse(subscripts, fmt::format("'{}' is {} and, in operand {} of shape {}, {}", letters[axis],
                                               extents[place], k, to_string(shape), shape[axis]));
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
        const std::size_t left = normalize_axis(a_axes[k], a.size(), op),
                          right = normalize_axis(b_axes[k], b.size(), op);
        const char one = named[left], other = named[a.size() + right];
        if (!contains(equation.result, one) || !contains(equation.result, other))
            refuse_shapes("an axis is named twice");
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

std::pair<AxisList, AxisList> adjoining_axes(const Shape& a, const Shape& b, std::size_t count) {
    if (count > a.size() || count > b.size()) {
        throw ShapeError("tensordot: shapes " + to_string(a) + " and " + to_string(b) + " have not both " +
                         as_written(count) + " axes");
    }
    std::pair<AxisList, AxisList> axes;
    for (std::size_t k = 0; k < count; ++k) {
        axes.first.push_back(static_cast<std::ptrdiff_t>(a.size() - count + k));
        axes.second.push_back(static_cast<std::ptrdiff_t>(k));
    }
    return axes;
}

}  // namespace autograd::ops
