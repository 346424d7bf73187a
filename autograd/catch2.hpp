// Matchers for Catch2, of both its second and its third major version:
//
//     REQUIRE_THAT(swish, autograd::HasCorrectGradient(x));
//     REQUIRE_THAT(f, autograd::HasCorrectGradient(x, y).order(2).replaying(rng));
//
// f is an op, or a lambda whose parameters have types (Var<double>): Catch2 2 cannot print a generic lambda without captures,
// and does not compile one. Include this beside the Catch2 header that you use; autograd.hpp does not.
#pragma once

#include "autograd/base/language.hpp"

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#if __has_include(<catch2/matchers/catch_matchers_templated.hpp>)
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_templated.hpp>
#define XTAPE_CATCH2_MATCHER Catch::Matchers::MatcherGenericBase
#else
#include <catch2/catch.hpp>
#define XTAPE_CATCH2_MATCHER Catch::Matchers::Impl::MatcherUntypedBase
#endif

#include "autograd/check/gradcheck.hpp"

namespace XTAPE_API autograd {

/// Matches a function of N Var<double>s (and an Rng&, if it replays one) whose gradients gradcheck() finds right.
template <std::size_t N>
class CorrectGradientMatcher : public XTAPE_CATCH2_MATCHER {
   public:
    explicit CorrectGradientMatcher(std::vector<Array<double>> inputs) : inputs_(std::move(inputs)) {}

    /// 2 checks the gradients of gradients as well, as GradcheckOptions::order.
    CorrectGradientMatcher order(int order) const {
        CorrectGradientMatcher other = *this;
        other.options_.order = order;
        return other;
    }
    /// With other options than gradcheck()'s own.
    CorrectGradientMatcher with(const GradcheckOptions& options) const {
        CorrectGradientMatcher other = *this;
        other.options_ = options;
        return other;
    }
    /// For functions of noise: each call gets a copy of `rng`.
    CorrectGradientMatcher replaying(const Rng& rng) const {
        CorrectGradientMatcher other = *this;
        other.rng_ = rng;
        return other;
    }

    /// For Catch2: whether gradcheck() finds nothing.
    /// @throws Error if f draws noise and no generator is to be replayed.
    template <class F>
    bool match(const F& f) const {
        const auto call = [&](const auto&... v) {
            if constexpr (std::is_invocable_v<const F&, decltype(v)..., Rng&>) {
                if (!rng_) throw Error("HasCorrectGradient: the function draws noise; say .replaying(rng)");
                Rng replay = *rng_;
                return f(v..., replay);
            } else {
                return f(v...);
            }
        };
        const GradcheckReport report = gradcheck_list(on_list<double, N>(call), inputs_, options_);
        text_ = report.text();
        return static_cast<bool>(report);
    }
    /// What Catch2 prints behind the function: the report.
    std::string describe() const { return "has correct gradients\n" + text_; }
    /// The same under the name by which Catch2 2 asks.
    std::string toString() const { return describe(); }

   private:
    std::vector<Array<double>> inputs_;
    GradcheckOptions options_;
    std::optional<Rng> rng_;
    mutable std::string text_;
};

/// The matcher, at these inputs, one for each argument.
template <std::convertible_to<Array<double>>... Inputs>
CorrectGradientMatcher<sizeof...(Inputs)> HasCorrectGradient(const Inputs&... inputs) {
    return CorrectGradientMatcher<sizeof...(Inputs)>({Array<double>(inputs)...});
}

}  // namespace autograd

#undef XTAPE_CATCH2_MATCHER
