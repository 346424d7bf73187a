// Normal and Bernoulli: values against their definitions, gradients against differences, samples and KL divergences
// against statistics of many draws. Seeds are fixed; a bound of 5 standard errors would give a false alarm for one seed
// in 1.7 million.
#include <autograd/gradcheck.hpp>
#include <nn/nn.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "catch.hpp"

using autograd::Array;
using autograd::Rng;
using autograd::Tape;
using autograd::Var;

namespace {

constexpr double false_alarm = 5;  // standard errors

struct Moments {
    double mean;
    double variance;
    double standard_error;  // of the mean
};

Moments moments(const Array<double>& values) {
    const auto n = static_cast<double>(values.size());
    double sum = 0, squares = 0;
    for (const double value : values) sum += value;
    for (const double value : values) squares += (value - sum / n) * (value - sum / n);
    return {sum / n, squares / n, std::sqrt(squares / n / n)};
}

/// An op on a grid over its domain against the reference in its documentation. The references are naive formulas: at
/// p = sigmoid(6) the cancellation in 1 - p multiplies rounding by 400, and the values go up to 50.
template <std::size_t Inputs, class E>
void check_against_reference(const E& op) {
    INFO(E::name);
    Tape<double> tape;
    Rng rng{1};
    Array<double> inputs[Inputs];
    for (std::size_t k = 0; k < Inputs; ++k) {
        inputs[k] = rng.uniform<double>({300});
        const auto [low, high] = op.documentation.domain[k];
        for (double& value : inputs[k]) value = low + (high - low) * value;
    }
    const auto [value, report] = [&]<std::size_t... I>(std::index_sequence<I...>) {
        return std::pair{op(tape.constant(inputs[I])...).value(),
                         autograd::gradcheck(op, {Array<double>(inputs[I])...}, {.order = 2})};
    }
    (std::make_index_sequence<Inputs>{});
    CHECK(report);
    for (std::size_t i = 0; i < value.size(); ++i) {
        double x[Inputs];
        for (std::size_t k = 0; k < Inputs; ++k) x[k] = inputs[k](i);
        CHECK(std::fabs(value(i) - op.documentation.reference(x)) < 2e-16 * 400 * 50);
    }
}

}  // namespace

TEST_CASE("the ops of the distributions have the values of their definitions, and their gradients", "[distributions]") {
    check_against_reference<3>(nn::ops::normal_log_prob);
    check_against_reference<4>(nn::ops::normal_kl_divergence);
    check_against_reference<2>(nn::ops::standard_normal_kl_divergence);
    check_against_reference<2>(nn::ops::bernoulli_kl_divergence);
    check_against_reference<1>(nn::ops::bernoulli_entropy);
    check_against_reference<2>(nn::ops::continuous_bernoulli_log_prob);
    check_against_reference<1>(nn::ops::continuous_bernoulli_mean);
}

TEST_CASE("rsample is mean + sigma epsilon, a new epsilon for each element and draw", "[distributions]") {
    Tape<double> tape;
    Rng rng{4};
    const std::size_t rows = 400, columns = 50;
    const Var<double> mean = tape.variable(autograd::full<double>({rows, columns}, 3));
    const Var<double> log_variance = tape.variable(autograd::full<double>({rows, columns}, std::log(4.0)));
    const nn::Normal q{mean, log_variance};
    Rng replay = rng;
    const Var<double> z = q.rsample(rng);
    const Array<double> epsilon = replay.normal<double>({rows, columns});
    const auto grads = backward(sum(z));
    for (std::size_t i = 0; i < epsilon.size(); ++i) {
        CHECK(z.value().data()[i] == Approx(3 + 2 * epsilon.data()[i]).epsilon(1e-14));
        CHECK(grads[mean].data()[i] == 1);
        CHECK(grads[log_variance].data()[i] == Approx(epsilon.data()[i]).epsilon(1e-14));  // sigma / 2 * epsilon
    }
    const Moments m = moments(z.value());
    CHECK(std::fabs(m.mean - 3) < false_alarm * m.standard_error);
    CHECK(std::fabs(m.variance - 4) < false_alarm * 4 * std::sqrt(2.0 / static_cast<double>(rows * columns)));

    // Rows are independent: the products of neighbours have mean 0 and variance 1. And so are draws.
    const Var<double> again = q.rsample(rng);
    Array<double> neighbours = autograd::empty<double>({rows - 1, columns});
    Array<double> draws = autograd::empty<double>({rows, columns});
    const auto standard = [](const Var<double>& v, std::size_t i, std::size_t j) { return (v.value()(i, j) - 3) / 2; };
    for (std::size_t j = 0; j < columns; ++j) {
        for (std::size_t i = 0; i + 1 < rows; ++i) neighbours(i, j) = standard(z, i, j) * standard(z, i + 1, j);
        for (std::size_t i = 0; i < rows; ++i) draws(i, j) = standard(z, i, j) * standard(again, i, j);
    }
    for (const auto& products : {neighbours, draws}) {
        const Moments p = moments(products);
        CHECK(std::fabs(p.mean) < false_alarm * p.standard_error);
    }
}

