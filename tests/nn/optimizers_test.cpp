// Optimisers against scalar loops, and what a step does with parameters that are unlisted, cut off or were never used.
#include <nn/nn.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/catch.hpp"

using autograd::Array;
using autograd::GradientError;
using autograd::Parameter;
using autograd::Tape;

namespace {

template <class T>
struct Pair {
    Parameter<T> first{Array<T>{T(0.5), T(-1), T(2), T(0)}};
    Parameter<T> second{Array<T>{{T(1), T(5)}, {T(-3), T(2)}}};
    static constexpr auto members = nn::members("first", &Pair::first, "second", &Pair::second);
};

struct Forgetful {
    Parameter<float> listed{Array<float>{1}};
    Parameter<float> forgotten{Array<float>{2}};
    static constexpr auto members = nn::members("listed", &Forgetful::listed);
};

/// Gradients which are just these arrays.
template <class T>
autograd::Gradients<T> gradients_of(const std::vector<std::pair<const Parameter<T>*, Array<T>>>& wanted) {
    Tape<T> tape;
    autograd::Var<T> loss = tape.constant(autograd::full<T>({}, T(0)));
    for (const auto& [parameter, gradient] : wanted) {
        loss = loss + sum(tape.parameter(*parameter) * tape.constant(gradient));
    }
    return backward(loss);
}

/// The gradient of `first` at a step: different for each element and step, with a zero among them.
template <class T>
Array<T> slope(int step) {
    return Array<T>{T(0.3) * T(step), T(-2), T(0), T(step % 2 == 0 ? 1e-4 : -5)};
}

/// Steps an optimiser ten times, and beside it a scalar rule (value, gradient, step) with its own memory per element.
template <class T, class Optimizer, class Rule>
void check_against(Optimizer optimizer, Rule make_rule) {
    Pair<T> model;
    const Array<T> start = model.first.value();
    std::vector<std::function<double(double, double, int)>> rules;
    std::vector<double> expected(start.begin(), start.end());
    for (std::size_t i = 0; i < start.size(); ++i) rules.push_back(make_rule());
    for (int step = 1; step <= 10; ++step) {
        const Array<T> gradient = slope<T>(step);
        const auto grads = gradients_of<T>({{&model.first, gradient}});
        REQUIRE(grads[model.first] == gradient);
        optimizer.step(model, grads);
        for (std::size_t i = 0; i < start.size(); ++i) {
            INFO("step " << step << ", element " << i);
            expected[i] = rules[i](expected[i], static_cast<double>(gradient(i)), step);
            // Ten steps of a dozen roundings each, of numbers up to 5.
            const double tolerance = 120 * 5 * static_cast<double>(std::numeric_limits<T>::epsilon());
            CHECK(std::fabs(static_cast<double>(model.first.value()(i)) - expected[i]) < tolerance);
        }
    }
    CHECK(model.second.value() == Pair<T>().second.value());
}

/// Algorithm 1 of Kingma and Ba, with weight decay in either of its two places.
auto adam_rule(double lr, double beta1, double beta2, double eps, double coupled, double decoupled) {
    return [=]() -> std::function<double(double, double, int)> {
        return [=, m = 0.0, v = 0.0](double x, double g, int t) mutable {
            x -= lr * decoupled * x;
            g += coupled * x;
            m = beta1 * m + (1 - beta1) * g;
            v = beta2 * v + (1 - beta2) * g * g;
            const double m_hat = m / (1 - std::pow(beta1, t));
            const double v_hat = v / (1 - std::pow(beta2, t));
            return x - lr * m_hat / (std::sqrt(v_hat) + eps);
        };
    };
}

auto sgd_rule(double lr, double momentum, double decay, bool nesterov) {
    return [=]() -> std::function<double(double, double, int)> {
        return [=, buffer = 0.0](double x, double g, int t) mutable {
            g += decay * x;
            buffer = t == 1 ? g : momentum * buffer + g;
            return x - lr * (nesterov ? g + momentum * buffer : buffer);
        };
    };
}

}  // namespace

