// opcheck(spec): every check which is the same for all ops, for the library's own tests and for those of a user's op:
//
//     inline constexpr auto swish = autograd::elementwise<"swish">([](auto x) { return x * sigmoid(x); });
//     CHECK(autograd::opcheck(autograd::spec_of(swish)) == std::vector<std::string>{});
//
// What is particular to an op, such as its gradient at a kink, is for a test of its own.
#pragma once

#include "autograd/base/language.hpp"

#include <string>
#include <vector>

#include "autograd/check/op_spec.hpp"

namespace XTAPE_API autograd {

/// What does not hold of an op, in sentences; empty if all does. In float and double it checks: the value against the
/// spec's reference, at several sizes, at 0, at infinities and for NaN; the gradient and its gradient by gradcheck,
/// and a stated one against the derived one; sizes 0 and 1, and rows that fill no whole number of packs; all ways to
/// broadcast the inputs; scalars of the expression in place of inputs; one Var as several inputs; and the errors for
/// wrong shapes.
[[nodiscard]] std::vector<std::string> opcheck(const OpSpec& spec);

}  // namespace autograd
