// Linear algebra and contractions beyond what the registry checks of every op: tangents, errors, singular matrices,
// equal eigenvalues, infinities, large batches.
#include <cmath>
#include <limits>
#include <set>
#include "tests/specs/registry.hpp"

#include "tests/testing.hpp"

using namespace autograd;

namespace {

using D = Array<double>;

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

bool all_nan(const D& x) {
    return std::all_of(x.begin(), x.end(), [](double each) { return std::isnan(each); });
}

double dot(const D& a, const D& b) {
    double total = 0;
    for (std::size_t i = 0; i < a.size(); ++i) total += a.data()[i] * b.data()[i];
    return total;
}

double norm(const D& a) { return std::sqrt(dot(a, a)); }

D random_in(Rng& rng, const Shape& shape, double low, double high) {
    D x = rng.uniform<double>(shape);
    for (double& each : x) each = low + (high - low) * each;
    return x;
}

D random_symmetric(Rng& rng, std::size_t n) {
    D x = random_in(rng, {n, n}, -1, 1);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < i; ++j) x(i, j) = x(j, i);
    }
    return x;
}

}  // namespace

// <u, J v> = <J' u, v>: forward and reverse mode have rules of their own, and must agree to rounding.
TEST_CASE("linear algebra: tangents are the transposes of gradients") {
    const std::set<std::string> names{
        "matmul",        "outer",       "vecdot",        "diagonal",   "trace",    "solve",  "inv",
        "det",           "slogdet",     "cholesky",      "eigh",       "eigvalsh", "einsum", "tensordot",
        "softmax",       "log_softmax", "cross_entropy", "unfold",     "fold",     "conv2d", "conv_transpose2d",
        "conv2d_weight", "max_pool2d",  "avg_pool2d",    "layer_norm", "linear"};
    std::size_t found = 0;
    for (const OpSpec& spec : registry()) {
        if (names.count(spec.name) == 0) continue;
        ++found;
        for (const OpCase& each : spec.cases) {
            INFO(spec.name << ": " << each.name);
            Rng rng(7);
            Tape<double> tape;
            std::vector<Var<double>> inputs;
            std::vector<Direction<double>> directions;
            for (const Shape& shape : each.shapes) {
                inputs.push_back(tape.variable(random_in(rng, shape, each.domain.low, each.domain.high)));
                directions.push_back({inputs.back(), random_in(rng, shape, -1, 1)});
            }
            const auto y = each.call(std::span<const Var<double>>(inputs));
            const D u = random_in(rng, y.shape(), -1, 1);
            const auto along = find_tangent(y, std::span<const Direction<double>>(directions));
            const auto loss = sum(y * tape.constant(u));
            if (!std::isfinite(loss.item())) continue;  // the mean of nothing
            if (!tape.node(loss.index()).needs_gradient) {
                CHECK((!along || norm(*along) == 0));
                continue;
            }
            REQUIRE(along.has_value());
            const auto gradients = backward(loss);
            double backwards = 0, size = norm(u) * norm(*along);
            for (const auto& [v, direction] : directions) {
                const D* gradient = gradients.find(v);
                if (gradient != nullptr) backwards += dot(*gradient, direction), size += norm(*gradient) * norm(direction);
            }
            CHECK(std::fabs(dot(u, *along) - backwards) <= 1e-12 * size);
        }
    }
    CHECK(found == names.size());
}

TEST_CASE("linear algebra: products of Hessians and vectors agree in both orders of the modes") {
    Rng rng(8);
    const D a0 = random_in(rng, {3, 3}, -1, 1) + 3 * xt::eye<double>(3), v = random_in(rng, {3, 3}, -1, 1);
    const auto check = [&](const char* name, auto f) {
        INFO(name);
        Tape<double> tape;
        const auto a = tape.variable(a0);
        const auto gradient = backward(f(a), {.create_graph = true}).var(a);
        const D forward_over_reverse = tangent(gradient, {{a, v}});
        const D reverse_over_reverse = backward(sum(gradient * tape.constant(v)))[a];
        const double size = norm(reverse_over_reverse);
        CHECK(norm(D(forward_over_reverse - reverse_over_reverse)) <= 1e-12 * size);
        CHECK(size > 0);
    };
    check("solve", [](auto a) { return sum(square(solve(a, exp(slice(a, 1, {0, 2}))))); });
    check("inv", [](auto a) { return sum(square(inv(a))); });
    check("det", [](auto a) { return square(det(a)); });
    check("slogdet", [](auto a) { return square(slogdet(a).logabsdet); });
    check("cholesky", [](auto a) { return sum(square(square(cholesky(a)))); });
    check("eigh", [](auto a) { return sum(square(square(eigh(a).eigenvectors))) + sum(square(eigh(a).eigenvalues)); });
    check("eigvalsh", [](auto a) { return sum(exp(eigvalsh(a))); });
    check("softmax", [](auto a) { return sum(square(softmax(a) - 1)); });
    check("log_softmax", [](auto a) { return sum(square(log_softmax(a))); });
}

