// The example killed at any moment, within a write too, and gone on with: the same bits as if it had not been. Some kills
// with the other tests; XTAPE_KILLS=1000 asks for more.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/catch.hpp"
#include "tests/pictures.hpp"
#include "tests/programs.hpp"
#include "tests/training_files.hpp"

namespace {

using Clock = std::chrono::steady_clock;

/// Starts the example as a process of its own, of which nothing is seen.
pid_t start(const std::vector<std::string>& arguments) {
    std::vector<char*> pointers;
    for (const std::string& each : arguments) pointers.push_back(const_cast<char*>(each.c_str()));
    pointers.push_back(nullptr);
    const pid_t child = fork();
    if (child != 0) return child;
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    execv(XTAPE_EXAMPLES_DIR "/ae_vs_vae", pointers.data());
    _exit(127);
}

/// True if it had ended by itself, well.
bool kill_after(pid_t child, Clock::duration wait) {
    std::this_thread::sleep_for(wait);
    kill(child, SIGKILL);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    if (WIFEXITED(status)) CHECK(WEXITSTATUS(status) == 0);
    return WIFEXITED(status);
}

}  // namespace

TEST_CASE("ae_vs_vae: killed at random moments and resumed, the results are the same bits") {
    const char* const wanted = std::getenv("XTAPE_KILLS");
    const int kills = wanted != nullptr ? std::atoi(wanted) : 15;
    REQUIRE(kills > 0);
    const Pictures pictures(300);
    const auto run = [&](const std::string& out, bool resume) {
        std::vector<std::string> arguments{"ae_vs_vae", "--data", pictures.directory.path().string(), "--out",
                                           (pictures.directory / out).string()};
        for (const char* each : {"--latent", "3", "--hidden", "16", "--batch", "32", "--threads", "1", "--epochs", "6",
                                 "--early-stopping", "5", "--no-scores"}) {
            arguments.emplace_back(each);
        }
        if (resume) arguments.emplace_back("--resume");
        return start(arguments);
    };
    const auto finish = [&](pid_t child) {
        int status = 0;
        REQUIRE(waitpid(child, &status, 0) == child);
        REQUIRE(WIFEXITED(status));
        REQUIRE(WEXITSTATUS(status) == 0);
    };
    const auto begin = Clock::now();
    finish(run("whole", false));
    const auto whole_time = Clock::now() - begin;
    const auto checkpoints = [&](const std::string& out) { return pictures.directory / out / "checkpoint"; };

    const auto inside = [&](const std::string& out) {
        std::set<std::string> names;
        for (const auto& each : std::filesystem::recursive_directory_iterator(pictures.directory / out)) {
            names.insert(each.path().lexically_relative(pictures.directory / out).string());
        }
        return names;
    };

    std::mt19937_64 random(11);
    std::uniform_real_distribution<double> moments(0, 1);
    for (int killed = 0; killed < kills;) {
        const double moment = moments(random);
        INFO("kill number " << killed << ", after " << moment << " of the time of a whole run");
        const bool ended = kill_after(run("killed", false), std::chrono::duration_cast<Clock::duration>(moment * whole_time));
        killed += !ended;  // else it was quicker than the whole run
        finish(run("killed", std::filesystem::exists(checkpoints("killed") / "ae.safetensors")));
        for (const char* file : model_files) check_same_file(checkpoints("killed") / file, checkpoints("whole") / file);
        CHECK(without_times(pictures.metrics("killed")) == without_times(pictures.metrics("whole")));
        CHECK(read_text(pictures.directory / "killed" / "samples.png") ==
              read_text(pictures.directory / "whole" / "samples.png"));
        CHECK(inside("killed") == inside("whole"));  // what was being written is gone
        std::filesystem::remove_all(pictures.directory / "killed");
    }
    SUCCEED(kills << " kills");
}
