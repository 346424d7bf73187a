// Makes the n-th allocation throw: of the pool's allocator, also where a waiting block would do, and of operator new, on
// whatever thread. This program's autograd/base/memory.cpp is compiled with XTAPE_INJECT_FAULTS; its operator new is here.
#pragma once

#include <cstddef>

namespace faults {

enum class Lack { momentary, lasting };

/// From now on the n-th allocation throws std::bad_alloc, counted from 1; where the lack is lasting, so do all that follow.
void arm(std::size_t n, Lack lack = Lack::momentary);
/// No more; true if a fault has happened.
bool disarm();

}  // namespace faults
