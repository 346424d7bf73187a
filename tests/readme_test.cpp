// What README.md shows is what is run here: each of its blocks of C++ must stand, letter for letter but for indentation, in
// this file or in a file of examples/, and the numbers it promises must come out.
#include <autograd/autograd.hpp>

#include <filesystem>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "catch.hpp"
#include "files.hpp"
#include "programs.hpp"

inline constexpr auto swish = autograd::elementwise<"swish">([](auto x) { return x * sigmoid(x); });

inline constexpr auto hard_tanh = autograd::elementwise<"hard_tanh">(
    [](auto x) { return minimum(maximum(x, -1), 1); },
    [](auto g, auto x, auto) { return where(abs(x) < 1, g, 0); });

TEST_CASE("README: checking a gradient") {
    const autograd::Array<double> x{-1.5, -0.2, 0.7, 2.0};
    REQUIRE(autograd::gradcheck(swish, {x}));
    REQUIRE(autograd::gradcheck(swish, {x}, {.order = 2}));
    REQUIRE(autograd::gradcheck(hard_tanh, {x}));

    const auto reparameterised = [](const auto& mu, const auto& log_variance, autograd::Rng& rng) {
        return mu + exp(0.5 * log_variance) * normal_like(mu, rng);
    };
    REQUIRE(autograd::gradcheck(reparameterised, {x, x}, autograd::Rng{42}));
}

TEST_CASE("README: an op works on floats and doubles") {
    autograd::Tape<float> tape;
    const auto v = tape.variable(autograd::Array<float>{0.0f, 3.0f});
    CHECK(swish(v).value()(1) == Approx(3 / (1 + std::exp(-3.0))));
    autograd::Tape<double> tape64;
    CHECK(hard_tanh(tape64.variable(autograd::Array<double>{-7.0})).item() == -1);
}

TEST_CASE("README: the programs print what it says") {
    CHECK(run_program("first_steps", "").output == "y = 2.00 x + 1.00\n");
    const std::string learned = run_program("first_model", "").output;
    REQUIRE(learned.find("step 1000: mean squared error ") != std::string::npos);
    CHECK(std::stod(learned.substr(learned.find("step 1000: mean squared error ") + 30)) < 1e-3);
}

namespace {

std::string without_indentation(const std::string& text) {
    std::istringstream lines(text);
    std::string result;
    for (std::string line; std::getline(lines, line);) {
        const std::size_t start = line.find_first_not_of(' ');
        if (start != std::string::npos) result += line.substr(start) + "\n";
    }
    return result;
}

}  // namespace

TEST_CASE("README: each block of C++ is run by a test") {
    const std::filesystem::path root = XTAPE_SOURCE_DIR;
    const std::string readme = read_text(root / "README.md");
    std::vector<std::string> sources{without_indentation(read_text(root / "tests/readme_test.cpp"))};
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "examples")) {
        if (entry.path().extension() == ".cpp") sources.push_back(without_indentation(read_text(entry.path())));
    }
    std::size_t blocks = 0;
    const std::string open = "```cpp\n", close = "```\n";
    for (std::size_t at = readme.find(open); at != std::string::npos; at = readme.find(open, at)) {
        at += open.size();
        const std::string block = without_indentation(readme.substr(at, readme.find(close, at) - at));
        INFO(block);
        const bool found = std::any_of(sources.begin(), sources.end(),
                                       [&](const std::string& source) { return source.find(block) != std::string::npos; });
        CHECK(found);
        ++blocks;
    }
    CHECK(blocks == 6);
}
