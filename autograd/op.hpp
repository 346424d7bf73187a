// What an op is, and the two ways to make one: elementwise<"name">(lambda, rules...) and apply(structure, inputs...).
// One definition serves every world an op is used in: packs of numbers, dual numbers, eager arrays, and Vars on a tape.
// The ops themselves stand in ops/.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "autograd/gradients.hpp"
#include "autograd/kernels/elementwise.hpp"
#include "autograd/tangents.hpp"
#include "autograd/tape.hpp"

namespace autograd {

// ---- The worlds ----

/// A value with a derivative: of a Pack while numbers are crunched, of a Var while a sweep is recorded.
template <class X>
struct Dual {
    using Element = typename X::Element;
    X value;
    X tangent;
};

/// An array which ops compute on at once, without a tape: the world in which the rules of structured ops run. A strong
/// type, because on bare arrays lookup would find xtensor's lazy functions. The result of an op that can add to what is
/// there already (a matrix product can) waits until it is known whether that is wanted.
template <class T>
class Eager {
   public:
    using Element = T;

    /// A value that is still to be computed, to an array of its own or onto another.
    struct Pending {
        virtual ~Pending() = default;
        virtual void compute(Array<T>& out) const = 0;
        virtual void add_to(Array<T>& target) const = 0;
    };

    /// Borrows; the array must outlive this.
    explicit Eager(const Array<T>& array) : borrowed_(&array) {}
    explicit Eager(Array<T>&& array) : owned_(make<Owned>(std::move(array))) {}
    template <std::derived_from<Pending> P>
    explicit Eager(P pending) : owned_(make<Owned>()) {
        owned_->pending = make<P>(std::move(pending));
    }

    const Array<T>& array() const {
        if (borrowed_ != nullptr) return *borrowed_;
        if (owned_->pending != nullptr) std::exchange(owned_->pending, nullptr)->compute(owned_->value);
        return owned_->value;
    }
    const Shape& shape() const { return array().shape(); }
    /// The array itself, for the last owner of a value; else a copy.
    Array<T> take() && {
        array();
        return borrowed_ != nullptr || owned_.use_count() > 1 ? array() : std::move(owned_->value);
    }
    /// True for a value that was not needed yet: then add_to() need not compute it apart.
    bool is_pending() const { return owned_ != nullptr && owned_->pending != nullptr; }
    /// target += value, while it is pending.
    void add_to(Array<T>& target) const { owned_->pending->add_to(target); }

   private:
    struct Owned {
        Array<T> value;
        std::shared_ptr<const Pending> pending{};
    };
    template <class O, class... A>
    static std::shared_ptr<O> make(A&&... arguments) {
        return std::allocate_shared<O>(PoolAllocator<O>(), std::forward<A>(arguments)...);
    }

