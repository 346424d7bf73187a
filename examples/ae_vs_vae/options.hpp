// What the command line can ask of ae_vs_vae. No defaults elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

enum class Likelihood { bernoulli, gaussian, continuous_bernoulli };
enum class Architecture { mlp, conv };
enum class Schedule { constant, cosine, step };

struct Options {
    std::string data;
    std::string out = "out";
    bool binarise = false;
    std::uint64_t seed = 0;
    int threads = 1;

    // The models.
    std::size_t latent = 20;
    std::size_t hidden = 400;
    Architecture architecture = Architecture::mlp;
    Likelihood likelihood = Likelihood::bernoulli;
    bool conditional = false;
    bool plane = true;   ///< a second pair, whose latent has two dimensions
    bool scores = true;  ///< of generated images

    // Training.
    std::size_t epochs = 10;
    std::size_t batch = 128;
    double lr = 1e-3;
    Schedule schedule = Schedule::constant;
    double beta = 1;
    std::vector<double> betas;  ///< of further VAEs, for the curve of rate and distortion
    double kl_warmup = 0;       ///< epochs
    std::size_t kl_cycles = 0;  ///< 0: no cycles
    std::size_t samples = 1;
    std::size_t early_stopping = 0;  ///< epochs of patience; 0: off
    std::size_t film = 20;           ///< frames that the page plays, at most; 0: no film

    // Stopping and going on.
    std::string checkpoint;  ///< a directory; empty for none
    bool resume = false;
    std::string load;                  ///< a directory; empty to train
    std::size_t stop_after_steps = 0;  ///< 0: never
};

const char* name_of(Likelihood likelihood);
const char* name_of(Architecture architecture);
const char* name_of(Schedule schedule);

/// The options, or the exit code of a run that is over already: 0 after --help, 2 after a mistake, which is printed.
struct Parsed {
    Options options;
    std::optional<int> exit_code;
};

/// What takes command lines apart, one or many.
class CommandLine {
   public:
    CommandLine();
    ~CommandLine();

    Parsed parse(int argc, char** argv);

   private:
    struct Parser;
    std::unique_ptr<Parser> parser_;
};
