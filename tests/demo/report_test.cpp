// report.html as a file: its data comes back out of it, no string breaks out of it, nothing in it points elsewhere, and
// what does not fit together is an error. What it does in a browser is tested in tests/browser/.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/files.hpp"
#include "tests/random_report.hpp"

namespace {

using autograd::Array;
using Json = nlohmann::json;

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
    return found;
}

/// Bytes of base64 with padding; not the code under test.
std::string bytes_of_base64(const std::string& text) {
    const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    REQUIRE(text.size() % 4 == 0);
    std::string bytes;
    std::uint32_t bits = 0;
    int have = 0;
    for (const char c : text) {
        if (c == '=') break;
        REQUIRE(digits.find(c) != digits.npos);
        bits = bits << 6 | static_cast<std::uint32_t>(digits.find(c));
        if ((have += 6) >= 8) bytes += static_cast<char>(bits >> (have -= 8) & 255);
    }
    return bytes;
}

/// What a report's page carries: JSON, and the bytes of its arrays.
struct Carried {
    Json json;
    std::string arrays;

    std::string bytes(const Json& place) const { return arrays.substr(place.at(0), place.at(1)); }
};

Carried data_of(const std::string& html) {
    const auto element = [&](const std::string& start) {
        REQUIRE(count(html, start) == 1);
        const std::size_t from = html.find(start) + start.size();
        return html.substr(from, html.find("</script>", from) - from);
    };
    const TemporaryDirectory directory;
    write_text(directory / "arrays.gz", bytes_of_base64(element("<script type=\"application/gzip\" id=\"arrays\">")));
    const std::vector<std::byte> arrays = nn::InputFile(directory / "arrays.gz").read(std::size_t{1} << 30);
    return {Json::parse(element("<script type=\"application/json\" id=\"data\">")),
            {reinterpret_cast<const char*>(arrays.data()), arrays.size()}};
}

/// The bits of number i of `count`, whose bytes are in planes.
std::uint32_t bits_of(const std::string& planes, std::size_t width, std::size_t i) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < width; ++k) {
        bits |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(planes[k * (planes.size() / width) + i])) << 8 * k;
    }
    return bits;
}

void check_shape(const Json& packed, const autograd::Shape& expected) {
    CHECK(packed["shape"] == Json(std::vector<std::size_t>(expected.begin(), expected.end())));
}

void check_floats(const Carried& data, const Json& packed, const Array<float>& expected) {
    check_shape(packed, expected.shape());
    const std::string bytes = data.bytes(packed["float32"]);
    REQUIRE(bytes.size() == 4 * expected.size());
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) wrong += std::bit_cast<float>(bits_of(bytes, 4, i)) != expected.data()[i];
    CHECK(wrong == 0);
}

/// The nearest half floats: 11 significant bits, or multiples of 2^-24.
void check_halves(const Carried& data, const Json& packed, const Array<float>& expected) {
    check_shape(packed, expected.shape());
    const std::string bytes = data.bytes(packed["float16"]);
    REQUIRE(bytes.size() == 2 * expected.size());
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const std::uint32_t bits = bits_of(bytes, 2, i), exponent = bits >> 10 & 31, fraction = bits & 1023;
        const double magnitude =
            exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, static_cast<int>(exponent) - 25);
        const double value = static_cast<double>(expected.data()[i]), found = bits >> 15 ? -magnitude : magnitude;
        if (!(std::abs(found - value) <= std::max(std::abs(value) * 0x1p-11, 0x1p-25))) ++wrong;
    }
    CHECK(wrong == 0);
}

std::string message_of(const report::Report& report) {
    try {
        report::to_html(report);
    } catch (const autograd::Error& error) {
        return error.what();
    }
    return {};
}

/// The message for a report in which something has been changed.
template <class Change>
std::string message_after(Change change) {
    report::Report report = random_report::make(1);
    change(report);
    return message_of(report);
}

}  // namespace

