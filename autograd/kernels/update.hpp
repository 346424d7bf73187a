// update(f, arrays...): one pass of the SIMD loop over arrays of one shape, in place. For optimisers and the like, which
// change arrays that are not on a tape.
#pragma once

#include <cstddef>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include "autograd/base/array.hpp"
#include "autograd/base/threads.hpp"
#include "autograd/kernels/simd.hpp"

namespace XTAPE_API autograd {

namespace detail {

/// @throws Error if two of them are one array that is changed: what f made of one would overwrite the other's.
template <class First, class... Rest>
void require_distinct(First& first, Rest&... rest) {
    [[maybe_unused]] const auto check = [&]<class Other>(Other& other) {
        if constexpr (!std::is_const_v<First> && !std::is_const_v<Other>) {
            if (std::addressof(first) == std::addressof(other)) {
                throw Error("update: one array is given twice to be changed; where it is only read, give it as const");
            }
        }
    };
    (check(rest), ...);
    if constexpr (sizeof...(Rest) > 0) require_distinct(rest...);
}

}  // namespace detail

/// Calls f(pack&, pack&, ...) for each pack of elements, and stores what f made of those arrays which are not const:
///
///     update([&](auto& value, auto gradient) { value = value - rate * gradient; }, values, gradients);
///
/// Of large arrays several threads take a part each: f must not change anything but its arguments. An array that is
/// changed may be given once more as const, and is there what it was before.
/// @throws ShapeError if the shapes differ, Error if an array is given twice to be changed, TapeError for one that was moved
/// from.
template <class F, class First, class... Rest>
void update(F f, First& first, Rest&... rest) {
    using T = typename First::value_type;
    static_assert(
        (std::is_same_v<Array<T>, std::remove_const_t<First>> && ... && std::is_same_v<Array<T>, std::remove_const_t<Rest>>),
        "update takes Arrays of one element type: the loop needs their padding");
    [[maybe_unused]] const auto check = [&](const auto& each) {
        require_values(each, "update");
        if (each.shape() != first.shape()) {
            throw ShapeError("update: shapes " + to_string(first.shape()) + " and " + to_string(each.shape()) + " differ");
        }
    };
    require_values(first, "update");
    (check(rest), ...);
    detail::require_distinct(first, rest...);
    const auto pointers = std::tuple{first.data(), rest.data()...};
    const std::size_t count = first.size();
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        const auto store = [](const Pack<T>& pack, auto* to) {
            if constexpr (!std::is_const_v<std::remove_pointer_t<decltype(to)>>) pack.store(to);
        };
        for_ranges(count, [&](std::size_t begin, std::size_t end) {
            // Copies whose addresses nobody knows: what f captured stays in registers, whatever the loop stores.
            F apply = f;
            const auto at = pointers;
            for (std::size_t i = begin; i < end; i += Pack<T>::size) {
                std::tuple packs{Pack<T>::load(std::get<I>(at) + i)...};
                apply(std::get<I>(packs)...);
                (store(std::get<I>(packs), std::get<I>(at) + i), ...);
            }
        });
    }(std::index_sequence_for<First, Rest...>{});
}

}  // namespace autograd
