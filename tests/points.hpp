// Elementwise functions at chosen points, in float and double, against numbers that were computed with mpmath: values,
// gradients, second derivatives. Inputs are numbers that a float holds exactly, so both types have the same answers.
#pragma once

#include <autograd/autograd.hpp>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/catch.hpp"

/// Where a function is looked at, and what is right there.
struct Point {
    std::vector<double> inputs;
    double value;
    std::vector<double> gradient;
    std::vector<double> second{};  ///< of each pair of inputs, row by row; not looked at where it is empty
};

/// Whether `seen` is `expected` to so many units of the last place. What T cannot hold is infinite; below its smallest
/// normal number anything is as good as 0.
template <class T>
bool is_within_ulps(T seen, double expected, double ulps) {
    const double value = static_cast<double>(seen), largest = static_cast<double>(std::numeric_limits<T>::max());
    if (std::isnan(expected)) return std::isnan(value);
    if (std::fabs(expected) > largest) return std::isinf(value) && std::signbit(value) == std::signbit(expected);
    const double epsilon = static_cast<double>(std::numeric_limits<T>::epsilon());
    return std::fabs(value - expected) <=
           ulps * epsilon * std::fabs(expected) + static_cast<double>(std::numeric_limits<T>::min());
}

/// A function of a vector from an op.
template <class E>
auto on_ops(const E& op) {
    return [op](const auto& v) {
        using V = std::remove_cvref_t<decltype(v[0])>;
        if constexpr (requires(V x) { op(x); }) return op(v[0]);
        if constexpr (requires(V x) { op(x, x); }) return op(v[0], v[1]);
    };
}

/// Checks `f`, a function of so many Vars, at all points at once: what is infinite in one element must not reach
/// another. Gradients by both sweeps.
template <class T, std::size_t arity, class F>
void check_points(const F& f, const std::vector<Point>& points, double ulps) {
    autograd::Tape<T> tape;
    std::vector<autograd::Var<T>> inputs;
    for (std::size_t k = 0; k < arity; ++k) {
        auto values = autograd::empty<T>({points.size()});
        for (std::size_t i = 0; i < points.size(); ++i) values(i) = static_cast<T>(points[i].inputs[k]);
        inputs.push_back(tape.variable(values));
    }
    const autograd::Var<T> y = [&]<std::size_t... I>(std::index_sequence<I...>) {
        return f(inputs[I]...);
    }(std::make_index_sequence<arity>{});
    const auto gradients = backward(sum(y)), recorded = backward(sum(y), {.create_graph = true});
    const auto describe = [&](std::size_t i, const char* what, std::size_t k, T seen, double expected) {
        std::string text = std::string(what) + " " + std::to_string(k) + " at (";
        for (const double each : points[i].inputs) text += Catch::StringMaker<double>::convert(each) + ", ";
        return text + "): " + Catch::StringMaker<T>::convert(seen) + ", not " + Catch::StringMaker<double>::convert(expected);
    };
    const auto check = [&](std::size_t i, const char* what, std::size_t k, T seen, double expected) {
        INFO(describe(i, what, k, seen, expected));
        CHECK(is_within_ulps(seen, expected, ulps));
    };
    for (std::size_t i = 0; i < points.size(); ++i) check(i, "value", 0, y.value()(i), points[i].value);
    for (std::size_t k = 0; k < arity; ++k) {
        for (std::size_t i = 0; i < points.size(); ++i) {
            check(i, "gradient", k, gradients[inputs[k]](i), points[i].gradient[k]);
            check(i, "recorded gradient", k, recorded[inputs[k]](i), points[i].gradient[k]);
        }
        const auto second = backward(sum(recorded.var(inputs[k])));
        for (std::size_t other = 0; other < arity; ++other) {
            const autograd::Array<T>* found = second.find(inputs[other]);
            for (std::size_t i = 0; i < points.size(); ++i) {
                if (points[i].second.empty()) continue;
                const double expected = points[i].second[k * arity + other];
                check(i, "second derivative", k * arity + other, found == nullptr ? T(0) : (*found)(i), expected);
            }
        }
    }
}
