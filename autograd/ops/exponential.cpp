// Compiles the loops of exponential.hpp's ops, for float and double.
#include "autograd/ops/exponential.hpp"

namespace autograd {
XTAPE_EXPONENTIAL_OPS(XTAPE_INSTANTIATE_OP)
}  // namespace autograd
