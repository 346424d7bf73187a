// Linear, the initialisations, the activations and Sequential: values against naive loops, spreads against the papers.
#include <nn/nn.hpp>

#include <cmath>
#include <string>

#include "tests/catch.hpp"

using autograd::Array;
using autograd::Rng;
using autograd::Tape;
using autograd::Var;

TEST_CASE("Linear is x weight' + bias", "[linear]") {
    Rng rng{3};
    nn::BasicLinear<double> layer{3, 2, rng};
    layer.bias.assign(Array<double>{0.5, -1});
    Tape<double> tape;
    const Array<double> x = rng.normal<double>({4, 3});
    const Var<double> y = layer(tape.constant(x));
    REQUIRE(y.shape() == autograd::Shape{4, 2});
    for (std::size_t row = 0; row < 4; ++row) {
        for (std::size_t out = 0; out < 2; ++out) {
            double expected = layer.bias.value()(out);
            for (std::size_t in = 0; in < 3; ++in) expected += x(row, in) * layer.weight.value()(out, in);
            CHECK(y.value()(row, out) == Approx(expected).epsilon(1e-14));
        }
    }
}

TEST_CASE("a layer that is used twice has one node per parameter, and the sum of the gradients", "[linear]") {
    Rng rng{3};
    const nn::BasicLinear<double> layer{2, 2, rng};
    const Array<double> x = rng.normal<double>({5, 2});
    const auto gradients = [&](double first, double second) {
        Tape<double> tape;
        const Var<double> input = tape.constant(x);
        const auto grads = backward(sum(first * layer(input) + second * square(layer(input))));
        CHECK(grads.parameters().size() == 2);
        return std::pair{grads[layer.weight], grads[layer.bias]};
    };
    const auto [both_weight, both_bias] = gradients(1, 1);
    const auto [a_weight, a_bias] = gradients(1, 0);
    const auto [b_weight, b_bias] = gradients(0, 1);
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(both_weight.data()[i] == Approx(a_weight.data()[i] + b_weight.data()[i]).epsilon(1e-13));
    }
    for (std::size_t i = 0; i < 2; ++i) CHECK(both_bias(i) == Approx(a_bias(i) + b_bias(i)).epsilon(1e-13));
    CHECK(a_bias(0) == 5);  // one from each row
}

TEST_CASE("layers made with one generator differ, and repeat with the seed", "[linear]") {
    Rng rng{7};
    const nn::Linear first{4, 4, rng};
    const nn::Linear second{4, 4, rng};
    CHECK(rng.draws() == 2);
    CHECK(first.weight.value() != second.weight.value());
    Rng again{7};
    CHECK(nn::Linear{4, 4, again}.weight.value() == first.weight.value());
    for (const float bias : first.bias.value()) CHECK(bias == 0);
}

// The sample variance of n values has relative standard deviation sqrt((kurtosis - 1) / n), kurtosis 3 for the normal
// and 1.8 for the uniform distribution; the mean has sqrt(variance / n). Five of them: a false alarm in 1.7 million.
TEMPLATE_TEST_CASE("initial weights have the variance of the papers", "[linear]", float, double) {
    const std::size_t in = 300, out = 500, count = in * out;
    struct Case {
        const char* name;
        nn::Initializer<TestType> make;
        double variance;
        double kurtosis;
    };
    const double he = 2.0 / 300, glorot = 2.0 / 800;
    for (const auto& [name, make, variance, kurtosis] :
         {Case{"he_normal", nn::he_normal, he, 3}, Case{"he_uniform", nn::he_uniform, he, 1.8},
          Case{"glorot_normal", nn::glorot_normal, glorot, 3}, Case{"glorot_uniform", nn::glorot_uniform, glorot, 1.8}}) {
        INFO(name);
        Rng rng{11};
        const Array<TestType> weight = make(in, out, rng);
        REQUIRE(weight.shape() == autograd::Shape{out, in});
        double sum = 0, squares = 0, largest = 0;
        for (const double w : weight) {
            sum += w;
            squares += w * w;
            largest = std::max(largest, std::fabs(w));
        }
        const auto n = static_cast<double>(count);
        CHECK(std::fabs(sum / n) < 5 * std::sqrt(variance / n));
        CHECK(std::fabs(squares / n / variance - 1) < 5 * std::sqrt((kurtosis - 1) / n));
        const double bound = std::sqrt(3 * variance);  // of the uniform distribution
        if (kurtosis < 3) CHECK(largest <= bound * (1 + 1e-6));
        if (kurtosis == 3) CHECK(largest > bound);
    }
}

