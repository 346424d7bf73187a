// What a compiler says of a user's mistake: the first line with `error:` says what to write. Each file is only looked at, not
// compiled, by the compiler that built this test.
#include <fstream>
#include <regex>
#include <sstream>

#include "tests/files.hpp"
#include "tests/programs.hpp"
#include "tests/testing.hpp"

using namespace autograd;

namespace {

/// All that the compiler says of a file with this text.
std::string compiler_output(const std::string& text, const std::string& options = "-std=c++20") {
    const TemporaryDirectory directory;
    const auto file = directory.path() / "user.cpp";
    std::ofstream(file) << text;
    return run_command(XTAPE_COMPILER " " + options + " -fsyntax-only -I'" XTAPE_SOURCE_DIR "' '" + file.string() + "'").output;
}

std::string first_error(const std::string& output) {
    std::istringstream lines(output);
    for (std::string line; std::getline(lines, line);) {
        if (line.find("error:") != line.npos) return line;
    }
    return "(none)\n" + output;
}

const std::string head = "#include <nn/nn.hpp>\n"
                         "#include <cmath>\n"
                         "using namespace autograd;\n";

/// A file with an op whose function is this expression of x.
std::string op_of(const std::string& body) {
    return head + "constexpr auto f = elementwise<\"f\">([](auto x) { " + body + " });\n" +
           "Var<float> use(Var<float> v) { return f(v); }\n";
}

}  // namespace

TEST_CASE("compiler messages: one error without -std=c++20, for each header to begin with") {
    for (const std::string header : {"autograd/autograd.hpp", "nn/nn.hpp", "nn/linear.hpp", "autograd/base/array.hpp",
                                     "autograd/catch2.hpp", "autograd/check.hpp", "autograd/kernels/simd.hpp"}) {
        const std::string output = compiler_output("#include <" + header + ">\nautograd::Var<float> v;\n", "-std=c++17");
        INFO(header << ": " << output);
        CHECK_THAT(first_error(output), contains("compile with -std=c++20"));
        CHECK(std::count(output.begin(), output.end(), '\n') < 20);
    }
}

TEST_CASE("compiler messages: conditions on values, and a Var with an array") {
    for (const std::string body : {"return x > 0 ? x : 0;", "if (x > 0) return x; return -x;",
                                   "return where(x > 0 && x < 1, x, 0);", "return std::max(x, 2 * x);"}) {
        INFO(body);
        CHECK_THAT(first_error(compiler_output(op_of(body))), contains("where(condition, a, b)"));
    }
    CHECK_THAT(first_error(compiler_output(head + "Var<float> use(Var<float> v, Array<float> a) { return v * a; }\n")),
               contains("tape.constant(array)"));
}

TEST_CASE("compiler messages: a structured op whose tangent or add_to nobody would call") {
    const auto op = [](const std::string& member) {
        return head +
               "struct Bad {\n    static constexpr const char* name = \"bad\";\n"
               "    template <class T>\n    void forward(Array<T>& out, const Array<T>& x) const { out = x; }\n"
               "    template <class X>\n    X gradient(InputIndex<0>, const X& g, const X&, const X&) const { return g; }\n" +
               member + "};\nVar<float> use(Var<float> v) { return apply(Bad{}, v); }\n";
    };
    CHECK(compiler_output(op("")) == "");
    CHECK_THAT(first_error(compiler_output(
                   op("template <class X> X tangent(InputIndex<0>, const X& t, const X&) const { return t; }\n"))),
               contains("its tangent fits no input"));
    CHECK_THAT(first_error(compiler_output(op("template <class T> void add_to(Array<T>& target) const { target += T(1); }\n"))),
               contains("its add_to does not fit"));
}

TEST_CASE("compiler messages: a model without a listing") {
    CHECK_THAT(
        first_error(compiler_output(head + "struct Model { nn::Linear hidden; };\n"
                                           "std::size_t use(const Model& model) { return nn::parameter_count(model); }\n")),
        contains("static constexpr auto members = nn::members(...)"));
}

