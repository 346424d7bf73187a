// Two caches, one behind the other. Each thread has lists of its own, which need no lock. What does not fit into them
// goes to a cache that all threads share, and comes from there when a thread's list is empty: so a buffer comes back to
// use whoever frees it. The shared cache also keeps the account, and the rule of how much may wait. Buffers of 64 KiB
// to 2 MiB are cut from regions of huge pages. What waits is poisoned for AddressSanitizer, which so still sees a use
// after free.
#include "autograd/base/memory.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
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

constexpr SizeClass size_class(std::size_t wanted) {
    const std::size_t padded = (wanted + buffer_alignment - 1) / buffer_alignment * buffer_alignment + buffer_alignment;
    if (padded <= exact_limit) return {padded / buffer_alignment, padded};
    const auto octave = static_cast<std::size_t>(std::bit_width(padded - 1)) - 1;
    const std::size_t step = std::size_t{1} << (octave - 3);
    const std::size_t bytes = (padded + step - 1) / step * step;
    const std::size_t eighth = (bytes - (std::size_t{1} << octave)) / step;  // 1 ... 8
    return {exact_classes + (octave - 10) * 8 + eighth - 1, bytes};
}

constexpr std::size_t bytes_of_class(std::size_t index) {
    if (index < exact_classes) return index * buffer_alignment;
    const std::size_t eighths = index - exact_classes;
    return (8 + eighths % 8 + 1) << (eighths / 8 + 7);
}

constexpr std::size_t all_classes = exact_classes + std::size_t{8} * 54;

// --- What the threads' caches may hold

// What is held in all is at most twice what was ever in use at once and 64 MB. The shared cache can always be emptied, the
// threads' own cannot. So these have a budget in all, 32 MiB and half of what was ever in use at once, and of it a thread is
// given more, doubling, as it needs it.

constexpr std::size_t smallest_limit = std::size_t{1} << 18, largest_limit = std::size_t{1} << 24;
constexpr std::size_t smallest_budget = std::size_t{1} << 25;
constexpr std::size_t held_beyond_twice_the_most = 60'000'000;

/// What a thread takes from the shared cache at once, so that it need not come for each small buffer: bytes, buffers.
constexpr std::size_t batch_bytes = std::size_t{1} << 16, batch_buffers = 64;

// --- A waiting buffer

/// How a buffer begins while it waits.
struct Waiting {
    Waiting* next;       // in its list
    Waiting* next_list;  // and of the first of a list in the shared cache: the list below it
};

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

Waiting read(Waiting* block) {
    unpoison(block, sizeof(Waiting));
    const Waiting copy = *block;
    poison(block, sizeof(Waiting));
    return copy;
}

void write(Waiting* block, Waiting value) {
    unpoison(block, sizeof(Waiting));
    *block = value;
    poison(block, sizeof(Waiting));
}

std::size_t page_size() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

/// Gives the whole pages within a range back to the system, which keeps the addresses: their content is lost.
void drop_pages(void* begin, std::size_t bytes) noexcept {
    const std::size_t page = page_size();
    const auto offset = (page - reinterpret_cast<std::uintptr_t>(begin) % page) % page;
    if (bytes < offset + page) return;
    madvise(static_cast<std::byte*>(begin) + offset, (bytes - offset) / page * page, MADV_DONTNEED);
}

// --- Regions

/// A region that large blocks are cut from, for which the system is asked for pages of 2 MB: in pages of 4 KB, the
/// arrays of a training step (13 MB in the example) are more than the processor's table of pages has entries for. It
/// begins with this header, at a multiple of its size, by which its blocks find it. All under the shared cache's lock.
struct Region {
    static constexpr std::size_t bytes = std::size_t{1} << 23;
    static constexpr std::size_t smallest_block = std::size_t{1} << 16, largest_block = bytes / 4;
    static constexpr std::size_t unit = smallest_block / 8;  // a divisor of all classes from there on
    static constexpr std::size_t units = bytes / unit;
    using Bits = std::array<std::uint64_t, units / 64>;  // one for each unit

