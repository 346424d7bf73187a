// Running the programs of examples/ as a user would, for tests of what they print, write and return.
#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <stdexcept>
#include <string>

struct ProgramResult {
    int exit_code;       ///< -1 if a signal ended it
    std::string output;  ///< standard output and standard error
};

/// Runs a command of the shell.
inline ProgramResult run_command(const std::string& line) {
    const std::string command = "exec 2>&1; " + line + " </dev/null";
    FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
    ProgramResult result{};
    std::array<char, 4096> buffer;
    for (std::size_t count; (count = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
        result.output.append(buffer.data(), count);
    }
    const int status = pclose(pipe);
    result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return result;
}

/// Runs an example with arguments for the shell, which does what stands in `before` first.
inline ProgramResult run_program(const std::string& name, const std::string& arguments, const std::string& before = "") {
    return run_command(before + "'" XTAPE_EXAMPLES_DIR "/" + name + "' " + arguments);
}
