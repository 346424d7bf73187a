// The threads that xtape uses: one setting and one team, for matrix products and large elementwise work alike. Threads that
// have nothing to do sleep; they do not spin. It knows nothing of what it runs.
#pragma once

#include "autograd/base/language.hpp"

#include <cstddef>

namespace XTAPE_API autograd {

/// Results repeat bit for bit for the same number of threads. They are started when there is work for them. Where the
/// system does not let all of them be started, one line on standard error says so, once, and those that are there do the
/// work, with the same results; the next set_num_threads() makes another attempt.
/// @throws Error if `count` is less than 1.
void set_num_threads(int count);

/// As set; before that, the number of processors this process may use.
[[nodiscard]] int num_threads();

namespace detail {
/// Makes the team, if it is not there: a handler of forks that is registered after this runs before the team's.
void prepare_threads();
/// How many of so many threads there are, the caller among them: what is not there is started, as far as it can be.
[[nodiscard]] std::size_t available_threads(std::size_t wanted);
void run_parts(std::size_t parts, std::size_t threads, void (*run)(const void* work, std::size_t part), const void* work);
}  // namespace detail

/// Calls work(0) ... work(parts - 1), each once, on the caller's thread and on those of the team that are free, and returns
/// when all are done. Which thread takes which part is not said, so what a part computes must not depend on it. A caller
/// that finds the team taken, by another thread or by itself, runs all parts. Where a part throws, those not begun yet are
/// left out, and the caller gets the first exception when no thread is at work any more.
template <class Work>
void run_in_parallel(std::size_t parts, const Work& work, std::size_t threads = static_cast<std::size_t>(num_threads())) {
    detail::run_parts(
        parts, threads, [](const void* each, std::size_t part) { (*static_cast<const Work*>(each))(part); }, &work);
}

/// Elements of an array from which on threads share the work on it.
inline constexpr std::size_t elements_worth_sharing = std::size_t{1} << 15;

/// Calls work(begin, end) on ranges that together are [0, count): one for each thread if there is enough to share, else a
/// single one. `elements` is the size of each of the `count` things. Inner bounds are multiples of `grain`.
template <class Work>
void for_shares(std::size_t count, std::size_t elements, const Work& work, std::size_t grain = 1) {
    const auto threads = static_cast<std::size_t>(num_threads());
    if (threads == 1 || count < 2 * grain || count * elements < elements_worth_sharing) return work(std::size_t{0}, count);
    const std::size_t step = ((count + threads - 1) / threads + grain - 1) / grain * grain;
    run_in_parallel((count + step - 1) / step,
                    [&](std::size_t part) { work(part * step, count < (part + 1) * step ? count : (part + 1) * step); });
}

/// Shares the elements of an array: ranges begin at whole cache lines.
template <class Work>
void for_ranges(std::size_t count, const Work& work) {
    for_shares(count, 1, work, 64);
}

}  // namespace autograd
