// The way into the libraries that multiply and decompose matrices: how many calls may be under way at once without one of them
// waiting for memory for ever, none while the process forks or ends, and none that starts a team of threads. It computes
// nothing.
#pragma once

#include <cstddef>

#include "autograd/base/language.hpp"

namespace XTAPE_API autograd {
namespace kernels {

/// Whose calls. All that is not OpenBLAS is counted together: none of it has a limit.
enum class Library { openblas, other };

/// While it lives, count() calls of a library may be under way at once, each on the thread that makes it. Not to be made while
/// another one lives on the same thread: a fork that waits for that one would keep this one waiting.
///
/// OpenBLAS works in buffers of 128 MB of the address space, one for each call under way, which it keeps. Where the address
/// space has no room for one (ulimit -v), versions before 0.3.30 try again for ever (their issue 5289). So buffers are made
/// here, ahead of the call, once it is known that there is room.
class Calls {
   public:
    /// @throws Error if not even one call can be had.
    explicit Calls(Library library, std::size_t wanted = 1);
    Calls(const Calls&) = delete;
    Calls& operator=(const Calls&) = delete;
    ~Calls();

    /// 1 ... wanted, or 0 of another library than OpenBLAS after end_other_calls().
    std::size_t count() const { return count_; }

   private:
    Library library_;
    std::size_t count_;
};

/// Waits for the calls of other libraries than OpenBLAS, and lets none begin any more: to be called before the end of the
/// process takes from such a library what it computes with.
void end_other_calls();

/// Whether this code came with the program, and not by dlopen: then no thread of the program runs yet while static objects are
/// made.
[[nodiscard]] bool came_with_program();

/// Whether the process may have so much more memory.
[[nodiscard]] bool address_space_has_room(std::size_t bytes);

/// While it lives, what the calling thread calls starts no team of OpenMP threads. Afterwards the thread has the number of
/// them that it had before: the program's own OpenMP keeps its settings.
class WithoutOpenMpTeam {
   public:
    WithoutOpenMpTeam();
    WithoutOpenMpTeam(const WithoutOpenMpTeam&) = delete;
    WithoutOpenMpTeam& operator=(const WithoutOpenMpTeam&) = delete;
    ~WithoutOpenMpTeam();

    /// Whether the process has an OpenMP that can be held so.
    [[nodiscard]] static bool is_possible();

   private:
    int before_ = 1;
};

}  // namespace kernels
}  // namespace autograd
