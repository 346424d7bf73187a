// The specs of convolutions and pooling. The references are the sums of the definitions, over every index by itself.
#include "autograd/ops/convolution.hpp"

#include <cmath>

#include "tests/specs/registry.hpp"

namespace autograd::specs {
namespace {

using Arrays = std::span<const Array<double>>;
using Index = std::ptrdiff_t;

Index signed_of(std::size_t value) { return static_cast<Index>(value); }

/// 0 outside of the picture.
double at(const Array<double>& x, std::size_t row, std::size_t channel, Index i, Index j) {
    if (i < 0 || j < 0 || i >= signed_of(x.shape()[2]) || j >= signed_of(x.shape()[3])) return 0;
    return x(row, channel, static_cast<std::size_t>(i), static_cast<std::size_t>(j));
}

Index place(std::size_t window, std::size_t element, std::size_t stride, std::size_t dilation, std::size_t padding) {
    return signed_of(window * stride + element * dilation) - signed_of(padding);
}

Array<double> correlate(Arrays x, const Convolution& options, Size2d count) {
    const Shape picture = x[0].shape(), weight = x[1].shape();
    const std::size_t inputs = weight[1], outputs = weight[0] / options.groups;
    auto out = full<double>({picture[0], weight[0], count.height, count.width}, 0);
    for (std::size_t n = 0; n < picture[0]; ++n)
        for (std::size_t o = 0; o < weight[0]; ++o)
            for (std::size_t i = 0; i < count.height; ++i)
                for (std::size_t j = 0; j < count.width; ++j) {
                    for (std::size_t c = 0; c < inputs; ++c)
                        for (std::size_t p = 0; p < weight[2]; ++p)
                            for (std::size_t q = 0; q < weight[3]; ++q)
                                out(n, o, i, j) +=
                                    x[1](o, c, p, q) *
                                    at(x[0], n, o / outputs * inputs + c,
                                       place(i, p, options.stride.height, options.dilation.height, options.padding.height),
                                       place(j, q, options.stride.width, options.dilation.width, options.padding.width));
                    if (x.size() > 2) out(n, o, i, j) += x[2](o);
                }
    return out;
}

struct ConvolutionCase {
    const char* name;
    Shape x, weight;
    Convolution options;
    Size2d count;
};

std::vector<ConvolutionCase> convolution_cases() {
    return {{"(1, 1, 3, 3) by 1 x 1", {1, 1, 3, 3}, {1, 1, 1, 1}, {}, {3, 3}},
            {"(2, 3, 5, 4) by 3 x 2", {2, 3, 5, 4}, {4, 3, 3, 2}, {}, {3, 3}},
            {"stride 2", {2, 2, 5, 6}, {3, 2, 2, 3}, {.stride = 2}, {2, 2}},
            {"stride (1, 2)", {1, 2, 4, 5}, {2, 2, 2, 2}, {.stride = {1, 2}}, {3, 2}},
            {"padding (2, 1)", {1, 2, 3, 4}, {2, 2, 3, 3}, {.padding = {2, 1}}, {5, 4}},
            {"dilation (1, 2)", {1, 2, 4, 6}, {2, 2, 2, 3}, {.dilation = {1, 2}}, {3, 2}},
            {"stride, padding and dilation 2", {1, 1, 6, 7}, {2, 1, 2, 3}, {.stride = 2, .padding = 2, .dilation = 2}, {4, 4}},
            {"more padding than window", {1, 1, 2, 2}, {1, 1, 1, 2}, {.stride = 2, .padding = 3}, {4, 4}},
            {"two groups", {2, 4, 3, 4}, {6, 2, 2, 2}, {.groups = 2}, {2, 3}},
            {"a group for each channel", {2, 3, 4, 3}, {3, 1, 2, 2}, {.padding = 1, .groups = 3}, {5, 4}},
            {"no rows", {0, 2, 3, 3}, {2, 2, 2, 2}, {}, {2, 2}}};
}

OpSpec conv2d_spec() {
    OpSpec spec{.name = "conv2d", .documentation = ops::words::conv2d, .ulps = 40};
    for (const ConvolutionCase& each : convolution_cases()) {
        spec.cases.push_back({.name = each.name,
                              .shapes = {each.x, each.weight},
                              .call = [each](auto v) { return conv2d(v[0], v[1], each.options); },
                              .reference = [each](Arrays x) { return correlate(x, each.options, each.count); }});
        spec.cases.push_back({.name = each.name + std::string(", with a bias"),
                              .shapes = {each.x, each.weight, {each.weight[0]}},
                              .call = [each](auto v) { return conv2d(v[0], v[1], v[2], each.options); },
                              .reference = [each](Arrays x) { return correlate(x, each.options, each.count); }});
    }
    const auto call = [](const Convolution& options) { return [options](auto v) { return conv2d(v[0], v[1], options); }; };
    spec.misuses = {
        {{{2, 3, 4}, {2, 3, 2, 2}}, call({}), {"conv2d", "(2, 3, 4)"}},
        {{{1, 3, 4, 4}, {2, 3, 2}}, call({}), {"conv2d", "(1, 3, 4, 4)", "(2, 3, 2)", "rank 4"}},
        {{{1, 3, 4, 4}, {2, 4, 2, 2}}, call({}), {"conv2d", "(1, 3, 4, 4)", "(2, 4, 2, 2)", "4 channels", "have 3"}},
        {{{1, 3, 4, 4}, {2, 3, 2, 2}}, call({.groups = 2}), {"conv2d", "2 groups"}},
        {{{1, 3, 4, 4}, {2, 3, 2, 2}}, call({.groups = 0}), {"conv2d", "0 groups"}},
        {{{1, 1, 2, 4}, {1, 1, 3, 3}}, call({}), {"conv2d", "3 x 3", "(1, 1, 2, 4)"}},
        {{{1, 1, 4, 4}, {1, 1, 3, 3}}, call({.stride = {1, 0}}), {"conv2d", "stride of 1 x 0"}},
        {{{1, 1, 4, 4}, {1, 1, 3, 3}}, call({.dilation = 0}), {"conv2d", "dilation of 0 x 0"}},
        {{{1, 1, 4, 4}, {1, 1, 0, 3}}, call({}), {"conv2d", "kernel of 0 x 3"}},
        {{{1, 1, 4, 4}, {2, 1, 3, 3}, {3}},
         [](auto v) { return conv2d(v[0], v[1], v[2]); },
         {"conv2d", "bias", "(2,)", "(3,)"}},
    };
    return spec;
}

/// Of pictures and outputs.
Array<double> weight_of(Arrays x, const Shape& weight, const Convolution& options) {
    const std::size_t inputs = weight[1], outputs = weight[0] / options.groups;
    auto out = full<double>(weight, 0);
    for (std::size_t o = 0; o < weight[0]; ++o)
        for (std::size_t c = 0; c < inputs; ++c)
            for (std::size_t p = 0; p < weight[2]; ++p)
                for (std::size_t q = 0; q < weight[3]; ++q)
                    for (std::size_t n = 0; n < x[1].shape()[0]; ++n)
                        for (std::size_t i = 0; i < x[1].shape()[2]; ++i)
                            for (std::size_t j = 0; j < x[1].shape()[3]; ++j)
                                out(o, c, p, q) +=
                                    x[1](n, o, i, j) *
                                    at(x[0], n, o / outputs * inputs + c,
                                       place(i, p, options.stride.height, options.dilation.height, options.padding.height),
                                       place(j, q, options.stride.width, options.dilation.width, options.padding.width));
    return out;
}

OpSpec conv2d_weight_spec() {
    OpSpec spec{.name = "conv2d_weight", .documentation = ops::words::conv2d_weight, .ulps = 40};
    for (const ConvolutionCase& each : convolution_cases()) {
        spec.cases.push_back({.name = each.name,
                              .shapes = {each.x, {each.x[0], each.weight[0], each.count.height, each.count.width}},
                              .call = [each](auto v) { return conv2d_weight(v[0], each.weight, v[1], each.options); },
                              .reference = [each](Arrays x) { return weight_of(x, each.weight, each.options); }});
    }
    const auto call = [](auto v) { return conv2d_weight(v[0], {2, 3, 2, 2}, v[1]); };
    spec.misuses = {
        {{{1, 3, 4, 4}, {1, 2, 3, 4}}, call, {"conv2d_weight", "(1, 2, 3, 3)", "(2, 3, 2, 2)", "(1, 2, 3, 4)"}},
        {{{1, 4, 4, 4}, {1, 2, 3, 3}}, call, {"conv2d", "(1, 4, 4, 4)", "3 channels", "have 4"}},
    };
    return spec;
}

Array<double> transposed(Arrays x, const TransposedConvolution& options, Size2d size) {
    const Shape picture = x[0].shape(), weight = x[1].shape();
    const std::size_t inputs = weight[0] / options.groups, outputs = weight[1];
    auto out = full<double>({picture[0], outputs * options.groups, size.height, size.width}, 0);
    for (std::size_t n = 0; n < picture[0]; ++n) {
        for (std::size_t c = 0; c < weight[0]; ++c)
            for (std::size_t i = 0; i < picture[2]; ++i)
                for (std::size_t j = 0; j < picture[3]; ++j)
                    for (std::size_t o = 0; o < outputs; ++o)
                        for (std::size_t p = 0; p < weight[2]; ++p)
                            for (std::size_t q = 0; q < weight[3]; ++q) {
                                const Index y =
                                    place(i, p, options.stride.height, options.dilation.height, options.padding.height);
                                const Index z =
                                    place(j, q, options.stride.width, options.dilation.width, options.padding.width);
                                if (y < 0 || z < 0 || y >= signed_of(size.height) || z >= signed_of(size.width)) continue;
                                out(n, c / inputs * outputs + o, static_cast<std::size_t>(y), static_cast<std::size_t>(z)) +=
                                    x[0](n, c, i, j) * x[1](c, o, p, q);
                            }
        if (x.size() < 3) continue;
        for (std::size_t o = 0; o < out.shape()[1]; ++o)
            for (std::size_t i = 0; i < size.height; ++i)
                for (std::size_t j = 0; j < size.width; ++j) out(n, o, i, j) += x[2](o);
    }
    return out;
}

struct TransposedCase {
    const char* name;
    Shape x, weight;
    TransposedConvolution options;
    Size2d size;
};

OpSpec conv_transpose2d_spec() {
    OpSpec spec{.name = "conv_transpose2d", .documentation = ops::words::conv_transpose2d, .ulps = 40};
    for (const TransposedCase& each : {
             TransposedCase{"(1, 1, 2, 2) by 1 x 1", {1, 1, 2, 2}, {1, 1, 1, 1}, {}, {2, 2}},
             {"(2, 3, 2, 3) by 3 x 2", {2, 3, 2, 3}, {3, 4, 3, 2}, {}, {4, 4}},
             {"stride (2, 3)", {1, 2, 3, 2}, {2, 3, 2, 2}, {.stride = {2, 3}}, {6, 5}},
             {"padding 1", {1, 2, 3, 3}, {2, 2, 3, 3}, {.padding = 1}, {3, 3}},
             {"dilation (2, 1)", {1, 1, 2, 2}, {1, 2, 2, 2}, {.dilation = {2, 1}}, {4, 3}},
             {"output padding (1, 0)",
              {1, 2, 2, 3},
              {2, 1, 3, 3},
              {.stride = 2, .padding = 1, .output_padding = {1, 0}},
              {4, 5}},
             {"output padding of a dilation", {1, 1, 2, 2}, {1, 1, 2, 2}, {.output_padding = 1, .dilation = 2}, {5, 5}},
             {"two groups", {2, 4, 2, 2}, {4, 3, 2, 2}, {.stride = 2, .groups = 2}, {4, 4}},
             {"no rows", {0, 2, 2, 2}, {2, 1, 2, 2}, {}, {3, 3}},
         }) {
        spec.cases.push_back({.name = each.name,
                              .shapes = {each.x, each.weight},
                              .call = [each](auto v) { return conv_transpose2d(v[0], v[1], each.options); },
                              .reference = [each](Arrays x) { return transposed(x, each.options, each.size); }});
        spec.cases.push_back({.name = each.name + std::string(", with a bias"),
                              .shapes = {each.x, each.weight, {each.weight[1] * each.options.groups}},
                              .call = [each](auto v) { return conv_transpose2d(v[0], v[1], v[2], each.options); },
                              .reference = [each](Arrays x) { return transposed(x, each.options, each.size); }});
    }
    const auto call = [](const TransposedConvolution& options) {
        return [options](auto v) { return conv_transpose2d(v[0], v[1], options); };
    };
    spec.misuses = {
        {{{2, 3, 4}, {3, 2, 2, 2}}, call({}), {"conv_transpose2d", "(2, 3, 4)"}},
        {{{1, 3, 2, 2}, {2, 3, 2, 2}}, call({}), {"conv_transpose2d", "(1, 3, 2, 2)", "(2, 3, 2, 2)", "have 3"}},
        {{{1, 2, 2, 2}, {2, 1, 2, 2}},
         call({.stride = 2, .output_padding = 2}),
         {"conv_transpose2d", "output padding of 2 x 2", "2 x 2"}},
        {{{1, 2, 2, 2}, {2, 1, 2, 2}}, call({.padding = 2}), {"conv_transpose2d", "padding of 2 x 2", "nothing"}},
        {{{1, 2, 0, 2}, {2, 1, 2, 2}}, call({}), {"conv_transpose2d", "picture of 0 x 2"}},
    };
    return spec;
}

struct WindowCase {
    const char* name;
    Shape pictures;
    Size2d kernel;
    Sliding sliding;
    Size2d count;
};

std::vector<WindowCase> window_cases() {
    return {{"(1, 1, 3, 3) by 2 x 2", {1, 1, 3, 3}, 2, {}, {2, 2}},
            {"(2, 3, 4, 5) by 3 x 2", {2, 3, 4, 5}, {3, 2}, {}, {2, 4}},
            {"stride (2, 1)", {1, 2, 5, 4}, {2, 3}, {.stride = {2, 1}}, {2, 2}},
            {"stride 3, beyond the kernel", {1, 1, 7, 6}, 2, {.stride = 3}, {2, 2}},
            {"padding (1, 2)", {1, 2, 3, 2}, {3, 2}, {.padding = {1, 2}}, {3, 5}},
            {"dilation 2", {1, 1, 4, 5}, 2, {.dilation = 2}, {2, 3}},
            {"all", {2, 1, 5, 6}, {2, 3}, {.stride = {2, 3}, .padding = {1, 2}, .dilation = {3, 2}}, {2, 2}},
            {"(0, 2, 3, 3)", {0, 2, 3, 3}, 2, {}, {2, 2}}};
}

/// Calls move(row, channel, i, j, place in the columns) for each element of each window.
template <class Move>
void for_each_element(const WindowCase& each, Move move) {
    std::size_t to = 0;
    for (std::size_t n = 0; n < each.pictures[0]; ++n)
        for (std::size_t c = 0; c < each.pictures[1]; ++c)
            for (std::size_t p = 0; p < each.kernel.height; ++p)
                for (std::size_t q = 0; q < each.kernel.width; ++q)
                    for (std::size_t i = 0; i < each.count.height; ++i)
                        for (std::size_t j = 0; j < each.count.width; ++j, ++to) {
                            const Sliding& s = each.sliding;
                            move(n, c, place(i, p, s.stride.height, s.dilation.height, s.padding.height),
                                 place(j, q, s.stride.width, s.dilation.width, s.padding.width), to);
                        }
}

Shape columns_of(const WindowCase& each) {
    return {each.pictures[0], each.pictures[1] * each.kernel.height * each.kernel.width, each.count.height * each.count.width};
}

OpSpec unfold_spec() {
    OpSpec spec{.name = "unfold", .documentation = ops::words::unfold, .ulps = 0};
    for (const WindowCase& each : window_cases()) {
        spec.cases.push_back({.name = each.name,
                              .shapes = {each.pictures},
                              .call = [each](auto v) { return unfold(v[0], each.kernel, each.sliding); },
                              .reference =
                                  [each](Arrays x) {
                                      auto out = empty<double>(columns_of(each));
                                      for_each_element(each, [&](auto n, auto c, Index i, Index j, std::size_t to) {
                                          out.data()[to] = at(x[0], n, c, i, j);
                                      });
                                      return out;
                                  }});
    }
    spec.misuses = {{{{3, 3}}, [](auto v) { return unfold(v[0], 2); }, {"unfold", "(3, 3)"}},
                    {{{1, 1, 3, 3}},
                     [](auto v) {
                         return unfold(v[0], {2, 4});
                     },
                     {"unfold", "2 x 4", "(1, 1, 3, 3)"}}};
    return spec;
}

OpSpec fold_spec() {
    OpSpec spec{.name = "fold", .documentation = ops::words::fold, .ulps = 10};
    for (const WindowCase& each : window_cases()) {
        spec.cases.push_back(
            {.name = each.name,
             .shapes = {columns_of(each)},
             .call = [each](auto v) { return fold(v[0], each.pictures, each.kernel, each.sliding); },
             .reference =
                 [each](Arrays x) {
                     auto out = full<double>(each.pictures, 0);
                     for_each_element(each, [&](auto n, auto c, Index i, Index j, std::size_t from) {
                         if (i < 0 || j < 0 || i >= signed_of(each.pictures[2]) || j >= signed_of(each.pictures[3])) return;
                         out(n, c, static_cast<std::size_t>(i), static_cast<std::size_t>(j)) += x[0].data()[from];
                     });
                     return out;
                 }});
    }
    const auto call = [](auto v) { return fold(v[0], {1, 1, 3, 3}, 2); };
    spec.misuses = {{{{1, 4, 3}}, call, {"fold", "(1, 4, 4)", "(1, 1, 3, 3)", "(1, 4, 3)"}}};
    return spec;
}

struct PoolingCase {
    const char* name;
    Shape x;
    Size2d kernel;
    Pooling options;
    Size2d stride, count;
};

/// `of_window` has the sum or maximum of what was seen; elements in the padding are `outside`.
template <class Op>
OpSpec pooling_spec(OpSpec spec, Op op, double outside, double (*of_window)(const std::vector<double>&)) {
    const std::string name = spec.name;
    for (const PoolingCase& each : {
             PoolingCase{"(1, 1, 2, 2) by 2", {1, 1, 2, 2}, 2, {}, 2, 1},
             {"(2, 3, 5, 4) by 2", {2, 3, 5, 4}, 2, {}, 2, 2},
             {"by 1", {1, 2, 2, 3}, 1, {}, 1, {2, 3}},
             {"by 3 x 2, stride 1", {2, 1, 4, 3}, {3, 2}, {.stride = 1}, 1, {2, 2}},
             {"padding 1", {1, 2, 4, 5}, 3, {.stride = {2, 1}, .padding = 1}, {2, 1}, {2, 5}},
             {"padding (1, 0)", {1, 1, 3, 4}, {2, 2}, {.padding = {1, 0}}, 2, 2},
             {"no rows", {0, 1, 2, 2}, 2, {}, 2, 1},
         }) {
        spec.cases.push_back(
            {.name = each.name,
             .shapes = {each.x},
             .call = [op, each](auto v) { return op(v[0], each.kernel, each.options); },
             .reference =
                 [each, outside, of_window](Arrays x) {
                     auto out = empty<double>({each.x[0], each.x[1], each.count.height, each.count.width});
                     for (std::size_t n = 0; n < each.x[0]; ++n)
                         for (std::size_t c = 0; c < each.x[1]; ++c)
                             for (std::size_t i = 0; i < each.count.height; ++i)
                                 for (std::size_t j = 0; j < each.count.width; ++j) {
                                     std::vector<double> seen;
                                     for (std::size_t p = 0; p < each.kernel.height; ++p)
                                         for (std::size_t q = 0; q < each.kernel.width; ++q) {
                                             const Index y = place(i, p, each.stride.height, 1, each.options.padding.height);
                                             const Index z = place(j, q, each.stride.width, 1, each.options.padding.width);
                                             const bool inside =
                                                 y >= 0 && z >= 0 && y < signed_of(each.x[2]) && z < signed_of(each.x[3]);
                                             seen.push_back(inside ? at(x[0], n, c, y, z) : outside);
                                         }
                                     out(n, c, i, j) = of_window(seen);
                                 }
                     return out;
                 }});
    }
    spec.misuses = {{{{2, 2}}, [op](auto v) { return op(v[0], 2, Pooling{}); }, {name, "(2, 2)"}},
                    {{{1, 1, 2, 2}}, [op](auto v) { return op(v[0], 3, Pooling{}); }, {name, "3 x 3", "(1, 1, 2, 2)"}},
                    {{{1, 1, 4, 4}},
                     [op](auto v) { return op(v[0], 3, Pooling{.padding = 2}); },
                     {name, "padding of 2 x 2", "half", "3 x 3"}}};
    return spec;
}

}  // namespace

std::vector<OpSpec> convolution_specs() {
    return {unfold_spec(),
            fold_spec(),
            conv2d_spec(),
            conv_transpose2d_spec(),
            conv2d_weight_spec(),
            pooling_spec(
                {.name = "max_pool2d", .documentation = ops::words::max_pool2d, .ulps = 0.5},
                [](auto x, Size2d kernel, const Pooling& options) { return max_pool2d(x, kernel, options); },
                -std::numeric_limits<double>::infinity(),
                [](const std::vector<double>& seen) {
                    double largest = seen.front();
                    for (const double each : seen) {
                        if (std::isnan(each)) return each;
                        largest = each > largest ? each : largest;
                    }
                    return largest;
                }),
            pooling_spec(
                {.name = "avg_pool2d", .documentation = ops::words::avg_pool2d, .ulps = 10},
                [](auto x, Size2d kernel, const Pooling& options) { return avg_pool2d(x, kernel, options); }, 0,
                [](const std::vector<double>& seen) {
                    double total = 0;
                    for (const double each : seen) total += each;
                    return total / static_cast<double>(seen.size());
                })};
}

}  // namespace autograd::specs
