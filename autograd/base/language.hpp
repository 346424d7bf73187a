// What the compiler says, in one error, of a language standard or options that xtape cannot be compiled with, and of
// conditions on its values; and small means that the language lacks. The first include of the headers that programs begin with.
#pragma once

#if __cplusplus < 202002L
#error xtape is written in C++20: compile with -std=c++20 (in CMake: target_compile_features(your_target PRIVATE cxx_std_20))
// Nothing that follows could be compiled. A file which is not there ends it here: #error alone would go on to thousands.
#include "compile with -std=c++20"
#endif

#ifndef XTAPE_ALLOW_FAST_MATH
#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__) || defined(__ASSOCIATIVE_MATH__) || \
    defined(__RECIPROCAL_MATH__) || defined(__NO_SIGNED_ZEROS__)
#error with -ffast-math (-Ofast, -ffinite-math-only, -funsafe-math-optimizations) NaN, infinities, check_finite and the order of sums do not hold in what this file compiles, and linking with it makes subnormal numbers 0 in the whole program: compile this file with -fno-fast-math after it, or define XTAPE_ALLOW_FAST_MATH to go on all the same
#endif
#endif

#include <algorithm>
#include <cstddef>

// What a shared library shows: the namespaces of its headers, and in its .cpp files what is instantiated there, which a
// namespace's visibility does not reach. All else is hidden.
#define XTAPE_API __attribute__((visibility("default")))

namespace XTAPE_API autograd {

/// A string as a template argument.
template <std::size_t N>
struct Name {
    char text[N]{};  ///< its characters, and a 0 at the end
    constexpr Name(const char (&from)[N]) { std::copy_n(from, N, text); }
};

}  // namespace autograd

namespace XTAPE_API autograd {
namespace detail {

/// What {} is for a constructor that takes options, as in `Tape<float> tape({})`: the defaults. An enum fits it better than
/// options do, or the class itself, which are equally good.
enum class Defaults {};

/// What an operand of an op can be converted to in the explicit way that conditions ask for: to bool, with an error, and to
/// nothing else. Looked at while the conversion is chosen, and so before other errors of the line.
template <class B, class Owner>
struct Condition {};
template <class Owner>
struct Condition<bool, Owner> {
    static_assert(!sizeof(Owner),
                  "values of ops are no conditions: write where(condition, a, b) for ?: and if, logical_and(a, b) for &&, "
                  "logical_or(a, b) for ||, logical_not(a) for !, maximum(a, b) for std::max, minimum(a, b) for std::min; "
                  "or, outside of an op, compare v.item()");
    using type = bool;
};

}  // namespace detail
}  // namespace autograd

/// In a class of values: `?:`, if, &&, || and ! on them are refused in words.
#define XTAPE_NO_CONDITION(Owner)                                                      \
    template <class B, class = typename ::autograd::detail::Condition<B, Owner>::type> \
    explicit operator B() const {                                                      \
        return false;                                                                  \
    }

/// Makes a concept: that a class has a member of this name, whatever it is. For then the name is ambiguous in what derives
/// from it and from another class that has one.
#define XTAPE_CONCEPT_OF_NAME(Concept, name)    \
    struct Other##Concept {                     \
        int name;                               \
    };                                          \
    template <class S>                          \
    struct And##Concept : S, Other##Concept {}; \
    template <class S>                          \
    concept Concept = !requires { &And##Concept<S>::name; };

// What a handle such as Var refers to outlives it, which g++ from 14 on cannot know: for (T each : sum(v).value()).
#if __has_cpp_attribute(gnu::no_dangling)
#define XTAPE_NO_DANGLING [[gnu::no_dangling]]
#else
#define XTAPE_NO_DANGLING
#endif
