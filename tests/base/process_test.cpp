// What becomes of threads and products where the process forks, ends, or has little of the address space.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "autograd/kernels/blas.hpp"
#include "tests/files.hpp"
#include "tests/sanitizers.hpp"
#include "tests/testing.hpp"

using namespace autograd;

namespace {

// The thread sanitizer ends a process that starts threads after a fork; with either the address space has no limit.
constexpr bool may_fork = !under_thread_sanitizer, may_limit = !under_sanitizer;

/// What other threads of the parent had is lost in a child, and would be reported under the address sanitizer.
[[noreturn]] void end_child(int status) {
    if constexpr (under_address_sanitizer) _exit(status);
    std::exit(status);
}

/// Calls f in a child, which ends by exit(f()). Gives the status, or minus the signal that ended it: SIGALRM after a minute.
template <class F>
int in_child(F f) {
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        alarm(60);
        int status = 99;
        try {
            status = f();
        } catch (const std::exception& error) {
            std::fprintf(stderr, "in a child: %s\n", error.what());
        }
        end_child(status);
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child) return -1000;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// Elementwise work and a product, both large enough to be shared.
std::vector<float> compute() {
    Tape<float> tape;
    const auto v = tape.variable(sample<float>({200, 300}));
    const auto y = matmul(tanh(v * 2), tape.constant(sample<float>({300, 250}, 2)));
    auto all = elements(backward(sum(y * y))[v]);
    const auto values = elements(y.value());
    all.insert(all.end(), values.begin(), values.end());
    return all;
}

/// A convolution whose extents depend on i, so that a library which makes kernels for extents makes some.
bool convolution_is_right(std::size_t i) {
    Tape<float> tape;
    const auto x = tape.constant(full<float>({1, 16, 20 + i % 41, 17 + i / 41 % 200}, 1));
    const auto y = conv2d(x, tape.constant(full<float>({32, 16, 3, 3}, 1)));
    return y.value()(0, 0, 0, 0) == 144 && y.value()(0, 31, 17, 14) == 144;
}

/// A thread that makes convolutions until it is destroyed, which waits for it.
struct Convolving {
    std::atomic<bool> stop{false};
    std::atomic<std::size_t> done{0}, wrong{0};
    std::thread thread{[this] {
        for (std::size_t i = 0; !stop; ++i, ++done) wrong += convolution_is_right(i) ? 0 : 1;
    }};

    ~Convolving() {
        stop = true;
        thread.join();
    }
};

/// Starts a thread that nothing stops but the end of the process.
void compute_for_ever(std::atomic<int>& done) {
    std::thread([&] {
        for (;; ++done) compute();
    }).detach();
}

/// Calls work(0), work(1), ... with so many threads, each in a child, which is to end with this status.
template <class Work>
void check_ends(int children, int threads, int expected, Work work) {
    if (!may_fork) return;
    const ThreadCount restored;
    set_num_threads(threads);
    for (int i = 0; i < children; ++i) CHECK(in_child([&] { return work(i); }) == expected);
}

/// Makes a convolution when its thread ends.
struct Last {
    std::atomic<int>* right = nullptr;
    ~Last() {
        if (right != nullptr) *right += convolution_is_right(30) ? 1 : 0;
    }
};
thread_local Last last;

/// From here on this process gets so much more of the address space than it has.
void limit_address_space(std::size_t more) {
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit limit{};
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) + more;
    setrlimit(RLIMIT_AS, &limit);
}

}  // namespace

TEST_CASE("processes: the child of a program with threads has threads of its own, and ends") {
    if (!may_fork) return;
    const ThreadCount restored;
    set_num_threads(3);
    const auto expected = compute();
    for (const int threads : {1, 2, 3}) {
        const auto work = [&] {
            set_num_threads(threads);
            if (threads == 3) return compute() == expected ? 0 : 1;
            const auto first = compute();
            return first == compute() ? 0 : 1;
        };
        CHECK(in_child(work) == 0);
        CHECK(in_child([&] { return in_child(work); }) == 0);
    }
    CHECK(compute() == expected);
}

TEST_CASE("processes: a fork while another thread is at work") {
    if (!may_fork) return;
    const ThreadCount restored;
    set_num_threads(3);
    const auto expected = compute();
    std::atomic<bool> stop{false};
    std::atomic<int> wrong{0};
    std::thread other([&] {
        while (!stop) wrong += compute() != expected ? 1 : 0;
    });
    for (int i = 0; i < 20; ++i) CHECK(in_child([&] { return compute() == expected ? 0 : 1; }) == 0);
    stop = true;
    other.join();
    CHECK(wrong == 0);
}

