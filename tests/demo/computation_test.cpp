// One step of a VAE as data: the graph is what training records, its nodes have their right names, and with z drawn from
// N(mu, sigma^2) the numbers stay and the way back ends.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "examples/ae_vs_vae/codes.hpp"
#include "examples/ae_vs_vae/computation.hpp"
#include "tests/catch.hpp"

using autograd::Array;
using autograd::NodeKind;
using autograd::Rng;
using autograd::Shape;
using autograd::Tape;

namespace {

constexpr std::size_t rows = 6, columns = 5;
constexpr float beta = 0.5f;

NetworkOptions options(Architecture architecture, Likelihood likelihood, std::size_t classes) {
    return {.rows = rows,
            .columns = columns,
            .hidden = 9,
            .latent = 2,
            .classes = classes,
            .architecture = architecture,
            .likelihood = likelihood};
}

ImageSet images(std::size_t classes) {
    ImageSet set{Rng(7).uniform<float>({4, rows * columns}), {0, 1, 2, 1}};
    if (classes > 0) set.one_hot = one_hot(set.labels, classes);
    return set;
}

std::size_t find(const report::Recording& recording, const std::string& name) {
    std::size_t found = recording.nodes.size();
    for (std::size_t i = 0; i < recording.nodes.size(); ++i) {
        if (recording.nodes[i].name != name) continue;
        CHECK(found == recording.nodes.size());  // no name twice
        found = i;
    }
    INFO(name);
    REQUIRE(found < recording.nodes.size());
    return found;
}

const report::TapeNode& node(const report::Recording& recording, const std::string& name) {
    return recording.nodes[find(recording, name)];
}

bool equal(const Array<float>& a, const Array<float>& b) {
    return a.shape() == b.shape() && std::equal(a.begin(), a.end(), b.begin());
}

template <class Check>
void for_each_model(Check check) {
    for (const Architecture architecture : {Architecture::mlp, Architecture::conv}) {
        for (const Likelihood likelihood : {Likelihood::bernoulli, Likelihood::gaussian, Likelihood::continuous_bernoulli}) {
            for (const std::size_t classes : {0u, 3u}) {
                INFO(name_of(architecture) << ", " << name_of(likelihood) << ", " << classes << " classes");
                Rng rng(3);
                const Autoencoder vae(options(architecture, likelihood, classes), rng);
                const auto found = computation_of(vae, images(classes), 2, beta, rng);
                REQUIRE(found);
                REQUIRE(found->recordings.size() == 2);
                check(vae, images(classes), rng, *found);
            }
        }
    }
}

}  // namespace

TEST_CASE("computation: the graph is that of the step which training records") {
    for_each_model([](const Autoencoder& vae, const ImageSet& set, Rng rng, const report::Computation& found) {
        const report::Recording& recording = found.recordings[0];
        const ImageSet picture = select(set, {2});
        Tape<float> tape;
        nn::attach(tape, vae);
        Batch batch{tape.constant(picture.images)};
        if (picture.one_hot) batch.labels = tape.constant(*picture.one_hot);
        const Loss loss = vae_loss(vae, batch, beta, 1, rng);
        const auto gradients = backward(loss.loss, {.keep = true});
        const auto nodes = graph(tape, loss.loss, gradients);
        REQUIRE(recording.nodes.size() == nodes.size());
        CHECK(recording.losses == std::vector<std::size_t>{loss.reconstruction.index(), loss.kl.index(), loss.loss.index()});
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            const report::TapeNode& each = recording.nodes[i];
            INFO(i << ": " << each.expression);
            CHECK(each.expression == nodes[i].expression);
            CHECK(each.value.shape == nodes[i].value->shape());
            CHECK(each.value.values.has_value() == (each.kind != NodeKind::parameter));
            if (each.value.values) CHECK(equal(*each.value.values, *nodes[i].value));
            REQUIRE(each.gradients.size() == 3);
            CHECK(each.gradients[2].array.has_value() == (nodes[i].gradient != nullptr));
            CHECK(each.gradients[2].array.has_value() == each.gradients[2].why_none.empty());
            if (each.gradients[2].array && each.gradients[2].array->values) {
                CHECK(equal(*each.gradients[2].array->values, *nodes[i].gradient));
            }
        }
    });
}

