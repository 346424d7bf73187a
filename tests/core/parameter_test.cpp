// Parameters: which is the same one after copies and moves, what a tape borrows of them, and what may change when.
#include <optional>
#include <set>

#include "tests/testing.hpp"

using namespace autograd;

namespace {

using D = Array<double>;
using Numbers = std::vector<double>;

}  // namespace

TEST_CASE("parameter: a copy is another one, a moved one stays itself") {
    Parameter<double> a{D{1, 2}};
    const auto identity = a.identity();
    Parameter<double> copy = a;
    CHECK(copy.identity() != identity);
    CHECK(elements(copy.value()) == Numbers{1, 2});
    copy.mutable_value()(0) = 9;
    CHECK(elements(a.value()) == Numbers{1, 2});
    Parameter<double> moved = std::move(a);
    CHECK(moved.identity() == identity);
    CHECK_THAT(message_of<TapeError>([&] { a.value(); }), contains("moved from"));
    a = moved;  // and may be assigned again
    CHECK(a.identity() != identity);
    CHECK(elements(a.value()) == Numbers{1, 2});
    const auto own = a.identity();
    const auto& self = a;
    a = self;
    CHECK(a.identity() == own);
}

TEST_CASE("parameter: a vector of them may reallocate between forward and backward") {
    std::vector<Parameter<double>> layers;
    layers.emplace_back(D{1, 2});
    Tape<double> tape;
    const auto loss = sum(square(tape.parameter(layers[0])));
    std::set<std::uint64_t> identities;
    for (int i = 0; i < 100; ++i) layers.emplace_back(D{3, 4});
    for (const auto& layer : layers) identities.insert(layer.identity());
    CHECK(identities.size() == layers.size());
    const auto grads = backward(loss);
    CHECK(elements(grads[layers[0]]) == Numbers{2, 4});
    CHECK(grads.find(layers[1]) == nullptr);
}

TEST_CASE("parameter: one node for each generation of the tape, and no copy of the values") {
    const Parameter<double> p{D{1, 2}};
    Tape<double> tape;
    const auto first = tape.parameter(p), again = tape.parameter(p);
    CHECK(first.index() == again.index());
    CHECK(tape.size() == 1);
    CHECK(&first.value() == &p.value());
    CHECK(elements(backward(sum(first * again))[p]) == Numbers{2, 4});
    tape.clear();
    CHECK(tape.parameter(p).generation() != first.generation());
    CHECK(tape.size() == 1);
}

TEST_CASE("parameter: an update between forward and backward is an error, not a wrong gradient") {
    Parameter<double> p{D{1, 2}}, q{D{3, 4}};
    Tape<double> tape;
    tape.name_parameter(p.identity(), "hidden.weight");
    const auto loss = sum(square(tape.parameter(p)));
    const auto other = sum(square(tape.parameter(q)));
    p.assign(D{5, 6});
    CHECK_THAT(message_of<GradientError>([&] { backward(loss); }),
               contains("hidden.weight") && contains("updated between the forward pass and the sweep"));
    CHECK_THROWS_AS(backward(loss, {.create_graph = true}), GradientError);
    CHECK_THAT(message_of<GradientError>([&] { tape.parameter(p); }), contains("hidden.weight"));
    CHECK(elements(backward(other)[q]) == Numbers{6, 8});  // what the update does not touch still works
    tape.clear();
    CHECK(elements(backward(sum(square(tape.parameter(p))))[p]) == Numbers{10, 12});
    q.mutable_value();
    CHECK_THROWS_AS(backward(other), TapeError);
}

TEST_CASE("parameter: an update after backward leaves the gradients alone") {
    Parameter<double> p{D{1, 2}};
    Tape<double> tape;
    const auto grads = backward(sum(square(tape.parameter(p))));
    p.mutable_value() -= 0.5 * grads[p];
    CHECK(elements(p.value()) == Numbers{0, 0});
    CHECK(elements(grads[p]) == Numbers{2, 4});
}

TEST_CASE("parameter: assigned to from another one it becomes another, whose gradient is not the old one's") {
    Parameter<double> p{D{1, 2}};
    Tape<double> tape;
    const auto loss = sum(square(tape.parameter(p)));
    p = Parameter<double>(D{7, 8});
    const auto grads = backward(loss);
    CHECK(grads.find(p) == nullptr);
    CHECK_THROWS_AS(grads[p], GradientError);
}

TEST_CASE("parameter: may go before the tape which borrows it") {
    Tape<double> tape;
    std::optional<Parameter<double>> p{D{1, 2}};
    const auto v = tape.parameter(*p);
    const auto loss = sum(square(v));
    p.reset();
    CHECK(elements(v.value()) == Numbers{1, 2});
    CHECK(elements(backward(loss)[v]) == Numbers{2, 4});
}

TEST_CASE("parameter: values of another shape are refused") {
    Parameter<double> p{D{1, 2}};
    CHECK_THAT(message_of<ShapeError>([&] { p.assign(D{1, 2, 3}); }), contains("(3,)") && contains("(2,)"));
    CHECK(elements(p.value()) == Numbers{1, 2});
    p.assign(p.value());
    CHECK(elements(p.value()) == Numbers{1, 2});
    CHECK(Parameter<double>().shape() == Shape{});
}

TEST_CASE("constant: values of a parameter are borrowed, get no gradient, and may not change before the sweep") {
    Parameter<double> batch{sample<double>({4, 3})};
    Tape<double> tape;
    const auto x = tape.constant(batch), w = tape.variable(sample<double>({3}));
    CHECK(x.value().data() == batch.value().data());
    const auto loss = sum(x * w);
    const auto gradients = backward(loss);
    CHECK(gradients.find(x) == nullptr);
    CHECK_FALSE(gradients.uses(batch));
    batch.mutable_value()(0, 0) = 7;
    CHECK_THAT(message_of<GradientError>([&] { backward(loss); }), contains("was updated between"));
    tape.clear();
    CHECK(tape.constant(batch).value()(0, 0) == 7);
}

TEST_CASE("parameter: one that stands for what an op made has its gradient, kept or not, in place or not") {
    Parameter<double> p{D{1, 2}};
    Tape<double> tape;
    const auto v = tape.variable(D{0.5, -1});
    const auto w = v * 2;
    tape.substitute(p, w);
    const auto loss = sum(square(tape.parameter(p)) + tape.parameter(p));
    for (const BackwardOptions& options :
         {BackwardOptions{}, BackwardOptions{.keep = true}, BackwardOptions{.create_graph = true}}) {
        const auto gradients = backward(loss, options);
        CHECK(elements(gradients[p]) == Numbers{3, -3});  // 2 w + 1
        CHECK(elements(gradients[w]) == Numbers{3, -3});
        CHECK(elements(gradients[v]) == Numbers{6, -6});
    }
    tape.clear();  // the next node in its place is one like others
    const auto x = tape.variable(D{0.5, -1});
    const auto y = x * 2;
    CHECK_THROWS_AS(backward(sum(square(y)))[y], GradientError);
}
