// Compiles the loops of powers.hpp's ops, for float and double.
#include "autograd/ops/powers.hpp"

namespace autograd {
XTAPE_POWERS_OPS(XTAPE_INSTANTIATE_OP)
}  // namespace autograd
