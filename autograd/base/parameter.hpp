// Parameter<T>: an array which outlives the tape, with an identity and a version. What models are made of; it knows
// neither its name (a model's listing gives it) nor its gradient (a sweep returns it).
#pragma once

#include <cstdint>
#include <memory>

#include "autograd/base/array.hpp"

namespace XTAPE_API autograd {

template <class T>
class Parameter {
   public:
    struct State {
        Array<T> value;
        std::uint64_t identity;
        std::uint64_t version = 0;
    };

    Parameter() : Parameter(Array<T>()) {}
    /// @throws TapeError for an array that was moved from.
    explicit Parameter(Array<T> value);

    /// A copy has the same values and a new identity; a moved parameter stays the one it was.
    Parameter(const Parameter& other);
    Parameter& operator=(const Parameter& other);
    Parameter(Parameter&& other) noexcept = default;
    Parameter& operator=(Parameter&& other) noexcept = default;

    [[nodiscard]] const Array<T>& value() const { return state().value; }
    [[nodiscard]] const Shape& shape() const { return value().shape(); }
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
