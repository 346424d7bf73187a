// Makes a paper's table: Burda, Grosse and Salakhutdinov, "Importance weighted autoencoders", ICLR 2016, Table 1, one stochastic
// layer, or as much of it as there is time for. The model and its training step are in iwae_table.hpp; data, checkpoints,
// signals and estimates are ae_vs_vae's. It judges nothing: whoever runs it compares the figures.
#include "iwae_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <nn/data/file.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ae_vs_vae/checkpoint.hpp"
#include "ae_vs_vae/data.hpp"
#include "ae_vs_vae/ending.hpp"
#include "ae_vs_vae/failures.hpp"
#include "ae_vs_vae/interrupt.hpp"
#include "ae_vs_vae/option_kinds.hpp"
#include "ae_vs_vae/terminal.hpp"

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using OrderedJson = nlohmann::ordered_json;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

struct TableOptions {
    std::string data = XTAPE_FASHION_MNIST_DIR;
    std::vector<std::size_t> samples;  ///< the k of each row of the table
    std::size_t passes = iwae::all_passes;
    std::size_t test_images = 0;  ///< 0: all
    std::uint64_t seed = 0;
    int threads = autograd::num_threads();
    std::string json, checkpoint;  ///< empty for none
    bool resume = false;
    std::size_t stop_after_steps = 0;  ///< 0: never
};

/// Takes the command line apart. What it returns is the exit status of a run that is over already: 0 after --help, 2 after a
/// mistake, which is printed.
std::optional<int> parse(int argc, char** argv, TableOptions& options) {
    CLI::App app{
        "Trains the model of Burda, Grosse and Salakhutdinov, \"Importance weighted autoencoders\" (ICLR 2016), Table 1, one "
        "stochastic layer, with k samples in the bound, estimates log p(x) of the test set with 5,000 samples, and prints both "
        "beside the paper's figures. Those are of MNIST, which --data takes; figures of other data are not comparable."};
    app.footer(
        "A run of about 3 minutes on two cores that do nothing else: --passes 4 --test-images 500.\n"
        "Exit status: 0; 1 after an error, or if a file could not be written; 2 after a mistake in the options; 128 and the "
        "signal's number if one stopped it.");
    app.option_defaults()->always_capture_default();
    constexpr std::size_t any = std::numeric_limits<std::size_t>::max();
    add_numbers<std::size_t>(app, "--samples", options.samples, {1, 1000}, "k of each row of the table")->default_str("1,5,50");
    add_number<std::size_t>(app, "--passes", options.passes, {1, iwae::all_passes},
                            "passes over the training data in all; 1, 4, 13, 40, 121, 364, 1093 and 3280 end a stage of the "
                            "paper's learning rate, of which fewer passes are the beginning");
    add_number<std::size_t>(app, "--test-images", options.test_images, {2, any},
                            "how many of the test set, drawn by chance, the estimate takes")
        ->default_str("all");
    add_path(app, "--data", options.data, "directory of IDX or .npy files, as of ae_vs_vae; pixels are made 0 or 1 by chance");
    add_path(app, "--json", options.json, "file for the table, written after each row")->default_str("none");
    add_number<std::uint64_t>(app, "--seed", options.seed, {0, any}, "of all random streams");
    add_number<int>(app, "--threads", options.threads, {1, 256}, "for matrix products and large elementwise work");
    CLI::Option* checkpoint = add_path(app, "--checkpoint", options.checkpoint,
                                       "directory for the state of training, written after every pass and at Ctrl-C; a run "
                                       "without --resume replaces what is there")
                                  ->default_str("none");
    app.add_flag("--resume", options.resume,
                 "go on from the checkpoint as if training had not been stopped; estimates are made anew")
        ->needs(checkpoint);
    add_number<std::size_t>(app, "--stop-after-steps", options.stop_after_steps, {0, any},
                            "do what Ctrl-C does after this many steps of training and images of estimates; 0: never");
    refuse_values_of_flags(app);
    try {
        app.parse(argc, argv);
        if (options.samples.empty()) options.samples = {1, 5, 50};
        std::vector<std::size_t> sorted = options.samples;
        std::sort(sorted.begin(), sorted.end());
        if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
            throw CLI::ValidationError("--samples: one of them twice");
        }
    } catch (const CLI::Success& help) {
        return app.exit(help);
    } catch (const CLI::ParseError& error) {
        complain(fmt::format("{}\n--help lists the options.", error.what()));
        return 2;
    }
    return std::nullopt;
}

