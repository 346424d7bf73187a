// Walks the registry: forward mode and reverse mode of every structured op are each other's adjoint, <u, J v> = <J'u,
// v>, and so are those of its gradient. No step size is involved, so this holds to rounding.
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>
#include "tests/specs/registry.hpp"

#include "tests/testing.hpp"

using namespace autograd;

namespace {

double dot(const Array<double>& a, const Array<double>& b) {
    double total = 0;
    for (std::size_t i = 0; i < a.size(); ++i) total += a.data()[i] * b.data()[i];
    return total;
}

double size_of(const Array<double>& a) { return std::sqrt(dot(a, a)); }

/// y moved along `direction` of x, against the gradient of <weights, y>.
void check_adjoint(const std::string& name, const Var<double>& x, const Var<double>& y, const Array<double>& direction) {
    // The mean of nothing is no number, nor is its tangent.
    if (!std::all_of(y.value().begin(), y.value().end(), [](double each) { return std::isfinite(each); })) return;
    const Array<double> weights = sample<double>(y.shape(), 3);
    const Direction<double> moves[] = {{x, direction}};
    const auto tangent = find_tangent(y, std::span<const Direction<double>>(moves));
    const Var<double> loss = sum(y * x.tape().constant(weights));
    std::optional<Array<double>> gradient;
    if (x.tape().node(loss.index()).needs_gradient) {
        const auto gradients = backward(loss);
        if (const auto* found = gradients.find(x)) gradient = *found;
    }
    INFO(name);
    REQUIRE(tangent.has_value() == gradient.has_value());
    if (!tangent) return;
    REQUIRE(tangent->shape() == y.shape());
    const double forward = dot(weights, *tangent), reverse = dot(*gradient, direction);
    CHECK(std::fabs(forward - reverse) <= 1e-12 * std::max(1.0, size_of(weights) * size_of(*tangent)));
}

}  // namespace

TEST_CASE("forward mode is the adjoint of reverse mode for every structured op", "[every_op]") {
    for (const OpSpec& spec : registry()) {
        if (spec.is_elementwise()) continue;
        for (const OpCase& each : spec.cases) {
            const std::string name = spec.name + ": " + each.name;
            for (std::size_t k = 0; k < each.shapes.size(); ++k) {
                Tape<double> tape;
                std::vector<Var<double>> inputs;
                for (std::size_t i = 0; i < each.shapes.size(); ++i) {
                    Array<double> x = sample<double>(each.shapes[i], static_cast<int>(i) + 5);
                    for (double& value : x) {
                        value = each.domain.low + (each.domain.high - each.domain.low) * (value + 1) / 2;
                    }
                    inputs.push_back(tape.variable(x));
                }
                const Var<double> x = inputs[k];
                const Array<double> direction = sample<double>(x.shape(), 11);
                const Var<double> y = each.call(inputs);
                check_adjoint(name, x, y, direction);
                const Var<double> loss = sum(y * y);
                if (!tape.node(loss.index()).needs_gradient) continue;
                const auto gradients = backward(loss, {.create_graph = true});
                if (gradients.find(x) == nullptr) continue;
                check_adjoint(name + ", its gradient", x, gradients.var(x), direction);
            }
        }
    }
}
