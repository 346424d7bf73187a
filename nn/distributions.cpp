// Compiles the loops of distributions.hpp's ops, for float and double.
#include "nn/distributions.hpp"

XTAPE_DISTRIBUTIONS(XTAPE_INSTANTIATE_LOOPS)
