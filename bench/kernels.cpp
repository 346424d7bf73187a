// The loops under the ops, on one thread and 128 x 784 floats or thereabouts: every elementwise op of the registry,
// patterns of broadcasting, reductions, transposition and the example's matrix products, each recorded on a tape
// without gradients. Beside them the same as plain loops over memory, and what memory alone allows.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <autograd/autograd.hpp>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "product.hpp"
#include "suite.hpp"
#include "tests/specs/registry.hpp"

namespace bench {
namespace {

using autograd::Array;
using autograd::Shape;
using Var = autograd::Var<float>;
using Domain = autograd::OpDomain;
using Call = std::function<Var(std::span<const Var>)>;
using Raw = std::function<void(float* out, const float* const* in)>;

constexpr std::size_t rows = 128, columns = 784, elements = rows * columns, most_inputs = 4;

struct Input {
    Shape shape;
    Domain domain{};
};

std::vector<Array<float>> numbers(const std::vector<Input>& inputs) {
    autograd::Rng rng(4);
    std::vector<Array<float>> arrays;
    for (const Input& input : inputs) {
        const auto low = static_cast<float>(input.domain.low), range = static_cast<float>(input.domain.high) - low;
        Array<float> x = rng.uniform<float>(input.shape);
        autograd::update([&](auto& value) { value = low + range * value; }, x);
        arrays.push_back(std::move(x));
    }
    return arrays;
}

benchmark::internal::Benchmark* add(const std::string& name, std::function<void(benchmark::State&)> measure) {
    return benchmark::RegisterBenchmark(name.c_str(), std::move(measure))->Unit(benchmark::kMicrosecond)->MinTime(0.005);
}

/// Registers a call; returns the name of its median.
std::string add_call(const std::string& kernel, std::vector<Input> inputs, Call call) {
    const std::string name = "kernel/" + kernel + "/xtape";
    add(name, [inputs = std::move(inputs), call = std::move(call)](benchmark::State& state) {
        autograd::set_num_threads(1);
        std::vector<autograd::Parameter<float>> parameters;  // which a tape borrows
        for (Array<float>& each : numbers(inputs)) parameters.emplace_back(std::move(each));
        autograd::Tape<float> tape({.inference = true});
        std::array<Var, most_inputs> vars;
        for (auto _ : state) {
            tape.clear();
            std::transform(parameters.begin(), parameters.end(), vars.begin(),
                           [&](auto& each) { return tape.parameter(each); });
            benchmark::DoNotOptimize(call({vars.data(), parameters.size()}).value().data());
        }
    });
    return name;
}

/// Registers a plain loop under its full name, which it returns.
std::string add_raw(const std::string& name, std::vector<Input> inputs, std::size_t outputs, Raw raw) {
    add(name, [inputs = std::move(inputs), outputs, raw = std::move(raw)](benchmark::State& state) {
        const std::vector<Array<float>> arrays = numbers(inputs);
        std::array<const float*, most_inputs> in{};
        std::transform(arrays.begin(), arrays.end(), in.begin(), [](const Array<float>& each) { return each.data(); });
        Array<float> out = autograd::full<float>({outputs}, 0);
        for (auto _ : state) {
            raw(out.data(), in.data());
            benchmark::ClobberMemory();
        }
    });
    return name;
}

// ---- Elementwise ----

/// The loop of a function of one, two or three numbers.
template <class F>
Raw loop(F f) {
    return [f](float* __restrict out, const float* const* in) {
        const float *a = in[0], *b = in[1], *c = in[2];
        for (std::size_t i = 0; i < elements; ++i) {
            if constexpr (std::is_invocable_v<F, float>) {
                out[i] = f(a[i]);
            } else if constexpr (std::is_invocable_v<F, float, float>) {
                out[i] = f(a[i], b[i]);
            } else {
                out[i] = f(a[i], b[i], c[i]);
            }
        }
    };
}

const std::map<std::string, Raw>& elementwise_loops() {
    static const std::map<std::string, Raw> loops = {
        {"add", loop([](float a, float b) { return a + b; })},
        {"subtract", loop([](float a, float b) { return a - b; })},
        {"multiply", loop([](float a, float b) { return a * b; })},
        {"divide", loop([](float a, float b) { return a / b; })},
        {"negative", loop([](float x) { return -x; })},
        {"greater", loop([](float a, float b) { return a > b ? 1.0f : 0.0f; })},
        {"greater_equal", loop([](float a, float b) { return a >= b ? 1.0f : 0.0f; })},
        {"less", loop([](float a, float b) { return a < b ? 1.0f : 0.0f; })},
        {"less_equal", loop([](float a, float b) { return a <= b ? 1.0f : 0.0f; })},
        {"equal", loop([](float a, float b) { return a == b ? 1.0f : 0.0f; })},
        {"not_equal", loop([](float a, float b) { return a != b ? 1.0f : 0.0f; })},
        {"stop_gradient", loop([](float x) { return x; })},
        {"where", loop([](float condition, float a, float b) { return condition != 0 ? a : b; })},
        {"exp", loop([](float x) { return std::exp(x); })},
        {"expm1", loop([](float x) { return std::expm1(x); })},
        {"log", loop([](float x) { return std::log(x); })},
        {"log1p", loop([](float x) { return std::log1p(x); })},
        {"sqrt", loop([](float x) { return std::sqrt(x); })},
        {"square", loop([](float x) { return x * x; })},
        {"tanh", loop([](float x) { return std::tanh(x); })},
        {"sigmoid", loop([](float x) { return 1 / (1 + std::exp(-x)); })},
        {"softplus", loop([](float x) { return std::max(x, 0.0f) + std::log1p(std::exp(-std::fabs(x))); })},
        {"relu", loop([](float x) { return x > 0 ? x : 0; })},
        {"abs", loop([](float x) { return std::fabs(x); })},
        {"maximum", loop([](float a, float b) { return a > b ? a : b; })},
        {"minimum", loop([](float a, float b) { return a < b ? a : b; })},
        {"clip", loop([](float x, float low, float high) { return std::min(std::max(x, low), high); })},
        {"pow", loop([](float x, float exponent) { return std::pow(x, exponent); })},
        {"sin", loop([](float x) { return std::sin(x); })},
        {"cos", loop([](float x) { return std::cos(x); })},
    };
    return loops;
}

/// The loop of an op which has none above: its reference, a call in double for each element.
Raw loop_of_reference(const autograd::OpSpec& spec) {
    return [reference = spec.reference, arity = spec.arity](float* out, const float* const* in) {
        std::array<double, most_inputs> x{};
        for (std::size_t i = 0; i < elements; ++i) {
            for (std::size_t k = 0; k < arity; ++k) x[k] = static_cast<double>(in[k][i]);
            out[i] = static_cast<float>(reference(x.data()));
        }
    };
}

void add_elementwise(Ratios& ratios) {
    // What memory allows: as many streams read, one written. (Adding 1 keeps the compiler from calling memcpy.)
    const Raw streams[] = {loop([](float a) { return a + 1; }), loop([](float a, float b) { return a + b; }),
                           loop([](float a, float b, float c) { return a + b + c; })};
    std::vector<std::string> memory;
    for (std::size_t inputs = 1; inputs <= std::size(streams); ++inputs) {
        memory.push_back(add_raw(fmt::format("kernel/memory_{}", inputs), std::vector<Input>(inputs, {{rows, columns}}),
                                 elements, streams[inputs - 1]));
    }
    for (const autograd::OpSpec& spec : autograd::registry()) {
        if (!spec.is_elementwise()) continue;
        std::vector<Input> inputs;
        for (std::size_t i = 0; i < spec.arity; ++i) inputs.push_back({{rows, columns}, spec.domain[i]});
        const std::string xtape = add_call(spec.name, inputs, spec.call);
        if (spec.arity <= memory.size()) {
            ratios.push_back({"kernel_" + spec.name + "_over_memory", xtape, {memory[spec.arity - 1]}});
        }
        const auto raw = elementwise_loops().find(spec.name);
        const bool listed = raw != elementwise_loops().end();
        if (!listed && !spec.reference) continue;
        ratios.push_back({"kernel_" + spec.name + (listed ? "_over_raw" : "_over_reference"),
                          xtape,
                          {add_raw("kernel/" + spec.name + (listed ? "/raw" : "/reference"), inputs, elements,
                                   listed ? raw->second : loop_of_reference(spec))}});
    }
}

// ---- The rest ----

/// out[i, j] = x[i, j] + y(i, j)
template <class Y>
Raw add_to_matrix(Y y) {
    return [y](float* __restrict out, const float* const* in) {
        const float *x = in[0], *other = in[1];
        for (std::size_t i = 0; i < rows; ++i) {
            for (std::size_t j = 0; j < columns; ++j) out[i * columns + j] = x[i * columns + j] + y(other, i, j);
        }
    };
}

/// f(... f(f(x[0], x[1]), x[2]) ..., x[count - 1]) but for the order: in as many lanes as the processor can keep busy.
template <class F>
float fold(const float* x, std::size_t count, F f) {
    constexpr std::size_t lanes = 64;
    std::array<float, lanes> part;
    std::copy_n(x, lanes, part.begin());
    std::size_t i = lanes;
    for (; i + lanes <= count; i += lanes) {
        for (std::size_t k = 0; k < lanes; ++k) part[k] = f(part[k], x[i + k]);
    }
    for (std::size_t k = 0; i + k < count; ++k) part[k] = f(part[k], x[i + k]);
    return std::accumulate(part.begin() + 1, part.end(), part[0], f);
}

constexpr auto sum_of = [](float a, float b) { return a + b; };
constexpr auto larger_of = [](float a, float b) { return a > b || a != a ? a : b; };  // NaN if one of them is

void sum_rows(float* out, const float* const* in) {
    std::fill_n(out, columns, 0.0f);
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < columns; ++j) out[j] += in[0][i * columns + j];
    }
}

