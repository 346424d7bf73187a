// Plain loops over runs of inner elements. Threads share what lies outside the axis, so that no two write to one place.
// A place that many elements are added to gets a sum of its own, which is added to it at the end.
#include "autograd/kernels/gather.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "autograd/base/threads.hpp"
#include "autograd/kernels/running_sum.hpp"

namespace autograd::kernels {
namespace {

/// Calls visit(place along the axis, place among the picked) for each index of a list.
auto each_of_list(const std::size_t* indices, std::size_t count) {
    return [=](auto visit) {
        for (std::size_t j = 0; j < count; ++j) visit(indices[j], j);
    };
}

/// As above, where each element of `count` rows of `inner` has its own index: places are those of elements.
auto each_of_elements(const std::size_t* indices, std::size_t count, std::size_t inner) {
    return [=](auto visit) {
        for (std::size_t j = 0; j < count; ++j) {
            for (std::size_t k = 0; k < inner; ++k) visit(indices[j * inner + k] * inner + k, j * inner + k);
        }
    };
}

/// The places that get more terms than may be added in sequence, numbered.
class CrowdedPlaces {
   public:
    static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

    /// Of `extent` places, none of which gets more than `most` terms.
    template <class Terms>
    CrowdedPlaces(std::size_t extent, std::size_t most, Terms for_each_term) {
        if (most <= terms_in_sequence) return;
        constexpr std::uint8_t many = terms_in_sequence + 1;
        PoolVector<std::uint8_t> counts(extent, 0);
        for_each_term([&](std::size_t place, std::size_t) {
            counts[place] = static_cast<std::uint8_t>(counts[place] + (counts[place] < many ? 1 : 0));
        });
        if (std::find(counts.begin(), counts.end(), many) == counts.end()) return;
        number_of_.resize(extent, none);
        for (std::size_t place = 0; place < extent; ++place) {
            if (counts[place] < many) continue;
            number_of_[place] = places_.size();
            places_.push_back(place);
        }
    }

    /// Of a place; none where it is not crowded.
    std::size_t number_of(std::size_t place) const { return places_.empty() ? none : number_of_[place]; }
    const PoolVector<std::size_t>& places() const { return places_; }

   private:
    PoolVector<std::size_t> number_of_, places_;
};

/// Adds rows of `width` elements to the places of a target. `sums` is memory for it.
template <class T, class Terms>
void add_rows(T* target, const T* source, std::size_t width, Terms for_each_term, const CrowdedPlaces& crowded,
              PoolVector<RunningSum<T>>& sums) {
    sums.assign(crowded.places().size() * width, RunningSum<T>(0));
    for_each_term([&](std::size_t place, std::size_t row) {
        const T* from = source + row * width;
        const std::size_t number = crowded.number_of(place);
        if (number == CrowdedPlaces::none) {
            T* to = target + place * width;
            for (std::size_t k = 0; k < width; ++k) to[k] += from[k];
        } else {
            RunningSum<T>* to = sums.data() + number * width;
            for (std::size_t k = 0; k < width; ++k) to[k] += from[k];
        }
    });
    const RunningSum<T>* sum = sums.data();
    for (const std::size_t place : crowded.places()) {
        for (std::size_t k = 0; k < width; ++k) target[place * width + k] += (sum++)->value();
    }
}

}  // namespace

template <class T>
void gather(T* out, const T* source, const AxisView& view, const std::size_t* indices, std::size_t count) {
    for_shares(view.outer, count * view.inner, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            each_of_list(indices, count)([&](std::size_t from, std::size_t to) {
                std::copy_n(source + (i * view.extent + from) * view.inner, view.inner, out + (i * count + to) * view.inner);
            });
        }
    });
}

template <class T>
void scatter_add(T* target, const T* source, const AxisView& view, const std::size_t* indices, std::size_t count) {
    const auto terms = each_of_list(indices, count);
    const CrowdedPlaces crowded(view.extent, count, terms);
    for_shares(view.outer, count * view.inner, [&](std::size_t begin, std::size_t end) {
        PoolVector<RunningSum<T>> sums;
        for (std::size_t i = begin; i < end; ++i) {
            add_rows(target + i * view.extent * view.inner, source + i * count * view.inner, view.inner, terms, crowded, sums);
        }
    });
}

template <class T>
void gather_along(T* out, const T* source, const AxisView& view, const std::size_t* indices, std::size_t count) {
    const std::size_t plane = view.extent * view.inner, picked = count * view.inner;
    for_shares(view.outer, picked, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            each_of_elements(indices + i * picked, count, view.inner)(
                [&](std::size_t from, std::size_t to) { out[i * picked + to] = source[i * plane + from]; });
        }
    });
}

template <class T>
void scatter_add_along(T* target, const T* source, const AxisView& view, const std::size_t* indices, std::size_t count) {
    const std::size_t plane = view.extent * view.inner, picked = count * view.inner;
    for_shares(view.outer, picked, [&](std::size_t begin, std::size_t end) {
        PoolVector<RunningSum<T>> sums;
        for (std::size_t i = begin; i < end; ++i) {
            const auto terms = each_of_elements(indices + i * picked, count, view.inner);
            add_rows(target + i * plane, source + i * picked, 1, terms, CrowdedPlaces(plane, count, terms), sums);
        }
    });
}

#define XTAPE_INSTANTIATE(T)                                                                                 \
    template XTAPE_API void gather<T>(T*, const T*, const AxisView&, const std::size_t*, std::size_t);       \
    template XTAPE_API void scatter_add<T>(T*, const T*, const AxisView&, const std::size_t*, std::size_t);  \
    template XTAPE_API void gather_along<T>(T*, const T*, const AxisView&, const std::size_t*, std::size_t); \
    template XTAPE_API void scatter_add_along<T>(T*, const T*, const AxisView&, const std::size_t*, std::size_t);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd::kernels
