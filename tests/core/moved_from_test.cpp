// What is left of an array that was moved from, wherever a user's array enters: an error, not a crash.
#include <nn/nn.hpp>

#include "tests/files.hpp"
#include "tests/testing.hpp"

using namespace autograd;

namespace {

using D = Array<double>;

/// Of shape () and of shape (2, 3), which constructing and assigning leave behind, both without elements.
std::vector<D> moved_from() {
    D first = full<double>({2, 3}, 1.0), second = first;
    D taken = std::move(first);
    taken = std::move(second);
    return {std::move(first), std::move(second)};
}

struct Hollow {
    static constexpr const char* name = "hollow";
    D value;
    void forward(D& out, const D&) const { out = value; }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const {
        return g;
    }
};

}  // namespace

TEST_CASE("moved-from arrays are refused where they enter") {
    for (const D& hollow : moved_from()) {
        CHECK(hollow.size() == 0);
        Tape<double> tape;
        const auto x = tape.variable(D{{1, 2, 3}, {4, 5, 6}});
        D whole = full<double>({2, 3}, 0.5);
        Rng rng(1);
        const auto f = [](const Var<double>& v) { return sum(v); };
        CHECK_THROWS_WITH(tape.variable(hollow), contains("variable: an array that was moved from"));
        CHECK_THROWS_AS(tape.constant(hollow), TapeError);
        CHECK_THROWS_AS(Parameter<double>(hollow), TapeError);
        CHECK_THROWS_AS(Eager<double>(D(hollow)), TapeError);
        CHECK_THROWS_AS(apply(Hollow{hollow}, x), TapeError);
        CHECK(elements((x * 2.0).value()) == std::vector<double>{2, 4, 6, 8, 10, 12});
        CHECK_THROWS_AS(tangent<double>(x, {{x, hollow}}), Error);
        CHECK_THROWS_AS(jacobian(f, {hollow}), TapeError);
        CHECK_THROWS_AS(vjp(f, {whole}, hollow), Error);
        CHECK_THROWS_AS(take(x, hollow, 0), TapeError);
        CHECK_THROWS_AS(to_string(hollow), TapeError);
        CHECK_THROWS_AS(rng.fill_bernoulli(whole, hollow), Error);
        CHECK_THROWS_AS(update([](auto& a, auto b) { a = a + b; }, whole, hollow), Error);
        CHECK_THROWS_AS(nn::gather_rows(hollow, std::vector<std::size_t>{0}, whole), TapeError);
        const TemporaryDirectory directory;
        CHECK_THROWS_AS(nn::write_npy(directory.path() / "a.npy", hollow), TapeError);
        CHECK_THROWS_AS(nn::write_safetensors(directory.path() / "a.safetensors", {{{"a", hollow}}, {}}), TapeError);
        Parameter<double> parameter(whole);
        CHECK_THROWS_AS(parameter.assign(hollow), Error);
        D stolen = std::move(parameter.mutable_value());
        CHECK(stolen.size() == 6);
        CHECK_THROWS_AS(tape.parameter(parameter), TapeError);
        Parameter<double> late(whole);
        const auto recorded = tape.parameter(late);
        stolen = std::move(late.mutable_value());
        CHECK_THROWS_AS(recorded * recorded, TapeError);
        CHECK_THROWS_AS(tape.constant(parameter), TapeError);
        CHECK(elements(backward(sum(x))[x]) == std::vector<double>(6, 1.0));
    }
}

TEST_CASE("moved-from arrays may be filled again") {
    const D images = full<double>({4, 3}, 2.0);
    const std::vector<std::size_t> rows{1, 2};
    for (D& batch : moved_from()) {
        nn::gather_rows(images, rows, batch);
        CHECK(elements(batch) == std::vector<double>(6, 2.0));
    }
}
