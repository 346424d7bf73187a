// The spec of an op: what the checks hold it against, and its row of the op table. A user's op gets its spec where the
// user's test names it, by spec_of(); those of the library's ops stand with its tests.
#pragma once

#include "autograd/base/language.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/base/documentation.hpp"
#include "autograd/core/elementwise_op.hpp"
#include "autograd/core/structured_op.hpp"

namespace XTAPE_API autograd {

/// Where to sample an input from, or, low = high, hold it.
struct OpDomain {
    double low = -2;
    double high = 2;
};

/// What an elementwise op is held against.
struct OpOracle {
    static constexpr std::size_t max_inputs = 4;  ///< of an op that spec_of() makes a spec of

    std::array<OpDomain, max_inputs> domain{};            ///< of each input
    double (*reference)(const double* inputs) = nullptr;  ///< the value by independent means
    /// How far the value may be from the reference, in units of its last place: by default what xsimd's functions promise,
    /// 2, and four roundings more.
    double ulps = 4;
};

/// The inputs of a call: v[0] of none is an error.
template <class T>
struct OpInputs : std::span<const Var<T>> {
    /// One of them.
    /// @throws ShapeError if there are not so many.
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
    requires(!std::same_as<std::remove_cvref_t<F>, OpCall>)
    OpCall(F f) : in_float_(f), in_double_(f) {}

    /// Calls the lambda.
    /// @throws ShapeError if the lambda wants more inputs than there are.
    Var<float> operator()(std::span<const Var<float>> inputs) const { return in_float_(OpInputs<float>{inputs}); }
    Var<double> operator()(std::span<const Var<double>> inputs) const { return in_double_(OpInputs<double>{inputs}); }

   private:
    std::function<Var<float>(OpInputs<float>)> in_float_;
    std::function<Var<double>(OpInputs<double>)> in_double_;
};

/// One way to call a structured op, with what it should give.
struct OpCase {
    std::string name{};           ///< by which opcheck's sentences call it
    std::vector<Shape> shapes{};  ///< of the inputs
    OpCall call{};                ///< of the op, on inputs of these shapes
    /// The value by plain loops. Of the absolute values of the inputs it gives the scale of the rounding errors.
    std::function<Array<double>(std::span<const Array<double>>)> reference{};
    OpDomain domain{};         ///< of all inputs
    bool float_agrees = true;  ///< false where float gives other values altogether: noise
};

/// A call that must throw a ShapeError whose message has all of these parts.
struct OpMisuse {
    std::vector<Shape> shapes{};  ///< of the inputs
    OpCall call{};
    std::vector<std::string> message{};
};

/// All that opcheck() holds an op against. spec_of() makes that of an elementwise op; that of a structured one is written out.
struct OpSpec {
    std::string name{};             ///< in opcheck's sentences and in the table of ops
    Documentation documentation{};  ///< its row in the table of ops, which no check reads
    double ulps = OpOracle{}.ulps;  ///< how far a value may be from its reference, in units of its last place

    /// Of an elementwise op: where to sample its inputs from, its value by other means, and what it is compiled to for
    /// this number of inputs.
    std::array<OpDomain, OpOracle::max_inputs> domain{};
    double (*reference)(const double* inputs) = nullptr;  ///< null: the value is held against none
    std::size_t arity = 0;                                ///< the number of inputs; 0 of a structured op
    OpCall call{};                                        ///< of the op, on so many
    const ElementwiseOp<float>* in_float = nullptr;       ///< what it is compiled to, of floats
    const ElementwiseOp<double>* in_double = nullptr;     ///< and of doubles
    /// The same without its stated rules, where its lambda can be differentiated.
    const ElementwiseOp<double>* derived = nullptr;

    /// Of a structured op.
    std::vector<OpCase> cases{};
    std::vector<OpMisuse> misuses{};  ///< and what it must refuse

    /// Which of the two it is the spec of.
    bool is_elementwise() const { return arity > 0; }
};

/// Says of an op with stated rules that its lambda is made of ops, not of kernels: so there is a derived gradient with
/// which the stated one can be compared.
struct Composite {};
inline constexpr Composite composite{};  ///< the object to pass to spec_of()

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
        static_assert(From < OpOracle::max_inputs, "the op's lambda takes no number of inputs from 1 to 4");
        return arity_of<F, Rules, From + 1>();
    }
}

}  // namespace detail

/// The spec of an elementwise op: `spec_of(swish)`; or with what its value is held against,
///
///     spec_of(swish, {.domain = {{{-6, 6}}}, .reference = [](const double* x) { return x[0] / (1 + std::exp(-x[0])); }})
template <Name OpName, class F, class... Rules>
[[nodiscard]] OpSpec spec_of(const Elementwise<OpName, F, Rules...>& op, const OpOracle& oracle = {}) {
    using E = Elementwise<OpName, F, Rules...>;
    constexpr std::size_t arity = detail::arity_of<F, sizeof...(Rules)>();
    OpSpec spec;
    spec.name = E::name;
    spec.documentation = op.documentation;
    spec.ulps = oracle.ulps;
    spec.domain = oracle.domain;
    spec.reference = oracle.reference;
    spec.arity = arity;
    spec.call = OpCall([op](auto inputs) {
        return [&]<std::size_t... I>(std::index_sequence<I...>) { return op(inputs[I]...); }(std::make_index_sequence<arity>{});
    });
    spec.in_float = &detail::Compiled<E, float, arity>::op;
    spec.in_double = &detail::Compiled<E, double, arity>::op;
    return spec;
}

/// The spec of an op with stated rules whose gradient can also be derived: `spec_of(swish, composite)`.
template <Name OpName, class F, class... Rules>
[[nodiscard]] OpSpec spec_of(const Elementwise<OpName, F, Rules...>& op, Composite, const OpOracle& oracle = {}) {
    OpSpec spec = spec_of(op, oracle);
    spec.derived = &detail::Compiled<decltype(detail::without_rules(op)), double, sizeof...(Rules)>::op;
    return spec;
}

}  // namespace autograd
