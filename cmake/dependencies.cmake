# Finds every library that xtape uses, or stops with the list of Debian packages which would bring the missing ones.
# It downloads nothing.
if(POLICY CMP0167)  # a macro goes by the policies of where it is defined
    cmake_policy(SET CMP0167 NEW)  # Boost's own package file, which newer CMake has no replacement for
endif()
set(missing)

# xtape_find(<Debian package> <name for find_package> [<least version>]). The version is compared here, because some
# packages claim to be incompatible with every request but for their own major version.
macro(xtape_find debian_package package)
    find_package(${package} QUIET)
    if(NOT ${package}_FOUND)
        message(STATUS "Missing: ${package} (Debian package ${debian_package})")
        list(APPEND missing ${debian_package})
    elseif("${${package}_VERSION}" VERSION_LESS "0${ARGN}")
        message(FATAL_ERROR "xtape needs ${package} ${ARGN} or newer; found ${${package}_VERSION} in ${${package}_DIR}.")
    endif()
endmacro()

xtape_find(libxtensor-dev xtensor 0.24)
xtape_find(libxsimd-dev xsimd 8.1)
xtape_find(libopenblas-dev OpenBLAS)
set(BLA_SIZEOF_INTEGER 4)
xtape_find(libfmt-dev fmt 9)
xtape_find(librandom123-dev Random123)
xtape_find(libboost-dev Boost 1.74)
xtape_find(zlib1g-dev ZLIB)
xtape_find(libpng-dev PNG)
xtape_find(nlohmann-json3-dev nlohmann_json 3)
if(XTAPE_BUILD_EXAMPLES OR XTAPE_BUILD_TESTS OR XTAPE_BUILD_BENCH)
    xtape_find(libcli11-dev CLI11 2)
    xtape_find("libmd4c-dev libmd4c-html0-dev" md4c)
endif()
if(XTAPE_BUILD_EXAMPLES OR XTAPE_BUILD_TESTS)
    set(BLA_VENDOR OpenBLAS)  # xtensor-blas asks for any BLAS and LAPACK: OpenBLAS has both
    if(OpenBLAS_FOUND)
        xtape_find(libxtensor-blas-dev xtensor-blas 0.20)
    endif()
endif()
if(XTAPE_BUILD_TESTS)
    xtape_find(catch2 Catch2 2.13)
    xtape_find(librapidcheck-dev RapidCheck)
endif()
if(XTAPE_BUILD_BENCH)
    xtape_find(libbenchmark-dev benchmark)
endif()

if(missing)
    list(JOIN missing " " missing)
    message(FATAL_ERROR "xtape needs libraries which are not installed. On Debian and Ubuntu this installs them:\n"
        "  apt-get install ${missing}\n"
        "or let ./xtape setup install all that is needed.")
endif()

include(blas)

if(NOT EXISTS "${XTAPE_FASHION_MNIST_DIR}")
    message(STATUS "No Fashion-MNIST in ${XTAPE_FASHION_MNIST_DIR} (Debian package dataset-fashion-mnist): "
        "the demo needs --data DIRECTORY, or configure with -DXTAPE_FASHION_MNIST_DIR=")
endif()
