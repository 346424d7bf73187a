// The loops of autograd/kernels against the plainest loops, at sizes which leave tails.
#include <algorithm>
#include <autograd/base/threads.hpp>
#include <autograd/kernels/blas.hpp>
#include <autograd/kernels/elementwise.hpp>
#include <autograd/kernels/layout.hpp>
#include <autograd/kernels/loop.hpp>
#include <autograd/kernels/reduce.hpp>
#include <autograd/kernels/simd.hpp>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <tuple>

#include "tests/testing.hpp"

using namespace autograd;

namespace {

/// The index into an array of shape `from` of element `index` of one of shape `to` which it broadcasts to.
std::size_t broadcast_index(const Shape& from, const Shape& to, std::size_t index) {
    std::size_t result = 0, stride = 1;
    for (std::size_t back = 1; back <= to.size(); ++back) {
        const std::size_t place = index % to[to.size() - back];
        index /= to[to.size() - back];
        if (back > from.size()) continue;
        const std::size_t extent = from[from.size() - back];
        if (extent != 1) result += place * stride;
        stride *= extent;
    }
    return result;
}

const std::vector<std::pair<Shape, Shape>>& smaller_and_larger() {
    static const std::vector<std::pair<Shape, Shape>> cases = {
        {{}, {}},
        {{}, {7}},
        {{1}, {1}},
        {{3}, {3}},
        {{1}, {1025}},
        {{17}, {5, 17}},
        {{5, 1}, {5, 17}},
        {{1, 17}, {5, 17}},
        {{1, 1}, {33, 31}},
        {{2, 1, 5}, {2, 3, 5}},
        {{1, 3, 1}, {2, 3, 5}},
        {{3, 1}, {2, 3, 5}},
        {{2, 3, 5}, {2, 3, 5}},
        {{2, 1, 4, 1, 3}, {2, 3, 4, 2, 3}},
        {{1, 3, 1, 2, 1}, {2, 3, 4, 2, 3}},
        {{0}, {0}},
        {{1}, {0}},
        {{3, 1}, {3, 0}},
        {{1, 0}, {3, 0}},
        {{}, {0, 4}},
        {{1, 4}, {0, 4}},
    };
    return cases;
}

}  // namespace

TEST_CASE("loop: visits every element once, in order, with each operand's own offset") {
    std::mt19937 random(5);
    for (int round = 0; round < 500; ++round) {
        Shape space;
        for (auto rank = random() % 5; rank > 0; --rank) space.push_back(1 + random() % 4);
        std::vector<Shape> shapes(1 + random() % 4, space);
        for (Shape& shape : shapes) {
            for (auto& extent : shape) {
                if (random() % 3 == 0) extent = 1;
            }
            while (!shape.empty() && random() % 4 == 0) shape.erase(shape.begin());
        }
        std::vector<const Shape*> pointers;
        for (const Shape& shape : shapes) pointers.push_back(&shape);
        const kernels::Loop loop(space, pointers);
        CHECK(loop.rows() * loop.length() == element_count(space));
        std::size_t element = 0;
        bool right = true;
        loop.for_each_row([&](const kernels::Loop::Offsets& offsets) {
            for (std::size_t i = 0; i < loop.length(); ++i, ++element) {
                for (std::size_t k = 0; k < shapes.size(); ++k) {
                    const auto place = offsets[k] + static_cast<std::ptrdiff_t>(i) * loop.step(k);
                    right = right && place == static_cast<std::ptrdiff_t>(broadcast_index(shapes[k], space, element));
                }
            }
        });
        INFO("round " << round << ", space " << to_string(space));
        CHECK(right);
        CHECK(element == element_count(space));
    }
}

