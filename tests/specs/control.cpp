// The specs of the ops about gradients. What they do to gradients is tested in tests/ops/control_test.cpp; here they must
// leave values, and gradients of what they wrap, as they are.
#include "autograd/ops/control.hpp"
#include "autograd/ops/reductions.hpp"
#include "tests/specs/registry.hpp"

namespace autograd::specs {
namespace {

using Inputs = std::span<const Array<double>>;

Array<double> hyperbolic_tangent(Inputs x) {
    Array<double> y = x[0];
    for (double& each : y) each = std::tanh(each);
    return y;
}

}  // namespace

std::vector<OpSpec> control_specs() {
    OpSpec hook{.name = "gradient_hook", .documentation = ops::words::gradient_hook};
    hook.cases = {{.name = "of a matrix",
                   .shapes = {{3, 4}},
                   .call = OpCall([](auto x) {
                       return gradient_hook<typename std::remove_cvref_t<decltype(x[0])>::Element>(x[0], [](const auto&) {});
                   }),
                   .reference = [](Inputs x) { return x[0]; }}};

    OpSpec again{.name = "checkpoint", .documentation = ops::words::checkpoint};
    const auto through = [](auto x) { return checkpoint([](const auto& v) { return tanh(v); }, x[0]); };
    for (const Shape& shape : {Shape{}, Shape{5}, Shape{2, 3}}) {
        again.cases.push_back({.name = "of shape " + to_string(shape),
                               .shapes = {shape},
                               .call = OpCall(through),
                               .reference = hyperbolic_tangent});
    }
    // Of one input, that its derivative is right: of two it is wrong on purpose.
    OpSpec through_itself{.name = "straight_through", .documentation = ops::words::straight_through};
    through_itself.cases = {{.name = "of one input",
                             .shapes = {{4}},
                             .call = OpCall([](auto x) { return straight_through(x[0], x[0]); }),
                             .reference = [](Inputs x) { return x[0]; }}};
    return {std::move(through_itself), std::move(hook), std::move(again)};
}

}  // namespace autograd::specs
