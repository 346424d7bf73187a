// The example as a user runs it: options, files, errors, and the same numbers for the same seed. On pictures made here;
// what it reaches on Fashion-MNIST is a matter of minutes, not of a unit test.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <nn/nn.hpp>
#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/files.hpp"
#include "tests/pictures.hpp"
#include "tests/programs.hpp"

namespace {

/// The numbers in the findings and in metrics.json are numbers, and each +- was estimated: from values that are all
/// equal it would be 0.
void check_numbers(const ProgramResult& result, const nlohmann::json& metrics) {
    for (const char* none : {"nan", " inf", "-inf", "± 0 ", "± 0.0 ", "± 0.00 "}) {
        INFO(none);
        CHECK(result.output.find(none) == std::string::npos);
    }
    CHECK(metrics.dump().find("null") == std::string::npos);  // which the JSON has for numbers that are not finite
}

std::string findings_of(const nlohmann::json& metrics) {
    std::string text;
    for (const nlohmann::json& each : metrics["findings"]) text += each.get<std::string>() + '\n';
    return text;
}

void write_labels(const Pictures& pictures, const std::string& prefix, const std::vector<int>& labels) {
    std::string text = bytes({0, 0, 8, 1}) + big_endian(static_cast<std::uint32_t>(labels.size()));
    for (const int label : labels) text += static_cast<char>(label);
    write_text(pictures.directory / (prefix + "-labels-idx1-ubyte"), text);
}

const char* const picture_names[] = {"samples.png", "reconstructions.png", "interpolations.png", "latent.png"};

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
    CHECK_THAT(metrics["backend"].get<std::string>(), contains("products by ") && contains("; 1 thread"));
    // Each picture has 8 pixels that are not black, and entropy -x log x - (1 - x) log(1 - x) at x = (200 + i % 50) /
    // 255.
    double entropy = 0;
    for (int i = 0; i < 70; ++i) {
        const double x = (200 + i % 50) / 255.0;
        entropy -= picture_side * (x * std::log(x) + (1 - x) * std::log(1 - x)) / 70;
    }
    CHECK(metrics["pixel_entropy_floor"].get<double>() == Approx(entropy).epsilon(1e-5));
    for (const auto& [pair, latent] : {std::pair{metrics, 3}, std::pair{metrics["plane"], 2}}) {
        CHECK(pair["latent"] == latent);
        for (const char* name : {"ae", "vae"}) {
            const nlohmann::json& model = pair[name];
            CHECK(model["steps"] == 3 * 19);  // 600 images in batches of 32: 18 and one of 24
            CHECK(model["ms_per_step"] > 0.0);
            CHECK(model["stopped_early"] == false);
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
            CHECK(model["test"] == history[2]["test"]);
        }
    }
    for (const std::string prefix : {"", "plane-"}) {
        for (const char* picture : picture_names) {
            CHECK(read_text(pictures.directory / "out" / (prefix + picture)).substr(1, 3) == "PNG");
        }
    }
}

