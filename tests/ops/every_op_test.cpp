// Walks the registry: every op of the library passes opcheck, none is missing from it, and each has at its kinks the
// gradient that its spec states.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "autograd/autograd.hpp"
#include "autograd/check.hpp"
#include "autograd/check/gradcheck.hpp"
#include "tests/catch.hpp"
#include "tests/gradients_at.hpp"
#include "tests/specs/registry.hpp"

namespace {

using namespace autograd;

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

const OpSpec& spec_named(std::string_view name) {
    for (const OpSpec& spec : registry()) {
        if (spec.name == name) return spec;
    }
    throw std::runtime_error("no spec of " + std::string(name));
}

}  // namespace

TEST_CASE("every op of the library passes every check", "[every_op]") {
    for (const OpSpec& spec : registry()) {
        DYNAMIC_SECTION(spec.name) {
            for (const std::string& failure : opcheck(spec)) FAIL_CHECK(failure);
            CHECK(std::string(spec.documentation.formula) != "");
            CHECK(std::string(spec.documentation.gradient) != "");
            if (spec.is_elementwise()) {
                CHECK(spec.reference != nullptr);
            } else {
                CHECK(!spec.cases.empty());
                for (const OpCase& each : spec.cases) CHECK(each.reference);
            }
        }
    }
}

TEST_CASE("an op that is defined is registered", "[every_op]") {
    std::multiset<std::string> registered;
    for (const OpSpec& spec : registry()) registered.insert(spec.name);
    for (const std::string& name : registered) {
        INFO(name);
        CHECK(registered.count(name) == 1);
    }
    const std::regex definition(
        R"re(elementwise<\s*"(\w+)"|static constexpr const char\*\s*name = "(\w+)"|record_noise<T>\([^"]*"(\w+)")re");
    // A public function that is a composition of ops defines none of its own: `X tile(const X& x, ...`.
    const std::regex function(
        R"re(\n(?:\[\[nodiscard\]\] (?:X<T>|X|Var<T>|PoolVector<X<T>>) (\w+)\(|XTAPE_(?:OVER_AXES|REDUCTION|WITH_DIAGONAL)\((\w+)\)))re");
    std::set<std::string> defined, functions;
    for (const auto& entry : std::filesystem::directory_iterator(std::string(XTAPE_SOURCE_DIR) + "/autograd/ops")) {
        std::ifstream file(entry.path());
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        for (std::sregex_iterator each(text.begin(), text.end(), definition), end; each != end; ++each) {
            const std::string name = (*each)[1].str() + (*each)[2].str() + (*each)[3].str();
            INFO(name << " in " << entry.path() << ": it has no spec in tests/specs/");
            CHECK(registered.count(name) == 1);
            defined.insert(name);
        }
        for (std::sregex_iterator each(text.begin(), text.end(), function), end; each != end; ++each) {
            functions.insert((*each)[1].str() + (*each)[2].str());
        }
    }
    for (const std::string& name : registered) {
        INFO(name << " is registered, and neither an op nor a public function");
        CHECK(defined.count(name) + functions.count(name) > 0);
    }
}

TEST_CASE("an elementwise op has its public function and its entry in one order", "[every_op]") {
    std::vector<std::string> listed, held;
#define XTAPE_NAME(name, arity) listed.push_back(#name);
    XTAPE_ELEMENTWISE_OPS(XTAPE_NAME)
#undef XTAPE_NAME
    for (const OpSpec& spec : specs::elementwise_specs()) held.push_back(spec.name);
    INFO("the lists XTAPE_..._OPS of the headers, and the table in tests/specs/elementwise.cpp");
    CHECK(held == listed);
}

namespace {

/// What was recorded, and which inputs were scalars: input k was 0.25 + k.
struct Recorded {
    Var<double> y;
    std::vector<bool> is_scalar;
};

/// Public functions record the op of their name, with scalars as they stand in the expression.
void check_recorded(const char* name, const Var<double>& x, const std::vector<Recorded>& calls) {
    const OpSpec& spec = spec_named(name);
    for (const auto& [y, is_scalar] : calls) {
        INFO(name);
        const auto& node = x.tape().node(y.index());
        CHECK(node.op == spec.in_double);
        const auto inputs = x.tape().inputs(node);
        REQUIRE(inputs.size() == is_scalar.size());
        for (std::size_t k = 0; k < inputs.size(); ++k) {
            CHECK(inputs[k].is_immediate() == is_scalar[k]);
            if (is_scalar[k]) {
                CHECK(inputs[k].immediate == 0.25 + static_cast<double>(k));
            } else {
                CHECK(inputs[k].node == x.index());
            }
        }
    }
}

template <std::size_t Arity, class F>
std::vector<Recorded> with_every_scalar(F f, const Var<double>& x) {
    if constexpr (Arity == 1) {
        return {{f(x), {false}}};
    } else if constexpr (Arity == 2) {
        return {{f(x, x), {false, false}}, {f(0.25, x), {true, false}}, {f(x, 1.25f), {false, true}}};
    } else {
        return {{f(x, x, x), {false, false, false}},     {f(0.25, x, x), {true, false, false}},
                {f(x, 1.25, x), {false, true, false}},   {f(x, x, 2.25), {false, false, true}},
                {f(0.25, 1.25, x), {true, true, false}}, {f(x, 1.25, 2.25), {false, true, true}},
                {f(0.25, x, 2.25), {true, false, true}}};
    }
}

}  // namespace