    const Array<T>* borrowed_ = nullptr;
    std::shared_ptr<Owned> owned_;
};

template <class A>
inline constexpr bool is_pack = false;
template <class T>
inline constexpr bool is_pack<Pack<T>> = true;
template <class A>
inline constexpr bool is_dual = false;
template <class X>
inline constexpr bool is_dual<Dual<X>> = true;
template <class A>
inline constexpr bool is_var = false;
template <class T>
inline constexpr bool is_var<Var<T>> = true;
template <class A>
inline constexpr bool is_eager = false;
template <class T>
inline constexpr bool is_eager<Eager<T>> = true;

template <class A>
concept Operand = is_pack<A> || is_dual<A> || is_var<A> || is_eager<A>;
/// What an op takes: at least one operand, and scalars.
template <class... A>
concept Operands = (Operand<A> || ...) && ((Operand<A> || Scalar<A>) && ...);

namespace detail {

template <class A>
struct ElementOf {
    using type = void;
};
template <Operand A>
struct ElementOf<A> {
    using type = typename A::Element;
};
template <class... A>
struct CommonElement;
template <class First, class... Rest>
struct CommonElement<First, Rest...> {
    using first = typename ElementOf<First>::type;
    using rest = typename CommonElement<Rest...>::type;
    static_assert(std::is_void_v<first> || std::is_void_v<rest> || std::is_same_v<first, rest>,
                  "one op mixes float and double: convert one of its inputs");
    using type = std::conditional_t<std::is_void_v<first>, rest, first>;
};
template <>
struct CommonElement<> {
    using type = void;
};
template <class... A>
using Element = typename CommonElement<A...>::type;

/// The X of the first Dual<X> among the arguments.
template <class First, class... Rest>
struct DualWorld : DualWorld<Rest...> {};
template <class X, class... Rest>
struct DualWorld<Dual<X>, Rest...> {
    using type = X;
};

/// `value` in the world of X, as a constant where it is a scalar.
template <class T>
Pack<T> lift(Pack<T>, Pack<T> value) {
    return value;
}
template <class T, Scalar A>
Pack<T> lift(Pack<T>, A value) {
    return Pack<T>(value);
}
template <class T>
Var<T> lift(const Var<T>&, const Var<T>& value) {
    return value;
}
template <class T, Scalar A>
Var<T> lift(const Var<T>& like, A value) {
    return like.tape().constant(full<T>({}, static_cast<T>(value)));
}
template <class X, class A>
const X& primal(const X&, const Dual<A>& dual) {
    return dual.value;
}
template <class X, class A>
X primal(const X& like, const A& value) {
    return lift(like, value);
}

}  // namespace detail

// ---- Elementwise ops ----

/// In place of a rule: no gradient flows into this input.
struct NoGradient {};
inline constexpr NoGradient no_gradient{};

/// The rule of an input whose gradient is the output's: the sweep can pass its buffer on as it is.
struct Unchanged {
    template <class X, class... A>
    X operator()(const X& g, const A&...) const {
        return g;
    }
};
inline constexpr Unchanged unchanged{};

/// A string as a template argument.
template <std::size_t N>
struct Name {
    char text[N]{};
    constexpr Name(const char (&from)[N]) { std::copy_n(from, N, text); }
};

/// What the op table, the tests and the gradient check need to know of an op beside its code.
struct Documentation {
    struct Domain {
        double low = -2;
        double high = 2;
    };
    static constexpr std::size_t max_inputs = 4;

    const char* formula = "";
    const char* gradient = "derived";
    const char* kinks = "none";
    const char* nan = "propagates";                      ///< else: where a NaN input does not make a NaN
    std::array<Domain, max_inputs> domain{};             ///< where to sample each input from, or, low = high, hold it
    double (*reference)(const double* inputs) = nullptr;  ///< the value by independent means
    /// How far the value may be from the reference, in units of its last place: by default what xsimd's functions promise,
    /// 2, and four roundings more.
    double ulps = 4;
};

template <class T>
struct ElementwiseOp : Op<T> {
    const kernels::ElementwiseKernel<T>* kernel = nullptr;
};

namespace detail {

template <class T>
Var<T> record_map(const ElementwiseOp<T>& op, Tape<T>& tape, std::span<const Input<T>> inputs);
template <class T>
Array<T> compute_map(const ElementwiseOp<T>& op, std::span<const kernels::Operand<T>> inputs);
template <class T>
void backward_map(Sweep<T>& sweep);
template <class T>
void tangent_map(TangentSweep<T>& sweep);
/// Recorded: `contribution` summed or broadcast to `shape`, and added to `existing` if that is not null. Defined with the
/// ops that it is made of, in ops/reductions.cpp.
template <class T>
Var<T> accumulate_recorded(const Var<T>* existing, Var<T> contribution, const Shape& shape);

/// The derivative of op `E` in its input `K`, times g. By its stated rule, else derived: the lambda is run on a dual
/// number whose tangent is g, which is the same thing because the Jacobian of an elementwise op is diagonal.
template <class E, std::size_t K, class X, class... Inputs>
auto contribution(const X& g, const X& y, const Inputs&... inputs) {
    if constexpr (E::has_rules) {
        return lift(g, E::template rule<K>(g, inputs..., y));
    } else {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            const auto as_dual = [&]<std::size_t J>(std::integral_constant<std::size_t, J>, const X& input) {
                if constexpr (J == K) {
                    return Dual<X>{input, g};
                } else {
                    return input;
                }
            };
            return E::evaluate(as_dual(std::integral_constant<std::size_t, I>{}, inputs)...).tangent;
        }(std::index_sequence_for<Inputs...>{});
    }
}

template <class E, std::size_t K, class X, class Indices>
struct DerivedCut;
template <class E, std::size_t K, class X, std::size_t... I>
struct DerivedCut<E, K, X, std::index_sequence<I...>> {
    using result = decltype(E::evaluate(std::declval<std::conditional_t<I == K, Dual<X>, X>>()...));
    static constexpr bool value = !is_dual<result>;
};

/// Everything that one elementwise op compiles to for one element type and number of inputs.
template <class E, class T, std::size_t Arity>
struct Loops {
    static_assert(Arity <= kernels::max_arity, "an elementwise op has at most eight inputs");

