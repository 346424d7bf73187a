// Writes what report_test.mjs looks at: report.html of random models, and expected.json with what the library's own
// arithmetic makes of 20 codes for each of its decoders.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>

#include "tests/random_report.hpp"

namespace {

using autograd::Array;
using Json = nlohmann::json;

constexpr std::size_t codes = 20;

Json expected(const report::Explorer& explorer, std::size_t number, autograd::Rng rng) {
    Json cases = Json::array();
    const std::size_t latent = explorer.latent, inputs = latent + explorer.labels;
    for (const char* model : {"ae", "vae"}) {
        // Codes, the one-hot label after each. The AE's lie further out.
        Array<float> x = autograd::full<float>({codes, inputs}, 0);
        const Array<float> z = random_report::weights({codes, latent}, rng, *model == 'a' ? 3.0F : 1.0F);
        for (std::size_t i = 0; i < codes; ++i) {
            for (std::size_t k = 0; k < latent; ++k) x(i, k) = z(i, k);
            if (explorer.labels > 0) x(i, latent + i % explorer.labels) = 1;
        }
        const Array<float> pixels = random_report::decode(*model == 'a' ? explorer.ae : explorer.vae, x);
        for (std::size_t i = 0; i < codes; ++i) {
            const auto row = [i](const Array<float>& from) {
                return std::span(from.data() + i * from.shape()[1], from.shape()[1]);
            };
            cases.push_back({{"explorer", number},
                             {"model", model},
                             {"label", explorer.labels > 0 ? i % explorer.labels : 0},
                             {"z", row(z)},
                             {"pixels", row(pixels)}});
        }
    }
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
