// The same for all programs that train.
#include "ending.hpp"

#include <fmt/format.h>

#include <csignal>
#include <exception>
#include <new>
#include <nn/data/file.hpp>

#include "interrupt.hpp"
#include "terminal.hpp"

int exit_status(const std::function<int()>& run, const std::string& checkpoint, const char* why_none, const char* lighter) {
    try {
        return run();
    } catch (const Interrupted& interrupted) {
        std::signal(SIGPIPE, SIG_IGN);
        say_wrapped(checkpoint.empty()
                        ? fmt::format("Stopped. Nothing is kept: {}.", why_none)
                        : fmt::format("Stopped. The same options with --resume go on from {}.", nn::printable(checkpoint)));
        return interrupted.exit_code;
    } catch (const std::bad_alloc&) {
        complain(fmt::format("out of memory: {}", lighter));
    } catch (const std::exception& error) {
        complain(error.what());
    }
    return 1;
}

int status_after_output(int status) {
    const auto failure = output_failure();
    if (!failure) return status;
    complain(*failure);
    return status == 0 ? 1 : status;
}
