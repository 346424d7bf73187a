// The example stopped and gone on with: the same bits as if it had never been stopped, and no going on from another
// run.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <nn/nn.hpp>
#include <string>
#include <thread>

#include "tests/catch.hpp"
#include "tests/files.hpp"
#include "tests/pictures.hpp"
#include "tests/programs.hpp"
#include "tests/training_files.hpp"

namespace {

ProgramResult run(const std::string& arguments, int expected) {
    ProgramResult result = run_program("ae_vs_vae", arguments);
    INFO(arguments << '\n' << result.output);
    CHECK(result.exit_code == expected);
    return result;
}

}  // namespace

// The ten stops fall into each of the four models, on steps within an epoch and at its end.
TEST_CASE("ae_vs_vae: stopped at a random step and resumed, ten times, the results are the same bits") {
    const Pictures pictures(200);
    const std::string settings =
        "--epochs 3 --seed 4 --samples 2 --binarise --conditional --kl-cycles 2 --schedule cosine --early-stopping 1 ";
    run(pictures.arguments("whole") + settings, 0);
    const nlohmann::json whole = without_times(pictures.metrics("whole"));
    std::size_t steps = 0;
    for (const char* name : {"ae", "vae"}) {
        steps += whole[name]["steps"].get<std::size_t>() + whole["plane"][name]["steps"].get<std::size_t>();
    }
    CHECK(steps > 4 * 7);  // 200 images in batches of 32, and more than one epoch
    autograd::Rng rng(8);
    const auto order = rng.permutation(steps - 1);
    for (std::size_t i = 0; i < 10; ++i) {
        const std::string out = "stopped-" + std::to_string(i), stop = std::to_string(order[i] + 1);
        INFO("stopped after " << stop << " of " << steps << " steps");
        const ProgramResult stopped = run(pictures.arguments(out) + settings + "--stop-after-steps " + stop, 130);
        CHECK_THAT(stopped.output, contains("--resume"));
        CHECK_FALSE(std::filesystem::exists(pictures.directory / out / "metrics.json"));
        if (i % 2 == 1) run(pictures.arguments(out) + settings + "--resume --stop-after-steps 1", 130);
        run(pictures.arguments(out) + settings + "--resume", 0);
        CHECK(without_times(pictures.metrics(out)) == whole);
        for (const char* file : model_files) {
            check_same_file(pictures.directory / out / "checkpoint" / file, pictures.directory / "whole" / "checkpoint" / file);
        }
        for (const char* file : {"samples.png", "report.html"}) {  // the film is in the page
            CHECK((read_text(pictures.directory / out / file) == read_text(pictures.directory / "whole" / file)));
        }
    }
}

// The program is run for longer than any test would wait, and is stopped once it has finished an epoch.
TEST_CASE("ae_vs_vae: a signal stops it after the step, saved") {
    const auto [signal, exit_code] =
        GENERATE(std::pair{SIGINT, 130}, std::pair{SIGTERM, 143}, std::pair{SIGHUP, 129}, std::pair{SIGQUIT, 131});
    const Pictures pictures;
    const std::string data = pictures.directory.path().string(), out = (pictures.directory / "out").string();
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        const int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDOUT_FILENO);
        for (const int each : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) std::signal(each, SIG_DFL);
        execl(XTAPE_EXAMPLES_DIR "/ae_vs_vae", "ae_vs_vae", "--data", data.c_str(), "--out", out.c_str(), "--latent", "3",
              "--hidden", "16", "--batch", "32", "--threads", "1", "--epochs", "100000", static_cast<char*>(nullptr));
        _exit(127);
    }
    const auto checkpoint = pictures.directory / "out" / "checkpoint" / "ae.safetensors";
    int status = 0;
    bool ended = false;
    while (!ended && !std::filesystem::exists(checkpoint)) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        ended = waitpid(child, &status, WNOHANG) != 0;
    }
    REQUIRE_FALSE(ended);
    kill(child, signal);
    if (signal == SIGHUP) kill(child, signal);  // as a terminal that is closed does
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == exit_code);

    const std::string note = nn::read_safetensors(checkpoint).metadata.at("progress");
    const auto steps = nlohmann::json::parse(note)["history"]["steps"].get<std::size_t>();
    CHECK(steps >= 19);
    run(pictures.arguments("again") + "--epochs 100000 --stop-after-steps " + std::to_string(steps), 130);
    check_same_file(checkpoint, pictures.directory / "again" / "checkpoint" / "ae.safetensors");
}