TEST_CASE("the data of a report comes back out of the page", "[report]") {
    const report::Report report = random_report::make(1);
    const Carried carried = data_of(report::to_html(report));
    const Json& data = carried.json;

    CHECK(data["title"] == "Random models");
    CHECK(data["settings"] == Json::parse(R"([["Seed", "1"], ["Data", "none"]])"));
    CHECK(data["findings"] == Json(report.findings));
    CHECK(data["test"]["rows"] == random_report::rows);
    CHECK(data["test"]["columns"] == random_report::columns);
    CHECK(data["test"]["labels"] == Json(report.test.labels));
    CHECK(data["test"]["class_names"] == Json(report.test.class_names));

    REQUIRE(data["explorers"].size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
        const report::Explorer& explorer = report.explorers[i];
        const Json& found = data["explorers"][i];
        CHECK(found["latent"] == explorer.latent);
        CHECK(found["labels"] == explorer.labels);
        CHECK(found["kl"] == Json(explorer.kl));
        check_floats(carried, found["ae_code"], explorer.ae_code);
        check_floats(carried, found["vae_mean"], explorer.vae_mean);
        check_floats(carried, found["vae_log_variance"], explorer.vae_log_variance);
        check_floats(carried, found["draws"][0]["ae"], explorer.draws[0].ae);
        check_floats(carried, found["draws"][0]["vae"], explorer.draws[0].vae);
        REQUIRE(found["ae"].size() == explorer.ae.size());
        REQUIRE(found["vae"].size() == explorer.vae.size());
        const std::size_t first = explorer.labels > 0 ? 1 : 0;  // after the labels
        check_floats(carried, found["ae"][first]["weight"], std::get<report::Linear>(explorer.ae[first]).weight);
        check_floats(carried, found["vae"][first]["bias"], std::get<report::Linear>(explorer.vae[first]).bias);
        check_halves(carried, found["ae_encoder"]["mean"][0]["weight"], explorer.ae_encoder->mean.weight);
        check_halves(carried, found["vae_encoder"]["log_variance"][0]["bias"], explorer.vae_encoder->log_variance->bias);
        CHECK(found["ae_encoder"]["log_variance"].is_null());
        REQUIRE(found["vae_film"].size() == explorer.vae_film.size());
        CHECK(found["vae_film"][3]["step"] == 40);
        CHECK(found["vae_film"][3]["loss"]["kl"] == 4.0);
        check_floats(carried, found["vae_film"][3]["codes"], explorer.vae_film[3].codes);
        const std::string pictures = carried.bytes(found["ae_film"][5]["pictures"]["uint8"]);
        CHECK(std::equal(pictures.begin(), pictures.end(), explorer.ae_film[5].pictures.begin(),
                         explorer.ae_film[5].pictures.end(),
                         [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; }));
    }
    const Json& sliders = data["explorers"][0];
    const auto& convolution = std::get<report::ConvTranspose2d>(report.explorers[0].vae[6]);
    CHECK(sliders["vae"][3] == Json{{"type", "reshape"}, {"shape", {4, 3, 2}}});
    CHECK(sliders["vae"][6]["padding"] == Json{2, 1});
    CHECK(sliders["vae"][6]["stride"] == Json{2, 2});
    CHECK(sliders["vae"][4]["output_padding"] == Json{1, 0});
    check_floats(carried, sliders["vae"][6]["weight"], convolution.weight);
    CHECK(sliders["ae_encoder"]["features"][1]["stride"] == Json{2, 1});
    CHECK(sliders["ae_encoder"]["features"][3]["padding"] == Json{0, 1});
    CHECK(sliders["ae_encoder"]["features"][5] == Json{{"type", "labels"}, {"classes", 3}});
    check_halves(carried, sliders["vae_encoder"]["features"][3]["weight"],
                 std::get<report::Conv2d>(report.explorers[0].vae_encoder->features[3]).weight);
    CHECK(sliders["ae_holes"].is_null());
    const Json& plane = data["explorers"][1];
    CHECK(plane["vae_holes"]["extent"] == 3.5);
    check_floats(carried, plane["vae_holes"]["values"], report.explorers[1].vae_holes->values);

    CHECK(data["curves"][0]["floor"] == 190.0);
    CHECK(data["curves"][1]["floor"].is_null());
    CHECK(data["curves"][0]["vae"][2]["test"]["reconstruction"] == 237.0);
    CHECK(data["curves"][0]["vae"][2]["train"] == Json{{"loss", 243.0}, {"reconstruction", 235.0}, {"kl", 8.0}});
    CHECK(data["scores"][0]["columns"][1]["better"] == "higher");
    CHECK(data["scores"][0]["rows"][0]["floor"] == true);
    CHECK(data["scores"][0]["rows"][0]["scores"][2].is_null());
    CHECK(data["scores"][0]["rows"][1]["scores"][2] == Json{{"value", -0.6}, {"standard_error", nullptr}});
    CHECK(data["beta"][2] == Json{{"beta", 4.0}, {"rate", 6.1}, {"distortion", 252.0}, {"active_units", 10}});
}

