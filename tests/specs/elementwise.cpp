// The specs of the elementwise ops. Their documentation stands with their definitions.
#include "autograd/ops/elementwise.hpp"
#include "tests/specs/registry.hpp"

namespace autograd::detail {

std::vector<OpSpec> elementwise_specs() {
#define XTAPE_RECORD(name, arity) spec_of(ops::name),
    return {XTAPE_ELEMENTWISE_OPS(XTAPE_RECORD)};
#undef XTAPE_RECORD
}

}  // namespace autograd::detail
