// What the gamma function's relatives are held against, for the table in elementwise.cpp: too long for a line of it.
#pragma once

namespace autograd::specs {

/// Of x.
[[nodiscard]] double reference_digamma(const double* inputs);
/// Of n and x.
[[nodiscard]] double reference_polygamma(const double* inputs);

}  // namespace autograd::specs
