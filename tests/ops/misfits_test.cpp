// Every op on inputs that it was not made for: of the registry, in each of its cases, and those that are called by their
// structures, which hold shapes and places of other inputs. An error, or a result; under a sanitizer nothing is read or written
// beside the arrays.
#include "tests/specs/registry.hpp"

#include <functional>
#include <new>

#include "tests/sanitizers.hpp"
#include "tests/testing.hpp"

using namespace autograd;
using Catch::Matchers::Equals;
using Catch::Matchers::StartsWith;

namespace {

std::vector<Shape> misfits() {
    std::vector<Shape> shapes{{},     {0},       {1},    {3},       {17},         {2, 3},       {3, 2},       {0, 3},
                              {3, 0}, {2, 3, 4}, {3, 3}, {1, 5, 1}, {1, 1, 1, 1}, {2, 1, 3, 3}, {1, 0, 2, 2}, {2, 2, 2, 2, 2}};
    // Without elements, but more of what is beside them than one can walk over. A sanitizer ends the program where an
    // allocation fails, as it must where the result has such an extent alone.
    if (!under_sanitizer) {
        const std::size_t large = std::size_t{1} << 45;
        for (const Shape& shape : {Shape{large, 0}, Shape{0, large}, Shape{large, 0, 0}, Shape{large, 1, 0, 0}}) {
            shapes.push_back(shape);
        }
    }
    return shapes;
}

/// The op, both sweeps and forward mode. Returns whether it gave a result.
template <class T>
bool outcome(const OpCall& call, const std::vector<Shape>& shapes) {
    try {
        Tape<T> tape;
        std::vector<Var<T>> inputs;
        for (const Shape& shape : shapes) inputs.push_back(tape.variable(sample<T>(shape)));
        const Var<T> y = call(inputs);
        CHECK(y.value().size() == element_count(y.shape()));
        if (!tape.node(y.index()).needs_gradient) return true;
        const Var<T> loss = sum(y * y);
        for (const bool create_graph : {false, true}) {
            const auto gradients = backward(loss, {.create_graph = create_graph});
            for (const auto& each : inputs) {
                const Array<T>* gradient = gradients.find(each);
                CHECK((gradient == nullptr || gradient->shape() == each.shape()));
            }
        }
        for (const auto& each : inputs) {
            try {
                tangent<T>(y, {{each, sample<T>(each.shape(), 2)}});
            } catch (const Error&) {
            }
        }
        return true;
    } catch (const Error&) {
        return false;
    } catch (const std::bad_alloc&) {
        return false;
    }
}

}  // namespace

TEST_CASE("misfits: every op of the registry, on inputs of other shapes and numbers", "[misfits]") {
    std::size_t results = 0, errors = 0;
    for (const OpSpec& spec : registry()) {
        std::vector<std::pair<OpCall, std::vector<Shape>>> calls;
        if (spec.is_elementwise()) calls.push_back({spec.call, std::vector<Shape>(spec.arity, Shape{2, 3})});
        for (const OpCase& each : spec.cases) calls.push_back({each.call, each.shapes});
        for (const auto& [call, shapes] : calls) {
            INFO(spec.name);
            const auto run = [&, &op = call](const std::vector<Shape>& given) {
                (outcome<float>(op, given) && outcome<double>(op, given) ? results : errors) += 1;
            };
            for (const Shape& misfit : misfits()) {
                run(std::vector<Shape>(shapes.size(), misfit));
                for (std::size_t k = 0; k < shapes.size() && shapes.size() > 1; ++k) {
                    std::vector<Shape> given = shapes;
                    given[k] = misfit;
                    run(given);
                }
            }
            run({});
            if (!shapes.empty()) run({shapes.begin(), shapes.end() - 1});
        }
    }
    CHECK(results > 1000);
    CHECK(errors > 1000);
}

