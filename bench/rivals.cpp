// Settings that a process must have before it starts are given here; those that a library takes later, in the programs.
// All were chosen by measuring.
#include "rivals.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <filesystem>
#include <stdexcept>

#include "children.hpp"

namespace bench {
namespace {

using Words = std::vector<std::string>;

/// The program that serves libtorch's steps, which CMake builds beside this one if it finds libtorch.
std::filesystem::path libtorch_program() { return this_program().replace_filename("xtape_bench_libtorch"); }

Rival libtorch() {
    return {"libtorch", "libtorch", [](const std::string& step, int) { return step == "vae_step"; },
            [](const std::string&, int threads, int batch) {
                // Its OpenMP threads would spin, and slow down libtorch itself; of OpenBLAS's threads it does not
                // decide the number.
                return Words{"env",
                             "OMP_WAIT_POLICY=passive",
                             fmt::format("OPENBLAS_NUM_THREADS={}", threads),
                             libtorch_program(),
                             std::to_string(threads),
                             std::to_string(batch)};
            }};
}

/// The words that ask Python about a library, or start its worker if more follow. Large blocks stay with the process
/// when they are freed: as the allocator comes, each step gets them from the system anew, and PyTorch's step with
/// convolutions takes up to a fifth longer.
Words python_command(const std::string& python, const std::string& name) {
    return {"env",  "MALLOC_MMAP_THRESHOLD_=1000000000", "MALLOC_TRIM_THRESHOLD_=2000000000",
            python, XTAPE_SOURCE_DIR "/bench/rivals.py", name};
}

/// Whether Python has a library in working order; what it says of it is printed.
bool python_has(const std::string& python, const std::string& name) {
    constexpr int left_out = 3;  // as in rivals.py
    const Ended asked = run_to_end(python_command(python, name));
    const bool exited = WIFEXITED(asked.status);
    if (!exited || (WEXITSTATUS(asked.status) != 0 && WEXITSTATUS(asked.status) != left_out)) {
        throw std::runtime_error(
            fmt::format("--python {}: asked about {}, it ended with {}", python, name, how_it_ended(asked.status)));
    }
    fmt::print("{}", asked.output);
    return WEXITSTATUS(asked.status) == 0;
}

Rival python_rival(const std::string& python, const std::string& library, const std::string& name) {
    return {library, name,
            [=](const std::string& step, int batch) {
                if (step == "conv_step" && library != "pytorch") return false;
                return name != "pytorch_compiled" || batch == 128;  // each takes long to compile
            },
            [=](const std::string& step, int threads, int batch) {
                Words words = python_command(python, name);
                words.insert(words.end(), {step, std::to_string(threads), std::to_string(batch)});
                return words;
            }};
}

}  // namespace

std::vector<Rival> find_rivals(const std::string& python) {
    std::vector<Rival> rivals;
    if (std::filesystem::exists(libtorch_program())) rivals.push_back(libtorch());
    if (python.empty()) return rivals;
    const std::pair<const char*, const char*> settings[] = {
        {"pytorch", "pytorch"}, {"pytorch", "pytorch_compiled"}, {"jax", "jax"}};
    for (const auto& [library, name] : settings) {
        if (python_has(python, name)) rivals.push_back(python_rival(python, library, name));
    }
    return rivals;
}

}  // namespace bench
