// Compiles the loops of losses.hpp's ops, for float and double.
#include "nn/losses.hpp"

#include <fmt/format.h>

namespace nn::detail {

void require_same_shape(const char* function, const char* a_name, const autograd::Shape& a, const char* b_name,
                        const autograd::Shape& b) {
    if (a == b) return;
    throw autograd::ShapeError(fmt::format(
        "{}: {} of shape {} and {} of shape {}: expected equal shapes; broadcast_to says it where broadcasting is meant",
        function, a_name, autograd::to_string(a), b_name, autograd::to_string(b)));
}

}  // namespace nn::detail

XTAPE_LOSSES(XTAPE_INSTANTIATE_LOOPS)
