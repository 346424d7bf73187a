// Conv2d and ConvTranspose2d: against naive loops, the spread and shapes that PyTorch's have, gradients.
#include <nn/nn.hpp>

#include <cmath>
#include <string>

#include "tests/catch.hpp"
#include "tests/files.hpp"

using autograd::Array;
using autograd::Rng;
using autograd::Shape;
using autograd::Tape;
using autograd::Var;

namespace {

struct Network {
    nn::BasicConv2d<double> down;
    nn::BasicConvTranspose2d<double> up;
    static constexpr auto members = nn::members("down", &Network::down, "up", &Network::up);
};

}  // namespace

TEST_CASE("Conv2d is the sum over windows, and a bias", "[conv_layers]") {
    Rng rng{3};
    const nn::BasicConv2d<double> layer(2, 3, {3, 2}, rng, {.stride = {2, 1}, .padding = {1, 0}});
    Tape<double> tape;
    const Array<double> x = rng.normal<double>({2, 2, 5, 4});
    const Var<double> y = layer(tape.constant(x));
    REQUIRE(y.shape() == Shape{2, 3, 3, 3});
    const Array<double>& w = layer.weight.value();
    const Array<double>& b = layer.bias.value();
    for (std::size_t n = 0; n < 2; ++n) {
        for (std::size_t out = 0; out < 3; ++out) {
            for (std::size_t row = 0; row < 3; ++row) {
                for (std::size_t column = 0; column < 3; ++column) {
                    double expected = b(out);
                    for (std::size_t in = 0; in < 2; ++in) {
                        for (std::size_t i = 0; i < 3; ++i) {
                            for (std::size_t j = 0; j < 2; ++j) {
                                const std::size_t padded = 2 * row + i;  // one row of padding above
                                if (padded < 1 || padded > 5) continue;
                                expected += w(out, in, i, j) * x(n, in, padded - 1, column + j);
                            }
                        }
                    }
                    CHECK(y.value()(n, out, row, column) == Approx(expected).margin(1e-14));
                }
            }
        }
    }
}

TEST_CASE("ConvTranspose2d spreads each element over a window, and adds a bias", "[conv_layers]") {
    Rng rng{4};
    const nn::BasicConvTranspose2d<double> layer(2, 3, 3, rng, {.stride = 2, .padding = 1, .output_padding = {1, 0}});
    Tape<double> tape;
    const Array<double> x = rng.normal<double>({2, 2, 3, 4});
    const Var<double> y = layer(tape.constant(x));
    REQUIRE(y.shape() == Shape{2, 3, 6, 7});
    Array<double> expected = autograd::full<double>({2, 3, 6, 7}, 0);
    for (std::size_t n = 0; n < 2; ++n) {
        for (std::size_t out = 0; out < 3; ++out) {
            for (std::size_t k = 0; k < 42; ++k) expected(n, out, k / 7, k % 7) = layer.bias.value()(out);
            for (std::size_t k = 0; k < 2 * 12 * 9; ++k) {
                const std::size_t in = k / 108, row = k / 36 % 3, column = k / 9 % 4, i = k / 3 % 3, j = k % 3;
                const std::size_t to_row = 2 * row + i, to_column = 2 * column + j;  // in a picture with padding around
                if (to_row < 1 || to_row > 6 || to_column < 1 || to_column > 7) continue;
                expected(n, out, to_row - 1, to_column - 1) += layer.weight.value()(in, out, i, j) * x(n, in, row, column);
            }
        }
    }
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(y.value().data()[i] == Approx(expected.data()[i]).margin(1e-14));
    }
}

TEST_CASE("a transposed convolution of stride 2 undoes the size of a convolution, whether odd or even", "[conv_layers]") {
    Rng rng{5};
    Tape<float> tape({.inference = true});
    const nn::Conv2d down(1, 2, 3, rng, {.stride = 2, .padding = 1});
    for (const std::size_t size : {1u, 2u, 7u, 28u, 31u}) {
        const auto x = tape.constant(autograd::full<float>({1, 1, size, size + 1}, 1));
        const autograd::Size2d padding{1 - size % 2, size % 2};
        const nn::ConvTranspose2d up(2, 1, 3, rng, {.stride = 2, .padding = 1, .output_padding = padding});
        CHECK(up(down(x)).shape() == x.shape());
    }
}

