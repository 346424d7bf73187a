// Which thread is at work on a tape. One at a time may be, the same within itself too (a sweep records, a hook sweeps); two
// at once are an error in place of a corrupted heap. The thread that was there last pays a few plain instructions; another
// one, which comes after it, a system call. It knows no tape.
#pragma once

#include "autograd/base/language.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

namespace XTAPE_API autograd {

/// A thread's name, for as long as it lives: an address that is the thread's own. Unlike std::this_thread::get_id() it takes
/// no call, and a node of one number is recorded in the time of a few.
using ThreadName = const void*;
/// The object whose address it is.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local const char own_of_this_thread;
/// The calling thread's.
[[nodiscard]] inline ThreadName this_thread_name() { return &own_of_this_thread; }

/// Which thread is at work on one tape, and how deep in its own visits.
class Occupancy {
   public:
    Occupancy() { first_.thread = this_thread_name(); }
    Occupancy(const Occupancy&) = delete;
    Occupancy& operator=(const Occupancy&) = delete;

    class Visit;
    class Recording;

    /// Whether any thread is at work, the calling one too.
    [[nodiscard]] bool occupied() const {
        return current_.load(std::memory_order_acquire)->work.load(std::memory_order_acquire) != 0;
    }

   private:
    /// What a thread is about: twice the number of its visits, which may be within one another, and 1 if a node is under way.
    using Work = std::uint32_t;
    static constexpr Work under_way = 1, one_visit = 2;

    /// A thread that has been at work here. Its work is written by that thread alone, so that it needs no instruction that
    /// locks the bus.
    struct Seat {
        ThreadName thread = nullptr;
        std::atomic<Work> work = 0;
        std::unique_ptr<Seat> next;
    };

    /// A seat whose work was `before`, and is `added` more.
    struct Entry {
        Seat* seat;
        Work before;
    };
    Entry enter(Work added, const char* op) {
        Seat* const seat = current_.load(std::memory_order_acquire);
        const Work before = seat->work.load(std::memory_order_relaxed);
        if (seat->thread == this_thread_name() && (before & added & under_way) == 0) [[likely]] {
            seat->work.store(before + added, std::memory_order_relaxed);
            // Either this load sees that another thread has come, or that thread sees the work: it has the system put a
            // barrier between these two lines, wherever they are under way. For the compiler they are in order.
            std::atomic_signal_fence(std::memory_order_seq_cst);
            if (current_.load(std::memory_order_acquire) == seat) [[likely]]
                return {seat, before};
            seat->work.store(before, std::memory_order_release);
        }
        return enter_slowly(added, op);
    }
    static void leave(const Entry& entry) { entry.seat->work.store(entry.before, std::memory_order_release); }
    Entry enter_slowly(Work added, const char* op);

    std::atomic<Seat*> current_ = &first_;
    Seat first_;
};

/// The calling thread is at work while one of these lives.
class [[nodiscard]] Occupancy::Visit {
   public:
    /// @throws TapeError if another thread is.
    explicit Visit(Occupancy& occupancy) : entry_(occupancy.enter(one_visit, nullptr)) {}
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    ~Visit() { leave(entry_); }

    /// Whether it was at work before.
    [[nodiscard]] bool is_nested() const { return entry_.before != 0; }

   private:
    Entry entry_;
};

/// A node is under way while one of these lives: another cannot begin, not even in the same thread, since its value would be
/// written to the same place.
class [[nodiscard]] Occupancy::Recording {
   public:
    /// @throws TapeError, which begins with the name of `op`, if a node is under way already; or if another thread is at
    /// work.
    Recording(Occupancy& occupancy, const char* op) : entry_(occupancy.enter(one_visit + under_way, op)) {}
    Recording(const Recording&) = delete;
    Recording& operator=(const Recording&) = delete;
    ~Recording() { leave(entry_); }

   private:
    Entry entry_;
};

}  // namespace autograd
