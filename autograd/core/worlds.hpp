// The worlds in which one definition of an op serves: packs of numbers and dual numbers (in kernels), eager arrays, and
// Vars on a tape. What an op is stands in op.hpp.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "autograd/base/error.hpp"
#include "autograd/kernels/elementwise.hpp"
#include "autograd/core/tape.hpp"

namespace autograd {

/// A value with a derivative: of a Pack while numbers are crunched, of a Var while a sweep is recorded.
template <class X>
struct Dual {
    using Element = typename X::Element;
    X value;
    X tangent;
    XTAPE_NO_CONDITION(X)
};

/// An array which ops compute on at once, without a tape: the world in which the rules of structured ops run. A strong
/// type, because on bare arrays lookup would find xtensor's lazy functions. The result of an op that can add to what is
/// there already (a matrix product can) waits until it is known whether that is wanted.
template <class T>
class [[nodiscard]] Eager {
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
    /// @throws TapeError for an array that was moved from.
    explicit Eager(Array<T>&& array) {
        require_values(array, "an op's value");
        owned_ = make<Owned>(std::move(array));
    }
    template <std::derived_from<Pending> P>
    explicit Eager(P pending) : owned_(make<Owned>()) {
        owned_->pending = make<P>(std::move(pending));
    }

    const Array<T>& array() const {
        if (borrowed_ != nullptr) return *borrowed_;
        if (owned_->pending != nullptr) {
            owned_->pending->compute(owned_->value);
            owned_->pending = nullptr;  // only now: what throws leaves it pending
        }
        return owned_->value;
    }
    const Shape& shape() const { return array().shape(); }
    /// The array itself, for the last owner of a value; else a copy.
    Array<T> take() && {
        const Array<T>& computed = array();
        if (borrowed_ != nullptr || owned_.use_count() > 1) return computed;
        return std::move(owned_->value);  // not by `?:`, of whose two kinds of operand clang makes a copy
    }
    /// True for a value that was not needed yet: then add_to() need not compute it apart.
    bool is_pending() const { return owned_ != nullptr && owned_->pending != nullptr; }
    /// target += value, while it is pending.
    void add_to(Array<T>& target) const { owned_->pending->add_to(target); }
    XTAPE_NO_CONDITION(T)

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
[[nodiscard]] Pack<T> lift(Pack<T>, Pack<T> value) {
    return value;
}
template <class T, Scalar A>
[[nodiscard]] Pack<T> lift(Pack<T>, A value) {
    return Pack<T>(value);
}
template <class T>
[[nodiscard]] Var<T> lift(const Var<T>&, const Var<T>& value) {
    return value;
}
template <class T, Scalar A>
[[nodiscard]] Var<T> lift(const Var<T>& like, A value) {
    return like.tape().constant(full<T>({}, static_cast<T>(value)));
}
template <class X, class A>
[[nodiscard]] const X& primal(const X&, const Dual<A>& dual) {
    return dual.value;
}
template <class X, class A>
[[nodiscard]] X primal(const X& like, const A& value) {
    return lift(like, value);
}

/// Whose errors a context is for: those of the op itself, or also those of ops that it is made of, in whose place it is
/// named.
enum class ErrorsOf { op, parts };

/// An error's message without the name that it begins with: the op's, or, of a part's error, that of the part.
[[nodiscard]] std::string without_name(const Error& error, const char* op, ErrorsOf of);
/// Whether it is an Error and nothing more special.
[[nodiscard]] bool is_plain(const Error& error);

/// What `body` gives. An Error of it keeps its type and is given the op's description as its beginning, in place of the
/// name that it begins with. (TapeErrors and GradientErrors describe nodes themselves; a TapeError about a Var that was
/// passed to a part is given the op's name.)
template <ErrorsOf of = ErrorsOf::op, class Describe, class Body>
decltype(auto) with_context(const char* op, Describe&& describe, Body&& body) {
    try {
        return body();
    } catch (const ShapeError& error) {
        throw NamedError<ShapeError>(describe(), without_name(error, op, of));
    } catch (const TapeError& error) {
        if (of == ErrorsOf::op || dynamic_cast<const Named*>(&error) == nullptr) throw;
        throw NamedError<TapeError>(op, without_name(error, op, of));
    } catch (const Error& error) {
        if (!is_plain(error)) throw;
        throw NamedError<Error>(describe(), without_name(error, op, of));
    }
}
template <class Body>
decltype(auto) with_context(const char* op, Body&& body) {
    return with_context(
        op, [op] { return std::string(op); }, body);
}

/// The same for what an op checks of its inputs before it records anything, or for all that an op does which is made of
/// others: on a tape, errors name the node to come and the module, `with_context_of("sum", check, x)`.
template <class Body, Operand X>
decltype(auto) with_context_of(const char* op, Body&& body, std::span<const X> inputs) {
    if constexpr (is_var<X>) {
        using T = typename X::Element;
        const auto describe = [&]() -> std::string {
            if (inputs.empty()) return op;
            Tape<T>& tape = inputs.front().tape();
            PoolVector<Input<T>> list;
            for (const X& each : inputs) list.push_back({tape.index_of(each, op), T(0)});
            return tape.describe_next(op, list);
        };
        return with_context<ErrorsOf::parts>(op, describe, body);
    } else {
        return with_context<ErrorsOf::parts>(
            op, [op] { return std::string(op); }, body);
    }
}
template <class Body, Operand X, std::same_as<X>... Rest>
decltype(auto) with_context_of(const char* op, Body&& body, const X& first, const Rest&... rest) {
    if constexpr (is_var<X>) {
        const X inputs[] = {first, rest...};
        return with_context_of(op, body, std::span<const X>(inputs));
    } else {
        return with_context_of(op, body, std::span<const X>());
    }
}

/// An axis of x counted from the front. @throws ShapeError naming `op` if there is no such axis.
template <Operand X>
[[nodiscard]] std::size_t axis_of(const X& x, std::ptrdiff_t axis, const char* op) {
    return with_context_of(
        op, [&] { return normalize_axis(axis, x.shape().size(), op); }, x);
}

/// Recorded: `contribution` summed or broadcast to `shape`, and added to `existing` if that is not null. Defined with the
/// ops that it is made of, in ops/reductions.cpp.
template <class T>
[[nodiscard]] Var<T> accumulate_recorded(const Var<T>* existing, Var<T> contribution, const Shape& shape);
extern template Var<float> accumulate_recorded(const Var<float>*, Var<float>, const Shape&);
extern template Var<double> accumulate_recorded(const Var<double>*, Var<double>, const Shape&);

}  // namespace detail

}  // namespace autograd