/// What is still to be done of a row, and the seconds that each step and each image of it take.
struct Work {
    std::size_t k = 0, steps = 0, images = 0;
    double seconds_a_step = 0, seconds_an_image = 0;

    double seconds() const {
        return static_cast<double>(steps) * seconds_a_step + static_cast<double>(images) * seconds_an_image;
    }
};

/// The line that is overwritten, and the time that all rows together are still to take.
class Display {
   public:
    explicit Display(const std::vector<Work>& plan) : plan_(plan) {}

    /// `more` is left out where the terminal has no room for it.
    void overwrite(const std::string& begin, const std::string& more) {
        if (!line_.is_due()) return;
        const std::string left = time_left();
        line_.overwrite({begin + "  " + more + "  " + left, begin + "  " + left, begin});
    }
    void line(const std::string& text) { line_.end_with(text); }
    void end_line() { line_.end(); }
    std::string time_left() const {
        double seconds = 0;
        for (const Work& work : plan_) seconds += work.seconds();
        return clock_time(seconds) + " left";
    }

   private:
    const std::vector<Work>& plan_;
    LiveLine line_;
};

/// The training of one row's model, with its checkpoint.
class Training {
   public:
    const std::size_t k;
    iwae::Model model;

    /// Rows of one table begin with the same weights, and see the same images in the same order, binarised alike.
    Training(std::size_t samples, const Data& data, const TableOptions& options)
        : k(samples),
          model(make_model(data.train.images, options.seed)),
          images_(data.train.images),
          options_(options),
          noise_(autograd::Rng(options.seed).stream("noise")),
          binarise_(autograd::Rng(options.seed).stream("binarise")),
          batches_(images_.shape()[0], iwae::images_in_a_step, autograd::Rng(options.seed).stream("shuffle")),
          agreed_{{"the program", "iwae_table"},
                  {"--samples", fmt::to_string(samples)},
                  {"--data", data.fingerprint},
                  {"--seed", fmt::to_string(options.seed)}} {}

    std::size_t steps_in_a_pass() const { return batches_.size(); }
    std::size_t steps_left() const { return (options_.passes + 1 - pass_) * steps_in_a_pass() - step_; }

    fs::path file() const { return fs::path(options_.checkpoint) / fmt::format("k-{}.safetensors", k); }

    void save() {
        if (options_.checkpoint.empty()) return;
        nn::Notes notes = agreed_;
        notes[progress_note] = OrderedJson{{"pass", pass_}, {"step", step_}, {"bounds", bounds_}}.dump();
        notes[threads_note] = fmt::to_string(options_.threads);
        nn::save(file(), model, adam_, generators(), notes);
    }

    /// Takes over a checkpoint.
    /// @throws FileError, naming the options in which it differs, if it is that of another run, or is damaged.
    void load() {
        const nn::Notes notes = nn::read_safetensors(file()).metadata;
        require_agreement(file(), notes, agreed_);
        std::size_t pass = 0, step = 0;
        double bounds = 0;
        try {
            const OrderedJson progress = OrderedJson::parse(notes.at(progress_note));
            pass = progress.at("pass").get<std::size_t>();
            step = progress.at("step").get<std::size_t>();
            bounds = progress.at("bounds").get<double>();
        } catch (const std::exception& error) {  // of a note that is not there, or not as save() writes it
            throw nn::FileError(file(), fmt::format("the note of its progress is damaged: {}", error.what()));
        }
        if (pass == 0 || pass > iwae::all_passes + 1 || step >= steps_in_a_pass()) {
            throw nn::FileError(file(), "the note of its progress contradicts itself");
        }
        if (pass > options_.passes + 1 || (pass == options_.passes + 1 && step > 0)) {
            throw nn::FileError(file(), fmt::format("has been trained for more than --passes {}", options_.passes));
        }
        nn::load(file(), model, adam_, generators());
        pass_ = pass;
        step_ = step;
        bounds_ = bounds;
        compare_threads(file(), notes, options_.threads);
    }