namespace {

/// An op of inputs of other shapes than it is for: an error in both worlds, named after it, also where the result would be
/// added to an array.
template <class Call>
void check_refused(const char* name, const Call& call, const std::vector<Shape>& shapes, const Shape& target = {}) {
    INFO(name);
    Tape<double> tape;
    PoolVector<Var<double>> vars;
    PoolVector<Array<double>> arrays;
    PoolVector<Eager<double>> eager;
    arrays.reserve(shapes.size());
    for (const Shape& shape : shapes) {
        arrays.push_back(sample<double>(shape));
        vars.push_back(tape.variable(arrays.back()));
        eager.emplace_back(arrays.back());
    }
    CHECK_THAT(message_of<ShapeError>([&] { call(vars); }),
               StartsWith(std::string(name) + " (node " + std::to_string(shapes.size()) + "): "));
    CHECK(tape.size() == shapes.size());
    CHECK_THAT(message_of<ShapeError>([&] { call(eager).array(); }), StartsWith(std::string(name) + ": "));
    try {
        const Eager<double> pending = call(eager);
        if (!pending.is_pending()) return;
        Array<double> to = full<double>(target, 1);
        CHECK_THROWS_AS(pending.add_to(to), ShapeError);
        CHECK(elements(to) == std::vector<double>(to.size(), 1));
    } catch (const ShapeError&) {  // of what is computed at once
    }
}

}  // namespace

TEST_CASE("misfits: ops that hold shapes and places, on inputs of other shapes", "[misfits]") {
    const auto unsliced = [](const Shape& shape) { return [=](const auto& v) { return unslice(v[0], shape, 0, {1, 4}); }; };
    for (const Shape& shape : {Shape{}, Shape{2}, Shape{4}, Shape{3, 1}, Shape{100}}) {
        check_refused("unslice", unsliced({6}), {shape}, {6});
    }
    check_refused("unslice", unsliced({2}), {{3}}, {2});
    check_refused("unslice", unsliced({}), {{3}}, {});
    const auto selected = [](const ops::Selection& selection) {
        return [=](const auto& v) { return ops::selected(v[0], selection); };
    };
    for (const Shape& shape : {Shape{}, Shape{2}, Shape{0}, Shape{3}}) check_refused("slice", selected({0, 1, 1, 3}), {shape});
    check_refused("slice", selected({0, 5, -3, 3}), {{6}});
    check_refused("slice", selected({0, 1, 1, static_cast<std::size_t>(-1)}), {{6}});

    const auto untaken = [](const Shape& shape) { return [=](const auto& v) { return untake(v[0], shape, {5, 0, 5}, 0); }; };
    for (const Shape& shape : {Shape{}, Shape{2, 2}, Shape{3, 1}, Shape{3}, Shape{0, 2}}) {
        check_refused("untake", untaken({6, 2}), {shape}, {6, 2});
    }
    check_refused("untake", untaken({4, 2}), {{3, 2}}, {4, 2});
    const auto untaken_along = [](const Shape& shape) {
        return [=](const auto& v) { return untake_along_axis(v[0], shape, Array<int>{{5, 0}, {1, 1}}, 0); };
    };
    for (const Shape& shape : {Shape{}, Shape{2, 1}, Shape{3, 2}, Shape{1, 2}, Shape{4}}) {
        check_refused("untake_along_axis", untaken_along({6, 2}), {shape}, {6, 2});
    }
    check_refused("untake_along_axis", untaken_along({2, 2}), {{2, 2}}, {2, 2});
    for (const Shape& shape : {Shape{}, Shape{1, 2, 4, 4}, Shape{1, 9, 4}}) {
        check_refused("fold", [](const auto& v) { return fold(v[0], {1, 2, 4, 4}, 3); }, {shape}, {1, 2, 4, 4});
    }

    check_refused("reshape", [](const auto& v) { return reshape(v[0], {4}); }, {{3}});
    check_refused("permute_dims", [](const auto& v) { return permute_dims(v[0], {0, 2}); }, {{3, 3}});
    check_refused("sum_to", [](const auto& v) { return sum_to(v[0], {2}); }, {{3}});
    check_refused("broadcast_to", [](const auto& v) { return broadcast_to(v[0], {2}); }, {{3}});
    const auto recurrence = [](std::size_t axis) {
        return [=](const auto& v) { return ops::linear_recurrence(v[0], v[1], axis, Way::forwards, false); };
    };
    check_refused("linear_recurrence", recurrence(1), {{3}, {3}});
    check_refused("linear_recurrence", recurrence(0), {{3}, {4}});
}

