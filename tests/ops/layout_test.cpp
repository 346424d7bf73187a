// Transpositions against the plainest loop, of sizes that fill tiles and of such that leave edges, copied and added.
#include <autograd/kernels/layout.hpp>

#include "tests/testing.hpp"

using namespace autograd;

TEMPLATE_TEST_CASE("layout: transposed copies and sums of all sizes", "", float, double) {
    using T = TestType;
    for (const std::size_t rows : {1u, 7u, 16u, 17u, 33u, 48u}) {
        for (const std::size_t columns : {1u, 8u, 16u, 31u, 50u}) {
            INFO(rows << " x " << columns);
            const Shape shape{2, columns, rows};
            const Array<T> source = sample<T>({2, rows, columns});
            Array<T> copy = empty<T>(shape), total = full<T>(shape, T(1));
            const kernels::Strides to = kernels::row_major_strides(shape);
            kernels::Strides from = kernels::row_major_strides(source.shape());
            std::swap(from[1], from[2]);
            kernels::copy_strided(copy.data(), to, source.data(), from, shape);
            kernels::add_strided(total.data(), to, source.data(), from, shape);
            std::size_t wrong = 0;
            for (std::size_t i = 0; i < 2; ++i) {
                for (std::size_t j = 0; j < columns; ++j) {
                    for (std::size_t k = 0; k < rows; ++k) {
                        wrong += copy(i, j, k) != source(i, k, j) || total(i, j, k) != 1 + source(i, k, j);
                    }
                }
            }
            CHECK(wrong == 0);
        }
    }
}
