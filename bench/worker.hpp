// How a worker, a process that measures itself, talks to the benchmarks which started it: the number of steps to take
// comes in, as many times in seconds go out. What a step is, it does not know; children.hpp has the other end.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

/// Calls read or write of a file until all bytes are through; false if the other end is gone.
template <class Call, class Byte>
bool all_through(Call call, int file, Byte* bytes, std::size_t count) {
    while (count > 0) {
        const ssize_t done = call(file, bytes, count);
        if (done <= 0) return false;
        bytes += done;
        count -= static_cast<std::size_t>(done);
    }
    return true;
}

/// Takes steps as it is told to on standard input, until that ends.
template <class Step>
void serve(Step step) {
    for (std::uint32_t count; all_through(read, STDIN_FILENO, reinterpret_cast<char*>(&count), sizeof(count));) {
        std::vector<double> seconds(count);
        for (double& each : seconds) {
            const auto start = std::chrono::steady_clock::now();
            step();
            each = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        }
        const auto* bytes = reinterpret_cast<const char*>(seconds.data());
        if (!all_through(write, STDOUT_FILENO, bytes, count * sizeof(double))) return;
    }
}

}  // namespace bench
