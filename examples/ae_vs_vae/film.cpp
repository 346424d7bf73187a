// Frames by the functions that look at trained models, and a film as arrays.
#include "film.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <variant>

#include "codes.hpp"
#include "points.hpp"

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

// --- The film: its frames one after another, in an array for each of their parts -----------------------------------------

/// What each frame has, along a first axis.
template <class T, class PartOf>
Array<T> stacked(const std::vector<Frame>& film, PartOf part_of) {
    const auto& first = part_of(film.front());
    autograd::Shape shape(1 + first.dimension(), film.size());
    std::copy(first.shape().begin(), first.shape().end(), shape.begin() + 1);
    Array<T> all = autograd::empty<T>(shape);
    T* to = all.data();
    for (const Frame& frame : film) {
        const auto& part = part_of(frame);
        to = std::copy(part.begin(), part.end(), to);
    }
    return all;
}

/// Frame `index` of such an array.
template <class T>
Array<T> unstacked(const Array<T>& all, std::size_t index) {
    const autograd::Shape shape(all.shape().begin() + 1, all.shape().end());
    Array<T> part = autograd::empty<T>(shape);
    std::copy_n(all.data() + index * part.size(), part.size(), part.begin());
    return part;
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
    images_ = first(test, filmed_images);
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

nn::Arrays arrays_of(const std::vector<Frame>& film) {
    if (film.empty()) return {};
    return {
        {"film.step", stacked<std::int64_t>(
                          film, [](const Frame& frame) { return Array<std::int64_t>(static_cast<std::int64_t>(frame.step)); })},
        {"film.loss", stacked<double>(film,
                                      [](const Frame& frame) {
                                          return Array<double>{frame.loss.loss, frame.loss.reconstruction, frame.loss.kl};
                                      })},
        {"film.codes", stacked<float>(film, [](const Frame& frame) -> const auto& { return frame.codes; })},
        {"film.pictures", stacked<std::uint8_t>(film, [](const Frame& frame) -> const auto& { return frame.pictures; })}};
}

std::vector<Frame> film_of(const std::filesystem::path& path, const nn::TensorFile& contents, const ImageSet& test) {
    const auto find = [&]<class T>(const char* name, Array<T>) -> const Array<T>* {
        const auto found = contents.tensors.find(std::string(nn::program_prefix) + name);
        return found == contents.tensors.end() ? nullptr : std::get_if<Array<T>>(&found->second);
    };
    const auto* const steps = find("film.step", Array<std::int64_t>{});
    const auto* const losses = find("film.loss", Array<double>{});
    const auto* const codes = find("film.codes", Array<float>{});
    const auto* const pictures = find("film.pictures", Array<std::uint8_t>{});
    if (steps == nullptr && losses == nullptr && codes == nullptr && pictures == nullptr) return {};
    const auto fail = [&](const char* problem) { throw nn::FileError(path, fmt::format("its film {}", problem)); };
    if (steps == nullptr || losses == nullptr || codes == nullptr || pictures == nullptr) fail("lacks a part");
    const std::size_t count = steps->dimension() == 1 ? steps->size() : 0;
    const std::size_t images = std::min(filmed_images, test.images.shape()[0]), pixels = test.images.shape()[1];
    const bool has_codes = codes->size() > 0;
    if (count == 0 || losses->shape() != autograd::Shape{count, 3} ||
        codes->shape() != autograd::Shape{count, has_codes ? images : 0, has_codes ? 2u : 0} ||
        pictures->shape() != autograd::Shape{count, filmed_codes, pixels}) {
        fail("has parts that do not fit together");
    }
    if (!all_finite(*losses) || !all_finite(*codes)) fail("has a number that is not finite");
    std::vector<Frame> film;
    for (std::size_t i = 0; i < count; ++i) {
        const std::int64_t step = (*steps)(i);
        if (step < 0 || (i > 0 && static_cast<std::size_t>(step) <= film.back().step)) fail("has steps out of order");
        film.push_back({static_cast<std::size_t>(step),
                        {(*losses)(i, 0), (*losses)(i, 1), (*losses)(i, 2)},
                        unstacked(*codes, i),
                        unstacked(*pictures, i)});
    }
    return film;
}