TEST_CASE("ae_vs_vae: scores, findings in words, and the report") {
    const Pictures pictures(300, 240);
    const ProgramResult result = run_program("ae_vs_vae", pictures.arguments("out") + "--epochs 20 --lr 0.005 --betas 0.1,8");
    INFO(result.output);
    REQUIRE(result.exit_code == 0);
    const nlohmann::json metrics = pictures.metrics("out"), scores = metrics["analysis"]["scores"];
    REQUIRE(scores.size() == 9);
    std::map<std::string, double> frechet;
    for (const nlohmann::json& each : scores) {
        frechet[each["set"].get<std::string>() + " " + each["model"].get<std::string>()] = each["frechet"]["value"];
        for (const char* share : {"precision", "recall", "coverage"}) {
            CHECK((each[share]["value"] >= 0.0 && each[share]["value"] <= 1.0));
        }
    }
    // In the order of the story: real images, reconstructions, codes that fit, and codes that do not.
    CHECK(frechet.at("real, held out ") < frechet.at("reconstructions AE"));
    CHECK(frechet.at("reconstructions AE") < frechet.at("z ~ N(0, I) AE"));
    CHECK(frechet.at("ten Gaussians fitted to codes AE") < frechet.at("z ~ N(0, I) AE"));
    CHECK(metrics["analysis"]["code_accuracy"].contains("pca"));
    CHECK(metrics["analysis"]["kl"].size() == 3);
    CHECK(metrics["plane"]["analysis"]["ae_codes"].contains("hole_rate"));
    // A larger weight of the KL term buys a smaller KL with a larger reconstruction loss.
    const auto& betas = metrics["betas"];
    REQUIRE(betas.size() == 3);  // the pair's own beta among them
    CHECK(betas[1]["test"] == metrics["vae"]["test"]);
    for (std::size_t i = 1; i < 3; ++i) {
        CHECK(betas[i - 1]["test"]["kl"].get<double>() > betas[i]["test"]["kl"].get<double>());
        CHECK(betas[i - 1]["test"]["reconstruction"].get<double>() < betas[i]["test"]["reconstruction"].get<double>());
    }
    // Each sentence is on the terminal, with line breaks in it, and in the page.
    std::string output = result.output;
    output.erase(std::remove_if(output.begin(), output.end(), [](char c) { return c == '\n' || c == ' '; }), output.end());
    CHECK(metrics["findings"].size() >= 8);
    const std::string page = read_text(pictures.directory / "out" / "report.html");
    for (const nlohmann::json& finding : metrics["findings"]) {
        std::string words = finding;
        words.erase(std::remove(words.begin(), words.end(), ' '), words.end());
        INFO(finding);
        CHECK(output.find(words) != std::string::npos);
        CHECK(page.find(finding.get<std::string>().substr(0, 12)) != std::string::npos);
    }
}

TEST_CASE("ae_vs_vae: what few pictures do not say is left out, with the reason") {
    const auto [train, test] = GENERATE(std::pair{4u, 4u}, std::pair{9u, 9u}, std::pair{600u, 4u}, std::pair{600u, 60u});
    const Pictures pictures(train, test);
    const ProgramResult result =
        run_program("ae_vs_vae", pictures.arguments("out") + "--epochs 20 --lr 0.01 --likelihood gaussian");
    INFO(result.output);
    REQUIRE(result.exit_code == 0);
    const nlohmann::json metrics = pictures.metrics("out");
    check_numbers(result, metrics);
    const std::string findings = findings_of(metrics);
    CHECK(findings.find("scores of generated images") != std::string::npos);
    CHECK(findings.find(std::to_string(test) + " test and " + std::to_string(train) + " training images") != std::string::npos);
    CHECK(metrics["analysis"]["scores"].empty());
    CHECK(metrics["analysis"]["left_out"].size() >= 2);
    if (test < 24) {  // of codes of three dimensions
        CHECK(findings.find("how far the VAE's codes are from N(0, I)") != std::string::npos);
        CHECK_FALSE(metrics["analysis"]["vae_codes"].contains("gaussian_kl"));
    }
}

TEST_CASE("ae_vs_vae: classes of which nothing can be learned or shown") {
    struct Case {
        int train, one_in_train, test, one_in_test;  // the class of most images, and of every second one
        const char* reason;
    };
    for (const Case& each :
         {Case{5, 5, 5, 5, "all training images are of one class"}, Case{0, 0, 0, 1, "all training images are of one class"},
          Case{0, 1, 7, 7, "no test image is of a class that training images are of"},
          Case{0, 1, 1, 1, "the test images are all of one class"}}) {
        const Pictures pictures(300, 240);
        const auto labels = [](std::size_t count, int most, int others) {
            std::vector<int> list;
            for (std::size_t i = 0; i < count; ++i) list.push_back(i % 2 == 0 ? most : others);
            return list;
        };
        write_labels(pictures, "train", labels(300, each.train, each.one_in_train));
        write_labels(pictures, "t10k", labels(240, each.test, each.one_in_test));
        const ProgramResult result = run_program("ae_vs_vae", pictures.arguments("out") + "--epochs 10 --lr 0.01 --no-plane");
        INFO(result.output);
        REQUIRE(result.exit_code == 0);
        const nlohmann::json metrics = pictures.metrics("out");
        check_numbers(result, metrics);
        CHECK_FALSE(metrics["analysis"].contains("code_accuracy"));
        CHECK(findings_of(metrics).find("a linear classifier is right") == std::string::npos);
        CHECK(findings_of(metrics).find(each.reason) != std::string::npos);
        CHECK(metrics["feature_space"] == "the principal components of the pixels, because " + std::string(each.reason) +
                                              (each.test == 1 ? ", or of classes that no training image is of" : ""));
        CHECK(metrics["analysis"]["scores"].size() == 9);
    }
}

