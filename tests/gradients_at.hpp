// Gradients of a function at one point, for the tests of what an op does at its kinks and edges.
#pragma once

#include <autograd/autograd.hpp>
#include <autograd/check/gradcheck.hpp>
#include <cmath>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

inline constexpr double none = -99;  // no gradient at all

/// The gradients of sum(f(inputs)), of the plain sweep and of the recorded one, which must agree.
inline std::vector<double> gradients_on_list(const autograd::GradcheckFunction& f, const std::vector<double>& values) {
    autograd::Tape<double> tape;
    std::vector<autograd::Var<double>> inputs;
    for (const double each : values) inputs.push_back(tape.variable(autograd::full<double>({1}, each)));
    const autograd::Var<double> loss = sum(f(inputs));
    std::vector<double> results[2];
    for (const bool create_graph : {false, true}) {
        const auto gradients = backward(loss, {.create_graph = create_graph});
        for (const auto& input : inputs) {
            const auto* gradient = gradients.find(input);
            results[create_graph ? 1 : 0].push_back(gradient != nullptr ? (*gradient)(0) : none);
        }
    }
    for (std::size_t k = 0; k < results[0].size(); ++k) {
        const bool same = results[0][k] == results[1][k] || (std::isnan(results[0][k]) && std::isnan(results[1][k]));
        if (!same) throw std::runtime_error("the two sweeps disagree");
    }
    return results[0];
}

template <class F, class... Values>
std::vector<double> gradients_of(F f, Values... values) {
    const auto on_list = [&](std::span<const autograd::Var<double>> v) {
        return [&]<std::size_t... I>(std::index_sequence<I...>) { return f(v[I]...); }(std::index_sequence_for<Values...>{});
    };
    return gradients_on_list(on_list, {static_cast<double>(values)...});
}
