// All elementwise ops: each one row with its value, its gradient and what the op table says of it. They stand in the
// files included here, of one shape; listing.hpp says how an op is added.
#pragma once

#include "autograd/ops/activations.hpp"
#include "autograd/ops/arithmetic.hpp"
#include "autograd/ops/comparisons.hpp"
#include "autograd/ops/exponential.hpp"
#include "autograd/ops/powers.hpp"
#include "autograd/ops/rounding.hpp"
#include "autograd/ops/special.hpp"
#include "autograd/ops/trigonometric.hpp"

/// Every elementwise op of the library, with its number of inputs.
// Laid out by hand: a list.
// clang-format off
#define XTAPE_ELEMENTWISE_OPS(OP)                                                                               \
    XTAPE_COMPARISONS_OPS(OP) XTAPE_ARITHMETIC_OPS(OP) XTAPE_EXPONENTIAL_OPS(OP) XTAPE_POWERS_OPS(OP)           \
    XTAPE_TRIGONOMETRIC_OPS(OP) XTAPE_ROUNDING_OPS(OP) XTAPE_SPECIAL_OPS(OP) XTAPE_ACTIVATIONS_OPS(OP)
// clang-format on
