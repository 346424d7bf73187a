// The command line, by CLI11: names, ranges, which options go together, and what --help says of them.
#include "options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <autograd/autograd.hpp>
#include <cmath>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>

namespace {

constexpr std::array likelihoods{std::pair{"bernoulli", Likelihood::bernoulli},
                                 std::pair{"gaussian", Likelihood::gaussian},
                                 std::pair{"continuous-bernoulli", Likelihood::continuous_bernoulli}};
constexpr std::array architectures{std::pair{"mlp", Architecture::mlp}, std::pair{"conv", Architecture::conv}};
constexpr std::array schedules{std::pair{"constant", Schedule::constant}, std::pair{"cosine", Schedule::cosine},
                               std::pair{"step", Schedule::step}};

template <class Names, class E>
const char* name_in(const Names& names, E value) {
    return std::find_if(names.begin(), names.end(), [&](const auto& each) { return each.second == value; })->first;
}

/// As CLI::Range, which lets NaN pass.
CLI::Validator real_between(double low, double high) {
    return CLI::Range(low, high) &
           CLI::Validator(
               [](std::string& text) {
                   return std::isnan(std::strtod(text.c_str(), nullptr)) ? text + " is not a number" : "";
               },
               "");
}

/// An option with one of a few names for its value.
template <class Names, class E>
void add_choice(CLI::App& app, const char* option, E& value, const Names& names, const std::string& description) {
    std::vector<std::string> allowed;
    for (const auto& [name, each] : names) allowed.emplace_back(name);
    app.add_option_function<std::string>(
           option,
           [&value, &names](const std::string& text) {
               value = std::find_if(names.begin(), names.end(), [&](const auto& each) {
                           return text == each.first;
                       })->second;
           },
           description)
        ->check(CLI::IsMember(allowed))
        ->default_str(name_in(names, value));
}

/// What makes sense of each option alone, and none together.
void require_consistent(const Options& options) {
    const auto refuse = [](const std::string& problem) { throw CLI::ValidationError(problem); };
    if (options.binarise && options.likelihood != Likelihood::bernoulli) {
        refuse("--binarise makes pixels 0 or 1, of which only --likelihood bernoulli is a distribution");
    }
    if (options.kl_warmup > static_cast<double>(options.epochs)) {
        refuse("--kl-warmup: more epochs than --epochs: the KL term would never get its whole weight");
    }
    std::vector<double> betas = options.betas;
    betas.push_back(options.beta);
    std::sort(betas.begin(), betas.end());
    if (std::adjacent_find(betas.begin(), betas.end()) != betas.end()) refuse("--betas: one of them twice, or --beta among them");
    if (options.kl_cycles > options.epochs) refuse("--kl-cycles: more cycles than epochs");
    if (options.early_stopping >= options.epochs) {
        refuse("--early-stopping: patience for as many epochs as there are would never stop");
    }
}

}  // namespace

const char* name_of(Likelihood likelihood) { return name_in(likelihoods, likelihood); }
const char* name_of(Architecture architecture) { return name_in(architectures, architecture); }
const char* name_of(Schedule schedule) { return name_in(schedules, schedule); }