    template <std::size_t K>
    static constexpr bool cuts() {
        if constexpr (E::has_rules) {
            return E::template rule_is<K, NoGradient>;
        } else {
            return DerivedCut<E, K, Pack<T>, std::make_index_sequence<Arity>>::value;
        }
    }

    template <std::size_t K>
    static constexpr bool is_unchanged() {
        if constexpr (E::has_rules) {
            return E::template rule_is<K, Unchanged>;
        } else {
            return false;
        }
    }

    template <std::size_t... I>
    static void forward_loop(std::index_sequence<I...>, T* out, const T* const* in, const kernels::Advance* advance,
                             std::size_t count) {
        const T* const from[] = {in[I]...};
        const kernels::Advance by[] = {advance[I]...};
        const auto apply = [](const T* const* data, const kernels::Advance* mask, std::ptrdiff_t i) {
            return Pack<T>(E::evaluate(Pack<T>::load(data[I] + (i & mask[I]))...));
        };
        kernels::map_rows<T>(apply, out, from, by, count);
    }
    static void forward(T* out, const T* const* in, const kernels::Advance* advance, std::size_t count) {
        forward_loop(std::make_index_sequence<Arity>{}, out, in, advance, count);
    }

    /// The contribution to input K of the pack at `i`, from operands g, y, inputs...
    template <std::size_t K, std::size_t... I>
    static Pack<T> at(std::index_sequence<I...>, const T* const* data, const kernels::Advance* mask, std::ptrdiff_t i) {
        return contribution<E, K>(Pack<T>::load(data[0] + (i & mask[0])), Pack<T>::load(data[1] + (i & mask[1])),
                                  Pack<T>::load(data[2 + I] + (i & mask[2 + I]))...);
    }
    template <std::size_t K>
    static void backward_row(T* target, bool accumulate, const T* const* operands, const kernels::Advance* advance,
                             std::size_t count) {
        const auto apply = [](const T* const* data, const kernels::Advance* mask, std::ptrdiff_t i) {
            return at<K>(std::make_index_sequence<Arity>{}, data, mask, i);
        };
        kernels::map_exactly<T>(apply, target, accumulate, operands, advance, count);
    }
    template <std::size_t K>
    static T backward_sum(const T* const* operands, const kernels::Advance* advance, std::size_t count) {
        const auto apply = [](const T* const* data, const kernels::Advance* mask, std::ptrdiff_t i) {
            return at<K>(std::make_index_sequence<Arity>{}, data, mask, i);
        };
        return kernels::map_and_sum<T>(apply, operands, advance, count);
    }
    template <std::size_t... I>
    static void backward_all_loop(std::index_sequence<I...> all, T* const* targets, const bool* accumulate,
                                  const T* const* operands, std::size_t count) {
        constexpr kernels::Advance all_advance[] = {kernels::advances, kernels::advances, (static_cast<void>(I), kernels::advances)...};
        for (std::size_t i = 0; i < count; i += Pack<T>::size) {
            // All are computed before any is stored: a target may be the gradient's own buffer.
            const Pack<T> parts[] = {at<I>(all, operands, all_advance, static_cast<std::ptrdiff_t>(i))...};
            for (std::size_t k = 0; k < Arity; ++k) {
                T* to = targets[k] + i;
                (accumulate[k] ? kernels::add(Pack<T>::load(to), parts[k]) : parts[k]).store(to);
            }
        }
    }
    /// One pass for all, where each input has something to be computed.
    template <std::size_t... I>
    static constexpr typename kernels::ElementwiseKernel<T>::BackwardAll backward_all(std::index_sequence<I...>) {
        if constexpr (Arity > 1 && !((cuts<I>() || is_unchanged<I>()) || ...)) {
            return [](T* const* targets, const bool* accumulate, const T* const* operands, std::size_t count) {
                backward_all_loop(std::index_sequence<I...>{}, targets, accumulate, operands, count);
            };
        } else {
            return nullptr;
        }
    }
    template <std::size_t K>
    static constexpr typename kernels::ElementwiseKernel<T>::Backward backward_for() {
        if constexpr (cuts<K>()) {
            return {};
        } else {
            return {backward_row<K>, backward_sum<K>, is_unchanged<K>()};
        }
    }
    template <std::size_t... I>
    static constexpr auto backward_table(std::index_sequence<I...>) {
        return std::array<typename kernels::ElementwiseKernel<T>::Backward, Arity>{backward_for<I>()...};
    }
    template <std::size_t... I>
    static constexpr std::uint32_t mask(std::index_sequence<I...>) {
        return ((cuts<I>() ? 1u << I : 0u) | ...);
    }

