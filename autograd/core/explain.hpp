// What goes wrong, in words: errors name the op, its node, its module and the reason. The engine asks this where it is about
// to throw; to know how it works, this may be skipped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "autograd/base/error.hpp"
#include "autograd/core/tape.hpp"

namespace XTAPE_API autograd {

/// The reason why `loss` gives no gradient for `v`; says so if it does give one.
template <class T>
[[nodiscard]] std::string why_no_gradient(const Var<T>& loss, const Var<T>& v);

namespace detail {

/// How errors of an op that is being recorded begin.
template <class T>
struct NextNode {
    const Tape<T>& tape;
    const char* op;
    std::span<const Input<T>> inputs;

    std::string operator()() const { return tape.describe_next(op, inputs); }
};

/// Why there is no gradient of `loss` in node `target`; empty if there is one.
template <class T>
[[nodiscard]] std::string reason_of_absence(const Tape<T>& tape, std::uint32_t loss, std::uint32_t target);
/// Why `y` does not move with node `target`, by a derivative; empty if it does.
template <class T>
[[nodiscard]] std::string reason_of_independence(const Tape<T>& tape, std::uint32_t y, std::uint32_t target);
/// Of a node into which no gradient can flow: it depends on no variable, or an op cuts all of its paths.
template <class T>
[[nodiscard]] GradientError barren(const Tape<T>& tape, std::uint32_t loss);
/// Of a node whose borrowed values were changed.
template <class T>
[[nodiscard]] GradientError updated_since(const Tape<T>& tape, std::uint32_t node, const char* sweep);
template <class T>
[[nodiscard]] GradientError released_before(const Tape<T>& tape, std::uint32_t node, const char* sweep);
/// Of an op whose rule gives input `which` a gradient of this shape.
template <class T>
[[nodiscard]] GradientError misshapen(const Tape<T>& tape, std::uint32_t node, std::size_t which, const Shape& found);

/// The op's advice, if a gradient of 0 came to this element of its value, or, where none is named, to any: then the
/// derivative there was not asked for, and 0 times an infinite one is NaN.
template <class T>
[[nodiscard]] const char* advice_on_zero(const Node<T>& node, const Array<T>& gradient, std::size_t place = ~std::size_t{0});
/// Of a node whose backward pass made element `place` of the gradient of its input `which` NaN or infinite.
template <class T>
[[nodiscard]] FiniteError not_finite(const Tape<T>& tape, std::uint32_t node, std::size_t which, const Array<T>& gradient,
                                     std::size_t place, const char* advice);

}  // namespace detail

}  // namespace autograd
