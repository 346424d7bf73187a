// Faults that can be switched on while a program runs: a rule's result with its sign, a factor or all of it wrong, or a
// rule in which one sum, difference, product or quotient lost an operand. For tests/mutation/run.sh alone, which
// includes this into copies of the headers that define ops and calls it from there; the library knows nothing of it.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/core/tape.hpp"

namespace autograd {
struct NoGradient;
struct Unchanged;
}  // namespace autograd

namespace autograd::fault {

enum class Kind { sign, factor, zero, drop_first, drop_second };

/// What is wrong: the rule of this op for this input. Of a drop, `which` is the call in the rule, counted from 0.
struct Fault {
    const char* op = nullptr;
    std::size_t input = 0;
    Kind kind = Kind::sign;
    std::size_t which = 0;

    bool is_drop() const { return kind == Kind::drop_first || kind == Kind::drop_second; }
};

/// One for the program; the runner has a single thread.
struct State {
    Fault fault{};
    /// Of each evaluation of a rule, with the number of its calls that could be dropped; null: nobody listens.
    void (*note)(const char* op, std::size_t input, std::size_t calls) = nullptr;
    /// Evaluate the rule under fault once more without it, and keep how far apart the results are.
    bool compare = false;
    bool differed = false;
    double largest_difference = 0;  ///< relative to results larger than 1
    /// 0 outside of a rule, 1 in it, 2 in an op that it calls.
    int level = 0;
    std::size_t calls = 0;
    bool dropping = false;
};
inline State state;

/// Every rule that was compiled, whether or not something evaluates it.
struct Site {
    const char* op;
    std::size_t input;
};
inline std::vector<Site>& sites() {
    static std::vector<Site> all;
    return all;
}
inline bool enlist(const char* op, std::size_t input) {
    sites().push_back({op, input});
    return true;
}
template <class Owner, std::size_t K>
inline const bool enlisted = enlist(Owner::name, K);

/// The K of ops of a list, whose rule takes it as a number.
inline constexpr std::size_t any = static_cast<std::size_t>(-1);

class Level {
   public:
    explicit Level(int level) : before_(std::exchange(state.level, level)) {}
    ~Level() { state.level = before_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    int before_;
};

// ---- The worlds: Pack, Var, Eager, and scalars, which a rule may return ----

template <class X>
concept IsPack = requires(const X& x) { x.lanes; };
template <class X>
concept IsVar = requires(const X& x) { x.tape(); };
template <class X>
concept IsDual = requires(const X& x) { x.tangent; };

template <class X>
X scaled(const X& x, int factor) {
    if constexpr (std::is_arithmetic_v<X>) {
        return static_cast<X>(x * static_cast<X>(factor));
    } else if constexpr (IsPack<X>) {
        return X(x.lanes * X(factor).lanes);
    } else if constexpr (IsVar<X>) {
        return x * factor;
    } else {
        using T = typename X::Element;
        return X(Array<T>(x.array() * static_cast<T>(factor)));
    }
}

/// `operand`, a value of the world of `like` or a scalar, as a value.
template <class X, class A>
X as_value(const X& like, const A& operand) {
    if constexpr (std::is_same_v<X, A>) {
        return operand;
    } else if constexpr (IsPack<X>) {
        return X(operand);
    } else {
        using T = typename X::Element;
        Array<T> scalar = full<T>({}, static_cast<T>(operand));
        if constexpr (IsVar<X>) {
            return like.tape().constant(std::move(scalar));
        } else {
            return X(std::move(scalar));
        }
    }
}

inline void compare_elements(double found, double expected) {
    if (found == expected || (std::isnan(found) && std::isnan(expected))) return;
    state.differed = true;
    const double difference = std::fabs(found - expected) / std::fmax(1, std::fabs(expected));
    if (!(difference <= state.largest_difference)) state.largest_difference = difference;
}

template <class T>
void compare_arrays(const Array<T>& found, const Array<T>& expected) {
    if (found.shape() != expected.shape()) {
        state.differed = true;
        return;
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
        compare_elements(static_cast<double>(found.data()[i]), static_cast<double>(expected.data()[i]));
    }
}

template <class X>
void compare(const X& found, const X& expected) {
    if constexpr (std::is_arithmetic_v<X>) {
        compare_elements(static_cast<double>(found), static_cast<double>(expected));
    } else if constexpr (IsPack<X>) {
        typename X::Element one[X::size], other[X::size];
        found.store(one);
        expected.store(other);
        for (std::size_t i = 0; i < X::size; ++i) {
            compare_elements(static_cast<double>(one[i]), static_cast<double>(other[i]));
        }
    } else if constexpr (IsVar<X>) {
        compare_arrays(found.value(), expected.value());
    } else {
        compare_arrays(found.array(), expected.array());
    }
}

// ---- The hooks ----

/// Around the call of an elementwise op: `sound` is the call.
template <class E, class Sound, class... A>
auto call(const Sound& sound, const A&... a) {
    if (state.level != 1) return sound();
    const Level inside(2);
    auto result = sound();
    using X = decltype(result);
    constexpr std::string_view name = E::name;
    if constexpr (sizeof...(A) == 2 && !IsDual<X> &&
                  (name == "add" || name == "subtract" || name == "multiply" || name == "divide")) {
        const std::size_t index = state.calls++;
        if (state.dropping && index == state.fault.which) {
            return [&](const auto& first, const auto& second) {
                return state.fault.kind == Kind::drop_first ? as_value(result, second) : as_value(result, first);
            }(a...);
        }
    }
    return result;
}

/// Around the evaluation of the rule of `Owner` for `input`: `sound` is the evaluation. K is the input as a constant,
/// or `any`.
template <class Owner, class Rule, std::size_t K, class Sound>
auto rule(std::size_t input, const Sound& sound) {
    if constexpr (!std::is_same_v<Rule, Unchanged> && !std::is_same_v<Rule, NoGradient>) {
        if constexpr (K != any) static_cast<void>(enlisted<Owner, K>);
        const Fault& fault = state.fault;
        const bool broken =
            fault.op != nullptr && fault.input == input && std::strcmp(fault.op, Owner::name) == 0 && state.level == 0;
        if (broken || (state.note != nullptr && state.level == 0)) {
            const auto evaluate = [&](bool dropping) {
                const Level inside(1);
                state.calls = 0;
                state.dropping = dropping;
                auto result = sound();
                state.dropping = false;
                return result;
            };
            auto result = evaluate(broken && fault.is_drop());
            if (state.note != nullptr) state.note(Owner::name, input, state.calls);
            if (!broken) return result;
            const Level outside(2);  // what follows is no part of the rule
            if (!fault.is_drop()) result = scaled(result, fault.kind == Kind::sign ? -1 : fault.kind == Kind::factor ? 2 : 0);
            if (state.compare) compare(result, evaluate(false));
            return result;
        }
    }
    return sound();
}

}  // namespace autograd::fault
