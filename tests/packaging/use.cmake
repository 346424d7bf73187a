# A script, or included by one: uses the xtape that is installed in `prefix`, by CMake's package and by pkg-config.
#   cmake -D prefix=... -D WORK=... -D COMPILER=... -P use.cmake
include("${CMAKE_CURRENT_LIST_DIR}/run.cmake")
set(project "${WORK}/found")
set_out_project(found "${project}")
file(GLOB_RECURSE installed "${prefix}/*/xtape*.cmake" "${prefix}/*/xtape*.pc")
foreach(file IN LISTS installed)
    file(READ "${file}" text)
    foreach(elsewhere IN ITEMS "${XTAPE_SOURCE}" "${XTAPE_BUILD}")
        string(FIND "${text}" "${elsewhere}/" place)
        if(elsewhere AND NOT place EQUAL -1)
            message(FATAL_ERROR "${file} names a place of the build: ${elsewhere}")
        endif()
    endforeach()
endforeach()
set(configure "${CMAKE_COMMAND}" -S "${project}" -G Ninja "-DCMAKE_CXX_COMPILER=${COMPILER}" -DCMAKE_BUILD_TYPE=Release
    "-DCMAKE_PREFIX_PATH=${prefix}")
run("the package is not found" ${configure} -B "${project}/build" "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror")
run("a project cannot be built with the package" "${CMAKE_COMMAND}" --build "${project}/build")
run("its program fails" "${project}/build/program")
run("the test of its op fails" "${project}/build/own_op_test")
run("its plugin cannot be loaded, or unloaded" "${project}/build/host" "${project}/build/libplugin.so")

# What is not there is refused, in words.
function(must_be_refused name asked words)
    file(WRITE "${WORK}/${name}/CMakeLists.txt"
        "cmake_minimum_required(VERSION 3.25)\nproject(refused LANGUAGES CXX)\nfind_package(xtape ${asked})\n")
    execute_process(COMMAND "${CMAKE_COMMAND}" -S "${WORK}/${name}" -B "${WORK}/${name}/build" -G Ninja
            "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_PREFIX_PATH=${prefix}"
        RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
    string(REGEX REPLACE "[ \n]+" " " output "${output}")
    if(status EQUAL 0 OR NOT output MATCHES "${words}")
        message(FATAL_ERROR "find_package(xtape ${asked}) should be refused with \"${words}\":\n${output}")
    endif()
endfunction()
must_be_refused("another component" "0.2 REQUIRED COMPONENTS tensors" "none called \"tensors\"")
must_be_refused("an older version" "0.1 REQUIRED" "compatible with requested version \"0.1\"")
must_be_refused("a newer version" "0.3 REQUIRED" "compatible with requested version \"0.3\"")

# --- pkg-config -------------------------------------------------------------------------------------------------------

find_program(PKG_CONFIG NAMES pkg-config pkgconf)
if(NOT PKG_CONFIG)
    message(STATUS "pkg-config is not here: not tried")
    return()
endif()
file(GLOB_RECURSE pc "${prefix}/*/xtape-nn.pc")
cmake_path(GET pc PARENT_PATH directory)
set(ENV{PKG_CONFIG_PATH} "${directory}")
# As a Makefile has it: the shell takes off what pkg-config puts before spaces.
set(build "eval \"'${COMPILER}' '${project}/program.cpp' -std=c++20 -O2 -o '${WORK}/by pkg-config' \$('${PKG_CONFIG}' --cflags --libs xtape-nn)\"")
run("a program cannot be built with what pkg-config says" sh -c "${build}")
cmake_path(GET directory PARENT_PATH libraries)
set(ENV{LD_LIBRARY_PATH} "${libraries}")
run("the program that pkg-config built fails" "${WORK}/by pkg-config")

# --- Vectors and arrays of one kind for all of a program, or a link error ---------------------------------------------

# Compiled with more options, a program must work; or not link, for want of a symbol that says what it was compiled for.
function(mix options links)
    string(REPLACE "xtape-nn)" "xtape-nn) ${options}" mixed "${build}")
    execute_process(COMMAND sh -c "${mixed}" RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(links)
        if(NOT status EQUAL 0)
            message(FATAL_ERROR "a file compiled with ${options} should link:\n${output}")
        endif()
        run("a program compiled with ${options} fails" "${WORK}/by pkg-config")
    elseif(status EQUAL 0 OR NOT output MATCHES "LibraryWasCompiledFor<xsimd::[^\n]*as_this_file_is")
        message(FATAL_ERROR "a file compiled with ${options} should not link, and the symbol that is missing say why:\n${output}")
    endif()
endfunction()

run("pkg-config has no flags" "${PKG_CONFIG}" --cflags xtape-autograd)
if(output MATCHES "-march=(native|x86-64-v[34])")
    mix("-march=x86-64" OFF)
    mix("-march=x86-64 -ffunction-sections -fdata-sections -Wl,--gc-sections" OFF)
    mix("-march=x86-64-v3" ON)
    mix("-march=x86-64-v3 -O3 -DNDEBUG" ON)
endif()
mix("-DXTENSOR_USE_XSIMD" ON)
