// Gathers the records. By name, not by registration before main(): a linker drops what nobody names.
#include "tests/specs/registry.hpp"

#include <iterator>

namespace autograd {

const std::vector<OpRecord>& registry() {
    static const std::vector<OpRecord> records = [] {
        std::vector<OpRecord> all;
        for (auto list : {detail::elementwise_records, detail::matmul_records, detail::linear_algebra_records,
                          detail::einsum_records, detail::softmax_records, detail::convolution_records,
                          detail::reductions_records, detail::shape_records, detail::indexing_records,
                          detail::scan_records, detail::random_records, detail::control_records}) {
            std::vector<OpRecord> some = list();
            std::move(some.begin(), some.end(), std::back_inserter(all));
        }
        return all;
    }();
    return records;
}

}  // namespace autograd
