// Random graphs against a naive reverse mode over scalars: what the sweep does with shared, broadcast and reused gradient
// buffers. Not a test of single ops; every_op_test is that.
#include <algorithm>
#include <autograd/autograd.hpp>
#include <cmath>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/catch.hpp"

using namespace autograd;

namespace {

/// A scalar graph: each node knows its parents and the derivatives in them. As simple as reverse mode can be.
class Scalars {
   public:
    struct Edge {
        std::size_t parent;
        double derivative;
    };

    std::size_t add(double value, std::vector<Edge> edges = {}) {
        values_.push_back(value);
        edges_.push_back(std::move(edges));
        return values_.size() - 1;
    }
    double operator[](std::size_t node) const { return values_[node]; }
    std::vector<double> gradients(std::size_t loss) const {
        std::vector<double> gradient(values_.size(), 0.0);
        gradient[loss] = 1;
        for (std::size_t i = loss + 1; i-- > 0;) {
            for (const Edge& edge : edges_[i]) gradient[edge.parent] += gradient[i] * edge.derivative;
        }
        return gradient;
    }

   private:
    std::vector<double> values_;
    std::vector<std::vector<Edge>> edges_;
};

/// An array of scalar nodes beside the Var which should equal it.
struct Pair {
    Var<double> var;
    std::vector<std::size_t> scalars;
    const Shape& shape() const { return var.shape(); }
};

/// The flat index into `from` of element `index` of `to`, by NumPy's rule.
std::size_t broadcast_index(const Shape& from, const Shape& to, std::size_t index) {
    std::size_t result = 0, stride = 1;
    for (std::size_t back = 1; back <= to.size(); ++back) {
        const std::size_t extent = to[to.size() - back];
        const std::size_t place = index % extent;
        index /= extent;
        if (back > from.size()) continue;
        const std::size_t own = from[from.size() - back];
        if (own != 1) result += place * stride;
        stride *= own;
    }
    return result;
}

class RandomGraph {
   public:
    explicit RandomGraph(std::uint32_t seed) : random_(seed) {}

    void run() {
        make_leaves();
        const int ops = 3 + choose(12);
        for (int i = 0; i < ops; ++i) add_op();
        Var<double> loss = sum_of_all();
        INFO(recipe_);
        check(backward(loss), false);
        check(backward(loss, {.keep = true}), true);
        check(backward(loss), false);  // a sweep changes nothing that the next one needs
        check(backward(loss, {.create_graph = true}), true);
    }

    const std::set<std::string>& used() const { return used_; }

   private:
    int choose(int count) { return std::uniform_int_distribution<int>(0, count - 1)(random_); }
    const Pair& any() { return pairs_[static_cast<std::size_t>(choose(static_cast<int>(pairs_.size())))]; }

    Shape random_shape() {
        static constexpr std::size_t extents[] = {1, 1, 2, 3, 5, 9};
        Shape shape;
        const int rank = choose(4);
        // Few different extents for each axis, so that many pairs of arrays broadcast.
        for (int axis = 0; axis < rank; ++axis) shape.push_back(choose(3) == 0 ? 1 : common_[static_cast<std::size_t>(axis)]);
        if (choose(4) == 0 && rank > 0) shape.back() = extents[choose(6)];
        return shape;
    }

    void make_leaves() {
        static constexpr std::size_t extents[] = {2, 3, 4, 5, 8, 9, 17};
        for (auto& extent : common_) extent = extents[choose(7)];
        const int leaves = 2 + choose(4);
        for (int i = 0; i < leaves; ++i) {
            Array<double> values = empty<double>(random_shape());
            std::vector<std::size_t> scalars;
            std::uniform_real_distribution<double> real(-1.0, 1.0);
            for (double& value : values) {
                value = real(random_);
                scalars.push_back(scalar_graph_.add(value));
            }
            const bool wanted = i == 0 || choose(4) != 0;
            pairs_.push_back({wanted ? tape_.variable(values) : tape_.constant(values), std::move(scalars)});
            wanted_.push_back(wanted);
        }
        leaves_ = pairs_.size();
    }

