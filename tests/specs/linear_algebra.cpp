// The specs of linear algebra. The references are the methods of a first course: Gauss's elimination, Cholesky's by
// its definition, Jacobi's rotations. Matrices are c I - a with small a: then the same of |a| is at least as large in
// every element, and so a scale of the rounding errors.
#include "autograd/ops/linear_algebra.hpp"
#include "autograd/ops/matmul.hpp"
#include "autograd/ops/shape.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "tests/specs/registry.hpp"

namespace autograd::specs {
namespace {

using Arrays = std::span<const Array<double>>;
using Matrix = std::vector<std::vector<double>>;

constexpr OpDomain small{-0.5, 0.5};
constexpr double shift = 3;

Matrix zeros(std::size_t rows, std::size_t columns) { return Matrix(rows, std::vector<double>(columns, 0)); }

Matrix matrix_at(const Array<double>& x, std::size_t index) {
    Matrix m = zeros(x.shape()[x.dimension() - 2], x.shape()[x.dimension() - 1]);
    std::size_t place = index * m.size() * x.shape()[x.dimension() - 1];
    for (auto& row : m) {
        for (double& each : row) each = x.data()[place++];
    }
    return m;
}

/// c I - a.
Matrix shifted_at(const Array<double>& x, std::size_t index) {
    Matrix m = matrix_at(x, index);
    for (std::size_t i = 0; i < m.size(); ++i) {
        for (std::size_t j = 0; j < m.size(); ++j) m[i][j] = (i == j ? shift : 0) - m[i][j];
    }
    return m;
}
template <class T>
Var<T> shifted(const Var<T>& a) {
    ops::require_matrix(a.shape());
    const std::size_t n = a.shape()[a.shape().size() - 1];
    auto shifts = full<T>({n, n}, T(0));
    for (std::size_t i = 0; i < n; ++i) shifts(i, i) = static_cast<T>(shift);
    return a.tape().constant(std::move(shifts)) - a;
}

/// Diagonal 3, 6, 9, ... minus a: eigenvalues that are apart.
Matrix spread_at(const Array<double>& x, std::size_t index) {
    Matrix m = matrix_at(x, index);
    for (std::size_t i = 0; i < m.size(); ++i) {
        for (std::size_t j = 0; j < m.size(); ++j) m[i][j] = (i == j ? 3 * static_cast<double>(i + 1) : 0) - m[i][j];
    }
    return m;
}
template <class T>
Var<T> spread(const Var<T>& a) {
    ops::require_matrix(a.shape());
    const std::size_t n = a.shape()[a.shape().size() - 1];
    auto diagonal_values = full<T>({n, n}, T(0));
    for (std::size_t i = 0; i < n; ++i) diagonal_values.data()[i * n + i] = static_cast<T>(3 * (i + 1));
    return a.tape().constant(std::move(diagonal_values)) - a;
}

Matrix symmetrised(Matrix m) {
    for (std::size_t i = 0; i < m.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) m[i][j] = m[j][i] = (m[i][j] + m[j][i]) / 2;
    }
    return m;
}

/// Reduces a to the identity, row by row, doing the same to b. Returns the determinant.
double eliminate(Matrix& a, Matrix& b) {
    double determinant = 1;
    for (std::size_t k = 0; k < a.size(); ++k) {
        std::size_t best = k;
        for (std::size_t i = k + 1; i < a.size(); ++i) {
            if (std::fabs(a[i][k]) > std::fabs(a[best][k])) best = i;
        }
        if (best != k) std::swap(a[k], a[best]), std::swap(b[k], b[best]), determinant = -determinant;
        const double pivot = a[k][k];
        determinant *= pivot;
        for (double& each : a[k]) each /= pivot;
        for (double& each : b[k]) each /= pivot;
        for (std::size_t i = 0; i < a.size(); ++i) {
            const double factor = a[i][k];
            if (i == k) continue;
            for (std::size_t j = 0; j < a.size(); ++j) a[i][j] -= factor * a[k][j];
            for (std::size_t j = 0; j < b[k].size(); ++j) b[i][j] -= factor * b[k][j];
        }
    }
    return determinant;
}

Matrix identity(std::size_t n) {
    Matrix m = zeros(n, n);
    for (std::size_t i = 0; i < n; ++i) m[i][i] = 1;
    return m;
}

double determinant_of(Matrix a) {
    Matrix b = identity(a.size());
    return eliminate(a, b);
}

Matrix lower_factor(const Matrix& a) {
    Matrix l = zeros(a.size(), a.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
            double rest = a[i][j];
            for (std::size_t k = 0; k < j; ++k) rest -= l[i][k] * l[j][k];
            l[i][j] = i == j ? std::sqrt(rest) : rest / l[j][j];
        }
    }
    return l;
}

