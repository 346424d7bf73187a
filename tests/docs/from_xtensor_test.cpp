// docs/from-xtensor.md: its program by xtensor and on a tape, what goes in and comes out, and each row of its table, xtensor's
// function beside the op.
#include <autograd/autograd.hpp>
#include <autograd/catch2.hpp>

#include <utility>

#if __has_include(<xtensor/containers/xtensor.hpp>)
#include <xtensor/containers/xfixed.hpp>
#include <xtensor/containers/xtensor.hpp>
#include <xtensor/core/xmath.hpp>
#include <xtensor/core/xvectorize.hpp>
#include <xtensor/generators/xbuilder.hpp>
#include <xtensor/misc/xmanipulation.hpp>
#include <xtensor/misc/xsort.hpp>
#include <xtensor/reducers/xnorm.hpp>
#include <xtensor/views/xstrided_view.hpp>
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xbuilder.hpp>
#include <xtensor/xfixed.hpp>
#include <xtensor/xmanipulation.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xnorm.hpp>
#include <xtensor/xsort.hpp>
#include <xtensor/xstrided_view.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xvectorize.hpp>
#include <xtensor/xview.hpp>
#endif
#include <xtensor-blas/xlinalg.hpp>

#include "tests/testing.hpp"

using namespace autograd;

namespace from_xtensor {

double cost_of_arrays(const xt::xarray<double>& x, const xt::xarray<double>& w, const xt::xarray<double>& target) {
    const xt::xarray<double> centred = x - xt::mean(x, {0});
    const xt::xarray<double> logits = xt::linalg::dot(centred, w);
    const xt::xarray<double> shifted = logits - xt::view(xt::amax(logits, {1}), xt::all(), xt::newaxis());
    const xt::xarray<double> log_sum = xt::log(xt::sum(xt::exp(shifted), {1}));
    return xt::mean(log_sum - xt::sum(shifted * target, {1}))();
}

template <class T>
Var<T> cost_on_tape(const Var<T>& x, const Var<T>& w, const Var<T>& target) {
    const auto centred = x - mean(x, {0});
    const auto logits = matmul(centred, w);
    const auto shifted = logits - view(max(logits, {1}), xt::all(), xt::newaxis());
    const auto log_sum = log(sum(exp(shifted), {1}));
    return mean(log_sum - sum(shifted * target, {1}));
}

}  // namespace from_xtensor

using namespace from_xtensor;

TEST_CASE("from xtensor: a program made differentiable has the same value, a right gradient, and descends") {
    const xt::xarray<double> x = sample<double>({5, 3}), target = {{1, 0}, {0, 1}, {1, 0}, {1, 0}, {0, 1}};
    xt::xarray<double> weights = sample<double>({3, 2}, 2);
    const double before = cost_of_arrays(x, weights, target);
    {
        Tape<double> tape;
        const auto w = tape.variable(weights);
        const auto cost = cost_on_tape(tape.constant(x), w, tape.constant(target));
        const xt::xarray<double> slope = backward(cost)[w];
        weights -= 0.1 * slope;
        CHECK(cost.item() == Approx(before).epsilon(1e-14));
    }
    CHECK(cost_of_arrays(x, weights, target) < before);
    const auto f = [](Var<double> a, Var<double> b, Var<double> c) { return cost_on_tape(a, b, c); };
    REQUIRE_THAT(f, HasCorrectGradient(x, weights, target).order(2));
}

TEST_CASE("from xtensor: arrays of all kinds go in, element by element the same") {
    Tape<double> tape;
    const xt::xtensor<double, 2> a = {{1, 2, 3}, {4, 5, 6}};
    const xt::xarray<double, xt::layout_type::column_major> by_columns = a;
    const xt::xtensor_fixed<double, xt::xshape<2, 3>> fixed = a;
    const xt::xarray<int> whole = a;
    const Array<double> expected{{1, 2, 3}, {4, 5, 6}};
    CHECK(tape.variable(a).value() == expected);
    CHECK(tape.variable(by_columns).value() == expected);
    CHECK(elements(tape.constant(by_columns).value()) == std::vector<double>{1, 2, 3, 4, 5, 6});
    CHECK(tape.constant(fixed).value() == expected);
    CHECK(tape.constant(whole).value() == expected);
    CHECK(tape.constant(2 * a + 1).value() == Array<double>{{3, 5, 7}, {9, 11, 13}});
    CHECK(tape.constant(xt::view(a, xt::all(), 2)).value() == Array<double>{3, 6});
    CHECK(Parameter<double>(by_columns).value() == expected);
    Tape<float> floats;
    CHECK(floats.constant(a / 3).value()(0, 0) == static_cast<float>(1 / 3.0));
}

TEST_CASE("from xtensor: what is moved is not copied, and an expression is evaluated once") {
    Tape<double> tape;
    Array<double> a = sample<double>({100, 100});
    const double* buffer = a.data();
    CHECK(tape.constant(std::move(a)).value().data() == buffer);

    std::size_t calls = 0;
    const Array<double> b = sample<double>({100});
    const auto counted = xt::vectorize([&calls](double each) { return ++calls, 2 * each; });
    CHECK(tape.constant(counted(b)).value() == Array<double>(2 * b));
    CHECK(calls == 100);
}

TEST_CASE("from xtensor: values and gradients take part in its expressions") {
    Tape<double> tape;
    const auto v = tape.variable(Array<double>{{1, 2}, {3, 4}});
    const auto gradients = backward(sum(square(v)));
    const xt::xtensor<double, 2> m = v.value();
    CHECK(m(1, 0) == 3);
    CHECK(xt::sum(xt::square(gradients[v]))() == 4 * 30);
}