TEST_CASE("linear algebra: decompositions give back what was decomposed") {
    Rng rng(9);
    for (const std::size_t n : {1u, 2u, 7u, 40u}) {
        Tape<double> tape;
        const D symmetric = random_symmetric(rng, n);
        const auto a = tape.constant(symmetric);
        const auto [w, v] = eigh(a);
        const auto again = matmul(v * reshape(w, {1, n}), v, {.b = true});
        CHECK(norm(D(again.value() - symmetric)) <= 1e-13 * norm(symmetric) * static_cast<double>(n));
        const auto positive = matmul(a, a, {.b = true}) + tape.constant(D(xt::eye<double>(n)));
        const auto l = cholesky(positive);
        CHECK(norm(D(matmul(l, l, {.b = true}).value() - positive.value())) <= 1e-13 * norm(positive.value()));
        const auto u = cholesky(positive, true);
        CHECK(norm(D(matmul(u, u, {.a = true}).value() - positive.value())) <= 1e-13 * norm(positive.value()));
        const double by_factor = 2 * sum(log(diagonal(l))).item();
        CHECK(slogdet(positive).logabsdet.item() == Approx(by_factor).epsilon(1e-12));
        const D values = eigvalsh(a).value();
        for (std::size_t i = 0; i < n; ++i) {
            CHECK(values(i) == Approx(w.value()(i)).margin(1e-13 * norm(symmetric)));
            if (i > 0) CHECK(values(i - 1) <= values(i));
        }
    }
}

TEST_CASE("linear algebra: singular matrices are errors that name op, matrix and pivot, or have determinant 0") {
    Tape<double> tape;
    const auto a = tape.variable(D{{1, 2}, {2, 4}});
    const auto b = tape.constant(full<double>({2, 1}, 1.0));
    CHECK_THAT(message_of<Error>([&] { inv(a); }), contains("inv (node 2): the matrix is singular: its pivot 1 is 0"));
    CHECK_THAT(message_of<Error>([&] { solve(a, b); }), contains("solve (node 2): the matrix is singular: its pivot 1 is 0"));
    CHECK(tape.size() == 2);
    const auto batch = tape.constant(D{{{1, 0}, {0, 1}}, {{0, 0}, {0, 1}}});
    CHECK_THAT(message_of<Error>([&] { inv(batch); }), contains("inv (node 3): matrix 1 of the batch") && contains("pivot 0"));
    CHECK(elements(det(batch).value()) == std::vector<double>{1, 0});
    const auto [sign, logarithm] = slogdet(a);
    CHECK(sign.item() == 0);
    CHECK(logarithm.item() == -infinity);
    CHECK_THAT(message_of<Error>([&] { backward(logarithm); }), contains("singular"));
    const auto zero = det(a);
    CHECK(zero.item() == 0);
    CHECK_THAT(message_of<Error>([&] { backward(zero); }), contains("singular"));
}

TEST_CASE("linear algebra: the sign of a determinant is a constant, and its logarithm bears what itself cannot") {
    Tape<double> tape;
    const auto a = tape.variable(D{{0, 2}, {3, 0}});
    const auto [sign, logarithm] = slogdet(a);
    CHECK(sign.item() == -1);
    CHECK(det(a).item() == Approx(-6));
    CHECK_THAT(message_of<GradientError>([&] { backward(sign); }), contains("stop_gradient"));
    CHECK(backward(logarithm)[a](0, 1) == Approx(0.5));
    const auto huge = tape.constant(D(1e200 * xt::eye<double>(3)));
    CHECK(det(huge).item() == infinity);
    CHECK(slogdet(huge).logabsdet.item() == Approx(3 * std::log(1e200)));
}