TEST_CASE("compiler messages: what is right is left alone, with a project's warnings as errors") {
    const std::string text =
        op_of("using std::sqrt, std::exp; constexpr bool twice = true; return sqrt(exp(x)) * (twice ? x : 2 * x);") +
        "struct Model { nn::Linear hidden; static constexpr auto members = nn::members(\"hidden\", &Model::hidden); };\n"
        "float use(Model& model, Tape<float>& tape, Var<float> v, nn::Adam& adam) {\n"
        "    if (v.item() > 0) adam.step(model, backward(sum(model.hidden(f(v)))));\n"
        "    return sum(where(v > 0, v, 0)).item() + std::sqrt(2.0f);\n"
        "}\n"
        "static_assert(!std::is_convertible_v<Pack<float>, bool> && !std::is_convertible_v<Pack<float>, double> &&\n"
        "              !std::is_constructible_v<double, Var<float>>);\n";
    const std::string warnings =
        " -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Werror -Wno-unused-parameter";
    for (const std::string standard : {"-std=c++20", "-std=c++23"}) {
        CHECK(compiler_output(text, standard + warnings) == "");
    }
}

TEST_CASE("compiler messages: fast math is refused, unless it is asked for") {
    const std::string text = "#include <autograd/base/error.hpp>\n";
    for (const std::string option : {"-ffast-math", "-Ofast -w", "-ffinite-math-only"}) {
        const std::string output = compiler_output(text, "-std=c++20 " + option);
        INFO(output);
        CHECK_THAT(first_error(output), contains("XTAPE_ALLOW_FAST_MATH") && contains("subnormal"));
        CHECK(output.find("error:") == output.rfind("error:"));
        CHECK(compiler_output(text, "-std=c++20 " + option + " -DXTAPE_ALLOW_FAST_MATH") == "");
        CHECK(compiler_output(text, "-std=c++20 " + option + " -fno-fast-math") == "");
    }
}

TEST_CASE("compiler messages: a result that is dropped is warned of, whatever function it is of") {
    // Of the headers that programs include: free functions with a result say so, or return a type which does.
    const std::regex function(R"(^(?:inline |constexpr )*(?:const )?[A-Za-z_][\w:]*(?:<[^;(){}=]*>)?[&*]* [a-z_]\w*\()");
    const std::regex other(
        R"(^(?:inline |constexpr )*(?:void|template|using|namespace|return|struct|class|concept|extern|else|requires|static_assert)\b)");
    for (const std::string folder : {"autograd", "nn"}) {
        for (const auto& entry :
             std::filesystem::recursive_directory_iterator(std::filesystem::path(XTAPE_SOURCE_DIR) / folder)) {
            if (entry.path().extension() != ".hpp" || entry.path().parent_path().filename() == "kernels") continue;
            std::ifstream file(entry.path());
            for (std::string line; std::getline(file, line);) {
                INFO(entry.path() << ": " << line);
                CHECK((!std::regex_search(line, function) || std::regex_search(line, other)));
            }
        }
    }
    const auto warnings_for = [](const std::string& body) {
        const std::string output = compiler_output(
            head +
            "void use([[maybe_unused]] Tape<float>& tape, Var<float> v, Gradients<float>& g, Rng& rng, nn::Batches& b, "
            "nn::Adam& adam, nn::Linear& l) { " +
            body +
            " static_cast<void>(v), static_cast<void>(g), "
            "static_cast<void>(rng), static_cast<void>(b), static_cast<void>(adam), static_cast<void>(l); }\n");
        INFO(output);
        std::size_t warnings = 0;
        for (std::size_t at = 0; (at = output.find("warning:", at)) != output.npos; ++at) ++warnings;
        return warnings;
    };
    CHECK(warnings_for("") == 0);
    CHECK(warnings_for("print(tape); exp(v); v + 1; sum(v); backward(v); to_string(v.value());") == 6);
    CHECK(warnings_for("v.value(); v.item(); g[v]; g.find(v); g.uses(l.weight); tape.profile(); tape.describe(0);") == 7);
    CHECK(warnings_for(
              "rng.uniform<float>({2}); rng.normal<float>({2}); rng.permutation(3); rng.stream(\"a\"); rng.state();") == 5);
    CHECK(warnings_for("b.epoch(1); b.epoch(1)[0]; b.size(); adam.states(l); l.weight.value();") == 5);
}
