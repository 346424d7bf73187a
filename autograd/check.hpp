// What checks an op of one's own, beside autograd.hpp, which programs need: opcheck() and the spec that it reads, and
// gradcheck(). Matchers for Catch2 are in catch2.hpp.
#pragma once

#include "autograd/base/language.hpp"

#include "autograd/check/gradcheck.hpp"
#include "autograd/check/op_spec.hpp"
#include "autograd/check/opcheck.hpp"