TEST_CASE("misfits: extents whose product is beyond all sizes", "[misfits]") {
    const std::size_t half = std::size_t{1} << 63, large = std::size_t{1} << 40;
    for (const Shape& shape :
         {Shape{half, 2}, Shape{half + 1, 2}, Shape{0, half}, Shape{half, 0}, Shape{large, 0, large},
          Shape{static_cast<std::size_t>(-1)}, Shape{static_cast<std::size_t>(-3), 0}, Shape{large * 256}}) {
        INFO(to_string(shape));
        Rng rng(1);
        CHECK_THROWS_AS(empty<float>(shape), ShapeError);
        CHECK_THROWS_AS(full<double>(shape, 1), ShapeError);
        CHECK_THROWS_AS(rng.uniform<float>(shape), ShapeError);
        CHECK_THROWS_AS(rng.normal<double>(shape), ShapeError);
        CHECK(rng.draws() == 0);
        if (shape != Shape{large * 256}) CHECK_THROWS_AS(element_count(shape), ShapeError);
        CHECK_THROWS_AS(require_allocatable(shape, 1024), ShapeError);
        Tape<float> tape;
        const auto x = tape.variable(full<float>({1, 1, 1}, 1)), nothing = tape.variable(empty<float>({0}));
        CHECK_THROWS_AS(broadcast_to(x, shape), ShapeError);
        if (shape != Shape{autograd::inferred}) CHECK_THROWS_AS(reshape(nothing, shape), ShapeError);
        CHECK_THROWS_AS(tile(x, shape), ShapeError);
        CHECK_THROWS_AS(tile(reshape(nothing, {0, 1, 1}), shape), ShapeError);
        CHECK_THROWS_AS(sum_to(x, shape), ShapeError);
    }
    CHECK(element_count({large, 0, 256}) == 0);
    CHECK(element_count({std::size_t{1} << 48}) == std::size_t{1} << 48);
    CHECK_THROWS_AS(element_count({std::size_t{1} << 48, 2}), ShapeError);
    CHECK_THAT(message_of<ShapeError>([&] {
                   empty<float>({half, 2});
               }),
               Equals("empty: shape (9223372036854775808, 2) is too large for any memory"));
    CHECK_THAT(message_of<ShapeError>([&] {
                   full<float>({static_cast<std::size_t>(-5), 2}, 1);
               }),
               Equals("full: shape (-5, 2) has a negative extent"));

    // What is made of two shapes that are possible.
    Tape<float> tape;
    const auto column = tape.variable(empty<float>({large, 0})), row = tape.variable(empty<float>({0, large}));
    CHECK_THROWS_AS(matmul(column, row), ShapeError);
    CHECK_THROWS_AS(einsum("ij,jk->ik", column, row), ShapeError);
    CHECK_THROWS_AS(tensordot(column, row, 1), ShapeError);
    CHECK_THROWS_AS(column + reshape(row, {large, 1, 0}), ShapeError);
    CHECK_THROWS_AS(pad(column, {{0, 0}, {0, 1 << 20}}), ShapeError);
    CHECK_THROWS_AS(repeat(column, large, 0), ShapeError);
    CHECK_THROWS_AS(concat(std::vector(1000, reshape(column, {large * 16, 0})), 0), ShapeError);
    CHECK(outer(tape.variable(empty<float>({0})), tape.variable(empty<float>({3}))).shape() == Shape{0, 3});
    const auto picture = tape.variable(full<float>({1, 16, 1, 1}, 1));
    const std::size_t most = std::size_t{1} << 30;
    CHECK_THROWS_AS(unfold(picture, most, {.padding = most}), ShapeError);
    CHECK_THROWS_AS(max_pool2d(picture, most, {.stride = 1, .padding = most / 2}), ShapeError);
    CHECK_THROWS_AS(conv_transpose2d(tape.variable(empty<float>({1, 0, 1, 1})), tape.variable(empty<float>({0, large, 1, 1})),
                                     {.groups = most}),
                    ShapeError);
    CHECK_THROWS_AS(
        conv2d(tape.variable(empty<float>({1, 0, 1, 1})), tape.variable(empty<float>({0, 2, 1, 1})), {.groups = half}),
        ShapeError);

    // An array that xtensor made enters a tape, or a model.
    Array<float> wrapped;
    wrapped.resize({large, 0, large});
    CHECK_THROWS_AS(tape.variable(wrapped), ShapeError);
    CHECK_THROWS_AS(tape.constant(wrapped), ShapeError);
    CHECK_THROWS_AS(Parameter<float>(wrapped), ShapeError);
}

