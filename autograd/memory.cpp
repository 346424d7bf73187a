// The free lists: one per thread and size class, so no locks. Blocks that lie in a list are poisoned for
// AddressSanitizer, which therefore still sees a use after free.
#include "autograd/memory.hpp"

#include <algorithm>
#include <array>
#include <bit>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define XTAPE_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define XTAPE_ASAN 1
#endif
#ifdef XTAPE_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace autograd {
namespace {

constexpr std::size_t exact_limit = 1024;  // up to here one class per 64 bytes, above it eight classes per octave
constexpr std::size_t exact_classes = exact_limit / buffer_alignment + 1;

struct SizeClass {
    std::size_t index;
    std::size_t bytes;
};

SizeClass size_class(std::size_t wanted) {
    const std::size_t padded = (wanted + buffer_alignment - 1) / buffer_alignment * buffer_alignment + buffer_alignment;
    if (padded <= exact_limit) return {padded / buffer_alignment, padded};
    const auto octave = static_cast<std::size_t>(std::bit_width(padded - 1)) - 1;
    const std::size_t step = std::size_t{1} << (octave - 3);
    const std::size_t bytes = (padded + step - 1) / step * step;
    const std::size_t eighth = (bytes - (std::size_t{1} << octave)) / step;  // 1 ... 8
    return {exact_classes + (octave - 10) * 8 + eighth - 1, bytes};
}

struct FreeBlock {
    FreeBlock* next;
};

enum class PoolState { fresh, open, closed };

// Trivially destructible on purpose: an Array with static storage may be destroyed after this thread's cleaner ran.
struct Pool {
    std::array<FreeBlock*, exact_classes + 8 * 54> lists{};
    MemoryStatistics statistics;
    PoolState state = PoolState::fresh;
};

thread_local constinit Pool pool{};

void poison([[maybe_unused]] void* block, [[maybe_unused]] std::size_t bytes) {
#ifdef XTAPE_ASAN
    __asan_poison_memory_region(block, bytes);
#endif
}

void unpoison([[maybe_unused]] void* block, [[maybe_unused]] std::size_t bytes) {
#ifdef XTAPE_ASAN
    __asan_unpoison_memory_region(block, bytes);
#endif
}

void free_to_heap(void* block) noexcept { ::operator delete(block, std::align_val_t{buffer_alignment}); }

struct Cleaner {
    ~Cleaner() {
        release_cached_memory();
        pool.state = PoolState::closed;
    }
    void open() { pool.state = PoolState::open; }
};

thread_local Cleaner cleaner;

}  // namespace

namespace detail {

void* pool_allocate(std::size_t wanted) {
    const auto [index, bytes] = size_class(wanted);
    auto& statistics = pool.statistics;
    void* block = pool.lists[index];
    if (block != nullptr) {
        unpoison(block, bytes);
        pool.lists[index] = static_cast<FreeBlock*>(block)->next;
        statistics.bytes_cached -= bytes;
    } else {
        block = ::operator new(bytes, std::align_val_t{buffer_alignment});
        ++statistics.heap_calls;
    }
    statistics.bytes_in_use += bytes;
    statistics.peak_bytes_in_use = std::max(statistics.peak_bytes_in_use, statistics.bytes_in_use);
    return block;
}

void pool_deallocate(void* buffer, std::size_t wanted) noexcept {
    if (buffer == nullptr) return;
    if (pool.state != PoolState::open) {
        if (pool.state == PoolState::closed) return free_to_heap(buffer);
        cleaner.open();  // constructs the thread's cleaner, which empties the lists when the thread ends
    }
    const auto [index, bytes] = size_class(wanted);
    auto* block = static_cast<FreeBlock*>(buffer);
    block->next = pool.lists[index];
    pool.lists[index] = block;
    pool.statistics.bytes_in_use -= bytes;
    pool.statistics.bytes_cached += bytes;
    poison(block, bytes);
}

}  // namespace detail

MemoryStatistics memory_statistics() { return pool.statistics; }

void release_cached_memory() {
    for (auto& list : pool.lists) {
        while (list != nullptr) {
            FreeBlock* block = list;
            unpoison(block, sizeof(FreeBlock));
            list = block->next;
            free_to_heap(block);
        }
    }
    pool.statistics.bytes_cached = 0;
}

}  // namespace autograd
