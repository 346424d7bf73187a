// Compiles the loops of special.hpp's ops, for float and double.
#include "autograd/ops/special.hpp"

namespace autograd {
XTAPE_SPECIAL_OPS(XTAPE_INSTANTIATE_OP)
}  // namespace autograd
