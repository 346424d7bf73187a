// examples/iwae_table: its bound against plain loops in double, its estimate against an integral, its schedule, and the
// program as a user runs it, stopped and gone on with. Tolerances are 5 standard errors, 6e-7 for each number compared, if
// nothing else is said.
#include "examples/iwae_table.hpp"

#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <numbers>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "examples/ae_vs_vae/data.hpp"
#include "tests/catch.hpp"
#include "tests/files.hpp"
#include "tests/pictures.hpp"
#include "tests/programs.hpp"

using autograd::Array;
using autograd::Rng;
using autograd::Tape;

namespace {

constexpr std::size_t pixels = 6;

/// Rows of 0 and 1.
Array<float> binary_images(std::size_t count) {
    Array<float> images = autograd::full<float>({count, pixels}, 0.4F);
    Rng(11).fill_bernoulli(images, images);
    return images;
}

iwae::Model untrained_model() {
    Rng rng(12);
    return {binary_images(50), rng};
}

std::vector<double> doubles(const Array<float>& array) { return {array.begin(), array.end()}; }

/// x weight' + bias of one row, then tanh if that is asked for.
std::vector<double> layer(const nn::Linear& linear, const std::vector<double>& x, bool with_tanh) {
    const Array<float>& weight = linear.weight.value();
    std::vector<double> y = doubles(linear.bias.value());
    for (std::size_t i = 0; i < y.size(); ++i) {
        for (std::size_t j = 0; j < x.size(); ++j) y[i] += static_cast<double>(weight(i, j)) * x[j];
        if (with_tanh) y[i] = std::tanh(y[i]);
    }
    return y;
}

double log_normal(double x, double mean, double variance) {
    return -0.5 * (std::log(2 * std::numbers::pi * variance) + (x - mean) * (x - mean) / variance);
}

/// log p(x|z).
double log_likelihood(const iwae::Decoder& decoder, const std::vector<double>& z, const std::vector<double>& x) {
    const auto logits = layer(decoder.pixels, layer(decoder.second, layer(decoder.first, z, true), true), false);
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += std::log(1 / (1 + std::exp(x[i] > 0.5 ? -logits[i] : logits[i])));
    return sum;
}

/// The bound of one image, for the noise of each of its samples.
double bound_by_loops(const iwae::Model& model, const std::vector<double>& x, const std::vector<std::vector<double>>& noise) {
    const auto h = layer(model.encoder.second, layer(model.encoder.first, x, true), true);
    const auto mean = layer(model.encoder.mean, h, false), log_variance = layer(model.encoder.log_variance, h, false);
    double sum_of_weights = 0;
    for (const std::vector<double>& epsilon : noise) {
        std::vector<double> z(epsilon.size());
        double log_prior = 0, log_q = 0;
        for (std::size_t i = 0; i < z.size(); ++i) {
            const double variance = std::exp(log_variance[i]);
            z[i] = mean[i] + std::sqrt(variance) * epsilon[i];
            log_prior += log_normal(z[i], 0, 1);
            log_q += log_normal(z[i], mean[i], variance);
        }
        sum_of_weights += std::exp(log_likelihood(model.decoder, z, x) + log_prior - log_q);  // about e^-30: no underflow
    }
    return std::log(sum_of_weights / static_cast<double>(noise.size()));
}

std::vector<double> row_of(const Array<float>& rows, std::size_t row) {
    const float* const begin = rows.data() + row * rows.shape()[1];
    return {begin, begin + rows.shape()[1]};
}

/// The bounds of images as the program has them.
std::vector<double> bounds_of(const iwae::Model& model, const Array<float>& images, std::size_t k, Rng rng) {
    Tape<float> tape({.inference = true});
    return doubles(iwae::bounds(iwae::latent_model(model), tape.constant(images), k, rng).value());
}

Array<float> repeated(const Array<float>& row, std::size_t times) {
    Array<float> rows = autograd::empty<float>({times, row.shape()[1]});
    for (std::size_t i = 0; i < rows.size(); ++i) rows.data()[i] = row.data()[i % row.size()];
    return rows;
}

ProgramResult run(const std::string& arguments, int expected) {
    ProgramResult result = run_program("iwae_table", arguments);
    INFO(arguments << '\n' << result.output);
    CHECK(result.exit_code == expected);
    return result;
}

/// The options of a run on small pictures; `out` names its table, and its directory of checkpoints.
std::string arguments_of(const Pictures& pictures, const std::string& out) {
    return "--threads 1 --data '" + pictures.directory.path().string() + "' --json '" +
           (pictures.directory / (out + ".json")).string() + "' --checkpoint '" + (pictures.directory / out).string() + "' ";
}

nlohmann::json table_of(const Pictures& pictures, const std::string& out) {
    return nlohmann::json::parse(read_text(pictures.directory / (out + ".json")));
}

}  // namespace