    Bits used{1};     // handed out; the first is this header's
    Bits present{1};  // has memory behind it, as far as we know: was handed out, and not dropped since
    std::size_t free = units - 1;
    std::size_t room = units - 1;  // no run of free units is longer
    std::size_t shelf = 0;         // where the shared cache keeps it
    Region* next = nullptr;
    Region* previous = nullptr;

    static bool has_blocks_of(std::size_t size) {
#ifdef XTAPE_ASAN
        constexpr bool may_have = false;  // the sanitizer is to see what is written past the end of one
#else
        constexpr bool may_have = true;
#endif
        return may_have && size >= smallest_block && size <= largest_block;
    }
    static Region* of(void* block) {
        const auto offset = reinterpret_cast<std::uintptr_t>(block) % bytes;
        return reinterpret_cast<Region*>(static_cast<std::byte*>(block) - offset);
    }
    void* address(std::size_t place) { return reinterpret_cast<std::byte*>(this) + place * unit; }
    std::size_t place(void* block) const {
        return static_cast<std::size_t>(static_cast<std::byte*>(block) - reinterpret_cast<const std::byte*>(this)) / unit;
    }
    bool is_empty() const { return free == units - 1; }

    /// The first unit from `from` on whose bit is `value`; `units` if there is none.
    static std::size_t find(const Bits& bits, std::size_t from, bool value) {
        std::size_t word = from / 64;
        for (std::uint64_t mask = ~std::uint64_t{0} << from % 64; word < bits.size(); ++word, mask = ~std::uint64_t{0}) {
            const std::uint64_t found = (value ? bits[word] : ~bits[word]) & mask;
            if (found != 0) return word * 64 + static_cast<std::size_t>(std::countr_zero(found));
        }
        return units;
    }
    /// Sets `count` bits; how many had been otherwise.
    static std::size_t set(Bits& bits, std::size_t from, std::size_t count, bool value) {
        std::size_t changed = 0;
        for (const std::size_t end = from + count; from < end;) {
            const std::size_t length = std::min(64 - from % 64, end - from);
            const std::uint64_t mask = (~std::uint64_t{0} >> (64 - length)) << from % 64;
            std::uint64_t& word = bits[from / 64];
            changed += static_cast<std::size_t>(std::popcount((value ? ~word : word) & mask));
            word = value ? word | mask : word & ~mask;
            from += length;
        }
        return changed;
    }
    /// The first place of `count` free units in a row, or `units`; then `room` is known.
    std::size_t find_room(std::size_t count) {
        std::size_t longest = 0;
        for (std::size_t begin = find(used, 0, false); begin < units;) {
            const std::size_t end = find(used, begin, true);
            if (end - begin >= count) return begin;
            longest = std::max(longest, end - begin);
            begin = find(used, end, false);
        }
        room = longest;
        return units;
    }
    /// Gives the memory of free units back to the system, in whole pages; how much, in bytes.
    std::size_t drop_free_units() {
        const std::size_t page = std::max<std::size_t>(page_size() / unit, 1);  // in units
        std::size_t dropped = 0;
        Bits waiting;
        for (std::size_t word = 0; word < waiting.size(); ++word) waiting[word] = present[word] & ~used[word];
        for (std::size_t begin = find(waiting, 0, true); begin < units;) {
            const std::size_t end = find(waiting, begin, false);
            const std::size_t first = (begin + page - 1) / page * page, last = end / page * page;
            if (first < last) {
                drop_pages(address(first), (last - first) * unit);
                dropped += set(present, first, last - first, false) * unit;
            }
            begin = find(waiting, end, true);
        }
        return dropped;
    }
};
static_assert(sizeof(Region) <= Region::unit);

void free_to_heap(void* block, std::size_t bytes) noexcept {
    unpoison(block, sizeof(Waiting));
    // The heap may keep what it gets, and its addresses with it, but not its pages.
    if (bytes > Region::largest_block) drop_pages(block, bytes);
    ::operator delete(block, std::align_val_t{buffer_alignment});
}

void free_to_heap(Region* region) noexcept {
    drop_pages(region, Region::bytes);
    ::operator delete(region, std::align_val_t{Region::bytes});
}

