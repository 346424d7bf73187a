// Gathers the specs. By name, not by registration before main(): a linker drops what nobody names.
#include "tests/specs/registry.hpp"

#include <iterator>

namespace autograd {

const std::vector<OpSpec>& registry() {
    static const std::vector<OpSpec> specs = [] {
        std::vector<OpSpec> all;
        for (auto list :
             {specs::elementwise_specs, specs::matmul_specs, specs::linear_algebra_specs, specs::einsum_specs,
              specs::softmax_specs, specs::convolution_specs, specs::reductions_specs, specs::shape_specs, specs::view_specs,
              specs::indexing_specs, specs::scan_specs, specs::random_specs, specs::control_specs}) {
            std::vector<OpSpec> some = list();
            std::move(some.begin(), some.end(), std::back_inserter(all));
        }
        return all;
    }();
    return specs;
}

}  // namespace autograd
