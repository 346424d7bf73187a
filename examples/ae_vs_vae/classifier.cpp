// Training and using the classifier.
#include "classifier.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

using autograd::Array;
using autograd::Error;
using autograd::Rng;
using autograd::Tape;
using autograd::Var;

namespace {

void require_labels(const Array<float>& inputs, const std::vector<int>& labels) {
    if (labels.size() == inputs.shape()[0]) return;
    throw Error("Classifier: " + std::to_string(labels.size()) + " labels for " + std::to_string(inputs.shape()[0]) +
                " inputs");
}

std::size_t classes_of(const std::vector<int>& labels) {
    const auto [least, largest] = std::minmax_element(labels.begin(), labels.end());
    if (*least < 0) throw Error("Classifier: label " + std::to_string(*least) + " is negative");
    return static_cast<std::size_t>(*largest) + 1;
}

/// The rows which f makes of those of `inputs`, a batch at a time.
template <class F>
Array<float> map_rows(const Array<float>& inputs, const F& f) {
    Tape<float> tape({.inference = true});
    Array<float> batch, result;
    float* to = nullptr;
    for (const auto rows : nn::Batches(inputs.shape()[0], 500).epoch(1)) {
        nn::gather_rows(inputs, rows, batch);
        const Array<float>& values = f(tape.constant(batch)).value();
        if (to == nullptr) {
            result = autograd::empty<float>({inputs.shape()[0], values.shape()[1]});
            to = result.data();
        }
        to = std::copy(values.data(), values.data() + values.size(), to);
        tape.clear();
    }
    return result;
}

/// (points - mean) / standard deviation, of each dimension; one that does not vary is only shifted.
Array<float> standardised(const Moments& moments, const Array<float>& points) {
    Array<float> result = relative_to(moments.mean, points);
    for (std::size_t k = 0; k < moments.mean.size(); ++k) {
        const double variance = moments.covariance(k, k);
        const auto factor = static_cast<float>(variance > 0 ? 1 / std::sqrt(variance) : 1);
        for (std::size_t i = 0; i < points.shape()[0]; ++i) result(i, k) *= factor;
    }
    return result;
}

}  // namespace

Gradable gradable(const std::vector<int>& train_labels, const std::vector<int>& test_labels) {
    const std::set<int> classes(train_labels.begin(), train_labels.end());
    if (classes.size() < 2) throw Error("all training images are of one class");
    Gradable result{};
    std::map<int, std::size_t> counts;
    for (std::size_t row = 0; row < test_labels.size(); ++row) {
        if (!classes.contains(test_labels[row])) continue;
        result.rows.push_back(row);
        ++counts[test_labels[row]];
    }
    if (counts.empty()) throw Error("no test image is of a class that training images are of");
    if (counts.size() < 2) throw Error("the test images are all of one class, or of classes that no training image is of");
    std::size_t most = 0;
    for (const auto& [label, count] : counts) most = std::max(most, count);
    result.chance = static_cast<double>(most) / static_cast<double>(result.rows.size());
    return result;
}

bool Gradable::above_chance(const Estimate& accuracy) const {
    return accuracy.value - chance > 2 * std::sqrt(chance * (1 - chance) / static_cast<double>(rows.size()));
}

Classifier::Classifier(const Array<float>& inputs, const std::vector<int>& labels, const ClassifierOptions& options,
                       const Rng& rng) {
    require_points(inputs, 1, "Classifier");
    require_labels(inputs, labels);
    Rng initialization = rng.stream("init");
    std::size_t width = inputs.shape()[1];
    for (const std::size_t units : options.hidden) {
        layers_.emplace_back(width, units, initialization, nn::he_uniform<float>);
        width = units;
    }
    layers_.emplace_back(width, classes_of(labels), initialization);

    const nn::Batches batches(inputs.shape()[0], options.batch, rng.stream("shuffle"));
    nn::Adam adam({.lr = options.lr});
    Tape<float> tape;
    autograd::Parameter<float> batch;  // borrowed by the tape, not copied
    std::vector<std::size_t> targets;
    for (std::size_t epoch = 1; epoch <= options.epochs; ++epoch) {
        if (epoch == options.epochs) adam.options.lr = options.lr / 10;
        for (const auto rows : batches.epoch(epoch)) {
            nn::gather_rows(inputs, rows, batch.mutable_value());
            targets.clear();
            for (const std::size_t row : rows) targets.push_back(static_cast<std::size_t>(labels[row]));
            tape.clear();
            const Var<float> loss = cross_entropy(layers_.back()(hidden(tape.constant(batch))), targets);
            if (!std::isfinite(loss.item())) {
                throw Error("Classifier: the loss in epoch " + std::to_string(epoch) + " is " + std::to_string(loss.item()));
            }
            adam.step(layers_, backward(loss));
        }
    }
}

Var<float> Classifier::hidden(Var<float> x) const {
    for (std::size_t i = 0; i + 1 < layers_.size(); ++i) x = relu(layers_[i](x));
    return x;
}

Array<float> Classifier::features(const Array<float>& inputs) const {
    require_points(inputs, 1, "Classifier::features");
    return map_rows(inputs, [&](const Var<float>& x) { return hidden(x); });
}

std::vector<int> Classifier::predict(const Array<float>& inputs) const {
    require_points(inputs, 1, "Classifier::predict");
    const Array<float> classes =
        map_rows(inputs, [&](const Var<float>& x) { return argmax(layers_.back()(hidden(x)), -1, autograd::KeepDims::yes); });
    std::vector<int> result;
    for (const float each : classes) result.push_back(static_cast<int>(each));
    return result;
}

Estimate Classifier::accuracy(const Array<float>& inputs, const std::vector<int>& labels) const {
    const std::vector<int> predicted = predict(inputs);
    require_labels(inputs, labels);
    std::vector<double> right;
    for (std::size_t i = 0; i < labels.size(); ++i) right.push_back(predicted[i] == labels[i] ? 1 : 0);
    return mean_of(right);
}

Estimate code_accuracy(const Array<float>& train_codes, const std::vector<int>& train_labels, const Array<float>& test_codes,
                       const std::vector<int>& test_labels, const Rng& rng, const ClassifierOptions& options) {
    const Moments moments = moments_of(train_codes);
    require_points(test_codes, 2, "code_accuracy");
    if (test_codes.shape()[1] != train_codes.shape()[1]) {
        throw autograd::ShapeError("code_accuracy: training codes of shape " + autograd::to_string(train_codes.shape()) +
                                   ", test codes of shape " + autograd::to_string(test_codes.shape()));
    }
    const Classifier classifier(standardised(moments, train_codes), train_labels, options, rng);
    return classifier.accuracy(standardised(moments, test_codes), test_labels);
}
