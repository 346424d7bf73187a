// Fuzzes nn::read_npy, raw and gzipped: what it reads, it reads again from what write_npy makes of it.
#include "fuzz.hpp"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    nn::Tensor tensor;
    if (!fuzz::accepts([&] { tensor = nn::read_npy(fuzz::input_file({data, size}), std::size_t{1} << 22); })) return 0;
    const auto path = fuzz::directory() / "copy.npy";
    nn::write_npy(path, tensor);
    fuzz::require(fuzz::same_tensor(nn::read_npy(path), tensor), "the array has changed");
    return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t largest, unsigned seed) {
    return fuzz::mutate_with_length(data, size, largest, seed, [&](std::uint8_t* bytes, std::size_t count) {
        constexpr std::size_t start = 10;  // of version 1.0's text
        if (count <= start || bytes[6] != 1) return;
        const auto* last = std::find(bytes + start, bytes + count, '}');
        if (last == bytes + count) return;
        const auto length = static_cast<std::uint16_t>(last + 1 - (bytes + start));
        std::memcpy(bytes + 8, &length, sizeof(length));
    });
}
