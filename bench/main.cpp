// Runs the benchmarks in random interleaving, so that what is compared sees the same machine, and prints beside their
// medians the ratios that the design's promises are about. `--json FILE` writes all of it for machines.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <nn/data/file.hpp>
#include <optional>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "processes.hpp"
#include "steps.hpp"
#include "suite.hpp"

namespace {

/// What the design promises of some of the ratios.
struct Promise {
    const char* ratio;
    double at_most;
};

constexpr Promise promises[] = {
    {"vae_step_1t_over_roofline", 1.45},
    {"vae_step_2t_over_roofline", 1.65},
    {"vae_step_1t_over_pytorch", 0.65},
    {"vae_step_2t_over_pytorch", 0.60},
    {"vae_step_1t_over_jax", 0.68},
    {"vae_step_2t_over_jax", 0.68},
    {"vae_step_1t_over_libtorch", 0.55},
    {"vae_step_2t_over_libtorch", 0.45},
    {"vae_step_1t_over_handwritten", 1.05},
    {"vae_step_2t_over_handwritten", 1.05},
    {"vae_step_2t_over_gemm", 1.40},
    {"conv_step_1t_over_pytorch", 0.60},
    {"conv_step_2t_over_pytorch", 0.60},
    {"conv_step_1t_over_roofline", 2.0},
    {"conv_step_2t_over_1t", 0.60},
    {"vae_step_contended_over_1t", 1.25},
    {"node_ns_1", 90},
    {"node_ns_64", 110},
    {"node_10000_over_raw", 1.15},
    {"node_ns_depth_1000000_over_1000", 1.4},
    {"allocations_per_step", 0},
    {"rss_10000_over_100", 1.01},
    {"peak_rss_over_handwritten", 1.3},
    {"compile_s", 3.5},
    {"full_build_s", 300},
    {"demo_build_s", 110},
};

/// Collects Google Benchmark's JSON and the median of each benchmark, which it prints as one table at the end.
class Medians : public benchmark::BenchmarkReporter {
   public:
    Medians() { json_.SetOutputStream(&text_); }

    bool ReportContext(const Context& context) override {
        PrintBasicContext(&std::cout, context);
        std::cout << "xtape: " << autograd::describe_backend() << '\n';
        std::cout << "All benchmarks take turns, for some minutes; the table follows at the end.\n" << std::flush;
        return json_.ReportContext(context);
    }
    void ReportRuns(const std::vector<Run>& runs) override {
        json_.ReportRuns(runs);
        for (const Run& run : runs) {
            Row& row = rows_[{run.family_index, run.per_family_instance_index}];
            row.name = run.run_name.function_name;
            if (!run.run_name.args.empty()) row.name += "/" + run.run_name.args;
            if (run.aggregate_name == "median" || run.repetitions == 1) {
                row.time = run.GetAdjustedRealTime();
                row.unit = run.time_unit;
            }
            if (run.aggregate_name == "cv") row.spread = run.real_accumulated_time;
        }
    }
    void Finalize() override { json_.Finalize(); }

    void print() const {
        fmt::print("\n{:<52}{:>12}     {:>8}\n", "Benchmark", "median", "spread");
        for (const auto& [place, row] : rows_) {
            fmt::print("{:<52}{:>12.3f} {:<2}  {:>8.1f} %\n", row.name, row.time, benchmark::GetTimeUnitString(row.unit),
                       100 * row.spread);
        }
    }
    std::map<std::string, double> seconds() const {
        std::map<std::string, double> medians;
        for (const auto& [place, row] : rows_) medians[row.name] = row.time / benchmark::GetTimeUnitMultiplier(row.unit);
        return medians;
    }
    std::string json() const { return text_.str(); }

