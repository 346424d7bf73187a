// Tries faults in the gradient rules, one at a time, and prints for each which op check saw it. It is built by run.sh,
// with the hooks of fault.hpp in the library. Each mutant runs in a process of its own: it may crash, or not end.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "autograd/base/threads.hpp"
#include "autograd/check.hpp"
#include "tests/mutation/fault.hpp"
#include "tests/specs/registry.hpp"

namespace {

using namespace autograd;
using fault::Kind;

constexpr std::size_t drops_tried = 4;
constexpr unsigned seconds_for_one = 120;

/// Runs the jobs, each in a process, some at a time. Gives what each returned, or, of one that did not, "!" and why.
std::vector<std::string> in_processes(const std::vector<std::function<std::string()>>& jobs, std::size_t at_once) {
    struct Running {
        std::size_t job;
        FILE* output;
    };
    std::vector<std::string> results(jobs.size());
    std::map<pid_t, Running> running;
    for (std::size_t next = 0; next < jobs.size() || !running.empty();) {
        if (next < jobs.size() && running.size() < at_once) {
            // A file, not a pipe: a child whose answer is long need not wait for us, who wait for it.
            FILE* output = std::tmpfile();
            if (output == nullptr) throw std::runtime_error("no temporary file");
            const pid_t child = fork();
            if (child < 0) throw std::runtime_error("cannot fork");
            if (child == 0) {
                alarm(seconds_for_one);
                std::string result;
                try {
                    result = jobs[next]();
                } catch (const std::exception& error) {
                    result = std::string("!it threw: ") + error.what();
                }
                std::fwrite(result.data(), 1, result.size(), output);
                std::fflush(output);
                _exit(0);
            }
            running[child] = {next++, output};
            continue;
        }
        int status = 0;
        const auto ended = running.find(waitpid(-1, &status, 0));
        if (ended == running.end()) continue;
        auto [job, output] = ended->second;
        running.erase(ended);
        if (WIFSIGNALED(status)) {
            results[job] = WTERMSIG(status) == SIGALRM ? fmt::format("!it did not end in {} s", seconds_for_one)
                                                       : fmt::format("!it crashed: signal {}", WTERMSIG(status));
        } else {
            std::rewind(output);
            char buffer[4096];
            while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, output)) results[job].append(buffer, count);
        }
        std::fclose(output);
    }
    return results;
}

/// A rule, and its evaluations in one spec's checks.
using Rule = std::pair<std::string, std::size_t>;
std::map<Rule, std::size_t> calls_in;

void note(const char* op, std::size_t input, std::size_t calls) {
    std::size_t& most = calls_in[{op, input}];
    most = std::max(most, calls);
}

std::string first_line(const std::string& text, std::size_t length) {
    std::string line = text.substr(0, text.find('\n'));
    if (line.size() > length) line = line.substr(0, length - 3) + "...";
    return line;
}

/// What a spec's checks evaluate, without a fault: lines of op, input and calls; or what fails.
std::string dry_run(const OpSpec& spec) {
    fault::state.note = note;
    const auto begin = std::chrono::steady_clock::now();
    const auto failures = opcheck(spec);
    if (!failures.empty()) return "!" + failures.front();
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    std::string lines = fmt::format("{}\n", time.count());
    for (const auto& [rule, calls] : calls_in) lines += fmt::format("{} {} {}\n", rule.first, rule.second, calls);
    return lines;
}

struct Candidate {
    double seconds;
    const OpSpec* spec;
};
struct Evaluated {
    std::size_t calls = 0;
    std::vector<Candidate> by;  ///< the op's own spec first, then the quick ones
};

std::string text_of(const fault::Fault& fault) {
    switch (fault.kind) {
        case Kind::sign: return "sign";
        case Kind::factor: return "factor 2";
        case Kind::zero: return "times 0";
        case Kind::drop_first: return fmt::format("call {} gives its second operand", fault.which);
        case Kind::drop_second: return fmt::format("call {} gives its first operand", fault.which);
    }
    return "";
}

