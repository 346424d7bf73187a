// Gathers the specs. By name, not by registration before main(): a linker drops what nobody names.
#include "tests/specs/registry.hpp"

#include <iterator>

namespace autograd {

const std::vector<OpSpec>& registry() {
    static const std::vector<OpSpec> specs = [] {
        std::vector<OpSpec> all;
        for (auto list : {detail::elementwise_specs, detail::matmul_specs, detail::linear_algebra_specs,
                          detail::einsum_specs, detail::softmax_specs, detail::convolution_specs,
                          detail::reductions_specs, detail::shape_specs, detail::indexing_specs,
                          detail::scan_specs, detail::random_specs, detail::control_specs}) {
            std::vector<OpSpec> some = list();
            std::move(some.begin(), some.end(), std::back_inserter(all));
        }
        return all;
    }();
    return specs;
}

}  // namespace autograd
