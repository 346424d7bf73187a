// What a tape and an array look like: as plain data, as text, and as a graph for Graphviz.
#include <algorithm>

#include "tests/testing.hpp"

using namespace autograd;

namespace {

using D = Array<double>;

/// The line of `text` which contains `part`.
std::string line_with(const std::string& text, const std::string& part) {
    const std::size_t at = text.find(part);
    if (at == std::string::npos) return {};
    const std::size_t begin = text.rfind('\n', at) + 1;
    return text.substr(begin, text.find('\n', at) - begin);
}

struct Example {
    Tape<double> tape;
    Rng noise = Rng{1}.stream("noise");
    Parameter<double> weight{D{{3, 0}, {0, 4}}};
    Var<double> x, product, half, noisy, loss, dead;

    Example() {
        tape.name_parameter(weight.identity(), "encoder.hidden.weight");
        x = tape.constant(full<double>({5, 2}, 1.0));
        product = matmul(x, tape.parameter(weight));
        half = product * 0.5;
        noisy = half + normal_like(half, noise);
        loss = sum(noisy);
        dead = exp(stop_gradient(half));
    }
};

}  // namespace

TEST_CASE("inspect: print has a line for each node") {
    Example e;
    const std::string text = print(e.tape);
    CHECK(std::count(text.begin(), text.end(), '\n') == static_cast<std::ptrdiff_t>(e.tape.size()) + 1);
    CHECK_THAT(line_with(text, "%0 ="), contains("constant") && contains("(5, 2)") && contains("80 bytes"));
    CHECK_THAT(line_with(text, "%1 ="),
               contains("parameter encoder.hidden.weight") && contains("(2, 2)") && contains("borrowed"));
    CHECK_THAT(line_with(text, "%2 ="),
               contains("matmul(%0, %1)") && contains("(5, 2)") && contains("  gradient  ") && contains("  encoder.hidden"));
    CHECK_THAT(line_with(text, "%3 ="), contains("multiply(%2, 0.5)"));
    CHECK_THAT(line_with(text, "%4 ="), contains("leaf: normal_like noise, stream \"noise\", draw 0"));
    CHECK_THAT(line_with(text, "%4 ="), !contains("gradient"));
    CHECK_THAT(line_with(text, "stop_gradient(%3)"), !contains("  gradient  "));
    CHECK_THAT(line_with(text, "tape of"), contains("9 nodes"));
    backward(e.loss, {.release = true});
    CHECK_THAT(line_with(print(e.tape), "%2 ="), contains("released"));
    e.tape.clear();
    CHECK(print(e.tape) == "tape of 0 nodes, 0 bytes\n");
}

TEST_CASE("inspect: graph has every node, with its inputs, its arrays and whether the gradient flows through it") {
    Example e;
    const auto nodes = graph(e.tape, e.loss);
    REQUIRE(nodes.size() == e.tape.size());
    for (std::uint32_t i = 0; i < nodes.size(); ++i) {
        INFO(i);
        CHECK(nodes[i].index == i);
        CHECK(nodes[i].value == &e.tape.values(i));
        CHECK(nodes[i].gradient == nullptr);
        CHECK_THAT(print(e.tape), contains("%" + std::to_string(i) + " = " + nodes[i].expression + " "));
    }
    const auto& product = nodes[e.product.index()];
    CHECK(product.kind == NodeKind::operation);
    CHECK(product.op == "matmul");
    CHECK(product.expression == "matmul(%0, %1)");
    CHECK(product.module == "encoder.hidden");
    CHECK((product.needs_gradient && product.live));
    REQUIRE(product.inputs.size() == 2);
    CHECK((product.inputs[0].from == 0 && product.inputs[1].from == 1));
    CHECK(!(product.inputs[0].cut || product.inputs[1].cut));  // x is a constant, but matmul would pass a gradient on
    CHECK(nodes[0].kind == NodeKind::constant);
    CHECK(nodes[0].op.empty());
    CHECK(!(nodes[0].needs_gradient || nodes[0].live));
    CHECK((nodes[1].kind == NodeKind::parameter && nodes[1].live && nodes[1].module == "encoder.hidden"));
    CHECK(nodes[e.half.index()].inputs.size() == 1);  // the 0.5 stands in the expression
    const auto& noise = nodes[4];
    CHECK((noise.kind == NodeKind::noise && noise.op == "normal_like" && noise.inputs.empty() && !noise.live));
    const auto& stop = nodes[7];
    CHECK((stop.op == "stop_gradient" && stop.inputs[0].from == e.half.index() && stop.inputs[0].cut));
    CHECK_FALSE(nodes[e.dead.index()].live);
}

