// Ctrl-C as a request: training asks after each step whether it is to stop there. What is saved then is up to
// training.hpp and checkpoint.hpp.
#pragma once

#include <signal.h>

#include <array>
#include <cstddef>
#include <exception>

/// While one exists, SIGINT, SIGQUIT, SIGTERM, SIGHUP and SIGPIPE are requests to stop. A second one of the first three
/// ends the program at once; a terminal that is closed sends several SIGHUPs, and a reader that has gone a SIGPIPE for each
/// line. A signal that the program was started to ignore stays ignored. The signals' former actions come back with the
/// destructor.
class Interrupts {
   public:
    /// @param stop_after_steps after_step() is true after that many steps as if there had been a signal; 0: never
    explicit Interrupts(std::size_t stop_after_steps);
    Interrupts(const Interrupts&) = delete;
    Interrupts& operator=(const Interrupts&) = delete;
    ~Interrupts();

    /// Counts a step. True if the program is to stop.
    bool after_step();
    /// What the program is to return then: 128 and the number of the signal, as shells have it.
    int exit_code() const;

   private:
    std::size_t steps_left_;
    bool counts_;
    std::array<struct sigaction, 5> former_{};
};

/// Thrown out of training when it has stopped, and saved what there is to save.
struct Interrupted : std::exception {
    int exit_code;

    explicit Interrupted(int code) : exit_code(code) {}
    const char* what() const noexcept override { return "interrupted"; }
};
