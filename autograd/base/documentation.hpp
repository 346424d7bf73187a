// What is said of an op beside its code, in words and numbers, for the table of ops and for checks. Nothing that computes
// reads it.
#pragma once

#include <array>
#include <cstddef>

namespace autograd {

/// What the op table, the tests and the gradient check need to know of an op beside its code.
struct Documentation {
    struct Domain {
        double low = -2;
        double high = 2;
    };
    static constexpr std::size_t max_inputs = 4;

    const char* formula = "";
    const char* gradient = "derived";
    const char* kinks = "none";
    const char* nan = "propagates";                      ///< else: where a NaN input does not make a NaN
    std::array<Domain, max_inputs> domain{};             ///< where to sample each input from, or, low = high, hold it
    double (*reference)(const double* inputs) = nullptr;  ///< the value by independent means
    /// How far the value may be from the reference, in units of its last place: by default what xsimd's functions promise,
    /// 2, and four roundings more.
    double ulps = 4;
};

}  // namespace autograd