Parsed parse_options(int argc, char** argv) {
    Parsed parsed;
    Options& options = parsed.options;
    options.data = XTAPE_FASHION_MNIST_DIR;
    options.threads = autograd::num_threads();
    bool quick = false, no_checkpoint = false;

    CLI::App app{
        "Trains a plain autoencoder and a variational one on the same pictures, from the same initial weights and in "
        "the same order, and shows what decoding random codes gives with each. Then it does so again with codes of two "
        "dimensions, of which a plane can be drawn."};
    app.footer(
        "Exit status: 0; 1 after an error, or if a training diverged, of which the report tells all the same; 2 after a "
        "mistake in the options.");
    app.option_defaults()->always_capture_default();
    app.add_option("--data", options.data,
                   "directory of IDX files as MNIST, EMNIST, KMNIST and Fashion-MNIST name them, raw or .gz (where it "
                   "holds several sets, DIRECTORY/PREFIX), or of train-images.npy, test-images.npy and possibly "
                   "train-labels.npy, test-labels.npy; images of at most 128 x 128 pixels");
    app.add_flag(
        "--binarise", options.binarise,
        "pixels 0 or 1, drawn with the grey level as probability: anew in each training step, once for the test set");
    app.add_option("--out", options.out, "directory for report.html, metrics.json and the pictures, made if it is not there");
    app.add_option("--seed", options.seed, "of all random streams")->check(CLI::NonNegativeNumber);
    app.add_option("--threads", options.threads, "for matrix products and large elementwise work")
        ->check(CLI::Range(1, 256));

    app.option_defaults()->group("The models");
    app.add_option("--latent", options.latent, "dimensions of the code")->check(CLI::Range(1, 1024));
    app.add_option("--hidden", options.hidden, "units of the hidden layers")->check(CLI::Range(1, 16384));
    add_choice(app, "--architecture", options.architecture, architectures,
               "one hidden layer in encoder and decoder, or convolutions of stride 2 beside it");
    add_choice(app, "--likelihood", options.likelihood, likelihoods, "p(x|z), whose -log is the reconstruction loss");
    app.add_flag("--conditional", options.conditional, "both models are told the class of each image");
    app.add_flag("--plane,!--no-plane", options.plane, "train a second pair, with a code of two dimensions");

    app.add_flag("--scores,!--no-scores", options.scores,
                 "score generated images by Frechet distance, coverage and others, in the features of a classifier");

    app.option_defaults()->group("Training");
    CLI::Option* epochs = app.add_option("--epochs", options.epochs, "passes over the training data, for each model")
                              ->check(CLI::Range(1, 100000));
    app.add_flag("--quick", quick, "2 epochs, on all of the data: under 40 s on two cores")->excludes(epochs);
    app.add_option("--batch", options.batch, "images in a training step")->check(CLI::Range(1, 4096));
    app.add_option("--lr", options.lr, "Adam's learning rate")->check(real_between(1e-12, 1e30));
    add_choice(
        app, "--schedule", options.schedule, schedules,
        "of the learning rate: as it is; half a cosine, from it to 0; or a tenth of it after half of the epochs and "
        "a hundredth after three quarters");
    app.add_option("--beta", options.beta, "weight of the KL term in the VAE's loss")->check(real_between(0, 1e6));
    app.add_option("--betas", options.betas, "train VAEs with these weights too, for the curve of rate and distortion")
        ->delimiter(',')
        ->check(real_between(1e-6, 1e6))
        ->default_str("none");
    CLI::Option* warmup =
        app.add_option("--kl-warmup", options.kl_warmup, "epochs over which the KL term's weight rises from 0 to beta")
            ->check(real_between(0, 100000));
    app.add_option("--kl-cycles", options.kl_cycles,
                   "times that the KL term's weight rises from 0 to beta, each over half a cycle (Fu et al. 2019); 0: "
                   "it does not")
        ->check(CLI::Range(0, 100000))
        ->excludes(warmup);
    app.add_option("--samples", options.samples,
                   "codes drawn for each image in a training step of the VAE (the paper's L)")
        ->check(CLI::Range(1, 100));
    app.add_option(
           "--early-stopping", options.early_stopping,
           "stop a model after this many epochs without a better test ELBO (for the autoencoder: reconstruction), "
           "and take the best epoch's weights; 0: off")
        ->check(CLI::Range(0, 100000));

    app.option_defaults()->group("Stopping and going on: Ctrl-C stops after the step and saves");
    CLI::Option* checkpoint = app.add_option("--checkpoint", options.checkpoint,
                                             "directory for the state of training, written after every epoch; a run "
                                             "without --resume replaces what is there")
                                  ->default_str("OUT/checkpoint");
    CLI::Option* none = app.add_flag("--no-checkpoint", no_checkpoint, "write none")->excludes(checkpoint);
    CLI::Option* resume =
        app.add_flag("--resume", options.resume, "go on from the checkpoint as if training had not been stopped")
            ->excludes(none);
    CLI::Option* load =
        app.add_option("--load", options.load, "train nothing: take the models from this directory of checkpoints")
            ->check(CLI::ExistingDirectory)
            ->excludes(resume);
    for (const char* of_training :
         {"--quick", "--schedule", "--betas", "--kl-warmup", "--kl-cycles", "--samples", "--early-stopping"}) {
        load->excludes(app.get_option(of_training));
    }
    app.add_option("--stop-after-steps", options.stop_after_steps,
                   "do what Ctrl-C does after this many steps; 0: never")
        ->check(CLI::NonNegativeNumber);
    try {
        app.parse(argc, argv);
        if (quick) options.epochs = 2;
        require_consistent(options);
    } catch (const CLI::ParseError& error) {
        parsed.exit_code = app.exit(error) == 0 ? 0 : 2;
    }
    if (no_checkpoint) {
        options.checkpoint.clear();
    } else if (options.checkpoint.empty()) {
        options.checkpoint = options.out + "/checkpoint";
    }
    return parsed;
}
