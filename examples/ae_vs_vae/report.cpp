// The report as JSON inside its page. Arrays are base64 of little-endian float32 or of bytes, which a browser unpacks
// at once. The page's own text is compiled in: see cmake/embed_text.cmake.
#include "report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "metrics.hpp"
#include "report_page.hpp"

namespace report {
namespace {

using autograd::Shape;

template <class... Arguments>
void require(bool holds, fmt::format_string<Arguments...> message, Arguments&&... arguments) {
    if (!holds) throw autograd::ShapeError("report: " + fmt::format(message, std::forward<Arguments>(arguments)...));
}

void require_shape(const Array<float>& array, const Shape& expected, const char* what) {
    require(array.shape() == expected, "expected {} of shape {}, found {}", what, autograd::to_string(expected),
            autograd::to_string(array.shape()));
}

double finite(double value, std::string_view what) {
    if (!std::isfinite(value)) throw autograd::Error(fmt::format("report: {} is {}", what, value));
    return value;
}

// --- Arrays ----------------------------------------------------------------------------------------------------------

std::string base64(std::span<const std::uint8_t> bytes) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < count ? bytes[i + k] : 0U);
        for (std::size_t k = 0; k < 4; ++k) text += k <= count ? digits[group >> (18 - 6 * k) & 63] : '=';
    }
    return text;
}

Json shape_of(const Array<float>& array) { return std::vector<std::size_t>(array.shape().begin(), array.shape().end()); }

Json floats(const Array<float>& array, std::string_view what) {
    std::vector<std::uint8_t> bytes;
    bytes.reserve(4 * array.size());
    for (const float value : array) {
        finite(static_cast<double>(value), what);
        const auto bits = std::bit_cast<std::uint32_t>(value);
        for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<std::uint8_t>(bits >> shift & 255));
    }
    return {{"shape", shape_of(array)}, {"float32", base64(bytes)}};
}

/// Values from 0 to 1 as bytes from 0 to 255.
Json pixels(const Array<float>& images, const TestImages& like, std::string_view what) {
    require(images.dimension() == 2 && images.shape()[1] == like.rows * like.columns,
            "expected {} of shape (count, {} * {}), found {}", what, like.rows, like.columns,
            autograd::to_string(images.shape()));
    std::vector<std::uint8_t> bytes;
    bytes.reserve(images.size());
    for (const float value : images) {
        finite(static_cast<double>(value), "a pixel");
        bytes.push_back(static_cast<std::uint8_t>(std::lround(255 * std::clamp(value, 0.0F, 1.0F))));
    }
    return {{"shape", shape_of(images)}, {"uint8", base64(bytes)}};
}

// --- Decoders --------------------------------------------------------------------------------------------------------

// Each layer tells what it makes of a shape (without the batch's axis), and its JSON.

std::size_t size_of(const Shape& shape) { return autograd::element_count(shape); }

Shape after(const Linear& layer, const Shape& in) {
    require(layer.weight.dimension() == 2 && layer.weight.shape()[1] == size_of(in),
            "expected a linear layer of {} inputs, found a weight of shape {}", size_of(in),
            autograd::to_string(layer.weight.shape()));
    require_shape(layer.bias, {layer.weight.shape()[0]}, "a bias");
    return {layer.weight.shape()[0]};
}

Shape after(const Relu&, const Shape& in) { return in; }
Shape after(const Sigmoid&, const Shape& in) { return in; }
Shape after(const ContinuousBernoulliMean&, const Shape& in) { return in; }

Shape after(const Reshape& layer, const Shape& in) {
    Shape out{layer.channels, layer.height, layer.width};
    require(size_of(out) == size_of(in), "cannot reshape {} to {}", autograd::to_string(in), autograd::to_string(out));
    return out;
}