TEST_CASE("ae_vs_vae: a finished training can be prolonged, or only looked at") {
    const Pictures pictures(200);
    run(pictures.arguments("three") + "--epochs 3", 0);
    run(pictures.arguments("more") + "--epochs 2", 0);
    run(pictures.arguments("more") + "--epochs 3 --resume", 0);
    CHECK(without_times(pictures.metrics("more")) == without_times(pictures.metrics("three")));
    for (const char* file : model_files) {
        check_same_file(pictures.directory / "more" / "checkpoint" / file, pictures.directory / "three" / "checkpoint" / file);
    }
    const std::string load = " --epochs 3 --load '" + (pictures.directory / "three" / "checkpoint").string() + "'";
    run(pictures.arguments("loaded") + load, 0);
    CHECK(without_times(pictures.metrics("loaded")) == without_times(pictures.metrics("three")));
    CHECK(read_text(pictures.directory / "loaded" / "latent.png") == read_text(pictures.directory / "three" / "latent.png"));
    CHECK_FALSE(std::filesystem::exists(pictures.directory / "loaded" / "checkpoint"));
    CHECK_THAT(run(pictures.arguments("other") + load + " --likelihood gaussian --no-plane", 1).output,
               contains("--likelihood is bernoulli in it, and gaussian here"));
    run(pictures.arguments("other") + " --load /no/such/directory", 2);
    run(pictures.arguments("other") + " --load ''", 2);
    CHECK_THAT(run(pictures.arguments("other") + " --load '" + pictures.directory.path().string() + "'", 1).output,
               contains("ae.safetensors: no such file"));
    CHECK_THAT(run(pictures.arguments("more") + "--epochs 2 --resume", 1).output,
               contains("has been trained for more than --epochs 2"));
}

TEST_CASE("ae_vs_vae: resuming with other data or options is refused, and the option named") {
    const Pictures pictures(200), others(201);
    const std::string settings = "--no-plane --epochs 4 --kl-cycles 1 --stop-after-steps 3 ";
    CHECK_THAT(run(pictures.arguments("out") + "--resume", 1).output, contains("nothing to --resume"));
    run(pictures.arguments("out") + settings, 130);
    const std::string checkpoint = read_text(pictures.directory / "out" / "checkpoint" / "ae.safetensors");
    const std::pair<const char*, const char*> differences[] = {
        {"--seed 3", "--seed is 0 in it, and 3 here"},
        {"--likelihood gaussian", "--likelihood is bernoulli in it, and gaussian here"},
        {"--architecture conv", "--architecture is mlp in it, and conv here"},
        {"--conditional", "--conditional is no in it, and 2 classes here"},
        {"--binarise", "--binarise is no in it, and yes here"},
        {"--lr 0.5", "--lr is 0.001 in it, and 0.5 here"},
        {"--schedule step", "--schedule is constant in it, and step here"},
        {"--beta 2", "--beta is 1 in it, and 2 here"},
        {"--samples 2", "--samples is 1 in it, and 2 here"},
        {"--early-stopping 2", "--early-stopping is 0 in it, and 2 here"},
        {"--kl-cycles 2", "--kl-cycles is 1 in it, and 2 here"},
        {"--epochs 5", "--epochs is 4 in it, and 5 here"},
    };
    for (const auto& [option, message] : differences) {
        INFO(option);
        std::string changed = settings;
        const std::string name = std::string(option).substr(0, std::string(option).find(' '));
        if (const auto at = changed.find(name + " "); at != std::string::npos) {
            changed.erase(at, changed.find(" --", at) - at);
        }
        CHECK_THAT(run(pictures.arguments("out") + changed + "--resume " + option, 1).output, contains(message));
        CHECK(read_text(pictures.directory / "out" / "checkpoint" / "ae.safetensors") == checkpoint);
    }
    const std::string elsewhere = " --checkpoint '" + (pictures.directory / "out" / "checkpoint").string() + "' --resume";
    CHECK_THAT(run(others.arguments("out") + settings + elsewhere, 1).output, contains("--data is 200 and 70 images"));

    write_text(pictures.directory / "out" / "checkpoint" / "ae.safetensors", checkpoint.substr(0, checkpoint.size() / 2));
    CHECK_THAT(run(pictures.arguments("out") + settings + "--resume", 1).output, contains("ae.safetensors"));
    nn::write_safetensors(pictures.directory / "out" / "checkpoint" / "ae.safetensors", {});
    CHECK_THAT(run(pictures.arguments("out") + settings + "--resume", 1).output, contains("is not noted in it"));
    // A run that begins anew leaves nothing of the old one.
    write_text(pictures.directory / "out" / "checkpoint" / "plane-vae.safetensors", "old");
    run(pictures.arguments("out") + settings, 130);
    CHECK_FALSE(std::filesystem::exists(pictures.directory / "out" / "checkpoint" / "plane-vae.safetensors"));
}