// A uniform sample of n values of variance v: the sample variance has standard deviation v sqrt(0.8 / n), the mean
// sqrt(v / n). Five of them: a false alarm in 1.7 million.
TEMPLATE_TEST_CASE("convolutions begin as PyTorch's do", "[conv_layers]", float, double) {
    Rng rng{6};
    const nn::BasicConv2d<TestType> down(8, 600, {3, 5}, rng, {.groups = 2});
    const nn::BasicConvTranspose2d<TestType> up(600, 8, {3, 5}, rng, {.groups = 2});
    CHECK(rng.draws() == 4);
    CHECK(down.weight.shape() == Shape{600, 4, 3, 5});
    CHECK(up.weight.shape() == Shape{600, 4, 3, 5});
    CHECK(down.bias.shape() == Shape{600});
    CHECK(up.bias.shape() == Shape{8});
    const double bound = 1 / std::sqrt(4.0 * 3 * 5), variance = bound * bound / 3;
    for (const auto* values : {&down.weight.value(), &up.weight.value(), &down.bias.value()}) {
        double sum = 0, squares = 0, largest = 0;
        for (const TestType value : *values) {
            const auto w = static_cast<double>(value);
            sum += w;
            squares += w * w;
            largest = std::max(largest, std::fabs(w));
        }
        const auto n = static_cast<double>(values->size());
        CHECK(std::fabs(sum / n) < 5 * std::sqrt(variance / n));
        CHECK(std::fabs(squares / n / variance - 1) < 5 * std::sqrt(0.8 / n));
        CHECK(largest <= bound * (1 + 1e-6));
        CHECK(largest > 0.9 * bound);  // fails for one seed in 0.9^-600
    }
}

TEST_CASE("a network of convolutions has the right gradient in each parameter", "[conv_layers]") {
    Rng rng{7};
    const Network model{{2, 2, 3, rng, {.stride = 2, .padding = 1}},
                        {2, 2, 3, rng, {.stride = 2, .padding = 1, .output_padding = {1, 0}}}};
    const Array<double> x = rng.normal<double>({2, 2, 4, 3});
    const auto report = nn::gradcheck(model,
                                      [&](const Network& network, Tape<double>& tape) {
                                          const auto input = tape.constant(x);
                                          return sum(square(network.up(tanh(network.down(input))) - input));
                                      },
                                      {.order = 2});
    CHECK(report);
    CHECK(report.notes().empty());
    CHECK(nn::parameter_count(model) == 2 * (2 * 2 * 9 + 2));
}

TEST_CASE("convolutions of impossible sizes are refused", "[conv_layers]") {
    Rng rng{1};
    CHECK_THROWS_WITH(nn::Conv2d(0, 4, 3, rng), contains("Conv2d: expected numbers of channels"));
    CHECK_THROWS_WITH(nn::Conv2d(4, 0, 3, rng), contains("found 4 and 0"));
    CHECK_THROWS_WITH(nn::Conv2d(4, 4, {3, 0}, rng), contains("found 3 x 0"));
    CHECK_THROWS_WITH(nn::Conv2d(4, 6, 3, rng, {.groups = 4}), contains("groups = 4"));
    CHECK_THROWS_WITH(nn::ConvTranspose2d(6, 4, 3, rng, {.groups = 0}), contains("ConvTranspose2d"));
    const auto minus_one = static_cast<std::size_t>(-1);
    CHECK_THROWS_WITH(nn::Conv2d(minus_one, 4, 3, rng), contains("Conv2d: ") && contains("found -1 and 4"));
    CHECK_THROWS_WITH(nn::Conv2d(4, 4, minus_one, rng), contains("found -1 x -1"));
    CHECK_THROWS_WITH(nn::Conv2d(4, 4, 3, rng, {.stride = 0}), contains("Conv2d: a stride of 0 x 0"));
    CHECK_THROWS_WITH(nn::Conv2d(4, 4, 3, rng, {.padding = minus_one}), contains("Conv2d: a padding of -1 x -1"));
    CHECK_THROWS_WITH(nn::Conv2d(4, 4, 3, rng, {.dilation = {1, 0}}), contains("Conv2d: a dilation of 1 x 0"));
    CHECK_THROWS_WITH(nn::Conv2d(4, 4, 3, rng, {.groups = minus_one}), contains("Conv2d: -1 groups"));
    CHECK_THROWS_WITH(nn::ConvTranspose2d(4, 4, 3, rng, {.stride = 0}), contains("ConvTranspose2d: a stride of 0 x 0"));
    CHECK_THROWS_WITH(nn::ConvTranspose2d(4, 4, 3, rng, {.stride = 2, .output_padding = 2}),
                      contains("ConvTranspose2d: an output padding of 2 x 2"));
    CHECK_THROWS_AS(nn::Conv2d(1 << 30, 1 << 30, 1 << 30, rng), autograd::ShapeError);
    CHECK(rng.draws() == 0);
    Tape<float> tape;
    const nn::Conv2d layer(2, 4, 3, rng);
    CHECK_THROWS_AS(layer(tape.constant(autograd::full<float>({1, 3, 8, 8}, 0))), autograd::ShapeError);
}
