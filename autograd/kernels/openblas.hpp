// The way into OpenBLAS, for the kernels that call it: how many calls may be under way at once without one of them waiting
// for memory for ever, and none while the process forks or ends. It computes nothing.
#pragma once

#include <cstddef>

namespace autograd::kernels {

/// While it lives, count() calls of OpenBLAS may be under way at once, each on the thread that makes it.
///
/// OpenBLAS works in buffers of 128 MB of the address space, one for each call under way, which it keeps. Where the address
/// space has no room for one (ulimit -v), versions before 0.3.30 try again for ever (their issue 5289). So buffers are made
/// here, ahead of the call, once it is known that there is room.
class OpenBlasCalls {
   public:
    /// @throws Error if not even one call can be had.
    explicit OpenBlasCalls(std::size_t wanted = 1);
    OpenBlasCalls(const OpenBlasCalls&) = delete;
    OpenBlasCalls& operator=(const OpenBlasCalls&) = delete;
    ~OpenBlasCalls();

    /// 1 ... wanted.
    std::size_t count() const { return count_; }

   private:
    std::size_t count_;
};

}  // namespace autograd::kernels
