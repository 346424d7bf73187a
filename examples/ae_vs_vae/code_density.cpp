// The codes of each class, and back.
#include "code_density.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nn/nn.hpp>
#include <string>

namespace {

using autograd::Array;
using autograd::Rng;

/// Where these labels are: for each class, from 0 to the largest, the rows.
std::vector<std::vector<std::size_t>> rows_by_class(const std::vector<int>& labels) {
    std::vector<std::vector<std::size_t>> rows;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const auto label = static_cast<std::size_t>(labels[i]);
        if (label >= rows.size()) rows.resize(label + 1);
        rows[label].push_back(i);
    }
    return rows;
}

}  // namespace

CodeDensity::CodeDensity(const Array<float>& codes, const std::vector<int>& labels, std::size_t components, const Rng& rng)
    : by_class_(!labels.empty()) {
    if (!by_class_) {
        mixtures_.emplace_back(GaussianMixture(codes, {.components = components}, rng));
        return;
    }
    const auto rows = rows_by_class(labels);
    mixtures_.resize(rows.size());
    for (std::size_t label = 0; label < rows.size(); ++label) {
        if (rows[label].empty()) continue;
        Array<float> of_class;
        nn::gather_rows(codes, rows[label], of_class);
        const std::size_t most = std::max<std::size_t>(1, rows[label].size() / 10);  // ten codes for each at least
        try {
            mixtures_[label].emplace(of_class, MixtureOptions{.components = std::min(components, most)},
                                     rng.stream(std::to_string(label)));
        } catch (const autograd::Error& error) {
            throw autograd::Error(fmt::format("of class {}: {}", label, error.what()));
        }
    }
}

Array<float> CodeDensity::sample(std::size_t count, const std::vector<int>& labels, Rng& rng) const {
    if (!by_class_) return mixtures_.front()->sample(count, rng);
    Array<float> all;
    const auto rows = rows_by_class(std::vector<int>(labels.begin(), labels.begin() + static_cast<std::ptrdiff_t>(count)));
    for (std::size_t label = 0; label < rows.size(); ++label) {
        if (rows[label].empty()) continue;
        if (label >= mixtures_.size() || !mixtures_[label]) {
            throw autograd::Error(fmt::format("no training image is of class {}, so that there are no codes to draw", label));
        }
        const Array<float> drawn = mixtures_[label]->sample(rows[label].size(), rng);
        const std::size_t dimensions = drawn.shape()[1];
        if (all.dimension() != 2) all = autograd::empty<float>({count, dimensions});
        for (std::size_t i = 0; i < rows[label].size(); ++i) {
            std::copy_n(drawn.data() + i * dimensions, dimensions, all.data() + rows[label][i] * dimensions);
        }
    }
    return all;
}

std::size_t CodeDensity::fewest_components() const {
    std::size_t fewest = static_cast<std::size_t>(-1);
    for (const auto& mixture : mixtures_) {
        if (mixture) fewest = std::min(fewest, mixture->components().size());
    }
    return fewest;
}