TEST_CASE("misfits: numbers that were negative are shown as negative", "[misfits]") {
    CHECK(as_written(0) == "0");
    CHECK(as_written(static_cast<std::size_t>(-1)) == "-1");
    CHECK(as_written(static_cast<std::size_t>(-1000000)) == "-1000000");
    CHECK(as_written(std::size_t{1} << 63) == "9223372036854775808");
    CHECK(to_string(Shape{static_cast<std::size_t>(-2)}) == "(-2,)");
    const auto minus = [](std::size_t n) { return 0 - n; };
    Tape<float> tape;
    const auto x = tape.variable(sample<float>({3})), matrix = tape.variable(sample<float>({3, 4}));
    const auto picture = tape.variable(sample<float>({1, 2, 4, 4})), weight = tape.variable(sample<float>({2, 2, 3, 3}));
    const std::vector<std::pair<std::vector<std::string>, std::function<void()>>> cases{
        {{"take (node 4): ", "index -1 (number 0 of them)", "signed type"},
         [&] { take(x, std::vector<std::size_t>{minus(1)}, 0); }},
        {{"take (node 4): ", "index -2 (number 1 of them)"},
         [&] {
             take(x, Array<std::uint64_t>{1, minus(2)}, 0);
         }},
        {{"take_along_axis (node 4): ", "index -1"}, [&] { take_along_axis(x, std::vector<std::size_t>{minus(1)}); }},
        {{"take (node 4): ", "number 0 of the indices: nan"}, [&] { take(x, Array<float>{NAN}, 0); }},
        {{"sum (node 4): ", "axis -1", "signed type"}, [&] { sum(x, minus(1)); }},
        {{"squeeze (node 4): ", "axis -1", "signed type"}, [&] { squeeze(x, minus(1)); }},
        {{"expand_dims (node 4): ", "axis -2", "signed type"}, [&] { expand_dims(x, minus(2)); }},
        {{"repeat (node 4): ", "counts (1, -1, 2)"},
         [&] {
             repeat(x, Shape{1, minus(1), 2}, 0);
         }},
        {{"repeat (node 4): ", "counts (1, 1, 1152921504606846976)"},
         [&] {
             repeat(x, Shape{1, 1, std::size_t{1} << 60}, 0);
         }},
        {{"repeat (node 4): ", "-1 repetitions"}, [&] { repeat(x, -1, 0); }},
        {{"tile (node 4): ", "-4 repetitions"}, [&] { tile(x, {minus(4)}); }},
        {{"split (node 4): ", "-2 equal parts"}, [&] { split(x, -2); }},
        {{"split (node 4): ", "0 equal parts"}, [&] { split(x, 0); }},
        {{"split (node 4): ", "sizes (4, -1)"},
         [&] {
             split(x, {4, minus(1)});
         }},
        {{"split (node 5): ", "-1 equal parts"}, [&] { split(tape.variable(empty<float>({0})), -1); }},
        {{"reshape (node 5): ", "(-3,)"}, [&] { reshape(x, {minus(3)}); }},
        {{"broadcast_to (node 5): ", "(-3, 3)"},
         [&] {
             broadcast_to(x, {minus(3), 3});
         }},
        {{"pad (node 5): ", "axis 0 of shape (3,)", "by -5 and 5"},
         [&] {
             pad(x, {{-5, 5}});
         }},
        {{"pad (node 5): ", "by 5 and -5"},
         [&] {
             pad(x, {{5, -5}});
         }},
        {{"pad (node 5): ", "by -2 and -2"},
         [&] {
             pad(x, {{-2, -2}});
         }},
        {{"tensordot (node 5): ", "-1 axes"}, [&] { tensordot(x, x, minus(1)); }},
        {{"unfold (node 5): ", "a kernel of -1 x -1"}, [&] { unfold(picture, minus(1)); }},
        {{"conv2d (node 5): ", "a stride of -1 x 1"},
         [&] {
             conv2d(picture, weight, {.stride = {minus(1), 1}});
         }},
        {{"conv2d (node 5): ", "a padding of -1 x -1"}, [&] { conv2d(picture, weight, {.padding = minus(1)}); }},
        {{"conv2d (node 5): ", "-2 groups"}, [&] { conv2d(picture, weight, {.groups = minus(2)}); }},
        {{"max_pool2d (node 5): ", "-3 x -3"}, [&] { max_pool2d(picture, minus(3)); }},
        {{"avg_pool2d (node 5): ", "a stride of -1"}, [&] { avg_pool2d(picture, 2, {.stride = minus(1)}); }},
        {{"cross_entropy (node 5): ", "number 1 of the right ones is -1"},
         [&] {
             cross_entropy(matrix, {0, minus(1), 0});
         }},
        {{"Rng::permutation: ", "-1"}, [&] { Rng(1).permutation(minus(1)); }},
        {{"reshape (node 5): ", "(5, inferred, inferred)", "only one extent"},
         [&] {
             reshape(x, {5, autograd::inferred, autograd::inferred});
         }},
        {{"reshape (node 5): ", "(0, inferred)", "0"},
         [&] {
             reshape(x, {0, autograd::inferred});
         }},
        {{"reshape (node 5): ", "(2, inferred)", "3 elements"},
         [&] {
             reshape(x, {2, autograd::inferred});
         }},
        {{"reshape (node 5): ", "(inferred, -2)"},
         [&] {
             reshape(x, {autograd::inferred, minus(2)});
         }},
    };
    for (const auto& [parts, call] : cases) {
        const std::string message = message_of<ShapeError>(call);
        INFO(message);
        CHECK_THAT(message, StartsWith(parts.front()));
        for (const std::string& part : parts) CHECK_THAT(message, contains(part));
    }
    CHECK(take(x, std::vector<std::size_t>{2, 0}, 0).shape() == Shape{2});
    CHECK(take(x, {-1}, 0).item() == x.value()(2));
    CHECK(pad(x, {{-3, 2}}).shape() == Shape{2});
    CHECK(repeat(x, 0, 0).shape() == Shape{0});
    CHECK(tile(x, {2, 0}).shape() == Shape{2, 0});
    CHECK(pad(x, {{-1, 5}}).shape() == Shape{7});
}