TEST_CASE("rsample is differentiable with its noise replayed, sample is not at all", "[distributions]") {
    Rng rng{4};
    const Array<double> mean = rng.normal<double>({3, 2});
    const Array<double> log_variance = rng.normal<double>({3, 2});
    CHECK(autograd::gradcheck(
        [](auto m, auto l, Rng& noise) {
            return square(nn::Normal{m, l}.rsample(noise));
        },
        {mean, log_variance}, rng));

    Tape<double> tape;
    const Var<double> m = tape.variable(mean);
    const nn::Normal q{m, tape.variable(log_variance)};
    Rng one{1}, other{1};
    const Var<double> sample = q.sample(one);
    CHECK(sample.value() == q.rsample(other).value());
    CHECK_THROWS_AS(backward(sum(sample)), autograd::GradientError);
    CHECK(why_no_gradient(sum(sample), m).find("stop_gradient") != std::string::npos);
    const nn::Bernoulli bernoulli{m};
    CHECK_THROWS_AS(backward(sum(bernoulli.sample(one))), autograd::GradientError);
}

TEST_CASE("closed forms agree with averages over samples", "[distributions]") {
    Rng rng{9};
    Tape<double> tape;
    const autograd::Shape many{200000};
    const auto fill = [&](double value) { return tape.constant(autograd::full<double>(many, value)); };
    const auto check = [](const Array<double>& samples, double closed_form) {
        const Moments m = moments(samples);
        CHECK(std::fabs(m.mean - closed_form) < false_alarm * m.standard_error);
        CHECK(m.standard_error < 0.02 * closed_form);  // else the test would pass for nothing
    };
    {
        const nn::Normal p{fill(0.7), fill(-0.5)}, q{fill(-0.4), fill(0.3)};
        const nn::Normal standard{fill(0), fill(0)};
        const Var<double> x = p.sample(rng);
        check((p.log_prob(x) - q.log_prob(x)).value(), kl_divergence(p, q).value()(0));
        check((p.log_prob(x) - standard.log_prob(x)).value(), kl_divergence(p, nn::StandardNormal{}).value()(0));
        check((-p.log_prob(x)).value(), p.entropy().value()(0));
    }
    {
        const nn::Bernoulli p{fill(0.8)}, q{fill(-0.3)};
        const Var<double> x = p.sample(rng);
        const Moments m = moments(x.value());
        CHECK(std::fabs(m.mean - 1 / (1 + std::exp(-0.8))) < false_alarm * m.standard_error);
        check((p.log_prob(x) - q.log_prob(x)).value(), kl_divergence(p, q).value()(0));
        check((-p.log_prob(x)).value(), p.entropy().value()(0));
    }
}

TEST_CASE("the constants of the normal distribution are there", "[distributions]") {
    Tape<double> tape;
    const auto fill = [&](double value) { return tape.variable(Array<double>{value}); };
    const nn::Normal p{fill(1), fill(std::log(9.0))};
    // At the mean the density is 1 / (sigma sqrt(2 pi)); one sigma from it, exp(-1/2) of that.
    const double peak = -std::log(3 * std::sqrt(2 * 3.14159265358979323846));
    CHECK(p.log_prob(fill(1)).item() == Approx(peak).epsilon(1e-14));
    CHECK(p.log_prob(fill(4)).item() == Approx(peak - 0.5).epsilon(1e-14));
    CHECK(p.entropy().item() == Approx(0.5 - peak).epsilon(1e-14));
    // The gradients which Kingma and Welling's form has: mu and (exp(log variance) - 1) / 2.
    const auto grads = backward(kl_divergence(p, nn::StandardNormal{}));
    CHECK(grads[p.mean](0) == 1);
    CHECK(grads[p.log_variance](0) == Approx(4.0).epsilon(1e-14));
}

