// Fuzzes the command line of examples/ae_vs_vae: an input is its arguments, one a line. It is taken, and then within the
// ranges that --help tells, or refused with exit status 2; only a request for help ends with 0.
#include "fuzz.hpp"

#include "ae_vs_vae/options.hpp"

#include <cmath>
#include <optional>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::vector<std::string> arguments{"ae_vs_vae", ""};
    for (std::size_t i = 0; i < size; ++i) {
        if (data[i] == '\n') {
            arguments.emplace_back();
        } else if (data[i] != 0) {  // which no argument has
            arguments.back() += static_cast<char>(data[i]);
        }
    }
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    // Making one takes longer than what it does. But what the library for it notes of each option is never cleared.
    static std::optional<CommandLine> command_line;
    static unsigned inputs = 0;
    if (inputs++ % 10000 == 0) command_line.emplace();
    Parsed parsed;
    try {
        parsed = command_line->parse(static_cast<int>(arguments.size()), pointers.data());
    } catch (const std::exception& error) {
        fuzz::fault(std::string("an exception: ") + error.what());
    }
    if (parsed.exit_code) {
        fuzz::require(*parsed.exit_code == 0 || *parsed.exit_code == 2, "another exit status");
        return 0;
    }
    const Options& options = parsed.options;
    const auto within = [](auto value, auto low, auto high) { return value >= low && value <= high; };
    fuzz::require(within(options.threads, 1, 256), "--threads");
    fuzz::require(within(options.latent, 1U, 1024U), "--latent");
    fuzz::require(within(options.hidden, 1U, 16384U), "--hidden");
    fuzz::require(within(options.epochs, 1U, 100000U), "--epochs");
    fuzz::require(within(options.batch, 1U, 4096U), "--batch");
    fuzz::require(within(options.samples, 1U, 100U), "--samples");
    fuzz::require(within(options.lr, 1e-12, 1e30), "--lr");
    fuzz::require(within(options.beta, 0.0, 1e6), "--beta");
    fuzz::require(within(options.kl_warmup, 0.0, 100000.0), "--kl-warmup");
    for (const double beta : options.betas) fuzz::require(within(beta, 1e-6, 1e6), "--betas");
    return 0;
}
