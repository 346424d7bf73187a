// Ops of very many arrays, and of very many parts: what they take grows with their number, not with its square. The
// sizes are such that a square would be a matter of minutes, or of more memory than there is; nothing is timed.
#include <algorithm>

#include "tests/testing.hpp"

using namespace autograd;

namespace {

constexpr std::size_t many = 100000;

/// Variables of two elements: 0 and 1, 2 and 3, ...
std::vector<Var<float>> variables(Tape<float>& tape, std::size_t count) {
    std::vector<Var<float>> list;
    for (std::size_t i = 0; i < count; ++i) list.push_back(tape.variable(Array<float>{float(2 * i), float(2 * i + 1)}));
    return list;
}

/// Counts 0, 1, 2, ..., times a factor, of `count` elements.
Array<float> counting(const Shape& shape, float factor = 1) {
    Array<float> array = empty<float>(shape);
    for (std::size_t i = 0; i < array.size(); ++i) array.data()[i] = factor * static_cast<float>(i);
    return array;
}

}  // namespace

TEST_CASE("lists: value, gradient, tangent and second order of very many arrays") {
    Tape<float> tape;
    const auto list = variables(tape, many);
    for (const bool stacked : {false, true}) {
        const auto joined = stacked ? stack(list, 1) : concat(list);
        CHECK(joined.shape() == (stacked ? Shape{2, many} : Shape{2 * many}));
        const auto place = [&](std::size_t i, std::size_t k) { return stacked ? k * many + i : 2 * i + k; };
        const auto weights = tape.constant(counting(joined.shape(), 0.5f));
        const auto loss = sum(joined * joined * weights);
        const auto plain = backward(loss);
        const auto gradients = backward(loss, {.create_graph = true});
        std::size_t right = 0;
        for (std::size_t i = 0; i < many; ++i) {
            for (std::size_t k = 0; k < 2; ++k) {
                const float expected = list[i].value()(k) * static_cast<float>(place(i, k));
                right += plain[list[i]](k) == expected && gradients[list[i]](k) == expected ? 1 : 0;
            }
        }
        CHECK(right == 2 * many);
        // Over the recorded sweep, which sliced the gradient: of the sum of all gradients.
        std::vector<Var<float>> slopes;
        for (const auto& each : list) slopes.push_back(gradients.var(each));
        const auto second = backward(sum(concat(slopes)));
        const auto along = tangent<float>(concat(slopes), {{list[7], Array<float>{1, 1}}});
        right = 0;
        for (std::size_t i = 0; i < many; ++i) {
            for (std::size_t k = 0; k < 2; ++k) {
                const auto expected = static_cast<float>(place(i, k));
                right += second[list[i]](k) == expected && along(2 * i + k) == (i == 7 ? expected : 0) ? 1 : 0;
            }
        }
        CHECK(right == 2 * many);
    }
}

TEST_CASE("lists: value, gradient and second order of very many parts") {
    Tape<float> tape;
    const auto x = tape.variable(counting({many, 2}));
    // The square of each of half of them, and the whole of the last ones.
    const auto parts = unstack(x);
    REQUIRE(parts.size() == many);
    auto loss = sum(parts[0]);
    std::vector<Var<float>> used;
    for (std::size_t i = 0; i < many; i += 2) used.push_back(square(parts[i]));
    loss = sum(concat(used));
    for (const bool create_graph : {false, true}) {
        const auto gradients = backward(loss, {.create_graph = create_graph});
        std::size_t right = 0;
        for (std::size_t i = 0; i < many; ++i) {
            for (std::size_t k = 0; k < 2; ++k) {
                right += parts[i].value()(k) == static_cast<float>(2 * i + k) &&
                                 gradients[x](i, k) == (i % 2 == 0 ? 2 * static_cast<float>(2 * i + k) : 0)
                             ? 1
                             : 0;
            }
        }
        CHECK(right == 2 * many);
        if (!create_graph) continue;
        const auto second = backward(sum(gradients.var(x)));
        right = 0;
        for (std::size_t i = 0; i < 2 * many; ++i) right += second[x].data()[i] == (i / 2 % 2 == 0 ? 2.0f : 0.0f) ? 1 : 0;
        CHECK(right == 2 * many);
    }
}

TEST_CASE("lists: parts of any number and size are what they are of few") {
    for (const std::size_t count : {1u, 15u, 16u, 17u, 33u, 100u}) {
        Shape sizes;
        for (std::size_t i = 0; i < count; ++i) sizes.push_back(i % 4);
        std::size_t whole = 0;
        for (const std::size_t size : sizes) whole += size;
        Tape<float> tape;
        const auto x = tape.variable(counting({3, whole, 2}));
        const auto parts = split(x, sizes, 1);
        REQUIRE(parts.size() == count);
        std::size_t first = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const auto stop = static_cast<std::ptrdiff_t>(first + sizes[i]);
            const auto expected = slice(x, 1, {static_cast<std::ptrdiff_t>(first), stop});
            CHECK(parts[i].shape() == expected.shape());
            CHECK(elements(parts[i].value()) == elements(expected.value()));
            first += sizes[i];
        }
        CHECK(elements(concat(parts, 1).value()) == elements(x.value()));
    }
}

TEST_CASE("lists: a printed tape does not grow with the square of a list's length") {
    Tape<float> tape;
    const auto list = variables(tape, 20000);
    const auto joined = concat(list);
    const std::string text = print(tape);
    CHECK_THAT(text, contains("%20000 = concat(%0, %1, %2, ..., %19997, %19998, %19999)  "));
    CHECK(text.size() < 200 * tape.size());
    CHECK_THAT(to_dot(tape, sum(joined)), contains("concat(%0, %1, %2, ..., %19997, %19998, %19999)"));
    tape.clear();
    const auto few = variables(tape, 12);
    concat(few);
    CHECK_THAT(print(tape), contains("concat(%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11)  "));
}

TEST_CASE("lists: a contraction of many operands") {
    constexpr std::size_t operands = 200000;
    Tape<double> tape;
    std::vector<Var<double>> list;
    for (std::size_t i = 0; i < operands; ++i) list.push_back(tape.variable(Array<double>{1, i % 2 == 0 ? 2 : 0.5}));
    std::string subscripts = "a";
    for (std::size_t i = 1; i < operands; ++i) subscripts += ",a";
    const auto product = einsum(subscripts + "->a", std::span<const Var<double>>(list));
    CHECK(elements(product.value()) == std::vector<double>{1, 1});
    const auto gradients = backward(sum(product));
    CHECK(elements(gradients[list[0]]) == std::vector<double>{1, 0.5});
    CHECK(elements(gradients[list[1]]) == std::vector<double>{1, 2});
}

TEST_CASE("lists: a checkpoint of many inputs, some of them one node") {
    Tape<double> tape;
    std::vector<Var<double>> list;
    for (std::size_t i = 0; i < many; ++i) list.push_back(tape.variable(Array<double>{static_cast<double>(i)}));
    list.push_back(list[3]);
    const auto squares = [](std::span<const Var<double>> x) { return sum(square(concat(x))); };
    const auto loss = checkpoint_list<double>(squares, list);
    const auto gradients = backward(loss, {.create_graph = true});
    std::size_t right = 0;
    for (std::size_t i = 0; i < many; ++i) {
        right += gradients[list[i]](0) == (i == 3 ? 4 : 2) * static_cast<double>(i) ? 1 : 0;
    }
    CHECK(right == many);
}
