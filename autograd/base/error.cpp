// Whose name an error has.
#include "autograd/base/error.hpp"

#include <string_view>
#include <typeinfo>

namespace autograd::detail {

void throw_named(const char* op, ErrorsOf of, const Beginning& beginning) {
    const auto without_name = [&](const Error& error) {
        if (const auto* named = dynamic_cast<const Named*>(&error); of == ErrorsOf::parts && named != nullptr)
            return named->rest;
        std::string_view message = error.what();
        const std::string name = std::string(op) + ": ";
        if (message.starts_with(name)) message.remove_prefix(name.size());
        return std::string(message);
    };
    try {
        throw;
    } catch (const ShapeError& error) {
        throw NamedError<ShapeError>(beginning(), without_name(error));
    } catch (const TapeError& error) {
        if (of == ErrorsOf::op || dynamic_cast<const Named*>(&error) == nullptr) throw;
        throw NamedError<TapeError>(op, without_name(error));
    } catch (const Error& error) {
        if (typeid(error) != typeid(Error) && typeid(error) != typeid(NamedError<Error>)) throw;
        throw NamedError<Error>(beginning(), without_name(error));
    }
}

}  // namespace autograd::detail