// --- A thread's cache

struct alignas(64) Pool {
    static constexpr std::size_t classes = size_class(largest_limit - 2 * buffer_alignment).index + 1;

    std::array<Waiting*, classes> lists{};  // the first of each
    std::atomic<std::size_t> cached{0};     // bytes; written by its thread alone, which so needs no atomic operation
    std::size_t lowest = 0;                 // of `cached`, since the thread last came to the shared cache
    std::size_t limit = 0;                  // of `cached`
    // Under the shared cache's lock:
    std::size_t peak = 0;   // what was in use at most, in all threads together
    std::size_t level = 0;  // what was in use when the thread was last here, and `cached` then
    Pool* next = nullptr;

    void set_cached(std::size_t bytes) { cached.store(bytes, std::memory_order_relaxed); }
    std::size_t get_cached() const { return cached.load(std::memory_order_relaxed); }
};

// --- The shared cache

/// Trivially destructible on purpose: an Array with static storage may be destroyed after everything else.
struct SharedCache {
    std::mutex mutex;  // of all below

    /// Lists of waiting buffers of one class; by `last_use` is known what has been waiting for long.
    struct Stack {
        Waiting* top = nullptr;
        std::uint64_t last_use = 0;
    };
    std::array<Stack, all_classes> stacks{};
    std::array<Region*, std::bit_width(Region::units)> shelves{};  // by the bits of their room
    std::uint64_t last_use_of_an_empty_region = 0;
    std::uint64_t uses = 0;

    std::size_t held = 0;     // bytes in use or waiting anywhere
    std::size_t waiting = 0;  // of them, here
    std::size_t most_in_use = 0;
    std::size_t granted = 0;  // the sum of the threads' limits
    Pool* pools = nullptr;
    bool is_program_ending = false;

    /// Brings the peaks up to date: to be called before and after a thread takes from here or gives to it.
    std::size_t look(Pool* own) {
        std::size_t cached = 0;
        for (const Pool* pool = pools; pool != nullptr; pool = pool->next) cached += pool->get_cached();
        // What moves from one thread to another meanwhile may have been seen in the caches of both.
        const std::size_t in_use = held - waiting - std::min(held - waiting, cached);
        most_in_use = std::max(most_in_use, in_use);
        std::size_t peak = in_use;
        if (own != nullptr) {
            // What was in use when the thread's cache was lowest, if the others did nothing meanwhile: then both are
            // equal.
            const std::size_t level = in_use + own->get_cached();
            peak = std::max(peak, std::min(own->level, level) - own->lowest);
            own->level = level;
            own->lowest = own->get_cached();
        }
        for (Pool* pool = pools; pool != nullptr; pool = pool->next) pool->peak = std::max(pool->peak, peak);
        return in_use;
    }

    /// What is held has grown.
    void keep_the_rule(Pool* own) {
        look(own);
        const std::size_t bound = 2 * most_in_use + held_beyond_twice_the_most;
        if (held > bound) give_back(held - bound);
    }

    /// A block that waits here, or null. More of its class may come into the thread's own list.
    void* take(SizeClass wanted, Pool* own) {
        if (Region::has_blocks_of(wanted.bytes)) return cut(wanted.bytes / Region::unit);
        Stack& stack = stacks[wanted.index];
        if (stack.top == nullptr) return nullptr;
        stack.last_use = ++uses;
        Waiting* const first = pop(stack);
        std::size_t most = 0;  // that come along
        if (own != nullptr && wanted.index < Pool::classes) {
            const std::size_t bytes = std::min(batch_bytes, own->limit - std::min(own->limit, own->get_cached()));
            most = std::min(batch_buffers, bytes / wanted.bytes);
        }
        Waiting* last = first;
        std::size_t along = 0;
        for (Waiting* next; along < most && (next = read(last).next) != nullptr; ++along) last = next;
        if (Waiting* rest = read(last).next; rest != nullptr) push(stack, rest);
        write(last, {});
        waiting -= (1 + along) * wanted.bytes;
        if (along > 0) {
            own->lists[wanted.index] = read(first).next;
            own->set_cached(own->get_cached() + along * wanted.bytes);
        }
        unpoison(first, wanted.bytes);
        return first;
    }

