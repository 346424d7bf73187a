// What the tests of autograd share: an error's message, an array's elements as a vector, arrays of known numbers, the
// number of threads.
#pragma once

#include <autograd/autograd.hpp>
#include <autograd/base/threads.hpp>
#include <string>
#include <vector>

#include "tests/catch.hpp"

/// The message of the E which `f` throws. An exception of another type passes on and fails the test.
template <class E, class F>
std::string message_of(F f) {
    try {
        f();
    } catch (const E& error) {
        return error.what();
    }
    return "(nothing was thrown)";
}

/// The elements in row-major order, to be compared with ==.
template <class T>
std::vector<T> elements(const autograd::Array<T>& array) {
    return {array.data(), array.data() + array.size()};
}

/// Numbers in [-1, 1] without a pattern, the same at every call: frac(k * golden ratio) scaled.
template <class T>
autograd::Array<T> sample(const autograd::Shape& shape, int seed = 1) {
    autograd::Array<T> array = autograd::empty<T>(shape);
    double state = 0.137 * seed;
    for (T& each : array) {
        state += 0.6180339887498949;
        state -= static_cast<double>(static_cast<int>(state));
        each = static_cast<T>(2 * state - 1);
    }
    return array;
}

/// Sets the number of threads back to what it was, whatever a test has made of it.
class ThreadCount {
   public:
    ThreadCount() : before_(autograd::num_threads()) {}
    ThreadCount(const ThreadCount&) = delete;
    ThreadCount& operator=(const ThreadCount&) = delete;
    ~ThreadCount() { autograd::set_num_threads(before_); }

   private:
    int before_;
};
