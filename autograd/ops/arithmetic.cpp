// Compiles the loops of arithmetic.hpp's ops, for float and double.
#include "autograd/ops/arithmetic.hpp"

namespace autograd {
XTAPE_ARITHMETIC_OPS(XTAPE_INSTANTIATE_OP)
}  // namespace autograd
