// The way of a thread that was not the last one here. It is the rare one, and bears the whole cost of the order in which
// memory is seen: Dice, Moir and Scherer, "Quickly reacquirable locks", 2003.
#include "autograd/base/occupancy.hpp"

#include <pthread.h>

#include <mutex>
#include <string>

#include "autograd/base/error.hpp"

#if __has_include(<linux/membarrier.h>)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace autograd {
namespace {

/// Returns when every running thread of the process has passed a memory barrier. Where the system has no such call, the
/// fence is the calling thread's alone, and two threads that come within the same few nanoseconds may miss each other.
void barrier_of_all_threads() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
#ifdef SYS_membarrier
    [[maybe_unused]] static const long registered = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
    syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
#endif
}

constinit std::mutex one_at_a_time;

}  // namespace

constinit thread_local const char own_of_this_thread = 0;

Occupancy::Entry Occupancy::enter_slowly(Work added, const char* op) {
    // A child process is to find it free.
    [[maybe_unused]] static const int registered =
        pthread_atfork([] { one_at_a_time.lock(); }, [] { one_at_a_time.unlock(); }, [] { one_at_a_time.unlock(); });
    const std::lock_guard lock(one_at_a_time);
    const ThreadName me = this_thread_name();
    Seat* const last = current_.load(std::memory_order_acquire);
    Seat* mine = &first_;
    while (mine->thread != me) {
        // Seats are kept, because a thread may be about to look at its own. Their number is that of the threads that came
        // while the others lived: a thread that has ended leaves its name to a new one.
        if (mine->next == nullptr) {
            mine->next = std::make_unique<Seat>();
            mine->next->thread = me;
        }
        mine = mine->next.get();
    }
    const Work before = mine->work.load(std::memory_order_relaxed);
    if ((before & added & under_way) != 0) {
        throw TapeError(std::string(op) +
                        ": recorded while another op is being recorded on the same tape, by that op's function. Such a "
                        "function computes with what it is given, or on a tape of its own");
    }
    mine->work.store(before + added, std::memory_order_relaxed);
    if (mine == last) return {mine, before};
    current_.store(mine, std::memory_order_release);
    barrier_of_all_threads();
    if (last->work.load(std::memory_order_acquire) == 0) return {mine, before};
    current_.store(last, std::memory_order_release);
    mine->work.store(before, std::memory_order_relaxed);
    throw TapeError(
        "tape: two threads are at work on it at once. Give each thread a tape of its own, or let one wait, by a mutex, until "
        "the other's op, sweep or clear() has ended");
}

}  // namespace autograd
