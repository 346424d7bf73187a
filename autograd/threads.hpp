// The threads that xtape uses: one setting and one pool, for matrix products and large elementwise work alike. Threads that
// have nothing to do sleep; they do not spin. It knows nothing of what it runs.
#pragma once

#include <cstddef>

namespace autograd {

/// Results repeat bit for bit for the same number of threads.
/// @throws Error if `count` is less than 1.
void set_num_threads(int count);

/// As set; before that, the number of processors this process may use.
int num_threads();

namespace detail {
void run_parts(std::size_t parts, void (*run)(const void* work, std::size_t part), const void* work);
}  // namespace detail

/// Calls work(0) ... work(parts - 1), each once, on the caller's thread and on those of the pool that are free, and returns
/// when all are done. Which thread takes which part is not said, so what a part computes must not depend on it. A caller
/// that finds the pool taken, by another thread or by itself, runs all parts. Parts must not throw.
template <class Work>
void run_in_parallel(std::size_t parts, const Work& work) {
    detail::run_parts(
        parts, [](const void* each, std::size_t part) { (*static_cast<const Work*>(each))(part); }, &work);
}

/// Elements of an array from which on threads share the work on it.
inline constexpr std::size_t elements_worth_sharing = std::size_t{1} << 16;

/// Calls work(begin, end) on ranges that together are [0, count): one for each thread if there are enough elements to share,
/// else a single one. Ranges begin at multiples of 64.
template <class Work>
void for_ranges(std::size_t count, const Work& work) {
    const auto threads = static_cast<std::size_t>(num_threads());
    if (count < elements_worth_sharing || threads == 1) return work(std::size_t{0}, count);
    const std::size_t step = ((count + threads - 1) / threads + 63) / 64 * 64;
    run_in_parallel((count + step - 1) / step, [&](std::size_t part) {
        work(part * step, count < (part + 1) * step ? count : (part + 1) * step);
    });
}

}  // namespace autograd