TEST_CASE("loop: merges axes that all operands treat alike, and visits nothing of an empty space") {
    const Shape space{4, 5, 6}, row{6}, column{4, 1, 1}, hollow{4, 0, 6};
    const Shape* alike[] = {&space, &space};
    CHECK(kernels::Loop(space, alike).rows() == 1);
    const Shape* rows[] = {&space, &row};
    CHECK(kernels::Loop(space, rows).rows() == 20);
    const Shape* columns[] = {&space, &column};
    CHECK(kernels::Loop(space, columns).rows() == 4);
    const Shape* none[] = {&hollow};
    kernels::Loop(hollow, none).for_each_row([](const kernels::Loop::Offsets&) { FAIL("a row of an empty space"); });
}

TEMPLATE_TEST_CASE("reduce: sums, maxima, broadcasts and accumulates as the plain loops do", "", float, double) {
    using T = TestType;
    for (const auto& [small, large] : smaller_and_larger()) {
        INFO(to_string(small) << " and " << to_string(large));
        const Array<T> source = sample<T>(large);
        std::vector<double> total(element_count(small), 0.0);
        std::vector<T> most(total.size(), -std::numeric_limits<T>::infinity());
        for (std::size_t i = 0; i < source.size(); ++i) {
            const std::size_t to = broadcast_index(small, large, i);
            total[to] += static_cast<double>(source.data()[i]);
            most[to] = std::max(most[to], source.data()[i]);
        }
        Array<T> sum = full<T>(small, T(99));
        kernels::sum_to(sum, source);
        // At most 1025 terms of magnitude 1, pairwise over blocks of 512: 32 lanes of 16 additions, and their sum.
        const double bound = 64 * 64 * static_cast<double>(std::numeric_limits<T>::epsilon());
        for (std::size_t i = 0; i < total.size(); ++i) CHECK(std::abs(static_cast<double>(sum.data()[i]) - total[i]) <= bound);
        if (source.size() > 0) {
            Array<T> maximum = full<T>(small, T(99));
            kernels::max_to(maximum, source);
            CHECK(elements(maximum) == most);
        }
        const Array<T> seed = sample<T>(small, 3);
        Array<T> repeated = empty<T>(large);
        kernels::broadcast_to(repeated, seed);
        Array<T> accumulated = source;
        kernels::accumulate(accumulated, seed);
        CHECK(accumulated.shape() == large);
        bool right = true;
        for (std::size_t i = 0; i < source.size(); ++i) {
            const T value = seed.data()[broadcast_index(small, large, i)];
            right = right && repeated.data()[i] == value && accumulated.data()[i] == source.data()[i] + value;
        }
        CHECK(right);
    }
}

TEMPLATE_TEST_CASE("reduce: long float sums are exact to a few roundings", "", float, double) {
    // A sequential float sum of these is off by 9 percent.
    const std::size_t count = 10'000'000;
    const Array<TestType> tenths = full<TestType>({count}, TestType(0.1));
    Array<TestType> total = empty<TestType>({});
    kernels::sum_to(total, tenths);
    const double exact = static_cast<double>(TestType(0.1)) * static_cast<double>(count);
    // 16 additions in a lane, 5 levels of lanes and 15 of halves, each of half an epsilon.
    CHECK(std::abs(static_cast<double>(*total.data()) - exact) <=
          36 * 0.5 * static_cast<double>(std::numeric_limits<TestType>::epsilon()) * exact);
}

TEMPLATE_TEST_CASE("reduce: a NaN is the maximum wherever it stands, and find_non_finite finds it", "", float, double) {
    using T = TestType;
    for (const T bad : {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity()}) {
        for (std::size_t place = 0; place < 37; ++place) {
            Array<T> array = sample<T>({37});
            CHECK(kernels::find_non_finite(array) == 37);
            array.data()[place] = bad;
            CHECK(kernels::find_non_finite(array) == place);
            Array<T> all = empty<T>({}), column = empty<T>({1});
            kernels::max_to(all, array);
            kernels::max_to(column, Array<T>(array.reshape({37, 1})));
            CHECK_FALSE(std::isfinite(*all.data()));
            CHECK(std::isnan(*all.data()) == std::isnan(bad));
            CHECK(std::isnan(*column.data()) == std::isnan(bad));
        }
    }
}