TEST_CASE("the tape of a step comes back out of the page", "[report]") {
    const report::Report report = random_report::make(1);
    const Json found = data_of(report::to_html(report)).json["computation"];
    const report::Computation& computation = *report.computation;
    CHECK(found["image"] == 0);
    CHECK(found["losses"] == Json{"reconstruction", "KL", "loss"});
    REQUIRE(found["recordings"].size() == 2);
    const char* kinds[] = {"operation", "variable", "constant", "parameter", "noise"};
    for (std::size_t way = 0; way < 2; ++way) {
        const report::Recording& recording = computation.recordings[way];
        const Json& read = found["recordings"][way];
        CHECK(read["way"] == recording.way);
        CHECK(read["code"] == recording.code);
        CHECK(read["losses"] == Json(recording.losses));
        REQUIRE(read["nodes"].size() == recording.nodes.size());
        for (std::size_t i = 0; i < recording.nodes.size(); ++i) {
            const report::TapeNode& node = recording.nodes[i];
            const Json& each = read["nodes"][i];
            INFO(node.expression);
            CHECK(each["kind"] == kinds[static_cast<std::size_t>(node.kind)]);
            CHECK(each["name"] == node.name);
            CHECK(each["op"] == node.op);
            CHECK(each["expression"] == node.expression);
            CHECK(each["module"] == node.module);
            CHECK(each["needs_gradient"] == node.needs_gradient);
            REQUIRE(each["inputs"].size() == node.inputs.size());
            for (std::size_t k = 0; k < node.inputs.size(); ++k) {
                CHECK(each["inputs"][k] == Json{{"from", node.inputs[k].from}, {"cut", node.inputs[k].cut}});
            }
            CHECK(each["value"]["norm"] == node.value.norm);
            CHECK(each["value"]["values"].is_null() == !node.value.values);
            CHECK(each["picture"].is_null() == !node.picture);
            for (std::size_t loss = 0; loss < 3; ++loss) {
                const report::NodeGradient& gradient = node.gradients[loss];
                if (gradient.array) CHECK(each["gradients"][loss]["norm"] == gradient.array->norm);
                if (!gradient.array) CHECK(each["gradients"][loss] == Json{{"why_none", gradient.why_none}});
            }
        }
    }
    report::Report without = report;
    without.computation.reset();
    CHECK(data_of(report::to_html(without)).json["computation"].is_null());
}

TEST_CASE("numbers on the tape of a step are themselves if they are few, else bytes around 0", "[report]") {
    report::Report report = random_report::make(1);
    report::TapeNode& node = report.computation->recordings[0].nodes[0];
    Carried carried;
    const auto read = [&](Array<float> values) {
        node.value = {values.shape(), 1, values};
        carried = data_of(report::to_html(report));
        return carried.json["computation"]["recordings"][0]["nodes"][0]["value"]["values"];
    };
    for (report::NodeGradient& each : node.gradients) each.array.reset();
    CHECK(read(Array<float>{{1.5F, -2.0F}}) == Json{{"numbers", {1.5, -2.0}}, {"most", 2.0}});
    Array<float> many = autograd::full<float>({1, 40}, 0);
    CHECK(read(many)["most"] == 0.0);
    many(0, 1) = 4;
    many(0, 2) = -4;
    many(0, 3) = 1;
    const Json packed = read(many);
    CHECK(packed["most"] == 4.0);
    const std::string found = carried.bytes(packed["bytes"]["uint8"]);
    REQUIRE(found.size() == 40);
    CHECK(found.substr(0, 4) == bytes({128, 255, 0, 159}));
}

