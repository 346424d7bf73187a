// The command line, by CLI11: names, ranges and what --help says of them.
#include "options.hpp"

#include <CLI/CLI.hpp>
#include <autograd/autograd.hpp>
#include <cmath>
#include <cstdlib>
#include <string>

namespace {

/// As CLI::Range, which lets NaN pass.
CLI::Validator real_between(double low, double high) {
    return CLI::Range(low, high) & CLI::Validator(
        [](std::string& text) { return std::isnan(std::strtod(text.c_str(), nullptr)) ? text + " is not a number" : ""; }, "");
}

}  // namespace

Parsed parse_options(int argc, char** argv) {
    Parsed parsed;
    Options& options = parsed.options;
    options.data = XTAPE_FASHION_MNIST_DIR;
    options.threads = autograd::num_threads();
    bool quick = false;

    CLI::App app{
        "Trains a plain autoencoder and a variational one on the same pictures, from the same initial weights and in the "
        "same order, and shows what decoding random codes gives with each."};
    app.option_defaults()->always_capture_default();
    app.add_option("--data", options.data, "directory of IDX files as MNIST names them, raw or .gz");
    app.add_option("--latent", options.latent, "dimensions of the code")->check(CLI::Range(1, 1024));
    app.add_option("--hidden", options.hidden, "units of the hidden layers")->check(CLI::Range(1, 16384));
    CLI::Option* epochs =
        app.add_option("--epochs", options.epochs, "passes over the training data, for each model")->check(CLI::Range(1, 100000));
    app.add_option("--batch", options.batch, "images in a training step")->check(CLI::Range(1, 4096));
    app.add_option("--lr", options.lr, "Adam's learning rate")->check(real_between(1e-12, 1e30));
    app.add_option("--beta", options.beta, "weight of the KL term in the VAE's loss")->check(real_between(0, 1e6));
    app.add_option("--samples", options.samples, "codes drawn for each image in a training step of the VAE (the paper's L)")
        ->check(CLI::Range(1, 100));
    app.add_option("--seed", options.seed, "of all random streams")->check(CLI::NonNegativeNumber);
    app.add_option("--threads", options.threads, "for matrix products and large elementwise work")->check(CLI::Range(1, 256));
    app.add_option("--out", options.out, "directory for metrics.json and the pictures, made if it is not there");
    app.add_flag("--quick", quick, "2 epochs, on all of the data: under 30 s on two cores")->excludes(epochs);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        parsed.exit_code = app.exit(error) == 0 ? 0 : 2;
    }
    if (quick) options.epochs = 2;
    return parsed;
}
