// What the references of the structured ops share: which elements of the inputs an element of the result is made of,
// and plain walks over indices. Slow and simple on purpose, and made of nothing that the ops use.
#pragma once

#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "autograd/base/array.hpp"

namespace autograd::specs {

using Arrays = std::span<const Array<double>>;
using Index = std::vector<std::size_t>;

[[nodiscard]] inline std::ptrdiff_t signed_of(std::size_t number) { return static_cast<std::ptrdiff_t>(number); }

/// Calls use(index) for each index of a shape, in row-major order.
template <class Use>
void for_each_index(const Shape& shape, Use use) {
    for (const std::size_t extent : shape) {
        if (extent == 0) return;
    }
    Index index(shape.size(), 0);
    while (true) {
        use(std::as_const(index));
        std::size_t axis = shape.size();
        do {
            if (axis == 0) return;
            --axis;
            index[axis] = index[axis] + 1 == shape[axis] ? 0 : index[axis] + 1;
        } while (index[axis] == 0);
    }
}

/// The place of an index in row-major order, and the index of a place.
[[nodiscard]] inline std::size_t flat_index(const Index& index, const Shape& shape) {
    std::size_t place = 0;
    for (std::size_t axis = 0; axis < index.size(); ++axis) place = place * shape[axis] + index[axis];
    return place;
}
[[nodiscard]] inline Index index_at(std::size_t place, const Shape& shape) {
    Index index(shape.size());
    for (std::size_t axis = shape.size(); axis-- > 0; place /= shape[axis]) index[axis] = place % shape[axis];
    return index;
}

/// x[index]
[[nodiscard]] inline double& at(Array<double>& x, const Index& index) { return x.data()[flat_index(index, x.shape())]; }
[[nodiscard]] inline double at(const Array<double>& x, const Index& index) { return x.data()[flat_index(index, x.shape())]; }

/// The place of an axis, of which negative ones count from the last.
[[nodiscard]] inline std::size_t placed(std::ptrdiff_t axis, std::size_t rank) {
    return static_cast<std::size_t>(axis < 0 ? axis + signed_of(rank) : axis);
}

/// Where in an array of this shape an element of what it is broadcast to comes from.
[[nodiscard]] inline Index broadcast_source(const Index& index, const Shape& shape) {
    Index own(index.end() - signed_of(shape.size()), index.end());
    for (std::size_t axis = 0; axis < shape.size(); ++axis) own[axis] = shape[axis] == 1 ? 0 : own[axis];
    return own;
}

/// An element of an input.
struct Place {
    std::size_t input = 0;
    Index index{};
};

/// Of the first input, what has the same index as this along the axes that are not `reduced`, in row-major order.
[[nodiscard]] inline std::vector<Place> group_of(const Index& index, Shape shape, const std::vector<bool>& reduced) {
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        if (!reduced[axis]) shape[axis] = 1;
    }
    std::vector<Place> list;
    for_each_index(shape, [&](Index from) {
        for (std::size_t axis = 0; axis < from.size(); ++axis) {
            if (!reduced[axis]) from[axis] = index[axis];
        }
        list.push_back({0, std::move(from)});
    });
    return list;
}

using Numbers = std::vector<long double>;
using Fold = std::function<long double(const Numbers&)>;

[[nodiscard]] inline long double only(const Numbers& numbers) { return numbers.front(); }
[[nodiscard]] inline long double sum_of(const Numbers& numbers) {
    long double total = 0;
    for (const long double each : numbers) total += each;
    return total;
}
[[nodiscard]] inline long double product_of(const Numbers& numbers) {
    long double total = 1;
    for (const long double each : numbers) total *= each;
    return total;
}
/// Of one number it is that number, which log(exp(x)) would miss by some units.
[[nodiscard]] inline long double logsumexp_of(const Numbers& numbers) {
    if (numbers.size() == 1) return numbers.front();
    long double total = 0;
    for (const long double each : numbers) total += std::exp(each);
    return std::log(total);
}
/// NaN if there is one; of nothing minus infinity.
[[nodiscard]] inline long double largest_of(const Numbers& numbers) {
    long double largest = -std::numeric_limits<long double>::infinity();
    for (const long double each : numbers) largest = each > largest || std::isnan(each) ? each : largest;
    return largest;
}
[[nodiscard]] inline long double sum_of_products(const Numbers& pairs) {
    long double total = 0;
    for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) total += pairs[i] * pairs[i + 1];
    return total;
}

/// A value by its definition: each element is a plain function, in long double, of a list of elements of the inputs.
struct Definition {
    Shape shape{};
    std::function<std::vector<Place>(const Index&)> places{};  ///< what the element at this index is made of
    Fold fold = only;
    bool exact = false;  ///< moves or selects elements: nothing is rounded
    Fold scale{};        ///< of the rounding errors, where it is not what the fold makes of the sizes of the elements

    [[nodiscard]] Numbers numbers(Arrays x, const Index& index) const {
        Numbers list;
        for (const auto& [input, place] : places(index)) list.push_back(static_cast<long double>(at(x[input], place)));
        return list;
    }
    Array<double> operator()(Arrays x) const {
        auto out = empty<double>(shape);
        for_each_index(shape, [&](const Index& index) { at(out, index) = static_cast<double>(fold(numbers(x, index))); });
        return out;
    }
};

/// An array of this shape whose element at an index is x's at the index which `from` gives, or `otherwise`.
using Origin = std::function<std::optional<Index>(const Index&)>;
[[nodiscard]] inline Definition moved(const Shape& shape, const Origin& from, double otherwise = 0) {
    return {.shape = shape,
            .places = [=](const Index& index) -> std::vector<Place> {
                std::optional<Index> origin = from(index);
                if (!origin) return {};
                return {{0, *std::move(origin)}};
            },
            .fold = [=](const Numbers& list) { return list.empty() ? static_cast<long double>(otherwise) : only(list); },
            .exact = true};
}

/// The same elements in the same order.
[[nodiscard]] inline Definition reshaped(const Shape& from, const Shape& to) {
    return moved(to, [=](const Index& index) { return index_at(flat_index(index, to), from); });
}

/// Along one axis, element i of the result is element list[i] of x.
[[nodiscard]] inline Definition picked(Shape shape, std::size_t axis, const std::vector<std::ptrdiff_t>& list) {
    shape[axis] = list.size();
    return moved(shape, [=](const Index& index) {
        Index from = index;
        from[axis] = static_cast<std::size_t>(list[index[axis]]);
        return from;
    });
}

/// The adjoint: zeros of `shape`, to which x's elements are added where `forward` takes them from.
[[nodiscard]] inline std::function<Array<double>(Arrays)> moved_back(const Shape& shape, const Definition& forward) {
    return [=](Arrays x) {
        auto out = full<double>(shape, 0);
        for_each_index(x[0].shape(), [&](const Index& index) {
            for (const Place& place : forward.places(index)) at(out, place.index) += at(x[0], index);
        });
        return out;
    };
}

}  // namespace autograd::specs
