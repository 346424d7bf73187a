// The random streams: known answers of Philox, every value against a scalar reference on Random123's words, the
// independence of a draw from everything but its key, and the distributions.
// Statistical bounds: seeds are fixed, so a pass stays a pass; after a change of the values each bound is exceeded by
// chance with the probability that stands at it, at most 1e-6. There are 65 of them.
#include <Random123/philox.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <type_traits>
#include <vector>

#include "autograd/base/random.hpp"
#include "tests/catch.hpp"

using autograd::Array;
using autograd::Rng;
using autograd::Shape;

namespace {

std::array<std::uint32_t, 4> random123(std::uint64_t key, std::uint64_t draw, std::uint64_t block) {
    const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
    const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
    const r123::Philox4x32::ctr_type counter{{low(block), high(block), low(draw), high(draw)}};
    const r123::Philox4x32::key_type words{{low(key), high(key)}};
    const auto result = r123::Philox4x32()(counter, words);
    return {result[0], result[1], result[2], result[3]};
}

std::uint64_t top_bits(std::uint32_t upper, std::uint32_t lower) {  // 53 of 64, as uniform doubles take them
    return std::uint64_t{upper >> 5} << 26 | lower >> 6;
}

// The words of 8 blocks make one group: 32 floats or 16 doubles, of which element i has this block and first word.
struct Place {
    std::uint64_t block;
    std::size_t word;
};

template <class T>
Place place(std::size_t element) {
    const std::size_t words_per_value = sizeof(T) / 4, group = 32 / words_per_value;
    return {element / group * 8 + element % 8, element % group / 8 * words_per_value};
}

template <class T>
T reference_uniform(std::uint64_t key, std::uint64_t draw, std::size_t element) {
    const auto [block, word] = place<T>(element);
    const auto words = random123(key, draw, block);
    if constexpr (std::is_same_v<T, float>)
        return std::ldexp(static_cast<float>(words[word] >> 8), -24);
    else
        return std::ldexp(static_cast<double>(top_bits(words[word], words[word + 1])), -53);
}

// Box and Muller's method in the widest type: radius sqrt(-2 log u) at an angle from a half-axis.
template <class T>
long double reference_normal(std::uint64_t key, std::uint64_t draw, std::size_t element) {
    const auto [block, word] = place<T>(element);
    const auto words = random123(key, draw, block);
    long double u, turn;  // turn in [-1, 1): the part of pi / 4
    std::uint32_t axis;
    bool first;
    if constexpr (std::is_same_v<T, float>) {
        const std::size_t pair = word / 2 * 2;
        first = word == pair;
        axis = words[pair + 1] & 3;
        u = std::ldexp(static_cast<float>(words[pair] >> 1) + 1.0f, -31);
        turn = std::ldexp(static_cast<long double>(static_cast<std::int32_t>(words[pair + 1] - axis)), -31);
    } else {
        first = word == 0;
        axis = words[3] & 3;
        u = std::ldexp(static_cast<long double>(top_bits(words[0], words[1]) + 1), -53);
        turn = std::ldexp(
            static_cast<long double>(static_cast<std::int32_t>(words[2])) * 0x1p30L + static_cast<long double>(words[3] >> 2),
            -61);
    }
    const long double radius = std::sqrt(-2 * std::log(u)), angle = turn * std::atan(1.0L);
    const long double along = (axis & 2) != 0 ? -std::cos(angle) : std::cos(angle), across = std::sin(angle);
    const bool upright = (axis & 1) != 0;
    return radius * (first == upright ? across : along);
}

template <class T>
std::vector<T> list(const Array<T>& array) {
    return {array.data(), array.data() + array.size()};
}

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

// Kolmogorov and Smirnov's statistic: the largest distance of the empirical distribution from `cdf`, times sqrt(count).
template <class T, class Cdf>
double kolmogorov_smirnov(std::vector<T> values, Cdf cdf) {
    std::sort(values.begin(), values.end());
    const auto count = static_cast<double>(values.size());
    double distance = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double expected = cdf(static_cast<double>(values[i]));
        distance =
            std::max({distance, static_cast<double>(i + 1) / count - expected, expected - static_cast<double>(i) / count});
    }
    return distance * std::sqrt(count);
}

// P(statistic > t) is about 2 exp(-2 t^2): 1e-6 at this t.
constexpr double ks_bound = 2.7;
// P(|N(0, 1)| > 4.9) = 1e-6.
constexpr double z_bound = 4.9;

// The deviation of the mean of f(x), in units of its standard deviation.
template <class T, class F>
double z_score(const Array<T>& values, F f, double mean, double variance) {
    double sum = 0;
    for (const T x : values) sum += f(static_cast<double>(x));
    const auto count = static_cast<double>(values.size());
    return (sum / count - mean) / std::sqrt(variance / count);
}

