// The loops of an elementwise op, made of what it does with packs. OnPacks says that:
//
//     arity; value(inputs...)                  a pack from packs
//     contribution<K>(g, y, inputs...)         what it adds to the gradient of input K
//     cuts<K>, is_unchanged<K>                 whether that is nothing, or g itself
//
// Included where an op is compiled; whoever only calls loops includes elementwise.hpp. No tape here.
#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include "autograd/kernels/elementwise.hpp"

namespace XTAPE_API autograd {
namespace kernels {

template <class T, class OnPacks>
struct ElementwiseLoops {
    static constexpr std::size_t arity = OnPacks::arity;
    static_assert(arity <= max_arity, "an elementwise op has at most eight inputs");
    static constexpr auto all_inputs = std::make_index_sequence<arity>{};

    template <std::size_t... I>
    static void forward_loop(std::index_sequence<I...>, T* out, const T* const* in, const Advance* advance, std::size_t count) {
        const T* const from[] = {in[I]...};
        const Advance by[] = {advance[I]...};
        const auto apply = [](const T* const* data, const Advance* mask, std::ptrdiff_t i) {
            return OnPacks::value(Pack<T>::load(data[I] + (i & mask[I]))...);
        };
        map_rows<T>(apply, out, from, by, count);
    }
    static void forward(T* out, const T* const* in, const Advance* advance, std::size_t count) {
        forward_loop(all_inputs, out, in, advance, count);
    }

    /// The contribution to input K of the pack at `i`, from operands g, y, inputs...
    template <std::size_t K, std::size_t... I>
    static Pack<T> at(std::index_sequence<I...>, const T* const* data, const Advance* mask, std::ptrdiff_t i) {
        return OnPacks::template contribution<K>(Pack<T>::load(data[0] + (i & mask[0])), Pack<T>::load(data[1] + (i & mask[1])),
                                                 Pack<T>::load(data[2 + I] + (i & mask[2 + I]))...);
    }
    template <std::size_t K>
    static void backward_row(T* target, bool accumulate, const T* const* operands, const Advance* advance, std::size_t count) {
        const auto apply = [](const T* const* data, const Advance* mask, std::ptrdiff_t i) {
            return at<K>(all_inputs, data, mask, i);
        };
        map_exactly<T>(apply, target, accumulate, operands, advance, count);
    }
    template <std::size_t K>
    static T backward_sum(const T* const* operands, const Advance* advance, std::size_t count) {
        const auto apply = [](const T* const* data, const Advance* mask, std::ptrdiff_t i) {
            return at<K>(all_inputs, data, mask, i);
        };
        return map_and_sum<T>(apply, operands, advance, count);
    }
    template <std::size_t K>
    static constexpr typename ElementwiseKernel<T>::Backward backward_for() {
        if constexpr (OnPacks::template cuts<K>) {
            return {};
        } else {
            return {backward_row<K>, backward_sum<K>, OnPacks::template is_unchanged<K>};
        }
    }

    template <std::size_t... I>
    static void backward_all_loop(std::index_sequence<I...> all, T* const* targets, const bool* accumulate,
                                  const T* const* operands, std::size_t count) {
        constexpr Advance all_advance[] = {advances, advances, (static_cast<void>(I), advances)...};
        for (std::size_t i = 0; i < count; i += Pack<T>::size) {
            // All are computed before any is stored: a target may be the gradient's own buffer.
            const Pack<T> parts[] = {at<I>(all, operands, all_advance, static_cast<std::ptrdiff_t>(i))...};
            for (std::size_t k = 0; k < arity; ++k) {
                T* to = targets[k] + i;
                (accumulate[k] ? kernels::add(Pack<T>::load(to), parts[k]) : parts[k]).store(to);
            }
        }
    }
    /// One pass for all, where each input has something to be computed.
    template <std::size_t... I>
    static constexpr typename ElementwiseKernel<T>::BackwardAll backward_all(std::index_sequence<I...>) {
        if constexpr (arity > 1 && !((OnPacks::template cuts<I> || OnPacks::template is_unchanged<I>) || ...)) {
            return [](T* const* targets, const bool* accumulate, const T* const* operands, std::size_t count) {
                backward_all_loop(all_inputs, targets, accumulate, operands, count);
            };
        } else {
            return nullptr;
        }
    }

    static constexpr auto backward = []<std::size_t... I>(std::index_sequence<I...>) {
        return std::array<typename ElementwiseKernel<T>::Backward, arity>{backward_for<I>()...};
    }(all_inputs);
    static constexpr ElementwiseKernel<T> kernel{arity, forward, backward_all(all_inputs), backward.data()};
};

}  // namespace kernels
}  // namespace autograd
