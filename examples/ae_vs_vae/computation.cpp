// Names are given by the Vars that the computation hands out, or by what the library's graph says of these; never by an op's
// name, which another likelihood or architecture may not have.
#include "computation.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "codes.hpp"

namespace {

using autograd::Array;
using autograd::GraphNode;
using autograd::NodeKind;
using autograd::Rng;
using autograd::Tape;

using Nodes = std::vector<GraphNode<float>>;
using Names = std::map<std::uint32_t, std::string>;

double norm(const Array<float>& array) {
    double total = 0;
    for (const float value : array) total += static_cast<double>(value) * static_cast<double>(value);
    return std::sqrt(total);
}

/// Weights are many, and say little to the eye.
report::ShownArray shown(const Array<float>& array, NodeKind kind) {
    report::ShownArray result{array.shape(), norm(array)};
    if (kind != NodeKind::parameter) result.values = array;
    return result;
}

/// The noise, and sigma, which it is multiplied by.
void name_noise(Names& names, const Nodes& nodes) {
    const auto is_noise = [&](const autograd::GraphEdge& edge) { return nodes[edge.from].kind == NodeKind::noise; };
    for (const GraphNode<float>& node : nodes) {
        if (node.kind == NodeKind::noise) names[node.index] = "noise";
        if (node.inputs.size() != 2 || std::none_of(node.inputs.begin(), node.inputs.end(), is_noise)) continue;
        names.emplace(node.inputs[is_noise(node.inputs[0]) ? 1 : 0].from, "sigma");
    }
}

/// What the decoder makes of z: logits, and the image that they mean.
struct Decoded {
    Array<float> logits, image;
};

Decoded decoded(const Decoder& decoder, const Array<float>& z, const std::optional<Array<float>>& one_hot) {
    Tape<float> tape({.inference = true});
    std::optional<Var<float>> labels;
    if (one_hot) labels = tape.constant(*one_hot);
    const auto logits = decoder(tape.constant(z), labels);
    return {logits.value(), decoder.images(logits).value()};
}

/// The decoder's last node: the first behind z that holds its logits. None if there is no such node.
std::optional<std::uint32_t> find_logits(const Nodes& nodes, const Var<float>& z, const Array<float>& logits) {
    for (std::uint32_t i = z.index() + 1; i < nodes.size(); ++i) {
        const Array<float>& value = *nodes[i].value;
        if (value.shape() == logits.shape() && std::equal(value.begin(), value.end(), logits.begin())) return i;
    }
    return std::nullopt;
}

/// The nodes without gradients.
std::vector<report::TapeNode> described(const Nodes& nodes, const Names& names) {
    std::vector<report::TapeNode> result;
    for (const GraphNode<float>& node : nodes) {
        const auto name = names.find(node.index);
        result.push_back({node.kind,
                          name == names.end() ? "" : name->second,
                          node.op,
                          node.expression,
                          node.module,
                          node.inputs,
                          node.needs_gradient,
                          shown(*node.value, node.kind),
                          std::nullopt,
                          {}});
    }
    return result;
}

/// The gradients of one more loss.
void add_gradients(report::Recording& recording, const Var<float>& loss) {
    const auto gradients = backward(loss, {.keep = true});
    for (const GraphNode<float>& node : graph(loss.tape(), loss, gradients)) {
        report::NodeGradient found;
        if (node.gradient != nullptr) {
            found.array = shown(*node.gradient, node.kind);
        } else {
            found.why_none = why_no_gradient(loss, loss.tape().var(node.index));
        }
        recording.nodes[node.index].gradients.push_back(std::move(found));
    }
    recording.losses.push_back(loss.index());
}

report::Recording record(const Autoencoder& vae, const ImageSet& picture, float beta, Rng rng, const Draw& draw) {
    Tape<float> tape;
    nn::attach(tape, vae);
    Batch batch{tape.constant(picture.images)};
    if (picture.one_hot) batch.labels = tape.constant(*picture.one_hot);
    Names names;
    Var<float> z;
    const Loss found = vae_loss(vae, batch, beta, 1, rng, [&](const auto& mu, const auto& log_variance, Rng& noise) {
        z = draw(mu, log_variance, noise);
        names[mu.index()] = "mu";
        names[log_variance.index()] = "log variance";
        return z;
    });
    names[batch.x.index()] = "x";
    if (batch.labels) names[batch.labels->index()] = "class";
    names[z.index()] = "z";
    names[found.reconstruction.index()] = "reconstruction";
    names[found.kl.index()] = "KL";
    names[found.loss.index()] = "loss";
    const Nodes nodes = graph(tape, found.loss);
    name_noise(names, nodes);
    const Decoded from_z = decoded(vae.decoder, z.value(), picture.one_hot);
    const auto logits = find_logits(nodes, z, from_z.logits);
    if (logits) names[*logits] = "logits";

    report::Recording recording{{}, {}, described(nodes, names), {}};
    if (logits) recording.nodes[*logits].picture = from_z.image;
    for (const Var<float>& loss : {found.reconstruction, found.kl, found.loss}) add_gradients(recording, loss);
    return recording;
}

bool finite(const report::Recording& recording) {
    return std::all_of(recording.nodes.begin(), recording.nodes.end(), [](const report::TapeNode& node) {
        return std::isfinite(node.value.norm) &&
               std::all_of(node.gradients.begin(), node.gradients.end(), [](const report::NodeGradient& gradient) {
                   return !gradient.array || std::isfinite(gradient.array->norm);
               });
    });
}

}  // namespace

std::optional<report::Computation> computation_of(const Autoencoder& vae, const ImageSet& images, std::size_t image, float beta,
                                                  const Rng& rng) {
    const ImageSet picture = select(images, {image});
    const auto direct = [](const Var<float>& mu, const Var<float>& log_variance, Rng& noise) {
        return nn::Normal<float>{mu, log_variance}.sample(noise);
    };
    report::Computation result{image, {"reconstruction", "KL", "loss"}, {}};
    result.recordings.push_back(record(vae, picture, beta, rng, reparameterised));
    result.recordings.push_back(record(vae, picture, beta, rng, direct));
    result.recordings[0].way = "z = mu + sigma * noise";
    result.recordings[0].code = "mu + exp(0.5f * log_variance) * normal_like(mu, rng)";
    result.recordings[1].way = "z drawn from N(mu, sigma^2)";
    result.recordings[1].code = "nn::Normal{mu, log_variance}.sample(rng)";
    if (!finite(result.recordings[0]) || !finite(result.recordings[1])) return std::nullopt;
    return result;
}
