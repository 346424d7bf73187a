// The training loop: gather, forward, backward, step. Everything random comes from streams of its own, so that
// evaluating does not change what training draws, and both models see the same order.
#include "training.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "checkpoint.hpp"
#include "film.hpp"
#include "points.hpp"
#include "schedules.hpp"
#include "terminal.hpp"

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::string losses(const LossValues& values) {
    return fmt::format("{:7.2f} = {:6.2f} + {:5.2f}", values.loss, values.reconstruction, values.kl);
}

/// A line per epoch, overwritten while it grows if a person is watching.
class Display {
   public:
    /// `epochs_done`: those, and the part of one, that were made before.
    Display(const Role& role, std::size_t epochs, double epochs_done)
        : role_(role), epochs_(epochs), done_before_(epochs_done) {}

    void within(std::size_t epoch, double fraction, std::size_t images, const LossValues& train) {
        if (!line_.is_due()) return;
        const double done = static_cast<double>(epoch - 1) + fraction;
        const std::string begin = fmt::format("{} {:3.0f} %", label(epoch), 100 * fraction), left = time_left(done);
        line_.overwrite({fmt::format("{}  train {}  {}{}", begin, losses(train), rate(images), left),
                         fmt::format("{}  train {}{}", begin, losses(train), left),
                         fmt::format("{}  train {:.2f}{}", begin, train.loss, left), begin + left, begin});
    }
    void epoch_done(const EpochRecord& record, std::size_t images) {
        const std::string begin = label(record.epoch), left = time_left(static_cast<double>(record.epoch));
        const std::string both = fmt::format("{}  train {}  test {}", begin, losses(record.train), losses(record.test));
        const std::string whole = fmt::format("{}  {}{}", both, rate(images), left);
        const std::string totals = fmt::format("{}  train {:.2f}  test {:.2f}", begin, record.train.loss, record.test.loss);
        line_.end_with({whole, both, totals + left, totals});
        epoch_start_ = Clock::now();
    }
    void end_line() { line_.end(); }

   private:
    std::string label(std::size_t epoch) const { return fmt::format("{:<7} {:2}/{}", role_.title, epoch, epochs_); }
    std::string rate(std::size_t images) const {
        return fmt::format("{:6.0f} images/s", static_cast<double>(images) / seconds_since(epoch_start_));
    }
    std::string time_left(double done) const {
        const double to_do = static_cast<double>(epochs_ + role_.epochs_to_come) - done;
        if (done <= done_before_) return "";  // resumed where only the epoch's evaluation was left to do
        return fmt::format("  {} left", clock_time(seconds_since(start_) / (done - done_before_) * to_do));
    }

    const Role& role_;
    std::size_t epochs_;
    double done_before_;
    LiveLine line_;
    Clock::time_point start_ = Clock::now(), epoch_start_ = start_;
};

template <class T>
void require_finite(T loss, const std::string& name, std::size_t step) {
    if (std::isfinite(loss)) return;
    throw autograd::Error(
        fmt::format("{}: training diverged: the loss at step {} is {}. A smaller --lr or --beta may help", name, step, loss));
}

/// The rows of a set as a batch on a tape, in memory that is used again from step to step.
class BatchReader {
   public:
    explicit BatchReader(const ImageSet& from) : from_(from) {}

    /// With a generator, pixels become 0 or 1 by one draw of it.
    Batch read(autograd::Tape<float>& tape, std::span<const std::size_t> rows, autograd::Rng* binarise) {
        nn::gather_rows(from_.images, rows, images_.mutable_value());
        if (binarise != nullptr) binarise->fill_bernoulli(images_.mutable_value(), images_.value());
        Batch batch{tape.constant(images_)};
        if (from_.one_hot) {
            nn::gather_rows(*from_.one_hot, rows, labels_.mutable_value());
            batch.labels = tape.constant(labels_);
        }
        return batch;
    }

   private:
    const ImageSet& from_;
    autograd::Parameter<float> images_, labels_;  // borrowed by the tape, not copied
};

}  // namespace

const LossFunction plain_loss = [](const Autoencoder& model, const Batch& batch, float, std::size_t, autograd::Rng&) {
    return autoencoder_loss(model, batch);
};
const LossFunction variational_loss = [](const Autoencoder& model, const Batch& batch, float beta, std::size_t samples,
                                         autograd::Rng& noise) { return vae_loss(model, batch, beta, samples, noise); };

void LossSums::add(const Loss& batch, std::size_t count) {
    reconstruction += static_cast<double>(count) * static_cast<double>(batch.reconstruction.item());
    kl += static_cast<double>(count) * static_cast<double>(batch.kl.item());
    images += static_cast<double>(count);
}

LossValues LossSums::mean(double beta) const {
    return {(reconstruction + beta * kl) / images, reconstruction / images, kl / images};
}