TEST_CASE("linear algebra: determinants and cofactors are right where products of pivots are no numbers") {
    // Of diag(s) the cofactors are the products of the others. With a row operation and a permutation beside it, the
    // determinant is -s0 s1 s2 s3, and the cofactors are those of the inverse in closed form.
    const auto check = [](auto first, auto second, auto third, auto fourth) {
        using T = decltype(first);
        const std::vector<T> s{first, second, third, fourth};
        INFO(first << ", " << second << ", " << third << ", " << fourth);
        const auto product = [&](std::size_t without) {
            long double total = 1;
            for (std::size_t i = 0; i < 4; ++i) total *= i == without ? 1 : static_cast<long double>(s[i]);
            return static_cast<T>(total);
        };
        const auto near = [](T found, T expected) {
            return found == expected ||
                   std::fabs(found - expected) <=
                       8 * std::numeric_limits<T>::epsilon() * std::fabs(expected) + std::numeric_limits<T>::denorm_min();
        };
        Tape<T> tape;
        const auto a = tape.variable(Array<T>{{s[0], 0, 0, 0}, {0, s[1], 0, 0}, {0, 0, s[2], 0}, {0, 0, 0, s[3]}});
        const auto y = det(a);
        CHECK(near(y.item(), product(4)));
        const Array<T> plain = backward(y)[a], recorded = backward(y, {.create_graph = true})[a];
        for (std::size_t i = 0; i < 4; ++i) {
            for (std::size_t j = 0; j < 4; ++j) {
                const T expected = i == j ? product(i) : T(0);
                CHECK(near(plain(i, j), expected));
                CHECK(near(recorded(i, j), expected));
            }
            Array<T> direction = full<T>({4, 4}, T(0));
            direction(i, i) = 1;
            const bool all_finite = std::all_of(plain.begin(), plain.end(), [](T each) { return std::isfinite(each); });
            if (all_finite) CHECK(near(tangent(y, {{a, direction}})(), product(i)));
        }
        if (std::fabs(s[0]) < std::numeric_limits<T>::min()) return;  // a row with it and others has not its digits
        // Rows 0 and 1 exchanged, and twice the one under the other: columns of the cofactors mix the same way.
        const auto mixed = tape.variable(Array<T>{{0, s[1], 0, 0}, {s[0], 2 * s[1], 0, 0}, {0, 0, s[2], 0}, {0, 0, 0, s[3]}});
        const auto z = det(mixed);
        CHECK(near(z.item(), -product(4)));
        const Array<T> cofactors = backward(z)[mixed];
        CHECK(near(cofactors(0, 0), 2 * product(0)));
        CHECK(near(cofactors(0, 1), -product(1)));
        CHECK(near(cofactors(1, 0), -product(0)));
        CHECK(near(cofactors(1, 1), T(0)));
        CHECK(near(cofactors(2, 2), -product(2)));
        CHECK(near(cofactors(3, 3), -product(3)));
    };
    check(1e-200, 1e-200, 1e200, 1e200);
    check(1e200, 1e200, 1e-200, 1e-200);
    check(1e200, -3e-200, 1e200, 1e-200);
    check(1e-200, 1e-200, 1.0, 2.0);
    check(1e-160, 2e-150, 1e-5, -1.0);
    check(1e-100, 1e-100, 1e-100, 1e-100);
    check(1e200, 1e150, 2.0, 1.0);
    check(1e-300, 1e-300, 1e300, 1e290);
    check(1e-310, 1.0, 2.0, 1.0);
    check(1e-310, 1e10, 2.0, -1e-320);
    check(1e-310, 1e300, 2.0, 1e300);
    check(1.0, 2.0, 3.0, 4.0);
    check(1e-30f, 1e-30f, 1e30f, 1e30f);
    check(1e30f, 1e30f, -1e-30f, 1e-30f);
    check(1e-30f, 1e-25f, 1.0f, 3.0f);
    check(1e30f, 2e20f, 3.0f, 1.0f);
    check(1e-40f, 1e10f, 2.0f, 1.0f);
    // The second derivatives of the determinant of diag(a, b, c) are the products of what is left: c in a and b.
    const auto second = [](const D& diagonal) {
        return hessian<double>([](const auto& v) { return det(v * v.tape().constant(D(xt::eye<double>(3)))); }, diagonal);
    };
    const D found = second(D{1e-200, 1e-150, 1e10});
    CHECK(found(0, 1) == Approx(1e10).epsilon(1e-13));
    CHECK(found(1, 0) == Approx(1e10).epsilon(1e-13));
    CHECK(found(0, 2) == Approx(1e-150).epsilon(1e-13));
    CHECK(found(2, 1) == Approx(1e-200).epsilon(1e-13));
    // In a batch the others stay as they are.
    Tape<double> tape;
    const auto batch = tape.variable(D{{{1e-200, 0}, {0, 1e-200}}, {{1, 2}, {3, 4}}, {{1e200, 0}, {1, 1e200}}});
    CHECK(elements(det(batch).value()) == std::vector<double>{0, det(slice(batch, 0, {1, 2})).item(), infinity});
    const D gradient = backward(sum(where(tape.constant(D{1, 1, 0}), det(batch), 0)))[batch];
    const std::vector<double> expected{1e-200, 0, 0, 1e-200, 4, -3, -2, 1, 0, 0, 0, 0};
    for (std::size_t i = 0; i < 12; ++i) CHECK(gradient.data()[i] == Approx(expected[i]).epsilon(1e-13).margin(1e-300));
}

