// Fuzzes nn::load of a model, its optimiser and a generator: all of a file is taken or none of it, and what is taken is
// saved as it came.
#include "fuzz.hpp"

#include <algorithm>

namespace {

struct Model {
    nn::Linear layer;
    static constexpr auto members = nn::members("layer", &Model::layer);
    explicit Model(autograd::Rng& rng) : layer(2, 1, rng) {}
};

struct Training {
    autograd::Rng rng{7};
    Model model{rng};
    nn::Adam adam{nn::AdamOptions{}};
    nn::Generators generators{{"noise", &rng}};

    void save(const fuzz::fs::path& path) { nn::save(path, model, adam, generators); }
};

bool same_tensors(const nn::TensorFile& a, const nn::TensorFile& b) {
    return std::equal(a.tensors.begin(), a.tensors.end(), b.tensors.begin(), b.tensors.end(),
                      [](const auto& x, const auto& y) { return x.first == y.first && fuzz::same_tensor(x.second, y.second); });
}

nn::TensorFile saved(Training& training) {
    const auto path = fuzz::directory() / "copy.safetensors";
    training.save(path);
    return nn::read_safetensors(path);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Training training;
    static const nn::TensorFile before = saved(training);
    const auto& path = fuzz::input_file({data, size});
    const auto load = [&] { nn::load(path, training.model, training.adam, training.generators); };
    if (fuzz::accepts(load)) {
        const nn::TensorFile first = saved(training);
        fuzz::require(same_tensors(first, nn::read_safetensors(path)), "not all was taken");
        Training again;
        nn::load(fuzz::directory() / "copy.safetensors", again.model, again.adam, again.generators);
        const nn::TensorFile second = saved(again);
        fuzz::require(same_tensors(second, first) && second.metadata == first.metadata, "it does not come back as it was");
    } else if (size % 64 == 0) {  // most inputs are refused: looked at now and then, it costs less than reading
        const nn::TensorFile after = saved(training);
        fuzz::require(same_tensors(after, before) && after.metadata == before.metadata, "some was taken");
    }
    return 0;
}
