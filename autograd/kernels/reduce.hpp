// Reductions and their mirror image, broadcasting: an axis of extent 1 in the smaller array is summed over, or repeated.
// Sums of a row are pairwise, so that their error grows with the logarithm of its length. No tape here.
#pragma once

#include "autograd/base/array.hpp"
#include "autograd/kernels/layout.hpp"

namespace XTAPE_API autograd {
namespace kernels {

/// out = source summed over the axes where `out` has extent 1 or none; out's shape must broadcast to the source's.
template <class T>
void sum_to(Array<T>& out, const Array<T>& source);

/// out = the maxima over those axes, NaN where one of the elements is. No axis that is reduced may be empty.
template <class T>
void max_to(Array<T>& out, const Array<T>& source);

/// out = the minima over those axes, NaN where one of the elements is. No axis that is reduced may be empty.
template <class T>
void min_to(Array<T>& out, const Array<T>& source);

/// out = the products over those axes, 1 over an empty one.
template <class T>
void prod_to(Array<T>& out, const Array<T>& source);

/// For each (outer, inner), the index along the axis of the first of its largest elements, or of the first NaN. The
/// axis must not be empty.
template <class T>
void argmax(T* out, const T* source, const AxisView& view);
template <class T>
void argmin(T* out, const T* source, const AxisView& view);

/// out = source, repeated along the axes where it has extent 1 or none.
template <class T>
void broadcast_to(Array<T>& out, const Array<T>& source);

/// target += source, repeated as above. Never changes the target's shape.
template <class T>
void accumulate(Array<T>& target, const Array<T>& source);

/// The index of the first NaN or infinity, or the array's size.
template <class T>
std::size_t find_non_finite(const Array<T>& array);

}  // namespace kernels
}  // namespace autograd