TEST_CASE("iwae: the learning rate falls in stages of 1, 3, 9, ... passes") {
    const std::pair<std::size_t, double> rates[] = {{1, 1e-3},
                                                    {2, 7.196856730011520e-4},
                                                    {4, 7.196856730011520e-4},
                                                    {5, 5.179474679231212e-4},
                                                    {13, 5.179474679231212e-4},
                                                    {14, 3.727593720314940e-4},
                                                    {3280, 1e-4}};
    for (const auto& [pass, rate] : rates) {
        INFO(pass);
        CHECK(iwae::learning_rate(pass) == Approx(rate).epsilon(1e-14));
    }
    std::map<double, std::size_t, std::greater<>> passes;
    for (std::size_t pass = 1; pass <= iwae::all_passes; ++pass) ++passes[iwae::learning_rate(pass)];
    std::vector<std::size_t> lengths;
    for (const auto& [rate, length] : passes) lengths.push_back(length);
    CHECK(lengths == std::vector<std::size_t>{1, 3, 9, 27, 81, 243, 729, 2187});
}

TEST_CASE("iwae: the model is 200 tanh, 200 tanh and 50, its pixels begin at their means") {
    const iwae::Model model = untrained_model();
    std::map<std::string, autograd::Shape> shapes;
    nn::for_each_parameter(model, [&](const std::string& name, const auto& each) { shapes[name] = each.shape(); });
    CHECK(shapes.at("encoder.first.weight") == autograd::Shape{200, pixels});
    CHECK(shapes.at("encoder.second.weight") == autograd::Shape{200, 200});
    CHECK(shapes.at("encoder.mean.weight") == autograd::Shape{50, 200});
    CHECK(shapes.at("encoder.log_variance.weight") == autograd::Shape{50, 200});
    CHECK(shapes.at("decoder.first.weight") == autograd::Shape{200, 50});
    CHECK(shapes.at("decoder.second.weight") == autograd::Shape{200, 200});
    CHECK(shapes.at("decoder.pixels.weight") == autograd::Shape{pixels, 200});
    // Glorot and Bengio: uniform up to the root of 6 / (inputs + outputs).
    double largest = 0;
    for (const float each : model.encoder.second.weight.value()) largest = std::fmax(largest, std::fabs(each));
    CHECK(largest < std::sqrt(6.0 / 400));
    CHECK(largest > 0.99 * std::sqrt(6.0 / 400));

    Array<float> images = binary_images(50);
    for (std::size_t i = 0; i < 50; ++i) images(i, 2) = 0;
    Rng rng(1);
    const iwae::Model other(images, rng);
    double ones = 0;
    for (std::size_t i = 0; i < 50; ++i) ones += static_cast<double>(images(i, 0));
    CHECK(other.decoder.pixels.bias.value()(0) == Approx(std::log(ones / (50 - ones))));
    CHECK(other.decoder.pixels.bias.value()(2) == Approx(std::log(0.001 / 0.999)));
}