// Simpson's rule with 2000 intervals: its error is at most (1/2000)^4 / 180 times the fourth derivative, which at logit
// 20 is 20^4 times the density's maximum of 20: 1e-9.
TEST_CASE("the continuous Bernoulli density integrates to 1, and its mean is what it says", "[distributions]") {
    constexpr std::size_t intervals = 2000;
    for (const double logit : {0.0, 1e-9, -1e-3, 0.3, -0.4999, 0.5, 0.5001, -2.0, 7.0, 20.0, -20.0}) {
        INFO(logit);
        Tape<double> tape;
        Array<double> x = autograd::empty<double>({intervals + 1});
        for (std::size_t i = 0; i <= intervals; ++i) x(i) = static_cast<double>(i) / intervals;
        const nn::ContinuousBernoulli p{tape.constant(autograd::full<double>({intervals + 1}, logit))};
        const Array<double> log_density = p.log_prob(tape.constant(x)).value();
        double total = 0, mean = 0;
        for (std::size_t i = 0; i <= intervals; ++i) {
            const double weight = (i == 0 || i == intervals ? 1.0 : i % 2 == 1 ? 4.0 : 2.0) / (3.0 * intervals);
            total += weight * std::exp(log_density(i));
            mean += weight * x(i) * std::exp(log_density(i));
        }
        CHECK(std::fabs(total - 1) < 2e-9);
        CHECK(std::fabs(mean - p.mean().value()(0)) < 2e-9);
    }
}

TEST_CASE("the continuous Bernoulli distribution keeps its digits near probability 1/2 and far from it",
          "[distributions]") {
    // The series and the formula meet at 1/2: there their difference is the rounding of the second, 50 times the
    // mean's.
    Tape<double> tape;
    const auto above_half = [&](double logit) {
        return nn::ContinuousBernoulli{tape.constant(Array<double>{logit})}.mean().item() - 0.5;
    };
    CHECK(std::fabs(above_half(std::nextafter(0.5, 0.0)) - above_half(0.5)) < 50 * 2.3e-16 * 0.5);
    CHECK(above_half(1e-8) == Approx(1e-8 / 12).epsilon(1e-7));  // the mean itself has 16 digits
    CHECK(above_half(0) == 0);
    // log C = log 2 + logit^2 / 12, the density at x = 1/2 without its maximum.
    const auto log_prob = [](auto x, auto logit) {
        Tape<decltype(x)> own;
        const auto l = own.variable(Array<decltype(x)>{logit});
        const auto value = nn::ContinuousBernoulli{l}.log_prob(own.constant(Array<decltype(x)>{x}));
        return std::pair{static_cast<double>(value.item()), static_cast<double>(backward(value)[l](0))};
    };
    CHECK(std::fabs(log_prob(0.5, 0.0).first) < 3e-16);  // the rounding of two logarithms of 2
    CHECK(log_prob(0.5, 0.0).second == 0);
    // Far out, log((e^l - 1) / l) is l - log l: at x = 1 log 100 is left, and the mean is 1 - 1/100.
    for (const double sign : {1.0, -1.0}) {
        const auto [value, gradient] = log_prob(sign > 0 ? 1.0 : 0.0, sign * 100);
        CHECK(value == Approx(std::log(100.0)).epsilon(1e-13));
        CHECK(gradient == Approx(sign * 0.01).epsilon(1e-11));
        const auto [narrow, narrow_gradient] = log_prob(sign > 0 ? 1.0F : 0.0F, static_cast<float>(sign) * 1000.0F);
        CHECK(narrow == Approx(std::log(1000.0)).epsilon(1e-4));  // 1000 - 1000 + 6.9 in float
        CHECK(narrow_gradient == Approx(sign * 0.001).epsilon(1e-3));
    }
}