TEST_CASE("ae_vs_vae: a classifier that learned nothing is called that") {
    const Pictures pictures(300, 240);
    std::vector<int> any;  // of bars of all kinds
    for (std::size_t i = 0; i < 300; ++i) any.push_back(static_cast<int>(i * i / 3 % 7 % 3));
    write_labels(pictures, "train", any);
    any.resize(240);
    write_labels(pictures, "t10k", std::vector<int>(any.rbegin(), any.rend()));
    const ProgramResult result = run_program("ae_vs_vae", pictures.arguments("out") + "--epochs 10 --lr 0.01 --no-plane");
    INFO(result.output);
    REQUIRE(result.exit_code == 0);
    const nlohmann::json metrics = pictures.metrics("out");
    check_numbers(result, metrics);
    CHECK(metrics["feature_space"].get<std::string>().find("a classifier of them learned nothing") != std::string::npos);
    CHECK(findings_of(metrics).find("it learned nothing from any of them") != std::string::npos);
    const auto& accuracies = metrics["analysis"]["code_accuracy"];
    CHECK(accuracies["principal_components"] == 3);
    CHECK(accuracies["pca"]["value"].get<double>() < accuracies["chance"].get<double>() + 0.1);
}

TEST_CASE("ae_vs_vae: a training that diverged is called that, and is no finding about autoencoders") {
    const Pictures pictures(300, 240);
    const ProgramResult result = run_program("ae_vs_vae", pictures.arguments("out") + "--epochs 3 --lr 100 --betas 4");
    INFO(result.output);
    CHECK(result.exit_code == 1);
    CHECK(result.output.find("ae_vs_vae: training diverged: AE, VAE, AE 2-d, VAE 2-d, beta-4") != std::string::npos);
    const nlohmann::json metrics = pictures.metrics("out");
    check_numbers(result, metrics);
    for (const nlohmann::json& pair : {metrics, metrics["plane"]}) {
        for (const char* model : {"ae", "vae"}) {
            const nlohmann::json& outcome = pair[model]["outcome"];
            CHECK(outcome["verdict"] == "diverged");
            CHECK(outcome["training_loss_after"].get<double>() > outcome["training_loss_before"].get<double>());
        }
        CHECK(pair["analysis"]["scores"].empty());
    }
    const std::string findings = findings_of(metrics);
    CHECK(findings.find("The VAE: training diverged.") != std::string::npos);
    for (const char* claim : {"Reconstruction:", "Sampling:", "As encoders", "has the largest ELBO", "code holds"}) {
        INFO(claim);
        CHECK(findings.find(claim) == std::string::npos);
    }
    CHECK(read_text(pictures.directory / "out" / "report.html").find("training diverged") != std::string::npos);
    // Where the loss is no number there is nothing to write.
    const ProgramResult no_number = run_program("ae_vs_vae", pictures.arguments("none") + "--epochs 3 --lr 1e30");
    CHECK(no_number.exit_code == 1);
    CHECK(no_number.output.find("training diverged: the loss at step") != std::string::npos);
}