TEST_CASE("inspect: the gradients of a graph are those of the sweep, and cuts are seen at noise too") {
    Example e;
    const auto kept = backward(e.loss, {.keep = true});
    const auto nodes = graph(e.tape, e.loss, kept);
    CHECK(nodes[e.product.index()].gradient == kept.find(e.product));
    CHECK(nodes[e.product.index()].gradient != nullptr);
    CHECK(nodes[e.dead.index()].gradient == nullptr);
    // What is live has a gradient, and the other way round, where all are kept.
    for (const auto& node : nodes) CHECK(node.live == (node.gradient != nullptr));
    CHECK(graph(e.tape, e.loss, backward(e.loss))[e.product.index()].gradient == nullptr);

    Tape<float> tape;
    const auto p = tape.variable(full<float>({3}, 0.5f));
    const auto drawn = bernoulli_like(p, e.noise);
    const auto after = graph(tape, sum(drawn * p));
    REQUIRE(after[drawn.index()].inputs.size() == 1);
    CHECK((after[drawn.index()].inputs[0].from == p.index() && after[drawn.index()].inputs[0].cut));

    backward(e.loss, {.release = true});
    CHECK(graph(e.tape, e.loss)[e.product.index()].value == nullptr);
}

TEST_CASE("inspect: graph refuses what is not of the tape") {
    Example e, other;
    CHECK_THROWS_AS(graph(e.tape, other.loss), TapeError);
    const auto foreign = backward(other.loss);
    CHECK_THROWS_AS(graph(e.tape, e.loss, foreign), TapeError);
    const Var<double> old = e.loss;
    e.tape.clear();
    CHECK_THROWS_AS(graph(e.tape, old), TapeError);
}

TEST_CASE("inspect: to_dot shows norms of what has no squares") {
    Tape<double> tape;
    const auto large = tape.variable(Array<double>{3e200, 4e200}), small = tape.variable(Array<double>{3e-200, 4e-200});
    const std::string text = to_dot(tape, sum(large * small));
    CHECK_THAT(text, contains("|value| 5e+200") && contains("|value| 5e-200"));
}

TEST_CASE("inspect: to_dot tells live, dead and noise nodes apart, and shows norms") {
    Example e;
    const std::string plain = to_dot(e.tape, e.loss);
    CHECK(std::count(plain.begin(), plain.end(), '{') == std::count(plain.begin(), plain.end(), '}'));
    const auto node = [](const std::string& text, const Var<double>& v) {
        const std::size_t at = text.find("n" + std::to_string(v.index()) + " [label=");
        return at == std::string::npos ? std::string() : text.substr(at, text.find(";\n", at) - at);
    };
    CHECK_THAT(node(plain, e.product), contains("matmul(%0, %1)") && contains("(5, 2)") && contains("fillcolor"));
    CHECK_THAT(node(plain, e.product), contains("|value| 11.2") && !contains("|gradient|"));  // sqrt(5 (9 + 16))
    CHECK_THAT(node(plain, e.dead), contains("color=\"#aaaaaa\"") && !contains("fillcolor"));
    CHECK_THAT(node(plain, e.x), contains("fontcolor=\"#777777\""));
    CHECK_THAT(plain, contains("octagon") && contains("label=\"encoder.hidden\""));
    const auto edge = [&](std::uint32_t from, std::uint32_t to) {
        return line_with(plain, "n" + std::to_string(from) + " -> n" + std::to_string(to));
    };
    CHECK_THAT(edge(2, 3), !contains("#aaaaaa"));
    CHECK_THAT(edge(0, 2), contains("#aaaaaa"));
    CHECK_THAT(edge(3, 7), contains("dashed"));  // into stop_gradient

    const auto kept = backward(e.loss, {.keep = true});
    const std::string with_gradients = to_dot(e.tape, e.loss, kept);
    CHECK_THAT(node(with_gradients, e.product), contains("|gradient| 1.58"));  // sqrt(10 / 4)
    CHECK_THAT(node(with_gradients, e.dead), !contains("|gradient|"));
    const std::string leaves_only = to_dot(e.tape, e.loss, backward(e.loss));
    CHECK_THAT(node(leaves_only, e.product), !contains("|gradient|"));
    CHECK_THAT(line_with(leaves_only, "%1 = parameter"), contains("parameter"));
}

TEST_CASE("inspect: to_dot refuses what is not of the tape, and quotes names") {
    Example e, other;
    CHECK_THROWS_AS(to_dot(e.tape, other.loss), TapeError);
    const auto foreign = backward(other.loss);
    CHECK_THROWS_AS(to_dot(e.tape, e.loss, foreign), TapeError);
    Tape<float> tape;
    const Parameter<float> p{Array<float>{1}};
    tape.name_parameter(p.identity(), "a\"b\\c.weight");
    CHECK_THAT(to_dot(tape, sum(tape.parameter(p))), contains("label=\"a\\\"b\\\\c\""));
}

TEST_CASE("inspect: values of arrays as text") {
    CHECK(autograd::to_string(autograd::Array<double>{{1, 2.5}, {-3, 1e9}}) == "[[1, 2.5], [-3, 1e+09]]");
    CHECK(autograd::to_string(autograd::full<float>({}, 0.1f)) == "0.1");
    CHECK(autograd::to_string(autograd::full<float>({0, 2}, 1)) == "[]");
    CHECK(autograd::to_string(autograd::full<float>({2000, 2}, 1)) == "[[1, 1], [1, 1], [1, 1], ..., [1, 1], [1, 1], [1, 1]]");
}
