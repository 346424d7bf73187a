// The caller works too, and takes whatever part is next: if another process holds the other processors, it does all of the
// work by itself rather than wait for a thread that is not given one.
#include "autograd/base/threads.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "autograd/base/error.hpp"

namespace autograd {
namespace {

std::atomic<int> chosen_threads{0};  // 0: not set yet

int usable_processors() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
    return std::max(1, CPU_COUNT(&set));
}

// Waking a thread that sleeps takes 20 to 100 us where processors are virtual: as long as many a part. So a thread that
// waits first offers its processor to whoever wants it, again and again, and sleeps when that was in vain.
constexpr std::chrono::microseconds patience{200};

template <class Condition>
void wait_a_little(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!condition() && std::chrono::steady_clock::now() < end) sched_yield();
}

struct Job {
    void (*run)(const void*, std::size_t);
    const void* work;
    std::atomic<std::ptrdiff_t> left;
    std::atomic<bool> failed{false};
    std::exception_ptr failure{};  // of the first that failed; to be read when no thread is at work any more

    // The last part first. A part that wrote beyond its end would write into one that was done, not into one that
    // writes over it afterwards: the fault shows where one thread does all parts, too.
    void take_parts() noexcept {
        try {
            for (std::ptrdiff_t part; (part = --left) >= 0;) run(work, static_cast<std::size_t>(part));
        } catch (...) {
            left = 0;
            if (!failed.exchange(true)) failure = std::current_exception();
        }
    }
};

/// Whether the address space has room for one more thread, and for as much again as all of them take: threads are not
/// worth having where arrays then find no room.
bool has_room_for(std::size_t threads) {
    pthread_attr_t attributes;
    std::size_t stack = 0;
    if (pthread_attr_init(&attributes) != 0) return false;
    pthread_attr_getstacksize(&attributes, &stack);
    pthread_attr_destroy(&attributes);
    const std::size_t bytes = (threads + 1) * stack;
    void* room = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) return false;
    munmap(room, bytes);
    return true;
}

/// It is never destroyed: a process may end while its threads are at work.
class Team {
   public:
    /// False if the team is taken: then nothing was done.
    bool run(Job& job, std::size_t helpers) {
        if (taken_.exchange(true)) return false;
        const unsigned process = forks;
        {
            const std::lock_guard lock(mutex_);
            if (threads_.size() < helpers && !refused_) start(helpers);
            job_ = &job;
            places_ = std::min(helpers, threads_.size());
        }
        if (helpers == 1) {
            wake_.notify_one();
        } else {
            wake_.notify_all();
        }
        job.take_parts();
        if (process != forks) throw Error("fork: in a part of shared work, whose other threads are not there any more");
        {
            const std::lock_guard lock(mutex_);
            places_ = 0;  // from here on no thread joins; those which did are waited for
        }
        wait_a_little([this] { return working_ == 0; });
        std::unique_lock lock(mutex_);
        job_ = nullptr;
        idle_.wait(lock, [this] { return working_ == 0; });
        taken_ = false;
        return true;
    }

    /// Of so many helpers.
    std::size_t available(std::size_t helpers) {
        const std::lock_guard lock(mutex_);
        if (threads_.size() < helpers && !refused_ && !stop_) start(helpers);
        return std::min(helpers, threads_.size());
    }

    /// The next run() that wants more threads than there are tries to start them.
    void try_again() { refused_ = false; }

    /// When the process ends: threads that are idle end before it, those at work with it. From here on the team is taken.
    void end_idle_threads() {
        if (taken_.exchange(true)) return;
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        wake_.notify_all();
        for (std::thread& thread : threads_) thread.join();
        threads_.clear();
    }

    void before_fork() { mutex_.lock(); }
    void in_parent() { mutex_.unlock(); }
    /// In the child, which has none of the threads: a new team in the old one's place. Nothing is allocated or freed.
    static void in_child(Team& team) {
        ++forks;
        std::vector<std::thread> threads = std::move(team.threads_);
        for (std::thread& each : threads) std::construct_at(&each);  // they are not there to be joined or detached
        threads.clear();
        std::construct_at(&team);
        team.threads_ = std::move(threads);
    }

   private:
    /// How often this process has become its own child.
    static inline std::atomic<unsigned> forks{0};

    void start(std::size_t wanted) {
        while (threads_.size() < wanted) {
            try {
                if (!has_room_for(threads_.size() + 1)) throw std::system_error(ENOMEM, std::generic_category());
                threads_.emplace_back([this] { serve(); });
            } catch (const std::bad_alloc&) {
                return;  // of memory there may be more the next time
            } catch (const std::system_error& error) {
                refused_ = true;
                if (said_) return;
                said_ = true;
                std::fprintf(stderr,
                             "xtape: %zu of %zu threads can be started (%s); work goes on with them. Lower "
                             "set_num_threads(), or raise the limits of the process (ulimit -v, ulimit -u).\n",
                             threads_.size() + 1, wanted + 1, std::strerror(error.code().value()));
                return;
            }
        }
    }

    void serve() {
        while (true) {
            wait_a_little([this] { return stop_ || places_ > 0; });
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return stop_ || places_ > 0; });
            if (stop_) return;
            Job& job = *job_;
            --places_;
            ++working_;
            lock.unlock();
            job.take_parts();
            lock.lock();
            if (--working_ == 0) idle_.notify_one();
        }
    }

    std::atomic<bool> taken_{false};
    std::mutex mutex_;  // of all below
    std::condition_variable wake_, idle_;
    std::vector<std::thread> threads_;
    bool said_ = false;
    Job* job_ = nullptr;
    // Changed under the mutex; looked at without it by those who wait a little.
    std::atomic<std::size_t> places_{0};
    std::atomic<std::size_t> working_{0};
    std::atomic<bool> refused_{false};
    std::atomic<bool> stop_{false};
};

Team& team() {
    alignas(Team) static std::byte memory[sizeof(Team)];
    static Team& the_team = []() -> Team& {
        static Team& made = *std::construct_at(reinterpret_cast<Team*>(memory));
        pthread_atfork([] { made.before_fork(); }, [] { made.in_parent(); }, [] { Team::in_child(made); });
        std::atexit([] { made.end_idle_threads(); });
        return made;
    }();
    return the_team;
}

}  // namespace

void set_num_threads(int count) {
    if (count < 1) throw Error("set_num_threads: at least 1 thread, not " + std::to_string(count));
    chosen_threads = count;
    team().try_again();
}

int num_threads() {
    int count = chosen_threads;
    if (count == 0) {
        count = usable_processors();
        chosen_threads = count;
    }
    return count;
}

namespace detail {

void prepare_threads() { team(); }

std::size_t available_threads(std::size_t wanted) { return wanted < 2 ? 1 : team().available(wanted - 1) + 1; }

void run_parts(std::size_t parts, std::size_t threads, void (*run)(const void*, std::size_t), const void* work) {
    const std::size_t helpers = parts == 0 ? 0 : std::min(parts, std::max<std::size_t>(threads, 1)) - 1;
    if (helpers > 0) {
        Job job{run, work, static_cast<std::ptrdiff_t>(parts)};
        if (team().run(job, helpers)) {
            if (job.failed) std::rethrow_exception(std::move(job.failure));
            return;
        }
    }
    for (std::size_t part = parts; part-- > 0;) run(work, part);
}

}  // namespace detail
}  // namespace autograd