/// Jacobi's method: (eigenvalues, eigenvectors as columns), ascending.
std::pair<std::vector<double>, Matrix> eigen(Matrix a) {
    const std::size_t n = a.size();
    Matrix v = identity(n);
    for (int sweep = 0; sweep < 30; ++sweep) {
        for (std::size_t p = 0; p < n; ++p) {
            for (std::size_t q = p + 1; q < n; ++q) {
                const double angle = 0.5 * std::atan2(2 * a[p][q], a[q][q] - a[p][p]);
                const double c = std::cos(angle), s = std::sin(angle);
                for (std::size_t k = 0; k < n; ++k) {
                    const double one = a[k][p], other = a[k][q];
                    a[k][p] = c * one - s * other, a[k][q] = s * one + c * other;
                }
                for (std::size_t k = 0; k < n; ++k) {
                    const double one = a[p][k], other = a[q][k];
                    a[p][k] = c * one - s * other, a[q][k] = s * one + c * other;
                }
                for (std::size_t k = 0; k < n; ++k) {
                    const double one = v[k][p], other = v[k][q];
                    v[k][p] = c * one - s * other, v[k][q] = s * one + c * other;
                }
            }
        }
    }
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return a[i][i] < a[j][j]; });
    std::vector<double> values;
    Matrix vectors = zeros(n, n);
    for (std::size_t k = 0; k < n; ++k) {
        values.push_back(a[order[k]][order[k]]);
        for (std::size_t i = 0; i < n; ++i) vectors[i][k] = v[i][order[k]];
    }
    return {values, vectors};
}

/// Calls of_matrix for each matrix of x; what it gives, one after another, is the result.
Array<double> for_each_matrix(const Array<double>& x, const Shape& shape, const std::function<Matrix(std::size_t)>& of_matrix) {
    auto out = empty<double>(shape);
    std::size_t place = 0;
    for (std::size_t i = 0; i < element_count(ops::leading(x.shape())); ++i) {
        for (const auto& row : of_matrix(i)) {
            for (const double each : row) out.data()[place++] = each;
        }
    }
    return out;
}

const std::vector<Shape>& square_shapes() {
    static const std::vector<Shape> shapes{{3, 3}, {1, 1}, {4, 4}, {2, 3, 3}, {2, 1, 2, 2}, {0, 0}, {0, 2, 2}};
    return shapes;
}

template <class Call>
std::vector<OpMisuse> square_misuses(const char* name, Call call) {
    return {{{{2, 3}}, call, {name, "square", "(2, 3)"}},
            {{{3}}, call, {name, "square", "(3,)"}},
            {{{}}, call, {name, "square", "()"}},
            {{{2, 2, 3}}, call, {name, "square", "(2, 2, 3)"}}};
}

