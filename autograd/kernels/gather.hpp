// Elements picked along an axis by lists of indices, and their mirror image: elements added to the places which a list
// names, several of them to one place if it names that more than once. What is added up at one place is rounded as by
// terms_in_sequence additions, however many there are (running_sum.hpp). Indices must have been checked. No tape here.
#pragma once

#include <cstddef>

#include "autograd/kernels/layout.hpp"

namespace XTAPE_API autograd {
namespace kernels {

/// One list for the whole axis: out(i, j, :) = source(i, indices[j], :) for j < count.
template <class T>
void gather(T* out, const T* source, const AxisView& view, const std::size_t* indices, std::size_t count);

/// target(i, indices[j], :) += source(i, j, :)
template <class T>
void scatter_add(T* target, const T* source, const AxisView& view, const std::size_t* indices, std::size_t count);

/// One index for each element: out(i, j, k) = source(i, indices(i, j, k), k) for j < count.
template <class T>
void gather_along(T* out, const T* source, const AxisView& view, const std::size_t* indices, std::size_t count);

/// target(i, indices(i, j, k), k) += source(i, j, k)
template <class T>
void scatter_add_along(T* target, const T* source, const AxisView& view, const std::size_t* indices, std::size_t count);

}  // namespace kernels
}  // namespace autograd