TEMPLATE_TEST_CASE("elementwise: rows are written exactly, whatever their length", "", float, double) {
    using T = TestType;
    const auto twice = [](const T* const* in, const std::ptrdiff_t* step, std::ptrdiff_t i) {
        return kernels::add(Pack<T>::load(in[0] + i * step[0]), Pack<T>::load(in[0] + i * step[0]));
    };
    for (std::size_t count = 0; count < 40; ++count) {
        const Array<T> source = sample<T>({64});
        const T* in[] = {source.data()};
        const std::ptrdiff_t step[] = {1};
        Array<T> target = full<T>({64}, T(7));
        kernels::map_exactly<T>(twice, target.data(), false, in, step, count);
        Array<T> added = full<T>({64}, T(7));
        kernels::map_exactly<T>(twice, added.data(), true, in, step, count);
        double total = 0;
        bool right = true;
        for (std::size_t i = 0; i < 64; ++i) {
            const T value = source.data()[i];
            right = right && target.data()[i] == (i < count ? value + value : T(7));
            right = right && added.data()[i] == (i < count ? T(7) + (value + value) : T(7));
            if (i < count) total += 2 * static_cast<double>(value);
        }
        INFO(count << " elements");
        CHECK(right);
        CHECK(static_cast<double>(kernels::map_and_sum<T>(twice, in, step, count)) ==
              Approx(total).margin(100 * static_cast<double>(std::numeric_limits<T>::epsilon())));
    }
}

TEMPLATE_TEST_CASE("layout: every permutation of axes moves every element to its place", "", float, double) {
    using T = TestType;
    const std::vector<Shape> shapes = {{1}, {7}, {3, 5}, {17, 33}, {1, 9}, {2, 3, 4}, {5, 1, 6}, {2, 3, 4, 5}, {3, 0, 2}};
    for (const Shape& shape : shapes) {
        const std::size_t rank = shape.size();
        std::vector<std::size_t> order(rank);
        std::iota(order.begin(), order.end(), std::size_t{0});
        const kernels::Strides strides = kernels::row_major_strides(shape);
        const Array<T> source = sample<T>(shape);
        do {
            Shape moved(rank);
            kernels::Strides from(rank);
            for (std::size_t i = 0; i < rank; ++i) {
                moved[i] = shape[order[i]];
                from[i] = strides[order[i]];
            }
            Array<T> target = full<T>(moved, T(99));
            kernels::copy_strided(target.data(), kernels::row_major_strides(moved), source.data(), from, moved);
            bool right = true;
            for (std::size_t index = 0; index < target.size(); ++index) {
                std::size_t rest = index;
                std::ptrdiff_t place = 0;
                for (std::size_t axis = rank; axis-- > 0;) {
                    place += static_cast<std::ptrdiff_t>(rest % moved[axis]) * from[axis];
                    rest /= moved[axis];
                }
                right = right && target.data()[index] == source.data()[place];
            }
            INFO(to_string(shape) << " to " << to_string(moved));
            CHECK(right);
        } while (std::next_permutation(order.begin(), order.end()));
    }
}

