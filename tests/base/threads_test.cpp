// Tapes on several threads at once; meant for the thread sanitizer, right without it too.
#include <algorithm>
#include <atomic>
#include <autograd/base/threads.hpp>
#include <chrono>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "tests/sanitizers.hpp"
#include "tests/testing.hpp"

using namespace autograd;

namespace {

// The thread sanitizer does not see how OpenBLAS, which is not built for it, hands work to its own threads and back.
constexpr bool may_share_products = !under_thread_sanitizer;

/// Some steps on a tape of this thread.
std::vector<double> train(const Array<double>& data, int steps) {
    Tape<double> tape;
    Rng noise = Rng{7}.stream("noise");
    Parameter<double> weight{sample<double>({200, data.shape()[1]})}, small{sample<double>({3, 200}, 2)};
    std::vector<double> losses;
    for (int i = 0; i < steps; ++i) {
        tape.clear();
        const auto h = tanh(matmul(tape.constant(data), tape.parameter(weight), {.b = true}) * 0.1);
        const auto y = matmul(h + 0.1 * normal_like(h, noise), tape.parameter(small), {.b = true});
        const auto loss = mean(square(y));
        const auto grads = backward(loss);
        losses.push_back(loss.item());
        for (Parameter<double>* each : {&weight, &small}) {
            update([](auto& value, auto g) { value = value - 1e-3 * g; }, each->mutable_value(), grads[*each]);
        }
    }
    return losses;
}

}  // namespace

TEST_CASE("threads: two tapes on two threads do not know of each other") {
    // 24 million operations in a product are shared by BLAS's threads, 0.3 million are not.
    const Array<double> data = may_share_products ? sample<double>({200, 300}, 5) : sample<double>({25, 30}, 5);
    const int steps = 5;
    const std::vector<double> alone = train(data, steps);
    std::vector<double> first, second;
    std::thread one([&] { first = train(data, steps); });
    std::thread two([&] { second = train(data, steps); });
    one.join();
    two.join();
    // Products may be summed in another order on another number of threads; five steps do not amplify that much.
    for (int i = 0; i < steps; ++i) {
        const auto step = static_cast<std::size_t>(i);
        CHECK(first[step] == Approx(alone[step]).epsilon(1e-10));
        CHECK(second[step] == Approx(alone[step]).epsilon(1e-10));
    }
    CHECK(alone.back() < alone.front());
}

TEST_CASE("threads: tapes on two threads may borrow the same parameter") {
    const Parameter<double> shared{sample<double>({50})};
    const auto read = [&shared] {
        Tape<double> tape;
        for (int i = 0; i < 100; ++i) {
            tape.clear();
            if (elements(backward(sum(square(tape.parameter(shared))))[shared]) != elements(Array<double>(2 * shared.value())))
                return false;
        }
        return true;
    };
    bool there = false;
    std::thread other([&] { there = read(); });
    const bool here = read();
    other.join();
    CHECK(here);
    CHECK(there);
}

TEST_CASE("threads: parameters made on several threads have identities of their own") {
    std::vector<std::vector<std::uint64_t>> identities(4);
    std::vector<std::thread> threads;
    for (auto& mine : identities) {
        threads.emplace_back([&mine] {
            for (int i = 0; i < 500; ++i) mine.push_back(Parameter<float>(Array<float>{1}).identity());
        });
    }
    for (std::thread& thread : threads) thread.join();
    std::vector<std::uint64_t> all;
    for (const auto& mine : identities) all.insert(all.end(), mine.begin(), mine.end());
    std::sort(all.begin(), all.end());
    CHECK(std::unique(all.begin(), all.end()) == all.end());
}

TEST_CASE("threads: the number of threads is at least 1") {
    const int before = num_threads();
    CHECK_THAT(message_of<Error>([] { set_num_threads(0); }), contains("at least 1"));
    CHECK(num_threads() == before);
    set_num_threads(1);
    CHECK(num_threads() == 1);
    set_num_threads(before);
}

