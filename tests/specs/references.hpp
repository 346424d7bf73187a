// What the references of the structured ops share: plain walks over indices, for the specs alone. Slow and
// simple on purpose, and made of nothing that the ops use.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "autograd/base/array.hpp"

namespace autograd::specs {

using Arrays = std::span<const Array<double>>;
using Index = std::vector<std::size_t>;

/// Calls use(index) for each index of a shape, in row-major order.
inline void for_each_index(const Shape& shape, const std::function<void(const Index&)>& use) {
    for (const std::size_t extent : shape) {
        if (extent == 0) return;
    }
    Index index(shape.size(), 0);
    while (true) {
        use(index);
        std::size_t axis = shape.size();
        do {
            if (axis == 0) return;
            --axis;
            index[axis] = index[axis] + 1 == shape[axis] ? 0 : index[axis] + 1;
        } while (index[axis] == 0);
    }
}

/// x[index]
inline double& at(Array<double>& x, const Index& index) {
    std::size_t place = 0;
    for (std::size_t axis = 0; axis < index.size(); ++axis) place = place * x.shape()[axis] + index[axis];
    return x.data()[place];
}
inline double at(const Array<double>& x, const Index& index) {
    std::size_t place = 0;
    for (std::size_t axis = 0; axis < index.size(); ++axis) place = place * x.shape()[axis] + index[axis];
    return x.data()[place];
}

/// An array of this shape whose element at an index is x's at the index which `from` gives, or `otherwise`.
using Origin = std::function<std::optional<Index>(const Index&)>;
inline std::function<Array<double>(Arrays)> moved(const Shape& shape, const Origin& from, double otherwise = 0) {
    return [=](Arrays x) {
        auto out = empty<double>(shape);
        for_each_index(shape, [&](const Index& index) {
            const std::optional<Index> origin = from(index);
            at(out, index) = origin ? at(x[0], *origin) : otherwise;
        });
        return out;
    };
}

/// The adjoint: zeros of `shape`, to which x's elements are added where moved() would take them from.
inline std::function<Array<double>(Arrays)> moved_back(const Shape& shape, const Origin& from) {
    return [=](Arrays x) {
        auto out = full<double>(shape, 0);
        for_each_index(x[0].shape(), [&](const Index& index) {
            if (const std::optional<Index> origin = from(index)) at(out, *origin) += at(x[0], index);
        });
        return out;
    };
}

}  // namespace autograd::specs
