// Convolutions and pooling: ties, paddings, that the pairs are adjoint, and that all derivatives stay within them.
#include <cmath>
#include <limits>

#include "tests/testing.hpp"

using namespace autograd;

namespace {

using D = Array<double>;

double dot(const D& a, const D& b) {
    double total = 0;
    for (std::size_t i = 0; i < a.size(); ++i) total += a.data()[i] * b.data()[i];
    return total;
}

}  // namespace

TEST_CASE("convolution: conv_transpose2d is the adjoint of conv2d, with what a stride leaves over as output padding") {
    Tape<double> tape;
    const auto w = tape.constant(sample<double>({3, 2, 3, 2}, 1));  // conv2d: 2 to 3 channels; transposed: 3 to 2
    const auto x = tape.constant(sample<double>({2, 2, 6, 7}, 2));
    const Size2d stride{2, 3}, padding{1, 0};
    const auto y = conv2d(x, w, {.stride = stride, .padding = padding});
    const auto u = tape.constant(sample<double>(y.shape(), 3));
    const auto back = conv_transpose2d(u, w, {.stride = stride, .padding = padding, .output_padding = {1, 2}});
    REQUIRE(back.shape() == x.shape());
    CHECK(dot(u.value(), y.value()) == Approx(dot(back.value(), x.value())).epsilon(1e-13));
    // And so it is what the gradient of conv2d in its pictures is.
    const auto v = tape.variable(x.value());
    const D gradient = backward(sum(u * conv2d(v, w, {.stride = stride, .padding = padding})))[v];
    for (std::size_t i = 0; i < gradient.size(); ++i) {
        CHECK(gradient.data()[i] == Approx(back.value().data()[i]).margin(1e-14));
    }
}

TEST_CASE("convolution: groups are convolutions apart") {
    Tape<double> tape;
    const auto x = tape.constant(sample<double>({2, 4, 5, 5}, 1)), w = tape.constant(sample<double>({6, 2, 3, 3}, 2));
    const auto whole = conv2d(x, w, {.padding = 1, .groups = 2});
    for (const std::ptrdiff_t group : {0, 1}) {
        const auto part =
            conv2d(slice(x, 1, {2 * group, 2 * group + 2}), slice(w, 0, {3 * group, 3 * group + 3}), {.padding = 1});
        const D expected = slice(whole, 1, {3 * group, 3 * group + 3}).value();
        REQUIRE(part.shape() == expected.shape());
        for (std::size_t i = 0; i < expected.size(); ++i) {
            CHECK(part.value().data()[i] == Approx(expected.data()[i]).margin(1e-14));
        }
    }
}

TEST_CASE("convolution: elements that share the maximum of a window share its gradient") {
    Tape<double> tape;
    const auto x = tape.variable(D{{{{1, 1, 5, 0}, {0, 1, 0, 5}}}});
    for (const bool create_graph : {false, true}) {
        const auto gradients = backward(sum(max_pool2d(x, 2)), {.create_graph = create_graph});
        const std::vector<double> expected{1. / 3, 1. / 3, 0.5, 0, 0, 1. / 3, 0, 0.5};
        CHECK(elements(gradients[x]) == expected);
    }
    // An element that is the maximum of two windows gets both gradients.
    const auto once = tape.variable(D{{{{0, 1, 0}}}});
    CHECK(elements(backward(sum(max_pool2d(once, {1, 2}, {.stride = 1})))[once]) == std::vector<double>{0, 2, 0});
}

TEST_CASE("convolution: padding is no maximum, but counts in a mean") {
    Tape<double> tape;
    const auto x = tape.variable(full<double>({1, 1, 2, 2}, -4.0));
    const auto most = max_pool2d(x, 2, {.stride = 2, .padding = 1});
    CHECK(elements(most.value()) == std::vector<double>{-4, -4, -4, -4});
    CHECK(elements(backward(sum(most))[x]) == std::vector<double>{1, 1, 1, 1});
    CHECK(elements(avg_pool2d(x, 2, {.stride = 2, .padding = 1}).value()) == std::vector<double>{-1, -1, -1, -1});
    const auto nan = tape.constant(full<double>({1, 1, 3, 3}, std::numeric_limits<double>::quiet_NaN()));
    CHECK(std::isnan(max_pool2d(nan, 3, {.stride = 3, .padding = 1}).value()(0, 0, 0, 0)));
}

