// The references of the specs on the numbers 0, 1, 2, ..., against results that were written down by hand: a mistake
// that a reference shared with its op would be seen nowhere else. The ops themselves are not called here.
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tests/specs/instances.hpp"
#include "tests/testing.hpp"

namespace {

using namespace autograd;
using namespace autograd::specs;

using Integers = Array<std::ptrdiff_t>;
constexpr KeepDims drop = KeepDims::no, keep = KeepDims::yes;

/// Where braces alone do not tell the number of axes.
Array<double> array(const Shape& shape, const std::vector<double>& values) {
    auto made = empty<double>(shape);
    std::copy(values.begin(), values.end(), made.data());
    return made;
}

void expect(const std::string& what, const Array<double>& found, const Array<double>& expected) {
    INFO(what << " of 0, 1, 2, ...");
    CHECK(found.shape() == expected.shape());
    CHECK(elements(found) == elements(expected));
}

/// The inputs are counted through, one after the other.
void expect(const Instance& instance, const Array<double>& expected) {
    std::vector<Array<double>> inputs;
    double next = 0;
    for (const Shape& shape : instance.shapes) {
        inputs.push_back(empty<double>(shape));
        for (double& each : inputs.back()) each = next++;
    }
    expect(instance.text, instance.definition(inputs), expected);
}

template <class Op>
const Op& op_named(const std::vector<Op>& ops, std::string_view name) {
    for (const Op& each : ops) {
        if (each.name == name) return each;
    }
    throw Error("no reference of " + std::string(name));
}
Instance reduced(const std::string& name, const Shape& shape, const Axes& axes, KeepDims keepdims) {
    return folding_of(op_named(foldings(), name), shape, axes, keepdims);
}
Instance scanned(const std::string& name, const Shape& shape, std::ptrdiff_t axis, IncludeInitial initial) {
    return scan_of(op_named(scans(), name), shape, axis, initial);
}

}  // namespace

TEST_CASE("references that move elements give what was written down by hand", "[every_op]") {
    expect(permute_dims_of({2, 1, 3}, {2, 0, -2}), array({3, 2, 1}, {0, 3, 1, 4, 2, 5}));
    expect(moveaxis_of({2, 1, 3}, {0}, {-1}), Array<double>{{{0, 3}, {1, 4}, {2, 5}}});
    expect(moveaxis_of({1, 2, 1, 2}, {0, -1}, {1, 0}), array({2, 1, 2, 1}, {0, 2, 1, 3}));
    expect(reshape_of({2, 3}, {3, inferred}), Array<double>{{0, 1}, {2, 3}, {4, 5}});
    expect(expand_dims_of({2}, {0, -1}), array({1, 2, 1}, {0, 1}));
    expect(squeeze_of({1, 2, 1}, -1), array({1, 2}, {0, 1}));
    expect(squeeze_of({1, 2, 1}, {2, 0}), Array<double>{0, 1});
    expect(flip_of({2, 3}, {}), Array<double>{{5, 4, 3}, {2, 1, 0}});
    expect(flip_of({2, 3}, -1), Array<double>{{2, 1, 0}, {5, 4, 3}});
    expect(roll_of({5}, 2, 0), Array<double>{3, 4, 0, 1, 2});
    expect(roll_of({2, 3}, -1, -1), Array<double>{{1, 2, 0}, {4, 5, 3}});
    expect(roll_of({3}, 7, 0), Array<double>{2, 0, 1});
    expect(pad_of({2, 2}, {{1, 0}, {-1, 1}}, 9), Array<double>{{9, 9}, {1, 9}, {3, 9}});
    expect(concat_of({{2, 1}, {2, 2}}, -1), Array<double>{{0, 2, 3}, {1, 4, 5}});
    expect(stack_of({2}, 2, -1), Array<double>{{0, 2}, {1, 3}});
    expect(with_inputs(concat_of({{2}, {2}, {2}}, 0), {0, 1, 0}), Array<double>{0, 1, 2, 3, 0, 1});
    expect(composed(flip_of({3}, 0), roll_of({3}, 1, 0)), Array<double>{0, 2, 1});
    expect(broadcast_to_of({2, 1}, {2, 2, 2}), Array<double>{{{0, 0}, {1, 1}}, {{0, 0}, {1, 1}}});
}