std::size_t transposed_extent(std::size_t in, std::size_t kernel, std::size_t stride, std::size_t padding,
                              std::size_t output_padding) {
    const std::size_t whole = (in - 1) * stride + kernel + output_padding;
    require(in > 0 && kernel > 0 && stride > 0 && output_padding < stride && whole > 2 * padding,
            "a transposed convolution of {} elements, kernel {}, stride {}, padding {} and output padding {} has no result", in,
            kernel, stride, padding, output_padding);
    return whole - 2 * padding;
}

Shape after(const ConvTranspose2d& layer, const Shape& in) {
    const Shape& kernel = layer.weight.shape();
    require(in.size() == 3 && kernel.size() == 4 && kernel[0] == in[0],
            "a transposed convolution with a weight of shape {} cannot follow on {}", autograd::to_string(kernel),
            autograd::to_string(in));
    require_shape(layer.bias, {kernel[1]}, "a bias");
    return {kernel[1],
            transposed_extent(in[1], kernel[2], layer.stride.height, layer.padding.height, layer.output_padding.height),
            transposed_extent(in[2], kernel[3], layer.stride.width, layer.padding.width, layer.output_padding.width)};
}

Json to_json(const Linear& layer) {
    return {{"type", "linear"}, {"weight", floats(layer.weight, "a weight")}, {"bias", floats(layer.bias, "a bias")}};
}

Json to_json(const Relu&) { return {{"type", "relu"}}; }
Json to_json(const Sigmoid&) { return {{"type", "sigmoid"}}; }
Json to_json(const ContinuousBernoulliMean&) { return {{"type", "continuous_bernoulli_mean"}}; }

Json to_json(const Reshape& layer) { return {{"type", "reshape"}, {"shape", {layer.channels, layer.height, layer.width}}}; }

Json to_json(const ConvTranspose2d& layer) {
    const auto pair = [](autograd::Size2d size) { return Json{size.height, size.width}; };
    return {{"type", "conv_transpose2d"},           {"weight", floats(layer.weight, "a weight")},
            {"bias", floats(layer.bias, "a bias")}, {"stride", pair(layer.stride)},
            {"padding", pair(layer.padding)},       {"output_padding", pair(layer.output_padding)}};
}

Json to_json(const Decoder& decoder, std::size_t inputs, std::size_t outputs) {
    Shape shape{inputs};
    Json layers = Json::array();
    for (const Layer& layer : decoder) {
        shape = std::visit([&](const auto& each) { return after(each, shape); }, layer);
        layers.push_back(std::visit([](const auto& each) { return to_json(each); }, layer));
    }
    require(size_of(shape) == outputs, "a decoder of {} pixels for images of {}", size_of(shape), outputs);
    return layers;
}

// --- The tape of one step --------------------------------------------------------------------------------------------

/// Few numbers as they are, more as bytes: 0 for -most, 255 for most, the largest magnitude.
Json values_of(const Array<float>& values, std::string_view what) {
    constexpr std::size_t few = 32;
    double most = 0;
    for (const float value : values) most = std::max(most, std::fabs(finite(static_cast<double>(value), what)));
    if (values.size() <= few) return {{"numbers", std::vector<float>(values.begin(), values.end())}, {"most", most}};
    Array<float> shares = autograd::empty<float>({1, values.size()});
    const double scale = most > 0 ? 0.5 / most : 0;
    std::transform(values.begin(), values.end(), shares.begin(),
                   [scale](float value) { return static_cast<float>(0.5 + scale * static_cast<double>(value)); });
    return {{"bytes", pixels(shares, TestImages{1, values.size(), {}, {}}, what)}, {"most", most}};
}

Json to_json(const ShownArray& array, std::string_view what) {
    Json json{{"shape", std::vector<std::size_t>(array.shape.begin(), array.shape.end())},
              {"norm", finite(array.norm, what)},
              {"values", nullptr}};
    if (!array.values) return json;
    require_shape(*array.values, array.shape, what.data());
    json["values"] = values_of(*array.values, what);
    return json;
}