TEST_CASE("iwae: the bound is the logarithm of the mean weight, by plain loops in double") {
    const iwae::Model model = untrained_model();
    const std::size_t count = 3;
    const Array<float> images = binary_images(count);
    for (const std::size_t k : {1u, 2u, 7u}) {
        const std::vector<double> found = bounds_of(model, images, k, Rng(5));
        Rng same(5);
        const Array<float> noise = same.normal<float>({k * count, iwae::latent_units});
        REQUIRE(found.size() == count);
        for (std::size_t i = 0; i < count; ++i) {
            std::vector<std::vector<double>> of_image;
            for (std::size_t sample = 0; sample < k; ++sample) of_image.push_back(row_of(noise, sample * count + i));
            INFO("k = " << k << ", image " << i);
            // Roundings of float, 6e-8 each, of two sums of about 50 terms of about 1, added up in the worst way.
            CHECK(std::fabs(found[i] - bound_by_loops(model, row_of(images, i), of_image)) < 2 * 50 * 50 * 6e-8);
        }
    }
}

TEST_CASE("iwae: samples of negligible weight get no gradient, and the others theirs") {
    iwae::Model model = untrained_model();
    for (float& each : model.decoder.pixels.weight.mutable_value()) each *= 100;  // log weights are a hundred nats apart
    const std::size_t k = 30;
    const Array<float> images = binary_images(4);
    Tape<float> tape;
    LatentModel functions = iwae::latent_model(model);
    const auto log_likelihood = functions.log_likelihood;
    std::optional<iwae::Var<float>> logits;
    functions.log_likelihood = [&](const iwae::Var<float>& decoded, const iwae::Var<float>& x) {
        return log_likelihood(logits.emplace(decoded), x);
    };
    Rng rng(5), same(5);
    const auto bounds = iwae::bounds(functions, tape.constant(images), k, rng);
    const Array<float> found = backward(sum(bounds), {.keep = true})[*logits];
    const auto weights = reshape(log_weights(functions, tape.constant(images), k, same), {k, images.shape()[0]});
    const auto exact = logsumexp(weights, 0) - std::log(static_cast<double>(k));
    const Array<float> expected = backward(sum(exact), {.keep = true})[*logits];
    CHECK(doubles(bounds.value()) == doubles(exact.value()));
    std::size_t subnormal = 0, subnormal_expected = 0, zeros = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        subnormal += std::fpclassify(found.data()[i]) == FP_SUBNORMAL;
        subnormal_expected += std::fpclassify(expected.data()[i]) == FP_SUBNORMAL;
        zeros += found.data()[i] == 0;
        CHECK(std::fabs(found.data()[i] - expected.data()[i]) < 1e-17F);
    }
    CHECK(subnormal_expected > 0);
    CHECK(zeros > subnormal_expected);
    INFO(subnormal << ", " << subnormal_expected << " without");
    CHECK(subnormal < subnormal_expected / 4);
}

TEST_CASE("iwae: with one sample the bound is the ELBO, and it grows with the samples") {
    const iwae::Model model = untrained_model();
    const Array<float> image = binary_images(1), images = repeated(image, 4000);
    // The ELBO, with the divergence in closed form.
    Tape<float> tape({.inference = true});
    const nn::Normal<float> q = model.encoder(tape.constant(images));
    Rng rng(6);
    const auto logits = model.decoder(q.rsample(rng));
    const auto elbo =
        sum(nn::Bernoulli<float>{logits}.log_prob(tape.constant(images)), 1) - sum(kl_divergence(q, nn::StandardNormal{}), 1);
    const Estimate expected = mean_of(doubles(elbo.value()));
    Estimate previous = mean_of(bounds_of(model, images, 1, Rng(7)));
    CHECK(std::fabs(previous.value - expected.value) < 5 * std::hypot(*previous.standard_error, *expected.standard_error));
    for (const std::size_t k : {5u, 50u}) {
        const Estimate next = mean_of(bounds_of(model, images, k, Rng(7)));
        INFO("k = " << k << ": " << next.value << ", before " << previous.value);
        CHECK(next.value - previous.value > 5 * std::hypot(*next.standard_error, *previous.standard_error));
        previous = next;
    }
}