OpSpec outer_spec() {
    OpSpec spec{.name = "outer", .documentation = ops::words::outer, .ulps = 0.5};
    const auto call = [](auto v) { return outer(v[0], v[1]); };
    for (const auto& [n, m] : {std::array<std::size_t, 2>{2, 3}, {1, 1}, {9, 17}, {0, 3}}) {
        spec.cases.push_back({.name = to_string(Shape{n, m}), .shapes = {{n}, {m}}, .call = call, .reference = [](Arrays x) {
                                  auto out = empty<double>(broadcast_shapes({x[0].size(), 1}, {1, x[1].size()}));
                                  for (std::size_t i = 0; i < x[0].size(); ++i) {
                                      for (std::size_t j = 0; j < x[1].size(); ++j) out(i, j) = x[0](i) * x[1](j);
                                  }
                                  return out;
                              }});
    }
    spec.misuses = {{{{2, 3}, {3}}, call, {"outer", "(2, 3) and (3,)", "vectors"}},
                    {{{2}, {}}, call, {"outer", "(2,) and ()", "vectors"}}};
    return spec;
}

OpSpec vecdot_spec() {
    OpSpec spec{.name = "vecdot", .documentation = ops::words::vecdot, .ulps = 10};
    const auto call = [](std::ptrdiff_t axis) { return [axis](auto v) { return vecdot(v[0], v[1], axis); }; };
    spec.cases = {{.name = "(5,) (5,)",
                   .shapes = {{5}, {5}},
                   .call = call(-1),
                   .reference =
                       [](Arrays x) {
                           auto out = full<double>({}, 0);
                           for (std::size_t i = 0; i < 5; ++i) out() += x[0](i) * x[1](i);
                           return out;
                       }},
                  {.name = "(2, 3) (3,)",
                   .shapes = {{2, 3}, {3}},
                   .call = call(-1),
                   .reference =
                       [](Arrays x) {
                           auto out = full<double>({2}, 0);
                           for (std::size_t i = 0; i < 2; ++i)
                               for (std::size_t j = 0; j < 3; ++j) out(i) += x[0](i, j) * x[1](j);
                           return out;
                       }},
                  {.name = "(3, 4) (2, 3, 1), axis -2",
                   .shapes = {{3, 4}, {2, 3, 1}},
                   .call = call(-2),
                   .reference =
                       [](Arrays x) {
                           auto out = full<double>({2, 4}, 0);
                           for (std::size_t i = 0; i < 2; ++i)
                               for (std::size_t j = 0; j < 3; ++j)
                                   for (std::size_t k = 0; k < 4; ++k) out(i, k) += x[0](j, k) * x[1](i, j, 0);
                           return out;
                       }},
                  {.name = "(2, 0) (2, 0)", .shapes = {{2, 0}, {2, 0}}, .call = call(-1), .reference = [](Arrays) {
                       return full<double>({2}, 0);
                   }}};
    spec.misuses = {{{{3}, {3}}, call(0), {"vecdot", "axis 0", "from the end"}},
                    {{{3}, {2, 3}}, call(-2), {"vecdot", "(3,) and (2, 3)", "axis -2"}},
                    {{{3}, {1}}, call(-1), {"vecdot", "(3,) and (1,)", "3 and 1"}},
                    {{{4, 3}, {2, 3}}, call(-1), {"vecdot", "(4, 3)", "(2, 3)"}}};
    return spec;
}

/// The elements (i, i + offset) of each matrix.
Array<double> diagonals(const Array<double>& x, std::ptrdiff_t offset, std::size_t length) {
    Shape result = ops::leading(x.shape());
    result.push_back(length);
    return for_each_matrix(x, result, [&](std::size_t index) {
        const Matrix m = matrix_at(x, index);
        Matrix out(1);
        for (std::size_t i = 0; i < m.size(); ++i) {
            for (std::size_t j = 0; j < m[i].size(); ++j) {
                if (static_cast<std::ptrdiff_t>(j) - static_cast<std::ptrdiff_t>(i) == offset) out[0].push_back(m[i][j]);
            }
        }
        return out;
    });
}