Json to_json(const TapeNode& node, std::size_t number, std::size_t losses, const TestImages& test) {
    constexpr const char* kinds[] = {"operation", "variable", "constant", "parameter", "noise"};  // as NodeKind has them
    require(node.gradients.size() == losses, "gradients of {} losses in a node, where there are {}", node.gradients.size(),
            losses);
    Json inputs = Json::array(), gradients = Json::array();
    for (const autograd::GraphEdge& edge : node.inputs) {
        require(edge.from < number, "node {} of a tape has node {} as an input", number, edge.from);
        inputs.push_back({{"from", edge.from}, {"cut", edge.cut}});
    }
    for (const NodeGradient& each : node.gradients) {
        if (!each.array) {
            gradients.push_back({{"why_none", each.why_none}});
            continue;
        }
        require(each.array->shape == node.value.shape, "a gradient of shape {} for a node of shape {}",
                autograd::to_string(each.array->shape), autograd::to_string(node.value.shape));
        gradients.push_back(to_json(*each.array, "a gradient"));
    }
    return {{"kind", kinds[static_cast<std::size_t>(node.kind)]},
            {"name", node.name},
            {"op", node.op},
            {"expression", node.expression},
            {"module", node.module},
            {"inputs", inputs},
            {"needs_gradient", node.needs_gradient},
            {"value", to_json(node.value, "the value of a node")},
            {"picture", node.picture ? pixels(*node.picture, test, "the picture of a node") : Json(nullptr)},
            {"gradients", gradients}};
}

Json to_json(const std::optional<Computation>& computation, const TestImages& test) {
    if (!computation) return nullptr;
    require(computation->image < test.labels.size(), "a tape of image {} of {}", computation->image, test.labels.size());
    Json recordings = Json::array();
    for (const Recording& recording : computation->recordings) {
        require(recording.losses.size() == computation->losses.size(), "a tape of {} losses, of which {} have names",
                recording.losses.size(), computation->losses.size());
        for (const std::size_t loss : recording.losses) {
            require(loss < recording.nodes.size(), "loss {} of a tape of {} nodes", loss, recording.nodes.size());
        }
        Json nodes = Json::array();
        for (const TapeNode& node : recording.nodes) {
            nodes.push_back(to_json(node, nodes.size(), recording.losses.size(), test));
        }
        recordings.push_back(
            {{"way", recording.way}, {"code", recording.code}, {"nodes", nodes}, {"losses", recording.losses}});
    }
    return {{"image", computation->image}, {"losses", computation->losses}, {"recordings", recordings}};
}

// --- Explorers -------------------------------------------------------------------------------------------------------

Json to_json(const std::optional<HoleMap>& map) {
    if (!map) return nullptr;
    require(map->values.dimension() == 2 && map->values.size() > 0 && map->values.shape()[0] == map->values.shape()[1],
            "expected a hole map of shape (side, side), found {}", autograd::to_string(map->values.shape()));
    require(finite(map->extent, "the extent of a hole map") > 0, "the extent of a hole map is {}", map->extent);
    return {{"extent", map->extent}, {"values", floats(map->values, "a hole map")}};
}

Json to_json(const Draws& draws, std::size_t latent) {
    for (const Array<float>* codes : {&draws.ae, &draws.vae}) {
        require(codes->dimension() == 2 && codes->shape()[0] > 0 && codes->shape()[1] == latent,
                "expected draws of shape (count, {}), found {}", latent, autograd::to_string(codes->shape()));
    }
    return {{"name", draws.name}, {"ae", floats(draws.ae, "a draw")}, {"vae", floats(draws.vae, "a draw")}};
}