TEMPLATE_TEST_CASE("SGD is the textbook's", "[optimizers]", float, double) {
    using SGD = nn::BasicSGD<TestType>;
    check_against<TestType>(SGD({.lr = 0.1}), sgd_rule(0.1, 0, 0, false));
    check_against<TestType>(SGD({.lr = 0.1, .weight_decay = 0.2}), sgd_rule(0.1, 0, 0.2, false));
    check_against<TestType>(SGD({.lr = 0.1, .momentum = 0.9}), sgd_rule(0.1, 0.9, 0, false));
    check_against<TestType>(SGD({.lr = 0.1, .momentum = 0.5, .weight_decay = 0.2, .nesterov = true}),
                            sgd_rule(0.1, 0.5, 0.2, true));
}

TEMPLATE_TEST_CASE("Adam and AdamW are the papers'", "[optimizers]", float, double) {
    using Adam = nn::BasicAdam<TestType>;
    using AdamW = nn::BasicAdamW<TestType>;
    check_against<TestType>(Adam(), adam_rule(1e-3, 0.9, 0.999, 1e-8, 0, 0));
    check_against<TestType>(AdamW(), adam_rule(1e-3, 0.9, 0.999, 1e-8, 0, 0.01));
    check_against<TestType>(Adam({.lr = 0.05, .beta1 = 0.7, .beta2 = 0.9, .eps = 0.1, .weight_decay = 0.3}),
                            adam_rule(0.05, 0.7, 0.9, 0.1, 0.3, 0));
    check_against<TestType>(AdamW({.lr = 0.05, .beta1 = 0.7, .beta2 = 0.9, .eps = 0.1, .weight_decay = 0.3}),
                            adam_rule(0.05, 0.7, 0.9, 0.1, 0, 0.3));
}

TEST_CASE("Adam's first step is lr against the gradient's sign, whatever its size", "[optimizers]") {
    Pair<double> model;
    nn::BasicAdam<double> adam({.lr = 0.25});
    adam.step(model, gradients_of<double>({{&model.first, Array<double>{1e-3, -40, 0, 7}}}));
    const Array<double> expected{0.5 - 0.25, -1 + 0.25, 2, 0 - 0.25};
    for (std::size_t i = 0; i < 4; ++i) {
        // eps takes 1e-8 / |g| of the step: 1e-5 at the smallest gradient.
        CHECK(std::fabs(model.first.value()(i) - expected[i]) < 0.25 * 1.1e-5);
    }
}

TEST_CASE("Adam gives no more steps where the square of a gradient is infinite", "[optimizers]") {
    Pair<float> model;
    nn::Adam adam({.lr = 0.25});
    const float start = model.first.value()(1);
    adam.step(model, gradients_of<float>({{&model.first, Array<float>{1e18f, 2e19f, 0, 7}}}));
    CHECK(model.first.value()(0) == Approx(0.5 - 0.25));
    CHECK(model.first.value()(1) == start);
    adam.step(model, gradients_of<float>({{&model.first, Array<float>{1, 1, 1, 1}}}));
    CHECK(model.first.value()(1) == start);
}

TEST_CASE("a parameter which was not on the tape is left alone, with its moments and its count", "[optimizers]") {
    Pair<double> model;
    nn::BasicAdam<double> adam({.lr = 0.25});
    const Array<double> second = model.second.value();
    for (int step = 1; step <= 3; ++step) adam.step(model, gradients_of<double>({{&model.first, slope<double>(step)}}));
    CHECK(model.second.value() == second);
    CHECK(adam.states(model)[0].steps == 3);
    CHECK(adam.states(model)[1].steps == 0);
    // Its first step is a first step: the correction is that of t = 1.
    const auto moments = adam.states(model)[0].averages;
    adam.step(model, gradients_of<double>({{&model.second, Array<double>{{100, 0}, {-1, 0}}}}));
    CHECK(model.second.value()(0, 0) == Approx(1 - 0.25).epsilon(1e-7));
    CHECK(model.second.value()(1, 0) == Approx(-3 + 0.25).epsilon(1e-7));
    CHECK(adam.states(model)[0].averages == moments);
    CHECK(adam.states(model)[0].steps == 3);
}

