// What README.md and the pages in docs/ show is what is run here: each of their blocks of C++, and of text that a
// program prints, must stand, letter for letter but for indentation and empty lines, in this file, in one of those that
// the last test names, or in a file of examples/; and the numbers that they promise must come out.
#include <autograd/autograd.hpp>
#include <autograd/check.hpp>

#include <filesystem>
#include <regex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/files.hpp"
#include "tests/programs.hpp"
#include "tests/testing.hpp"

inline constexpr auto swish = autograd::elementwise<"swish">([](auto x) { return x * sigmoid(x); });

// Laid out by hand: a table, in which a rule keeps its line.
// clang-format off
inline constexpr auto hard_tanh = autograd::elementwise<"hard_tanh">(
    [](auto x) { return minimum(maximum(x, -1), 1); },
    [](auto g, auto x, auto) { return where(abs(x) < 1, g, 0); });
// clang-format on

TEST_CASE("README: the first screen") {
    using namespace autograd;
    static constexpr auto bump = elementwise<"bump">([](auto x) { return exp(-square(x)); });  // an op
    const auto f = [](const auto& x) { return sum(x * bump(x)); };                             // a function of ops
    const Array<double> at{-1.5, -0.2, 0.7, 2.0};

    Tape<double> tape;
    const auto x = tape.variable(at);
    const auto loss = f(x);                                  // is computed, and recorded: 4 nodes
    const Array<double> gradient = backward(loss)[x];        // by reverse mode
    const Array<double> curvature = hessian<double>(f, at);  // of shape (4, 4), by forward mode over reverse mode
    REQUIRE(gradcheck(f, {at}, {.order = 2}));               // both orders, against differences and forward mode

    CHECK(tape.size() == 4);
    CHECK(curvature.shape() == Shape{4, 4});
    for (std::size_t i = 0; i < 4; ++i) {
        const double square = at(i) * at(i), value = std::exp(-square);
        CHECK(gradient(i) == Approx((1 - 2 * square) * value));
        CHECK(curvature(i, i) == Approx((4 * square - 6) * at(i) * value));
    }
}

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

TEST_CASE("README: derivatives of functions") {
    using namespace autograd;
    const auto f = [](const auto& v) { return sum(exp(v)) + square(sum(v)); };
    const Array<double> x{0.5, -1.0, 2.0}, direction{1.0, 0.0, -2.0};
    const auto [value, along] = jvp<double>(f, {x}, {direction});                 // f(x), and its derivative along a direction
    const Array<double> product = hvp<double>(f, {x}, {direction}).gradients[0];  // its Hessian times the direction
    const Array<double> matrix = hessian<double>(f, x);                           // of shape (3, 3)
    const Array<double> rows = jacobian<double>([](const auto& v) { return v * sum(v); }, {x})[0];

    CHECK(along.data()[0] == Approx(std::exp(0.5) - 2 * std::exp(2.0) - 2 * 1.5));
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(product(i) == Approx(matrix(i, 0) - 2 * matrix(i, 2)));
        for (std::size_t j = 0; j < 3; ++j) CHECK(rows(i, j) == Approx(x(i) + (i == j ? 1.5 : 0.0)));
    }
}

TEST_CASE("README: gradients by hand, and values computed again") {
    using namespace autograd;
    Tape<double> tape;
    const auto v = tape.variable(Array<double>{0.5, -1.0, 2.0});
    const auto clipped = custom_gradient<"clipped">([](const auto& a) { return a * 1; },
                                                    [](const auto& g, const auto&, const auto&) { return clip(g, -1, 1); });
    const auto block = [](const auto& a) { return tanh(tanh(tanh(a))); };
    const auto y = checkpoint(block, clipped(v));
    CHECK(elements(backward(sum(y) * 100)[v]) == std::vector<double>(3, 1.0));
    CHECK(tape.size() == 3 + 2);
}

// ---- docs/autograd.md ----

using namespace autograd;

