// What the command line can ask of ae_vs_vae. No defaults elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

struct Options {
    std::string data;
    std::size_t latent = 20;
    std::size_t hidden = 400;
    std::size_t epochs = 10;
    std::size_t batch = 128;
    double lr = 1e-3;
    double beta = 1;
    std::size_t samples = 1;
    std::uint64_t seed = 0;
    int threads = 1;
    std::string out = "out";
};

/// The options, or the exit code of a run that is over already: 0 after --help, 2 after a mistake, which is printed.
struct Parsed {
    Options options;
    std::optional<int> exit_code;
};

Parsed parse_options(int argc, char** argv);
