// What threads share must not depend on them: every kernel gives the same bits on 1, 2, 3 and 8 threads, on rows that are
// shorter than a pack, longer, and neither. Meant for the thread sanitizer too. Products are left out: OpenBLAS adds up in
// another order where it is given another part.
#include <algorithm>
#include <autograd/base/threads.hpp>
#include <autograd/kernels/reduce.hpp>
#include <cstring>
#include <functional>

#include "tests/sanitizers.hpp"
#include "tests/testing.hpp"

using namespace autograd;

namespace {

// The sanitizer sees a race whether or not it does harm, and slows each run down by a factor of ten.
constexpr int repetitions = under_thread_sanitizer ? 1 : 4;

template <class T>
using Arrays = std::vector<Array<T>>;
template <class T>
using Compute = std::function<Arrays<T>()>;

template <class T>
bool same_bits(const Arrays<T>& a, const Arrays<T>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Array<T>& x, const Array<T>& y) {
        return x.shape() == y.shape() && std::memcmp(x.data(), y.data(), x.size() * sizeof(T)) == 0;
    });
}

/// All shares one after the other, on one thread, the last first: what a share writes beyond its end is always seen.
template <class T>
Arrays<T> in_turn(const Compute<T>& compute) {
    Arrays<T> result;
    run_in_parallel(2, [&](std::size_t part) {
        if (part == 0) result = compute();  // within a part the team is taken, and whoever wants to share does all
    });
    return result;
}

/// On how many threads `compute` gave other bits than on one, in words; empty if on none.
template <class T>
std::string differences(const std::string& about, const Compute<T>& compute) {
    const ThreadCount restored;
    set_num_threads(1);
    const Arrays<T> expected = compute();
    std::string found;
    for (const int threads : {2, 3, 8}) {
        set_num_threads(threads);
        int wrong = 0;
        for (int i = 0; i < repetitions; ++i) wrong += !same_bits(compute(), expected);
        const bool wrong_in_turn = !same_bits(in_turn(compute), expected);
        if (wrong == 0 && !wrong_in_turn) continue;
        found += about + ", " + std::to_string(threads) + " threads: " + std::to_string(wrong) + " of " +
                 std::to_string(repetitions) + (wrong_in_turn ? ", and in turn\n" : "\n");
    }
    return found;
}

/// x has as many elements as make it worth sharing, in rows of `length`; their number leaves shares that end anywhere.
template <class T>
struct Inputs {
    Array<T> x, row, column;

    explicit Inputs(std::size_t length) {
        const std::size_t rows = elements_worth_sharing / length + 1 + length % 3;
        x = sample<T>({rows, length}, 1);
        row = sample<T>({length}, 2);
        column = sample<T>({rows, 1}, 3);
    }
};

template <class T>
struct Case {
    const char* name;
    std::function<Var<T>(const Var<T>& x, const Var<T>& row, const Var<T>& column)> f;
};

