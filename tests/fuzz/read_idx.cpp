// Fuzzes nn::read_idx, raw and gzipped: what it reads has the bytes that the file says.
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    autograd::Array<std::uint8_t> array;
    if (!fuzz::accepts([&] { array = nn::read_idx(fuzz::input_file({data, size}), std::size_t{1} << 22); })) return 0;
    if (size > 0 && data[0] == 0) {  // not gzipped
        const std::size_t start = 4 + 4 * std::size_t{data[3]};
        fuzz::require(array.dimension() == data[3], "another rank");
        fuzz::require(array.size() == size - start, "another number of bytes");
        fuzz::require(array.size() == 0 || std::memcmp(array.data(), data + start, array.size()) == 0, "other bytes");
    }
    return 0;
}
