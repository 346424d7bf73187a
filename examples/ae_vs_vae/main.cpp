// Trains a plain autoencoder and a VAE side by side on the same pictures and shows what sampling from each gives.
// Options are in options.cpp, the two models in models.hpp, the loop in training.cpp, the pictures in comparison.cpp, all
// other measures in analysis.cpp.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>

#include "checkpoint.hpp"
#include "data.hpp"
#include "metrics.hpp"
#include "options.hpp"
#include "page.hpp"
#include "pair.hpp"

namespace {

namespace fs = std::filesystem;

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
    std::vector<PairPlan> plans{{"", "", network, rng}};
    if (options.plane && options.latent != 2) {
        plans.push_back({" 2-d", "plane-", network, rng.stream("plane")});
        plans.back().network.latent = 2;
    }
    return plans;
}

/// One set of initial weights for both.
TrainedPair make_pair(const PairPlan& plan) {
    autograd::Rng initialization = plan.rng.stream("init");
    Autoencoder ae(plan.network, initialization);
    Autoencoder vae = ae;
    return {plan, std::move(ae), std::move(vae)};
}

void make_output_directory(const fs::path& out) {
    std::error_code failure;
    fs::create_directories(out, failure);
    if (failure) throw nn::FileError(out, "cannot make this directory: " + failure.message());
    if (access(out.c_str(), W_OK) != 0) throw nn::FileError(out, "not writable");
}

std::string beta_name(double beta) { return fmt::format("beta-{}", beta); }

/// A run that begins anew must not leave another's checkpoints for the models that it does not get to.
void prepare_checkpoints(const Options& options, const std::vector<PairPlan>& plans) {
    if (options.checkpoint.empty()) return;
    const fs::path directory = options.checkpoint;
    std::error_code ignored;
    if (options.resume) {
        if (fs::exists(directory / plans.front().file("ae"), ignored)) return;
        throw nn::FileError(directory,
                            "has no checkpoint of a run with this --out or --checkpoint: nothing to --resume");
    }
    std::vector<std::string> names{"ae", "vae", "plane-ae", "plane-vae"};
    for (const double beta : options.betas) names.push_back(beta_name(beta));
    for (const std::string& name : names) {
        fs::remove(directory / (name + ".safetensors"), ignored);
        fs::remove(directory / (name + "-best.safetensors"), ignored);
    }
}

std::vector<TrainedPair> train_pairs(const std::vector<PairPlan>& plans, const Data& data, const Options& options,
                                     Interrupts& interrupts) {
    std::vector<TrainedPair> pairs;
    std::size_t to_come = (2 * plans.size() + options.betas.size()) * options.epochs;
    for (const PairPlan& plan : plans) {
        TrainedPair pair = make_pair(plan);
        const auto train_one = [&](const char* title, const char* name, const LossFunction& loss, Autoencoder& model) {
            to_come -= options.epochs;
            return train({title + plan.title, plan.file(name), loss, to_come}, model, data, plan.network, options,
                         plan.rng, interrupts);
        };
        pair.ae_history = train_one("AE", "ae", plain_loss, pair.ae);
        pair.vae_history = train_one("VAE", "vae", variational_loss, pair.vae);
        pairs.push_back(std::move(pair));
    }
    return pairs;
}

std::vector<TrainedPair> load_pairs(const std::vector<PairPlan>& plans, const Options& options) {
    std::vector<TrainedPair> pairs;
    for (const PairPlan& plan : plans) {
        TrainedPair pair = make_pair(plan);
        const fs::path directory = options.load;
        pair.ae_history = load_model(directory / plan.file("ae"), pair.ae, options, plan.network);
        pair.vae_history = load_model(directory / plan.file("vae"), pair.vae, options, plan.network);
        pairs.push_back(std::move(pair));
    }
    return pairs;
}

/// VAEs with other weights of the KL term, from the pair's initial weights.
std::vector<BetaRun> train_betas(const PairPlan& plan, const Data& data, const Options& options, Interrupts& interrupts) {
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
        train({name, plan.file(name), variational_loss, to_come}, vae, data, plan.network, changed, plan.rng, interrupts);
        const Posteriors codes = posteriors(vae, data.test, plan.rng.stream("test codes"));
        const std::vector<double> activity = activity_per_dimension(codes);
        runs.push_back({beta, evaluate(vae, variational_loss, data.test, beta, plan.rng.stream("evaluation")),
                        static_cast<std::size_t>(std::count_if(activity.begin(), activity.end(),
                                                               [](double each) { return each > active_above; })),
                        outcome_of(vae, reconstruction_losses(vae.decoder, codes.sample, data.test), untrained,
                                   variational_loss, data, beta, mean_picture, plan.rng.stream("evaluation"))});
    }
    return runs;
}

