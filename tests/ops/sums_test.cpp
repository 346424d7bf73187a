// What is added up within one op, in its value or its gradient: the error does not grow with the number of terms. Right
// values are the number of equal terms times one of them.
#include <cmath>
#include <limits>

#include "tests/testing.hpp"

using namespace autograd;

namespace {

/// `right` to within the roundings of `in_sequence` additions and then of pairs, of so many terms.
template <class T>
bool is_sum(T found, double right, std::size_t terms, std::size_t in_sequence = 16) {
    const double roundings = static_cast<double>(in_sequence) + std::log2(static_cast<double>(terms));
    INFO(found << " in place of " << right);
    return std::fabs(static_cast<double>(found) - right) <= roundings * std::numeric_limits<T>::epsilon() / 2 * right;
}

/// The first element of the gradient of sum(f(x) * weight) in an x of ones, of the plain sweep. That of the recorded
/// one must be as good.
template <class T, class F>
void check_gradient_is_sum(F f, const Shape& shape, std::size_t place, std::size_t terms, std::size_t in_sequence = 16) {
    const T weight = T(0.1);
    const double right = static_cast<double>(terms) * static_cast<double>(weight);
    for (const bool create_graph : {false, true}) {
        Tape<T> tape;
        const Var<T> x = tape.variable(full<T>(shape, T(1)));
        const Var<T> y = f(x);
        const auto gradients = backward(sum(y * tape.constant(full<T>(y.shape(), weight))), {.create_graph = create_graph});
        CAPTURE(create_graph, terms, gradients[x].data()[place], right);
        CHECK(is_sum(gradients[x].data()[place], right, terms, in_sequence));
    }
}

constexpr std::size_t many = 200000;

}  // namespace

TEMPLATE_TEST_CASE("sums: the gradient of an element that is taken many times", "", float, double) {
    using T = TestType;
    for (const std::size_t terms : {std::size_t{16}, std::size_t{17}, std::size_t{1000}, many}) {
        const std::vector<std::size_t> zeros(terms, 0);
        check_gradient_is_sum<T>([&](const auto& x) { return take(x, zeros, 0); }, {3}, 0, terms);
        check_gradient_is_sum<T>([&](const auto& x) { return take(x, zeros, 1); }, {2, 3}, 3, terms);
        check_gradient_is_sum<T>([&](const auto& x) { return take(x, zeros, 0); }, {2, 3}, 2, terms);
        const auto along = [&](const Shape& shape, std::ptrdiff_t axis) {
            return [=](const auto& x) { return take_along_axis(x, full<std::ptrdiff_t>(shape, 1), axis); };
        };
        check_gradient_is_sum<T>(along({2, terms}, 1), {2, 3}, 4, terms);
        check_gradient_is_sum<T>(along({terms, 3}, 0), {2, 3}, 5, terms);
        check_gradient_is_sum<T>([&](const auto& x) { return repeat(x, Shape{0, terms}, 0); }, {2}, 1, terms);
    }
}

TEST_CASE("sums: what is taken seldom, often and not at all, beside each other") {
    // Place p of the axis is taken p * p times, in an order in which they are mixed.
    constexpr std::size_t extent = 40, width = 3;
    std::vector<std::size_t> indices;
    for (std::size_t round = 0; round < extent * extent; ++round) {
        for (std::size_t place = 0; place < extent; ++place) {
            if (round < place * place) indices.push_back(place);
        }
    }
    Tape<double> tape;
    const auto x = tape.variable(full<double>({2, extent, width}, 1));
    // A gradient that is there already, to which the others are added.
    const auto gradients = backward(sum(take(x, indices, 1)) + 0.5 * sum(x));
    for (std::size_t i = 0; i < 2; ++i) {
        for (std::size_t place = 0; place < extent; ++place) {
            for (std::size_t k = 0; k < width; ++k) {
                CHECK(gradients[x](i, place, k) == static_cast<double>(place * place) + 0.5);
            }
        }
    }
}