TEST_CASE("linear algebra: decompositions of the largest and the smallest numbers") {
    Tape<double> tape;
    for (const double scale : {5e-324, 1e-310, 1e-200, 1.0, 1e200, 0.5e308}) {
        INFO(scale);
        // (2, 1; 1, 2) has the eigenvalues 1 and 3, and the factor (sqrt(2), 0; 1 / sqrt(2), sqrt(3 / 2)).
        const auto a = tape.variable(D{{2 * scale, scale}, {scale, 2 * scale}});
        const double lost = 4 * 5e-324;
        const auto values = eigvalsh(a).value();
        CHECK(std::fabs(values(0) - scale) <= 1e-15 * 3 * scale + lost);
        CHECK(std::fabs(values(1) - 3 * scale) <= 1e-15 * 3 * scale + lost);
        const D slopes = backward(sum(slice(eigvalsh(a), 0, {1, 2})))[a];
        for (const double each : slopes) CHECK(each == Approx(0.5).epsilon(1e-14));
        const D factor = cholesky(a).value();
        CHECK(factor(0, 0) == Approx(std::sqrt(2 * scale)).epsilon(1e-14));
        CHECK(factor(1, 0) == Approx(std::sqrt(scale) / std::sqrt(2.0)).epsilon(1e-14));
        CHECK(factor(1, 1) == Approx(std::sqrt(scale) * std::sqrt(1.5)).epsilon(1e-14));
        CHECK(slogdet(a).logabsdet.item() == Approx(std::log(3) + 2 * std::log(scale)).epsilon(1e-14));
        // With b = a (1, 2)', and a' (1, 2)', which is the same, in both ways to solve.
        const auto b = tape.variable(D{4 * scale, 5 * scale});
        const auto x = solve(a, b);
        if (std::isfinite(b.value()(1))) {
            CHECK(x.value()(0) == Approx(1).epsilon(1e-14));
            CHECK(x.value()(1) == Approx(2).epsilon(1e-14));
        }
    }
    // The smallest and the largest numbers in one row.
    CHECK(det(tape.constant(D{{0, 1e300}, {1e-305, 2e300}})).item() == Approx(-1e-5).epsilon(1e-13));
    CHECK(inv(tape.constant(D{{0, 1e300}, {1e-305, 2e300}})).value()(1, 0) == Approx(1e-300).epsilon(1e-13));
    const D full_range{{1e308, 1e308}, {-1e308, 1e308}};
    const double logarithm = std::log(2) + 2 * std::log(1e308);
    CHECK(slogdet(tape.constant(full_range)).logabsdet.item() == Approx(logarithm).epsilon(1e-14));
    CHECK(solve(tape.constant(full_range), tape.constant(D{1e308, 0})).value()(1) == Approx(0.5).epsilon(1e-14));
    // Rows of the smallest numbers beside others.
    const auto inverse = inv(tape.constant(D{{2e-308, 0}, {1, 1e5}})).value();
    CHECK(inverse(0, 0) == Approx(5e307).epsilon(1e-14));
    CHECK(inverse(1, 0) == Approx(-5e302).epsilon(1e-14));
    CHECK(inverse(1, 1) == Approx(1e-5).epsilon(1e-14));
    CHECK(det(tape.constant(D{{1e-310, 0}, {1e300, 1e305}})).item() == Approx(1e-5).epsilon(1e-13));
    CHECK(slogdet(tape.constant(D{{1e-310, 0}, {1, 1e305}})).logabsdet.item() == Approx(std::log(1e-5)).epsilon(1e-13));
    const auto a = tape.variable(D{{1e-307, 0}, {1, 1e5}}), b = tape.variable(D{1e-307, 3});
    const auto gradients = backward(sum(solve(a, b)));  // a'^-1 (1, 1)' is (1e307 (1 - 1e-5), 1e-5)
    CHECK(gradients[b](0) == Approx(1e307 * (1 - 1e-5)).epsilon(1e-14));
    CHECK(gradients[b](1) == Approx(1e-5).epsilon(1e-14));
}

