// All of nn, for users: models and layers, losses, distributions, optimisers, data, pictures and checkpoints.
#pragma once

#include <autograd/language.hpp>

#include "nn/batches.hpp"
#include "nn/checkpoint.hpp"
#include "nn/convolution.hpp"
#include "nn/distributions.hpp"
#include "nn/file.hpp"
#include "nn/gradcheck.hpp"
#include "nn/idx.hpp"
#include "nn/image.hpp"
#include "nn/image_data.hpp"
#include "nn/initialization.hpp"
#include "nn/layers.hpp"
#include "nn/linear.hpp"
#include "nn/losses.hpp"
#include "nn/module.hpp"
#include "nn/npy.hpp"
#include "nn/optimizers.hpp"
#include "nn/safetensors.hpp"
#include "nn/tensor.hpp"
