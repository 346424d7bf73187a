// Compiles the loops of the library's elementwise ops, for float and double.
#include "autograd/ops/elementwise.hpp"

namespace autograd::detail {

#define XTAPE_INSTANTIATE(name, arity)                                               \
    template struct Compiled<std::remove_cv_t<decltype(ops::name)>, float, arity>;   \
    template struct Compiled<std::remove_cv_t<decltype(ops::name)>, double, arity>;
XTAPE_ELEMENTWISE_OPS(XTAPE_INSTANTIATE)
#undef XTAPE_INSTANTIATE

}  // namespace autograd::detail
