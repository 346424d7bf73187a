// docs/ops.md is generated from the registry, and must be what would be generated now. To write it anew:
//
//     XTAPE_UPDATE_DOCS=1 ./xtape test -R "table of ops"
#include "tests/specs/registry.hpp"

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "tests/catch.hpp"
#include "tests/files.hpp"

namespace {

using namespace autograd;

/// Text that Markdown shows as it is. What is marked up only beside a letter is escaped only there: "a * b" stays.
std::string escaped(std::string_view text) {
    const auto is_space = [&](std::size_t i) { return i >= text.size() || std::isspace(static_cast<unsigned char>(text[i])); };
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool always = text[i] == '|' || text[i] == '\\' || text[i] == '`';
        const bool beside_letters = std::string_view("*_<[~").find(text[i]) != std::string_view::npos;
        if (always || (beside_letters && !(is_space(i - 1) && is_space(i + 1)))) result += '\\';
        result += text[i];
    }
    return result;
}

/// Empty for what holds of most ops, which the page says once.
std::string unless(const char* usual, const char* text) { return std::string_view(text) == usual ? "" : escaped(text); }

std::string row(const OpSpec& spec) {
    const Documentation& about = spec.documentation;
    return "| `" + spec.name + "` | " + escaped(about.formula) + " | " + escaped(about.gradient) + " | " +
           unless(Documentation{}.kinks, about.kinks) + " | " + unless(Documentation{}.nan, about.nan) + " |\n";
}

std::string table(const std::vector<OpSpec>& specs, bool elementwise) {
    std::string text = "| op | value | gradient | kinks: what is chosen there | NaN, where it does not just propagate |\n"
                       "|---|---|---|---|---|\n";
    for (const OpSpec& spec : specs) {
        if (spec.is_elementwise() == elementwise) text += row(spec);
    }
    return text;
}

std::string page(const std::vector<OpSpec>& specs) {
    return "<!-- Generated from the registry of ops by tests/ops/op_table_test.cpp, which says how to write it anew. -->\n"
           "# The ops\n"
           "\n"
           "One row for each op of the library. `opcheck` holds every one against an independent reference of its\n"
           "value, and its gradient against differences and forward mode, to second order, in `tests/ops/every_op_test.cpp`.\n"
           "`g` is the gradient of the result `y`; where an op has several inputs, commas separate their gradients.\n"
           "\"derived\" is one that follows from the ops that the value is made of, \"none\" one that does not exist: asking\n"
           "for it is an error. Where the last two columns are empty the op has no kink, and a NaN in an input makes NaN of\n"
           "what depends on it (a comparison with NaN is 1 or 0, as in C++). [Adding an op](adding-an-op.md) says how a row\n"
           "comes here.\n"
           "\n"
           "At a kink an op counts as one smooth function, and all its derivatives are that function's, by both modes: the\n"
           "piece on the side whose gradient the table names; where that is no side's (0 at a corner, equal shares, a\n"
           "limit), the linear function with this gradient, whose second derivatives are 0. So a Hessian is symmetric\n"
           "wherever it is finite. `tests/ops/kinks_test.cpp` holds every kink to it.\n"
           "\n"
           "## Elementwise\n"
           "\n"
           "Inputs broadcast by NumPy's rule, and scalars may stand in their place.\n"
           "\n" +
           table(specs, true) +
           "\n"
           "## On whole arrays\n"
           "\n" +
           table(specs, false);
}

}  // namespace

TEST_CASE("the table of ops in docs/ops.md is current") {
    const std::filesystem::path file = std::filesystem::path(XTAPE_SOURCE_DIR) / "docs/ops.md";
    const std::string expected = page(registry());
    if (std::getenv("XTAPE_UPDATE_DOCS") != nullptr) write_text(file, expected);
    INFO("set XTAPE_UPDATE_DOCS=1 and run this test again to write docs/ops.md anew");
    CHECK(read_text(file) == expected);
}

TEST_CASE("the table of ops: a row of what a spec says") {
    const OpSpec spec{.name = "an_op", .documentation = {.formula = "|x| * a_b", .gradient = "g*x", .kinks = "x = 0: 0"}};
    CHECK(row(spec) == "| `an_op` | \\|x\\| * a\\_b | g\\*x | x = 0: 0 |  |\n");
}
