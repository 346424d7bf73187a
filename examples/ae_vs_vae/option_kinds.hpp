// Kinds of options that CLI11 has not, or not with such messages: numbers within a range, lists of these, paths, flags without
// a value. Which options a program has is its own matter.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <system_error>
#include <type_traits>
#include <vector>

/// A number as people write it: the largest of 64 bits has too many digits to be read.
template <class T>
std::string readable(T value) {
    if constexpr (std::is_same_v<T, std::uint64_t>) {
        if (value == std::numeric_limits<T>::max()) return "2^64 - 1";
    }
    return fmt::to_string(value);
}

template <class T>
struct Range {
    T low, high;

    std::string text() const { return fmt::format("in [{}, {}]", readable(low), readable(high)); }
};

template <class T>
constexpr const char* kind_of_number = std::is_floating_point_v<T> ? "number" : "whole number";

/// The number that all of the text is, in decimal digits.
/// @param within what the user wrote, if that is more
/// @throws CLI::ValidationError, naming the option, the text and the range, if it is none, or not within the range.
template <class T>
T number(const std::string& option, const std::string& text, const Range<T>& range, const std::string& within) {
    T value{};
    const char* const end = text.data() + text.size();
    const auto [parsed_to, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc() && parsed_to == end && value >= range.low && value <= range.high) {  // which no NaN is
        return value + T{0};                                                                      // not -0
    }
    throw CLI::ValidationError(
        option, fmt::format("expected a {} from {} to {}, found \"{}\"{}", kind_of_number<T>, readable(range.low),
                            readable(range.high), text, text == within ? "" : fmt::format(" in \"{}\"", within)));
}

template <class T>
CLI::Option* add_number(CLI::App& app, const std::string& option, T& value, const Range<T>& range,
                        const std::string& description) {
    return app
        .add_option_function<std::string>(
            option, [&value, option, range](const std::string& text) { value = number(option, text, range, text); },
            description)
        ->type_name(fmt::format("N {}", range.text()))
        ->default_str(fmt::to_string(value));
}

/// An option that is given several numbers, as words of their own or with commas between them.
template <class T>
CLI::Option* add_numbers(CLI::App& app, const std::string& option, std::vector<T>& values, const Range<T>& range,
                         const std::string& description) {
    return app
        .add_option_function<std::vector<std::string>>(
            option,
            [&values, option, range](const std::vector<std::string>& words) {
                for (const std::string& word : words) {
                    for (std::size_t begin = 0; begin <= word.size();) {
                        const std::size_t end = std::min(word.find(',', begin), word.size());
                        values.push_back(number(option, word.substr(begin, end - begin), range, word));
                        begin = end + 1;
                    }
                }
            },
            description)
        ->type_name(fmt::format("N,N,... {}", range.text()))
        ->default_str("none");
}

/// An option that is a path. What is there is not looked at.
inline CLI::Option* add_path(CLI::App& app, const std::string& option, std::string& path, const std::string& description) {
    const auto not_empty = [](const std::string& text) { return text.empty() ? "expected a path, found nothing" : ""; };
    return app.add_option(option, path, description)->type_name("PATH")->check(CLI::Validator(not_empty, ""));
}

/// "" for what can be said of a flag: --quick is --quick=true.
inline std::string no_flag(const std::string& text) {
    if (text == "true" || text == "false") return "";
    return fmt::format("expected no value, or true or false, found \"{}\"", text);
}

/// To be called when all options are there: a flag is given no value but true or false.
inline void refuse_values_of_flags(CLI::App& app) {
    for (CLI::Option* option : app.get_options([](const CLI::Option* each) { return each->get_expected_max() == 0; })) {
        option->check(CLI::Validator(no_flag, ""));
    }
}