/// `mixed`: the data as for_analysis() gives it. `features`: null for no scores of images.
Evaluation evaluate_pair(const TrainedPair& pair, const Data& data, const Data& mixed, const Options& options,
                         const FeatureSpace* features) {
    const autograd::Rng rng = pair.plan.rng.stream("evaluation");
    const autograd::Array<float> ae_codes = encode(pair.ae, data.test);
    const Posteriors vae_codes = posteriors(pair.vae, data.test, rng);
    const std::vector<double> ae_losses = reconstruction_losses(pair.ae.decoder, ae_codes, data.test),
                              vae_losses = reconstruction_losses(pair.vae.decoder, vae_codes.sample, data.test);
    const MeanPicture mean_picture(data.train, pair.plan.network);
    const Autoencoder untrained = make_pair(pair.plan).ae;
    Evaluation found{
        evaluate(pair.ae, plain_loss, data.test, options.beta, rng),
        evaluate(pair.vae, variational_loss, data.test, options.beta, rng),
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
        found.analysis = analyse(pair.ae, pair.vae, mixed, features, has_likelihood, options.binarise,
                                 pair.plan.rng.stream("analysis"));
    }
    found.pictures = pictures_of({pair.ae, pair.vae}, found.ae_codes, found.vae_codes, data, pair.plan.rng);
    return found;
}

/// With line breaks where the next word would not fit, and an indent behind them.
std::string wrapped(const std::string& text, std::size_t columns) {
    std::string result;
    std::size_t column = 0, begin = 0;
    while (begin < text.size()) {
        const std::size_t end = std::min(text.find(' ', begin), text.size());
        if (column > 0 && column + end - begin > columns) {
            result.back() = '\n';
            result += "  ";
            column = 0;
        }
        result.append(text, begin, end - begin).push_back(' ');
        column += end - begin + 1;
        begin = end + 1;
    }
    while (!result.empty() && result.back() == ' ') result.pop_back();
    return result;
}

void print_heading(const Data& data, const Options& options) {
    fmt::print(
        "{} training and {} test images of {} x {} pixels; losses are train and test, in nats per image:\n"
        "loss = reconstruction + {} KL\n",
        data.train.images.shape()[0], data.test.images.shape()[0], data.rows, data.columns, options.beta);
    if (options.kl_warmup > 0 || options.kl_cycles > 0) {
        fmt::print("(Training begins with a smaller weight of the KL term; what is printed has the whole.)\n");
    }
    fmt::print("\n");
}

void print_table(const TrainedPair& pair, const Evaluation& found, std::optional<double> floor) {
    const auto row = [](const char* what, const std::string& left, const std::string& right) {
        fmt::print("  {:<44} {:>13} {:>13}\n", what, left, right);
    };
    const auto number = [](double value) {
        return std::abs(value) < 1e7 ? fmt::format("{:.2f}", value) : fmt::format("{:.2e}", value);
    };
    const auto range = [](const std::vector<double>& values) {
        const auto [low, high] = std::minmax_element(values.begin(), values.end());
        return fmt::format("{:.2f} .. {:.2f}", *low, *high);
    };
    fmt::print("\nOn the test set, with codes of {} dimensions, in nats per image:\n", pair.plan.network.latent);
    row("", "AE", "VAE");
    // The autoencoder's loss is its reconstruction: beside the VAE's sum it would say nothing.
    row("reconstruction", number(found.ae.reconstruction), number(found.vae.reconstruction));
    if (floor) row("  of which the pixels' own entropy", number(*floor), number(*floor));
    row("by the mean training picture", number(found.ae_outcome.mean_picture), number(found.vae_outcome.mean_picture));
    row("KL(q(z|x) || N(0, I))", "-", number(found.vae.kl));
    row("their sum, which is -ELBO", "-", number(found.vae.at_beta_one()));
    row("standard deviation of z_i, least .. largest", range(found.ae_codes.standard_deviation),
        range(found.vae_codes.standard_deviation));
    const auto& kl = found.vae_codes.kl;
    const auto used = std::count_if(kl.begin(), kl.end(), [](double each) { return each > 0.01; });
    row("dimensions that the code uses (KL > 0.01)", "-", fmt::format("{} of {}", used, kl.size()));
    row("ms per training step, median", number(pair.ae_history.ms_per_step), number(pair.vae_history.ms_per_step));
}

void print_findings(const std::vector<std::string>& findings) {
    fmt::print("\nWhat was found:\n");
    for (const std::string& finding : findings) {
        const std::string text = wrapped(finding, 112);
        fmt::print("- {}\n", text);
    }
}