TEST_CASE("a parameter on the tape which is not listed is an error, unless a part is stepped", "[optimizers]") {
    Forgetful model;
    Tape<float> tape;
    tape.name_parameter(model.forgotten.identity(), "model.forgotten");
    const auto grads = backward(sum(tape.parameter(model.listed) * tape.parameter(model.forgotten)));
    nn::SGD sgd({.lr = 1});
    CHECK_THROWS_AS(sgd.step(model, grads), GradientError);
    CHECK_THROWS_WITH(sgd.step(model, grads), contains("model.forgotten") && contains("listing"));
    CHECK(model.listed.value()(0) == 1);
    sgd.step(model, grads, {.partial = true});
    CHECK(model.listed.value()(0) == -1);
    CHECK(model.forgotten.value()(0) == 2);
}

TEST_CASE("a parameter is stepped once by the same gradients, and two halves of a model by two optimisers", "[optimizers]") {
    Pair<float> model;
    Tape<float> tape;
    nn::attach(tape, model);
    const auto record = [&] { return sum(tape.parameter(model.first)) + sum(tape.parameter(model.second)); };
    auto grads = backward(record());
    nn::SGD sgd({.lr = 1});
    nn::Adam other, second;
    sgd.step(model, grads);
    const float after = model.first.value()(0);
    CHECK_THROWS_WITH(sgd.step(model, grads),
                      contains("first was stepped by these gradients already") && contains("backward()"));
    const auto moved = std::move(grads);
    CHECK_THROWS_AS(other.step(model, moved), GradientError);
    CHECK_THROWS_AS(sgd.step(model, moved, {.partial = true}), GradientError);
    CHECK(model.first.value()(0) == after);
    CHECK(sgd.states(model)[0].steps == 1);
    sgd.step(model, moved, {.again = true});
    CHECK(model.first.value()(0) == after - 1);

    tape.clear();
    const auto halves = backward(record());
    nn::SGD of_first;
    of_first.step(model.first, halves, {.partial = true});
    CHECK_THROWS_AS(other.step(model, halves), GradientError);
    second.step(model.second, halves, {.partial = true});
    CHECK_THROWS_AS(second.step(model.second, halves, {.partial = true}), GradientError);
}

TEST_CASE("a parameter whose path to the loss was cut is an error, and nothing is stepped", "[optimizers]") {
    Pair<float> model;
    Tape<float> tape;
    nn::attach(tape, model);
    const auto cut = stop_gradient(tape.parameter(model.second));
    const auto grads = backward(sum(tape.parameter(model.first)) + sum(cut));
    nn::Adam adam;
    CHECK_THROWS_AS(adam.step(model, grads), GradientError);
    CHECK_THROWS_WITH(adam.step(model, grads), contains("second") && contains("stop_gradient"));
    CHECK_THROWS_AS(adam.step(model, grads, {.partial = true}), GradientError);
    CHECK(model.first.value() == Pair<float>().first.value());
    CHECK(adam.states(model)[0].steps == 0);
    // The part which has gradients can be stepped by itself.
    nn::Adam part;
    part.step(model.first, grads, {.partial = true});
    CHECK(model.first.value() != Pair<float>().first.value());
}

TEST_CASE("an optimiser belongs to the model it began with", "[optimizers]") {
    std::vector<Parameter<float>> model(2, Parameter<float>{Array<float>{1, 2}});
    nn::Adam adam;
    const auto grads = gradients_of<float>({{&model[0], Array<float>{1, 1}}});
    adam.step(model, grads);

    std::vector<Parameter<float>> longer(3, Parameter<float>{Array<float>{1, 2}});
    CHECK_THROWS_WITH(adam.step(longer, grads, {.partial = true}), contains("3 parameters") && contains("2"));
    std::vector<Parameter<float>> shorter(1, Parameter<float>{Array<float>{1, 2}});
    CHECK_THROWS_AS(adam.step(shorter, grads, {.partial = true}), autograd::Error);
    std::vector<Parameter<float>> wider(2, Parameter<float>{Array<float>{1, 2, 3}});
    CHECK_THROWS_AS(adam.step(wider, grads, {.partial = true}), autograd::ShapeError);
    Pair<float> renamed;
    CHECK_THROWS_WITH(adam.step(renamed, grads, {.partial = true}), contains("first"));

    const auto copy = model;  // the best so far, say
    adam.step(model, grads, {.again = true});
    model = copy;
    CHECK_NOTHROW(adam.step(model, gradients_of<float>({{&model[1], Array<float>{1, 1}}})));
}