LossValues evaluate(const Autoencoder& model, const LossFunction& loss, const ImageSet& images, double beta,
                    autograd::Rng rng) {
    autograd::Tape<float> tape({.inference = true});
    LossSums sums;
    BatchReader reader(images);
    for (const auto rows : nn::Batches(images.images.shape()[0], 500).epoch(1)) {
        tape.clear();
        sums.add(loss(model, reader.read(tape, rows, nullptr), static_cast<float>(beta), 1, rng), rows.size());
    }
    return sums.mean(beta);
}

LossEstimates evaluate_often(const Autoencoder& model, const LossFunction& loss, const ImageSet& images, double beta,
                             std::size_t draws, const autograd::Rng& rng) {
    std::vector<double> losses, reconstructions, kls;
    for (std::size_t i = 0; i < draws; ++i) {
        const LossValues values = evaluate(model, loss, images, beta, rng.stream(std::to_string(i)));
        losses.push_back(values.loss);
        reconstructions.push_back(values.reconstruction);
        kls.push_back(values.kl);
    }
    return {mean_of(losses), mean_of(reconstructions), mean_of(kls)};
}

History train(const Role& role, Autoencoder& model, const Data& data, const NetworkOptions& network, const Options& options,
              const autograd::Rng& rng, Interrupts& interrupts, Failures& failures) {
    const nn::Batches batches(data.train.images.shape()[0], options.batch, rng.stream("shuffle"));
    autograd::Rng noise = rng.stream("noise"), binarise = rng.stream("binarise");
    nn::Adam adam({.lr = options.lr});
    Progress progress;
    Autoencoder best = model;
    const Checkpoint checkpoint(role, options, network, data);
    const TrainingState state{model, best, adam, {{"noise", &noise}, {"binarise", &binarise}}, progress};
    if (options.resume && checkpoint.load(state)) {
        say("{:<7} {} steps are done\n", role.title, progress.history.steps);
        if (role.frames == 0) progress.history.film.clear();
        if (progress.finished(options)) return progress.history;
    }

    const Camera camera(role.frames, role.loss, network, data.test, options.beta, batches.size(), rng);
    autograd::Tape<float> tape;
    nn::attach(tape, model);
    BatchReader reader(data.train);
    std::vector<double> step_milliseconds;
    const auto epochs_done = [&] {
        return static_cast<double>(progress.epoch - 1) +
               static_cast<double>(progress.step) / static_cast<double>(batches.size());
    };
    Display display(role, options.epochs, epochs_done());
    Failures unsaved;  // of the last epoch
    while (!progress.finished(options)) {
        const auto order = batches.epoch(progress.epoch);
        std::size_t images = 0;
        while (progress.step < order.size()) {
            camera.look(model, progress.history.steps, progress.history.film);
            const auto start = Clock::now();
            const auto rows = order[progress.step];
            const Position position{progress.history.steps, batches.size()};
            tape.clear();
            const Batch batch = reader.read(tape, rows, options.binarise ? &binarise : nullptr);
            const auto beta = static_cast<float>(options.beta * kl_factor(options, position));
            const Loss found = role.loss(model, batch, beta, options.samples, noise);
            require_finite(found.loss.item(), role.title, progress.history.steps + 1);
            progress.sums.add(found, rows.size());  // before the sweep, which gives back what it has passed
            adam.options.lr = learning_rate(options, position);
            adam.step(model, backward(found.loss, {.release = true}));
            step_milliseconds.push_back(1e3 * seconds_since(start));
            ++progress.history.steps;
            ++progress.step;
            images += rows.size();
            display.within(progress.epoch, static_cast<double>(progress.step) / static_cast<double>(order.size()), images,
                           progress.sums.mean(options.beta));
            if (interrupts.after_step()) {
                display.end_line();
                checkpoint.save(state);
                throw Interrupted(interrupts.exit_code());
            }
        }
        History& history = progress.history;
        const LossValues test = evaluate(model, role.loss, data.test, options.beta, rng.stream("evaluation"));
        require_finite(test.loss, role.title, history.steps);
        camera.look(model, history.steps, history.film);
        history.epochs.push_back({progress.epoch, progress.sums.mean(options.beta), test});
        if (!step_milliseconds.empty()) history.ms_per_step = median(step_milliseconds);
        display.epoch_done(history.epochs.back(), images);
        if (history.best_epoch == 0 || test.at_beta_one() < history.epochs[history.best_epoch - 1].test.at_beta_one()) {
            history.best_epoch = progress.epoch;
            if (options.early_stopping > 0) best = model;
        } else if (options.early_stopping > 0 && progress.epoch - history.best_epoch >= options.early_stopping) {
            history.stopped_early = true;
            model = best;
            say("{:<7} stopped: no better epoch than {} in {}\n", role.title, history.best_epoch, options.early_stopping);
        }
        ++progress.epoch;
        progress.step = 0;
        progress.sums = {};
        unsaved = {};
        if (!unsaved.attempt("checkpoint", [&] { checkpoint.save(state); })) {
            complain(fmt::format("{}\n{} goes on without it.", unsaved.list().front(), role.title));
        }
    }
    for (const std::string& failure : unsaved.list()) failures.add(failure);
    return progress.history;
}
