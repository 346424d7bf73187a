// Writes what report_test.mjs looks at: report.html of random models, and expected.json with what the library's own
// arithmetic makes of 20 codes for each of its decoders, and of 20 pictures for each of its encoders.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>

#include "tests/random_report.hpp"

namespace {

using autograd::Array;
using Json = nlohmann::json;

constexpr std::size_t count = 20;

std::span<const float> row(const Array<float>& from, std::size_t i) {
    return {from.data() + i * from.shape()[1], from.shape()[1]};
}

/// What the models of an explorer make of 20 inputs each, with the labels 0, 1, 2, 0, ...: decoders of codes, encoders of
/// pictures, of which every second one is black and white.
Json expected(const report::Explorer& explorer, std::size_t number, autograd::Rng rng) {
    Json cases = Json::array();
    Array<float> labels = autograd::full<float>({count, explorer.labels}, 0);
    for (std::size_t i = 0; i < count && explorer.labels > 0; ++i) labels(i, i % explorer.labels) = 1;
    const auto add = [&](const char* model, const char* from, const Array<float>& inputs, const char* to,
                         const Array<float>& outputs) {
        for (std::size_t i = 0; i < count; ++i) {
            cases.push_back({{"explorer", number},
                             {"model", model},
                             {"label", explorer.labels > 0 ? i % explorer.labels : 0},
                             {from, row(inputs, i)},
                             {to, row(outputs, i)}});
        }
    };
    const auto add_model = [&](const char* model, const report::Network& decoder, const report::Encoder& encoder,
                               float spread) {
        const Array<float> z = random_report::weights({count, explorer.latent}, rng, spread);
        add(model, "z", z, "pixels", random_report::apply(decoder, z, labels));
        Array<float> pictures = rng.uniform<float>({count, random_report::rows * random_report::columns});
        for (std::size_t i = 0; i < count; i += 2) {
            for (std::size_t k = 0; k < pictures.shape()[1]; ++k) pictures(i, k) = pictures(i, k) < 0.5F ? 0.0F : 1.0F;
        }
        const Array<float> features = random_report::apply(encoder.features, pictures, labels);
        add(model, "picture", pictures, "mean", random_report::apply({encoder.mean}, features, labels));
        if (!encoder.log_variance) return;
        add(model, "picture", pictures, "logVariance", random_report::apply({*encoder.log_variance}, features, labels));
    };
    add_model("ae", explorer.ae, *explorer.ae_encoder, 3);  // whose codes lie further out
    add_model("vae", explorer.vae, *explorer.vae_encoder, 1);
    return cases;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: xtape_report_fixture DIRECTORY\n", stderr);
        return 2;
    }
    try {
        const std::filesystem::path directory = argv[1];
        report::Report report = random_report::make(42);
        report.title = "Random models </script><script>window.broken = 1</script><img src=missing onerror=\"broken = 2\">";
        report::write_report(directory / "report.html", report);
        Json cases = Json::array();
        for (std::size_t i = 0; i < report.explorers.size(); ++i) {
            for (auto& each : expected(report.explorers[i], i, autograd::Rng(43).stream(std::to_string(i)))) {
                cases.push_back(std::move(each));
            }
        }
        const std::string text = cases.dump();
        nn::write_file_atomically(directory / "expected.json", std::as_bytes(std::span(text)));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "xtape_report_fixture: %s\n", error.what());
        return 1;
    }
    return 0;
}
