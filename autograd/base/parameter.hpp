// Parameter<T>: an array which outlives the tape, with an identity and a version. What models are made of; it knows
// neither its name (a model's listing gives it) nor its gradient (a sweep returns it).
#pragma once

#include <cstdint>
#include <memory>

#include "autograd/base/array.hpp"

namespace XTAPE_API autograd {

/// What is trained: an array that outlives the tapes which it is put on by tape.parameter(). In place of a name it has an
/// identity, by which a sweep's gradients are found, and a version, by which a sweep sees that its values were changed.
template <class T>
class Parameter {
   public:
    /// What a parameter and the tapes that borrow it share.
    struct State {
        Array<T> value;             ///< of the parameter's shape
        std::uint64_t identity;     ///< no other parameter of the process has it
        std::uint64_t version = 0;  ///< how often the values were changed
    };

    Parameter() : Parameter(Array<T>()) {}
    /// @throws TapeError for an array that was moved from.
    explicit Parameter(Array<T> value);

    /// A copy has the same values and a new identity; a moved parameter stays the one it was.
    Parameter(const Parameter& other);
    Parameter& operator=(const Parameter& other);
    Parameter(Parameter&& other) noexcept = default;
    Parameter& operator=(Parameter&& other) noexcept = default;

    /// The values, to be read.
    /// @throws TapeError for a parameter that was moved from; so do the others.
    [[nodiscard]] const Array<T>& value() const { return state().value; }
    /// The values' shape, which assign() keeps.
    [[nodiscard]] const Shape& shape() const { return value().shape(); }
    /// What gradients and messages know it by.
    [[nodiscard]] std::uint64_t identity() const { return state().identity; }

    /// Replaces the values.
    /// @throws ShapeError if the shape differs from the present one, TapeError for an array that was moved from.
    void assign(const Array<T>& value);

    /// The values, to be changed in place and at once. Each call counts as one change, after which a sweep over a tape that
    /// recorded the old values throws; a reference that is kept and written through later would go unnoticed.
    Array<T>& mutable_value() {
        ++state().version;
        return state_->value;
    }

    /// Shared with the tapes which borrow it, so that these outlive a parameter that goes first.
    const std::shared_ptr<State>& shared_state() const { return (state(), state_); }

   private:
    State& state() const {
        if (state_ == nullptr) throw TapeError("parameter: used after it was moved from");
        return *state_;
    }

    std::shared_ptr<State> state_;
};

extern template class Parameter<float>;
extern template class Parameter<double>;

}  // namespace autograd