TEST_CASE("activations are autograd's functions", "[linear]") {
    Tape<double> tape;
    const Var<double> x = tape.constant(Array<double>{-2, 0, 3});
    CHECK(nn::ReLU{}(x).value() == Array<double>{0, 0, 3});
    for (std::size_t i = 0; i < 3; ++i) {
        const double value = x.value()(i);
        CHECK(nn::Tanh{}(x).value()(i) == Approx(std::tanh(value)).epsilon(1e-14));
        CHECK(nn::Sigmoid{}(x).value()(i) == Approx(1 / (1 + std::exp(-value))).epsilon(1e-14));
        CHECK(nn::Softplus{}(x).value()(i) == Approx(std::log(1 + std::exp(value))).epsilon(1e-14));
    }
}

TEST_CASE("Sequential applies its layers one after another", "[linear]") {
    Rng rng{5};
    const nn::Linear first{3, 4, rng}, second{4, 2, rng};
    const nn::Sequential net{first, nn::Tanh{}, second};
    Tape<float> tape;
    const Var<float> x = tape.constant(rng.normal<float>({6, 3}));
    CHECK(net(x).value() == second(tanh(first(x))).value());
    CHECK(nn::parameter_count(net) == 3 * 4 + 4 + 4 * 2 + 2);
}

TEST_CASE("layers and initialisers of impossible sizes are refused, by name", "[linear]") {
    autograd::Rng rng{1};
    const auto minus = [](std::size_t n) { return 0 - n; };
    CHECK_THROWS_WITH(nn::Linear(0, 2, rng), "Linear: inputs = 0: a number from 1 to 2^48 is wanted");
    CHECK_THROWS_WITH(nn::Linear(2, minus(3), rng), "Linear: outputs = -3: a number from 1 to 2^48 is wanted");
    CHECK_THROWS_WITH(nn::Linear(std::size_t{1} << 63, 2, rng), contains("Linear: inputs = 9223372036854775808"));
    CHECK_THROWS_AS(nn::Linear(std::size_t{1} << 40, std::size_t{1} << 40, rng), autograd::ShapeError);
    CHECK_THROWS_WITH(nn::Linear(2, 3, rng, nullptr), contains("Linear: "));
    const auto transposed = [](std::size_t in, std::size_t out, autograd::Rng&) { return autograd::full<float>({in, out}, 1); };
    CHECK_THROWS_WITH(nn::Linear(2, 3, rng, transposed), contains("Linear: ") && contains("(2, 3)") && contains("(3, 2)"));
    CHECK_THROWS_WITH(nn::he_normal<float>(0, 3, rng), contains("he_normal: fan_in = 0"));
    CHECK_THROWS_WITH(nn::he_uniform<float>(2, 0, rng), contains("he_uniform: fan_out = 0"));
    CHECK_THROWS_WITH(nn::glorot_normal<double>(2, minus(1), rng), contains("glorot_normal: fan_out = -1"));
    CHECK_THROWS_WITH(nn::glorot_uniform<float>(minus(1), 2, rng), contains("glorot_uniform: fan_in = -1"));
    CHECK_THROWS_WITH(nn::uniform_by_fan_in<float>({2}, 0, rng), contains("uniform_by_fan_in: fan_in = 0"));
    CHECK(rng.draws() == 0);
}

TEST_CASE("losses and distributions name what was called", "[linear]") {
    autograd::Tape<float> tape;
    const auto scalar = tape.constant(autograd::full<float>({}, 1)), two = tape.constant(autograd::full<float>({2}, NAN)),
               three = tape.constant(autograd::full<float>({3}, 1));
    CHECK_THROWS_WITH(nn::mean_squared_error(two, three), Catch::Matchers::StartsWith("mean_squared_error: "));
    CHECK_THROWS_WITH(nn::squared_error(scalar, scalar, nn::Reduction::batch_mean),
                      Catch::Matchers::StartsWith("squared_error: "));
    CHECK_THROWS_WITH(nn::Bernoulli{two}.log_prob(three), Catch::Matchers::StartsWith("Bernoulli::log_prob: "));
    autograd::Rng rng{1};
    CHECK_THROWS_WITH(nn::Bernoulli{two}.sample(rng),
                      Catch::Matchers::StartsWith("Bernoulli::sample (node ") && contains("nan at element 0"));
    CHECK(rng.draws() == 0);
}