TEST_CASE("pixels of a report are bytes, clamped and rounded", "[report]") {
    report::Report report;
    report.test = {1, 5, {"only"}, {0}, Array<float>{{-0.5F, 0.0F, 0.5F, 1.0F, 1.5F}}};
    report.galleries = {{"", "", "", {{"", Array<float>{{0.002F, 0.0019F, 0.998F, 0.999F, 0.25F}}, 1}}}};
    const Carried data = data_of(report::to_html(report));
    const Json& test = data.json["test"]["pixels"];
    CHECK(data.bytes(test["uint8"]) == bytes({0, 0, 128, 255, 255}));
    CHECK(test["shape"] == Json{1, 5});
    CHECK(data.bytes(data.json["galleries"][0]["grids"][0]["images"]["uint8"]) == bytes({1, 0, 254, 255, 64}));
}

TEST_CASE("a report needs nothing but itself", "[report]") {
    const std::string html = report::to_html(random_report::make(1));
    CHECK(html.starts_with("<!DOCTYPE html>"));
    CHECK(count(html, "http://") == 0);
    CHECK(count(html, "https://") == 0);
    CHECK(count(html, "@style@") + count(html, "@data@") + count(html, "@arrays@") + count(html, "@script@") == 0);
    CHECK(count(html, "default-src 'none'") == 1);
    for (const char* reference : {" src=", " href=", "@import", "url(", "fetch(", "XMLHttpRequest", "import("}) {
        INFO(reference);
        CHECK(count(html, reference) == 0);
    }
    CHECK(count(html, "innerHTML") == 0);  // strings of the data become text, never markup
}

TEST_CASE("no string breaks out of a report", "[report]") {
    const std::string hostile =
        "</script><script>alert(1)</script><!-- <script> \" \\ ' & \n\r\t\x01 \xe2\x80\xa8 @script@ ]]>";
    report::Report report = random_report::make(1);
    const std::string plain = report::to_html(report);
    report.title = report.findings[0] = report.settings[0].first = report.settings[1].second = hostile;
    report.test.class_names[1] = report.curves[0].title = report.galleries[0].caption = hostile;
    report.galleries[0].panels[0].caption = report.scores[0].rows[1].set = hostile;
    report.scores[0].columns[0].title = hostile.c_str();
    report.scores[0].rows[1].model = report.explorers[0].draws[0].name = report.explorers[1].holes_meaning = hostile;

    const std::string html = report::to_html(report);
    for (const char* tag : {"<script", "</script", "<!--"}) CHECK(count(html, tag) == count(plain, tag));
    const Json data = data_of(html).json;
    CHECK(data["title"] == hostile);
    CHECK(data["test"]["class_names"][1] == hostile);
    CHECK(data["scores"][0]["rows"][1]["set"] == hostile);
    CHECK(data["explorers"][1]["holes_meaning"] == hostile);

    report.title = "cut \xc3 short";  // not UTF-8
    CHECK(data_of(report::to_html(report)).json["title"] == "cut \xef\xbf\xbd short");
}

TEST_CASE("an empty report is a page", "[report]") {
    const Json data = data_of(report::to_html(report::Report{})).json;
    for (const char* list : {"settings", "findings", "explorers", "curves", "galleries", "scores", "beta"}) {
        INFO(list);
        CHECK(data[list] == Json::array());
    }
}