// sqrt(count) times the correlation of two series of mean 0 and variance 1; N(0, 1) if they are independent.
template <class F>
double correlation_score(const Array<double>& a, std::size_t lag, const Array<double>& b, F f) {
    const std::size_t count = a.size() - lag;
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += f(a.data()[i]) * f(b.data()[i + lag]);
    return sum / std::sqrt(static_cast<double>(count));
}

double chi_square(const std::vector<std::size_t>& counts, double expected) {
    double sum = 0;
    for (const std::size_t count : counts) {
        const double excess = static_cast<double>(count) - expected;
        sum += excess * excess / expected;
    }
    return sum;
}

template <class T>
void check_against_reference(std::uint64_t key, std::uint64_t draw, std::size_t count) {
    Rng rng(0);
    rng.restore({key, draw});
    const auto uniform = rng.uniform<T>({count});
    rng.restore({key, draw});
    const auto normal = rng.normal<T>({count});
    std::size_t wrong_uniforms = 0;
    long double worst = 0;
    for (std::size_t i = 0; i < count; ++i) {
        wrong_uniforms += uniform.data()[i] != reference_uniform<T>(key, draw, i);
        const auto reference = reference_normal<T>(key, draw, i);
        const long double error = std::abs(static_cast<long double>(normal.data()[i]) - reference);
        worst = std::max(worst, error / std::max(std::abs(reference), 1e-30L));
    }
    CHECK(wrong_uniforms == 0);
    // In units of epsilon / 2, the error of one rounding: the angle 2.5 (the integer's conversion, pi, their product),
    // its sine or cosine another 2, the radius 2 (half of the logarithm's 2, and the root's), their product 1.
    CHECK(static_cast<double>(worst) <= 7.5 / 2 * static_cast<double>(std::numeric_limits<T>::epsilon()));
}

}  // namespace

