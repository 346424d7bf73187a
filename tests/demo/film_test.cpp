// The film of a training: which frames there are after so many steps, what is in them, and that a damaged one is refused. That
// a resumed run has the same is tested in ae_vs_vae_resume_test.cpp.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "examples/ae_vs_vae/checkpoint.hpp"
#include "examples/ae_vs_vae/codes.hpp"
#include "examples/ae_vs_vae/film.hpp"
#include "tests/catch.hpp"
#include "tests/files.hpp"

using autograd::Array;
using autograd::Rng;

namespace {

constexpr std::size_t rows = 4, columns = 3;

NetworkOptions network_of(std::size_t latent, std::size_t classes = 0) {
    return {.rows = rows, .columns = columns, .hidden = 5, .latent = latent, .classes = classes};
}

ImageSet images(std::size_t count, std::size_t classes = 0) {
    Rng rng{3};
    ImageSet set{rng.uniform<float>({count, rows * columns}), {}};
    for (std::size_t i = 0; i < count; ++i) set.labels.push_back(static_cast<int>(i % 2));
    if (classes > 0) set.one_hot = one_hot(set.labels, classes);
    return set;
}

Autoencoder model_of(const NetworkOptions& network) {
    Rng rng{1};
    return {network, rng};
}

using Steps = std::vector<std::size_t>;

/// The steps of the frames of a training of so many epochs, if it is looked at before every step and after every epoch.
Steps filmed(std::size_t frames, std::size_t steps_per_epoch, std::size_t epochs) {
    const NetworkOptions network = network_of(2);
    const Autoencoder model = model_of(network);
    const Camera camera(frames, plain_loss, network, images(2), 1, steps_per_epoch, Rng{2});
    std::vector<Frame> film;
    for (std::size_t step = 0; step <= epochs * steps_per_epoch; ++step) camera.look(model, step, film);
    Steps steps;
    for (const Frame& frame : film) steps.push_back(frame.step);
    return steps;
}

}  // namespace

TEST_CASE("film: frames after 0, 10, 30, 100, ... steps and after epochs, of which no more stay than were asked for") {
    CHECK(filmed(20, 469, 3) == Steps{0, 10, 30, 100, 300, 469, 938, 1407});
    CHECK(filmed(20, 7, 3) == Steps{0, 7, 14, 21});
    CHECK(filmed(20, 10, 2) == Steps{0, 10, 20});  // after the epoch, not twice
    CHECK(filmed(0, 10, 3).empty());
    CHECK(filmed(1, 10, 5) == Steps{50});
    CHECK(filmed(2, 10, 5) == Steps{0, 50});
    CHECK(filmed(6, 50, 2) == Steps{0, 10, 30, 50, 100});
    CHECK(filmed(6, 50, 3) == Steps{0, 10, 30, 50, 100, 150});
    CHECK(filmed(6, 50, 4) == Steps{0, 10, 30, 100, 200});
    CHECK(filmed(6, 50, 5) == Steps{0, 10, 30, 100, 200, 250});
    CHECK(filmed(6, 50, 7) == Steps{0, 10, 30, 200, 350});
    for (const std::size_t frames : {1u, 2u, 3u, 5u, 12u}) {
        for (std::size_t epochs = 1; epochs < 40; ++epochs) {
            const Steps steps = filmed(frames, 12, epochs);
            CHECK(steps.size() <= frames);
            CHECK(steps.back() == 12 * epochs);
        }
    }
}

TEST_CASE("film: a frame has the codes, the decoded codes and the losses of the model as it was") {
    const std::size_t classes = GENERATE(0u, 2u);
    const NetworkOptions network = network_of(2, classes);
    Autoencoder model = model_of(network);
    const ImageSet test = images(1200, classes);
    const Camera camera(20, variational_loss, network, test, 3, 12, Rng{2});
    std::vector<Frame> film;
    camera.look(model, 0, film);
    camera.look(model, 5, film);  // not due
    model.encoder.mean.weight.mutable_value() *= 2.0F;
    camera.look(model, 10, film);
    camera.look(model, 10, film);  // once is enough
    REQUIRE(film.size() == 2);

    const Array<float> codes = encode(model, test);
    REQUIRE(film[1].codes.shape() == autograd::Shape{1000, 2});
    CHECK(std::equal(film[1].codes.begin(), film[1].codes.end(), codes.begin()));
    CHECK_FALSE(std::equal(film[0].codes.begin(), film[0].codes.end(), codes.begin()));
    CHECK(film[0].pictures.shape() == autograd::Shape{10, rows * columns});
    CHECK(std::equal(film[0].pictures.begin(), film[0].pictures.end(), film[1].pictures.begin()));  // the same decoder
    const LossValues& loss = film[1].loss;
    CHECK(loss.loss == Approx(loss.reconstruction + 3 * loss.kl));
    CHECK(film[0].loss.kl < loss.kl);

    // Codes of other dimensions are not kept.
    const NetworkOptions other = network_of(3);
    std::vector<Frame> without_codes;
    Camera(20, plain_loss, other, images(5), 1, 12, Rng{2}).look(model_of(other), 0, without_codes);
    CHECK(without_codes.at(0).codes.size() == 0);
    CHECK(without_codes.at(0).pictures.size() == 10 * rows * columns);
}