TEST_CASE("ae_vs_vae: checkpoints that were exchanged are refused, and those of earlier versions taken") {
    const Pictures pictures(200);
    const std::string settings = pictures.arguments("out") + "--no-plane --epochs 4 --early-stopping 3 ";
    const auto checkpoint = pictures.directory / "out" / "checkpoint";
    const std::string load = pictures.arguments("loaded") + "--no-plane --load '" + checkpoint.string() + "'";
    run(settings + "--stop-after-steps 35", 130);  // the VAE is 7 steps in its second epoch
    const auto exchange = [&](const std::string& a, const std::string& b) {
        std::filesystem::rename(checkpoint / a, checkpoint / "third");
        std::filesystem::rename(checkpoint / b, checkpoint / a);
        std::filesystem::rename(checkpoint / "third", checkpoint / b);
    };
    exchange("ae.safetensors", "vae.safetensors");
    CHECK_THAT(run(load, 1).output,
               contains("ae.safetensors: is a checkpoint of another run: the model is VAE in it, and AE here"));
    CHECK_THAT(run(settings + "--resume", 1).output, contains("the model is VAE in it, and AE here"));
    exchange("ae.safetensors", "vae.safetensors");
    exchange("ae-best.safetensors", "vae-best.safetensors");
    CHECK_THAT(run(settings + "--resume", 1).output, contains("best.safetensors: is a checkpoint of another run"));
    exchange("ae-best.safetensors", "vae-best.safetensors");

    for (const char* name : {"ae", "vae", "vae-best"}) {
        const auto path = checkpoint / (std::string(name) + ".safetensors");
        nn::TensorFile file = nn::read_safetensors(path);
        for (const char* note : {"the model", "the file's name"}) CHECK(file.metadata.erase(note) == 1);
        if (std::string(name) == "vae-best") file.metadata.clear();
        nn::write_safetensors(path, file);
    }
    CHECK_THAT(run(load, 0).output, contains("/vae.safetensors: of an earlier version") && contains("taken for the VAE's"));
    CHECK_THAT(run(settings + "--resume", 0).output, contains("/vae-best.safetensors: of an earlier version"));

    nn::TensorFile file = nn::read_safetensors(checkpoint / "vae.safetensors");
    std::get<autograd::Array<float>>(file.tensors.at("decoder.hidden.bias"))(3) = std::numeric_limits<float>::quiet_NaN();
    nn::write_safetensors(checkpoint / "vae.safetensors", file);
    CHECK_THAT(run(load, 1).output, contains("vae.safetensors: decoder.hidden.bias is nan at (3,)"));
}

TEST_CASE("ae_vs_vae: what a killed run left beside its files is removed by the next one") {
    const Pictures pictures(200);
    const auto out = pictures.directory / "out";
    std::filesystem::create_directories(out / "checkpoint");
    const auto leftovers = [&] {
        std::size_t count = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(out)) {
            count += entry.path().native().find(".partial") != std::string::npos;
        }
        return count;
    };
    for (const char* file : {"report.html", "latent.png", "checkpoint/ae.safetensors", "checkpoint/vae-best.safetensors"}) {
        write_text(out / (std::string(file) + ".partial-0123abcd"), "half");
    }
    CHECK(leftovers() == 4);
    run(pictures.arguments("out") + "--no-plane --epochs 1", 0);
    CHECK(leftovers() == 0);
}

TEST_CASE("ae_vs_vae: without checkpoints a stopped run leaves no file") {
    const Pictures pictures(200);
    CHECK_THAT(run(pictures.arguments("out") + "--no-checkpoint --stop-after-steps 3", 130).output,
               contains("Nothing is kept"));
    CHECK(std::filesystem::is_empty(pictures.directory / "out"));
}
