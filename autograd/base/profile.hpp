// What the ops of a tape cost, by name: counted while someone asked for it. It knows no tape.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "autograd/base/language.hpp"

namespace XTAPE_API autograd {

/// What the ops of one name have cost since profiling began.
struct OpProfile {
    std::string op;               ///< the name
    std::uint64_t calls = 0;      ///< of its function, not of its backward pass
    double forward_seconds = 0;   ///< in computing values, what a recorded sweep does included
    double backward_seconds = 0;  ///< in backward passes that were not recorded
    std::uint64_t bytes = 0;      ///< of their values, over all calls
};

namespace detail {

/// What follows start() is the work of the next op, or of an op's backward pass, until it is charged to one.
class Profiler {
    using Clock = std::chrono::steady_clock;

   public:
    void start() { start_ = Clock::now(); }
    // Apart, because every node asks whether somebody wants this, and hardly anybody does.
    void charge(const char* op, bool backward, std::size_t bytes);
    /// The dearest first.
    std::vector<OpProfile> profile() const;

   private:
    std::map<std::string, OpProfile> ops_;
    Clock::time_point start_ = Clock::now();
};

}  // namespace detail

}  // namespace autograd