// Run alone, as ctest runs it, there are no threads of the team before the second product.
TEST_CASE("processes: a fork while the first large product is under way, after a small one") {
    if (!may_fork) return;
    const auto work = [] {
        Tape<float> tape;
        const auto small = tape.variable(sample<float>({4, 4}));
        if (matmul(small, small).shape() != Shape{4, 4}) return 1;
        std::atomic<bool> stop{false};
        std::thread other([&] {
            while (!stop) static_cast<void>(compute());
        });
        int failures = 0;
        for (int i = 0; i < 100; ++i) failures += in_child([] { return compute().empty() ? 1 : 0; }) == 0 ? 0 : 1;
        stop = true;
        other.join();
        return failures == 0 ? 0 : 2;
    };
    CHECK(in_child(work) == 0);
}

TEST_CASE("processes: forks under a limit of the address space leave no threads behind") {
    if (!may_fork || !may_limit) return;
    const auto threads_here = [] {
        std::ifstream file("/proc/self/status");
        for (std::string word; file >> word;) {
            int count = 0;
            if (word == "Threads:" && file >> count) return count;
        }
        return -1;
    };
    const auto work = [&] {
        limit_address_space(std::size_t{1} << 33);
        static_cast<void>(compute());
        const int before = threads_here();
        for (int i = 0; i < 20; ++i) {
            if (in_child([] { return 0; }) != 0) return 1;
            static_cast<void>(compute());
        }
        return before > 0 && threads_here() <= before + 1 ? 0 : 2;
    };
    CHECK(in_child(work) == 0);
}

TEST_CASE("processes: the end while other threads are at work") {
    const auto work = [](int i) {
        std::atomic<int> done{0};
        for (int k = 0; k < 2; ++k) compute_for_ever(done);
        while (done == 0) std::this_thread::yield();
        std::this_thread::sleep_for(std::chrono::microseconds(137 * i));
        return 0;
    };
    check_ends(20, 2, 0, work);
}

TEST_CASE("processes: a fork while another thread makes the kernels of convolutions") {
    if (!may_fork) return;
    const ThreadCount restored;
    set_num_threads(1);
    const auto work = [] {
        const Convolving other;
        int failures = 0;
        for (std::size_t i = 0; i < 60; ++i) {
            failures += in_child([i] { return convolution_is_right(i + 20) ? 0 : 1; }) == 0 ? 0 : 1;
        }
        return failures == 0 && other.wrong == 0 ? 0 : 1;
    };
    CHECK(in_child(work) == 0);
}

TEST_CASE("processes: the end waits for a thread that makes convolutions, from a static object's destructor") {
    const auto work = [](int i) {
        static Convolving other;
        while (other.done < 3 * static_cast<std::size_t>(i)) std::this_thread::yield();
        return 0;
    };
    check_ends(15, 1, 0, work);
}

TEST_CASE("processes: another thread than that of main() ends the process while convolutions are made") {
    const auto work = [](int i) {
        static Convolving other;
        while (other.done < 3 * static_cast<std::size_t>(i) + 1) std::this_thread::yield();
        std::thread([] { end_child(7); }).join();
        return 0;
    };
    check_ends(15, 1, 7, work);
}

TEST_CASE("processes: the end while one thread computes and another forks") {
    const auto work = [](int i) {
        std::atomic<int> done{0};
        compute_for_ever(done);
        while (done == 0) std::this_thread::yield();
        std::thread([] {
            while (true) {
                const pid_t child = fork();
                if (child == 0) _exit(0);
                if (child > 0) waitpid(child, nullptr, 0);
            }
        }).detach();
        std::this_thread::sleep_for(std::chrono::microseconds(1000 + 137 * i));
        return 0;
    };
    check_ends(20, 1, 0, work);
}

TEST_CASE("processes: a thread's own object that makes a convolution when the thread ends") {
    std::atomic<int> right{0};
    for (const bool before : {false, true}) {
        std::thread([&] {
            last.right = &right;  // made before what the library keeps for this thread, so destroyed after it
            if (before) right += convolution_is_right(30) ? 1 : 0;
        }).join();
    }
    CHECK(right == 3);
}

TEST_CASE("processes: threads that cannot be started are done without, which is said once") {
    if (!may_limit) return;
    const ThreadCount restored;
    const TemporaryDirectory directory;
    set_num_threads(1);
    const auto sines = [] {
        Tape<float> tape;
        return elements(sin(tape.constant(sample<float>({300, 300}))).value());
    };
    const auto expected = sines();
    const auto said = directory / "said";
    const auto child = [&] {
        if (std::freopen(said.c_str(), "w", stderr) == nullptr) return 2;
        limit_address_space(std::size_t{300} << 20);
        for (int i = 0; i < 3; ++i) {
            set_num_threads(1000);
            for (int k = 0; k < 3; ++k) {
                if (sines() != expected) return 1;
            }
        }
        std::size_t threads = 0;
        for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/task")) ++threads;
        return threads > 3 ? 0 : 3;  // those that could be started are there
    };
    CHECK(in_child(child) == 0);
    const std::string text = read_text(said);
    CHECK_THAT(text, contains("threads can be started"));
    CHECK(std::count(text.begin(), text.end(), '\n') == 1);
}