    /// Trains until all passes are made, and keeps `work` up to date. A checkpoint that cannot be written after a pass is said,
    /// and it goes on; if that holds for the last one too, it is among `failures`.
    /// @throws Error if a bound is not finite; Interrupted after a signal, with all that there is saved, or FileError then, if
    /// that cannot be saved.
    void run(Work& work, Display& display, Interrupts& interrupts, Failures& failures) {
        Failures unsaved;  // of the last pass
        const Clock::time_point start = Clock::now();
        std::size_t steps = 0;
        while (pass_ <= options_.passes) {
            const auto order = batches_.epoch(pass_);
            const Clock::time_point start_of_pass = Clock::now();
            const std::size_t first_step = step_;
            const std::string begin = fmt::format("k = {:<2}  pass {:4}/{}", k, pass_, options_.passes);
            while (step_ < order.size()) {
                make_step(order[step_]);
                ++step_;
                work.steps = steps_left();
                work.seconds_a_step = seconds_since(start) / static_cast<double>(++steps);
                display.overwrite(fmt::format("{} {:3} %", begin, 100 * step_ / order.size()),
                                  fmt::format("bound {:.2f}", mean_bound()));
                if (step_ < order.size()) stop_if_asked(display, interrupts);
            }
            const double seconds_a_step = seconds_since(start_of_pass) / static_cast<double>(step_ - first_step);
            display.line(fmt::format("{}  learning rate {:.2e}  bound {:.2f}  {:.1f} s a pass  {}", begin,
                                     iwae::learning_rate(pass_), mean_bound(),
                                     seconds_a_step * static_cast<double>(order.size()), display.time_left()));
            ++pass_;
            step_ = 0;
            bounds_ = 0;
            unsaved = {};
            if (!unsaved.attempt("checkpoint", [&] { save(); })) {
                complain(fmt::format("{}\nk = {} goes on without it.", unsaved.list().front(), k));
            }
            stop_if_asked(display, interrupts);
        }
        for (const std::string& failure : unsaved.list()) failures.add(failure);
    }

    /// @throws Interrupted, with all that there is saved, after a signal.
    void stop_if_asked(Display& display, Interrupts& interrupts) {
        if (!interrupts.after_step()) return;
        display.end_line();
        save();
        throw Interrupted(interrupts.exit_code());
    }

    /// Seconds that a step takes, by making a few: of an object that is trained no further.
    double rehearse() {
        const auto order = batches_.epoch(1);
        constexpr std::size_t untimed = 3, timed = 12;
        Clock::time_point start;
        for (std::size_t i = 0; i < untimed + timed; ++i) {
            if (i == untimed) start = Clock::now();
            make_step(order[i % order.size()]);
        }
        return seconds_since(start) / timed;
    }

   private:
    static iwae::Model make_model(const autograd::Array<float>& images, std::uint64_t seed) {
        autograd::Rng rng = autograd::Rng(seed).stream("init");
        return {images, rng};
    }
    /// One step, with the images of these rows.
    void make_step(std::span<const std::size_t> rows) {
        nn::gather_rows(images_, rows, batch_);
        binarise_.fill_bernoulli(batch_, batch_);  // anew in each pass
        adam_.options.lr = iwae::learning_rate(pass_);
        const double sum = iwae::training_step(model, adam_, tape_, batch_, k, noise_);
        bounds_ += sum;
        if (std::isfinite(sum)) return;
        throw autograd::Error(fmt::format("k = {}: training diverged: in pass {} the bound of a batch is {}", k, pass_,
                                          sum / static_cast<double>(rows.size())));
    }
    nn::Generators generators() { return {{"noise", &noise_}, {"binarise", &binarise_}}; }
    /// Over the images of this pass up to now.
    double mean_bound() const {
        const std::size_t images = std::min(step_ * iwae::images_in_a_step, images_.shape()[0]);
        return bounds_ / static_cast<double>(images);
    }

    const autograd::Array<float>& images_;
    const TableOptions& options_;
    autograd::Rng noise_, binarise_;
    nn::Batches batches_;
    nn::Notes agreed_;
    nn::Adam adam_{iwae::adam_options};
    autograd::Tape<float> tape_;
    autograd::Array<float> batch_;
    std::size_t pass_ = 1, step_ = 0;  ///< the pass that is running, and the steps made within it
    double bounds_ = 0;                ///< the sum of this pass
};

/// A row of the table.
struct Row {
    std::size_t k;
    Estimate nll;
    std::size_t active_units;
};

