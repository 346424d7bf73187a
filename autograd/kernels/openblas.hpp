// OpenBLAS's choice of its kernels for the processor: put right where it is wrong, and named. It multiplies nothing for others;
// calls.hpp is the way in.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "autograd/base/language.hpp"

namespace XTAPE_API autograd {
namespace kernels {

/// Prints, once in a process, what it costs and what to set, if OpenBLAS computes with kernels for less than the processor is.
void warn_of_slow_openblas();

/// Its version and its kernels, "OpenBLAS 0.3.21 (Cooperlake)"; empty if it is not linked.
[[nodiscard]] std::string openblas_in_words();

/// For how many it was built; 0 if it is not linked, or does not say.
[[nodiscard]] std::size_t processors_of_openblas();

/// How wide the vectors are that kernels, or a processor, count on.
enum class Vectors { narrow, avx2, avx512 };

/// Of the kernels that OpenBLAS calls by a name. The widest, where the name is not one that is known: it is newer.
[[nodiscard]] Vectors vectors_of_core(const std::string& core);

/// Of this processor, with the system's consent.
[[nodiscard]] Vectors vectors_of_processor();

/// Finds the first of `candidates` that `take` can switch to, and with which `is_right`; "" if there is none. The last that
/// was tried is then in use.
[[nodiscard]] std::string first_right_core(const std::vector<std::string>& candidates,
                                           const std::function<bool(const std::string&)>& take,
                                           const std::function<bool()>& is_right);

/// Whether products of float and double, with all transpositions, of extents at and beside the edges of kernels, and a
/// Cholesky decomposition are what plain loops make of whole numbers.
/// It takes a few milliseconds.
[[nodiscard]] bool openblas_computes_right();

}  // namespace kernels
}  // namespace autograd