TEST_CASE("a step changes the version: the old tape's sweep is refused", "[optimizers]") {
    Parameter<double> p{Array<double>{2}};
    Tape<double> tape;
    const auto loss = sum(square(tape.parameter(p)));
    nn::BasicSGD<double> sgd({.lr = 0.5});
    sgd.step(p, backward(loss));
    CHECK(p.value()(0) == 0);
    CHECK_THROWS_AS(backward(loss), GradientError);
}

TEST_CASE("a parameter that a model lists twice is an error, and nothing is stepped", "[optimizers]") {
    Parameter<double> p{Array<double>{2}}, q{Array<double>{3}};
    Tape<double> tape;
    tape.name_parameter(p.identity(), "p");
    const auto grads = backward(sum(tape.parameter(p) * tape.parameter(q)));
    nn::BasicSGD<double> sgd({.lr = 0.5});
    for (const bool partial : {false, true}) {
        auto twice = std::tie(p, q, p);
        auto only = std::tie(p, p);
        CHECK_THROWS_WITH(sgd.step(twice, grads, {.partial = partial}), contains("p is listed twice"));
        nn::BasicSGD<double> another({.lr = 0.5});
        CHECK_THROWS_WITH(another.step(only, grads, {.partial = partial}), contains("p is listed twice"));
    }
    CHECK((p.value()(0) == 2 && q.value()(0) == 3));
}

// Were each looked for among all others, this would take most of a minute.
TEST_CASE("a model of very many parameters is stepped", "[optimizers]") {
    std::vector<Parameter<float>> model(300000, Parameter<float>{Array<float>{1}});
    Tape<float> tape;
    std::vector<autograd::Var<float>> terms;
    for (std::size_t i = model.size(); i-- > 0;) terms.push_back(tape.parameter(model[i]));
    const auto grads = backward(sum(concat(terms)));
    nn::SGD sgd({.lr = 0.5});
    sgd.step(model, grads);
    std::size_t stepped = 0;
    for (const auto& each : model) stepped += each.value()(0) == 0.5f ? 1 : 0;
    CHECK(stepped == model.size());
}

TEST_CASE("a step takes no memory from the heap once the states are there", "[optimizers]") {
    Pair<float> model;
    nn::Adam adam;
    nn::SGD sgd({.momentum = 0.9});
    const auto grads = gradients_of<float>({{&model.first, slope<float>(1)}});
    const auto step = [&] {
        adam.step(model, grads, {.again = true});
        sgd.step(model, grads, {.again = true});
    };
    step();
    const auto before = autograd::memory_statistics();
    for (int i = 0; i < 10; ++i) step();
    const auto after = autograd::memory_statistics();
    CHECK(after.heap_calls == before.heap_calls);
    CHECK(after.bytes_in_use == before.bytes_in_use);
}

TEST_CASE("options may change between steps", "[optimizers]") {
    Parameter<double> p{Array<double>{0}};
    nn::BasicSGD<double> sgd({.lr = 1});
    sgd.step(p, gradients_of<double>({{&p, Array<double>{1}}}));
    sgd.options.lr = 0.125;
    sgd.step(p, gradients_of<double>({{&p, Array<double>{1}}}));
    CHECK(p.value()(0) == -1.125);
    sgd.options.momentum = 0.5;
    sgd.step(p, gradients_of<double>({{&p, Array<double>{1}}}));
    CHECK(p.value()(0) == -1.25);
}