    void* cut(std::size_t units) {
        for (auto shelf = static_cast<std::size_t>(std::bit_width(units)); shelf < shelves.size(); ++shelf) {
            for (Region *region = shelves[shelf], *next; region != nullptr; region = next) {
                next = region->next;
                const std::size_t place = region->room < units ? Region::units : region->find_room(units);
                if (place < Region::units) {
                    if (region->is_empty()) last_use_of_an_empty_region = ++uses;
                    Region::set(region->used, place, units, true);
                    const std::size_t fresh = Region::set(region->present, place, units, true);
                    held += fresh * Region::unit;
                    waiting -= (units - fresh) * Region::unit;
                    region->free -= units;
                    region->room = std::min(region->room, region->free);
                    put_on_shelf(region);
                    return region->address(place);
                }
                put_on_shelf(region);
            }
        }
        return nullptr;
    }

    void put(void* block, SizeClass size) {
        waiting += size.bytes;
        if (Region::has_blocks_of(size.bytes)) return unite(block, size);
        write(static_cast<Waiting*>(block), {});
        push(stacks[size.index], static_cast<Waiting*>(block));
    }

    void unite(void* block, SizeClass size) {
        Region* region = Region::of(block);
        Region::set(region->used, region->place(block), size.bytes / Region::unit, false);
        region->free += size.bytes / Region::unit;
        region->room = region->free;
        put_on_shelf(region);
    }

    void put_all(Pool& own) {
        waiting += own.get_cached();
        for (std::size_t index = 0; index < Pool::classes; ++index) {
            Waiting* first = std::exchange(own.lists[index], nullptr);
            if (first == nullptr) continue;
            const SizeClass size{index, bytes_of_class(index)};
            if (!Region::has_blocks_of(size.bytes)) {
                push(stacks[index], first);
                continue;
            }
            for (Waiting *block = first, *next; block != nullptr; block = next) {
                next = block->next;
                unite(block, size);
            }
        }
        own.set_cached(0);
        own.lowest = 0;
    }

    /// The thread has more than it may cache.
    void relieve(Pool& own) {
        while (own.get_cached() > own.limit) {
            const std::size_t left = smallest_budget + most_in_use / 2 - granted;
            const std::size_t more = own.limit == 0 ? smallest_limit : own.limit;
            // Nobody takes the last half but threads that have nothing.
            if (own.limit + more > largest_limit || more > (own.limit == 0 ? left : left / 2)) return put_all(own);
            granted += more;
            own.limit += more;
        }
    }

    /// Gives so many bytes that wait here back, as far as there are as many: what was last used the longest ago first.
    void give_back(std::size_t bytes) {
        const std::size_t end = held - std::min(held, bytes);
        while (held > end && give_back_the_oldest(end)) continue;
        for (std::size_t shelf = 1; shelf < shelves.size(); ++shelf) {
            for (Region* region = shelves[shelf]; region != nullptr && held > end; region = region->next) {
                const std::size_t dropped = region->drop_free_units();
                held -= dropped;
                waiting -= dropped;
            }
        }
    }

    bool give_back_the_oldest(std::size_t end) {
        Stack* oldest = nullptr;
        for (Stack& stack : stacks) {
            if (stack.top != nullptr && (oldest == nullptr || stack.last_use < oldest->last_use)) oldest = &stack;
        }
        if (oldest == nullptr || last_use_of_an_empty_region < oldest->last_use) {
            for (Region* region = shelves.back(); region != nullptr; region = region->next) {
                if (!region->is_empty()) continue;
                give_back(region);
                return true;
            }
        }
        if (oldest == nullptr) return false;
        const std::size_t bytes = bytes_of_class(static_cast<std::size_t>(oldest - stacks.data()));
        Waiting* first = pop(*oldest);
        while (first != nullptr && held > end) {
            Waiting* block = std::exchange(first, read(first).next);
            held -= bytes;
            waiting -= bytes;
            free_to_heap(block, bytes);
        }
        if (first != nullptr) push(*oldest, first);
        return true;
    }

