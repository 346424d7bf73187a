// The exceptions of xtape. Every message names the op, layer or file that is at fault, what was expected and what
// was found. This file formats nothing itself: callers bring the finished sentence (see shapes in array.hpp).
#pragma once

#include "autograd/base/language.hpp"

#include <stdexcept>
#include <string>
#include <utility>

namespace XTAPE_API autograd {

/// Base of everything that xtape throws on purpose.
class Error : public std::runtime_error {
   public:
    using std::runtime_error::runtime_error;
};

/// Shapes, axes or ranks which do not fit the op.
class ShapeError : public Error {
   public:
    using Error::Error;
};

/// A Var, tape or parameter used in a way that has no meaning: a cleared tape, two tapes in one op, an item() of many.
class TapeError : public Error {
   public:
    using Error::Error;
};

/// A gradient that does not exist, or that would be wrong.
class GradientError : public Error {
   public:
    using Error::Error;
};

/// A NaN or an infinity, found because check_finite() was asked for.
class FiniteError : public Error {
   public:
    using Error::Error;
};

namespace detail {

/// Of an error whose message begins with the name of an op, or of a node: what comes after that and ": ". An op that is made
/// of others puts its own name there, which is the one that was called.
struct Named {
    std::string rest;
};
template <class E>
struct NamedError : E, Named {
    NamedError(const std::string& name, std::string message) : E(name + ": " + message), Named{std::move(message)} {}
};

/// Whose errors a context is for: those of the op itself, or also those of ops that it is made of, in whose place it is
/// named.
enum class ErrorsOf { op, parts };

/// How a message begins: a name, or what a function without arguments gives, which is called only for a message.
class Beginning {
   public:
    Beginning(const char* name)
        : what_(name), say_([](const void* what) { return std::string(static_cast<const char*>(what)); }) {}
    template <class Describe>
    Beginning(const Describe& describe)
        : what_(&describe), say_([](const void* what) { return (*static_cast<const Describe*>(what))(); }) {}
    std::string operator()() const { return say_(what_); }

   private:
    const void* what_;
    std::string (*say_)(const void*);
};

/// Within a catch of an Error: throws it again, of its type, with this beginning in place of the name that it begins with.
/// (TapeErrors and GradientErrors describe nodes themselves; a TapeError about a Var that was passed to a part is given the
/// op's name.)
[[noreturn]] void throw_named(const char* op, ErrorsOf of, const Beginning& beginning);

/// What `body` gives; its errors name the op. `describe` is what a Beginning is made of: a type for many calls, not a lambda
/// for each, which the compiler would have to write out each time.
template <ErrorsOf of = ErrorsOf::op, class Describe, class Body>
decltype(auto) with_context(const char* op, const Describe& describe, Body&& body) {
    try {
        return body();
    } catch (const Error&) {
        throw_named(op, of, describe);
    }
}
template <class Body>
decltype(auto) with_context(const char* op, Body&& body) {
    return with_context(op, op, body);
}

}  // namespace detail

}  // namespace autograd