// Of the latent dimensions the decoder sees the first alone: log p(x) is an integral over one number.
TEST_CASE("iwae: the estimate of log p(x) agrees with the integral") {
    iwae::Model model = untrained_model();
    Array<float>& from_latent = model.decoder.first.weight.mutable_value();
    for (std::size_t i = 0; i < from_latent.shape()[0]; ++i) {
        for (std::size_t j = 1; j < from_latent.shape()[1]; ++j) from_latent(i, j) = 0;
        from_latent(i, 0) *= 8;
    }
    // q is N(0.3, 1.2) in that one and N(0, 1), the prior, in the others.
    for (nn::Linear* linear : {&model.encoder.mean, &model.encoder.log_variance}) {
        for (float& each : linear->weight.mutable_value()) each = 0;
    }
    model.encoder.mean.bias.mutable_value()(0) = 0.3F;
    model.encoder.log_variance.bias.mutable_value()(0) = static_cast<float>(std::log(1.2));

    const Array<float> images = binary_images(4);
    constexpr std::size_t samples = 1000;
    std::vector<double> exact, without_latent, biases;
    for (std::size_t i = 0; i < 4; ++i) {
        const std::vector<double> x = row_of(images, i);
        // The trapezoidal rule, whose error vanishes faster than any power of the step for such functions.
        double integral = 0, square = 0;  // of the weights p(x, z) / q(z|x) and their squares, under q
        std::vector<double> z(iwae::latent_units, 0.0);
        for (int step = -320; step <= 320; ++step) {
            z[0] = step / 40.0;
            const double joint = std::exp(log_likelihood(model.decoder, z, x) + log_normal(z[0], 0, 1));
            integral += joint / 40;
            square += joint * joint / std::exp(log_normal(z[0], 0.3, 1.2)) / 40;
        }
        biases.push_back((square / (integral * integral) - 1) / (2 * samples));  // to first order: half the variance
        exact.push_back(std::log(integral));
        z[0] = 0;
        without_latent.push_back(log_likelihood(model.decoder, z, x));
    }
    std::vector<double> found;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        found.push_back(iwae_log_likelihood(iwae::latent_model(model), images, samples, Rng(seed)).value);
    }
    const Estimate estimate = mean_of(found);
    const double log_p = mean_of(exact).value;
    INFO(estimate.value << " +- " << *estimate.standard_error << ", exactly " << log_p);
    // Of 20 values, 7 errors are 1e-6 by Student's t. The next term of the bias is smaller by about the number of samples.
    CHECK(std::fabs(estimate.value - (log_p - mean_of(biases).value)) < 7 * *estimate.standard_error);
    CHECK(*estimate.standard_error < 0.01);
    CHECK(std::fabs(mean_of(without_latent).value - log_p) > 5 * *estimate.standard_error);  // it is no value at one point

    CHECK(iwae::active_units(model, images, Rng(1)) == 0);  // one q for all
    Array<float>& mean_weight = model.encoder.mean.weight.mutable_value();
    for (std::size_t j = 0; j < 200; ++j) mean_weight(3, j) = mean_weight(7, j) = 1;
    CHECK(iwae::active_units(model, images, Rng(1)) == 2);
}