TEST_CASE("ae_vs_vae: models that learned nothing are called that") {
    const Pictures pictures(300, 240);
    // Steps too small to go anywhere; a KL term so heavy that the codes say nothing; pictures without a difference.
    for (const char* options : {"--epochs 2 --lr 1e-12", "--epochs 20 --lr 0.01 --beta 1000000"}) {
        const ProgramResult result = run_program("ae_vs_vae", pictures.arguments("out") + options);
        INFO(result.output);
        CHECK(result.exit_code == 0);
        const nlohmann::json metrics = pictures.metrics("out");
        check_numbers(result, metrics);
        CHECK(metrics["vae"]["outcome"]["verdict"] == "learned nothing");
        CHECK(metrics["ae"]["outcome"]["verdict"] ==
              (std::string(options).find("beta") == std::string::npos ? "learned nothing" : "learned"));
        CHECK(findings_of(metrics).find("The VAE learned nothing") != std::string::npos);
        CHECK(findings_of(metrics).find("Reconstruction:") == std::string::npos);
    }
    const TemporaryDirectory directory;
    nn::write_npy(directory / "train-images.npy", autograd::full<float>({300, 8, 8}, 0.5F));
    nn::write_npy(directory / "test-images.npy", autograd::full<float>({240, 8, 8}, 0.5F));
    const ProgramResult result =
        run_program("ae_vs_vae", "--data '" + directory.path().string() + "' --out '" + (directory / "out").string() +
                                     "' --hidden 8 --epochs 20 --threads 1");
    INFO(result.output);
    CHECK(result.exit_code == 0);
    const auto metrics = nlohmann::json::parse(read_text(directory / "out" / "metrics.json"));
    check_numbers(result, metrics);
    CHECK(metrics["ae"]["outcome"]["verdict"] == "learned nothing");
    CHECK(findings_of(metrics).find("the training images are all equal") != std::string::npos);
}

TEST_CASE("ae_vs_vae: scores do not depend on the order of the images in the files") {
    // The bars of one direction first, then those of the other.
    TemporaryDirectory sorted;
    for (const auto& [prefix, count] : {std::pair{"train", 300u}, std::pair{"t10k", 240u}})
        write_split(sorted, prefix, count, true);
    const ProgramResult result =
        run_program("ae_vs_vae", "--data '" + sorted.path().string() + "' --out '" + (sorted / "out").string() +
                                     "' --latent 3 --hidden 16 --batch 32 --threads 1 --epochs 5 --no-plane");
    INFO(result.output);
    REQUIRE(result.exit_code == 0);
    const auto metrics = nlohmann::json::parse(read_text(sorted / "out" / "metrics.json"));
    const auto& real = metrics["analysis"]["scores"][0];
    CHECK(real["set"] == "real, held out");
    CHECK(real["coverage"]["value"].get<double>() > 0.8);  // of halves that are of one class each it would be 0
}

TEST_CASE("ae_vs_vae: log p(x) is estimated where there is a likelihood, and rises with the number of samples") {
    const Pictures pictures;
    REQUIRE(run_program("ae_vs_vae", pictures.arguments("grey") + "--epochs 1 --no-plane --no-scores").exit_code == 0);
    CHECK_FALSE(pictures.metrics("grey")["analysis"].contains("log_likelihood"));
    CHECK_FALSE(pictures.metrics("grey").contains("feature_space"));
    for (const char* options : {"--binarise", "--binarise --conditional"}) {
        REQUIRE(
            run_program("ae_vs_vae", pictures.arguments("binary") + "--epochs 5 --no-plane --no-scores " + options).exit_code ==
            0);
        const nlohmann::json metrics = pictures.metrics("binary"), found = metrics["analysis"]["log_likelihood"];
        REQUIRE(found.size() == 3);
        for (std::size_t i = 1; i < 3; ++i) {
            CHECK(found[i]["samples"] > found[i - 1]["samples"]);
            CHECK(found[i]["value"]["value"].get<double>() > found[0]["value"]["value"].get<double>());
        }
        // One sample is the ELBO: two estimates of it, whose noise has a standard error of less than 1 nat each.
        CHECK(found[0]["value"]["value"].get<double>() == Approx(-metrics["vae"]["test"]["loss"].get<double>()).margin(5));
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
        CHECK(pictures.metrics(latent).contains("plane") == (std::string(latent) == "1"));
    }
    REQUIRE(run_program("ae_vs_vae", pictures.arguments("none") + "--epochs 1 --no-plane").exit_code == 0);
    CHECK_FALSE(pictures.metrics("none").contains("plane"));
    CHECK_FALSE(std::filesystem::exists(pictures.directory / "none" / "plane-samples.png"));
}

