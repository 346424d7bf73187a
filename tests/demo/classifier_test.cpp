// The classifier that scores are taken in: on data whose classes are known.
#include "examples/ae_vs_vae/classifier.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "tests/catch.hpp"
#include "tests/testing.hpp"

using autograd::Array;
using autograd::Rng;

namespace {

struct Labelled {
    Array<float> inputs;
    std::vector<int> labels;
};

/// Points of N(0, 1) in each coordinate. The class says in which quadrant the first two are, as of an exclusive or: no
/// line tells class 0 from 1; or, if `linear`, on which side of 0 the first one is.
Labelled quadrants(std::size_t count, std::uint64_t seed, bool linear) {
    Labelled data{Rng(seed).normal<float>({count, 6}), {}};
    for (std::size_t i = 0; i < count; ++i) {
        const bool a = data.inputs(i, 0) > 0, b = data.inputs(i, 1) > 0;
        data.labels.push_back(linear ? a : a != b);
    }
    return data;
}

}  // namespace

TEST_CASE("classifier: a network learns what a line cannot tell", "[classifier]") {
    const Labelled train = quadrants(4000, 1, false), test = quadrants(1000, 2, false);
    const Classifier network(train.inputs, train.labels, {.hidden = {32, 8}, .epochs = 20, .batch = 32, .lr = 3e-3}, Rng(3));
    const Estimate accuracy = network.accuracy(test.inputs, test.labels);
    CHECK(accuracy.value > 0.93);
    CHECK(accuracy.standard_error.value() == Approx(std::sqrt(accuracy.value * (1 - accuracy.value) / 999)).epsilon(1e-9));
    // Half of the points lie right by chance: 5 standard errors are 0.08.
    const Classifier line(train.inputs, train.labels, {.hidden = {}, .epochs = 20, .batch = 32, .lr = 1e-2}, Rng(3));
    CHECK(line.accuracy(test.inputs, test.labels).value == Approx(0.5).margin(0.1));

    const Array<float> features = network.features(test.inputs);
    CHECK(features.shape() == autograd::Shape({1000, 8}));
    float least = 1, largest = 0;
    for (const float each : features) {
        least = std::min(least, each);
        largest = std::max(largest, each);
    }
    CHECK(least == 0);  // after the ReLU
    CHECK(largest > 0);
    // One row at a time gives the same.
    CHECK(elements(network.features(rows_between(test.inputs, 7, 8)))[0] == Approx(features(7, 0)).margin(1e-5));
}

TEST_CASE("classifier: any number of classes, and the same generator the same classifier", "[classifier]") {
    Labelled data = quadrants(600, 4, true);
    for (std::size_t i = 0; i < 600; ++i) data.labels[i] = static_cast<int>(i % 3) * 5;
    for (std::size_t i = 0; i < 600; ++i) data.inputs(i, i % 3) += 8;
    const auto predicted = [&](std::uint64_t seed) {
        return Classifier(data.inputs, data.labels, {.hidden = {8}, .epochs = 8, .batch = 16, .lr = 1e-2}, Rng(seed));
    };
    const Classifier first = predicted(5);
    CHECK(first.accuracy(data.inputs, data.labels).value > 0.99);
    CHECK(elements(first.features(data.inputs)) == elements(predicted(5).features(data.inputs)));
    CHECK(elements(first.features(data.inputs)) != elements(predicted(6).features(data.inputs)));
    const Classifier one(data.inputs, std::vector<int>(600, 0), {.hidden = {4}, .epochs = 1}, Rng(7));
    CHECK(one.accuracy(data.inputs, std::vector<int>(600, 0)).value == 1);
}

TEST_CASE("classifier: codes are judged whatever their units", "[classifier]") {
    Labelled train = quadrants(2000, 8, true), test = quadrants(1000, 9, true);
    const Estimate plain = code_accuracy(train.inputs, train.labels, test.inputs, test.labels, Rng(10));
    CHECK(plain.value > 0.95);
    for (Labelled* data : {&train, &test}) {
        for (std::size_t i = 0; i < data->labels.size(); ++i) {
            data->inputs(i, 0) = 1e-3F * data->inputs(i, 0) - 20;
            data->inputs(i, 1) *= 1e3F;
            data->inputs(i, 2) = 4;  // does not vary
        }
    }
    CHECK(code_accuracy(train.inputs, train.labels, test.inputs, test.labels, Rng(10)).value > 0.95);
}

TEST_CASE("classifier: what cannot be learned is refused", "[classifier]") {
    Labelled data = quadrants(20, 11, true);
    const Classifier fine(data.inputs, data.labels, {.hidden = {2}, .epochs = 1}, Rng(1));
    CHECK_THROWS_AS(fine.features(autograd::full<float>({2, 5}, 0.0F)), autograd::ShapeError);
    CHECK_THROWS_AS(fine.accuracy(data.inputs, {1, 0}), autograd::Error);
    CHECK_THROWS_AS(Classifier(data.inputs, {0, 1}, {}, Rng(1)), autograd::Error);
    std::vector<int> negative = data.labels;
    negative[3] = -1;
    CHECK_THROWS_AS(Classifier(data.inputs, negative, {}, Rng(1)), autograd::Error);
    data.inputs(19, 5) = std::numeric_limits<float>::quiet_NaN();
    CHECK_THROWS_AS(Classifier(data.inputs, data.labels, {}, Rng(1)), autograd::Error);
    CHECK_THROWS_AS(fine.features(data.inputs), autograd::Error);
}

TEST_CASE("classifier: what it can be judged by", "[classifier]") {
    const Gradable some = gradable({0, 3, 3}, {3, 0, 1, 3, 7});
    CHECK(some.rows == std::vector<std::size_t>{0, 1, 3});  // of classes that can have been learned
    CHECK(some.chance == 2.0 / 3);
    // Nothing that says anything is to be got right.
    CHECK_THROWS_WITH(gradable({5, 5, 5}, {5, 5}), contains("all training images are of one class"));
    CHECK_THROWS_WITH(gradable({0, 1}, {2, 2}), contains("no test image is of a class that training images are of"));
    CHECK_THROWS_WITH(gradable({0, 1}, {1, 1, 1}), contains("all of one class"));
    CHECK_THROWS_WITH(gradable({0, 1}, {1, 2, 1}), contains("or of classes that no training image is of"));
    // Half by chance, of 100: two standard errors of guessing are a tenth.
    std::vector<int> labels(100);
    for (std::size_t i = 0; i < 100; ++i) labels[i] = static_cast<int>(i % 2);
    const Gradable hundred = gradable(labels, labels);
    CHECK(hundred.above_chance({0.61, {}}));
    CHECK_FALSE(hundred.above_chance({0.59, {}}));
    // All four right is no less than one in sixteen.
    CHECK_FALSE(gradable({0, 1}, {0, 1, 0, 1}).above_chance({1, {}}));
}