TEST_CASE("linear algebra: rows and columns far from each other") {
    const auto check = [](const auto& matrix, const auto& inverse, auto expected_det) {
        using T = decltype(expected_det);
        INFO(matrix.data()[0] << " first, determinant " << expected_det);
        const auto near = [](T found, T expected) {
            return found == expected ||
                   std::fabs(found - expected) <= 8 * std::numeric_limits<T>::epsilon() * std::fabs(expected);
        };
        Tape<T> tape;
        const std::size_t n = matrix.shape()[0];
        const auto a = tape.variable(matrix);
        const auto y = det(a);
        CHECK(near(y.item(), expected_det));
        const Array<T> found = inv(a).value(), of_log = backward(slogdet(a).logabsdet)[a];
        const Array<T> plain = backward(y)[a], recorded = backward(y, {.create_graph = true})[a];
        for (std::size_t i = 0; i < n; ++i) {
            // The gradient of one element of a^-1 b in b is a row of the inverse.
            Array<T> unit = full<T>({n, 1}, T(0));
            unit(i, 0) = 1;
            const auto right = tape.variable(unit);
            const auto gradients = backward(sum(solve(a, right) * tape.constant(unit)));
            for (std::size_t j = 0; j < n; ++j) {
                INFO(i << ", " << j);
                CHECK(near(found(i, j), inverse(i, j)));
                CHECK(near(of_log(j, i), inverse(i, j)));
                CHECK(near(solve(a, right).value()(j, 0), inverse(j, i)));
                CHECK(near(gradients[right](j, 0), inverse(i, j)));
                const auto cofactor = static_cast<T>(static_cast<long double>(inverse(i, j)) * expected_det);
                CHECK(near(plain(j, i), cofactor));
                CHECK(near(recorded(j, i), cofactor));
            }
        }
    };
    // (s, s / 2; t / 4, t) has the determinant 7 / 8 s t and the inverse 8 / 7 (1 / s, -1 / (2 t); -1 / (4 s), 1 / t).
    const auto mixed = [&](auto s, auto t) {
        using T = decltype(s);
        using A = Array<T>;
        const T c = T(8) / T(7), d = T(static_cast<long double>(s) * t * 7 / 8);
        check(A{{s, s / 2}, {t / 4, t}}, A{{c / s, -c / 2 / t}, {-c / 4 / s, c / t}}, d);
        check(A{{t / 4, t}, {s, s / 2}}, A{{-c / 2 / t, c / s}, {c / t, -c / 4 / s}}, -d);
        check(A{{s, t / 4}, {s / 2, t}}, A{{c / s, -c / 4 / s}, {-c / 2 / t, c / t}}, d);
        check(A{{t / 4, s}, {t, s / 2}}, A{{-c / 2 / t, c / t}, {c / s, -c / 4 / s}}, -d);
    };
    mixed(1e-160, 1e160);
    mixed(1e-307, 100.0);
    mixed(1e-307, 1e300);
    mixed(1e-300, 1e70);
    mixed(1.0, 1e300);
    mixed(1e-20f, 1e20f);
    mixed(1e-37f, 100.0f);
    mixed(1e-37f, 1e35f);
    // Subnormal ones, the inverses of which are numbers.
    check(full<double>({1, 1}, 8e-309), full<double>({1, 1}, 1 / 8e-309), 8e-309);
    check(full<float>({1, 1}, 5e-39f), full<float>({1, 1}, 1 / 5e-39f), 5e-39f);
    check(D{{8e-309, 0}, {0, 1}}, D{{1 / 8e-309, 0}, {0, 1}}, 8e-309);
    // A small row, a large one, and an element of the inverse that both make.
    check(D{{1e-200, 0.25e-200}, {0, 1e200}}, D{{1e200, -0.25e-200}, {0, 1e-200}}, 1.0);
    // A right side that is small beside its row.
    Tape<double> tape;
    const auto x = solve(tape.constant(D{{1, 0}, {1e300, 1e-5}}), tape.constant(D{0, 1e-10}));
    CHECK(x.value()(1) == Approx(1e-5).epsilon(1e-14));
}