    template <class F, class Record>
    void elementwise2(const char* name, const Pair a, const Pair b, Record record, F f) {
        Shape shape;
        try {
            shape = broadcast_shapes(a.shape(), b.shape());
        } catch (const ShapeError&) {
            return;
        }
        Pair result{record(a.var, b.var), {}};
        REQUIRE(result.shape() == shape);
        for (std::size_t i = 0; i < element_count(shape); ++i) {
            const std::size_t left = a.scalars[broadcast_index(a.shape(), shape, i)];
            const std::size_t right = b.scalars[broadcast_index(b.shape(), shape, i)];
            const auto [value, da, db] = f(scalar_graph_[left], scalar_graph_[right]);
            result.scalars.push_back(scalar_graph_.add(value, {{left, da}, {right, db}}));
        }
        add(name, std::move(result));
    }

    void add(const char* name, Pair pair) {
        used_.insert(name);
        recipe_ += std::string(name) + to_string(pair.shape()) + " ";
        pairs_.push_back(std::move(pair));
    }

    void reduce(const char* name, const Pair a, bool mean_of, KeepDims keepdims) {
        const std::size_t rank = a.shape().size();
        if (rank == 0) return;
        const auto axis = static_cast<std::size_t>(choose(static_cast<int>(rank)));
        Shape kept = a.shape();
        const auto extent = static_cast<double>(kept[axis]);
        kept[axis] = 1;
        std::vector<std::vector<Scalars::Edge>> edges(element_count(kept));
        std::vector<double> totals(edges.size(), 0.0);
        const double weight = mean_of ? 1 / extent : 1;
        for (std::size_t i = 0; i < a.scalars.size(); ++i) {
            const std::size_t to = broadcast_index(kept, a.shape(), i);
            edges[to].push_back({a.scalars[i], weight});
            totals[to] += weight * scalar_graph_[a.scalars[i]];
        }
        Pair result{mean_of ? mean(a.var, axis, keepdims) : sum(a.var, axis, keepdims), {}};
        for (std::size_t i = 0; i < edges.size(); ++i) result.scalars.push_back(scalar_graph_.add(totals[i], edges[i]));
        REQUIRE(result.var.value().size() == edges.size());
        add(name, std::move(result));
    }

    void add_op() {
        struct Part {
            double value, da, db;
        };
        const Pair a = any();
        const Pair b = choose(4) == 0 ? a : any();  // an op of one Var twice is a case of its own
        switch (choose(14)) {
            case 0:
                return elementwise2(
                    "add", a, b, [](auto x, auto y) { return x + y; },
                    [](double x, double y) {
                        return Part{x + y, 1, 1};
                    });
            case 1:
                return elementwise2(
                    "subtract", a, b, [](auto x, auto y) { return x - y; },
                    [](double x, double y) {
                        return Part{x - y, 1, -1};
                    });
            case 2:
            case 3:
                return elementwise2(
                    "multiply", a, b, [](auto x, auto y) { return 0.5 * (x * y); },
                    [](double x, double y) {
                        return Part{0.5 * x * y, 0.5 * y, 0.5 * x};
                    });
            case 4:
                return elementwise2(
                    "divide", a, b, [](auto x, auto y) { return x / (square(y) + 2); },
                    [](double x, double y) {
                        const double d = y * y + 2;
                        return Part{x / d, 1 / d, -2 * x * y / (d * d)};
                    });
            case 5:
                return elementwise2(
                    "tanh", a, a, [](auto x, auto) { return tanh(x); },
                    [](double x, double) {
                        return Part{std::tanh(x), 1 - std::tanh(x) * std::tanh(x), 0};
                    });
            case 6:
                return elementwise2(
                    "where", a, b, [](auto x, auto y) { return where(x > y, x, sin(y)); },
                    [](double x, double y) {
                        return x > y ? Part{x, 1, 0} : Part{std::sin(y), 0, std::cos(y)};
                    });
            case 7:
                return elementwise2(
                    "reverse", a, a, [](auto x, auto) { return 1.5 - x; },
                    [](double x, double) {
                        return Part{1.5 - x, -1, 0};
                    });
            case 8: return reduce("sum", a, false, KeepDims::no);
            case 9: return reduce("sum-kept", a, false, KeepDims::yes);
            case 10: return reduce("mean-kept", a, true, KeepDims::yes);
            case 11: {
                Pair result{reshape(a.var, {a.scalars.size()}), a.scalars};
                return add("reshape", std::move(result));
            }
            case 12: {
                if (a.shape().size() != 2) return;
                const std::size_t rows = a.shape()[0], columns = a.shape()[1];
                Pair result{matrix_transpose(a.var), {}};
                for (std::size_t j = 0; j < columns; ++j) {
                    for (std::size_t i = 0; i < rows; ++i) result.scalars.push_back(a.scalars[i * columns + j]);
                }
                return add("transpose", std::move(result));
            }
            case 13: return add_product(a, b);
        }
    }

