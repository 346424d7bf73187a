// A training step asks the heap for nothing once it has run a few times. Counted at operator new, which this file
// replaces, unless a sanitizer has replaced it already.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <autograd/base/memory.hpp>
#include <autograd/kernels/update.hpp>
#include <cstdlib>
#include <fstream>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "tests/sanitizers.hpp"
#include "tests/testing.hpp"

#define XTAPE_OWN_NEW (!XTAPE_ADDRESS_SANITIZER && !XTAPE_THREAD_SANITIZER)

namespace {

std::atomic<std::uint64_t> heap_calls{0};
#if XTAPE_OWN_NEW
/// Regions that large buffers are cut from: nothing else asks for such an alignment.
std::atomic<int> live_regions{0};
constexpr auto region_alignment = std::align_val_t{1 << 20};
/// So many of the next calls for a megabyte or more fail.
std::atomic<int> failures_to_come{0};
#endif

}  // namespace

#if XTAPE_OWN_NEW
void* operator new(std::size_t size) {
    ++heap_calls;
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    ++heap_calls;
    if (size >= 1'000'000 && failures_to_come > 0 && failures_to_come-- > 0) throw std::bad_alloc();
    live_regions += alignment >= region_alignment;
    const auto boundary = static_cast<std::size_t>(alignment);
    if (void* memory = std::aligned_alloc(boundary, (size + boundary - 1) / boundary * boundary)) return memory;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t alignment) noexcept {
    live_regions -= alignment >= region_alignment;
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t alignment) noexcept {
    ::operator delete(memory, alignment);
}
#endif

using namespace autograd;

#if XTAPE_OWN_NEW  // under the address sanitizer there are no regions
TEST_CASE("memory: large buffers outlive their thread, and the last of them frees their region") {
    constexpr std::uint32_t count = 100, elements = 300'000;  // 120 MB in all, six in a region
    PoolAllocator<std::uint32_t> allocator;
    std::vector<std::uint32_t*> buffers;
    release_cached_memory();
    const int before = live_regions;
    std::thread([&] {
        for (std::uint32_t i = 0; i < count; ++i) {
            buffers.push_back(allocator.allocate(elements));
            std::fill_n(buffers.back(), elements, i);
        }
    }).join();
    CHECK(live_regions == before + 17);
    const auto free_one = [&](std::uint32_t i) {
        CHECK(std::count(buffers[i], buffers[i] + elements, i) == elements);
        allocator.deallocate(buffers[i], elements);
    };
    for (std::uint32_t i = 0; i < count; i += 3) free_one(i);
    std::thread([&] {
        for (std::uint32_t i = 1; i < count; i += 3) allocator.deallocate(buffers[i], elements);
    }).join();
    release_cached_memory();
    CHECK(live_regions == before + 17);  // each has buffers in use
    for (std::uint32_t i = 2; i < count; i += 3) free_one(i);
    release_cached_memory();
    CHECK(live_regions == before);
}

