// The buffers behind arrays: alignment, what is handed out again, how much is held, and threads and child processes. What a
// training step takes from the heap is in core/steady_state_test.cpp.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <autograd/base/memory.hpp>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "tests/catch.hpp"

using namespace autograd;

namespace {

bool is_aligned(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer) % buffer_alignment == 0; }

/// A buffer that owns itself, and may be handed from thread to thread.
class Buffer {
   public:
    explicit Buffer(std::size_t size) : data_(PoolAllocator<char>().allocate(size)), size_(size) {}
    Buffer(Buffer&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(other.size_) {}
    Buffer& operator=(Buffer&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~Buffer() { PoolAllocator<char>().deallocate(data_, size_); }

    void mark(char mark) { data_[0] = data_[size_ / 2] = data_[size_ - 1] = mark; }
    bool has(char mark) const { return data_[0] == mark && data_[size_ / 2] == mark && data_[size_ - 1] == mark; }

   private:
    char* data_;
    std::size_t size_;
};

using Buffers = std::vector<Buffer>;

Buffers buffers_of(const std::vector<std::size_t>& sizes) {
    Buffers buffers;
    for (const std::size_t size : sizes) buffers.emplace_back(size);
    return buffers;
}

const std::vector<std::size_t> sizes_of_a_step{8, 8, 100, 1000, 4000, 50'000, 50'000, 300'000, 1'200'000, 1'200'000, 5'000'000};

/// A place for one thing that one thread puts there and another takes away.
class Slot {
   public:
    void put(Buffers buffers) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !content_; });
        content_ = std::move(buffers);
        changed_.notify_all();
    }
    Buffers take() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return content_.has_value(); });
        Buffers buffers = std::move(*content_);
        content_.reset();
        changed_.notify_all();
        return buffers;
    }

   private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Buffers> content_;
};

/// The rule that docs/autograd.md states; the peak is the program's, as the main thread sees it.
bool is_within_the_rule() {
    const auto now = memory_statistics();
    return now.bytes_held <= 2 * now.peak_bytes_in_use + 64'000'000 && now.bytes_in_use <= now.bytes_held;
}

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
    })
        .join();
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

TEST_CASE("memory: what one thread makes and another drops comes back to use") {
    const std::size_t before = memory_statistics().bytes_in_use;
    Slot slot;
    std::uint64_t calls_after_300 = 0, calls_after_3000 = 0;
    std::thread worker([&] {
        for (int step = 0; step < 3000; ++step) {
            if (step == 300) calls_after_300 = memory_statistics().heap_calls;
            slot.put(buffers_of(sizes_of_a_step));
        }
        calls_after_3000 = memory_statistics().heap_calls;
    });
    std::size_t held_after_300 = 0, most_in_use = 0;
    for (int step = 0; step < 3000; ++step) {
        if (step == 300) held_after_300 = memory_statistics().bytes_held;
        const Buffers dropped = slot.take();
        most_in_use = std::max(most_in_use, memory_statistics().bytes_in_use);
    }
    worker.join();
    const auto after = memory_statistics();
    CHECK(calls_after_300 > 0);
    // A step or two more may be on the way at once than ever before: what that takes, once.
    CHECK(calls_after_3000 <= calls_after_300 + 2 * sizes_of_a_step.size());
    CHECK(after.bytes_held <= held_after_300 + 20'000'000);
    CHECK(after.bytes_in_use == before);
    CHECK(most_in_use < before + 100'000'000);
    CHECK(is_within_the_rule());
}

TEST_CASE("memory: threads that come and go leave nothing behind") {
    const std::size_t before = memory_statistics().bytes_in_use;
    std::size_t held = 0;
    for (int round = 0; round < 200; ++round) {
        Buffers from_there, from_here = buffers_of(sizes_of_a_step);
        std::vector<std::thread> threads;
        std::mutex mutex;
        for (int i = 0; i < 3; ++i) {
            threads.emplace_back([&] {
                Buffers own = buffers_of(sizes_of_a_step);
                const std::lock_guard lock(mutex);
                if (!from_here.empty()) from_here.pop_back();
                std::move(own.begin(), own.end(), std::back_inserter(from_there));
            });
        }
        for (std::thread& thread : threads) thread.join();
        if (round == 20) held = memory_statistics().bytes_held;
    }
    CHECK(memory_statistics().bytes_held <= held + 20'000'000);
    CHECK(memory_statistics().bytes_in_use == before);
}