TEST_CASE("references that pick elements give what was written down by hand", "[every_op]") {
    const auto sliced = [](std::size_t extent, const Slice& range) { return slice_of({extent}, 0, range); };
    expect(sliced(9, {8, 1, -3}), Array<double>{8, 5, 2});
    expect(sliced(9, {-4, -1}), Array<double>{5, 6, 7});
    expect(sliced(9, {.start = 1, .step = 2}), Array<double>{1, 3, 5, 7});
    expect(sliced(3, {.step = -1}), Array<double>{2, 1, 0});
    expect(sliced(4, {2, 2}), empty<double>({0}));
    expect(slice_of({2, 3}, -1, {0, 2}), Array<double>{{0, 1}, {3, 4}});
    expect(take_of({3, 2}, {2, 0, -1}, 0), Array<double>{{4, 5}, {0, 1}, {4, 5}});
    expect(take_of({2, 2}, Integers{{1, 0}}, -1), array({2, 1, 2}, {1, 0, 3, 2}));
    expect(take_of({2, 3}, Integers(1), 1), Array<double>{1, 4});
    expect(triangle_of(Triangle::lower, {3, 3}, 0), Array<double>{{0, 0, 0}, {3, 4, 0}, {6, 7, 8}});
    expect(triangle_of(Triangle::upper, {3, 3}, 1), Array<double>{{0, 1, 2}, {0, 0, 5}, {0, 0, 0}});
    expect(diagonal_of({2, 3}, 1), Array<double>{1, 5});
    expect(diagonal_of({3, 2}, -1), Array<double>{2, 5});
    expect(diagonal_of({2, 3}, -2), empty<double>({0}));
    expect(tile_of({2}, {2, 3}), Array<double>{{0, 1, 0, 1, 0, 1}, {0, 1, 0, 1, 0, 1}});
    expect(tile_of({2, 2}, {2}), Array<double>{{0, 1, 0, 1}, {2, 3, 2, 3}});
    expect(repeat_of({2, 2}, 2, -1), Array<double>{{0, 0, 1, 1}, {2, 2, 3, 3}});
    expect(repeat_of({3, 2}, Shape{2, 0, 1}, 0), Array<double>{{0, 1}, {0, 1}, {4, 5}});
    const std::vector<Array<double>> two{{1, 2}};
    expect("the adjoint", moved_back({5}, slice_of({5}, 0, {1, 4, 2}).definition)(two), Array<double>{0, 1, 0, 2, 0});
    expect("the adjoint", moved_back({3}, take_of({3}, {2, 2}, 0).definition)(two), Array<double>{0, 0, 3});
}

TEST_CASE("references that fold elements give what was written down by hand", "[every_op]") {
    expect(reduced("sum", {2, 3}, 0, drop), Array<double>{3, 5, 7});
    expect(reduced("sum", {2, 3}, -1, keep), array({2, 1}, {3, 12}));
    expect(reduced("sum", {2, 2, 2}, {2, 0}, drop), Array<double>{10, 18});
    expect(reduced("sum", {2, 3}, AxisList{}, drop), Array<double>{{0, 1, 2}, {3, 4, 5}});
    expect(reduced("sum", {2, 0}, 1, keep), array({2, 1}, {0, 0}));
    expect(reduced("mean", {2, 3}, {}, drop), Array<double>(2.5));
    expect(reduced("max", {2, 3}, 1, drop), Array<double>{2, 5});
    expect(reduced("min", {2, 3}, 0, keep), array({1, 3}, {0, 1, 2}));
    expect(reduced("prod", {2, 2}, -1, drop), Array<double>{0, 6});
    expect(reduced("logsumexp", {1, 1}, {}, drop), Array<double>(0));
    expect(reduced("logsumexp", {2}, {}, drop), Array<double>(1.3132616875182228));
    expect(scanned("cumulative_sum", {2, 3}, 1, IncludeInitial::no), Array<double>{{0, 1, 3}, {3, 7, 12}});
    expect(scanned("cumulative_sum", {2, 3}, 0, IncludeInitial::yes), Array<double>{{0, 0, 0}, {0, 1, 2}, {3, 5, 7}});
    expect(scanned("cumulative_prod", {2, 2}, -2, IncludeInitial::no), Array<double>{{0, 1}, {0, 3}});
    expect(scanned("cumulative_prod", {2, 2}, -1, IncludeInitial::yes), Array<double>{{1, 0, 0}, {1, 2, 6}});
    expect(scanned("logcumsumexp", {2}, 0, IncludeInitial::no), Array<double>{0, 1.3132616875182228});
}

TEST_CASE("references of shares give what was written down by hand", "[every_op]") {
    const Share& softmax = op_named(shares(), "softmax");
    const Share& log_softmax = op_named(shares(), "log_softmax");
    expect(share_of(softmax, {1, 2}, 0), array({1, 2}, {1, 1}));
    expect(share_of(softmax, {1, 2}, {}), array({1, 2}, {0.2689414213699951, 0.7310585786300049}));
    expect(share_of(log_softmax, {2}, -1), Array<double>{-1.3132616875182228, -0.3132616875182228});
}

TEST_CASE("references of products give what was written down by hand", "[every_op]") {
    expect(matmul_of({2, 2}, {2, 2}, {}), Array<double>{{6, 7}, {26, 31}});
    expect(matmul_of({2, 2}, {2, 2}, {.a = true}), Array<double>{{12, 14}, {22, 26}});
    expect(matmul_of({2, 2}, {2, 2}, {.b = true}), Array<double>{{5, 7}, {23, 33}});
    expect(matmul_of({2}, {2, 3}, {}), Array<double>{5, 6, 7});
    expect(matmul_of({2, 3}, {3}, {}), Array<double>{23, 86});
    expect(matmul_of({3}, {3}, {}), Array<double>(14));
    expect(matmul_of({2, 1, 1}, {1, 2}, {}), array({2, 1, 2}, {0, 0, 2, 3}));
    expect(matmul_of({1, 2}, {2, 2, 1}, {}), array({2, 1, 1}, {3, 5}));
}