TEST_CASE("continuous Bernoulli samples have its mean, and lie in [0, 1]", "[distributions]") {
    Rng rng{12};
    Tape<double> tape;
    for (const double logit : {-30.0, -2.0, 0.0, 1e-12, 0.7, 40.0}) {
        INFO(logit);
        const nn::ContinuousBernoulli p{tape.variable(autograd::full<double>({40000}, logit))};
        const Var<double> sample = p.sample(rng);
        const Moments m = moments(sample.value());
        CHECK(std::fabs(m.mean - p.mean().value()(0)) < false_alarm * m.standard_error);
        CHECK(*std::min_element(sample.value().begin(), sample.value().end()) >= 0);
        CHECK(*std::max_element(sample.value().begin(), sample.value().end()) <= 1);
        CHECK_THROWS_AS(backward(sum(sample)), autograd::GradientError);
        tape.clear();
    }
}

TEST_CASE("a KL divergence is 0 between equals, and keeps its digits close to it", "[distributions]") {
    Tape<float> tape;
    const auto fill = [&](float value) { return tape.variable(Array<float>{value}); };
    const nn::Normal p{fill(0.3F), fill(-0.2F)};
    CHECK(kl_divergence(p, p).item() == 0);
    CHECK(kl_divergence(nn::Normal{fill(0), fill(0)}, nn::StandardNormal{}).item() == 0);
    for (const float logit : {-100.0F, -5.0F, 0.0F, 5.0F, 100.0F}) {
        CHECK(kl_divergence(nn::Bernoulli{fill(logit)}, nn::Bernoulli{fill(logit)}).item() == 0);
    }
    // log variance 1e-3: (e^x - 1 - x) / 2 = x^2 / 4 (1 + x / 3 + ...), of which float's exp(x) - 1 - x has no digit
    // right.
    const double x = static_cast<double>(1e-3F);
    const double expected = x * x / 4 * (1 + x / 3 + x * x / 12);
    const float small = kl_divergence(nn::Normal{fill(0), fill(1e-3F)}, nn::StandardNormal{}).item();
    // expm1(x) and x agree in their first 11 bits; what is left of 24 bits is 2^-13.
    CHECK(std::fabs(static_cast<double>(small) / expected - 1) < 1.0 / (1 << 12));
    CHECK(kl_divergence(nn::Normal{fill(0), fill(-1e-4F)}, nn::StandardNormal{}).item() >= 0);
    // p is 1 - e^-50, which float cannot tell from 1.
    CHECK(nn::Bernoulli{fill(50)}.entropy().item() == Approx(51 * std::exp(-50.0)).epsilon(1e-6));
}

TEST_CASE("distributions refuse shapes which would broadcast", "[distributions]") {
    Tape<float> tape;
    Rng rng{1};
    const auto column = tape.constant(autograd::full<float>({4, 1}, 1.0F));
    const auto row = tape.constant(autograd::full<float>({4}, 1.0F));
    const nn::Normal good{row, row}, other{column, column}, bad{row, column};
    CHECK_THROWS_AS(bad.rsample(rng), autograd::ShapeError);
    CHECK_THROWS_AS(bad.sample(rng), autograd::ShapeError);
    CHECK_THROWS_AS(bad.entropy(), autograd::ShapeError);
    CHECK_THROWS_AS(bad.log_prob(row), autograd::ShapeError);
    CHECK_THROWS_AS(good.log_prob(column), autograd::ShapeError);
    CHECK_THROWS_AS(kl_divergence(bad, nn::StandardNormal{}), autograd::ShapeError);
    CHECK_THROWS_AS(kl_divergence(good, other), autograd::ShapeError);
    CHECK_THROWS_AS(kl_divergence(good, bad), autograd::ShapeError);
    CHECK_THROWS_AS(kl_divergence(nn::Bernoulli{row}, nn::Bernoulli{column}), autograd::ShapeError);
    CHECK_THROWS_AS(nn::Bernoulli{row}.log_prob(column), autograd::ShapeError);
    CHECK_THROWS_AS(nn::ContinuousBernoulli{row}.log_prob(column), autograd::ShapeError);
}
