// The example as a user runs it: options, files, errors, and the same numbers for the same seed. On pictures made here;
// what it reaches on Fashion-MNIST is a matter of minutes, not of a unit test.
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "catch.hpp"
#include "files.hpp"
#include "programs.hpp"

namespace {

constexpr int side = 8;

std::string big_endian(std::uint32_t value) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 255);
    return text;
}

/// Bright bars on black, in one of two directions: two classes with a little variety.
void write_split(const TemporaryDirectory& directory, const std::string& prefix, std::uint32_t count) {
    std::string images = bytes({0, 0, 8, 3}) + big_endian(count) + big_endian(side) + big_endian(side);
    std::string labels = bytes({0, 0, 8, 1}) + big_endian(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        const int label = static_cast<int>(i % 2), bar = static_cast<int>(i / 2 % side);
        labels += static_cast<char>(label);
        for (int row = 0; row < side; ++row) {
            for (int column = 0; column < side; ++column) {
                images += static_cast<char>((label == 0 ? row : column) == bar ? 200 + i % 50 : 0);
            }
        }
    }
    write_gzip(directory / (prefix + "-images-idx3-ubyte.gz"), images);
    write_text(directory / (prefix + "-labels-idx1-ubyte"), labels);
}

struct Pictures {
    TemporaryDirectory directory;
    Pictures() {
        write_split(directory, "train", 600);
        write_split(directory, "t10k", 70);
    }
    std::string arguments(const std::string& out) const {
        return "--data '" + directory.path().string() + "' --out '" + (directory / out).string() +
               "' --latent 3 --hidden 16 --batch 32 --threads 1 ";
    }
    nlohmann::json metrics(const std::string& out) const {
        return nlohmann::json::parse(read_text(directory / out / "metrics.json"));
    }
};

/// Times are the one thing that differs from run to run.
nlohmann::json without_times(nlohmann::json metrics) {
    for (const char* model : {"ae", "vae"}) metrics[model].erase("ms_per_step");
    return metrics;
}

}  // namespace

TEST_CASE("ae_vs_vae: metrics.json has the promised form") {
    const Pictures pictures;
    const ProgramResult result = run_program("ae_vs_vae", pictures.arguments("out") + "--epochs 3 --seed 5 --beta 0.5");
    INFO(result.output);
    REQUIRE(result.exit_code == 0);
    const nlohmann::json metrics = pictures.metrics("out");
    CHECK(metrics["data"] == pictures.directory.path().string());
    CHECK(metrics["seed"] == 5);
    CHECK(metrics["epochs"] == 3);
    CHECK(metrics["threads"] == 1);
    // Each picture has 8 pixels that are not black, and entropy -x log x - (1 - x) log(1 - x) at x = (200 + i % 50) / 255.
    double entropy = 0;
    for (int i = 0; i < 70; ++i) {
        const double x = (200 + i % 50) / 255.0;
        entropy -= side * (x * std::log(x) + (1 - x) * std::log(1 - x)) / 70;
    }
    CHECK(metrics["pixel_entropy_floor"].get<double>() == Approx(entropy).epsilon(1e-5));
    for (const char* name : {"ae", "vae"}) {
        const nlohmann::json& model = metrics[name];
        CHECK(model["steps"] == 3 * 19);  // 600 images in batches of 32: 18 and one of 24
        CHECK(model["ms_per_step"] > 0.0);
        REQUIRE(model["history"].size() == 3);
        for (int epoch = 1; epoch <= 3; ++epoch) {
            const nlohmann::json& record = model["history"][static_cast<std::size_t>(epoch - 1)];
            CHECK(record["epoch"] == epoch);
            for (const char* set : {"train", "test"}) {
                const double reconstruction = record[set]["reconstruction"], kl = record[set]["kl"];
                CHECK(record[set]["loss"].get<double>() == Approx(reconstruction + 0.5 * kl).epsilon(1e-5));
                CHECK(reconstruction > entropy);
                if (std::string(name) == "ae") CHECK(kl == 0);
                if (std::string(name) == "vae") CHECK(kl > 0);
            }
        }
        const auto& history = model["history"];
        CHECK(history[2]["train"]["loss"].get<double>() < 0.9 * history[0]["train"]["loss"].get<double>());
    }
    for (const char* picture : {"samples.png", "reconstructions.png", "interpolations.png", "latent.png"}) {
        CHECK(read_text(pictures.directory / "out" / picture).substr(1, 3) == "PNG");
    }
}

