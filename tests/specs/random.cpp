// The specs of the noise leaves. Their values are those of the stream itself, which random_test.cpp checks.
#include "autograd/ops/random.hpp"
#include "tests/specs/registry.hpp"

namespace autograd::detail {
namespace {

using Arrays = std::span<const Array<double>>;

Rng stream() { return Rng(7).stream("spec"); }

template <class Call, class Reference>
OpSpec noise_spec(const char* name, const char* formula, Call call, Reference reference) {
    OpSpec spec{
        .name = name,
        .documentation = {
            .formula = formula, .gradient = "none", .nan = "none: only the shape of the input is used", .ulps = 0}};
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
        "bernoulli_like", "1 with probability p, else 0; a leaf",
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
    bernoulli.documentation.nan = "an error: not a probability";
    return {
        noise_spec(
            "normal_like", "N(0, 1), a leaf of the input's shape",
            [](auto v) {
                Rng rng = stream();
                return normal_like(v[0], rng);
            },
            [](Arrays like) { return stream().normal<double>(like[0].shape()); }),
        noise_spec(
            "uniform_like", "uniform on [0, 1), a leaf of the input's shape",
            [](auto v) {
                Rng rng = stream();
                return uniform_like(v[0], rng);
            },
            [](Arrays like) { return stream().uniform<double>(like[0].shape()); }),
        bernoulli,
    };
}

}  // namespace autograd::detail
