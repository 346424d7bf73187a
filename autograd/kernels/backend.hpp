// Which libraries compute the products of matrices, said in a line. The choice itself is blas.cpp's.
#pragma once

#include <string>

#include "autograd/base/language.hpp"

namespace XTAPE_API autograd {

/// One line: the libraries that multiply, float and double, with their versions, the kernels which they chose for this
/// processor, the width of the vectors that elementwise work is compiled for, and the number of threads. With all of these
/// the same, results repeat bit for bit.
[[nodiscard]] std::string describe_backend();

}  // namespace autograd