// A conditional decoder is told which way the bar lies, a bit that others must code.
TEST_CASE("ae_vs_vae: every architecture, likelihood and kind of model trains") {
    const Pictures pictures;
    for (const char* options :
         {"--architecture conv", "--likelihood gaussian", "--likelihood continuous-bernoulli", "--binarise", "--conditional",
          "--architecture conv --likelihood gaussian --conditional --samples 2", "--kl-warmup 1.5 --schedule cosine",
          "--kl-cycles 2 --schedule step --architecture conv --binarise --conditional"}) {
        const ProgramResult result =
            run_program("ae_vs_vae", pictures.arguments("out") + "--epochs 3 --lr 0.005 --no-plane " + options);
        INFO(options << '\n' << result.output);
        REQUIRE(result.exit_code == 0);
        const nlohmann::json metrics = pictures.metrics("out");
        CHECK(metrics.contains("pixel_entropy_floor") == (std::string(options).find("--likelihood") == std::string::npos &&
                                                          std::string(options).find("--binarise") == std::string::npos));
        for (const char* name : {"ae", "vae"}) {
            const auto& history = metrics[name]["history"];
            CHECK(history[2]["test"]["loss"].get<double>() < history[0]["train"]["loss"].get<double>());
        }
    }
    // An autoencoder's code of three numbers leaves nothing for a class to say; what costs nats in the VAE does.
    nlohmann::json kl;
    for (const char* options : {" ", " --conditional"}) {
        REQUIRE(run_program("ae_vs_vae", pictures.arguments("out") + "--epochs 30 --lr 0.005 --no-plane" + options).exit_code ==
                0);
        kl.push_back(pictures.metrics("out")["vae"]["test"]["loss"]);
    }
    CHECK(kl[1].get<double>() < kl[0].get<double>());
}

TEST_CASE("ae_vs_vae: pixels that are 0 or 1 have no entropy to print") {
    const Pictures pictures;
    const std::string arguments = pictures.arguments("out") + "--epochs 1 --no-plane --binarise";
    REQUIRE(run_program("ae_vs_vae", arguments).exit_code == 0);
    CHECK_FALSE(pictures.metrics("out").contains("pixel_entropy_floor"));
}

TEST_CASE("ae_vs_vae: schedules go by the step over all epochs") {
    const Pictures pictures;
    const auto histories = [&](const char* options) {
        REQUIRE(run_program("ae_vs_vae", pictures.arguments("out") + "--epochs 4 --no-plane " + options).exit_code == 0);
        const nlohmann::json metrics = pictures.metrics("out");
        return std::pair{metrics["ae"]["history"], metrics["vae"]["history"]};
    };
    const auto [ae, vae] = histories("");
    const auto [ae_step, vae_step] = histories("--schedule step");  // first changes after half of the epochs
    const auto [ae_warm, vae_warm] = histories("--kl-warmup 2");
    for (const std::size_t epoch : {0u, 1u, 2u, 3u}) {
        CHECK((ae_step[epoch] == ae[epoch]) == (epoch < 2));
        CHECK((vae_step[epoch] == vae[epoch]) == (epoch < 2));
        CHECK(ae_warm[epoch] == ae[epoch]);
    }
    // A tenth of the rate changes less, and a smaller weight lets the code carry more.
    const auto loss = [](const nlohmann::json& history, std::size_t epoch) {
        return history[epoch]["test"]["loss"].get<double>();
    };
    CHECK(loss(ae_step, 3) > loss(ae, 3));
    CHECK(vae_warm[0]["test"]["kl"].get<double>() > vae[0]["test"]["kl"].get<double>());
}

TEST_CASE("ae_vs_vae: both models begin with the same weights, and the autoencoder leaves the variance head alone") {
    const Pictures pictures;
    REQUIRE(run_program("ae_vs_vae", pictures.arguments("out") + "--epochs 1 --no-plane --lr 1e-12").exit_code == 0);
    const auto directory = pictures.directory / "out" / "checkpoint";
    const auto ae = nn::read_safetensors(directory / "ae.safetensors").tensors;
    const auto vae = nn::read_safetensors(directory / "vae.safetensors").tensors;
    std::size_t compared = 0;
    for (const auto& [name, tensor] : ae) {
        if (name.find("optimizer/") == 0 || name.find(nn::program_prefix) == 0) continue;
        const auto& left = std::get<autograd::Array<float>>(tensor);
        const auto& right = std::get<autograd::Array<float>>(vae.at(name));
        for (std::size_t i = 0; i < left.size(); ++i) CHECK(std::fabs(left.data()[i] - right.data()[i]) < 1e-9f);
        compared += left.size();
    }
    CHECK(compared == 64 * 16 + 16 + 2 * (16 * 3 + 3) + 3 * 16 + 16 + 16 * 64 + 64);
    const auto steps = [](const auto& tensors, const std::string& name) {
        return std::get<autograd::Array<std::int64_t>>(tensors.at("optimizer/" + name + "/step"))();
    };
    CHECK(steps(ae, "encoder.log_variance.weight") == 0);
    CHECK(steps(vae, "encoder.log_variance.weight") == 19);
}