namespace {

/// Each wrong value of an option, and what its error says, when it is given and when it is set later.
template <class Optimizer, class Options>
void check_refused(const std::string& name, const std::string& option, double Options::*member,
                   const std::vector<double>& wrong, const Options& right = {}) {
    for (const double value : wrong) {
        Options options = right;
        options.*member = value;
        const std::string expected = name + ": " + option + " = ";
        CHECK_THROWS_AS(Optimizer(options), autograd::Error);
        CHECK_THROWS_WITH(Optimizer(options), Catch::Matchers::StartsWith(expected) && contains(" is wanted"));
        Pair<float> model;
        Optimizer optimizer(right);
        optimizer.options.*member = value;
        const auto gradients = gradients_of<float>({{&model.first, Array<float>{1, 1, 1, 1}}});
        CHECK_THROWS_WITH(optimizer.step(model, gradients), Catch::Matchers::StartsWith(expected));
        CHECK(model.first.value() == Pair<float>().first.value());
        optimizer.options = right;
        optimizer.step(model, gradients);
        CHECK(optimizer.states(model)[0].steps == 1);
    }
}

template <class Optimizer, class Options>
void check_adam_options(const std::string& name) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    const std::vector<double> wrong{-1, -1e-300, nan, infinity, -infinity};
    check_refused<Optimizer>(name, "lr", &Options::lr, wrong);
    check_refused<Optimizer>(name, "eps", &Options::eps, wrong);
    check_refused<Optimizer>(name, "weight_decay", &Options::weight_decay, wrong);
    check_refused<Optimizer>(name, "beta1", &Options::beta1, {1, 1.5, -0.1, nan, infinity});
    check_refused<Optimizer>(name, "beta2", &Options::beta2, {1, 1.5, -0.1, nan, infinity});
}

}  // namespace

TEST_CASE("options of optimisers are checked, by name and value, also where they are set later", "[optimizers]") {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    const std::vector<double> wrong{-1, -1e-300, nan, infinity, -infinity};
    check_adam_options<nn::Adam, nn::AdamOptions>("Adam");
    check_adam_options<nn::AdamW, nn::AdamWOptions>("AdamW");
    check_refused<nn::SGD>("SGD", "lr", &nn::SGDOptions::lr, wrong);
    check_refused<nn::SGD>("SGD", "weight_decay", &nn::SGDOptions::weight_decay, wrong);
    check_refused<nn::SGD>("SGD", "momentum", &nn::SGDOptions::momentum, {-1, 1.5, nan, infinity});
    check_refused<nn::SGD>("SGD", "nesterov = true with momentum", &nn::SGDOptions::momentum, {0},
                           {.momentum = 0.9, .nesterov = true});
    CHECK_THROWS_WITH(nn::Adam({.lr = -0.5}), "Adam: lr = -0.5: a finite number from 0 on is wanted");
    CHECK_THROWS_WITH(nn::AdamW({.beta1 = 1}), "AdamW: beta1 = 1: a number in [0, 1) is wanted");
    CHECK_THROWS_WITH(nn::SGD({.nesterov = true}), "SGD: nesterov = true with momentum = 0: a momentum above 0 is wanted");
    // What is infinite in the type in which it is used is no number of it.
    CHECK_THROWS_WITH(nn::Adam({.lr = 1e39}), "Adam: lr = 1e+39: a finite number from 0 on is wanted");
    CHECK_THROWS_AS(nn::AdamW({.weight_decay = 1e40}), autograd::Error);
    CHECK_THROWS_AS(nn::SGD({.weight_decay = 1e300}), autograd::Error);
    CHECK_NOTHROW(nn::BasicAdam<double>({.lr = 1e39}));
    CHECK_NOTHROW(nn::SGD({.lr = 0, .momentum = 1}));
    CHECK_NOTHROW(nn::Adam({.lr = 0, .beta1 = 0, .beta2 = 0, .eps = 0}));
}

TEST_CASE("optimisers of {} have the defaults", "[optimizers]") {
    nn::Adam adam({});
    nn::AdamW adam_w({});
    nn::SGD sgd({});
    CHECK(adam.options.lr == nn::AdamOptions{}.lr);
    CHECK(adam.options.beta2 == nn::AdamOptions{}.beta2);
    CHECK(adam_w.options.weight_decay == nn::AdamWOptions{}.weight_decay);
    CHECK(sgd.options.lr == nn::SGDOptions{}.lr);
    const nn::Adam copy(adam);
    CHECK(copy.options.eps == adam.options.eps);
    Pair<float> model;
    adam.step(model, gradients_of<float>({{&model.first, Array<float>{1, 1, 1, 1}}}), {});
}