TEST_CASE("threads: a team runs each part once, whoever calls it, also from within a part") {
    autograd::set_num_threads(3);
    for (const std::size_t parts : {0u, 1u, 2u, 3u, 17u}) {
        std::vector<std::atomic<int>> calls(parts * 2);
        autograd::run_in_parallel(parts, [&](std::size_t part) {
            ++calls[2 * part];
            autograd::run_in_parallel(1, [&](std::size_t) { ++calls[2 * part + 1]; });
        });
        for (const auto& each : calls) CHECK(each == 1);
    }
    std::vector<std::atomic<int>> covered(100000);
    autograd::for_ranges(covered.size(), [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) ++covered[i];
    });
    CHECK(std::all_of(covered.begin(), covered.end(), [](const auto& each) { return each == 1; }));
    autograd::set_num_threads(2);
}

TEST_CASE("threads: several callers share one team, and large work gives the same on any of them") {
    autograd::set_num_threads(2);
    autograd::Rng rng(9);
    const auto x = rng.normal<float>({600, 300}), w = rng.normal<float>({300, 400});
    const auto compute = [&] {
        autograd::Tape<float> tape;
        const auto v = tape.variable(w);
        const auto y = tanh(may_share_products ? matmul(tape.constant(x), v) : v);
        const auto gradients = backward(sum(y * y));
        return autograd::Array<float>(gradients[v]);
    };
    const auto expected = compute();
    std::vector<autograd::Array<float>> found(4);
    std::vector<std::thread> threads;
    for (auto& each : found) threads.emplace_back([&each, &compute] { each = compute(); });
    for (std::thread& thread : threads) thread.join();
    for (const auto& each : found) CHECK(std::equal(each.begin(), each.end(), expected.begin(), expected.end()));
}

TEST_CASE("threads: what a part throws reaches the caller, and the team goes on") {
    const ThreadCount restored;
    for (const int threads : {1, 2, 4}) {
        set_num_threads(threads);
        for (const std::size_t bad : {0u, 3u, 7u}) {
            std::vector<std::atomic<int>> calls(8);
            const auto work = [&](std::size_t part) {
                ++calls[part];
                if (part == bad) throw ShapeError("part " + std::to_string(part));
            };
            CHECK(message_of<ShapeError>([&] { run_in_parallel(calls.size(), work); }) == "part " + std::to_string(bad));
            CHECK(calls[bad] == 1);
            CHECK(std::all_of(calls.begin(), calls.end(), [](const auto& each) { return each <= 1; }));
            std::vector<std::atomic<int>> again(8);
            run_in_parallel(again.size(), [&](std::size_t part) { ++again[part]; });
            CHECK(std::all_of(again.begin(), again.end(), [](const auto& each) { return each == 1; }));
        }
        CHECK_THROWS_AS(run_in_parallel(100, [](std::size_t) { throw std::bad_alloc(); }), std::bad_alloc);
    }
}

TEST_CASE("threads: an exception on a thread of the team reaches the caller") {
    const ThreadCount restored;
    set_num_threads(2);
    const auto caller = std::this_thread::get_id();
    std::atomic<bool> begun{false};
    // The caller's part waits until the other thread has begun its own, or does both where it has none.
    const auto work = [&](std::size_t) {
        if (std::this_thread::get_id() == caller) {
            for (int i = 0; i < 10000 && !begun; ++i) std::this_thread::sleep_for(std::chrono::microseconds(100));
            return;
        }
        begun = true;
        throw Error("from a thread of the team");
    };
    CHECK(message_of<Error>([&] { run_in_parallel(2, work); }) == "from a thread of the team");
}

TEST_CASE("threads: a walk over more axes than a cursor has room for") {
    const ThreadCount restored;
    set_num_threads(2);
    constexpr std::size_t axes = 16;
    Shape shape;
    AxisList every_other;
    for (std::size_t axis = 0; axis < axes; ++axis) {
        shape.push_back(2);
        if (axis % 2 == 0) every_other.push_back(static_cast<std::ptrdiff_t>(axis));
    }
    auto x = empty<double>(shape);
    for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = static_cast<double>(i);
    std::vector<double> expected(std::size_t{1} << axes / 2, 0);
    for (std::size_t i = 0; i < x.size(); ++i) {
        std::size_t kept = 0;
        for (std::size_t axis = 1; axis < axes; axis += 2) kept = 2 * kept + (i >> (axes - 1 - axis) & 1);
        expected[kept] += static_cast<double>(i);
    }
    Tape<double> tape;
    CHECK(elements(sum(tape.constant(x), every_other).value()) == expected);
}
