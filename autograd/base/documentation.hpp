// What is said of an op in words, for the table of ops: a row of it. Nothing that computes reads it. What an op is held
// against, domain, reference and tolerance, is the matter of its tests: autograd/check/op_spec.hpp.
#pragma once

#include "autograd/base/language.hpp"

namespace XTAPE_API autograd {

/// A row of the op table. That of an elementwise op stands in its definition, .documented({...}); that of an op on whole
/// arrays in ops::words, below its declaration.
struct Documentation {
    const char* formula = "";          ///< the value, of the inputs' names
    const char* gradient = "derived";  ///< of each input, of the output's gradient g and the output y
    const char* kinks = "none";        ///< where there is no derivative, and which is taken there
    const char* nan = "propagates";    ///< else: where a NaN input does not make a NaN
};

}  // namespace autograd
