// Compiles the loops of comparisons.hpp's ops, for float and double.
#include "autograd/ops/comparisons.hpp"

namespace autograd {
XTAPE_COMPARISONS_OPS(XTAPE_INSTANTIATE_OP)
}  // namespace autograd