TEST_CASE("memory: what is released while a neighbour in its region is in use is used again") {
    PoolAllocator<char> allocator;
    release_cached_memory();
    const int before = live_regions;
    std::vector<char*> kept;
    for (int round = 0; round < 50; ++round) {
        char* temporary[3];
        for (char*& each : temporary) each = allocator.allocate(2'000'000);
        kept.push_back(allocator.allocate(70'000));
        for (char* each : temporary) allocator.deallocate(each, 2'000'000);
        release_cached_memory();
    }
    CHECK(live_regions <= before + 2);
    for (char* each : kept) allocator.deallocate(each, 70'000);
    release_cached_memory();
    CHECK(live_regions == before);
}

TEST_CASE("memory: before an allocation fails, what waits is given back and it is tried again") {
    PoolAllocator<char> allocator;
    const auto allocate_and_free = [&](std::size_t size) {
        std::vector<char*> buffers;
        for (std::size_t total = 0; total < 100'000'000; total += size) buffers.push_back(allocator.allocate(size));
        for (char* each : buffers) allocator.deallocate(each, size);
    };
    release_cached_memory();
    const std::size_t in_use = memory_statistics().bytes_in_use;
    for (const std::size_t wanted : {std::size_t{1'500'000}, std::size_t{300'000'000}}) {  // from a region, and by itself
        for (const std::size_t size : {100u, 3000u, 400'000u, 5'000'000u}) {
            allocate_and_free(size);
            std::thread([&] { allocate_and_free(size); }).join();
        }
        CHECK(memory_statistics().bytes_cached >= 90'000'000);
        std::vector<char*> buffers;
        failures_to_come = 1;
        while (failures_to_come == 1) buffers.push_back(allocator.allocate(wanted));
        CHECK(memory_statistics().bytes_cached == 0);
        // Another time there is nothing to be given back.
        failures_to_come = 2;
        CHECK_THROWS_AS(
            [&] {
                while (true) buffers.push_back(allocator.allocate(wanted));
            }(),
            std::bad_alloc);
        CHECK(failures_to_come == 0);
        for (char* each : buffers) allocator.deallocate(each, wanted);
        CHECK(memory_statistics().bytes_in_use == in_use);
    }
    release_cached_memory();
    CHECK(memory_statistics().bytes_cached == 0);
}

namespace {

std::size_t resident_bytes() {
    std::size_t size = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> size >> resident;
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

TEST_CASE("memory: what is given back is given back to the system, also from between buffers in use") {
    PoolAllocator<char> allocator;
    release_cached_memory();
    const std::size_t before = resident_bytes();
    std::vector<std::pair<char*, std::size_t>> kept, dropped;
    for (int i = 0; i < 300; ++i) {
        for (const std::size_t size : {900'000u, 70'000u, 2'500'000u}) {
            auto& buffers = size == 70'000 ? kept : dropped;
            buffers.emplace_back(allocator.allocate(size), size);
            std::fill_n(buffers.back().first, size, static_cast<char>(i));
        }
    }
    const std::size_t all = resident_bytes() - before;
    for (const auto& [buffer, size] : dropped) allocator.deallocate(buffer, size);
    release_cached_memory();
    const auto statistics = memory_statistics();
    CHECK(statistics.bytes_cached == 0);
    CHECK(all >= 800'000'000);                       // what other tests left with the heap serves as well
    CHECK(resident_bytes() <= before + 50'000'000);  // 21 MB are in use
    for (std::size_t i = 0; i < kept.size(); ++i) {
        const auto& [buffer, size] = kept[i];
        CHECK(std::count(buffer, buffer + size, static_cast<char>(i)) == static_cast<std::ptrdiff_t>(size));
        allocator.deallocate(buffer, size);
    }
}

TEST_CASE("memory: a step that needs more than a thread's own cache makes no call to the heap") {
    PoolAllocator<char> allocator;
    std::vector<std::pair<char*, std::size_t>> buffers;
    const auto step = [&] {  // 250 MB, all freed at the end
        for (std::size_t size = 64; buffers.size() < 600; size = size % 2'900'000 * 21 / 20 + 64) {
            buffers.emplace_back(allocator.allocate(size), size);
        }
        for (const auto& [buffer, size] : buffers) allocator.deallocate(buffer, size);
        buffers.clear();
    };
    for (int i = 0; i < 5; ++i) step();
    const std::uint64_t before = heap_calls;
    for (int i = 0; i < 50; ++i) step();
    CHECK(heap_calls == before);
}

/// Frees a large buffer when the thread's lists are gone already, and allocates another.
struct LateUser {
    char* buffer = nullptr;
    ~LateUser() {
        PoolAllocator<char> allocator;
        allocator.deallocate(buffer, 100'000);
        char* last = allocator.allocate(100'000);
        std::fill_n(last, 100'000, 'x');
        allocator.deallocate(last, 100'000);
    }
};

TEST_CASE("memory: large buffers of a thread's last moments go back as well") {
    release_cached_memory();  // a region that waits could be used, and would then go as well
    const int before = live_regions;
    std::thread([] {
        static thread_local LateUser late;  // made before the thread's lists, so destroyed after them
        late.buffer = PoolAllocator<char>().allocate(100'000);
    }).join();
    CHECK(live_regions == before);
}
#endif

TEMPLATE_TEST_CASE("steady state: cross_entropy and einsum make no call to the heap", "", float, double) {
    using T = TestType;
    Tape<T> tape;
    Parameter<T> weight{sample<T>({5, 20})};
    const Array<T> data = sample<T>({4, 20}, 3);
    const std::vector<std::size_t> classes{0, 4, 2, 2};
    const auto step = [&](BackwardOptions options) {
        tape.clear();
        const auto x = tape.constant(data);
        const auto w = tape.parameter(weight);
        const auto logits = einsum("ij,kj->ik", x, w);
        const auto chain = einsum("ij,kj,kl,ml->im", x, w, w, x) + einsum("ii->i", matmul(x, x, {.b = true}));
        const auto loss = cross_entropy(logits, classes) + sum(chain) + sum(tensordot(x, w, {1}, {1}));
        const auto grads = backward(loss, options);
        return grads[weight](0, 0);
    };
    for (const BackwardOptions& options : {BackwardOptions{}, {.create_graph = true}}) {
        for (int i = 0; i < 5; ++i) step(options);
        const auto pool_before = memory_statistics();
        const std::uint64_t heap_before = heap_calls;
        for (int i = 0; i < 20; ++i) step(options);
        const std::uint64_t heap_after = heap_calls;
        CHECK(memory_statistics().heap_calls == pool_before.heap_calls);
        CHECK(heap_after == heap_before);
    }
}

TEMPLATE_TEST_CASE("steady state: a training step makes no call to the heap", "", float, double) {
    using T = TestType;
    Tape<T> tape;
    Rng noise = Rng{1}.stream("a name too long to be stored within a string object");
    Parameter<T> weight{sample<T>({30, 20})}, bias{sample<T>({30})}, head{sample<T>({1, 30}, 2)};
    const Array<T> data = sample<T>({16, 20}, 3);
    const auto step = [&](BackwardOptions options) {
        tape.clear();
        const auto x = tape.constant(data);
        const auto h = relu(matmul(x, tape.parameter(weight), {.b = true}) + tape.parameter(bias));
        const auto z = h + exp(0.5f * h) * normal_like(h, noise);
        const auto y = matmul(z, tape.parameter(head), {.b = true});
        const auto joined = concat(std::vector<Var<T>>{y, y}, 1);
        const auto loss = sum(mean(square(joined), 1)) + logsumexp(y) + sum(max(slice(h, 1, {0, 5}), 0));
        const auto grads = backward(loss, options);
        for (Parameter<T>* each : {&weight, &bias, &head}) {
            update([](auto& value, auto g) { value = value - T(1e-4) * g; }, each->mutable_value(), grads[*each]);
        }
        return loss.item();
    };
    for (const BackwardOptions& options : {BackwardOptions{}, {.keep = true}, {.release = true}, {.create_graph = true}}) {
        for (int i = 0; i < 5; ++i) step(options);
        const auto pool_before = memory_statistics();
        const std::uint64_t heap_before = heap_calls;
        for (int i = 0; i < 20; ++i) step(options);
        const std::uint64_t heap_after = heap_calls;
        const auto pool_after = memory_statistics();
        INFO("keep " << options.keep << ", release " << options.release << ", create_graph " << options.create_graph);
        CHECK(pool_after.heap_calls == pool_before.heap_calls);
        CHECK(pool_after.bytes_in_use == pool_before.bytes_in_use);
        // One a step is the std::vector which the caller of concat makes.
        CHECK(heap_after - heap_before == (XTAPE_OWN_NEW != 0 ? 20u : 0u));
    }
}
