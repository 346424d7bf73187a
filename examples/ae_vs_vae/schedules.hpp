// How the learning rate and the weight of the KL term go over a run: functions of the step alone, so that a run which
// is resumed needs nothing of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

#include "options.hpp"

/// Where a run stands.
struct Position {
    std::size_t step;  ///< from 0, over all epochs
    std::size_t steps_per_epoch;
};

/// The learning rate of the step.
inline double learning_rate(const Options& options, const Position& position) {
    const double total = static_cast<double>(options.epochs * position.steps_per_epoch);
    const double done = static_cast<double>(position.step) / total;
    switch (options.schedule) {
        case Schedule::cosine:  // Loshchilov and Hutter, "SGDR", ICLR 2017, equation 5, without restarts
            return options.lr * 0.5 * (1 + std::cos(std::numbers::pi * done));
        case Schedule::step: return options.lr * (done < 0.5 ? 1 : done < 0.75 ? 0.1 : 0.01);
        case Schedule::constant: break;
    }
    return options.lr;
}

/// What beta is multiplied by in the step: 1 but for a warm-up or cycles. (Fu et al., "Cyclical annealing schedule: a
/// simple approach to mitigating KL vanishing", NAACL 2019, equations 6 and 7 with R = 0.5 and a linear f.)
inline double kl_factor(const Options& options, const Position& position) {
    const auto per_epoch = static_cast<double>(position.steps_per_epoch), step = static_cast<double>(position.step);
    if (options.kl_warmup > 0) return std::min(1.0, step / (options.kl_warmup * per_epoch));
    if (options.kl_cycles == 0) return 1;
    const double cycle = static_cast<double>(options.epochs) * per_epoch / static_cast<double>(options.kl_cycles);
    return std::min(1.0, 2 * std::fmod(step, cycle) / cycle);
}
