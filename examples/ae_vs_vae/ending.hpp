// How a program ends: with what is said of an error, of a training that was stopped, and of an output that failed. What it does
// before is its own.
#pragma once

#include <functional>
#include <string>

/// What `run` returns. After an error 1, and the error is printed, for a lack of memory with `lighter`, what takes less. After
/// Interrupted its exit code, with a line on how to go on from `checkpoint`, which is empty if none was kept: `why_none`.
int exit_status(const std::function<int()>& run, const std::string& checkpoint, const char* why_none, const char* lighter);

/// The status; but if not all that was said could be written, that is printed, and a 0 becomes 1.
int status_after_output(int status);