TEMPLATE_TEST_CASE("blas: products with all flags, empty extents and accumulation", "", float, double) {
    using T = TestType;
    const std::size_t extents[] = {0, 1, 3, 8, 17};
    for (const std::size_t rows : extents) {
        for (const std::size_t columns : extents) {
            for (const std::size_t inner : extents) {
                for (int flags = 0; flags < 8; ++flags) {
                    const bool ta = (flags & 1) != 0, tb = (flags & 2) != 0, accumulate = (flags & 4) != 0;
                    const Array<T> a = sample<T>(ta ? Shape{inner, rows} : Shape{rows, inner}, 1);
                    const Array<T> b = sample<T>(tb ? Shape{columns, inner} : Shape{inner, columns}, 2);
                    const Array<T> before = sample<T>({rows, columns}, 3);
                    Array<T> out = before;
                    if (!accumulate) std::fill_n(out.data(), out.size(), std::numeric_limits<T>::quiet_NaN());
                    kernels::gemm<T>(out.data(), rows, columns, inner, {a.data(), a.shape()[1], ta},
                                     {b.data(), b.shape()[1], tb}, accumulate);
                    double worst = 0;
                    for (std::size_t i = 0; i < rows; ++i) {
                        for (std::size_t j = 0; j < columns; ++j) {
                            double total = accumulate ? static_cast<double>(before(i, j)) : 0.0;
                            for (std::size_t k = 0; k < inner; ++k) {
                                total +=
                                    static_cast<double>(ta ? a(k, i) : a(i, k)) * static_cast<double>(tb ? b(j, k) : b(k, j));
                            }
                            const double error = std::abs(static_cast<double>(out(i, j)) - total);
                            worst = std::isnan(error) ? error : std::max(worst, error);
                        }
                    }
                    // 18 terms of magnitude up to 1, each product and each sum rounded once.
                    if (!(worst <= 18 * 18 * static_cast<double>(std::numeric_limits<T>::epsilon()))) {
                        FAIL(rows << " x " << columns << " over " << inner << ", flags " << flags << ": off by " << worst);
                    }
                }
            }
        }
    }
    SUCCEED();
}

TEST_CASE("reduce: float sums over leading axes are pairwise, and so are gradients of broadcasts") {
    // One after the other, 2^24 would swallow every later 1: a sum of 2^24 + 2^20 ones stays at 2^24.
    const std::size_t rows = (std::size_t{1} << 24) + (std::size_t{1} << 20);
    const Array<float> ones = full<float>({rows, 2}, 1.0f);
    Array<float> sum = empty<float>({2});
    kernels::sum_to(sum, ones);
    CHECK(elements(sum) == std::vector<float>(2, static_cast<float>(rows)));

    Tape<float> tape;
    const auto row = tape.variable(full<float>({2}, 0.0f)), scalar = tape.variable(full<float>({}, 0.0f));
    const auto gradients = backward(autograd::sum(tape.constant(ones) + row) + autograd::sum(tape.constant(ones) * scalar));
    CHECK(elements(gradients[row]) == std::vector<float>(2, static_cast<float>(rows)));
    CHECK(gradients[scalar]() == static_cast<float>(2 * rows));
}

TEMPLATE_TEST_CASE("elementwise and reduce: rows that threads share are what one thread makes of them", "", float, double) {
    using T = TestType;
    const std::vector<std::pair<Shape, Shape>> shapes = {
        {{1031, 1}, {1031, 67}}, {{67}, {1031, 67}}, {{1, 67, 1}, {37, 67, 29}}, {{37, 1, 29}, {37, 67, 29}}, {{}, {1031, 67}}};
    const int threads = num_threads();
    for (const auto& [small, large] : shapes) {
        INFO(to_string(small) << " and " << to_string(large));
        const auto values = [narrow = small, wide = large](int count) {
            set_num_threads(count);
            Tape<T> tape;
            const auto a = tape.variable(sample<T>(narrow, 3)), b = tape.variable(sample<T>(wide, 4));
            const auto product = a * b;
            const auto scaled = T(0.5) * b;
            const auto gradients = backward(autograd::sum(product * scaled));
            return std::vector{elements(product.value()), elements(scaled.value()), elements(gradients[a]),
                               elements(gradients[b]), elements(max(product, 0).value())};
        };
        const auto one = values(1);
        // A sum over everything is cut by rows and columns, not by threads; the others are not cut at all.
        CHECK(values(2) == one);
        CHECK(values(3) == one);
    }
    set_num_threads(threads);
}

