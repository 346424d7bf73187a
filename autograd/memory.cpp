// The free lists: one per thread and size class, so no locks. Blocks that lie in a list are poisoned for
// AddressSanitizer, which therefore still sees a use after free. Large blocks are cut from arenas of huge pages.
#include "autograd/memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

// g++'s name first: some headers define a __has_feature for it that is always 0.
#if defined(__SANITIZE_ADDRESS__)
#define XTAPE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define XTAPE_ASAN 1
#endif
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

std::size_t bytes_of_class(std::size_t index) {
    if (index < exact_classes) return index * buffer_alignment;
    const std::size_t eighths = index - exact_classes;
    return (8 + eighths % 8 + 1) << (eighths / 8 + 7);
}

struct FreeBlock {
    FreeBlock* next;
};

/// A region that large blocks are cut from, for which the system is asked for pages of 2 MB: in pages of 4 KB, the arrays
/// of a training step (13 MB in the example) are more than the processor's table of pages has entries for. It begins
/// with this header, at a multiple of its size, by which its blocks find it, and is freed with the last of them.
struct Arena {
    static constexpr std::size_t bytes = std::size_t{1} << 23;
    static constexpr std::size_t header_bytes = buffer_alignment;
    static constexpr std::size_t smallest_block = std::size_t{1} << 16, largest_block = bytes / 4;

    std::atomic<std::size_t> users{1};  // blocks, and the thread that cuts them

    static bool has_blocks_of(std::size_t size) {
#ifdef XTAPE_ASAN
        constexpr bool may_have = false;  // the sanitizer is to see what is written past the end of one
#else
        constexpr bool may_have = true;
#endif
        return may_have && size >= smallest_block && size <= largest_block;
    }
    static Arena* make() {
        void* memory = ::operator new(bytes, std::align_val_t{bytes});
#ifdef MADV_HUGEPAGE
        madvise(memory, bytes, MADV_HUGEPAGE);  // a wish: where it fails, pages are small
#endif
        return std::construct_at(static_cast<Arena*>(memory));
    }
    static Arena* of(void* block) {
        const auto offset = reinterpret_cast<std::uintptr_t>(block) % bytes;
        return reinterpret_cast<Arena*>(static_cast<std::byte*>(block) - offset);
    }
    void release() noexcept {
        if (users.fetch_sub(1) == 1) ::operator delete(this, std::align_val_t{bytes});
    }
};
static_assert(sizeof(Arena) <= Arena::header_bytes);

enum class PoolState { fresh, open, closed };

// Trivially destructible on purpose: an Array with static storage may be destroyed after this thread's cleaner ran.
struct Pool {
    std::array<FreeBlock*, exact_classes + 8 * 54> lists{};
    Arena* arena = nullptr;  // which blocks are being cut from
    std::size_t arena_used = 0;
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

void free_to_heap(void* block, std::size_t bytes) noexcept {
    if (Arena::has_blocks_of(bytes)) return Arena::of(block)->release();
    ::operator delete(block, std::align_val_t{buffer_alignment});
}

void leave_arena() noexcept {
    if (pool.arena != nullptr) std::exchange(pool.arena, nullptr)->release();
}

/// Gives waiting blocks back: all of them, or, of arenas, those whose arena goes with them. The others are kept, to be
/// used again: their arena's memory would be lost until the last of its blocks is freed.
void give_back(bool all) {
    std::unordered_map<Arena*, std::size_t> waiting;
    for (std::size_t index = 0; index < pool.lists.size() && !all; ++index) {
        if (!Arena::has_blocks_of(bytes_of_class(index))) continue;
        for (FreeBlock* block = pool.lists[index]; block != nullptr; block = block->next) ++waiting[Arena::of(block)];
    }
    std::erase_if(waiting, [](const auto& each) {
        return each.first->users != each.second + (each.first == pool.arena ? 1 : 0);
    });
    for (std::size_t index = 0; index < pool.lists.size(); ++index) {
        const std::size_t bytes = bytes_of_class(index);
        const bool may_stay = !all && Arena::has_blocks_of(bytes);
        for (FreeBlock** link = &pool.lists[index]; *link != nullptr;) {
            FreeBlock* block = *link;
            if (may_stay && !waiting.contains(Arena::of(block))) {
                link = &block->next;
                continue;
            }
            unpoison(block, sizeof(FreeBlock));
            *link = block->next;
            pool.statistics.bytes_cached -= bytes;
            free_to_heap(block, bytes);
        }
    }
    if (all || (pool.arena != nullptr && pool.arena->users == 1)) leave_arena();
}

struct Cleaner {
    ~Cleaner() {
        give_back(true);
        pool.state = PoolState::closed;
    }
};

thread_local Cleaner cleaner;

/// Sees to it that the thread's lists and arena are given back when it ends; false if that has been.
bool open_pool() {
    if (pool.state == PoolState::fresh) {
        static_cast<void>(&cleaner);  // which constructs it
        pool.state = PoolState::open;
    }
    return pool.state == PoolState::open;
}

void* allocate_from_heap(std::size_t bytes) {
    // Opened before the first Array is there: one with static storage is freed after all that a thread still cleans up.
    const bool is_open = open_pool();
    if (!Arena::has_blocks_of(bytes)) {
        ++pool.statistics.heap_calls;
        return ::operator new(bytes, std::align_val_t{buffer_alignment});
    }
    if (pool.arena == nullptr || Arena::bytes - pool.arena_used < bytes) {
        Arena* fresh = Arena::make();
        ++pool.statistics.heap_calls;
        leave_arena();
        pool.arena = fresh;
        pool.arena_used = Arena::header_bytes;
    }
    ++pool.arena->users;
    void* block = reinterpret_cast<std::byte*>(pool.arena) + pool.arena_used;
    pool.arena_used += bytes;
    if (!is_open) leave_arena();
    return block;
}

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
        block = allocate_from_heap(bytes);
    }
    statistics.bytes_in_use += bytes;
    statistics.peak_bytes_in_use = std::max(statistics.peak_bytes_in_use, statistics.bytes_in_use);
    return block;
}

void pool_deallocate(void* buffer, std::size_t wanted) noexcept {
    if (buffer == nullptr) return;
    const auto [index, bytes] = size_class(wanted);
    if (!open_pool()) return free_to_heap(buffer, bytes);
    auto* block = static_cast<FreeBlock*>(buffer);
    block->next = pool.lists[index];
    pool.lists[index] = block;
    pool.statistics.bytes_in_use -= bytes;
    pool.statistics.bytes_cached += bytes;
    poison(block, bytes);
}

}  // namespace detail

MemoryStatistics memory_statistics() { return pool.statistics; }

void release_cached_memory() { give_back(false); }

}  // namespace autograd
