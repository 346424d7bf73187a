// Counting calls, and a gate that is shut while the process forks or ends: then no thread is inside OpenBLAS, whose buffers
// the end of the process unmaps, or inside another library, whose locks a child would inherit.
#include "autograd/kernels/calls.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "autograd/base/error.hpp"
#include "autograd/base/threads.hpp"
#include "autograd/kernels/openblas.hpp"

extern "C" {
// Weak, because another BLAS may be what is linked.
[[gnu::weak]] void openblas_set_num_threads(int);
// Not in OpenBLAS's header. Where a build hides them, a buffer is only seen to have room.
[[gnu::weak]] void* blas_memory_alloc(int level);
[[gnu::weak]] void blas_memory_free(void* buffer);
[[gnu::weak]] extern int blas_server_avail;
// BLIS's: its integers have 64 bits.
[[gnu::weak]] void bli_thread_set_num_threads(std::int64_t);
}

namespace autograd::kernels {
namespace {

/// What OpenBLAS maps for each buffer, on x86-64 and on ARM, and a page or two for what goes with it.
constexpr std::size_t buffer_bytes = (std::size_t{128} << 20) + (std::size_t{1} << 16);

/// No more buffers than for so many calls at once are asked for, others wait. OpenBLAS has a limit of its own, beyond which it
/// ends the process: twice the number of processors that it was built for, and 50 at least. Its own threads take one each.
std::size_t most_calls() {
    static constinit std::atomic<std::size_t> known{0};
    if (known == 0) known = std::clamp(processors_of_openblas(), std::size_t{32}, std::size_t{64});
    return known;
}

constexpr std::size_t shut = std::size_t{1} << 62;

// Trivially destructible: calls may be under way until the very end.
constinit std::atomic<std::size_t> under_way{0};         // calls of OpenBLAS, and `shut` while no more may begin
constinit std::atomic<std::size_t> others_under_way{0};  // calls of other libraries, and `shut`
constinit std::atomic<bool> others_are_over{false};      // `shut` for good
constinit std::atomic<std::size_t> made{0};              // OpenBLAS has buffers for so many calls
constinit std::mutex making;
constinit thread_local std::size_t of_this_thread = 0;  // of those under way
constinit thread_local std::size_t others_of_this_thread = 0;

void nap() { std::this_thread::sleep_for(std::chrono::microseconds(50)); }

/// OpenBLAS's buffers by their addresses. Those that are taken here while others make calls may be any, old or new.
class Buffers {
   public:
    /// Takes and gives back until `wanted` are known, or there is no room. A second one and more are worth having only
    /// where arrays then still find room: that of another one is left to them.
    void make(std::size_t wanted) {
        std::vector<void*> taken;
        known_.reserve(wanted);
        taken.reserve(2 * wanted);
        while (known_.size() < wanted && taken.size() < 2 * wanted &&
               address_space_has_room(known_.empty() ? buffer_bytes : 2 * buffer_bytes)) {
            if (blas_memory_alloc == nullptr || blas_memory_free == nullptr) {
                known_.push_back(nullptr);
                continue;
            }
            void* buffer = blas_memory_alloc(0);
            taken.push_back(buffer);
            if (std::find(known_.begin(), known_.end(), buffer) == known_.end()) known_.push_back(buffer);
        }
        for (void* buffer : taken) blas_memory_free(buffer);
        made = known_.size();
    }

   private:
    std::vector<void*> known_;
};

Buffers& buffers() {
    static Buffers& all = *new Buffers;
    return all;
}

/// Waits until no other thread's call is under way, and lets none begin.
void shut_gate() {
    under_way += shut;
    if (!others_are_over) others_under_way += shut;
    while (under_way != shut + of_this_thread || others_under_way != shut + others_of_this_thread) nap();
}

void open_gate() {
    under_way -= shut;
    if (!others_are_over) others_under_way -= shut;
}

// OpenBLAS starts threads of its own when it is loaded, each of which takes a buffer. Where there is no room for it, such
// a thread tries for ever, and a fork or the end of the process waits for it, unless OpenBLAS believes that it has none.
// After a fork the parent's OpenBLAS is to know of them again: else it starts others beside them.
int believed_before = 0;
void do_not_wait_for_its_threads() {
    rlimit limit{};
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
    if (&blas_server_avail != nullptr) believed_before = std::exchange(blas_server_avail, 0);
}
void wait_for_its_threads_again() {
    if (&blas_server_avail != nullptr && believed_before != 0) blas_server_avail = std::exchange(believed_before, 0);
}

void prepare_for_forks() {
    // A call that is under way may be about to lock the team. So the gate is to be shut before a fork locks that.
    autograd::detail::prepare_threads();
    [[maybe_unused]] static const int once = pthread_atfork(
        [] {
            making.lock();
            shut_gate();
            do_not_wait_for_its_threads();
        },
        [] {
            wait_for_its_threads_again();
            open_gate();
            making.unlock();
        },
        [] {
            believed_before = 0;
            under_way = of_this_thread;
            others_under_way = others_of_this_thread + (others_are_over ? shut : 0);
            making.unlock();
        });
}

// After all destructors of static objects, and before those of OpenBLAS, which this depends on.
[[gnu::destructor]] void at_the_end() {
    making.lock();  // for good: a fork of another thread would shut the gate once more, and both would wait for ever
    shut_gate();
    do_not_wait_for_its_threads();
}

/// Lets `count` calls of OpenBLAS begin, or fewer; returns how many.
std::size_t begin_openblas_calls(std::size_t count) {
    if (under_way.fetch_add(count) + count <= made) return count;
    // The first call, one more at once than ever, or the gate is shut.
    under_way -= count;
    prepare_for_forks();
    while (true) {
        std::unique_lock lock(making);
        std::size_t now = under_way;
        if (now >= shut) {
            lock.unlock();
            nap();
            continue;
        }
        if (now + count > made) buffers().make(std::min(now + count, most_calls()));
        // Whoever came by the quick way has taken no more than there are.
        std::size_t free = 0;
        do {
            free = now >= shut || now >= made ? 0 : std::min(count, made - now);
        } while (free > 0 && !under_way.compare_exchange_weak(now, now + free));
        if (free > 0) return free;
        if (now == of_this_thread) {
            throw Error("OpenBLAS, which does this work, needs 128 MB of the address space, for which there is no room: "
                        "raise the limit of the process (ulimit -v)");
        }
        lock.unlock();
        nap();  // until another call is done
    }
}

/// False if they are over.
bool begin_other_calls(std::size_t count) {
    prepare_for_forks();
    while (others_under_way.fetch_add(count) >= shut) {
        others_under_way -= count;
        if (others_are_over) return false;
        nap();
    }
    return true;
}

/// OpenMP's functions, wherever the process has them from: the library that calls them finds the same ones.
struct OpenMp {
    int (*get_max_threads)() = find<int (*)()>("omp_get_max_threads");
    void (*set_num_threads)(int) = find<void (*)(int)>("omp_set_num_threads");