TEST_CASE("philox_block gives the known answers of Random123", "[random]") {
    using Words = std::array<std::uint32_t, 4>;
    CHECK(autograd::philox_block({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    const std::uint32_t ones = 0xffffffff;
    CHECK(autograd::philox_block({ones, ones, ones, ones}, {ones, ones}) ==
          Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    // The digits of pi.
    CHECK(autograd::philox_block({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
          Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("philox_block agrees with Random123", "[random]") {
    std::uint64_t x = 1;
    const auto next = [&x] { return x = x * 6364136223846793005u + 1442695040888963407u; };
    for (int i = 0; i < 1000; ++i) {
        const std::uint64_t key = next(), draw = next(), block = next();
        const auto low = [](std::uint64_t y) { return static_cast<std::uint32_t>(y); };
        CHECK(autograd::philox_block({low(block), low(block >> 32), low(draw), low(draw >> 32)}, {low(key), low(key >> 32)}) ==
              random123(key, draw, block));
    }
}

TEMPLATE_TEST_CASE("uniform values are the reference's bit for bit, normal ones to a few ulp", "[random]", float, double) {
    check_against_reference<TestType>(0, 0, 20000);
    check_against_reference<TestType>(42, 7, 20000);
    check_against_reference<TestType>(0xffffffffffffffff, 0x123456789abcdef0, 20000);
}

TEMPLATE_TEST_CASE("a draw is the prefix of a longer one, whatever its shape", "[random]", float, double) {
    const Rng start = Rng(3).stream("prefix");
    for (const bool is_normal : {false, true}) {
        const auto draw = [&](const Shape& shape) {
            Rng rng = start;
            const auto values = is_normal ? rng.normal<TestType>(shape) : rng.uniform<TestType>(shape);
            CHECK(rng.draws() == 1);
            CHECK(values.shape() == shape);
            return list(values);
        };
        const auto longest = draw({300});
        for (std::size_t count = 0; count <= 100; ++count) {
            const auto shorter = draw({count});
            REQUIRE(shorter.size() == count);
            CHECK(std::equal(shorter.begin(), shorter.end(), longest.begin()));
        }
        CHECK(draw({3, 5, 20}) == longest);
        CHECK(draw({}) == std::vector<TestType>{longest[0]});
        CHECK(draw({4, 0}).empty());
    }
}

TEST_CASE("a stream depends on its path alone", "[random]") {
    Rng root(42);
    Rng noise = root.stream("noise");
    const auto first = list(noise.normal<float>({50}));
    const auto second = list(noise.normal<float>({50}));
    CHECK(first != second);
    CHECK(noise.draws() == 2);

    SECTION("and not on draws of the root, of siblings or of a twin") {
        root.normal<double>({1000});
        root.stream("other").permutation(10);
        Rng twin = root.stream("noise");
        CHECK(twin == Rng(42).stream("noise"));
        CHECK(list(twin.normal<float>({50})) == first);
        CHECK(list(twin.normal<float>({50})) == second);
        CHECK(twin == noise);
    }
    SECTION("nor on the sizes and kinds of its earlier draws") {
        Rng twin = root.stream("noise");
        twin.permutation(7);
        CHECK(list(twin.normal<float>({50})) == second);
    }
    SECTION("other names, parents and seeds give other values") {
        for (Rng other : {root, root.stream("noisf"), noise.stream("noise"), Rng(43).stream("noise")}) {
            CHECK(list(other.normal<float>({50})) != first);
        }
    }
    SECTION("copying copies the future") {
        Rng copy = noise;
        CHECK(copy == noise);
        CHECK(list(copy.uniform<double>({9})) == list(noise.uniform<double>({9})));
        noise.normal<float>({1});
        CHECK_FALSE(copy == noise);
    }
    SECTION("a slash joins names") {
        const Rng leaf = root.stream("train/noise");
        CHECK(root.name().empty());
        CHECK(leaf.name() == "train/noise");
        CHECK(leaf == root.stream("train").stream("noise"));
        CHECK_FALSE(leaf == root.stream("noise").stream("train"));
        for (const char* bad : {"", "/", "a//b", "/a", "a/"}) CHECK_THROWS_AS(root.stream(bad), autograd::Error);
    }
}

TEST_CASE("a state restores the future", "[random]") {
    Rng rng = Rng(5).stream("data");
    rng.uniform<float>({3});
    const Rng::State state = rng.state();
    CHECK(state.draws == 1);
    const auto expected = rng.permutation(20);
    Rng other(0);
    other.restore(state);
    CHECK(other.permutation(20) == expected);
    CHECK(other == rng);
}

TEMPLATE_TEST_CASE("uniform values are uniform on the unit interval", "[random]", float, double) {
    const auto values = Rng(11).stream("uniform").uniform<TestType>({std::size_t{1} << 20});
    CHECK(*std::min_element(values.begin(), values.end()) >= TestType(0));
    CHECK(*std::max_element(values.begin(), values.end()) < TestType(1));
    CHECK(std::abs(z_score(
              values, [](double x) { return x; }, 0.5, 1.0 / 12)) < z_bound);
    CHECK(std::abs(z_score(
              values, [](double x) { return (x - 0.5) * (x - 0.5); }, 1.0 / 12, 1.0 / 180)) < z_bound);
    CHECK(kolmogorov_smirnov(list(values), [](double x) { return x; }) < ks_bound);
}

TEMPLATE_TEST_CASE("normal values are normal", "[random]", float, double) {
    const auto values = Rng(12).stream("normal").normal<TestType>({std::size_t{1} << 20});
    // E x^2k = (2k - 1)!!, so the variances of x, x^2, x^3 and x^4 are 1, 3 - 1, 15 and 105 - 9.
    CHECK(std::abs(z_score(
              values, [](double x) { return x; }, 0, 1)) < z_bound);
    CHECK(std::abs(z_score(
              values, [](double x) { return x * x; }, 1, 2)) < z_bound);
    CHECK(std::abs(z_score(
              values, [](double x) { return x * x * x; }, 0, 15)) < z_bound);
    CHECK(std::abs(z_score(
              values, [](double x) { return x * x * x * x; }, 3, 96)) < z_bound);
    CHECK(kolmogorov_smirnov(list(values), normal_cdf) < ks_bound);
    // The tails: P(|x| > 4) = 6.3342e-5.
    const double tail = 6.334248366623996e-5;
    CHECK(std::abs(z_score(
              values, [](double x) { return std::abs(x) > 4 ? 1.0 : 0.0; }, tail, tail)) < z_bound);
}

TEST_CASE("elements, rows, draws, streams and seeds are independent", "[random]") {
    const Shape shape{512, 512};
    Rng rng = Rng(13).stream("a");
    const auto values = rng.normal<double>(shape);
    const auto linear = [](double x) { return x; };
    const auto square = [](double x) { return (x * x - 1) / std::sqrt(2.0); };  // Box and Muller's pairs share a radius
    const auto check = [&](const Array<double>& other, std::size_t lag) {
        CHECK(std::abs(correlation_score(values, lag, other, linear)) < z_bound);
        CHECK(std::abs(correlation_score(values, lag, other, square)) < z_bound);
    };
    for (const std::size_t lag : std::vector<std::size_t>{1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 24, 32, 64, 511, 512, 513}) {
        check(values, lag);
    }
    check(rng.normal<double>(shape), 0);
    check(Rng(13).stream("b").normal<double>(shape), 0);
    check(Rng(13).stream("a").stream("a").normal<double>(shape), 0);
    check(Rng(14).stream("a").normal<double>(shape), 0);
    check(Rng(13).normal<double>(shape), 0);
    Rng sign(13);
    sign.restore({rng.state().key ^ (std::uint64_t{1} << 63), 0});
    check(sign.normal<double>(shape), 0);
}

TEMPLATE_TEST_CASE("bernoulli values are 1 where a uniform value is below the probability", "[random]", float, double) {
    const std::size_t count = 100003;
    const Rng start = Rng(15).stream("mask");
    Rng a = start, b = start;
    const auto probabilities = Rng(16).uniform<TestType>({count});
    const auto uniforms = a.uniform<TestType>({count});
    auto values = autograd::empty<TestType>({count});
    b.fill_bernoulli(values, probabilities);
    CHECK(a == b);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < count; ++i) wrong += values(i) != (uniforms(i) < probabilities(i) ? 1 : 0);
    CHECK(wrong == 0);

    SECTION("and 0 where they are equal") {
        Rng c = start;
        c.fill_bernoulli(values, uniforms);
        CHECK(std::count(values.begin(), values.end(), TestType(0)) == static_cast<std::ptrdiff_t>(count));
    }
    SECTION("in place too") {
        Rng c = start;
        auto in_place = probabilities;
        c.fill_bernoulli(in_place, in_place);
        CHECK(list(in_place) == list(values));
    }
    SECTION("with the right frequency, and surely at 0 and 1") {
        const auto p = TestType(0.3);
        Rng(17).fill_bernoulli(values, autograd::full<TestType>({count}, p));
        const double mean = static_cast<double>(p);
        CHECK(std::abs(z_score(
                  values, [](double x) { return x; }, mean, mean * (1 - mean))) < z_bound);
        for (const TestType sure : {TestType(0), TestType(1)}) {
            Rng(17).fill_bernoulli(values, autograd::full<TestType>({count}, sure));
            CHECK(std::count(values.begin(), values.end(), sure) == static_cast<std::ptrdiff_t>(count));
        }
    }
    SECTION("bad input changes nothing") {
        const auto before = values;
        const auto nan = std::numeric_limits<TestType>::quiet_NaN();
        for (const TestType bad : {nan, TestType(-0.001), TestType(1.001)}) {
            auto wrong_probabilities = probabilities;
            wrong_probabilities(count - 1) = bad;
            CHECK_THROWS_AS(b.fill_bernoulli(values, wrong_probabilities), autograd::Error);
        }
        CHECK_THROWS_AS(b.fill_bernoulli(values, autograd::full<TestType>({count, 1}, TestType(0.5))), autograd::ShapeError);
        try {
            b.fill_bernoulli(values, autograd::full<TestType>({count}, TestType(2)));
            FAIL("no exception");
        } catch (const autograd::Error& error) {
            CHECK(std::string(error.what()) == "fill_bernoulli: probability 2 at element 0 is not in [0, 1] (stream \"mask\")");
        }
        CHECK(list(values) == list(before));
        CHECK(b == a);
    }
}

TEST_CASE("permutations are permutations", "[random]") {
    Rng rng = Rng(18).stream("order");
    std::uint64_t draws = 0;
    for (const std::size_t count : std::vector<std::size_t>{0, 1, 2, 3, 1000, 60000}) {
        const auto order = rng.permutation(count);
        CHECK(rng.draws() == ++draws);
        REQUIRE(order.size() == count);
        std::vector<bool> seen(count, false);
        for (const std::size_t i : order) {
            REQUIRE(i < count);
            seen[i] = true;
        }
        CHECK(std::count(seen.begin(), seen.end(), true) == static_cast<std::ptrdiff_t>(count));
    }
    CHECK(Rng(18).permutation(1000) == Rng(18).permutation(1000));
    CHECK(rng.permutation(1000) != rng.permutation(1000));
}

TEST_CASE("permutations are equally likely", "[random]") {
    Rng rng = Rng(19).stream("order");
    const std::size_t trials = 120000, size = 5, kinds = 120;
    std::vector<std::size_t> counts(kinds, 0);
    for (std::size_t trial = 0; trial < trials; ++trial) {
        const auto order = rng.permutation(size);
        std::size_t rank = 0;
        for (std::size_t i = 0; i < size; ++i) {
            const auto smaller = std::count_if(order.begin() + static_cast<std::ptrdiff_t>(i), order.end(),
                                               [&](std::size_t j) { return j < order[i]; });
            rank = rank * (size - i) + static_cast<std::size_t>(smaller);
        }
        ++counts.at(rank);
    }
    // 119 degrees of freedom: P(chi-square > 207.2) = 1e-6.
    CHECK(chi_square(counts, 1000.0) < 207.2);
}
