// Frames by the functions that look at trained models.
#include "film.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "codes.hpp"

namespace {

using autograd::Array;

constexpr std::size_t filmed_images = 1000, filmed_codes = 10;

/// 0, 10, 30, 100, 300, ... below `end`, at most `count` of them.
std::vector<std::size_t> early_steps(std::size_t end, std::size_t count) {
    std::vector<std::size_t> steps{0};
    for (std::size_t ten = 10; ten < end; ten *= 10) {
        steps.push_back(ten);
        if (3 * ten < end) steps.push_back(3 * ten);
    }
    steps.resize(std::min(steps.size(), count));
    return steps;
}

ImageSet first_images(const ImageSet& from) {
    std::vector<std::size_t> rows(std::min(filmed_images, from.images.shape()[0]));
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    return select(from, rows);
}

Array<std::uint8_t> as_bytes(const Array<float>& images) {
    Array<std::uint8_t> bytes = autograd::empty<std::uint8_t>(images.shape());
    std::transform(images.begin(), images.end(), bytes.begin(),
                   [](float value) { return static_cast<std::uint8_t>(std::lround(255 * std::clamp(value, 0.0F, 1.0F))); });
    return bytes;
}

bool all_finite(const Array<float>& array) {
    return std::all_of(array.begin(), array.end(), [](float value) { return std::isfinite(value); });
}

}  // namespace

Camera::Camera(std::size_t frames, LossFunction loss, const NetworkOptions& network, const ImageSet& test, double beta,
               std::size_t steps_per_epoch, const autograd::Rng& rng)
    : frames_(frames),
      loss_(std::move(loss)),
      beta_(beta),
      steps_per_epoch_(steps_per_epoch),
      early_(early_steps(steps_per_epoch, frames / 2)),
      rng_(rng),
      plane_(network.latent == 2) {
    if (frames_ == 0) return;
    images_ = first_images(test);
    codes_ = rng.stream("film").normal<float>({filmed_codes, network.latent});
    if (network.classes == 0) return;
    std::vector<int> labels(filmed_codes);
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int>(i % network.classes);
    labels_ = one_hot(labels, network.classes);
}

bool Camera::is_early(std::size_t steps) const { return std::find(early_.begin(), early_.end(), steps) != early_.end(); }

void Camera::look(const Autoencoder& model, std::size_t steps, std::vector<Frame>& film) const {
    const bool after_epoch = steps > 0 && steps % steps_per_epoch_ == 0;
    if (frames_ == 0 || !(after_epoch || is_early(steps)) || (!film.empty() && film.back().step >= steps)) return;
    Frame frame{steps, evaluate(model, loss_, images_, beta_, rng_.stream("evaluation")), {}, {}};
    const Array<float> pictures = decode(model.decoder, codes_, labels_);
    frame.codes = plane_ ? encode(model, images_) : autograd::empty<float>({0, 0});
    frame.pictures = as_bytes(pictures);
    if (std::isfinite(frame.loss.loss) && all_finite(frame.codes) && all_finite(pictures)) film.push_back(std::move(frame));
    if (after_epoch) thin(steps / steps_per_epoch_, film);
}

void Camera::thin(std::size_t epoch, std::vector<Frame>& film) const {
    const std::size_t most = frames_ - early_.size();
    std::size_t stride = 1;
    while (epoch / stride + (epoch % stride != 0 ? 1 : 0) > most) stride *= 2;
    std::erase_if(film, [&](const Frame& frame) {
        const std::size_t of_frame = frame.step / steps_per_epoch_;
        const bool of_epoch = frame.step > 0 && frame.step % steps_per_epoch_ == 0;
        return of_epoch ? of_frame != epoch && of_frame % stride != 0 : !is_early(frame.step);
    });
}