void log_sum_exp(float* out, const float* const* in) {
    for (std::size_t i = 0; i < rows; ++i) {
        const float* x = in[0] + i * columns;
        const float top = fold(x, columns, larger_of);
        std::array<float, columns> terms;
        for (std::size_t j = 0; j < columns; ++j) terms[j] = std::exp(x[j] - top);
        out[i] = top + std::log(fold(terms.data(), columns, sum_of));
    }
}

void transpose(float* __restrict out, const float* const* in) {
    constexpr std::size_t tall = 32, wide = 16;
    static_assert(rows % tall == 0 && columns % wide == 0);
    const float* x = in[0];
    for (std::size_t i = 0; i < rows; i += tall) {
        for (std::size_t j = 0; j < columns; j += wide) {
            for (std::size_t to = j; to < j + wide; ++to) {
                for (std::size_t from = i; from < i + tall; ++from) out[to * rows + from] = x[from * columns + to];
            }
        }
    }
}

template <class F>
Raw by_row(F f) {
    return [f](float* out, const float* const* in) {
        for (std::size_t i = 0; i < rows; ++i) out[i] = fold(in[0] + i * columns, columns, f);
    };
}
template <class F>
Raw over_all(F f) {
    return [f](float* out, const float* const* in) { *out = fold(in[0], elements, f); };
}