   private:
    struct Row {
        std::string name;
        double time = 0;
        benchmark::TimeUnit unit{};
        double spread = 0;  // standard deviation over mean, of the repetitions
    };
    std::map<std::pair<std::int64_t, std::int64_t>, Row> rows_;  // in the order of registration
    benchmark::JSONReporter json_;
    std::ostringstream text_;
};

using Figures = std::map<std::string, double>;

/// Of the benchmarks which ran; a ratio of which one side did not run is left out.
Figures figures_of(const bench::Ratios& ratios, const std::map<std::string, double>& medians) {
    // The least of those that ran; 1 where none is named.
    const auto quickest = [&](const std::vector<std::string>& names) -> std::optional<double> {
        std::optional<double> least;
        if (names.empty()) least = 1;
        for (const std::string& name : names) {
            const auto found = medians.find(name);
            if (found != medians.end()) least = std::min(least.value_or(found->second), found->second);
        }
        return least;
    };
    Figures figures;
    for (const bench::Ratio& ratio : ratios) {
        const auto top = quickest(ratio.top.empty() ? std::vector<std::string>{} : std::vector{ratio.top});
        const auto bottom = quickest(ratio.bottom);
        if (top && bottom) figures[ratio.name] = ratio.scale * *top / *bottom;
    }
    return figures;
}

void print(Figures figures) {
    fmt::print("\nRatios of medians, and figures of whole processes; those first of which something is promised:\n");
    for (const Promise& promise : promises) {
        const auto found = figures.extract(promise.ratio);
        if (found.empty()) continue;
        fmt::print("  {:<44}{:>10.3f}  at most {:<6}{}\n", promise.ratio, found.mapped(), promise.at_most,
                   found.mapped() <= promise.at_most ? "holds" : "MISSED");
    }
    for (const auto& [name, value] : figures) fmt::print("  {:<44}{:>10.3f}\n", name, value);
}

/// Fails now rather than when all is measured.
void require_writable(const std::string& file) {
    const std::filesystem::path path = std::filesystem::absolute(file);
    if (std::filesystem::is_directory(path)) throw nn::FileError(file, "cannot be written: is a directory");
    if (access(path.parent_path().c_str(), W_OK | X_OK) != 0) {
        throw nn::FileError(file, "cannot be written: its directory is missing or not writable");
    }
}

/// What is measured, and where it goes.
struct Settings {
    std::string filter = ".";
    int repetitions = 31;
    bool skip_processes = false, builds = false;
    std::string python, json_file;
};

void run(const Settings& settings) {
    if (!settings.json_file.empty()) require_writable(settings.json_file);
    bench::Ratios ratios;
    bench::add_steps(ratios, settings.python);
    bench::add_tape_overhead(ratios);
    bench::add_kernels(ratios);
    const std::vector<std::string> flags = {"xtape_bench", "--benchmark_enable_random_interleaving=true",
                                            fmt::format("--benchmark_repetitions={}", settings.repetitions),
                                            "--benchmark_min_time=0.05", "--benchmark_filter=" + settings.filter};
    std::vector<char*> arguments;
    for (const std::string& flag : flags) arguments.push_back(const_cast<char*>(flag.c_str()));
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    Medians reporter;
    if (benchmark::RunSpecifiedBenchmarks(&reporter) == 0) {
        throw std::runtime_error(fmt::format("--filter {}: no benchmark has such a name", settings.filter));
    }
    Figures figures = figures_of(ratios, reporter.seconds());
    if (!settings.skip_processes) figures.merge(bench::measure_processes());
    if (settings.builds) figures.merge(bench::measure_builds());
    reporter.print();
    print(figures);
    if (settings.json_file.empty()) return;
    nlohmann::ordered_json json = nlohmann::ordered_json::parse(reporter.json());
    json["backend"] = autograd::describe_backend();
    json["ratios"] = figures;
    const std::string text = json.dump(2) + "\n";
    nn::write_file_atomically(settings.json_file, std::as_bytes(std::span(text)));
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Benchmarks of xtape: training steps against hand-written ones, the tape's overhead, kernels, memory."};
    app.option_defaults()->always_capture_default();
    Settings settings;
    std::string child;
    std::tuple<std::string, int, std::size_t> worker;
    app.add_option("--filter", settings.filter, "run the benchmarks whose names match this regular expression");
    app.add_option("--repetitions", settings.repetitions, "of each benchmark, at random times; medians are reported")
        ->check(CLI::Range(1, 1000));
    app.add_flag("--no-processes", settings.skip_processes,
                 "leave out compile time, memory and calls to the heap (about a minute)");
    app.add_flag("--builds", settings.builds, "measure full builds as well, in a temporary directory (ten minutes and more)");
    app.add_option("--python", settings.python,
                   "compare with PyTorch and JAX where this Python interpreter has them (5 GB of memory)");
    app.add_option("--json", settings.json_file, "write all figures and the ratios to this file");
    // What this program starts itself with.
    app.add_option("--child", child, "")->group("");
    const CLI::Option* is_worker = app.add_option("--worker", worker, "")->group("");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    try {
        if (*is_worker) {
            std::apply(bench::run_as_worker, worker);
        } else if (!child.empty()) {
            bench::run_as_child(child);
        } else {
            run(settings);
        }
    } catch (const std::exception& error) {
        fmt::print(stderr, "xtape_bench: {}\n", error.what());
        return 1;
    }
    return 0;
}