    void give_back(Region* region) {
        const std::size_t present = (Region::set(region->present, 1, Region::units - 1, false)) * Region::unit;
        held -= present;
        waiting -= present;
        take_off_shelf(region);
        free_to_heap(region);
    }

    /// For a thread that caches nothing any more.
    void put_to_heap(void* block, SizeClass size) {
        put(block, size);
        if (Region::has_blocks_of(size.bytes)) {
            if (Region::of(block)->is_empty()) give_back(Region::of(block));
        } else {
            pop(stacks[size.index]);
            held -= size.bytes;
            waiting -= size.bytes;
            free_to_heap(block, size.bytes);
        }
    }

    static void push(Stack& stack, Waiting* first) {
        write(first, {read(first).next, stack.top});
        stack.top = first;
    }
    static Waiting* pop(Stack& stack) {
        Waiting* first = stack.top;
        stack.top = read(first).next_list;
        return first;
    }

    void take_off_shelf(Region* region) {
        (region->previous == nullptr ? shelves[region->shelf] : region->previous->next) = region->next;
        if (region->next != nullptr) region->next->previous = region->previous;
    }
    void put_on_shelf(Region* region, bool is_new = false) {
        const auto shelf = static_cast<std::size_t>(std::bit_width(region->room));
        if (!is_new && shelf == region->shelf) return;
        if (!is_new) take_off_shelf(region);
        region->shelf = shelf;
        region->previous = nullptr;
        region->next = shelves[shelf];
        if (region->next != nullptr) region->next->previous = region;
        shelves[shelf] = region;
    }
};

constinit SharedCache shared{};

/// Empties the shared cache at the program's end, or where a plugin is unloaded, and after it what late threads leave.
struct AtEnd {
    ~AtEnd() {
        const std::lock_guard lock(shared.mutex);
        shared.is_program_ending = true;
        shared.give_back(shared.held);
    }
} at_end;

// --- The calling thread

/// Small and looked up without a call, also from a shared library: the model takes its bytes from the space that the
/// program's loader keeps for libraries which are loaded later, and that is short.
struct Here {
    Pool* pool = nullptr;
    std::uint64_t heap_calls = 0;
    bool is_closed = false;  // the thread has cleaned up: what it frees from now on goes to the heap
};
[[gnu::tls_model("initial-exec")]] thread_local constinit Here here{};

struct Cleaner {
    ~Cleaner() {
        Pool* own = here.pool;
        here.pool = nullptr;
        here.is_closed = true;
        const std::lock_guard lock(shared.mutex);
        shared.look(own);
        shared.put_all(*own);
        if (shared.is_program_ending) shared.give_back(shared.held);
        shared.granted -= own->limit;
        Pool** link = &shared.pools;
        while (*link != own) link = &(*link)->next;
        *link = own->next;
        delete own;
    }
};

thread_local Cleaner cleaner;

/// The calling thread's cache, made at its first buffer; null if it has ended, or there is no memory for one.
Pool* open_pool() {
    if (here.pool != nullptr || here.is_closed) return here.pool;
    // A child process keeps, unused, the caches of threads that it does not have; nobody holds the lock there.
    [[maybe_unused]] static const int registered =
        pthread_atfork([] { shared.mutex.lock(); }, [] { shared.mutex.unlock(); }, [] { shared.mutex.unlock(); });
    Pool* fresh = new (std::nothrow) Pool;
    if (fresh == nullptr) return nullptr;
    static_cast<void>(&cleaner);  // which constructs it
    here.pool = fresh;
    const std::lock_guard lock(shared.mutex);
    fresh->next = shared.pools;
    shared.pools = fresh;
    return fresh;
}

void* from_heap(std::size_t bytes, std::size_t alignment) {
    ++here.heap_calls;
    try {
        return ::operator new(bytes, std::align_val_t{alignment});
    } catch (const std::bad_alloc&) {
        release_cached_memory();
        return ::operator new(bytes, std::align_val_t{alignment});
    }
}

