// Taking elements: from where indices may come, and gradients of what is taken more than once.
#include <limits>

#include "tests/testing.hpp"

using namespace autograd;

namespace {

using D = Array<double>;
using Numbers = std::vector<double>;

}  // namespace

TEST_CASE("indexing: gradients of an element that is taken twice add up") {
    Tape<double> tape;
    const auto table = tape.variable(D{{1, 2}, {3, 4}, {5, 6}});
    const auto rows = take(table, {2, 0, 2}, 0);
    CHECK(elements(rows.value()) == Numbers{5, 6, 1, 2, 5, 6});
    // A second use of the table, whose gradient is there when the first is added.
    const auto gradients = backward(sum(rows * rows) + sum(take(table, {-1}, 0) * 100));
    CHECK(elements(gradients[table]) == Numbers{2, 4, 0, 0, 120, 124});
}

TEST_CASE("indexing: indices come as lists, vectors and arrays of any shape") {
    Tape<float> tape;
    const auto x = tape.variable(Array<float>{{1, 4, 2}, {6, 5, 7}});
    CHECK(take(x, std::vector<std::size_t>{1}, 0).shape() == Shape{1, 3});
    CHECK(take(x, Array<int>{{0, 1}, {2, 2}}, 1).shape() == Shape{2, 2, 2});
    CHECK(take(x, Array<int>(1), 0).shape() == Shape{3});
    const auto largest = take_along_axis(x, argmax(x, 1, KeepDims::yes).value(), 1);
    CHECK(elements(largest.value()) == elements(max(x, 1).value()));
    CHECK(elements(backward(sum(largest))[x]) == std::vector<float>{0, 1, 0, 0, 0, 1});
    const float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK_THAT(message_of<ShapeError>([&] { take(x, Array<float>{nan}, 0); }), contains("nan is not an integer"));
}

TEST_CASE("indexing: what a triangle leaves out has no influence") {
    Tape<double> tape;
    const double infinity = std::numeric_limits<double>::infinity();
    const auto x = tape.variable(D{{1, infinity}, {3, 4}});
    CHECK(elements(tril(x).value()) == Numbers{1, 0, 3, 4});
    CHECK(elements(triu(x, 1).value()) == Numbers{0, infinity, 0, 0});
    CHECK(elements(backward(sum(square(tril(x))))[x]) == Numbers{2, 0, 6, 8});
    const auto far = std::numeric_limits<std::ptrdiff_t>::max(), low = std::numeric_limits<std::ptrdiff_t>::min();
    CHECK(elements(tril(x, far).value()) == elements(x.value()));
    CHECK(elements(tril(x, low).value()) == Numbers{0, 0, 0, 0});
    CHECK(elements(triu(x, low).value()) == elements(x.value()));
    CHECK(elements(triu(x, far).value()) == Numbers{0, 0, 0, 0});
    CHECK(diagonal(x, low).shape() == Shape{0});
    CHECK(elements(backward(sum(square(diagonal(x))))[x]) == Numbers{2, 0, 0, 8});
}
