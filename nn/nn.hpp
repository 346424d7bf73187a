// All of nn, for users: models and layers, losses, distributions, optimisers; and in data/, data sets, pictures and
// checkpoints.
//
// A layer is a struct with its parameters as members, `members`, which lists them by name, and a const operator() that takes
// Vars and gives one. Its constructor takes sizes, then the generator, of which each parameter that is drawn takes one draw,
// then options; it checks what it is given and names the layer. BasicLinear in linear.hpp is the shortest: a struct template of
// the element type, instantiated for float and double in the .cpp, with an alias for float. One without parameters is a struct
// with `members()` (layers.hpp).
#pragma once

#include "nn/conv.hpp"
#include "nn/data/batches.hpp"
#include "nn/data/checkpoint.hpp"
#include "nn/data/file.hpp"
#include "nn/data/idx.hpp"
#include "nn/data/image.hpp"
#include "nn/data/image_data.hpp"
#include "nn/data/npy.hpp"
#include "nn/data/safetensors.hpp"
#include "nn/data/tensor.hpp"
#include "nn/distributions.hpp"
#include "nn/gradcheck.hpp"
#include "nn/initialization.hpp"
#include "nn/layers.hpp"
#include "nn/linear.hpp"
#include "nn/losses.hpp"
#include "nn/module.hpp"
#include "nn/optimizers.hpp"