    static void backward_recorded(RecordingSweep<T>& sweep) {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            const Var<T> g = sweep.gradient();
            const Var<T> y = sweep.output();
            const Var<T> inputs[] = {sweep.input(I)...};
            const auto pass_on = [&]<std::size_t K>(std::integral_constant<std::size_t, K>) {
                if constexpr (!cuts<K>()) {
                    if (sweep.wants(K)) sweep.deliver_fitted(K, contribution<E, K>(g, y, inputs[I]...));
                }
            };
            (pass_on(std::integral_constant<std::size_t, I>{}), ...);
        }(std::make_index_sequence<Arity>{});
    }

    static constexpr std::uint32_t cut_mask = mask(std::make_index_sequence<Arity>{});
    static constexpr auto backward = backward_table(std::make_index_sequence<Arity>{});
    static constexpr kernels::ElementwiseKernel<T> kernel{
        Arity, forward, backward_all(std::make_index_sequence<Arity>{}), backward.data()};
    static constexpr ElementwiseOp<T> op{
        {E::name, cut_mask, backward_map<T>, backward_recorded, tangent_map<T>, accumulate_recorded<T>}, &kernel};
};

/// The little of it that callers name. Of the library's ops it is declared extern: users' files then see nothing of Loops,
/// which for a hundred ops would take them a second.
template <class E, class T, std::size_t Arity>
struct Compiled {
    static const ElementwiseOp<T> op;
};
template <class E, class T, std::size_t Arity>
constinit const ElementwiseOp<T> Compiled<E, T, Arity>::op = Loops<E, T, Arity>::op;

template <class T, class A>
Input<T> input_of(const Tape<T>& tape, const A& argument, const char* op) {
    if constexpr (is_var<A>) {
        return {tape.index_of(argument, op), T(0)};
    } else {
        return {Input<T>::none, static_cast<T>(argument)};
    }
}

template <class First, class... Rest>
auto& tape_of(const First& first, const Rest&... rest) {
    if constexpr (is_var<First>) {
        return first.tape();
    } else {
        return tape_of(rest...);
    }
}

}  // namespace detail