TEST_CASE("docs: three nodes, by hand") {
    Tape<double> tape;
    const auto x = tape.variable(full<double>({}, 3)), y = tape.variable(full<double>({}, 1));
    const auto loss = square(x * y + x);

    CHECK(print(tape) == R"(tape of 5 nodes, 40 bytes
%0 = variable          ()  gradient  8 bytes
%1 = variable          ()  gradient  8 bytes
%2 = multiply(%0, %1)  ()  gradient  8 bytes
%3 = add(%2, %0)       ()  gradient  8 bytes
%4 = square(%3)        ()  gradient  8 bytes
)");
    std::vector<double> values;
    for (std::uint32_t i = 0; i < tape.size(); ++i) values.push_back(tape.node(i).value());
    CHECK(values == std::vector<double>{3, 1, 3, 6, 36});

    {
        const auto gradients = backward(loss);
        CHECK(gradients[x]() == 24);
        CHECK(gradients[y]() == 36);
    }
    const auto kept = backward(loss, {.keep = true});
    values.clear();
    for (std::uint32_t i = 0; i < tape.size(); ++i) values.push_back(kept[tape.var(i)]());
    CHECK(values == std::vector<double>{24, 36, 12, 12, 1});

    const Array<double> one = full<double>({}, 1);
    CHECK(tangent<double>(loss, {{x, one}})() == 24);
    CHECK(tangent<double>(loss, {{y, one}})() == 36);
    CHECK(tangent<double>(loss, {{x, one}, {y, one}})() == 60);
    values.clear();
    for (std::uint32_t i = 2; i < tape.size(); ++i) values.push_back(tangent<double>(tape.var(i), {{x, one}})());
    CHECK(values == std::vector<double>{1, 2, 24});

    const auto gradients = backward(loss, {.create_graph = true});
    CHECK(tape.size() == 11);
    const auto second = backward(gradients.var(x));
    CHECK(second[x]() == 8);
    CHECK(second[y]() == 24);

    const auto column = hvp<double>([](const auto& a, const auto& b) { return square(a * b + a); },
                                    {full<double>({}, 3), full<double>({}, 1)}, {one, full<double>({}, 0)});
    CHECK(column.gradients[0]() == 8);
    CHECK(column.gradients[1]() == 24);

    CHECK(print(tape) == R"(tape of 11 nodes, 88 bytes
%0 = variable           ()  gradient  8 bytes
%1 = variable           ()  gradient  8 bytes
%2 = multiply(%0, %1)   ()  gradient  8 bytes
%3 = add(%2, %0)        ()  gradient  8 bytes
%4 = square(%3)         ()  gradient  8 bytes
%5 = constant           ()  -         8 bytes
%6 = multiply(2, %5)    ()  -         8 bytes
%7 = multiply(%6, %3)   ()  gradient  8 bytes
%8 = multiply(%7, %1)   ()  gradient  8 bytes
%9 = add(%7, %8)        ()  gradient  8 bytes
%10 = multiply(%7, %0)  ()  gradient  8 bytes
)");
}

inline constexpr auto root_or_line = elementwise<"root_or_line">([](auto x) { return where(x > 0, sqrt(x), x); });

TEST_CASE("docs: a branch that is not taken") {
    Tape<double> tape;
    const auto x = tape.variable(Array<double>{-1, 4});
    CHECK(std::isnan(backward(sum(where(x > 0, sqrt(x), x)))[x](0)));
    CHECK(elements(backward(sum(where(x > 0, sqrt(where(x > 0, x, 1)), x)))[x]) == std::vector<double>{1, 0.25});
    CHECK(elements(backward(sum(root_or_line(x)))[x]) == std::vector<double>{1, 0.25});
}

TEST_CASE("docs: a node that many ops use, and one that an op takes many times") {
    Tape<float> tape;
    const auto x = tape.variable(full<float>({1}, 1));
    CHECK(backward(sum(0.1f * take(x, std::vector<int>(10000, 0), 0)))[x](0) == 1000);
    auto total = 0.1f * x;
    for (int i = 1; i < 10000; ++i) total = total + 0.1f * x;
    CHECK(backward(total)[x](0) == Approx(999.9029));
}

TEST_CASE("docs: what a missing gradient says, and a parameter that changed") {
    Tape<double> tape;
    const auto x = tape.variable(Array<double>{1.0, 2.0});
    const auto positive = x > 0;
    const auto total = sum(positive * 3);
    CHECK(why_no_gradient(total, x) + "\n" ==
          R"(variable (node 0): the path ends at greater (node 1), through which no gradient flows into variable (node 0)
)");
    CHECK_THROWS_AS(backward(total), GradientError);

    Parameter<double> weight{Array<double>{1.0, 2.0}};
    const auto loss = sum(square(tape.parameter(weight)));
    CHECK(elements(backward(loss)[weight]) == std::vector<double>{2, 4});
    weight.mutable_value() *= 2;
    CHECK_THROWS_AS(backward(loss), GradientError);
    CHECK(Parameter<double>(weight).identity() != weight.identity());
    tape.clear();
    CHECK(tape.parameter(weight).index() == tape.parameter(weight).index());
}

