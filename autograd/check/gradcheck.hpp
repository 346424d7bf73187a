// gradcheck(f, {x, y}): whether the gradients of a function are right, for users to put into their own tests. It compares
// backward(), in double, with central differences and with forward mode; it knows no op by name. Matchers for Catch2 are in
// catch2.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "autograd/base/random.hpp"
#include "autograd/core/tape.hpp"
#include "autograd/tools/transforms.hpp"

namespace XTAPE_API autograd {

/// What gradcheck compares, and how often.
struct GradcheckOptions {
    /// 2 checks the gradients of gradients as well: those of a random projection of the gradient, and so on for more.
    int order = 1;
    /// Random directions along which each input is moved.
    int directions = 3;
    /// Of the directions and of the weights that make one number of an output which has several.
    std::uint64_t seed = 1;
    /// Compare with central differences: sees every wrong derivative, to the accuracy of differences.
    bool differences = true;
    /// Compare with forward mode, <u, J v> = <J' u, v>: sees wrong wiring (a sum over a broadcast that is missing, a
    /// transposition, an input or a path that was forgotten) to rounding, but no fault that both modes share.
    bool dot_product = true;
    /// Move an element that sits on a kink, where no derivative can be compared, and say so. Else a kink is a failure.
    bool step_around_kinks = true;
};

/// What gradcheck found. True if all gradients agree with the differences.
class [[nodiscard]] GradcheckReport {
   public:
    /// What found a failure.
    enum class Check { evaluation, differences, dot_product };
    /// One input of which one check found something, at the element that is furthest off.
    struct Failure {
        Check check = Check::evaluation;  ///< which found it; evaluation: the function itself fails
        int order = 1;                    ///< 1: of the gradient; 2: of the gradient's gradient
        std::size_t input = 0;            ///< counted from 0
        Shape element;                    ///< the index of the element that is furthest off
        double backward = 0;              ///< the derivative that backward() gives
        double other = 0;                 ///< the derivative that the check gives
        double tolerance = 0;             ///< how far they may be apart
        std::string message;              ///< all of this in words, with a likely reason
    };

    /// Whether nothing failed.
    explicit operator bool() const { return failures_.empty(); }
    /// At most one for each input, check and order.
    const std::vector<Failure>& failures() const { return failures_; }
    /// What was done otherwise than asked, in sentences: kinks stepped around, ops without forward mode.
    const std::vector<std::string>& notes() const { return notes_; }
    /// True if one of the failures is of this check.
    bool failed(Check check) const;
    /// Some lines for a person to read.
    std::string text() const;
    friend std::ostream& operator<<(std::ostream& stream, const GradcheckReport& report);

   private:
    friend class Gradcheck;
    std::vector<Failure> failures_;
    std::vector<std::string> notes_;
    int comparisons_ = 0;
    double largest_error_ = 0;  // as a fraction of what is allowed
};

/// What gradcheck_list() takes: a loss or an array, of a list of inputs.
using GradcheckFunction = ListFunction<double>;

/// Checks a function of a list. It is called many times, must give the same for the same inputs, and may return an
/// array: this is multiplied by fixed random weights and summed. The derivatives along random directions come from
/// central differences at steps of 2^-6, 2^-7, ..., relative to elements larger than 1, and Richardson's extrapolation
/// of them (Ridders, "Accurate computation of F'(x) and F'(x) F''(x)", 1982), whose error estimate is the tolerance; those
/// of forward mode must agree to 1e-12 of |u| |J v|, or, where all cancels, to 16 roundings of a value of 1 or less. A
/// function that throws or gives NaN is a failure which the report describes; nothing is thrown.
[[nodiscard]] GradcheckReport gradcheck_list(const GradcheckFunction& f, const std::vector<Array<double>>& inputs,
                                             const GradcheckOptions& options = {});

/// Checks f(Var<double>...) -> Var<double> at the given inputs: `gradcheck(f, {x, y})`, `gradcheck(f, {x}, {.order =
/// 2})`.
template <class F, std::size_t N>
[[nodiscard]] GradcheckReport gradcheck(F f, const Array<double> (&inputs)[N], const GradcheckOptions& options = {}) {
    const auto call = [&f](const auto&... v) { return f(v...); };
    return gradcheck_list(on_list<double, N>(call), {inputs, inputs + N}, options);
}

/// Checks a function of noise, f(Var<double>..., Rng&): each call of f gets a copy of `rng`, and so the same
/// noise.
template <class F, std::size_t N>
[[nodiscard]] GradcheckReport gradcheck(F f, const Array<double> (&inputs)[N], const Rng& rng,
                                        const GradcheckOptions& options = {}) {
    const auto call = [&f, &rng](const auto&... v) {
        Rng replay = rng;
        return f(v..., replay);
    };
    return gradcheck_list(on_list<double, N>(call), {inputs, inputs + N}, options);
}

}  // namespace autograd
