// Many small training steps with changing batch sizes, from changing threads and on a changing number of them: the memory
// that the process holds stays what it was. Some with the other tests; XTAPE_STEPS=1000000 asks for more.
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <mutex>
#include <nn/nn.hpp>
#include <random>
#include <thread>
#include <vector>

#include "tests/sanitizers.hpp"
#include "tests/testing.hpp"

namespace {

using autograd::Array;

struct Network {
    nn::Linear hidden, output;
    static constexpr auto members = nn::members("hidden", &Network::hidden, "output", &Network::output);

    explicit Network(autograd::Rng& rng) : hidden(12, 24, rng), output(24, 3, rng) {}
    autograd::Var<float> operator()(const autograd::Var<float>& x) const { return output(relu(hidden(x))); }
};

/// Batches of 1 to 64 rows, now and then of 2,000, which threads share, made by a thread of its own: their memory is given
/// back on another thread than it comes from.
class Loader {
   public:
    Loader(std::size_t count, std::uint64_t seed) : thread_([this, count, seed] { make(count, seed); }) {}
    ~Loader() { thread_.join(); }

    Array<float> next() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !batches_.empty(); });
        Array<float> batch = std::move(batches_.front());
        batches_.pop_front();
        changed_.notify_all();
        return batch;
    }

   private:
    void make(std::size_t count, std::uint64_t seed) {
        autograd::Rng rng(seed);
        std::mt19937_64 sizes(seed);
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t rows = sizes() % 500 == 0 ? 2000 : 1 + sizes() % 64;
            Array<float> batch = rng.normal<float>({rows, 12});
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [&] { return batches_.size() < 4; });
            batches_.push_back(std::move(batch));
            changed_.notify_all();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Array<float>> batches_;
    std::thread thread_;
};

std::size_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::size_t total = 0, resident = 0;
    file >> total >> resident;
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

TEST_CASE("memory: it stays flat over steps with changing batch sizes and threads") {
    const char* const wanted = std::getenv("XTAPE_STEPS");
    const std::size_t steps = wanted != nullptr ? std::strtoul(wanted, nullptr, 10) : under_sanitizer ? 2'000 : 100'000;
    REQUIRE(steps >= 1000);
    const ThreadCount as_it_was;
    autograd::Rng rng(5);
    Network network(rng);
    nn::Adam adam({.lr = 1e-4});
    autograd::Tape<float> tape;
    Loader loader(steps, 6);
    const auto gradients_of = [&](autograd::Tape<float>& on) {
        on.clear();
        const auto x = on.constant(loader.next());
        return backward(nn::mean_squared_error(network(x), slice(x, 1, {0, 3})));
    };
    std::size_t settled = 0, largest = 0;
    std::string course;
    for (std::size_t i = 0; i < steps; ++i) {
        if (i % 50 == 0) {
            autograd::set_num_threads(1 + static_cast<int>(i / 50 % 3));
            // A thread that comes and goes, whose gradients live longer than itself.
            std::optional<autograd::Gradients<float>> gradients;
            std::thread([&] {
                autograd::Tape<float> own;
                gradients = gradients_of(own);
            }).join();
            adam.step(network, *gradients);
        } else {
            adam.step(network, gradients_of(tape));
        }
        if (i % (steps / 100) != 0) continue;
        course += " " + std::to_string(resident_bytes() >> 10);
        // In the first half, what can be in use at the same time has met.
        std::size_t& most = i < steps / 2 ? settled : largest;
        most = std::max(most, resident_bytes());
    }
    INFO("resident KiB:" << course);
    INFO("resident bytes at most " << settled << " in the first half, " << largest << " afterwards");
    if (wanted != nullptr) {
        WARN(steps << " steps: at most " << settled << " resident bytes in the first half, " << largest << " afterwards");
    }
    CHECK(largest > 0);
    // Sanitizers keep what is freed; under them, it is who allocates and who frees that is looked at.
    if constexpr (!under_sanitizer) CHECK(static_cast<double>(largest) <= 1.01 * static_cast<double>(settled));
}
