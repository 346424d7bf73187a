// Models as plain structs: one listing per struct names its members, and everything which goes over a model's
// parameters (optimisers, checkpoints, names in messages) follows it. It computes nothing; layers do.
#pragma once

#include <autograd/autograd.hpp>

#include <cstddef>
#include <ranges>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace XTAPE_API nn {

/// One line of a listing.
template <class Owner, class M>
struct Member {
    const char* name;   ///< the last part of the parameters' dotted names
    M Owner::*pointer;  ///< the member of that name
};

namespace detail {

[[nodiscard]] constexpr bool is_member_name(std::string_view name) {
    return !name.empty() && name.find('.') == name.npos && name.find('/') == name.npos;
}

template <class A, class B>
[[nodiscard]] constexpr bool repeats(const A& a, const B& b) {
    if constexpr (std::is_same_v<A, B>) {
        if (a.pointer == b.pointer) return true;
    }
    return std::string_view(a.name) == b.name;
}

template <class T>
inline constexpr bool is_parameter = false;
template <class T>
inline constexpr bool is_parameter<autograd::Parameter<T>> = true;
template <class T>
inline constexpr bool is_tuple = false;
template <class... E>
inline constexpr bool is_tuple<std::tuple<E...>> = true;

}  // namespace detail

[[nodiscard]] constexpr std::tuple<> members() { return {}; }

/// The listing of a struct's members, as names and pointers by turns:
///
///     struct Encoder {
///         nn::Linear hidden, heads;
///         static constexpr auto members = nn::members("hidden", &Encoder::hidden, "heads", &Encoder::heads);
///     };
///
/// A member is a Parameter<T>, a struct with such a listing, or a std::vector, std::array or std::tuple of these, whose
/// elements are called by their number: "layers.0.weight". A name that is empty or has a dot or a slash in it does not
/// compile, nor does a name or a member that stands there twice.
template <class Owner, class M, class... Rest>
[[nodiscard]] constexpr auto members(const char* name, M Owner::*pointer, Rest... rest) {
    if (!detail::is_member_name(name)) throw std::invalid_argument("members: not a name");
    const auto others = members(rest...);
    const Member<Owner, M> member{name, pointer};
    if (std::apply([&](const auto&... other) { return (detail::repeats(member, other) || ...); }, others)) {
        throw std::invalid_argument("members: listed twice");
    }
    return std::tuple_cat(std::tuple{member}, others);
}

namespace detail {

/// Visits the parameters below `node`, whose own dotted name is `name`. `name` is a buffer: it comes back as it was.
template <class Node, class Visit>
void walk(Node& node, std::string& name, Visit& visit) {
    using Plain = std::remove_const_t<Node>;
    const auto descend = [&](auto& child, std::string_view last_part) {
        const std::size_t length = name.size();
        if (length > 0) name += '.';
        name += last_part;
        walk(child, name, visit);
        name.resize(length);
    };
    std::size_t index = 0;
    if constexpr (is_parameter<Plain>) {
        visit(static_cast<const std::string&>(name), node);
    } else if constexpr (requires { Plain::members; }) {
        std::apply([&](const auto&... member) { (descend(node.*(member.pointer), member.name), ...); }, Plain::members);
    } else if constexpr (is_tuple<Plain>) {
        std::apply([&](auto&... child) { (descend(child, std::to_string(index++)), ...); }, node);
    } else {
        static_assert(std::ranges::range<Plain>,
                      "a model is made of Parameter<T>, of structs with a listing `static constexpr auto members = "
                      "nn::members(...)`, and of std::vector, std::array and std::tuple of these");
        for (auto& child : node) descend(child, std::to_string(index++));
    }
}

}  // namespace detail

/// Calls visit(name, parameter) for each parameter in the order of the listings, with its dotted name, e.g.
/// "encoder.hidden.weight". The parameter is const if the model is. A model which is itself a Parameter has the name
/// "". `buffer` holds the names, and is overwritten: with one that is kept from call to call, a call takes no memory
/// from the heap. A visit which calls this in turn needs a buffer of its own.
template <class Model, class Visit>
void for_each_parameter(Model& model, std::string& buffer, Visit&& visit) {
    buffer.clear();
    detail::walk(model, buffer, visit);
}

/// As above, with a buffer of its own.
template <class Model, class Visit>
void for_each_parameter(Model& model, Visit&& visit) {
    std::string name;
    for_each_parameter(model, name, visit);
}

/// Gives the tape the dotted names of the model's parameters, for its messages. It keeps them over clear().
template <class T, class Model>
void attach(autograd::Tape<T>& tape, const Model& model) {
    for_each_parameter(model, [&](const std::string& name, const autograd::Parameter<T>& parameter) {
        tape.name_parameter(parameter.identity(), name);
    });
}

/// The number of values that all parameters of the model have together.
template <class Model>
[[nodiscard]] std::size_t parameter_count(const Model& model) {
    std::size_t count = 0;
    for_each_parameter(model, [&](const std::string&, const auto& parameter) { count += parameter.value().size(); });
    return count;
}

}  // namespace nn