/// The images that log p(x) is estimated of: as many of the test set, which may be sorted by class, as are asked for.
autograd::Array<float> chosen_test_images(const Data& data, const TableOptions& options) {
    const autograd::Array<float>& all = data.test.images;
    const std::size_t count = all.shape()[0], asked_for = options.test_images == 0 ? count : options.test_images;
    if (asked_for > count) {
        throw autograd::Error(fmt::format("--test-images {}: the test set has {}", asked_for, count));
    }
    const auto order = autograd::Rng(options.seed).stream("test images").permutation(count);
    autograd::Array<float> chosen;
    nn::gather_rows(all, std::span(order).first(asked_for), chosen);
    return chosen;
}

/// Seconds that the estimate takes for an image.
double rehearse_estimate(const iwae::Model& model, const autograd::Array<float>& images) {
    constexpr std::size_t untimed = 1, timed = 2;
    Clock::time_point start;
    autograd::Array<float> image;
    for (std::size_t i = 0; i < untimed + timed; ++i) {
        if (i == untimed) start = Clock::now();
        const std::size_t rows[] = {i % images.shape()[0]};
        nn::gather_rows(images, rows, image);
        std::ignore = iwae_log_likelihoods(iwae::latent_model(model), image, iwae::estimate_samples, autograd::Rng(0));
    }
    return seconds_since(start) / timed;
}

/// @param images those of the estimate
Row make_row(Training& training, const autograd::Array<float>& images, const Data& data, const TableOptions& options,
             Work& work, Display& display, Interrupts& interrupts) {
    const autograd::Rng rng = autograd::Rng(options.seed).stream("estimate");
    const Clock::time_point start = Clock::now();
    const std::size_t count = images.shape()[0];
    const auto after_images = [&](std::size_t done) {
        work.images = count - done;
        work.seconds_an_image = seconds_since(start) / static_cast<double>(done);
        display.overwrite(fmt::format("k = {:<2}  log p(x) of image {}/{}", training.k, done, count), "");
        training.stop_if_asked(display, interrupts);
    };
    auto each = iwae_log_likelihoods(iwae::latent_model(training.model), images, iwae::estimate_samples, rng, after_images);
    for (double& log_p : each) log_p = -log_p;
    const Row row{training.k, mean_of(each), iwae::active_units(training.model, data.test.images, rng)};
    display.line(fmt::format("k = {:<2}  NLL {:.2f}, {} active units; the estimate took {}", row.k, row.nll.value,
                             row.active_units, clock_time(seconds_since(start))));
    return row;
}

/// What the paper has no row for, and a standard error that images do not say, is null.
OrderedJson to_json(const std::vector<Row>& rows, const Data& data, std::size_t test_images, const TableOptions& options) {
    OrderedJson table{{"paper", "Burda, Grosse and Salakhutdinov, Importance weighted autoencoders, ICLR 2016, Table 1"},
                      {"data", data.fingerprint},
                      {"seed", options.seed},
                      {"passes", options.passes},
                      {"passes_of_the_paper", iwae::all_passes},
                      {"test_images", test_images},
                      {"samples_of_the_estimate", iwae::estimate_samples},
                      {"rows", OrderedJson::array()}};
    for (const Row& row : rows) {
        OrderedJson json{{"k", row.k}, {"nll", row.nll.value}, {"standard_error", nullptr}, {"active_units", row.active_units}};
        if (row.nll.standard_error) json["standard_error"] = *row.nll.standard_error;
        const auto paper = iwae::paper_row(row.k);
        json["paper_on_mnist"] = nullptr;
        if (paper) json["paper_on_mnist"] = {{"nll", paper->nll}, {"active_units", paper->active_units}};
        table["rows"].push_back(json);
    }
    return table;
}