TEST_CASE("film: a model whose numbers are not finite is not filmed") {
    const NetworkOptions network = network_of(2);
    Autoencoder model = model_of(network);
    model.encoder.mean.weight.mutable_value() *= std::numeric_limits<float>::infinity();
    std::vector<Frame> film;
    Camera(20, plain_loss, network, images(5), 1, 12, Rng{2}).look(model, 0, film);
    CHECK(film.empty());
}

TEST_CASE("film: it is loaded as it was saved, by those who have the same data, and refused where it is damaged") {
    const TemporaryDirectory directory;
    Options options;
    options.checkpoint = directory.path().string();
    options.batch = 2;
    const NetworkOptions network = network_of(2);
    Data data{images(4), images(5), rows, columns, 2, "these"};
    const Role role{"VAE", "VAE", "vae.safetensors", variational_loss, 0, 20};
    const Checkpoint checkpoint(role, options, network, data);
    Autoencoder model = model_of(network), best = model;
    nn::Adam adam;
    Progress progress;
    const Camera camera(20, variational_loss, network, data.test, 1, 2, Rng{2});
    for (const std::size_t step : {0u, 2u}) camera.look(model, step, progress.history.film);
    progress.epoch = 2;
    progress.history.steps = 2;
    progress.history.epochs = {{1, {}, {}}};
    checkpoint.save({model, best, adam, {}, progress});

    const auto file = directory / "vae.safetensors";
    const auto load = [&](const Data& from) { return load_model(file, "VAE", model, options, network, from); };
    const std::vector<Frame> film = load(data).film;
    REQUIRE(film.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
        const Frame& saved = progress.history.film[i];
        CHECK(film[i].step == saved.step);
        CHECK(film[i].loss.reconstruction == saved.loss.reconstruction);
        CHECK(film[i].loss.kl == saved.loss.kl);
        CHECK((film[i].codes == saved.codes));
        CHECK((film[i].pictures == saved.pictures));
    }
    Data others = data;
    others.fingerprint = "others";
    CHECK(load(others).film.empty());  // its codes would be those of other pictures

    const nn::TensorFile whole = nn::read_safetensors(file);
    const auto message = [&](auto change) {
        nn::TensorFile changed = whole;
        change(changed.tensors);
        nn::write_safetensors(file, changed);
        return file_error([&] { load(data); });
    };
    CHECK_THAT(message([](auto& tensors) { tensors.erase("program/film.loss"); }), contains("its film lacks a part"));
    CHECK_THAT(message([](auto& tensors) { tensors["program/film.step"] = Array<float>{0, 2}; }), contains("lacks a part"));
    CHECK_THAT(message([](auto& tensors) {
                   tensors["program/film.step"] = Array<std::int64_t>{0, 2, 4};
               }),
               contains("do not fit together"));
    CHECK_THAT(message([](auto& tensors) {
                   tensors["program/film.codes"] = autograd::full<float>({2, 5}, 0);
               }),
               contains("do not fit together"));
    CHECK_THAT(message([](auto& tensors) {
                   tensors["program/film.pictures"] = autograd::empty<std::uint8_t>({2, 10, 11});
               }),
               contains("do not fit together"));
    CHECK_THAT(message([](auto& tensors) {
                   tensors["program/film.step"] = Array<std::int64_t>{2, 2};
               }),
               contains("steps out of order"));
    CHECK_THAT(message([](auto& tensors) {
                   tensors["program/film.step"] = Array<std::int64_t>{-1, 2};
               }),
               contains("steps out of order"));
    CHECK_THAT(message([](auto& tensors) {
                   std::get<Array<float>>(tensors["program/film.codes"])(1, 2, 1) = std::numeric_limits<float>::quiet_NaN();
               }),
               contains("not finite"));
    CHECK(message([](auto&) {}).empty());
}
