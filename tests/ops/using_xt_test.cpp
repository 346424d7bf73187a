// The first line that a user of xtensor writes, `using namespace xt;`, beside Vars: every public function can be called all the
// same, of lvalues, const ones and temporaries, though xtensor has many of the same names that take anything whatever.
#include <xtensor/xarray.hpp>
#include <xtensor/xbuilder.hpp>
#include <xtensor/xindex_view.hpp>
#include <xtensor/xmanipulation.hpp>
#include <xtensor/xmasked_view.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xnorm.hpp>
#include <xtensor/xpad.hpp>
#include <xtensor/xrandom.hpp>
#include <xtensor/xsort.hpp>
#include <xtensor/xstrided_view.hpp>
#include <xtensor/xview.hpp>

#include <string>
#include <utility>
#include <vector>

#include "tests/testing.hpp"

// Axes are signed, and the programs of xtensor's users hold them in std::size_t.
#pragma GCC diagnostic ignored "-Wsign-conversion"

namespace first_line {

using namespace xt;
using autograd::KeepDims;

/// How many calls gave a result.
struct Count {
    int results = 0;
    template <class... Results>
    void operator()(const Results&...) {
        results += static_cast<int>(sizeof...(Results));
    }
};

// Of one, two and three operands, with scalars among them.
#define XTAPE_CALL_1(name) count(name(v), name(c), name(T(v)));
#define XTAPE_CALL_2(name) count(name(v, v), name(c, v), name(T(v), c), name(v, T(c)), name(1.5f, v), name(c, 2));
#define XTAPE_CALL_3(name) count(name(v, v, v), name(c, v, 0), name(T(v), 1, c), name(1, c, T(v)));
#define XTAPE_CALL(name, arity) XTAPE_CALL_##arity(name)

template <class T>
int elementwise(T v, const T c) {
    Count count;
    XTAPE_ELEMENTWISE_OPS(XTAPE_CALL)
    return count.results;
}

// By whatever integer an axis is given.
#define XTAPE_AXES(name)                                                                                               \
    count(name(v, 0), name(c, 0), name(T(v), 0), name(v, i), name(c, z), name(v, z), name(v, long_axis), name(v, {0}), \
          name(c, {0}), name(T(v), {0}), name(v, {i}), name(v, {long_axis}), name(v, list), name(v, axes));
#define XTAPE_REDUCES(name)                                                                                              \
    XTAPE_AXES(name)                                                                                                     \
    count(name(v), name(c), name(T(v)), name(v, {0, 1}), name(c, {}), name(v, KeepDims::yes), name(v, 0, KeepDims::yes), \
          name(c, z, KeepDims::yes), name(v, {0}, KeepDims::yes), name(T(v), {}, KeepDims::yes),                         \
          name(v, axes, KeepDims::yes));

/// v is of shape (1, 3, 3).
template <class T>
int of_shape_one_by_three_by_three(T v, const T c) {
    Count count;
    const int i = 0;
    const long long_axis = 0;
    std::size_t z = 0;
    const autograd::AxisList list{0};
    const autograd::Axes axes(0);
    XTAPE_REDUCES(sum)
    XTAPE_REDUCES(mean)
    XTAPE_REDUCES(max)
    XTAPE_REDUCES(min)
    XTAPE_REDUCES(prod)
    XTAPE_REDUCES(logsumexp)
    XTAPE_REDUCES(var)
    XTAPE_REDUCES(stddev)
    XTAPE_REDUCES(vector_norm)
    XTAPE_REDUCES(count_nonzero)
    XTAPE_REDUCES(any)
    XTAPE_REDUCES(all)
    XTAPE_AXES(expand_dims)
    XTAPE_AXES(squeeze)
    XTAPE_AXES(flip)
    XTAPE_AXES(softmax)
    XTAPE_AXES(log_softmax)
    XTAPE_AXES(layer_norm)
    count(softmax(v), log_softmax(c), layer_norm(T(v)), flip(v), flip(c), flip(T(v)), stddev(v, 0, KeepDims::no, 0.5));
    count(argmax(v), argmax(c, 1), argmax(T(v), i), argmax(v, z), argmax(v, 1, KeepDims::yes), argmin(v), argmin(c, 1),
          argmin(v, z));
    count(reshape(v, {9}), reshape(c, {3, 3}), reshape(T(v), {autograd::inferred}), broadcast_to(v, {2, 3, 3}), sum_to(c, {3}));
    count(permute_dims(v, {2, 1, 0}), matrix_transpose(c), moveaxis(v, 0, 1), moveaxis(T(v), {0}, {1}), moveaxis(c, i, z));
    count(slice(v, 1, {0, 2}), slice(c, {{}, {0, 2}}), unslice(v, {1, 4, 3}, 1, {0, 3}));
    count(view(v, xt::all(), 1), view(c, i, xt::ellipsis()), view(T(v), xt::newaxis(), z, xt::range(0, 2)), view(v, long_axis));
    count(unview(view(v, 0), v.shape(), 0), unview(T(v), {2, 3, 3}, xt::range(1, 2), xt::all()));
    count(roll(v, 1), roll(c, i), roll(v, 1, 0), roll(T(v), i, z), roll(v, long_axis, z), roll(v, {1, 1}, {0, 1}));
    count(pad(v, {{0, 0}, {1, 0}, {0, 1}}), pad(c, {{0, 0}, {1, 0}, {0, 1}}, 2.0), pad(T(v), {{0, 0}, {1, 0}, {0, 1}}));
    count(split(v, 3, 1), split(c, {1, 2}, 1), split(T(v), z + 1), split(v, i + 1), split(v, z + 1, z), unstack(v, 1),
          unstack(c));
    const autograd::Var<typename T::Element> many[] = {v, c};
    count(concat(std::span<const T>(many)), concat(std::vector{v, v}, 1), stack(std::vector{v, c}),
          stack(std::span<const T>(many), 1));
    count(take(v, {0, 2}, 1), take(c, std::vector<int>{0}, 0), take_along_axis(v, autograd::full<int>({1, 1, 3}, 0), 1));
    count(untake(v, {1, 5, 3}, {0, 2, 4}, 1), untake_along_axis(v, {1, 5, 3}, autograd::full<int>({1, 3, 3}, 0), 1));
    count(tril(v), tril(c, 1), tril(T(v), i), tril(v, long_axis), triu(v), triu(c, -1), triu(v, z), diagonal(v), diagonal(c, 1),
          diagonal(v, i));
    count(trace(v), trace(c, 1), tile(v, {2}), tile(c, {1, 2, 1}), tile(T(v), {2, 2}), repeat(v, 2, 0), repeat(c, i + 1, i));
    count(repeat(T(v), z, z), repeat(v, z, 0), repeat(v, 2, long_axis), repeat(v, {1, 0, 2}, 1), repeat(c, {2}, z));
    count(cumulative_sum(v, 0), cumulative_sum(c, z), cumulative_prod(v, 1), logcumsumexp(T(v), i), linear_recurrence(v, c, 1));
    count(diff(v), diff(c, 2), diff(T(v), i), diff(v, z, i), diff(v, 1, -1), diff(c, 1, z));
    count(matmul(v, c), matmul(v, T(v), {.a = true}), outer(reshape(v, {9}), reshape(c, {9})), vecdot(v, c),
          vecdot(c, T(v), -2));
    count(linear(reshape(v, {3, 3}), reshape(c, {3, 3}), sum(v, {0, 1})), tensordot(v, c, 0), tensordot(v, v, {1}, {1}));
    count(einsum("ijk,ijk->", v, c), einsum("ijk->k", c));
    const T spd =
        matmul(v, v, {.b = true}) +
        5 * autograd::Var<typename T::Element>(v.tape().constant(autograd::Array<float>{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}));
    count(solve(spd, v), inv(spd), det(spd), slogdet(spd), cholesky(spd), cholesky(spd, true), eigh(spd), eigvalsh(T(spd)));
    count(cross_entropy(v, {0, 1, 2}), straight_through(v, c), stop_gradient(v));
    const T picture = reshape(v, {1, 1, 3, 3}), weight = reshape(slice(v, 1, {0, 1}), {1, 1, 1, 3});
    count(unfold(picture, 2), fold(unfold(picture, 2), {1, 1, 3, 3}, 2), conv2d(picture, weight),
          conv2d(picture, weight, reshape(sum(c), {1})));
    count(conv_transpose2d(picture, weight), conv2d_weight(picture, {1, 1, 1, 3}, conv2d(picture, weight)),
          max_pool2d(picture, 2), avg_pool2d(T(picture), {2, 1}));
    count(v + c, v - 1, 2 * c, v / T(v), -v, v < c, v >= 0.5f, c != v);
    autograd::Rng rng(1);
    count(normal_like(v, rng), uniform_like(c, rng), bernoulli_like(sigmoid(v), rng));
    count(gradient_hook<float>(v, [](const auto&) {}), checkpoint([](const auto& x) { return exp(x); }, v));
    return count.results;
}

}  // namespace first_line

TEST_CASE("using namespace xt: every op can be called beside it") {
    autograd::Tape<float> tape;
    const auto values = autograd::Array<float>{{{0.5f, 1.5f, 0.25f}, {0.75f, 2.0f, 1.25f}, {1.0f, 0.125f, 3.0f}}};
    const auto v = tape.variable(values);
    CHECK(first_line::elementwise(v, v) > 300);
    CHECK(first_line::of_shape_one_by_three_by_three(v, v) > 400);
}
