// Children of this program train; the parent reads what they print and what the system says they used.
#include "processes.hpp"

#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
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

struct Ended {
    std::map<std::string, double> figures;  // printed by the child, a name and a number a line
    double seconds;
    double peak_megabytes;
};

Ended run(const std::vector<std::string>& command) {
    std::array<int, 2> ends;
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe for a child process");
    const auto start = std::chrono::steady_clock::now();
    const pid_t child = start_child(command, STDIN_FILENO, ends[1]);
    close(ends[1]);
    std::string output;
    std::array<char, 4096> buffer;
    for (ssize_t count; (count = read(ends[0], buffer.data(), buffer.size())) > 0;) {
        output.append(buffer.data(), static_cast<std::size_t>(count));
    }
    close(ends[0]);
    int status = 0;
    rusage usage{};
    wait4(child, &status, 0, &usage);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (status != 0) {
        throw std::runtime_error(fmt::format("`{}` ended with {}", fmt::join(command, " "), how_it_ended(status)));
    }
    Ended ended{{}, seconds, static_cast<double>(usage.ru_maxrss) / 1024};
    std::istringstream lines(output);
    std::string name;
    for (double value; lines >> name >> value;) ended.figures[name] = value;
    return ended;
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
    const auto task = [](const char* name) { return run({this_program(), "--child", name}).figures; };
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
    for (const char* word : {"-c", XTAPE_SOURCE_DIR "/examples/first_model.cpp", "-o", "/dev/null"})
        compile.emplace_back(word);
    std::vector<double> seconds;
    for (int i = 0; i < 3; ++i) {
        const Ended compiled = run(compile);
        seconds.push_back(compiled.seconds);
        figures["compile_megabytes"] = compiled.peak_megabytes;
    }
    std::sort(seconds.begin(), seconds.end());
    figures["compile_s"] = seconds[1];
    return figures;
}

}  // namespace bench