TEST_CASE("misfits: an error names the op that was called, not one that it is made of", "[misfits]") {
    Tape<double> tape, other;
    const std::vector<Parameter<double>> parameters{Parameter<double>(sample<double>({3})),
                                                    Parameter<double>(sample<double>({3, 3}))};
    for (const auto& each : parameters) tape.name_parameter(each.identity(), "encoder.hidden.weight");
    const auto x = tape.parameter(parameters[0]), m = tape.parameter(parameters[1]);
    const auto elsewhere = other.variable(sample<double>({3}));
    const auto none = tape.variable(empty<double>({0, 3}));
    using V = Var<double>;
    const std::vector<std::pair<std::string, std::function<void()>>> shapes{
        {"stack",
         [&] {
             stack({x, x}, 2);
         }},
        {"stack",
         [&] {
             stack({x, m});
         }},
        {"tile", [&] { tile(x, {std::size_t{1} << 46}); }},
        {"repeat", [&] { repeat(x, std::size_t{1} << 46, 0); }},
        {"repeat", [&] { repeat(x, 2, 1); }},
        {"repeat",
         [&] {
             repeat(x, {1, 1, 1}, 1);
         }},
        {"expand_dims", [&] { expand_dims(x, 5); }},
        {"squeeze", [&] { squeeze(x, 0); }},
        {"moveaxis", [&] { moveaxis(m, 0, 5); }},
        {"flip", [&] { flip(x, 3); }},
        {"roll",
         [&] {
             roll(m, {1, 1}, {0, 2});
         }},
        {"split", [&] { split(m, 2, 0); }},
        {"unstack", [&] { unstack(m, 2); }},
        {"matrix_transpose", [&] { matrix_transpose(x); }},
        {"diagonal", [&] { diagonal(x); }},
        {"trace", [&] { trace(x); }},
        {"outer", [&] { outer(x, m); }},
        {"vecdot", [&] { vecdot(x, m, -3); }},
        {"solve", [&] { solve(x, m); }},
        {"einsum", [&] { einsum("ij,k->ij", x, m); }},
        {"tensordot", [&] { tensordot(x, m, 2); }},
        {"matmul", [&] { matmul(x, reshape(m, {9})); }},
        {"vector_norm", [&] { vector_norm(none, 0, KeepDims::no, INFINITY); }},
        {"vector_norm", [&] { vector_norm(x, 2, KeepDims::no, 1); }},
        {"count_nonzero", [&] { count_nonzero(x, 1); }},
        {"any", [&] { any(x, 1); }},
        {"all", [&] { all(x, 1); }},
        {"max_pool2d", [&] { max_pool2d(x, 2); }},
        {"avg_pool2d", [&] { avg_pool2d(x, 2); }},
        {"conv2d", [&] { conv2d(x, m); }},
        {"conv_transpose2d", [&] { conv_transpose2d(x, m); }},
        {"layer_norm", [&] { layer_norm(x, m, x); }},
        {"linear_recurrence", [&] { linear_recurrence(x, m, 3); }},
        {"cumulative_sum", [&] { cumulative_sum(x, 1, IncludeInitial::yes); }},
        {"cumulative_prod", [&] { cumulative_prod(x, 1, IncludeInitial::yes); }},
        {"straight_through", [&] { straight_through(x, m); }},
        {"cross_entropy", [&] { cross_entropy(m, {1}); }},
    };
    for (const auto& [name, call] : shapes) {
        const std::string message = message_of<ShapeError>(call);
        INFO(message);
        CHECK_THAT(message, StartsWith(name + " (node "));
        CHECK_THAT(message, contains(name == "matmul" || name == "vector_norm" ? "): " : ", encoder.hidden): "));
    }
    // Vars of two tapes, and of one that was cleared.
    const std::vector<std::pair<std::string, std::function<void(V, V)>>> vars{
        {"stack",
         [](V a, V b) {
             stack({a, b});
         }},
        {"concat",
         [](V a, V b) {
             concat({a, b});
         }},
        {"outer", [](V a, V b) { outer(a, b); }},
        {"vecdot", [](V a, V b) { vecdot(a, b); }},
        {"matmul", [](V a, V b) { matmul(a, b); }},
        {"tensordot", [](V a, V b) { tensordot(a, b, 1); }},
        {"einsum", [](V a, V b) { einsum("i,i->", a, b); }},
        {"linear_recurrence", [](V a, V b) { linear_recurrence(a, b, 0); }},
        {"straight_through", [](V a, V b) { straight_through(a, b); }},
        {"layer_norm", [](V a, V b) { layer_norm(a, b, b); }},
    };
    for (const auto& [name, call] : vars) {
        CHECK_THAT(message_of<TapeError>([&, &op = call] { op(x, elsewhere); }),
                   StartsWith(name + ": node ") && contains(" is of another tape"));
    }
    const std::vector<std::pair<std::string, std::function<void(V)>>> cleared{
        {"tile", [](V a) { tile(a, {2}); }},
        {"repeat", [](V a) { repeat(a, 2, 0); }},
        {"sum", [](V a) { sum(a); }},
        {"flip", [](V a) { flip(a); }},
        {"roll", [](V a) { roll(a, 1); }},
        {"unstack", [](V a) { unstack(a); }},
        {"diagonal", [](V a) { diagonal(a); }},
        {"take", [](V a) { take(a, {0}, 0); }},
        {"slice", [](V a) { slice(a, 0, {}); }},
        {"softmax", [](V a) { softmax(a); }},
        {"cross_entropy", [](V a) { cross_entropy(a, {0}); }},
        {"normal_like",
         [](V a) {
             Rng rng(1);
             normal_like(a, rng);
         }},
        {"bernoulli_like",
         [](V a) {
             Rng rng(1);
             bernoulli_like(a, rng);
         }},
    };
    other.clear();
    for (const auto& [name, call] : cleared) {
        CHECK_THAT(message_of<TapeError>([&, &op = call] { op(elsewhere); }), StartsWith(name + ": node 0 was forgotten"));
    }
    Rng rng(1);
    CHECK_THAT(message_of<Error>([&] { bernoulli_like(x + 5, rng); }),
               StartsWith("bernoulli_like (node ") && contains("probability"));
    // A function of one's own is what was called; what failed in it is said beside its name.
    const auto own = custom_gradient<"own">([](const auto& a) { return matmul(a, a); },
                                            [](const auto& g, const auto&, const auto&) { return g; });
    CHECK_THAT(message_of<ShapeError>([&] {
                   own(tape.variable(sample<double>({2, 3})));
               }),
               StartsWith("own (node ") && contains(": matmul: shapes"));
}

