// What each op of the library is held against: the specs of all of them. For the tests, the benchmarks and the table of ops;
// a program that uses the library sees nothing of it.
#pragma once

#include <vector>

#include "autograd/check/op_spec.hpp"

namespace autograd {

/// All ops of the library.
[[nodiscard]] const std::vector<OpSpec>& registry();

namespace specs {

// Each in its file.
[[nodiscard]] std::vector<OpSpec> elementwise_specs();
[[nodiscard]] std::vector<OpSpec> matmul_specs();
[[nodiscard]] std::vector<OpSpec> linear_algebra_specs();
[[nodiscard]] std::vector<OpSpec> einsum_specs();
[[nodiscard]] std::vector<OpSpec> softmax_specs();
[[nodiscard]] std::vector<OpSpec> convolution_specs();
[[nodiscard]] std::vector<OpSpec> reductions_specs();
[[nodiscard]] std::vector<OpSpec> shape_specs();
[[nodiscard]] std::vector<OpSpec> view_specs();
[[nodiscard]] std::vector<OpSpec> indexing_specs();
[[nodiscard]] std::vector<OpSpec> scan_specs();
[[nodiscard]] std::vector<OpSpec> random_specs();
[[nodiscard]] std::vector<OpSpec> control_specs();

}  // namespace specs

}  // namespace autograd
