// Identities are counted, process-wide: a counter is the one thing that must not repeat.
#include "autograd/base/parameter.hpp"

#include <atomic>
#include <utility>

namespace autograd {
namespace {

std::uint64_t next_identity() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

}  // namespace

template <class T>
Parameter<T>::Parameter(Array<T> value) {
    require_values(value, "parameter");
    require_allocatable(value.shape(), sizeof(T), "parameter");
    state_ = std::make_shared<State>(State{std::move(value), next_identity()});
}

template <class T>
Parameter<T>::Parameter(const Parameter& other) : Parameter(other.value()) {}

template <class T>
Parameter<T>& Parameter<T>::operator=(const Parameter& other) {
    if (this != &other) *this = Parameter(other);
    return *this;
}

template <class T>
void Parameter<T>::assign(const Array<T>& value) {
    if (value.shape() != shape()) {
        throw ShapeError("parameter: values of shape " + to_string(value.shape()) + " assigned to one of shape " +
                         to_string(shape()));
    }
    require_values(value, "parameter");
    mutable_value() = value;
}

template class Parameter<float>;
template class Parameter<double>;

}  // namespace autograd