TEST_CASE("what does not fit together is no report", "[report]") {
    using report::Report;
    const float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK(message_after([](Report&) {}).empty());

    // Numbers that are none.
    CHECK(message_after([&](Report& r) { r.explorers[0].vae_mean(3, 1) = nan; }) == "report: a mean is nan");
    CHECK(message_after([&](Report& r) { std::get<report::Linear>(r.explorers[1].ae[0]).bias(2) = nan; }) ==
          "report: a bias is nan");
    CHECK(message_after([&](Report& r) { r.test.pixels(1, 1) = nan; }) == "report: a pixel is nan");
    CHECK(message_after([](Report& r) { r.curves[0].ae[1].test.kl = -std::numeric_limits<double>::infinity(); }) ==
          "report: a KL divergence is -inf");
    CHECK(message_after([](Report& r) { r.scores[0].rows[1].scores[0]->value = std::nan(""); }) == "report: a score is nan");
    CHECK(message_after([](Report& r) { r.scores[0].rows[1].scores[0]->standard_error = std::nan(""); }) ==
          "report: a standard error is nan");
    CHECK(message_after([](Report& r) { r.beta[0].test.kl = std::nan(""); }) == "report: a rate is nan");

    // Decoders.
    CHECK(message_after([](Report& r) { r.explorers[1].ae.resize(2); }) ==
          "report: a decoder of 24 numbers where 96 are expected");
    CHECK(message_after([](Report& r) { r.explorers[1].latent = 3; }).find("(60, 3)") != std::string::npos);
    CHECK(message_after([](Report& r) { std::get<report::Labels>(r.explorers[0].ae[0]).classes = 0; }) ==
          "report: expected a linear layer of 5 inputs, found a weight of shape (24, 8)");
    CHECK(message_after([](Report& r) { r.explorers[0].labels = 2; }) ==
          "report: decoders that expect one of 2 labels, of which 3 have names");
    CHECK(message_after([](Report& r) { std::get<report::Linear>(r.explorers[1].ae[0]).bias = Array<float>{1.0F}; }) ==
          "report: expected a bias of shape (24,), found (1,)");
    CHECK(message_after([](Report& r) { std::get<report::Reshape>(r.explorers[0].ae[3]).width = 3; }) ==
          "report: cannot reshape (24,) to (4, 3, 3)");
    CHECK(message_after([](Report& r) {
              r.explorers[0].ae.erase(r.explorers[0].ae.begin() + 3);
          }).find("cannot follow on (24,)") != std::string::npos);
    CHECK(message_after([](Report& r) {
              std::get<report::ConvTranspose2d>(r.explorers[0].ae[4]).stride = 0;
          }).find("has no result") != std::string::npos);
    CHECK(message_after([](Report& r) {
              std::get<report::ConvTranspose2d>(r.explorers[0].ae[4]).padding = 40;
          }).find("has no result") != std::string::npos);

    // Encoders and films.
    CHECK(message_after([](Report& r) { r.explorers[1].vae_encoder->features.pop_back(); }).empty());  // a relu
    CHECK(message_after([](Report& r) { r.explorers[1].vae_encoder->features.resize(0); }) ==
          "report: an encoder's features of 96 numbers where 24 are expected");
    CHECK(message_after([](Report& r) { r.explorers[1].ae_encoder->mean = r.explorers[0].ae_encoder->mean; }) ==
          "report: an encoder's head of 5 numbers where 2 are expected");
    CHECK(message_after([](Report& r) {
              r.explorers[1].vae_encoder->log_variance->weight = autograd::full<float>({2, 23}, 0.0F);
          }) == "report: an encoder's heads of different inputs");
    CHECK(message_after([](Report& r) { r.explorers[1].ae_encoder->mean.weight(1, 3) = 7e4F; }) == "report: a weight is inf");
    CHECK(message_after([](Report& r) {
              r.explorers[1].ae_encoder->mean.weight(1, 3) = 7e4F;
              r.explorers[1].ae_encoder->half_floats = false;
          }).empty());
    CHECK(message_after([](Report& r) {
              std::get<report::Conv2d>(r.explorers[0].ae_encoder->features[3]).padding = 5;
          }).find("has no result") != std::string::npos);
    CHECK(message_after([](Report& r) {
              std::get<report::Reshape>(r.explorers[0].ae_encoder->features[0]) = {2, 6, 8};
          }).find("cannot follow on (2, 6, 8)") != std::string::npos);
    CHECK(message_after([&](Report& r) { r.explorers[1].vae_film[2].codes(3, 1) = nan; }) == "report: a code is nan");
    CHECK(message_after([](Report& r) { r.explorers[1].ae_film[0].loss.reconstruction = std::nan(""); }) ==
          "report: a reconstruction loss is nan");
    CHECK(message_after([](Report& r) {
              r.explorers[1].ae_film[0].codes = autograd::full<float>({61, 2}, 0.0F);
          }) == "report: codes of a frame of shape (61, 2) for 60 test images");
    CHECK(message_after([](Report& r) {
              r.explorers[0].ae_film[0].pictures = autograd::empty<std::uint8_t>({10, 95});
          }).find("(10, 95) for images of 12 x 8") != std::string::npos);

    // Codes, pictures, tables.
    CHECK(message_after([](Report& r) { r.test.labels[5] = 3; }) == "report: label 3 has no name");
    CHECK(message_after([](Report& r) { r.test.labels[5] = -1; }) == "report: label -1 has no name");
    CHECK(message_after([](Report& r) { r.test.labels.resize(10); }) == "report: 24 test images with pixels, but 10 labels");
    CHECK(message_after([](Report& r) { r.test.rows = 11; }).find("(count, 11 * 8)") != std::string::npos);
    CHECK(message_after([](Report& r) { r.explorers[0].kl.pop_back(); }) == "report: 4 KL divergences for 5 latent dimensions");
    CHECK(message_after([](Report& r) { r.explorers[0].ae_holes = r.explorers[1].ae_holes; }) ==
          "report: a hole map for codes of 5 dimensions");
    CHECK(message_after([](Report& r) {
              r.explorers[1].ae_holes->values = Array<float>{{1.0F, 2.0F}};
          }) == "report: expected a hole map of shape (side, side), found (1, 2)");
    CHECK(message_after([](Report& r) { r.explorers[1].ae_holes->extent = 0; }) == "report: the extent of a hole map is 0");
    CHECK(message_after([](Report& r) {
              r.explorers[1].draws[0].vae = autograd::empty<float>({0, 2});
          }) == "report: expected draws of shape (count, 2), found (0, 2)");
    // The tape.
    const auto after = [&](auto change) {
        return message_after([&](Report& r) { change(*r.computation, r.computation->recordings[1]); });
    };
    using Step = report::Computation;
    using Recording = report::Recording;
    CHECK(after([](Step& step, Recording&) { step.image = 60; }) == "report: a tape of image 60 of 60");
    CHECK(after([](Step& step, Recording&) { step.losses.pop_back(); }) == "report: a tape of 3 losses, of which 2 have names");
    CHECK(after([](Step&, Recording& tape) { tape.losses[0] = 99; }).find("loss 99 of a tape of ") != std::string::npos);
    CHECK(after([](Step&, Recording& tape) { tape.nodes[3].gradients.pop_back(); }) ==
          "report: gradients of 2 losses in a node, where there are 3");
    CHECK(after([](Step&, Recording& tape) { tape.nodes[3].inputs[0].from = 3; }) ==
          "report: node 3 of a tape has node 3 as an input");
    CHECK(after([](Step&, Recording& tape) { tape.nodes[0].value.norm = std::nan(""); }) ==
          "report: the value of a node is nan");
    CHECK(after([&](Step&, Recording& tape) { (*tape.nodes[0].value.values)(0, 1) = nan; }) ==
          "report: the value of a node is nan");
    CHECK(after([](Step&, Recording& tape) { tape.nodes[0].value.shape = {96}; }) ==
          "report: expected the value of a node of shape (96,), found (1, 96)");
    CHECK(after([](Step&, Recording& tape) { tape.nodes[3].gradients[2].array->shape = {41}; }) ==
          "report: a gradient of shape (41,) for a node of shape (1, 40)");

    CHECK(message_after([](Report& r) { r.galleries[0].panels[0].across = 0; }) == "report: a grid of 0 columns");
    CHECK(message_after([](Report& r) { r.scores[0].rows[2].scores.pop_back(); }) ==
          "report: 2 scores in a table of 3 columns");
}