TEST_CASE("ae_vs_vae: early stopping takes the best epoch's weights") {
    const Pictures pictures(64);  // few enough to learn by heart, and then worse by the test set
    const ProgramResult result =
        run_program("ae_vs_vae", pictures.arguments("out") + "--epochs 400 --early-stopping 3 --lr 0.02 --no-plane");
    INFO(result.output);
    REQUIRE(result.exit_code == 0);
    const nlohmann::json metrics = pictures.metrics("out");
    for (const char* name : {"ae", "vae"}) {
        const auto& history = metrics[name]["history"];
        const auto best = metrics[name]["best_epoch"].get<std::size_t>();
        CHECK(metrics[name]["stopped_early"] == true);
        REQUIRE(history.size() == best + 3);
        const auto at_beta_one = [&](std::size_t epoch) {
            const auto& test = history[epoch - 1]["test"];
            return test["reconstruction"].get<double>() + test["kl"].get<double>();
        };
        for (std::size_t epoch = 1; epoch <= history.size(); ++epoch) CHECK(at_beta_one(epoch) >= at_beta_one(best));
        CHECK(metrics[name]["test"] == history[best - 1]["test"]);
    }
}

TEST_CASE("ae_vs_vae: NumPy arrays of another size, without labels") {
    const TemporaryDirectory directory;
    autograd::Rng rng(1);
    autograd::Array<float> train = rng.uniform<float>({90, 11, 5}), test = rng.uniform<float>({20, 11, 5});
    nn::write_npy(directory / "train-images.npy", train);
    nn::write_npy(directory / "test-images.npy", test);
    const std::string arguments = "--data '" + directory.path().string() + "' --out '" + (directory / "out").string() +
                                  "' --hidden 8 --epochs 1 --threads 1 --architecture conv ";
    const ProgramResult result = run_program("ae_vs_vae", arguments);
    INFO(result.output);
    CHECK(result.exit_code == 0);
    const ProgramResult conditional = run_program("ae_vs_vae", arguments + "--conditional");
    CHECK(conditional.exit_code == 1);
    CHECK(conditional.output.find("no labels, which --conditional needs") != std::string::npos);
}

TEST_CASE("ae_vs_vae: help, and mistakes on the command line") {
    const ProgramResult help = run_program("ae_vs_vae", "--help");
    CHECK(help.exit_code == 0);
    for (const char* option : {"--data",         "--latent",    "--hidden",     "--epochs",   "--batch",
                               "--lr",           "--beta",      "--samples",    "--seed",     "--threads",
                               "--out",          "--quick",     "--likelihood", "--binarise", "--conditional",
                               "--architecture", "--kl-warmup", "--kl-cycles",  "--schedule", "--early-stopping",
                               "--checkpoint",   "--resume",    "--load",       "--plane",    "--stop-after-steps"}) {
        INFO(option);
        CHECK(help.output.find(option) != std::string::npos);
    }
    for (const char* wrong : {"--no-such-option",
                              "--latent 0",
                              "--latent 99999999999999999999",
                              "--epochs two",
                              "--lr nan",
                              "--beta -1",
                              "--seed -1",
                              "--threads 0",
                              "--quick --epochs 3",
                              "surplus",
                              "--likelihood poisson",
                              "--architecture",
                              "--schedule 3",
                              "--binarise --likelihood gaussian",
                              "--kl-warmup -1",
                              "--kl-warmup nan",
                              "--kl-warmup 11",
                              "--kl-warmup 3 --quick",
                              "--kl-cycles 2 --kl-warmup 2",
                              "--kl-cycles 11",
                              "--early-stopping 10",
                              "--early-stopping -1",
                              "--resume --no-checkpoint",
                              "--resume --load x",
                              "--checkpoint x --no-checkpoint",
                              "--out ''",
                              "--checkpoint ''",
                              "--data ''",
                              "--binarise=perhaps"}) {
        const ProgramResult result = run_program("ae_vs_vae", wrong);
        INFO(wrong << ": " << result.output);
        CHECK(result.exit_code == 2);
        CHECK(!result.output.empty());
    }
}