    /// a'b or ab', whichever fits.
    void add_product(const Pair& a, const Pair& b) {
        if (a.shape().size() != 2 || b.shape().size() != 2) return;
        const Transpose flags{choose(2) == 1, choose(2) == 1};
        const std::size_t ac = a.shape()[1], bc = b.shape()[1];
        const std::size_t rows = flags.a ? ac : a.shape()[0], inner = flags.a ? a.shape()[0] : ac;
        const std::size_t columns = flags.b ? b.shape()[0] : bc;
        if (inner != (flags.b ? bc : b.shape()[0])) return;
        Pair result{matmul(a.var, b.var, flags) * 0.25, {}};
        for (std::size_t i = 0; i < rows; ++i) {
            for (std::size_t j = 0; j < columns; ++j) {
                double total = 0;
                std::vector<Scalars::Edge> edges;
                for (std::size_t k = 0; k < inner; ++k) {
                    const std::size_t left = a.scalars[flags.a ? k * ac + i : i * ac + k];
                    const std::size_t right = b.scalars[flags.b ? j * bc + k : k * bc + j];
                    total += 0.25 * scalar_graph_[left] * scalar_graph_[right];
                    edges.push_back({left, 0.25 * scalar_graph_[right]});
                    edges.push_back({right, 0.25 * scalar_graph_[left]});
                }
                result.scalars.push_back(scalar_graph_.add(total, std::move(edges)));
            }
        }
        add("matmul", std::move(result));
    }

    Var<double> sum_of_all() {
        Var<double> loss = sum(pairs_.front().var);
        std::vector<Scalars::Edge> edges;
        double total = 0;
        const auto take = [&](const Pair& pair) {
            for (const std::size_t each : pair.scalars) {
                edges.push_back({each, 1});
                total += scalar_graph_[each];
            }
        };
        take(pairs_.front());
        for (std::size_t i = 1; i < pairs_.size(); ++i) {
            if (i + 1 < pairs_.size() && choose(3) != 0) continue;
            loss = loss + sum(pairs_[i].var);
            take(pairs_[i]);
        }
        loss_ = scalar_graph_.add(total, edges);
        return loss;
    }

    void check(const Gradients<double>& gradients, bool intermediates) {
        const std::vector<double> expected = scalar_graph_.gradients(loss_);
        // A gradient sums at most some thousand products of at most this size, each right to a few times 1e-16.
        double largest = 1;
        for (const double value : expected) largest = std::max(largest, std::abs(value));
        const double bound = 1e-12 * largest;
        std::vector<int> owners(expected.size(), 0);
        for (const Pair& pair : pairs_) {
            for (const std::size_t each : pair.scalars) ++owners[each];
        }
        for (std::size_t i = 0; i < (intermediates ? pairs_.size() : leaves_); ++i) {
            const Array<double>* found = gradients.find(pairs_[i].var);
            if (i < leaves_ && !wanted_[i]) {
                REQUIRE(found == nullptr);
                continue;
            }
            if (found != nullptr) REQUIRE(found->shape() == pairs_[i].shape());
            for (std::size_t k = 0; k < pairs_[i].scalars.size(); ++k) {
                // Scalars which several arrays share (after a reshape) collect the gradients of all of them.
                if (i >= leaves_ && (found == nullptr || owners[pairs_[i].scalars[k]] > 1)) continue;
                const double want = expected[pairs_[i].scalars[k]];
                const double got = found == nullptr ? 0 : found->data()[k];
                if (std::abs(got - want) <= bound) continue;
                INFO("array " << i << ", element " << k);
                CHECK(got == want);
            }
        }
    }

    std::mt19937 random_;
    Tape<double> tape_;
    Scalars scalar_graph_;
    std::vector<Pair> pairs_;
    std::vector<bool> wanted_;
    std::size_t leaves_ = 0;
    std::size_t loss_ = 0;
    std::size_t common_[3] = {};
    std::set<std::string> used_;
    std::string recipe_;
};

}  // namespace

TEST_CASE("sweep: random graphs have the gradients of a naive reverse mode") {
    std::set<std::string> used;
    for (std::uint32_t seed = 1; seed <= 2000; ++seed) {
        INFO("seed " << seed);
        RandomGraph graph(seed);
        graph.run();
        used.insert(graph.used().begin(), graph.used().end());
    }
    CHECK(used.size() == 13);  // every kind of node was drawn
}