TEST_CASE("the page of the networks that are trained by default has at most 10 MB", "[report]") {
    autograd::Rng rng(3);
    const auto mlp = [&](std::size_t latent) {
        return report::Network{random_report::linear(latent, 400, rng, 0.1F), report::Relu{},
                               random_report::linear(400, 784, rng, 0.1F), report::Sigmoid{}};
    };
    report::Report report;
    report.test = {28, 28, {"any"}, std::vector<int>(2000, 0), rng.uniform<float>({300, 784})};
    for (const std::size_t latent : {20u, 2u}) {
        report::Explorer explorer;
        explorer.latent = latent;
        explorer.ae = mlp(latent);
        explorer.vae = mlp(latent);
        for (Array<float>* codes : {&explorer.ae_code, &explorer.vae_mean, &explorer.vae_log_variance}) {
            *codes = rng.normal<float>({2000, latent});
        }
        report.explorers.push_back(std::move(explorer));
    }
    report::Explorer& plane = report.explorers.back();
    for (auto* encoder : {&plane.ae_encoder, &plane.vae_encoder}) {
        encoder->emplace(report::Network{random_report::linear(784, 400, rng, 0.1F), report::Relu{}},
                         random_report::linear(400, 2, rng, 0.1F), random_report::linear(400, 2, rng, 0.1F));
    }
    for (std::size_t frame = 0; frame < Options{}.film; ++frame) {
        for (auto* film : {&plane.ae_film, &plane.vae_film}) {
            Array<std::uint8_t> pictures = autograd::empty<std::uint8_t>({10, 784});
            const Array<float> noise = rng.uniform<float>(pictures.shape());
            for (std::size_t i = 0; i < noise.size(); ++i)
                pictures.data()[i] = static_cast<std::uint8_t>(255 * noise.data()[i]);
            film->push_back({frame, {}, rng.normal<float>({1000, 2}), pictures});
        }
    }
    const std::size_t bytes = report::to_html(report).size();
    INFO(bytes);
    CHECK(bytes > 6'000'000);  // of numbers without any order, as those of networks nearly are
    CHECK(bytes < 9'800'000);  // which leaves room for the galleries
}

