// Objects of any type that live until all of them are given back at once. For what ops keep with their nodes; it knows no
// tape.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "autograd/base/memory.hpp"

namespace XTAPE_API autograd {

/// A list of them, in memory of the thread's pool.
class Keepsakes {
   public:
    Keepsakes() = default;
    Keepsakes(const Keepsakes&) = delete;
    Keepsakes& operator=(const Keepsakes&) = delete;
    ~Keepsakes() { clear(); }

    /// Moves an object into the list. It stays where it is until clear().
    template <class S>
    const S* keep(S object) {
        PoolAllocator<S> allocator;
        entries_.push_back({nullptr, [](void* memory) { PoolAllocator<S>().deallocate(static_cast<S*>(memory), 1); }});
        Entry& entry = entries_.back();
        entry.object = allocator.allocate(1);  // whatever throws from here on, there is an entry that gives it back
        const S* kept = std::construct_at(static_cast<S*>(entry.object), std::move(object));
        entry.destroy = [](void* each) {
            std::destroy_at(static_cast<S*>(each));
            PoolAllocator<S>().deallocate(static_cast<S*>(each), 1);
        };
        return kept;
    }
    /// Destroys all of them, in the order in which they came.
    void clear() {
        for (const Entry& entry : entries_) entry.destroy(entry.object);
        entries_.clear();
    }

   private:
    struct Entry {
        void* object;
        void (*destroy)(void*);
    };
    std::vector<Entry> entries_;
};

}  // namespace autograd
