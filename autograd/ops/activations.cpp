// Compiles the loops of activations.hpp's ops, for float and double.
#include "autograd/ops/activations.hpp"

namespace autograd {
XTAPE_ACTIVATIONS_OPS(XTAPE_INSTANTIATE_OP)
}  // namespace autograd
