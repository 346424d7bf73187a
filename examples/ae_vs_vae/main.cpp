// Trains a plain autoencoder and a VAE side by side on the same pictures and shows what sampling from each gives.
// Options are in options.cpp, the two models in models.hpp, the loop in training.cpp, the pictures in comparison.cpp.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <nlohmann/json.hpp>

#include "comparison.hpp"
#include "options.hpp"
#include "training.hpp"

namespace {

using Json = nlohmann::ordered_json;

/// The cross-entropy of the pixels with themselves, in nats per image: no model's reconstruction goes below it.
double pixel_entropy(const autograd::Array<float>& images) {
    double sum = 0;
    for (const float value : images) {
        const auto x = static_cast<double>(value);
        if (x > 0 && x < 1) sum -= x * std::log(x) + (1 - x) * std::log1p(-x);
    }
    return sum / static_cast<double>(images.shape()[0]);
}

Json to_json(const LossValues& values) {
    return {{"loss", values.loss}, {"reconstruction", values.reconstruction}, {"kl", values.kl}};
}

Json to_json(const History& history) {
    Json epochs = Json::array();
    for (const EpochRecord& record : history.epochs) {
        epochs.push_back({{"epoch", record.epoch}, {"train", to_json(record.train)}, {"test", to_json(record.test)}});
    }
    return {{"steps", history.steps}, {"ms_per_step", history.ms_per_step}, {"history", epochs}};
}

void print_table(const History& ae, const History& vae, const CodeStatistics& ae_codes, const CodeStatistics& vae_codes,
                 double floor) {
    const auto row = [](const char* what, const std::string& left, const std::string& right) {
        fmt::print("  {:<44}{:>14}{:>14}\n", what, left, right);
    };
    const auto number = [](double value) { return fmt::format("{:.2f}", value); };
    const auto range = [](const std::vector<double>& values) {
        const auto [low, high] = std::minmax_element(values.begin(), values.end());
        return fmt::format("{:.2f} .. {:.2f}", *low, *high);
    };
    const LossValues& left = ae.epochs.back().test;
    const LossValues& right = vae.epochs.back().test;
    fmt::print("\nOn the test set, in nats per image:\n");
    row("", "AE", "VAE");
    // The autoencoder's loss is its reconstruction: beside the VAE's sum it would say nothing.
    row("reconstruction", number(left.reconstruction), number(right.reconstruction));
    row("  of which the pixels' own entropy", number(floor), number(floor));
    row("KL(q(z|x) || N(0, I))", "-", number(right.kl));
    row("their sum, which is -ELBO", "-", number(right.reconstruction + right.kl));
    row("standard deviation of z_i, least .. largest", range(ae_codes.standard_deviation),
        range(vae_codes.standard_deviation));
    const auto used = std::count_if(vae_codes.kl.begin(), vae_codes.kl.end(), [](double kl) { return kl > 0.01; });
    row("dimensions that the code uses (KL > 0.01)", "-", fmt::format("{} of {}", used, vae_codes.kl.size()));
    row("ms per training step, median", number(ae.ms_per_step), number(vae.ms_per_step));
}

void run(const Options& options) {
    const nn::ImageData train_data = nn::load_images(options.data, nn::Split::train);
    const nn::ImageData test_data = nn::load_images(options.data, nn::Split::test);

    const std::filesystem::path out = options.out;
    std::error_code failure;
    std::filesystem::create_directories(out, failure);
    if (failure) throw nn::FileError(out, "cannot make this directory: " + failure.message());
    if (access(out.c_str(), W_OK) != 0) throw nn::FileError(out, "not writable");
    const auto save_metrics = [&](const Json& metrics) {
        const std::string text = metrics.dump(2) + "\n";
        nn::write_file_atomically(out / "metrics.json", std::as_bytes(std::span(text)));
    };

    autograd::set_num_threads(options.threads);
    if (train_data.rows != test_data.rows || train_data.columns != test_data.columns) {
        throw autograd::Error(fmt::format("{}: training images of {} x {} pixels, test images of {} x {}", options.data,
                                          train_data.rows, train_data.columns, test_data.rows, test_data.columns));
    }
    const std::size_t pixels = train_data.rows * train_data.columns;
    fmt::print("{} training and {} test images of {} x {} pixels; losses are train and test, in nats per image:\n"
               "loss = reconstruction + {} KL\n\n",
               train_data.labels.size(), test_data.labels.size(), train_data.rows, train_data.columns, options.beta);

    // One set of initial weights for both; streams of their own for everything that is random.
    const autograd::Rng rng(options.seed);
    autograd::Rng initialization = rng.stream("init");
    Autoencoder ae(pixels, options.hidden, options.latent, initialization);
    Autoencoder vae = ae;

    const TrainingData data{train_data.images, test_data.images};
    const auto beta = static_cast<float>(options.beta);
    const LossFunction plain = [](const Autoencoder& model, const Var<float>& x, std::size_t, autograd::Rng&) {
        return autoencoder_loss(model, x);
    };
    const LossFunction variational = [beta](const Autoencoder& model, const Var<float>& x, std::size_t samples,
                                            autograd::Rng& noise) { return vae_loss(model, x, beta, samples, noise); };
    const History ae_history = train("AE", ae, plain, data, options, rng, options.epochs);
    const History vae_history = train("VAE", vae, variational, data, options, rng, 0);

    const double floor = pixel_entropy(test_data.images);
    const CodeStatistics ae_codes = autoencoder_codes(ae, test_data.images);
    const CodeStatistics vae_codes_found = vae_codes(vae, test_data.images);
    print_table(ae_history, vae_history, ae_codes, vae_codes_found, floor);

    const auto pictures = write_pictures({ae, vae}, ae_codes, vae_codes_found,
                                         {test_data.images, test_data.labels, test_data.rows, test_data.columns}, rng, out);
    save_metrics({{"data", options.data},
                  {"seed", options.seed},
                  {"epochs", options.epochs},
                  {"threads", options.threads},
                  {"pixel_entropy_floor", floor},
                  {"ae", to_json(ae_history)},
                  {"vae", to_json(vae_history)}});
    fmt::print("\nWritten: {}", (out / "metrics.json").string());
    for (const auto& picture : pictures) fmt::print(", {}", picture.filename().string());
    fmt::print("\nLook at samples.png first: the same random codes through both decoders.\n");
}

}  // namespace

int main(int argc, char** argv) {
    const Parsed parsed = parse_options(argc, argv);
    if (parsed.exit_code) return *parsed.exit_code;
    try {
        run(parsed.options);
    } catch (const std::bad_alloc&) {
        fmt::print(stderr, "\nae_vs_vae: out of memory: make --batch, --samples or --hidden smaller\n");
        return 1;
    } catch (const std::exception& error) {
        std::fflush(stdout);
        fmt::print(stderr, "\nae_vs_vae: {}\n", error.what());
        return 1;
    }
    return 0;
}
