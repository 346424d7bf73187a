// The lesson, docs/vae.md and docs/vae.ko.md, and README.ko.md: code that they quote stands in the file that they name, numbers
// that a program prints it prints, the answers of the exercises are computed here, and the Korean pages have the code and the
// numbers of the English ones. Whether the words are right it does not test, nor how the site shows them.
#include <autograd/autograd.hpp>
#include <xtensor-blas/xlinalg.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <nn/nn.hpp>
#include <numeric>
#include <regex>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "examples/ae_vs_vae/models.hpp"
#include "examples/ae_vs_vae/options.hpp"
#include "tests/catch.hpp"
#include "tests/files.hpp"
#include "tests/programs.hpp"

// The programs of the ladder whose numbers the exercises change: their functions are called here. What they include stands above,
// so that it is not declared anew within the namespaces.
namespace ladder {
#include "examples/check.hpp"
#include "examples/linear_vae.hpp"
namespace linear_autoencoder {
#include "examples/04_linear_autoencoder_is_pca.cpp"
}
namespace sampling {
#include "examples/05_sampling_is_not_differentiable.cpp"
}
namespace elbo_identity {
#include "examples/07_elbo_identity.cpp"
}
namespace how_many_samples {
#include "examples/08_how_many_samples.cpp"
}
}  // namespace ladder

using autograd::Array;
using autograd::Rng;
using autograd::Tape;

namespace {

const std::filesystem::path root = XTAPE_SOURCE_DIR;

// --- Pages ---

enum class Kind { heading, paragraph, item, row, commands, fence };

/// A piece of a page: a heading, a paragraph, an item of a list, a row of a table, indented commands, or a block between fences.
struct Piece {
    Kind kind;
    std::string text;  ///< without the fences; the lines of a paragraph are joined
    std::string info;  ///< of a fence, what follows the ```; of a heading, its #
    std::size_t line;
};

std::vector<Piece> pieces_of(const std::string& page) {
    std::vector<Piece> pieces;
    std::istringstream lines(read_text(root / page));
    bool in_fence = false, goes_on = false;  // goes_on: the next line may belong to the last piece
    std::size_t number = 0;
    for (std::string line; std::getline(lines, line);) {
        ++number;
        std::smatch found;
        if (in_fence) {
            in_fence = line != "```";
            if (in_fence) pieces.back().text += line + "\n";
        } else if (std::regex_match(line, found, std::regex("```(\\w*)"))) {
            pieces.push_back({Kind::fence, "", found[1], number});
            in_fence = true;
            goes_on = false;
        } else if (line.empty()) {
            goes_on = false;
        } else if (std::regex_match(line, found, std::regex("(#+) (.*)"))) {
            pieces.push_back({Kind::heading, found[2], found[1], number});
            goes_on = false;
        } else if (line.front() == '|') {
            pieces.push_back({Kind::row, line, "", number});
            goes_on = false;
        } else if (std::regex_match(line, found, std::regex("(?:- |\\d+\\. )(.*)"))) {
            pieces.push_back({Kind::item, found[1], "", number});
            goes_on = true;
        } else if (!goes_on && line.starts_with("    ")) {
            pieces.push_back({Kind::commands, line + "\n", "", number});
        } else if (goes_on) {
            pieces.back().text += " " + line;
        } else {
            pieces.push_back({Kind::paragraph, line, "", number});
            goes_on = true;
        }
    }
    CHECK_FALSE(in_fence);
    return pieces;
}

using Strings = std::vector<std::string>;

Strings all_matches(const std::string& text, const std::string& expression, int group = 0) {
    const std::regex regex(expression);
    Strings result;
    for (std::sregex_iterator each(text.begin(), text.end(), regex), end; each != end; ++each)
        result.push_back((*each)[static_cast<std::size_t>(group)]);
    return result;
}

/// Whole numbers and decimal ones, 48,000 among them; not the 2 of x₂ or of x².
Strings numbers_in(const std::string& text) { return all_matches(text, "[0-9]+(?:[.,][0-9]+)*"); }
Strings code_in(const std::string& text) { return all_matches(text, "`[^`]+`"); }
std::string without_code(const std::string& text) { return std::regex_replace(text, std::regex("`[^`]+`"), "`"); }
Strings links_in(const std::string& text) { return all_matches(without_code(text), "\\]\\(([^)\\s]+)\\)", 1); }
std::string without_targets(const std::string& text) { return std::regex_replace(text, std::regex("\\]\\([^)\\s]+\\)"), "]"); }

/// White space is one space, also at both ends.
std::string collapsed(const std::string& text) { return std::regex_replace(" " + text + " ", std::regex("\\s+"), " "); }

std::string lower(std::string text) {
    for (char& each : text) {
        if (each >= 'A' && each <= 'Z') each = static_cast<char>(each - 'A' + 'a');
    }
    return text;
}

Strings sorted(Strings list) {
    std::sort(list.begin(), list.end());
    return list;
}

/// The file of examples/ that the page named last, before each piece and in the same section.
Strings files_beside(const std::vector<Piece>& pieces) {
    Strings files;
    std::string file;
    for (const Piece& piece : pieces) {
        if (piece.kind == Kind::heading) file.clear();
        if (piece.kind != Kind::fence) {
            for (const std::string& link : links_in(piece.text)) {
                if (link.starts_with("../examples/")) file = link.substr(3);
            }
        }
        files.push_back(file);
    }
    return files;
}

/// What a program of the ladder prints; each is run once.
const std::string& output_of(const std::string& program) {
    static std::map<std::string, std::string> outputs;
    const auto known = outputs.find(program);
    if (known != outputs.end()) return known->second;
    const ProgramResult result = run_program(program, "");
    INFO(program << " printed:\n" << result.output);
    CHECK(result.exit_code == 0);
    return outputs[program] = result.output;
}

// --- The computations of the exercises ---

/// Program 04, for any number of codes: its data, PCA's eigenvalues, and the autoencoder after its training.
struct LinearAutoencoding {
    Array<double> data, eigenvalues;  // eigenvalues ascend
    ladder::linear_autoencoder::LinearAutoencoder model;

