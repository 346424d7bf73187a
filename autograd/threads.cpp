// The caller works too, and takes whatever part is next: if another process holds the other processors, it does all of the
// work by itself rather than wait for a thread that is not given one.
#include "autograd/threads.hpp"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "autograd/error.hpp"

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

    // The last part first. A part that wrote beyond its end would write into one that was done, not into one that
    // writes over it afterwards: the fault shows where one thread does all parts, too.
    void take_parts() {
        for (std::ptrdiff_t part; (part = --left) >= 0;) run(work, static_cast<std::size_t>(part));
    }
};

class Pool {
   public:
    ~Pool() {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        wake_.notify_all();
        for (std::thread& thread : threads_) thread.join();
    }

    /// False if the pool is taken: then nothing was done.
    bool run(Job& job, std::size_t helpers) {
        if (taken_.exchange(true)) return false;
        {
            const std::lock_guard lock(mutex_);
            while (threads_.size() < helpers) threads_.emplace_back([this] { serve(); });
            job_ = &job;
            places_ = helpers;
        }
        if (helpers == 1) {
            wake_.notify_one();
        } else {
            wake_.notify_all();
        }
        job.take_parts();
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

   private:
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
    Job* job_ = nullptr;
    // Changed under the mutex; looked at without it by those who wait a little.
    std::atomic<std::size_t> places_{0};
    std::atomic<std::size_t> working_{0};
    std::atomic<bool> stop_{false};
};

Pool& pool() {
    static Pool the_pool;
    return the_pool;
}

}  // namespace

void set_num_threads(int count) {
    if (count < 1) throw Error("set_num_threads: at least 1 thread, not " + std::to_string(count));
    chosen_threads = count;
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

void run_parts(std::size_t parts, void (*run)(const void*, std::size_t), const void* work) {
    Job job{run, work, static_cast<std::ptrdiff_t>(parts)};
    const std::size_t helpers = std::min(parts, static_cast<std::size_t>(num_threads())) - (parts > 0);
    if (helpers == 0 || !pool().run(job, helpers)) job.take_parts();
}

}  // namespace detail
}  // namespace autograd
