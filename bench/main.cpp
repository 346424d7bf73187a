// Runs the benchmarks in random interleaving, so that what is compared sees the same machine, and prints beside Google
// Benchmark's table the ratios of medians that the design's promises are about. `--json FILE` writes both for machines.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <nn/file.hpp>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

#include "processes.hpp"

namespace {

/// Google Benchmark's table on the terminal, its JSON in a string, and the median of each benchmark, in its own unit.
class Medians : public benchmark::ConsoleReporter {
   public:
    explicit Medians(bool colour) : ConsoleReporter(colour ? OO_ColorTabular : OO_Tabular) { json_.SetOutputStream(&text_); }
    bool ReportContext(const Context& context) override {
        json_.ReportContext(context);
        return ConsoleReporter::ReportContext(context);
    }
    void ReportRuns(const std::vector<Run>& runs) override {
        json_.ReportRuns(runs);
        std::vector<Run> shown;
        for (const Run& run : runs) {
            if (run.run_type != Run::RT_Aggregate || run.aggregate_name != "median") continue;
            medians_[run.run_name.str()] = run.GetAdjustedRealTime();
            shown.push_back(run);
        }
        if (!shown.empty()) ConsoleReporter::ReportRuns(shown);
    }
    void Finalize() override { json_.Finalize(); }

    const std::map<std::string, double>& medians() const { return medians_; }
    std::string json() const { return text_.str(); }

   private:
    benchmark::JSONReporter json_;
    std::ostringstream text_;
    std::map<std::string, double> medians_;
};

using Ratios = std::map<std::string, double>;

/// Of the benchmarks which ran; a ratio of which one side did not run is left out.
Ratios ratios_of(const std::map<std::string, double>& medians) {
    Ratios ratios;
    const auto add = [&](const std::string& name, const std::string& top, const std::string& bottom, double scale = 1) {
        const auto numerator = medians.find(top), denominator = medians.find(bottom);
        if (numerator == medians.end() || denominator == medians.end()) return;
        ratios[name] = scale * numerator->second / denominator->second;
    };
    for (const int threads : {1, 2}) {
        for (const int batch : {32, 128, 512}) {
            const auto of = [&](const char* what) {
                return fmt::format("{}/threads:{}/batch:{}/real_time", what, threads, batch);
            };
            const std::string suffix = batch == 128 ? "" : fmt::format("_batch{}", batch);
            const auto named = [&](const char* step, const char* against) {
                return fmt::format("{}_{}t_over_{}{}", step, threads, against, suffix);
            };
            for (const char* against : {"handwritten", "gemm", "libtorch"}) {
                add(named("vae_step", against), of("vae_step/xtape"), of(fmt::format("vae_step/{}", against).c_str()));
            }
            add(named("ae_step", "handwritten"), of("ae_step/xtape"), of("ae_step/handwritten"));
        }
        const auto decode = [&](const char* what) { return fmt::format("decode/{}/threads:{}/codes:10000/real_time", what, threads); };
        add(fmt::format("decode_{}t_over_handwritten", threads), decode("xtape"), decode("handwritten"));
    }
    add("vae_step_contended_over_1t", "vae_step/contended/threads:2/batch:128/real_time",
        "vae_step/xtape/threads:1/batch:128/real_time");
    // Microseconds of a chain, to nanoseconds of a node.
    const auto chain = [](int elements, int nodes) { return fmt::format("tape_overhead/xtape/elements:{}/nodes:{}", elements, nodes); };
    for (const int elements : {1, 64}) {
        const auto found = medians.find(chain(elements, 1000));
        if (found != medians.end()) ratios[fmt::format("node_ns_{}", elements)] = found->second * 1e3 / 1000;
    }
    add("node_10000_over_raw", chain(10000, 1000), "tape_overhead/raw/elements:10000/nodes:1000");
    add("node_ns_depth_1000000_over_1000", chain(1, 1000000), chain(1, 1000), 1e-3);
    return ratios;
}

void run(const std::string& filter, int repetitions, bool processes, const std::string& json_file, const char* program) {
    const std::vector<std::string> flags = {program,
                                            "--benchmark_enable_random_interleaving=true",
                                            fmt::format("--benchmark_repetitions={}", repetitions),
                                            "--benchmark_min_time=0.05",
                                            "--benchmark_filter=" + filter};
    std::vector<char*> arguments;
    for (const std::string& flag : flags) arguments.push_back(const_cast<char*>(flag.c_str()));
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    Medians reporter(isatty(STDOUT_FILENO) != 0);
    benchmark::RunSpecifiedBenchmarks(&reporter);

    Ratios ratios = ratios_of(reporter.medians());
    if (processes) ratios.merge(bench::measure_processes(program));
    fmt::print("\nRatios of medians, and figures of whole processes:\n");
    for (const auto& [name, value] : ratios) fmt::print("  {:<44}{:>10.3f}\n", name, value);
    if (json_file.empty()) return;
    nlohmann::ordered_json json = nlohmann::ordered_json::parse(reporter.json());
    json["ratios"] = ratios;
    const std::string text = json.dump(2) + "\n";
    nn::write_file_atomically(json_file, std::as_bytes(std::span(text)));
}

}  // namespace

int main(int argc, char** argv) {
    // libtorch's OpenMP threads read this before main; spinning, they would slow down whoever runs next.
    if (setenv("OMP_WAIT_POLICY", "passive", 0) == 0 && std::getenv("XTAPE_BENCH_STARTED") == nullptr) {
        setenv("XTAPE_BENCH_STARTED", "1", 1);
        execv("/proc/self/exe", argv);
    }
    CLI::App app{"Benchmarks of xtape: training steps against hand-written ones, the tape's overhead, kernels, memory."};
    app.option_defaults()->always_capture_default();
    std::string filter = ".", json_file, child;
    int repetitions = 31;
    bool skip_processes = false;
    app.add_option("--filter", filter, "run the benchmarks whose names match this regular expression");
    app.add_option("--repetitions", repetitions, "of each benchmark, at random times; medians are reported")->check(CLI::Range(1, 1000));
    app.add_flag("--no-processes", skip_processes, "leave out compile time, memory and calls to the heap (about two minutes)");
    app.add_option("--json", json_file, "write all figures and the ratios to this file");
    app.add_option("--child", child, "")->group("");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    try {
        if (!child.empty()) return bench::run_as_child(child);
        run(filter, repetitions, !skip_processes, json_file, argv[0]);
    } catch (const std::exception& error) {
        fmt::print(stderr, "xtape_bench: {}\n", error.what());
        return 1;
    }
    return 0;
}
