// A sum of terms that come one after another, to whatever place, whose error does not grow with their number. Sums of
// what lies side by side are taken pairwise instead, in row_reduction.hpp, which is faster. It knows numbers only.
#pragma once

#include <cmath>
#include <cstddef>

#include "autograd/base/language.hpp"

namespace XTAPE_API autograd {
namespace kernels {

/// Up to so many terms are added to a place as they come; more of them by way of a RunningSum.
inline constexpr std::size_t terms_in_sequence = 16;

/// Of floats, in double: up to 2^29 terms of one sign, what is rounded is the result.
template <class T>
class RunningSum {
   public:
    RunningSum() = default;  // uninitialised
    explicit RunningSum(T first) : total_(first) {}

    RunningSum& operator+=(T term) {
        total_ += term;
        return *this;
    }
    RunningSum& operator*=(double factor) {
        total_ *= factor;
        return *this;
    }
    T value() const { return static_cast<T>(total_); }

   private:
    double total_;
};

/// Of doubles, beside the sum of what its roundings lost. (Ogita, Rump and Oishi, "Accurate sum and dot product", 2005,
/// algorithm 4.4.)
template <>
class RunningSum<double> {
   public:
    RunningSum() = default;
    explicit RunningSum(double first) : total_(first), lost_(0) {}

    RunningSum& operator+=(double term) {
        const double sum = total_ + term, added = sum - total_;
        lost_ += (total_ - (sum - added)) + (term - added);
        total_ = sum;
        return *this;
    }
    RunningSum& operator*=(double factor) {
        total_ *= factor;
        lost_ *= factor;
        return *this;
    }
    double value() const {
        // What an infinite sum lost is no number; and adding 0 would take the sign of a zero.
        return lost_ != 0 && std::isfinite(lost_) ? total_ + lost_ : total_;
    }

   private:
    double total_, lost_;
};

}  // namespace kernels
}  // namespace autograd
