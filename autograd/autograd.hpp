// All of autograd that programs need: arrays, the tape, its ops and gradient checking. (registry.hpp and opcheck.hpp, for
// tests of ops, are apart.)
#pragma once

#include "autograd/language.hpp"

#include "autograd/gradcheck.hpp"
#include "autograd/gradients.hpp"
#include "autograd/inspect.hpp"
#include "autograd/memory.hpp"
#include "autograd/ops/control.hpp"
#include "autograd/ops/convolution.hpp"
#include "autograd/ops/einsum.hpp"
#include "autograd/ops/elementwise.hpp"
#include "autograd/ops/indexing.hpp"
#include "autograd/ops/linear_algebra.hpp"
#include "autograd/ops/matmul.hpp"
#include "autograd/ops/random.hpp"
#include "autograd/ops/reductions.hpp"
#include "autograd/ops/scan.hpp"
#include "autograd/ops/shape.hpp"
#include "autograd/ops/softmax.hpp"
#include "autograd/ops/statistics.hpp"
#include "autograd/parameter.hpp"
#include "autograd/random.hpp"
#include "autograd/tangents.hpp"
#include "autograd/threads.hpp"
#include "autograd/transforms.hpp"
#include "autograd/update.hpp"
