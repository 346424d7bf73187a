#include <autograd/memory.hpp>
#include <cstdint>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

#include "catch.hpp"

using namespace autograd;

namespace {

bool is_aligned(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer) % buffer_alignment == 0; }

}  // namespace

TEST_CASE("memory: buffers are aligned, and may be written to 64 bytes past their end") {
    PoolAllocator<unsigned char> allocator;
    const std::vector<std::size_t> sizes{0, 1, 63, 64, 65, 959, 960, 961, 1024, 1025, 4095, 4097, 100'000, 3'000'001};
    for (const std::size_t size : sizes) {
        unsigned char* buffer = allocator.allocate(size);
        REQUIRE(is_aligned(buffer));
        std::memset(buffer, 0xab, size + buffer_alignment);  // the address sanitizer sees it if this is too much
        allocator.deallocate(buffer, size);
    }
}

TEST_CASE("memory: live buffers do not overlap") {
    PoolAllocator<std::uint32_t> allocator;
    std::vector<std::pair<std::uint32_t*, std::size_t>> buffers;
    for (std::uint32_t i = 0; i < 300; ++i) {
        const std::size_t size = 1 + (i * 37) % 700;
        buffers.emplace_back(allocator.allocate(size), size);
        for (std::size_t k = 0; k < size; ++k) buffers.back().first[k] = i;
        if (i % 3 == 2) {
            allocator.deallocate(buffers[i / 2].first, buffers[i / 2].second);
            buffers[i / 2] = {allocator.allocate(size), size};
            for (std::size_t k = 0; k < size; ++k) buffers[i / 2].first[k] = i / 2;
        }
    }
    for (std::uint32_t i = 0; i < buffers.size(); ++i) {
        const auto [data, size] = buffers[i];
        bool intact = true;
        for (std::size_t k = 0; k < size; ++k) intact = intact && data[k] == i;
        CHECK(intact);
        allocator.deallocate(data, size);
    }
}

TEST_CASE("memory: a freed buffer is handed out again, without a heap call") {
    PoolAllocator<double> allocator;
    for (const std::size_t size : {1u, 100u, 10'000u}) {
        double* first = allocator.allocate(size);
        allocator.deallocate(first, size);
        const auto before = memory_statistics();
        double* second = allocator.allocate(size);
        CHECK(second == first);
        CHECK(memory_statistics().heap_calls == before.heap_calls);
        allocator.deallocate(second, size);
    }
}

TEST_CASE("memory: statistics count what is in use, and no size class wastes more than an eighth") {
    std::thread([] {  // whose lists are empty, and whose regions have no other users
        PoolAllocator<char> allocator;
        for (std::size_t size = 1; size < 5'000'000; size += 1 + size / 3) {
            const auto before = memory_statistics();
            char* buffer = allocator.allocate(size);
            const auto during = memory_statistics();
            const std::size_t used = during.bytes_in_use - before.bytes_in_use;
            INFO(size << " bytes");
            CHECK(used >= size + buffer_alignment);
            // An eighth; up to 63 bytes to fill a cache line and 64 of padding, of which an eighth in turn.
            CHECK(used <= (size + 127) + (size + 127) / 8);
            CHECK(during.peak_bytes_in_use >= during.bytes_in_use);
            allocator.deallocate(buffer, size);
            const auto after = memory_statistics();
            CHECK(after.bytes_in_use == before.bytes_in_use);
            CHECK(after.bytes_cached >= used);
        }
        release_cached_memory();
        CHECK(memory_statistics().bytes_cached == 0);
    }).join();
}

TEST_CASE("memory: a count of elements that cannot be is refused") {
    PoolAllocator<double> allocator;
    CHECK_THROWS_AS(allocator.allocate(std::numeric_limits<std::size_t>::max()), std::bad_alloc);
    CHECK_THROWS_AS(allocator.allocate(std::numeric_limits<std::size_t>::max() / sizeof(double)), std::bad_alloc);
}

TEST_CASE("memory: a buffer may be freed on another thread, which gives its own back when it ends") {
    PoolAllocator<int> allocator;
    int* from_here = allocator.allocate(1000);
    int* from_there = nullptr;
    std::uint64_t heap_calls = 0;
    std::thread([&] {
        allocator.deallocate(from_here, 1000);
        from_there = allocator.allocate(1000);
        heap_calls = memory_statistics().heap_calls;
        allocator.deallocate(allocator.allocate(50), 50);
    }).join();
    CHECK(from_there == from_here);
    CHECK(heap_calls == 0);
    from_there[999] = 1;
    allocator.deallocate(from_there, 1000);
}