TEST_CASE("linear algebra: cholesky refuses what is not positive definite") {
    Tape<double> tape;
    const auto indefinite = tape.constant(D{{1, 2}, {2, 1}});
    CHECK_THAT(message_of<Error>([&] { cholesky(indefinite); }),
               contains("cholesky (node 1): the matrix is not positive definite: its pivot 1"));
    CHECK_THAT(message_of<Error>([&] {
                   cholesky(tape.constant(D{{{1, 0}, {0, 1}}, {{-1, 0}, {0, 1}}}));
               }),
               contains("matrix 1 of the batch"));
}

TEST_CASE("linear algebra: cholesky and eigh take the symmetric part, and their gradients are symmetric") {
    Tape<double> tape;
    const auto skewed = tape.variable(D{{5, 3}, {-1, 4}}), symmetric = tape.variable(D{{5, 1}, {1, 4}});
    CHECK(cholesky(skewed).value() == cholesky(symmetric).value());
    CHECK(eigvalsh(skewed).value() == eigvalsh(symmetric).value());
    CHECK(eigh(skewed).eigenvectors.value() == eigh(symmetric).eigenvectors.value());
    const D of_cholesky = backward(sum(square(square(cholesky(skewed)))))[skewed];
    CHECK(of_cholesky(0, 1) == of_cholesky(1, 0));
    const D of_eigh = backward(sum(square(square(eigh(skewed).eigenvectors))))[skewed];
    CHECK(of_eigh(0, 1) == of_eigh(1, 0));
}

TEST_CASE("linear algebra: equal eigenvalues have first derivatives, their eigenvectors none") {
    Tape<double> tape;
    // 2 and twice 1, turned so that the equal ones differ by rounding.
    const auto turn = tape.constant(D{{2. / 3, -1. / 3, 2. / 3}, {2. / 3, 2. / 3, -1. / 3}, {-1. / 3, 2. / 3, 2. / 3}});
    const auto values = tape.constant(D{1, 1, 2});
    const auto a = tape.variable(matmul(turn * values, turn, {.b = true}).value());
    const auto [w, v] = eigh(a);
    const D of_values = backward(sum(square(w)))[a];  // sum of squares: 2 a
    CHECK(norm(D(of_values - 2 * a.value())) <= 1e-14 * norm(of_values));
    CHECK(norm(D(backward(sum(square(eigvalsh(a))))[a] - of_values)) <= 1e-14 * norm(of_values));
    {
        Tape<double> own;  // the tangents of eigenvectors on the same tape would be asked for too
        const auto same = own.variable(a.value());
        CHECK(tangent(sum(square(eigvalsh(same))), {{same, D(xt::eye<double>(3))}})() == Approx(2 * 4));
    }
    const auto of_vectors = sum(square(v) * values);
    CHECK_THAT(message_of<Error>([&] { backward(of_vectors); }),
               contains("eigh: eigenvalues 0 and 1 are equal but for rounding"));
    CHECK_THROWS_AS(tangent(v, {{a, D{{1, 2, 3}, {2, 4, 5}, {3, 5, 6}}}}), Error);
    CHECK_THROWS_AS(hessian<double>([](const auto& each) { return sum(eigvalsh(each)); }, a.value()), Error);
}

