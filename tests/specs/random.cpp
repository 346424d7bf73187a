// The specs of the noise leaves. Their values are those of the stream itself, which random_test.cpp checks.
#include "autograd/ops/random.hpp"
#include "tests/specs/registry.hpp"

namespace autograd::specs {
namespace {

using Arrays = std::span<const Array<double>>;

Rng stream() { return Rng(7).stream("spec"); }

template <class Call, class Reference>
OpSpec noise_spec(OpSpec spec, Call call, Reference reference) {
    for (const Shape& shape : {Shape{2, 3}, Shape{}, Shape{1}, Shape{33}, Shape{0, 3}}) {
        spec.cases.push_back({.name = to_string(shape),
                              .shapes = {shape},
                              .call = call,
                              .reference = reference,
                              .domain = {0, 1},
                              .float_agrees = false});
    }
    return spec;
}

}  // namespace

std::vector<OpSpec> random_specs() {
    OpSpec bernoulli = noise_spec(
        {.name = "bernoulli_like", .documentation = ops::words::bernoulli_like, .ulps = 0},
        [](auto v) {
            Rng rng = stream();
            return bernoulli_like(v[0], rng);
        },
        [](Arrays p) {
            Rng rng = stream();
            Array<double> out = rng.uniform<double>(p[0].shape());
            for (std::size_t i = 0; i < out.size(); ++i) out.data()[i] = out.data()[i] < p[0].data()[i] ? 1 : 0;
            return out;
        });
    return {
        noise_spec(
            {.name = "normal_like", .documentation = ops::words::normal_like, .ulps = 0},
            [](auto v) {
                Rng rng = stream();
                return normal_like(v[0], rng);
            },
            [](Arrays like) { return stream().normal<double>(like[0].shape()); }),
        noise_spec(
            {.name = "uniform_like", .documentation = ops::words::uniform_like, .ulps = 0},
            [](auto v) {
                Rng rng = stream();
                return uniform_like(v[0], rng);
            },
            [](Arrays like) { return stream().uniform<double>(like[0].shape()); }),
        bernoulli,
    };
}

}  // namespace autograd::specs
