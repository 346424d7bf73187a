// One tape at a time: two threads on it, and what hooks, rules and ops' functions may do with the tape that they run on.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <memory>
#include <mutex>
#include <thread>

#include "tests/testing.hpp"

using namespace autograd;

namespace {

using D = Array<double>;

/// What was thrown while two threads did `work` at once, until either had an error or `rounds` were through.
template <class Work>
int errors_of_two(int rounds, Work work) {
    std::atomic<int> ready = 0, errors = 0;
    const auto run = [&] {
        ++ready;
        while (ready < 2) {
        }
        for (int i = 0; i < rounds && errors == 0; ++i) {
            try {
                work();
            } catch (const TapeError& error) {
                if (std::string(error.what()).find("two threads") != std::string::npos) ++errors;
            } catch (const Error&) {  // of a node that the other thread's clear() forgot, say
            }
        }
    };
    std::thread other(run);
    run();
    other.join();
    return errors;
}

/// Records, clears or sweeps within a gradient hook.
template <class Act>
void sweep_with_hook(bool recorded, Tape<double>& tape, Act act) {
    const auto x = tape.variable(D{1.0, 2.0});
    const auto y = sum(square(gradient_hook<double>(x * 2.0, [&](const D&) { act(); })) * 3.0);
    static_cast<void>(backward(y, {.create_graph = recorded}));
}

}  // namespace

TEST_CASE("tape: two threads at once are an error that says what to do") {
    // However the two meet, nothing is written by both: most runs end within a few nodes. Where other programs have the
    // processors, the two may take turns for a while.
    const auto they_meet = [](auto run) {
        int met = 0;
        for (int k = 0; k < 20 || (met == 0 && k < 2000); ++k) met += run() > 0;
        return met > 0;
    };
    CHECK(they_meet([] {
        Tape<float> tape;
        const auto x = tape.variable(full<float>({100}, 1.0f));
        return errors_of_two(20'000, [&] { static_cast<void>(x * 2.0f); });
    }));
    CHECK(they_meet([] {
        Tape<float> tape;
        return errors_of_two(20'000, [&] {
            static_cast<void>(tape.variable(full<float>({10}, 1.0f)));
            tape.clear();
        });
    }));
}

TEST_CASE("tape: a thread in the midst of a sweep keeps the tape, and the other one is told") {
    Tape<double> tape;
    std::string message;
    for (const bool recorded : {false, true}) {
        sweep_with_hook(recorded, tape, [&] {
            std::thread([&] {
                message = message_of<TapeError>([&] { tape.clear(); });
                CHECK_THROWS_AS(tape.constant(D{1.0}), TapeError);
            }).join();
        });
        CHECK_THAT(message, contains("two threads") && contains("a tape of its own") && contains("mutex"));
    }
    CHECK(tape.size() > 0);
    tape.clear();
}

TEST_CASE("tape: one thread after the other, also between forward and backward, is right") {
    Tape<double> tape;
    Var<double> x, y;
    std::vector<double> gradient;
    for (int round = 0; round < 50; ++round) {
        std::thread([&] {
            tape.clear();
            x = tape.variable(D{1.0 + round, 2.0});
        }).join();
        y = sum(square(x));
        std::thread([&] { gradient = elements(backward(y)[x]); }).join();
        CHECK(gradient == std::vector<double>{2.0 + 2 * round, 4.0});
        CHECK(elements(backward(y)[x]) == gradient);
    }
}

TEST_CASE("tape: two threads that take turns by a mutex are right") {
    Tape<double> tape;
    std::mutex turn;
    const auto work = [&] {
        for (int i = 1; i <= 300; ++i) {
            const std::lock_guard lock(turn);
            tape.clear();
            const auto x = tape.variable(D{1.0 * i});
            if (*backward(sum(x * x))[x].data() != 2.0 * i) throw std::runtime_error("a wrong gradient");
        }
    };
    std::thread other(work);
    work();
    other.join();
}