TEST_CASE("iwae: a step is Adam's up the sum of the bounds, with the paper's epsilon") {
    iwae::Model model = untrained_model();
    const Array<float> images = binary_images(20);
    const iwae::Model before = model;
    const auto sum_of_bounds = [&](float shift) {
        iwae::Model moved = before;
        moved.decoder.pixels.bias.mutable_value()(1) += shift;
        double sum = 0;
        for (const double each : bounds_of(moved, images, 5, Rng(9))) sum += each;
        return sum;
    };
    Tape<float> tape;
    nn::Adam adam(iwae::adam_options);
    adam.options.lr = 0.01;
    Rng rng(9);
    CHECK(iwae::training_step(model, adam, tape, images, 5, rng) == Approx(sum_of_bounds(0)).epsilon(1e-6));
    const auto gradients = adam.states(model);
    double gradient = 0, second = 0;
    for (const auto& state : gradients) {
        if (state.parameter != "decoder.pixels.bias") continue;
        gradient = static_cast<double>(state.averages.at(0)(1)) / 0.1;  // 1 - beta1
        second = static_cast<double>(state.averages.at(1)(1)) / 0.001;  // 1 - beta2
    }
    // Differences: a step of 1/64 loses about its square, 2e-4; roundings are 1e-5 of sums of about 100, over twice the step.
    const double difference = (sum_of_bounds(1.0F / 64) - sum_of_bounds(-1.0F / 64)) * 32;
    INFO(gradient << ' ' << difference);
    CHECK(std::fabs(-gradient - difference) < 1e-3 * std::fabs(difference) + 0.05);
    CHECK(std::fabs(difference) > 0.5);
    CHECK(second == Approx(gradient * gradient).epsilon(1e-4));
    const double moved =
        static_cast<double>(model.decoder.pixels.bias.value()(1)) - static_cast<double>(before.decoder.pixels.bias.value()(1));
    CHECK(moved == Approx(-0.01 * gradient / (std::fabs(gradient) + 1e-4)).epsilon(1e-4));
    CHECK(adam.options.eps == 1e-4);
}

TEST_CASE("iwae_table: the table has a row for each k, and its figures are those of the model in the checkpoint") {
    const Pictures pictures(600, 40);
    const std::string output = run(arguments_of(pictures, "table") + "--passes 13 --samples 1,3", 0).output;
    CHECK_THAT(output, contains("pass 13 of the paper's 3280") && contains("cannot be compared") && contains("86.76"));
    CHECK_THAT(output, contains("64-200-200-50, k = 1, 3") && contains("pass    4/13  learning rate 7.20e-04"));
    const nlohmann::json table = table_of(pictures, "table");
    CHECK(table["passes"] == 13);
    CHECK(table["passes_of_the_paper"] == 3280);
    CHECK(table["test_images"] == 40);
    REQUIRE(table["rows"].size() == 2);
    CHECK(table["rows"][0]["k"] == 1);
    CHECK(table["rows"][0]["paper_on_mnist"] == nlohmann::json{{"nll", 86.76}, {"active_units", 19}});
    CHECK(table["rows"][1]["k"] == 3);
    CHECK(table["rows"][1]["paper_on_mnist"].is_null());

    Options of_data;
    of_data.data = pictures.directory.path().string();
    of_data.binarise = true;
    const Data data = load_data(of_data, Rng(0));
    for (const nlohmann::json& row : table["rows"]) {
        Rng rng(1);
        iwae::Model model(data.train.images, rng);
        const auto nll = [&](std::uint64_t seed) {
            std::vector<double> each =
                iwae_log_likelihoods(iwae::latent_model(model), data.test.images, iwae::estimate_samples, Rng(seed));
            for (double& log_p : each) log_p = -log_p;
            return each;
        };
        const double untrained = mean_of(nll(1)).value;
        nn::load(pictures.directory / "table" / ("k-" + row["k"].dump() + ".safetensors"), model);
        const std::vector<double> here = nll(1), again = nll(2);
        std::vector<double> differences;
        for (std::size_t i = 0; i < here.size(); ++i) differences.push_back(here[i] - again[i]);
        const double noise = *mean_of(differences).standard_error;  // of two estimates by other draws
        INFO(row << ", here " << mean_of(here).value << ", noise " << noise << ", untrained " << untrained);
        CHECK(std::fabs(row["nll"].get<double>() - mean_of(here).value) < 5 * noise);
        CHECK(row["standard_error"].get<double>() == Approx(*mean_of(here).standard_error).epsilon(0.1));
        CHECK(row["nll"].get<double>() < untrained - 5);
        CHECK(row["active_units"].get<std::size_t>() == iwae::active_units(model, data.test.images, Rng(3)));
        CHECK(row["active_units"].get<std::size_t>() > 0);
    }
}

