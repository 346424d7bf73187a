// Ends a program with a sentence where the processor lacks what the library was compiled for, before the library's first
// instruction of that kind; and defines the symbol that only files compiled alike refer to. It computes nothing.
#include <unistd.h>

#include <cstdio>

#include "autograd/kernels/compiled_alike.hpp"

namespace autograd {

template <>
XTAPE_API const bool detail::CompiledAlike::as_this_file_is = true;

#if defined(__x86_64__)
namespace {

// Ahead of all that is made before main(), and itself of instructions that every x86-64 has. It calls the C library alone: a
// function of another file may have been compiled for more.
[[gnu::constructor(101), gnu::target("arch=x86-64")]] void require_processor() {
    __builtin_cpu_init();
    const char* lacking = nullptr;
#define XTAPE_REQUIRE(feature) \
    if (!__builtin_cpu_supports(feature)) lacking = feature;
#ifdef __AVX512VPOPCNTDQ__
    XTAPE_REQUIRE("avx512vpopcntdq")
#endif
#ifdef __AVX512BITALG__
    XTAPE_REQUIRE("avx512bitalg")
#endif
#ifdef __AVX512VNNI__
    XTAPE_REQUIRE("avx512vnni")
#endif
#ifdef __AVX512VBMI2__
    XTAPE_REQUIRE("avx512vbmi2")
#endif
#ifdef __AVX512VBMI__
    XTAPE_REQUIRE("avx512vbmi")
#endif
#ifdef __AVX512IFMA__
    XTAPE_REQUIRE("avx512ifma")
#endif
#ifdef __AVX512BF16__
    XTAPE_REQUIRE("avx512bf16")
#endif
#ifdef __AVX512CD__
    XTAPE_REQUIRE("avx512cd")
#endif
#ifdef __AVX512DQ__
    XTAPE_REQUIRE("avx512dq")
#endif
#ifdef __AVX512VL__
    XTAPE_REQUIRE("avx512vl")
#endif
#ifdef __AVX512BW__
    XTAPE_REQUIRE("avx512bw")
#endif
#ifdef __AVX512F__
    XTAPE_REQUIRE("avx512f")
#endif
#ifdef __BMI2__
    XTAPE_REQUIRE("bmi2")
#endif
#ifdef __FMA__
    XTAPE_REQUIRE("fma")
#endif
#ifdef __AVX2__
    XTAPE_REQUIRE("avx2")
#endif
#ifdef __AVX__
    XTAPE_REQUIRE("avx")
#endif
#ifdef __SSE4_2__
    XTAPE_REQUIRE("sse4.2")
#endif
#undef XTAPE_REQUIRE
    if (!lacking) return;
    dprintf(STDERR_FILENO,
            "xtape: this program is compiled for processors with %s, which this one has not; compile it and xtape with "
            "-march=x86-64 (CMake: -DXTAPE_ARCH=x86-64), or for this machine\n",
            lacking);
    _exit(1);
}

}  // namespace
#endif

}  // namespace autograd
