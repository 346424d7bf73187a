// What codes are drawn from after training, class by class where models are told the class, and the ways between two codes. The
// mixtures themselves are tested in mixture_test.cpp.
#include <cmath>
#include <string>
#include <vector>

#include "examples/ae_vs_vae/code_density.hpp"
#include "examples/ae_vs_vae/codes.hpp"
#include "tests/catch.hpp"

using autograd::Array;
using autograd::Rng;

namespace {

/// Codes around (10 c, -c) of classes c = 0, 1, 3, by turns: of class 2 there is none.
struct Labelled {
    std::vector<int> labels;
    Array<float> codes;

    explicit Labelled(std::size_t count) {
        Rng rng{5};
        codes = rng.normal<float>({count, 2});
        for (std::size_t i = 0; i < count; ++i) {
            labels.push_back(std::vector{0, 1, 3}[i % 3]);
            codes(i, 0) += 10 * static_cast<float>(labels[i]);
            codes(i, 1) -= static_cast<float>(labels[i]);
        }
    }
};

std::string message_of(const auto& work) {
    try {
        work();
    } catch (const autograd::Error& error) {
        return error.what();
    }
    return {};
}

}  // namespace

TEST_CASE("code density: a code is drawn from those of its class") {
    const Labelled data(600);
    const CodeDensity density(data.codes, data.labels, 2, Rng{1});
    CHECK(density.fewest_components() == 2);
    std::vector<int> wanted;
    for (int i = 0; i < 3000; ++i) wanted.push_back(std::vector{3, 0, 1, 0}[static_cast<std::size_t>(i) % 4]);
    Rng rng{2};
    const Array<float> drawn = density.sample(wanted.size(), wanted, rng);
    REQUIRE(drawn.shape() == autograd::Shape{3000, 2});
    double sums[4][3] = {};
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const auto label = static_cast<std::size_t>(wanted[i]);
        CHECK(std::abs(drawn(i, 0) - 10 * static_cast<float>(wanted[i])) <
              6);  // six standard deviations, of which there are 3000
        for (std::size_t k = 0; k < 2; ++k) sums[label][k] += static_cast<double>(drawn(i, k));
        ++sums[label][2];
    }
    for (const std::size_t label : {0u, 1u, 3u}) {
        CHECK(sums[label][1] / sums[label][2] ==
              Approx(-static_cast<double>(label)).margin(0.35));  // of 200 codes: five errors
    }
    CHECK(message_of([&] { std::ignore = density.sample(1, {2}, rng); }).find("no training image is of class 2") == 0);
    CHECK(message_of([&] { std::ignore = density.sample(1, {4}, rng); }).find("no training image is of class 4") == 0);
}

TEST_CASE("code density: without labels it is one mixture, and of few codes it has few Gaussians") {
    const Labelled data(600);
    const CodeDensity density(data.codes, {}, 3, Rng{1});
    const GaussianMixture mixture(data.codes, {.components = 3}, Rng{1});
    Rng a{7}, b{7};
    CHECK((density.sample(50, {}, a) == mixture.sample(50, b)));
    CHECK(density.fewest_components() == 3);

    const Labelled few(36);  // twelve of each class
    CHECK(CodeDensity(few.codes, few.labels, 10, Rng{1}).fewest_components() == 1);
    const std::vector<int> one_alone{0, 0, 0, 1};
    CHECK(message_of([&] {
              CodeDensity(Array<float>{{1, 2}, {3, 4}, {5, 7}, {7, 8}}, one_alone, 2, Rng{1});
          }).find("of class 1: ") == 0);
}

TEST_CASE("interpolation: on lines and on arcs, from one code to the next") {
    const Array<float> ends{{3, 0, 0}, {0, 0, 1}, {1, 1, 0}, {-1, -1, 0}, {0, 0, 0}, {1, 2, 3}};
    const Array<float> lines = interpolate(ends, 5), arcs = interpolate_on_arcs(ends, 5);
    REQUIRE(arcs.shape() == autograd::Shape{15, 3});
    for (std::size_t pair = 0; pair < 3; ++pair) {
        for (std::size_t k = 0; k < 3; ++k) {
            for (const Array<float>* codes : {&lines, &arcs}) {
                CHECK((*codes)(5 * pair, k) == Approx(ends(2 * pair, k)).margin(1e-6));
                CHECK((*codes)(5 * pair + 4, k) == Approx(ends(2 * pair + 1, k)).margin(1e-6));
            }
            CHECK(lines(5 * pair + 1, k) == Approx(0.75f * ends(2 * pair, k) + 0.25f * ends(2 * pair + 1, k)).margin(1e-6));
        }
    }
    // A quarter turn in four steps, while the length falls from 3 to 1.
    for (std::size_t step = 0; step < 5; ++step) {
        const double angle = std::acos(0.0) * static_cast<double>(step) / 4, length = 3 - 0.5 * static_cast<double>(step);
        CHECK(arcs(step, 0) == Approx(length * std::cos(angle)).margin(1e-6));
        CHECK(arcs(step, 1) == 0);
        CHECK(arcs(step, 2) == Approx(length * std::sin(angle)).margin(1e-6));
    }
    // Opposite ends, and one at the origin, have no arc.
    for (std::size_t row = 5; row < 15; ++row) {
        for (std::size_t k = 0; k < 3; ++k) CHECK(arcs(row, k) == lines(row, k));
    }
}
