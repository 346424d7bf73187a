// Trains a plain autoencoder and a VAE side by side on the same pictures and shows what sampling from each gives.
// Options are in options.cpp, the two models in models.hpp, the loop in training.cpp, the pictures in pictures.cpp, all
// other measures in analysis.cpp, and what is said of them in findings.cpp. Here is only the order of it all.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <exception>
#include <filesystem>
#include <new>
#include <nn/data/file.hpp>
#include <optional>

#include "checkpoint.hpp"
#include "data.hpp"
#include "ending.hpp"
#include "failures.hpp"
#include "findings.hpp"
#include "metrics.hpp"
#include "options.hpp"
#include "page.hpp"
#include "terminal.hpp"

namespace {

namespace fs = std::filesystem;

bool has_plane(const Options& options) { return options.plane && options.latent != 2; }

/// The pair that is asked for, and the one whose codes have two dimensions, if that is another.
std::vector<PairPlan> plan_pairs(const Options& options, const Data& data) {
    const autograd::Rng rng(options.seed);
    const NetworkOptions network{.rows = data.rows,
                                 .columns = data.columns,
                                 .hidden = options.hidden,
                                 .latent = options.latent,
                                 .classes = options.conditional ? data.classes : 0,
                                 .architecture = options.architecture,
                                 .likelihood = options.likelihood};
    std::vector<PairPlan> plans{{"", "", network, rng, false}};
    if (has_plane(options)) {
        plans.push_back({" 2-d", "plane-", network, rng.stream("plane"), false});
        plans.back().network.latent = 2;
    }
    plans.back().shown = true;
    return plans;
}

/// What the work returns.
/// @throws Error with this advice if there is not enough memory for it.
template <class Work>
auto within_memory(const std::string& advice, const Work& work) {
    try {
        return work();
    } catch (const std::bad_alloc&) {
        throw autograd::Error("out of memory: " + advice);
    }
}

/// Which options make a training take less memory: those that most of it grows with.
std::string lighter_training(const Options& options, const NetworkOptions& network) {
    const auto of_map = [](const FeatureMap& map) { return static_cast<double>(map.size()); };
    const std::vector<FeatureMap> maps = feature_maps(network);
    const double hidden = static_cast<double>(network.hidden), latent = static_cast<double>(network.latent);
    double row = 6 * of_map(maps.front()) + 4 * hidden + 6 * latent;  // numbers that a tape has of an image, about
    for (const FeatureMap& map : maps) row += 4 * of_map(map);
    const double weights = 10 * hidden * (2 * of_map(maps.back()) + 3 * latent);  // of two models, with Adam's averages
    const auto rows = static_cast<double>(options.batch * options.samples);
    const double tape = row * std::max(rows, 500.0);  // of test images there are 500 at once
    const double of_step = rows > 500 ? tape : 0;
    const std::pair<const char*, double> grows_with[] = {{"--samples", options.samples > 1 ? of_step : 0},
                                                         {"--batch", of_step},
                                                         {"--hidden", weights + tape * 4 * hidden / row},
                                                         {"--latent", 30 * hidden * latent + tape * 6 * latent / row}};
    double most = 0;
    for (const auto& [option, size] : grows_with) most = std::max(most, size);
    std::vector<const char*> names;
    for (const auto& [option, size] : grows_with) {
        if (size > most / 4) names.push_back(option);
    }
    return fmt::format("make {} smaller", fmt::join(names, " or "));
}

/// One set of initial weights for both.
TrainedPair make_pair(const PairPlan& plan) {
    autograd::Rng initialization = plan.rng.stream("init");
    Autoencoder ae(plan.network, initialization);
    Autoencoder vae = ae;
    return {plan, std::move(ae), std::move(vae)};
}

std::string beta_name(double beta) { return fmt::format("beta-{}", beta); }

fs::path report_file(const fs::path& out) { return out / "report.html"; }
fs::path metrics_file(const fs::path& out) { return out / "metrics.json"; }

/// Says of each result, before a long training, that it will not be written, if that can be seen already.
void check_results(const fs::path& out, const std::vector<PairPlan>& plans) {
    std::vector<fs::path> files{report_file(out), metrics_file(out)};
    for (const PairPlan& plan : plans) {
        for (const char* name : picture_names) files.push_back(picture_file(out, plan.prefix, name));
    }
    for (const fs::path& file : files) {
        try {
            nn::require_writable(file);
        } catch (const nn::FileError& error) {
            complain(fmt::format("{}. This result will be missing, unless that changes.", error.what()));
        }
    }
}

/// A run that begins anew must not leave another's checkpoints for the models that it does not get to.
void prepare_checkpoints(const Options& options, const std::vector<PairPlan>& plans) {
    if (options.checkpoint.empty()) return;
    const fs::path directory = options.checkpoint;
    if (options.resume && !nn::is_there(directory / plans.front().file("ae"))) {
        throw nn::FileError(directory, "has no checkpoint of a run with this --out or --checkpoint: nothing to --resume");
    }
    make_directory(directory);
    std::vector<std::string> names{"ae", "vae", "plane-ae", "plane-vae"};
    for (const double beta : options.betas) names.push_back(beta_name(beta));
    for (const std::string& name : names) {
        for (const char* which : {"", "-best"}) {
            prepare_checkpoint(directory / (name + which + ".safetensors"), options.resume);
        }
    }
}

std::vector<TrainedPair> train_pairs(const std::vector<PairPlan>& plans, const Data& data, const Options& options,
                                     Interrupts& interrupts, Failures& failures) {
    std::vector<TrainedPair> pairs;
    std::size_t to_come = (2 * plans.size() + options.betas.size()) * options.epochs;
    for (const PairPlan& plan : plans) {
        TrainedPair pair = within_memory(lighter_training(options, plan.network), [&] { return make_pair(plan); });
        const auto train_one = [&](const char* title, const char* name, const LossFunction& loss, Autoencoder& model) {
            to_come -= options.epochs;
            return within_memory(lighter_training(options, plan.network), [&] {
                return train({title, title + plan.title, plan.file(name), loss, to_come, plan.shown ? options.film : 0}, model,
                             data, plan.network, options, plan.rng, interrupts, failures);
            });
        };
        pair.ae_history = train_one("AE", "ae", plain_loss, pair.ae);
        pair.vae_history = train_one("VAE", "vae", variational_loss, pair.vae);
        pairs.push_back(std::move(pair));
    }
    return pairs;
}

std::vector<TrainedPair> load_pairs(const std::vector<PairPlan>& plans, const Data& data, const Options& options) {
    std::vector<TrainedPair> pairs;
    for (const PairPlan& plan : plans) {
        TrainedPair pair = within_memory("these models need more than there is", [&] { return make_pair(plan); });
        const fs::path directory = options.load;
        pair.ae_history = load_model(directory / plan.file("ae"), "AE", pair.ae, options, plan.network, data);
        pair.vae_history = load_model(directory / plan.file("vae"), "VAE", pair.vae, options, plan.network, data);
        if (options.film == 0) pair.ae_history.film = pair.vae_history.film = {};
        pairs.push_back(std::move(pair));
    }
    return pairs;
}

/// VAEs with other weights of the KL term, from the pair's initial weights.
std::vector<BetaRun> train_betas(const PairPlan& plan, const Data& data, const Options& options, Interrupts& interrupts,
                                 Failures& failures) {
    std::vector<BetaRun> runs;
    if (options.betas.empty()) return runs;
    const MeanPicture mean_picture(data.train, plan.network);
    std::size_t to_come = options.betas.size() * options.epochs;
    for (const double beta : options.betas) {
        Options changed = options;
        changed.beta = beta;
        to_come -= options.epochs;
        const Autoencoder untrained = make_pair(plan).vae;
        Autoencoder vae = untrained;
        const std::string name = beta_name(beta);
        within_memory(lighter_training(options, plan.network), [&] {
            train({"VAE", name, plan.file(name), variational_loss, to_come, 0}, vae, data, plan.network, changed, plan.rng,
                  interrupts, failures);
        });
        const Posteriors codes = posteriors(vae, data.test, plan.rng.stream("test codes"));
        const std::vector<double> activity = activity_per_dimension(codes);
        runs.push_back({beta, evaluate(vae, variational_loss, data.test, beta, plan.rng.stream("evaluation")),
                        static_cast<std::size_t>(
                            std::count_if(activity.begin(), activity.end(), [](double each) { return each > active_above; })),
                        outcome_of(vae, reconstruction_losses(vae.decoder, codes.sample, data.test), untrained,
                                   variational_loss, data, beta, mean_picture, plan.rng.stream("evaluation"))});
    }
    return runs;
}

constexpr std::size_t draws_of_losses = 5;

/// `mixed`: the data as for_analysis() gives it. `features`: null for no scores of images.
Evaluation evaluate_pair(const TrainedPair& pair, const Data& data, const Data& mixed, const Options& options,
                         const FeatureSpace* features, Failures& failures) {
    const autograd::Rng rng = pair.plan.rng.stream("evaluation");
    const autograd::Array<float> ae_codes = encode(pair.ae, data.test);
    const Posteriors vae_codes = posteriors(pair.vae, data.test, rng);
    const std::vector<double> ae_losses = reconstruction_losses(pair.ae.decoder, ae_codes, data.test),
                              vae_losses = reconstruction_losses(pair.vae.decoder, vae_codes.sample, data.test);
    const MeanPicture mean_picture(data.train, pair.plan.network);
    const Autoencoder untrained = make_pair(pair.plan).ae;
    Evaluation found{evaluate(pair.ae, plain_loss, data.test, options.beta, rng),
                     evaluate(pair.vae, variational_loss, data.test, options.beta, rng),
                     evaluate_often(pair.vae, variational_loss, data.test, options.beta, draws_of_losses, rng.stream("draws")),
                     outcome_of(pair.ae, ae_losses, untrained, plain_loss, data, options.beta, mean_picture, rng),
                     outcome_of(pair.vae, vae_losses, untrained, variational_loss, data, options.beta, mean_picture, rng),
                     mean_difference(ae_losses, vae_losses),
                     statistics(ae_codes),
                     statistics(vae_codes),
                     {},
                     {}};
    const bool has_likelihood = options.binarise || options.likelihood != Likelihood::bernoulli;
    if (found.ae_outcome.verdict == Verdict::diverged || found.vae_outcome.verdict == Verdict::diverged) {
        found.analysis.left_out.push_back({"all scores and what is measured on codes", "a training diverged"});
    } else {
        const std::string what = "the scores and what is measured on codes" + pair.plan.title;
        const bool analysed = failures.attempt(what, [&] {
            found.analysis =
                analyse(pair.ae, pair.vae, mixed, features, has_likelihood, options.binarise, pair.plan.rng.stream("analysis"));
        });
        if (!analysed) found.analysis.left_out.push_back({what, "that failed"});
    }
    failures.attempt("the pictures" + pair.plan.title, [&] {
        found.pictures = pictures_of(pair.ae, pair.vae, found.ae_codes, found.vae_codes, data, pair.plan.rng, failures);
    });
    return found;
}

void print_heading(const Data& data, const Options& options) {
    say_wrapped(fmt::format("{} training and {} test images of {} x {} pixels; losses are train and test, in nats per image:",
                            data.train.images.shape()[0], data.test.images.shape()[0], data.rows, data.columns));
    say("loss = reconstruction + {} KL\n", options.beta);
    if (options.kl_warmup > 0 || options.kl_cycles > 0) {
        say_wrapped("(Training begins with a smaller weight of the KL term; what is printed has the whole.)");
    }
    say("\n");
}

void print_table(const TrainedPair& pair, const Evaluation& found, std::optional<double> floor) {
    constexpr std::size_t widest = 74;
    const bool narrow = terminal_columns().value_or(widest) < widest;  // then the numbers have a line of their own
    const auto row = [&](const char* what, const std::string& left, const std::string& right) {
        if (!narrow) return say("  {:<44} {:>13} {:>13}\n", what, left, right);
        if (*what != 0) say("  {}\n", what);
        say("      {:>13} {:>13}\n", left, right);
    };
    const auto number = [](double value) {
        return std::abs(value) < 1e7 ? fmt::format("{:.2f}", value) : fmt::format("{:.2e}", value);
    };
    const auto estimate = [&](const Estimate& each) {  // to the digits of a mean over that many images
        if (!each.standard_error || std::abs(each.value) >= 1e7) return number(each.value);
        return fmt::format("{:.2f} ± {:.2f}", each.value, *each.standard_error);
    };
    const auto range = [](const std::vector<double>& values) {
        const auto [low, high] = std::minmax_element(values.begin(), values.end());
        return fmt::format("{:.2f} .. {:.2f}", *low, *high);
    };
    say("\n");
    say_wrapped(fmt::format("On the test set, with codes of {} dimensions, in nats per image:", pair.plan.network.latent));
    row("", "AE", fmt::format("VAE, {} draws", draws_of_losses));
    // The autoencoder's loss is its reconstruction: beside the VAE's sum it would say nothing.
    const LossEstimates& vae = found.vae_of_draws;
    row("reconstruction", number(found.ae.reconstruction), estimate(vae.reconstruction));
    if (floor) row("  of which the pixels' own entropy", number(*floor), number(*floor));
    row("by the mean training picture", number(found.ae_outcome.mean_picture), number(found.vae_outcome.mean_picture));
    row("KL(q(z|x) || N(0, I))", "-", estimate(vae.kl));
    row("their sum, which is -ELBO", "-",
        estimate({vae.reconstruction.value + vae.kl.value, vae.reconstruction.standard_error}));
    row("standard deviation of z_i, least .. largest", range(found.ae_codes.standard_deviation),
        range(found.vae_codes.standard_deviation));
    const auto& kl = found.vae_codes.kl;
    const auto used = std::count_if(kl.begin(), kl.end(), [](double each) { return each > 0.01; });
    row("dimensions that the code uses (KL > 0.01)", "-", fmt::format("{} of {}", used, kl.size()));
    row("ms per training step, median", number(pair.ae_history.ms_per_step), number(pair.vae_history.ms_per_step));
}

/// For looking at models: training images as the models saw them, binary where they were made binary; and all in a random
/// order, because parts of a set are held against each other, and files may be sorted by class.
Data for_analysis(Data data, const Options& options) {
    const autograd::Rng rng = autograd::Rng(options.seed).stream("analysis");
    if (options.binarise) rng.stream("binarise").fill_bernoulli(data.train.images, data.train.images);
    data.train = select(data.train, rng.stream("train").permutation(data.train.images.shape()[0]));
    data.test = select(data.test, rng.stream("test").permutation(data.test.images.shape()[0]));
    return data;
}

Findings look_at(std::vector<TrainedPair> pairs, std::vector<BetaRun> betas, const Data& data, const Options& options,
                 Failures& failures) {
    Findings findings;
    if (options.likelihood == Likelihood::bernoulli && !options.binarise) findings.floor = pixel_entropy(data.test.images);
    const Data mixed = for_analysis(data, options);
    std::optional<FeatureSpace> features;
    if (options.scores) {
        say("\nScoring ...\n");
        flush_output();
        failures.attempt("the scores of images", [&] {
            features.emplace(mixed, autograd::Rng(options.seed).stream("features"));
            findings.feature_space = features->description();
        });
    }
    for (const TrainedPair& pair : pairs) {
        // Images are scored of the first pair only: codes of two dimensions make poor ones of both models.
        const bool scored = features && &pair == &pairs.front();
        findings.evaluations.push_back(evaluate_pair(pair, data, mixed, options, scored ? &*features : nullptr, failures));
        print_table(pair, findings.evaluations.back(), findings.floor);
    }
    findings.pairs = std::move(pairs);
    findings.betas = std::move(betas);
    const Evaluation& own = findings.evaluations.front();
    if (!findings.betas.empty() &&
        own.vae_outcome.verdict != Verdict::diverged) {  // the curve has the pair's own VAE on it too
        findings.betas.push_back({options.beta, own.vae, own.analysis.active_units, own.vae_outcome, true});
        std::sort(findings.betas.begin(), findings.betas.end(),
                  [](const BetaRun& a, const BetaRun& b) { return a.beta < b.beta; });
    }
    return findings;
}

/// Each result by itself, so that one which cannot be made or written costs no other. Returns the files that are there.
std::vector<fs::path> write_results(const Findings& findings, const Data& data, const Options& options, Failures& failures) {
    const fs::path out = options.out;
    std::vector<fs::path> written;
    const auto write = [&](const fs::path& path, auto work) {
        try {
            work(path);
            written.push_back(path);
        } catch (const nn::FileError& error) {  // names the file
            failures.add(error.what());
        } catch (const std::bad_alloc&) {
            failures.add(fmt::format("{}: out of memory: make --hidden smaller", nn::printable(path.native())));
        } catch (const std::exception& error) {
            failures.add(fmt::format("{}: {}", nn::printable(path.native()), error.what()));
        }
    };
    write(report_file(out), [&](const fs::path& path) { report::write_report(path, page_of(findings, data, options)); });
    write(metrics_file(out), [&](const fs::path& path) { write_metrics(path, findings, options); });
    for (std::size_t i = 0; i < findings.pairs.size(); ++i) {
        for (const Picture& picture : findings.evaluations[i].pictures) {
            write(picture_file(out, findings.pairs[i].plan.prefix, picture.name),
                  [&](const fs::path& path) { write_picture(path, picture, data); });
        }
    }
    return written;
}

void print_written(const std::vector<fs::path>& written, const Options& options) {
    if (written.empty()) return;
    const fs::path out = options.out, page = report_file(out);
    std::string line = fmt::format("Written to {}:", nn::printable(out.native()));
    for (const fs::path& file : written) line += fmt::format(" {}", file.filename().string());
    say("\n");
    say_wrapped(line);
    if (written.front() != page) return;
    say_wrapped(fmt::format("Open {} in a browser: both models are in it: draw a picture for them, or a random code.",
                            nn::printable(page.native())));
    std::error_code ignored;
    const std::uintmax_t size = fs::file_size(page, ignored);
    if (ignored || size < 10'000'000) return;
    say_wrapped(fmt::format("It has {} MB, nearly all of them the networks' weights, and may open slowly. A smaller --hidden{} "
                            "makes it smaller.",
                            size / 1'000'000, has_plane(options) ? ", or --no-plane," : ""));
}

/// Returns the program's exit status.
int run(const Options& options) {
    autograd::set_num_threads(options.threads);
    const Data data = within_memory("fewer or smaller images in --data take less",
                                    [&] { return load_data(options, autograd::Rng(options.seed)); });
    const std::vector<PairPlan> plans = plan_pairs(options, data);
    make_directory(options.out);
    check_results(options.out, plans);
    print_heading(data, options);

    Failures failures;
    std::vector<TrainedPair> pairs;
    std::vector<BetaRun> betas;
    if (options.load.empty()) {
        prepare_checkpoints(options, plans);
        Interrupts interrupts(options.stop_after_steps);
        pairs = train_pairs(plans, data, options, interrupts, failures);
        betas = train_betas(plans.front(), data, options, interrupts, failures);
    } else {
        pairs = load_pairs(plans, data, options);
    }
    std::signal(SIGPIPE, SIG_IGN);  // results are worth making even if nobody reads what is said of them
    const Findings findings = within_memory("make --hidden smaller, or try --no-scores", [&] {
        return look_at(std::move(pairs), std::move(betas), data, options, failures);
    });
    const std::vector<fs::path> written = write_results(findings, data, options, failures);

    say("\nWhat was found:\n");
    for (const std::string& finding : in_words(findings)) say_wrapped("- " + finding);
    print_written(written, options);
    const std::vector<std::string> diverged = diverged_trainings(findings);
    if (!diverged.empty()) failures.add(fmt::format("training diverged: {}", fmt::join(diverged, ", ")));
    for (const std::string& failure : failures.list()) complain(failure);
    return failures.list().empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow further is an error of that file
    const Parsed parsed = CommandLine().parse(argc, argv);
    const Options& options = parsed.options;
    return status_after_output(parsed.exit_code ? *parsed.exit_code
                                                : exit_status([&] { return run(options); }, options.checkpoint,
                                                              "there was --no-checkpoint", "make --hidden smaller"));
}