/// An op that acts on each element by itself, with NumPy broadcasting. Made by elementwise<"name">(f, rules...).
template <Name OpName, class F, class... Rules>
struct Elementwise {
    static constexpr const char* name = OpName.text;
    static constexpr bool has_rules = sizeof...(Rules) > 0;
    static constexpr std::size_t stated_arity = sizeof...(Rules);

    Documentation documentation{};

    /// The lambda itself.
    template <class... A>
    static auto evaluate(const A&... a) {
        return F{}(a...);
    }
    template <std::size_t K, class... A>
    static auto rule(const A&... a) {
        return std::tuple_element_t<K, std::tuple<Rules...>>{}(a...);
    }
    template <std::size_t K, class Kind>
    static constexpr bool rule_is = std::is_same_v<std::tuple_element_t<K, std::tuple<Rules...>>, Kind>;
    template <std::size_t K>
    static constexpr bool rule_is_cut = rule_is<K, NoGradient>;

    /// The same op with what its row in the op table says.
    constexpr Elementwise documented(const Documentation& about) const { return {about}; }

    template <class... A>
        requires Operands<A...>
    auto operator()(const A&... a) const {
        using T = detail::Element<A...>;
        static_assert(!has_rules || sizeof...(A) == stated_arity, "an op needs one argument for each of its rules");
        if constexpr ((is_dual<A> || ...)) {
            return on_duals<typename detail::DualWorld<A...>::type>(a...);
        } else if constexpr ((is_var<A> || ...)) {
            Tape<T>& tape = detail::tape_of(a...);
            const Input<T> inputs[] = {detail::input_of<T>(tape, a, name)...};
            return detail::record_map<T>(detail::Compiled<Elementwise, T, sizeof...(A)>::op, tape, inputs);
        } else if constexpr ((is_eager<A> || ...)) {
            const T scalars[] = {scalar_or_zero<T>(a)...};
            std::size_t k = 0;
            const kernels::Operand<T> inputs[] = {operand<T>(a, &scalars[k++])...};
            return Eager<T>(detail::compute_map<T>(detail::Compiled<Elementwise, T, sizeof...(A)>::op, inputs));
        } else {
            return Pack<T>(evaluate(Pack<T>(a)...));
        }
    }

   private:
    template <class X, class... A>
    static auto on_duals(const A&... a) {
        if constexpr (!has_rules) {
            return evaluate(a...);
        } else {
            return [&]<std::size_t... I>(std::index_sequence<I...>) {
                const X& like = first_value<X>(a...);
                const auto values = std::tuple<X, std::conditional_t<true, X, A>...>{like, detail::primal(like, a)...};
                const X y = Elementwise{}(std::get<I + 1>(values)...);
                if constexpr (((is_dual<A> && !rule_is_cut<I>) || ...)) {
                    std::optional<X> tangent;
                    const auto add_part = [&]<std::size_t K>(std::integral_constant<std::size_t, K>, const auto& argument) {
                        if constexpr (is_dual<std::remove_cvref_t<decltype(argument)>> && !rule_is_cut<K>) {
                            const X part =
                                detail::lift(like, rule<K>(argument.tangent, std::get<I + 1>(values)..., y));
                            tangent = tangent ? X(*tangent + part) : part;
                        }
                    };
                    (add_part(std::integral_constant<std::size_t, I>{}, a), ...);
                    return Dual<X>{y, *tangent};
                } else {
                    return y;
                }
            }(std::index_sequence_for<A...>{});
        }
    }
    template <class X, class First, class... Rest>
    static const X& first_value(const First& first, const Rest&... rest) {
        if constexpr (is_dual<First>) {
            return first.value;
        } else {
            return first_value<X>(rest...);
        }
    }
    template <class T, class A>
    static T scalar_or_zero(const A& a) {
        if constexpr (is_eager<A>) {
            return T(0);
        } else {
            return static_cast<T>(a);
        }
    }
    template <class T, class A>
    static kernels::Operand<T> operand(const A& a, const T* scalar) {
        if constexpr (is_eager<A>) {
            return {a.array().data(), &a.shape()};
        } else {
            return {scalar, nullptr};
        }
    }
};

