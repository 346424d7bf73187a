// What the benchmarks consist of. Each part registers its benchmarks with Google Benchmark and says which ratios of
// their medians matter.
#pragma once

#include <string>
#include <vector>

namespace bench {

/// scale * top / bottom, of the medians in seconds of two benchmarks; 1 stands for a top or a bottom that is not named.
/// Of several at the bottom the quickest counts.
struct Ratio {
    std::string name;
    std::string top;
    std::vector<std::string> bottom;
    double scale = 1;
};

using Ratios = std::vector<Ratio>;

/// With the rivals that this Python interpreter has, if one is named; it says which it has not.
/// @throws std::runtime_error if it cannot be started.
void add_steps(Ratios& ratios, const std::string& python);
void add_tape_overhead(Ratios& ratios);
void add_kernels(Ratios& ratios);

}  // namespace bench
