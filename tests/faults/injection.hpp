// Makes the n-th allocation throw: of the pool's allocator, also where a waiting block would do, and of operator new, on
// whatever thread. This program's autograd/memory.cpp is compiled with XTAPE_INJECT_FAULTS; its operator new is here.
#pragma once

#include <cstddef>

namespace faults {

/// From now on the n-th allocation throws std::bad_alloc, counted from 1; those after it do not.
void arm(std::size_t n);
/// No more; true if the fault has happened.
bool disarm();

}  // namespace faults
