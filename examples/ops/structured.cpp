// A structured op, one whose elements depend on several elements of its inputs: the squared distances between the rows
// of two matrices. A struct with its value in plain loops, one rule for each input's gradient, and one for each input's
// tangent.
#include <autograd/autograd.hpp>
#include <autograd/check.hpp>
#include <cmath>
#include <cstdio>

using namespace autograd;

/// y[i, j] = |a[i] - b[j]|^2 for a of shape (n, d) and b of shape (m, d).
struct SquaredDistances {
    static constexpr const char* name = "squared_distances";

    template <class T>
    void forward(Array<T>& out, const Array<T>& a, const Array<T>& b) const {
        if (a.dimension() != 2 || b.dimension() != 2 || a.shape()[1] != b.shape()[1]) {
            throw ShapeError("two matrices with rows of one length, not " + to_string(a.shape()) + " and " +
                             to_string(b.shape()));
        }
        const std::size_t rows = a.shape()[0], columns = b.shape()[0], length = a.shape()[1];
        out = empty<T>({rows, columns});
        for (std::size_t i = 0; i < rows; ++i) {
            for (std::size_t j = 0; j < columns; ++j) {
                double total = 0;  // of floats as well, whose sum would round at each term
                for (std::size_t k = 0; k < length; ++k) total += std::pow(double(a(i, k)) - double(b(j, k)), 2);
                out(i, j) = static_cast<T>(total);
            }
        }
    }
    // X is an eager array in a plain sweep and a Var in one that is recorded. The rules are made of ops, and so have
    // derivatives themselves: 2 sum_j g[i, j] (a[i] - b[j]), and the same for b.
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& a, const X& b, const X&) const {
        return 2 * (sum(g, 1, KeepDims::yes) * a - matmul(g, b));
    }
    template <class X>
    X gradient(InputIndex<1>, const X& g, const X& a, const X& b, const X&) const {
        return 2 * (reshape(sum(g, 0), {b.shape()[0], 1}) * b - matmul(g, a, {.a = true}));
    }
    // What y moves by when an input moves along t.
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X& a, const X& b, const X&) const {
        return 2 * (sum(t * a, 1, KeepDims::yes) - matmul(t, b, {.b = true}));
    }
    template <class X>
    X tangent(InputIndex<1>, const X& t, const X& a, const X& b, const X&) const {
        return 2 * (sum(t * b, 1) - matmul(a, t, {.b = true}));
    }
};

template <Operand X>
X squared_distances(const X& a, const X& b) {
    return apply(SquaredDistances{}, a, b);
}

/// What the tests need to know: ways to call it with the value by plain loops, and calls that must be refused.
OpSpec spec_of_squared_distances() {
    const auto call = [](auto v) { return squared_distances(v[0], v[1]); };
    const auto reference = [](std::span<const Array<double>> x) {
        Array<double> y = full<double>({x[0].shape()[0], x[1].shape()[0]}, 0);
        for (std::size_t k = 0; k < x[0].shape()[1]; ++k) {
            for (std::size_t i = 0; i < y.size(); ++i) {
                const std::size_t columns = y.shape()[1];
                y.data()[i] += std::pow(x[0](i / columns, k) - x[1](i % columns, k), 2);
            }
        }
        return y;
    };
    OpSpec spec{.name = "squared_distances", .ulps = 40};
    for (const auto& [n, m, d] : {std::array<std::size_t, 3>{2, 3, 4}, {1, 1, 1}, {5, 2, 17}, {0, 3, 2}, {2, 3, 0}}) {
        const Shape a{n, d}, b{m, d};
        spec.cases.push_back({to_string(a) + ", " + to_string(b), {a, b}, call, reference, {.low = 0, .high = 2}});
    }
    spec.misuses = {{{{2, 3}, {2, 4}}, call, {"squared_distances (node 2)", "(2, 3) and (2, 4)"}},
                    {{{3}, {2, 3}}, call, {"squared_distances", "(3,)"}}};
    return spec;
}

int main() {
    // Which of two centres moves, and where to, if the distance of each point to its nearer one is to shrink?
    Tape<double> tape;
    const auto points = tape.constant(Array<double>{{0, 0}, {1, 0}, {5, 5}});
    const auto centres = tape.variable(Array<double>{{0, 1}, {4, 4}});
    const auto nearest = -max(-squared_distances(points, centres), 1);
    std::printf("squared distances to the nearer centre: %s\n", to_string(nearest.value()).c_str());
    std::printf("gradient in the centres: %s\n", to_string(backward(sum(nearest))[centres]).c_str());
    const auto failures = opcheck(spec_of_squared_distances());
    for (const std::string& failure : failures) std::printf("%s\n", failure.c_str());
    std::printf("opcheck: %zu failures\n", failures.size());
    return failures.empty() ? 0 : 1;
}