TEST_CASE("a report is written whole or not at all", "[report]") {
    const TemporaryDirectory directory;
    const report::Report good = random_report::make(1);
    report::write_report(directory / "report.html", good);
    CHECK(read_text(directory / "report.html") == report::to_html(good));
    CHECK(directory.entries() == 1);

    report::Report bad = good;
    bad.beta[0].test.kl = std::nan("");
    CHECK_THROWS_AS(report::write_report(directory / "report.html", bad), autograd::Error);
    CHECK(read_text(directory / "report.html") == report::to_html(good));

    std::filesystem::create_directory(directory / "taken");
    CHECK_THROWS_AS(report::write_report(directory / "missing" / "report.html", good), nn::FileError);
    CHECK_THROWS_AS(report::write_report(directory / "taken", good), nn::FileError);
    CHECK(directory.entries() == 2);
}

TEST_CASE("the layer of a report is that of the model", "[report]") {
    autograd::Rng rng(3);
    const nn::Linear linear(4, 6, rng);
    const report::Linear layer = report::layer_of(linear);
    CHECK(layer.weight.shape() == autograd::Shape{6, 4});
    CHECK(std::equal(layer.weight.begin(), layer.weight.end(), linear.weight.value().begin()));
    CHECK(layer.bias.shape() == autograd::Shape{6});
}
