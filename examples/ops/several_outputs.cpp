// An op with several outputs: mean and variance of each column, in one pass. A node has one value, so the op packs both
// into one array, (2, columns), of which the function that users call gives slices.
#include <autograd/autograd.hpp>
#include <cmath>
#include <cstdio>

using namespace autograd;

/// Packed like this there is one forward pass and one rule, whose g holds the gradients of both outputs: zeros for one
/// that nobody uses, and what the slices' adjoints add in place. Two nodes that share what they computed would also do;
/// but each would sweep over x alone, and what they share would be an input of which the tape, and so the checks, know
/// nothing. Outputs of different shapes are packed flat, and reshaped as they are sliced.
struct Moments {
    static constexpr const char* name = "moments";

    template <class T>
    void forward(Array<T>& out, const Array<T>& x) const {
        if (x.dimension() != 2 || x.shape()[0] == 0) throw ShapeError("a matrix with rows, not " + to_string(x.shape()));
        const std::size_t rows = x.shape()[0], columns = x.shape()[1];
        out = empty<T>({2, columns});
        for (std::size_t j = 0; j < columns; ++j) {
            double mean = 0, variance = 0;  // of floats as well, whose sum would round at each row
            for (std::size_t i = 0; i < rows; ++i) mean += double(x(i, j)) / double(rows);
            for (std::size_t i = 0; i < rows; ++i) variance += std::pow(double(x(i, j)) - mean, 2) / double(rows);
            out(0, j) = static_cast<T>(mean);
            out(1, j) = static_cast<T>(variance);
        }
    }
    template <class X>
    X gradient(InputIndex<0>, const X& g, const X& x, const X& y) const {
        const double scale = 1 / static_cast<double>(x.shape()[0]);
        return scale * (mean_of(g) + 2 * variance_of(g) * (x - mean_of(y)));
    }
    template <class X>
    X tangent(InputIndex<0>, const X& t, const X& x, const X& y) const {
        const double scale = 1 / static_cast<double>(x.shape()[0]);
        const X of_mean = scale * sum(t, 0, KeepDims::yes);
        const X of_variance = 2 * scale * sum(t * (x - mean_of(y)), 0, KeepDims::yes);
        return unslice(of_mean, y.shape(), 0, {0, 1}) + unslice(of_variance, y.shape(), 0, {1, 2});
    }

   private:
    template <class X>
    static X mean_of(const X& packed) {
        return slice(packed, 0, {0, 1});
    }
    template <class X>
    static X variance_of(const X& packed) {
        return slice(packed, 0, {1, 2});
    }
};

template <Operand X>
struct MeanAndVariance {
    X mean, variance;  ///< each of shape (1, columns)
};
template <Operand X>
MeanAndVariance<X> moments(const X& x) {
    const X packed = apply(Moments{}, x);
    return {slice(packed, 0, {0, 1}), slice(packed, 0, {1, 2})};
}

int main() {
    Tape<double> tape;
    const auto x = tape.variable(Array<double>{{1.0, 10.0}, {2.0, 30.0}, {6.0, 20.0}});
    const auto [mean, variance] = moments(x);
    std::printf("means %s, variances %s\n", to_string(mean.value()).c_str(), to_string(variance.value()).c_str());
    std::printf("gradient of the variances: %s\n", to_string(backward(sum(variance))[x]).c_str());
    std::printf("%s", print(tape).c_str());

    // Each output alone, and both together: columns brought to mean 0 and variance 1, as normalisation layers do.
    bool passed = true;
    const auto check = [&](const char* what, auto f) {
        const auto report = gradcheck(f, {x.value()}, {.order = 2});
        std::printf("%s: %s\n", what, report.text().c_str());
        passed = passed && report;
    };
    check("mean", [](const auto& v) { return moments(v).mean; });
    check("variance", [](const auto& v) { return moments(v).variance; });
    check("both", [](const auto& v) {
        const auto m = moments(v);
        return (v - m.mean) / sqrt(m.variance + 1e-3);
    });
    return passed ? 0 : 1;
}
