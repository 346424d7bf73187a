// The measures that are reported of images, a row of one table each: metrics.json, the page and the findings, which are
// on the terminal too, go through it. A new measure is a row in measures.cpp and the function that computes it. The
// arithmetic is in scores.hpp, and what a measure means for the story in findings.cpp.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "scores.hpp"

enum class Better { lower, higher, neither };

struct Measure {
    const char* key;      ///< in metrics.json
    const char* title;    ///< of its column in the page
    const char* meaning;  ///< one sentence
    Better better;
    /// Of images, held against real ones; null for what is estimated elsewhere.
    std::optional<Estimate> (*estimate)(const Comparisons& sets) = nullptr;
    /// Of the findings' sentence on samples: {0} is the AE's, {1} the VAE's, {2} real images'. Null for none.
    const char* clause = nullptr;
    double unit = 1;  ///< the page shows the estimate times this
};

/// In the order in which they are reported.
std::span<const Measure> image_measures();

/// Of images, by a linear classifier of their codes: see code_accuracy().
inline constexpr Measure code_accuracy_measure{"code_accuracy", "Right, %", "Of the test images.", Better::higher, nullptr,
                                               nullptr,         100};

/// Estimates and the keys that metrics.json has them by, in its order.
struct Estimates : std::vector<std::pair<const char*, Estimate>> {
    /// Adds it if there is one.
    void add(const char* key, const std::optional<Estimate>& estimate) {
        if (estimate) emplace_back(key, *estimate);
    }
    std::optional<Estimate> find(std::string_view key) const;
};

/// Those of image_measures().
Estimates estimates_of(const Comparisons& sets);