/// An elementwise op from a generic lambda that calls ops (exp(x), where(c, a, b); not std::exp or ?:), and, where the derivative is stated rather than derived, one rule for each
/// input: a lambda of (gradient, inputs..., output), or no_gradient.
template <Name OpName, class F, class... Rules>
constexpr Elementwise<OpName, F, Rules...> elementwise(F, Rules...) {
    return {};
}

// ---- Structured ops ----

/// Which input a rule is for: `gradient(InputIndex<0>, ...)`.
template <std::size_t K>
using InputIndex = std::integral_constant<std::size_t, K>;

namespace detail {

template <class S>
constexpr std::uint32_t cut_of() {
    if constexpr (requires { S::cut; }) {
        return S::cut;
    } else {
        return 0;
    }
}

/// Whether S says `static constexpr bool linear = true`: then its tangent is the op itself, on the input's tangent.
template <class S>
constexpr bool is_linear = [] {
    if constexpr (requires { S::linear; }) {
        return S::linear;
    } else {
        return false;
    }
}();

/// Runs `body`; a ShapeError of it is given the op's description as its beginning.
template <class Describe, class Body>
void with_context(Describe&& describe, Body&& body) {
    try {
        body();
    } catch (const ShapeError& error) {
        throw ShapeError(describe() + ": " + error.what());
    }
}

/// Passes the gradient which a rule found on: onto what is there, where it can be computed there.
template <class T>
void deliver(Sweep<T>& sweep, std::size_t which, Eager<T>&& contribution) {
    Array<T>* existing = sweep.existing_gradient(which);
    if (existing != nullptr && contribution.is_pending()) {
        contribution.add_to(*existing);
    } else {
        sweep.deliver(which, std::move(contribution).take());
    }
}

/// A structured op still to be computed on eager arrays.
template <class S, class T, std::size_t Arity>
class PendingStructure : public Eager<T>::Pending {
   public:
    template <class... Inputs>
    explicit PendingStructure(const S& structure, const Inputs&... inputs) : structure_(structure), inputs_{inputs...} {}

    void compute(Array<T>& out) const override {
        call([&](const auto&... each) { structure_.forward(out, each.array()...); });
    }
    void add_to(Array<T>& target) const override {
        call([&](const auto&... each) { structure_.add_to(target, each.array()...); });
    }

   private:
    template <class Call>
    void call(Call each) const {
        with_context([] { return std::string(S::name); }, [&] { std::apply(each, inputs_); });
    }

