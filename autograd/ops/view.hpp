// view(x, ...): a part of an array in the words of xt::view and xt::strided_view. The part is copied, and a gradient flows
// through it; lists of indices are take()'s matter.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#if __has_include(<xtensor/views/xslice.hpp>)
#include <xtensor/views/xslice.hpp>
#else
#include <xtensor/xslice.hpp>
#endif

#include "autograd/ops/shape.hpp"

namespace XTAPE_API autograd {

namespace ops {

/// What one word of view() says.
struct ViewWord {
    enum class Kind { range, index, new_axis, ellipsis };
    Kind kind;
    Slice range{};             ///< of Kind::range
    std::ptrdiff_t index = 0;  ///< of Kind::index
};

/// An unsigned number that has no signed one becomes the largest, which no axis has either: it is refused with the op's name.
template <std::integral I>
[[nodiscard]] constexpr std::ptrdiff_t whole_number(I number) {
    return std::in_range<std::ptrdiff_t>(number) ? static_cast<std::ptrdiff_t>(number)
                                                 : std::numeric_limits<std::ptrdiff_t>::max();
}

template <class>
inline constexpr bool is_range = false;
template <class A, class B, class C>
inline constexpr bool is_range<xt::xrange_adaptor<A, B, C>> = true;

template <class W>
[[nodiscard]] ViewWord view_word(const W& word) {
    [[maybe_unused]] const auto number = [](const auto& from) -> std::optional<std::ptrdiff_t> {
        using Number = std::remove_cvref_t<decltype(from)>;
        if constexpr (std::is_same_v<Number, xt::placeholders::xtuph>) {
            return std::nullopt;  // left out
        } else {
            static_assert(std::integral<Number>, "view(): xt::range(...) of whole numbers");
            return whole_number(from);
        }
    };
    if constexpr (std::is_same_v<W, xt::xall_tag>) {
        return {ViewWord::Kind::range};
    } else if constexpr (std::is_same_v<W, xt::xnewaxis_tag>) {
        return {ViewWord::Kind::new_axis};
    } else if constexpr (std::is_same_v<W, xt::xellipsis_tag>) {
        return {ViewWord::Kind::ellipsis};
    } else if constexpr (std::integral<W> && !std::is_same_v<W, bool>) {
        return {ViewWord::Kind::index, {}, whole_number(word)};
    } else if constexpr (is_range<W>) {
        return {ViewWord::Kind::range, {number(word.start()), number(word.stop()), number(word.step()).value_or(1)}};
    } else {
        static_assert(!sizeof(W),
                      "view() takes xt::all(), xt::range(...), xt::newaxis(), xt::ellipsis() and whole numbers; for "
                      "xt::keep(...) write take(x, indices, axis)");
    }
}

template <class... Words>
[[nodiscard]] std::array<ViewWord, sizeof...(Words)> view_words(const Words&... words) {
    return {view_word(words)...};
}

template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> viewed(X<T> x, std::span<const ViewWord> words);
template <template <class> class X, class T>
requires Operand<X<T>>
[[nodiscard]] X<T> unviewed(X<T> x, const Shape& shape, std::span<const ViewWord> words);

}  // namespace ops

/// What xt::strided_view(x, {words...}) shows, as an array of its own: view(x, xt::all(), xt::range(1, 5), xt::newaxis(), 3) is
/// x[:, 1:5, None, 3]. A whole number takes its axis away; of axes that no word is for, all is taken, at the end or where
/// xt::ellipsis() stands. Numbers below 0 count from the end.
/// @throws ShapeError for more words than x has axes, a second xt::ellipsis(), a step of 0, or an index beyond its axis: unlike
/// xtensor's, a range is not cut off there.
template <template <class> class X, class T, class... Words>
requires Operand<X<T>>
[[nodiscard]] X<T> view(X<T> x, Words&&... words) {
    return ops::viewed(x, ops::view_words(words...));
}

/// The adjoint of view(): zeros of a shape, with x at the places that view() takes from an array of this shape.
/// @throws ShapeError as view() does, or if x has not the shape of what is taken there.
template <template <class> class X, class T, class... Words>
requires Operand<X<T>>
[[nodiscard]] X<T> unview(X<T> x, const Shape& shape, Words&&... words) {
    return ops::unviewed(x, shape, ops::view_words(words...));
}

namespace ops::words {
inline constexpr Documentation view{.formula = "what xt::view(x, ...) shows: ranges, places, new axes",
                                    .gradient = "g at the places shown, else 0"};
inline constexpr Documentation unview{.formula = "zeros, with x at the places that a view shows", .gradient = "the view of g"};
}  // namespace ops::words

}  // namespace autograd
