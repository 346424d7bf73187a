// The command line, by CLI11: names, ranges, which options go together, and what --help says of them.
#include "options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <autograd/autograd.hpp>
#include <exception>
#include <filesystem>
#include <limits>
#include <nn/data/file.hpp>
#include <string>
#include <utility>

#include "option_kinds.hpp"
#include "terminal.hpp"

namespace {

constexpr std::array likelihoods{std::pair{"bernoulli", Likelihood::bernoulli}, std::pair{"gaussian", Likelihood::gaussian},
                                 std::pair{"continuous-bernoulli", Likelihood::continuous_bernoulli}};
constexpr std::array architectures{std::pair{"mlp", Architecture::mlp}, std::pair{"conv", Architecture::conv}};
constexpr std::array schedules{std::pair{"constant", Schedule::constant}, std::pair{"cosine", Schedule::cosine},
                               std::pair{"step", Schedule::step}};

template <class Names, class E>
const char* name_in(const Names& names, E value) {
    return std::find_if(names.begin(), names.end(), [&](const auto& each) { return each.second == value; })->first;
}

/// --NAME, which is the default, and --no-NAME. (CLI11's own opposite of a flag, "!--no-NAME", throws
/// what is no error of the command line where a number beyond 64 bits is its value.)
void add_switch(CLI::App& app, const std::string& name, bool& value, const std::string& description) {
    CLI::Option* on = app.add_flag("--" + name, value, description + " (the default)");
    app.add_flag_callback(
           "--no-" + name, [&value] { value = false; }, "do not")
        ->excludes(on);
}

/// "" for a directory that can be looked into, else what is wrong.
std::string no_directory(const std::string& path) {
    try {
        if (!nn::is_there(path)) return fmt::format("no such directory: \"{}\"", path);
        if (!std::filesystem::is_directory(path)) return fmt::format("not a directory: \"{}\"", path);
    } catch (const std::exception& error) {
        return error.what();
    }
    return "";
}

/// An option with one of a few names for its value.
template <class Names, class E>
void add_choice(CLI::App& app, const char* option, E& value, const Names& names, const std::string& description) {
    std::vector<std::string> allowed;
    for (const auto& [name, each] : names) allowed.emplace_back(name);
    app.add_option_function<std::string>(
           option,
           [&value, &names](const std::string& text) {
               value = std::find_if(names.begin(), names.end(), [&](const auto& each) { return text == each.first; })->second;
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
    if (std::adjacent_find(betas.begin(), betas.end()) != betas.end())
        refuse("--betas: one of them twice, or --beta among them");
    if (options.kl_cycles > options.epochs) refuse("--kl-cycles: more cycles than epochs");
    if (options.early_stopping >= options.epochs) {
        refuse("--early-stopping: patience for as many epochs as there are would never stop");
    }
}

}  // namespace

const char* name_of(Likelihood likelihood) { return name_in(likelihoods, likelihood); }
const char* name_of(Architecture architecture) { return name_in(architectures, architecture); }
const char* name_of(Schedule schedule) { return name_in(schedules, schedule); }

/// The options, into which CLI11 writes what it meets.
struct CommandLine::Parser {
    Options options;
    bool quick = false, no_checkpoint = false;
    CLI::App app{
        "Trains a plain autoencoder and a variational one on the same pictures, from the same initial weights and in "
        "the same order, and shows what decoding random codes gives with each. Then it does so again with codes of two "
        "dimensions, of which a plane can be drawn."};

    Parser();

    void set_defaults() {
        options = {};
        options.data = XTAPE_FASHION_MNIST_DIR;
        options.threads = autograd::num_threads();
        quick = no_checkpoint = false;
    }
};

CommandLine::CommandLine() : parser_(std::make_unique<Parser>()) {}
CommandLine::~CommandLine() = default;

CommandLine::Parser::Parser() {
    set_defaults();
    app.footer(
        "Exit status: 0; 1 after an error, if a result could not be written (the others are), or if a training diverged, of "
        "which the report tells all the same, unless its loss was no number; 2 after a mistake in the options; 128 and the signal's number if one "
        "stopped the training.");
    app.option_defaults()->always_capture_default();
    add_path(app, "--data", options.data,
             "directory of IDX files as MNIST, EMNIST, KMNIST and Fashion-MNIST name them, raw or .gz (where it "
             "holds several sets, DIRECTORY/PREFIX), or of train-images.npy, test-images.npy and possibly "
             "train-labels.npy, test-labels.npy; images of at most 128 x 128 pixels");
    app.add_flag("--binarise", options.binarise,
                 "pixels 0 or 1, drawn with the grey level as probability: anew in each training step, once for the test set");
    add_path(app, "--out", options.out, "directory for report.html, metrics.json and the pictures, made if it is not there");
    constexpr std::size_t any = std::numeric_limits<std::size_t>::max();
    add_number<std::uint64_t>(app, "--seed", options.seed, {0, any}, "of all random streams");
    add_number<int>(app, "--threads", options.threads, {1, 256}, "for matrix products and large elementwise work");

    app.option_defaults()->group("The models");
    add_number<std::size_t>(app, "--latent", options.latent, {1, 1024}, "dimensions of the code");
    add_number<std::size_t>(app, "--hidden", options.hidden, {1, 16384}, "units of the hidden layers");
    add_choice(app, "--architecture", options.architecture, architectures,
               "one hidden layer in encoder and decoder, or convolutions of stride 2 beside it");
    add_choice(app, "--likelihood", options.likelihood, likelihoods, "p(x|z), whose -log is the reconstruction loss");
    app.add_flag("--conditional", options.conditional, "both models are told the class of each image");
    add_switch(app, "plane", options.plane, "train a second pair, with a code of two dimensions");
    add_switch(app, "scores", options.scores,
               "score generated images by Frechet distance, coverage and others, in the features of a classifier");

    app.option_defaults()->group("Training");
    CLI::Option* epochs =
        add_number<std::size_t>(app, "--epochs", options.epochs, {1, 100000}, "passes over the training data, for each model");
    app.add_flag("--quick", quick, "2 epochs, on all of the data: under 40 s on two cores")->excludes(epochs);
    add_number<std::size_t>(app, "--batch", options.batch, {1, 4096}, "images in a training step");
    add_number<double>(app, "--lr", options.lr, {1e-12, 1e30}, "Adam's learning rate");
    add_choice(app, "--schedule", options.schedule, schedules,
               "of the learning rate: as it is; half a cosine, from it to 0; or a tenth of it after half of the epochs and "
               "a hundredth after three quarters");
    add_number<double>(app, "--beta", options.beta, {0, 1e6}, "weight of the KL term in the VAE's loss");
    add_numbers<double>(app, "--betas", options.betas, {1e-6, 1e6},
                        "train VAEs with these weights too, for the curve of rate and distortion");
    CLI::Option* warmup = add_number<double>(app, "--kl-warmup", options.kl_warmup, {0, 100000},
                                             "epochs over which the KL term's weight rises from 0 to beta");
    add_number<std::size_t>(app, "--kl-cycles", options.kl_cycles, {0, 100000},
                            "times that the KL term's weight rises from 0 to beta, each over half a cycle (Fu et al. "
                            "2019); 0: it does not")
        ->excludes(warmup);
    add_number<std::size_t>(app, "--samples", options.samples, {1, 100},
                            "codes drawn for each image in a training step of the VAE (the paper's L)");
    add_number<std::size_t>(app, "--early-stopping", options.early_stopping, {0, 100000},
                            "stop a model after this many epochs without a better test ELBO (for the autoencoder: "
                            "reconstruction), and take the best epoch's weights; 0: off");

    add_number<std::size_t>(app, "--film", options.film, {0, 200},
                            "frames, at most, of the film of the training that the report plays: after 0, 10, 30, 100, ... "
                            "steps, and then after epochs; 0: no film");

    app.option_defaults()->group("Stopping and going on: Ctrl-C stops after the step and saves");
    CLI::Option* checkpoint = add_path(app, "--checkpoint", options.checkpoint,
                                       "directory for the state of training, written after every epoch; a run "
                                       "without --resume replaces what is there")
                                  ->default_str("OUT/checkpoint");
    CLI::Option* none = app.add_flag("--no-checkpoint", no_checkpoint, "write none")->excludes(checkpoint);
    CLI::Option* resume =
        app.add_flag("--resume", options.resume, "go on from the checkpoint as if training had not been stopped")
            ->excludes(none);
    CLI::Option* load =
        add_path(app, "--load", options.load, "train nothing: take the models from this directory of checkpoints")
            ->check(CLI::Validator(no_directory, ""))
            ->excludes(resume);
    for (const char* of_training :
         {"--quick", "--schedule", "--betas", "--kl-warmup", "--kl-cycles", "--samples", "--early-stopping"}) {
        load->excludes(app.get_option(of_training));
    }
    add_number<std::size_t>(app, "--stop-after-steps", options.stop_after_steps, {0, any},
                            "do what Ctrl-C does after this many steps; 0: never");
    refuse_values_of_flags(app);
}

Parsed CommandLine::parse(int argc, char** argv) {
    Options& options = parser_->options;
    Parsed parsed;
    parser_->set_defaults();
    try {
        parser_->app.parse(argc, argv);
        if (parser_->quick) options.epochs = 2;
        require_consistent(options);
    } catch (const CLI::Success& help) {
        parser_->app.exit(help);
        parsed.exit_code = 0;
    } catch (const CLI::ParseError& error) {
        complain(fmt::format("{}\n--help lists the options.", error.what()));
        parsed.exit_code = 2;
    }
    if (parser_->no_checkpoint) {
        options.checkpoint.clear();
    } else if (options.checkpoint.empty()) {
        options.checkpoint = options.out + "/checkpoint";
    }
    parsed.options = options;
    return parsed;
}