// These are given what the caller was, not its class, which then stays in registers on the way that is short.
[[gnu::noinline]] void* allocate_slowly(std::size_t wanted) {
    const SizeClass size = size_class(wanted);
    Pool* own = open_pool();
    {
        const std::lock_guard lock(shared.mutex);
        shared.look(own);
        if (void* block = shared.take(size, own)) {
            shared.keep_the_rule(own);
            return block;
        }
    }
    if (!Region::has_blocks_of(size.bytes)) {
        void* block = from_heap(size.bytes, buffer_alignment);
        const std::lock_guard lock(shared.mutex);
        shared.held += size.bytes;
        shared.keep_the_rule(own);
        return block;
    }
    void* memory = from_heap(Region::bytes, Region::bytes);
#ifdef MADV_HUGEPAGE
    madvise(memory, Region::bytes, MADV_HUGEPAGE);  // a wish: where it fails, pages are small
#endif
    const std::lock_guard lock(shared.mutex);
    shared.put_on_shelf(std::construct_at(static_cast<Region*>(memory)), true);
    void* block = shared.cut(size.bytes / Region::unit);
    shared.keep_the_rule(own);
    return block;
}

[[gnu::noinline]] void deallocate_slowly(void* block, std::size_t wanted) noexcept {
    const SizeClass size = size_class(wanted);
    Pool* own = open_pool();
    if (own != nullptr && size.index < Pool::classes) return detail::pool_deallocate(block, wanted);
    poison(block, size.bytes);
    const std::lock_guard lock(shared.mutex);
    shared.look(own);
    if (own == nullptr) return shared.put_to_heap(block, size);
    shared.put(block, size);
}

[[gnu::noinline]] void relieve(Pool& own) noexcept {
    const std::lock_guard lock(shared.mutex);
    shared.look(&own);
    shared.relieve(own);
    shared.look(&own);
}

}  // namespace

namespace detail {

void* pool_allocate(std::size_t wanted) {
#ifdef XTAPE_INJECT_FAULTS
    void inject_fault();  // of tests/faults/
    inject_fault();
#endif
    const SizeClass size = size_class(wanted);
    Pool* own = here.pool;
    if (own == nullptr || size.index >= Pool::classes) return allocate_slowly(wanted);
    Waiting* block = own->lists[size.index];
    if (block == nullptr) return allocate_slowly(wanted);
    unpoison(block, size.bytes);
    own->lists[size.index] = block->next;
    const std::size_t cached = own->get_cached() - size.bytes;
    own->set_cached(cached);
    own->lowest = std::min(own->lowest, cached);
    return block;
}

void pool_deallocate(void* buffer, std::size_t wanted) noexcept {
    if (buffer == nullptr) return;
    const SizeClass size = size_class(wanted);
    Pool* own = here.pool;
    if (own == nullptr || size.index >= Pool::classes) return deallocate_slowly(buffer, wanted);
    auto* block = static_cast<Waiting*>(buffer);
    block->next = own->lists[size.index];
    own->lists[size.index] = block;
    poison(block, size.bytes);
    const std::size_t cached = own->get_cached() + size.bytes;
    own->set_cached(cached);
    if (cached > own->limit) relieve(*own);
}

}  // namespace detail

MemoryStatistics memory_statistics() {
    const Pool* own = open_pool();
    const std::lock_guard lock(shared.mutex);
    const std::size_t in_use = shared.look(here.pool);
    return {here.heap_calls, in_use, own == nullptr ? shared.most_in_use : own->peak,
            (own == nullptr ? 0 : own->get_cached()) + shared.waiting, shared.held};
}

void release_cached_memory() {
    {
        const std::lock_guard lock(shared.mutex);
        shared.look(here.pool);
        if (here.pool != nullptr) shared.put_all(*here.pool);
        shared.give_back(shared.held);
        shared.look(here.pool);
    }
#if defined(__GLIBC__) && !defined(XTAPE_ASAN)
    // The pages of small buffers that were freed between others stay with the heap unless asked for. AddressSanitizer has a
    // heap of its own; there this call would begin the C library's, which two threads must not do at once.
    malloc_trim(0);
#endif
}

}  // namespace autograd
