// The free-list allocator under every Array. A training step asks for the same sizes again and again; handing the same
// warm buffers back costs nanoseconds where fresh pages cost microseconds each. It knows bytes, not arrays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>

namespace autograd {

/// Every buffer starts on this boundary, and at least this many bytes past its end may be read and overwritten: loops
/// work on whole vectors and need no tail.
inline constexpr std::size_t buffer_alignment = 64;

/// What the calling thread's pool has done so far, in bytes and calls.
struct MemoryStatistics {
    /// One for each region that buffers of 64 KiB to 2 MiB are cut from, and for each other buffer.
    std::uint64_t heap_calls = 0;
    std::size_t bytes_in_use = 0;  ///< handed out now
    std::size_t peak_bytes_in_use = 0;
    std::size_t bytes_cached = 0;  ///< waiting in free lists
};

MemoryStatistics memory_statistics();

/// Gives the calling thread's waiting buffers back to the heap. Of those that were cut from a region it gives back the
/// region, 8 MiB, if all of them are waiting here; else they go on waiting. A thread that ends gives back its share of a
/// region, and the last of its buffers to be freed the region itself.
void release_cached_memory();

namespace detail {
void* pool_allocate(std::size_t bytes);
void pool_deallocate(void* buffer, std::size_t bytes) noexcept;
}  // namespace detail

/// A standard allocator over the calling thread's free lists. Memory may be freed on another thread than its own.
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

    T* allocate(std::size_t count) {
        if (count > std::numeric_limits<std::size_t>::max() / 2 / sizeof(T)) throw std::bad_array_new_length();
        return static_cast<T*>(detail::pool_allocate(count * sizeof(T)));
    }
    void deallocate(T* buffer, std::size_t count) noexcept { detail::pool_deallocate(buffer, count * sizeof(T)); }

    friend bool operator==(const PoolAllocator&, const PoolAllocator&) { return true; }
};

}  // namespace autograd