TEMPLATE_TEST_CASE("sums: infinities and NaN among many terms are what they are among few", "", float, double) {
    using T = TestType;
    const T infinity = std::numeric_limits<T>::infinity();
    const auto gradient = [&](const std::vector<T>& first) {
        Tape<T> tape;
        const Var<T> x = tape.variable(full<T>({1}, T(1)));
        auto weights = full<T>({100}, T(1));
        std::copy(first.begin(), first.end(), weights.data());
        return backward(sum(take(x, std::vector<int>(100, 0), 0) * tape.constant(weights)))[x](0);
    };
    CHECK(gradient({2}) == 101);
    CHECK(gradient({infinity}) == infinity);
    CHECK(gradient({1, infinity, infinity}) == infinity);
    CHECK(gradient({-infinity}) == -infinity);
    CHECK(std::isnan(gradient({infinity, -infinity})));
    CHECK(std::isnan(gradient({infinity, std::numeric_limits<T>::quiet_NaN()})));
    CHECK(std::isnan(gradient({std::numeric_limits<T>::quiet_NaN()})));
}

TEMPLATE_TEST_CASE("sums: gradients of windows that overlap", "", float, double) {
    using T = TestType;
    constexpr std::size_t terms = 1000;
    const Shape line{1, 1, 1, 2 * terms - 1};
    const std::size_t middle = terms - 1;
    check_gradient_is_sum<T>([&](const auto& x) { return unfold(x, {1, terms}); }, line, middle, terms);
    check_gradient_is_sum<T>(
        [&](const auto& x) {
            return avg_pool2d(x, {1, terms}, {.stride = 1}) * double(terms);
        },
        line, middle, terms, 20);
    check_gradient_is_sum<T>(
        [&](const auto& x) {
            return conv2d(x, x.tape().constant(full<T>({1, 1, 1, terms}, T(1))));
        },
        line, middle, terms);
    // A place is in all 40 rows of windows, and in those columns of them whose number is a multiple of 3.
    check_gradient_is_sum<T>(
        [](const auto& x) {
            return unfold(x, 40, {.stride = {2, 3}, .dilation = {2, 1}});
        },
        {1, 1, 160, 160}, 80 * 160 + 81, 40 * 14);
    // The value of fold is such a sum itself.
    Tape<T> tape;
    const auto columns = tape.constant(full<T>({1, terms, terms}, T(0.1)));
    CHECK(is_sum(fold(columns, line, {1, terms}).value()(0, 0, 0, middle), double(terms) * double(T(0.1)), terms));
}

TEMPLATE_TEST_CASE("sums: gradients of what is broadcast", "", float, double) {
    using T = TestType;
    const auto onto = [](const Shape& shape) {
        return [=](const auto& x) { return x * x.tape().constant(full<T>(shape, T(1))); };
    };
    check_gradient_is_sum<T>(onto({1, many}), {1, 1}, 0, many, 80);
    check_gradient_is_sum<T>(onto({many, 1}), {1, 1}, 0, many, 80);
    check_gradient_is_sum<T>(onto({many, 3}), {1, 3}, 1, many);
    check_gradient_is_sum<T>(onto({3, many}), {3, 1}, 1, many, 80);
    check_gradient_is_sum<T>(onto({400, 3, 500}), {3, 1}, 1, many, 80);
    check_gradient_is_sum<T>([](const auto& x) { return broadcast_to(x, {many, 3}); }, {3}, 1, many);
    check_gradient_is_sum<T>([](const auto& x) { return repeat(x, many, 0); }, {2}, 1, many, 80);
    check_gradient_is_sum<T>([](const auto& x) { return tile(x, {many}); }, {2}, 1, many);
}

