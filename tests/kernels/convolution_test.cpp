// Convolutions of floats, which are by oneDNN where it is, and of doubles, against sums written out, of extents at and beside
// the edges of kernels, vectors and pieces of a batch.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "autograd/kernels/calls.hpp"
#include "autograd/kernels/convolution.hpp"
#include "autograd/kernels/onednn.hpp"
#include "autograd/kernels/onednn_convolution.hpp"
#include "tests/testing.hpp"

using namespace autograd;
using kernels::ConvolutionExtents;
using kernels::Side;
using kernels::WindowAxis;

namespace {

WindowAxis axis(std::size_t extent, std::size_t size, std::size_t stride, std::size_t padding, std::size_t dilation) {
    return {extent, size, (extent + 2 * padding - dilation * (size - 1) - 1) / stride + 1, stride, padding, dilation};
}

/// One array of a convolution, and for each element the sum of the terms' magnitudes: what rounding is measured by.
struct Sums {
    std::vector<long double> values, magnitudes;

    explicit Sums(std::size_t size) : values(size), magnitudes(size) {}
    void add(std::size_t at, long double term) {
        values[at] += term;
        magnitudes[at] += std::fabs(term);
    }
};

/// From the definition.
template <class T>
Sums expected(Side side, const Array<T>& x, const Array<T>& y, const Array<T>& w, const ConvolutionExtents& e) {
    Sums sums(side == Side::pictures ? x.size() : side == Side::outputs ? y.size() : w.size());
    const std::size_t channels = e.channels / e.groups, outputs = e.outputs / e.groups;
    std::size_t at_y = 0;
    for (std::size_t n = 0; n < e.pictures; ++n) {
        for (std::size_t o = 0; o < e.outputs; ++o) {
            for (std::size_t i = 0; i < e.rows.count; ++i) {
                for (std::size_t j = 0; j < e.columns.count; ++j, ++at_y) {
                    std::size_t at_w = o * channels * e.rows.size * e.columns.size;
                    for (std::size_t c = 0; c < channels; ++c) {
                        const std::size_t plane = n * e.channels + o / outputs * channels + c;
                        for (std::size_t p = 0; p < e.rows.size; ++p) {
                            for (std::size_t q = 0; q < e.columns.size; ++q, ++at_w) {
                                const std::size_t row = i * e.rows.stride + p * e.rows.dilation - e.rows.padding;
                                const std::size_t column = j * e.columns.stride + q * e.columns.dilation - e.columns.padding;
                                if (row >= e.rows.extent || column >= e.columns.extent) continue;  // less than 0 too
                                const std::size_t at_x = (plane * e.rows.extent + row) * e.columns.extent + column;
                                const long double in_x = x.data()[at_x], in_y = y.data()[at_y], in_w = w.data()[at_w];
                                if (side == Side::outputs) sums.add(at_y, in_x * in_w);
                                if (side == Side::pictures) sums.add(at_x, in_y * in_w);
                                if (side == Side::weight) sums.add(at_w, in_x * in_y);
                            }
                        }
                    }
                }
            }
        }
    }
    return sums;
}

template <class T>
void check_all_sides(const ConvolutionExtents& e) {
    Array<T> x = sample<T>({e.pictures * e.picture_size()}, 1), y = sample<T>({e.pictures * e.output_size()}, 2),
             w = sample<T>({e.weight_size()}, 3);
    for (const Side side : {Side::outputs, Side::pictures, Side::weight}) {
        const Sums sums = expected(side, x, y, w, e);
        Array<T> out = full<T>({sums.values.size()}, std::numeric_limits<T>::quiet_NaN());
        if (side == Side::outputs) kernels::convolve<T>(out.data(), x.data(), w.data(), nullptr, e);
        if (side == Side::pictures) kernels::convolve_to_pictures<T>(out.data(), y.data(), w.data(), nullptr, e);
        if (side == Side::weight) kernels::convolve_to_weight(out.data(), x.data(), y.data(), e);
        long double worst = 0;
        for (std::size_t i = 0; i < out.size(); ++i) {
            const long double off = std::fabs(static_cast<long double>(out.data()[i]) - sums.values[i]);
            worst = std::max(worst, off / (sums.magnitudes[i] + 1e-30L));
            if (std::isnan(out.data()[i])) worst = 1;
        }
        INFO("side " << static_cast<int>(side) << ", pictures " << e.pictures << ", channels " << e.channels << ", outputs "
                     << e.outputs << ", groups " << e.groups << ", " << e.rows.extent << " x " << e.columns.extent
                     << ", kernel " << e.rows.size << " x " << e.columns.size);
        // Of n terms in any order at most n - 1 roundings, whose signs differ.
        CHECK(static_cast<double>(worst) < 20 * static_cast<double>(std::numeric_limits<T>::epsilon()));
    }
}

const std::vector<ConvolutionExtents> cases = {
    // The layers of the example, with a piece of a batch left over.
    {37, 1, 16, 1, axis(28, 3, 2, 1, 1), axis(28, 3, 2, 1, 1)},
    {19, 16, 32, 1, axis(14, 3, 2, 1, 1), axis(14, 3, 2, 1, 1)},
    // Channels that fill no vector, a kernel that is no square, strides and paddings of their own.
    {17, 3, 7, 1, axis(19, 5, 1, 2, 1), axis(23, 2, 3, 0, 1)},
    {9, 20, 33, 1, axis(13, 3, 1, 1, 1), axis(11, 3, 1, 1, 1)},
    // Groups, one of each channel, and holes in the windows.
    {33, 16, 16, 16, axis(16, 3, 1, 1, 1), axis(16, 3, 1, 1, 1)},
    {8, 12, 24, 4, axis(15, 3, 1, 2, 2), axis(17, 3, 2, 1, 2)},
    // Windows of one element, windows as large as the picture, and what a stride leaves over at the end.
    {16, 64, 48, 1, axis(9, 1, 1, 0, 1), axis(9, 1, 1, 0, 1)},
    {40, 24, 32, 1, axis(6, 6, 1, 0, 1), axis(6, 6, 1, 0, 1)},
    {11, 16, 16, 1, axis(30, 3, 4, 0, 1), axis(29, 3, 4, 1, 1)},
    // A padding that is wider than the window: windows without any element of the picture.
    {5, 16, 16, 1, axis(12, 3, 1, 5, 1), axis(12, 3, 1, 4, 1)},
    // One picture, so large that its places are many terms of a weight's sum.
    {1, 4, 8, 1, axis(90, 3, 1, 1, 1), axis(90, 3, 1, 1, 1)},
    // What is too little for oneDNN.
    {2, 2, 3, 1, axis(5, 3, 1, 1, 1), axis(6, 2, 1, 0, 1)},
};

}  // namespace

