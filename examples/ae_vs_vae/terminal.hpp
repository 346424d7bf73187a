// What the program says, on standard output and standard error, in order where both go to one file. An output that fails
// (a full disk, a reader that has gone) costs what is said and nothing else: it is told at the end.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// To standard output, as it is.
void say_text(std::string_view text);

template <class... Arguments>
void say(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    say_text(fmt::format(text, std::forward<Arguments>(arguments)...));
}

/// To standard output, with line breaks where the next word would not fit into the terminal's width (or 112 columns, if
/// that is less) and an indent behind them.
void say_wrapped(std::string_view text);

/// Makes what was said be seen.
void flush_output();

/// A line on standard error, after the program's name and after all that was said before. Bytes that are not UTF-8 and
/// control characters in it are escaped, line breaks are not.
void complain(std::string_view text);

/// The columns of the terminal that standard output is; nothing if it is none, or none is watching it. Asked anew at
/// each call, because windows change.
std::optional<std::size_t> terminal_columns();

/// The first of these lines, which are ever shorter, that fits into so many columns; the last, cut, if none does.
std::string fitting_line(const std::vector<std::string>& lines, std::size_t columns);

/// A line of progress, overwritten while somebody watches. What does not fit into the terminal's width is left out: a line that
/// goes over its edge cannot be overwritten. Lines are given from the longest form to the shortest.
class LiveLine {
   public:
    LiveLine() = default;
    LiveLine(const LiveLine&) = delete;
    LiveLine& operator=(const LiveLine&) = delete;
    ~LiveLine() { end(); }  // an error's line must not begin behind it

    /// Whether somebody watches, and has had a tenth of a second to read what is there.
    bool is_due() const;
    void overwrite(const std::vector<std::string>& lines);
    /// In its place a line that stays; where nobody watches the longest form.
    void end_with(const std::vector<std::string>& lines);
    void end_with(const std::string& line);
    void end() const;

   private:
    bool watched_ = terminal_columns().has_value();
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/// A time as people read it: 0:07, 1:02:03, 3 d 04:05:06.
std::string clock_time(double seconds);

/// Flushes standard output. Why what was said is not all there; nothing if it is.
std::optional<std::string> output_failure();