TEST_CASE("from xtensor: a view is one op, in xtensor's words") {
    Tape<double> tape;
    const auto v = tape.variable(sample<double>({2, 6, 4, 3}));
    const std::size_t before = tape.size();
    const auto part = view(v, xt::all(), xt::range(1, 5), xt::newaxis(), 3, xt::ellipsis());
    CHECK(tape.size() == before + 1);
    const xt::xarray<double> shown =
        xt::strided_view(v.value(), {xt::all(), xt::range(1, 5), xt::newaxis(), 3, xt::ellipsis()});
    CHECK(part.value() == shown);
    const xt::xarray<double> gradient = backward(sum(part))[v];
    CHECK(xt::sum(gradient)() == 2 * 4 * 3);
    CHECK(xt::sum(xt::view(gradient, xt::all(), xt::range(1, 5), 3))() == 2 * 4 * 3);
    using namespace xt::placeholders;
    CHECK(view(v, 0, xt::range(4, _, -2)).value() == xt::xarray<double>(xt::view(v.value(), 0, xt::range(4, _, -2))));
}

TEST_CASE("from xtensor: each row of the table of functions") {
    Tape<double> tape;
    const auto same = [](const Var<double>& made, const auto& expression) {
        const xt::xarray<double> expected = expression;
        REQUIRE(made.shape() == Shape(expected.shape().begin(), expected.shape().end()));
        CHECK(xt::allclose(made.value(), expected, 1e-13, 1e-13));
    };
    const xt::xarray<double> a = sample<double>({3, 4}), b = sample<double>({3, 4}, 2), m = sample<double>({4, 4}, 3);
    const xt::xarray<double> cube = sample<double>({2, 3, 4}), vector = sample<double>({12}), thin = sample<double>({3, 1});
    const auto x = tape.constant(a), y = tape.constant(b), square_matrix = tape.constant(m), c = tape.constant(cube);
    same(max(x, {1}), xt::amax(a, {1}));
    same(min(x), xt::amin(a));
    same(sum(x, {1}, KeepDims::yes), xt::sum(a, {1}, xt::keep_dims));
    same(mean(x, {0}), xt::mean(a, {0}));
    same(prod(x, {1}), xt::prod(a, {1}));
    same(stddev(x), xt::stddev(a));
    same(argmax(x, 1), xt::cast<double>(xt::argmax(a, 1)));
    same(var(x), xt::variance(a));
    same(count_nonzero(x), xt::cast<double>(xt::count_nonzero(a)));
    CHECK(any(x > 0.5).item() == xt::any(a > 0.5));
    CHECK(all(x > -2).item() == xt::all(a > -2));
    same(vector_norm(x, {1}), xt::norm_l2(a, {1}));
    same(cumulative_sum(x, 1), xt::cumsum(a, 1));
    same(cumulative_prod(x, 1), xt::cumprod(a, 1));
    same(diff(x), xt::diff(a));
    same(permute_dims(x, {1, 0}), xt::transpose(a));
    same(permute_dims(c, {1, 0, 2}), xt::transpose(cube, {1, 0, 2}));
    same(expand_dims(x, 1), xt::expand_dims(a, 1));
    same(squeeze(tape.constant(thin), 1), xt::squeeze(thin, 1));
    same(flip(x, 0), xt::flip(a, 0));
    same(roll(x, 1, 1), xt::roll(a, 1, 1));
    same(repeat(x, 2, 1), xt::repeat(a, 2, 1));
    // What xt::tile and xt::pad say they give; xtensor 0.24's throw bad_alloc where g++ 12 optimises.
    xt::xarray<double> tiled = xt::zeros<double>({6, 12}), padded = xt::zeros<double>({4, 6});
    for (std::size_t i = 0; i < 6; ++i) {
        for (std::size_t j = 0; j < 12; ++j) tiled(i, j) = a(i % 3, j % 4);
    }
    same(tile(x, {2, 3}), tiled);
    xt::view(padded, xt::range(1, 4), xt::range(0, 4)) = a;
    same(pad(x, {{1, 0}, {0, 2}}), padded);
    same(reshape(x, {2, 6}), xt::reshape_view(a, {2, 6}));
    same(reshape(x, {inferred}), xt::flatten(a));
    same(broadcast_to(tape.constant(thin), {3, 4}), xt::broadcast(thin, {3, 4}));
    same(concat({x, y}, 1), xt::concatenate(xt::xtuple(a, b), 1));
    same(stack({x, y}), xt::stack(xt::xtuple(a, b)));
    same(split(c, 3, 1)[1], xt::split(cube, 3, 1)[1]);
    same(take(x, {0, 2}, 0), xt::view(a, xt::keep(0, 2)));
    same(tril(square_matrix), xt::tril(m));
    same(triu(square_matrix), xt::triu(m));
    same(diagonal(square_matrix), xt::diagonal(m));
    same(where(x > 0, x, y), xt::where(a > 0, a, b));
    same(clip(x, 0, 1), xt::clip(a, 0, 1));
    same(matmul(x, square_matrix), xt::linalg::dot(a, m));
    same(tensordot(x, square_matrix, 1), xt::linalg::tensordot(a, m, 1));
    same(outer(tape.constant(vector), tape.constant(vector)), xt::linalg::outer(vector, vector));
    const xt::xarray<double> positive = xt::linalg::dot(m, xt::transpose(m)) + xt::eye<double>(4);
    const auto definite = tape.constant(positive);
    same(solve(definite, square_matrix), xt::linalg::solve(positive, m));
    same(inv(definite), xt::linalg::inv(positive));
    CHECK(det(definite).item() == Approx(xt::linalg::det(positive)).epsilon(1e-12));
    same(cholesky(definite), xt::linalg::cholesky(positive));
    same(remainder(x, 0.3), a - 0.3 * xt::floor(a / 0.3));
}