// 130 images are 7 steps a pass, the last of them short. Stops fall within a pass, at its end, within both rows, and into an
// estimate.
TEST_CASE("iwae_table: stopped and resumed, the table is the same") {
    const Pictures pictures(130, 30);
    const std::string settings = "--passes 3 --samples 5,1 --test-images 6 --seed 4 ";
    run(arguments_of(pictures, "whole") + settings, 0);
    const std::string whole = read_text(pictures.directory / "whole.json");
    CHECK(table_of(pictures, "whole")["test_images"] == 6);
    for (const int stop : {1, 7, 11, 21, 24, 33}) {
        const std::string out = "stopped-" + std::to_string(stop);
        INFO(out);
        CHECK_THAT(run(arguments_of(pictures, out) + settings + "--stop-after-steps " + std::to_string(stop), 130).output,
                   contains("with --resume go on from"));
        run(arguments_of(pictures, out) + settings + "--resume --stop-after-steps 1", 130);
        run(arguments_of(pictures, out) + settings + "--resume", 0);
        CHECK(read_text(pictures.directory / (out + ".json")) == whole);
    }
    // A shorter training is the beginning of a longer one.
    run(arguments_of(pictures, "longer") + "--passes 2 --samples 5,1 --test-images 6 --seed 4", 0);
    CHECK(read_text(pictures.directory / "longer.json") != whole);
    run(arguments_of(pictures, "longer") + settings + "--resume", 0);
    CHECK(read_text(pictures.directory / "longer.json") == whole);
    CHECK_THAT(run(arguments_of(pictures, "longer") + "--passes 2 --samples 1 --test-images 6 --seed 4 --resume", 1).output,
               contains("has been trained for more than --passes 2"));
    // What is not resumed begins anew, and leaves nothing of before.
    run(arguments_of(pictures, "longer") + settings + "--stop-after-steps 1", 130);
    CHECK_FALSE(std::filesystem::exists(pictures.directory / "longer" / "k-1.safetensors"));
    CHECK_THAT(run("--threads 1 --data '" + pictures.directory.path().string() + "' --stop-after-steps 2", 130).output,
               contains("Nothing is kept"));
}

TEST_CASE("iwae_table: a checkpoint of another run is refused, and the option named") {
    const Pictures pictures(130, 30), others(131, 30);
    const std::string settings = "--passes 2 --samples 1,3 --test-images 2 ";
    CHECK_THAT(run(arguments_of(pictures, "out") + settings + "--resume", 1).output, contains("nothing to --resume"));
    run(arguments_of(pictures, "out") + settings, 0);
    const auto checkpoint = pictures.directory / "out";
    const std::string of_one = read_text(checkpoint / "k-1.safetensors");
    CHECK_THAT(run(arguments_of(pictures, "out") + settings + "--resume --seed 3", 1).output,
               contains("is a checkpoint of another run: --seed is 0 in it, and 3 here"));
    CHECK_THAT(run("--threads 1 --data '" + others.directory.path().string() + "' --checkpoint '" + checkpoint.string() + "' " +
                       settings + "--resume",
                   1)
                   .output,
               contains("another run: --data is 130 and 30 images"));
    CHECK(read_text(checkpoint / "k-1.safetensors") == of_one);

    std::filesystem::copy(checkpoint / "k-1.safetensors", checkpoint / "k-3.safetensors",
                          std::filesystem::copy_options::overwrite_existing);
    const std::string refused = run(arguments_of(pictures, "out") + settings + "--resume", 1).output;
    CHECK_THAT(refused, contains("k-3.safetensors: is a checkpoint of another run: --samples is 1 in it, and 3 here"));
    CHECK_THAT(refused, !contains("a pass"));  // it is seen before anything is trained
    write_text(checkpoint / "k-3.safetensors", of_one.substr(0, of_one.size() / 2));
    CHECK_THAT(run(arguments_of(pictures, "out") + settings + "--resume", 1).output, contains("k-3.safetensors: "));

    const auto with_note = [&](const std::string& note) {
        nn::TensorFile file = nn::read_safetensors(checkpoint / "k-1.safetensors");
        file.metadata["progress"] = note;
        nn::write_safetensors(checkpoint / "k-1.safetensors", file);
        return run(arguments_of(pictures, "out") + "--passes 2 --samples 1 --resume", 1).output;
    };
    CHECK_THAT(with_note("[]"), contains("the note of its progress is damaged"));
    CHECK_THAT(with_note(R"({"pass": 0, "step": 0, "bounds": 0})"), contains("contradicts itself"));
    CHECK_THAT(with_note(R"({"pass": 1, "step": 7, "bounds": 0})"), contains("contradicts itself"));
}

