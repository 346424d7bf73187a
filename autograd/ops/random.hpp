// Noise as leaves of the tape: drawn from an explicit stream, constant from then on. No gradient flows into them, which
// is why the reparameterisation trick moves the randomness into one. The streams themselves are in base/random.hpp.
#pragma once

#include <span>

#include "autograd/base/documentation.hpp"
#include "autograd/base/random.hpp"
#include "autograd/ops/naming.hpp"

namespace XTAPE_API autograd {

namespace detail {

/// Fills the next node by `fill(array)` and records where the noise came from. What throws leaves `rng` as it was.
template <class T, class Fill>
[[nodiscard]] Var<T> record_noise(const Var<T>& like, Rng& rng, const char* name, std::span<const Input<T>> inputs, Fill fill) {
    Tape<T>& tape = like.tape();
    const auto mark = tape.recording(name);
    Array<T>& out = tape.next_value();
    reshape_for_overwriting(out, like.shape());
    const Rng::State before = rng.state();
    NoiseOrigin origin{name, {rng.name().begin(), rng.name().end()}, rng.draws()};
    try {
        fill(out);
        return tape.append_noise(origin, inputs);
    } catch (...) {
        rng.restore(before);  // what is not on the tape was not drawn
        throw;
    }
}

}  // namespace detail

/// A leaf of `like`'s shape from N(0, 1), one draw of `rng`.
template <class T>
[[nodiscard]] Var<T> normal_like(const Var<T>& like, Rng& rng) {
    like.tape().index_of(like, "normal_like");
    return detail::record_noise<T>(like, rng, "normal_like", {}, [&](Array<T>& out) { rng.fill_normal(out); });
}

/// A leaf of `like`'s shape, uniform on [0, 1), one draw of `rng`.
template <class T>
[[nodiscard]] Var<T> uniform_like(const Var<T>& like, Rng& rng) {
    like.tape().index_of(like, "uniform_like");
    return detail::record_noise<T>(like, rng, "uniform_like", {}, [&](Array<T>& out) { rng.fill_uniform(out); });
}

/// A leaf which is 1 with the given probabilities, else 0; one draw of `rng`. No gradient flows into the probabilities.
/// @throws Error if one of them is NaN or outside [0, 1].
template <class T>
[[nodiscard]] Var<T> bernoulli_like(const Var<T>& probabilities, Rng& rng) {
    constexpr const char* name = "bernoulli_like";
    const Input<T> input{probabilities.tape().index_of(probabilities, name), T(0)};
    const auto drawn = [&] {
        return detail::record_noise<T>(probabilities, rng, name, {&input, 1},
                                       [&](Array<T>& out) { rng.fill_bernoulli(out, probabilities.value(), name); });
    };
    return detail::with_context_of(name, drawn, probabilities);
}

// ---- In words, for the table of ops ----

namespace ops::words {

inline constexpr Documentation normal_like{
    .formula = "N(0, 1), a leaf of the input's shape", .gradient = "none", .nan = "none: only the shape of the input is used"};
inline constexpr Documentation uniform_like{.formula = "uniform on [0, 1), a leaf of the input's shape",
                                            .gradient = "none",
                                            .nan = "none: only the shape of the input is used"};
inline constexpr Documentation bernoulli_like{
    .formula = "1 with probability p, else 0; a leaf", .gradient = "none", .nan = "an error: not a probability"};

}  // namespace ops::words

}  // namespace autograd