namespace {

/// A hundred tanh over a thousand elements: bytes that the tape holds before the sweep and after it, and the most on
/// the way.
struct Memory {
    std::size_t recorded, after, peak;
};
template <class Run>
Memory memory_of(BackwardOptions options, Run run) {
    Tape<double> tape;
    const auto x = tape.variable(full<double>({1000}, 0.5));
    const std::size_t before = memory_statistics().bytes_in_use;
    const auto loss = sum(run(x));
    const std::size_t recorded = memory_statistics().bytes_in_use - before;
    const auto gradients = backward(loss, options);
    const auto now = memory_statistics();
    return {recorded, now.bytes_in_use - before, now.peak_bytes_in_use - before};
}

}  // namespace

TEST_CASE("docs: what is kept, in bytes") {
    Memory checkpointed{}, plain{}, released{};
    std::thread([&] {  // whose pool is new, and so its peak
        const auto ten = [](const auto& a) {
            auto b = a;
            for (int i = 0; i < 10; ++i) b = tanh(b);
            return b;
        };
        const auto hundred = [&](const auto& a) {
            auto b = a;
            for (int i = 0; i < 10; ++i) b = ten(b);
            return b;
        };
        checkpointed = memory_of({}, [&](const auto& a) {
            auto b = a;
            for (int i = 0; i < 10; ++i) b = checkpoint(ten, b);
            return b;
        });
        released = memory_of({.release = true}, hundred);
        plain = memory_of({}, hundred);
    })
        .join();
    const auto kilobytes = [](std::size_t bytes) { return (bytes + 500) / 1000; };
    CHECK(kilobytes(plain.recorded) == 807);
    CHECK(kilobytes(plain.peak) == 817);
    CHECK(kilobytes(plain.after) == 816);
    CHECK(kilobytes(released.recorded) == 807);
    CHECK(kilobytes(released.peak) == 817);
    CHECK(kilobytes(released.after) == 10);
    CHECK(kilobytes(checkpointed.recorded) == 82);
    CHECK(kilobytes(checkpointed.peak) == 239);
    CHECK(kilobytes(checkpointed.after) == 91);
}

TEST_CASE("docs: noise is a leaf") {
    Rng noise = Rng(1).stream("noise");
    Tape<double> tape;
    const auto mean = tape.variable(Array<double>{0.5, 1.5}), deviation = tape.variable(Array<double>{1.0, 2.0});
    const auto sample = mean + deviation * normal_like(mean, noise);

    CHECK(print(tape) == R"(tape of 5 nodes, 80 bytes
%0 = variable                                         (2,)  gradient  16 bytes
%1 = variable                                         (2,)  gradient  16 bytes
%2 = leaf: normal_like noise, stream "noise", draw 0  (2,)  -         16 bytes
%3 = multiply(%1, %2)                                 (2,)  gradient  16 bytes
%4 = add(%0, %3)                                      (2,)  gradient  16 bytes
)");
    const auto gradients = backward(sum(sample));
    CHECK(elements(gradients[mean]) == std::vector<double>{1, 1});
    CHECK(elements(gradients[deviation]) == elements(tape.var(2).value()));
}

// ---- docs/adding-an-op.md ----

namespace {

/// The mean of several arrays of one shape.
struct Average {
    static constexpr const char* name = "average";
    static constexpr bool linear = true;

    template <class T>
    void forward(Array<T>& out, std::span<const Array<T>* const> list) const {
        out = full<T>(list[0]->shape(), T(0));
        for (const Array<T>* each : list) {
            require_shape(out, each->shape(), name);
            out += *each / static_cast<T>(list.size());
        }
    }
    template <class X>
    X gradient(std::size_t, const X& g, std::span<const X> list, const X&) const {
        return g * (1 / static_cast<double>(list.size()));
    }
};

template <class T>
Var<T> average(const std::vector<Var<T>>& list) {
    return apply_to_list(Average{}, std::span<const Var<T>>(list));
}

}  // namespace