    S structure_;
    std::array<Eager<T>, Arity> inputs_;
};

/// What a structured op compiles to. S has a name, forward(out, inputs...) and, for each input, one rule which serves
/// eager arrays and Vars alike: gradient(InputIndex<K>, g, inputs..., output). For forward mode it is `linear`, or has the
/// mirror image of such a rule, tangent(InputIndex<K>, t, inputs..., output): what a tangent t of that input adds to the
/// output's.
template <class S, class T, std::size_t Arity>
struct CompiledStructure {
    static void backward(Sweep<T>& sweep) {
        const S& structure = *static_cast<const S*>(sweep.node().state);
        const Eager<T> g(sweep.gradient());
        const Eager<T> y(sweep.node().array());
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            const Eager<T> inputs[] = {Eager<T>(sweep.tape().node(sweep.inputs()[I].node).array())...};
            const auto pass_on = [&]<std::size_t K>(InputIndex<K> which) {
                if constexpr ((cut_of<S>() >> K & 1u) == 0) {
                    if (sweep.wants(K)) deliver<T>(sweep, K, structure.gradient(which, g, inputs[I]..., y));
                }
            };
            (pass_on(InputIndex<I>{}), ...);
        }(std::make_index_sequence<Arity>{});
    }
    static void backward_recorded(RecordingSweep<T>& sweep) {
        const S& structure = *static_cast<const S*>(sweep.node().state);
        const Var<T> g = sweep.gradient();
        const Var<T> y = sweep.output();
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            const Var<T> inputs[] = {sweep.input(I)...};
            const auto pass_on = [&]<std::size_t K>(InputIndex<K> which) {
                if constexpr ((cut_of<S>() >> K & 1u) == 0) {
                    if (sweep.wants(K)) sweep.deliver(K, structure.gradient(which, g, inputs[I]..., y));
                }
            };
            (pass_on(InputIndex<I>{}), ...);
        }(std::make_index_sequence<Arity>{});
    }
    static void tangent(TangentSweep<T>& sweep) {
        const S& structure = *static_cast<const S*>(sweep.node().state);
        const Eager<T> y(sweep.node().array());
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            const Eager<T> inputs[] = {Eager<T>(sweep.tape().node(sweep.inputs()[I].node).array())...};
            const auto pass_on = [&]<std::size_t K>(InputIndex<K> which) {
                const Array<T>* t = sweep.tangent(K);
                if (t == nullptr) return;
                if constexpr (is_linear<S>) {
                    sweep.deliver(apply(structure, Eager<T>(*t)).take());
                } else {
                    sweep.deliver(structure.tangent(which, Eager<T>(*t), inputs[I]..., y).take());
                }
            };
            (pass_on(InputIndex<I>{}), ...);
        }(std::make_index_sequence<Arity>{});
    }
    static constexpr auto tangent_or_null() {
        constexpr bool has_rule = requires(const S& s, const Eager<T>& x) {
            []<std::size_t... I>(std::index_sequence<I...>, const S& structure, const Eager<T>& each)
                -> decltype(structure.tangent(InputIndex<0>{}, each, (static_cast<void>(I), each)..., each)) {
                return each;
            }(std::make_index_sequence<Arity>{}, s, x);
        };
        if constexpr (is_linear<S> || has_rule) {
            static_assert(!is_linear<S> || Arity == 1, "`linear` is for ops of one input, or of a list");
            return &tangent;
        } else {
            return static_cast<void (*)(TangentSweep<T>&)>(nullptr);
        }
    }
    static constexpr Op<T> op{S::name,           cut_of<S>(),       backward,
                              backward_recorded, tangent_or_null(), accumulate_recorded<T>};
};

/// The same for an op of any number of inputs: forward(out, pointers), gradient(k, g, inputs, output).
template <class S, class T>
struct CompiledList {
    static void backward(Sweep<T>& sweep) {
        const S& structure = *static_cast<const S*>(sweep.node().state);
        const Eager<T> g(sweep.gradient());
        const Eager<T> y(sweep.node().array());
        PoolVector<Eager<T>> inputs;
        for (const Input<T>& input : sweep.inputs()) inputs.emplace_back(sweep.tape().node(input.node).array());
        for (std::size_t k = 0; k < inputs.size(); ++k) {
            if (sweep.wants(k)) deliver<T>(sweep, k, structure.gradient(k, g, std::span<const Eager<T>>(inputs), y));
        }
    }
    static void backward_recorded(RecordingSweep<T>& sweep) {
        const S& structure = *static_cast<const S*>(sweep.node().state);
        const Var<T> g = sweep.gradient();
        const Var<T> y = sweep.output();
        PoolVector<Var<T>> inputs;
        for (std::size_t k = 0; k < sweep.node().input_count; ++k) inputs.push_back(sweep.input(k));
        for (std::size_t k = 0; k < inputs.size(); ++k) {
            if (sweep.wants(k)) sweep.deliver(k, structure.gradient(k, g, std::span<const Var<T>>(inputs), y));
        }
    }
    /// Of an op that is linear in its inputs together: the op itself, on their tangents.
    static void tangent(TangentSweep<T>& sweep) {
        const S& structure = *static_cast<const S*>(sweep.node().state);
        PoolVector<Array<T>> zeros(sweep.inputs().size());
        PoolVector<const Array<T>*> tangents;
        for (std::size_t k = 0; k < sweep.inputs().size(); ++k) {
            const Array<T>* t = sweep.tangent(k);
            if (t == nullptr) {
                zeros[k] = full<T>(sweep.tape().node(sweep.inputs()[k].node).array().shape(), T(0));
                t = &zeros[k];
            }
            tangents.push_back(t);
        }
        Array<T> out;
        structure.forward(out, std::span<const Array<T>* const>(tangents));
        sweep.deliver(std::move(out));
    }
    static constexpr Op<T> op{S::name,           0, backward, backward_recorded, is_linear<S> ? &tangent : nullptr,
                              accumulate_recorded<T>};
};

}  // namespace detail