TEST_CASE("iwae_table: a training that diverges ends with a sentence") {
    const Pictures pictures(130, 30);
    const std::string settings = "--passes 2 --samples 3 --test-images 2 ";
    run(arguments_of(pictures, "out") + settings + "--stop-after-steps 9", 130);
    const auto path = pictures.directory / "out" / "k-3.safetensors";
    nn::TensorFile file = nn::read_safetensors(path);
    std::get<Array<float>>(file.tensors.at("encoder.log_variance.bias"))(2) = 500;  // whose exp no float is
    nn::write_safetensors(path, file);
    CHECK_THAT(run(arguments_of(pictures, "out") + settings + "--resume", 1).output,
               contains("iwae_table: k = 3: training diverged: in pass 2 the bound of a batch is"));
    CHECK_FALSE(std::filesystem::exists(pictures.directory / "out.json"));
}

TEST_CASE("iwae_table: what is wrong with options, data and files is said, with an exit status") {
    const Pictures pictures(130, 30);
    const std::pair<const char*, const char*> mistakes[] = {
        {"--samples 0", "--samples: expected a whole number from 1 to 1000, found \"0\""},
        {"--samples 1,x", "found \"x\" in \"1,x\""},
        {"--samples 5,1,5", "--samples: one of them twice"},
        {"--passes 3281", "--passes: expected a whole number from 1 to 3280, found \"3281\""},
        {"--passes 0", "found \"0\""},
        {"--test-images 1", "--test-images: expected a whole number from 2"},
        {"--threads 0", "--threads"},
        {"--seed -1", "--seed"},
        {"--resume", "--resume requires --checkpoint"},
        {"--json ''", "--json: expected a path, found nothing"},
        {"--epochs 3", "--epochs"},
    };
    for (const auto& [options, message] : mistakes) {
        const ProgramResult result = run(options, 2);
        CHECK(result.output.starts_with("iwae_table: "));
        CHECK_THAT(result.output, contains(message) && contains("--help lists the options."));
    }
    CHECK_THAT(run("--help", 0).output, contains("--samples") && contains("3 minutes") && contains("not comparable"));

    CHECK_THAT(run("--data /no/such/directory", 1).output, contains("/no/such/directory"));
    CHECK_THAT(run(arguments_of(pictures, "out") + "--test-images 31", 1).output,
               contains("--test-images 31: the test set has 30"));
    const std::string data = "--threads 1 --passes 1 --data '" + pictures.directory.path().string() + "' ";
    const std::string unwritable = run(data + "--json /no/such/directory/table.json", 1).output;
    CHECK_THAT(unwritable, contains("/no/such/directory/table.json") && !contains("a pass"));
    write_text(pictures.directory / "file", "");
    CHECK_THAT(run(data + "--checkpoint '" + (pictures.directory / "file").string() + "'", 1).output,
               contains("cannot make this directory"));
}