struct DiagonalCase {
    Shape shape;
    std::ptrdiff_t offset;
    std::size_t length;
};
const std::vector<DiagonalCase>& diagonal_cases() {
    static const std::vector<DiagonalCase> cases{{{3, 3}, 0, 3}, {{2, 5}, 1, 2},   {{2, 5}, 4, 1},    {{4, 3}, -2, 2},
                                                 {{2, 3}, 3, 0}, {{2, 3}, -7, 0},  {{2, 4, 3}, 0, 3}, {{2, 2, 3, 4}, -1, 2},
                                                 {{0, 3}, 0, 0}, {{0, 2, 2}, 0, 2}};
    return cases;
}

OpSpec trace_spec() {
    OpSpec spec{.name = "trace", .documentation = ops::words::trace};
    for (const auto& each : diagonal_cases()) {
        spec.cases.push_back({.name = to_string(each.shape) + ", offset " + std::to_string(each.offset),
                              .shapes = {each.shape},
                              .call = [offset = each.offset](auto v) { return trace(v[0], offset); },
                              .reference =
                                  [each](Arrays x) {
                                      const auto parts = diagonals(x[0], each.offset, each.length);
                                      auto out = full<double>(ops::leading(each.shape), 0);
                                      for (std::size_t i = 0; i < parts.size(); ++i)
                                          out.data()[i / each.length] += parts.data()[i];
                                      return out;
                                  }});
    }
    spec.misuses = {{{{3}}, [](auto v) { return trace(v[0]); }, {"trace", "(3,)"}}};
    return spec;
}

OpSpec solve_spec() {
    OpSpec spec{.name = "solve", .documentation = ops::words::solve, .ulps = 40};
    const auto call = [](auto v) { return solve(shifted(v[0]), v[1]); };
    struct Case {
        Shape a, b, result;
        std::vector<std::size_t> a_at, b_at;  // which matrix for each of the result
    };
    for (const Case& each : {Case{{3, 3}, {3, 2}, {3, 2}, {0}, {0}},
                             {{1, 1}, {1, 1}, {1, 1}, {0}, {0}},
                             {{4, 4}, {4}, {4}, {0}, {0}},
                             {{3, 3}, {3, 0}, {3, 0}, {0}, {0}},
                             {{0, 0}, {0, 2}, {0, 2}, {0}, {0}},
                             {{2, 3, 3}, {3, 2}, {2, 3, 2}, {0, 1}, {0, 0}},
                             {{2, 3, 3}, {3}, {2, 3}, {0, 1}, {0, 0}},
                             {{3, 3}, {2, 3, 1}, {2, 3, 1}, {0, 0}, {0, 1}},
                             {{2, 1, 2, 2}, {3, 2, 2}, {2, 3, 2, 2}, {0, 0, 0, 1, 1, 1}, {0, 1, 2, 0, 1, 2}},
                             {{0, 3, 3}, {3, 2}, {0, 3, 2}, {}, {}}}) {
        spec.cases.push_back({.name = to_string(each.a) + " " + to_string(each.b),
                              .shapes = {each.a, each.b},
                              .call = call,
                              .reference =
                                  [each](Arrays x) {
                                      Array<double> right = x[1];
                                      if (right.dimension() == 1) right.reshape({right.size(), 1});
                                      auto out = empty<double>(each.result);
                                      std::size_t place = 0;
                                      for (std::size_t k = 0; k < each.a_at.size(); ++k) {
                                          Matrix a = shifted_at(x[0], each.a_at[k]), b = matrix_at(right, each.b_at[k]);
                                          eliminate(a, b);
                                          for (const auto& row : b) {
                                              for (const double value : row) out.data()[place++] = value;
                                          }
                                      }
                                      return out;
                                  },
                              .domain = small});
    }
    // The systems of the gradient and of Cholesky's gradient, as ops of their own.
    for (const auto triangle : {kernels::Triangle::none, kernels::Triangle::lower, kernels::Triangle::upper}) {
        for (const bool transposed : {false, true}) {
            spec.cases.push_back(
                {.name = "triangle " + std::to_string(static_cast<int>(triangle)) + (transposed ? ", transposed" : ""),
                 .shapes = {{2, 4, 4}, {4, 3}},
                 .call = [=](auto v) { return ops::solve_triangular(shifted(v[0]), v[1], triangle, transposed); },
                 .reference =
                     [=](Arrays x) {
                         return for_each_matrix(x[0], {2, 4, 3}, [&](std::size_t index) {
                             const Matrix whole = shifted_at(x[0], index);
                             Matrix a = zeros(4, 4), b = matrix_at(x[1], 0);
                             for (std::size_t i = 0; i < 4; ++i) {
                                 for (std::size_t j = 0; j < 4; ++j) {
                                     const bool read = triangle == kernels::Triangle::none ||
                                                       (triangle == kernels::Triangle::lower ? j <= i : j >= i);
                                     if (read) (transposed ? a[j][i] : a[i][j]) = whole[i][j];
                                 }
                             }
                             eliminate(a, b);
                             return b;
                         });
                     },
                 .domain = small});
        }
    }
    const auto plain = [](auto v) { return solve(v[0], v[1]); };
    spec.misuses = {{{{2, 3}, {3}}, plain, {"solve", "square", "(2, 3)"}},
                    {{{3, 3}, {2}}, plain, {"solve", "(3, 3)", "2 rows", "3"}},
                    {{{3, 3}, {2, 3}}, plain, {"solve", "(3, 3) and (2, 3)", "2 rows"}},
                    {{{3, 3}, {}}, plain, {"solve", "()", "vector"}},
                    {{{2, 3, 3}, {4, 3, 1}}, plain, {"solve", "(2, 3, 3) and (4, 3, 1)", "broadcast"}}};
    return spec;
}

