// Runs the benchmarks in random interleaving, so that what is compared sees the same machine, and prints beside Google
// Benchmark's table the ratios of medians that the design's promises are about.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

namespace {

/// Google Benchmark's table, and the median of each benchmark for the ratios.
class Medians : public benchmark::ConsoleReporter {
   public:
    void ReportRuns(const std::vector<Run>& runs) override {
        for (const Run& run : runs) {
            if (run.run_type == Run::RT_Aggregate && run.aggregate_name == "median") {
                medians_[run.run_name.str()] = run.GetAdjustedRealTime();
            }
        }
        ConsoleReporter::ReportRuns(runs);
    }
    const std::map<std::string, double>& medians() const { return medians_; }

   private:
    std::map<std::string, double> medians_;
};

struct Ratio {
    std::string name, numerator, denominator;
};

std::vector<Ratio> ratios() {
    std::vector<Ratio> list;
    for (const int threads : {1, 2}) {
        for (const int batch : {32, 128, 512}) {
            const auto of = [&](const char* what) {
                return fmt::format("vae_step/{}/threads:{}/batch:{}/real_time", what, threads, batch);
            };
            const std::string suffix = batch == 128 ? "" : fmt::format("_batch{}", batch);
            list.push_back({fmt::format("vae_step_{}t_over_handwritten{}", threads, suffix), of("xtape"), of("handwritten")});
            list.push_back({fmt::format("vae_step_{}t_over_gemm{}", threads, suffix), of("xtape"), of("gemm")});
        }
    }
    return list;
}

}  // namespace

int main(int argc, char** argv) {
    // The user's own flags come last and win.
    std::vector<char*> arguments(argv, argv + argc);
    std::vector<std::string> defaults = {"--benchmark_enable_random_interleaving=true", "--benchmark_repetitions=15",
                                         "--benchmark_min_time=0.1", "--benchmark_display_aggregates_only=true"};
    std::size_t place = 1;
    for (std::string& flag : defaults) arguments.insert(arguments.begin() + static_cast<std::ptrdiff_t>(place++), flag.data());
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;

    Medians reporter;
    benchmark::RunSpecifiedBenchmarks(&reporter);
    fmt::print("\n{:<44}{:>8}\n", "ratio of medians", "");
    for (const Ratio& ratio : ratios()) {
        const auto top = reporter.medians().find(ratio.numerator), bottom = reporter.medians().find(ratio.denominator);
        if (top == reporter.medians().end() || bottom == reporter.medians().end()) continue;
        fmt::print("{:<44}{:>8.3f}\n", ratio.name, top->second / bottom->second);
    }
    return 0;
}
