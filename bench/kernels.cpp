// The loops under the ops: every elementwise op of the registry, patterns of broadcasting, reductions, transposition and
// matrix products, on 128 x 784 floats or thereabouts. Beside them plain loops, which show what memory allows.
#include <benchmark/benchmark.h>

#include <autograd/autograd.hpp>
#include <autograd/kernels/blas.hpp>
#include <autograd/registry.hpp>
#include <functional>
#include <vector>

namespace {

using autograd::Array;
using autograd::Eager;
using autograd::Shape;

constexpr std::size_t rows = 128, columns = 784, elements = rows * columns;

Array<float> numbers(const Shape& shape) {
    autograd::Rng rng(4);
    Array<float> x = rng.uniform<float>(shape);
    autograd::update([](auto& value) { value = 0.25f + 0.5f * value; }, x);  // in the domain of every op
    return x;
}

/// What memory allows: as many streams read, one written.
void plain(benchmark::State& state) {
    const auto inputs = static_cast<std::size_t>(state.range(0));
    const std::vector<Array<float>> in(inputs, numbers({elements}));
    Array<float> out = in[0];
    for (auto _ : state) {
        const float* a = in[0].data();
        const float* b = in[inputs > 1 ? 1 : 0].data();
        const float* c = in[inputs > 2 ? 2 : 0].data();
        float* to = out.data();
        for (std::size_t i = 0; i < elements; ++i) to[i] = inputs == 1 ? a[i] + 1 : inputs == 2 ? a[i] + b[i] : a[i] + b[i] + c[i];
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>((inputs + 1) * elements * 4));
}
BENCHMARK(plain)->Name("kernels/plain_loop")->ArgName("inputs")->DenseRange(1, 3)->Unit(benchmark::kMicrosecond);

void elementwise(benchmark::State& state, const autograd::ElementwiseOp<float>& op, std::size_t arity) {
    const std::vector<Array<float>> in(arity, numbers({elements}));
    Array<float> out = in[0];
    std::vector<autograd::kernels::Operand<float>> operands;
    for (const auto& each : in) operands.push_back({each.data(), &each.shape()});
    for (auto _ : state) {
        autograd::kernels::run_forward<float>(*op.kernel, out, operands);
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>((arity + 1) * elements * 4));
}

void structured(benchmark::State& state, const std::function<Array<float>()>& call) {
    for (auto _ : state) benchmark::DoNotOptimize(call().data());
}

void gemm(benchmark::State& state) {
    const auto m = static_cast<std::size_t>(state.range(0)), k = static_cast<std::size_t>(state.range(1)),
               n = static_cast<std::size_t>(state.range(2));
    autograd::set_num_threads(1);
    const Array<float> a = numbers({m, k}), b = numbers({k, n});
    Array<float> out = numbers({m, n});
    for (auto _ : state) {
        autograd::kernels::gemm<float>(out.data(), m, n, k, {a.data(), k, false}, {b.data(), n, false}, false);
        benchmark::ClobberMemory();
    }
    state.counters["GFLOP/s"] = benchmark::Counter(2e-9 * static_cast<double>(m * k * n),
                                                   benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(gemm)->Name("kernels/gemm")->ArgNames({"m", "k", "n"})->Unit(benchmark::kMicrosecond)
    ->Args({128, 784, 400})->Args({128, 400, 20})->Args({128, 20, 400})->Args({784, 128, 400});

/// Those which come from a list.
const bool registered = [] {
    for (const autograd::OpRecord& record : autograd::registry()) {
        if (!record.is_elementwise()) continue;
        benchmark::RegisterBenchmark(("kernels/" + record.name).c_str(), elementwise, std::ref(*record.in_float), record.arity)
            ->Unit(benchmark::kMicrosecond);
    }
    static const Array<float> matrix = numbers({rows, columns}), row = numbers({columns}), column = numbers({rows, 1}),
                              scalar = numbers({});
    const auto add = [](const char* name, std::function<Array<float>()> call) {
        benchmark::RegisterBenchmark((std::string("kernels/") + name).c_str(), structured, std::move(call))
            ->Unit(benchmark::kMicrosecond);
    };
    const auto eager = [](const Array<float>& array) { return Eager<float>(array); };
    add("broadcast_row", [=] { return (eager(matrix) + eager(row)).take(); });
    add("broadcast_column", [=] { return (eager(matrix) + eager(column)).take(); });
    add("broadcast_scalar", [=] { return (eager(matrix) + eager(scalar)).take(); });
    add("sum_all", [=] { return sum(eager(matrix)).take(); });
    add("sum_axis_0", [=] { return sum(eager(matrix), 0).take(); });
    add("sum_axis_1", [=] { return sum(eager(matrix), 1).take(); });
    add("max_axis_1", [=] { return max(eager(matrix), 1).take(); });
    add("logsumexp_axis_1", [=] { return logsumexp(eager(matrix), 1).take(); });
    add("matrix_transpose", [=] { return matrix_transpose(eager(matrix)).take(); });
    return true;
}();

}  // namespace