TEST_CASE("processes: products of threads that could not be started leave room for arrays") {
    if (!may_limit) return;
    const ThreadCount restored;
    set_num_threads(1);
    const auto product = [] {
        Tape<float> tape;
        const auto x = tape.variable(sample<float>({600, 600}));
        return elements(backward(sum(exp(0.01 * matmul(x, x))))[x]);
    };
    const auto expected = product();
    // Where products are cut depends on the number of threads, and so does the rounding.
    const auto is_right = [&](const std::vector<float>& found) {
        return std::equal(found.begin(), found.end(), expected.begin(), expected.end(),
                          [](float a, float b) { return std::fabs(a - b) <= 1e-4f * (1 + std::fabs(b)); });
    };
    // Each of OpenBLAS's buffers takes 128 MB of the address space.
    for (const std::size_t mebibytes : {150u, 200u, 260u, 320u, 400u}) {
        INFO(mebibytes << " MB more");
        const auto child = [&] {
            if (std::freopen("/dev/null", "w", stderr) == nullptr) return 2;
            limit_address_space(mebibytes << 20);
            set_num_threads(8);
            int right = 0;
            for (int i = 0; i < 3; ++i) {
                try {
                    right += is_right(product());
                } catch (const std::exception&) {
                }
            }
            return right == 3 ? 0 : 1;
        };
        CHECK(in_child(child) == 0);
    }
}

TEST_CASE("processes: products and convolutions of floats without room are right or an error") {
    if (!may_limit || describe_backend().find("BLIS") != std::string::npos)
        return;  // which ends the program for want of memory
    // The first of their kind: where oneDNN makes its kernels, it needs memory for them too.
    const auto work = [] {
        Tape<float> tape;
        const auto a = tape.constant(full<float>({300, 300}, 1)), b = tape.constant(full<float>({300, 300}, 2));
        const auto x = tape.constant(full<float>({64, 16, 14, 14}, 1)), w = tape.constant(full<float>({32, 16, 1, 1}, 0.5f));
        const auto is_all = [](const Array<float>& values, float expected) {
            return std::all_of(values.begin(), values.end(), [&](float each) { return each == expected; });
        };
        return is_all(matmul(a, b).value(), 600) && is_all(conv2d(x, w).value(), 8);
    };
    int right = 0;
    for (const std::size_t mebibytes : {1u, 2u, 3u, 4u, 5u, 6u, 8u, 10u, 12u, 16u, 24u, 32u, 300u}) {
        INFO(mebibytes << " MB more");
        const int ended = in_child([&] {
            if (std::freopen("/dev/null", "w", stderr) == nullptr) return 2;
            set_num_threads(1);
            limit_address_space(mebibytes << 20);
            try {
                return work() ? 0 : 1;
            } catch (const std::exception&) {
                return 3;
            }
        });
        CHECK((ended == 0 || ended == 3));
        right += ended == 0;
    }
    CHECK(right > 0);
}

TEST_CASE("processes: a product without room", "[.without_room]") {
    const auto product = [] {
        Tape<double> tape;  // products of floats may be another library's
        const auto a = tape.constant(full<double>({300, 300}, 1)), b = tape.constant(full<double>({300, 300}, 2));
        return elements(matmul(a, b).value());
    };
    const std::vector<double> expected(90000, 600.0);
    rlimit before{};
    getrlimit(RLIMIT_AS, &before);
    if (before.rlim_cur == RLIM_INFINITY) {
        limit_address_space(std::size_t{60} << 20);
        CHECK_THAT(message_of<Error>(product), contains("OpenBLAS") && contains("matmul (node 2)") && contains("ulimit -v"));
        limit_address_space(std::size_t{200} << 20);  // for one of two
        set_num_threads(2);
        CHECK(product() == expected);
        setrlimit(RLIMIT_AS, &before);
        CHECK(product() == expected);
        return;
    }
    // Memory for the arrays may be what is lacking.
    const std::string message = message_of<std::exception>([&] {
        if (product() != expected) throw Error("another product");
    });
    CHECK(message != "another product");
}

TEST_CASE("processes: a product for which there is no room is an error, and the program ends") {
    if (!kernels::blas_in_words().starts_with("OpenBLAS")) return;  // another BLAS has no such buffers
    if (!may_limit) return;
    const std::string self = std::filesystem::read_symlink("/proc/self/exe");
    const std::string run = " timeout 60 '" + self + "' '[.without_room]' >/dev/null 2>&1";
    // A thread that OpenBLAS starts for itself may take the one buffer for which there is room.
    CHECK(std::system(("OPENBLAS_NUM_THREADS=1" + run).c_str()) == 0);
    for (const int kibibytes : {200'000, 250'000, 300'000, 400'000, 500'000, 700'000}) {
        INFO("ulimit -v " << kibibytes);
        const std::string limit = "ulimit -v " + std::to_string(kibibytes) + ";";
        // Where the program cannot even begin, that is no matter of ours.
        if (std::system((limit + " timeout 60 '" + self + "' --list-tags >/dev/null 2>&1").c_str()) != 0) continue;
        const int status = std::system((limit + run).c_str());
        CHECK(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == 0);
    }
}