/// Values whose gradients go through every kind of loop. Squared, so that gradients differ from element to element.
template <class T>
const std::vector<Case<T>>& cases() {
    using V = const Var<T>&;
    static const std::vector<Case<T>> all = {
        {"add a row", [](V x, V row, V) { return x + row; }},
        {"multiply by a row and a column", [](V x, V row, V column) { return x * row * column; }},
        {"of three", [](V x, V row, V column) { return where(x > row, exp(x) * column, row / (2 + column)); }},
        {"passes its gradient's buffer on", [](V x, V row, V column) { return tanh(tanh(x) * row) * column; }},
        {"sums", [](V x, V, V) { return sum(x, 0) + sum(sum(x, 1)); }},
        {"mean", [](V x, V, V) { return x - mean(x, 1, KeepDims::yes) - mean(x, 0); }},
        {"max and min", [](V x, V, V) { return max(x, 1, KeepDims::yes) * min(x, 0); }},
        {"prod", [](V x, V, V) { return prod(1 + 0.001 * x, 0) + sum(prod(x, 1)); }},
        {"argmax and argmin", [](V x, V row, V) { return argmax(x, 1, KeepDims::yes) * row + argmin(x, 0) * row; }},
        {"logsumexp", [](V x, V, V) { return logsumexp(x, 1, KeepDims::yes) + logsumexp(x, 0); }},
        {"softmax", [](V x, V row, V) { return softmax(x + row, 1) + softmax(x, 0); }},
        {"cross_entropy",
         [](V x, V, V) {
             std::vector<std::size_t> classes(x.shape()[0]);
             for (std::size_t i = 0; i < classes.size(); ++i) classes[i] = i * 7 % x.shape()[1];
             return cross_entropy(x, classes, LossReduction::none);
         }},
        {"layer_norm", [](V x, V row, V) { return layer_norm(x, row, row); }},
        {"var and stddev", [](V x, V, V) { return var(x, 0) + sum(stddev(x + x, 1)); }},
        {"vector_norm", [](V x, V, V) { return vector_norm(x, 1, KeepDims::yes, 1) + vector_norm(x, 0); }},
        {"take",
         [](V x, V row, V) {
             return sum(take(x, {0, -1, 0}, 1), 1, KeepDims::yes) * row;
         }},
        {"take_along_axis", [](V x, V row, V) { return take_along_axis(x, argmax(x, 1, KeepDims::yes).value(), 1) * row; }},
        {"layouts",
         [](V x, V row, V column) {
             const auto joined = concat(std::vector{flip(x), roll(x, 3, 1), pad(x, {{0, 0}, {0, 0}})}, 1);
             return sum(joined * column) * row + matrix_transpose(matrix_transpose(x) * (1 + matrix_transpose(column)));
         }},
        {"scans", [](V x, V row, V) { return cumulative_sum(x, 1) + logcumsumexp(x, 1) * row + cumulative_sum(x, 0); }},
        {"pooling",
         [](V x, V row, V) {
             const auto pictures = reshape(x, {x.shape()[0], 1, 1, x.shape()[1]});
             const auto largest = max_pool2d(pictures, {1, 2}, {.stride = Size2d{1, 1}, .padding = {0, 1}});
             return sum(largest, {1, 2, 3}) + sum(avg_pool2d(pictures, {1, 1})) * sum(row);
         }},
    };
    return all;
}

template <class T>
Arrays<T> value_and_gradients(const Case<T>& each, const Inputs<T>& inputs) {
    Tape<T> tape;
    const auto x = tape.variable(inputs.x), row = tape.variable(inputs.row), column = tape.variable(inputs.column);
    // Ops between the leaves and the case: then gradients are handed from buffer to buffer.
    const auto y = each.f(1.5 * x, 1 * row, 1 * column);
    const auto gradients = backward(sum(square(y)) + 0.25 * sum(square(x)));
    Arrays<T> all{Array<T>(y.value())};
    for (const auto& leaf : {x, row, column}) {
        if (const Array<T>* gradient = gradients.find(leaf)) all.push_back(*gradient);
    }
    return all;
}

}  // namespace

TEMPLATE_TEST_CASE("shares: ops give the same bits on any number of threads, whatever their rows' length", "[threads]", float,
                   double) {
    using T = TestType;
    for (std::size_t length = 1; length <= 2 * Pack<T>::size + 1; ++length) {
        const Inputs<T> inputs(length);
        for (const Case<T>& each : cases<T>()) {
            const auto about = std::string(each.name) + ", " + to_string(inputs.x.shape());
            const auto found = differences<T>(about, [&] { return value_and_gradients(each, inputs); });
            CHECK(found == "");
        }
    }
}

TEMPLATE_TEST_CASE("shares: so do arrays added to larger ones, and update", "[threads]", float, double) {
    using T = TestType;
    for (std::size_t length = 1; length <= 2 * Pack<T>::size + 1; ++length) {
        const Inputs<T> inputs(length);
        const auto found = differences<T>("accumulate and update, " + to_string(inputs.x.shape()), [&] {
            Arrays<T> all{inputs.x, inputs.x, inputs.x, inputs.x};
            kernels::accumulate(all[0], inputs.x);
            kernels::accumulate(all[1], inputs.row);
            kernels::accumulate(all[2], inputs.column);
            update([](auto& value, auto x) { value = value * 3 - x; }, all[3], inputs.x);
            return all;
        });
        CHECK(found == "");
    }
}
