// The spec of an op: what the checks, the op table and a reader need to know of it beside its code. A user's op gets its
// spec where the user's test names it, by spec_of(); those of the library's ops stand with its tests.
#pragma once

#include "autograd/base/language.hpp"

#include <concepts>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/core/elementwise_op.hpp"
#include "autograd/core/structured_op.hpp"

namespace autograd {

/// The inputs of a call: v[0] of none is an error.
template <class T>
struct OpInputs : std::span<const Var<T>> {
    const Var<T>& operator[](std::size_t index) const {
        if (index < this->size()) return this->data()[index];
        throw ShapeError("input " + std::to_string(index) + " of a call with " + std::to_string(this->size()));
    }
};

/// A call on a list of Vars, made of one generic lambda that serves float and double.
class OpCall {
   public:
    OpCall() = default;
    template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, OpCall>) OpCall(F f) : in_float_(f), in_double_(f) {}

    /// @throws ShapeError if the lambda wants more inputs than there are.
    Var<float> operator()(std::span<const Var<float>> inputs) const { return in_float_(OpInputs<float>{inputs}); }
    Var<double> operator()(std::span<const Var<double>> inputs) const { return in_double_(OpInputs<double>{inputs}); }

   private:
    std::function<Var<float>(OpInputs<float>)> in_float_;
    std::function<Var<double>(OpInputs<double>)> in_double_;
};

/// One way to call a structured op, with what it should give.
struct OpCase {
    std::string name{};
    std::vector<Shape> shapes{};  ///< of the inputs
    OpCall call{};
    /// The value by plain loops. Of the absolute values of the inputs it gives the scale of the rounding errors.
    std::function<Array<double>(std::span<const Array<double>>)> reference{};
    Documentation::Domain domain{};  ///< where to sample the inputs from
    bool float_agrees = true;        ///< false where float gives other values altogether: noise
};

/// A call that must throw a ShapeError whose message holds all of these.
struct OpMisuse {
    std::vector<Shape> shapes{};
    OpCall call{};
    std::vector<std::string> message{};
};

struct OpSpec {
    std::string name{};
    Documentation documentation{};

    /// Of an elementwise op: what it is compiled to, for this number of inputs.
    std::size_t arity = 0;
    OpCall call{};
    const ElementwiseOp<float>* in_float = nullptr;
    const ElementwiseOp<double>* in_double = nullptr;
    /// The same without its stated rules, where its lambda can be differentiated.
    const ElementwiseOp<double>* derived = nullptr;

    /// Of a structured op.
    std::vector<OpCase> cases{};
    std::vector<OpMisuse> misuses{};

    bool is_elementwise() const { return arity > 0; }
};

/// Says of an op with stated rules that its lambda is made of ops, not of kernels: so there is a derived gradient with
/// which the stated one can be compared.
struct Composite {};
inline constexpr Composite composite{};

namespace detail {

template <Name OpName, class F, class... Rules>
[[nodiscard]] Elementwise<OpName, F> without_rules(Elementwise<OpName, F, Rules...>);

template <class F, std::size_t... I>
[[nodiscard]] constexpr bool takes(std::index_sequence<I...>) {
    return std::is_invocable_v<F, std::conditional_t<true, Pack<double>, InputIndex<I>>...>;
}
/// The number of inputs of an elementwise op: that of its rules, else the first that its lambda takes.
template <class F, std::size_t Rules, std::size_t From = 1>
[[nodiscard]] constexpr std::size_t arity_of() {
    if constexpr (Rules > 0) {
        return Rules;
    } else if constexpr (takes<F>(std::make_index_sequence<From>{})) {
        return From;
    } else {
        static_assert(From < Documentation::max_inputs, "the op's lambda takes no number of inputs from 1 to 4");
        return arity_of<F, Rules, From + 1>();
    }
}

}  // namespace detail

/// The spec of an elementwise op: `spec_of(swish)`.
template <Name OpName, class F, class... Rules>
[[nodiscard]] OpSpec spec_of(const Elementwise<OpName, F, Rules...>& op) {
    using E = Elementwise<OpName, F, Rules...>;
    constexpr std::size_t arity = detail::arity_of<F, sizeof...(Rules)>();
    OpSpec spec;
    spec.name = E::name;
    spec.documentation = op.documentation;
    spec.arity = arity;
    spec.call = OpCall([op](auto inputs) {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return op(inputs[I]...);
        }(std::make_index_sequence<arity>{});
    });
    spec.in_float = &detail::Compiled<E, float, arity>::op;
    spec.in_double = &detail::Compiled<E, double, arity>::op;
    return spec;
}

/// The same of an op with stated rules whose gradient can also be derived: `spec_of(swish, composite)`.
template <Name OpName, class F, class... Rules>
[[nodiscard]] OpSpec spec_of(const Elementwise<OpName, F, Rules...>& op, Composite) {
    OpSpec spec = spec_of(op);
    spec.derived = &detail::Compiled<decltype(detail::without_rules(op)), double, sizeof...(Rules)>::op;
    return spec;
}

}  // namespace autograd
