// Checkpoints: what is saved comes back, training goes on as if it had not stopped, and a file which does not fit
// changes nothing.
#include <nn/nn.hpp>

#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/catch.hpp"
#include "tests/files.hpp"

using autograd::Array;
using autograd::Rng;
using autograd::Tape;

namespace {

struct Model {
    nn::Linear hidden;
    std::vector<nn::Linear> heads;
    static constexpr auto members = nn::members("hidden", &Model::hidden, "heads", &Model::heads);
};

Model make_model(std::uint64_t seed) {
    Rng rng{seed};
    return {.hidden = {3, 4, rng}, .heads = {{4, 2, rng}, {4, 2, rng}}};
}

std::vector<float> values_of(const Model& model) {
    std::vector<float> result;
    nn::for_each_parameter(model, [&](const std::string&, const auto& each) {
        result.insert(result.end(), each.value().begin(), each.value().end());
    });
    return result;
}

/// A step with noise; the second head is not used.
template <class Optimizer>
void train(Model& model, Optimizer& optimizer, Rng& noise, int steps) {
    Tape<float> tape;
    for (int i = 0; i < steps; ++i) {
        const auto x = tape.constant(noise.normal<float>({8, 3}));
        optimizer.step(model, backward(sum(square(model.heads[0](relu(model.hidden(x)))))));
        tape.clear();
    }
}

/// Everything that load() could change.
struct Training {
    Model model = make_model(1);
    nn::Adam adam;
    Rng noise{5};

    explicit Training(int steps) { train(model, adam, noise, steps); }
    nn::Generators generators() { return {{"noise", &noise}}; }
};

void check_same(const Training& a, const Training& b) {
    CHECK(values_of(a.model) == values_of(b.model));
    CHECK(a.noise == b.noise);
    const auto a_states = a.adam.states(a.model);
    const auto b_states = b.adam.states(b.model);
    REQUIRE(a_states.size() == b_states.size());
    for (std::size_t i = 0; i < a_states.size(); ++i) {
        CHECK(a_states[i].steps == b_states[i].steps);
        CHECK(a_states[i].averages == b_states[i].averages);
    }
}

/// The message with which a file changed by `damage` is refused. It must leave everything as it was.
std::string refusal(const std::function<void(nn::TensorFile&)>& damage) {
    const TemporaryDirectory directory;
    const auto path = directory / "checkpoint.safetensors";
    Training saved(3);
    nn::save(path, saved.model, saved.adam, saved.generators());
    nn::TensorFile file = nn::read_safetensors(path);
    damage(file);
    nn::write_safetensors(path, file);

    Training running(1);
    const std::string message = file_error([&] { nn::load(path, running.model, running.adam, running.generators()); });
    check_same(running, Training(1));
    return message;
}

}  // namespace

TEST_CASE("a model comes back as it was saved", "[checkpoint]") {
    const TemporaryDirectory directory;
    const auto path = directory / "model.safetensors";
    const Model model = make_model(1);
    nn::save(path, model);
    CHECK(directory.entries() == 1);
    Model other = make_model(2);
    const auto identity = other.hidden.weight.identity();
    nn::load(path, other);
    CHECK(values_of(other) == values_of(model));
    CHECK(other.hidden.weight.identity() == identity);

    const nn::TensorFile file = nn::read_safetensors(path);
    CHECK(file.tensors.size() == 6);
    CHECK(file.tensors.contains("heads.1.bias"));
    CHECK(std::get<Array<float>>(file.tensors.at("hidden.weight")) == model.hidden.weight.value());
}

TEST_CASE("loading counts as an update: the old tape's sweep is refused", "[checkpoint]") {
    const TemporaryDirectory directory;
    Model model = make_model(1);
    nn::save(directory / "model", model);
    Tape<float> tape;
    const auto loss = sum(model.hidden(tape.constant(autograd::full<float>({1, 3}, 1.0F))));
    nn::load(directory / "model", model);
    CHECK_THROWS_AS(backward(loss), autograd::GradientError);
}

TEMPLATE_TEST_CASE("training resumed from a checkpoint is training that never stopped", "[checkpoint]", nn::Adam, nn::AdamW,
                   nn::SGD) {
    const TemporaryDirectory directory;
    const auto path = directory / "checkpoint.safetensors";
    TestType optimizer;
    if constexpr (std::is_same_v<TestType, nn::SGD>) optimizer.options.momentum = 0.9;
    Model model = make_model(1);
    Rng noise{5};
    train(model, optimizer, noise, 3);
    nn::save(path, model, optimizer, {{"noise", &noise}});
    train(model, optimizer, noise, 3);

    TestType resumed_optimizer(optimizer.options);
    Model resumed = make_model(2);
    Rng resumed_noise{6};
    nn::load(path, resumed, resumed_optimizer, {{"noise", &resumed_noise}});
    train(resumed, resumed_optimizer, resumed_noise, 3);
    CHECK(values_of(resumed) == values_of(model));
    CHECK(resumed_noise == noise);
    CHECK(resumed_optimizer.states(resumed)[0].steps == 6);
    CHECK(resumed_optimizer.states(resumed)[4].steps == 0);

    Model weights_only = make_model(3);
    nn::load(path, weights_only);
    CHECK(values_of(weights_only) != values_of(model));  // those of the third step
}

