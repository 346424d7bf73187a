// The specs of the matrix products, with their values by three plain loops.
#include "autograd/ops/matmul.hpp"
#include "tests/specs/registry.hpp"

namespace autograd::specs {
namespace {

using Arrays = std::span<const Array<double>>;

Array<double> product(const Array<double>& a, const Array<double>& b, Transpose transpose) {
    const std::size_t rows = a.shape()[transpose.a ? 1 : 0];
    const std::size_t inner = a.shape()[transpose.a ? 0 : 1];
    const std::size_t columns = b.shape()[transpose.b ? 0 : 1];
    auto out = full<double>(broadcast_shapes({rows, 1}, {1, columns}), 0);  // of {rows, columns} g++ 12 warns, wrongly
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < columns; ++j) {
            for (std::size_t k = 0; k < inner; ++k) {
                out(i, j) += (transpose.a ? a(k, i) : a(i, k)) * (transpose.b ? b(j, k) : b(k, j));
            }
        }
    }
    return out;
}

OpCase product_case(std::size_t rows, std::size_t inner, std::size_t columns, Transpose transpose) {
    const Shape a = transpose.a ? Shape{inner, rows} : Shape{rows, inner};
    const Shape b = transpose.b ? Shape{columns, inner} : Shape{inner, columns};
    return {.name = to_string(a) + (transpose.a ? "'" : "") + " " + to_string(b) + (transpose.b ? "'" : ""),
            .shapes = {a, b},
            .call = [transpose](auto v) { return matmul(v[0], v[1], transpose); },
            .reference = [transpose](Arrays x) { return product(x[0], x[1], transpose); }};
}

/// The products of all pairs of matrices that broadcasting makes, with vectors as rows and columns.
Array<double> batched_product(Array<double> a, Array<double> b, Transpose transpose) {
    const bool row = a.dimension() == 1, column = b.dimension() == 1;
    if (row) a.reshape({1, a.size()}), transpose.a = false;
    if (column) b.reshape({b.size(), 1}), transpose.b = false;
    const auto leading = [](const Array<double>& x) { return Shape(x.shape().begin(), x.shape().end() - 2); };
    const Shape batch = broadcast_shapes(leading(a), leading(b));
    const auto matrix = [&](const Array<double>& x, std::size_t index) {
        const Shape own = leading(x);
        std::size_t place = 0, stride = 1;
        for (std::size_t back = 1; back <= batch.size(); ++back) {
            const std::size_t at = index % batch[batch.size() - back];
            index /= batch[batch.size() - back];
            if (back > own.size()) continue;
            const std::size_t extent = own[own.size() - back];
            place += (extent == 1 ? 0 : at) * stride;
            stride *= extent;
        }
        const std::size_t rows = x.shape()[x.dimension() - 2], columns = x.shape()[x.dimension() - 1];
        auto part = empty<double>({rows, columns});
        for (std::size_t i = 0; i < part.size(); ++i) part.data()[i] = x.data()[place * part.size() + i];
        return part;
    };
    const std::size_t rows = a.shape()[a.dimension() - (transpose.a ? 1 : 2)];
    const std::size_t columns = b.shape()[b.dimension() - (transpose.b ? 2 : 1)];
    Shape shape = batch;
    if (!row) shape.push_back(rows);
    if (!column) shape.push_back(columns);
    auto out = empty<double>(shape);
    for (std::size_t k = 0; k < element_count(batch); ++k) {
        const Array<double> part = product(matrix(a, k), matrix(b, k), transpose);
        for (std::size_t i = 0; i < part.size(); ++i) out.data()[k * part.size() + i] = part.data()[i];
    }
    return out;
}

OpCase batched_case(const Shape& a, const Shape& b, Transpose transpose) {
    return {.name = to_string(a) + (transpose.a ? "'" : "") + " " + to_string(b) + (transpose.b ? "'" : ""),
            .shapes = {a, b},
            .call = [transpose](auto v) { return matmul(v[0], v[1], transpose); },
            .reference = [transpose](Arrays x) { return batched_product(x[0], x[1], transpose); }};
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
                spec.cases.push_back(product_case(rows, inner, columns, {a, b}));
            }
        }
    }
    spec.cases.push_back({.name = "x x",
                            .shapes = {{4, 4}},
                            .call = [](auto v) { return matmul(v[0], v[0]); },
                            .reference = [](Arrays x) { return product(x[0], x[0], {}); }});
    spec.cases.push_back({.name = "x x'",
                            .shapes = {{3, 5}},
                            .call = [](auto v) { return matmul(v[0], v[0], {.b = true}); },
                            .reference = [](Arrays x) { return product(x[0], x[0], {.b = true}); }});
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
        spec.cases.push_back(batched_case(a, b, {}));
        if (a.size() > 1 && b.size() > 1) {
            const auto swapped = [](Shape shape) {
                std::swap(shape[shape.size() - 1], shape[shape.size() - 2]);
                return shape;
            };
            spec.cases.push_back(batched_case(swapped(a), b, {.a = true}));
            spec.cases.push_back(batched_case(a, swapped(b), {.b = true}));
            spec.cases.push_back(batched_case(swapped(a), swapped(b), {.a = true, .b = true}));
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
                                    [](Arrays v) {
                                        Array<double> y = product(v[0], v[1], {.b = true});
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
