// Philox4x32-10 on eight blocks at a time, and the uniform and normal values that are made of its words. The loops over
// lanes of 32 bits are plain, for the compiler to vectorise; the rest is xsimd. Nothing here knows a tape.
#include "autograd/base/random.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <numbers>
#include <numeric>
#include <utility>

#include "autograd/base/vectors.hpp"

namespace autograd {
namespace {

using Word = std::uint32_t;

// The number of blocks made together is part of the definition of the values, whatever the machine's vectors hold:
// element i of a draw comes from group i / group_size of eight blocks.
constexpr std::size_t lanes = 8;

template <class T>
constexpr std::size_t group_size = lanes * 4 * sizeof(Word) / sizeof(T);

// words[w][l] is word w of block l of a group.
using Words = std::array<std::array<Word, lanes>, 4>;

constexpr Word low(std::uint64_t x) { return static_cast<Word>(x); }
constexpr Word high(std::uint64_t x) { return static_cast<Word>(x >> 32); }
constexpr std::uint64_t join(Word lower, Word upper) { return std::uint64_t{upper} << 32 | lower; }

// Philox runs on words in the low halves of 64-bit lanes; what the high halves hold is of no account. So its products
// need no shuffles, which a loop over 32-bit lanes would spend more time on than on the products.
std::uint64_t multiply_low_halves(std::uint64_t a, std::uint64_t b) { return std::uint64_t{low(a)} * low(b); }
#if XSIMD_WITH_FMA3_AVX2
using Lane = detail::Batch<std::uint64_t>;
Lane multiply_low_halves(const Lane& a, const Lane& b) { return Lane(_mm256_mul_epu32(a, b)); }
#else
using Lane = std::uint64_t;
#endif

template <class L>
using RoundKeys = std::array<std::array<L, 2>, 10>;

template <class L>
RoundKeys<L> round_keys(std::uint64_t key) {
    RoundKeys<L> keys;
    Word k0 = low(key), k1 = high(key);
    for (auto& round : keys) {
        round = {L(std::uint64_t{k0}), L(std::uint64_t{k1})};
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    return keys;
}

template <class L>
void ten_rounds(std::array<L, 4>& c, const RoundKeys<L>& keys) {
    const L m0(std::uint64_t{0xD2511F53}), m1(std::uint64_t{0xCD9E8D57});
    for (const auto& [k0, k1] : keys) {
        const L p0 = multiply_low_halves(m0, c[0]), p1 = multiply_low_halves(m1, c[2]);
        c = {(p1 >> 32) ^ c[1] ^ k0, p1, (p0 >> 32) ^ c[3] ^ k1, p0};
    }
}

// make_words makes blocks first_block ... first_block + 7 of a draw; first_block is a multiple of 8.
#if XSIMD_WITH_FMA3_AVX2
void make_words(Words& words, const RoundKeys<Lane>& keys, std::uint64_t draw, std::uint64_t first_block) {
    static_assert(lanes == 2 * Lane::size);
    const std::array<std::uint64_t, 4> steps{0, 2, 4, 6};
    std::array<Lane, 4> even{Lane::load_unaligned(steps.data()) + Lane(first_block), Lane(first_block >> 32), Lane(draw),
                             Lane(draw >> 32)};
    std::array<Lane, 4> odd = even;
    odd[0] = odd[0] + Lane(std::uint64_t{1});
    ten_rounds(even, keys);
    ten_rounds(odd, keys);
    std::array<std::array<std::uint64_t, 4>, 4> pairs;
    for (std::size_t w = 0; w < 4; ++w) {
        ((even[w] & Lane(std::uint64_t{0xFFFFFFFF})) | (odd[w] << 32)).store_unaligned(pairs[w].data());
    }
    words = std::bit_cast<Words>(pairs);
}
#else
void make_words(Words& words, const RoundKeys<Lane>& keys, std::uint64_t draw, std::uint64_t first_block) {
    for (std::size_t l = 0; l < lanes; ++l) {
        std::array<Lane, 4> c{first_block + l, first_block >> 32, draw, draw >> 32};
        ten_rounds(c, keys);
        for (std::size_t w = 0; w < 4; ++w) words[w][l] = low(c[w]);
    }
}
#endif

// A word as an integer with a sign: vector units convert no others to floating point.
template <class T>
T real(Word word) {
    return static_cast<T>(static_cast<std::int32_t>(word));
}

// 53 bits of two words, below 2^53. Every step is exact, so fused multiply-adds change nothing.
double real_of_53_bits(Word upper, Word lower) { return real<double>(upper >> 5) * 0x1p26 + real<double>(lower >> 6); }

// Float: value 8 w + l is word w of block l. Double: words 0 and 1 make value l, words 2 and 3 value 8 + l.
void make_uniform(float* out, const Words& words) {
    for (std::size_t w = 0; w < 4; ++w) {
        for (std::size_t l = 0; l < lanes; ++l) out[w * lanes + l] = real<float>(words[w][l] >> 8) * 0x1p-24f;
    }
}

void make_uniform(double* out, const Words& words) {
    for (std::size_t l = 0; l < lanes; ++l) {
        out[l] = real_of_53_bits(words[0][l], words[1][l]) * 0x1p-53;
        out[lanes + l] = real_of_53_bits(words[2][l], words[3][l]) * 0x1p-53;
    }
}

// Points of the plane. The square of the radius is -2 log(u), u in (0, 1]; the angle, in [-pi/4, pi/4), is that to the
// nearest half-axis, which two more bits choose: angles need no range reduction, and coordinates near 0 keep their
// relative accuracy.
template <class T>
struct Polar {
    alignas(64) std::array<T, lanes> u, angle, side, upright;

    void choose_axis(std::size_t lane, Word bits) {
        side[lane] = real<T>(1 - (bits & 2));
        upright[lane] = real<T>(bits & 1);
    }
};

template <class T>
void make_pairs(T* first, T* second, const Polar<T>& polar) {
    using Batch = detail::Batch<T>;
    static_assert(lanes % Batch::size == 0);
    for (std::size_t l = 0; l < lanes; l += Batch::size) {
        const auto at = [l](const std::array<T, lanes>& values) { return Batch::load_aligned(&values[l]); };
        const Batch radius = detail::square_root(Batch(T(-2)) * xsimd::log(at(polar.u)));
        const auto sine_cosine = xsimd::sincos(at(polar.angle));
        const Batch across = radius * sine_cosine.first;
        const Batch along = radius * sine_cosine.second * at(polar.side);
        const auto upright = at(polar.upright) != Batch(T(0));
        xsimd::select(upright, across, along).store_unaligned(first + l);
        xsimd::select(upright, along, across).store_unaligned(second + l);
    }
}

// Float: words w and w + 1 of block l make values 8 w + l and 8 (w + 1) + l, for w = 0 and 2.
void make_normal(float* out, const Words& words) {
    for (std::size_t w = 0; w < 4; w += 2) {
        Polar<float> polar;
        for (std::size_t l = 0; l < lanes; ++l) {
            const Word direction = words[w + 1][l];
            polar.u[l] = (real<float>(words[w][l] >> 1) + 1.0f) * 0x1p-31f;
            polar.angle[l] = real<float>(direction & ~Word{3}) * (std::numbers::pi_v<float> * 0x1p-33f);
            polar.choose_axis(l, direction);
        }
        make_pairs(out + w * lanes, out + (w + 1) * lanes, polar);
    }
}

// Double: the words of block l make values l and 8 + l.
void make_normal(double* out, const Words& words) {
    Polar<double> polar;
    for (std::size_t l = 0; l < lanes; ++l) {
        const Word direction = words[3][l];
        polar.u[l] = (real_of_53_bits(words[0][l], words[1][l]) + 1.0) * 0x1p-53;
        const double turn = real<double>(words[2][l]) * 0x1p30 + real<double>(direction >> 2);
        polar.angle[l] = turn * (std::numbers::pi * 0x1p-63);
        polar.choose_axis(l, direction);
    }
    make_pairs(out, out + lanes, polar);
}

// Calls use(words, offset, count) for the groups of a draw of `count` values; only the last may be short of group_size.
template <class T, class Use>
void for_each_group(std::size_t count, const Rng::State& state, Use use) {
    Words words;
    const auto keys = round_keys<Lane>(state.key);
    std::uint64_t block = 0;
    for (std::size_t offset = 0; offset < count; offset += group_size<T>, block += lanes) {
        make_words(words, keys, state.draws, block);
        use(words, offset, std::min(group_size<T>, count - offset));
    }
}

template <class T, class Make>
void fill(Array<T>& out, const Rng::State& state, Make make) {
    require_values(out, "a random draw");
    for_each_group<T>(out.size(), state, [&](const Words& words, std::size_t offset, std::size_t count) {
        if (count == group_size<T>) return make(out.data() + offset, words);
        std::array<T, group_size<T>> last;
        make(last.data(), words);
        std::copy_n(last.begin(), count, out.data() + offset);
    });
}

// FNV-1a.
std::uint64_t hash(std::string_view text) {
    std::uint64_t result = 0xCBF29CE484222325;
    for (const char c : text) result = (result ^ static_cast<unsigned char>(c)) * 0x100000001B3;
    return result;
}

// The counter of a child's key holds this where that of a value holds its draw number, which does not get so far.
constexpr Word name_tag = 0xFFFFFFFF;

}  // namespace

std::array<std::uint32_t, 4> philox_block(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
    std::array<std::uint64_t, 4> c{counter[0], counter[1], counter[2], counter[3]};
    ten_rounds(c, round_keys<std::uint64_t>(join(key[0], key[1])));
    return {low(c[0]), low(c[1]), low(c[2]), low(c[3])};
}

// The first half of a Philox block mixes the parent's key and the hash of the name.
Rng Rng::stream(std::string_view name) const {
    const std::size_t slash = name.find('/');
    const std::string_view part = name.substr(0, slash);
    if (part.empty()) {
        throw Error(fmt::format("Rng::stream: an empty name, or part of one, below the stream \"{}\"", name_));
    }
    const std::uint64_t digest = hash(part);
    const auto words = philox_block({low(digest), high(digest), name_tag, name_tag}, {low(key_), high(key_)});
    Rng child(join(words[0], words[1]));
    child.name_ = name_.empty() ? std::string(part) : fmt::format("{}/{}", name_, part);
    return slash == std::string_view::npos ? child : child.stream(name.substr(slash + 1));
}

template <class T>
void Rng::fill_uniform(Array<T>& out) {
    fill(out, state(), [](T* to, const Words& words) { make_uniform(to, words); });
    ++draws_;
}

template <class T>
void Rng::fill_normal(Array<T>& out) {
    fill(out, state(), [](T* to, const Words& words) { make_normal(to, words); });
    ++draws_;
}

template <class T>
void Rng::fill_bernoulli(Array<T>& out, const Array<T>& probabilities, const char* op) {
    if (out.shape() != probabilities.shape()) {
        throw ShapeError(fmt::format("{}: probabilities of shape {} for an array of shape {}", op,
                                     to_string(probabilities.shape()), to_string(out.shape())));
    }
    require_values(out, "fill_bernoulli");
    require_values(probabilities, "fill_bernoulli");
    const T* p = probabilities.data();
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (!(p[i] >= T(0) && p[i] <= T(1))) {
            throw Error(fmt::format("{}: probability {} at element {} is not in [0, 1] (stream \"{}\")", op, p[i], i, name_));
        }
    }
    for_each_group<T>(out.size(), state(), [&](const Words& words, std::size_t offset, std::size_t count) {
        std::array<T, group_size<T>> uniforms;
        make_uniform(uniforms.data(), words);
        for (std::size_t i = 0; i < count; ++i) out.data()[offset + i] = uniforms[i] < p[offset + i] ? T(1) : T(0);
    });
    ++draws_;
}

template <class T>
Array<T> Rng::uniform(const Shape& shape) {
    require_allocatable(shape, sizeof(T), "Rng::uniform");
    auto out = empty<T>(shape);
    fill_uniform(out);
    return out;
}

template <class T>
Array<T> Rng::normal(const Shape& shape) {
    require_allocatable(shape, sizeof(T), "Rng::normal");
    auto out = empty<T>(shape);
    fill_normal(out);
    return out;
}

std::vector<std::size_t> Rng::permutation(std::size_t count) {
    require_allocatable({count}, sizeof(std::size_t), "Rng::permutation");
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    auto next = [this, block = std::uint64_t{0}]() mutable {
        const auto words = philox_block({low(block), high(block), low(draws_), high(draws_)}, {low(key_), high(key_)});
        ++block;
        return join(words[0], words[1]);
    };
    for (std::size_t i = count; i-- > 1;) {
        // As many bits as `i` has, until they are at most `i`: on average less than two tries.
        const std::uint64_t mask = std::bit_ceil(std::uint64_t{i} + 1) - 1;
        std::uint64_t j = next() & mask;
        while (j > i) j = next() & mask;
        std::swap(order[i], order[j]);
    }
    ++draws_;
    return order;
}

void Rng::restore(const State& state) {
    key_ = state.key;
    draws_ = state.draws;
}

template XTAPE_API void Rng::fill_uniform(Array<float>&);
template XTAPE_API void Rng::fill_uniform(Array<double>&);
template XTAPE_API void Rng::fill_normal(Array<float>&);
template XTAPE_API void Rng::fill_normal(Array<double>&);
template XTAPE_API void Rng::fill_bernoulli(Array<float>&, const Array<float>&, const char*);
template XTAPE_API void Rng::fill_bernoulli(Array<double>&, const Array<double>&, const char*);
template XTAPE_API Array<float> Rng::uniform(const Shape&);
template XTAPE_API Array<double> Rng::uniform(const Shape&);
template XTAPE_API Array<float> Rng::normal(const Shape&);
template XTAPE_API Array<double> Rng::normal(const Shape&);

}  // namespace autograd
