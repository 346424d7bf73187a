// A function of Vars as an object, for what calls a user's function: transforms, gradient checks, checkpoint. It knows no
// tape's inside.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <utility>

#include "autograd/core/tape.hpp"

namespace autograd {

/// A function of a list of Vars on one tape.
template <class T>
using ListFunction = std::function<Var<T>(std::span<const Var<T>>)>;

/// f(Var<T>...) of N arguments as a function of a list.
template <class T, std::size_t N, class F>
[[nodiscard]] ListFunction<T> on_list(F f) {
    return [f](std::span<const Var<T>> v) {
        return [&]<std::size_t... I>(std::index_sequence<I...>) { return f(v[I]...); }(std::make_index_sequence<N>{});
    };
}

}  // namespace autograd