TEST_CASE("convolution kernels: all sides of floats are the sums of the definition") {
    const ThreadCount restored;
    for (const int threads : {1, 3}) {
        set_num_threads(threads);
        for (const ConvolutionExtents& each : cases) check_all_sides<float>(each);
    }
}

TEST_CASE("convolution kernels: oneDNN, where it is, has kernels for the layers of the example") {
    const kernels::Calls calls(kernels::Library::other);
    if (calls.count() == 0 || !kernels::uses_onednn()) return;
    for (const Side side : {Side::outputs, Side::pictures, Side::weight}) {
        INFO("side " << static_cast<int>(side));
        CHECK(kernels::onednn_convolves(side, cases[1]));
    }
    CHECK_FALSE(kernels::onednn_convolves(Side::outputs, cases[9]));  // whose padding is wider than the window
}

TEST_CASE("convolution kernels: all sides of doubles are the sums of the definition") {
    for (const ConvolutionExtents& each : cases) check_all_sides<double>(each);
}

TEST_CASE("convolution kernels: the last window of an output padding lies in the picture, or the picture beyond it") {
    // As conv_transpose2d makes them: fewer windows than would fit.
    for (const std::size_t extra : {0u, 1u}) {
        const WindowAxis one{13 + extra, 3, 7, 2, 1, 1};
        check_all_sides<float>({20, 16, 32, 1, one, one});
    }
    const WindowAxis dilated{16, 3, 9, 1, 0, 3};  // three more rows than the windows reach
    check_all_sides<float>({20, 16, 32, 1, dilated, dilated});
}

TEST_CASE("convolution kernels: results are the same bits again, and outputs for any number of threads") {
    const ThreadCount restored;
    const ConvolutionExtents e = cases[1];
    const Array<float> x = sample<float>({e.pictures * e.picture_size()}, 1), w = sample<float>({e.weight_size()}, 2);
    std::vector<std::vector<float>> found;
    for (const int threads : {1, 1, 2, 3}) {
        set_num_threads(threads);
        Array<float> y = empty<float>({e.pictures * e.output_size()});
        kernels::convolve<float>(y.data(), x.data(), w.data(), nullptr, e);
        found.push_back(elements(y));
    }
    for (const auto& each : found) CHECK(each == found.front());
}

TEST_CASE("convolution kernels: the zeros around pictures count as zeros, however many pictures there are") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const std::size_t pictures : {1u, 33u}) {
        const ConvolutionExtents e{pictures, 16, 16, 1, axis(12, 3, 1, 1, 1), axis(12, 3, 1, 1, 1)};
        const Array<float> x = full<float>({pictures * e.picture_size()}, 1);
        Array<float> w = full<float>({e.weight_size()}, 1), y = full<float>({pictures * e.output_size()}, 1);
        w.data()[0] = nan;  // of output 0, times the row and column in front of the picture
        Array<float> out = empty<float>({pictures * e.output_size()});
        kernels::convolve<float>(out.data(), x.data(), w.data(), nullptr, e);
        CHECK(std::isnan(out.data()[0]));
        CHECK(std::isnan(out.data()[1]));
        CHECK(out.data()[12 * 12] == 64);
        y.data()[0] = nan;
        Array<float> sums = empty<float>({e.weight_size()});
        kernels::convolve_to_weight(sums.data(), x.data(), y.data(), e);
        CHECK(std::isnan(sums.data()[0]));
        CHECK(std::isnan(sums.data()[8]));
        CHECK(sums.data()[16 * 9] == static_cast<float>(pictures * 121));
    }
}

TEST_CASE("convolution kernels: a sum over a large picture is as exact as over many small ones") {
    // 0.1 added up 65536 times in sequence would be off by 2e-3 of the sum.
    const ConvolutionExtents e{1, 16, 16, 1, axis(256, 1, 1, 0, 1), axis(256, 1, 1, 0, 1)};
    const Array<float> x = full<float>({e.picture_size()}, 0.1f), y = full<float>({e.output_size()}, 1);
    Array<float> w = empty<float>({e.weight_size()});
    kernels::convolve_to_weight(w.data(), x.data(), y.data(), e);
    for (const float each : elements(w)) CHECK(each == Approx(6553.6).epsilon(1e-5));
}
