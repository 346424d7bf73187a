// The counter, and operator new in all its forms.
#include "tests/faults/injection.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

constinit std::atomic<bool> armed{false}, lasting{false};
constinit std::atomic<std::ptrdiff_t> left{0};  // before the one that fails

void fail_in_turn() {
    if (!armed.load(std::memory_order_relaxed)) return;
    const std::ptrdiff_t before = left.fetch_sub(1);
    if (before == 1 || (before < 1 && lasting)) throw std::bad_alloc();
}

void* allocate(std::size_t bytes, std::size_t alignment) {
    fail_in_turn();
    void* memory =
        std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment + (bytes == 0 ? alignment : 0));
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

}  // namespace

namespace faults {

void arm(std::size_t n, Lack lack) {
    left = static_cast<std::ptrdiff_t>(n);
    lasting = lack == Lack::lasting;
    armed = true;
}

bool disarm() {
    armed = false;
    return left <= 0;
}

}  // namespace faults

namespace autograd::detail {

void inject_fault() { fail_in_turn(); }

}  // namespace autograd::detail

void* operator new(std::size_t bytes) { return allocate(bytes, alignof(std::max_align_t)); }
void* operator new[](std::size_t bytes) { return allocate(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return allocate(bytes, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
    return allocate(bytes, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    try {
        return ::operator new(bytes);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept { return ::operator new(bytes, std::nothrow); }
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    try {
        return ::operator new(bytes, alignment);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}
void* operator new[](std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return ::operator new(bytes, alignment, std::nothrow);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t, const std::nothrow_t&) noexcept { std::free(memory); }
