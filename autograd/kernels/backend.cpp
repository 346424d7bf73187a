// The parts of the line are the libraries' own words.
#include "autograd/kernels/backend.hpp"

#include "autograd/base/threads.hpp"
#include "autograd/kernels/blas.hpp"
#include "autograd/kernels/calls.hpp"
#include "autograd/kernels/onednn.hpp"
#include "autograd/kernels/simd.hpp"

namespace autograd {

std::string describe_backend() {
    const kernels::Calls calls(kernels::Library::other);
    const std::string blas = kernels::blas_in_words();
    const std::string bits = std::to_string(8 * sizeof(float) * Pack<float>::size);
    const int threads = num_threads();
    return (kernels::uses_onednn() ? "float products by " + kernels::onednn_in_words() + ", others by " + blas
                                   : "products by " + blas) +
           "; vectors of " + bits + " bits; " + std::to_string(threads) + (threads == 1 ? " thread" : " threads");
}

}  // namespace autograd
