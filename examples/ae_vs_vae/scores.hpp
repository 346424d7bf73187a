// How like real points generated ones are, and whether they are copies of training points: the arithmetic. Points are
// features or pixels, whichever the caller compares in; the floor is the same score of real points that were held out,
// given as the generated ones. Which scores are reported, and under what names, is in measures.hpp.
#pragma once

#include <autograd/autograd.hpp>
#include <cstddef>
#include <vector>

#include "points.hpp"

/// |m1 - m2|^2 + Tr(C1 + C2) - 2 Tr((C1^1/2 C2 C1^1/2)^1/2), in double; eigenvalues below 0 count as 0. (Frechet 1957,
/// for Gaussians Dowson and Landau 1982; in features: Heusel et al. 2017.)
/// @throws autograd::ShapeError if the dimensions differ.
double frechet_distance(const Moments& a, const Moments& b);

/// With balls that reach from each point to the k-th nearest of its own set, itself excluded, and a point on the sphere
/// not in the ball:
struct Manifolds {
    double precision;  ///< the share of generated points in a real point's ball (Kynkaanniemi et al. 2019)
    double recall;     ///< the share of real points in a generated point's ball
    double density;    ///< real balls around a generated point, on average, divided by k (Naeem et al. 2020)
    double coverage;   ///< the share of real balls which hold a generated point (the same)
};

/// Of two samples of one distribution density is 1 and coverage about 1 - 2^-k on average, if they are of one size.
/// @throws autograd::Error if a set has not more than k points, or as require_points.
Manifolds manifolds(const autograd::Array<float>& real, const autograd::Array<float>& generated, std::size_t k);

/// The median distance of pairs of `points`; of more than 1,000, of so many that are evenly spaced among the rows.
/// @throws autograd::Error if it is 0: more than half of the pairs are copies.
double median_distance(const autograd::Array<float>& points);

/// The squared maximum mean discrepancy, the unbiased estimate, which may be below 0 (Gretton et al. 2012).
/// The kernel is the mean of three, exp(-d^2 / (2 s^2)) with s = width / 2, width and 2 width, so no value is above 2.
/// @throws autograd::Error if a set has fewer than 2 points, or as require_points.
double squared_mmd(const autograd::Array<float>& a, const autograd::Array<float>& b, double width);

/// Two sets, and what several scores take of them.
struct Comparison {
    autograd::Array<float> real, generated;
    double width;  ///< of squared_mmd(): the median distance of all real points, the same for every generator
    Manifolds manifolds;
};

/// Two sets as a whole, and in ten disjoint parts of both (fewer, but at least 2, if parts would have less than
/// 2 (k + 1) points).
class Comparisons {
   public:
    /// @param k of manifolds()
    /// @throws autograd::Error if a set has fewer than 4 (k + 1) points, a tenth of the real points have k copies, or
    /// half of their pairs are copies; as require_points; ShapeError if dimensions differ.
    Comparisons(const autograd::Array<float>& real, const autograd::Array<float>& generated, std::size_t k = 5);

    /// The score of all points. Its standard error is the standard deviation of the parts' scores over the root of
    /// their number. That is what a score has whose variance goes with 1 / points; it is too large where the two
    /// distributions are the same, as for the floor, because the variance of Frechet and MMD falls faster there.
    /// Frechet distance has a bias of order (dimensions / points) upward: compare only sets of the same size.
    Estimate estimate(double (*score)(const Comparison&)) const;

    /// Squared distances to the nearest training point, as memorisation() takes them; empty where they are not known.
    std::vector<double> generated_to_training, held_out_to_training;

   private:
    std::vector<Comparison> whole_and_parts_;
};

/// Distances to the nearest training point.
struct Memorisation {
    double generated;  ///< the median over generated points
    double held_out;   ///< the median over held-out real points: what no copying gives
    Estimate ratio;    ///< generated / held_out. Far below 1, a generator gives back what it was trained on.
};

/// From squared distances to the nearest training point, as neighbour_distances(points, training, 1) returns them:
/// those of the held-out points serve for several generators. The ratio's standard error is from ten disjoint parts, as
/// in Comparisons, if in none of them half of the held-out points are training points. A generator of blurred images,
/// which lie between the real ones, has a ratio below 1 without any copying.
/// @throws autograd::Error if there are fewer than 20 distances of either, or if half of the held-out points are
/// training points.
Memorisation memorisation(const std::vector<double>& generated, const std::vector<double>& held_out);
