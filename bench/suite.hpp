// What the benchmarks consist of. Each part registers its benchmarks with Google Benchmark and says which ratios of
// their medians matter.
#pragma once

#include <string>
#include <vector>

namespace bench {

/// scale * top / bottom, of the medians in seconds of two benchmarks; of `top` alone where there is no `bottom`.
struct Ratio {
    std::string name;
    std::string top;
    std::string bottom;
    double scale = 1;
};

using Ratios = std::vector<Ratio>;

void add_steps(Ratios& ratios);
void add_tape_overhead(Ratios& ratios);
void add_kernels(Ratios& ratios);

}  // namespace bench
