// What each op of the library is held against: the records of all of them. For the tests, the benchmarks and the table of ops;
// a program that uses the library sees nothing of it.
#pragma once

#include <vector>

#include "autograd/check/op_record.hpp"

namespace autograd {

/// All ops of the library.
[[nodiscard]] const std::vector<OpRecord>& registry();

namespace detail {

// Each in its file.
[[nodiscard]] std::vector<OpRecord> elementwise_records();
[[nodiscard]] std::vector<OpRecord> matmul_records();
[[nodiscard]] std::vector<OpRecord> linear_algebra_records();
[[nodiscard]] std::vector<OpRecord> einsum_records();
[[nodiscard]] std::vector<OpRecord> softmax_records();
[[nodiscard]] std::vector<OpRecord> convolution_records();
[[nodiscard]] std::vector<OpRecord> reductions_records();
[[nodiscard]] std::vector<OpRecord> shape_records();
[[nodiscard]] std::vector<OpRecord> indexing_records();
[[nodiscard]] std::vector<OpRecord> scan_records();
[[nodiscard]] std::vector<OpRecord> random_records();
[[nodiscard]] std::vector<OpRecord> control_records();

}  // namespace detail

}  // namespace autograd