TEST_CASE("docs: an op of a list") {
    const Array<double> x{1.0, 2.0}, y{3.0, -4.0};
    const auto of_three = [](auto a, auto b) { return square(average(std::vector{a, b, a})); };
    CHECK(gradcheck(of_three, {x, y}, {.order = 2}));
    CHECK(gradcheck(of_three, {x, y}).notes().empty());
    const auto of_two_shapes = [](auto a, auto b) { return average(std::vector{a, sum(b)}); };
    CHECK_FALSE(gradcheck(of_two_shapes, {x, y}));
}

TEST_CASE("docs: about the gradient alone") {
    Tape<double> tape;
    const auto v = tape.variable(Array<double>{0.3, -1.2, 2.0});
    {
        const auto product = custom_gradient<"product">(
            [](const auto& a, const auto& b) { return a * b; },
            [](const auto& g, const auto&, const auto& b, const auto&) { return g * b; }, no_gradient);
        const auto w = tape.variable(Array<double>{1.0, 2.0, 3.0});
        CHECK(elements(backward(sum(product(v, w)))[v]) == std::vector<double>{1, 2, 3});
        CHECK(backward(sum(product(v, w))).find(w) == nullptr);
    }
    {
        const auto step = straight_through(v > 0, v);
        CHECK(elements(step.value()) == std::vector<double>{1, 0, 1});
        CHECK(elements(backward(sum(step))[v]) == std::vector<double>{1, 1, 1});
    }
    {
        double largest = 0;
        const auto watched = gradient_hook<double>(v * 2, [&](const Array<double>& g) {
            for (const double each : g) largest = std::max(largest, std::fabs(each));
        });
        CHECK(elements(backward(sum(watched * -3))[v]) == std::vector<double>{-6, -6, -6});
        CHECK(largest == 3);
    }
    {
        const auto block = [](const auto& a) { return tanh(exp(a) * a); };
        const auto y = checkpoint(block, v);
        CHECK(elements(backward(sum(y))[v]) == elements(backward(sum(block(v)))[v]));
    }
}

// ---- docs/checking-gradients.md ----

namespace {

constexpr auto half_square =
    elementwise<"half_square">([](auto v) { return 0.5 * v * v; }, [](auto g, auto v, auto) { return 2 * g * v; });

/// exp, with a gradient that is off by a fraction and a tangent that is not.
struct NearlyExp {
    static constexpr const char* name = "nearly_exp";
    double fraction;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        out = x;
        for (T& each : out) each = std::exp(each);
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X& y) const {
        return (1 + fraction) * g * y;
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X&, const X& y) const {
        return t * y;
    }
};

const Array<double> six{{0.3, -1.2, 2.0}, {1.1, 0.4, -0.6}};

}  // namespace

