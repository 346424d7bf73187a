// Which options must agree, and how they and the progress are written down.
#include "checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <nn/data/file.hpp>
#include <system_error>
#include <variant>
#include <vector>

#include "metrics.hpp"
#include "terminal.hpp"

namespace {

namespace fs = std::filesystem;
using autograd::Array;

constexpr const char* progress_note = "progress";
constexpr const char *threads_note = "--threads", *data_note = "--data";
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
void require_agreement(const fs::path& path, const nn::Notes& found, const nn::Notes& here) {
    std::string problems;
    for (const auto& [option, value] : here) {
        const auto there = found.find(option);
        if (there != found.end() && there->second == value) continue;
        if (there == found.end() && (option == kind_note || option == file_note)) continue;
        if (!problems.empty()) problems += "; ";
        problems += there == found.end() ? fmt::format("{} is not noted in it", option)
                                         : fmt::format("{} is {} in it, and {} here", option, there->second, value);
    }
    if (!problems.empty()) throw nn::FileError(path, "is a checkpoint of another run: " + problems);
    if (!found.contains(kind_note)) say_taken_for(path, here.at(kind_note));
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

// --- The film: its frames one after another, in an array for each of their parts -----------------------------------------

/// What each frame has, along a first axis.
template <class T, class PartOf>
Array<T> stacked(const std::vector<Frame>& film, PartOf part_of) {
    autograd::Shape shape = part_of(film.front()).shape();
    shape.insert(shape.begin(), film.size());
    Array<T> all = autograd::empty<T>(shape);
    T* to = all.data();
    for (const Frame& frame : film) {
        const auto& part = part_of(frame);
        to = std::copy(part.begin(), part.end(), to);
    }
    return all;
}

nn::Arrays arrays_of(const std::vector<Frame>& film) {
    if (film.empty()) return {};
    return {
        {"film.step", stacked<std::int64_t>(
                          film, [](const Frame& frame) { return Array<std::int64_t>(static_cast<std::int64_t>(frame.step)); })},
        {"film.loss", stacked<double>(film,
                                      [](const Frame& frame) {
                                          return Array<double>{frame.loss.loss, frame.loss.reconstruction, frame.loss.kl};
                                      })},
        {"film.codes", stacked<float>(film, [](const Frame& frame) -> const auto& { return frame.codes; })},
        {"film.pictures", stacked<std::uint8_t>(film, [](const Frame& frame) -> const auto& { return frame.pictures; })}};
}

/// Frame `index` of such an array.
template <class T>
Array<T> unstacked(const Array<T>& all, std::size_t index) {
    const autograd::Shape shape(all.shape().begin() + 1, all.shape().end());
    Array<T> part = autograd::empty<T>(shape);
    std::copy_n(all.data() + index * part.size(), part.size(), part.begin());
    return part;
}

/// The film in a file, none where there is none. `pixels`: of an image.
/// @throws nn::FileError if it is damaged.
std::vector<Frame> film_of(const fs::path& path, const nn::TensorFile& contents, std::size_t pixels) {
    const auto find = [&]<class T>(const char* name, Array<T>) -> const Array<T>* {
        const auto found = contents.tensors.find(std::string(nn::program_prefix) + name);
        return found == contents.tensors.end() ? nullptr : std::get_if<Array<T>>(&found->second);
    };
    const auto* const steps = find("film.step", Array<std::int64_t>{});
    const auto* const losses = find("film.loss", Array<double>{});
    const auto* const codes = find("film.codes", Array<float>{});
    const auto* const pictures = find("film.pictures", Array<std::uint8_t>{});
    if (steps == nullptr && losses == nullptr && codes == nullptr && pictures == nullptr) return {};
    const auto fail = [&](const char* problem) { throw nn::FileError(path, fmt::format("its film {}", problem)); };
    if (steps == nullptr || losses == nullptr || codes == nullptr || pictures == nullptr) fail("lacks a part");
    const std::size_t count = steps->dimension() == 1 ? steps->size() : 0;
    if (count == 0 || losses->shape() != autograd::Shape{count, 3} || codes->dimension() != 3 || codes->shape()[0] != count ||
        pictures->dimension() != 3 || pictures->shape()[0] != count || pictures->shape()[2] != pixels) {
        fail("has parts that do not fit together");
    }
    const auto is_finite = [](auto value) { return std::isfinite(value); };
    if (!std::all_of(losses->begin(), losses->end(), is_finite) || !std::all_of(codes->begin(), codes->end(), is_finite)) {
        fail("has a number that is not finite");
    }
    std::vector<Frame> film;
    for (std::size_t i = 0; i < count; ++i) {
        const std::int64_t step = (*steps)(i);
        if (step < 0 || (i > 0 && static_cast<std::size_t>(step) <= film.back().step)) fail("has steps out of order");
        film.push_back({static_cast<std::size_t>(step),
                        {(*losses)(i, 0), (*losses)(i, 1), (*losses)(i, 2)},
                        unstacked(*codes, i),
                        unstacked(*pictures, i)});
    }
    return film;
}

}  // namespace

Checkpoint::Checkpoint(const Role& role, const Options& options, const NetworkOptions& network, const Data& data)
    : agreed_(training_options(role, options, network, data)),
      epochs_(options.epochs),
      steps_per_epoch_(nn::Batches(data.train.images.shape()[0], options.batch).size()),
      threads_(options.threads),
      pixels_(network.rows * network.columns),
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
    require_agreement(path_, notes, agreed_);
    Progress progress = progress_of(path_, notes);
    progress.history.film = film_of(path_, contents, pixels_);
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
            require_agreement(best_path_, of_best, agreed_);
        }
        nn::load(best_path_, state.best);
    }
    nn::load(path_, state.model, state.adam, state.generators);
    state.progress = std::move(progress);
    const auto threads = notes.find(threads_note);
    if (threads == notes.end() || threads->second != fmt::to_string(threads_)) {
        complain(fmt::format("{}: written with another number of --threads: what follows is the same up to rounding only",
                             nn::printable(path_.native())));
    }
    return true;
}

History load_model(const fs::path& path, const std::string& kind, Autoencoder& model, const Options& options,
                   const NetworkOptions& network, const Data& data) {
    const nn::TensorFile contents = nn::read_safetensors(path);
    require_agreement(path, contents.metadata, model_options(kind, options, network));
    History history = progress_of(path, contents.metadata).history;
    const auto trained_on = contents.metadata.find(data_note);
    if (trained_on != contents.metadata.end() && trained_on->second == data.fingerprint) {  // else it shows other pictures
        history.film = film_of(path, contents, network.rows * network.columns);
    }
    nn::load(path, model);
    return history;
}
