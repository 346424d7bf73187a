// The only file that includes Boost. What it throws or leaves open at poles and infinities is decided here.
#include "autograd/kernels/special.hpp"

#include <math.h>

#include <boost/math/special_functions/digamma.hpp>
#include <boost/math/special_functions/polygamma.hpp>
#include <cmath>
#include <limits>

namespace autograd::kernels {
namespace {

namespace policies = boost::math::policies;
/// Errors are infinities and NaN, never exceptions. Doubles are computed as long doubles, floats as doubles.
using Quiet =
    policies::policy<policies::domain_error<policies::ignore_error>, policies::pole_error<policies::ignore_error>,
                     policies::overflow_error<policies::ignore_error>, policies::underflow_error<policies::ignore_error>,
                     policies::denorm_error<policies::ignore_error>, policies::evaluation_error<policies::ignore_error>,
                     policies::rounding_error<policies::ignore_error>>;

}  // namespace

// The reentrant forms: std::lgamma writes the sign to a global variable, which threads would share.
template <>
float lgamma_of(float x) {
    int sign = 0;
    return ::lgammaf_r(x, &sign);
}
template <>
double lgamma_of(double x) {
    int sign = 0;
    return ::lgamma_r(x, &sign);
}

template <class T>
T polygamma_of(T n, T x) {
    constexpr T infinity = std::numeric_limits<T>::infinity();
    constexpr T nan = std::numeric_limits<T>::quiet_NaN();
    if (!(n >= 0 && n <= 1000 && n == std::floor(n)) || std::isnan(x) || x == -infinity) return nan;
    const bool is_odd = static_cast<int>(n) % 2 == 1;
    if (x == 0) return is_odd ? infinity : -std::copysign(infinity, x);
    if (x < 0 && x == std::floor(x)) return is_odd ? infinity : nan;
    if (x == infinity) return n == 0 ? infinity : T(0);
    if (n == 0) return boost::math::digamma(x, Quiet());
    // So far below 0 Boost makes integers of numbers that none can hold. By the reflection formula, whose term has the
    // period 1, what x has beside its fraction f is (-1)^n (polygamma(n, 1 - x) - polygamma(n, 1 - f)).
    if (x < -0x1p20) {
        const T fraction = x - std::floor(x), beside = polygamma_of(n, 1 - x) - polygamma_of(n, 1 - fraction);
        return polygamma_of(n, fraction) + (is_odd ? -beside : beside);
    }
    const T y = boost::math::polygamma(static_cast<int>(n), x, Quiet());
    // Boost's overflow is inf, of whatever sign the value is. Above 0, where it is (-1)^(n + 1), that one is known.
    return x > 0 && !is_odd ? -std::fabs(y) : y;
}

template XTAPE_API float polygamma_of(float, float);
template XTAPE_API double polygamma_of(double, double);

}  // namespace autograd::kernels
