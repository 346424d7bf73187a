// The training loop: gather, forward, backward, step. Everything random comes from streams of its own, so that evaluating
// does not change what training draws, and both models see the same order.
#include "training.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Sums over images in double: a float loses digits over ten thousand of them.
class Mean {
   public:
    void add(const Loss& batch, std::size_t images) {
        const auto count = static_cast<double>(images);
        sum_.loss += count * static_cast<double>(batch.loss.item());
        sum_.reconstruction += count * static_cast<double>(batch.reconstruction.item());
        sum_.kl += count * static_cast<double>(batch.kl.item());
        images_ += count;
    }
    LossValues value() const { return {sum_.loss / images_, sum_.reconstruction / images_, sum_.kl / images_}; }

   private:
    LossValues sum_;
    double images_ = 0;
};

std::string clock_time(double seconds) {
    const long whole = std::lround(seconds);
    return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string losses(const LossValues& values) {
    return fmt::format("{:7.2f} = {:6.2f} + {:5.2f}", values.loss, values.reconstruction, values.kl);
}

/// A line per epoch, overwritten while it grows if a person is watching.
class Progress {
   public:
    Progress(std::string name, std::size_t epochs, std::size_t epochs_to_come)
        : name_(std::move(name)), epochs_(epochs), epochs_to_come_(epochs_to_come) {}

    void within(std::size_t epoch, double fraction, std::size_t images, const LossValues& train) {
        if (!live_ || seconds_since(last_) < 0.1) return;
        last_ = Clock::now();
        const double done = static_cast<double>(epoch - 1) + fraction;
        fmt::print("\r\033[K{} {:3.0f} %  train {}  {}", label(epoch), 100 * fraction, losses(train), speed(images, done));
        std::fflush(stdout);
    }
    void epoch_done(const EpochRecord& record, std::size_t images) {
        fmt::print("{}{}  train {}  test {}  {}\n", live_ ? "\r\033[K" : "", label(record.epoch), losses(record.train),
                   losses(record.test), speed(images, static_cast<double>(record.epoch)));
        std::fflush(stdout);
        epoch_start_ = Clock::now();
    }

   private:
    std::string label(std::size_t epoch) const { return fmt::format("{:3} {:2}/{}", name_, epoch, epochs_); }
    std::string speed(std::size_t images, double epochs_done) const {
        const double left = seconds_since(start_) / epochs_done * (static_cast<double>(epochs_ + epochs_to_come_) - epochs_done);
        return fmt::format("{:6.0f} images/s  {} left", static_cast<double>(images) / seconds_since(epoch_start_),
                           clock_time(left));
    }

    std::string name_;
    std::size_t epochs_, epochs_to_come_;
    bool live_ = isatty(STDOUT_FILENO) != 0;
    Clock::time_point start_ = Clock::now(), epoch_start_ = start_, last_ = start_;
};

template <class T>
void require_finite(T loss, const std::string& name, std::size_t step) {
    if (std::isfinite(loss)) return;
    throw autograd::Error(fmt::format("{}: the loss at step {} is {}: a smaller --lr or --beta may help", name, step, loss));
}

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

}  // namespace

LossValues evaluate(const Autoencoder& model, const LossFunction& loss, const autograd::Array<float>& images,
                    autograd::Rng rng) {
    autograd::Tape<float> tape({.inference = true});
    Mean mean;
    autograd::Array<float> batch;
    for (const auto rows : nn::Batches(images.shape()[0], 500).epoch(1)) {
        nn::gather_rows(images, rows, batch);
        mean.add(loss(model, tape.constant(batch), 1, rng), rows.size());
        tape.clear();
    }
    return mean.value();
}

History train(const std::string& name, Autoencoder& model, const LossFunction& loss, const TrainingData& data,
              const Options& options, const autograd::Rng& rng, std::size_t epochs_to_come) {
    const nn::Batches batches(data.train.shape()[0], options.batch, rng.stream("shuffle"));
    autograd::Rng noise = rng.stream("noise");
    nn::Adam adam({.lr = options.lr});
    autograd::Tape<float> tape;
    nn::attach(tape, model);
    autograd::Parameter<float> batch;  // borrowed by the tape, not copied
    History history;
    std::vector<double> step_milliseconds;
    Progress progress(name, options.epochs, epochs_to_come);

    for (std::size_t epoch = 1; epoch <= options.epochs; ++epoch) {
        Mean mean;
        std::size_t images = 0;
        const auto order = batches.epoch(epoch);
        for (std::size_t step = 0; step < order.size(); ++step) {
            const auto start = Clock::now();
            nn::gather_rows(data.train, order[step], batch.mutable_value());
            tape.clear();
            const Loss found = loss(model, tape.constant(batch), options.samples, noise);
            require_finite(found.loss.item(), name, history.steps + 1);
            adam.step(model, backward(found.loss));
            step_milliseconds.push_back(1e3 * seconds_since(start));
            ++history.steps;
            images += order[step].size();
            mean.add(found, order[step].size());
            progress.within(epoch, static_cast<double>(step + 1) / static_cast<double>(order.size()), images, mean.value());
        }
        history.epochs.push_back({epoch, mean.value(), evaluate(model, loss, data.test, rng.stream("evaluation"))});
        require_finite(history.epochs.back().test.loss, name, history.steps);
        progress.epoch_done(history.epochs.back(), images);
    }
    history.ms_per_step = median(step_milliseconds);
    return history;
}
