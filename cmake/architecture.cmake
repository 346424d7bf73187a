# XTAPE_ARCH, the instruction set to compile for, and XTAPE_ARCH_FLAGS, the options which say so to the compiler. The
# default is what this machine has, but only where that buys wide vectors: else programs stay portable. Every ARM64 has the
# vectors that are used there.
include(CheckCXXCompilerFlag)
include(CheckCXXSourceRuns)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    set(others "armv8.2-a, ...")
else()
    set(others "x86-64, x86-64-v3, ...")
endif()

if(NOT DEFINED XTAPE_ARCH AND NOT CMAKE_CROSSCOMPILING AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
    check_cxx_source_runs([[
        int main() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 0 : 1; }
    ]] XTAPE_MACHINE_HAS_AVX2)
    if(XTAPE_MACHINE_HAS_AVX2)
        set(XTAPE_ARCH native CACHE STRING "Instruction set (-march=): native, ${others}")
    endif()
endif()
set(XTAPE_ARCH "" CACHE STRING "Instruction set (-march=): native, ${others}; empty: the compiler's own")

set(XTAPE_ARCH_FLAGS)
if(XTAPE_ARCH)
    string(MAKE_C_IDENTIFIER "XTAPE_COMPILER_KNOWS_${XTAPE_ARCH}" known)
    check_cxx_compiler_flag("-march=${XTAPE_ARCH}" ${known})
    if(NOT ${known})
        message(FATAL_ERROR "XTAPE_ARCH: the compiler does not know -march=${XTAPE_ARCH}. "
            "Name an instruction set it knows: native, ${others}")
    endif()
    set(XTAPE_ARCH_FLAGS "-march=${XTAPE_ARCH}")
    # Of some processors clang 19 says itself that they have AVX10.1 of 256 bits, and then warns that it takes them for ones of 512.
    if(XTAPE_ARCH STREQUAL native AND CMAKE_CXX_COMPILER_ID STREQUAL Clang AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 19)
        list(APPEND XTAPE_ARCH_FLAGS -Wno-invalid-feature-combination)
    endif()
endif()
