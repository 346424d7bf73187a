// The report as JSON, packed into its page. The page's own text is compiled in: see cmake/embed_text.cmake.
#include "report.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "lesson.hpp"
#include "metrics.hpp"
#include "packing.hpp"
#include "report_page.hpp"

namespace report {
namespace {

using autograd::Shape;

/// Images of the size of the test images.
Json pixels(const Array<float>& images, const TestImages& like, std::string_view what) {
    require(images.dimension() == 2 && images.shape()[1] == like.rows * like.columns,
            "expected {} of shape (count, {} * {}), found {}", what, like.rows, like.columns,
            autograd::to_string(images.shape()));
    return bytes(images, "a pixel");
}

Json losses(const LossValues& values) {
    finite(values.loss, "a loss");
    finite(values.reconstruction, "a reconstruction loss");
    finite(values.kl, "a KL divergence");
    return to_json(values);
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
    for (const Array<float>* codes : {&draws.ae, &draws.vae}) {
        require(draws.labels.empty() || draws.labels.size() == codes->shape()[0], "{} labels for {} draws", draws.labels.size(),
                codes->shape()[0]);
    }
    return {{"name", draws.name},
            {"ae", floats(draws.ae, "a draw")},
            {"vae", floats(draws.vae, "a draw")},
            {"labels", draws.labels}};
}

Json to_json(const std::optional<Encoder>& encoder, const Explorer& explorer, std::size_t pixels) {
    if (!encoder) return nullptr;
    PackWeights* const pack = encoder->half_floats ? halves : floats;
    const auto head = [&](const Linear& linear) {
        return to_json(Network{linear}, linear.weight.shape().back(), explorer.latent, "an encoder's head", pack);
    };
    const std::size_t features = encoder->mean.weight.shape().back();
    require(!encoder->log_variance || encoder->log_variance->weight.shape().back() == features,
            "an encoder's heads of different inputs");
    return {{"features", to_json(encoder->features, pixels, features, "an encoder's features", pack)},
            {"mean", head(encoder->mean)},
            {"log_variance", encoder->log_variance ? head(*encoder->log_variance) : nullptr}};
}

Json to_json(const std::vector<Frame>& film, const TestImages& test) {
    Json frames = Json::array();
    for (const Frame& frame : film) {
        require(frame.codes.dimension() == 2 && frame.codes.shape()[0] <= test.labels.size(),
                "codes of a frame of shape {} for {} test images", autograd::to_string(frame.codes.shape()),
                test.labels.size());
        require(frame.pictures.dimension() == 2 && frame.pictures.shape()[1] == test.rows * test.columns,
                "pictures of a frame of shape {} for images of {} x {}", autograd::to_string(frame.pictures.shape()), test.rows,
                test.columns);
        frames.push_back({{"step", frame.step},
                          {"loss", losses(frame.loss)},
                          {"codes", floats(frame.codes, "a code")},
                          {"pictures", bytes(frame.pictures)}});
    }
    return frames;
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
    const std::size_t outputs = test.rows * test.columns;
    return {{"latent", explorer.latent},
            {"labels", explorer.labels},
            {"ae", to_json(explorer.ae, explorer.latent, outputs, "a decoder", floats)},
            {"vae", to_json(explorer.vae, explorer.latent, outputs, "a decoder", floats)},
            {"ae_encoder", to_json(explorer.ae_encoder, explorer, outputs)},
            {"vae_encoder", to_json(explorer.vae_encoder, explorer, outputs)},
            {"ae_code", floats(explorer.ae_code, "a code")},
            {"vae_mean", floats(explorer.vae_mean, "a mean")},
            {"vae_log_variance", floats(explorer.vae_log_variance, "a log variance")},
            {"kl", explorer.kl},
            {"ae_holes", to_json(explorer.ae_holes)},
            {"vae_holes", to_json(explorer.vae_holes)},
            {"holes_meaning", explorer.holes_meaning},
            {"draws", draws},
            {"ae_film", to_json(explorer.ae_film, test)},
            {"vae_film", to_json(explorer.vae_film, test)},
            {"film_note", explorer.film_note}};
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

/// The template up to `mark`, which must stand there; `page` then begins after it.
std::string_view take_until(std::string_view& page, std::string_view mark) {
    const std::size_t at = page.find(mark);
    if (at == page.npos) throw autograd::Error(fmt::format("report: page.html has no {}", mark));
    const std::string_view before = page.substr(0, at);
    page.remove_prefix(at + mark.size());
    return before;
}

}  // namespace

std::string to_html(const Report& report) {
    const Packed data = packed(to_json(report));
    std::string html;
    std::string_view page = report_page::page_html;
    html.append(take_until(page, "@style@"));
    for (const std::string_view style : {report_page::style_css, report_page::explorer_css, report_page::computation_css}) {
        html.append(style).append("\n");
    }
    html.append(take_until(page, "@lesson@")).append(lesson_of(report_page::vae_md));
    html.append(take_until(page, "@data@")).append(data.json);
    html.append(take_until(page, "@arrays@")).append(data.arrays);
    html.append(take_until(page, "@script@"));
    for (const std::string_view script :
         {report_page::data_js, report_page::network_js, report_page::elements_js, report_page::charts_js, report_page::map_js,
          report_page::drawing_js, report_page::sliders_js, report_page::plane_js, report_page::explorer_js,
          report_page::film_js, report_page::computation_layout_js, report_page::computation_panel_js,
          report_page::computation_js, report_page::scores_js, report_page::page_js}) {
        html.append(script).append("\n");
    }
    return html.append(page);
}

void write_report(const std::filesystem::path& path, const Report& report) {
    const std::string html = to_html(report);
    nn::write_file_atomically(path, std::as_bytes(std::span(html)));
}

}  // namespace report