    template <class Function>
    static Function find(const char* name) {
        return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
    }
};
const OpenMp& openmp() {
    static const OpenMp found;
    return found;
}

}  // namespace

// The loader's list begins with the program, and what is needed comes behind what needs it.
bool came_with_program() {
#ifdef __GLIBC__
    const auto file_name = [](std::string_view path) { return path.substr(path.rfind('/') + 1); };
    Dl_info info{};
    link_map* own = nullptr;
    if (dladdr1(reinterpret_cast<void*>(&came_with_program), &info, reinterpret_cast<void**>(&own), RTLD_DL_LINKMAP) == 0) {
        return false;
    }
    std::set<std::string, std::less<>> needed;
    for (const link_map* map = _r_debug.r_map; map != nullptr; map = map->l_next) {
        const bool is_program = map == _r_debug.r_map;
        if (!is_program && !needed.contains(file_name(map->l_name))) continue;
        if (map == own) return true;
        const auto entries = [map](ElfW(Sxword) tag, const auto& visit) {
            for (const ElfW(Dyn)* entry = map->l_ld; entry->d_tag != DT_NULL; ++entry) {
                if (entry->d_tag == tag) visit(entry->d_un);
            }
        };
        std::uintptr_t strings = 0;
        entries(DT_STRTAB,
                [&](const auto& value) { strings = value.d_ptr < map->l_addr ? map->l_addr + value.d_ptr : value.d_ptr; });
        entries(DT_NEEDED,
                [&](const auto& value) { needed.emplace(file_name(reinterpret_cast<const char*>(strings + value.d_val))); });
    }
#endif
    return false;
}

bool address_space_has_room(std::size_t bytes) {
    void* room = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) return false;
    munmap(room, bytes);
    return true;
}

Calls::Calls(Library library, std::size_t wanted) : library_(library), count_(wanted) {
    // Of BLIS, whether it is called for products or by another library's decompositions. It keeps that number.
    if (bli_thread_set_num_threads != nullptr) bli_thread_set_num_threads(1);
    if (library == Library::openblas && openblas_set_num_threads != nullptr) {
        warn_of_slow_openblas();  // which may throw
        count_ = begin_openblas_calls(std::min(wanted, most_calls()));
        of_this_thread += count_;
        openblas_set_num_threads(1);  // behind the gate, as all that is OpenBLAS's
        return;
    }
    library_ = Library::other;
    if (!begin_other_calls(count_)) count_ = 0;
    others_of_this_thread += count_;
}

Calls::~Calls() {
    (library_ == Library::openblas ? of_this_thread : others_of_this_thread) -= count_;
    (library_ == Library::openblas ? under_way : others_under_way) -= count_;
}

void end_other_calls() {
    const std::scoped_lock lock(making);  // no fork shuts the gate meanwhile
    if (others_are_over.exchange(true)) return;
    others_under_way += shut;
    while (others_under_way != shut + others_of_this_thread) nap();
}

bool WithoutOpenMpTeam::is_possible() { return openmp().get_max_threads != nullptr && openmp().set_num_threads != nullptr; }

WithoutOpenMpTeam::WithoutOpenMpTeam() {
    if (is_possible()) before_ = openmp().get_max_threads();
    if (before_ != 1) openmp().set_num_threads(1);
}

WithoutOpenMpTeam::~WithoutOpenMpTeam() {
    if (before_ != 1) openmp().set_num_threads(before_);
}

}  // namespace autograd::kernels