TEST_CASE("convolution: no gradient of a maximum flows into the padding") {
    constexpr double least = -std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    // A picture of one element is the maximum of each of its four windows. In larger ones of equal numbers the
    // gradients sum to the number of windows.
    for (const std::size_t size : {1u, 3u}) {
        for (const double value : {least, -1.0, nan}) {
            Tape<double> tape;
            const auto x = tape.variable(full<double>({1, 2, size, size}, value));
            const auto y = max_pool2d(x, 2, {.stride = 1, .padding = 1});
            for (const double each : y.value()) CHECK((each == value || (std::isnan(each) && std::isnan(value))));
            double total = 0;
            for (const double each : elements(backward(sum(y))[x])) total += each;
            if (std::isnan(value)) {
                CHECK(std::isnan(total));
            } else {
                CHECK(total == Approx(static_cast<double>(y.value().size())).epsilon(1e-14));
            }
        }
    }
    // The windows of (-inf, -inf, 5) with padding: {-inf}, {-inf, -inf}, {-inf, 5}, {5}.
    const auto pool = [](auto x) { return max_pool2d(x, {1, 2}, {.stride = 1, .padding = {0, 1}}); };
    Tape<double> tape;
    const auto x = tape.variable(D{{{{least, least, 5}}}});
    const auto y = pool(x);
    CHECK(elements(y.value()) == std::vector<double>{least, least, 5, 5});
    const auto weight = tape.constant(D{{{{1, 2, 4, 8}}}});
    for (const bool create_graph : {false, true}) {
        const auto gradients = backward(sum(weight * y), {.create_graph = create_graph});
        CHECK(elements(gradients[x]) == std::vector<double>{2, 1, 12});
    }
    CHECK(elements(tangent(y, {{x, D{{{{1, 2, 4}}}}}})) == std::vector<double>{1, 1.5, 4, 4});
    // Beside a NaN, which is the maximum of its windows, padding changes nothing.
    const auto beside = tape.variable(D{{{{nan, 1, 2}}}});
    const auto of_beside = elements(backward(sum(where(tape.constant(D{{{{0, 0, 1, 1}}}}), pool(beside), 0)))[beside]);
    CHECK(of_beside[2] == 2);
}

TEST_CASE("convolution: large ones are the same on any number of threads") {
    const int before = num_threads();
    std::vector<Array<float>> results;
    for (const int threads : {1, 2}) {
        set_num_threads(threads);
        Tape<float> tape;
        const auto x = tape.variable(sample<float>({4, 8, 32, 32}, 1)), w = tape.variable(sample<float>({8, 8, 3, 3}, 2));
        const auto y = max_pool2d(conv2d(x, w, {.padding = 1}), 2);
        const auto gradients = backward(sum(square(y)));
        results.push_back(gradients[x]);
        results.push_back(gradients[w]);
    }
    set_num_threads(before);
    for (std::size_t k = 0; k < 2; ++k) {
        float size = 0, apart = 0;
        for (std::size_t i = 0; i < results[k].size(); ++i) {
            size = std::max(size, std::fabs(results[k].data()[i]));
            apart = std::max(apart, std::fabs(results[k].data()[i] - results[k + 2].data()[i]));
        }
        CHECK(apart <= 1e-5f * size);
    }
}

TEST_CASE("convolution: sizes that cannot be are refused, not computed") {
    Tape<double> tape;
    const auto x = tape.constant(full<double>({1, 1, 3, 3}, 1.0)), w = tape.constant(full<double>({1, 1, 2, 2}, 1.0));
    const std::size_t huge = std::size_t{1} << 62;
    CHECK_THROWS_AS(conv2d(x, w, {.padding = huge}), ShapeError);
    CHECK_THROWS_AS(conv2d(x, w, {.dilation = huge}), ShapeError);
    CHECK_THROWS_AS(conv_transpose2d(x, w, {.stride = huge}), ShapeError);
    CHECK_THROWS_AS(max_pool2d(x, {huge, 1}), ShapeError);
    CHECK(tape.size() == 2);
}