TEST_CASE("memory: held is never more than twice what was in use at once, and 64 MB: changing sizes") {
    std::mt19937 random(1);
    for (int round = 0; round < 120; ++round) {
        // Some hundred buffers, 60 to 100 MB together, of sizes that come in no other round.
        Buffers buffers;
        const std::size_t size = 1000 * (1 + random() % 100) * (1 + random() % 100) + static_cast<std::size_t>(round);
        for (std::size_t total = 0; total < 60'000'000 + random() % 40'000'000; total += size) buffers.emplace_back(size);
        CHECK(is_within_the_rule());
    }
    CHECK(is_within_the_rule());
}

TEST_CASE("memory: held is never more than twice what was in use at once, and 64 MB: growing batches") {
    for (std::size_t batch = 1; batch < 300; ++batch) {
        std::vector<std::size_t> sizes;
        for (const std::size_t width : {4u, 100u, 784u, 784u, 400u, 400u, 3000u, 20u}) sizes.push_back(width * batch * 40);
        const Buffers buffers = buffers_of(sizes);
        CHECK(is_within_the_rule());
    }
    CHECK(is_within_the_rule());
}

TEST_CASE("memory: held is never more than twice what was in use at once, and 64 MB: with the caches of all threads") {
    memory_statistics();  // of all from here on this thread sees the peak
    std::mutex turn;
    std::condition_variable is_over;
    int ended = 0;
    std::vector<std::thread> threads;
    const auto wait_for = [&](int count) {
        std::unique_lock lock(turn);
        is_over.wait(lock, [&] { return ended >= count; });
    };
    for (int i = 0; i < 12; ++i) {
        threads.emplace_back([&, i] {  // each with 120 MB when its turn comes, and alive until the last has had its own
            wait_for(i);
            for (const std::size_t size : {1000u, 40'000u, 500'000u, 3'000'000u}) {
                Buffers buffers;
                const std::size_t own = size + 100 * static_cast<std::size_t>(i) * (size / 1000);
                for (std::size_t total = 0; total < 30'000'000; total += own) buffers.emplace_back(own);
            }
            {
                const std::lock_guard lock(turn);
                ++ended;
            }
            is_over.notify_all();
            wait_for(12);
        });
        wait_for(i + 1 < 12 ? i + 1 : 11);
        CHECK(is_within_the_rule());
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(is_within_the_rule());
}

TEST_CASE("memory: any buffer, from any thread to any other, keeps its content until it is dropped") {
    const std::size_t before = memory_statistics().bytes_in_use;
    std::array<std::pair<std::mutex, std::optional<std::pair<Buffer, char>>>, 40> places;
    std::atomic<int> wrong{0};
    const auto work = [&](unsigned seed) {
        std::mt19937 random(seed);
        for (int i = 0; i < 4000; ++i) {
            auto& [mutex, place] = places[random() % places.size()];
            const std::size_t size = 1 + (std::size_t{1} << random() % 22) + random() % 1000;
            Buffer fresh(size);
            const char mark = static_cast<char>(random() % 100);
            fresh.mark(mark);
            std::optional<std::pair<Buffer, char>> old(std::pair(std::move(fresh), mark));
            {
                const std::lock_guard lock(mutex);
                std::swap(place, old);
            }
            if (old && !old->first.has(old->second)) ++wrong;
            if (i % 1000 == 999) release_cached_memory();
        }
    };
    std::vector<std::thread> threads;
    for (unsigned seed = 0; seed < 4; ++seed) threads.emplace_back(work, seed);
    for (std::thread& thread : threads) thread.join();
    for (auto& [mutex, place] : places) place.reset();
    CHECK(wrong == 0);
    CHECK(memory_statistics().bytes_in_use == before);
}

TEST_CASE("memory: a child process has its own lock, whatever other threads were doing") {
    std::atomic<bool> stop{false};
    std::thread other([&] {
        while (!stop) {
            const Buffers buffers = buffers_of(sizes_of_a_step);
            release_cached_memory();
        }
    });
    int failed = 0;
    for (int i = 0; i < 30; ++i) {
        const pid_t child = fork();
        if (child == 0) {
            alarm(20);  // rather than wait for ever
            release_cached_memory();
            const Buffers buffers = buffers_of({100, 300'000, 20'000'000});
            _exit(memory_statistics().bytes_in_use >= 20'300'100 ? 0 : 1);
        }
        int status = 0;
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0) ++failed;
    }
    stop = true;
    other.join();
    CHECK(failed == 0);
}