/// Records a structured op on the inputs' tape.
template <class S, class T, std::same_as<Var<T>>... Rest>
Var<T> apply(S structure, const Var<T>& first, const Rest&... rest) {
    Tape<T>& tape = first.tape();
    const Input<T> inputs[] = {{tape.index_of(first, S::name), T(0)}, {tape.index_of(rest, S::name), T(0)}...};
    Array<T>& out = tape.next_value();
    detail::with_context([&] { return tape.describe_next(S::name, inputs); },
                         [&] { structure.forward(out, first.value(), rest.value()...); });
    const S* state = tape.keep(std::move(structure));
    return tape.append(detail::CompiledStructure<S, T, 1 + sizeof...(Rest)>::op, inputs, state);
}

/// Computes it at once, or, where it could be added to what is there (S has add_to(target, inputs...)), when it is needed.
template <class S, class T, std::same_as<Eager<T>>... Rest>
Eager<T> apply(const S& structure, const Eager<T>& first, const Rest&... rest) {
    if constexpr (requires(Array<T>& target) { structure.add_to(target, first.array(), rest.array()...); }) {
        return Eager<T>(detail::PendingStructure<S, T, 1 + sizeof...(Rest)>(structure, first, rest...));
    } else {
        Array<T> out;
        detail::with_context([] { return std::string(S::name); },
                             [&] { structure.forward(out, first.array(), rest.array()...); });
        return Eager<T>(std::move(out));
    }
}

/// The same for ops of a list of inputs, of which there must be at least one.
template <class S, class T>
Var<T> apply_to_list(S structure, std::span<const Var<T>> list) {
    if (list.empty()) throw ShapeError(std::string(S::name) + ": an empty list of inputs");
    Tape<T>& tape = list.front().tape();
    PoolVector<Input<T>> inputs;
    PoolVector<const Array<T>*> arrays;
    for (const Var<T>& each : list) {
        inputs.push_back({tape.index_of(each, S::name), T(0)});
        arrays.push_back(&each.value());
    }
    Array<T>& out = tape.next_value();
    detail::with_context([&] { return tape.describe_next(S::name, inputs); },
                         [&] { structure.forward(out, std::span<const Array<T>* const>(arrays)); });
    const S* state = tape.keep(std::move(structure));
    return tape.append(detail::CompiledList<S, T>::op, inputs, state);
}

namespace detail {
extern template Var<float> record_map(const ElementwiseOp<float>&, Tape<float>&, std::span<const Input<float>>);
extern template Var<double> record_map(const ElementwiseOp<double>&, Tape<double>&, std::span<const Input<double>>);
extern template Array<float> compute_map(const ElementwiseOp<float>&, std::span<const kernels::Operand<float>>);
extern template Array<double> compute_map(const ElementwiseOp<double>&, std::span<const kernels::Operand<double>>);
extern template void backward_map(Sweep<float>&);
extern template void backward_map(Sweep<double>&);
extern template void tangent_map(TangentSweep<float>&);
extern template void tangent_map(TangentSweep<double>&);
extern template Var<float> accumulate_recorded(const Var<float>*, Var<float>, const Shape&);
extern template Var<double> accumulate_recorded(const Var<double>*, Var<double>, const Shape&);
}  // namespace detail

}  // namespace autograd