TEST_CASE("tape: a hook may record and sweep on its own tape, but not clear it or free its values") {
    for (const bool recorded : {false, true}) {
        Tape<double> tape;
        D inner;
        sweep_with_hook(recorded, tape, [&] {
            const auto v = tape.variable(D{3.0});
            inner = backward(sum(v * v), {.create_graph = recorded})[v];
        });
        CHECK(elements(inner) == std::vector<double>{6.0});
        const auto clears = [&] { sweep_with_hook(recorded, tape, [&] { tape.clear(); }); };
        CHECK_THAT(message_of<TapeError>(clears), contains("clear") && contains("hook") && contains("backward()"));
        const auto releases = [&] {
            sweep_with_hook(recorded, tape, [&] {
                const auto v = tape.variable(D{3.0});
                static_cast<void>(backward(sum(v * v), {.release = true}));
            });
        };
        CHECK_THAT(message_of<GradientError>(releases), contains("within another"));
        tape.clear();  // nothing of it is left behind
        const auto x = tape.variable(D{2.0});
        CHECK(elements(backward(sum(x * x))[x]) == std::vector<double>{4.0});
    }
}

TEST_CASE("tape: clear() in a rule, in an op's function, in a checkpoint's function, and in forward mode") {
    Tape<double> tape;
    const auto x = tape.variable(D{2.0});
    const auto in_rule = custom_gradient<"clears">([](const auto& v) { return v * 1; },
                                                   [&](const auto& g, const auto&, const auto&) {
                                                       tape.clear();
                                                       return g * 1;
                                                   });
    const auto y = sum(in_rule(x));
    CHECK_THROWS_WITH(backward(y), contains("clear: called while"));
    CHECK_THROWS_WITH(backward(y, {.create_graph = true}), contains("clear: called while"));
    const auto in_function = custom_gradient<"clears_first">(
        [&](const auto& v) {
            tape.clear();
            return v * 1;
        },
        [](const auto& g, const auto&, const auto&) { return g; });
    CHECK_THROWS_WITH(in_function(x), contains("clear: called while"));
    const auto in_checkpoint = [&](const Var<double>& v) {
        tape.clear();
        return v * 1.0;
    };
    CHECK_THROWS_WITH(checkpoint(in_checkpoint, x), contains("clear: called while"));
    CHECK(elements(backward(sum(square(x)))[x]) == std::vector<double>{4.0});
}

TEST_CASE("tape: one that its own hook destroys ends the program with a sentence") {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const pid_t child = fork();
    if (child == 0) {
        std::signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        auto tape = std::make_unique<Tape<double>>();
        sweep_with_hook(false, *tape, [&] { tape.reset(); });
        _exit(0);
    }
    close(ends[1]);
    std::string said;
    std::array<char, 512> buffer;
    for (ssize_t count; (count = read(ends[0], buffer.data(), buffer.size())) > 0;) {
        said.append(buffer.data(), static_cast<std::size_t>(count));
    }
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT));
    CHECK_THAT(said, contains("a tape is destroyed while it is swept") && contains("hook"));
}

TEST_CASE("tape: an op's function that records on the op's own tape is an error, not another value") {
    Tape<double> tape;
    const auto x = tape.variable(D{2.0});
    const auto records = custom_gradient<"records">(
        [&](const auto& v) {
            static_cast<void>(tape.constant(D{5.0, 6.0}));
            return v * 1;
        },
        [](const auto& g, const auto&, const auto&) { return g; });
    CHECK_THROWS_WITH(records(x), contains("constant: recorded while another op"));
    CHECK((x * 3.0).item() == 6.0);
}

TEST_CASE("tape: functions of lists that return a Var of another tape are refused") {
    Tape<double> other;
    for (int i = 0; i < 300; ++i) static_cast<void>(other.constant(D{1.0}));
    const auto stranger = other.variable(D{1.0});
    const auto f = [&](const Var<double>&) { return stranger; };
    CHECK_THROWS_AS(jacobian(f, {D{1.0, 2.0}}), TapeError);
    CHECK_THROWS_AS(hessian(f, D{1.0}), TapeError);
    CHECK_THROWS_AS(vjp(f, {D{1.0}}, D{1.0}), TapeError);
}