OpSpec inv_spec() {
    OpSpec spec{.name = "inv", .documentation = ops::words::inv, .ulps = 40};
    for (const Shape& shape : square_shapes()) {
        spec.cases.push_back({.name = to_string(shape),
                              .shapes = {shape},
                              .call = [](auto v) { return inv(shifted(v[0])); },
                              .reference =
                                  [](Arrays x) {
                                      return for_each_matrix(x[0], x[0].shape(), [&](std::size_t index) {
                                          Matrix a = shifted_at(x[0], index), b = identity(a.size());
                                          eliminate(a, b);
                                          return b;
                                      });
                                  },
                              .domain = small});
    }
    spec.misuses = square_misuses("inv", [](auto v) { return inv(v[0]); });
    return spec;
}

OpSpec det_spec() {
    OpSpec spec{.name = "det", .documentation = ops::words::det, .ulps = 40};
    for (const Shape& shape : square_shapes()) {
        spec.cases.push_back({.name = to_string(shape),
                              .shapes = {shape},
                              .call = [](auto v) { return det(shifted(v[0])); },
                              .reference =
                                  [](Arrays x) {
                                      return for_each_matrix(x[0], ops::leading(x[0].shape()), [&](std::size_t index) {
                                          return Matrix{{determinant_of(shifted_at(x[0], index))}};
                                      });
                                  },
                              .domain = small});
    }
    spec.misuses = square_misuses("det", [](auto v) { return det(v[0]); });
    return spec;
}

OpSpec slogdet_spec() {
    OpSpec spec{.name = "slogdet", .documentation = ops::words::slogdet, .ulps = 40};
    for (const Shape& shape : square_shapes()) {
        spec.cases.push_back({.name = to_string(shape),
                              .shapes = {shape},
                              .call = [](auto v) { return slogdet(shifted(v[0])).logabsdet; },
                              .reference =
                                  [](Arrays x) {
                                      return for_each_matrix(x[0], ops::leading(x[0].shape()), [&](std::size_t index) {
                                          return Matrix{{std::log(determinant_of(shifted_at(x[0], index)))}};
                                      });
                                  },
                              .domain = small});
        spec.cases.push_back({.name = "sign of " + to_string(shape),
                              .shapes = {shape},
                              .call = [](auto v) { return slogdet(-shifted(v[0])).sign; },
                              .reference =
                                  [](Arrays x) {
                                      const bool odd = x[0].shape()[x[0].dimension() - 1] % 2 != 0;
                                      return full<double>(ops::leading(x[0].shape()), odd ? -1 : 1);
                                  },
                              .domain = small});
    }
    spec.misuses = square_misuses("slogdet", [](auto v) { return slogdet(v[0]).logabsdet; });
    return spec;
}

