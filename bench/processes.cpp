// Children of this program train; the parent reads what they print and what the system says they used.
#include "processes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "children.hpp"
#include "handwritten.hpp"
#include "steps.hpp"

namespace {

std::atomic<std::uint64_t> heap_calls{0};

void* counted(std::size_t bytes, std::size_t alignment) {
    heap_calls.fetch_add(1, std::memory_order_relaxed);
    void* memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

}  // namespace

// Every call to the heap from C++ is counted; the benchmarks themselves do not mind.
void* operator new(std::size_t bytes) { return counted(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return counted(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace bench {
namespace {

constexpr std::size_t batch = 128;

/// A line of /proc/self/status, in kB.
double status_kilobytes(const std::string& key) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with(key + ":")) return std::stod(line.substr(key.size() + 1));
    }
    throw std::runtime_error("no " + key + " in /proc/self/status");
}

void print(const char* name, double value) { fmt::print("{} {}\n", name, value); }

/// What a child printed: a name and a number a line.
std::map<std::string, double> figures_of(const std::string& output) {
    std::map<std::string, double> figures;
    std::istringstream lines(output);
    std::string name;
    for (double value; lines >> name >> value;) figures[name] = value;
    return figures;
}

/// An empty directory, removed with all that is in it when this object goes.
class TemporaryDirectory {
   public:
    TemporaryDirectory() : path_(std::filesystem::temp_directory_path() / "xtape_bench_XXXXXX") {
        if (mkdtemp(path_.data()) == nullptr) {
            throw std::runtime_error(fmt::format("no directory {}: {}", path_, std::strerror(errno)));
        }
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    const std::string& path() const { return path_; }

   private:
    std::string path_;
};

/// Seconds from an empty directory until `target` is built, two compilers at a time, nothing from a cache.
double seconds_to_build(const char* target) {
    const TemporaryDirectory directory;
    const Ended configured = run_or_throw({"cmake", "-S", XTAPE_SOURCE_DIR, "-B", directory.path(), "-G", "Ninja",
                                           "-DCMAKE_CXX_COMPILER_LAUNCHER=", "-DCMAKE_CXX_COMPILER=" XTAPE_COMPILER});
    const Ended built =
        run_or_throw({"env", "CCACHE_DISABLE=1", "cmake", "--build", directory.path(), "--parallel", "2", "--target", target});
    return configured.seconds + built.seconds;
}

std::vector<std::string> words_of(const char* text) {
    std::istringstream stream(text);
    return {std::istream_iterator<std::string>(stream), {}};
}

}  // namespace

void run_as_child(const std::string& task) {
    autograd::set_num_threads(1);
    if (task == "steps") {
        XtapeStep step(XtapeStep::Kind::vae, batch, {.release = true});  // as in the example
        for (int i = 0; i < 100; ++i) step();
        print("rss_100", status_kilobytes("VmRSS"));
        print("peak_rss", status_kilobytes("VmHWM"));
        print("peak_bytes", static_cast<double>(autograd::memory_statistics().peak_bytes_in_use));
        const std::uint64_t before = heap_calls;
        for (int i = 100; i < 10000; ++i) step();
        print("allocations_per_step", static_cast<double>(heap_calls - before) / 9900);
        print("rss_10000", status_kilobytes("VmRSS"));
    } else if (task == "keeping_steps") {
        XtapeStep step(XtapeStep::Kind::vae, batch);
        for (int i = 0; i < 100; ++i) step();
        print("peak_bytes", static_cast<double>(autograd::memory_statistics().peak_bytes_in_use));
        print("tape_bytes", static_cast<double>(step.bytes_on_tape()));
    } else if (task == "handwritten_steps") {
        autograd::Rng rng(2);
        HandwrittenVae model({.batch = batch}, rng);
        const auto x = pictures(batch, 784);
        for (int i = 0; i < 100; ++i) model.step(x.data(), rng);
        print("peak_rss", status_kilobytes("VmHWM"));
        print("activation_bytes", static_cast<double>(model.activation_bytes()));
    } else {
        throw std::runtime_error(fmt::format("no task is called {}", task));
    }
}

std::map<std::string, double> measure_processes() {
    const auto task = [](const char* name) { return figures_of(run_or_throw({this_program(), "--child", name}).output); };
    const auto xtape = task("steps"), keeping = task("keeping_steps"), handwritten = task("handwritten_steps");
    std::map<std::string, double> figures;
    figures["allocations_per_step"] = xtape.at("allocations_per_step");
    figures["rss_10000_over_100"] = xtape.at("rss_10000") / xtape.at("rss_100");
    figures["peak_rss_over_handwritten"] = xtape.at("peak_rss") / handwritten.at("peak_rss");
    figures["peak_bytes_release_over_keep"] = xtape.at("peak_bytes") / keeping.at("peak_bytes");
    figures["tape_megabytes_per_step"] = keeping.at("tape_bytes") / (1 << 20);
    figures["tape_bytes_over_handwritten"] = keeping.at("tape_bytes") / handwritten.at("activation_bytes");

    // By one process on one core: what a user waits for after each change. The median of three.
    std::vector<std::string> compile = words_of(XTAPE_COMPILE_COMMAND);
    for (const char* word : {"-c", XTAPE_SOURCE_DIR "/examples/first_model.cpp", "-o", "/dev/null"}) compile.emplace_back(word);
    std::vector<double> seconds;
    for (int i = 0; i < 3; ++i) {
        const Ended compiled = run_or_throw(compile);
        seconds.push_back(compiled.seconds);
        figures["compile_megabytes"] = compiled.peak_megabytes;
    }
    std::sort(seconds.begin(), seconds.end());
    figures["compile_s"] = seconds[1];
    return figures;
}

std::map<std::string, double> measure_builds() {
    return {{"full_build_s", seconds_to_build("all")}, {"demo_build_s", seconds_to_build("ae_vs_vae")}};
}

}  // namespace bench
