// Matrix products for what xtape is held against: on the calling thread, by whichever engine is the quickest here for a
// product of that shape. It is not the library's own choice of an engine, and knows nothing of it.
#pragma once

#include <cstddef>

namespace bench {

/// c = op(a) op(b), with c of m x n, row by row; lda, ldb and ldc are the lengths of rows as they are stored.
struct Product {
    bool transpose_a, transpose_b;
    std::size_t m, n, k;
    const float* a;
    std::size_t lda;
    const float* b;
    std::size_t ldb;
    float* c;
    std::size_t ldc;
};

enum class Engine { openblas, onednn };

void multiply(Engine engine, const Product& product);

/// The engine that multiplied the quickest in a few trials on the calling thread. The first product of its shape is the
/// one that is tried.
Engine quickest_engine(const Product& product);

}  // namespace bench