struct Case {
    std::string name;
    std::vector<Shape> shapes;
    std::size_t outputs;
    Call call;
    Raw raw;
};

Case product(std::size_t m, std::size_t k, std::size_t n, autograd::Transpose transpose) {
    const auto letter = [](bool transposed) { return transposed ? 't' : 'n'; };
    return {fmt::format("matmul_{}{}_{}x{}x{}", letter(transpose.a), letter(transpose.b), m, k, n),
            {transpose.a ? Shape{k, m} : Shape{m, k}, transpose.b ? Shape{n, k} : Shape{k, n}},
            m * n,
            [=](auto in) { return matmul(in[0], in[1], transpose); },
            [=](float* out, const float* const* in) {
                const Product whole{.transpose_a = transpose.a,
                                    .transpose_b = transpose.b,
                                    .m = m,
                                    .n = n,
                                    .k = k,
                                    .a = in[0],
                                    .lda = transpose.a ? m : k,
                                    .b = in[1],
                                    .ldb = transpose.b ? k : n,
                                    .c = out,
                                    .ldc = n};
                multiply(quickest_engine(whole), whole);
            }};
}

std::vector<Case> cases() {
    const Shape matrix{rows, columns};
    const auto plus = [](auto in) { return in[0] + in[1]; };
    return {
        {"broadcast_row", {matrix, {columns}}, elements, plus, add_to_matrix([](const float* y, std::size_t, std::size_t j) {
             return y[j];
         })},
        {"broadcast_column", {matrix, {rows, 1}}, elements, plus, add_to_matrix([](const float* y, std::size_t i, std::size_t) {
             return y[i];
         })},
        {"broadcast_scalar", {matrix, {}}, elements, plus, add_to_matrix([](const float* y, std::size_t, std::size_t) {
             return *y;
         })},
        {"sum", {matrix}, 1, [](auto in) { return sum(in[0]); }, over_all(sum_of)},
        {"sum_axis_0", {matrix}, columns, [](auto in) { return sum(in[0], 0); }, sum_rows},
        {"sum_axis_1", {matrix}, rows, [](auto in) { return sum(in[0], 1); }, by_row(sum_of)},
        {"max", {matrix}, 1, [](auto in) { return max(in[0]); }, over_all(larger_of)},
        {"max_axis_1", {matrix}, rows, [](auto in) { return max(in[0], 1); }, by_row(larger_of)},
        {"logsumexp_axis_1", {matrix}, rows, [](auto in) { return logsumexp(in[0], 1); }, log_sum_exp},
        {"matrix_transpose", {matrix}, elements, [](auto in) { return matrix_transpose(in[0]); }, transpose},
        // The example's layers forward, the largest one's gradients, and a small one's.
        product(128, 784, 400, {.b = true}),
        product(128, 400, 20, {.b = true}),
        product(128, 20, 400, {.b = true}),
        product(128, 400, 784, {.b = true}),
        product(128, 784, 400, {}),
        product(400, 128, 784, {.a = true}),
        product(20, 128, 400, {.a = true}),
    };
}

}  // namespace

void add_kernels(Ratios& ratios) {
    add_elementwise(ratios);
    for (const Case& each : cases()) {
        std::vector<Input> inputs;
        for (const Shape& shape : each.shapes) inputs.push_back({shape});
        ratios.push_back({"kernel_" + each.name + "_over_raw",
                          add_call(each.name, inputs, each.call),
                          {add_raw("kernel/" + each.name + "/raw", inputs, each.outputs, each.raw)}});
    }
}

}  // namespace bench