TEST_CASE("computation: the nodes have the names of what they hold") {
    for_each_model([](const Autoencoder& vae, const ImageSet& set, Rng, const report::Computation& found) {
        const ImageSet picture = select(set, {2});
        Tape<float> tape({.inference = true});
        Batch batch{tape.constant(picture.images)};
        if (picture.one_hot) batch.labels = tape.constant(*picture.one_hot);
        const auto q = vae.encoder.posterior(batch);
        for (const report::Recording& recording : found.recordings) {
            INFO(recording.way);
            CHECK(equal(*node(recording, "x").value.values, picture.images));
            CHECK(equal(*node(recording, "mu").value.values, q.mean.value()));
            CHECK(equal(*node(recording, "log variance").value.values, q.log_variance.value()));
            CHECK(node(recording, "noise").kind == NodeKind::noise);
            const Array<float>&noise = *node(recording, "noise").value.values, &sigma = *node(recording, "sigma").value.values;
            for (std::size_t i = 0; i < 2; ++i) {
                CHECK(sigma(0, i) == Approx(std::exp(0.5f * q.log_variance.value()(0, i))).epsilon(1e-6));
                // Two roundings, each of half a unit in the last place of a number below 8.
                CHECK(std::fabs((*node(recording, "z").value.values)(0, i) -
                                (q.mean.value()(0, i) + sigma(0, i) * noise(0, i))) < 1e-6f);
            }
            const auto logits = vae.decoder(tape.constant(*node(recording, "z").value.values), batch.labels);
            CHECK(equal(*node(recording, "logits").value.values, logits.value()));
            CHECK(equal(node(recording, "logits").picture.value(), vae.decoder.images(logits).value()));
            CHECK(find(recording, "reconstruction") == recording.losses[0]);
            CHECK(find(recording, "KL") == recording.losses[1]);
            CHECK(find(recording, "loss") == recording.losses[2]);
            if (picture.one_hot) CHECK(equal(*node(recording, "class").value.values, *picture.one_hot));
        }
    });
}

TEST_CASE("computation: a draw from N(mu, sigma^2) leaves every number as it is, and cuts the reconstruction off") {
    for_each_model([](const Autoencoder&, const ImageSet&, Rng, const report::Computation& found) {
        const report::Recording &trick = found.recordings[0], &direct = found.recordings[1];
        for (const char* name : {"z", "logits", "reconstruction", "KL", "loss"}) {
            CHECK(equal(*node(trick, name).value.values, *node(direct, name).value.values));
        }
        const std::string cut = "stop_gradient (node " + std::to_string(find(direct, "z")) + ")";
        const std::size_t reconstruction = 0, kl = 1, loss = 2;
        for (const char* name : {"mu", "log variance"}) {
            const auto &with = node(trick, name).gradients, &without = node(direct, name).gradients;
            CHECK(with[reconstruction].array.has_value());
            CHECK_FALSE(without[reconstruction].array.has_value());
            CHECK_THAT(without[reconstruction].why_none, contains("the path ends at " + cut));
            // What is left of the loss's gradient is the KL's.
            CHECK(equal(*with[kl].array->values, *without[kl].array->values));
            for (std::size_t i = 0; i < 2; ++i) {
                CHECK((*without[loss].array->values)(0, i) == beta * (*without[kl].array->values)(0, i));
            }
        }
        const auto cuts = [](const report::TapeNode& each) {
            return std::any_of(each.inputs.begin(), each.inputs.end(), [](const auto& edge) { return edge.cut; });
        };
        CHECK(cuts(node(direct, "z")));
        CHECK_FALSE(cuts(node(trick, "z")));
    });
}

TEST_CASE("computation: there is none where a number is not finite") {
    Rng rng(3);
    Autoencoder vae(options(Architecture::mlp, Likelihood::bernoulli, 0), rng);
    vae.decoder.hidden.bias.mutable_value()(0) = std::numeric_limits<float>::infinity();
    CHECK_FALSE(computation_of(vae, images(0), 0, 1, rng).has_value());
}
