// Lists of parts, and what the ops that move elements do not record.
#include <array>
#include <limits>

#include "tests/testing.hpp"

using namespace autograd;

namespace {

using D = Array<double>;
using Numbers = std::vector<double>;

}  // namespace

TEST_CASE("shape: split takes a number of parts or their sizes") {
    Tape<double> tape;
    const auto x = tape.variable(D{{1, 2, 3, 4}});
    const auto halves = split(x, 2, 1);
    REQUIRE(halves.size() == 2);
    CHECK(elements(halves[1].value()) == Numbers{3, 4});
    const auto parts = split(x, {1, 0, 3}, -1);
    REQUIRE(parts.size() == 3);
    CHECK(parts[1].shape() == Shape{1, 0});
    CHECK(elements(parts[2].value()) == Numbers{2, 3, 4});
    CHECK(split(x, {1}, 0).size() == 1);  // a list of one size, not one part
    CHECK_THROWS_AS(split(x, {2}, 0), ShapeError);
    CHECK_THROWS_AS(split(x, -1, 0), ShapeError);
    CHECK(elements(concat(parts, 1).value()) == elements(x.value()));
    CHECK(unstack(tape.constant(empty<double>({0, 3}))).empty());
    CHECK(elements(backward(sum(halves[0] * 2) + sum(square(parts[2])))[x]) == Numbers{2, 6, 6, 8});
}

TEST_CASE("shape: whole axes are not copied by slices and flips") {
    Tape<double> tape;
    const auto x = tape.variable(D{{1, 2, 3}, {4, 5, 6}});
    CHECK(slice(x, {{}, {}}).index() == x.index());
    CHECK(slice(x, {{}, {0, 2}}).index() == x.index() + 1);
    CHECK(flip(x, AxisList{}).index() == x.index());
    CHECK(elements(slice(x, {{1, 2}, {.step = -2}}).value()) == Numbers{6, 4});
}

TEST_CASE("shape: padding with a value that is no number leaves the gradient alone") {
    Tape<double> tape;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto x = tape.variable(D{1, 2});
    const auto y = pad(x, {{1, -1}}, nan);
    CHECK(std::isnan(y.value()(0)));
    CHECK(y.value()(1) == 1);
    CHECK(elements(backward(sum(slice(y, 0, {1, 2}) * 3))[x]) == Numbers{3, 0});
}

TEST_CASE("shape: axes and shapes in variables do as well as in braces") {
    // Lookup by argument must not find xtensor's functions of the same names.
    Tape<double> tape;
    const auto x = tape.variable(sample<double>({2, 3, 1, 4}));
    const AxisList axes{0, 1}, order{3, 2, 1, 0}, last{2};
    const Shape shape{2, 3, 1, 4}, parts{1, 1}, places{1};
    const PaddingList padding{{1, 0}, {0, 0}, {0, 0}, {0, 2}};
    const std::array all_reduced{sum(x, axes),
                                 mean(x, axes),
                                 max(x, axes),
                                 min(x, axes),
                                 prod(x, axes),
                                 var(x, axes),
                                 stddev(x, axes),
                                 logsumexp(x, axes),
                                 vector_norm(x, axes),
                                 count_nonzero(x, axes),
                                 any(x, axes),
                                 all(x, axes),
                                 squeeze(sum(x, axes, KeepDims::yes), axes)};
    for (const auto& reduced : all_reduced) {
        CHECK(reduced.shape() == Shape{1, 4});
    }
    const std::array all_same{softmax(x, axes),    log_softmax(x, axes),    layer_norm(x, axes), flip(x, axes),
                              roll(x, axes, axes), moveaxis(x, axes, axes), reshape(x, shape),   broadcast_to(x, shape),
                              sum_to(x, shape),    tile(x, places)};
    for (const auto& same : all_same) {
        CHECK(same.shape() == shape);
    }
    CHECK(sum(x, axes).value() == sum(x, {0, 1}).value());
    CHECK(permute_dims(x, order).shape() == Shape{4, 1, 3, 2});
    CHECK(expand_dims(x, axes).shape() == Shape{1, 1, 2, 3, 1, 4});
    CHECK(squeeze(x, last).shape() == Shape{2, 3, 4});
    CHECK(pad(x, padding).shape() == Shape{3, 3, 1, 6});
    CHECK(split(x, parts, 0).size() == 2);
    CHECK(repeat(x, parts, 0).shape() == shape);
    CHECK(tensordot(x, x, axes, axes).shape() == Shape{1, 4, 1, 4});
    CHECK(fold(reshape(x, {2, 3, 4}), Shape{2, 3, 2, 2}, 1).shape() == Shape{2, 3, 2, 2});
}