TEST_CASE("ae_vs_vae: a number that is none, or beyond its range, is refused as it was written") {
    struct Case {
        const char *arguments, *message;
    };
    for (const Case& each : {
             Case{"--seed 18446744073709551616",
                  "--seed: expected a whole number from 0 to 2^64 - 1, found \"18446744073709551616\""},
             Case{"--seed -1", "--seed: expected a whole number from 0 to 2^64 - 1, found \"-1\""},
             Case{"--stop-after-steps 1e3", "--stop-after-steps: expected a whole number from 0 to 2^64 - 1, found \"1e3\""},
             Case{"--threads 4294967297", "--threads: expected a whole number from 1 to 256, found \"4294967297\""},
             Case{"--hidden 0x10", "--hidden: expected a whole number from 1 to 16384, found \"0x10\""},
             Case{"--latent 3.0", "--latent: expected a whole number from 1 to 1024, found \"3.0\""},
             Case{"--batch ' 32'", "--batch: expected a whole number from 1 to 4096, found \" 32\""},
             Case{"--epochs ''", "--epochs: expected a whole number from 1 to 100000, found \"\""},
             Case{"--lr 0", "--lr: expected a number from 1e-12 to 1e+30, found \"0\""},
             Case{"--lr 1e400", "--lr: expected a number from 1e-12 to 1e+30, found \"1e400\""},
             Case{"--beta inf", "--beta: expected a number from 0 to 1000000, found \"inf\""},
             Case{"--beta 1.5x", "--beta: expected a number from 0 to 1000000, found \"1.5x\""},
             Case{"--betas 0.5,,2", "--betas: expected a number from 1e-06 to 1000000, found \"\" in \"0.5,,2\""},
             Case{"--betas 0.5 2,nan", "--betas: expected a number from 1e-06 to 1000000, found \"nan\" in \"2,nan\""},
             Case{"--quick=2", "--quick: expected no value, or true or false, found \"2\""},
             Case{"--no-plane=18446744073709551616",
                  "--no-plane: expected no value, or true or false, found \"18446744073709551616\""},
             Case{"--scores=-9223372036854775809",
                  "--scores: expected no value, or true or false, found \"-9223372036854775809\""},
             Case{"--no-plane --plane", "--plane excludes --no-plane"},
             Case{"--samples \"$(printf '\\377\\033[1m')\"",
                  "--samples: expected a whole number from 1 to 100, found \"\\xff\\x1b[1m\""},
         }) {
        const ProgramResult result = run_program("ae_vs_vae", each.arguments);
        CHECK(result.exit_code == 2);
        CHECK(result.output == "ae_vs_vae: " + std::string(each.message) + "\n--help lists the options.\n");
    }
    const Pictures pictures(200);
    REQUIRE(run_program("ae_vs_vae", pictures.arguments("out") +
                                         "--no-plane --epochs 1 --seed 18446744073709551615 --betas 0.5,2 --betas 4 --beta -0")
                .exit_code == 0);
    CHECK(pictures.metrics("out")["seed"] == 18446744073709551615ULL);
    CHECK(pictures.metrics("out")["betas"].size() == 4);
}