TEST_CASE("misfits: numbers that ops take are checked", "[misfits]") {
    Tape<double> tape;
    const auto x = tape.variable(sample<double>({2, 3}));
    for (const double wrong : {NAN, INFINITY}) {
        CHECK_THAT(message_of<Error>([&] { var(x, {}, KeepDims::no, wrong); }), StartsWith("var (node 1): correction = "));
        CHECK_THAT(message_of<Error>([&] { stddev(x, {}, KeepDims::no, wrong); }),
                   StartsWith("stddev (node 1): correction = "));
    }
    for (const double wrong : std::initializer_list<double>{NAN, INFINITY, -1e-5}) {
        CHECK_THAT(message_of<Error>([&] { layer_norm(x, -1, wrong); }), StartsWith("layer_norm (node 1): epsilon = "));
        CHECK_THAT(message_of<Error>([&] { layer_norm(x, x, x, -1, wrong); }), StartsWith("layer_norm (node 1): epsilon = "));
    }
    CHECK_THROWS_AS(vector_norm(x, {}, KeepDims::no, NAN), ShapeError);
    CHECK_THROWS_AS(vector_norm(x, {}, KeepDims::no, -1), ShapeError);
}

TEST_CASE("misfits: {} stands for the options that are left out", "[misfits]") {
    Tape<float> tape({});
    const auto picture = tape.variable(sample<float>({1, 2, 4, 4})), weight = tape.variable(sample<float>({2, 2, 3, 3}));
    const auto bias = tape.variable(sample<float>({2}));
    CHECK(conv2d(picture, weight, {}).shape() == Shape{1, 2, 2, 2});
    CHECK(conv2d(picture, weight, bias, {}).shape() == Shape{1, 2, 2, 2});
    CHECK(conv_transpose2d(picture, weight, {}).shape() == Shape{1, 2, 6, 6});
    CHECK(conv_transpose2d(picture, weight, bias, {}).shape() == Shape{1, 2, 6, 6});
    CHECK(max_pool2d(picture, 2, {}).shape() == Shape{1, 2, 2, 2});
    CHECK(unfold(picture, 2, {}).shape() == Shape{1, 8, 9});
    CHECK(matmul(weight, weight, {}).shape() == weight.shape());
    CHECK(sum(picture, {}).shape() == Shape{});
    CHECK(flip(picture, {}).shape() == picture.shape());
    CHECK(backward(sum(bias), {}).find(bias) != nullptr);
    CHECK(tape.inference() == false);
}
