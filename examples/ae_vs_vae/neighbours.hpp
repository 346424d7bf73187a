// Nearest neighbours and balls around points, of all pairs and exact: the part that the scores and the hole rate share.
// Distances are Euclidean and returned squared, so that comparing two of them is not a matter of a root's rounding.
#pragma once

#include <autograd/autograd.hpp>
#include <cstddef>
#include <vector>

/// The sum of (a_k - b_k)^2 over the `dimensions`, in double.
double squared_distance(const float* a, const float* b, std::size_t dimensions);

/// For each query (row), the squared distance to the k-th nearest of `points`; k = 1 is the nearest.
/// @throws autograd::Error if k is 0 or more than there are points, or as require_points; ShapeError if the dimensions
/// differ.
std::vector<double> neighbour_distances(const autograd::Array<float>& queries, const autograd::Array<float>& points,
                                        std::size_t k);

/// For each point, the squared distance to the k-th nearest of the others. Equal points are others, at distance 0.
/// @throws as above, if k is not less than the number of points.
std::vector<double> neighbour_distances_within(const autograd::Array<float>& points, std::size_t k);

/// Two sets of points, each point with a ball around it.
struct BallCounts {
    std::vector<std::size_t> b_in_ball_of_a;  ///< for each a, how many of the b are in its ball
    std::vector<std::size_t> a_balls_with_b;  ///< for each b, in how many balls of the a it is
    std::vector<std::size_t> b_balls_with_a;  ///< for each a, in how many balls of the b it is
};

/// Points are in a ball if they are nearer than its radius: strictly, so that a point on the sphere is not.
/// @throws autograd::ShapeError if there is not one radius for each point, or the dimensions differ; Error as
/// require_points.
BallCounts count_in_balls(const autograd::Array<float>& a, const std::vector<double>& squared_radii_a,
                          const autograd::Array<float>& b, const std::vector<double>& squared_radii_b);