TEST_CASE("the public functions and operators record the registered ops", "[every_op]") {
    Tape<double> tape;
    const Var<double> x = tape.variable(full<double>({2}, 0.5));
#define XTAPE_CHECK_NAME(name, arity) \
    check_recorded(#name, x, with_every_scalar<arity>([](const auto&... a) { return autograd::name(a...); }, x));
    XTAPE_ELEMENTWISE_OPS(XTAPE_CHECK_NAME)
#undef XTAPE_CHECK_NAME
#define XTAPE_CHECK_OPERATOR(name, symbol) \
    check_recorded(#name, x, with_every_scalar<2>([](const auto& a, const auto& b) { return a symbol b; }, x));
    XTAPE_CHECK_OPERATOR(add, +)
    XTAPE_CHECK_OPERATOR(subtract, -)
    XTAPE_CHECK_OPERATOR(multiply, *)
    XTAPE_CHECK_OPERATOR(divide, /)
    XTAPE_CHECK_OPERATOR(greater, >)
    XTAPE_CHECK_OPERATOR(greater_equal, >=)
    XTAPE_CHECK_OPERATOR(less, <)
    XTAPE_CHECK_OPERATOR(less_equal, <=)
    XTAPE_CHECK_OPERATOR(equal, ==)
    XTAPE_CHECK_OPERATOR(not_equal, !=)
#undef XTAPE_CHECK_OPERATOR
    check_recorded("negative", x, {{-x, {false}}});
}

TEST_CASE("at a kink the gradient is the documented one", "[every_op]") {
    using Values = std::vector<double>;
    const auto of_relu = [](auto x) { return relu(x); };
    CHECK(gradients_of(of_relu, 0.0) == Values{0});
    CHECK(gradients_of(of_relu, -0.0) == Values{0});
    CHECK(gradients_of(of_relu, 1e-300) == Values{1});
    const auto of_abs = [](auto x) { return abs(x); };
    CHECK(gradients_of(of_abs, 0.0) == Values{0});
    CHECK(gradients_of(of_abs, -1e-300) == Values{-1});
    const auto of_maximum = [](auto a, auto b) { return maximum(a, b); };
    CHECK(gradients_of(of_maximum, 1, 1) == Values{0.5, 0.5});
    CHECK(gradients_of(of_maximum, 0.0, -0.0) == Values{0.5, 0.5});
    CHECK(gradients_of(of_maximum, 2, 1) == Values{1, 0});
    const auto of_minimum = [](auto a, auto b) { return minimum(a, b); };
    CHECK(gradients_of(of_minimum, 1, 1) == Values{0.5, 0.5});
    CHECK(gradients_of(of_minimum, 2, 1) == Values{0, 1});
    const auto of_clip = [](auto x, auto low, auto high) { return clip(x, low, high); };
    CHECK(gradients_of(of_clip, -1, -1, 1) == Values{1, 0, 0});
    CHECK(gradients_of(of_clip, 1, -1, 1) == Values{1, 0, 0});
    CHECK(gradients_of(of_clip, 0, -1, 1) == Values{1, 0, 0});
    CHECK(gradients_of(of_clip, -2, -1, 1) == Values{0, 1, 0});
    CHECK(gradients_of(of_clip, 2, -1, 1) == Values{0, 0, 1});
    CHECK(gradients_of(of_clip, 0, 1, -1)[2] == 1);  // bounds in the wrong order: the value is `high`
    const auto of_pow = [](auto x, auto exponent) { return pow(x, exponent); };
    CHECK(gradients_of(of_pow, 0, 0) == Values{0, 0});
    CHECK(gradients_of(of_pow, 0, 2) == Values{0, 0});
    CHECK(gradients_of(of_pow, 0, 1) == Values{1, 0});
    CHECK(gradients_of(of_pow, 0, -1)[1] == -infinity);
    CHECK(gradients_of(of_pow, 3, 0)[0] == 0);
    CHECK(gradients_of(of_pow, 3, 0)[1] == Approx(std::log(3.0)));
    CHECK(gradients_of([](auto x) { return pow(x, 2); }, -3) == Values{-6});
    CHECK(gradients_of([](auto x) { return pow(x, 3); }, 0) == Values{0});
    CHECK(gradients_of([](auto x) { return sqrt(x); }, 0) == Values{infinity});
}

TEST_CASE("where sends 0 into the branch that it does not take", "[every_op]") {
    const auto choose = [](auto condition, auto a, auto b) { return where(condition, log(a), log(b)); };
    CHECK(gradients_of(choose, 1, 2, -1) == std::vector<double>{none, 0.5, 0});
    CHECK(gradients_of(choose, 0, -1, 2) == std::vector<double>{none, 0, 0.5});
}

TEST_CASE("a NaN is not lost in the gradient either", "[every_op]") {
    CHECK(std::isnan(gradients_of([](auto x) { return abs(x); }, not_a_number)[0]));
    CHECK(std::isnan(gradients_of([](auto x) { return tanh(x); }, not_a_number)[0]));
    CHECK(std::isnan(gradients_of([](auto x) { return square(relu(x)); }, not_a_number)[0]));
    CHECK(std::isnan(gradients_of([](auto x) { return square(maximum(x, 0)); }, not_a_number)[0]));
}

TEST_CASE("elements that share a maximum share its gradient", "[every_op]") {
    Tape<double> tape;
    const auto x = tape.variable(Array<double>{{1, 3, 3}, {2, 2, 2}});
    const auto loss = sum(max(x, 1) * tape.constant(Array<double>{1, 6}));
    for (const bool create_graph : {false, true}) {
        const auto gradients = backward(loss, {.create_graph = create_graph});
        CHECK(gradients[x] == Array<double>{{0, 0.5, 0.5}, {2, 2, 2}});
    }
}

TEST_CASE("elements that share a minimum share its gradient", "[every_op]") {
    Tape<double> tape;
    const auto x = tape.variable(Array<double>{{3, 1, 1}, {2, 2, 2}});
    const auto loss = sum(min(x, 1) * tape.constant(Array<double>{1, 6}));
    for (const bool create_graph : {false, true}) {
        const auto gradients = backward(loss, {.create_graph = create_graph});
        CHECK(gradients[x] == Array<double>{{0, 0.5, 0.5}, {2, 2, 2}});
    }
}

TEST_CASE("comparisons, conditions, counts and stop_gradient cut the gradient, nothing else does", "[every_op]") {
    const std::set<std::string> everywhere{"greater",   "greater_equal", "less",       "less_equal",  "equal",
                                           "not_equal", "logical_and",   "logical_or", "logical_xor", "logical_not",
                                           "isnan",     "isinf",         "isfinite",   "signbit",     "stop_gradient"};
    for (const OpSpec& spec : registry()) {
        if (!spec.is_elementwise()) continue;
        INFO(spec.name);
        for (std::size_t k = 0; k < spec.arity; ++k) {
            const bool expected = everywhere.count(spec.name) > 0 ||
                                  ((spec.name == "where" || spec.name == "polygamma") && k == 0) ||
                                  (spec.name == "share_of_sum" && k >= 2);
            CHECK(spec.in_float->cuts(k) == expected);
            CHECK(spec.in_double->cuts(k) == expected);
        }
    }
}

TEST_CASE("noise is a leaf with the values of its stream", "[every_op]") {
    Tape<float> tape;
    const auto x = tape.variable(full<float>({3, 17}, 0.5f));
    const Rng start = Rng(11).stream("noise");
    Rng rng = start, same = start;
    const auto normal = normal_like(x, rng);
    CHECK(normal.value() == same.normal<float>({3, 17}));
    const auto uniform = uniform_like(x, rng);
    CHECK(uniform.value() == same.uniform<float>({3, 17}));
    const auto bernoulli = bernoulli_like(x, rng);
    Array<float> expected = empty<float>({3, 17});
    same.fill_bernoulli(expected, x.value());
    CHECK(bernoulli.value() == expected);
    CHECK(rng == same);
    for (const auto& leaf : {normal, uniform, bernoulli}) CHECK(tape.node(leaf.index()).kind == NodeKind::noise);
    const auto gradients = backward(sum(x * normal * bernoulli));
    CHECK(gradients.find(normal) == nullptr);
    CHECK(gradients.find(bernoulli) == nullptr);
    CHECK(gradients[x] == Array<float>(normal.value() * bernoulli.value()));
    CHECK_THROWS_AS(bernoulli_like(x + 1, rng), Error);
}
