// The table of measures. Nothing here shows or writes what they come to.
#include "measures.hpp"

namespace {

/// An estimate from the sets as a whole and from their parts.
template <double (*score)(const Comparison&)>
std::optional<Estimate> by_parts(const Comparisons& sets) {
    return sets.estimate(score);
}

template <double Manifolds::*member>
std::optional<Estimate> of_manifolds(const Comparisons& sets) {
    return sets.estimate([](const Comparison& each) { return each.manifolds.*member; });
}

double frechet(const Comparison& sets) { return frechet_distance(moments_of(sets.real), moments_of(sets.generated)); }
double mmd(const Comparison& sets) { return squared_mmd(sets.real, sets.generated, sets.width); }

std::optional<Estimate> nearest_training_image(const Comparisons& sets) {
    if (sets.generated_to_training.empty()) return std::nullopt;
    return memorisation(sets.generated_to_training, sets.held_out_to_training).ratio;
}

constexpr Measure table[] = {
    {"frechet", "Frechet distance",
     "Between the Gaussians of both sets' features, which are not those of the FID: it compares sets of one run only.",
     Better::lower, by_parts<frechet>},
    {"precision", "Precision", "The share of images near a real one. Blurred averages are: it is no measure by itself.",
     Better::higher, of_manifolds<&Manifolds::precision>,
     "precision, the share of images near a real one, is {0:.2f} and {1:.2f} (blurred averages are near many)"},
    {"recall", "Recall", "The share of real images near a generated one.", Better::higher, of_manifolds<&Manifolds::recall>},
    {"density", "Density", "How many real neighbourhoods an image lies in, in units of what real images do.", Better::neither,
     of_manifolds<&Manifolds::density>},
    {"coverage", "Coverage", "The share of real neighbourhoods with an image in them.", Better::higher,
     of_manifolds<&Manifolds::coverage>,
     "coverage, the share of real images with one near, is {0:.2f} and {1:.2f}, for real images {2:.2f}"},
    {"squared_mmd", "MMD² × 1000", "The squared maximum mean discrepancy.", Better::lower, by_parts<mmd>, nullptr, 1000},
    {"nearest_training_image", "Nearest",
     "The distance to the nearest training image, in units of that of held-out images. Far below 1 are copies.",
     Better::neither, nearest_training_image}};

}  // namespace

std::span<const Measure> image_measures() { return table; }

std::optional<Estimate> Estimates::find(std::string_view key) const {
    for (const auto& [name, estimate] : *this) {
        if (name == key) return estimate;
    }
    return std::nullopt;
}

Estimates estimates_of(const Comparisons& sets) {
    Estimates found;
    for (const Measure& each : table) found.add(each.key, each.estimate(sets));
    return found;
}