    explicit LinearAutoencoding(std::size_t codes) : LinearAutoencoding(codes, Rng(4)) {}

    double error(const ladder::linear_autoencoder::LinearAutoencoder& of) const {
        Tape<double> tape({.inference = true});
        const auto x = tape.constant(data);
        return nn::squared_error(of(x), x, nn::Reduction::batch_mean).item();
    }

   private:
    LinearAutoencoding(std::size_t codes, Rng rng)
        : data(made(rng)),
          eigenvalues(eigenvalues_of(data)),
          model{autograd::Parameter<double>(nn::glorot_normal<double>(8, codes, rng)),
                autograd::Parameter<double>(nn::glorot_normal<double>(codes, 8, rng))} {
        nn::BasicSGD<double> descent({.lr = 0.01, .momentum = 0.9});
        Tape<double> tape;
        for (int step = 0; step <= 10'000; ++step) {
            tape.clear();
            const auto x = tape.constant(data);
            descent.step(model, backward(nn::squared_error(model(x), x, nn::Reduction::batch_mean)));
        }
    }
    static Array<double> made(Rng& rng) {
        const Array<double> rotation = std::get<0>(xt::linalg::qr(rng.normal<double>({8, 8})));
        Tape<double> tape({.inference = true});
        const auto turned = matmul(
            tape.constant(rng.normal<double>({400, 8})) * tape.constant(Array<double>{3, 2.5, 2, 0.9, 0.7, 0.5, 0.3, 0.1}),
            tape.constant(rotation));
        return (turned - mean(turned, 0)).value();
    }
    static Array<double> eigenvalues_of(const Array<double>& rows) {
        Tape<double> tape({.inference = true});
        const auto x = tape.constant(rows);
        return eigvalsh(matmul(x, x, {.a = true}) / 400.0).value();
    }
};

/// Of what a decoder makes of z from N(0, I), the variances of its 8 numbers added up: by many draws.
double decoded_variance(const ladder::linear_autoencoder::LinearAutoencoder& model, std::size_t codes) {
    Tape<double> tape({.inference = true});
    Rng rng(1);
    const auto z = tape.constant(rng.normal<double>({100'000, codes}));
    return sum(var(matmul(z, tape.constant(model.decoder.value()), {.b = true}), 0)).item();
}

/// Program 07's gap KL(q || p(z|x)) where q has the right covariance and its mean is off.
double gap_of(double off) {
    using namespace ladder::elbo_identity;
    Rng rng(7);
    Tape<double> tape({.inference = true});
    const auto w = tape.constant(rng.normal<double>({4, 2})), x = tape.constant(rng.normal<double>({4}) * 2);
    const auto m = matmul(w, w, {.a = true}) + 0.5 * tape.constant(Array<double>(xt::eye<double>(2)));
    const Gaussian posterior{solve(m, matmul(x, w)), 0.5 * inv(m)};
    return kl({posterior.mean + off, posterior.covariance}, posterior).item();
}

/// Program 06's KL, with this as the last mean.
double kl_with_last_mean(double last) {
    Tape<double> tape({.inference = true});
    const auto mean = tape.constant(Array<double>{0.0, 1.0, -0.5, last});
    const auto log_variance = tape.constant(Array<double>{0.0, -1.0, 0.7, -3.0});
    return sum(kl_divergence(nn::Normal{mean, log_variance}, nn::StandardNormal{})).item();
}

/// Program 08's A and C, and the variance that it measures with batches of 32 and two draws.
struct GradientVariance {
    double a, c;
    ladder::Moments base, by_draws, changed;
};
GradientVariance gradient_variance() {
    using namespace ladder::how_many_samples;
    Rng rng(8);
    Tape<double> tape({.inference = true});
    const auto surface =
        sin(matmul(tape.constant(rng.normal<double>({1024, 2})), tape.constant(rng.normal<double>({2, features}))));
    const Array<double> data = (surface + 0.3 * normal_like(surface, rng)).value();
    Vae model(rng);
    nn::BasicAdam<double> adam({.lr = 2e-3});
    Rng noise = rng.stream("start");
    Tape<double> training;
    for (int step = 0; step < 501; ++step) {
        training.clear();
        adam.step(model, backward(model.loss(training.constant(batch(data, 16, noise)), 1, noise)));
    }
    Rng draws = rng.stream("gradients");
    const Spread base = spread(model, data, 16, 1, draws);
    const double c = 16 * base.by_draws.mean;
    return {16 * base.total.mean - c, c, base.total, base.by_draws, spread(model, data, 32, 2, draws).total};
}

/// What the term that vae_loss calls kl becomes by a mean in place of its sum, as a factor.
double factor_of_mean_for_sum() {
    const Options options;
    Rng rng(3);
    const Autoencoder model({.rows = 4, .columns = 4, .hidden = 8, .latent = options.latent}, rng);
    Tape<float> tape({.inference = true});
    const Batch images{tape.constant(rng.uniform<float>({options.batch, 16}))};
    const auto divergence = kl_divergence(model.encoder.posterior(images), nn::StandardNormal{});
    const auto changed = mean(divergence) / static_cast<float>(options.batch);
    return static_cast<double>(changed.item()) / static_cast<double>(vae_loss(model, images, 1, 1, rng).kl.item());
}

/// What an exercise asks to change, and what it says of that: the text that the file has before, and words of the exercise.
struct Change {
    std::string file, before;
    Strings words;
};
const std::vector<Change> changes{
    {"04_linear_autoencoder_is_pca.cpp", "codes = 3;", {"`codes = 3` into `codes = 2`", "3, 2.5, 2, 0.9"}},
    {"04_linear_autoencoder_is_pca.cpp", "Parameter<double> decoder;", {"double the encoder and halve the decoder"}},
    {"06_kl_closed_form.cpp", "mu{0.0, 1.0, -0.5, 2.0}", {"`mu` from 2.0 to 1.0"}},
    {"07_elbo_identity.cpp", "mean off by 0.3\", {posterior.mean + 0.3,", {"off by 0.6 in place of 0.3", "0.403"}},
    {"08_how_many_samples.cpp", "{16, 10}, {64, 1}, {4, 4}}", {"Add `{32, 2}`", "8 times as much"}},
    {"05_sampling_is_not_differentiable.cpp", "estimates(400'000, 1, 2, rng, score_function), 4, 87", {"at mu = 3"}},
    {"ae_vs_vae/models.hpp", "const auto kl = sum(", {"`mean` in place of `sum`", "20 dimensions", "128 images"}},
};

/// What the answer to each exercise must say, from the first exercise on: each number as it must be written.
std::vector<Strings> computed_answers() {
    std::vector<Strings> answers;

    // 1. Program 04 with `codes = 2`.
    const LinearAutoencoding three(3), two(2);
    const std::string printed = output_of("04_linear_autoencoder_is_pca");
    const double before = three.error(three.model), after = two.error(two.model);
    CHECK_THAT(printed, contains(fmt::format("{:.10f}", before)));  // so these are that program's data and training
    CHECK(after == Approx(before + three.eigenvalues(5)).epsilon(1e-9));
    answers.push_back({fmt::format("{:.1f}", before), fmt::format("{:.1f}", before + 2 * 2), fmt::format("{:.3f}", after),
                       fmt::format("{:.3f}", three.eigenvalues(5)), "4"});

    // 2. Twice the encoder, half the decoder.
    auto rescaled = three.model;
    rescaled.encoder.mutable_value() *= 2;
    rescaled.decoder.mutable_value() /= 2;
    const double factor = decoded_variance(rescaled, 3) / decoded_variance(three.model, 3);
    answers.push_back({fmt::format("{:.3f}", three.error(rescaled)), fmt::format("{:.2f}", factor)});

    // 3. Program 06 with another mean.
    CHECK_THAT(output_of("06_kl_closed_form"), contains(fmt::format("{:.6f} nats", kl_with_last_mean(2))));
    answers.push_back(
        {fmt::format("{:.6f}", kl_with_last_mean(1)), fmt::format("{:.1f}", kl_with_last_mean(2) - kl_with_last_mean(1))});

    // 4. Program 07 with a mean that is further off.
    CHECK_THAT(output_of("07_elbo_identity"), contains(fmt::format("mean off by 0.3: -7.184 + {:.3f} ", gap_of(0.3))));
    answers.push_back({fmt::format("{:.3f}", gap_of(0.6)), fmt::format("{:.0f}", gap_of(0.6) / gap_of(0.3))});

    // 5. Program 08 with batches of 32 and two draws. The program's own A and C, and what is measured agrees.
    const GradientVariance found = gradient_variance();
    CHECK_THAT(output_of("08_how_many_samples"), contains(fmt::format("A = {:.0f}, C = {:.0f}", found.a, found.c)));
    const double expected = found.a / 32 + found.c / 64;
    const double error = std::hypot(found.changed.mean_error, 0.5 * found.base.mean_error, 0.25 * found.by_draws.mean_error);
    CHECK(std::fabs(found.changed.mean - expected) < ladder::standard_errors * error);
    const auto cost = [&](int samples) { return (found.a + found.c / samples) * (8 + samples); };
    int cheapest = 1;
    for (int samples = 2; samples < 100; ++samples) cheapest = cost(samples) < cost(cheapest) ? samples : cheapest;
    answers.push_back(
        {fmt::format("{:.1f}", expected), fmt::format("{:.1f}", std::sqrt(found.c * 8 / found.a)), std::to_string(cheapest)});

    // 6. Program 05 at mu = 3: the variances within standard errors, and that of the score function by its formula's
    // moments, E[(mu + e)^4 e^2] - (2 mu)^2, with e from N(0, 1) summed over a grid.
    Rng rng(55);
    using ladder::sampling::estimates;
    const ladder::Moments pathwise = ladder::moments(estimates(400'000, 1, 3, rng, ladder::sampling::pathwise));
    const ladder::Moments score = ladder::moments(estimates(400'000, 1, 3, rng, ladder::sampling::score_function));
    const auto score_variance = [](double mu) {
        double second = 0, first = 0;
        for (double e = -15; e < 15; e += 1e-3) {
            const double density = 1e-3 * std::exp(-e * e / 2) / std::sqrt(2 * std::numbers::pi);
            const double estimate = (mu + e) * (mu + e) * e;
            first += density * estimate;
            second += density * estimate * estimate;
        }
        return second - first * first;
    };
    CHECK(score_variance(2) == Approx(87).epsilon(1e-9));  // as the program expects
    CHECK(score_variance(3) == Approx(81 + 14 * 9 + 15).epsilon(1e-9));
    CHECK(std::fabs(score.variance - score_variance(3)) < ladder::standard_errors * score.variance_error);
    CHECK(std::fabs(pathwise.variance - 4) < ladder::standard_errors * pathwise.variance_error);
    CHECK(std::fabs(pathwise.mean - 6) < ladder::standard_errors * pathwise.mean_error);
    CHECK(std::fabs(score.mean - 6) < ladder::standard_errors * score.mean_error);
    answers.push_back({fmt::format("{:.0f}", pathwise.mean), fmt::format("{:.0f}", pathwise.variance),
                       fmt::format("{:.0f}", score_variance(3))});

    // 7. A mean in place of a sum, with the demo's default sizes.
    answers.push_back({fmt::format("{:.5f}", factor_of_mean_for_sum())});
    return answers;
}

}  // namespace

TEST_CASE("docs: the lesson's blocks of code stand in the files that it names, and its lines fit a terminal") {
    for (const char* page : {"docs/vae.md", "docs/vae.ko.md"}) {
        std::istringstream lines(read_text(root / page));
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with("|")) continue;  // a row of a table is one line in Markdown
            INFO(page << ": " << line);
            CHECK(std::count_if(line.begin(), line.end(), [](char each) { return (each & 0xC0) != 0x80; }) <= 100);
        }
        const std::vector<Piece> pieces = pieces_of(page);
        const Strings files = files_beside(pieces);
        std::size_t blocks = 0;
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            if (pieces[i].kind != Kind::fence) continue;
            INFO(page << ":" << pieces[i].line << ", of " << files[i] << ":\n" << pieces[i].text);
            CHECK((pieces[i].info == "cpp" || pieces[i].info == "text" || pieces[i].info == "console"));
            if (pieces[i].info != "cpp") continue;
            ++blocks;
            REQUIRE(std::filesystem::is_regular_file(root / files[i]));
            CHECK_THAT(collapsed(read_text(root / files[i])), contains(collapsed(pieces[i].text)));
        }
        CHECK(blocks > 15);
    }
}

TEST_CASE("docs: the programs print what the lesson says, and README has the demo's numbers") {
    const std::string readme = read_text(root / "README.md");
    for (const char* page : {"docs/vae.md", "docs/vae.ko.md"}) {
        std::size_t blocks = 0, rows = 0;
        for (const Piece& piece : pieces_of(page)) {
            INFO(page << ":" << piece.line << ": " << piece.text);
            if (piece.kind == Kind::row && std::string(page) == "docs/vae.md") {
                CHECK_THAT(readme, contains("\n" + piece.text + "\n"));
                ++rows;
            }
            if (piece.info != "console") continue;
            std::istringstream block(piece.text);
            std::string line;
            std::getline(block, line);
            std::smatch program;
            REQUIRE(std::regex_match(line, program, std::regex("\\$ build/examples/(\\w+)")));
            ++blocks;
            // Each line is one that the program prints, below the one before; its beginning, where it ends with dots.
            std::istringstream output(output_of(program[1]));
            for (std::string quoted; std::getline(block, quoted);) {
                const bool is_cut = quoted.ends_with(" ...");
                const std::string expected = collapsed(is_cut ? quoted.substr(0, quoted.size() - 3) : quoted);
                bool found = false;
                for (std::string seen; !found && std::getline(output, seen);) {
                    found = is_cut ? collapsed(seen).starts_with(expected) : collapsed(seen) == expected;
                }
                INFO("not printed, or not in this order: " << quoted);
                CHECK(found);
            }
        }
        CHECK(blocks >= 8);
        CHECK((rows >= 7 || std::string(page) != "docs/vae.md"));
    }
}

// In sentences a number with a decimal point, or of three digits and more, is one of the page's blocks and tables, of a source that
// the section links to, or of this list.
TEST_CASE("docs: the lesson's sentences have no numbers of their own") {
    const std::set<std::string> given{
        "1989", "2013", "2016", "2017", "2019",  // years of papers
        "2.3",  "100",                           // Kingma and Welling, section 2.3: their batch
        "784",                                   // pixels of an image, 28 x 28
    };
    const std::vector<Piece> pieces = pieces_of("docs/vae.md");
    const Options options;
    CHECK((options.latent == 20 && options.batch == 128));
    std::set<std::string> shown = given;
    for (const Piece& piece : pieces) {
        if (piece.kind != Kind::fence && piece.kind != Kind::row) continue;
        for (const std::string& number : numbers_in(piece.text)) shown.insert(number);
    }
    std::set<std::string> linked;
    std::size_t sentences = 0;
    for (const Piece& piece : pieces) {
        if (piece.kind == Kind::heading) {
            linked.clear();
            if (piece.text == "Answers") break;
        }
        if (piece.kind != Kind::paragraph && piece.kind != Kind::item) continue;
        for (const std::string& link : links_in(piece.text)) {
            if (!link.starts_with("../examples/")) continue;
            for (const std::string& number : numbers_in(read_text(root / link.substr(3)))) linked.insert(number);
        }
        if (piece.text.starts_with("**Exercise")) continue;  // which changes numbers
        for (const std::string& number : numbers_in(without_targets(piece.text))) {
            INFO("docs/vae.md:" << piece.line << ": " << number << " in: " << piece.text);
            if (number.size() < 3) continue;
            ++sentences;
            CHECK((shown.count(number) > 0 || linked.count(number) > 0));
        }
    }
    CHECK(sentences > 15);
}

TEST_CASE("docs: the lesson's exercises have the answers that are computed") {
    const std::vector<Strings> answers = computed_answers();
    const std::vector<Piece> pieces = pieces_of("docs/vae.md");
    // The numbers of each section, from the first on, and the items below the heading Answers.
    std::vector<std::set<std::string>> sections;
    std::vector<Piece> items;
    std::size_t exercises = 0;
    bool in_answers = false;
    for (const Piece& piece : pieces) {
        if (piece.kind == Kind::heading) {
            in_answers = piece.text == "Answers";
            if (std::regex_search(piece.text, std::regex("^[0-9]\\. "))) sections.emplace_back();
        }
        if (in_answers && piece.kind == Kind::item) items.push_back(piece);
        if (sections.empty() || in_answers) continue;
        for (const std::string& number : numbers_in(piece.text)) sections.back().insert(number);
        if (piece.text.starts_with("**Exercise")) {
            ++exercises;
            CHECK(sections.size() == exercises);
            CHECK_THAT(piece.text, contains("**Exercise " + std::to_string(exercises) + ".**"));
            REQUIRE(exercises <= changes.size());
            const Change& change = changes[exercises - 1];
            CHECK_THAT(read_text(root / "examples" / change.file), contains(change.before));
            for (const std::string& words : change.words) CHECK_THAT(collapsed(piece.text), contains(words));
        }
    }
    CHECK(exercises == 7);
    REQUIRE(items.size() == 7);
    REQUIRE(answers.size() == 7);
    for (std::size_t i = 0; i < 7; ++i) {
        const Strings said = numbers_in(items[i].text);
        for (const std::string& number : answers[i]) {
            INFO("answer " << i + 1 << ", computed: " << number << ", said: " << items[i].text);
            CHECK(std::count(said.begin(), said.end(), number) > 0);
        }
        for (const std::string& number : said) {
            INFO("answer " << i + 1 << ": " << number << " is neither computed nor in the section: " << items[i].text);
            CHECK((std::count(answers[i].begin(), answers[i].end(), number) > 0 || sections[i].count(number) > 0));
        }
    }
}

TEST_CASE("docs: the lesson in Korean is the lesson, piece by piece") {
    const std::vector<Piece> english = pieces_of("docs/vae.md"), korean = pieces_of("docs/vae.ko.md");
    // Headings are named by their place, other pages in either language alike.
    const auto targets = [](const std::vector<Piece>& pieces, const std::string& text) {
        Strings result;
        for (std::string link : links_in(text)) {
            link = std::regex_replace(link, std::regex("\\.ko\\.md"), ".md");
            std::size_t number = 0;
            for (const Piece& each : pieces) {
                if (each.kind != Kind::heading) continue;
                ++number;
                if (link == "#" + lower(each.text)) link = "#" + std::to_string(number);
            }
            result.push_back(link);
        }
        return sorted(result);
    };
    for (std::size_t i = 0; i < std::min(english.size(), korean.size()); ++i) {
        const Piece &a = english[i], &b = korean[i];
        INFO("docs/vae.md:" << a.line << ": " << a.text << "\ndocs/vae.ko.md:" << b.line << ": " << b.text);
        REQUIRE(a.kind == b.kind);
        CHECK(a.info == b.info);
        if (a.kind == Kind::fence) {
            CHECK(a.text == b.text);
            continue;
        }
        CHECK(sorted(numbers_in(without_targets(a.text))) == sorted(numbers_in(without_targets(b.text))));
        CHECK(sorted(code_in(a.text)) == sorted(code_in(b.text)));
        CHECK(targets(english, a.text) == targets(korean, b.text));
    }
    CHECK(english.size() == korean.size());
}

TEST_CASE("docs: README in Korean has README's code, commands, headings and tables, and links that lead somewhere") {
    const auto of_kinds = [](const std::vector<Piece>& pieces, const std::set<Kind>& kinds) {
        std::vector<Piece> result;
        for (const Piece& piece : pieces) {
            if (kinds.count(piece.kind) > 0) result.push_back(piece);
        }
        return result;
    };
    const std::set<Kind> kinds{Kind::heading, Kind::row, Kind::commands, Kind::fence};
    const std::vector<Piece> english = of_kinds(pieces_of("README.md"), kinds), all = pieces_of("README.ko.md");
    const std::vector<Piece> korean = of_kinds(all, kinds);
    for (std::size_t i = 0; i < std::min(english.size(), korean.size()); ++i) {
        const Piece &a = english[i], &b = korean[i];
        INFO("README.md:" << a.line << ": " << a.text << "\nREADME.ko.md:" << b.line << ": " << b.text);
        REQUIRE(a.kind == b.kind);
        CHECK(a.info == b.info);
        // What follows a # in a command is said in the page's language.
        const auto command = [](const std::string& line) { return std::regex_replace(line, std::regex("\\s+# .*\n"), "\n"); };
        if (a.kind == Kind::fence) CHECK(a.text == b.text);
        if (a.kind == Kind::commands) CHECK(command(a.text) == command(b.text));
        if (a.kind == Kind::row) {
            CHECK(sorted(numbers_in(without_targets(a.text))) == sorted(numbers_in(without_targets(b.text))));
            CHECK(sorted(code_in(a.text)) == sorted(code_in(b.text)));
        }
    }
    CHECK(english.size() == korean.size());

    std::size_t links = 0;
    for (const Piece& piece : all) {
        if (piece.kind == Kind::fence || piece.kind == Kind::commands) continue;
        for (const std::string& link : links_in(piece.text)) {
            INFO("README.ko.md:" << piece.line << ": " << link);
            if (std::regex_search(link, std::regex("^\\w+:")) || link.front() == '#') continue;
            ++links;
            CHECK(std::filesystem::exists(root / link.substr(0, link.find('#'))));
        }
    }
    CHECK(links > 15);
}
