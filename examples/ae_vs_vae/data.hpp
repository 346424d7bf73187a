// The pictures and their classes, as models are given them: read, checked against each other, made binary where that is
// asked for.
#pragma once

#include <autograd/autograd.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "options.hpp"

struct ImageSet {
    autograd::Array<float> images;                    ///< (count, rows * columns), from 0 to 1
    std::vector<int> labels;                          ///< none where the data has none
    std::optional<autograd::Array<float>> one_hot{};  ///< (count, classes), for conditional models
};

struct Data {
    ImageSet train, test;
    std::size_t rows, columns;
    std::size_t classes;      ///< 0 without labels
    std::string fingerprint;  ///< tells this data from other data; made of every pixel and label
};

/// @throws FileError if a file is missing or broken, Error if training and test images differ in size or a conditional
/// model is asked for and there are no labels.
Data load_data(const Options& options, const autograd::Rng& rng);

/// A row for each label: 1 at the label's place, else 0. (labels, classes)
autograd::Array<float> one_hot(const std::vector<int>& labels, std::size_t classes);

/// The cross-entropy of the pixels with themselves, in nats per image: no Bernoulli reconstruction goes below it.
double pixel_entropy(const autograd::Array<float>& images);
