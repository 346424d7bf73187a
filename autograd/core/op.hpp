// What an op is. There are two ways to make one, elementwise<"name">(lambda, rules...) and apply(structure, inputs...), and
// one definition serves every world an op is used in. The ops themselves stand in ops/.
#pragma once

#include "autograd/core/elementwise_op.hpp"
#include "autograd/core/structured_op.hpp"
