// Which options must agree, and how they and the progress are written down.
#include "checkpoint.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <nn/data/file.hpp>
#include <system_error>

#include "film.hpp"
#include "metrics.hpp"
#include "terminal.hpp"

namespace {

namespace fs = std::filesystem;

constexpr const char* data_note = "--data";
// Which model a file holds, and as what it was written. Files of earlier versions do not say.
constexpr const char *kind_note = "the model", *file_note = "the file's name";

/// What makes a model the model it is.
nn::Notes model_options(const std::string& kind, const Options& options, const NetworkOptions& network) {
    return {{kind_note, kind},
            {"--latent", fmt::to_string(network.latent)},
            {"--hidden", fmt::to_string(network.hidden)},
            {"--architecture", name_of(network.architecture)},
            {"--likelihood", name_of(network.likelihood)},
            {"--conditional", network.classes > 0 ? fmt::format("{} classes", network.classes) : "no"},
            {"--binarise", options.binarise ? "yes" : "no"}};
}

/// What makes a training the training it is. The number of epochs belongs to it only where a step before the last
/// depends on it: else a finished training can be prolonged.
nn::Notes training_options(const Role& role, const Options& options, const NetworkOptions& network, const Data& data) {
    nn::Notes notes = model_options(role.kind, options, network);
    notes.insert({{file_note, role.file},
                  {data_note, data.fingerprint},
                  {"--seed", fmt::to_string(options.seed)},
                  {"--batch", fmt::to_string(options.batch)},
                  {"--lr", fmt::to_string(options.lr)},
                  {"--schedule", name_of(options.schedule)},
                  {"--beta", fmt::to_string(options.beta)},
                  {"--kl-warmup", fmt::to_string(options.kl_warmup)},
                  {"--kl-cycles", fmt::to_string(options.kl_cycles)},
                  {"--samples", fmt::to_string(options.samples)},
                  {"--early-stopping", fmt::to_string(options.early_stopping)}});
    if (options.schedule != Schedule::constant || options.kl_cycles > 0) notes["--epochs"] = fmt::to_string(options.epochs);
    return notes;
}

void say_taken_for(const fs::path& path, const std::string& kind) {
    complain(fmt::format("{}: of an earlier version, which did not note whose weights these are. They are taken for the {}'s.",
                         nn::printable(path.native()), kind));
}

/// What files of earlier versions do not note is taken to be as it is here.
/// @throws FileError if a note of the file is not as it is here.
void require_agreement_but_for_earlier_versions(const fs::path& path, const nn::Notes& found, nn::Notes here) {
    const std::string kind = here.at(kind_note);
    for (const char* note : {kind_note, file_note}) {
        if (!found.contains(note)) here.erase(note);
    }
    require_agreement(path, found, here);
    if (!found.contains(kind_note)) say_taken_for(path, kind);
}

std::string text_of(const Progress& progress) {
    return Json{{"epoch", progress.epoch},
                {"step", progress.step},
                {"sums", {progress.sums.reconstruction, progress.sums.kl, progress.sums.images}},
                {"history", to_json(progress.history)}}
        .dump();
}

Progress progress_of(const fs::path& path, const nn::Notes& notes) {
    try {
        const Json json = Json::parse(notes.at(progress_note));
        Progress progress;
        progress.epoch = json.at("epoch").get<std::size_t>();
        progress.step = json.at("step").get<std::size_t>();
        const Json& sums = json.at("sums");
        progress.sums = {sums.at(0).get<double>(), sums.at(1).get<double>(), sums.at(2).get<double>()};
        progress.history = history_from_json(json.at("history"));
        if (progress.epoch != progress.history.epochs.size() + 1 ||
            progress.history.best_epoch > progress.history.epochs.size()) {
            throw nn::FileError(path, "the note of its progress contradicts itself");
        }
        return progress;
    } catch (const std::out_of_range&) {
        throw nn::FileError(path, "has no note of its progress: it is no checkpoint of this program");
    } catch (const nlohmann::json::exception& error) {
        throw nn::FileError(path, fmt::format("the note of its progress is damaged: {}", error.what()));
    }
}

}  // namespace

void require_agreement(const fs::path& path, const nn::Notes& found, const nn::Notes& here) {
    std::string problems;
    for (const auto& [option, value] : here) {
        const auto there = found.find(option);
        if (there != found.end() && there->second == value) continue;
        if (!problems.empty()) problems += "; ";
        problems += there == found.end() ? fmt::format("{} is not noted in it", option)
                                         : fmt::format("{} is {} in it, and {} here", option, there->second, value);
    }
    if (!problems.empty()) throw nn::FileError(path, "is a checkpoint of another run: " + problems);
}