TEST_CASE("a program's notes are kept beside the rest", "[checkpoint]") {
    const TemporaryDirectory directory;
    Training training(2);
    nn::save(directory / "x", training.model, training.adam, training.generators(), {{"epoch", "3"}, {"text", "\"\n"}});
    const auto notes = nn::read_safetensors(directory / "x").metadata;
    CHECK(notes.at("epoch") == "3");
    CHECK(notes.at("text") == "\"\n");
    Training other(0);
    nn::load(directory / "x", other.model, other.adam, other.generators());
    check_same(other, training);
    CHECK_THROWS_WITH(nn::save(directory / "y", training.model, training.adam, {}, {{"rng/noise", "1 2"}}),
                      contains("a note rng/noise"));
    CHECK(directory.entries() == 1);
}

TEST_CASE("a program's arrays are kept beside the rest, and passed over by who loads the model", "[checkpoint]") {
    const TemporaryDirectory directory;
    const Training training(3);
    const nn::Arrays arrays{{"film", Array<float>{{1, 2}, {3, 4}}}, {"steps", Array<std::int64_t>{5}}};
    const nn::Generators generators{{"noise", const_cast<Rng*>(&training.noise)}};
    nn::save(directory / "file", training.model, training.adam, generators, {}, arrays);
    const auto tensors = nn::read_safetensors(directory / "file").tensors;
    CHECK((std::get<Array<float>>(tensors.at("program/film")) == Array<float>{{1, 2}, {3, 4}}));
    CHECK((std::get<Array<std::int64_t>>(tensors.at("program/steps")) == Array<std::int64_t>{5}));
    Training loaded(0);
    nn::load(directory / "file", loaded.model, loaded.adam, loaded.generators());
    check_same(loaded, training);
    Model alone = make_model(7);
    nn::load(directory / "file", alone);
    CHECK(values_of(alone) == values_of(training.model));
}

TEST_CASE("a model alone can have notes too", "[checkpoint]") {
    const TemporaryDirectory directory;
    const Model model = make_model(1);
    nn::save(directory / "x", model, {{"model", "a VAE"}});
    CHECK(nn::read_safetensors(directory / "x").metadata == nn::Notes{{"model", "a VAE"}});
    Model other = make_model(2);
    nn::load(directory / "x", other);
    CHECK(values_of(other) == values_of(model));
    CHECK_THROWS_WITH(nn::save(directory / "y", model, {{"rng/noise", "1 2"}}), contains("a note rng/noise"));
}

TEST_CASE("numbers that are not finite are found when they are loaded", "[checkpoint]") {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
    const auto with = [](const std::string& name, std::size_t index, float value) {
        return refusal([&](nn::TensorFile& file) { std::get<Array<float>>(file.tensors.at(name)).data()[index] = value; });
    };
    CHECK_THAT(with("hidden.weight", 7, nan), contains("checkpoint.safetensors: hidden.weight is nan at (2, 1)"));
    CHECK_THAT(with("heads.1.bias", 1, -infinity), contains("heads.1.bias is -inf at (1,)"));
    CHECK_THAT(with("optimizer/heads.0.weight/exp_avg_sq", 0, infinity),
               contains("optimizer/heads.0.weight/exp_avg_sq is inf at (0, 0)"));
    CHECK_THAT(with("optimizer/heads.0.weight/exp_avg_sq", 1, -1),
               contains("optimizer/heads.0.weight/exp_avg_sq holds a negative number"));

    const TemporaryDirectory directory;
    autograd::Parameter<double> number{autograd::full<double>({}, std::numeric_limits<double>::infinity())};
    nn::save(directory / "x", number);
    CHECK_THROWS_WITH(nn::load(directory / "x", number), contains(" is inf at ()"));
}

TEST_CASE("a generator that is not there is an error", "[checkpoint]") {
    const TemporaryDirectory directory;
    autograd::Parameter<float> number{autograd::full<float>({}, 1.0F)};
    nn::Adam adam;
    CHECK_THROWS_WITH(nn::save(directory / "x", number, adam, {{"noise", nullptr}}), contains("generator noise is a null"));
    CHECK(!std::filesystem::exists(directory / "x"));
    autograd::Rng rng{1};
    nn::save(directory / "x", number, adam, {{"noise", &rng}});
    CHECK_THROWS_WITH(nn::load(directory / "x", number, adam, {{"noise", nullptr}}), contains("generator noise is a null"));
}