Json to_json(const Explorer& explorer, const TestImages& test) {
    require(explorer.latent > 0, "an explorer without a latent dimension");
    require(explorer.labels == 0 || explorer.labels == test.class_names.size(),
            "decoders that expect one of {} labels, of which {} have names", explorer.labels, test.class_names.size());
    const Shape codes{test.labels.size(), explorer.latent};
    require_shape(explorer.ae_code, codes, "the autoencoder's codes");
    require_shape(explorer.vae_mean, codes, "the VAE's means");
    require_shape(explorer.vae_log_variance, codes, "the VAE's log variances");
    require(explorer.kl.empty() || explorer.kl.size() == explorer.latent, "{} KL divergences for {} latent dimensions",
            explorer.kl.size(), explorer.latent);
    require(explorer.latent == 2 || !(explorer.ae_holes || explorer.vae_holes), "a hole map for codes of {} dimensions",
            explorer.latent);
    for (const double kl : explorer.kl) finite(kl, "a KL divergence");
    Json draws = Json::array();
    for (const Draws& each : explorer.draws) draws.push_back(to_json(each, explorer.latent));
    const std::size_t inputs = explorer.latent + explorer.labels, outputs = test.rows * test.columns;
    return {{"latent", explorer.latent},
            {"labels", explorer.labels},
            {"ae", to_json(explorer.ae, inputs, outputs)},
            {"vae", to_json(explorer.vae, inputs, outputs)},
            {"ae_code", floats(explorer.ae_code, "a code")},
            {"vae_mean", floats(explorer.vae_mean, "a mean")},
            {"vae_log_variance", floats(explorer.vae_log_variance, "a log variance")},
            {"kl", explorer.kl},
            {"ae_holes", to_json(explorer.ae_holes)},
            {"vae_holes", to_json(explorer.vae_holes)},
            {"holes_meaning", explorer.holes_meaning},
            {"draws", draws}};
}

Json to_json(const TestImages& test) {
    for (const int label : test.labels) {
        if (label < 0 || static_cast<std::size_t>(label) >= test.class_names.size()) {
            throw autograd::Error(fmt::format("report: label {} has no name", label));
        }
    }
    Json json{{"rows", test.rows}, {"columns", test.columns}, {"class_names", test.class_names}, {"labels", test.labels}};
    json["pixels"] = pixels(test.pixels, test, "test images");
    require(test.pixels.shape()[0] <= test.labels.size(), "{} test images with pixels, but {} labels", test.pixels.shape()[0],
            test.labels.size());
    return json;
}

// --- Losses, pictures, scores ----------------------------------------------------------------------------------------

Json losses(const LossValues& values) {
    finite(values.loss, "a loss");
    finite(values.reconstruction, "a reconstruction loss");
    finite(values.kl, "a KL divergence");
    return to_json(values);
}

Json to_json(const std::vector<EpochRecord>& epochs) {
    Json json = Json::array();
    for (const EpochRecord& each : epochs) json.push_back({{"train", losses(each.train)}, {"test", losses(each.test)}});
    return json;
}

Json to_json(const LossCurves& curves) {
    Json json{{"title", curves.title}, {"ae", to_json(curves.ae)}, {"vae", to_json(curves.vae)}, {"floor", nullptr}};
    if (curves.floor) json["floor"] = finite(*curves.floor, "the pixels' entropy");
    return json;
}

Json to_json(const Picture& picture, const TestImages& like) {
    Json grids = Json::array();
    for (const Panel& panel : picture.panels) {
        require(panel.across > 0, "a grid of 0 columns");
        Json images = pixels(panel.images, like, "the images of a grid");
        grids.push_back({{"label", panel.caption}, {"across", panel.across}, {"images", std::move(images)}});
    }
    return {{"title", picture.title}, {"caption", picture.caption}, {"grids", grids}};
}

Json to_json(const std::optional<Estimate>& score, double unit) {
    if (!score) return nullptr;
    Json json{{"value", finite(unit * score->value, "a score")}, {"standard_error", nullptr}};
    if (score->standard_error) json["standard_error"] = finite(unit * *score->standard_error, "a standard error");
    return json;
}

