// The state of one model's training as a file, and the refusal to go on from a file of another run. The format is
// nn::save's; what this adds are notes: the options, and how far training had come.
#pragma once

#include <filesystem>
#include <string>

#include "data.hpp"
#include "models.hpp"
#include "options.hpp"
#include "training.hpp"

/// The notes of every checkpoint that may differ from run to run: how far training had come, and the number of threads.
inline constexpr const char *progress_note = "progress", *threads_note = "--threads";

/// That a checkpoint was written with the options of here, which are notes by their names.
/// @throws FileError, naming those in which it differs, if it was not.
void require_agreement(const std::filesystem::path& path, const nn::Notes& found, const nn::Notes& here);

/// Says on standard error if a checkpoint was written with another number of threads.
void compare_threads(const std::filesystem::path& path, const nn::Notes& found, int threads);

/// @throws FileError if the directory cannot be made, or written to.
void make_directory(const std::filesystem::path& path);

/// Before a training: what can be seen to go wrong with its file does so now, and what another run has left there is removed
/// unless it is to be gone on from.
/// @throws FileError if the file could not be written, or removed.
void prepare_checkpoint(const std::filesystem::path& file, bool resume);

/// All that training changes.
struct TrainingState {
    Autoencoder& model;
    Autoencoder& best;  ///< that of the best epoch, where early stopping keeps it
    nn::Adam& adam;
    nn::Generators generators;
    Progress& progress;
};

/// Where a model's training is kept, if anywhere: DIRECTORY/vae.safetensors, and with early stopping beside it
/// vae-best.safetensors.
class Checkpoint {
   public:
    /// In the directory options.checkpoint; with none, nothing is ever written. `data` must outlive it.
    Checkpoint(const Role& role, const Options& options, const NetworkOptions& network, const Data& data);

    /// @throws FileError if a file cannot be written; one that was there before is then as it was.
    void save(const TrainingState& state) const;

    /// False, with nothing changed, if there is no such file.
    /// @throws FileError, naming the options in which it differs, if the file is that of another model or of a run with
    /// other data or other options, or is damaged.
    bool load(const TrainingState& state) const;

   private:
    std::filesystem::path path_, best_path_;
    nn::Notes agreed_;
    std::size_t epochs_, steps_per_epoch_;
    int threads_;
    const ImageSet& test_;  ///< which it must not outlive
    bool keeps_best_;
};

/// Takes over a model's weights, whether its training was finished or not, and returns its history, with its film if it was
/// trained on this data. `kind`: "AE" or "VAE".
/// @throws FileError if the file is missing or is that of another kind of model, naming the options in which it
/// differs.
History load_model(const std::filesystem::path& path, const std::string& kind, Autoencoder& model, const Options& options,
                   const NetworkOptions& network, const Data& data);
