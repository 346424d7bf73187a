// Compiles the loops of trigonometric.hpp's ops, for float and double.
#include "autograd/ops/trigonometric.hpp"

namespace autograd {
XTAPE_TRIGONOMETRIC_OPS(XTAPE_INSTANTIATE_OP)
}  // namespace autograd
