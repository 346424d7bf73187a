// The worlds in which one definition of an op serves: packs, dual numbers (kernels/dual.hpp), arrays, Vars. An op: op.hpp.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

#include "autograd/core/tape.hpp"
#include "autograd/kernels/dual.hpp"

namespace XTAPE_API autograd {

/// An array which ops compute on at once, without a tape: the world in which the rules of structured ops run. A strong
/// type, because on bare arrays lookup would find xtensor's lazy functions. The result of an op that can add to what is
/// there already (a matrix product can) waits until it is known whether that is wanted.
template <class T>
class [[nodiscard]] Eager {
   public:
    using Element = T;  ///< float or double

    /// A value that is still to be computed, to an array of its own or onto another.
    struct Pending {
        virtual ~Pending() = default;
        virtual void compute(Array<T>& out) const = 0;    ///< gives `out` its shape too
        virtual void add_to(Array<T>& target) const = 0;  ///< of the target's shape
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

    /// The value, computed now if it is pending.
    const Array<T>& array() const {
        if (borrowed_ != nullptr) return *borrowed_;
        if (owned_->pending != nullptr) {
            owned_->pending->compute(owned_->value);
            owned_->pending = nullptr;  // only now: what throws leaves it pending
        }
        return owned_->value;
    }
    const Shape& shape() const { return array().shape(); }  ///< computes what is pending, as array() does
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
inline constexpr bool is_var = false;  ///< whether A is a Var
template <class T>
inline constexpr bool is_var<Var<T>> = true;
template <class A>
inline constexpr bool is_eager = false;  ///< whether A is an Eager
template <class T>
inline constexpr bool is_eager<Eager<T>> = true;

/// A value of one of the worlds.
template <class A>
concept Operand = is_pack<A> || is_dual<A> || is_var<A> || is_eager<A>;
/// What an op takes: at least one operand, and scalars.
template <class... A>
concept Operands = (Operand<A> || ...) && (... && (Operand<A> || Scalar<A>));

namespace detail {

/// The element type of the first operand, which that of the others must be.
template <class First, class... Rest>
[[nodiscard]] constexpr auto common_element() {
    if constexpr (Operand<First>) {
        using T = typename First::Element;
        constexpr auto fits = []<class A>(std::type_identity<A>) {
            if constexpr (Operand<A>) return std::same_as<typename A::Element, T>;
            return true;
        };
        static_assert((fits(std::type_identity<Rest>{}) && ...), "one op mixes float and double: convert one of its inputs");
        return T{};
    } else {
        return common_element<Rest...>();
    }
}
template <class... A>
using Element = decltype(common_element<A...>());

/// A value in the world of the first argument: itself, or a scalar as a constant.
template <class X>
[[nodiscard]] X lift(const X&, const X& value) {
    return value;
}
template <class T, Scalar A>
[[nodiscard]] Pack<T> lift(const Pack<T>&, A value) {
    return Pack<T>(value);
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

}  // namespace detail

}  // namespace autograd