Json to_json(const ScoreTable& table) {
    Json columns = Json::array(), rows = Json::array();
    constexpr const char* better[] = {"lower", "higher", "neither"};  // as Better has them
    for (const Measure& column : table.columns) {
        const auto direction = static_cast<std::size_t>(column.better);
        columns.push_back({{"name", column.title}, {"meaning", column.meaning}, {"better", better[direction]}});
    }
    for (const ScoreRow& row : table.rows) {
        require(row.scores.size() == table.columns.size(), "{} scores in a table of {} columns", row.scores.size(),
                table.columns.size());
        Json scores = Json::array();
        for (std::size_t i = 0; i < row.scores.size(); ++i) {
            scores.push_back(to_json(row.scores[i], table.columns[i].unit));
        }
        rows.push_back({{"set", row.set}, {"model", row.model}, {"floor", row.floor}, {"scores", scores}});
    }
    return {{"title", table.title}, {"caption", table.caption}, {"columns", columns}, {"rows", rows}};
}

Json to_json(const BetaRun& run) {
    return {{"beta", finite(run.beta, "a beta")},
            {"rate", finite(run.test.kl, "a rate")},
            {"distortion", finite(run.test.reconstruction, "a distortion")},
            {"active_units", run.active_units}};
}

Json to_json(const Report& report) {
    Json json{{"title", report.title}, {"findings", report.findings}, {"test", to_json(report.test)}};
    json["settings"] = report.settings;
    for (const char* list : {"explorers", "curves", "galleries", "scores", "beta"}) json[list] = Json::array();
    for (const Explorer& explorer : report.explorers) json["explorers"].push_back(to_json(explorer, report.test));
    json["computation"] = to_json(report.computation, report.test);
    for (const LossCurves& curves : report.curves) json["curves"].push_back(to_json(curves));
    for (const Picture& picture : report.galleries) json["galleries"].push_back(to_json(picture, report.test));
    for (const ScoreTable& table : report.scores) json["scores"].push_back(to_json(table));
    for (const BetaRun& run : report.beta) json["beta"].push_back(to_json(run));
    return json;
}

// --- The page --------------------------------------------------------------------------------------------------------

/// The text with every '<' escaped as JSON allows in strings, where alone it can stand: nothing ends the script
/// element.
std::string inside_script_element(const std::string& json) {
    std::string text;
    text.reserve(json.size());
    for (const char c : json) c == '<' ? text.append("\\u003c") : text.append(1, c);
    return text;
}

/// The template up to `mark`, which must stand there; `page` then begins after it.
std::string_view take_until(std::string_view& page, std::string_view mark) {
    const std::size_t at = page.find(mark);
    if (at == page.npos) throw autograd::Error(fmt::format("report: page.html has no {}", mark));
    const std::string_view before = page.substr(0, at);
    page.remove_prefix(at + mark.size());
    return before;
}

}  // namespace

Linear layer_of(const nn::Linear& linear) { return {linear.weight.value(), linear.bias.value()}; }

std::string to_html(const Report& report) {
    const std::string json = to_json(report).dump(-1, ' ', false, Json::error_handler_t::replace);
    std::string html;
    std::string_view page = report_page::page_html;
    html.append(take_until(page, "@style@")).append(report_page::style_css);
    html.append(take_until(page, "@data@")).append(inside_script_element(json));
    html.append(take_until(page, "@script@"));
    for (const std::string_view script :
         {report_page::data_js, report_page::decoder_js, report_page::elements_js, report_page::explorer_js,
          report_page::plane_js, report_page::charts_js, report_page::computation_layout_js, report_page::computation_panel_js,
          report_page::computation_js, report_page::page_js}) {
        html.append(script).append("\n");
    }
    return html.append(page);
}

void write_report(const std::filesystem::path& path, const Report& report) {
    const std::string html = to_html(report);
    nn::write_file_atomically(path, std::as_bytes(std::span(html)));
}

}  // namespace report
