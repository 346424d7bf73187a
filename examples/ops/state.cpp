// An op with state: rows of a table, picked by a list of indices which the op carries. The tape keeps the op, with its
// list, beside the node; all that reads it is const, so a sweep finds what the forward pass saw. A state that changes
// from step to step (a running mean, say) lives with its owner, who gives a copy to each op: values change between
// nodes, never under one.
#include <algorithm>
#include <autograd/autograd.hpp>
#include <autograd/check.hpp>
#include <autograd/kernels/gather.hpp>
#include <cstdio>
#include <memory>

using namespace autograd;

/// Shared by an op, its adjoint and their copies, and const: copied is the pointer, never the list.
using RowNumbers = std::shared_ptr<const std::vector<std::size_t>>;

/// y[i] = table[indices[i]].
struct PickRows {
    static constexpr const char* name = "pick_rows";
    static constexpr bool linear = true;  // so its tangent is itself, on the table's tangent
    RowNumbers indices;

    template <class T>
    void forward(Array<T>& out, const Array<T>& table) const {
        if (table.dimension() != 2) throw ShapeError("a matrix is wanted, not shape " + to_string(table.shape()));
        const std::size_t rows = table.shape()[0], length = table.shape()[1];
        out = empty<T>({indices->size(), length});
        for (std::size_t i = 0; i < indices->size(); ++i) {
            const std::size_t row = (*indices)[i];
            if (row >= rows)
                throw ShapeError("index " + std::to_string(row) + " into a table of shape " + to_string(table.shape()));
            std::copy_n(table.data() + row * length, length, out.data() + i * length);
        }
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& table, const X&) const;
};

/// The adjoint: each row of x added to the row of zeros (or of what is there) that it was picked from.
struct AddRows {
    static constexpr const char* name = "add_rows";
    static constexpr bool linear = true;
    RowNumbers indices;
    Shape table;

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        out = full<T>(table, T(0));
        add_to(out, x);
    }
    /// Beside forward: where the table's gradient has parts already, these are added to them in place. The kernel is
    /// that of take: a row may be picked a million times, and in float a loop of `+=` would round a million times.
    template <class T>
    void add_to(Array<T>& target, const Array<T>& x) const {
        ops::require_input(x.shape(), {indices->size(), table[1]});
        kernels::scatter_add(target.data(), x.data(), kernels::AxisView::of(table, 0), indices->data(), indices->size());
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X&, const X&) const {
        return apply(PickRows{indices}, g);
    }
};

template <class X>
X PickRows::gradient(InputIndex<0>, const X& g, const X& table, const X&) const {
    return apply(AddRows{indices, table.shape()}, g);
}

template <Operand X>
X pick_rows(const X& table, std::vector<std::size_t> indices) {
    return apply(PickRows{std::make_shared<const std::vector<std::size_t>>(std::move(indices))}, table);
}

int main() {
    const Parameter<double> table{Array<double>{{1, 2}, {3, 4}, {5, 6}, {7, 8}}};
    Tape<double> tape;
    std::vector<std::size_t> words{2, 0, 2};
    const auto picked = pick_rows(tape.parameter(table), words);
    words = {3, 3, 3};  // the node has its own list
    std::printf("rows 2, 0, 2: %s\n", to_string(picked.value()).c_str());
    std::printf("gradient of their sum: %s\n", to_string(backward(sum(picked))[table]).c_str());

    const auto call = [](auto v) { return pick_rows(v[0], {2, 0, 2}); };
    const auto reference = [](std::span<const Array<double>> x) {
        const std::size_t length = x[0].shape()[1];
        Array<double> y = empty<double>({3, length});
        for (std::size_t j = 0; j < length; ++j) y(0, j) = y(2, j) = x[0](2, j), y(1, j) = x[0](0, j);
        return y;
    };
    OpSpec spec{.name = "pick_rows", .ulps = 0};
    spec.cases = {{"(4, 3)", {{4, 3}}, call, reference}, {"(3, 0)", {{3, 0}}, call, reference}};
    spec.misuses = {{{{2, 3}}, call, {"pick_rows (node 1)", "index 2", "(2, 3)"}}, {{{4}}, call, {"pick_rows", "(4,)"}}};
    const auto failures = opcheck(spec);
    for (const std::string& failure : failures) std::printf("%s\n", failure.c_str());
    std::printf("opcheck: %zu failures\n", failures.size());
    return failures.empty() ? 0 : 1;
}