TEMPLATE_TEST_CASE("sums: cumulative ones, and what their gradients add up", "", float, double) {
    using T = TestType;
    const double right = static_cast<double>(many) * static_cast<double>(T(0.1));
    for (const Shape& shape : {Shape{many}, Shape{many, 2}}) {
        Tape<T> tape;
        const auto x = tape.constant(full<T>(shape, T(0.1)));
        const auto sums = cumulative_sum(x, 0).value();
        CHECK(is_sum(sums.data()[sums.size() - 1], right, many, 2));
        const auto recurrence = linear_recurrence(tape.constant(full<T>(shape, T(1))), x, 0).value();
        CHECK(is_sum(recurrence.data()[sums.size() - 1], right, many, 2));
        const auto logarithms = logcumsumexp(0 * x, 0).value();
        CHECK(is_sum(logarithms.data()[sums.size() - 1], std::log(double(many)), 2, 4));
        check_gradient_is_sum<T>([](const auto& each) { return cumulative_sum(each, 0); }, shape, 0, many, 2);
        check_gradient_is_sum<T>([](const auto& each) { return cumulative_prod(each, 0); }, shape, 0, many, 2);
    }
    // Signs of zeros, and infinite sums, stay.
    Tape<T> tape;
    const T infinity = std::numeric_limits<T>::infinity();
    const auto x = tape.constant(Array<T>{1, infinity, 1, 2, -infinity, 1});
    const auto sums = elements(cumulative_sum(x, 0).value());
    CHECK(std::vector<T>(sums.begin(), sums.begin() + 4) == std::vector<T>{1, infinity, infinity, infinity});
    CHECK((std::isnan(sums[4]) && std::isnan(sums[5])));
    const auto zeros = tape.constant(full<T>({3}, T(-0.0)));
    for (const auto& each : {cumulative_sum(zeros, 0), cumulative_prod(zeros * tape.constant(Array<T>{1, -1, 1}), 0)}) {
        CHECK((std::signbit(each.value()(0)) && each.value()(0) == 0));
    }
    CHECK(std::signbit(cumulative_sum(zeros, 0).value()(2)));
}

TEMPLATE_TEST_CASE("sums: products of long rows, and of many matrices", "", float, double) {
    using T = TestType;
    // The small terms are lost if they are added to the large one some hundred at a time: their sum is 0.99, half a
    // unit in its last place 1. So many additions to it that round are allowed, each off by up to 1.
    constexpr std::size_t length = 4000000, roundings = 64;
    const T large = T(2) / std::numeric_limits<T>::epsilon(), small = T(0.99 / 384);
    auto row = full<T>({1, length}, small);
    row(0, 0) = large;
    Tape<T> tape;
    const auto ones = tape.constant(full<T>({length, 1}, T(1)));
    const double right = static_cast<double>(length - 1) * static_cast<double>(small);
    const auto product = static_cast<double>(matmul(tape.constant(row), ones).item() - large);
    CHECK(std::fabs(product - right) <= static_cast<double>(roundings));
    // A matrix that a batch shares: its gradient is the sum of as many products. And that of convolutions.
    const auto shared = [](const Shape& batch) {
        return [=](const auto& x) { return matmul(x, x.tape().constant(full<T>(batch, T(1)))); };
    };
    check_gradient_is_sum<T>(shared({many, 1, 1}), {1, 1}, 0, many);
    check_gradient_is_sum<T>(shared({many / 4, 1, 1, 4}), {1, 1}, 0, many, 20);
    check_gradient_is_sum<T>(shared({many / 2, 2, 1, 1}), {2, 1, 1}, 1, many / 2);
    check_gradient_is_sum<T>(shared({2, many / 2, 1, 1}), {1, 1}, 0, many);
    check_gradient_is_sum<T>(
        [](const auto& x) {
            return conv2d(x.tape().constant(full<T>({many, 1, 1, 1}, T(1))), x);
        },
        {1, 1, 1, 1}, 0, many);
    check_gradient_is_sum<T>(
        [](const auto& x) {
            return conv2d(x.tape().constant(full<T>({many, 2, 1, 1}, T(1))), x, {.groups = 2});
        },
        {2, 1, 1, 1}, 1, many);
}

TEST_CASE("sums: they do not depend on the number of threads") {
    constexpr std::size_t outer = 7, extent = 50, count = 3000;
    const ThreadCount restored;
    Tape<float> tape;
    const auto x = tape.variable(sample<float>({outer, extent, 2}));
    std::vector<std::size_t> indices;
    for (std::size_t i = 0; i < count; ++i) indices.push_back(i * i % 37);
    auto along = empty<std::ptrdiff_t>({outer, count, 2});
    for (std::size_t i = 0; i < along.size(); ++i) along.data()[i] = static_cast<std::ptrdiff_t>(i * i % 31);
    const auto pictures = tape.variable(sample<float>({4, 5, 40, 40}));
    const auto loss =
        sum(square(take(x, indices, 1))) + sum(square(take_along_axis(x, along, 1))) + sum(square(unfold(pictures, 7)));
    set_num_threads(1);
    const auto of_one = backward(loss);
    for (const int threads : {2, 3, 8}) {
        set_num_threads(threads);
        const auto gradients = backward(loss);
        for (const auto& each : {x, pictures}) CHECK(elements(gradients[each]) == elements(of_one[each]));
    }
}