namespace {

/// f's value of `x` in lane `lane` of a pack whose other lanes hold what `others` draws.
template <class T, class F, class Draw>
T in_lane(F f, T x, std::size_t lane, Draw others) {
    T values[Pack<T>::size];
    for (T& each : values) each = others();
    values[lane] = x;
    f(Pack<T>::load(values)).store(values);
    return values[lane];
}

template <class T>
bool same_bits(T a, T b) {
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    return std::bit_cast<Bits>(a) == std::bit_cast<Bits>(b) || (std::isnan(a) && std::isnan(b));
}

template <class T>
double ulps_between(T value, long double exact) {
    const T nearest = static_cast<T>(exact);
    if (value == nearest || (std::isnan(value) && std::isnan(nearest)))
        return std::signbit(value) == std::signbit(nearest) || std::isnan(value) ? 0 : 1e9;
    if (!std::isfinite(value) || !std::isfinite(nearest)) return 1e9;
    const T unit = std::max(std::nextafter(std::fabs(nearest), std::numeric_limits<T>::infinity()) - std::fabs(nearest),
                            std::numeric_limits<T>::denorm_min());
    return static_cast<double>(std::fabs((static_cast<long double>(value) - exact) / static_cast<long double>(unit)));
}

}  // namespace

TEMPLATE_TEST_CASE("simd: the four operations and the square root are the processor's own, bit for bit", "", float, double) {
    using T = TestType;
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    using Limits = std::numeric_limits<T>;
    const std::vector<T> edges = {T(0),
                                  -T(0),
                                  T(1),
                                  T(-1),
                                  T(3),
                                  Limits::infinity(),
                                  -Limits::infinity(),
                                  Limits::quiet_NaN(),
                                  Limits::denorm_min(),
                                  -Limits::denorm_min(),
                                  Limits::min(),
                                  Limits::max(),
                                  Limits::lowest(),
                                  Limits::max() / 2,
                                  Limits::min() / 4,
                                  1 + Limits::epsilon(),
                                  1 - Limits::epsilon() / 2};
    std::mt19937_64 random(3);
    std::vector<std::pair<T, T>> pairs;
    for (const T a : edges) {
        for (const T b : edges) pairs.emplace_back(a, b);
    }
    // Of all bits, and of numbers near each other, whose quotients and sums are not all beyond the ends.
    const auto of_any_bits = [&] { return std::bit_cast<T>(static_cast<Bits>(random())); };
    const auto near_one = [&] { return static_cast<T>(std::uniform_real_distribution<double>(0.01, 100)(random)); };
    for (int i = 0; i < 500'000; ++i) pairs.emplace_back(of_any_bits(), of_any_bits());
    for (int i = 0; i < 500'000; ++i) pairs.emplace_back(near_one(), near_one());

    std::map<std::string, std::size_t> wrong;
    constexpr std::size_t size = Pack<T>::size;
    while (pairs.size() % size != 0) pairs.emplace_back(T(1), T(1));
    for (std::size_t first = 0; first < pairs.size(); first += size) {
        T a[size], b[size], made[size];
        for (std::size_t lane = 0; lane < size; ++lane) std::tie(a[lane], b[lane]) = pairs[first + lane];
        const auto hold = [&](const char* name, Pack<T> result, auto scalar) {
            result.store(made);
            for (std::size_t lane = 0; lane < size; ++lane) wrong[name] += !same_bits(made[lane], T(scalar(a[lane], b[lane])));
        };
        const auto x = Pack<T>::load(a), y = Pack<T>::load(b);
        hold("add", kernels::add(x, y), [](T u, T v) { return u + v; });
        hold("subtract", kernels::subtract(x, y), [](T u, T v) { return u - v; });
        hold("multiply", kernels::multiply(x, y), [](T u, T v) { return u * v; });
        hold("divide", kernels::divide(x, y), [](T u, T v) { return u / v; });
        hold("sqrt", kernels::sqrt(x), [](T u, T) { return std::sqrt(u); });
    }
    CHECK(wrong.size() == 5);
    for (const auto& [name, count] : wrong) {
        INFO(name);
        CHECK(count == 0);
    }
}

TEMPLATE_TEST_CASE("simd: vector functions are within 4 ulp, edges included, whatever stands in the other lanes", "", float,
                   double) {
    using T = TestType;
    const T infinity = std::numeric_limits<T>::infinity(), tiny = std::numeric_limits<T>::denorm_min();
    const bool is_float = sizeof(T) == sizeof(float);
    std::vector<T> points = {T(0),
                             -T(0),
                             T(1),
                             T(-1),
                             T(0.5),
                             T(-0.5),
                             infinity,
                             -infinity,
                             std::numeric_limits<T>::quiet_NaN(),
                             tiny,
                             -tiny,
                             std::numeric_limits<T>::min(),
                             std::numeric_limits<T>::max(),
                             std::numeric_limits<T>::lowest(),
                             is_float ? T(88.5) : T(709.5),
                             is_float ? T(89) : T(710),
                             is_float ? T(-100) : T(-740),
                             is_float ? T(-104) : T(-746),
                             T(1e5),
                             T(-1e5),
                             T(2),
                             T(3),
                             T(-3)};
    std::mt19937 random(11);
    const auto draw = [&] {
        const double magnitude = std::exp2(std::uniform_real_distribution<double>(-40, 20)(random));
        return random() % 16 == 0 ? points[random() % 22] : static_cast<T>(random() % 2 == 0 ? magnitude : -magnitude);
    };
    for (int i = 0; i < 3000; ++i) points.push_back(draw());
#define XTAPE_CHECK(name)                                                                         \
    {                                                                                             \
        double worst = 0;                                                                         \
        std::size_t lane = 0;                                                                     \
        bool alike = true;                                                                        \
        for (const T x : points) {                                                                \
            const auto f = [](Pack<T> each) { return kernels::name(each); };                      \
            const T value = in_lane(f, x, 0, [x] { return x; });                                  \
            worst = std::max(worst, ulps_between(value, std::name(static_cast<long double>(x)))); \
            alike = alike && same_bits(value, in_lane(f, x, lane++ % Pack<T>::size, draw));       \
        }                                                                                         \
        INFO(#name);                                                                              \
        CHECK(worst <= 4);                                                                        \
        CHECK(alike);                                                                             \
    }
#define XTAPE_CHECK2(name)                                                                                                     \
    {                                                                                                                          \
        double worst = 0;                                                                                                      \
        std::size_t lane = 0;                                                                                                  \
        bool alike = true;                                                                                                     \
        for (std::size_t i = 0; i < points.size(); ++i) {                                                                      \
            const T x = points[i], y = i < 23 * 23 ? points[i % 23] : draw();                                                  \
            const T first = i < 23 * 23 ? points[i / 23] : x;                                                                  \
            const auto f = [y](Pack<T> each) { return kernels::name(each, Pack<T>(y)); };                                      \
            const T value = in_lane(f, first, 0, [first] { return first; });                                                   \
            worst =                                                                                                            \
                std::max(worst, ulps_between(value, std::name(static_cast<long double>(first), static_cast<long double>(y)))); \
            alike = alike && same_bits(value, in_lane(f, first, lane++ % Pack<T>::size, draw));                                \
        }                                                                                                                      \
        INFO(#name);                                                                                                           \
        CHECK(worst <= 4);                                                                                                     \
        CHECK(alike);                                                                                                          \
    }
    XTAPE_VECTOR_FUNCTIONS(XTAPE_CHECK, XTAPE_CHECK2)
    for (const T x : points) {
        const auto sigmoid = [](Pack<T> each) { return kernels::sigmoid(each); };
        const auto softplus = [](Pack<T> each) { return kernels::softplus(each); };
        REQUIRE(same_bits(in_lane(sigmoid, x, 1, [x] { return x; }), in_lane(sigmoid, x, 1, draw)));
        REQUIRE(same_bits(in_lane(softplus, x, 1, [x] { return x; }), in_lane(softplus, x, 1, draw)));
    }
#undef XTAPE_CHECK
#undef XTAPE_CHECK2
}
