// What the programs 01 to 11 hold their own numbers against: a line for each, kept for main's return, and moments of
// samples with their standard errors. It is no test framework: the lines are what the programs show.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

class Checks {
   public:
    /// Prints a number beside what theory gives, and by how much they may differ. A NaN is off.
    void near(const std::string& what, double seen, double expected, double tolerance) {
        const bool ok = std::fabs(seen - expected) <= tolerance;
        std::printf("  %-3s  %-58s %12.6g  expected %12.6g  +- %.1e\n", ok ? "ok" : "OFF", what.c_str(), seen, expected,
                    tolerance);
        remember(ok, what);
    }
    /// The same for what is true or not.
    void holds(const std::string& what, bool ok) {
        std::printf("  %-3s  %s\n", ok ? "ok" : "OFF", what.c_str());
        remember(ok, what);
    }
    /// Says what is off, once more. What main returns: 0 if nothing is, and something was checked.
    int result() const {
        for (const std::string& what : off_) std::fprintf(stderr, "off: %s\n", what.c_str());
        std::printf("%zu of %zu checks hold\n", count_ - off_.size(), count_);
        return off_.empty() && count_ > 0 ? 0 : 1;
    }

   private:
    void remember(bool ok, const std::string& what) {
        ++count_;
        if (!ok) off_.push_back(what);
    }

    std::size_t count_ = 0;
    std::vector<std::string> off_;
};

/// The programs check averages within so many of their standard errors: a normal variable is further off once in 1.7
/// million draws, an average of long-tailed samples more often. Streams have fixed seeds, so that a check which holds
/// holds always.
inline constexpr double standard_errors = 5;

struct Moments {
    double mean, mean_error;          ///< and its standard error
    double variance, variance_error;  ///< unbiased, and its standard error, from the fourth moment
};

/// Of independent samples, two or more.
inline Moments moments(std::span<const double> samples) {
    const double n = static_cast<double>(samples.size());
    double sum = 0, second = 0, fourth = 0;
    for (const double x : samples) sum += x;
    const double mean = sum / n;
    for (const double x : samples) {
        const double square = (x - mean) * (x - mean);
        second += square;
        fourth += square * square;
    }
    const double variance = second / (n - 1);
    return {mean, std::sqrt(variance / n), variance, std::sqrt(std::fmax(0, fourth / n - variance * variance) / n)};
}