Json metrics_of(const Options& options, const Findings& findings) {
    Json metrics{{"data", options.data},
                 {"seed", options.seed},
                 {"epochs", options.epochs},
                 {"threads", options.threads},
                 {"architecture", name_of(options.architecture)},
                 {"likelihood", name_of(options.likelihood)},
                 {"conditional", options.conditional},
                 {"binarise", options.binarise},
                 {"beta", options.beta},
                 {"findings", in_words(findings)}};
    if (findings.floor) metrics["pixel_entropy_floor"] = *findings.floor;
    if (!findings.feature_space.empty()) metrics["feature_space"] = findings.feature_space;
    for (std::size_t i = 0; i < findings.pairs.size(); ++i) {
        const TrainedPair& pair = findings.pairs[i];
        const Evaluation& found = findings.evaluations[i];
        Json& section = i == 0 ? metrics : metrics["plane"];
        section["latent"] = pair.plan.network.latent;
        section["ae"] = to_json(pair.ae_history);
        section["vae"] = to_json(pair.vae_history);
        section["ae"]["test"] = to_json(found.ae);
        section["vae"]["test"] = to_json(found.vae);
        section["ae"]["outcome"] = to_json(found.ae_outcome);
        section["vae"]["outcome"] = to_json(found.vae_outcome);
        section["analysis"] = to_json(found.analysis);
    }
    for (const BetaRun& run : findings.betas) {
        metrics["betas"].push_back({{"beta", run.beta},
                                    {"test", to_json(run.test)},
                                    {"active_units", run.active_units},
                                    {"outcome", to_json(run.outcome)}});
    }
    return metrics;
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

Findings look_at(std::vector<TrainedPair> pairs, std::vector<BetaRun> betas, const Data& data, const Options& options) {
    Findings findings;
    if (options.likelihood == Likelihood::bernoulli && !options.binarise) findings.floor = pixel_entropy(data.test.images);
    const Data mixed = for_analysis(data, options);
    std::optional<FeatureSpace> features;
    if (options.scores) {
        fmt::print("\nScoring ...\n");
        std::fflush(stdout);
        features.emplace(mixed, autograd::Rng(options.seed).stream("features"));
        findings.feature_space = features->description();
    }
    for (const TrainedPair& pair : pairs) {
        // Images are scored of the first pair only: codes of two dimensions make poor ones of both models.
        const bool scored = features && &pair == &pairs.front();
        findings.evaluations.push_back(evaluate_pair(pair, data, mixed, options, scored ? &*features : nullptr));
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

/// @throws Error at the end, when all is written, if a training diverged.
void run(const Options& options) {
    autograd::set_num_threads(options.threads);
    const Data data = load_data(options, autograd::Rng(options.seed));
    const fs::path out = options.out;
    make_output_directory(out);
    print_heading(data, options);

    const std::vector<PairPlan> plans = plan_pairs(options, data);
    std::vector<TrainedPair> pairs;
    std::vector<BetaRun> betas;
    if (options.load.empty()) {
        prepare_checkpoints(options, plans);
        Interrupts interrupts(options.stop_after_steps);
        pairs = train_pairs(plans, data, options, interrupts);
        betas = train_betas(plans.front(), data, options, interrupts);
    } else {
        pairs = load_pairs(plans, options);
    }
    const Findings findings = look_at(std::move(pairs), std::move(betas), data, options);

    std::vector<fs::path> written{out / "report.html", out / "metrics.json"};
    report::write_report(written[0], page_of(findings, data, options));
    const std::string text = metrics_of(options, findings).dump(2) + "\n";
    nn::write_file_atomically(written[1], std::as_bytes(std::span(text)));
    for (std::size_t i = 0; i < findings.pairs.size(); ++i) {
        const auto pictures = write_pictures(findings.evaluations[i].pictures, data, out, findings.pairs[i].plan.prefix);
        written.insert(written.end(), pictures.begin(), pictures.end());
    }

    print_findings(in_words(findings));
    fmt::print("\nWritten to {}:", out.string());
    for (const fs::path& file : written) fmt::print(" {}", file.filename().string());
    fmt::print("\nOpen {} in a browser: it has both decoders in it, to play with.\n", written[0].string());
    const std::vector<std::string> diverged = diverged_trainings(findings);
    if (!diverged.empty()) throw autograd::Error(fmt::format("training diverged: {}", fmt::join(diverged, ", ")));
}

}  // namespace

int main(int argc, char** argv) {
    const Parsed parsed = parse_options(argc, argv);
    if (parsed.exit_code) return *parsed.exit_code;
    try {
        run(parsed.options);
    } catch (const Interrupted& interrupted) {
        fmt::print("Stopped. {}\n", parsed.options.checkpoint.empty() ? "Nothing is kept: there was --no-checkpoint."
                                                                      : "The same options with --resume go on from " +
                                                                            parsed.options.checkpoint + ".");
        return interrupted.exit_code;
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