TEST_CASE("linear algebra: a NaN or an infinity in a matrix makes all of its result NaN, and no other's") {
    for (const double special : {not_a_number, infinity, -infinity}) {
        Tape<double> tape;
        const auto a = tape.constant(D{{{2, 1}, {1, special}}, {{2, 1}, {1, 2}}});
        const auto vector = tape.constant(D{1, 1});
        const auto check = [&](const char* name, const Var<double>& y) {
            INFO(name << " with " << special);
            CHECK(all_nan(slice(y, 0, {0, 1}).value()));
            const D other = slice(y, 0, {1, 2}).value();
            CHECK(std::none_of(other.begin(), other.end(), [](double each) { return std::isnan(each); }));
        };
        check("solve", solve(a, vector));
        check("inv", inv(a));
        check("det", det(a));
        check("slogdet sign", slogdet(a).sign);
        check("slogdet", slogdet(a).logabsdet);
        check("eigenvalues", eigh(a).eigenvalues);
        check("eigenvectors", eigh(a).eigenvectors);
        check("eigvalsh", eigvalsh(a));
        // The triangle above the diagonal is 0 whatever comes.
        const D l = cholesky(a).value();
        CHECK(std::isnan(l(0, 0, 0)));
        CHECK(l(0, 0, 1) == 0);
        CHECK(std::isnan(l(0, 1, 1)));
        CHECK(l(1, 0, 0) == std::sqrt(2.0));
    }
}

TEST_CASE("linear algebra: large batches, shared between threads or not, give what single products give") {
    Rng rng(10);
    const int before = num_threads();
    for (const int threads : {1, 3}) {
        set_num_threads(threads);
        for (const Transpose flags : {Transpose{false, false}, {true, false}, {false, true}, {true, true}}) {
            Tape<double> tape;
            // 2 x 40 x 64 x 50 x 64 operations: worth sharing, by whole products forward and by parts of them for
            // shared factors backward.
            const auto a = tape.variable(random_in(rng, flags.a ? Shape{64, 64} : Shape{64, 64}, -1, 1));
            const auto b = tape.variable(random_in(rng, flags.b ? Shape{80, 50, 64} : Shape{80, 64, 50}, -1, 1));
            const auto y = matmul(a, b, flags);
            const D g = random_in(rng, y.shape(), -1, 1);
            const auto gradients = backward(sum(y * tape.constant(g)));
            D a_gradient = full<double>({64, 64}, 0);
            double worst = 0, worst_b = 0;
            for (std::size_t k = 0; k < 80; ++k) {
                Tape<double> one;
                const auto part = [&](const D& x) {
                    const Shape shape{x.shape()[1], x.shape()[2]};
                    D out = empty<double>(shape);
                    std::copy_n(x.data() + k * out.size(), out.size(), out.data());
                    return out;
                };
                const auto x = one.variable(a.value()), z = one.variable(part(b.value()));
                const auto product = matmul(x, z, flags);
                const auto own = backward(sum(product * one.constant(part(g))));
                a_gradient += own[x];
                worst = std::max(worst, norm(D(product.value() - part(y.value()))));
                worst_b = std::max(worst_b, norm(D(own[z] - part(gradients[b]))));
            }
            CHECK(worst < 1e-12);
            CHECK(worst_b < 1e-12);
            CHECK(norm(D(a_gradient - gradients[a])) < 1e-12 * norm(a_gradient));
        }
    }
    set_num_threads(before);
}

TEST_CASE("linear algebra: a contraction that is refused leaves no node") {
    Tape<double> tape;
    const auto x = tape.variable(D{1, 2, 3}), m = tape.variable(full<double>({2, 3}, 1.0));
    CHECK_THROWS_AS(matmul(x, m), ShapeError);
    CHECK_THROWS_AS(outer(x, m), ShapeError);
    CHECK_THROWS_AS(vecdot(x, m, 0), ShapeError);
    CHECK_THROWS_AS(trace(x), ShapeError);
    CHECK_THROWS_AS(solve(m, x), ShapeError);
    CHECK_THROWS_AS(tensordot(x, m, 1), ShapeError);
    CHECK_THROWS_AS(einsum("i,ij->j", x, m), ShapeError);
    CHECK_THROWS_AS(conv2d(x, m), ShapeError);
    CHECK_THROWS_AS(max_pool2d(m, 2), ShapeError);
    CHECK_THROWS_AS(cross_entropy(m, {0, 3}), ShapeError);
    CHECK_THROWS_AS(layer_norm(m, m, reshape(x, {3, 1})), ShapeError);
    CHECK(tape.size() == 3);
}
