// Shapes and arrays: how they print, broadcast and count axes, and what their buffers promise. No op is called.
#include <autograd/base/array.hpp>
#include <cstdint>
#include <tuple>

#include "tests/testing.hpp"

using namespace autograd;

TEST_CASE("array: shapes print as NumPy's") {
    CHECK(to_string(Shape{}) == "()");
    CHECK(to_string(Shape{3}) == "(3,)");
    CHECK(to_string(Shape{3, 4}) == "(3, 4)");
    CHECK(to_string(Shape{2, 0, 1, 5, 6}) == "(2, 0, 1, 5, 6)");
}

TEST_CASE("array: element_count is the product of the extents") {
    CHECK(element_count({}) == 1);
    CHECK(element_count({3, 4}) == 12);
    CHECK(element_count({3, 0, 4}) == 0);
}

TEST_CASE("array: broadcast_shapes follows NumPy") {
    const std::tuple<Shape, Shape, Shape> cases[] = {{{}, {}, {}},
                                                     {{}, {3}, {3}},
                                                     {{1}, {3}, {3}},
                                                     {{3, 1}, {4}, {3, 4}},
                                                     {{2, 1, 5}, {7, 1}, {2, 7, 5}},
                                                     {{0}, {1}, {0}},
                                                     {{3, 0}, {1, 1}, {3, 0}},
                                                     {{1, 1}, {1}, {1, 1}},
                                                     {{0}, {}, {0}},
                                                     {{5, 1, 1}, {1, 0}, {5, 1, 0}}};
    for (const auto& [a, b, both] : cases) {
        INFO(to_string(a) << " and " << to_string(b));
        CHECK(broadcast_shapes(a, b) == both);
        CHECK(broadcast_shapes(b, a) == both);
        CHECK(broadcasts_to(a, both));
        CHECK(broadcasts_to(b, both));
    }
}

TEST_CASE("array: shapes that do not broadcast are named, with the extents that clash") {
    const std::pair<Shape, Shape> cases[] = {{{3}, {4}}, {{2, 3}, {2}}, {{0}, {2}}, {{4, 1, 3}, {2, 1, 1}}};
    for (const auto& [a, b] : cases) {
        CHECK_THAT(message_of<ShapeError>([&, &left = a, &right = b] { broadcast_shapes(left, right); }),
                   contains(to_string(a)) && contains(to_string(b)));
        CHECK_THROWS_AS(broadcast_shapes(b, a), ShapeError);
        CHECK_FALSE(broadcasts_to(a, b));
        CHECK_FALSE(broadcasts_to(b, a));
    }
    CHECK_FALSE(broadcasts_to({2, 3}, {3}));  // not even where the common axes agree
    CHECK_FALSE(broadcasts_to({3}, {1}));
}

TEST_CASE("array: axes are counted from the front or from the last") {
    CHECK(normalize_axis(0, 3, "sum") == 0);
    CHECK(normalize_axis(-1, 3, "sum") == 2);
    CHECK(normalize_axis(-3, 3, "sum") == 0);
    CHECK_THAT(message_of<ShapeError>([] { normalize_axis(3, 3, "sum"); }), contains("sum: axis 3") && contains("[-3, 3)"));
    CHECK_THROWS_AS(normalize_axis(-4, 3, "sum"), ShapeError);
    CHECK_THAT(message_of<ShapeError>([] { normalize_axis(0, 0, "sum"); }), contains("scalar"));
}

TEMPLATE_TEST_CASE("array: data is aligned and contiguous, values come from any expression", "", float, double) {
    const Array<TestType> a{{1, 2, 3}, {4, 5, 6}};
    const Array<TestType> b = a * TestType(2) + TestType(1);
    CHECK(b.shape() == Shape{2, 3});
    CHECK(elements(b) == std::vector<TestType>{3, 5, 7, 9, 11, 13});
    CHECK(reinterpret_cast<std::uintptr_t>(b.data()) % buffer_alignment == 0);
    CHECK(elements(full<TestType>({2, 2}, 7)) == std::vector<TestType>(4, 7));
    CHECK(full<TestType>({}, 7).size() == 1);
    CHECK(empty<TestType>({3, 0}).size() == 0);
}

TEST_CASE("array: reshape_for_overwriting keeps the buffer if the shape stays") {
    Array<float> array = full<float>({4, 5}, 1);
    const float* data = array.data();
    reshape_for_overwriting(array, {4, 5});
    CHECK(array.data() == data);
    reshape_for_overwriting(array, {6, 7});
    CHECK(array.shape() == Shape{6, 7});
    CHECK(array.size() == 42);
}
