// One socket to each worker, its standard input and output in one: writing to it when the worker is gone is an error
// that can be reported, where writing to a pipe would be the end of this process.
#include "children.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "worker.hpp"

namespace bench {
namespace {

/// In a child: it dies with the process that started it, which may have died already.
void die_with(pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
}

pid_t fork_or_throw() {
    const pid_t process = fork();
    if (process < 0) throw std::runtime_error(fmt::format("no new process: {}", std::strerror(errno)));
    return process;
}

}  // namespace

std::filesystem::path this_program() { return std::filesystem::read_symlink("/proc/self/exe"); }

pid_t start_child(const std::vector<std::string>& command, int input, int output) {
    std::vector<char*> words;
    for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    const pid_t parent = getpid();
    const pid_t process = fork_or_throw();
    if (process == 0) {
        die_with(parent);
        dup2(input, STDIN_FILENO);
        dup2(output, STDOUT_FILENO);
        execvp(words[0], words.data());
        _exit(127);
    }
    return process;
}

std::string how_it_ended(int status) {
    if (WIFSIGNALED(status)) return fmt::format("signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
    return fmt::format("exit code {}", WEXITSTATUS(status));
}

Ended run_to_end(const std::vector<std::string>& command) {
    std::array<int, 2> ends;
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe for a child process");
    const auto start = std::chrono::steady_clock::now();
    const pid_t child = start_child(command, STDIN_FILENO, ends[1]);
    close(ends[1]);
    Ended ended{};
    std::array<char, 4096> buffer;
    for (ssize_t count; (count = read(ends[0], buffer.data(), buffer.size())) > 0;) {
        ended.output.append(buffer.data(), static_cast<std::size_t>(count));
    }
    close(ends[0]);
    rusage usage{};
    wait4(child, &ended.status, 0, &usage);
    ended.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    ended.peak_megabytes = static_cast<double>(usage.ru_maxrss) / 1024;
    return ended;
}

Ended run_or_throw(const std::vector<std::string>& command) {
    Ended ended = run_to_end(command);
    if (ended.status == 0) return ended;
    throw std::runtime_error(
        fmt::format("`{}` ended with {}\n{}", fmt::join(command, " "), how_it_ended(ended.status), ended.output));
}

Worker::Worker(std::vector<std::string> command) : command_(std::move(command)) {
    std::array<int, 2> ends;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw std::runtime_error(fmt::format("no socket for a worker: {}", std::strerror(errno)));
    }
    socket_ = ends[0];
    process_ = start_child(command_, ends[1], ends[1]);
    close(ends[1]);
    take_turn(5, 0);
}

Worker::~Worker() {
    close(socket_);
    if (process_ == 0) return;
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
}

std::vector<double> Worker::take_turn(std::size_t untimed, std::size_t count) {
    kill(process_, SIGCONT);
    take_steps(untimed);
    std::vector<double> seconds = take_steps(count);
    kill(process_, SIGSTOP);
    int status = 0;
    waitpid(process_, &status, WUNTRACED);
    if (!WIFSTOPPED(status)) report_end(status);
    return seconds;
}

std::vector<double> Worker::take_steps(std::size_t count) {
    const auto send_all = [](int file, const char* bytes, std::size_t size) { return send(file, bytes, size, MSG_NOSIGNAL); };
    const auto order = static_cast<std::uint32_t>(count);
    std::vector<double> seconds(count);
    if (!all_through(send_all, socket_, reinterpret_cast<const char*>(&order), sizeof(order)) ||
        !all_through(read, socket_, reinterpret_cast<char*>(seconds.data()), count * sizeof(double))) {
        int status = 0;
        waitpid(process_, &status, 0);
        report_end(status);
    }
    return seconds;
}

void Worker::report_end(int status) {
    process_ = 0;
    throw std::runtime_error(
        fmt::format("the worker `{}` ended too early, with {}", fmt::join(command_, " "), how_it_ended(status)));
}

BusyNeighbour::BusyNeighbour() {
    const pid_t parent = getpid();
    process_ = fork_or_throw();
    if (process_ != 0) return;
    die_with(parent);
    volatile unsigned spin = 0;
    while (true) spin = spin + 1;
}

BusyNeighbour::~BusyNeighbour() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
}

}  // namespace bench
