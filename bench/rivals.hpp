// The libraries that users might take instead of xtape: which of them this machine has, and how their workers start.
// The steps themselves are in programs of their own, libtorch.cpp and rivals.py.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace bench {

/// A library in one of its settings.
struct Rival {
    std::string library;  ///< its name in ratios
    std::string name;     ///< its name in benchmarks
    std::function<bool(const std::string& step, int batch)> takes;
    /// The words that start its worker.
    std::function<std::vector<std::string>(const std::string& step, int threads, int batch)> command;
};

/// libtorch where CMake found it, and what `python`, a path or the name of a command, can import; none of that if it is
/// empty. Prints a line about each that Python has or has not.
/// @throws std::runtime_error if `python` cannot be started.
std::vector<Rival> find_rivals(const std::string& python);

}  // namespace bench
