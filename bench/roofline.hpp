// What the hardware allows: the peak of a core's multiply-adds and the memory's bandwidth, measured, and what a
// training step needs of both, counted from its network's sizes. It measures no step and takes no part in one.
#pragma once

#include <cstddef>
#include <vector>

#include "examples/ae_vs_vae/models.hpp"

namespace bench {

/// Of one training step.
struct Work {
    double operations;   ///< of the matrix products and convolutions alone, a multiplication and an addition being two
    double other_bytes;  ///< that everything else must move, if nothing stays in a cache
};

Work work_of_step(const NetworkOptions& network, std::size_t batch);

/// So many million operations on each thread, all multiply-adds of floats in the widest vectors of this processor.
void multiply_and_add(std::size_t megaflops);

/// Updates as optimisers make them, x = c x + y, walking on through arrays that no cache holds.
class MemoryStream {
   public:
    MemoryStream();

    /// Reads and writes so many million bytes, divided among the threads.
    void move(std::size_t megabytes);

   private:
    // Vectors, not Arrays: these are far larger than what the library's pool of memory is for.
    std::vector<float> x_, y_;
    std::size_t place_ = 0;
};

}  // namespace bench
