// Child processes: started so that none outlives this process, and told apart by how they end. Workers stay alive and
// take turns; what the others do is their own business.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace bench {

/// The file of this program. Others of the benchmarks' programs are beside it.
std::filesystem::path this_program();

/// Starts a program, by its words, with these files as its standard input and output. It is killed when this process
/// ends.
pid_t start_child(const std::vector<std::string>& command, int input, int output);

/// "exit code 1", "signal 9 (Killed)", of a status as waitpid gives it.
std::string how_it_ended(int status);

/// What is known of a process that has ended.
struct Ended {
    int status;          // as waitpid gives it
    std::string output;  // what it printed
    double seconds;
    double peak_megabytes;
};

/// Starts a program and waits for its end, whatever that is.
Ended run_to_end(const std::vector<std::string>& command);

/// The same for a program without which there is no figure.
/// @throws std::runtime_error, with what it printed, if it fails.
Ended run_or_throw(const std::vector<std::string>& command);

/// A process that serves (worker.hpp). Between its turns it is stopped: whatever threads it has, they disturb nobody.
class Worker {
   public:
    /// Starts it, and lets it take some steps that warm up.
    explicit Worker(std::vector<std::string> command);
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    ~Worker();

    /// Seconds of each of `count` steps, after `untimed` others.
    /// @throws std::runtime_error if the worker ends.
    std::vector<double> take_turn(std::size_t untimed, std::size_t count);

   private:
    std::vector<double> take_steps(std::size_t count);
    [[noreturn]] void report_end(int status);

    std::vector<std::string> command_;
    int socket_;
    pid_t process_;  // 0 once it has ended
};

/// A process that keeps one processor busy for as long as this object lives.
class BusyNeighbour {
   public:
    BusyNeighbour();
    BusyNeighbour(const BusyNeighbour&) = delete;
    BusyNeighbour& operator=(const BusyNeighbour&) = delete;
    ~BusyNeighbour();

   private:
    pid_t process_;
};

}  // namespace bench
