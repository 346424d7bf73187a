// All of autograd that programs need: arrays, the tape, its ops and gradient checking. (check.hpp, for tests of
// ops, is apart.)
#pragma once

#include "autograd/base/language.hpp"

#include "autograd/check/gradcheck.hpp"
#include "autograd/core/gradients.hpp"
#include "autograd/tools/inspect.hpp"
#include "autograd/base/memory.hpp"
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
#include "autograd/core/parameter.hpp"
#include "autograd/base/random.hpp"
#include "autograd/core/tangents.hpp"
#include "autograd/base/threads.hpp"
#include "autograd/tools/transforms.hpp"
#include "autograd/kernels/update.hpp"
