// The specs of the matrix products, with their values by three plain loops.
#include "autograd/ops/matmul.hpp"

#include "tests/specs/instances.hpp"
#include "tests/specs/registry.hpp"

namespace autograd::specs {

Instance matmul_of(const Shape& a, const Shape& b, Transpose transpose) {
    const bool row = a.size() == 1, column = b.size() == 1;  // which is not transposed
    const auto leading = [](const Shape& shape) { return shape.size() < 2 ? Shape{} : Shape(shape.begin(), shape.end() - 2); };
    const Shape left = leading(a), right = leading(b);
    Shape result(std::max(left.size(), right.size()), 1);
    for (const Shape& each : {left, right}) {
        const std::size_t offset = result.size() - each.size();
        for (std::size_t axis = 0; axis < each.size(); ++axis) {
            if (each[axis] != 1) result[offset + axis] = each[axis];
        }
    }
    const std::size_t rank = result.size();
    const std::size_t inner = row ? a[0] : a[a.size() - (transpose.a ? 2 : 1)];
    if (!row) result.push_back(a[a.size() - (transpose.a ? 1 : 2)]);
    if (!column) result.push_back(b[b.size() - (transpose.b ? 2 : 1)]);
    const auto places = [=](const Index& index) {
        const Index batch(index.begin(), index.begin() + signed_of(rank));
        const auto place = [&](std::size_t k, const Shape& own, std::size_t first, std::size_t second) {
            Index at = broadcast_source(batch, own);
            at.push_back(first);
            at.push_back(second);
            return Place{k, at};
        };
        std::vector<Place> list;
        for (std::size_t k = 0; k < inner; ++k) {
            const std::size_t i = row ? 0 : index[rank], j = column ? 0 : index.back();
            list.push_back(row ? Place{0, {k}} : transpose.a ? place(0, left, k, i) : place(0, left, i, k));
            list.push_back(column ? Place{1, {k}} : transpose.b ? place(1, right, j, k) : place(1, right, k, j));
        }
        return list;
    };
    return {.text = to_string(a) + (transpose.a ? "'" : "") + " " + to_string(b) + (transpose.b ? "'" : ""),
            .shapes = {a, b},
            .call = [=](auto v) { return matmul(v[0], v[1], transpose); },
            .definition = {.shape = result, .places = places, .fold = sum_of_products}};
}

namespace {

OpCase product_case(const Shape& a, const Shape& b, Transpose transpose) {
    const Instance product = matmul_of(a, b, transpose);
    return chosen(product.text, product);
}

OpSpec matmul_spec() {
    // At most 40 terms, half an ulp each.
    OpSpec spec{.name = "matmul", .documentation = ops::words::matmul, .ulps = 20};
    for (const bool a : {false, true}) {
        for (const bool b : {false, true}) {
            for (const auto& [rows, inner, columns] : {std::array<std::size_t, 3>{2, 3, 4},
                                                       {1, 1, 1},
                                                       {17, 33, 9},
                                                       {5, 1, 7},
                                                       {1, 40, 1},
                                                       {0, 3, 2},
                                                       {2, 0, 3},
                                                       {3, 2, 0}}) {
                spec.cases.push_back(product_case(a ? Shape{inner, rows} : Shape{rows, inner},
                                                  b ? Shape{columns, inner} : Shape{inner, columns}, {a, b}));
            }
        }
    }
    spec.cases.push_back(chosen("x x", with_inputs(matmul_of({4, 4}, {4, 4}, {}), {0, 0})));
    spec.cases.push_back(chosen("x x'", with_inputs(matmul_of({3, 5}, {3, 5}, {.b = true}), {0, 0})));
    for (const auto& [a, b] : std::vector<std::array<Shape, 2>>{{Shape{3}, {3}},
                                                                {Shape{3}, {3, 4}},
                                                                {Shape{2, 3}, {3}},
                                                                {Shape{0}, {0}},
                                                                {Shape{3}, {5, 3, 2}},
                                                                {Shape{2, 4, 3}, {3}},
                                                                {Shape{4, 2, 3}, {4, 3, 5}},
                                                                {Shape{4, 2, 3}, {3, 5}},
                                                                {Shape{2, 3}, {4, 3, 5}},
                                                                {Shape{1, 2, 3}, {3, 4}},
                                                                {Shape{0, 2, 3}, {3, 4}},
                                                                {Shape{2, 3}, {0, 3, 4}},
                                                                {Shape{3, 2, 0}, {0, 4}},
                                                                {Shape{2, 1, 2, 3}, {4, 3, 5}},
                                                                {Shape{1, 2, 3}, {4, 3, 2}},
                                                                {Shape{2, 3, 17, 9}, {2, 1, 9, 5}}}) {
        spec.cases.push_back(product_case(a, b, {}));
        if (a.size() > 1 && b.size() > 1) {
            const auto swapped = [](Shape shape) {
                std::swap(shape[shape.size() - 1], shape[shape.size() - 2]);
                return shape;
            };
            spec.cases.push_back(product_case(swapped(a), b, {.a = true}));
            spec.cases.push_back(product_case(a, swapped(b), {.b = true}));
            spec.cases.push_back(product_case(swapped(a), swapped(b), {.a = true, .b = true}));
        }
    }
    const auto call = [](auto v) { return matmul(v[0], v[1]); };
    spec.misuses = {
        {{{2, 3}, {2, 3}}, call, {"matmul (node 2)", "(2, 3) and (2, 3)", "inner extents", "3 and 2"}},
        {{{}, {3, 2}}, call, {"matmul", "left factor", "()"}},
        {{{2, 3}, {}}, call, {"matmul", "right factor", "()"}},
        {{{4}, {3, 2}}, call, {"matmul", "(4,) and (3, 2)", "4 and 3"}},
        {{{2, 2, 3}, {3, 3, 2}}, call, {"matmul", "(2, 2, 3) and (3, 3, 2)", "leading axes, (2,) and (3,)"}},
        {{{2, 3}, {3, 2}},
         [](auto v) { return matmul(v[0], v[1], {.a = true}); },
         {"matmul", "(2, 3), transposed and (3, 2)", "2 and 3"}},
    };
    return spec;
}

OpSpec linear_spec() {
    OpSpec spec{.name = "linear", .documentation = ops::words::linear, .ulps = 20};
    for (const auto& [rows, inputs, outputs] :
         {std::array<std::size_t, 3>{2, 3, 4}, {1, 1, 1}, {9, 33, 17}, {0, 3, 2}, {3, 0, 2}}) {
        const Shape x{rows, inputs}, weight{outputs, inputs}, bias{outputs};
        spec.cases.push_back({.name = to_string(x) + " to " + to_string(bias),
                              .shapes = {x, weight, bias},
                              .call = [](auto v) { return linear(v[0], v[1], v[2]); },
                              .reference =
                                  [product = matmul_of(x, weight, {.b = true}).definition](Arrays v) {
                                      Array<double> y = product(v.first(2));
                                      for (std::size_t i = 0; i < y.shape()[0]; ++i) {
                                          for (std::size_t j = 0; j < y.shape()[1]; ++j) y(i, j) += v[2](j);
                                      }
                                      return y;
                                  }});
    }
    const auto call = [](auto v) { return linear(v[0], v[1], v[2]); };
    spec.misuses = {
        {{{2, 3}, {4, 2}, {4}}, call, {"linear", "(2, 3)", "3 features", "(4, 2)", "takes 2"}},
        {{{2, 3}, {4, 3}, {3}}, call, {"linear", "(4, 3)", "bias of shape (4,)", "(3,)"}},
        {{{2, 3}, {4, 3}, {1, 4}}, call, {"linear", "bias of shape (4,)", "(1, 4)"}},
        {{{3}, {4, 3}, {4}}, call, {"linear", "the input", "(3,)"}},
        {{{2, 3}, {3}, {4}}, call, {"linear", "the weight", "(3,)"}},
    };
    return spec;
}

}  // namespace

std::vector<OpSpec> matmul_specs() { return {matmul_spec(), linear_spec()}; }

}  // namespace autograd::specs
