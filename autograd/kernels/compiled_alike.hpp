// All files of a program have vectors and arrays of one kind, or it does not link. What vectors they have follows from -march,
// and how arrays lie in memory from xtensor. It does not compare what changes neither, such as XTENSOR_USE_XSIMD.
#pragma once

#include "autograd/base/array.hpp"
#include "autograd/kernels/simd.hpp"

namespace XTAPE_API autograd {
namespace detail {

/// The library defines it for what the library was compiled with, and for nothing else: to a file of another kind a symbol is
/// missing, and its name says what that file has.
template <class Vectors, std::size_t bytes_of_an_array>
struct LibraryWasCompiledFor {
    static const bool as_this_file_is;
};

using CompiledAlike = LibraryWasCompiledFor<SimdArchitecture, sizeof(Array<float>)>;
template <>
XTAPE_API const bool CompiledAlike::as_this_file_is;

// Kept by compilers and, of those that know the second word, by linkers that leave out what nobody refers to.
#if __has_cpp_attribute(gnu::retain)
#define XTAPE_KEPT [[gnu::used, gnu::retain, maybe_unused]]
#else
#define XTAPE_KEPT [[gnu::used, maybe_unused]]
#endif

// In each file, whether it computes or not: what it computes another file may be given, of an inline function's copies.
XTAPE_KEPT static const bool* const compiled_alike = &CompiledAlike::as_this_file_is;

}  // namespace detail
}  // namespace autograd
