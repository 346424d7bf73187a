// What can only be seen on a whole process: its memory, its calls to the heap, and what a compiler needs for a program.
#pragma once

#include <map>
#include <string>

namespace bench {

/// Starts processes, one after the other, and returns the figures by the names of the ratios. Takes about a minute.
std::map<std::string, double> measure_processes();

/// Seconds from a clean clone to all that the tests need, and to the demo: builds by two compilers at a time, without a
/// cache, in a temporary directory. Takes many minutes.
std::map<std::string, double> measure_builds();

/// What a process does that measure_processes() has started: prints its figures.
/// @throws std::runtime_error if there is no such task.
void run_as_child(const std::string& task);

}  // namespace bench