TEST_CASE("ae_vs_vae: a result that cannot be written costs no other") {
    const Pictures pictures;
    const auto out = pictures.directory / "out";
    const std::string arguments = pictures.arguments("out") + "--epochs 1 --no-plane ";
    SECTION("a directory in its place") {
        const std::string blocked = GENERATE("report.html", "metrics.json", "samples.png");
        std::filesystem::create_directories(out / blocked);
        const ProgramResult result = run_program("ae_vs_vae", arguments);
        INFO(result.output);
        CHECK(result.exit_code == 1);
        const std::string message = (out / blocked).string() + ": cannot be written: is a directory";
        const std::size_t before = result.output.find(message), after = result.output.rfind(message);
        CHECK(before < result.output.find("training and"));  // said before training
        CHECK((after != std::string::npos && after > result.output.find("Written to")));
        for (const std::string file :
             {"report.html", "metrics.json", "reconstructions.png", "samples.png", "interpolations.png", "latent.png"}) {
            INFO(file);
            CHECK(std::filesystem::is_regular_file(out / file) == (file != blocked));
        }
    }
    SECTION("files that may not grow, as on a full disk") {
        const ProgramResult result = run_program("ae_vs_vae", arguments, "ulimit -f 24; ");
        INFO(result.output);
        CHECK(result.exit_code == 1);
        for (const char* lost : {"checkpoint/ae.safetensors", "checkpoint/vae.safetensors", "report.html"}) {
            CHECK(result.output.find("/" + std::string(lost) + ": cannot be written: File too large") != std::string::npos);
            CHECK_FALSE(std::filesystem::exists(out / lost));
        }
        CHECK(result.output.find("AE goes on without it.") != std::string::npos);
        CHECK(pictures.metrics("out")["vae"]["history"].size() == 1);
        CHECK(std::filesystem::exists(out / "reconstructions.png"));
    }
    SECTION("standard output") {
        for (const char* options : {"", "--help "}) {
            const ProgramResult result = run_program("ae_vs_vae", arguments + options + " >/dev/full");
            CHECK(result.exit_code == 1);
            CHECK(result.output.starts_with("ae_vs_vae: standard output cannot be written"));
        }
        CHECK(std::filesystem::exists(out / "metrics.json"));
        CHECK(std::filesystem::exists(out / "latent.png"));
    }
}

TEST_CASE("ae_vs_vae: what cannot be written to its checkpoint is refused before training") {
    const Pictures pictures;
    const auto checkpoint = pictures.directory / "out" / "checkpoint";
    const auto refusal = [&] {
        const ProgramResult result = run_program("ae_vs_vae", pictures.arguments("out") + "--epochs 1 --no-plane");
        CHECK(result.exit_code == 1);
        CHECK(result.output.find("images/s") == std::string::npos);
        return result.output;
    };
    std::filesystem::create_directories(checkpoint / "vae.safetensors");
    CHECK_THAT(refusal(), contains("checkpoint/vae.safetensors: cannot be written: is a directory"));
    std::filesystem::remove_all(checkpoint);
    write_text(checkpoint, "a file");
    CHECK_THAT(refusal(), contains("checkpoint: cannot make this directory"));
    std::filesystem::remove(checkpoint);
    std::filesystem::create_directory(checkpoint);
    std::filesystem::create_symlink("../elsewhere", checkpoint / "ae.safetensors");
    for (int i = 0; i < 2; ++i) {  // the second run removes the first one's weights, and no link
        REQUIRE(run_program("ae_vs_vae", pictures.arguments("out") + "--epochs 1 --no-plane").exit_code == 0);
        CHECK(std::filesystem::is_symlink(checkpoint / "ae.safetensors"));
        CHECK(std::filesystem::is_regular_file(pictures.directory / "out" / "elsewhere"));
    }
}

TEST_CASE("ae_vs_vae: paths may hold any bytes, and are shown") {
    const Pictures pictures;
    const std::string name = "\xff\n\x1b[1m", shown = "\\xff\\x0a\\x1b[1m";
    const auto data = pictures.directory / name;
    std::filesystem::create_directory(data);
    for (const char* file :
         {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte"}) {
        std::filesystem::copy(pictures.directory / file, data / file);
    }
    const ProgramResult result = run_program("ae_vs_vae", "--data '" + data.string() + "' --out '" + (data / "out").string() +
                                                              "' --latent 3 --hidden 16 --threads 1 --epochs 1 --no-plane");
    INFO(result.output);
    CHECK(result.exit_code == 0);
    CHECK_THAT(result.output, contains("Written to " + pictures.directory.path().string() + "/" + shown + "/out:"));
    CHECK(result.output.find('\x1b') == std::string::npos);
    const auto metrics = nlohmann::json::parse(read_text(data / "out" / "metrics.json"));
    CHECK(metrics["data"] == (pictures.directory / shown).string());
    CHECK_THAT(read_text(data / "out" / "report.html"), contains("\\\\xff\\\\x0a\\\\x1b[1m"));
    CHECK(std::filesystem::exists(data / "out" / "samples.png"));
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