void print_table(const std::vector<Row>& rows, const Data& data, std::size_t test_images, const TableOptions& options) {
    const auto line = [](const auto&... cells) { say("{:>5}  {:>18}  {:>12}  {:>15}  {:>18}\n", cells...); };
    say("\n");
    line("k", "NLL", "active units", "NLL, paper", "active units, paper");
    for (const Row& row : rows) {
        const auto paper = iwae::paper_row(row.k);
        const auto error = row.nll.standard_error ? fmt::format(" +- {:.2f}", *row.nll.standard_error) : std::string();
        line(row.k, fmt::format("{:.2f}{}", row.nll.value, error), row.active_units,
             paper ? fmt::format("{:.2f}", paper->nll) : "-", paper ? fmt::to_string(paper->active_units) : "-");
    }
    say("\n");
    say_wrapped(fmt::format("NLL: of {} of {} test images, in nats, by {} samples each; +- is the standard error over images.",
                            test_images, data.test.images.shape()[0], iwae::estimate_samples));
    say_wrapped(options.passes == iwae::all_passes
                    ? fmt::format("These are after all of the paper's {} passes.", iwae::all_passes)
                    : fmt::format("These are after pass {} of the paper's {}.", options.passes, iwae::all_passes));
    say_wrapped("The paper's figures are of MNIST: with figures of other data they cannot be compared.");
}

/// Fails before the training where that can be seen, and makes room for what it writes.
void prepare_files(const TableOptions& options, const std::vector<std::unique_ptr<Training>>& trainings) {
    if (!options.json.empty()) {
        nn::require_writable(options.json);
        nn::remove_leftovers(options.json);
    }
    if (options.checkpoint.empty()) return;
    make_directory(options.checkpoint);
    bool any = false;
    for (const auto& training : trainings) {
        prepare_checkpoint(training->file(), options.resume);
        if (!options.resume || !nn::is_there(training->file())) continue;
        training->load();
        any = true;
    }
    if (options.resume && !any)
        throw nn::FileError(options.checkpoint, "has no checkpoint of these --samples: nothing to --resume");
}

/// Returns the program's exit status.
int run(const TableOptions& options) {
    autograd::set_num_threads(options.threads);
    Options of_data;
    of_data.data = options.data;
    of_data.binarise = true;
    const Data data = load_data(of_data, autograd::Rng(options.seed));
    const autograd::Array<float> images = chosen_test_images(data, options);
    std::vector<std::unique_ptr<Training>> trainings;
    for (const std::size_t k : options.samples) trainings.push_back(std::make_unique<Training>(k, data, options));
    prepare_files(options, trainings);

    Interrupts interrupts(options.stop_after_steps);
    say_wrapped(fmt::format("{}: {}", nn::printable(options.data), data.fingerprint));
    say_wrapped(fmt::format("{}-{}-{}-{}, k = {}, {} of {} passes. {}", data.rows * data.columns, iwae::hidden_units,
                            iwae::hidden_units, iwae::latent_units, fmt::join(options.samples, ", "), options.passes,
                            iwae::all_passes, autograd::describe_backend()));
    flush_output();
    std::vector<Work> plan;
    double seconds_an_image = 0;
    for (const auto& training : trainings) {
        Training trial(training->k, data, options);
        const double seconds_a_step = trial.rehearse();
        if (plan.empty()) seconds_an_image = rehearse_estimate(trial.model, images);
        plan.push_back({training->k, training->steps_left(), images.shape()[0], seconds_a_step, seconds_an_image});
        say("k = {:<2}  about {:.1f} s a pass, {:.0f} ms for an image of the estimate\n", training->k,
            seconds_a_step * static_cast<double>(training->steps_in_a_pass()), 1e3 * seconds_an_image);
    }
    Display display(plan);
    display.line("about " + display.time_left());

    Failures failures, unwritten;
    std::vector<Row> rows;
    for (std::size_t i = 0; i < trainings.size(); ++i) {
        trainings[i]->run(plan[i], display, interrupts, failures);
        rows.push_back(make_row(*trainings[i], images, data, options, plan[i], display, interrupts));
        if (options.json.empty()) continue;
        const std::string text = to_json(rows, data, images.shape()[0], options).dump(4) + '\n';
        unwritten = {};  // what the table before had not is in this one
        unwritten.attempt("--json", [&] { nn::write_file_atomically(options.json, std::as_bytes(std::span(text))); });
    }
    print_table(rows, data, images.shape()[0], options);
    for (const std::string& failure : unwritten.list()) failures.add(failure);
    for (const std::string& failure : failures.list()) complain(failure);
    return failures.list().empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow further is an error of that file
    TableOptions options;
    const std::optional<int> over = parse(argc, argv, options);
    return status_after_output(over ? *over
                                    : exit_status([&] { return run(options); }, options.checkpoint, "there was no --checkpoint",
                                                  "smaller --samples take less"));
}