TEST_CASE("docs: what a report says") {
    const auto report = gradcheck([](auto v) { return sum(half_square(v)); }, {Array<double>{0.5, -1.0, 2.0}});
    CHECK(report.text() + "\n" == std::string(R"(gradcheck: failed
  input 0 (of 1, counted from 0), shape (3,), element (2,): backward gives 4, differences give 2 (+- 3.1e-12); 3 of 3 elements are off
    likely: the gradient is 2 times what it should be
)"));
}

TEST_CASE("docs: kinks, noise, second order") {
    const auto kink = gradcheck([](auto a) { return sum(relu(a)); }, {Array<double>{1.0, 0.0, -1.0}});
    CHECK(kink);
    CHECK_THAT(kink.text(), contains("stepped around a kink: input 0 at element (1,) moved from 0 to 0.0323171"));
    const auto stay =
        gradcheck([](auto a) { return sum(relu(a)); }, {Array<double>{1.0, 0.0, -1.0}}, {.step_around_kinks = false});
    CHECK_THAT(stay.text(), contains("the point sits on a kink") && contains("from the right 1"));

    const auto noisy = [](const auto& mean, const auto& deviation, Rng& rng) {
        return mean + deviation * normal_like(mean, rng);
    };
    CHECK(gradcheck(noisy, {six, six}, Rng(42)));
    Rng shared(42);
    const auto drawn_anew = gradcheck([&](const auto& mean) { return mean * normal_like(mean, shared); }, {six});
    CHECK_THAT(drawn_anew.text(), contains("two calls with the same inputs give different results"));

    constexpr auto cube = elementwise<"cube">([](auto v) { return v * v * v; },
                                              [](auto g, auto v, auto) { return 3 * g * stop_gradient(v * v); });
    CHECK(gradcheck(cube, {six}));
    CHECK_THAT(gradcheck(cube, {six}, {.order = 2}).text(), contains("order 2: input 0"));
}

TEST_CASE("docs: how fine the two checks are, and what they cost") {
    const auto passes = [](double fraction, double offset, GradcheckOptions options) {
        return static_cast<bool>(gradcheck([=](auto a) { return apply(NearlyExp{fraction}, a) + offset; }, {six}, options));
    };
    const GradcheckOptions by_differences{.dot_product = false}, by_dot_product{.differences = false};
    CHECK_FALSE(passes(1e-11, 0, by_differences));
    CHECK_FALSE(passes(1e-11, 0, by_dot_product));
    CHECK_FALSE(passes(1e-6, 1e6, by_differences));
    CHECK(passes(1e-7, 1e6, by_differences));
    CHECK_FALSE(passes(1e-11, 1e6, by_dot_product));

    const auto calls = [](const Array<double>& at, GradcheckOptions options) {
        int count = 0;
        CHECK(gradcheck([&](auto a) { return ++count, exp(a); }, {at}, options));
        return count;
    };
    CHECK(calls(six, by_differences) < 30);
    CHECK(calls(six, by_dot_product) == 3);
    CHECK(calls(full<double>({100, 100}, 0.5), {}) < 30);
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

/// The files below a folder whose names end so, to be looked for blocks in.
void add_sources(std::vector<std::string>& sources, const std::string& folder, const std::vector<std::string>& extensions) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(std::filesystem::path(XTAPE_SOURCE_DIR) / folder)) {
        if (std::count(extensions.begin(), extensions.end(), entry.path().extension()) == 0) continue;
        sources.push_back(without_indentation(read_text(entry.path())));
    }
}

/// Checks that each block of a page stands in a source, and that there is no other kind of block. Returns how many there are.
std::size_t check_blocks(const std::filesystem::path& page, const std::vector<std::string>& sources) {
    const std::regex fence("```(cpp|text)\n([^`]*)```\n");
    const std::string text = read_text(page);
    std::size_t blocks = 0, fences = 0;
    for (std::sregex_iterator each(text.begin(), text.end(), fence), end; each != end; ++each, ++blocks) {
        const std::string block = without_indentation((*each)[2].str());
        INFO(page << ":\n" << block);
        const bool found = std::any_of(sources.begin(), sources.end(),
                                       [&](const std::string& source) { return source.find(block) != std::string::npos; });
        CHECK(found);
    }
    INFO(page);
    for (std::size_t at = text.find("```"); at != std::string::npos; at = text.find("```", at + 3)) ++fences;
    CHECK(fences == 2 * blocks);  // none is of another kind, and so looked at by nobody
    return blocks;
}

}  // namespace

TEST_CASE("README and docs: each block of C++ and of text is one that a test runs") {
    const std::filesystem::path root = XTAPE_SOURCE_DIR;
    std::vector<std::string> sources;
    for (const char* file : {"tests/docs/readme_test.cpp", "tests/docs/readme_op_test.cpp", "tests/docs/from_xtensor_test.cpp",
                             "tests/check/catch2_test.cpp"}) {
        sources.push_back(without_indentation(read_text(root / file)));
    }
    add_sources(sources, "examples", {".cpp"});
    std::vector<std::filesystem::path> pages{root / "README.md"};
    for (const auto& entry : std::filesystem::directory_iterator(root / "docs")) {
        // The lesson has blocks of other kinds: vae_lesson_test.cpp.
        const bool is_lesson = entry.path().filename().string().starts_with("vae.");
        if (entry.path().extension() == ".md" && !is_lesson) pages.push_back(entry.path());
    }
    CHECK(pages.size() >= 5);
    for (const std::filesystem::path& page : pages) {
        INFO(page);
        CHECK((check_blocks(page, sources) > 0 || page.filename() == "ops.md"));
    }
}

TEST_CASE("CONTRIBUTING: each block of C++ stands in the files that it shows") {
    std::vector<std::string> sources;
    for (const char* folder : {"autograd/ops", "nn", "tests/specs", "examples/ae_vs_vae"})
        add_sources(sources, folder, {".hpp", ".cpp"});
    CHECK(check_blocks(std::filesystem::path(XTAPE_SOURCE_DIR) / "CONTRIBUTING.md", sources) > 0);
}