TEST_CASE("ae_vs_vae: the same seed gives the same metrics, another seed others") {
    const Pictures pictures;
    const std::pair<const char*, const char*> runs[] = {{"first", "7"}, {"second", "7"}, {"third", "8"}};
    for (const auto& [out, seed] : runs) {
        REQUIRE(run_program("ae_vs_vae", pictures.arguments(out) + "--epochs 1 --samples 2 --seed " + seed).exit_code == 0);
    }
    CHECK(without_times(pictures.metrics("first")) == without_times(pictures.metrics("second")));
    CHECK(pictures.metrics("first")["vae"]["history"] != pictures.metrics("third")["vae"]["history"]);
}

TEST_CASE("ae_vs_vae: a latent plane, a single dimension") {
    const Pictures pictures;
    for (const char* latent : {"2", "1"}) {
        const ProgramResult result =
            run_program("ae_vs_vae", "--data '" + pictures.directory.path().string() + "' --out '" +
                                         (pictures.directory / latent).string() + "' --hidden 8 --epochs 1 --latent " + latent);
        INFO(result.output);
        CHECK(result.exit_code == 0);
    }
}

TEST_CASE("ae_vs_vae: help, and mistakes on the command line") {
    const ProgramResult help = run_program("ae_vs_vae", "--help");
    CHECK(help.exit_code == 0);
    for (const char* option : {"--data", "--latent", "--hidden", "--epochs", "--batch", "--lr", "--beta", "--samples",
                               "--seed", "--threads", "--out", "--quick"}) {
        INFO(option);
        CHECK(help.output.find(option) != std::string::npos);
    }
    for (const char* wrong : {"--no-such-option", "--latent 0", "--latent 99999999999999999999", "--epochs two", "--lr nan",
                              "--beta -1", "--seed -1", "--threads 0", "--quick --epochs 3", "surplus"}) {
        const ProgramResult result = run_program("ae_vs_vae", wrong);
        INFO(wrong << ": " << result.output);
        CHECK(result.exit_code == 2);
        CHECK(!result.output.empty());
    }
}

TEST_CASE("ae_vs_vae: data that is missing or broken, and places where nothing can be written") {
    const Pictures pictures;
    const auto fails_with = [](const std::string& arguments, const std::string& expected) {
        const ProgramResult result = run_program("ae_vs_vae", arguments);
        INFO(arguments << ": " << result.output);
        CHECK(result.exit_code == 1);
        CHECK(result.output.find(expected) != std::string::npos);
    };
    fails_with("--data /no/such/directory --out '" + (pictures.directory / "a").string() + "'", "train-images-idx3-ubyte");
    write_text(pictures.directory / "file", "");
    fails_with("--data '" + pictures.directory.path().string() + "' --out '" + (pictures.directory / "file/out").string() + "'",
               "file/out");
    fails_with("--data '" + pictures.directory.path().string() + "' --out /proc/no/such", "/proc/no/such");
    fails_with(pictures.arguments("b") + "--epochs 50 --lr 1e30", "--lr");
    CHECK(!std::filesystem::exists(pictures.directory / "b" / "metrics.json"));
    const std::string whole = read_text(pictures.directory / "train-images-idx3-ubyte.gz");
    write_text(pictures.directory / "train-images-idx3-ubyte.gz", whole.substr(0, whole.size() / 2));
    fails_with(pictures.arguments("c"), "train-images-idx3-ubyte.gz");
}
