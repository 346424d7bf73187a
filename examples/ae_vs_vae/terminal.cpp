// By stdio, whose mark of a failure stays on the stream.
#include "terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <nn/data/file.hpp>
#include <system_error>

namespace {

constexpr std::size_t widest = 112;

/// One less than there are: some terminals begin a new line when the last one is written to.
std::size_t columns_of_a_line() { return terminal_columns().value_or(80) - 1; }

}  // namespace

void say_text(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void say_wrapped(std::string_view text) {
    const std::size_t columns = std::min(widest, terminal_columns().value_or(widest));
    std::string result;
    std::size_t column = 0;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(' ', begin), text.size());
        const std::string_view word = text.substr(begin, end - begin);
        if (column > 0 && column + 1 + word.size() > columns) {
            result += "\n  ";
            column = 2;
        } else if (column > 0) {
            result += ' ';
            ++column;
        }
        result += word;
        column += word.size();
        begin = end + 1;
    }
    say_text(result + '\n');
}

void flush_output() { std::fflush(stdout); }

void complain(std::string_view text) {
    flush_output();
    std::string line = std::string(program_invocation_short_name) + ": ";
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        line += nn::printable(text.substr(begin, end - begin)) + '\n';
        begin = end + 1;
    }
    std::fwrite(line.data(), 1, line.size(), stderr);
}

std::optional<std::size_t> terminal_columns() {
    winsize size{};
    if (isatty(STDOUT_FILENO) == 0) return std::nullopt;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

std::string fitting_line(const std::vector<std::string>& lines, std::size_t columns) {
    for (const std::string& line : lines) {
        if (line.size() <= columns) return line;
    }
    return lines.back().substr(0, columns);
}

bool LiveLine::is_due() const { return watched_ && std::chrono::steady_clock::now() - last_ >= std::chrono::milliseconds(100); }

void LiveLine::overwrite(const std::vector<std::string>& lines) {
    last_ = std::chrono::steady_clock::now();
    say("\r\033[K{}", fitting_line(lines, columns_of_a_line()));
    flush_output();
}

void LiveLine::end_with(const std::vector<std::string>& lines) {
    end_with(watched_ ? fitting_line(lines, columns_of_a_line()) : lines.front());
}

void LiveLine::end_with(const std::string& line) {
    end();
    say("{}\n", line);
    flush_output();
}

void LiveLine::end() const {
    if (watched_) say("\r\033[K");
}

std::string clock_time(double seconds) {
    constexpr long minute = 60, hour = 60 * minute, day = 24 * hour;
    const long whole = std::lround(seconds);
    if (whole < hour) return fmt::format("{}:{:02}", whole / minute, whole % minute);
    const std::string rest = fmt::format("{:02}:{:02}", whole % hour / minute, whole % minute);
    if (whole < day) return fmt::format("{}:{}", whole / hour, rest);
    return fmt::format("{} d {:02}:{}", whole / day, whole % day / hour, rest);
}

std::optional<std::string> output_failure() {
    const std::string reason = std::fflush(stdout) == 0 ? "" : ": " + std::generic_category().message(errno);
    if (std::ferror(stdout) == 0 && reason.empty()) return std::nullopt;
    return "standard output cannot be written" + reason;
}
