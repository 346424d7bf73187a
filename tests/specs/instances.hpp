// Ops on whole arrays with any parameters: for each op one function that says how it is called with them, and what that
// gives. A spec chooses parameters by hand, every_op_generated_test.cpp generates them. Not here: where inputs are
// sampled, how far rounding may go, and ops whose results no plain function of a list of elements tells.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "autograd/check/op_spec.hpp"
#include "autograd/ops/indexing.hpp"
#include "autograd/ops/matmul.hpp"
#include "autograd/ops/reductions.hpp"
#include "autograd/ops/scan.hpp"
#include "autograd/ops/shape.hpp"
#include "tests/specs/references.hpp"

namespace autograd::specs {

struct Instance {
    std::string text{};           ///< the call, for a reader
    std::vector<Shape> shapes{};  ///< of the inputs
    OpCall call{};
    Definition definition{};
};

/// A case of a spec.
[[nodiscard]] inline OpCase chosen(std::string name, const Instance& from, OpDomain domain = {}) {
    return {.name = std::move(name), .shapes = from.shapes, .call = from.call, .reference = from.definition, .domain = domain};
}

/// The same with some of its inputs one and the same: input k is input which[k] of the new one.
[[nodiscard]] Instance with_inputs(const Instance& from, const std::vector<std::size_t>& which);
/// second(first(x)), of ops of one input which move elements.
[[nodiscard]] Instance composed(const Instance& first, const Instance& second);

[[nodiscard]] std::string text_of(const AxisList& axes);
[[nodiscard]] std::string text_of(const Axes& axes);
/// Which of `rank` axes these are.
[[nodiscard]] std::vector<bool> named(const Axes& axes, std::size_t rank);

[[nodiscard]] Instance reshape_of(const Shape& from, const Shape& to);
[[nodiscard]] Instance permute_dims_of(const Shape& shape, const AxisList& axes);
[[nodiscard]] Instance expand_dims_of(const Shape& shape, const Axes& axes);
[[nodiscard]] Instance squeeze_of(const Shape& shape, const Axes& axes);
[[nodiscard]] Instance moveaxis_of(const Shape& shape, const AxisList& source, const AxisList& destination);
[[nodiscard]] Instance flip_of(const Shape& shape, const Axes& axes);
[[nodiscard]] Instance roll_of(const Shape& shape, std::ptrdiff_t shift, std::ptrdiff_t axis);
[[nodiscard]] Instance slice_of(const Shape& shape, std::ptrdiff_t axis, const Slice& range);
[[nodiscard]] Instance pad_of(const Shape& shape, const PaddingList& padding, double value = 0);
[[nodiscard]] Instance concat_of(const std::vector<Shape>& shapes, std::ptrdiff_t axis);
[[nodiscard]] Instance stack_of(const Shape& shape, std::size_t count, std::ptrdiff_t axis);

[[nodiscard]] Instance take_of(const Shape& shape, const Indices& indices, std::ptrdiff_t axis);
enum class Triangle { lower, upper };
[[nodiscard]] Instance triangle_of(Triangle which, const Shape& shape, std::ptrdiff_t k);
[[nodiscard]] Instance diagonal_of(const Shape& shape, std::ptrdiff_t offset);
[[nodiscard]] Instance tile_of(const Shape& shape, const Shape& repetitions);
[[nodiscard]] Instance repeat_of(const Shape& shape, std::size_t repetitions, std::ptrdiff_t axis);
/// With a number for each element of the axis.
[[nodiscard]] Instance repeat_of(const Shape& shape, const Shape& counts, std::ptrdiff_t axis);

/// An op that folds the elements of some axes.
struct Folding {
    const char* name = "";
    std::function<OpCall(const Axes&, KeepDims)> call{};
    Fold fold{};
    bool exact = false;      ///< selects an element, and has a kink where elements are equal
    bool of_nothing = true;  ///< is defined where there are no elements
};
[[nodiscard]] Instance folding_of(const Folding& op, const Shape& shape, const Axes& axes, KeepDims keepdims);
/// Those whose rounding errors are what their fold makes of the sizes of the inputs.
[[nodiscard]] const std::vector<Folding>& foldings();

[[nodiscard]] Instance broadcast_to_of(const Shape& from, const Shape& to);

/// An op that folds all elements of an axis up to each.
struct Scan {
    const char* name = "";
    std::function<OpCall(std::ptrdiff_t axis, IncludeInitial)> call{};
    Fold fold{};
    bool has_initial = true;
};
[[nodiscard]] Instance scan_of(const Scan& op, const Shape& shape, std::ptrdiff_t axis, IncludeInitial initial);
[[nodiscard]] const std::vector<Scan>& scans();

/// An op that gives each element what it is among those of some axes: its fold is given the element, and then all.
struct Share {
    const char* name = "";
    std::function<OpCall(const Axes&)> call{};
    Fold fold{};
    Fold scale{};
};
[[nodiscard]] Instance share_of(const Share& op, const Shape& shape, const Axes& axes);
[[nodiscard]] const std::vector<Share>& shares();

[[nodiscard]] Instance matmul_of(const Shape& a, const Shape& b, Transpose transpose);

}  // namespace autograd::specs
