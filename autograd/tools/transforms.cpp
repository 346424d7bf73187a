// Each records f once and asks the sweeps for the rest.
#include "autograd/tools/transforms.hpp"

#include <algorithm>

#include "autograd/base/error.hpp"
#include "autograd/core/explain.hpp"

namespace autograd {
namespace {

/// f recorded on a tape of its own.
template <class T>
struct Recording {
    Tape<T> tape;
    std::vector<Var<T>> inputs;
    Var<T> value;

    Recording(const ListFunction<T>& f, std::span<const Array<T>> at) {
        for (const Array<T>& each : at) inputs.push_back(tape.variable(each));
        value = f(inputs);
        tape.index_of(value, "a function of a list");  // throws for the Var of another tape
    }

    std::vector<Direction<T>> along(std::span<const Array<T>> tangents) const {
        std::vector<Direction<T>> directions;
        for (std::size_t k = 0; k < tangents.size(); ++k) directions.emplace_back(inputs[k], tangents[k]);
        return directions;
    }
    /// Whether all ops between the inputs and the value have a rule for forward mode.
    bool has_forward_mode() const {
        const std::vector<bool> leads_to_value = ancestors(tape, value.index());
        for (std::uint32_t i = 0; i < leads_to_value.size(); ++i) {
            const Node<T>& node = tape.node(i);
            if (!leads_to_value[i] || node.op == nullptr || node.op->tangent != nullptr) continue;
            for (std::size_t k = 0; k < node.input_count; ++k) {
                if (tape.flows(*node.op, tape.inputs(node)[k], k)) return false;
            }
        }
        return true;
    }
    std::vector<Array<T>> gradients(const Array<T>& cotangent) const {
        const auto found = backward(value, cotangent);
        std::vector<Array<T>> all;
        for (const Var<T>& each : inputs) all.push_back(found[each]);
        return all;
    }
};

/// An array of zeros but for a 1 at one place.
template <class T>
Array<T> unit(const Shape& shape, std::size_t place) {
    Array<T> result = full<T>(shape, T(0));
    result.data()[place] = T(1);
    return result;
}

}  // namespace

template <class T>
ValueAndTangent<T> jvp_list(const ListFunction<T>& f, std::span<const Array<T>> inputs, std::span<const Array<T>> tangents) {
    const Recording<T> recording(f, inputs);
    return {recording.value.value(), tangent<T>(recording.value, recording.along(tangents))};
}

template <class T>
ValueAndGradients<T> vjp_list(const ListFunction<T>& f, std::span<const Array<T>> inputs, const Array<T>& cotangent) {
    Recording<T> recording(f, inputs);
    if (cotangent.shape() != recording.value.shape()) {
        throw ShapeError("vjp: a cotangent of shape " + to_string(cotangent.shape()) + " for a value of shape " +
                         to_string(recording.value.shape()));
    }
    return {recording.value.value(), recording.gradients(cotangent)};
}

template <class T>
std::vector<Array<T>> jacobian_list(const ListFunction<T>& f, std::span<const Array<T>> inputs) {
    Recording<T> recording(f, inputs);
    const Shape shape = recording.value.shape();
    const std::size_t rows = element_count(shape);
    std::vector<Array<T>> result;
    std::size_t columns = 0;
    for (const Array<T>& each : inputs) {
        Shape both = shape;
        for (const std::size_t extent : each.shape()) both.push_back(extent);
        require_allocatable(both, sizeof(T), "jacobian");
        result.push_back(empty<T>(both));
        columns += each.size();
    }
    if (rows <= columns || !recording.has_forward_mode()) {
        for (std::size_t row = 0; row < rows; ++row) {
            const auto gradients = recording.gradients(unit<T>(shape, row));
            for (std::size_t k = 0; k < inputs.size(); ++k) {
                std::copy_n(gradients[k].data(), inputs[k].size(), result[k].data() + row * inputs[k].size());
            }
        }
        return result;
    }
    for (std::size_t k = 0; k < inputs.size(); ++k) {
        for (std::size_t column = 0; column < inputs[k].size(); ++column) {
            const auto t = tangent<T>(recording.value, {{recording.inputs[k], unit<T>(inputs[k].shape(), column)}});
            for (std::size_t row = 0; row < rows; ++row) result[k].data()[row * inputs[k].size() + column] = t.data()[row];
        }
    }
    return result;
}

template <class T>
ValueAndGradients<T> hvp_list(const ListFunction<T>& f, std::span<const Array<T>> inputs, std::span<const Array<T>> direction) {
    const Recording<T> recording(f, inputs);
    const auto gradients = backward(recording.value, {.create_graph = true});
    const auto directions = recording.along(direction);
    ValueAndGradients<T> result{recording.value.value(), {}};
    for (const Var<T>& each : recording.inputs) {
        auto product = find_tangent<T>(gradients.var(each), directions);
        result.gradients.push_back(product ? *std::move(product) : full<T>(each.shape(), T(0)));
    }
    return result;
}

template <class T>
Array<T> hessian_list(const ListFunction<T>& f, const Array<T>& input) {
    const Recording<T> recording(f, {&input, 1});
    const auto gradients = backward(recording.value, {.create_graph = true});
    const Var<T>& x = recording.inputs[0];
    const Var<T> slope = gradients.var(x);
    Shape shape = input.shape();
    for (const std::size_t extent : input.shape()) shape.push_back(extent);
    require_allocatable(shape, sizeof(T), "hessian");
    Array<T> result = full<T>(shape, T(0));
    for (std::size_t i = 0; i < input.size(); ++i) {
        const Direction<T> direction{x, unit<T>(input.shape(), i)};
        const auto column = find_tangent<T>(slope, {&direction, 1});
        if (column) std::copy_n(column->data(), input.size(), result.data() + i * input.size());
    }
    return result;
}

#define XTAPE_INSTANTIATE(T)                                                                                                 \
    template XTAPE_API ValueAndTangent<T> jvp_list<T>(const ListFunction<T>&, std::span<const Array<T>>,                     \
                                                      std::span<const Array<T>>);                                            \
    template XTAPE_API ValueAndGradients<T> vjp_list<T>(const ListFunction<T>&, std::span<const Array<T>>, const Array<T>&); \
    template XTAPE_API std::vector<Array<T>> jacobian_list<T>(const ListFunction<T>&, std::span<const Array<T>>);            \
    template XTAPE_API ValueAndGradients<T> hvp_list<T>(const ListFunction<T>&, std::span<const Array<T>>,                   \
                                                        std::span<const Array<T>>);                                          \
    template XTAPE_API Array<T> hessian_list<T>(const ListFunction<T>&, const Array<T>&);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd
