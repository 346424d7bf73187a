// matmul against xtensor-blas, whose way to BLAS is another than ours. It has a file to itself: its headers take seconds.
#include <xtensor-blas/xlinalg.hpp>

#include <autograd/autograd.hpp>

#include "tests/catch.hpp"

TEST_CASE("matmul agrees with xtensor-blas for all transpositions") {
    using autograd::Array;
    autograd::Rng rng(3);
    for (const bool transpose_a : {false, true}) {
        for (const bool transpose_b : {false, true}) {
            const Array<double> a = rng.normal<double>({7, 5}), b = rng.normal<double>({5, 9});
            const xt::xarray<double> expected = xt::linalg::dot(a, b);
            const Array<double> a_given = transpose_a ? Array<double>(xt::transpose(a)) : a;
            const Array<double> b_given = transpose_b ? Array<double>(xt::transpose(b)) : b;
            autograd::Tape<double> tape;
            const auto product = matmul(tape.constant(a_given), tape.constant(b_given), {.a = transpose_a, .b = transpose_b});
            REQUIRE(product.shape() == autograd::Shape{7, 9});
            // A sum of five products of numbers of size 1 is right to a few roundings.
            for (std::size_t i = 0; i < expected.size(); ++i) {
                CHECK(std::abs(product.value().data()[i] - expected.data()[i]) < 1e-14);
            }
        }
    }
}