TEST_CASE("an optimiser which has not stepped yet can be saved and loaded", "[checkpoint]") {
    const TemporaryDirectory directory;
    Model model = make_model(1);
    nn::save(directory / "x", model, nn::Adam());
    Training later(2);
    nn::load(directory / "x", later.model, later.adam);
    CHECK(later.adam.states(later.model)[0].steps == 0);
    CHECK(values_of(later.model) == values_of(model));
}

TEST_CASE("a file which does not fit the training is refused whole, and every difference is named", "[checkpoint]") {
    const std::string message = refusal([](nn::TensorFile& file) {
        file.tensors.erase("hidden.bias");
        file.tensors.erase("optimizer/heads.0.bias/exp_avg");
        file.tensors["stranger"] = Array<float>{1};
        file.tensors["optimizer/stranger"] = Array<float>{1};
        file.tensors["hidden.weight"] = autograd::full<float>({4, 2}, 1);
        file.tensors["heads.0.weight"] = autograd::full<double>({2, 4}, 1);
        file.tensors["optimizer/hidden.bias/step"] = Array<std::int64_t>{1};
    });
    CHECK_THAT(message, contains("hidden.bias is missing"));
    CHECK_THAT(message, contains("optimizer/heads.0.bias/exp_avg is missing"));
    CHECK_THAT(message, contains("; stranger is not expected"));
    CHECK_THAT(message, contains("optimizer/stranger is not expected"));
    CHECK_THAT(message, contains("hidden.weight: expected F32 (4, 3), found F32 (4, 2)"));
    CHECK_THAT(message, contains("heads.0.weight: expected F32 (2, 4), found F64 (2, 4)"));
    CHECK_THAT(message, contains("optimizer/hidden.bias/step: expected I64 (), found I64 (1,)"));

    CHECK_THAT(refusal([](nn::TensorFile& file) {
                   file.tensors["optimizer/hidden.bias/step"] = autograd::full<std::int64_t>({}, -1);
               }),
               contains("optimizer/hidden.bias/step is -1"));
    CHECK_THAT(refusal([](nn::TensorFile& file) { file.metadata.clear(); }), contains("generator noise is missing"));
    CHECK_THAT(refusal([](nn::TensorFile& file) { file.metadata["rng/shuffle"] = "1 2"; }),
               contains("generator shuffle is not expected"));
    for (const char* bad : {"", "1", "1 ", " 1 2", "1 2 3", "1 -2", "one two", "99999999999999999999 1"}) {
        INFO(bad);
        CHECK_THAT(refusal([&](nn::TensorFile& file) { file.metadata["rng/noise"] = bad; }),
                   contains("generator noise: expected its key"));
    }
}

TEST_CASE("a model's file is refused for training, and another model's for this one", "[checkpoint]") {
    const TemporaryDirectory directory;
    Model model = make_model(1);
    nn::save(directory / "model", model);
    nn::Adam adam;
    CHECK_THROWS_WITH(nn::load(directory / "model", model, adam), contains("optimizer/hidden.weight/exp_avg is missing"));
    Model other = make_model(1);
    other.heads.pop_back();
    CHECK_THROWS_WITH(nn::load(directory / "model", other), contains("heads.1.weight is not expected"));
    CHECK_THROWS_AS(nn::load(directory / "nothing", model), nn::FileError);

    nn::SGD sgd({.momentum = 0.9});
    nn::save(directory / "sgd", model, sgd);
    CHECK_THROWS_WITH(nn::load(directory / "sgd", model, adam), contains("momentum_buffer is not expected"));
}

TEST_CASE("a damaged checkpoint never crashes, and changes nothing unless it is taken", "[checkpoint]") {
    using Small = autograd::Parameter<float>;
    const TemporaryDirectory directory;
    const auto path = directory / "checkpoint.safetensors";
    const Array<float> saved{1, 2}, present{3, 4};
    nn::save(path, Small{saved}, nn::Adam());
    const auto load = [&] {
        Small model{present};
        nn::Adam adam;
        try {
            nn::load(path, model, adam);
        } catch (const nn::FileError&) {
            CHECK(model.value() == present);
            CHECK(adam.states(model)[0].steps == 0);
            throw;
        }
    };
    load();
    CHECK(read_truncated(path, load).accepted == 0);
    const Verdicts verdicts = read_corrupted(path, load);
    CHECK(verdicts.refused > verdicts.accepted);  // the numbers themselves have no checksum
}