OpSpec cholesky_spec() {
    OpSpec spec{.name = "cholesky", .documentation = ops::words::cholesky, .ulps = 40};
    for (const Shape& shape : square_shapes()) {
        for (const bool upper : {false, true}) {
            spec.cases.push_back({.name = to_string(shape) + (upper ? ", upper" : ""),
                                  .shapes = {shape},
                                  .call = [upper](auto v) { return cholesky(shifted(v[0]), upper); },
                                  .reference =
                                      [upper](Arrays x) {
                                          return for_each_matrix(x[0], x[0].shape(), [&](std::size_t index) {
                                              const Matrix l = lower_factor(symmetrised(shifted_at(x[0], index)));
                                              if (!upper) return l;
                                              Matrix u = l;
                                              for (std::size_t i = 0; i < l.size(); ++i)
                                                  for (std::size_t j = 0; j < l.size(); ++j) u[j][i] = l[i][j];
                                              return u;
                                          });
                                      },
                                  .domain = small});
        }
    }
    spec.misuses = square_misuses("cholesky", [](auto v) { return cholesky(v[0]); });
    return spec;
}

OpCase eigenvalue_case(const Shape& shape, OpCall call) {
    return {.name = "eigenvalues of " + to_string(shape),
            .shapes = {shape},
            .call = std::move(call),
            .reference =
                [](Arrays x) {
                    const Shape result(x[0].shape().begin(), x[0].shape().end() - 1);
                    return for_each_matrix(x[0], result, [&](std::size_t index) {
                        return Matrix{eigen(symmetrised(spread_at(x[0], index))).first};
                    });
                },
            .domain = small};
}

OpSpec eigh_spec() {
    OpSpec spec{.name = "eigh", .documentation = ops::words::eigh, .ulps = 40};
    for (const Shape& shape : square_shapes()) {
        spec.cases.push_back(eigenvalue_case(shape, [](auto v) { return eigh(spread(v[0])).eigenvalues; }));
        // Squares have no sign, and 1 more is a scale.
        spec.cases.push_back({.name = "eigenvectors of " + to_string(shape),
                              .shapes = {shape},
                              .call = [](auto v) { return 1 + square(eigh(spread(v[0])).eigenvectors); },
                              .reference =
                                  [](Arrays x) {
                                      return for_each_matrix(x[0], x[0].shape(), [&](std::size_t index) {
                                          Matrix v = eigen(symmetrised(spread_at(x[0], index))).second;
                                          for (auto& row : v) {
                                              for (double& each : row) each = 1 + each * each;
                                          }
                                          return v;
                                      });
                                  },
                              .domain = small});
    }
    spec.misuses = square_misuses("eigh", [](auto v) { return eigh(v[0]).eigenvalues; });
    return spec;
}

OpSpec eigvalsh_spec() {
    OpSpec spec{.name = "eigvalsh", .documentation = ops::words::eigvalsh, .ulps = 40};
    for (const Shape& shape : square_shapes()) {
        spec.cases.push_back(eigenvalue_case(shape, [](auto v) { return eigvalsh(spread(v[0])); }));
    }
    spec.misuses = square_misuses("eigvalsh", [](auto v) { return eigvalsh(v[0]); });
    return spec;
}

}  // namespace

std::vector<OpSpec> linear_algebra_specs() {
    return {outer_spec(), vecdot_spec(),  trace_spec(),    solve_spec(), inv_spec(),
            det_spec(),   slogdet_spec(), cholesky_spec(), eigh_spec(),  eigvalsh_spec()};
}

}  // namespace autograd::specs
