// update(): what it changes, and what it refuses before it has changed anything.
#include <autograd/kernels/update.hpp>
#include <utility>

#include "tests/testing.hpp"

using namespace autograd;

TEMPLATE_TEST_CASE("update: changes the arrays that are not const, of any size and shape", "", float, double) {
    using T = TestType;
    for (const Shape& shape : {Shape{}, Shape{0}, Shape{1}, Shape{7}, Shape{8}, Shape{3, 11}, Shape{5, 4, 3}}) {
        Array<T> value = sample<T>(shape, 1), momentum = sample<T>(shape, 2);
        const Array<T> gradient = sample<T>(shape, 3);
        const Array<T> value_before = value, momentum_before = momentum;
        update(
            [](auto& v, auto& m, auto g) {
                m = T(0.5) * m + g;
                v = v - T(2) * m;
            },
            value, momentum, gradient);
        for (std::size_t i = 0; i < value.size(); ++i) {
            // Powers of two: the products are exact, fused or not.
            const T m = T(0.5) * momentum_before.data()[i] + gradient.data()[i];
            CHECK(momentum.data()[i] == m);
            CHECK(value.data()[i] == value_before.data()[i] - T(2) * m);
        }
        CHECK(elements(gradient) == elements(sample<T>(shape, 3)));
    }
}

TEST_CASE("update: shapes that differ are refused before anything is changed") {
    Array<float> value = sample<float>({3, 4});
    const Array<float> gradient = sample<float>({4, 3});
    CHECK_THAT(message_of<ShapeError>([&] { update([](auto& v, auto g) { v = g; }, value, gradient); }),
               contains("(3, 4)") && contains("(4, 3)"));
    CHECK(elements(value) == elements(sample<float>({3, 4})));
}

TEST_CASE("update: an array that is given twice is read as it was, or refused") {
    Array<float> a = sample<float>({3, 11});
    const Array<float> other = sample<float>({3, 11}, 2), before = a;
    const auto add = [](auto& x, auto y) { x = x + y; };
    // Read once more.
    update(add, a, std::as_const(a));
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(a.data()[i] == 2 * before.data()[i]);
    update([](auto& x, auto y, auto z) { x = y - z; }, a, other, other);
    CHECK(elements(a) == std::vector<float>(a.size(), 0));
    // Changed twice, wherever it stands among the others.
    a = before;
    Array<float> b = other;
    const auto refused = [&](const auto& call) {
        CHECK_THAT(message_of<Error>(call), contains("update: one array is given twice") && contains("const"));
        CHECK(elements(a) == elements(before));
        CHECK(elements(b) == elements(other));
    };
    refused([&] { update(add, a, a); });
    refused([&] { update([](auto& x, auto& y, auto& z) { x = y = z = x + y; }, a, b, a); });
    refused([&] { update([](auto& x, auto& y, auto& z) { x = y = z = x + y; }, b, a, a); });
    refused([&] { update([](auto& x, auto y, auto& z) { z = x = x + y; }, a, other, a); });
    Array<float> nothing = empty<float>({0});
    CHECK_THROWS_AS(update(add, nothing, nothing), Error);
    // Arrays whose elements are equal, or are none, are still two.
    Array<float> none = nothing, same = a;
    update(add, nothing, none);
    update([](auto& x, auto& y) { x = y = x + y; }, a, same);
    CHECK(elements(a) == elements(same));
}
