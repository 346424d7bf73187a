// Compiles the loops of rounding.hpp's ops, for float and double.
#include "autograd/ops/rounding.hpp"

namespace autograd {
XTAPE_ROUNDING_OPS(XTAPE_INSTANTIATE_OP)
}  // namespace autograd
