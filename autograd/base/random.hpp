// Keyed, counter-based random streams: every value is a pure function of (seed, stream path, draw number, element
// index). There is no global generator and no hidden state; what is recorded on a tape lives in ops/random.hpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/base/array.hpp"

namespace XTAPE_API autograd {

/// One block of Philox4x32-10: ten rounds, four words. (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as
/// easy as 1, 2, 3", SC 2011.)
[[nodiscard]] std::array<std::uint32_t, 4> philox_block(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// A stream of random draws. A draw is one call of fill_*, uniform, normal or permutation, whatever its size; it
/// advances this generator's draw number by one and touches no other generator. Draw number n of m values is the prefix
/// of draw number n of more than m values. Copying a generator copies its future.
class Rng {
   public:
    /// The root of all streams of a program. Its key is the seed itself.
    explicit Rng(std::uint64_t seed) : key_(seed) {}

    /// The child generator of that name, at its draw 0. It depends on this generator's key and the name, not on how
    /// many draws were made: the same name gives the same child. "train/noise" is stream("train").stream("noise").
    /// The child's key is half of the Philox block whose counter is the name's FNV-1a hash and a tag that no draw uses.
    /// @throws Error if the name, or a part of it between slashes, is empty.
    [[nodiscard]] Rng stream(std::string_view name) const;

    /// Fills `out` with values of the uniform distribution on [0, 1): multiples of 2^-24 (float) or 2^-53 (double).
    template <class T>
    void fill_uniform(Array<T>& out);

    /// Fills `out` with values of the normal distribution N(0, 1), by Box and Muller's method. None is larger in
    /// magnitude than 6.56 (float) or 8.58 (double), which a normal variable exceeds once in 2e10 or 1e17 draws.
    template <class T>
    void fill_normal(Array<T>& out);

    /// Fills `out`, of the shape of `probabilities`, with 1 where a uniform value of this draw is less than the
    /// probability, and 0 elsewhere: probabilities are rounded up to multiples of 2^-24 (float) or 2^-53 (double).
    /// `out` may be `probabilities`.
    /// @throws ShapeError if the shapes differ, Error if a probability is NaN or outside [0, 1]; `out` and the draw
    /// number are then as before. Errors name `op`.
    template <class T>
    void fill_bernoulli(Array<T>& out, const Array<T>& probabilities, const char* op = "fill_bernoulli");

    /// A new array, filled by fill_uniform.
    /// @throws ShapeError as require_allocatable does.
    template <class T>
    [[nodiscard]] Array<T> uniform(const Shape& shape);

    /// A new array, filled by fill_normal.
    /// @throws ShapeError as require_allocatable does.
    template <class T>
    [[nodiscard]] Array<T> normal(const Shape& shape);

    /// The numbers 0 ... count - 1 in an order of which all are equally likely (Fisher and Yates' shuffle; its bounded
    /// integers come by rejection and have no bias).
    /// @throws ShapeError if there are more than fit into memory.
    [[nodiscard]] std::vector<std::size_t> permutation(std::size_t count);

    /// The path from the root, as "train/noise"; empty for the root.
    [[nodiscard]] const std::string& name() const { return name_; }

    /// The number of draws so far.
    [[nodiscard]] std::uint64_t draws() const { return draws_; }

    /// All that the future depends on, for checkpoints.
    struct State {
        std::uint64_t key = 0;    ///< of the stream: the seed, or what stream() made of its name
        std::uint64_t draws = 0;  ///< how many there were
        friend bool operator==(const State&, const State&) = default;
    };
    /// The state of this moment: the next draw is made from it.
    [[nodiscard]] State state() const { return {key_, draws_}; }

    /// Takes over a state; the name stays.
    void restore(const State& state);

    /// True if both have the same future.
    friend bool operator==(const Rng& a, const Rng& b) { return a.state() == b.state(); }

   private:
    std::uint64_t key_;
    std::uint64_t draws_ = 0;
    std::string name_;
};

}  // namespace autograd
