// Fuzzes nn::read_safetensors: what it reads, it reads again from what write_safetensors makes of it.
#include "fuzz.hpp"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    nn::TensorFile contents;
    if (!fuzz::accepts([&] { contents = nn::read_safetensors(fuzz::input_file({data, size})); })) return 0;
    const auto path = fuzz::directory() / "copy.safetensors";
    nn::write_safetensors(path, contents);
    const nn::TensorFile copy = nn::read_safetensors(path);
    fuzz::require(copy.metadata == contents.metadata, "the text has changed");
    fuzz::require(copy.tensors.size() == contents.tensors.size(), "the number of tensors has changed");
    for (const auto& [name, tensor] : contents.tensors) {
        const auto found = copy.tensors.find(name);
        fuzz::require(found != copy.tensors.end() && fuzz::same_tensor(found->second, tensor), "a tensor has changed");
    }
    return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t largest, unsigned seed) {
    return fuzz::mutate_with_length(data, size, largest, seed, [&](std::uint8_t* bytes, std::size_t count) {
        const std::uint8_t* last = std::find(std::reverse_iterator(bytes + count), std::reverse_iterator(bytes), '}').base();
        if (last < bytes + 8) return;
        const auto length = static_cast<std::uint64_t>(last - bytes - 8);
        std::memcpy(bytes, &length, sizeof(length));
    });
}
