// The caching allocator under every Array. A training step asks for the same sizes again and again; handing the same
// warm buffers back costs nanoseconds where fresh pages cost microseconds each. It knows bytes, not arrays.
#pragma once

#include "autograd/base/language.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>

namespace XTAPE_API autograd {

/// Every buffer starts on this boundary, and at least this many bytes past its end may be read and overwritten: loops
/// work on whole vectors and need no tail.
inline constexpr std::size_t buffer_alignment = 64;

/// What arrays do with memory, in bytes and calls. Bytes count with the padding and rounding of their buffers. What
/// other threads do while the figures are read, and since each last came to the shared cache, may be missing from them.
struct MemoryStatistics {
    /// By the calling thread. One for each region that buffers of 64 KiB to 2 MiB are cut from, and for each other
    /// buffer.
    std::uint64_t heap_calls = 0;
    std::size_t bytes_in_use = 0;       ///< handed out now, to all threads together, whichever frees them
    std::size_t peak_bytes_in_use = 0;  ///< the most of them at once since the calling thread's first buffer
    std::size_t bytes_cached = 0;       ///< waiting for the calling thread: in its own cache and the shared one
    /// In use or waiting, in all threads' caches and the one which they share. At most twice what was ever in use at
    /// once and 64 MB.
    std::size_t bytes_held = 0;
};

/// The figures of this moment, some of them the calling thread's and some the whole program's.
[[nodiscard]] MemoryStatistics memory_statistics();

/// Gives what waits in the calling thread's cache and in the shared one back to the heap; of a region in which buffers
/// are in use, the pages between them to the system. Other threads' own caches, of at most 16 MiB each, stay. The same
/// happens by itself before an allocation fails.
void release_cached_memory();

namespace detail {
[[nodiscard]] void* pool_allocate(std::size_t wanted);
void pool_deallocate(void* buffer, std::size_t wanted) noexcept;
}  // namespace detail

/// A standard allocator over these buffers. Memory may be freed on another thread than the one that asked for it.
template <class T>
struct PoolAllocator {
    using value_type = T;
    using size_type = std::size_t;
    using difference_type = std::ptrdiff_t;
    using pointer = T*;
    using const_pointer = const T*;
    using reference = T&;
    using const_reference = const T&;
    template <class U>
    struct rebind {
        using other = PoolAllocator<U>;
    };

    PoolAllocator() = default;
    template <class U>
    PoolAllocator(const PoolAllocator<U>&) noexcept {}

    /// Room for so many objects, from buffer_alignment on.
    /// @throws std::bad_alloc if there is none.
    T* allocate(std::size_t count) {
        if (count > std::numeric_limits<std::size_t>::max() / 2 / sizeof(T)) throw std::bad_array_new_length();
        return static_cast<T*>(detail::pool_allocate(count * sizeof(T)));
    }
    /// Gives back what allocate(count) gave, into the calling thread's cache.
    void deallocate(T* buffer, std::size_t count) noexcept { detail::pool_deallocate(buffer, count * sizeof(T)); }

    friend bool operator==(const PoolAllocator&, const PoolAllocator&) { return true; }
};

}  // namespace autograd
