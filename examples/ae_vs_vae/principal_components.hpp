// The directions in which points vary most: the linear code that all others are held against, and the space in which
// images without labels are compared. Cost and memory grow with the points times the directions that are asked for:
// there is no covariance of all dimensions.
#pragma once

#include <autograd/autograd.hpp>
#include <cstddef>
#include <vector>

class PrincipalComponents {
   public:
    /// The first eigenvectors of the covariance of `points`, by subspace iteration from a random block (Halko,
    /// Martinsson and Tropp 2011) with Chebyshev's polynomials as the filter (Zhou and Saad 2007), until
    /// |C v - variance v| is at most 1e-7 of the largest variance for each direction v; after 40 rounds, which takes
    /// more than ten variances that differ by less than a thousandth, those that were found. Directions are
    /// orthonormal, and the largest element of each is positive. There are fewer than `count` if the points vary in
    /// fewer. Takes one draw of `rng`.
    /// @throws autograd::Error if `count` is 0 or more than there are dimensions, or all points are equal; as
    /// require_points with 2 rows.
    PrincipalComponents(const autograd::Array<float>& points, std::size_t count, autograd::Rng rng);

    /// The coordinates of each point minus the mean: (count of points, count of components).
    /// @throws autograd::ShapeError if the points have other dimensions; as require_points with 1 row.
    autograd::Array<float> project(const autograd::Array<float>& points) const;

    /// Along each direction, the largest first.
    const std::vector<double>& variances() const { return variances_; }

   private:
    autograd::Array<double> mean_;
    autograd::Array<float> directions_;  ///< (count, dimensions), orthonormal rows
    std::vector<double> variances_;
};
