// The gamma function's relatives, lane by lane: xsimd lacks them or gets them wrong. Boost stays in the .cpp.
#pragma once

#include "autograd/kernels/simd.hpp"

namespace XTAPE_API autograd {
namespace kernels {

/// log |gamma(x)|; inf at the poles 0, -1, -2, ... and at both infinities.
template <class T>
T lgamma_of(T x);
/// The n-th derivative of (log gamma)', for whole n from 0 to 1000; else NaN. At the poles: for odd n inf; for even n
/// an infinity of the sign opposite to the zero's at 0, and at the others, where the sides differ, NaN.
template <class T>
T polygamma_of(T n, T x);

template <class T>
Pack<T> lgamma(Pack<T> x) {
    return per_lane([](T lane) { return lgamma_of(lane); }, x);
}
template <class T>
Pack<T> digamma(Pack<T> x) {
    return per_lane([](T lane) { return polygamma_of(T(0), lane); }, x);
}
template <class T>
Pack<T> polygamma(Pack<T> n, Pack<T> x) {
    return per_lane([](T order, T lane) { return polygamma_of(order, lane); }, n, x);
}

}  // namespace kernels
}  // namespace autograd