void compare_threads(const fs::path& path, const nn::Notes& found, int threads) {
    const auto there = found.find(threads_note);
    if (there != found.end() && there->second == fmt::to_string(threads)) return;
    complain(fmt::format("{}: written with another number of --threads: what follows is the same up to rounding only",
                         nn::printable(path.native())));
}

void make_directory(const fs::path& path) {
    std::error_code failure;
    fs::create_directories(path, failure);
    if (failure) throw nn::FileError(path, "cannot make this directory: " + failure.message());
    if (access(path.c_str(), W_OK | X_OK) != 0) throw nn::FileError(path, "not writable");
}

void prepare_checkpoint(const fs::path& file, bool resume) {
    nn::require_writable(file);
    nn::remove_leftovers(file);
    if (resume || !nn::is_there(file)) return;
    std::error_code failure;
    fs::remove(fs::canonical(file), failure);  // links stay
    if (failure) throw nn::FileError(file, "cannot be removed: " + failure.message());
}

Checkpoint::Checkpoint(const Role& role, const Options& options, const NetworkOptions& network, const Data& data)
    : agreed_(training_options(role, options, network, data)),
      epochs_(options.epochs),
      steps_per_epoch_(nn::Batches(data.train.images.shape()[0], options.batch).size()),
      threads_(options.threads),
      test_(data.test),
      keeps_best_(options.early_stopping > 0) {
    if (options.checkpoint.empty()) return;
    path_ = fs::path(options.checkpoint) / role.file;
    best_path_ = path_;
    best_path_.replace_filename(path_.stem().string() + "-best" + path_.extension().string());
}

void Checkpoint::save(const TrainingState& state) const {
    if (path_.empty()) return;
    std::error_code failure;
    fs::create_directories(path_.parent_path(), failure);
    if (failure) throw nn::FileError(path_.parent_path(), "cannot make this directory: " + failure.message());
    if (keeps_best_) nn::save(best_path_, state.best, agreed_);
    nn::Notes notes = agreed_;
    notes[progress_note] = text_of(state.progress);
    notes[threads_note] = fmt::to_string(threads_);
    nn::save(path_, state.model, state.adam, state.generators, notes, arrays_of(state.progress.history.film));
}

bool Checkpoint::load(const TrainingState& state) const {
    if (path_.empty() || !nn::is_there(path_)) return false;
    const nn::TensorFile contents = nn::read_safetensors(path_);
    const nn::Notes& notes = contents.metadata;
    require_agreement_but_for_earlier_versions(path_, notes, agreed_);
    Progress progress = progress_of(path_, notes);
    progress.history.film = film_of(path_, contents, test_);
    if (progress.step > steps_per_epoch_ || progress.history.steps != (progress.epoch - 1) * steps_per_epoch_ + progress.step) {
        throw nn::FileError(path_, "the note of its progress contradicts itself");
    }
    if (progress.epoch > epochs_ + 1 || (progress.epoch == epochs_ + 1 && progress.step > 0)) {
        throw nn::FileError(path_, fmt::format("has been trained for more than --epochs {}", epochs_));
    }
    if (keeps_best_) {
        const nn::Notes of_best = nn::read_safetensors(best_path_).metadata;
        if (of_best.empty()) {  // of an earlier version
            say_taken_for(best_path_, agreed_.at(kind_note));
        } else {
            require_agreement_but_for_earlier_versions(best_path_, of_best, agreed_);
        }
        nn::load(best_path_, state.best);
    }
    nn::load(path_, state.model, state.adam, state.generators);
    state.progress = std::move(progress);
    compare_threads(path_, notes, threads_);
    return true;
}

History load_model(const fs::path& path, const std::string& kind, Autoencoder& model, const Options& options,
                   const NetworkOptions& network, const Data& data) {
    const nn::TensorFile contents = nn::read_safetensors(path);
    require_agreement_but_for_earlier_versions(path, contents.metadata, model_options(kind, options, network));
    History history = progress_of(path, contents.metadata).history;
    const auto trained_on = contents.metadata.find(data_note);
    if (trained_on != contents.metadata.end() && trained_on->second == data.fingerprint) {  // else it shows other pictures
        history.film = film_of(path, contents, data.test);
    }
    nn::load(path, model);
    return history;
}
