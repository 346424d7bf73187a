// Loading, and what is derived from pixels and labels alone.
#include "data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <nn/data/image_data.hpp>
#include <utility>

namespace {

/// FNV-1a over whole numbers instead of bytes, one for each pixel.
class Fingerprint {
   public:
    void add(const nn::ImageData& data) {
        for (const float pixel : data.images) add(std::bit_cast<std::uint32_t>(pixel));
        for (const int label : data.labels) add(static_cast<std::uint32_t>(label));
    }
    std::uint64_t value() const { return value_; }

   private:
    void add(std::uint32_t number) { value_ = (value_ ^ number) * 0x100000001b3; }

    std::uint64_t value_ = 0xcbf29ce484222325;
};

}  // namespace

autograd::Array<float> one_hot(const std::vector<int>& labels, std::size_t classes) {
    autograd::Array<float> result = autograd::full<float>({labels.size(), classes}, 0.0f);
    for (std::size_t i = 0; i < labels.size(); ++i) result(i, static_cast<std::size_t>(labels[i])) = 1;
    return result;
}

double pixel_entropy(const autograd::Array<float>& images) {
    double sum = 0;
    for (const float value : images) {
        const auto x = static_cast<double>(value);
        if (x > 0 && x < 1) sum -= x * std::log(x) + (1 - x) * std::log1p(-x);
    }
    return sum / static_cast<double>(images.shape()[0]);
}

Data load_data(const Options& options, const autograd::Rng& rng) {
    nn::ImageData train = nn::load_images(options.data, nn::Split::train);
    nn::ImageData test = nn::load_images(options.data, nn::Split::test);
    if (train.rows != test.rows || train.columns != test.columns) {
        throw autograd::Error(fmt::format("{}: training images of {} x {} pixels, test images of {} x {}", options.data,
                                          train.rows, train.columns, test.rows, test.columns));
    }
    if (std::min(train.images.shape()[0], test.images.shape()[0]) < 4) {
        throw autograd::Error(fmt::format("{}: {} training and {} test images; at least 4 of each are needed", options.data,
                                          train.images.shape()[0], test.images.shape()[0]));
    }
    if (train.labels.empty() != test.labels.empty()) {
        throw autograd::Error(
            fmt::format("{}: labels for the {} images only", options.data, train.labels.empty() ? "test" : "training"));
    }
    if (options.conditional && (train.labels.empty() || test.labels.empty())) {
        throw autograd::Error(fmt::format("{}: no labels, which --conditional needs", options.data));
    }
    Fingerprint fingerprint;
    fingerprint.add(train);
    fingerprint.add(test);
    Data data{.train = {std::move(train.images), std::move(train.labels)},
              .test = {std::move(test.images), std::move(test.labels)},
              .rows = train.rows,
              .columns = train.columns,
              .classes = std::max(train.classes, test.classes),
              .fingerprint = {}};
    data.fingerprint = fmt::format("{} and {} images of {} x {} pixels, {:016x}", data.train.images.shape()[0],
                                   data.test.images.shape()[0], data.rows, data.columns, fingerprint.value());
    if (options.conditional) {
        for (ImageSet* set : {&data.train, &data.test}) set->one_hot = one_hot(set->labels, data.classes);
    }
    if (options.binarise) rng.stream("binarise/test").fill_bernoulli(data.test.images, data.test.images);
    return data;
}
