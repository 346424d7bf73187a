// The number of threads that xtape uses: one setting, for everything in it that runs on several. It is
// kept beside what it sets, in kernels/blas.cpp.
#pragma once

namespace autograd {

/// Results repeat bit for bit for the same number of threads.
/// @throws Error if `count` is less than 1.
void set_num_threads(int count);

int num_threads();

}  // namespace autograd
