// The listing of a model's members: names, order, constness, and what copying a model means.
#include <nn/nn.hpp>

#include <array>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/catch.hpp"

using autograd::Array;
using autograd::Parameter;
using autograd::Rng;

namespace {

struct Encoder {
    nn::Linear hidden, heads;
    static constexpr auto members = nn::members("hidden", &Encoder::hidden, "heads", &Encoder::heads);
};

struct Model {
    Encoder encoder;
    std::vector<nn::Linear> layers;
    std::array<Parameter<float>, 2> scales;
    nn::Sequential<nn::Linear, nn::ReLU, nn::Linear> decoder;
    static constexpr auto members =
        nn::members("encoder", &Model::encoder, "layers", &Model::layers, "scales", &Model::scales, "decoder", &Model::decoder);
};

Model make_model() {
    Rng rng{1};
    return {.encoder = {{3, 4, rng}, {4, 2, rng}},
            .layers = {{2, 2, rng}, {2, 2, rng}},
            .scales = {Parameter<float>{Array<float>{1, 2}}, Parameter<float>{Array<float>{3, 4}}},
            .decoder = nn::Sequential{nn::Linear{2, 4, rng}, nn::ReLU{}, nn::Linear{4, 3, rng}}};
}

template <class M>
std::vector<std::string> names(M& model) {
    std::vector<std::string> result;
    nn::for_each_parameter(model, [&](const std::string& name, const auto&) { result.push_back(name); });
    return result;
}

std::vector<std::uint64_t> identities(const Model& model) {
    std::vector<std::uint64_t> result;
    nn::for_each_parameter(model, [&](const std::string&, const auto& each) { result.push_back(each.identity()); });
    return result;
}

}  // namespace

TEST_CASE("parameters are visited in the order of the listings, by dotted names", "[module]") {
    Model model = make_model();
    const std::vector<std::string> expected{"encoder.hidden.weight",
                                            "encoder.hidden.bias",
                                            "encoder.heads.weight",
                                            "encoder.heads.bias",
                                            "layers.0.weight",
                                            "layers.0.bias",
                                            "layers.1.weight",
                                            "layers.1.bias",
                                            "scales.0",
                                            "scales.1",
                                            "decoder.layers.0.weight",
                                            "decoder.layers.0.bias",
                                            "decoder.layers.2.weight",
                                            "decoder.layers.2.bias"};
    CHECK(names(model) == expected);
    CHECK(names(std::as_const(model)) == expected);
    CHECK(nn::parameter_count(model) == (12 + 4) + (8 + 2) + 2 * (4 + 2) + 4 + (8 + 4) + (12 + 3));
}

TEST_CASE("a visit may change a model and may only read a const one", "[module]") {
    Model model = make_model();
    nn::for_each_parameter(model, [](const std::string&, auto& each) { each.mutable_value().fill(7); });
    nn::for_each_parameter(std::as_const(model), [](const std::string& name, auto& each) {
        STATIC_REQUIRE(std::is_const_v<std::remove_reference_t<decltype(each)>>);
        INFO(name);
        for (const float value : each.value()) CHECK(value == 7);
    });
}

TEST_CASE("a parameter, a vector and a tuple are models too", "[module]") {
    Rng rng{1};
    Parameter<double> parameter{Array<double>{1, 2, 3}};
    CHECK(names(parameter) == std::vector<std::string>{""});
    CHECK(nn::parameter_count(parameter) == 3);
    std::vector<Parameter<float>> none;
    CHECK(names(none).empty());
    std::tuple<nn::Linear, Parameter<float>> pair{nn::Linear{1, 1, rng}, Parameter<float>{}};
    CHECK(names(pair) == std::vector<std::string>{"0.weight", "0.bias", "1"});
}

TEST_CASE("a copy of a model has parameters of its own, a moved model keeps them", "[module]") {
    Model model = make_model();
    const auto before = identities(model);
    Model copy = model;
    std::set<std::uint64_t> all(before.begin(), before.end());
    for (const std::uint64_t each : identities(copy)) all.insert(each);
    CHECK(all.size() == 2 * before.size());
    CHECK(copy.encoder.hidden.weight.value() == model.encoder.hidden.weight.value());
    copy.encoder.hidden.weight.mutable_value().fill(0);
    CHECK(copy.encoder.hidden.weight.value() != model.encoder.hidden.weight.value());

    model.layers.reserve(100);  // moves the layers
    const Model moved = std::move(model);
    CHECK(identities(moved) == before);
}

TEST_CASE("a tape with a model attached names its parameters", "[module]") {
    const Model model = make_model();
    autograd::Tape<float> tape;
    nn::attach(tape, model);
    tape.clear();
    CHECK(tape.parameter_name(model.encoder.heads.bias.identity()) == "encoder.heads.bias");
    const auto wrong = tape.constant(autograd::full<float>({5, 7}, 1.0F));
    CHECK_THROWS_WITH(model.encoder.heads(wrong), contains("encoder.heads") && contains("(5, 7)"));
}

TEST_CASE("names in a listing must be fit for dotted names", "[module]") {
    CHECK(nn::detail::is_member_name("hidden"));
    for (const char* bad : {"", ".", "a.b", "a/b"}) CHECK_FALSE(nn::detail::is_member_name(bad));
    CHECK_THROWS(nn::members("a.b", &Encoder::hidden));
    CHECK_THROWS(nn::members("a", &Encoder::hidden, "a", &Encoder::heads));
    CHECK_THROWS(nn::members("a", &Encoder::hidden, "b", &Encoder::heads, "c", &Encoder::hidden));
    CHECK_NOTHROW(nn::members("a", &Encoder::hidden, "b", &Encoder::heads, "c", &Model::layers));
}