/// '+' and what saw the fault; '=' if it changes no result of the rule; '-' and by how much it does, unseen.
std::string try_fault(const fault::Fault& fault, const std::vector<Candidate>& by) {
    fault::state.fault = fault;
    for (const Candidate& each : by) {
        // A failure names its spec. What another op's check sees is seen too.
        const auto failures = opcheck(*each.spec);
        if (!failures.empty()) return "+" + first_line(failures.front(), 110);
    }
    fault::state.compare = true;
    for (const Candidate& each : by) static_cast<void>(opcheck(*each.spec));
    // What every_op_test asks of all ops was asked above; the other tests are of kinks and the like.
    const std::string environment =
        fmt::format("{} {} {} {}", fault.op, fault.input, static_cast<int>(fault.kind), fault.which);
    setenv("XTAPE_FAULT", environment.c_str(), 1);
    std::FILE* tests = popen("./unit_tests '~every op of the library passes every check' 2>&1", "r");
    if (tests == nullptr) throw std::runtime_error("cannot run the tests");
    std::string first;
    char line[1024];
    while (std::fgets(line, sizeof line, tests) != nullptr) {
        if (first.empty() && std::strstr(line, "FAILED:") != nullptr) first = line;
    }
    if (pclose(tests) != 0) return "+a test of its own: " + first_line(first, 90);
    if (!fault::state.differed) return "=";
    return fmt::format("-SURVIVED: results differ by up to {:.2g}", fault::state.largest_difference);
}

int run(std::size_t processes) {
    set_num_threads(1);
    const std::vector<OpSpec>& specs = registry();

    std::vector<std::function<std::string()>> jobs;
    for (const OpSpec& spec : specs) jobs.push_back([&spec] { return dry_run(spec); });
    const auto dry = in_processes(jobs, processes);
    std::map<Rule, Evaluated> rules;
    for (std::size_t i = 0; i < specs.size(); ++i) {
        if (dry[i].empty() || dry[i][0] == '!') {
            fmt::print(stderr, "Without a fault {} fails its checks: {}\n", specs[i].name, dry[i]);
            return 2;
        }
        std::istringstream lines(dry[i]);
        double seconds = 0;
        lines >> seconds;
        Rule rule;
        for (std::size_t calls = 0; lines >> rule.first >> rule.second >> calls;) {
            Evaluated& evaluated = rules[rule];
            evaluated.calls = std::max(evaluated.calls, calls);
            evaluated.by.push_back({seconds, &specs[i]});
        }
    }

    std::vector<fault::Fault> faults;
    jobs.clear();
    for (auto& [rule, evaluated] : rules) {
        const std::string& op = rule.first;
        std::sort(evaluated.by.begin(), evaluated.by.end(), [&op](const Candidate& one, const Candidate& other) {
            const bool own = one.spec->name == op, others_own = other.spec->name == op;
            return own != others_own ? own : one.seconds < other.seconds;
        });
        const auto add = [&, &by = evaluated.by](Kind kind, std::size_t which) {
            faults.push_back({op.c_str(), rule.second, kind, which});
            jobs.push_back([fault = faults.back(), &by] { return try_fault(fault, by); });
        };
        for (const Kind kind : {Kind::sign, Kind::factor, Kind::zero}) add(kind, 0);
        for (std::size_t which = 0; which < std::min(evaluated.calls, drops_tried); ++which) {
            for (const Kind kind : {Kind::drop_first, Kind::drop_second}) add(kind, which);
        }
    }
    if (std::system("./unit_tests '~every op of the library passes every check' >&2") != 0) return 2;
    fmt::print(stderr, "{} rules, {} mutants ...\n", rules.size(), faults.size());
    const auto results = in_processes(jobs, processes);

    std::size_t caught = 0, equivalent = 0, survived = 0;
    fmt::print("{:<24} {:<5} {:<34} {}\n", "op", "input", "fault", "caught by");
    for (std::size_t i = 0; i < faults.size(); ++i) {
        const std::string& result = results[i];
        std::string by = result.empty() ? "it exited" : result.substr(1);
        if (!result.empty() && result[0] == '=') {
            ++equivalent;
            by = "(equivalent: no result of the rule changes in opcheck, all tests pass)";
        } else if (!result.empty() && result[0] == '-') {
            ++survived;
        } else {
            ++caught;
        }
        fmt::print("{:<24} {:<5} {:<34} {}\n", faults[i].op, faults[i].input, text_of(faults[i]), by);
    }
    // A rule that no check evaluates could hold any fault.
    std::set<Rule> idle;
    for (const fault::Site& site : fault::sites()) {
        if (rules.count({site.op, site.input}) == 0) idle.insert({site.op, site.input});
    }
    for (const auto& [op, input] : idle)
        fmt::print("{:<24} {:<5} {:<34} SURVIVED: no check evaluates the rule\n", op, input, "any");
    fmt::print("{} rules, {} mutants: {} caught, {} equivalent, {} survived; {} rules that no check evaluates\n", rules.size(),
               faults.size(), caught, equivalent, survived, idle.size());
    if (faults.empty()) return 2;
    return survived + idle.size() > 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1);
    } catch (const std::exception& error) {
        fmt::print(stderr, "{}\n", error.what());
        return 2;
    }
}
