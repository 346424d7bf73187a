// Claim: an autoencoder compresses. A linear one, trained on squared error, finds the subspace of principal component
// analysis and leaves the variance that PCA discards; not PCA's axes, for which nothing in its loss asks. (Baldi and
// Hornik, "Neural networks and principal component analysis", Neural Networks 2, 1989.)
#include <xtensor-blas/xlinalg.hpp>

#include <fmt/format.h>
#include <autograd/autograd.hpp>
#include <cmath>
#include <cstdio>
#include <nn/nn.hpp>
#include <string>

#include "check.hpp"

using autograd::Array;
using autograd::Parameter;
using autograd::Tape;
using autograd::Var;

struct LinearAutoencoder {
    Parameter<double> encoder;  // (codes, inputs)
    Parameter<double> decoder;  // (inputs, codes)
    static constexpr auto members = nn::members("encoder", &LinearAutoencoder::encoder, "decoder", &LinearAutoencoder::decoder);

    Var<double> operator()(const Var<double>& x) const {
        const auto z = matmul(x, x.tape().parameter(encoder), {.b = true});
        return matmul(z, x.tape().parameter(decoder), {.b = true});
    }
};

int main() {
    Checks checks;
    constexpr std::size_t rows = 400, inputs = 8, codes = 3;

    // Data of 8 directions with standard deviations 3, 2.5, 2, and small ones, turned by a random rotation, and
    // centred.
    autograd::Rng rng(4);
    const Array<double> rotation = std::get<0>(xt::linalg::qr(rng.normal<double>({inputs, inputs})));
    Tape<double> tape({.inference = true});
    const auto turned = matmul(
        tape.constant(rng.normal<double>({rows, inputs})) * tape.constant(Array<double>{3, 2.5, 2, 0.9, 0.7, 0.5, 0.3, 0.1}),
        tape.constant(rotation));
    const auto centred = turned - mean(turned, 0);
    const Array<double> data = centred.value();

    // PCA: the eigenvectors of the covariance, by LAPACK through xtensor-blas; eigenvalues ascend.
    const Array<double> covariance = (matmul(centred, centred, {.a = true}) / double(rows)).value();
    const auto [eigenvalues, eigenvectors] = xt::linalg::eigh(covariance);
    double discarded = 0;
    for (std::size_t i = 0; i < inputs - codes; ++i) discarded += eigenvalues(i);

    // The autoencoder: gradient descent with momentum on all rows. It converges by a constant factor per step.
    LinearAutoencoder model{Parameter<double>(nn::glorot_normal<double>(inputs, codes, rng)),
                            Parameter<double>(nn::glorot_normal<double>(codes, inputs, rng))};
    nn::BasicSGD<double> descent({.lr = 0.01, .momentum = 0.9});
    Tape<double> training;
    double loss = 0;
    std::printf("squared error per row, summed over the %zu inputs\n", inputs);
    for (int step = 0; step <= 10'000; ++step) {
        training.clear();
        const auto x = training.constant(data);
        const auto error = nn::squared_error(model(x), x, nn::Reduction::batch_mean);
        loss = error.item();
        if (step % 2500 == 0 || step == 100) std::printf("  after %5d steps %.10f\n", step, loss);
        descent.step(model, backward(error));
    }
    std::printf("  by PCA            %.10f\n\n", discarded);
    // Rounding is left after so many steps. The loss is flat at its minimum, so that all else is known to the root of
    // its error.
    checks.near("squared error: the sum of the discarded eigenvalues", loss, discarded, 1e-10 * discarded);

    // Two subspaces, with orthonormal bases U and Q: the sines of the principal angles are the singular values of
    // Q - U U'Q. (The cosines, those of U'Q, would lose half of the digits.)
    const Array<double> basis = xt::view(eigenvectors, xt::all(), xt::range(inputs - codes, inputs));
    const Array<double> learned =
        std::get<0>(xt::linalg::qr(Array<double>(model.decoder.value()), xt::linalg::qrmode::reduced));
    const auto u = tape.constant(basis), q = tape.constant(learned);
    const Array<double> outside = (q - matmul(u, matmul(u, q, {.a = true}))).value();
    const auto sines = std::get<1>(xt::linalg::svd(outside, false));
    for (std::size_t i = 0; i < codes; ++i) {
        checks.near(fmt::format("principal angle {} to PCA's subspace, radians", i + 1), std::asin(sines(i)), 0, 1e-7);
    }

    // The codes: at the optimum the encoder inverts the decoder on its subspace. But any invertible mixture of codes,
    // undone by the decoder, has the same loss, and so the columns of the decoder are no eigenvectors.
    const Array<double> product = matmul(tape.constant(model.encoder.value()), tape.constant(model.decoder.value())).value();
    double furthest = 0;
    for (std::size_t i = 0; i < codes; ++i) {
        for (std::size_t j = 0; j < codes; ++j) furthest = std::fmax(furthest, std::fabs(product(i, j) - (i == j)));
    }
    checks.near("encoder times decoder against the identity, largest element", furthest, 0, 1e-7);
    const Array<double> along = matmul(u, tape.constant(model.decoder.value()), {.a = true}).value();
    std::printf("\ncolumns of the decoder along PCA's axes (PCA would have one number in each column)\n%s\n",
                autograd::to_string(along).c_str());
    return checks.result();
}
