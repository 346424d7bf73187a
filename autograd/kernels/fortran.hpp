// The routines of BLAS and LAPACK that are called here, by Fortran's names, which all of these libraries have. Declares them,
// and calls none. Matrices are stored by columns; behind all arguments come the lengths of those which are characters.
#pragma once

#include <cstddef>
#include <type_traits>

#include "autograd/base/language.hpp"

extern "C" {
void sgemm_(const char*, const char*, const int*, const int*, const int*, const float*, const float*, const int*, const float*,
            const int*, const float*, float*, const int*, std::size_t, std::size_t);
void dgemm_(const char*, const char*, const int*, const int*, const int*, const double*, const double*, const int*,
            const double*, const int*, const double*, double*, const int*, std::size_t, std::size_t);
void sgetrf_(const int*, const int*, float*, const int*, int*, int*);
void dgetrf_(const int*, const int*, double*, const int*, int*, int*);
void sgetrs_(const char*, const int*, const int*, const float*, const int*, const int*, float*, const int*, int*, std::size_t);
void dgetrs_(const char*, const int*, const int*, const double*, const int*, const int*, double*, const int*, int*,
             std::size_t);
void strtrs_(const char*, const char*, const char*, const int*, const int*, const float*, const int*, float*, const int*, int*,
             std::size_t, std::size_t, std::size_t);
void dtrtrs_(const char*, const char*, const char*, const int*, const int*, const double*, const int*, double*, const int*,
             int*, std::size_t, std::size_t, std::size_t);
void spotrf_(const char*, const int*, float*, const int*, int*, std::size_t);
void dpotrf_(const char*, const int*, double*, const int*, int*, std::size_t);
void ssyevd_(const char*, const char*, const int*, float*, const int*, float*, float*, const int*, int*, const int*, int*,
             std::size_t, std::size_t);
void dsyevd_(const char*, const char*, const int*, double*, const int*, double*, double*, const int*, int*, const int*, int*,
             std::size_t, std::size_t);
}

namespace XTAPE_API autograd {
namespace kernels {

/// The routine for T.
template <class T, class S, class D>
auto choose(S in_float, D in_double) {
    if constexpr (std::is_same_v<T, float>) {
        return in_float;
    } else {
        return in_double;
    }
}

}  // namespace kernels
}  // namespace autograd
